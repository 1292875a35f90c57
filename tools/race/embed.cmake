# The table of the scenarios, and the texts of their files, as C.
set(text "/* Made by embed.cmake. */\n#include \"race/frame.h\"\n\n")

function(add_text array file)
	file(READ ${file} hex HEX)
	string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
	string(APPEND text "static const char ${array}[] = {${bytes}0};\n")
	set(text "${text}" PARENT_SCOPE)
	# Whoever changes the file has this made anew.
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
endfunction()

macro(add_scenario id source page)
	string(APPEND text "extern const struct race_scenario race_${id};\n")
	add_text(source_${id} ${CMAKE_CURRENT_SOURCE_DIR}/${source})
	add_text(page_${id} ${CMAKE_CURRENT_SOURCE_DIR}/${page})
	string(APPEND rows "&race_${id}, ")
	string(APPEND sources "source_${id}, ")
	string(APPEND pages "page_${id}, ")
endmacro()

# Does not touch FILE where nothing changed.
function(write_scenarios file)
	string(APPEND text
		"const struct race_scenario *const race_scenarios[] = {${rows}(void *)0};\n"
		"const char *const race_sources[] = {${sources}(void *)0};\n"
		"const char *const race_pages[] = {${pages}(void *)0};\n")
	file(GENERATE OUTPUT ${file} CONTENT "${text}")
endfunction()
