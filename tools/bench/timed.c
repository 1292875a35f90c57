/*
 * timed.c - how long one operation takes, in one process, alone.
 *
 * The time is cut into slices, and the median slice counts: where the system took the core away in
 * between, that spoils a few slices, not the figure.
 */
#include "bench/rows.h"
#include "bench/work.h"

enum { SLICES = 256 };

static const double warm_up = 0.005; /* seconds */

struct timed {
	const struct bench_place *place;
	bench_batch *batch;
	const void *what;
	unsigned n;
	double seconds;
};

/* Nanoseconds per operation in one slice of about SECONDS, or negative where one failed. */
static double run_slice(const struct timed *t, double seconds)
{
	ilk_time begin = ilk_now(), now = begin, end = begin + (ilk_time)(seconds * 1e9);
	double done = 0;

	do {
		if (t->batch(t->place, t->what, t->n) != 0)
			return -1;
		done += t->n;
		now = ilk_now();
	} while (now < end);
	return (double)(now - begin) / done;
}

/* The median of slices over the sample's time; negative where an operation failed. */
static double run_slices(const struct timed *t)
{
	double slices[2 * SLICES];
	ilk_time end = ilk_after_ns((int64_t)(t->seconds * 1e9));
	size_t n = 0;

	do {
		slices[n] = run_slice(t, t->seconds / SLICES);
		if (slices[n++] < 0)
			return -1;
	} while (ilk_now() < end && n < 2 * SLICES);
	return bench_median(slices, n);
}

static int timed_child(void *arg)
{
	const struct timed *t = (const struct timed *)arg;

	if (run_slice(t, warm_up) < 0)
		return -1;
	t->place->arena->result = run_slices(t);
	return t->place->arena->result < 0;
}

int bench_time(const struct bench_run *run, const struct bench_place *place, bench_batch *batch,
	const void *what, unsigned n, struct bench_sample *sample)
{
	struct timed t = {place, batch, what, n, run->seconds};
	pid_t pid = bench_spawn(run->cpus[0], timed_child, &t);
	int rc = bench_reap(&pid, 1, ilk_after_ns((int64_t)((run->seconds + 10) * 1e9)), sample);

	sample->value = place->arena->result;
	return rc;
}
