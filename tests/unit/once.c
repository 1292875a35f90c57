/* once.c - who is elected, what the others get, and what misuse returns; deaths: once_death.c. */
#include "once_fixture.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

/* --- done --- */

static void test_first_is_elected_and_the_others_get_what_was_published(void **state)
{
	int64_t value = 0;

	(void)state;
	CHECK_RC(ilk_once_value(o, &value), -EAGAIN);
	CHECK_RC(ilk_once_begin(o, &value), ILK_ELECTED);
	CHECK_RC(ilk_once_value(o, NULL), -EAGAIN);
	CHECK_RC(ilk_once_done(o, -ANSWER), 0);
	assert_int_equal(value, 0);
	CHECK_RC(ilk_once_value(o, &value), 0);
	assert_int_equal(value, -ANSWER);
	value = 0;
	CHECK_RC(ilk_once_begin(o, &value), 0);
	assert_int_equal(value, -ANSWER);
	CHECK_RC(ilk_once_begin_until(o, ILK_NOW, NULL), 0);
	/* Twice is once too often. */
	CHECK_RC(ilk_once_done(o, 1), -EPERM);
	CHECK_RC(ilk_once_give_up(o), -EPERM);
	CHECK_RC(ilk_once_value(o, &value), 0);
	assert_int_equal(value, -ANSWER);
}

static void run_once_with_others(struct ilk_segment *own, unsigned index, void *arg)
{
	(void)own, (void)index;
	run_once(arg);
}

static void test_run_by_many_runs_it_once(void **state)
{
	const struct ilk_test_options threads = {.size = sizeof threads, .flags = ILK_TEST_THREADS};

	(void)state;
	ilk_test_run(THREADS, NULL, run_once_with_others, NULL, &threads);
	ilk_test_run(3, NULL, run_once_with_others, NULL, NULL);
	assert_int_equal(get(MADE), 1);
	assert_int_equal(get(TOLD), 0);
	CHECK_RC(ilk_once_run(o, make, NULL, NULL), 0);
}

static void hold_it(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_once_begin(o, NULL), ILK_ELECTED);
	ilk_test_say(AT_IT);
	ilk_test_await(GO_ON);
	CHECK_RC(ilk_once_done(o, ANSWER), 0);
}

static void *get_answer(void *arg)
{
	int64_t value = 0;

	(void)arg;
	CHECK_RC(ilk_once_begin_until(o, patience(), &value), 0);
	CHECK(value == ANSWER);
	return NULL;
}

static void test_who_waits_asleep_gets_what_was_published(void **state)
{
	struct ilk_test_child *child = ilk_test_start(hold_it, NULL);
	pthread_t threads[THREADS];

	(void)state;
	ilk_test_await(AT_IT);
	CHECK_RC(ilk_once_begin_until(o, ILK_NOW, NULL), -ETIMEDOUT);
	CHECK_RC(ilk_once_begin_until(o, ilk_after_ms(30), NULL), -ETIMEDOUT);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, get_answer, NULL), 0);
	ilk_test_await_sleepers(ilk_test_name(""), THREADS);
	ilk_test_say(GO_ON);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	ilk_test_join(child);
}

/* --- not done --- */

static void test_run_that_fails_lets_the_next_try(void **state)
{
	int error = -ENOSPC;

	(void)state;
	CHECK_RC(ilk_once_run(o, fail_to_make, &error, NULL), -ENOSPC);
	CHECK_RC(ilk_once_value(o, NULL), -EAGAIN);
	CHECK_RC(ilk_once_begin(o, NULL), ILK_ELECTED);
	CHECK_RC(ilk_once_give_up(o), 0);
	CHECK_RC(ilk_once_run(o, make, NULL, NULL), 0);
	CHECK_RC(ilk_once_run(o, fail_to_make, &error, NULL), 0);
	assert_int_equal(get(TOLD), 0);
}

static void give_it_up(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_once_begin(o, NULL), ILK_ELECTED);
	ilk_test_say(AT_IT);
	ilk_test_await(GO_ON);
	CHECK_RC(ilk_once_give_up(o), 0);
}

static void test_give_up_hands_over_to_one_who_waits(void **state)
{
	struct ilk_test_child *child = ilk_test_start(give_it_up, NULL);
	pthread_t threads[THREADS];

	(void)state;
	ilk_test_await(AT_IT);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_in_thread, NULL), 0);
	ilk_test_await_sleepers(ilk_test_name(""), THREADS);
	ilk_test_say(GO_ON);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	ilk_test_join(child);
	assert_int_equal(get(MADE), 1);
}

/* --- misuse --- */

static void child_is_not_at_it(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_once_done(o, 1), -EPERM);
	CHECK_RC(ilk_once_give_up(o), -EPERM);
	CHECK_RC(ilk_once_begin_until(o, ILK_NOW, NULL), -ETIMEDOUT);
	CHECK_RC(ilk_once_done(o, 1), -EPERM);
}

