/* condition.c - waiting, notifying, deadlines, and what misuse returns. */
#include "condition_fixture.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { THREADS = 8 };

/* --- one and all --- */

static void *take_in_thread(void *arg)
{
	take_one(arg);
	return NULL;
}

static void start_takers(pthread_t *threads, int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_in_thread, NULL), 0);
	await_waiters(count);
}

static void join_takers(pthread_t *threads, int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(guarded->taken, count);
	assert_int_equal(guarded->ready, 0);
}

/* How many waits nobody ended so far. Private, but nothing else tells. */
static int64_t lapses(void)
{
	return (int64_t)ilk_load_relaxed_(&c->lapses);
}

static void test_signal_ends_the_wait_of_one(void **state)
{
	enum { ROUNDS = 20 };
	int64_t lapsed = 0;
	pthread_t thread;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		guarded->waiting = guarded->taken = 0;
		start_takers(&thread, 1);
		lapsed -= lapses();
		make_ready(1);
		CHECK_RC(ilk_condition_signal(c), 0);
		join_takers(&thread, 1);
		lapsed += lapses();
	}
	/* On a busy machine some may look by themselves first. */
	assert_in_range(lapsed, 0, ROUNDS / 2);
}

static void test_broadcast_ends_the_waits_of_all(void **state)
{
	pthread_t threads[THREADS];
	int64_t before;

	(void)state;
	start_takers(threads, THREADS);
	before = lapses();
	make_ready(THREADS);
	CHECK_RC(ilk_condition_broadcast(c), 0);
	join_takers(threads, THREADS);
	assert_in_range(lapses() - before, 0, THREADS / 2);
}

static void test_signal_as_often_as_there_are_waiters_ends_all(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	start_takers(threads, THREADS);
	for (int i = 0; i < THREADS; i++) {
		make_ready(1);
		CHECK_RC(ilk_condition_signal(c), 0);
	}
	join_takers(threads, THREADS);
}

static void test_notifying_with_the_mutex_held_works_as_well(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	start_takers(threads, THREADS);
	CHECK_RC(ilk_mutex_lock(m), 0);
	guarded->ready = THREADS;
	CHECK_RC(ilk_condition_signal(c), 0);
	CHECK_RC(ilk_condition_broadcast(c), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	join_takers(threads, THREADS);
}

static void test_notifying_nobody_changes_nothing(void **state)
{
	struct ilk_condition before;

	(void)state;
	memcpy(&before, c, sizeof before);
	CHECK_RC(ilk_condition_signal(c), 0);
	CHECK_RC(ilk_condition_broadcast(c), 0);
	assert_memory_equal(&before, c, sizeof before);
}

static void test_notifying_who_has_gone_is_forgotten(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_condition_wait_until(c, m, ilk_after_ms(1)), ILK_TIMED_OUT);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	assert_int_equal(c->sequence % 2, 1);
	CHECK_RC(ilk_condition_signal(c), 0);
	assert_int_equal(c->sequence % 2, 0);
}

static void test_sequence_wraps_around(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	c->sequence = UINT32_MAX - 3;
	for (int i = 0; i < THREADS; i++) {
		guarded->waiting = guarded->taken = 0;
		start_takers(threads, 2);
		make_ready(2);
		CHECK_RC(ilk_condition_signal(c), 0);
		CHECK_RC(ilk_condition_broadcast(c), 0);
		join_takers(threads, 2);
	}
	assert_true(c->sequence < UINT32_MAX / 2);
}

/* --- waits that nobody ends --- */

static void test_wait_that_nobody_ends_returns_by_itself(void **state)
{
	ilk_time began = ilk_now();

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_condition_wait(c, m), 0);
	assert_int_equal(support_in_thread(can_lock, m), -EBUSY);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	assert_true(ilk_now() - began < ilk_test_limit_ms() * 1000000);
}

