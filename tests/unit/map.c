/* map.c - maps within one process: each call, each result. */
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
