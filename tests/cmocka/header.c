/* header.c - what ilk/cmocka.h does where nothing fails: runs, points, children, checks. */
#include "support.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- runs --- */

enum { MANY = 5 };

struct address {
	struct ilk_segment *seg;
	pid_t pid;
};

static void note_where(struct ilk_segment *seg, unsigned index, void *arg)
{
	struct ilk_counter *c = support_counter(seg, "c");

	assert_ptr_equal(((struct address *)arg)->seg == seg, ilk_test_board()->value[40]);
	CHECK_RC(ilk_counter_add(c, 1 << index), 0);
	ilk_test_board()->value[index] = getpid();
	ilk_test_board()->value[10 + index] = gettid();
}

/* How many different ones there are of the notes. */
static int distinct(const int64_t *notes)
{
	int count = 0;

	for (int i = 0; i < MANY; i++) {
		int again = 0;

		for (int j = 0; j < i; j++)
			again |= notes[i] == notes[j];
		count += !again;
	}
	return count;
}

static void run_with(unsigned flags, int same_mapping, int processes)
{
	const struct ilk_test_options o = {.size = sizeof o, .flags = flags};
	struct ilk_segment *seg = ilk_test_create("");
	struct address here = {seg, getpid()};

	ilk_test_board()->value[40] = same_mapping;
	ilk_test_run(MANY, seg, note_where, &here, &o);
	assert_int_equal(ilk_counter_read(support_counter(seg, "c")), (1 << MANY) - 1);
	assert_int_equal(distinct(ilk_test_board()->value), processes);
	assert_int_equal(distinct(ilk_test_board()->value + 10), MANY);
	ilk_segment_close(seg);
	support_unlink(ilk_test_name(""));
}

static void test_run_processes_inherit_or_reopen(void **state)
{
	(void)state;
	run_with(0, 1, MANY);
	run_with(ILK_TEST_REOPEN, 0, MANY);
}

static void test_run_threads_share_the_process_or_a_child(void **state)
{
	(void)state;
	run_with(ILK_TEST_THREADS, 1, 1);
	assert_int_equal(ilk_test_board()->value[0], getpid());
	run_with(ILK_TEST_THREADS | ILK_TEST_REOPEN, 0, 1);
	SKIP_UNDER_TSAN();
	run_with(ILK_TEST_THREADS | ILK_TEST_IN_CHILD, 1, 1);
	assert_int_not_equal(ilk_test_board()->value[0], getpid());
}

static void test_run_of_none_is_nothing(void **state)
{
	(void)state;
	ilk_test_run(0, NULL, note_where, NULL, NULL);
}

/* --- points --- */

enum { BEFORE, AFTER };

static void step(void *arg)
{
	struct ilk_test_board *b = ilk_test_board();

	(void)arg;
	for (;;) {
		ilk_store_release_(&b->value[BEFORE], b->value[BEFORE] + 1);
		ilk_test_point("between");
		ilk_store_release_(&b->value[AFTER], b->value[AFTER] + 1);
		ilk_test_point("behind");
	}
}

static void check_killed_between(void)
{
	const struct ilk_test_board *b = ilk_test_board();

	assert_int_equal(b->value[BEFORE], b->value[AFTER] + 1);
}

static void test_kill_at_kills_there_and_nowhere_else(void **state)
{
	struct ilk_test_board *b = ilk_test_board();

	(void)state;
	for (int i = 0; i < 30; i++) {
		b->value[BEFORE] = b->value[AFTER] = 0;
		ilk_test_kill_at(ilk_test_start(step, NULL), "between");
		check_killed_between();
		b->value[BEFORE] = b->value[AFTER] = 0;
		ilk_test_kill_at(ilk_test_start(step, NULL), "behind");
		assert_int_equal(b->value[BEFORE], b->value[AFTER]);
	}
}

static void test_start_to_stands_at_the_nth_pass(void **state)
{
	struct ilk_test_child *child = ilk_test_start_to("between", 3, step, NULL);
	const struct ilk_test_board *b = ilk_test_board();

	(void)state;
	ilk_test_await_point(child, "between", 3);
	assert_int_equal(b->value[BEFORE], 3);
	assert_int_equal(b->value[AFTER], 2);
	ilk_test_sleep_ms(20);
	assert_int_equal(b->value[AFTER], 2);
	ilk_test_pass(child);
	ilk_test_kill_at(child, "between");
	check_killed_between();
	assert_true(b->value[AFTER] >= 3);
}

static void *step_in_thread(void *arg)
{
	step(arg);
	return NULL;
}

static void step_in_two_threads(void *arg)
{
	pthread_t thread;

	(void)arg;
	CHECK(pthread_create(&thread, NULL, step_in_thread, NULL) == 0);
	for (;;) {
		ilk_test_point("the other");
		ilk_add_full_(&ilk_test_board()->value[9], 1);
	}
}

static int goes_on(void *arg)
{
	return ilk_load_acquire_(&ilk_test_board()->value[9]) > *(int64_t *)arg;
}

