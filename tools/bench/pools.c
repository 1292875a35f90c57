/*
 * pools.c - the benches `pool-*`: trivial tasks, one by one and in chunks, by two workers; how long one
 * takes there and back, and a pool to start and stop.
 */
#include "bench/absent.h"
#include "bench/python.h"
#include "bench/work.h"

#include <stdlib.h>
#include <string.h>

enum { POOL_WORKERS = 2, POOL_TASKS = 20000, POOL_CAPACITY = 4096, POOL_CHUNK = 1024 };

struct pool_trial {
	const struct bench_run *run;
	struct bench_place place;
	struct ilk_pool *pool;
	int64_t *x, *y;
};

static int add_one(struct ilk_task *task, const void *argument, size_t bytes)
{
	int64_t x;

	memcpy(&x, argument, sizeof(x));
	x++;
	return bytes == sizeof(x) ? ilk_task_result(task, &x, sizeof(x)) : -1;
}

static const struct ilk_task_function pool_functions[] = {{"add_one", add_one}};

/* Maps all, CHUNK in a task, 0: as it likes. */
static int map_all(struct pool_trial *t, size_t chunk)
{
	const struct ilk_pool_map_options o = {.size = sizeof(o), .chunk = chunk};
	int rc = ilk_pool_map(t->pool, "add_one", t->x, sizeof(*t->x), POOL_TASKS, t->y,
		sizeof(*t->y), &o, ilk_after_ms(20000));

	for (int i = 0; rc == 0 && i < POOL_TASKS; i++)
		rc = t->y[i] == t->x[i] + 1 ? 0 : -1;
	return rc;
}

static double seconds_since(ilk_time begin)
{
	return (double)(ilk_now() - begin) / 1e9;
}

/* Millions of tasks a second. */
static int measure_maps(struct pool_trial *t, size_t chunk)
{
	ilk_time begin;
	double seconds;
	uint64_t done = 0;
	int rc = map_all(t, chunk);

	begin = ilk_now();
	do {
		rc = rc ? rc : map_all(t, chunk);
		done += POOL_TASKS;
		seconds = seconds_since(begin);
	} while (rc == 0 && seconds < t->run->seconds);
	t->place.arena->result = (double)done / seconds / 1e6;
	return rc;
}

static int measure_one_by_one(struct pool_trial *t)
{
	return measure_maps(t, 1);
}

static int measure_chunked(struct pool_trial *t)
{
	return measure_maps(t, 0);
}

/* Microseconds from a submit to its result. */
static int measure_trips(struct pool_trial *t)
{
	ilk_time begin = 0;
	double seconds = 0;
	int64_t n = -1000, y = 0;
	int rc = 0;

	while (rc == 0 && (n < 1000 || seconds < t->run->seconds)) {
		struct ilk_future f;

		if (n++ == 0)
			begin = ilk_now();
		rc = ilk_pool_submit(t->pool, "add_one", &n, sizeof(n), &f, ILK_FOREVER);
		if (rc == 0)
			rc = ilk_future_get(&f, &y, sizeof(y), NULL, ilk_after_ms(5000));
		rc = rc == 0 && y != n + 1 ? -1 : rc;
		seconds = n > 0 ? seconds_since(begin) : 0;
	}
	t->place.arena->result = seconds * 1e6 / (double)n;
	return rc;
}

static int open_pool(struct pool_trial *t)
{
	const struct ilk_pool_options o = {.size = sizeof(o),
		.capacity = POOL_CAPACITY,
		.argument_bytes = t->run->bench->bytes,
		.result_bytes = t->run->bench->bytes,
		.workers = POOL_WORKERS};

	return ilk_pool_open(t->place.seg, "pool", &o, &t->pool);
}

typedef int measure_pool(struct pool_trial *t);

static int with_workers(struct pool_trial *t, const struct ilk_pool_start_options *o)
{
	measure_pool *const *measure = (measure_pool *const *)t->run->peer->what;
	struct ilk_pool_crew *crew;
	int rc = open_pool(t);

	if (rc == 0)
		rc = ilk_pool_start(t->pool, POOL_WORKERS, pool_functions, 1, o, &crew);
	if (rc != 0)
		return rc;
	rc = (*measure)(t);
	ilk_pool_stop(crew, ilk_after_ms(5000));
	return rc;
}

static int work_by_processes(void *arg)
{
	return with_workers((struct pool_trial *)arg, NULL);
}

static int work_by_threads(void *arg)
{
	const struct ilk_pool_start_options o = {.size = sizeof(o), .flags = ILK_POOL_THREADS};

	return with_workers((struct pool_trial *)arg, &o);
}