static void test_until_a_deadline_that_passes_is_TIMED_OUT_and_held(void **state)
{
	ilk_time began = ilk_now();

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_condition_wait_until(c, m, ilk_after_ms(10)), ILK_TIMED_OUT);
	assert_true(ilk_now() - began >= 10 * 1000000);
	CHECK_RC(ILK_WAIT_UNTIL(c, m, began + 130 * 1000000, guarded->ready), ILK_TIMED_OUT);
	assert_true(ilk_now() - began >= 130 * 1000000);
	assert_int_equal(support_in_thread(can_lock, m), -EBUSY);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_until_a_deadline_in_the_past_does_not_let_go(void **state)
{
	static const ilk_time past[] = {ILK_NOW, 1, -1, INT64_MIN};
	uint64_t acquired;

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	acquired = m->acquired;
	for (size_t i = 0; i < sizeof past / sizeof *past; i++)
		CHECK_RC(ilk_condition_wait_until(c, m, past[i]), ILK_TIMED_OUT);
	assert_int_equal(m->acquired, acquired);
	CHECK_RC(ILK_WAIT_UNTIL(c, m, ILK_NOW, guarded->ready == 0), 0);
	CHECK_RC(ILK_WAIT_UNTIL(c, m, ILK_NOW, guarded->ready == 1), ILK_TIMED_OUT);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

/* --- misuse --- */

static int wait_in_thread(void *mutex)
{
	return ilk_condition_wait(c, mutex);
}

static void child_cannot_wait(void *mutex)
{
	CHECK_RC(ilk_condition_wait(c, mutex), -EPERM);
	/* With an identity of its own, too. */
	CHECK_RC(ilk_mutex_try_lock(mutex), -EBUSY);
	CHECK_RC(ilk_condition_wait(c, mutex), -EPERM);
}

static void test_wait_without_the_mutex_is_EPERM(void **state)
{
	(void)state;
	CHECK_RC(ilk_condition_wait(c, m), -EPERM);
	CHECK_RC(ilk_mutex_lock(m), 0);
	assert_int_equal(support_in_thread(wait_in_thread, m), -EPERM);
	ilk_test_in_child(child_cannot_wait, m);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	CHECK_RC(ilk_condition_wait(c, m), -EPERM);
}

static void test_wait_with_a_mutex_held_twice_is_EDEADLK(void **state)
{
	(void)state;
	CHECK_RC(ilk_mutex_lock(recursive), 0);
	CHECK_RC(ilk_condition_wait(c, recursive), 0);
	CHECK_RC(ilk_mutex_lock(recursive), 0);
	CHECK_RC(ilk_condition_wait(c, recursive), -EDEADLK);
	CHECK_RC(ilk_mutex_unlock(recursive), 0);
	CHECK_RC(ilk_mutex_unlock(recursive), 0);
	CHECK_RC(ilk_mutex_unlock(recursive), -EPERM);
}

static void test_calls_on_what_is_no_condition_are_EINVAL(void **state)
{
	struct ilk_condition outside;
	void *block;

	(void)state;
	memset(&outside, 0, sizeof outside);
	CHECK_RC(ilk_block_open(seg, "zeros", sizeof outside, &block), 0);
	struct ilk_condition *const wrong[] = {&outside, block};

	CHECK_RC(ilk_mutex_lock(m), 0);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_RC(ilk_condition_wait(wrong[i], m), -EINVAL);
		CHECK_RC(ilk_condition_wait_until(wrong[i], m, ILK_NOW), -EINVAL);
		CHECK_RC(ilk_condition_signal(wrong[i]), -EINVAL);
		CHECK_RC(ilk_condition_broadcast(wrong[i]), -EINVAL);
	}
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_wait_with_a_mutex_elsewhere_is_EINVAL(void **state)
{
	struct ilk_segment *other = support_create(ilk_test_name("b"), NULL);
	struct ilk_mutex *elsewhere = support_mutex(other, "m");
	void *block;

	(void)state;
	CHECK_RC(ilk_mutex_lock(elsewhere), 0);
	CHECK_RC(ilk_condition_wait(c, elsewhere), -EINVAL);
	CHECK_RC(ilk_mutex_unlock(elsewhere), 0);
	CHECK_RC(ilk_block_open(seg, "zeros", 64, &block), 0);
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_condition_wait(c, block), -EINVAL);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	ilk_segment_close(other);
	support_unlink(ilk_test_name("b"));
}

static void test_calls_through_a_read_only_attachment_are_EROFS(void **state)
{
	const struct ilk_segment_options look = {
		.size = sizeof look, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_condition *seen, embedded;
	struct ilk_segment *read_only;

	(void)state;
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &look, &read_only), 0);
	CHECK_RC(ilk_condition_open(read_only, "c", &seen), 0);
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_condition_wait(seen, m), -EROFS);
	CHECK_RC(ilk_condition_signal(seen), -EROFS);
	CHECK_RC(ilk_condition_broadcast(seen), -EROFS);
	CHECK_RC(ilk_condition_init(read_only, seen, ""), -EROFS);
	CHECK_RC(ilk_condition_init(read_only, &embedded, ""), -EINVAL);
	/* The other attachment is not hindered by it. */
	CHECK_RC(ilk_condition_wait(c, m), 0);
	CHECK_RC(ilk_condition_signal(c), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	ilk_segment_close(read_only);
}

/* --- making one --- */

static void test_open_finds_the_same_and_no_other_type(void **state)
{
	struct ilk_condition *found = NULL;

	(void)state;
	CHECK_RC(ilk_condition_open(seg, "c", &found), 0);
	assert_ptr_equal(found, c);
	found = NULL;
	CHECK_RC(ilk_condition_open(seg, "m", &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "type"));
	CHECK_RC(ilk_condition_open(seg, "", &found), -EINVAL);
	assert_null(found);
}

static void test_init_in_a_block_makes_a_condition(void **state)
{
	void *block;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "mine", sizeof *c, &block), 0);
	CHECK_RC(ilk_condition_init(seg, block, "full"), 0);
	c = block;
	CHECK_RC(ilk_condition_signal(c), 0);
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_condition_wait(c, m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	CHECK_RC(ilk_condition_init(seg, (struct ilk_condition *)((char *)block + 8), "odd"),
		-EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONDITION_TEST(test_signal_ends_the_wait_of_one),
		CONDITION_TEST(test_broadcast_ends_the_waits_of_all),
		CONDITION_TEST(test_signal_as_often_as_there_are_waiters_ends_all),
		CONDITION_TEST(test_notifying_with_the_mutex_held_works_as_well),
		CONDITION_TEST(test_notifying_nobody_changes_nothing),
		CONDITION_TEST(test_notifying_who_has_gone_is_forgotten),
		CONDITION_TEST(test_sequence_wraps_around),
		CONDITION_TEST(test_wait_that_nobody_ends_returns_by_itself),
		CONDITION_TEST(test_until_a_deadline_that_passes_is_TIMED_OUT_and_held),
		CONDITION_TEST(test_until_a_deadline_in_the_past_does_not_let_go),
		CONDITION_TEST(test_wait_without_the_mutex_is_EPERM),
		CONDITION_TEST(test_wait_with_a_mutex_held_twice_is_EDEADLK),
		CONDITION_TEST(test_calls_on_what_is_no_condition_are_EINVAL),
		CONDITION_TEST(test_wait_with_a_mutex_elsewhere_is_EINVAL),
		CONDITION_TEST(test_calls_through_a_read_only_attachment_are_EROFS),
		CONDITION_TEST(test_open_finds_the_same_and_no_other_type),
		CONDITION_TEST(test_init_in_a_block_makes_a_condition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
