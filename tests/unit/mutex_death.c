/* mutex_death.c - what the next locker gets when an owner has died or left. */
#include "mutex_fixture.h"
#include <pthread.h>
#include <string.h>

static void put_right(struct ilk_mutex *mutex)
{
	CHECK_RC(ilk_mutex_repaired(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
}

static void test_lock_after_a_death_is_RECOVERED_until_repaired(void **state)
{
	(void)state;
	ilk_test_kill(start_holder(m));
	for (int i = 0; i < 3; i++) {
		CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
		CHECK_RC(ilk_mutex_unlock(m), 0);
	}
	CHECK_RC(ilk_mutex_try_lock(m), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	assert_int_equal(support_in_thread(try_from_a_thread, m), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_lock_until(m, ilk_after_ms(10)), ILK_RECOVERED);
	put_right(m);
}

static void test_try_lock_after_a_death_is_RECOVERED(void **state)
{
	(void)state;
	ilk_test_kill(start_holder(m));
	CHECK_RC(ilk_mutex_try_lock(m), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_lock(m), -EDEADLK);
	put_right(m);
}

static void test_until_after_a_death_is_RECOVERED(void **state)
{
	(void)state;
	ilk_test_kill(start_holder(m));
	CHECK_RC(ilk_mutex_lock_until(m, ilk_after_ms(ilk_test_limit_ms())), ILK_RECOVERED);
	put_right(m);
}

/* --- repaired --- */

static void test_repaired_by_one_who_does_not_hold_it_is_EPERM(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_repaired(m), -EPERM);
	ilk_test_kill(start_holder(m));
	CHECK_RC(ilk_mutex_repaired(m), -EPERM);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	CHECK_RC(ilk_mutex_repaired(m), -EPERM);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	put_right(m);
}

static void test_repaired_where_nothing_was_damaged_is_0(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_repaired(m), 0);
	CHECK_RC(ilk_mutex_repaired(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	CHECK_RC(ilk_mutex_lock(recursive), 0);
	CHECK_RC(ilk_mutex_lock(recursive), 0);
	CHECK_RC(ilk_mutex_repaired(recursive), 0);
	CHECK_RC(ilk_mutex_unlock(recursive), 0);
	CHECK_RC(ilk_mutex_unlock(recursive), 0);
	CHECK_RC(ilk_mutex_unlock(recursive), -EPERM);
}

static void recover_and_hold(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), ILK_RECOVERED);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void test_lock_after_the_recoverer_died_too_is_RECOVERED(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	ilk_test_kill(start_holder(m));
	child = ilk_test_start(recover_and_hold, m);
	ilk_test_await(1);
	ilk_test_kill(child);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	put_right(m);
}

static void repair_and_hold(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_repaired(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void test_lock_after_the_repairer_died_is_0(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	ilk_test_kill(start_holder(m));
	child = ilk_test_start(repair_and_hold, m);
	ilk_test_await(1);
	ilk_test_kill(child);
	CHECK_RC(ilk_mutex_lock(m), 0);
	put_right(m);
}

/* --- recursive --- */

static void hold_deeply(void *mutex)
{
	for (int i = 0; i < 4; i++)
		CHECK_RC(ilk_mutex_lock(mutex), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_recursive_lock_after_a_death_begins_at_one(void **state)
{
	struct ilk_test_child *child = ilk_test_start(hold_deeply, recursive);

	(void)state;
	ilk_test_await(0);
	CHECK_RC(ilk_mutex_try_lock(recursive), -EBUSY);
	ilk_test_kill(child);
	CHECK_RC(ilk_mutex_lock(recursive), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_repaired(recursive), 0);
	CHECK_RC(ilk_mutex_unlock(recursive), 0);
	CHECK_RC(ilk_mutex_unlock(recursive), -EPERM);
	assert_int_equal(support_in_thread(try_from_a_thread, recursive), 0);
}

static void test_recursive_lock_recovered_can_be_taken_again(void **state)
{
	(void)state;
	ilk_test_kill(start_holder(recursive));
	CHECK_RC(ilk_mutex_lock(recursive), ILK_RECOVERED);
	assert_true(ilk_mutex_lock(recursive) >= 0);
	CHECK_RC(ilk_mutex_repaired(recursive), 0);
	CHECK_RC(ilk_mutex_unlock(recursive), 0);
	assert_int_equal(support_in_thread(try_from_a_thread, recursive), -EBUSY);
	CHECK_RC(ilk_mutex_unlock(recursive), 0);
	assert_int_equal(support_in_thread(try_from_a_thread, recursive), 0);
}

/* --- sleepers --- */

static void recover_asleep(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), ILK_RECOVERED);
	ilk_test_board()->value[0] = ilk_now();
	CHECK_RC(ilk_mutex_repaired(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
}

static void test_sleeper_is_RECOVERED_soon_after_the_death(void **state)
{
	struct ilk_test_child *holder = start_holder(m);
	struct ilk_test_child *sleeper = ilk_test_start(recover_asleep, m);
	ilk_time killed;

	(void)state;
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	killed = ilk_now();
	ilk_test_kill(holder);
	ilk_test_join(sleeper);
	/* 20 ms and the death itself are promised; an idle machine shows that, a busy one less. */
	assert_true(ilk_test_board()->value[0] - killed < ilk_test_limit_ms() * 1000000 / 10);
	CHECK_RC(ilk_mutex_lock(m), 0);
	put_right(m);
}

static void lock_asleep(void *mutex)
{
	int rc = ilk_mutex_lock(mutex);

	CHECK(rc == 0 || rc == ILK_RECOVERED);
	CHECK_RC(ilk_mutex_repaired(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
}

static void test_all_sleepers_get_on_when_owner_and_a_sleeper_die(void **state)
{
	struct ilk_test_child *holder = start_holder(m);
	struct ilk_test_child *sleepers[5];

	(void)state;
	for (int i = 0; i < 5; i++)
		sleepers[i] = ilk_test_start(lock_asleep, m);
	ilk_test_await_sleepers(ilk_test_name(""), 5);
	ilk_test_kill(sleepers[2]);
	ilk_test_kill(holder);
	for (int i = 0; i < 5; i++)
		if (i != 2)
			ilk_test_join(sleepers[i]);
	CHECK_RC(ilk_mutex_lock(m), 0);
	put_right(m);
}

static void test_a_dead_sleeper_takes_no_wakeup_with_it(void **state)
{
	struct ilk_test_child *dead, *alive;

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	dead = ilk_test_start(lock_asleep, m);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	alive = ilk_test_start(lock_asleep, m);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	/* Stopped, it is woken and cannot act on it; then it dies of that. */
	ilk_test_stop(dead);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	ilk_test_kill(dead);
	ilk_test_join(alive);
}

/* --- leaving without dying --- */

static int lock_and_end(void *mutex)
{
	return ilk_mutex_lock(mutex);
}

static void test_lock_after_a_thread_ended_in_it_is_RECOVERED(void **state)
{
	struct ilk_mutex_owner owner;

	(void)state;
	assert_int_equal(support_in_thread(lock_and_end, m), 0);
	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	assert_int_equal(owner.holder, ILK_HELD_BY_DEAD);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	put_right(m);
	/* The next thread of the same slot is another. */
	assert_int_equal(support_in_thread(lock_and_end, m), 0);
	assert_int_equal(support_in_thread(unlock_from_a_thread, m), -EPERM);
	assert_int_equal(support_in_thread(try_from_a_thread, m), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	put_right(m);
}

static void *lock_until_told(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	ilk_test_say(0);
	ilk_test_await(1);
	return NULL;
}

static void test_sleeper_is_RECOVERED_when_the_owning_thread_ends(void **state)
{
	struct ilk_test_child *sleeper;
	pthread_t thread;

	(void)state;
	SKIP_UNDER_TSAN();
	assert_int_equal(pthread_create(&thread, NULL, lock_until_told, m), 0);
	ilk_test_await(0);
	sleeper = ilk_test_start(recover_asleep, m);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	ilk_test_say(1);
	assert_int_equal(pthread_join(thread, NULL), 0);
	ilk_test_join(sleeper);
}

static void lock_and_close(void *name)
{
	struct ilk_segment *own = support_open(name);

	CHECK_RC(ilk_mutex_lock(support_mutex(own, "plain")), 0);
	/* The inherited attachment first: the last close counts. */
	ilk_segment_close(seg);
	ilk_segment_close(own);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_lock_after_a_process_closed_in_it_is_RECOVERED(void **state)
{
	char name[64];
	struct ilk_test_child *child;

	(void)state;
	strcpy(name, ilk_test_name(""));
	child = ilk_test_start(lock_and_close, name);
	ilk_test_await(0);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	put_right(m);
	ilk_test_kill(child);
}

/* --- not dead --- */

static void test_a_stopped_owner_is_not_dead(void **state)
{
	struct ilk_test_child *holder = start_holder(m);
	struct ilk_mutex_owner owner;

	(void)state;
	ilk_test_stop(holder);
	CHECK_RC(ilk_mutex_try_lock(m), -EBUSY);
	CHECK_RC(ilk_mutex_lock_until(m, ilk_after_ms(100)), -ETIMEDOUT);
	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	assert_int_equal(owner.holder, ILK_HELD_BY_LIVING);
	ilk_test_kill(holder);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	put_right(m);
}

static void test_a_zombie_is_dead(void **state)
{
	struct ilk_test_child *holder = start_holder(m);

	(void)state;
	ilk_test_kill_only(holder);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	put_right(m);
	ilk_test_reap(holder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MUTEX_TEST(test_lock_after_a_death_is_RECOVERED_until_repaired),
		MUTEX_TEST(test_try_lock_after_a_death_is_RECOVERED),
		MUTEX_TEST(test_until_after_a_death_is_RECOVERED),
		MUTEX_TEST(test_repaired_by_one_who_does_not_hold_it_is_EPERM),
		MUTEX_TEST(test_repaired_where_nothing_was_damaged_is_0),
		MUTEX_TEST(test_lock_after_the_recoverer_died_too_is_RECOVERED),
		MUTEX_TEST(test_lock_after_the_repairer_died_is_0),
		MUTEX_TEST(test_recursive_lock_after_a_death_begins_at_one),
		MUTEX_TEST(test_recursive_lock_recovered_can_be_taken_again),
		MUTEX_TEST(test_sleeper_is_RECOVERED_soon_after_the_death),
		MUTEX_TEST(test_all_sleepers_get_on_when_owner_and_a_sleeper_die),
		MUTEX_TEST(test_a_dead_sleeper_takes_no_wakeup_with_it),
		MUTEX_TEST(test_lock_after_a_thread_ended_in_it_is_RECOVERED),
		MUTEX_TEST(test_sleeper_is_RECOVERED_when_the_owning_thread_ends),
		MUTEX_TEST(test_lock_after_a_process_closed_in_it_is_RECOVERED),
		MUTEX_TEST(test_a_stopped_owner_is_not_dead),
		MUTEX_TEST(test_a_zombie_is_dead),
	};

	return RUN_MUTEX_TESTS(tests);
}
