# ilk_supported_test(NAME LABEL SECONDS SOURCE...): an ilk_test with tests/support linked in.
set(ILK_SUPPORT_FOLDER ${CMAKE_CURRENT_LIST_DIR})

# Once for all: there are many tests, in many builds.
if(NOT TARGET ilk_support)
	add_library(ilk_support OBJECT ${ILK_SUPPORT_FOLDER}/support.c)
	target_compile_definitions(ilk_support PRIVATE _GNU_SOURCE)
	target_link_libraries(ilk_support PRIVATE ilk_cmocka ilk_static ilk_flags)
	set_target_properties(ilk_support PROPERTIES ILK_STATIC ON)
endif()

function(ilk_supported_test name label seconds)
	ilk_test(${name} ${label} ${seconds} ${ARGN} $<TARGET_OBJECTS:ilk_support>)
	target_include_directories(${name} PRIVATE ${ILK_SUPPORT_FOLDER})
	if(CMAKE_CROSSCOMPILING)
		set_tests_properties(${name} PROPERTIES ENVIRONMENT
			"ILK_TEST_EMULATED=1;ILK_TEST_LIMIT_MS=60000")
	endif()
endfunction()
