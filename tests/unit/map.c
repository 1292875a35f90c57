/* map.c - maps within one process: each call, each result, growth, iteration. */
#include "map_fixture.h"

/* --- one entry --- */

static void test_get_gives_what_was_put_last(void **state)
{
	(void)state;
	check_value("a", NULL);
	put("a", "first");
	check_value("a", "first");
	put("a", "a longer second");
	check_value("a", "a longer second");
	put("a", "");
	check_value("a", "");
	put("", "of no letters");
	check_value("", "of no letters");
	check_value("a", "");
	assert_int_equal(ilk_map_count(&map), 2);
}

static void test_keys_and_values_may_be_as_long_as_agreed_on(void **state)
{
	char longest[KEY + 2], value[VALUE + 1], got[VALUE];
	size_t bytes = 0;

	(void)state;
	memset(longest, 'k', sizeof longest);
	memset(value, 'v', sizeof value);
	longest[KEY + 1] = 0;
	CHECK_RC(ilk_map_put(&map, longest, value, 1), -ENAMETOOLONG);
	CHECK_RC(ilk_map_get(&map, longest, got, sizeof got, NULL), -ENAMETOOLONG);
	CHECK_RC(ilk_map_remove(&map, longest), -ENAMETOOLONG);
	CHECK_RC(ilk_map_update(&map, longest, add_one, NULL), -ENAMETOOLONG);
	longest[KEY] = 0;
	CHECK_RC(ilk_map_put(&map, longest, value, VALUE + 1), -EMSGSIZE);
	CHECK_RC(ilk_map_add(&map, longest, value, VALUE + 1), -EMSGSIZE);
	check_value(longest, NULL);
	CHECK_RC(ilk_map_put(&map, longest, value, VALUE), 0);
	CHECK_RC(ilk_map_get(&map, longest, got, VALUE - 1, &bytes), -EMSGSIZE);
	assert_int_equal(bytes, VALUE);
	CHECK_RC(ilk_map_take(&map, longest, got, VALUE - 1, &bytes), -EMSGSIZE);
	bytes = 0;
	CHECK_RC(ilk_map_get(&map, longest, NULL, 0, &bytes), 0);
	assert_int_equal(bytes, VALUE);
	CHECK_RC(ilk_map_take(&map, longest, got, VALUE, &bytes), 0);
	assert_memory_equal(got, value, VALUE);
	check_value(longest, NULL);
}

static void test_remove_and_take_end_an_entry(void **state)
{
	char got[VALUE];
	size_t bytes;

	(void)state;
	CHECK_RC(ilk_map_remove(&map, "a"), -ENOENT);
	CHECK_RC(ilk_map_take(&map, "a", got, sizeof got, &bytes), -ENOENT);
	put("a", "one");
	put("b", "two");
	CHECK_RC(ilk_map_remove(&map, "a"), 0);
	CHECK_RC(ilk_map_remove(&map, "a"), -ENOENT);
	check_value("a", NULL);
	CHECK_RC(ilk_map_take(&map, "b", got, sizeof got, &bytes), 0);
	assert_int_equal(bytes, 3);
	assert_memory_equal(got, "two", 3);
	assert_int_equal(ilk_map_count(&map), 0);
}

static void test_add_adds_once(void **state)
{
	(void)state;
	CHECK_RC(ilk_map_add(&map, "a", "one", 3), 0);
	CHECK_RC(ilk_map_add(&map, "a", "two", 3), -EEXIST);
	check_value("a", "one");
	CHECK_RC(ilk_map_remove(&map, "a"), 0);
	CHECK_RC(ilk_map_add(&map, "a", "two", 3), 0);
	check_value("a", "two");
}

static void test_replace_compares(void **state)
{
	(void)state;
	CHECK_RC(ilk_map_replace(&map, "a", "", 0, "x", 1), -ENOENT);
	put("a", "one");
	CHECK_RC(ilk_map_replace(&map, "a", "onE", 3, "x", 1), -EAGAIN);
	CHECK_RC(ilk_map_replace(&map, "a", "on", 2, "x", 1), -EAGAIN);
	CHECK_RC(ilk_map_replace(&map, "a", "one", 3, "x", VALUE + 1), -EMSGSIZE);
	check_value("a", "one");
	CHECK_RC(ilk_map_replace(&map, "a", "one", 3, "", 0), 0);
	check_value("a", "");
	CHECK_RC(ilk_map_replace(&map, "a", "", 0, "two", 3), 0);
	check_value("a", "two");
}

/* --- update --- */

static void test_update_reads_changes_and_writes(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		CHECK_RC(ilk_map_update(&map, "n", add_one, NULL), 0);
	CHECK(number_at("n") == 5);
	assert_int_equal(ilk_map_count(&map), 1);
}

static int remove_it(void *value, size_t *bytes, void *arg)
{
	(void)value;
	*(size_t *)arg = *bytes;
	*bytes = ILK_MAP_ABSENT;
	return 4;
}

static int refuse(void *value, size_t *bytes, void *arg)
{
	memset(value, '?', VALUE);
	*bytes = VALUE;
	return *(int *)arg;
}

static int make_too_long(void *value, size_t *bytes, void *arg)
{
	(void)value, (void)arg;
	*bytes = VALUE + 1;
	return 0;
}

