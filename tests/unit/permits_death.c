/* permits_death.c - what the dead held comes back: just that, and to whoever waits for it. */
#include "permits_fixture.h"
#include <errno.h>
#include <stdlib.h>

static void test_death_gives_back_exactly_what_was_held(void **state)
{
	struct ilk_permits *const both[] = {p, shared};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct holding two = {both[i], 2, 2 * i}, one = {both[i], 1, 2 * i + 1};
		struct ilk_test_child *victim = start_holder(&two), *other = start_holder(&one);

		CHECK_RC(ilk_permits_try_acquire(both[i], 3), -EAGAIN);
		ilk_test_kill(victim);
		assert_int_equal(left_of(both[i]), 4);
		CHECK_RC(ilk_permits_try_acquire(both[i], 4), 0);
		CHECK_RC(ilk_permits_try_acquire(both[i], 1), -EAGAIN);
		assert_int_equal(both[i]->recovered, 2);
		CHECK_RC(ilk_permits_release(both[i], 4), 0);
		ilk_test_kill(other);
		CHECK_RC(ilk_permits_acquire(both[i], FIVE), 0);
		CHECK_RC(ilk_permits_release(both[i], FIVE), 0);
	}
}

static void acquire_and_say(void *arg)
{
	const struct holding *h = arg;

	CHECK_RC(ilk_permits_acquire(h->permits, h->count), 0);
	ilk_test_say(h->step);
	ilk_test_sleep_for_ever();
}

/* Two sleep for what one holds: neither is woken by anybody. */
static void test_death_serves_all_who_sleep(void **state)
{
	struct ilk_permits *const both[] = {p, shared};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct holding all = {both[i], FIVE, 4 * i}, two = {both[i], 2, 4 * i + 1},
			       one = {both[i], 1, 4 * i + 2}, last = {both[i], 1, 4 * i + 3};
		struct ilk_test_child *holder = start_holder(&all);
		struct ilk_test_child *sleepers[] = {ilk_test_start(acquire_and_say, &two),
			ilk_test_start(acquire_and_say, &one),
			ilk_test_start(acquire_and_say, &last)};

		ilk_test_await_sleepers(name, 3);
		ilk_test_kill(holder);
		for (unsigned step = 1; step <= 3; step++)
			ilk_test_await(4 * i + step);
		assert_int_equal(left_of(both[i]), 1);
		for (int k = 0; k < 3; k++)
			ilk_test_kill(sleepers[k]);
		assert_int_equal(left_of(both[i]), FIVE);
	}
}

static void test_death_of_the_one_that_watches_is_no_loss(void **state)
{
	struct holding all = {p, FIVE, 0}, first = {p, 1, 1}, second = {p, 1, 2};
	struct ilk_test_child *holder = start_holder(&all), *watcher, *other;

	(void)state;
	watcher = ilk_test_start(acquire_and_say, &first);
	ilk_test_await_sleepers(name, 1);
	other = ilk_test_start(acquire_and_say, &second);
	ilk_test_await_sleepers(name, 2);
	ilk_test_kill(watcher);
	ilk_test_kill(holder);
	ilk_test_await(2);
	ilk_test_kill(other);
	assert_int_equal(left_of(p), FIVE);
}

/* What it had collected is free again, and so is the gate. */
static void test_death_at_the_gate_gives_back_what_was_collected(void **state)
{
	struct holding one = {p, 1, 0}, all = {p, FIVE, 1}, two = {p, 2, 2};
	struct ilk_test_child *holder = start_holder(&one), *victim, *behind;

	(void)state;
	victim = ilk_test_start(acquire_and_say, &all);
	ilk_test_await_sleepers(name, 1);
	assert_int_equal(left_of(p), 0);
	behind = ilk_test_start(acquire_and_say, &two);
	ilk_test_await_sleepers(name, 2);
	ilk_test_kill(victim);
	ilk_test_await(2);
	assert_int_equal(left_of(p), 2);
	ilk_test_kill(behind);
	ilk_test_kill(holder);
	CHECK_RC(ilk_permits_acquire(p, FIVE), 0);
	CHECK_RC(ilk_permits_release(p, FIVE), 0);
}

/* --- other ends --- */

static int acquire_two_and_end(void *permits)
{
	return ilk_permits_acquire(permits, 2);
}

