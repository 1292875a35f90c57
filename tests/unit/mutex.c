/* mutex.c - lock, try, until, unlock, and what misuse returns; deaths are in mutex_death.c. */
#include "mutex_fixture.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- lock and unlock --- */

static void test_lock_of_a_free_one_is_held(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	assert_int_equal(support_in_thread(try_from_a_thread, m), -EBUSY);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	assert_int_equal(support_in_thread(try_from_a_thread, m), 0);
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_lock_by_its_owner_is_EDEADLK(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_lock(m), -EDEADLK);
	CHECK_RC(ilk_mutex_try_lock(m), -EDEADLK);
	CHECK_RC(ilk_mutex_lock_until(m, ilk_after_ms(10)), -EDEADLK);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), -EPERM);
}

static void test_unlock_of_a_free_one_is_EPERM(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_unlock(m), -EPERM);
	/* And with the segment known to the thread, as after any use. */
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), -EPERM);
	CHECK_RC(ilk_mutex_unlock(recursive), -EPERM);
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_unlock_by_another_thread_is_EPERM(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	assert_int_equal(support_in_thread(unlock_from_a_thread, m), -EPERM);
	assert_int_equal(support_in_thread(try_from_a_thread, m), -EBUSY);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void child_cannot_unlock(void *mutex)
{
	CHECK_RC(ilk_mutex_unlock(mutex), -EPERM);
	CHECK_RC(ilk_mutex_try_lock(mutex), -EBUSY);
	CHECK_RC(ilk_mutex_unlock(mutex), -EPERM);
	CHECK_RC(ilk_mutex_repaired(mutex), -EPERM);
}

static void test_unlock_by_a_forked_child_is_EPERM(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	ilk_test_in_child(child_cannot_unlock, m);
	assert_int_equal(support_in_thread(try_from_a_thread, m), -EBUSY);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_try_lock_of_a_held_one_is_EBUSY(void **state)
{
	struct ilk_test_child *holder = start_holder(m);

	(void)state;
	CHECK_RC(ilk_mutex_try_lock(m), -EBUSY);
	CHECK_RC(ilk_mutex_unlock(m), -EPERM);
	ilk_test_kill(holder);
}

/* --- deadlines --- */

static void test_until_a_deadline_that_passes_is_ETIMEDOUT(void **state)
{
	struct ilk_test_child *holder = start_holder(m);
	ilk_time began = ilk_now();

	(void)state;
	CHECK_RC(ilk_mutex_lock_until(m, began + 50 * 1000000), -ETIMEDOUT);
	assert_true(ilk_now() - began >= 50 * 1000000);
	assert_true(ilk_now() - began < ilk_test_limit_ms() * 1000000);
	ilk_test_kill(holder);
}

static void test_until_a_deadline_in_the_past_tries_once(void **state)
{
	static const ilk_time past[] = {ILK_NOW, 1, -1, INT64_MIN};
	struct ilk_test_child *holder = start_holder(m);

	(void)state;
	for (size_t i = 0; i < sizeof past / sizeof *past; i++)
		CHECK_RC(ilk_mutex_lock_until(m, past[i]), -ETIMEDOUT);
	ilk_test_kill(holder);
	CHECK_RC(ilk_mutex_lock_until(m, ILK_NOW), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_repaired(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	for (size_t i = 0; i < sizeof past / sizeof *past; i++) {
		CHECK_RC(ilk_mutex_lock_until(m, past[i]), 0);
		CHECK_RC(ilk_mutex_unlock(m), 0);
	}
}

static int lock_with_patience(void *mutex)
{
	int rc = ilk_mutex_lock_until(mutex, ilk_after_ms(ilk_test_limit_ms()));

	if (rc >= 0)
		CHECK_RC(ilk_mutex_unlock(mutex), 0);
	return rc;
}

static void *call_with_patience(void *mutex)
{
	CHECK_RC(lock_with_patience(mutex), 0);
	return NULL;
}

static void test_until_a_deadline_gets_what_is_let_go(void **state)
{
	pthread_t thread;

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	assert_int_equal(pthread_create(&thread, NULL, call_with_patience, m), 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_lock_asleep_gets_what_is_let_go_by_each(void **state)
{
	enum { THREADS = 8 };
	pthread_t threads[THREADS];

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_with_patience, m), 0);
	ilk_test_await_sleepers(ilk_test_name(""), THREADS);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* --- recursive --- */

static void test_recursive_lock_needs_as_many_unlocks(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		CHECK_RC(ilk_mutex_lock(recursive), 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(support_in_thread(try_from_a_thread, recursive), -EBUSY);
		assert_int_equal(support_in_thread(unlock_from_a_thread, recursive), -EPERM);
		CHECK_RC(ilk_mutex_unlock(recursive), 0);
	}
	CHECK_RC(ilk_mutex_unlock(recursive), -EPERM);
	assert_int_equal(support_in_thread(try_from_a_thread, recursive), 0);
}

static void test_recursive_lock_too_often_is_EOVERFLOW(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(recursive), 0);
	CHECK_RC(ilk_mutex_lock(recursive), 0);
	/* 2^32 real locks would take a minute: the private count says they have been. */
	recursive->depth = UINT32_MAX;
	CHECK_RC(ilk_mutex_lock(recursive), -EOVERFLOW);
	CHECK_RC(ilk_mutex_try_lock(recursive), -EOVERFLOW);
	recursive->depth = 1;
	CHECK_RC(ilk_mutex_unlock(recursive), 0);
	CHECK_RC(ilk_mutex_unlock(recursive), 0);
	CHECK_RC(ilk_mutex_unlock(recursive), -EPERM);
}

/* --- what is no mutex --- */

static void test_calls_on_what_is_no_mutex_are_EINVAL(void **state)
{
	struct ilk_mutex outside;
	struct ilk_mutex_owner owner;
	void *block;

	(void)state;
	memset(&outside, 0, sizeof outside);
	CHECK_RC(ilk_block_open(seg, "zeros", sizeof outside, &block), 0);
	struct ilk_mutex *const wrong[] = {&outside, block};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_RC(ilk_mutex_lock(wrong[i]), -EINVAL);
		CHECK_RC(ilk_mutex_try_lock(wrong[i]), -EINVAL);
		CHECK_RC(ilk_mutex_lock_until(wrong[i], ilk_after_ms(10)), -EINVAL);
		CHECK_RC(ilk_mutex_unlock(wrong[i]), -EINVAL);
		CHECK_RC(ilk_mutex_repaired(wrong[i]), -EINVAL);
		CHECK_RC(ilk_mutex_owner(wrong[i], &owner), -EINVAL);
	}
}

/* --- who holds it --- */

static int holder_of(struct ilk_mutex *mutex)
{
	struct ilk_mutex_owner owner;

	CHECK_RC(ilk_mutex_owner(mutex, &owner), 0);
	return (int)owner.holder;
}

static int ask_for_holder(void *mutex)
{
	return holder_of(mutex);
}

static void test_owner_of_a_free_one_is_nobody(void **state)
{
	(void)state;
	assert_int_equal(holder_of(m), ILK_HELD_BY_NOBODY);
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	assert_int_equal(holder_of(m), ILK_HELD_BY_NOBODY);
}

static void test_owner_is_me_or_another_by_who_asks(void **state)
{
	struct ilk_mutex_owner owner;
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	assert_int_equal(owner.holder, ILK_HELD_BY_ME);
	assert_int_equal(owner.pid, getpid());
	assert_int_equal(owner.tid, gettid());
	assert_int_equal(owner.damaged, 0);
	assert_int_equal(support_in_thread(ask_for_holder, m), ILK_HELD_BY_LIVING);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	child = start_holder(m);
	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	assert_int_equal(owner.holder, ILK_HELD_BY_LIVING);
	assert_int_equal(owner.pid, child->pid);
	ilk_test_kill(child);
}

static void child_asks_for_its_parent(void *mutex)
{
	CHECK(holder_of(mutex) == ILK_HELD_BY_LIVING);
}

static void test_owner_asked_by_a_forked_child_is_another(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	ilk_test_in_child(child_asks_for_its_parent, m);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_owner_killed_is_dead_and_then_damaged(void **state)
{
	struct ilk_mutex_owner owner;

	(void)state;
	ilk_test_kill(start_holder(m));
	assert_int_equal(holder_of(m), ILK_HELD_BY_DEAD);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	assert_int_equal(owner.holder, ILK_HELD_BY_ME);
	assert_int_equal(owner.damaged, 1);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	assert_int_equal(owner.holder, ILK_HELD_BY_NOBODY);
	assert_int_equal(owner.damaged, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MUTEX_TEST(test_lock_of_a_free_one_is_held),
		MUTEX_TEST(test_lock_by_its_owner_is_EDEADLK),
		MUTEX_TEST(test_unlock_of_a_free_one_is_EPERM),
		MUTEX_TEST(test_unlock_by_another_thread_is_EPERM),
		MUTEX_TEST(test_unlock_by_a_forked_child_is_EPERM),
		MUTEX_TEST(test_try_lock_of_a_held_one_is_EBUSY),
		MUTEX_TEST(test_until_a_deadline_that_passes_is_ETIMEDOUT),
		MUTEX_TEST(test_until_a_deadline_in_the_past_tries_once),
		MUTEX_TEST(test_until_a_deadline_gets_what_is_let_go),
		MUTEX_TEST(test_lock_asleep_gets_what_is_let_go_by_each),
		MUTEX_TEST(test_recursive_lock_needs_as_many_unlocks),
		MUTEX_TEST(test_recursive_lock_too_often_is_EOVERFLOW),
		MUTEX_TEST(test_calls_on_what_is_no_mutex_are_EINVAL),
		MUTEX_TEST(test_owner_of_a_free_one_is_nobody),
		MUTEX_TEST(test_owner_is_me_or_another_by_who_asks),
		MUTEX_TEST(test_owner_asked_by_a_forked_child_is_another),
		MUTEX_TEST(test_owner_killed_is_dead_and_then_damaged),
	};

	return RUN_MUTEX_TESTS(tests);
}
