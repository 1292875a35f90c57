# Each public header compiles as the first and only one: as strict C11, and as C++17; those that are
# C++ as that alone.
set(folder ${CMAKE_CURRENT_BINARY_DIR}/alone)
file(GLOB headers RELATIVE ${PROJECT_SOURCE_DIR}/include CONFIGURE_DEPENDS
	${PROJECT_SOURCE_DIR}/include/*.h ${PROJECT_SOURCE_DIR}/include/*.hpp
	${PROJECT_SOURCE_DIR}/include/ilk/*.h ${PROJECT_SOURCE_DIR}/include/ilk/*.hpp)
foreach(header ${headers})
	string(MAKE_C_IDENTIFIER ${header} name)
	set(text "#include <${header}>\n#include <${header}>\nint ${name}_is_here(void);\n")
	string(APPEND text "int ${name}_is_here(void)\n{\n\treturn 0;\n}\n")
	set(kinds c cpp)
	if(header MATCHES "\\.hpp$")
		set(kinds cpp)
	endif()
	foreach(kind ${kinds})
		file(CONFIGURE OUTPUT ${folder}/${name}.${kind} CONTENT "${text}" @ONLY)
		list(APPEND alone_${kind} ${folder}/${name}.${kind})
	endforeach()
endforeach()

function(ilk_headers_alone target)
	add_library(${target} OBJECT ${ARGN})
	target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include)
	target_compile_options(${target} PRIVATE -Wpedantic)
	target_link_libraries(${target} PRIVATE ilk_flags)
	set_target_properties(${target} PROPERTIES C_EXTENSIONS OFF CXX_EXTENSIONS OFF)
endfunction()

ilk_headers_alone(unit_headers_alone_c ${alone_c})
if(CMAKE_CXX_COMPILER)
	ilk_headers_alone(unit_headers_alone_cxx ${alone_cpp})
endif()
