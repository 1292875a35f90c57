/*
 * attach_peer.h - a kind of shared memory that can be attached to. Can be included from C++.
 */
#ifndef BENCH_ATTACH_PEER_H
#define BENCH_ATTACH_PEER_H

#include "bench/work.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ATTACH_BYTES = 1 << 20 };

struct attach_peer {
	int (*make)(const char *name);    /* 0, or -1; nobody is attached afterwards */
	bench_batch *attach;              /* attaches and detaches N times; WHAT is the name */
	void (*remove)(const char *name); /* removes the name, if it is there */
};

extern const struct attach_peer attach_peer_boost;

#ifdef __cplusplus
}
#endif

#endif
