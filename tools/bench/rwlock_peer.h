/*
 * rwlock_peer.h - a lock for readers and writers as the benches see it, and the loops that measure
 * it: written once, and compiled once for each lock, as in lock_peer.h. Can be included from C++.
 */
#ifndef BENCH_RWLOCK_PEER_H
#define BENCH_RWLOCK_PEER_H

#include "bench/work.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a mix is made of: `what` of its loop. */
struct rwlock_mix {
	unsigned writes; /* of 1024 */
};

struct rwlock_peer {
	int (*init)(struct ilk_segment *seg, void *object);
	/* N times, alone: read and let go; write and let go; both by turns. */
	bench_batch *reads, *writes, *turns;
	/* Until arena->stop, reads two words, failing if they differ, or adds one to both. */
	bench_work *mix;
};

extern const struct rwlock_peer rwlock_peer_ilk, rwlock_peer_ilk_cells;
extern const struct rwlock_peer rwlock_peer_pthread, rwlock_peer_pthread_writer;
extern const struct rwlock_peer rwlock_peer_boost;

/* The next of a worker's cheap random numbers below 1024. */
static inline unsigned rwlock_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (unsigned)(*seed & 1023);
}

#define RWLOCK_PEER_LOOP(name, type, ONCE)                                             \
	static int name(const struct bench_place *place, const void *what, unsigned n) \
	{                                                                              \
		type *l = (type *)(void *)place->arena->rwlock;                        \
                                                                                       \
		(void)what;                                                            \
		for (unsigned i = 0; i < n; i++)                                       \
			if (ONCE)                                                      \
				return -1;                                             \
		return 0;                                                              \
	}

/*
 * Defines NAME_reads, NAME_writes, NAME_turns and NAME_mix for a lock of type TYPE. READ, WRITE,
 * DONE_READING and DONE_WRITING are expressions that use `l`, the lock; other than 0 means failed.
 */
#define RWLOCK_PEER_LOOPS(name, type, READ, DONE_READING, WRITE, DONE_WRITING)                \
	RWLOCK_PEER_LOOP(name##_reads, type, (READ) || (DONE_READING))                        \
	RWLOCK_PEER_LOOP(name##_writes, type, (WRITE) || (DONE_WRITING))                      \
	RWLOCK_PEER_LOOP(                                                                     \
		name##_turns, type, (READ) || (DONE_READING) || (WRITE) || (DONE_WRITING))    \
                                                                                              \
	static int name##_mix(const struct bench_place *place, const void *what, unsigned me) \
	{                                                                                     \
		const struct rwlock_mix *mix = (const struct rwlock_mix *)what;               \
		struct bench_arena *a = place->arena;                                         \
		type *l = (type *)(void *)a->rwlock;                                          \
		uint64_t seed = 88172645463325252u + me;                                      \
                                                                                              \
		for (uint64_t n = 1; !ilk_load_relaxed_(&a->stop); n++) {                     \
			if (rwlock_random(&seed) < mix->writes) {                             \
				if (WRITE)                                                    \
					return -1;                                            \
				ilk_store_relaxed_(&a->pair[0], a->pair[0] + 1);              \
				ilk_store_relaxed_(&a->pair[1], a->pair[1] + 1);              \
				ilk_store_relaxed_(                                           \
					&a->workers[me].writes, a->workers[me].writes + 1);   \
				if (DONE_WRITING)                                             \
					return -1;                                            \
			} else {                                                              \
				if (READ)                                                     \
					return -1;                                            \
				if (ilk_load_relaxed_(&a->pair[0]) !=                         \
					ilk_load_relaxed_(&a->pair[1]))                       \
					return -1;                                            \
				if (DONE_READING)                                             \
					return -1;                                            \
			}                                                                     \
			ilk_store_relaxed_(&a->workers[me].count, n);                         \
		}                                                                             \
		return 0;                                                                     \
	}                                                                                     \
	RWLOCK_PEER_ASSERT(sizeof(type) <= sizeof(struct bench_line[BENCH_RWLOCK_LINES]), "it fits")

#ifdef __cplusplus
#define RWLOCK_PEER_ASSERT static_assert
}
#else
#define RWLOCK_PEER_ASSERT _Static_assert
#endif

#endif
