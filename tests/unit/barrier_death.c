/* barrier_death.c - what those who wait, and those who come, are told when a member dies. */
#include "barrier_fixture.h"

/* In a child: attaches, says 0, and never arrives. */
static void attach_and_stay(void *b)
{
	CHECK_RC(ilk_barrier_attach(b), 0);
	ilk_test_board()->value[0] = getpid();
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static struct ilk_test_child *start_member(struct ilk_barrier *b)
{
	struct ilk_test_child *child = ilk_test_start(attach_and_stay, b);

	ilk_test_await(0);
	return child;
}

static void check_died(const struct ilk_barrier *b)
{
	struct ilk_barrier_status status = status_of(b);

	assert_int_equal(status.cause, ILK_BARRIER_DEATH);
	assert_int_equal(status.pid, ilk_test_board()->value[0]);
	assert_true(status.tid > 0);
	assert_true(status.name[0] != '\0');
}

/* The classic case. */
static void test_one_of_three_is_killed_before_it_arrives(void **state)
{
	struct ilk_barrier *b = open_barrier(3, 0);
	struct ilk_test_child *child = start_member(b);
	struct waiter w;
	ilk_time killed;

	(void)state;
	start_waiter(&w, b);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	/* Before it: the sleeper may be the first to find out, and then there is no place any more. */
	CHECK_RC(ilk_barrier_attach(b), 0);
	killed = ilk_now();
	ilk_test_kill(child);
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
	assert_int_equal(join_waiter(&w), -EPIPE);
	assert_true(ilk_now() - killed < ilk_test_limit_ms() * 1000000 / 10);
	check_died(b);
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
	CHECK_RC(ilk_barrier_detach(b), 0);
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
}

static void test_sleepers_alone_find_out(void **state)
{
	struct ilk_barrier *b = open_barrier(3, 0);
	struct ilk_test_child *child = start_member(b);
	struct waiter w[2];

	(void)state;
	start_waiter(&w[0], b);
	start_waiter(&w[1], b);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	ilk_test_kill(child);
	assert_int_equal(join_waiter(&w[0]), -EPIPE);
	assert_int_equal(join_waiter(&w[1]), -EPIPE);
	check_died(b);
}

static void test_a_newcomer_is_told_before_anybody_waited(void **state)
{
	struct ilk_barrier *b = open_barrier(1, 0);
	struct ilk_test_child *child = start_member(b);

	(void)state;
	CHECK_RC(ilk_barrier_attach(b), -EUSERS);
	assert_int_equal(status_of(b).cause, ILK_BARRIER_WHOLE);
	ilk_test_kill(child);
	check_died(b);
	CHECK_RC(ilk_barrier_attach(b), -EPIPE);
	check_died(b);
}

static void arrive_and_stay(void *b)
{
	ilk_test_board()->value[0] = getpid();
	CHECK_RC(ilk_barrier_wait(b) & ~ILK_ELECTED, 0);
	ilk_test_sleep_for_ever();
}

static void test_one_killed_after_it_arrived_has_done_its_part(void **state)
{
	struct ilk_barrier *b = open_barrier(2, 0);
	struct ilk_test_child *child = ilk_test_start(arrive_and_stay, b);

	(void)state;
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	ilk_test_kill(child);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	check_died(b);
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
	check_died(b);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static int attach_and_detach(void *b)
{
	int rc = ilk_barrier_attach(b);

	return rc < 0 ? rc : ilk_barrier_detach(b);
}

/* It has the slot and the place of one who left in order, and so that one's words. */
static void test_one_killed_before_it_said_who_it_is_is_not_called_its_predecessor(void **state)
{
	struct ilk_barrier *b = open_barrier(0, 0);
	struct ilk_barrier_who_ before;
	struct ilk_test_child *child;

	(void)state;
	assert_int_equal(support_in_thread(attach_and_detach, b), 0);
	before = b->who[0];
	child = start_member(b);
	assert_int_equal(b->cell[0] >> 32, b->who[0].owner);
	b->who[0] = before;
	ilk_test_kill(child);
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
	check_died(b);
}

static void test_reset_after_a_death_frees_the_place(void **state)
{
	struct ilk_barrier *b = open_barrier(2, 0);
	struct waiter w;

	(void)state;
	ilk_test_kill(start_member(b));
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
	CHECK_RC(ilk_barrier_reset(b), 0);
	assert_int_equal(status_of(b).cause, ILK_BARRIER_WHOLE);
	assert_int_equal(status_of(b).members, 1);
	start_waiter(&w, b);
	CHECK_RC(ilk_barrier_wait(b) & ~ILK_ELECTED, 0);
	assert_int_equal(join_waiter(&w) & ~ILK_ELECTED, 0);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static int attach_and_end(void *b)
{
	return ilk_barrier_attach(b);
}

static void test_a_thread_that_ends_as_a_member_counts_as_dead(void **state)
{
	struct ilk_barrier *b = open_barrier(0, 0);

	(void)state;
	assert_int_equal(support_in_thread(attach_and_end, b), 0);
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
	assert_int_equal(status_of(b).cause, ILK_BARRIER_DEATH);
	assert_int_equal(status_of(b).pid, getpid());
	/* The next thread of its slot is another. */
	assert_int_equal(support_in_thread(attach_and_end, b), -EPIPE);
	CHECK_RC(ilk_barrier_reset(b), 0);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static void attach_and_close(void *arg)
{
	struct ilk_barrier *b;

	(void)arg;
	ilk_segment_close(seg);
	seg = support_open(ilk_test_name(""));
	b = open_barrier(0, 0);
	CHECK_RC(ilk_barrier_attach(b), 0);
	ilk_segment_close(seg);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_a_process_that_closes_as_a_member_counts_as_dead(void **state)
{
	struct ilk_barrier *b = open_barrier(0, 0);
	struct ilk_test_child *child = ilk_test_start(attach_and_close, NULL);

	(void)state;
	ilk_test_await(0);
	CHECK_RC(ilk_barrier_wait(b), -EPIPE);
	assert_int_equal(status_of(b).cause, ILK_BARRIER_DEATH);
	ilk_test_kill(child);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

/* --- SHRINK --- */

static void test_SHRINK_goes_on_without_the_dead(void **state)
{
	struct ilk_barrier *b = open_barrier(0, ILK_BARRIER_SHRINK);
	struct ilk_test_child *child = start_member(b);
	struct waiter w[2];

	(void)state;
	start_waiter(&w[0], b);
	start_waiter(&w[1], b);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	ilk_test_kill(child);
	assert_int_equal(join_waiter(&w[0]) + join_waiter(&w[1]), ILK_ELECTED);
	assert_int_equal(status_of(b).cause, ILK_BARRIER_WHOLE);
	assert_int_equal(status_of(b).lost, 1);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static void test_SHRINK_with_parties_goes_on_and_lets_a_successor_in(void **state)
{
	struct ilk_barrier *b = open_barrier(2, ILK_BARRIER_SHRINK);
	struct waiter w;

	(void)state;
	ilk_test_kill(start_member(b));
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	start_waiter(&w, b);
	while (status_of(b).members < 2)
		ilk_test_sleep_ms(1);
	CHECK_RC(ilk_barrier_wait(b) & ~ILK_ELECTED, 0);
	assert_int_equal(join_waiter(&w) & ~ILK_ELECTED, 0);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static void test_SHRINK_gives_a_dead_members_place_to_a_newcomer(void **state)
{
	struct ilk_barrier *b = open_barrier(1, ILK_BARRIER_SHRINK);

	(void)state;
	ilk_test_kill(start_member(b));
	CHECK_RC(ilk_barrier_attach(b), 0);
	assert_int_equal(status_of(b).lost, 1);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

/* --- forks --- */

static void be_another(void *b)
{
	CHECK_RC(ilk_barrier_detach(b), -EPERM);
	CHECK_RC(ilk_barrier_attach(b), -EUSERS);
}

static void test_a_forked_child_is_no_member(void **state)
{
	struct ilk_barrier *b = open_barrier(1, 0);

	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	ilk_test_in_child(be_another, b);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BARRIER_TEST(test_one_of_three_is_killed_before_it_arrives),
		BARRIER_TEST(test_sleepers_alone_find_out),
		BARRIER_TEST(test_a_newcomer_is_told_before_anybody_waited),
		BARRIER_TEST(test_one_killed_after_it_arrived_has_done_its_part),
		BARRIER_TEST(
			test_one_killed_before_it_said_who_it_is_is_not_called_its_predecessor),
		BARRIER_TEST(test_reset_after_a_death_frees_the_place),
		BARRIER_TEST(test_a_thread_that_ends_as_a_member_counts_as_dead),
		BARRIER_TEST(test_a_process_that_closes_as_a_member_counts_as_dead),
		BARRIER_TEST(test_SHRINK_goes_on_without_the_dead),
		BARRIER_TEST(test_SHRINK_with_parties_goes_on_and_lets_a_successor_in),
		BARRIER_TEST(test_SHRINK_gives_a_dead_members_place_to_a_newcomer),
		BARRIER_TEST(test_a_forked_child_is_no_member),
	};

	return RUN_BARRIER_TESTS(tests);
}
