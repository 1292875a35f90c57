/* pool_crew.c - workers that a program starts: replaced, resized, retired; as threads, too. */
#include "pool_crew_fixture.h"

static void run_tasks(void)
{
	struct ilk_pool_crew *crew = start(2);

	for (int64_t i = 0; i < 300; i++) {
		struct ilk_future f = submitted("square", i);

		assert_int_equal(got(&f), i * i);
	}
	assert_int_equal(info_of(pool).workers, 2);
	stop(crew);
}

static void test_a_crew_runs_tasks(void **state)
{
	(void)state;
	in_both_ways(run_tasks);
}

static void start_and_stop(void)
{
	for (int i = 0; i < 10; i++)
		stop(start(3));
}

static void test_a_crew_that_is_stopped_at_once_is_gone(void **state)
{
	(void)state;
	in_both_ways(start_and_stop);
}

static void test_a_crew_that_cannot_be_is_refused(void **state)
{
	struct ilk_pool_start_options o = {.size = 1};
	struct ilk_pool_crew *crew, *all;

	(void)state;
	how = 0;
	CHECK_RC(ilk_pool_start(pool, 0, more, MORE, NULL, &crew), -EINVAL);
	assert_non_null(strstr(ilk_last_error(), "at least one"));
	CHECK_RC(ilk_pool_start(pool, 4, more, MORE, NULL, &crew), -EUSERS);
	CHECK_RC(ilk_pool_start(pool, 1, more, 0, NULL, &crew), -EINVAL);
	CHECK_RC(ilk_pool_start(pool, 1, more, MORE, &o, &crew), -EINVAL);
	o = (struct ilk_pool_start_options){.size = sizeof o, .flags = 2};
	CHECK_RC(ilk_pool_start(pool, 1, more, MORE, &o, &crew), -EINVAL);
	how = ILK_POOL_THREADS;
	all = start(3);
	CHECK_RC(ilk_pool_resize(all, 0), -EINVAL);
	CHECK_RC(ilk_pool_resize(all, 4), -EINVAL);
	o.flags = ILK_POOL_THREADS;
	CHECK_RC(ilk_pool_start(pool, 1, more, MORE, &o, &crew), -EUSERS);
	stop(all);
}

/* --- deaths --- */

static void test_the_future_says_which_signal(void **state)
{
	struct ilk_pool_crew *crew;
	struct ilk_outcome out;
	struct ilk_future f, other;
	pid_t pid;

	(void)state;
	SKIP_UNDER_TSAN();
	how = 0;
	crew = start(2);
	f = submitted("die_until", 9);
	out = outcome_of(&f);
	assert_int_equal(out.rc, -EOWNERDEAD);
	assert_int_equal(out.signal, SIGKILL);
	assert_non_null(strstr(out.text, "9"));
	f = submitted("whoami", 0);
	CHECK_RC(ilk_future_get(&f, &pid, sizeof pid, NULL, ilk_after_ms(ilk_test_limit_ms())), 0);
	f = submitted("leave_by", 3);
	out = outcome_of(&f);
	assert_int_equal(out.signal, 0);
	/* Others are replaced. */
	await_workers(2);
	other = submitted("square", 4);
	assert_int_equal(got(&other), 16);
	stop(crew);
}

static void test_a_killed_worker_is_replaced_and_its_task_run_again(void **state)
{
	struct ilk_pool_crew *crew;
	struct ilk_future f;
	unsigned runs = 0;

	(void)state;
	SKIP_UNDER_TSAN();
	how = 0;
	options.retries = 3;
	pool = pool_of("patient");
	crew = start(1);
	f = submitted("die_until", 3);
	CHECK_RC(
		ilk_future_get(&f, &runs, sizeof runs, NULL, ilk_after_ms(ilk_test_limit_ms())), 0);
	assert_int_equal(runs, 4);
	assert_int_equal(ilk_counter_read(counter), 4);
	stop(crew);
}

