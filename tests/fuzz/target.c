/* target.c - the body for libFuzzer. */
#include "body.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct story story;

	fuzz_body(bytes, count, &story);
	return 0;
}
