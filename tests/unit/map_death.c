/* map_death.c - maps of several processes: deaths in the midst, deadlines, removal, adding up. */
#include "map_fixture.h"
#include <pthread.h>
#include <signal.h>

/* --- deaths --- */

static int write_half_and_die(void *value, size_t *bytes, void *arg)
{
	memset(value, '?', VALUE);
	*bytes = VALUE;
	(void)arg;
	raise(SIGKILL);
	return 0;
}

static void die_in_update(void *key)
{
	ilk_map_update(&map, key, write_half_and_die, NULL);
}

static void test_a_death_in_update_leaves_what_was(void **state)
{
	(void)state;
	put("a", "one");
	ilk_test_join_killed(ilk_test_start(die_in_update, "a"));
	check_value("a", "one");
	CHECK_RC(ilk_map_check(&map), 0);
	ilk_test_join_killed(ilk_test_start(die_in_update, "new"));
	check_value("new", NULL);
	put("a", "two");
	check_value("a", "two");
	assert_int_equal(ilk_map_count(&map), 1);
}

static void test_a_death_is_put_right_by_repair_and_the_next_user(void **state)
{
	struct ilk_inspection *in;

	(void)state;
	put_numbers(0, 100);
	ilk_test_join_killed(ilk_test_start(die_in_update, "key 5"));
	CHECK_RC(ilk_object_repair(seg, "map"), ILK_RECOVERED);
	CHECK_RC(ilk_object_repair(seg, "map"), 0);
	check_numbers(0, 100);
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	CHECK(strstr(in->objects[0].state, "1 died in it") != NULL);
	ilk_inspection_free(in);
}

static int end_thread(void *value, size_t *bytes, void *arg)
{
	memset(value, '?', VALUE);
	*bytes = 1;
	(void)arg;
	pthread_exit(NULL);
}

static void *end_in_update(void *key)
{
	ilk_map_update(&map, key, end_thread, NULL);
	return NULL;
}

static void test_a_thread_that_ends_in_update_leaves_what_was(void **state)
{
	pthread_t thread;

	(void)state;
	put("a", "one");
	CHECK(pthread_create(&thread, NULL, end_in_update, "a") == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	check_value("a", "one");
	put("a", "two");
	check_value("a", "two");
}

/* --- waiting --- */

static int stay(void *value, size_t *bytes, void *arg)
{
	memcpy(value, "kept", 4);
	*bytes = 4;
	(void)arg;
	ilk_test_say(1);
	ilk_test_await(2);
	return 0;
}

static void stay_in_update(void *key)
{
	CHECK_RC(ilk_map_update(&map, key, stay, NULL), 0);
}

static void check_all_time_out(void)
{
	struct ilk_map_cursor cursor = {0, 0};
	char key[KEY + 1], value[VALUE];
	int rc;

	CHECK_RC(ilk_map_get_until(&map, "a", NULL, 0, NULL, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_map_put_until(&map, "a", "", 0, ilk_after_ms(2)), -ETIMEDOUT);
	CHECK_RC(ilk_map_add_until(&map, "a", "", 0, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_map_replace_until(&map, "a", "", 0, "", 0, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_map_take_until(&map, "a", value, VALUE, NULL, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_map_remove_until(&map, "a", ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_map_update_until(&map, "a", add_one, NULL, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_map_check_until(&map, ILK_NOW), -ETIMEDOUT);
	while ((rc = ilk_map_next_until(&map, &cursor, key, NULL, 0, NULL, ILK_NOW)) == 0)
		;
	CHECK_RC(rc, -ETIMEDOUT);
}

static void test_calls_with_a_deadline_time_out(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	put("a", "one");
	child = ilk_test_start(stay_in_update, "a");
	ilk_test_await(1);
	check_all_time_out();
	CHECK_RC(ilk_map_clear_until(&map, ilk_after_ms(2)), -ETIMEDOUT);
	ilk_test_say(2);
	ilk_test_join(child);
	check_value("a", "kept");
}

static void get_until_removed(void *key)
{
	CHECK_RC(ilk_map_get(&map, key, NULL, 0, NULL), -EIDRM);
}

static void test_removal_tells_who_waits(void **state)
{
	struct ilk_test_child *holder, *waiter;

	(void)state;
	put("a", "one");
	holder = ilk_test_start(stay_in_update, "a");
	ilk_test_await(1);
	waiter = ilk_test_start(get_until_removed, "a");
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_object_remove(seg, "map"), 0);
	ilk_test_join(waiter);
	ilk_test_say(2);
	ilk_test_join(holder); /* who is in it may finish */
}

/* --- together --- */

enum { WORKERS = 4, ROUNDS = 1500, KEYS = 50 };

static void add_up(struct ilk_segment *s, unsigned index, void *arg)
{
	struct ilk_map_handle h;

	(void)arg;
	CHECK_RC(ilk_map_open(s, "map", ILK_MAP_TEXT(KEY), VALUE, NULL, &h), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		char key[KEY + 1];

		snprintf(key, sizeof key, "sum %u", i % KEYS);
		CHECK_RC(ilk_map_update(&h, key, add_one, NULL), 0);
		snprintf(key, sizeof key, "own %u %u", index, i);
		CHECK_RC(ilk_map_add(&h, key, &i, sizeof i), 0);
		if (i % 3 == 0)
			CHECK_RC(ilk_map_remove(&h, key), 0);
	}
}

static void check_sums(void)
{
	for (unsigned i = 0; i < KEYS; i++) {
		char key[KEY + 1];

		snprintf(key, sizeof key, "sum %u", i);
		CHECK(number_at(key) == WORKERS * ROUNDS / KEYS);
	}
	assert_int_equal(ilk_map_count(&map), KEYS + WORKERS * ROUNDS * 2 / 3);
	CHECK_RC(ilk_map_check(&map), 0);
}

static void test_updates_of_processes_are_not_lost(void **state)
{
	const struct ilk_test_options reopen = {.size = sizeof reopen, .flags = ILK_TEST_REOPEN};

	(void)state;
	ilk_test_run(WORKERS, seg, add_up, NULL, &reopen);
	check_sums();
}

static void test_updates_of_threads_are_not_lost(void **state)
{
	const struct ilk_test_options threads = {.size = sizeof threads, .flags = ILK_TEST_THREADS};

	(void)state;
	ilk_test_run(WORKERS, seg, add_up, NULL, &threads);
	check_sums();
}

/* A handle is good in a forked child, which joins by its own first call. */
static void use_inherited(void *arg)
{
	(void)arg;
	check_value("a", "one");
	put("b", "two");
}

static void test_handles_are_inherited(void **state)
{
	(void)state;
	put("a", "one");
	ilk_test_in_child(use_inherited, NULL);
	check_value("b", "two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MAP_TEST(test_a_death_in_update_leaves_what_was),
		MAP_TEST(test_a_death_is_put_right_by_repair_and_the_next_user),
		MAP_TEST(test_a_thread_that_ends_in_update_leaves_what_was),
		MAP_TEST(test_calls_with_a_deadline_time_out),
		MAP_TEST(test_removal_tells_who_waits),
		MAP_TEST(test_updates_of_processes_are_not_lost),
		MAP_TEST(test_updates_of_threads_are_not_lost),
		MAP_TEST(test_handles_are_inherited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
