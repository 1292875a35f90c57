/*
 * locks.c - the benches `mutex`, `mutex-2p` and `mutex-4p`: a lock alone, and contended.
 */
#include "bench/absent.h"
#include "bench/lock_peer.h"
#include "bench/python.h"
#include "bench/rows.h"

static int open_lock(
	const struct bench_run *run, struct bench_place *place, struct bench_sample *sample)
{
	const struct lock_peer *lock = (const struct lock_peer *)run->peer->what;

	if (bench_place_open(place, sample) != BENCH_OK)
		return BENCH_FAILED;
	if (lock->init(place->seg, &place->arena->object) == 0)
		return BENCH_OK;
	bench_place_close(place);
	return bench_fail(sample, "the lock cannot be initialized");
}

static int alone(const struct bench_run *run, struct bench_sample *sample)
{
	const struct lock_peer *lock = (const struct lock_peer *)run->peer->what;
	struct bench_place place;
	int rc = open_lock(run, &place, sample);

	if (rc != BENCH_OK)
		return rc;
	rc = bench_time(run, &place, lock->pairs, NULL, 1000, sample);
	bench_place_close(&place);
	return rc;
}

static int contended(const struct bench_run *run, struct bench_sample *sample)
{
	const struct lock_peer *lock = (const struct lock_peer *)run->peer->what;
	struct bench_place place;
	uint64_t total;
	int rc = open_lock(run, &place, sample);

	if (rc != BENCH_OK)
		return rc;
	rc = bench_contest(run, &place, lock->contend, NULL, sample, &total);
	if (rc == BENCH_OK && place.arena->guarded != total) {
		bench_fail(sample, "%llu locked, %llu counted: the lock let two in at once",
			(unsigned long long)total, (unsigned long long)place.arena->guarded);
		rc = BENCH_WRONG;
	}
	bench_place_close(&place);
	return rc;
}

#ifdef BENCH_HAS_BOOST
#define BOOST &lock_peer_boost
#else
#define BOOST NULL
#endif
#ifdef BENCH_HAS_CK
#define CK_TICKET &lock_peer_ck_ticket
#define CK_MCS &lock_peer_ck_mcs
#else
#define CK_TICKET NULL
#define CK_MCS NULL
#endif

static const struct bench_peer alone_peers[] = {
	{"ilk", alone, &lock_peer_ilk, NULL},
	{"pthread", alone, &lock_peer_pthread, NULL},
	{"pthread-robust", alone, &lock_peer_pthread_robust, NULL},
	{"boost", alone, BOOST, absent_boost},
	{"ck-ticket", alone, CK_TICKET, absent_ck},
	{"ck-mcs", alone, CK_MCS, absent_ck},
	{"python", python_alone, NULL, absent_python},
};

static const struct bench_peer contended_peers[] = {
	{"ilk", contended, &lock_peer_ilk, NULL},
	{"pthread", contended, &lock_peer_pthread, NULL},
	{"pthread-robust", contended, &lock_peer_pthread_robust, NULL},
	{"boost", contended, BOOST, absent_boost},
	{"ck-ticket", contended, CK_TICKET, absent_ck},
	{"ck-mcs", contended, CK_MCS, absent_ck},
	{"python", python_contended, NULL, absent_python},
};

const struct bench bench_mutex = {
	.name = "mutex",
	.unit = "ns",
	.what = "lock and unlock, one process, nobody else there",
	.reference = "pthread-robust",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(alone_peers),
};

const struct bench bench_mutex_2p = {
	.name = "mutex-2p",
	.unit = "M/s",
	.what = "lock, add one, unlock: 2 processes on 2 cores, together",
	.fairness = "mutex-2p-fairness",
	.reference = "pthread-robust",
	.seconds = 0.2,
	.workers = 2,
	.more_is_better = 1,
	.crosses = 1,
	BENCH_PEERS(contended_peers),
};

const struct bench bench_mutex_4p = {
	.name = "mutex-4p",
	.unit = "M/s",
	.what = "the same, 4 processes on 2 cores",
	.fairness = "mutex-4p-fairness",
	.reference = "pthread-robust",
	.seconds = 0.2,
	.workers = 4,
	.more_is_better = 1,
	.crosses = 1,
	BENCH_PEERS(contended_peers),
};
