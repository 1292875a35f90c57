/* memory_fixture.h - a test with one segment, `seg`, and shorthand for its memory. */
#ifndef ILK_TESTS_MEMORY_FIXTURE_H
#define ILK_TESTS_MEMORY_FIXTURE_H

#include "segment_fixture.h"
#include <errno.h>
#include <string.h>

static inline char *take(size_t bytes)
{
	void *memory = NULL;

	CHECK_RC(ilk_alloc(seg, bytes, &memory), 0);
	CHECK(memory != NULL);
	return memory;
}

static inline struct ilk_usage usage(void)
{
	struct ilk_usage u;

	CHECK_RC(ilk_usage(seg, &u), 0);
	return u;
}

/* Where the segment begins, in this process. */
static inline char *base_of_segment(void)
{
	char *block = take(1);
	char *base = block - ilk_ref_to(seg, block).offset;

	CHECK_RC(ilk_free_alone(seg, block), 0);
	return base;
}

/* All is as it should be, and of memory as much is given out as at BEFORE. */
static inline void check_given_back(const struct ilk_usage *before)
{
	struct ilk_usage now = usage();

	if (ilk_segment_valid(seg) != 0)
		ilk_test_fail("%s", ilk_last_error());
	CHECK(now.used == before->used && now.blocks == before->blocks);
	CHECK(now.holes == before->holes && now.largest == before->largest);
}

/* More than half of the memory: it is there once. */
static inline size_t most(void)
{
	return (size_t)(usage().bytes / 5 * 3);
}

static inline int is_filled(const char *bytes, size_t count, char with)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != with)
			return 0;
	return 1;
}

/* Numbers that look random and are the same each time. */
static inline uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

#endif
