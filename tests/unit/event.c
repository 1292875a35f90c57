/* event.c - setting, clearing, waiting; both kinds of reset; deaths, close, and misuse. */
#include "segment_fixture.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

enum { THREADS = 8, ROUNDS = 200 };
enum value { PASSED };

static const struct ilk_event_options automatic = {
	.size = sizeof automatic, .flags = ILK_EVENT_AUTO};
static struct ilk_event *e;

static void open_event(const struct ilk_event_options *options)
{
	CHECK_RC(ilk_event_open(seg, "e", options, &e), 0);
}

static int wait_patiently(void *event)
{
	return ilk_event_wait_until(event, ilk_after_ms(ilk_test_limit_ms()));
}

static void *pass(void *event)
{
	CHECK_RC(wait_patiently(event), 0);
	ilk_add_full_(&ilk_test_board()->value[PASSED], 1);
	return NULL;
}

static int64_t passed(void)
{
	return ilk_load_acquire_(&ilk_test_board()->value[PASSED]);
}

static int have_passed(void *count)
{
	return passed() == *(int64_t *)count;
}

static void start_waiters(pthread_t *threads)
{
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, pass, e), 0);
	ilk_test_await_sleepers(ilk_test_name(""), THREADS);
}

static void join_waiters(pthread_t *threads)
{
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(passed(), THREADS);
}

/* --- manual reset --- */

