/* queue_dead.c - what the dead had leased, and what they had reserved. */
#include "queue_fixture.h"
#include <pthread.h>

/* --- the dead --- */

static void lease_and_stay(void *arg)
{
	struct ilk_queue_handle mine = attached(q);
	struct ilk_queue_lease l;

	for (int i = 0; i < *(int *)arg; i++)
		CHECK_RC(ilk_queue_lease(&mine, &l, ILK_NOW), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_what_the_dead_had_leased_is_delivered_again(void **state)
{
	int two = 2;
	struct ilk_test_child *child;
	struct ilk_queue_lease l;

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		CHECK_RC(put(&h, i), 0);
	child = ilk_test_start(lease_and_stay, &two);
	ilk_test_await(0);
	assert_int_equal(get(&h), 3);
	assert_int_equal(get(&h), -EAGAIN);
	ilk_test_kill_only(child); /* a zombie is dead */
	assert_int_equal(get_soon(&h), 1);
	CHECK_RC(ilk_queue_lease(&h, &l, ilk_after_ms(ilk_test_limit_ms())), 0);
	assert_int_equal(leased(&l), 2);
	assert_int_equal(l.deliveries, 2);
	CHECK_RC(ilk_queue_ack(&h, &l), 0);
	ilk_test_reap(child);
	assert_int_equal(info_of(q).got, 3);
	check_valid();
}

/* A getter that was asleep before the death gets it, too. */
static void get_seven(void *arg)
{
	struct ilk_queue_handle mine = attached(q);

	(void)arg;
	assert_int_equal(get_soon(&mine), 7);
}

static void test_a_sleeping_getter_gets_what_the_dead_had(void **state)
{
	int one = 1;
	struct ilk_test_child *holder, *getter;

	(void)state;
	CHECK_RC(put(&h, 7), 0);
	holder = ilk_test_start(lease_and_stay, &one);
	ilk_test_await(0);
	getter = ilk_test_start(get_seven, NULL);
	ilk_test_await_sleepers(name, 1);
	ilk_test_kill(holder);
	ilk_test_join(getter);
}

/* It is busy: nobody ever waits. */
static void test_what_the_dead_had_comes_back_to_a_busy_queue(void **state)
{
	ilk_time limit = ilk_after_ms(ilk_test_limit_ms());
	int one = 1, back = 0;
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(put(&h, 4711), 0);
	child = ilk_test_start(lease_and_stay, &one);
	ilk_test_await(0);
	/* Its first look is for the dead, too. */
	assert_int_equal(get(&h), -EAGAIN);
	CHECK_RC(put(&h, 1), 0);
	assert_int_equal(get(&h), 1);
	ilk_test_kill(child);
	CHECK_RC(put(&h, 1), 0);
	while (!back && ilk_now() < limit) {
		CHECK_RC(put(&h, 1), 0);
		back = get(&h) == 4711;
	}
	assert_true(back);
}

static int lease_and_end(void *arg)
{
	struct ilk_queue_handle mine = attached(q);

	return ilk_queue_lease(&mine, arg, ILK_NOW);
}

static void test_a_lease_of_an_ended_thread_is_not_its_process(void **state)
{
	struct ilk_queue_lease l;

	(void)state;
	CHECK_RC(put(&h, 7), 0);
	CHECK_RC(support_in_thread(lease_and_end, &l), 0);
	assert_int_equal(get_soon(&h), 7);
	CHECK_RC(ilk_queue_ack(&h, &l), -EPERM);
}

static void reserve_and_stay(void *arg)
{
	struct ilk_queue_handle mine = attached(q);
	void *at;

	(void)arg;
	CHECK_RC(ilk_queue_reserve(&mine, 8, &at, ILK_NOW), 0);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void test_a_dead_ones_reservation_is_passed_over(void **state)
{
	struct ilk_test_child *child = ilk_test_start(reserve_and_stay, NULL);

	(void)state;
	ilk_test_await(1);
	CHECK_RC(put(&h, 1), 0);
	assert_int_equal(get(&h), -EAGAIN);
	ilk_test_stop(child);
	assert_int_equal(get(&h), -EAGAIN);
	ilk_test_kill(child);
	assert_int_equal(get(&h), 1);
	for (uint64_t i = 0; i < FOUR; i++)
		CHECK_RC(put(&h, i), 0);
	CHECK_RC(put(&h, 9), -EAGAIN);
	for (uint64_t i = 0; i < FOUR; i++)
		assert_int_equal(get(&h), i);
	assert_int_equal(info_of(q).put, FOUR + 1);
}

/* Nobody gets: who puts needs the place. */
static void test_a_putter_passes_over_a_dead_ones_reservation(void **state)
{
	struct ilk_test_child *child = ilk_test_start(reserve_and_stay, NULL);

	(void)state;
	ilk_test_await(1);
	for (uint64_t i = 1; i < FOUR; i++)
		CHECK_RC(put(&h, i), 0);
	CHECK_RC(put(&h, FOUR), -EAGAIN);
	ilk_test_kill(child);
	CHECK_RC(put(&h, FOUR), 0);
	for (int64_t i = 1; i <= FOUR; i++)
		assert_int_equal(get(&h), i);
}

static int reserve_and_end(void *arg)
{
	struct ilk_queue_handle mine = attached(q);
	void *at;

	(void)arg;
	return ilk_queue_reserve(&mine, 8, &at, ILK_NOW);
}

static void test_a_reservation_of_an_ended_thread_is_passed_over(void **state)
{
	(void)state;
	CHECK_RC(support_in_thread(reserve_and_end, NULL), 0);
	CHECK_RC(put(&h, 1), 0);
	assert_int_equal(get(&h), 1);
}

/* --- the copy of a handle --- */

/* The runner and its thread; steps of the board are the runner's and its children's. */
static pthread_barrier_t meet;

/* Its slot is free then, with the owner word as it was. */
static void *reserve_then_commit(void *at)
{
	CHECK_RC(ilk_queue_reserve(&h, 8, at, ILK_NOW), 0);
	pthread_barrier_wait(&meet);
	pthread_barrier_wait(&meet);
	CHECK_RC(ilk_queue_commit(&h, 8), 0);
	return NULL;
}

static void reserve_anew(void *arg)
{
	void *at;

	(void)arg;
	ilk_test_await(1);
	CHECK_RC(ilk_queue_reserve(&h, 8, &at, ILK_NOW), 0);
	CHECK_RC(ilk_queue_abort(&h), 0);
	CHECK_RC(ilk_queue_abort(&h), -EPERM);
}

static void test_a_child_in_its_parents_slot_has_not_its_reservation(void **state)
{
	struct ilk_test_child *child;
	pthread_t thread;
	void *at;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	assert_int_equal(get(&h), 1);
	assert_int_equal(pthread_barrier_init(&meet, NULL, 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, reserve_then_commit, &at), 0);
	pthread_barrier_wait(&meet);
	child = ilk_test_start(reserve_anew, NULL);
	pthread_barrier_wait(&meet);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_barrier_destroy(&meet);
	ilk_test_say(1);
	ilk_test_join(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_TEST(test_what_the_dead_had_leased_is_delivered_again),
		QUEUE_TEST(test_a_sleeping_getter_gets_what_the_dead_had),
		QUEUE_TEST(test_what_the_dead_had_comes_back_to_a_busy_queue),
		QUEUE_TEST(test_a_lease_of_an_ended_thread_is_not_its_process),
		QUEUE_TEST(test_a_dead_ones_reservation_is_passed_over),
		QUEUE_TEST(test_a_putter_passes_over_a_dead_ones_reservation),
		QUEUE_TEST(test_a_reservation_of_an_ended_thread_is_passed_over),
		QUEUE_TEST(test_a_child_in_its_parents_slot_has_not_its_reservation),
	};

	return RUN_QUEUE_TESTS(tests);
}
