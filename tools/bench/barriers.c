/*
 * barriers.c - the benches `barrier-2p` and `barrier-4p`: how long all take to meet.
 */
#include "bench/absent.h"
#include "bench/python.h"
#include "bench/rows.h"
#include "bench/work.h"

#include <pthread.h>

struct barrier_peer {
	/* Makes the barrier, for PARTIES; finds it; waits in it. 0, or -1. */
	int (*make)(const struct bench_place *place, unsigned parties);
	void *(*find)(const struct bench_place *place);
	int (*wait)(void *barrier);
};

/* --- Ilk's --- */

static int make_ilk(const struct bench_place *place, unsigned parties)
{
	const struct ilk_barrier_options options = {.size = sizeof(options), .parties = parties};
	void *block;

	if (ilk_block_open(place->seg, "barrier", sizeof(struct ilk_barrier), &block) < 0)
		return -1;
	return ilk_barrier_init(place->seg, (struct ilk_barrier *)block, "bench", &options);
}

static void *find_ilk(const struct bench_place *place)
{
	void *block = NULL;

	ilk_block_open(place->seg, "barrier", sizeof(struct ilk_barrier), &block);
	return block;
}

static int wait_ilk(void *barrier)
{
	return ilk_barrier_wait((struct ilk_barrier *)barrier) < 0 ? -1 : 0;
}

/* --- the C library's --- */

static int make_pthread(const struct bench_place *place, unsigned parties)
{
	pthread_barrierattr_t attr;
	int rc = pthread_barrierattr_init(&attr);

	_Static_assert(sizeof(pthread_barrier_t) <= sizeof(struct bench_line), "it fits its line");
	if (rc == 0)
		rc = pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (rc == 0)
		rc = pthread_barrier_init(
			(pthread_barrier_t *)(void *)&place->arena->object, &attr, parties);
	pthread_barrierattr_destroy(&attr);
	return rc;
}

static void *find_pthread(const struct bench_place *place)
{
	return &place->arena->object;
}

static int wait_pthread(void *barrier)
{
	int rc = pthread_barrier_wait((pthread_barrier_t *)barrier);

	return rc == 0 || rc == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : -1;
}

/* --- the contest --- */

/*
 * All must cross equally often, or the last would wait for ever: the first worker says, before it
 * arrives, after which crossing all are to stop: that is the one after.
 */
static int meet(const struct bench_place *place, const void *what, unsigned me)
{
	const struct barrier_peer *peer = (const struct barrier_peer *)what;
	struct bench_arena *a = place->arena;
	void *barrier = peer->find(place);
	uint64_t last = 0;

	for (uint64_t n = 1; last == 0 || n <= last; n++) {
		if (me == 0 && last == 0 && ilk_load_relaxed_(&a->stop))
			ilk_store_relaxed_(&a->guarded, n + 1);
		if (!barrier || peer->wait(barrier) != 0)
			return -1;
		ilk_store_relaxed_(&a->workers[me].count, n);
		last = ilk_load_relaxed_(&a->guarded);
	}
	return 0;
}

static int cross(const struct bench_run *run, struct bench_sample *sample)
{
	const struct barrier_peer *peer = (const struct barrier_peer *)run->peer->what;
	struct bench_place place;
	uint64_t total;
	int rc = bench_place_open(&place, sample);

	if (rc != BENCH_OK)
		return rc;
	if (peer->make(&place, run->bench->workers) != 0)
		rc = bench_fail(sample, "the barrier cannot be made");
	else
		rc = bench_contest(run, &place, meet, peer, sample, &total);
	if (rc == BENCH_OK)
		sample->value = 1e3 * run->bench->workers / sample->value;
	if (rc == BENCH_OK && total != run->bench->workers * place.arena->guarded) {
		bench_fail(sample, "not all crossed it equally often");
		rc = BENCH_WRONG;
	}
	bench_place_close(&place);
	return rc;
}

static const struct barrier_peer peer_ilk = {make_ilk, find_ilk, wait_ilk};
static const struct barrier_peer peer_pthread = {make_pthread, find_pthread, wait_pthread};

static const struct bench_peer peers[] = {
	{"ilk", cross, &peer_ilk, NULL},
	{"pthread", cross, &peer_pthread, NULL},
	{"python", python_cross, NULL, absent_python},
};

const struct bench bench_barrier_2p = {
	.name = "barrier-2p",
	.unit = "ns",
	.what = "2 processes on 2 cores meet in a barrier",
	.reference = "pthread",
	.seconds = 0.2,
	.workers = 2,
	.crosses = 1,
	BENCH_PEERS(peers),
};

const struct bench bench_barrier_4p = {
	.name = "barrier-4p",
	.unit = "ns",
	.what = "the same, 4 processes on 2 cores",
	.reference = "pthread",
	.seconds = 0.2,
	.workers = 4,
	.crosses = 1,
	BENCH_PEERS(peers),
};
