/* semaphore.c - post, wait, try, until, value; opening, embedding, closing; what misuse returns. */
#include "semaphore_fixture.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>

static const struct ilk_semaphore_options three = {.size = sizeof three, .value = 3};

/* --- posting and waiting --- */

static void test_wait_takes_what_was_posted(void **state)
{
	(void)state;
	CHECK_RC(ilk_semaphore_post(s), 0);
	CHECK_RC(ilk_semaphore_post(s), 0);
	assert_int_equal(value_of(s), 2);
	CHECK_RC(ilk_semaphore_wait(s), 0);
	CHECK_RC(ilk_semaphore_try_wait(s), 0);
	assert_int_equal(value_of(s), 0);
}

static void test_wait_takes_what_was_there_at_first(void **state)
{
	struct ilk_semaphore *full;

	(void)state;
	CHECK_RC(ilk_semaphore_open(seg, "full", &three, &full), 0);
	for (int i = 0; i < 3; i++)
		CHECK_RC(ilk_semaphore_wait_until(full, ILK_NOW), 0);
	CHECK_RC(ilk_semaphore_try_wait(full), -EAGAIN);
}

static void test_wait_of_an_empty_one_ends_at_its_deadline(void **state)
{
	static const ilk_time past[] = {ILK_NOW, 1, -1, INT64_MIN};
	ilk_time began = ilk_now();

	(void)state;
	CHECK_RC(ilk_semaphore_try_wait(s), -EAGAIN);
	for (size_t i = 0; i < sizeof past / sizeof *past; i++)
		CHECK_RC(ilk_semaphore_wait_until(s, past[i]), -ETIMEDOUT);
	CHECK_RC(ilk_semaphore_wait_until(s, began + 70 * 1000000), -ETIMEDOUT);
	assert_true(ilk_now() - began >= 70 * 1000000);
	/* Who gave up is not counted any more. */
	assert_int_equal(*(const uint64_t *)(const void *)&s->posix, 0);
}

static void test_post_beyond_the_maximum_is_EOVERFLOW(void **state)
{
	(void)state;
	CHECK_RC(ilk_semaphore_post_n(s, ILK_SEMAPHORE_MAX - 1), 0);
	CHECK_RC(ilk_semaphore_post_n(s, 2), -EOVERFLOW);
	CHECK_RC(ilk_semaphore_post_n(s, UINT_MAX), -EOVERFLOW);
	CHECK_RC(ilk_semaphore_post_n(s, 0), 0);
	CHECK_RC(ilk_semaphore_post(s), 0);
	CHECK_RC(ilk_semaphore_post(s), -EOVERFLOW);
	CHECK_RC(ilk_semaphore_post_n(s, 1), -EOVERFLOW);
	assert_int_equal(value_of(s), ILK_SEMAPHORE_MAX);
	CHECK_RC(ilk_semaphore_wait(s), 0);
	CHECK_RC(ilk_semaphore_post(s), 0);
}

/* --- asleep --- */

enum { SLEEPERS = 6 };

static void *wait_for_one(void *semaphore)
{
	CHECK_RC(ilk_semaphore_wait(semaphore), 0);
	return NULL;
}

static void wait_in_child(void *semaphore)
{
	wait_for_one(semaphore);
}

static void test_post_n_wakes_as_many_sleepers(void **state)
{
	pthread_t threads[SLEEPERS];

	(void)state;
	for (int i = 0; i < SLEEPERS; i++)
		CHECK(pthread_create(&threads[i], NULL, wait_for_one, s) == 0);
	ilk_test_await_sleepers(name, SLEEPERS);
	CHECK_RC(ilk_semaphore_post_n(s, SLEEPERS), 0);
	for (int i = 0; i < SLEEPERS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	assert_int_equal(*(const uint64_t *)(const void *)&s->posix, 0);
}

static void test_post_wakes_a_sleeper_of_another_process(void **state)
{
	struct ilk_test_child *child = ilk_test_start(wait_in_child, s);

	(void)state;
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_semaphore_post(s), 0);
	ilk_test_join(child);
	assert_int_equal(value_of(s), 0);
}

static void *note_when_it_came(void *semaphore)
{
	wait_for_one(semaphore);
	ilk_test_board()->value[0] = ilk_now();
	return NULL;
}

/* A sleeper that nobody wakes finds out by itself, but hardly ever so soon after it fell asleep. */
static void test_post_wakes_at_once(void **state)
{
	enum { ROUNDS = 12 };
	int soon = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		pthread_t thread;
		ilk_time posted;

		CHECK(pthread_create(&thread, NULL, note_when_it_came, s) == 0);
		ilk_test_await_sleepers(name, 1);
		posted = ilk_now();
		CHECK_RC(ilk_semaphore_post(s), 0);
		CHECK(pthread_join(thread, NULL) == 0);
		soon += ilk_test_board()->value[0] - posted < 20 * 1000000;
	}
	assert_true(soon >= ROUNDS / 4 || support_slow());
}

