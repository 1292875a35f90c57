/* barrier_break.c - time-outs, abort and reset; close while somebody waits. */
#include "barrier_fixture.h"

static void check_broken(const struct ilk_barrier *b, enum ilk_barrier_cause cause)
{
	assert_int_equal(status_of(b).cause, cause);
}

/* --- time-outs --- */

static void test_wait_until_too_late_breaks_it_for_all(void **state)
{
	struct ilk_barrier *b = open_barrier(3, 0);
	struct ilk_barrier_status status;
	struct waiter w;

	(void)state;
	start_waiter(&w, b);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_barrier_wait_until(b, ilk_after_ms(20)), -ETIMEDOUT);
	assert_int_equal(join_waiter(&w), -EPIPE);
	status = status_of(b);
	assert_int_equal(status.cause, ILK_BARRIER_TIMEOUT);
	assert_int_equal(status.pid, getpid());
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
	CHECK_RC(ilk_barrier_detach(b), 0);
	CHECK_RC(ilk_barrier_attach(b), -EPIPE);
}

static void test_wait_until_now_is_as_late_as_can_be(void **state)
{
	struct ilk_barrier *b = open_barrier(2, 0);
	struct waiter w;

	(void)state;
	CHECK_RC(ilk_barrier_wait_until(b, ILK_NOW), -ETIMEDOUT);
	check_broken(b, ILK_BARRIER_TIMEOUT);
	CHECK_RC(ilk_barrier_wait_until(b, ILK_NOW), -EPIPE);
	CHECK_RC(ilk_barrier_reset(b), 0);
	start_waiter(&w, b);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_barrier_wait_until(b, ILK_NOW), ILK_ELECTED);
	assert_int_equal(join_waiter(&w), 0);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

/* --- abort --- */

static void test_abort_breaks_it_for_those_who_wait_and_come(void **state)
{
	struct ilk_barrier *b = open_barrier(3, 0);
	struct waiter w[2];

	(void)state;
	start_waiter(&w[0], b);
	start_waiter(&w[1], b);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	CHECK_RC(ilk_barrier_abort(b), 0);
	CHECK_RC(ilk_barrier_abort(b), 0);
	assert_int_equal(join_waiter(&w[0]), -EPIPE);
	assert_int_equal(join_waiter(&w[1]), -EPIPE);
	check_broken(b, ILK_BARRIER_ABORT);
	assert_int_equal(status_of(b).pid, 0);
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
	CHECK_RC(ilk_barrier_attach(b), -EPIPE);
}

static void test_abort_by_a_member_names_it_and_the_first_reason_stays(void **state)
{
	struct ilk_barrier *b = open_barrier(2, 0);

	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	CHECK_RC(ilk_barrier_abort(b), 0);
	assert_int_equal(status_of(b).pid, getpid());
	CHECK_RC(ilk_barrier_wait_until(b, ilk_after_ms(1)), -EPIPE);
	check_broken(b, ILK_BARRIER_ABORT);
	CHECK_RC(ilk_barrier_detach(b), 0);
	assert_int_equal(status_of(b).pid, getpid());
}

/* --- reset --- */

