/* pool_crew_fixture.h - pool_fixture.h, and workers that the test starts: as processes, as threads. */
#ifndef ILK_TESTS_POOL_CREW_FIXTURE_H
#define ILK_TESTS_POOL_CREW_FIXTURE_H

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

#endif
