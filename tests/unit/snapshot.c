/* snapshot.c - publishing, reading, changing in place, waiting for a later version. */
#include "support.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { BYTES = 200 };

static struct ilk_segment *seg;
static struct ilk_snapshot_handle h;

static int snapshot_setup(void **state)
{
	if (ilk_test_setup(state) < 0 || ilk_segment_create(ilk_test_name(""), NULL, &seg) < 0)
		return -1;
	return ilk_snapshot_open(seg, "s", BYTES, NULL, &h);
}

static int snapshot_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

#define SNAPSHOT_TEST(f) cmocka_unit_test_setup_teardown(f, snapshot_setup, snapshot_teardown)

static void publish(int byte, uint64_t version)
{
	char value[BYTES];
	uint64_t got;

	memset(value, byte, sizeof value);
	CHECK_RC(ilk_snapshot_publish(&h, value, &got), 0);
	CHECK(got == version);
}

static void check_latest(int byte, uint64_t version)
{
	char value[BYTES + 1];
	uint64_t got;

	value[BYTES] = 'x';
	CHECK_RC(ilk_snapshot_read(&h, value, &got), 0);
	CHECK(got == version && ilk_snapshot_version(&h) == version);
	for (int i = 0; i < BYTES; i++)
		CHECK(value[i] == (char)byte);
	CHECK(value[BYTES] == 'x');
}

/* --- reading and publishing --- */

static void test_read_before_any_publish_is_zero_and_version_0(void **state)
{
	(void)state;
	check_latest(0, 0);
}

static void test_read_gives_what_was_published_last(void **state)
{
	(void)state;
	for (int i = 1; i < 20; i++) {
		publish(i, (uint64_t)i);
		check_latest(i, (uint64_t)i);
	}
	CHECK_RC(ilk_snapshot_read(&h, (char[BYTES]){0}, NULL), 0);
	CHECK_RC(ilk_snapshot_publish(&h, (char[BYTES]){0}, NULL), 0);
	check_latest(0, 20);
}

static void test_values_of_every_size_are_whole(void **state)
{
	char wrote[5000], read[5000];

	(void)state;
	for (size_t bytes = 1; bytes + 1 < sizeof wrote; bytes += bytes < 20    ? 1
								  : bytes < 300 ? 13
										: 723) {
		struct ilk_snapshot_handle sized;
		char name[16];

		snprintf(name, sizeof name, "%zu", bytes);
		CHECK_RC(ilk_snapshot_open(seg, name, bytes, NULL, &sized), 0);
		memset(read, 'x', sizeof read);
		for (size_t i = 0; i < sizeof wrote; i++)
			wrote[i] = (char)(i * 7 + bytes);
		CHECK_RC(ilk_snapshot_publish(&sized, wrote, NULL), 0);
		CHECK_RC(ilk_snapshot_read(&sized, read, NULL), 0);
		CHECK(memcmp(read, wrote, bytes) == 0);
		CHECK(read[bytes] == 'x');
		/* From and to odd addresses, too. */
		CHECK_RC(ilk_snapshot_publish(&sized, wrote + 1, NULL), 0);
		CHECK_RC(ilk_snapshot_read(&sized, read + 1, NULL), 0);
		CHECK(memcmp(read + 1, wrote + 1, bytes) == 0);
	}
	CHECK_RC(ilk_segment_valid(seg), 0);
}

/* --- in place --- */

static void test_begin_gives_the_latest_and_commit_publishes_it(void **state)
{
	uint64_t version;
	void *value;

	(void)state;
	publish('a', 1);
	CHECK_RC(ilk_snapshot_begin(&h, &value), 0);
	for (int i = 0; i < BYTES; i++)
		CHECK(((char *)value)[i] == 'a');
	memset(value, 'b', BYTES);
	check_latest('a', 1);
	CHECK_RC(ilk_snapshot_commit(&h, &version), 0);
	assert_int_equal(version, 2);
	check_latest('b', 2);
	CHECK_RC(ilk_snapshot_begin(&h, &value), 0);
	assert_memory_equal(value, "bbbb", 4);
	CHECK_RC(ilk_snapshot_abort(&h), 0);
	check_latest('b', 2);
}

static void test_abort_leaves_no_trace(void **state)
{
	void *value;

	(void)state;
	publish('a', 1);
	CHECK_RC(ilk_snapshot_begin(&h, &value), 0);
	memset(value, 'b', BYTES);
	CHECK_RC(ilk_snapshot_abort(&h), 0);
	check_latest('a', 1);
	CHECK_RC(ilk_snapshot_begin(&h, &value), 0);
	assert_memory_equal(value, "aaaa", 4);
	CHECK_RC(ilk_snapshot_commit(&h, NULL), 0);
	check_latest('a', 2);
}

static int commit_from_a_thread(void *arg)
{
	CHECK_RC(ilk_snapshot_abort(arg), -EPERM);
	return ilk_snapshot_commit(arg, NULL);
}

