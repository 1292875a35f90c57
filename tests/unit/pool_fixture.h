/*
 * pool_fixture.h - a segment with a pool of four tasks, of either handshake, and functions.
 *
 * Every test of pools runs twice: in an asymmetric segment (the default) and in a fenced one.
 * Positions and serials begin so that they wrap within the first four laps.
 */
#ifndef ILK_TESTS_POOL_FIXTURE_H
#define ILK_TESTS_POOL_FIXTURE_H

#include "support.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { FOUR = 4, SOON = 30, LAPS = 12, MOST = 128 };

static struct ilk_segment *seg;
static struct ilk_pool *pool;
static struct ilk_pool_options options;
static struct ilk_counter *counter;
static char name[64];
static unsigned handshake; /* 0 or ILK_SEGMENT_FENCED */

/* --- functions --- */

static int square(struct ilk_task *task, const void *argument, size_t bytes)
{
	int64_t x;

	if (bytes != sizeof x)
		return ilk_task_fail(task, -EINVAL, "not a number");
	memcpy(&x, argument, sizeof x);
	x *= x;
	ilk_counter_add(counter, 1);
	return ilk_task_result(task, &x, sizeof x);
}

/* Its argument again. */
static int echo(struct ilk_task *task, const void *argument, size_t bytes)
{
	return ilk_task_result(task, argument, bytes);
}

/* Fails by its argument. */
static int fail_by(struct ilk_task *task, const void *argument, size_t bytes)
{
	int rc;

	(void)bytes;
	memcpy(&rc, argument, sizeof rc);
	return rc == -ENODATA ? ilk_task_fail(task, rc, "no such data") : rc;
}

/* How often it was begun; the first so many times, as its argument says, it dies. */
static int die_until(struct ilk_task *task, const void *argument, size_t bytes)
{
	unsigned least, runs = ilk_task_runs(task);

	(void)bytes;
	memcpy(&least, argument, sizeof least);
	ilk_counter_add(counter, 1);
	if (runs <= least)
		raise(SIGKILL);
	return ilk_task_result(task, &runs, sizeof runs);
}

/* Says that it runs, and does so for ever. */
static int stay(struct ilk_task *task, const void *argument, size_t bytes)
{
	(void)task, (void)argument, (void)bytes;
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
	return 0;
}

static int too_large(struct ilk_task *task, const void *argument, size_t bytes)
{
	static const char much[MOST + 1];

	(void)argument, (void)bytes;
	ilk_task_result(task, much, sizeof much);
	return 0;
}

/* The number of leaves of a tree as deep as its argument says, each a task. */
static int leaves(struct ilk_task *task, const void *argument, size_t bytes)
{
	struct ilk_future f[2];
	int64_t deep, sum = 0, one;

	(void)bytes;
	memcpy(&deep, argument, sizeof deep);
	if (deep-- == 0) {
		one = 1;
		return ilk_task_result(task, &one, sizeof one);
	}
	for (int i = 0; i < 2; i++) {
		int rc = ilk_pool_submit(ilk_task_pool(task), "leaves", &deep, sizeof deep, &f[i],
			ilk_after_ms(ilk_test_limit_ms()));

		if (rc < 0)
			return rc;
	}
	for (int i = 0; i < 2; i++) {
		int rc = ilk_future_get(
			&f[i], &one, sizeof one, NULL, ilk_after_ms(ilk_test_limit_ms()));

		if (rc != 0)
			return rc;
		sum += one;
	}
	return ilk_task_result(task, &sum, sizeof sum);
}

static const struct ilk_task_function functions[] = {
	{"square", square},
	{"echo", echo},
	{"fail_by", fail_by},
	{"die_until", die_until},
	{"stay", stay},
	{"too_large", too_large},
	{"leaves", leaves},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* --- the segment --- */

static int be_asymmetric(void **state)
{
	(void)state;
	handshake = 0;
	return 0;
}

static int be_fenced(void **state)
{
	(void)state;
	handshake = ILK_SEGMENT_FENCED;
	return 0;
}

static inline struct ilk_pool *pool_of(const char *which)
{
	struct ilk_pool *made = NULL;

	CHECK_RC(ilk_pool_open(seg, which, &options, &made), 0);
	return made;
}

static int pool_setup(void **state)
{
	const struct ilk_segment_options o = {
		.size = sizeof o, .processes = 12, .flags = handshake};

	if (ilk_test_setup(state) < 0)
		return -1;
	options = (struct ilk_pool_options){.size = sizeof options,
		.capacity = FOUR,
		.argument_bytes = MOST,
		.result_bytes = MOST,
		.workers = 3};
	strcpy(name, ilk_test_name(""));
	if (ilk_segment_create(name, &o, &seg) < 0)
		return -1;
	pool = pool_of("work");
	counter = support_counter(seg, "runs");
	return 0;
}

static int pool_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(name);
	return ilk_test_teardown(state);
}

#define POOL_TEST(f) cmocka_unit_test_setup_teardown(f, pool_setup, pool_teardown)

/* Runs TESTS in both handshakes. How many failed. */
#define RUN_POOL_TESTS(tests)                                 \
	(cmocka_run_group_tests(tests, be_asymmetric, NULL) + \
		cmocka_run_group_tests(tests, be_fenced, NULL))

/* --- shorthand --- */

/* Runs so many tasks in this thread, or all that are there. */
static inline int serve_some(uint64_t tasks)
{
	const struct ilk_pool_serve_options o = {
		.size = sizeof o, .tasks = tasks, .until = ilk_after_ms(SOON)};

	return ilk_pool_serve(pool, functions, FUNCTIONS, &o);
}

/* All names are known, and nothing was run. */
static inline void introduce(void)
{
	const struct ilk_pool_serve_options o = {.size = sizeof o, .until = 1};

	CHECK_RC(ilk_pool_serve(pool, functions, FUNCTIONS, &o), -ETIMEDOUT);
}

static inline void serve_in_child(void *arg)
{
	int rc = ilk_pool_serve(pool, functions, FUNCTIONS, arg);

	CHECK(rc == 0 || rc == -EIDRM);
}

static inline struct ilk_future submitted(const char *function, int64_t x)
{
	struct ilk_future f;

	CHECK_RC(ilk_pool_submit(pool, function, &x, sizeof x, &f, ILK_NOW), 0);
	return f;
}

/* What get gives, or its result where that is an error. */
static inline int64_t got(struct ilk_future *f)
{
	int64_t x = -4711;
	int rc = ilk_future_get(f, &x, sizeof x, NULL, ilk_after_ms(ilk_test_limit_ms()));

	return rc < 0 ? rc : x;
}

/* How a task that has no result ended. */
static inline struct ilk_outcome outcome_of(struct ilk_future *f)
{
	struct ilk_outcome out;
	char nothing[MOST];

	CHECK_RC(
		ilk_future_get(f, nothing, sizeof nothing, &out, ilk_after_ms(ilk_test_limit_ms())),
		ILK_TASK_FAILED);
	return out;
}

static inline struct ilk_pool_info info_of(const struct ilk_pool *which)
{
	struct ilk_pool_info info = {.size = sizeof info};

	CHECK_RC(ilk_pool_info(which, &info), 0);
	return info;
}

static inline void await_workers(unsigned count)
{
	ilk_time limit = ilk_after_ms(ilk_test_limit_ms());

	while (info_of(pool).workers != count && ilk_now() < limit)
		usleep(1000);
	assert_int_equal(info_of(pool).workers, count);
}

static inline void check_valid(void)
{
	CHECK_RC(ilk_segment_valid(seg), 0);
}

#endif
