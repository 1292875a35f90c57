/* pool_crew_fixture.h - pool_fixture.h, and workers that the test starts: as processes, as threads. */
#ifndef ILK_TESTS_POOL_CREW_FIXTURE_H
#define ILK_TESTS_POOL_CREW_FIXTURE_H

#include "pool_fixture.h"
#include <sys/types.h>

static unsigned how; /* 0 or ILK_POOL_THREADS */

/* Which thread runs it: another number in each process, too. */
static int whoami(struct ilk_task *task, const void *argument, size_t bytes)
{
	int64_t tid = gettid();

	(void)argument, (void)bytes;
	return ilk_task_result(task, &tid, sizeof tid);
}

/* Counts itself, and runs until its argument's step is said. As whoami. */
static int hold(struct ilk_task *task, const void *argument, size_t bytes)
{
	ilk_time limit = ilk_after_ms(ilk_test_limit_ms());
	int64_t step;

	memcpy(&step, argument, sizeof step);
	ilk_counter_add(counter, 1);
	while (!ilk_test_was_said((unsigned)step)) {
		if (ilk_now() > limit)
			return ilk_task_fail(task, -ETIMEDOUT, "it was held for ever");
		ilk_test_sleep_ms(1);
	}
	return whoami(task, argument, bytes);
}

static int hold_and_die(struct ilk_task *task, const void *argument, size_t bytes)
{
	hold(task, argument, bytes);
	return raise(SIGKILL);
}

static __thread int begun;

static inline int begin(void *begins)
{
	begun++;
	return ilk_counter_add(begins, 1);
}

static int hold_if_begun(struct ilk_task *task, const void *argument, size_t bytes)
{
	if (begun != 1)
		return ilk_task_fail(task, -EPROTO, "its worker did not begin once");
	return hold(task, argument, bytes);
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
	{"hold", hold},
	{"hold_and_die", hold_and_die},
	{"hold_if_begun", hold_if_begun},
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

/* --- tasks that are held --- */

static int is_counted(void *all)
{
	return ilk_counter_read(counter) == *(int64_t *)all;
}

/* Submits COUNT of FUNCTION, which are held until STEP, and waits until they run. */
static inline void hold_some(
	struct ilk_future *f, int64_t count, const char *function, unsigned step)
{
	int64_t all = ilk_counter_read(counter) + count;

	for (int i = 0; i < count; i++)
		f[i] = submitted(function, step);
	ilk_test_until(is_counted, &all);
}

/* They are over, and have results. */
static inline void let_go(struct ilk_future *f, int count, unsigned step)
{
	ilk_test_say(step);
	for (int i = 0; i < count; i++)
		assert_true(got(&f[i]) > 0);
}

/* The Ith step of a test that is done in both ways. */
static inline unsigned step_of(unsigned i)
{
	return 10 * (1 + how) + i;
}

static void in_both_ways(void (*test)(void))
{
	how = 0;
	if (!SUPPORT_TSAN)
		test();
	how = ILK_POOL_THREADS;
	test();
}

#endif