static void test_update_may_remove_refuse_or_fail(void **state)
{
	int result = -ENOTTY;
	size_t bytes = 0;

	(void)state;
	CHECK_RC(ilk_map_update(&map, "a", remove_it, &bytes), 4);
	CHECK(bytes == ILK_MAP_ABSENT);
	CHECK_RC(ilk_map_update(&map, "a", refuse, &result), -ENOTTY);
	CHECK_RC(ilk_map_update(&map, "a", make_too_long, NULL), -EMSGSIZE);
	check_value("a", NULL);
	put("a", "one");
	CHECK_RC(ilk_map_update(&map, "a", refuse, &result), -ENOTTY);
	CHECK_RC(ilk_map_update(&map, "a", make_too_long, NULL), -EMSGSIZE);
	check_value("a", "one");
	CHECK_RC(ilk_map_update(&map, "a", remove_it, &bytes), 4);
	assert_int_equal(bytes, 3);
	check_value("a", NULL);
	assert_int_equal(ilk_map_count(&map), 0);
}

static int see_zeroes(void *value, size_t *bytes, void *arg)
{
	CHECK(*bytes == ILK_MAP_ABSENT || *bytes == 3);
	for (size_t i = *bytes == 3 ? 3 : 0; i < VALUE; i++)
		CHECK(((char *)value)[i] == 0);
	CHECK((uintptr_t)value % 8 == 0);
	(void)arg;
	return -1;
}

static void test_update_shows_zeroes_where_nothing_was(void **state)
{
	char full[VALUE];

	(void)state;
	memset(full, 'f', sizeof full);
	CHECK_RC(ilk_map_put(&map, "a", full, VALUE), 0);
	CHECK_RC(ilk_map_put(&map, "a", full, VALUE), 0);
	CHECK_RC(ilk_map_update(&map, "b", see_zeroes, NULL), -1);
	put("a", "abc");
	CHECK_RC(ilk_map_update(&map, "a", see_zeroes, NULL), -1);
}

static int use_the_map(void *value, size_t *bytes, void *arg)
{
	(void)value, (void)bytes, (void)arg;
	CHECK_RC(ilk_map_get(&map, "a", NULL, 0, NULL), -EDEADLK);
	CHECK_RC(ilk_map_put(&map, "a", "", 0), -EDEADLK);
	return -EBUSY;
}

static void test_the_same_stripe_from_within_update_is_EDEADLK(void **state)
{
	(void)state;
	put("a", "one");
	CHECK_RC(ilk_map_update(&map, "a", use_the_map, NULL), -EBUSY);
	check_value("a", "one");
}

/* --- fixed keys --- */

static void test_fixed_keys_may_have_any_bytes(void **state)
{
	struct ilk_map_handle fixed;
	uint64_t got;

	(void)state;
	CHECK_RC(ilk_map_open(seg, "fixed", sizeof(uint64_t), sizeof(uint64_t), NULL, &fixed), 0);
	for (uint64_t key = 0; key < 300; key++) {
		uint64_t mixed = key << 56 | key;

		CHECK_RC(ilk_map_add(&fixed, &mixed, &key, sizeof key), 0);
	}
	for (uint64_t key = 0; key < 300; key++) {
		uint64_t mixed = key << 56 | key;

		CHECK_RC(ilk_map_get(&fixed, &mixed, &got, sizeof got, NULL), 0);
		CHECK(got == key);
	}
	got = 300;
	CHECK_RC(ilk_map_get(&fixed, &got, NULL, 0, NULL), -ENOENT);
	CHECK_RC(ilk_map_check(&fixed), 0);
}

static void test_odd_sizes_do_not_overlap(void **state)
{
	(void)state;
	for (uint32_t key_bytes = 1; key_bytes < 20; key_bytes += 3)
		for (uint32_t value_bytes = 0; value_bytes < 20; value_bytes += 3) {
			struct ilk_map_handle odd;
			char name[32], value[20], got[20];

			snprintf(name, sizeof name, "%u %u", key_bytes, value_bytes);
			CHECK_RC(ilk_map_open(seg, name, key_bytes, value_bytes, NULL, &odd), 0);
			for (int i = 0; i < 100; i++) {
				char key[20];

				memset(key, i, sizeof key);
				memset(value, ~i, sizeof value);
				CHECK_RC(ilk_map_put(&odd, key, value, value_bytes), 0);
				CHECK_RC(ilk_map_put(&odd, key, value, value_bytes), 0);
			}
			for (int i = 0; i < 100; i++) {
				char key[20];
				size_t bytes;

				memset(key, i, sizeof key);
				memset(value, ~i, sizeof value);
				CHECK_RC(ilk_map_get(&odd, key, got, sizeof got, &bytes), 0);
				CHECK(bytes == value_bytes && memcmp(got, value, bytes) == 0);
			}
			CHECK_RC(ilk_map_check(&odd), 0);
			CHECK_RC(ilk_object_remove(seg, name), 0);
			CHECK_RC(ilk_object_close(odd.map), 0);
		}
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		MAP_TEST(test_get_gives_what_was_put_last),
		MAP_TEST(test_keys_and_values_may_be_as_long_as_agreed_on),
		MAP_TEST(test_remove_and_take_end_an_entry),
		MAP_TEST(test_add_adds_once),
		MAP_TEST(test_replace_compares),
		MAP_TEST(test_update_reads_changes_and_writes),
		MAP_TEST(test_update_may_remove_refuse_or_fail),
		MAP_TEST(test_update_shows_zeroes_where_nothing_was),
		MAP_TEST(test_the_same_stripe_from_within_update_is_EDEADLK),
		MAP_TEST(test_fixed_keys_may_have_any_bytes),
		MAP_TEST(test_odd_sizes_do_not_overlap),
		MAP_TEST(test_it_grows),
		MAP_TEST(test_what_was_removed_is_used_again),
		MAP_TEST(test_no_room_changes_nothing),
		MAP_TEST(test_as_many_as_expected_need_no_growth),
		MAP_TEST(test_next_gives_each_entry_once),
		MAP_TEST(test_next_misses_nothing_that_stays),
		MAP_TEST(test_next_gives_keys_alone_and_waits_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
