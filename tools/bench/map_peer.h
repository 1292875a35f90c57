/*
 * map_peer.h - something that leads from keys to values of 64 bytes. Can be included from C++.
 */
#ifndef BENCH_MAP_PEER_H
#define BENCH_MAP_PEER_H

#include "bench/work.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MAP_KEYS = 1000, MAP_VALUE = 64, MAP_BYTES = 1 << 20 };

struct map_peer {
	/* Makes one, for MAP_KEYS keys of 8 bytes; NULL: it cannot. The name is gone afterwards. */
	void *(*make)(const struct bench_place *place, const char *name);
	bench_batch
		*turns; /* puts and gets N times, key by key; WHAT is a pointer to what was made */
	void (*unmake)(void *made); /* or NULL */
};

extern const struct map_peer map_peer_boost;

#ifdef __cplusplus
}
#endif

#endif
