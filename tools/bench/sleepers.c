/*
 * sleepers.c - the bench `sleepers-200`: what 200 threads cost that sleep in one lock.
 *
 * The lock is held by another process, which lives. The figure is processor time of the sleeping
 * process over time passed, in percent of one core.
 */
#include "bench/lock_peer.h"
#include "bench/rows.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SLEEPERS = 200, STACK = 256 << 10 };
enum { HELD = 1 }; /* stage */

static const double patience = 10.0; /* seconds */
static const double settle = 0.2;

struct scene {
	const struct lock_peer *lock;
	struct bench_place place;
	double seconds;
};

static int holder(void *arg)
{
	struct scene *s = (struct scene *)arg;

	if (s->lock->lock(&s->place.arena->object) != 0)
		return -1;
	ilk_store_release_(&s->place.arena->stage, HELD);
	for (;;)
		pause();
}

static void *sleeper(void *arg)
{
	struct scene *s = (struct scene *)arg;

	ilk_add_full_(&s->place.arena->ready, 1);
	/* Whoever gets through spoils the measurement: that is found out by `guarded`. */
	s->lock->lock(&s->place.arena->object);
	ilk_add_full_(&s->place.arena->guarded, 1);
	return NULL;
}

static int start_sleepers(struct scene *s)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc = pthread_attr_init(&attr);

	if (rc == 0)
		rc = pthread_attr_setstacksize(&attr, STACK);
	for (int i = 0; rc == 0 && i < SLEEPERS; i++)
		rc = pthread_create(&thread, &attr, sleeper, s);
	pthread_attr_destroy(&attr);
	return rc;
}

static double seconds_used(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int sleeping_process(void *arg)
{
	struct scene *s = (struct scene *)arg;
	struct bench_arena *a = s->place.arena;
	ilk_time begin;
	double used;

	if (start_sleepers(s) != 0 || bench_await(&a->ready, SLEEPERS, patience) != 0)
		return -1;
	bench_sleep(settle);
	begin = ilk_now();
	used = seconds_used();
	bench_sleep(s->seconds);
	used = seconds_used() - used;
	a->result = used * 1e11 / (double)(ilk_now() - begin);
	/* bench_spawn leaves by _exit, which ends the sleepers as a kill would. */
	return ilk_load_acquire_(&a->guarded) != 0;
}

static int play(struct scene *s, struct bench_sample *sample)
{
	pid_t held_by = bench_spawn(-1, holder, s), sleeping;
	double limit = s->seconds + settle + 2 * patience;
	int rc;

	if (bench_await(&s->place.arena->stage, HELD, patience) != 0) {
		bench_kill(held_by);
		return bench_fail(sample, "the lock could not be taken");
	}
	sleeping = bench_spawn(-1, sleeping_process, s);
	rc = bench_reap(&sleeping, 1, ilk_after_ns((int64_t)(limit * 1e9)), sample);
	bench_kill(held_by);
	sample->value = s->place.arena->result;
	return rc;
}

static int sleepers(const struct bench_run *run, struct bench_sample *sample)
{
	struct scene s = {
		.lock = (const struct lock_peer *)run->peer->what, .seconds = run->seconds};
	int rc = bench_place_open(&s.place, sample);

	if (rc != BENCH_OK)
		return rc;
	if (s.lock->init(s.place.seg, &s.place.arena->object) == 0)
		rc = play(&s, sample);
	else
		rc = bench_fail(sample, "the lock cannot be initialized");
	bench_place_close(&s.place);
	return rc;
}

static const struct bench_peer peers[] = {
	{"ilk", sleepers, &lock_peer_ilk, NULL},
	{"pthread-robust", sleepers, &lock_peer_pthread_robust, NULL},
};

const struct bench bench_sleepers = {
	.name = "sleepers-200",
	.unit = "%",
	.what = "of one core, used by 200 threads that sleep in a lock held by another process",
	.reference = "pthread-robust",
	.seconds = 0.5,
	.workers = 2,
	BENCH_PEERS(peers),
};
