/*
 * actor_work.c - the actor's steps with pools, pipelines, arrays and maps. What is to be held at a point
 * stands at a file: stand_at().
 */
#include "actor.h"
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FUTURES = 64, MESSAGES = 10, WINDOW = 16 };

/* --- a pool --- */

static int stay(struct ilk_task *task, const void *path, size_t bytes)
{
	(void)bytes;
	stand_at(path);
	return ilk_task_result(task, "x", 1);
}

static int quick(struct ilk_task *task, const void *argument, size_t bytes)
{
	(void)argument, (void)bytes;
	return ilk_task_result(task, "x", 1);
}

static int fail(struct ilk_task *task, const void *argument, size_t bytes)
{
	(void)argument, (void)bytes;
	return ilk_task_fail(task, -EINVAL, "as it was told to");
}

static int crash(struct ilk_task *task, const void *argument, size_t bytes)
{
	(void)task, (void)argument, (void)bytes;
	return raise(SIGKILL);
}

static const struct ilk_task_function functions[] = {
	{"render", stay},
	{"encode", stay},
	{"index", stay},
	{"quick", quick},
	{"fail", fail},
	{"crash", crash},
};

static struct ilk_future futures[FUTURES];
static int submitted;

static struct ilk_pool *pool(const char *name)
{
	struct ilk_pool *p;

	expect("pool", name, ilk_pool_open(seg, name, NULL, &p));
	return p;
}

/* NAME WORKERS: of 8 that it can have; a task is begun three times at most. */
void do_pool(char **a)
{
	const struct ilk_pool_options options = {.size = sizeof options,
		.capacity = 32,
		.argument_bytes = 200,
		.result_bytes = 64,
		.workers = 8,
		.retries = 2};
	struct ilk_pool_crew *crew;
	struct ilk_pool *p;

	expect("pool", a[0], ilk_pool_open(seg, a[0], &options, &p));
	expect("start", a[0],
		ilk_pool_start(p, (unsigned)atoi(a[1]), functions,
			sizeof functions / sizeof *functions, NULL, &crew));
}

/* NAME FUNCTION ARGUMENT: nobody gets the result. */
void do_submit(char **a)
{
	expect("submit", a[1],
		ilk_pool_submit(pool(a[0]), a[1], a[2], strlen(a[2]) + 1,
			&futures[submitted++ % FUTURES], ILK_NOW));
}

/* NAME: what was submitted last. */
void do_cancel(char **a)
{
	expect("cancel", a[0], ilk_future_cancel(&futures[(submitted - 1) % FUTURES]));
}

void do_close_pool(char **a)
{
	expect("close", a[0], ilk_pool_close(pool(a[0]), ILK_POOL_DRAIN));
}

/* --- a pipeline --- */

static int generate(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	(void)in, (void)bytes, (void)arg;
	return w->number < MESSAGES ? ilk_work_send(w, &w->number, sizeof w->number)
				    : ILK_STAGE_END;
}

/* Message 3 it does at the second try; at message 5 it stands at ARG. */
static int middle(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	if (w->number == 3 && w->tries == 1)
		return -EAGAIN;
	if (w->number == 5)
		stand_at(arg);
	return ilk_work_send(w, in, bytes);
}

/* Message 2 it cannot do. */
static int last(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	(void)in, (void)bytes, (void)arg;
	return w->number == 2 ? -EINVAL : 0;
}

/* NAME FILE: ten messages through three stages, the one in the middle with two workers. */
void do_pipeline(char **a)
{
	const struct ilk_stage stages[] = {
		{.name = "source", .body = generate, .out_bytes = sizeof(uint64_t)},
		{.name = "middle",
			.body = middle,
			.arg = a[1],
			.workers = 2,
			.tries = 3,
			.out_bytes = sizeof(uint64_t)},
		{.name = "sink", .body = last, .flags = ILK_STAGE_SKIP},
	};
	const struct ilk_pipeline_options options = {.size = sizeof options, .window = WINDOW};
	struct ilk_pipeline *p;

	expect("pipeline", a[0], ilk_pipeline_start(seg, a[0], stages, 3, &options, &p));
}

/* --- an array, a map --- */

/* NAME COUNT: of int64_t; its mutex is locked. */
void do_array(char **a)
{
	struct ilk_array_handle h;

	expect("array", a[0], ilk_array_open(seg, a[0], ILK_ARRAY_I64, (size_t)atoi(a[1]), &h));
	expect("lock", a[0], ilk_mutex_lock(ilk_array_mutex(&h)));
}

static void open_map(const char *name, struct ilk_map_handle *h)
{
	const struct ilk_map_options options = {.size = sizeof options, .stripes = 4};

	expect("map", name, ilk_map_open(seg, name, ILK_MAP_TEXT(40), 24, &options, h));
}

/* NAME COUNT: so many entries. */
void do_map(char **a)
{
	struct ilk_map_handle h;
	char key[40];

	open_map(a[0], &h);
	for (int i = 0; i < atoi(a[1]); i++) {
		snprintf(key, sizeof key, "key %d", i);
		expect("put", a[0], ilk_map_put(&h, key, "value", 5));
	}
}

/* --- rates --- */

/* POOL MAP MS: tasks, one after the other, and for each an entry that is put, for so long. */
void do_toil(char **a)
{
	ilk_time end = ilk_after_ms(atoi(a[2]));
	struct ilk_pool *p = pool(a[0]);
	struct ilk_map_handle h;
	struct ilk_future f;
	char result[64];

	open_map(a[1], &h);
	while (ilk_now() < end) {
		expect("submit", a[0], ilk_pool_submit(p, "quick", "", 1, &f, ILK_FOREVER));
		expect("get", a[0], ilk_future_get(&f, result, sizeof result, NULL, ILK_FOREVER));
		expect("put", a[1], ilk_map_put(&h, "toil", "value", 5));
	}
}