static void test_set_lets_all_through_until_cleared(void **state)
{
	(void)state;
	open_event(NULL);
	assert_int_equal(ilk_event_is_set(e), 0);
	CHECK_RC(ilk_event_wait_until(e, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_event_set(e), 0);
	CHECK_RC(ilk_event_set(e), 0);
	assert_int_equal(ilk_event_is_set(e), 1);
	for (int i = 0; i < 3; i++)
		CHECK_RC(ilk_event_wait(e), 0);
	CHECK_RC(support_in_thread(wait_patiently, e), 0);
	CHECK_RC(ilk_event_clear(e), 0);
	CHECK_RC(ilk_event_clear(e), 0);
	assert_int_equal(ilk_event_is_set(e), 0);
	CHECK_RC(ilk_event_wait_until(e, ilk_after_ms(1)), -ETIMEDOUT);
}

static void test_all_start_at_one_event(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	open_event(NULL);
	start_waiters(threads);
	assert_int_equal(passed(), 0);
	CHECK_RC(ilk_event_set(e), 0);
	join_waiters(threads);
}

static void start_in_child(void *arg)
{
	(void)arg;
	ilk_test_say(0);
	CHECK_RC(wait_patiently(e), 0);
	ilk_add_full_(&ilk_test_board()->value[PASSED], 1);
}

static void test_processes_start_at_one_event(void **state)
{
	struct ilk_test_child *children[3];

	(void)state;
	open_event(NULL);
	for (int i = 0; i < 3; i++)
		children[i] = ilk_test_start(start_in_child, NULL);
	ilk_test_await_sleepers(ilk_test_name(""), 3);
	CHECK_RC(ilk_event_set(e), 0);
	for (int i = 0; i < 3; i++)
		ilk_test_join(children[i]);
	assert_int_equal(passed(), 3);
}

/* --- auto reset --- */

static void test_auto_each_set_lets_one_through(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	open_event(&automatic);
	start_waiters(threads);
	for (int64_t i = 1; i <= THREADS; i++) {
		CHECK_RC(ilk_event_set(e), 0);
		ilk_test_until(have_passed, &i);
		/* Who is left is not forgotten. */
		assert_true(i == THREADS || e->word & 2);
	}
	join_waiters(threads);
	assert_int_equal(ilk_event_is_set(e), 0);
}

static void test_auto_sets_before_a_wait_are_one(void **state)
{
	(void)state;
	open_event(&automatic);
	for (int i = 0; i < 3; i++)
		CHECK_RC(ilk_event_set(e), 0);
	CHECK_RC(ilk_event_wait_until(e, ILK_NOW), 0);
	CHECK_RC(ilk_event_wait_until(e, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_event_set(e), 0);
	CHECK_RC(ilk_event_clear(e), 0);
	CHECK_RC(ilk_event_wait_until(e, ilk_after_ms(1)), -ETIMEDOUT);
}

/* Somebody may sleep, says the word, but nobody does: a set must not be lost on him. */
static void test_auto_set_for_one_who_gave_up_waits_for_the_next(void **state)
{
	(void)state;
	open_event(&automatic);
	CHECK_RC(ilk_event_wait_until(e, ilk_after_ms(1)), -ETIMEDOUT);
	assert_int_equal(e->word, 2);
	CHECK_RC(ilk_event_set(e), 0);
	assert_int_equal(e->word, 1);
	CHECK_RC(ilk_event_wait_until(e, ILK_NOW), 0);
}

static void hand_over_in_child(void *events)
{
	struct ilk_event **both = events;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK_RC(wait_patiently(both[0]), 0);
		CHECK_RC(ilk_event_set(both[1]), 0);
	}
}

static void test_auto_hands_over_to_and_fro(void **state)
{
	struct ilk_event *both[2];
	struct ilk_test_child *child;
	ilk_time began;

	(void)state;
	CHECK_RC(ilk_event_open(seg, "there", &automatic, &both[0]), 0);
	CHECK_RC(ilk_event_open(seg, "back", &automatic, &both[1]), 0);
	child = ilk_test_start(hand_over_in_child, both);
	began = ilk_now();
	for (int i = 0; i < ROUNDS; i++) {
		CHECK_RC(ilk_event_set(both[0]), 0);
		CHECK_RC(wait_patiently(both[1]), 0);
	}
	ilk_test_join(child);
	/* If each were found by a look of its own, it would be 50 ms and more a round. */
	assert_true(ilk_now() - began < ROUNDS * INT64_C(50000000));
}

/* --- signals, deaths, close --- */

static void set_in_handler(int signal)
{
	(void)signal;
	CHECK_RC(ilk_event_set(e), 0);
}

static void test_set_in_a_signal_handler_lets_through(void **state)
{
	(void)state;
	open_event(&automatic);
	signal(SIGUSR1, set_in_handler);
	for (int i = 0; i < 3; i++) {
		errno = EXDEV;
		raise(SIGUSR1);
		assert_int_equal(errno, EXDEV);
		CHECK_RC(ilk_event_wait_until(e, ILK_NOW), 0);
		/* With the kernel asked to wake. */
		CHECK_RC(ilk_event_wait_until(e, ilk_after_ms(1)), -ETIMEDOUT);
	}
	signal(SIGUSR1, SIG_DFL);
}

static void wait_for_ever(void *arg)
{
	(void)arg;
	ilk_event_wait(e);
}

static void test_set_after_waiters_were_killed_asleep_reaches_who_is_left(void **state)
{
	enum { DEAD = 3 };
	struct ilk_test_child *dead[DEAD];
	pthread_t left;

	(void)state;
	open_event(&automatic);
	for (int i = 0; i < DEAD; i++)
		dead[i] = ilk_test_start(wait_for_ever, NULL);
	ilk_test_await_sleepers(ilk_test_name(""), DEAD);
	assert_int_equal(pthread_create(&left, NULL, pass, e), 0);
	ilk_test_await_sleepers(ilk_test_name(""), DEAD + 1);
	for (int i = 0; i < DEAD; i++)
		ilk_test_kill(dead[i]);
	CHECK_RC(ilk_event_set(e), 0);
	assert_int_equal(pthread_join(left, NULL), 0);
}

static void *wait_until_closed(void *event)
{
	CHECK_RC(ilk_event_wait(event), -ECANCELED);
	return NULL;
}

static void close_on_a_waiter(void *arg)
{
	pthread_t thread;

	ilk_segment_close(seg);
	seg = support_open(arg);
	open_event(&automatic);
	CHECK(pthread_create(&thread, NULL, wait_until_closed, e) == 0);
	ilk_test_await_sleepers(arg, 1);
	ilk_segment_close(seg);
	CHECK(pthread_join(thread, NULL) == 0);
}

static void test_close_cancels_who_waits(void **state)
{
	(void)state;
	open_event(&automatic);
	ilk_test_in_child(close_on_a_waiter, (void *)ilk_test_name(""));
	CHECK_RC(ilk_event_set(e), 0);
	CHECK_RC(ilk_event_wait_until(e, ILK_NOW), 0);
}

/* --- deadlines, misuse, making one --- */

static void test_until_a_deadline_that_passes_is_ETIMEDOUT(void **state)
{
	ilk_time began = ilk_now();

	(void)state;
	open_event(NULL);
	CHECK_RC(ilk_event_wait_until(e, began + 120 * 1000000), -ETIMEDOUT);
	assert_true(ilk_now() - began >= 120 * 1000000);
	CHECK_RC(ilk_event_wait_until(e, began), -ETIMEDOUT);
	CHECK_RC(ilk_event_wait_until(e, INT64_MIN), -ETIMEDOUT);
	CHECK_RC(ilk_event_set(e), 0);
	CHECK_RC(ilk_event_wait_until(e, INT64_MIN), 0);
}

static void test_calls_on_what_is_no_event_are_EINVAL(void **state)
{
	struct ilk_event outside;
	void *block;

	(void)state;
	memset(&outside, 0, sizeof outside);
	CHECK_RC(ilk_block_open(seg, "zeros", sizeof outside, &block), 0);
	struct ilk_event *const wrong[] = {&outside, block};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_RC(ilk_event_set(wrong[i]), -EINVAL);
		CHECK_RC(ilk_event_clear(wrong[i]), -EINVAL);
		CHECK_RC(ilk_event_wait(wrong[i]), -EINVAL);
		CHECK_RC(ilk_event_wait_until(wrong[i], ILK_NOW), -EINVAL);
		CHECK_RC(ilk_event_is_set(wrong[i]), -EINVAL);
	}
}

