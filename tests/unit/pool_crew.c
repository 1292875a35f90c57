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

	(void)state;
	SKIP_UNDER_TSAN();
	how = 0;
	crew = start(2);
	f = submitted("die_until", 9);
	out = outcome_of(&f);
	assert_int_equal(out.rc, -EOWNERDEAD);
	assert_int_equal(out.signal, SIGKILL);
	assert_non_null(strstr(out.text, "9"));
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
	struct ilk_future f;

	(void)arg;
	start(2);
	f = submitted("whoami", 0);
	assert_true(got(&f) > 0);
	ilk_test_say(2);
	ilk_test_sleep_for_ever();
}

static void test_workers_end_with_their_starter(void **state)
{
	struct ilk_test_child *child;
	ilk_time limit = ilk_after_ms(ilk_test_limit_ms());

	(void)state;
	SKIP_UNDER_TSAN();
	how = 0;
	introduce();
	child = ilk_test_start(start_and_stay, NULL);
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

static void shrink_at_work(void)
{
	struct ilk_pool_crew *crew = start(3);
	struct ilk_future f[3];

	hold_some(f, 3, "hold", step_of(0));
	CHECK_RC(ilk_pool_resize(crew, 1), 0);
	/* Its supervisor looks every 20 ms: what it does to those too many is done. */
	ilk_test_sleep_ms(50);
	assert_int_equal(info_of(pool).running, 3);
	let_go(f, 3, step_of(0));
	await_workers(1);
	assert_int_equal(info_of(pool).died, 0);
	stop(crew);
}

static void test_who_is_too_many_ends_its_task_first(void **state)
{
	(void)state;
	in_both_ways(shrink_at_work);
}

static void grow_with_a_backlog(void)
{
	struct ilk_pool_crew *crew = start(1);
	struct ilk_future held, queued[FOUR - 1];
	int64_t who[FOUR - 1], first;

	hold_some(&held, 1, "hold", step_of(0));
	for (int i = 0; i < FOUR - 1; i++)
		queued[i] = submitted("whoami", 0);
	CHECK_RC(ilk_future_poll(&queued[0]), 0);
	CHECK_RC(ilk_pool_resize(crew, 3), 0);
	for (int i = 0; i < FOUR - 1; i++)
		who[i] = got(&queued[i]);
	CHECK_RC(ilk_future_poll(&held), 0);
	ilk_test_say(step_of(0));
	first = got(&held);
	for (int i = 0; i < FOUR - 1; i++)
		assert_true(who[i] > 0 && who[i] != first);
	stop(crew);
}

static void test_new_workers_run_what_is_queued(void **state)
{
	(void)state;
	in_both_ways(grow_with_a_backlog);
}

static void retire(void)
{
	struct ilk_pool_crew *crew = start_with(1, (struct ilk_pool_start_options){.tasks = 1});
	int64_t last = 0;

	for (int i = 0; i < 6; i++) {
		struct ilk_future f = submitted("whoami", 0);
		int64_t who = got(&f);

		assert_true(who > 0 && who != last);
		last = who;
	}
	stop(crew);
}

static void test_a_worker_retires_after_so_many_tasks(void **state)
{
	(void)state;
	in_both_ways(retire);
}

static void begin_each(void)
{
	struct ilk_counter *begins = support_counter(seg, how ? "threads" : "processes");
	struct ilk_pool_crew *crew =
		start_with(3, (struct ilk_pool_start_options){.begin = begin, .arg = begins});
	struct ilk_future f[3];

	hold_some(f, 3, "hold_if_begun", step_of(0));
	let_go(f, 3, step_of(0));
	assert_int_equal(ilk_counter_read(begins), 3);
	f[0] = submitted(how ? "end_thread" : "die_until", 9);
	assert_int_equal(outcome_of(&f[0]).rc, -EOWNERDEAD);
	hold_some(f, 3, "hold_if_begun", step_of(1));
	let_go(f, 3, step_of(1));
	assert_int_equal(ilk_counter_read(begins), 3 + 1);
	stop(crew);
}

static void test_each_worker_begins_once_and_before_its_tasks(void **state)
{
	(void)state;
	in_both_ways(begin_each);
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
		POOL_TEST(test_who_is_too_many_ends_its_task_first),
		POOL_TEST(test_new_workers_run_what_is_queued),
		POOL_TEST(test_a_worker_retires_after_so_many_tasks),
		POOL_TEST(test_each_worker_begins_once_and_before_its_tasks),
		POOL_TEST(test_an_initializer_that_fails_is_tried_again),
	};

	return RUN_POOL_TESTS(tests);
}
