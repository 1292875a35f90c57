# ilk_supported_test(NAME LABEL SECONDS SOURCE...): an ilk_test with tests/support linked in.
set(ILK_SUPPORT_FOLDER ${CMAKE_CURRENT_LIST_DIR})

function(ilk_supported_test name label seconds)
	ilk_test(${name} ${label} ${seconds} ${ARGN} ${ILK_SUPPORT_FOLDER}/support.c)
	target_include_directories(${name} PRIVATE ${ILK_SUPPORT_FOLDER})
	if(CMAKE_CROSSCOMPILING)
		set_tests_properties(${name} PROPERTIES ENVIRONMENT
			"ILK_TEST_EMULATED=1;ILK_TEST_LIMIT_MS=60000")
	endif()
endfunction()
