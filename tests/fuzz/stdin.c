/*
 * stdin.c - the body for AFL++, and for one file by hand: the bytes come by standard input. Built by
 * afl-clang-fast one process meets many inputs, which come in shared memory.
 */
#include "body.h"
#include <unistd.h>

enum { MOST = 1 << 20, INPUTS_OF_A_PROCESS = 1000 };

#ifdef __AFL_FUZZ_TESTCASE_LEN
/* Its macros are not for our warnings. */
#pragma clang diagnostic ignored "-Wconversion"
#pragma clang diagnostic ignored "-Wshorten-64-to-32"
__AFL_FUZZ_INIT();

int main(void)
{
	struct story story;
	const unsigned char *bytes;

	__AFL_INIT();
	bytes = __AFL_FUZZ_TESTCASE_BUF;
	while (__AFL_LOOP(INPUTS_OF_A_PROCESS))
		fuzz_body(bytes, (size_t)__AFL_FUZZ_TESTCASE_LEN, &story);
	return 0;
}
#else
static uint8_t bytes[MOST];

int main(void)
{
	struct story story;
	size_t count = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, bytes + count, MOST - count)) > 0)
		count += (size_t)n;
	fuzz_body(bytes, count, &story);
	return 0;
}
#endif
