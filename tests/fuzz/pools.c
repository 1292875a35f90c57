/* pools.c - a pool: made, occupied, used. */
#include "pools.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 8, BYTES = 24 };

static jmp_buf out_of_task;

static void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static ilk_time soon(void)
{
	return ilk_after_ns(200000);
}

/* Its argument again, read to the last byte. */
static int echo(struct ilk_task *task, const void *argument, size_t bytes)
{
	char *copy = malloc(bytes + 1);
	int rc;

	must(copy != NULL, "there is memory");
	memcpy(copy, argument, bytes);
	rc = ilk_task_result(task, copy, bytes);
	free(copy);
	return bytes == 1 ? ilk_task_fail(task, -1, "one byte") : rc;
}

/* Leaves its thread with the task running. */
static int stay(struct ilk_task *task, const void *argument, size_t bytes)
{
	(void)task, (void)argument, (void)bytes;
	longjmp(out_of_task, 1);
}

static const struct ilk_task_function functions[] = {{"echo", echo}};
static const struct ilk_task_function staying[] = {{"echo", stay}};

static int serve(struct ilk_pool *pool, uint64_t tasks)
{
	const struct ilk_pool_serve_options o = {.size = sizeof o, .tasks = tasks, .until = soon()};

	return ilk_pool_serve(pool, functions, 1, &o);
}

/* --- making --- */

void pools_furnish(struct ilk_segment *seg)
{
	const struct ilk_pool_options o = {.size = sizeof o,
		.capacity = ROOM,
		.argument_bytes = BYTES,
		.result_bytes = BYTES,
		.workers = 2,
		.retries = 1};
	struct ilk_future f;
	struct ilk_pool *pool;

	must(ilk_pool_open(seg, "pool", &o, &pool) == 0, "a pool");
	serve(pool, 1);
	for (size_t i = 0; i < 3; i++)
		must(ilk_pool_submit(pool, "echo", "abcdefgh", i, &f, ILK_NOW) == 0, "a task");
	must(serve(pool, 2) == 0, "two tasks run");
	must(ilk_future_cancel(&f) == 0, "a task is cancelled");
	must(ilk_pool_submit(pool, "echo", "abcdefgh", 8, &f, ILK_NOW) == 0, "a task");
}

void pools_occupy(struct ilk_segment *seg)
{
	const struct ilk_pool_serve_options one = {.size = sizeof one, .tasks = 1};
	struct ilk_pool *pool;
	struct ilk_future f;

	must(ilk_pool_open(seg, "pool", NULL, &pool) == 0, "the pool");
	must(ilk_pool_submit(pool, "echo", "xyz", 3, &f, ILK_NOW) == 0, "a task");
	if (setjmp(out_of_task) == 0)
		ilk_pool_serve(pool, staying, 1, &one);
}

/* --- using --- */

static void submit_and_get(struct ilk_pool *pool)
{
	char result[BYTES];
	struct ilk_outcome out = {.bytes = 0};
	struct ilk_future f[3];
	size_t over;
	int rc = 0, n;

	for (n = 0; n < 3 && rc == 0; n++)
		rc = ilk_pool_submit(pool, "echo", "123456789", (size_t)n * 3, &f[n], soon());
	n -= rc < 0;
	serve(pool, 4);
	ilk_future_count_over(f, (size_t)n, &over);
	for (int i = 0; i < n; i++) {
		if (i == 1)
			ilk_future_cancel(&f[i]);
		if (i == 2)
			ilk_future_release(&f[i]);
		else if (ilk_future_get(&f[i], result, sizeof result, &out, soon()) >= 0)
			must(out.bytes <= sizeof result &&
					memchr(out.text, 0, sizeof out.text) != NULL,
				"what was got fits");
	}
}

static void use(struct ilk_pool *pool)
{
	struct ilk_pool_info info = {.size = sizeof info};
	char result[4 * BYTES];

	ilk_pool_info(pool, &info);
	submit_and_get(pool);
	submit_and_get(pool);
	ilk_pool_map(pool, "echo", "abcdefgh", 2, 4, result, 2, NULL, soon());
	ilk_pool_join(pool, soon());
	ilk_pool_close(pool, ILK_POOL_CANCEL);
	serve(pool, 4);
	ilk_pool_join(pool, ILK_NOW);
}

void pools_use(struct ilk_segment *seg)
{
	struct ilk_pool *pool;

	if (ilk_pool_open(seg, "pool", NULL, &pool) == 0)
		use(pool);
}
