/* latch.c - counting down, waiting, and what misuse returns. */
#include "segment_fixture.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

enum { THREADS = 8 };
enum value { PASSED };

static struct ilk_latch *l;

static void open_latch(unsigned count)
{
	const struct ilk_latch_options options = {.size = sizeof options, .count = count};

	CHECK_RC(ilk_latch_open(seg, "l", &options, &l), 0);
}

static unsigned left(void)
{
	unsigned n = 77;

	CHECK_RC(ilk_latch_left(l, &n), 0);
	return n;
}

static int wait_patiently(void *latch)
{
	return ilk_latch_wait_until(latch, ilk_after_ms(ilk_test_limit_ms()));
}

static void *pass(void *latch)
{
	CHECK_RC(wait_patiently(latch), 0);
	CHECK(left() == 0);
	ilk_add_full_(&ilk_test_board()->value[PASSED], 1);
	return NULL;
}

static int64_t passed(void)
{
	return ilk_load_acquire_(&ilk_test_board()->value[PASSED]);
}

/* --- counting --- */

static void test_count_down_to_zero_opens_it_for_good(void **state)
{
	(void)state;
	open_latch(3);
	CHECK_RC(ilk_latch_wait_until(l, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_latch_count_down(l, 1), 0);
	assert_int_equal(left(), 2);
	CHECK_RC(ilk_latch_wait_until(l, ilk_after_ms(1)), -ETIMEDOUT);
	CHECK_RC(ilk_latch_count_down(l, 0), 0);
	CHECK_RC(ilk_latch_count_down(l, 2), 0);
	assert_int_equal(left(), 0);
	for (int i = 0; i < 3; i++)
		CHECK_RC(ilk_latch_wait(l), 0);
	CHECK_RC(support_in_thread(wait_patiently, l), 0);
}

static void test_count_down_by_too_much_counts_nothing(void **state)
{
	(void)state;
	open_latch(3);
	CHECK_RC(ilk_latch_count_down(l, 4), -ERANGE);
	CHECK_RC(ilk_latch_count_down(l, UINT32_MAX), -ERANGE);
	CHECK_RC(ilk_latch_count_down(l, 0x80000001), -ERANGE);
	assert_int_equal(left(), 3);
	CHECK_RC(ilk_latch_count_down(l, 3), 0);
	CHECK_RC(ilk_latch_count_down(l, 1), -ERANGE);
	CHECK_RC(ilk_latch_count_down(l, 0), 0);
	CHECK_RC(ilk_latch_wait(l), 0);
}

static void test_count_can_be_as_large_as_it_says(void **state)
{
	(void)state;
	open_latch(ILK_LATCH_MOST);
	assert_int_equal(left(), ILK_LATCH_MOST);
	CHECK_RC(ilk_latch_wait_until(l, ilk_after_ms(1)), -ETIMEDOUT);
	CHECK_RC(ilk_latch_count_down(l, ILK_LATCH_MOST - 1), 0);
	assert_int_equal(left(), 1);
	CHECK_RC(ilk_latch_count_down(l, 1), 0);
	CHECK_RC(ilk_latch_wait(l), 0);
}

/* --- waiting --- */

static void test_last_count_lets_all_through_and_no_earlier_one(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	open_latch(3);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, pass, l), 0);
	ilk_test_await_sleepers(ilk_test_name(""), THREADS);
	CHECK_RC(ilk_latch_count_down(l, 1), 0);
	CHECK_RC(ilk_latch_count_down(l, 1), 0);
	ilk_test_sleep_ms(2);
	assert_int_equal(passed(), 0);
	CHECK_RC(ilk_latch_count_down(l, 1), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(passed(), THREADS);
}

static void count_in_child(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++)
		CHECK_RC(ilk_latch_count_down(l, 1), 0);
}

static void test_counts_of_processes_add_up(void **state)
{
	struct ilk_test_child *children[4];

	(void)state;
	open_latch(400);
	for (int i = 0; i < 4; i++)
		children[i] = ilk_test_start(count_in_child, NULL);
	CHECK_RC(wait_patiently(l), 0);
	for (int i = 0; i < 4; i++)
		ilk_test_join(children[i]);
	CHECK_RC(ilk_latch_count_down(l, 1), -ERANGE);
}

