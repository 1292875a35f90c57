/* crowd.h - threads that are in a segment and do nothing, for benches of what costs by the head. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include "bench/work.h"

struct bench_sample;

/*
 * Starts a process with N threads in it, each with an identity in PLACE's segment and one read of
 * the rwlock at LOCK behind it. *PID becomes the process, to be ended by bench_kill(). BENCH_OK or
 * BENCH_FAILED.
 */
int bench_crowd(const struct bench_place *place, void *lock, unsigned n, pid_t *pid,
	struct bench_sample *sample);

#endif
