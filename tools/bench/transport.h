/*
 * transport.h - something that carries messages between processes, as the benches of queues see it.
 *
 * A family of peers is a file transport_FAMILY.c, with three functions for each peer:
 *
 *	static inline int X_send(struct transport_way *w, const void *message, size_t n);
 *	static inline int X_receive(struct transport_way *w, void *message, size_t n);
 *	static int make_X(struct transport_way *w);
 *
 * and, after `TRANSPORT_LOOPS(X, blocks)`, a `struct transport` (transport_loops.h has the loops).
 * Can be included from C++.
 */
#ifndef BENCH_TRANSPORT_H
#define BENCH_TRANSPORT_H

#include "bench/work.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRANSPORT_BIGGEST = 1024, TRANSPORT_BULK = 32 };
enum { TRANSPORT_SENDS = 1, TRANSPORT_RECEIVES = 2 };

/* One direction, in one process: what the parent made is inherited, what is joined is private. */
struct transport_way {
	const struct bench_place *place;
	unsigned number;       /* 0: there, 1: back */
	unsigned capacity;     /* messages that it is to hold; a power of two */
	size_t bytes;          /* of each message */
	unsigned char *memory; /* in the segment: as much as it asked for, all zero */
	void *own;             /* the peer's */
	int fd[2];             /* the peer's: where one receives, and where one sends */
	unsigned senders, receivers;
};

/*
 * Loops for messages of one size. All return 0, or -1 where a call failed; what came out of order
 * or damaged is counted in workers[me].wrong.
 */
struct transport_loops {
	/* Sends until arena->stop, counts nothing; notes the sum in workers[me].sum. */
	int (*produce)(struct transport_way *w, unsigned me);
	/* Receives until all senders have finished, and counts. */
	int (*consume)(struct transport_way *w, unsigned me);
	/* Sends by ways[0] and receives by ways[1] what comes back, N times. */
	int (*ask)(struct transport_way *ways, unsigned n);
	/* Sends back what comes, until it is killed. */
	int (*answer)(struct transport_way *ways);
	/* Sends and receives, N times, in one process. */
	int (*pairs)(struct transport_way *w, unsigned n);
};

struct transport_bulk_loops {
	/* As above, TRANSPORT_BULK at a time. */
	int (*produce)(struct transport_way *w, unsigned me);
	int (*consume)(struct transport_way *w, unsigned me);
};

struct transport {
	/* Bytes that it wants in the segment. NULL: none. */
	size_t (*memory)(const struct transport_way *w);
	/* In the parent, before anybody is forked. 0, or -1. */
	int (*make)(struct transport_way *w);
	/* In the parent, when all others have ended. NULL: there is nothing to do. */
	void (*unmake)(struct transport_way *w);
	/* In who sends or receives (ROLES), before the first message, and after the last one. 0, or
	 * -1. NULL: there is nothing to do. */
	int (*join)(struct transport_way *w, int roles);
	void (*leave)(struct transport_way *w);
	/* Messages of 8 bytes, by a call through a pointer: for where it costs nothing. 1; 0: full,
	 * empty; -1. */
	int (*send)(struct transport_way *w, const void *message, size_t n);
	int (*receive)(struct transport_way *w, void *message, size_t n);
	const struct transport_loops *loops;     /* for 8, 64 and 1024 bytes */
	const struct transport_bulk_loops *bulk; /* the same; NULL: has no batches */
};

extern const struct transport transport_ring, transport_ring_place, transport_ring_fixed;
extern const struct transport transport_ring_waits;
extern const struct transport transport_queue, transport_queue_lanes, transport_queue_lease;
extern const struct transport transport_queue_waits;
extern const struct transport transport_ck_spsc, transport_ck_mpmc;
extern const struct transport transport_rte_spsc, transport_rte_mpmc;
extern const struct transport transport_boost_spsc, transport_boost_queue, transport_boost_mq;
extern const struct transport transport_qb, transport_qb_blocking;
extern const struct transport transport_pipe, transport_mq, transport_socket, transport_futex;
extern const struct transport transport_zeromq;

/*
 * For a receiver that has got COUNT messages in all: notes how long those since the last call took.
 * At how many it is to be called next.
 */
uint64_t transport_slice(const struct transport_way *w, uint64_t count);
/* It has got all: if it was the only one, arena->result becomes its median slice, in M/s. */
void transport_slices_end(const struct transport_way *w);

/* Those that this build has; NULL where it has not. */
#ifdef BENCH_HAS_CK
#define TRANSPORT_CK(kind) (&transport_ck_##kind)
#else
#define TRANSPORT_CK(kind) NULL
#endif
#ifdef BENCH_HAS_BOOST
#define TRANSPORT_BOOST(kind) (&transport_boost_##kind)
#else
#define TRANSPORT_BOOST(kind) NULL
#endif
#ifdef BENCH_RTE_RING
#define TRANSPORT_RTE(kind) (&transport_rte_##kind)
#else
#define TRANSPORT_RTE(kind) NULL
#endif
#ifdef BENCH_QB
#define TRANSPORT_QB(kind) (&transport_qb##kind)
#else
#define TRANSPORT_QB(kind) NULL
#endif
#ifdef BENCH_ZEROMQ
#define TRANSPORT_ZEROMQ &transport_zeromq
#else
#define TRANSPORT_ZEROMQ NULL
#endif

/* Which of the loops is for messages of BYTES. */
static inline unsigned transport_size(size_t bytes)
{
	return bytes == 8 ? 0 : bytes == 64 ? 1 : 2;
}

struct bench_run;
struct bench_sample;

/* Samples, for the tables of peers: peer->what is the transport, bench->bytes the size. */
int transport_flow(const struct bench_run *run, struct bench_sample *sample);
int transport_bulk(const struct bench_run *run, struct bench_sample *sample);
int transport_trip(const struct bench_run *run, struct bench_sample *sample);
int transport_alone(const struct bench_run *run, struct bench_sample *sample);
int transport_wake(const struct bench_run *run, struct bench_sample *sample);

#ifdef __cplusplus
}
#endif

#endif