static void test_until_a_deadline_that_passes_is_ETIMEDOUT(void **state)
{
	ilk_time began = ilk_now();

	(void)state;
	open_latch(1);
	CHECK_RC(ilk_latch_wait_until(l, began + 120 * 1000000), -ETIMEDOUT);
	assert_true(ilk_now() - began >= 120 * 1000000);
	CHECK_RC(ilk_latch_wait_until(l, INT64_MIN), -ETIMEDOUT);
	CHECK_RC(ilk_latch_count_down(l, 1), 0);
	CHECK_RC(ilk_latch_wait_until(l, INT64_MIN), 0);
}

/* --- deaths, signals, close --- */

static void count_and_die(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_latch_count_down(l, 1), 0);
	raise(SIGKILL);
}

static void wait_for_ever(void *arg)
{
	(void)arg;
	ilk_latch_wait(l);
}

static void test_count_of_the_dead_stays_counted(void **state)
{
	struct ilk_test_child *asleep;
	pthread_t thread;

	(void)state;
	open_latch(2);
	ilk_test_join_killed(ilk_test_start(count_and_die, NULL));
	assert_int_equal(left(), 1);
	asleep = ilk_test_start(wait_for_ever, NULL);
	assert_int_equal(pthread_create(&thread, NULL, pass, l), 0);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	ilk_test_kill(asleep);
	ilk_test_join_killed(ilk_test_start(count_and_die, NULL));
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void count_in_handler(int signal)
{
	(void)signal;
	CHECK_RC(ilk_latch_count_down(l, 1), 0);
}

static void test_count_down_in_a_signal_handler_counts(void **state)
{
	(void)state;
	open_latch(1);
	CHECK_RC(ilk_latch_wait_until(l, ilk_after_ms(1)), -ETIMEDOUT);
	signal(SIGUSR1, count_in_handler);
	errno = EXDEV;
	raise(SIGUSR1);
	assert_int_equal(errno, EXDEV);
	CHECK_RC(ilk_latch_wait(l), 0);
	signal(SIGUSR1, SIG_DFL);
}

static void *wait_until_closed(void *latch)
{
	CHECK_RC(ilk_latch_wait(latch), -ECANCELED);
	return NULL;
}

static void close_on_a_waiter(void *arg)
{
	pthread_t thread;

	ilk_segment_close(seg);
	seg = support_open(arg);
	open_latch(1);
	CHECK(pthread_create(&thread, NULL, wait_until_closed, l) == 0);
	ilk_test_await_sleepers(arg, 1);
	ilk_segment_close(seg);
	CHECK(pthread_join(thread, NULL) == 0);
}

static void test_close_cancels_who_waits(void **state)
{
	(void)state;
	ilk_test_in_child(close_on_a_waiter, (void *)ilk_test_name(""));
}

/* --- misuse, making one --- */

static void test_calls_on_what_is_no_latch_are_EINVAL(void **state)
{
	struct ilk_latch outside;
	unsigned n;
	void *block;

	(void)state;
	memset(&outside, 0, sizeof outside);
	CHECK_RC(ilk_block_open(seg, "zeros", sizeof outside, &block), 0);
	struct ilk_latch *const wrong[] = {&outside, block};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_RC(ilk_latch_count_down(wrong[i], 1), -EINVAL);
		CHECK_RC(ilk_latch_wait(wrong[i]), -EINVAL);
		CHECK_RC(ilk_latch_wait_until(wrong[i], ILK_NOW), -EINVAL);
		CHECK_RC(ilk_latch_left(wrong[i], &n), -EINVAL);
	}
}

static void test_changes_through_a_read_only_attachment_are_EROFS(void **state)
{
	const struct ilk_segment_options look = {
		.size = sizeof look, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *read_only;
	struct ilk_latch *seen;
	unsigned n = 77;

	(void)state;
	open_latch(1);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &look, &read_only), 0);
	CHECK_RC(ilk_latch_open(read_only, "l", NULL, &seen), 0);
	CHECK_RC(ilk_latch_count_down(seen, 1), -EROFS);
	CHECK_RC(ilk_latch_wait(seen), -EROFS);
	CHECK_RC(ilk_latch_init(read_only, seen, "", NULL), -EROFS);
	CHECK_RC(ilk_latch_left(seen, &n), 0);
	assert_int_equal(n, 1);
	ilk_segment_close(read_only);
}