static int publish_late(void *arg)
{
	return ilk_snapshot_publish_until(arg, (char[BYTES]){0}, ilk_after_ms(5), NULL);
}

static int begin_now(void *arg)
{
	void *value;

	return ilk_snapshot_begin_until(arg, ILK_NOW, &value);
}

static void test_writers_wait_for_each_other(void **state)
{
	void *value;

	(void)state;
	CHECK_RC(ilk_snapshot_commit(&h, NULL), -EPERM);
	CHECK_RC(ilk_snapshot_abort(&h), -EPERM);
	CHECK_RC(ilk_snapshot_begin(&h, &value), 0);
	CHECK_RC(ilk_snapshot_publish(&h, (char[BYTES]){0}, NULL), -EDEADLK);
	CHECK_RC(ilk_snapshot_begin(&h, &value), -EDEADLK);
	assert_int_equal(support_in_thread(commit_from_a_thread, &h), -EPERM);
	assert_int_equal(support_in_thread(publish_late, &h), -ETIMEDOUT);
	assert_int_equal(support_in_thread(begin_now, &h), -ETIMEDOUT);
	check_latest(0, 0);
	CHECK_RC(ilk_snapshot_commit(&h, NULL), 0);
	assert_int_equal(support_in_thread(publish_late, &h), 0);
}

/* --- waiting --- */

static void test_wait_for_what_is_there_does_not_wait(void **state)
{
	uint64_t version = 0;

	(void)state;
	publish('a', 1);
	publish('b', 2);
	CHECK_RC(ilk_snapshot_wait_until(&h, 0, ILK_NOW, &version), 0);
	assert_int_equal(version, 2);
	CHECK_RC(ilk_snapshot_wait_until(&h, 2, ILK_NOW, &version), -ETIMEDOUT);
	CHECK_RC(ilk_snapshot_wait_until(&h, 2, ilk_after_ms(5), NULL), -ETIMEDOUT);
}

static void *wait_for_5(void *got)
{
	CHECK_RC(ilk_snapshot_wait_until(&h, 4, ILK_FOREVER, got), 0);
	return NULL;
}

static void test_sleepers_wake_when_their_version_comes(void **state)
{
	pthread_t threads[3];
	uint64_t got[3] = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, wait_for_5, &got[i]) == 0);
	ilk_test_await_sleepers(ilk_test_name(""), 3);
	for (int i = 1; i <= 5; i++)
		publish(i, (uint64_t)i);
	for (int i = 0; i < 3; i++) {
		CHECK(pthread_join(threads[i], NULL) == 0);
		assert_int_equal(got[i], 5);
	}
}

static void *wait_in_vain(void *other)
{
	CHECK_RC(ilk_snapshot_wait_until(other, 0, ILK_FOREVER, NULL), -ECANCELED);
	return NULL;
}

static void test_close_cancels_who_waits(void **state)
{
	struct ilk_segment *again = support_open(ilk_test_name(""));
	struct ilk_snapshot_handle other;
	pthread_t thread;

	(void)state;
	CHECK_RC(ilk_snapshot_open(again, "s", BYTES, NULL, &other), 0);
	CHECK(pthread_create(&thread, NULL, wait_in_vain, &other) == 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	ilk_segment_close(again);
	CHECK(pthread_join(thread, NULL) == 0);
}

/* --- deaths --- */

static void write_half(void *arg)
{
	void *value;

	(void)arg;
	CHECK_RC(ilk_snapshot_begin(&h, &value), 0);
	memset(value, 'z', BYTES / 2);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_a_writer_killed_half_way_leaves_the_value_before(void **state)
{
	struct ilk_test_child *child;
	struct ilk_inspection *in;
	void *value;

	(void)state;
	publish('a', 1);
	child = ilk_test_start(write_half, NULL);
	ilk_test_await(0);
	check_latest('a', 1);
	ilk_test_kill(child);
	check_latest('a', 1);
	CHECK_RC(ilk_snapshot_begin(&h, &value), 0);
	assert_memory_equal((char *)value, "aaaa", 4);
	CHECK_RC(ilk_snapshot_commit(&h, NULL), 0);
	check_latest('a', 2);
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	assert_string_equal(in->objects[0].type, "snapshot");
	assert_string_equal(in->objects[0].state, "version 2, 1 writers died in it");
	assert_string_equal(in->objects[0].damage, "");
	ilk_inspection_free(in);
}

static void test_a_stopped_writer_stops_no_reader(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	publish('a', 1);
	child = ilk_test_start(write_half, NULL);
	ilk_test_await(0);
	ilk_test_stop(child);
	check_latest('a', 1);
	assert_int_equal(support_in_thread(publish_late, &h), -ETIMEDOUT);
	check_latest('a', 1);
	ilk_test_continue(child);
	ilk_test_kill(child);
}

static void use_inherited(void *arg)
{
	(void)arg;
	check_latest('a', 1);
	publish('b', 2);
}

static void test_a_forked_child_uses_the_handle_it_inherited(void **state)
{
	(void)state;
	publish('a', 1);
	ilk_test_in_child(use_inherited, NULL);
	check_latest('b', 2);
}

/* --- opening --- */

static void test_open_with_other_parameters_is_EEXIST(void **state)
{
	const struct ilk_snapshot_options two = {.size = sizeof two, .copies = 2};
	struct ilk_snapshot_handle other = {0};
	struct ilk_counter *counter;

	(void)state;
	CHECK_RC(ilk_snapshot_open(seg, "s", BYTES, NULL, &other), 0);
	assert_ptr_equal(other.snapshot, h.snapshot);
	CHECK_RC(ilk_snapshot_open(seg, "s", BYTES + 1, NULL, &other), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "bytes differ"));
	CHECK_RC(ilk_snapshot_open(seg, "s", 10 * BYTES, NULL, &other), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "differ"));
	CHECK_RC(ilk_snapshot_open(seg, "s", BYTES, &two, &other), -EEXIST);
	CHECK_RC(ilk_counter_open(seg, "s", &counter), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "snapshot"));
}