static void post_in_handler(int signal)
{
	(void)signal;
	ilk_semaphore_post(s);
}

static void test_post_in_a_signal_handler_lets_the_interrupted_go_on(void **state)
{
	pthread_t thread;

	(void)state;
	signal(SIGUSR1, post_in_handler);
	CHECK(pthread_create(&thread, NULL, wait_for_one, s) == 0);
	ilk_test_await_sleepers(name, 1);
	CHECK(pthread_kill(thread, SIGUSR1) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	signal(SIGUSR1, SIG_DFL);
}

/* --- closing --- */

enum step { STOPPED, CLOSING, LET_GO };

static void wait_in_handler(int signal)
{
	(void)signal;
	ilk_test_say(STOPPED);
	ilk_test_await(LET_GO);
}

static void *wait_in_vain(void *semaphore)
{
	CHECK_RC(ilk_semaphore_wait(semaphore), -ECANCELED);
	if (semaphore != s)
		ilk_test_say(CLOSING);
	return NULL;
}

/* The victim is stopped asleep, and finds a permit when close has begun: another told us by then. */
static void close_on_sleepers(void *arg)
{
	struct ilk_semaphore *other;
	pthread_t victim, canary;

	(void)arg;
	seg = support_open(name);
	CHECK_RC(ilk_semaphore_open(seg, "s", NULL, &s), 0);
	CHECK_RC(ilk_semaphore_open(seg, "other", NULL, &other), 0);
	CHECK(pthread_create(&canary, NULL, wait_in_vain, other) == 0);
	CHECK(pthread_create(&victim, NULL, wait_in_vain, s) == 0);
	ilk_test_await_sleepers(name, 2);
	signal(SIGUSR1, wait_in_handler);
	CHECK(pthread_kill(victim, SIGUSR1) == 0);
	ilk_test_await(STOPPED);
	ilk_segment_close(seg);
	CHECK(pthread_join(victim, NULL) == 0);
	CHECK(pthread_join(canary, NULL) == 0);
}

static void test_wait_while_close_begins_is_ECANCELED_and_takes_nothing(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	child = ilk_test_start(close_on_sleepers, NULL);
	ilk_test_await(CLOSING);
	CHECK_RC(ilk_semaphore_post(s), 0);
	ilk_test_say(LET_GO);
	ilk_test_join(child);
	assert_int_equal(value_of(s), 1);
}

/* --- opening --- */

static void test_open_with_another_first_value_is_EEXIST(void **state)
{
	struct ilk_semaphore *found = NULL;
	struct ilk_mutex *mutex = NULL;

	(void)state;
	CHECK_RC(ilk_semaphore_open(seg, "s", &three, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "value"));
	CHECK_RC(ilk_mutex_open(seg, "s", NULL, &mutex), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "semaphore"));
	assert_null(found);
	/* What was posted meanwhile is no difference. */
	CHECK_RC(ilk_semaphore_post(s), 0);
	CHECK_RC(ilk_semaphore_open(seg, "s", NULL, &found), 0);
	assert_ptr_equal(found, s);
}

static void test_open_as_is_finds_any_and_makes_an_empty_one(void **state)
{
	const struct ilk_semaphore_options as_is = {
		.size = sizeof as_is, .value = ILK_SEMAPHORE_AS_IS};
	struct ilk_semaphore *made, *found;
	struct ilk_mutex *mutex;

	(void)state;
	CHECK_RC(ilk_semaphore_open(seg, "three", &three, &made), 0);
	CHECK_RC(ilk_semaphore_open(seg, "three", &as_is, &found), 0);
	assert_ptr_equal(found, made);
	CHECK_RC(ilk_semaphore_open(seg, "new", &as_is, &made), 0);
	assert_int_equal(value_of(made), 0);
	CHECK_RC(ilk_semaphore_open(seg, "new", NULL, &found), 0);
	assert_ptr_equal(found, made);
	CHECK_RC(ilk_mutex_open(seg, "m", NULL, &mutex), 0);
	CHECK_RC(ilk_semaphore_open(seg, "m", &as_is, &found), -EEXIST);
}

static void test_open_with_bad_arguments_is_EINVAL(void **state)
{
	const struct ilk_semaphore_options much = {
		.size = sizeof much, .value = ILK_SEMAPHORE_MAX + 1};
	const struct ilk_semaphore_options no_size = {.value = 1};
	struct ilk_semaphore outside, *found = NULL;

	(void)state;
	CHECK_RC(ilk_semaphore_open(seg, "new", &much, &found), -EINVAL);
	CHECK_RC(ilk_semaphore_open(seg, "new", &no_size, &found), -EINVAL);
	CHECK_RC(ilk_semaphore_open(seg, "", NULL, &found), -EINVAL);
	CHECK_RC(ilk_semaphore_init(seg, &outside, "out", NULL), -EINVAL);
	CHECK_RC(ilk_semaphore_init(seg, (struct ilk_semaphore *)((char *)s + 8), "odd", NULL),
		-EINVAL);
	assert_null(found);
}

