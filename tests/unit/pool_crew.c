/* pool_crew.c - workers that a program starts: replaced, resized, retired, stopped; as threads, too. */
#include "pool_fixture.h"
#include <sys/types.h>

static unsigned how; /* 0 or ILK_POOL_THREADS */

static int whoami(struct ilk_task *task, const void *argument, size_t bytes)
{
	pid_t pid = getpid();

	(void)argument, (void)bytes;
	return ilk_task_result(task, &pid, sizeof pid);
}

static int leave_by(struct ilk_task *task, const void *argument, size_t bytes)
{
	int code;

	(void)task, (void)bytes;
	memcpy(&code, argument, sizeof code);
	_exit(code);
}

static int end_thread(struct ilk_task *task, const void *argument, size_t bytes)
{
	(void)task, (void)argument, (void)bytes;
	pthread_exit(NULL);
}

static const struct ilk_task_function more[] = {
	{"square", square},
	{"die_until", die_until},
	{"stay", stay},
	{"leaves", leaves},
	{"whoami", whoami},
	{"leave_by", leave_by},
	{"end_thread", end_thread},
};
enum { MORE = sizeof more / sizeof *more };

static struct ilk_pool_crew *start_with(unsigned workers, struct ilk_pool_start_options o)
{
	struct ilk_pool_crew *crew = NULL;

	o.size = sizeof o;
	o.flags = how;
	CHECK_RC(ilk_pool_start(pool, workers, more, MORE, &o, &crew), 0);
	return crew;
}

static struct ilk_pool_crew *start(unsigned workers)
{
	return start_with(workers, (struct ilk_pool_start_options){.tasks = 0});
}

static void stop(struct ilk_pool_crew *crew)
{
	CHECK_RC(ilk_pool_stop(crew, ilk_after_ms(ilk_test_limit_ms())), 0);
	assert_int_equal(info_of(pool).workers, 0);
	check_valid();
}

static void in_both_ways(void (*test)(void))
{
	how = 0;
	if (!SUPPORT_TSAN)
		test();
	how = ILK_POOL_THREADS;
	test();
}

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

/* --- the end --- */

static void test_what_does_not_end_is_killed(void **state)
{
	struct ilk_pool_crew *crew;
	struct ilk_outcome out;
	struct ilk_future f;

	(void)state;
	SKIP_UNDER_TSAN();
	how = 0;
	crew = start(1);
	f = submitted("stay", 0);
	ilk_test_await(0);
	CHECK_RC(ilk_pool_stop(crew, ilk_after_ms(SOON)), 0);
	out = outcome_of(&f);
	assert_int_equal(out.signal, SIGKILL);
	assert_int_equal(info_of(pool).workers, 0);
}

static void drain(void)
{
	struct ilk_pool_crew *crew;
	struct ilk_future f[FOUR];

	pool = pool_of(how ? "two" : "one");
	crew = start(2);
	for (int i = 0; i < FOUR; i++)
		f[i] = submitted("square", i);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	CHECK_RC(ilk_pool_join(pool, ilk_after_ms(ilk_test_limit_ms())), 0);
	stop(crew);
	for (int i = 0; i < FOUR; i++)
		assert_int_equal(got(&f[i]), i * i);
}

static void test_a_pool_is_drained_by_its_crew(void **state)
{
	(void)state;
	in_both_ways(drain);
}

static void drain_by_shares(void)
{
	struct ilk_pool_crew *crew;
	struct ilk_future f[3];

	pool = pool_of(how ? "two" : "one");
	introduce();
	for (int i = 0; i < 3; i++)
		f[i] = submitted("square", i);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	crew = start_with(1, (struct ilk_pool_start_options){.tasks = 1});
	CHECK_RC(ilk_pool_join(pool, ilk_after_ms(ilk_test_limit_ms())), 0);
	stop(crew);
	for (int i = 0; i < 3; i++)
		assert_int_equal(got(&f[i]), i * i);
}

static void test_a_pool_is_drained_by_workers_that_retire(void **state)
{
	(void)state;
	in_both_ways(drain_by_shares);
}

static void test_a_pool_is_drained_although_a_task_exits_with_zero(void **state)
{
	struct ilk_pool_crew *crew;
	struct ilk_future f[2];

	(void)state;
	SKIP_UNDER_TSAN();
	how = 0;
	stop(start(1)); /* its functions have names */
	f[0] = submitted("leave_by", 0);
	f[1] = submitted("square", 3);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	crew = start(1);
	CHECK_RC(ilk_pool_join(pool, ilk_after_ms(ilk_test_limit_ms())), 0);
	stop(crew);
	assert_int_equal(outcome_of(&f[0]).rc, -EOWNERDEAD);
	assert_int_equal(got(&f[1]), 9);
}

static void use_parents(void *arg)
{
	CHECK_RC(ilk_pool_resize(arg, 1), -ECHILD);
	CHECK_RC(ilk_pool_stop(arg, ILK_NOW), -ECHILD);
}

static void test_a_crew_is_not_the_childs(void **state)
{
	struct ilk_pool_crew *crew;

	(void)state;
	SKIP_UNDER_TSAN();
	how = 0;
	crew = start(1);
	ilk_test_in_child(use_parents, crew);
	stop(crew);
}

static void close_it(void)
{
	struct ilk_segment *again;
	struct ilk_pool_crew *crew;

	CHECK_RC(ilk_segment_open(name, NULL, &again), 0);
	CHECK_RC(ilk_pool_open(again, "work", NULL, &pool), 0);
	crew = start(2);
	ilk_segment_close(again);
	CHECK_RC(ilk_pool_stop(crew, ILK_FOREVER), 0);
	pool = pool_of("work");
}

static void test_closing_the_segment_ends_a_crew(void **state)
{
	(void)state;
	in_both_ways(close_it);
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
		POOL_TEST(test_what_does_not_end_is_killed),
		POOL_TEST(test_a_pool_is_drained_by_its_crew),
		POOL_TEST(test_a_pool_is_drained_by_workers_that_retire),
		POOL_TEST(test_a_pool_is_drained_although_a_task_exits_with_zero),
		POOL_TEST(test_a_crew_is_not_the_childs),
		POOL_TEST(test_closing_the_segment_ends_a_crew),
	};

	return RUN_POOL_TESTS(tests);
}