static void test_changes_through_a_read_only_attachment_are_EROFS(void **state)
{
	const struct ilk_segment_options look = {
		.size = sizeof look, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *read_only;
	struct ilk_event *seen;

	(void)state;
	open_event(NULL);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &look, &read_only), 0);
	CHECK_RC(ilk_event_open(read_only, "e", NULL, &seen), 0);
	CHECK_RC(ilk_event_set(seen), -EROFS);
	CHECK_RC(ilk_event_clear(seen), -EROFS);
	CHECK_RC(ilk_event_wait(seen), -EROFS);
	CHECK_RC(ilk_event_init(read_only, seen, "", NULL), -EROFS);
	assert_int_equal(ilk_event_is_set(seen), 0);
	CHECK_RC(ilk_event_set(e), 0);
	assert_int_equal(ilk_event_is_set(seen), 1);
	ilk_segment_close(read_only);
}

static void test_open_with_other_flags_or_type_is_EEXIST(void **state)
{
	const struct ilk_event_options unknown = {.size = sizeof unknown, .flags = 0x80};
	const struct ilk_event_options no_size = {.flags = 0};
	struct ilk_event *found = NULL;

	(void)state;
	open_event(NULL);
	CHECK_RC(ilk_event_open(seg, "e", &automatic, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "flags"));
	support_counter(seg, "hits");
	CHECK_RC(ilk_event_open(seg, "hits", NULL, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "counter"));
	CHECK_RC(ilk_event_open(seg, "new", &unknown, &found), -EINVAL);
	CHECK_RC(ilk_event_open(seg, "new", &no_size, &found), -EINVAL);
	assert_null(found);
	CHECK_RC(ilk_event_open(seg, "e", NULL, &found), 0);
	assert_ptr_equal(found, e);
}

static void test_open_as_is_finds_any_and_makes_what_the_other_flags_say(void **state)
{
	const struct ilk_event_options as_is = {
		.size = sizeof as_is, .flags = ILK_EVENT_AS_IS | ILK_EVENT_SET};
	const struct ilk_event_options set = {.size = sizeof set, .flags = ILK_EVENT_SET};
	struct ilk_event *found = NULL;

	(void)state;
	open_event(&automatic);
	CHECK_RC(ilk_event_open(seg, "e", &as_is, &found), 0);
	assert_ptr_equal(found, e);
	assert_int_equal(ilk_event_is_set(found), 0);
	support_counter(seg, "hits");
	CHECK_RC(ilk_event_open(seg, "hits", &as_is, &found), -EEXIST);
	CHECK_RC(ilk_event_open(seg, "new", &as_is, &e), 0);
	assert_int_equal(ilk_event_is_set(e), 1);
	CHECK_RC(ilk_event_open(seg, "new", &set, &found), 0);
	assert_ptr_equal(found, e);
}

static void test_init_in_a_block_makes_an_event(void **state)
{
	const struct ilk_event_options both = {
		.size = sizeof both, .flags = ILK_EVENT_AUTO | ILK_EVENT_SET};
	void *block;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "mine", sizeof *e, &block), 0);
	e = block;
	CHECK_RC(ilk_event_init(seg, e, "door", &both), 0);
	CHECK_RC(ilk_event_wait(e), 0);
	CHECK_RC(ilk_event_wait_until(e, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(
		ilk_event_init(seg, (struct ilk_event *)((char *)block + 8), "odd", NULL), -EINVAL);
}

static void test_inspect_shows_it_and_who_waits(void **state)
{
	struct ilk_inspection *in;
	struct ilk_test_child *child;

	(void)state;
	open_event(&automatic);
	child = ilk_test_start(wait_for_ever, NULL);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	assert_int_equal(in->object_count, 1);
	assert_string_equal(in->objects[0].type, "event");
	assert_string_equal(in->objects[0].state, "not set, auto reset");
	assert_int_equal(in->objects[0].waiters, 1);
	ilk_inspection_free(in);
	CHECK_RC(ilk_event_set(e), 0);
	ilk_test_join(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_set_lets_all_through_until_cleared),
		SEGMENT_TEST(test_all_start_at_one_event),
		SEGMENT_TEST(test_processes_start_at_one_event),
		SEGMENT_TEST(test_auto_each_set_lets_one_through),
		SEGMENT_TEST(test_auto_sets_before_a_wait_are_one),
		SEGMENT_TEST(test_auto_set_for_one_who_gave_up_waits_for_the_next),
		SEGMENT_TEST(test_auto_hands_over_to_and_fro),
		SEGMENT_TEST(test_set_in_a_signal_handler_lets_through),
		SEGMENT_TEST(test_set_after_waiters_were_killed_asleep_reaches_who_is_left),
		SEGMENT_TEST(test_close_cancels_who_waits),
		SEGMENT_TEST(test_until_a_deadline_that_passes_is_ETIMEDOUT),
		SEGMENT_TEST(test_calls_on_what_is_no_event_are_EINVAL),
		SEGMENT_TEST(test_changes_through_a_read_only_attachment_are_EROFS),
		SEGMENT_TEST(test_open_with_other_flags_or_type_is_EEXIST),
		SEGMENT_TEST(test_open_as_is_finds_any_and_makes_what_the_other_flags_say),
		SEGMENT_TEST(test_init_in_a_block_makes_an_event),
		SEGMENT_TEST(test_inspect_shows_it_and_who_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