static void test_point_in_a_thread_stops_that_thread_alone(void **state)
{
	struct ilk_test_child *child;
	int64_t seen;

	(void)state;
	SKIP_UNDER_TSAN();
	child = ilk_test_start_to("between", 2, step_in_two_threads, NULL);
	ilk_test_await_point(child, "between", 2);
	assert_int_equal(ilk_test_board()->value[BEFORE], 2);
	seen = ilk_load_acquire_(&ilk_test_board()->value[9]);
	ilk_test_until(goes_on, &seen);
	assert_int_equal(ilk_test_board()->value[AFTER], 1);
	ilk_test_kill_at(child, "between");
	check_killed_between();
}

static void test_point_in_the_runner_is_nothing(void **state)
{
	(void)state;
	ilk_test_point("nobody waits for this");
}

/* --- children --- */

static void hold_the_mutex(void *seg)
{
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	ilk_test_point("holding");
	ilk_test_sleep_for_ever();
}

static void test_who_is_killed_holding_leaves_it_to_the_next(void **state)
{
	struct ilk_segment *seg = ilk_test_create("");
	struct ilk_mutex *m = support_mutex(seg, "m");

	(void)state;
	ilk_test_kill_at(ilk_test_start_to("holding", 1, hold_the_mutex, seg), "holding");
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	ilk_segment_close(seg);
	support_unlink(ilk_test_name(""));
}

static void print_and_check(void *arg)
{
	assert_non_null(arg);
	assert_string_equal(arg, "text");
	assert_memory_not_equal("ab", "ac", 2);
	assert_in_range(2, 1, 3);
	assert_not_in_range(4, 1, 3);
	assert_return_code(0, 0);
	assert_null(NULL);
	ilk_test_say(5);
}

static void start_one(void *arg)
{
	struct ilk_test_child *inner = ilk_test_start(print_and_check, arg);

	ilk_test_await(5);
	ilk_test_join(inner);
	ilk_test_say(6);
}

static void test_child_can_start_children(void **state)
{
	static char text[] = "text";

	(void)state;
	ilk_test_in_child(start_one, text);
	assert_true(ilk_test_was_said(6));
}

static void test_stopped_child_goes_no_further(void **state)
{
	struct ilk_test_child *child = ilk_test_start(step, NULL);
	int64_t seen;

	(void)state;
	ilk_test_await_point(child, "between", 2);
	ilk_test_pass(child);
	ilk_test_stop(child);
	seen = ilk_load_acquire_(&ilk_test_board()->value[AFTER]);
	ilk_test_sleep_ms(20);
	assert_int_equal(ilk_load_acquire_(&ilk_test_board()->value[AFTER]), seen);
	ilk_test_continue(child);
	ilk_test_kill_at(child, "between");
	assert_true(ilk_test_board()->value[AFTER] > seen - 1);
}

static void kill_itself(void *arg)
{
	(void)arg;
	kill(getpid(), SIGKILL);
}

static void test_join_killed_takes_who_killed_itself(void **state)
{
	(void)state;
	ilk_test_join_killed(ilk_test_start(kill_itself, NULL));
}

/* --- checks and leaks --- */

static int once(int *calls)
{
	return ++*calls;
}

static void test_asserts_evaluate_once(void **state)
{
	int calls = 0;

	(void)state;
	assert_true(once(&calls));
	assert_int_equal(once(&calls), 2);
	assert_in_range(once(&calls), 3, 3);
	CHECK(once(&calls) == 4);
	CHECK_RC(once(&calls), 5);
	assert_int_equal(calls, 5);
}

static void test_nothing_left_holds_before_and_after(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	ilk_test_assert_nothing_left();
	seg = ilk_test_create("");
	support_counter(seg, "c");
	ilk_test_assert_no_slots(ilk_test_name(""));
	ilk_test_in_child(print_and_check, "text");
	ilk_segment_close(seg);
	support_unlink(ilk_test_name(""));
	ilk_test_assert_nothing_left();
}

static void test_names_differ_by_suffix_and_stay(void **state)
{
	(void)state;
	assert_string_equal(ilk_test_name("a"), ilk_test_name("a"));
	assert_string_not_equal(ilk_test_name("a"), ilk_test_name("b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_run_processes_inherit_or_reopen),
		ILK_TEST(test_run_threads_share_the_process_or_a_child),
		ILK_TEST(test_run_of_none_is_nothing),
		ILK_TEST(test_kill_at_kills_there_and_nowhere_else),
		ILK_TEST(test_start_to_stands_at_the_nth_pass),
		ILK_TEST(test_point_in_a_thread_stops_that_thread_alone),
		ILK_TEST(test_point_in_the_runner_is_nothing),
		ILK_TEST(test_who_is_killed_holding_leaves_it_to_the_next),
		ILK_TEST(test_child_can_start_children),
		ILK_TEST(test_stopped_child_goes_no_further),
		ILK_TEST(test_join_killed_takes_who_killed_itself),
		ILK_TEST(test_asserts_evaluate_once),
		ILK_TEST(test_nothing_left_holds_before_and_after),
		ILK_TEST(test_names_differ_by_suffix_and_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
