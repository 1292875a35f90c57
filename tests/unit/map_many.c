/* map_many.c - maps of many entries: growth, lack of room, walks. */
#include "map_fixture.h"

/* --- many --- */

enum { MANY = 3000 };

static void test_it_grows(void **state)
{
	(void)state;
	put_numbers(0, MANY);
	assert_int_equal(ilk_map_count(&map), MANY);
	check_numbers(0, MANY);
	CHECK_RC(ilk_map_check(&map), 0);
	for (unsigned i = 0; i < MANY; i += 2)
		CHECK_RC(ilk_map_remove(&map, numbered(i)), 0);
	assert_int_equal(ilk_map_count(&map), MANY / 2);
	for (unsigned i = 0; i < MANY; i++)
		CHECK_RC(ilk_map_get(&map, numbered(i), NULL, 0, NULL), i % 2 ? 0 : -ENOENT);
	CHECK_RC(ilk_map_check(&map), 0);
	put_numbers(0, MANY);
	check_numbers(0, MANY);
}

static uint64_t used(void)
{
	struct ilk_usage usage;

	CHECK_RC(ilk_usage(seg, &usage), 0);
	return usage.used;
}

static void test_what_was_removed_is_used_again(void **state)
{
	uint64_t before;

	(void)state;
	put_numbers(0, 100);
	before = used();
	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < 100; i++)
			CHECK_RC(ilk_map_remove(&map, numbered(i)), 0);
		put_numbers(0, 100);
	}
	assert_int_equal(used(), before);
	CHECK_RC(ilk_map_clear(&map), 0);
	assert_int_equal(ilk_map_count(&map), 0);
	CHECK_RC(ilk_map_get(&map, numbered(7), NULL, 0, NULL), -ENOENT);
	CHECK_RC(ilk_map_check(&map), 0);
	put_numbers(0, 100);
	assert_int_equal(used(), before);
	check_numbers(0, 100);
}

static void test_no_room_changes_nothing(void **state)
{
	unsigned i = 0;
	int rc;

	(void)state;
	while ((rc = ilk_map_put(&map, numbered(i), &i, sizeof i)) == 0)
		i++;
	CHECK_RC(rc, -ENOSPC);
	assert_in_range(i, 500, 10000000);
	CHECK_RC(ilk_map_get(&map, numbered(i), NULL, 0, NULL), -ENOENT);
	CHECK_RC(ilk_map_update(&map, numbered(i), add_one, NULL), -ENOSPC);
	assert_int_equal(ilk_map_count(&map), i);
	CHECK_RC(ilk_map_check(&map), 0);
	check_numbers(0, i);
	put_numbers(0, 100); /* what is there can be changed, */
	CHECK_RC(ilk_map_remove(&map, numbered(i - 1)), 0);
	put_numbers(i - 1, i); /* and what is removed makes room */
	CHECK_RC(ilk_segment_valid(seg), 0);
}

static void test_as_many_as_expected_need_no_growth(void **state)
{
	const struct ilk_map_options options = {
		.size = sizeof options, .stripes = 4, .entries = 1000};
	struct ilk_map_handle h;
	uint64_t before, after;

	(void)state;
	CHECK_RC(ilk_map_open(seg, "ready", sizeof(unsigned), sizeof(unsigned), &options, &h), 0);
	for (unsigned i = 0; i < 100; i++)
		CHECK_RC(ilk_map_put(&h, &i, &i, sizeof i), 0);
	before = used();
	for (unsigned i = 100; i < 1000; i++)
		CHECK_RC(ilk_map_put(&h, &i, &i, sizeof i), 0);
	after = used();
	assert_int_equal(after, before);
	CHECK_RC(ilk_map_check(&h), 0);
}

/* --- iterating --- */

/* Marks in SEEN what is given; how many that were. */
static unsigned walk(unsigned char *seen, void (*meanwhile)(unsigned step))
{
	struct ilk_map_cursor cursor = {0, 0};
	unsigned number = 0, count = 0;
	char key[KEY + 1];
	size_t bytes;
	int rc;

	while ((rc = ilk_map_next(&map, &cursor, key, &number, sizeof number, &bytes)) == 0) {
		assert_int_equal(bytes, sizeof number);
		assert_string_equal(key, numbered(number));
		seen[number]++;
		count++;
		if (meanwhile)
			meanwhile(count);
	}
	CHECK_RC(rc, -ENOENT);
	CHECK_RC(ilk_map_next(&map, &cursor, key, &number, sizeof number, &bytes), -ENOENT);
	return count;
}

