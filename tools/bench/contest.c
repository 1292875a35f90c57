/*
 * contest.c - processes that compete for something, and what each of them got.
 *
 * Each worker counts what it did in a cache line of its own, for as long as it runs. We read the
 * counts when the warm-up is over and again when the time is: nobody has to start or stop on the
 * dot, and what is divided by is the time that passed between the readings.
 */
#include "bench/rows.h"
#include "bench/work.h"

#include <sched.h>

static const double warm_up = 0.02;  /* seconds */
static const double patience = 10.0; /* until workers are taken for hung */

struct entrant {
	const struct bench_place *place;
	bench_work *work;
	const void *what;
	unsigned me;
};

static int entrant_child(void *arg)
{
	const struct entrant *e = (const struct entrant *)arg;
	struct bench_arena *a = e->place->arena;

	ilk_add_full_(&a->ready, 1);
	while (!ilk_load_acquire_(&a->go))
		sched_yield();
	return e->work(e->place, e->what, e->me);
}

struct reading {
	ilk_time at;
	uint64_t count[BENCH_WORKERS];
};

static struct reading read_counts(const struct bench_arena *a, unsigned workers)
{
	struct reading r = {.at = ilk_now()};

	for (unsigned i = 0; i < workers; i++)
		r.count[i] = ilk_load_relaxed_(&a->workers[i].count);
	return r;
}

static void compare(const struct reading *from, const struct reading *to, unsigned workers,
	struct bench_sample *sample)
{
	uint64_t sum = 0, least = UINT64_MAX, most = 0;

	for (unsigned i = 0; i < workers; i++) {
		uint64_t n = to->count[i] - from->count[i];

		sum += n;
		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	sample->value = (double)sum * 1e3 / (double)(to->at - from->at);
	sample->share = most ? (double)least / (double)most : 0;
}

/* Starts all, measures, tells all to stop; they may not have ended yet. */
static int hold(const struct bench_run *run, struct bench_arena *a, struct bench_sample *sample)
{
	struct reading from, to;

	if (bench_await(&a->ready, run->bench->workers, patience) != 0)
		return bench_fail(sample, "the workers did not start in time");
	ilk_store_release_(&a->go, 1);
	bench_sleep(warm_up);
	from = read_counts(a, run->bench->workers);
	bench_sleep(run->seconds);
	to = read_counts(a, run->bench->workers);
	compare(&from, &to, run->bench->workers, sample);
	return BENCH_OK;
}

int bench_contest(const struct bench_run *run, const struct bench_place *place, bench_work *work,
	const void *what, struct bench_sample *sample, uint64_t *total)
{
	unsigned workers = run->bench->workers;
	pid_t pids[BENCH_WORKERS];
	int rc, ended;

	for (unsigned i = 0; i < workers; i++) {
		struct entrant e = {place, work, what, i};

		pids[i] = bench_spawn(run->cpus[i % 2], entrant_child, &e);
	}
	rc = hold(run, place->arena, sample);
	ilk_store_release_(&place->arena->go, 1);
	ilk_store_release_(&place->arena->stop, 1);
	ended = bench_reap(pids, workers, ilk_after_ns((int64_t)(patience * 1e9)), sample);
	*total = 0;
	for (unsigned i = 0; i < workers; i++)
		*total += place->arena->workers[i].count;
	return rc < 0 ? rc : ended;
}