static void test_end_of_a_thread_gives_back_its_own(void **state)
{
	(void)state;
	CHECK_RC(support_in_thread(acquire_two_and_end, p), 0);
	assert_int_equal(left_of(p), FIVE);
	CHECK_RC(ilk_permits_release(p, 1), -EPERM);
	CHECK_RC(ilk_permits_acquire(p, FIVE), 0);
	CHECK_RC(ilk_permits_release(p, FIVE), 0);
	CHECK_RC(support_in_thread(acquire_two_and_end, shared), 0);
	assert_int_equal(left_of(shared), FIVE - 2);
	CHECK_RC(ilk_permits_release(shared, 2), 0);
}

static void acquire_and_close(void *arg)
{
	struct ilk_permits *mine, *ours;

	(void)arg;
	ilk_segment_close(seg);
	seg = support_open(name);
	CHECK_RC(ilk_permits_open(seg, "threads'", &five, &mine), 0);
	CHECK_RC(ilk_permits_open(seg, "processes'", &five_of_process, &ours), 0);
	CHECK_RC(ilk_permits_acquire(mine, 2), 0);
	CHECK_RC(ilk_permits_acquire(ours, 2), 0);
	ilk_segment_close(seg);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_close_gives_back_what_the_process_held(void **state)
{
	struct ilk_test_child *child = ilk_test_start(acquire_and_close, NULL);

	(void)state;
	ilk_test_await(0);
	assert_int_equal(left_of(p), FIVE);
	assert_int_equal(left_of(shared), FIVE);
	ilk_test_kill(child);
}

static void acquire_both_and_exit(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_permits_acquire(p, 2), 0);
	CHECK_RC(ilk_permits_acquire(shared, 2), 0);
	exit(0);
}

static void test_exit_gives_back_what_the_process_held(void **state)
{
	struct ilk_test_child *child = ilk_test_start(acquire_both_and_exit, NULL);

	(void)state;
	ilk_test_join(child);
	assert_int_equal(left_of(p), FIVE);
	assert_int_equal(left_of(shared), FIVE);
}

/* Its process slot, and the thread slot too, are another's by then. */
static void be_another(void *arg)
{
	const struct holding *h = arg;

	CHECK_RC(ilk_permits_release(p, 1), -EPERM);
	CHECK_RC(ilk_permits_release(shared, 1), -EPERM);
	CHECK_RC(ilk_permits_acquire(p, 1), 0);
	CHECK_RC(ilk_permits_release(shared, 1), -EPERM);
	CHECK_RC(ilk_permits_release(p, 2), -EPERM);
	CHECK_RC(ilk_permits_acquire(shared, 1), 0);
	CHECK_RC(ilk_permits_release(shared, 2), -EPERM);
	ilk_test_say(h->step);
	ilk_test_sleep_for_ever();
}

static void test_slots_of_the_dead_do_not_pass_on_what_they_held(void **state)
{
	enum { OTHERS = 5 };
	struct holding two = {p, 2, 0}, too = {shared, 2, 1};
	struct ilk_test_child *others[OTHERS];
	struct holding steps[OTHERS];

	(void)state;
	ilk_test_kill(start_holder(&two));
	ilk_test_kill(start_holder(&too));
	for (unsigned i = 0; i < OTHERS; i++) {
		steps[i] = (struct holding){.step = 2 + i};
		others[i] = ilk_test_start(be_another, &steps[i]);
		ilk_test_await(2 + i);
	}
	for (unsigned i = 0; i < OTHERS; i++)
		ilk_test_kill(others[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PERMITS_TEST(test_death_gives_back_exactly_what_was_held),
		PERMITS_TEST(test_death_serves_all_who_sleep),
		PERMITS_TEST(test_death_of_the_one_that_watches_is_no_loss),
		PERMITS_TEST(test_death_at_the_gate_gives_back_what_was_collected),
		PERMITS_TEST(test_end_of_a_thread_gives_back_its_own),
		PERMITS_TEST(test_close_gives_back_what_the_process_held),
		PERMITS_TEST(test_exit_gives_back_what_the_process_held),
		PERMITS_TEST(test_slots_of_the_dead_do_not_pass_on_what_they_held),
	};

	return RUN_PERMITS_TESTS(tests);
}