static void test_next_gives_each_entry_once(void **state)
{
	unsigned char seen[MANY] = {0};

	(void)state;
	assert_int_equal(walk(seen, NULL), 0);
	put_numbers(0, MANY);
	assert_int_equal(walk(seen, NULL), MANY);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(seen[i], 1);
}

/* Changes all values, adds others, removes some that are no longer wanted. */
static void disturb(unsigned step)
{
	unsigned number = 1000 + step;

	CHECK_RC(ilk_map_put(&map, numbered(number), &number, sizeof number), 0);
	number = step % 500;
	CHECK_RC(ilk_map_put(&map, numbered(number), &number, sizeof number), 0);
	if (step < 400)
		CHECK_RC(ilk_map_remove(&map, numbered(500 + step)), 0);
}

static void test_next_misses_nothing_that_stays(void **state)
{
	static unsigned char seen[100000];

	(void)state;
	memset(seen, 0, sizeof seen);
	put_numbers(0, 1000);
	walk(seen, disturb);
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(seen[i], 1);
	for (unsigned i = 900; i < 1000; i++)
		assert_int_equal(seen[i], 1);
	for (unsigned i = 500; i < 900; i++)
		CHECK(seen[i] <= 1);
}

static void test_next_gives_keys_alone_and_waits_for_room(void **state)
{
	struct ilk_map_cursor cursor = {0, 0};
	char key[KEY + 1] = "", value[VALUE];
	size_t bytes = 0;

	(void)state;
	put("only", "value");
	CHECK_RC(ilk_map_next(&map, &cursor, key, value, 4, &bytes), -EMSGSIZE);
	assert_int_equal(bytes, 5);
	CHECK_RC(ilk_map_next(&map, &cursor, key, value, 5, &bytes), 0);
	assert_string_equal(key, "only");
	cursor = (struct ilk_map_cursor){0, 0};
	bytes = 0;
	CHECK_RC(ilk_map_next(&map, &cursor, key, NULL, 0, &bytes), 0);
	assert_int_equal(bytes, 5);
	CHECK_RC(ilk_map_next(&map, &cursor, key, NULL, 0, &bytes), -ENOENT);
	cursor = (struct ilk_map_cursor){UINT32_MAX, UINT32_MAX};
	CHECK_RC(ilk_map_next(&map, &cursor, key, NULL, 0, &bytes), -ENOENT);
	cursor = (struct ilk_map_cursor){0, UINT32_MAX};
	CHECK(ilk_map_next(&map, &cursor, key, NULL, 0, &bytes) <= 0);
}

/* --- the hash --- */

/* The keys of a new segment's map, in its order. */
static void list_keys(const char *suffix, char keys[][KEY + 1], unsigned count)
{
	struct ilk_segment *s = ilk_test_create(suffix);
	struct ilk_map_cursor cursor = {0, 0};
	struct ilk_map_handle h;

	CHECK_RC(ilk_map_open(s, "map", ILK_MAP_TEXT(KEY), VALUE, NULL, &h), 0);
	for (unsigned i = 0; i < count; i++)
		CHECK_RC(ilk_map_put(&h, numbered(i), "", 0), 0);
	for (unsigned i = 0; i < count; i++)
		CHECK_RC(ilk_map_next(&h, &cursor, keys[i], NULL, 0, NULL), 0);
	ilk_segment_close(s);
	support_unlink(ilk_test_name(suffix));
}

static void test_the_hash_is_another_in_each_segment(void **state)
{
	enum { LISTED = 100 };
	static char first[LISTED][KEY + 1], second[LISTED][KEY + 1];

	(void)state;
	list_keys("first", first, LISTED);
	list_keys("second", second, LISTED);
	assert_memory_not_equal(first, second, sizeof first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MAP_TEST(test_it_grows),
		MAP_TEST(test_what_was_removed_is_used_again),
		MAP_TEST(test_no_room_changes_nothing),
		MAP_TEST(test_as_many_as_expected_need_no_growth),
		MAP_TEST(test_next_gives_each_entry_once),
		MAP_TEST(test_next_misses_nothing_that_stays),
		MAP_TEST(test_next_gives_keys_alone_and_waits_for_room),
		MAP_TEST(test_the_hash_is_another_in_each_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
