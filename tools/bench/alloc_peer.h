/*
 * alloc_peer.h - something that gives out memory and takes it back. Can be included from C++.
 */
#ifndef BENCH_ALLOC_PEER_H
#define BENCH_ALLOC_PEER_H

#include "bench/work.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ALLOC_BYTES = 1 << 20, ALLOC_BLOCK = 64 };

struct alloc_peer {
	/* What it allocates from; NULL: it cannot. The name is gone afterwards. NULL: nothing. */
	void *(*make)(const char *name);
	bench_batch *alloc; /* allocates and frees N times; WHAT is a pointer to what was made */
	void (*unmake)(void *made);
};

extern const struct alloc_peer alloc_peer_boost;

/* So that the compiler leaves out nothing. */
static inline void alloc_is_used(void *block)
{
	__asm__ volatile("" : : "r"(block) : "memory");
}

#ifdef __cplusplus
}
#endif

#endif
