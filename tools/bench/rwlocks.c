/*
 * rwlocks.c - the benches `rwlock-...`: reading and writing alone, reading together, and mixes.
 */
#include "bench/absent.h"
#include "bench/crowd.h"
#include "bench/rows.h"
#include "bench/rwlock_peer.h"

enum { FIVE_PERCENT = 51, HALF = 512 }; /* of 1024 */

/* What a row's peer is, with so many threads that are there besides. */
struct subject {
	const struct rwlock_peer *lock;
	unsigned crowd;
	unsigned writes;  /* of a mix, of 1024 */
	unsigned workers; /* 0: as many as the bench says */
};

static int open_lock(
	const struct bench_run *run, struct bench_place *place, struct bench_sample *sample)
{
	const struct subject *s = (const struct subject *)run->peer->what;

	if (bench_place_open(place, sample) != BENCH_OK)
		return BENCH_FAILED;
	if (s->lock->init(place->seg, place->arena->rwlock) == 0)
		return BENCH_OK;
	bench_place_close(place);
	return bench_fail(sample, "the lock cannot be initialized");
}

/* Times BATCH, with the subject's crowd standing by. */
static int time_alone(const struct bench_run *run, bench_batch *batch, struct bench_sample *sample)
{
	const struct subject *s = (const struct subject *)run->peer->what;
	struct bench_place place;
	pid_t crowd = 0;
	int rc = open_lock(run, &place, sample);

	if (rc != BENCH_OK)
		return rc;
	if (s->crowd)
		rc = bench_crowd(&place, place.arena->rwlock, s->crowd, &crowd, sample);
	if (rc == BENCH_OK)
		rc = bench_time(run, &place, batch, NULL, 1000, sample);
	bench_kill(crowd);
	bench_place_close(&place);
	return rc;
}

static int reads(const struct bench_run *run, struct bench_sample *sample)
{
	return time_alone(run, ((const struct subject *)run->peer->what)->lock->reads, sample);
}

static int writes(const struct bench_run *run, struct bench_sample *sample)
{
	return time_alone(run, ((const struct subject *)run->peer->what)->lock->writes, sample);
}

static int turns(const struct bench_run *run, struct bench_sample *sample)
{
	return time_alone(run, ((const struct subject *)run->peer->what)->lock->turns, sample);
}

/* Have as many writes changed the pair as were counted? */
static int check_pair(const struct bench_arena *a, struct bench_sample *sample)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < BENCH_WORKERS; i++)
		total += a->workers[i].writes;
	if (a->pair[0] == total && a->pair[1] == total)
		return BENCH_OK;
	bench_fail(sample, "%llu written, %llu counted: the lock let two in at once",
		(unsigned long long)a->pair[0], (unsigned long long)total);
	return BENCH_WRONG;
}

static int mix(const struct bench_run *run, struct bench_sample *sample)
{
	const struct subject *s = (const struct subject *)run->peer->what;
	const struct rwlock_mix what = {s->writes};
	struct bench bench = *run->bench;
	struct bench_run own = *run;
	struct bench_place place;
	uint64_t total;
	int rc = open_lock(run, &place, sample);

	if (rc != BENCH_OK)
		return rc;
	own.bench = &bench;
	if (s->workers)
		bench.workers = s->workers;
	rc = bench_contest(&own, &place, s->lock->mix, &what, sample, &total);
	if (rc == BENCH_OK)
		rc = check_pair(place.arena, sample);
	bench_place_close(&place);
	return rc;
}

#ifdef BENCH_HAS_BOOST
#define BOOST &rwlock_peer_boost
#else
#define BOOST NULL
#endif

#define SUBJECT(peer, ...) (&(const struct subject){.lock = (peer), __VA_ARGS__})

static const struct bench_peer read_peers[] = {
	{"ilk", reads, SUBJECT(&rwlock_peer_ilk), NULL},
	{"ilk-cells", reads, SUBJECT(&rwlock_peer_ilk_cells), NULL},
	{"pthread", reads, SUBJECT(&rwlock_peer_pthread), NULL},
	{"pthread-writer", reads, SUBJECT(&rwlock_peer_pthread_writer), NULL},
	{"boost", reads, SUBJECT(BOOST), absent_boost},
};