static void test_calls_on_what_is_no_semaphore_are_EINVAL(void **state)
{
	struct ilk_semaphore outside;
	unsigned value;
	void *block;

	(void)state;
	memset(&outside, 0, sizeof outside);
	CHECK_RC(ilk_block_open(seg, "zeros", sizeof outside, &block), 0);
	struct ilk_semaphore *const wrong[] = {&outside, block};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_RC(ilk_semaphore_post(wrong[i]), -EINVAL);
		CHECK_RC(ilk_semaphore_post_n(wrong[i], 2), -EINVAL);
		CHECK_RC(ilk_semaphore_wait(wrong[i]), -EINVAL);
		CHECK_RC(ilk_semaphore_try_wait(wrong[i]), -EINVAL);
		CHECK_RC(ilk_semaphore_wait_until(wrong[i], ilk_after_ms(10)), -EINVAL);
		CHECK_RC(ilk_semaphore_value(wrong[i], &value), -EINVAL);
	}
}

static void test_read_only_attachment_tells_the_value_alone(void **state)
{
	const struct ilk_segment_options read_only = {
		.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *reader;
	struct ilk_semaphore *seen;

	(void)state;
	CHECK_RC(ilk_semaphore_post_n(s, 5), 0);
	CHECK_RC(ilk_segment_open(name, &read_only, &reader), 0);
	CHECK_RC(ilk_semaphore_open(reader, "s", NULL, &seen), 0);
	assert_int_equal(value_of(seen), 5);
	CHECK_RC(ilk_semaphore_post(seen), -EROFS);
	CHECK_RC(ilk_semaphore_post_n(seen, 1), -EROFS);
	CHECK_RC(ilk_semaphore_wait(seen), -EROFS);
	CHECK_RC(ilk_semaphore_wait_posix(ilk_semaphore_posix(seen), ILK_NOW), -EROFS);
	CHECK_RC(ilk_semaphore_init(reader, seen, NULL, NULL), -EROFS);
	CHECK_RC(ilk_semaphore_post(s), 0);
	ilk_segment_close(reader);
}

/* --- what the inspector shows --- */

static const struct ilk_object_info *object_called(
	const struct ilk_inspection *in, const char *what)
{
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, what) == 0)
			return &in->objects[i];
	ilk_test_fail("no object %s", what);
}

static void test_inspector_shows_value_and_sleepers_of_an_embedded_one(void **state)
{
	const struct ilk_object_info *seen;
	struct ilk_semaphore *embedded;
	struct ilk_inspection *in;
	pthread_t thread;
	void *block;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "block", sizeof *embedded, &block), 0);
	embedded = block;
	CHECK_RC(ilk_semaphore_init(seg, embedded, "items", NULL), 0);
	CHECK_RC(ilk_semaphore_post_n(s, 4), 0);
	CHECK(pthread_create(&thread, NULL, wait_for_one, embedded) == 0);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_inspect(name, &in), 0);
	CHECK_RC(ilk_semaphore_post(embedded), 0);
	CHECK(pthread_join(thread, NULL) == 0);
	seen = object_called(in, "items");
	assert_string_equal(seen->type, "semaphore");
	assert_int_equal(seen->waiters, 1);
	assert_int_equal(seen->value, 0);
	assert_int_equal(object_called(in, "s")->value, 4);
	assert_string_equal(object_called(in, "s")->state, "4");
	ilk_inspection_free(in);
	assert_int_equal(embedded->slept, 1);
	assert_true(embedded->waited_ns > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEMAPHORE_TEST(test_wait_takes_what_was_posted),
		SEMAPHORE_TEST(test_wait_takes_what_was_there_at_first),
		SEMAPHORE_TEST(test_wait_of_an_empty_one_ends_at_its_deadline),
		SEMAPHORE_TEST(test_post_beyond_the_maximum_is_EOVERFLOW),
		SEMAPHORE_TEST(test_post_n_wakes_as_many_sleepers),
		SEMAPHORE_TEST(test_post_wakes_a_sleeper_of_another_process),
		SEMAPHORE_TEST(test_post_wakes_at_once),
		SEMAPHORE_TEST(test_post_in_a_signal_handler_lets_the_interrupted_go_on),
		SEMAPHORE_TEST(test_wait_while_close_begins_is_ECANCELED_and_takes_nothing),
		SEMAPHORE_TEST(test_open_with_another_first_value_is_EEXIST),
		SEMAPHORE_TEST(test_open_as_is_finds_any_and_makes_an_empty_one),
		SEMAPHORE_TEST(test_open_with_bad_arguments_is_EINVAL),
		SEMAPHORE_TEST(test_calls_on_what_is_no_semaphore_are_EINVAL),
		SEMAPHORE_TEST(test_read_only_attachment_tells_the_value_alone),
		SEMAPHORE_TEST(test_inspector_shows_value_and_sleepers_of_an_embedded_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