static void test_open_with_another_count_or_type_is_EEXIST(void **state)
{
	const struct ilk_latch_options two = {.size = sizeof two, .count = 2};
	const struct ilk_latch_options too_many = {
		.size = sizeof too_many, .count = ILK_LATCH_MOST + 1u};
	const struct ilk_latch_options no_size = {.count = 1};
	struct ilk_latch *found = NULL;

	(void)state;
	open_latch(3);
	/* What counts is what it began with, not what is left. */
	CHECK_RC(ilk_latch_count_down(l, 1), 0);
	CHECK_RC(ilk_latch_open(seg, "l", &two, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "count"));
	CHECK_RC(ilk_latch_open(seg, "l", NULL, &found), -EEXIST);
	support_counter(seg, "hits");
	CHECK_RC(ilk_latch_open(seg, "hits", NULL, &found), -EEXIST);
	CHECK_RC(ilk_latch_open(seg, "new", &too_many, &found), -EINVAL);
	CHECK_RC(ilk_latch_open(seg, "new", &no_size, &found), -EINVAL);
	assert_null(found);
	open_latch(3);
	assert_int_equal(left(), 2);
}

static void test_open_as_is_finds_any_and_makes_one_of_one(void **state)
{
	const struct ilk_latch_options as_is = {.size = sizeof as_is, .count = ILK_LATCH_AS_IS};
	struct ilk_latch *found = NULL;

	(void)state;
	open_latch(3);
	CHECK_RC(ilk_latch_open(seg, "l", &as_is, &found), 0);
	assert_ptr_equal(found, l);
	support_counter(seg, "hits");
	CHECK_RC(ilk_latch_open(seg, "hits", &as_is, &found), -EEXIST);
	CHECK_RC(ilk_latch_open(seg, "new", &as_is, &l), 0);
	assert_int_equal(left(), 1);
	CHECK_RC(ilk_latch_open(seg, "new", NULL, &found), 0);
	assert_ptr_equal(found, l);
}

static void test_init_in_a_block_makes_a_latch_of_one(void **state)
{
	void *block;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "mine", sizeof *l, &block), 0);
	l = block;
	CHECK_RC(ilk_latch_init(seg, l, "loaded", NULL), 0);
	assert_int_equal(left(), 1);
	CHECK_RC(ilk_latch_count_down(l, 1), 0);
	CHECK_RC(ilk_latch_wait(l), 0);
	CHECK_RC(
		ilk_latch_init(seg, (struct ilk_latch *)((char *)block + 8), "odd", NULL), -EINVAL);
}

static void test_inspect_shows_what_is_left_and_who_waits(void **state)
{
	struct ilk_inspection *in;
	struct ilk_test_child *child;

	(void)state;
	open_latch(3);
	CHECK_RC(ilk_latch_count_down(l, 1), 0);
	child = ilk_test_start(wait_for_ever, NULL);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	assert_string_equal(in->objects[0].type, "latch");
	assert_string_equal(in->objects[0].state, "2 of 3 left");
	assert_int_equal(in->objects[0].value, 2);
	assert_int_equal(in->objects[0].waiters, 1);
	ilk_inspection_free(in);
	CHECK_RC(ilk_latch_count_down(l, 2), 0);
	ilk_test_join(child);
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	assert_string_equal(in->objects[0].state, "open");
	ilk_inspection_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_count_down_to_zero_opens_it_for_good),
		SEGMENT_TEST(test_count_down_by_too_much_counts_nothing),
		SEGMENT_TEST(test_count_can_be_as_large_as_it_says),
		SEGMENT_TEST(test_last_count_lets_all_through_and_no_earlier_one),
		SEGMENT_TEST(test_counts_of_processes_add_up),
		SEGMENT_TEST(test_until_a_deadline_that_passes_is_ETIMEDOUT),
		SEGMENT_TEST(test_count_of_the_dead_stays_counted),
		SEGMENT_TEST(test_count_down_in_a_signal_handler_counts),
		SEGMENT_TEST(test_close_cancels_who_waits),
		SEGMENT_TEST(test_calls_on_what_is_no_latch_are_EINVAL),
		SEGMENT_TEST(test_changes_through_a_read_only_attachment_are_EROFS),
		SEGMENT_TEST(test_open_with_another_count_or_type_is_EEXIST),
		SEGMENT_TEST(test_open_as_is_finds_any_and_makes_one_of_one),
		SEGMENT_TEST(test_init_in_a_block_makes_a_latch_of_one),
		SEGMENT_TEST(test_inspect_shows_what_is_left_and_who_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
