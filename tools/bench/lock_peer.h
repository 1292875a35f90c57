/*
 * lock_peer.h - a lock as the benches see it, and the loops that measure it.
 *
 * The loops are written once, here, and compiled once for each lock, so that the lock is called as
 * its users would call it: a call through a pointer for each lock would hide what is compared.
 * Can be included from C++.
 */
#ifndef BENCH_LOCK_PEER_H
#define BENCH_LOCK_PEER_H

#include "bench/work.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lock_peer {
	int (*init)(struct ilk_segment *seg, void *object);
	/* Locks and unlocks N times; nobody else is there. */
	bench_batch *pairs;
	/* Locks, adds one to arena->guarded, unlocks, until arena->stop. */
	bench_work *contend;
	/* For rows about sleep and death, where a call through a pointer costs nothing; NULL where
	 * the lock does not survive its owner. 0, 1: the last owner died, -1. */
	int (*lock)(void *object);
	int (*unlock)(void *object);
};

extern const struct lock_peer lock_peer_ilk;
extern const struct lock_peer lock_peer_pthread, lock_peer_pthread_robust;
extern const struct lock_peer lock_peer_boost;
extern const struct lock_peer lock_peer_ck_ticket, lock_peer_ck_mcs;

/*
 * Defines NAME_pairs and NAME_contend for a lock of type TYPE. LOCK and UNLOCK are expressions that
 * use `l`, the lock, and `node`, a cache line of the worker's own; other than 0 means failed.
 */
#define LOCK_PEER_LOOPS(name, type, LOCK, UNLOCK)                                                 \
	static int name##_pairs(const struct bench_place *place, const void *what, unsigned n)    \
	{                                                                                         \
		type *l = (type *)(void *)&place->arena->object;                                  \
		struct bench_line *node = &place->arena->nodes[0];                                \
                                                                                                  \
		(void)what, (void)node;                                                           \
		for (unsigned i = 0; i < n; i++)                                                  \
			if ((LOCK) || (UNLOCK))                                                   \
				return -1;                                                        \
		return 0;                                                                         \
	}                                                                                         \
                                                                                                  \
	static int name##_contend(const struct bench_place *place, const void *what, unsigned me) \
	{                                                                                         \
		struct bench_arena *a = place->arena;                                             \
		type *l = (type *)(void *)&a->object;                                             \
		struct bench_line *node = &a->nodes[me];                                          \
                                                                                                  \
		(void)what, (void)node;                                                           \
		for (uint64_t n = 1; !ilk_load_relaxed_(&a->stop); n++) {                         \
			if (LOCK)                                                                 \
				return -1;                                                        \
			a->guarded++;                                                             \
			if (UNLOCK)                                                               \
				return -1;                                                        \
			ilk_store_relaxed_(&a->workers[me].count, n);                             \
		}                                                                                 \
		return 0;                                                                         \
	}                                                                                         \
	LOCK_PEER_ASSERT(sizeof(type) <= sizeof(struct bench_line), "the lock fits its line")

#ifdef __cplusplus
#define LOCK_PEER_ASSERT static_assert
}
#else
#define LOCK_PEER_ASSERT _Static_assert
#endif

#endif