/* Milliseconds to start two workers that run a task, and to stop them. */
static int start_and_stop(void *arg)
{
	struct pool_trial *t = (struct pool_trial *)arg;
	ilk_time begin = 0;
	double seconds = 0;
	int64_t x = 1, n = -2;
	int rc = open_pool(t);

	while (rc == 0 && (n < 5 || seconds < t->run->seconds)) {
		struct ilk_pool_crew *crew;
		struct ilk_future f;

		if (n++ == 0)
			begin = ilk_now();
		rc = ilk_pool_start(t->pool, POOL_WORKERS, pool_functions, 1, NULL, &crew);
		if (rc != 0)
			break;
		rc = ilk_pool_submit(t->pool, "add_one", &x, sizeof(x), &f, ILK_FOREVER);
		if (rc == 0)
			rc = ilk_future_get(&f, &x, sizeof(x), NULL, ilk_after_ms(5000));
		ilk_pool_stop(crew, ilk_after_ms(5000));
		seconds = n > 0 ? seconds_since(begin) : 0;
	}
	t->place.arena->result = seconds * 1e3 / (double)n;
	return rc;
}

/* Runs BODY in a process of its own, which starts the workers. */
static int run_trial(
	const struct bench_run *run, int (*body)(void *arg), struct bench_sample *sample)
{
	struct pool_trial t = {.run = run};
	pid_t pid;
	int rc = bench_place_open_sized(&t.place, (size_t)256 << 20, sample);

	if (rc != BENCH_OK)
		return rc;
	t.x = (int64_t *)calloc(POOL_TASKS, sizeof(*t.x));
	t.y = (int64_t *)calloc(POOL_TASKS, sizeof(*t.y));
	for (int i = 0; t.x && i < POOL_TASKS; i++)
		t.x[i] = i;
	rc = BENCH_FAILED;
	if (t.x && t.y) {
		pid = bench_spawn(-1, body, &t);
		rc = bench_reap(&pid, 1, ilk_after_ms(30000), sample);
		sample->value = t.place.arena->result;
	}
	free(t.x);
	free(t.y);
	bench_place_close(&t.place);
	return rc;
}

static int sample_processes(const struct bench_run *run, struct bench_sample *sample)
{
	return run_trial(run, work_by_processes, sample);
}

static int sample_threads(const struct bench_run *run, struct bench_sample *sample)
{
	return run_trial(run, work_by_threads, sample);
}

static int sample_start(const struct bench_run *run, struct bench_sample *sample)
{
	return run_trial(run, start_and_stop, sample);
}

static measure_pool *const one_by_one = measure_one_by_one, *const chunked = measure_chunked,
			   *const trips = measure_trips;

static const struct bench_peer one_peers[] = {
	{"ilk", sample_processes, &one_by_one, NULL},
	{"ilk-threads", sample_threads, &one_by_one, NULL},
	{"python-Pool", python_pool, "pool one", absent_python},
	{"python-Executor", python_pool, "executor one", absent_python},
};

static const struct bench_peer chunked_peers[] = {
	{"ilk", sample_processes, &chunked, NULL},
	{"ilk-threads", sample_threads, &chunked, NULL},
	{"python-Pool", python_pool, "pool chunked", absent_python},
	{"python-Executor", python_pool, "executor chunked", absent_python},
};

static const struct bench_peer trip_peers[] = {
	{"ilk", sample_processes, &trips, NULL},
	{"ilk-threads", sample_threads, &trips, NULL},
	{"python-Pool", python_pool, "pool trip", absent_python},
	{"python-Executor", python_pool, "executor trip", absent_python},
};

static const struct bench_peer start_peers[] = {
	{"ilk", sample_start, NULL, NULL},
	{"python-Pool", python_pool, "pool start", absent_python},
	{"python-Executor", python_pool, "executor start", absent_python},
};

const struct bench bench_pool_one = {
	.name = "pool-one",
	.unit = "M/s",
	.what = "trivial tasks, one by one, by 2 workers",
	.group = "workers",
	.reference = "python-Pool",
	.seconds = 0.3,
	.workers = 2,
	.bytes = 8,
	.more_is_better = 1,
	BENCH_PEERS(one_peers),
};

const struct bench bench_pool_chunked = {
	.name = "pool-chunked",
	.unit = "M/s",
	.what = "trivial tasks, in chunks, by 2 workers; of Python the best of several sizes",
	.group = "workers",
	.reference = "python-Pool",
	.seconds = 0.3,
	.workers = 2,
	.bytes = 8 * POOL_CHUNK,
	.more_is_better = 1,
	BENCH_PEERS(chunked_peers),
};

const struct bench bench_pool_trip = {
	.name = "pool-trip",
	.unit = "us",
	.what = "a trivial task, from its submit to its result",
	.group = "workers",
	.reference = "python-Pool",
	.seconds = 0.2,
	.workers = 2,
	.bytes = 8,
	BENCH_PEERS(trip_peers),
};

const struct bench bench_pool_start = {
	.name = "pool-start",
	.unit = "ms",
	.what = "start 2 workers, run a task, stop them",
	.group = "workers",
	.reference = "python-Pool",
	.seconds = 0.2,
	.workers = 2,
	.bytes = 8,
	BENCH_PEERS(start_peers),
};