static int done_in_thread(void *arg)
{
	(void)arg;
	return ilk_once_done(o, 1);
}

static void test_done_by_another_is_EPERM(void **state)
{
	(void)state;
	CHECK_RC(ilk_once_done(o, 1), -EPERM);
	CHECK_RC(ilk_once_begin(o, NULL), ILK_ELECTED);
	assert_int_equal(support_in_thread(done_in_thread, NULL), -EPERM);
	ilk_test_in_child(child_is_not_at_it, NULL);
	CHECK_RC(ilk_once_give_up(o), 0);
	CHECK_RC(ilk_once_give_up(o), -EPERM);
}

static int run_again(void *arg, int told, int64_t *value)
{
	(void)arg, (void)told, (void)value;
	CHECK_RC(ilk_once_begin_until(o, ILK_NOW, NULL), -EDEADLK);
	return ilk_once_run(o, make, NULL, NULL);
}

static void test_begin_by_who_is_at_it_is_EDEADLK(void **state)
{
	(void)state;
	CHECK_RC(ilk_once_run(o, run_again, NULL, NULL), -EDEADLK);
	CHECK_RC(ilk_once_begin(o, NULL), ILK_ELECTED);
	CHECK_RC(ilk_once_begin(o, NULL), -EDEADLK);
	CHECK_RC(ilk_once_done(o, 1), 0);
}

static void test_calls_on_what_is_no_once_are_EINVAL(void **state)
{
	struct ilk_once outside;
	void *block;

	(void)state;
	memset(&outside, 0, sizeof outside);
	CHECK_RC(ilk_block_open(seg, "zeros", sizeof outside, &block), 0);
	struct ilk_once *const wrong[] = {&outside, block};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_RC(ilk_once_begin(wrong[i], NULL), -EINVAL);
		CHECK_RC(ilk_once_begin_until(wrong[i], ILK_NOW, NULL), -EINVAL);
		CHECK_RC(ilk_once_run(wrong[i], make, NULL, NULL), -EINVAL);
		CHECK_RC(ilk_once_done(wrong[i], 1), -EINVAL);
		CHECK_RC(ilk_once_give_up(wrong[i]), -EINVAL);
		CHECK_RC(ilk_once_value(wrong[i], NULL), -EINVAL);
	}
}

static void test_read_only_sees_what_is_done_and_does_nothing(void **state)
{
	const struct ilk_segment_options look = {
		.size = sizeof look, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *read_only;
	struct ilk_once *seen;
	int64_t value = 0;

	(void)state;
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &look, &read_only), 0);
	CHECK_RC(ilk_once_open(read_only, "o", &seen), 0);
	CHECK_RC(ilk_once_begin(seen, NULL), -EROFS);
	CHECK_RC(ilk_once_value(seen, NULL), -EAGAIN);
	CHECK_RC(ilk_once_done(seen, 1), -EROFS);
	CHECK_RC(ilk_once_init(read_only, seen, ""), -EROFS);
	CHECK_RC(ilk_once_run(o, make, NULL, NULL), 0);
	CHECK_RC(ilk_once_begin(seen, &value), 0);
	assert_int_equal(value, ANSWER);
	ilk_segment_close(read_only);
}

/* --- making one --- */

static void test_open_finds_the_same_and_no_other_type(void **state)
{
	struct ilk_once *found = NULL;

	(void)state;
	CHECK_RC(ilk_once_open(seg, "o", &found), 0);
	assert_ptr_equal(found, o);
	found = NULL;
	support_counter(seg, "hits");
	CHECK_RC(ilk_once_open(seg, "hits", &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "counter"));
	assert_null(found);
}

static void test_init_in_a_block_makes_a_once(void **state)
{
	void *block;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "mine", sizeof *o, &block), 0);
	CHECK_RC(ilk_once_init(seg, block, "table"), 0);
	o = block;
	CHECK_RC(ilk_once_run(o, make, NULL, NULL), 0);
	CHECK_RC(ilk_once_init(seg, (struct ilk_once *)((char *)block + 8), "odd"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONCE_TEST(test_first_is_elected_and_the_others_get_what_was_published),
		ONCE_TEST(test_run_by_many_runs_it_once),
		ONCE_TEST(test_who_waits_asleep_gets_what_was_published),
		ONCE_TEST(test_run_that_fails_lets_the_next_try),
		ONCE_TEST(test_give_up_hands_over_to_one_who_waits),
		ONCE_TEST(test_done_by_another_is_EPERM),
		ONCE_TEST(test_begin_by_who_is_at_it_is_EDEADLK),
		ONCE_TEST(test_calls_on_what_is_no_once_are_EINVAL),
		ONCE_TEST(test_read_only_sees_what_is_done_and_does_nothing),
		ONCE_TEST(test_open_finds_the_same_and_no_other_type),
		ONCE_TEST(test_init_in_a_block_makes_a_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
