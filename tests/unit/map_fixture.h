/* map_fixture.h - a segment with a map of texts in it, and shorthand. */
#ifndef ILK_TESTS_MAP_FIXTURE_H
#define ILK_TESTS_MAP_FIXTURE_H

#include "segment_fixture.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { KEY = 20, VALUE = 40 };

static struct ilk_map_handle map;

static int map_setup(void **state)
{
	if (segment_setup(state) < 0)
		return -1;
	return ilk_map_open(seg, "map", ILK_MAP_TEXT(KEY), VALUE, NULL, &map);
}

static int map_teardown(void **state)
{
	int rc = damaged_on_purpose ? 0 : ilk_map_check(&map);

	if (rc < 0 && rc != -EIDRM)
		print_error("the map is not whole: %d, %s\n", rc, ilk_last_error());
	if (rc == -EIDRM)
		rc = 0;
	return segment_teardown(state) < 0 ? -1 : rc;
}

#define MAP_TEST(f) cmocka_unit_test_setup_teardown(f, map_setup, map_teardown)

static inline void put(const char *key, const char *value)
{
	CHECK_RC(ilk_map_put(&map, key, value, strlen(value)), 0);
}

/* KEY leads to just VALUE; NULL: to nothing. */
static inline void check_value(const char *key, const char *value)
{
	char got[VALUE];
	size_t bytes = 77;

	CHECK_RC(ilk_map_get(&map, key, got, sizeof got, &bytes), value ? 0 : -ENOENT);
	if (!value)
		return;
	assert_int_equal(bytes, strlen(value));
	assert_memory_equal(got, value, bytes);
}

static inline const char *numbered(unsigned i)
{
	static char key[KEY + 1];

	snprintf(key, sizeof key, "key %u", i);
	return key;
}

static inline void put_numbers(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		CHECK_RC(ilk_map_put(&map, numbered(i), &i, sizeof i), 0);
}

static inline void check_numbers(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		unsigned got = ~i;

		CHECK_RC(ilk_map_get(&map, numbered(i), &got, sizeof got, NULL), 0);
		CHECK(got == i);
	}
}

static inline int add_one(void *value, size_t *bytes, void *arg)
{
	(void)arg;
	++*(uint64_t *)value;
	*bytes = sizeof(uint64_t);
	return 0;
}

static inline uint64_t number_at(const char *key)
{
	uint64_t number = 0;

	CHECK_RC(ilk_map_get(&map, key, &number, sizeof number, NULL), 0);
	return number;
}

#endif
