/*
 * recovery.c - the bench `recovery-64mb`: how long until a lock comes back from the killed.
 *
 * A process with 64 MB resident holds the lock and is killed while another sleeps in it. The figure
 * is from kill() to the return of the other's lock, which has to say that the owner died. The
 * kernel frees the memory of the killed first: part of the figure, for every peer.
 */
#include "bench/lock_peer.h"
#include "bench/rows.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RESIDENT = 64 << 20 };
enum { HELD = 1, WAITING = 2 }; /* stages */

static const double patience = 10.0; /* seconds */

struct scene {
	const struct lock_peer *lock;
	struct bench_place place;
};

static int holder(void *arg)
{
	struct scene *s = (struct scene *)arg;
	struct bench_arena *a = s->place.arena;
	void *memory =
		mmap(NULL, RESIDENT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -1;
	memset(memory, 1, RESIDENT);
	if (s->lock->lock(&a->object) != 0)
		return -1;
	ilk_store_release_(&a->stage, HELD);
	for (;;)
		pause();
}

static int waiter(void *arg)
{
	struct scene *s = (struct scene *)arg;
	struct bench_arena *a = s->place.arena;
	int rc;

	ilk_store_release_(&a->stage, WAITING);
	rc = s->lock->lock(&a->object);
	a->moment = ilk_now();
	return rc == 1 ? s->lock->unlock(&a->object) : -1;
}

/* One look at the lock every 20 ms would always meet the kill at the same point: move it. */
static double settle(unsigned round)
{
	return 0.04 + 0.02 / 7 * (round % 7);
}

static int play(const struct bench_run *run, struct scene *s, struct bench_sample *sample)
{
	struct bench_arena *a = s->place.arena;
	pid_t held_by = bench_spawn(run->cpus[0], holder, s), sleeper;
	ilk_time killed;
	int rc;

	if (bench_await(&a->stage, HELD, patience) != 0) {
		bench_kill(held_by);
		return bench_fail(sample, "the lock could not be taken");
	}
	sleeper = bench_spawn(run->cpus[1], waiter, s);
	rc = bench_await(&a->stage, WAITING, patience);
	bench_sleep(settle(run->round));
	killed = ilk_now();
	bench_kill(held_by);
	if (rc == 0)
		rc = bench_reap(&sleeper, 1, ilk_after_ns((int64_t)(patience * 1e9)), sample);
	else
		bench_kill(sleeper);
	if (rc != 0)
		return bench_fail(sample, "the lock did not come back from the killed");
	sample->value = (double)(a->moment - killed) / 1e6;
	return BENCH_OK;
}

static int recovery(const struct bench_run *run, struct bench_sample *sample)
{
	struct scene s = {.lock = (const struct lock_peer *)run->peer->what};
	int rc = bench_place_open(&s.place, sample);

	if (rc != BENCH_OK)
		return rc;
	if (s.lock->init(s.place.seg, &s.place.arena->object) == 0)
		rc = play(run, &s, sample);
	else
		rc = bench_fail(sample, "the lock cannot be initialized");
	bench_place_close(&s.place);
	return rc;
}

static const struct bench_peer peers[] = {
	{"ilk", recovery, &lock_peer_ilk, NULL},
	{"pthread-robust", recovery, &lock_peer_pthread_robust, NULL},
};

const struct bench bench_recovery = {
	.name = "recovery-64mb",
	.unit = "ms",
	.what = "from the kill of a holder of 64 MB to the lock's next owner, who slept",
	.reference = "pthread-robust",
	.workers = 2,
	BENCH_PEERS(peers),
};
