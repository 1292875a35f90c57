/* once_death.c - what a death in it leads to; close, and the inspector. */
#include "once_fixture.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>

/* --- deaths --- */

static void begin_and_die(void *arg)
{
	(void)arg;
	CHECK(ilk_once_begin(o, NULL) > 0);
	ilk_test_say(AT_IT);
	if (arg)
		ilk_test_await(GO_ON);
	raise(SIGKILL);
}

static void test_death_in_it_elects_the_next_who_is_told(void **state)
{
	int error = -ENOSPC;

	(void)state;
	ilk_test_join_killed(ilk_test_start(begin_and_die, NULL));
	CHECK_RC(ilk_once_begin_until(o, ILK_NOW, NULL), ILK_ELECTED | ILK_RECOVERED);
	/* Told until one has done it: after a failure, and after another death. */
	CHECK_RC(ilk_once_give_up(o), 0);
	CHECK_RC(ilk_once_run(o, fail_to_make, &error, NULL), -ENOSPC);
	ilk_test_join_killed(ilk_test_start(begin_and_die, NULL));
	CHECK_RC(ilk_once_run(o, make, NULL, NULL), 0);
	assert_int_equal(get(TOLD), 2 * ILK_RECOVERED);
	assert_int_equal(get(MADE), 1);
}

static void test_death_in_it_wakes_one_who_sleeps_and_he_the_others(void **state)
{
	struct ilk_test_child *child = ilk_test_start(begin_and_die, o);
	pthread_t threads[THREADS];

	(void)state;
	ilk_test_await(AT_IT);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_in_thread, NULL), 0);
	ilk_test_await_sleepers(ilk_test_name(""), THREADS);
	ilk_test_say(GO_ON);
	ilk_test_join_killed(child);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(get(MADE), 1);
	assert_int_equal(get(TOLD), ILK_RECOVERED);
}

static int begin_in_thread(void *arg)
{
	(void)arg;
	return ilk_once_begin(o, NULL);
}

static void test_thread_that_ends_in_it_counts_as_dead(void **state)
{
	(void)state;
	CHECK_RC(support_in_thread(begin_in_thread, NULL), ILK_ELECTED);
	CHECK_RC(ilk_once_begin_until(o, patience(), NULL), ILK_ELECTED | ILK_RECOVERED);
	CHECK_RC(ilk_once_done(o, 1), 0);
	/* And one that ended it in order does not: its slot is used again. */
	CHECK_RC(support_in_thread(begin_in_thread, NULL), 0);
}

/* --- close, and looking at it --- */

static void *begin_until_closed(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_once_begin(o, NULL), -ECANCELED);
	return NULL;
}

static void close_on_a_waiter(void *arg)
{
	pthread_t thread;

	ilk_segment_close(seg);
	seg = support_open(arg);
	CHECK_RC(ilk_once_open(seg, "o", &o), 0);
	CHECK(pthread_create(&thread, NULL, begin_until_closed, NULL) == 0);
	ilk_test_await_sleepers(arg, 1);
	ilk_segment_close(seg);
	CHECK(pthread_join(thread, NULL) == 0);
}

static void test_close_cancels_who_waits(void **state)
{
	(void)state;
	CHECK_RC(ilk_once_begin(o, NULL), ILK_ELECTED);
	ilk_test_in_child(close_on_a_waiter, (void *)ilk_test_name(""));
	CHECK_RC(ilk_once_done(o, 1), 0);
}

static void check_seen(const char *text, enum ilk_holder_life holder)
{
	struct ilk_inspection *in;

	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	assert_string_equal(in->objects[0].type, "once");
	assert_string_equal(in->objects[0].state, text);
	assert_int_equal(in->objects[0].holder, holder);
	ilk_inspection_free(in);
}

static void test_inspect_shows_who_is_at_it(void **state)
{
	(void)state;
	check_seen("not done", ILK_HOLDER_NONE);
	ilk_test_join_killed(ilk_test_start(begin_and_die, NULL));
	check_seen("being done", ILK_HOLDER_DEAD);
	CHECK_RC(ilk_once_begin(o, NULL), ILK_ELECTED | ILK_RECOVERED);
	check_seen("being done, after a death", ILK_HOLDER_ALIVE);
	CHECK_RC(ilk_once_give_up(o), 0);
	check_seen("not done, after a death", ILK_HOLDER_NONE);
	CHECK_RC(ilk_once_run(o, make, NULL, NULL), 0);
	check_seen("done: 42", ILK_HOLDER_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONCE_TEST(test_death_in_it_elects_the_next_who_is_told),
		ONCE_TEST(test_death_in_it_wakes_one_who_sleeps_and_he_the_others),
		ONCE_TEST(test_thread_that_ends_in_it_counts_as_dead),
		ONCE_TEST(test_close_cancels_who_waits),
		ONCE_TEST(test_inspect_shows_who_is_at_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
