/* pool_crew_end.c - the end of workers that a program started: stopped, or their pool is drained. */
#include "pool_crew_fixture.h"

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

static void cancel_at_work(void)
{
	struct ilk_pool_crew *crew;
	struct ilk_future f[FOUR];

	pool = pool_of(how ? "two" : "one");
	crew = start(1);
	hold_some(f, 1, "hold", step_of(0));
	for (int i = 1; i < FOUR; i++)
		f[i] = submitted("square", i);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_CANCEL), 0);
	for (int i = 1; i < FOUR; i++)
		assert_int_equal(outcome_of(&f[i]).rc, -ECANCELED);
	CHECK_RC(ilk_future_poll(&f[0]), 0);
	let_go(f, 1, step_of(0));
	await_workers(0);
	stop(crew);
	assert_int_equal(info_of(pool).cancelled, FOUR - 1);
	assert_int_equal(info_of(pool).done, 1);
}

static void test_what_runs_when_a_pool_is_cancelled_has_its_result(void **state)
{
	(void)state;
	in_both_ways(cancel_at_work);
}

static void test_what_dies_when_a_pool_is_cancelled_is_not_run_again(void **state)
{
	struct ilk_pool_crew *crew;
	struct ilk_outcome out;
	struct ilk_future f[FOUR];

	(void)state;
	SKIP_UNDER_TSAN();
	how = 0;
	options.retries = 3;
	pool = pool_of("patient");
	crew = start(1);
	hold_some(f, 1, "hold_and_die", step_of(0));
	for (int i = 1; i < FOUR; i++)
		f[i] = submitted("square", i);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_CANCEL), 0);
	ilk_test_say(step_of(0));
	out = outcome_of(&f[0]);
	assert_int_equal(out.rc, -EOWNERDEAD);
	assert_int_equal(out.runs, 1);
	for (int i = 1; i < FOUR; i++)
		assert_int_equal(outcome_of(&f[i]).rc, -ECANCELED);
	await_workers(0);
	stop(crew);
	assert_int_equal(info_of(pool).again, 0);
	assert_int_equal(ilk_counter_read(counter), 1);
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
		POOL_TEST(test_what_does_not_end_is_killed),
		POOL_TEST(test_a_pool_is_drained_by_its_crew),
		POOL_TEST(test_a_pool_is_drained_by_workers_that_retire),
		POOL_TEST(test_a_pool_is_drained_although_a_task_exits_with_zero),
		POOL_TEST(test_what_runs_when_a_pool_is_cancelled_has_its_result),
		POOL_TEST(test_what_dies_when_a_pool_is_cancelled_is_not_run_again),
		POOL_TEST(test_a_crew_is_not_the_childs),
		POOL_TEST(test_closing_the_segment_ends_a_crew),
	};

	return RUN_POOL_TESTS(tests);
}
