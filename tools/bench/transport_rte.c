/*
 * transport_rte.c - rte_ring of DPDK: one to one, and many to many. It never sleeps.
 *
 * A ring needs none of DPDK's environment: it is set up in memory of ours, with elements of the size
 * of a message, which are copied in and out. What is called for each message is inline in the
 * headers; the library is loaded for the set-up alone, so that the command does not depend on it.
 */
#include "bench/transport_loops.h"

#include <dlfcn.h>
#include <rte_ring.h>
#include <rte_ring_elem.h>

#define RING(w) ((struct rte_ring *)(void *)(w)->memory)

typedef int init_ring(struct rte_ring *r, const char *name, unsigned count, unsigned flags);

/* Whole cache lines; the elements follow the ring, as rte_ring_get_memsize_elem() counts. */
static size_t memory(const struct transport_way *w)
{
	return sizeof(struct rte_ring) + w->capacity * w->bytes;
}

static int make(struct transport_way *w, unsigned flags)
{
	void *library = dlopen(BENCH_RTE_RING, RTLD_NOW);
	init_ring *init = library ? (init_ring *)dlsym(library, "rte_ring_init") : NULL;

	return init ? init(RING(w), "bench", w->capacity, flags) : -1;
}

static int make_spsc(struct transport_way *w)
{
	return make(w, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static int make_mpmc(struct transport_way *w)
{
	return make(w, 0);
}

static inline int rte_spsc_send(struct transport_way *w, const void *message, size_t n)
{
	return rte_ring_sp_enqueue_elem(RING(w), (void *)(uintptr_t)message, (unsigned)n) == 0;
}

static inline int rte_spsc_receive(struct transport_way *w, void *message, size_t n)
{
	return rte_ring_sc_dequeue_elem(RING(w), message, (unsigned)n) == 0;
}

static inline int rte_spsc_send_many(
	struct transport_way *w, const void *messages, unsigned count, size_t n)
{
	return (int)rte_ring_sp_enqueue_burst_elem(RING(w), messages, (unsigned)n, count, NULL);
}

static inline int rte_spsc_receive_many(
	struct transport_way *w, void *messages, unsigned count, size_t n)
{
	return (int)rte_ring_sc_dequeue_burst_elem(RING(w), messages, (unsigned)n, count, NULL);
}

static inline int rte_mpmc_send(struct transport_way *w, const void *message, size_t n)
{
	return rte_ring_mp_enqueue_elem(RING(w), (void *)(uintptr_t)message, (unsigned)n) == 0;
}

static inline int rte_mpmc_receive(struct transport_way *w, void *message, size_t n)
{
	return rte_ring_mc_dequeue_elem(RING(w), message, (unsigned)n) == 0;
}

static inline int rte_mpmc_send_many(
	struct transport_way *w, const void *messages, unsigned count, size_t n)
{
	return (int)rte_ring_mp_enqueue_burst_elem(RING(w), messages, (unsigned)n, count, NULL);
}

static inline int rte_mpmc_receive_many(
	struct transport_way *w, void *messages, unsigned count, size_t n)
{
	return (int)rte_ring_mc_dequeue_burst_elem(RING(w), messages, (unsigned)n, count, NULL);
}

TRANSPORT_LOOPS(rte_spsc, 0);
TRANSPORT_BULK_LOOPS(rte_spsc);
TRANSPORT_LOOPS(rte_mpmc, 0);
TRANSPORT_BULK_LOOPS(rte_mpmc);

const struct transport transport_rte_spsc = {memory, make_spsc, NULL, NULL, NULL, rte_spsc_send,
	rte_spsc_receive, rte_spsc_loops, rte_spsc_bulk_loops};
const struct transport transport_rte_mpmc = {memory, make_mpmc, NULL, NULL, NULL, rte_mpmc_send,
	rte_mpmc_receive, rte_mpmc_loops, rte_mpmc_bulk_loops};