/* Both tables: with no crowd, and with 16, 64 and 256 threads that are there as well. */
#define CROWDED_PEERS(what)                                                                   \
	{                                                                                     \
		{"ilk", what, SUBJECT(&rwlock_peer_ilk), NULL},                               \
			{"ilk-16", what, SUBJECT(&rwlock_peer_ilk, .crowd = 15), NULL},       \
			{"ilk-64", what, SUBJECT(&rwlock_peer_ilk, .crowd = 63), NULL},       \
			{"ilk-256", what, SUBJECT(&rwlock_peer_ilk, .crowd = 255), NULL},     \
			{"ilk-cells", what, SUBJECT(&rwlock_peer_ilk_cells), NULL},           \
			{"pthread", what, SUBJECT(&rwlock_peer_pthread), NULL},               \
			{"pthread-writer", what, SUBJECT(&rwlock_peer_pthread_writer), NULL}, \
			{"boost", what, SUBJECT(BOOST), absent_boost},                        \
	}

static const struct bench_peer write_peers[] = CROWDED_PEERS(writes);
static const struct bench_peer turns_peers[] = CROWDED_PEERS(turns);

#define MIX_PEERS(share)                                                                          \
	{                                                                                         \
		{"ilk", mix, SUBJECT(&rwlock_peer_ilk, .writes = (share)), NULL},                 \
			{"ilk-cells", mix, SUBJECT(&rwlock_peer_ilk_cells, .writes = (share)),    \
				NULL},                                                            \
			{"pthread", mix, SUBJECT(&rwlock_peer_pthread, .writes = (share)), NULL}, \
			{"pthread-writer", mix,                                                   \
				SUBJECT(&rwlock_peer_pthread_writer, .writes = (share)), NULL},   \
			{"boost", mix, SUBJECT(BOOST, .writes = (share)), absent_boost},          \
	}

static const struct bench_peer mix_peers[] = MIX_PEERS(FIVE_PERCENT);
static const struct bench_peer half_peers[] = MIX_PEERS(HALF);

static const struct bench_peer readers_peers[] = {
	{"ilk", mix, SUBJECT(&rwlock_peer_ilk), NULL},
	{"ilk-one", mix, SUBJECT(&rwlock_peer_ilk, .workers = 1), NULL},
	{"ilk-cells", mix, SUBJECT(&rwlock_peer_ilk_cells), NULL},
	{"pthread", mix, SUBJECT(&rwlock_peer_pthread), NULL},
	{"pthread-one", mix, SUBJECT(&rwlock_peer_pthread, .workers = 1), NULL},
	{"boost", mix, SUBJECT(BOOST), absent_boost},
};

const struct bench bench_rwlock_read = {
	.name = "rwlock-read",
	.unit = "ns",
	.what = "read and unlock, one process, nobody else there",
	.reference = "pthread",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(read_peers),
};

const struct bench bench_rwlock_readers_2p = {
	.name = "rwlock-readers-2p",
	.unit = "M/s",
	.what = "read two words, unlock: 2 processes on 2 cores, together; and one alone",
	.fairness = "rwlock-readers-2p-fairness",
	.reference = "ilk-one",
	.seconds = 0.2,
	.workers = 2,
	.more_is_better = 1,
	.crosses = 1,
	BENCH_PEERS(readers_peers),
};

const struct bench bench_rwlock_write = {
	.name = "rwlock-write",
	.unit = "ns",
	.what = "write and unlock, one process, with 1, 16, 64, 256 threads in the segment",
	.reference = "pthread",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(write_peers),
};

const struct bench bench_rwlock_turns = {
	.name = "rwlock-turns",
	.unit = "ns",
	.what = "read, unlock, write, unlock: so that each write has to look for readers",
	.reference = "pthread",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(turns_peers),
};

const struct bench bench_rwlock_mix_2p = {
	.name = "rwlock-mix-2p",
	.unit = "M/s",
	.what = "5 % writes, else reads: 2 processes on 2 cores, together",
	.fairness = "rwlock-mix-2p-fairness",
	.reference = "pthread",
	.seconds = 0.2,
	.workers = 2,
	.more_is_better = 1,
	.crosses = 1,
	BENCH_PEERS(mix_peers),
};

const struct bench bench_rwlock_mix_4p = {
	.name = "rwlock-mix-4p",
	.unit = "M/s",
	.what = "the same, 4 processes on 2 cores",
	.fairness = "rwlock-mix-4p-fairness",
	.reference = "pthread",
	.seconds = 0.2,
	.workers = 4,
	.more_is_better = 1,
	.crosses = 1,
	BENCH_PEERS(mix_peers),
};

const struct bench bench_rwlock_half_2p = {
	.name = "rwlock-half-2p",
	.unit = "M/s",
	.what = "half writes, half reads: 2 processes on 2 cores, together",
	.fairness = "rwlock-half-2p-fairness",
	.reference = "pthread",
	.seconds = 0.2,
	.workers = 2,
	.more_is_better = 1,
	.crosses = 1,
	BENCH_PEERS(half_peers),
};
