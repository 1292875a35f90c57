/* object_fixture.h - a segment, shorthand for its objects, and children that have some open. */
#ifndef ILK_TESTS_OBJECT_FIXTURE_H
#define ILK_TESTS_OBJECT_FIXTURE_H

#include "memory_fixture.h"
#include <stdio.h>

enum { SIZE = 1000 };

static inline int object_teardown(void **state)
{
	int rc = ilk_segment_valid(seg);

	if (rc < 0)
		print_error("%s\n", ilk_last_error());
	return segment_teardown(state) < 0 || rc < 0 ? -1 : 0;
}

#define OBJECT_TEST(f) cmocka_unit_test_setup_teardown(f, segment_setup, object_teardown)

static inline char *open_sized(const char *name, size_t size)
{
	void *memory = NULL;

	CHECK_RC(ilk_block_open(seg, name, size, &memory), 0);
	return memory;
}

static inline char *open_block(const char *name)
{
	return open_sized(name, SIZE);
}

static inline void remove_object(const char *name)
{
	CHECK_RC(ilk_object_remove(seg, name), 0);
}

static inline void close_object(void *object)
{
	CHECK_RC(ilk_object_close(object), 0);
}

static inline uint64_t blocks(void)
{
	return usage().blocks;
}

/* Makes objects until there is no room, and removes them: whatever is free is written over. */
static inline void overwrite_free_memory(void)
{
	char name[32];
	int made = 0;

	for (void *memory; made < 100000; made++) {
		snprintf(name, sizeof name, "filler %d", made);
		if (ilk_block_open(seg, name, SIZE, &memory) < 0)
			break;
		memset(memory, 0x55, SIZE);
		close_object(memory);
	}
	while (made--) {
		snprintf(name, sizeof name, "filler %d", made);
		remove_object(name);
	}
}

#endif
