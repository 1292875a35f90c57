/* pool_program.h - what pool_programs.c and pool_program.c, which it executes, agree about. */
#ifndef ILK_TESTS_POOL_PROGRAM_H
#define ILK_TESTS_POOL_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { PROGRAM_BYTES = 1000 }; /* of what is weighed, in place */

/* Where a task ran, as its program sees that. */
struct program_place {
	uint64_t pool, code;
};

static inline int64_t cube_of(int64_t n)
{
	return n * n * n;
}

static inline int64_t weight_of(const unsigned char *bytes, size_t count)
{
	int64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += bytes[i];
	return sum;
}

#endif