static void test_a_thread_that_ends_is_replaced(void **state)
{
	struct ilk_pool_crew *crew;
	struct ilk_future f;

	(void)state;
	how = ILK_POOL_THREADS;
	crew = start(1);
	f = submitted("end_thread", 0);
	assert_int_equal(outcome_of(&f).rc, -EOWNERDEAD);
	f = submitted("square", 5);
	assert_int_equal(got(&f), 25);
	stop(crew);
}

static void start_and_stay(void *arg)
{
	pid_t pid;
	struct ilk_future f;

	start(2);
	f = submitted("whoami", 0);
	CHECK_RC(ilk_future_get(&f, &pid, sizeof pid, NULL, ilk_after_ms(ilk_test_limit_ms())), 0);
	*(pid_t *)arg = pid;
	ilk_test_say(2);
	ilk_test_sleep_for_ever();
}

static void test_workers_end_with_their_starter(void **state)
{
	struct ilk_test_child *child;
	pid_t pid = 0;
	ilk_time limit = ilk_after_ms(ilk_test_limit_ms());

	(void)state;
	SKIP_UNDER_TSAN();
	how = 0;
	introduce();
	child = ilk_test_start(start_and_stay, &pid);
	ilk_test_await(2);
	ilk_test_kill(child);
	while (info_of(pool).workers && ilk_now() < limit) {
		ilk_object_repair(seg, "work");
		usleep(2000);
	}
	assert_int_equal(info_of(pool).workers, 0);
}

/* --- other numbers --- */

static void change_size(void)
{
	struct ilk_pool_crew *crew = start(1);

	await_workers(1);
	CHECK_RC(ilk_pool_resize(crew, 3), 0);
	await_workers(3);
	CHECK_RC(ilk_pool_resize(crew, 1), 0);
	await_workers(1);
	stop(crew);
}

static void test_a_crew_grows_and_shrinks(void **state)
{
	(void)state;
	in_both_ways(change_size);
}

static void retire(void)
{
	struct ilk_pool_crew *crew = start_with(1, (struct ilk_pool_start_options){.tasks = 1});
	pid_t pid[2];

	for (int i = 0; i < 6; i++) {
		struct ilk_future f = submitted("whoami", 0);

		CHECK_RC(ilk_future_get(&f, &pid[i % 2], sizeof *pid, NULL,
				 ilk_after_ms(ilk_test_limit_ms())),
			0);
		if (i)
			assert_true((pid[0] == pid[1]) == (how != 0));
	}
	stop(crew);
}

static void test_a_worker_retires_after_so_many_tasks(void **state)
{
	(void)state;
	in_both_ways(retire);
}

static int count_begins(void *arg)
{
	ilk_counter_add(arg, 1);
	return ilk_counter_read(arg) <= 2 ? -EAGAIN : 0;
}

static void begin_again(void)
{
	int64_t before = ilk_counter_read(counter);
	struct ilk_pool_crew *crew;
	struct ilk_future f;

	ilk_counter_add(counter, -before);
	crew = start_with(
		1, (struct ilk_pool_start_options){.begin = count_begins, .arg = counter});
	f = submitted("square", 3);
	assert_int_equal(got(&f), 9);
	assert_int_equal(ilk_counter_read(counter), 3 + 1);
	stop(crew);
}

static void test_an_initializer_that_fails_is_tried_again(void **state)
{
	(void)state;
	in_both_ways(begin_again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(test_a_crew_runs_tasks),
		POOL_TEST(test_a_crew_that_is_stopped_at_once_is_gone),
		POOL_TEST(test_a_crew_that_cannot_be_is_refused),
		POOL_TEST(test_the_future_says_which_signal),
		POOL_TEST(test_a_killed_worker_is_replaced_and_its_task_run_again),
		POOL_TEST(test_a_thread_that_ends_is_replaced),
		POOL_TEST(test_workers_end_with_their_starter),
		POOL_TEST(test_a_crew_grows_and_shrinks),
		POOL_TEST(test_a_worker_retires_after_so_many_tasks),
		POOL_TEST(test_an_initializer_that_fails_is_tried_again),
	};

	return RUN_POOL_TESTS(tests);
}