static void test_reset_keeps_the_members_and_forgets_arrivals(void **state)
{
	struct ilk_barrier *b = open_barrier(2, 0);
	struct waiter w;

	(void)state;
	CHECK_RC(ilk_barrier_wait_until(b, ilk_after_ms(5)), -ETIMEDOUT);
	CHECK_RC(ilk_barrier_reset(b), 0);
	check_broken(b, ILK_BARRIER_WHOLE);
	assert_int_equal(status_of(b).members, 1);
	assert_int_equal(status_of(b).arrived, 0);
	start_waiter(&w, b);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	assert_int_equal(status_of(b).phases, 0);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	assert_int_equal(join_waiter(&w), 0);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

/* Every survivor of a break calls it: the second must not disturb who waits again already. */
static void test_reset_of_one_that_is_whole_does_nothing(void **state)
{
	struct ilk_barrier *b = open_barrier(2, 0);
	struct waiter w;

	(void)state;
	start_waiter(&w, b);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_barrier_reset(b), 0);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	assert_int_equal(join_waiter(&w), 0);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static void *wait_stopped(void *arg)
{
	struct waiter *w = arg;

	w->rc = ilk_barrier_wait(w->barrier);
	return NULL;
}

static void wait_and_be_told(void *b)
{
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
	ilk_test_say(1);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static void test_wait_over_which_it_broke_and_was_reset_is_EPIPE(void **state)
{
	struct ilk_barrier *b = open_barrier(2, 0);
	struct ilk_test_child *child = ilk_test_start(wait_and_be_told, b);

	(void)state;
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	ilk_test_stop(child);
	CHECK_RC(ilk_barrier_abort(b), 0);
	CHECK_RC(ilk_barrier_reset(b), 0);
	ilk_test_continue(child);
	ilk_test_join(child);
	check_broken(b, ILK_BARRIER_WHOLE);
}

static void test_a_barrier_wraps_its_resets_and_phases(void **state)
{
	struct ilk_barrier *b = open_barrier(1, 0);
	int more = support_slow() ? 1000 : 70000;

	(void)state;
	for (int i = 0; i < 600; i++) {
		CHECK_RC(ilk_barrier_abort(b), 0);
		CHECK_RC(ilk_barrier_wait(b), -EPIPE);
		CHECK_RC(ilk_barrier_reset(b), 0);
		CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	}
	for (int i = 0; i < more; i++)
		CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	assert_int_equal(status_of(b).phases, 600 + more);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

enum { CAME, ALL_RESETS_DONE };

/* Comes while the other is not there, and not again. */
static void *come_once(void *arg)
{
	struct waiter *w = arg;

	w->rc = ilk_barrier_wait_until(w->barrier, ILK_NOW);
	ilk_test_say(CAME);
	ilk_test_await(ALL_RESETS_DONE);
	CHECK_RC(ilk_barrier_detach(w->barrier), 0);
	return NULL;
}

static void test_who_came_before_many_resets_has_not_arrived(void **state)
{
	struct ilk_barrier *b = open_barrier(2, 0);
	struct waiter w = {.barrier = b};

	(void)state;
	CHECK(pthread_create(&w.thread, NULL, come_once, &w) == 0);
	ilk_test_await(CAME);
	for (int i = 0; i < 600; i++) {
		CHECK_RC(ilk_barrier_reset(b), 0);
		CHECK_RC(ilk_barrier_wait_until(b, ILK_NOW), -ETIMEDOUT);
	}
	ilk_test_say(ALL_RESETS_DONE);
	assert_int_equal(join_waiter(&w), -ETIMEDOUT);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

/* --- close --- */

static void test_close_cancels_who_waits(void **state)
{
	const struct ilk_barrier_options two = {.size = sizeof two, .parties = 2};
	struct ilk_segment *other = support_open(ilk_test_name(""));
	struct waiter w;

	(void)state;
	CHECK_RC(ilk_barrier_open(other, "b", &two, &w.barrier), 0);
	CHECK(pthread_create(&w.thread, NULL, wait_stopped, &w) == 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	ilk_segment_close(other);
	assert_int_equal(join_waiter(&w), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BARRIER_TEST(test_wait_until_too_late_breaks_it_for_all),
		BARRIER_TEST(test_wait_until_now_is_as_late_as_can_be),
		BARRIER_TEST(test_abort_breaks_it_for_those_who_wait_and_come),
		BARRIER_TEST(test_abort_by_a_member_names_it_and_the_first_reason_stays),
		BARRIER_TEST(test_reset_keeps_the_members_and_forgets_arrivals),
		BARRIER_TEST(test_reset_of_one_that_is_whole_does_nothing),
		BARRIER_TEST(test_wait_over_which_it_broke_and_was_reset_is_EPIPE),
		BARRIER_TEST(test_a_barrier_wraps_its_resets_and_phases),
		BARRIER_TEST(test_who_came_before_many_resets_has_not_arrived),
		BARRIER_TEST(test_close_cancels_who_waits),
	};

	return RUN_BARRIER_TESTS(tests);
}