static void test_open_with_bad_arguments_fails(void **state)
{
	const struct ilk_snapshot_options three = {.size = sizeof three, .copies = 3};
	const struct ilk_snapshot_options one = {.size = sizeof one, .copies = 1};
	const struct ilk_snapshot_options many = {.size = sizeof many, .copies = 128};
	const struct ilk_snapshot_options no_size = {.copies = 2};
	const struct ilk_snapshot_options most = {
		.size = sizeof most, .copies = ILK_SNAPSHOT_MOST_COPIES};
	struct ilk_snapshot_handle other;

	(void)state;
	CHECK_RC(ilk_snapshot_open(seg, "t", 8, &three, &other), -EINVAL);
	CHECK_RC(ilk_snapshot_open(seg, "t", 8, &one, &other), -EINVAL);
	CHECK_RC(ilk_snapshot_open(seg, "t", 8, &many, &other), -EINVAL);
	CHECK_RC(ilk_snapshot_open(seg, "t", 8, &no_size, &other), -EINVAL);
	CHECK_RC(ilk_snapshot_open(seg, "t", 0, NULL, &other), -EINVAL);
	CHECK_RC(ilk_snapshot_open(seg, "t", SIZE_MAX, NULL, &other), -ENOSPC);
	CHECK_RC(ilk_snapshot_open(seg, "t", ilk_segment_bytes(seg) / 2, NULL, &other), -ENOSPC);
	CHECK_RC(ilk_snapshot_open(seg, "t", 8, &most, &other), 0);
}

static void test_read_only_reads_and_nothing_else(void **state)
{
	const struct ilk_segment_options reading = {
		.size = sizeof reading, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *ro;
	void *value;

	(void)state;
	publish('a', 1);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &reading, &ro), 0);
	CHECK_RC(ilk_snapshot_open(ro, "s", BYTES, NULL, &h), 0);
	check_latest('a', 1);
	CHECK_RC(ilk_snapshot_publish(&h, (char[BYTES]){0}, NULL), -EROFS);
	CHECK_RC(ilk_snapshot_begin(&h, &value), -EROFS);
	CHECK_RC(ilk_snapshot_commit(&h, NULL), -EROFS);
	CHECK_RC(ilk_snapshot_abort(&h), -EROFS);
	CHECK_RC(ilk_snapshot_wait_until(&h, 0, ILK_NOW, NULL), -EROFS);
	ilk_segment_close(ro);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SNAPSHOT_TEST(test_read_before_any_publish_is_zero_and_version_0),
		SNAPSHOT_TEST(test_read_gives_what_was_published_last),
		SNAPSHOT_TEST(test_values_of_every_size_are_whole),
		SNAPSHOT_TEST(test_begin_gives_the_latest_and_commit_publishes_it),
		SNAPSHOT_TEST(test_abort_leaves_no_trace),
		SNAPSHOT_TEST(test_writers_wait_for_each_other),
		SNAPSHOT_TEST(test_wait_for_what_is_there_does_not_wait),
		SNAPSHOT_TEST(test_sleepers_wake_when_their_version_comes),
		SNAPSHOT_TEST(test_close_cancels_who_waits),
		SNAPSHOT_TEST(test_a_writer_killed_half_way_leaves_the_value_before),
		SNAPSHOT_TEST(test_a_stopped_writer_stops_no_reader),
		SNAPSHOT_TEST(test_a_forked_child_uses_the_handle_it_inherited),
		SNAPSHOT_TEST(test_open_with_other_parameters_is_EEXIST),
		SNAPSHOT_TEST(test_open_with_bad_arguments_fails),
		SNAPSHOT_TEST(test_read_only_reads_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
