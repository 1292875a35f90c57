/* worker.h - what the frame and its workers share; memory of the lab, not of the segment. */
#ifndef ILK_RACE_WORKER_H
#define ILK_RACE_WORKER_H

#include "race/frame.h"
#include <sys/types.h>

enum race_state {
	RACE_STARTING = 0,
	RACE_READY = 1,  /* has opened all it needs, and waits for the start */
	RACE_DONE = 2,   /* has done all its iterations */
	RACE_FAILED = 3, /* `error` says why */
	RACE_DYING = 4,  /* kills itself, as planned */
};

enum { RACE_EVENTS = 2048 }; /* a power of two */

/* Written by its worker alone, read by the frame; on cache lines of its own. */
struct race_cell {
	uint32_t state;
	int64_t done; /* iterations so far */
	ilk_time began, ended;
	char error[200];
} ILK_ALIGNED_(256);

/* What a worker noted last, a ring. */
struct race_log {
	uint64_t count; /* ever */
	struct race_event events[RACE_EVENTS];
} ILK_ALIGNED_(64);

struct race_control {
	uint32_t go;      /* written by the frame, once: all are ready */
	uint32_t arrived; /* workers that saw it, and spin until the others have, too */
	uint32_t stop;    /* written by the frame: time is up */
	uint32_t met ILK_ALIGNED_(64);    /* arrivals at meetings, ever */
	uint64_t meeting;                 /* the last one that all have come to, */
	uint64_t moment;                  /* and when they all go on, by race_clock() */
	int64_t allowed ILK_ALIGNED_(64); /* chunks that worker 0 let all begin; -1: no more */
	struct race_cell cells[] ILK_ALIGNED_(256);
};

struct race_job {
	const struct race_scenario *scenario;
	const struct race_variant *variant;
	const struct race_size *size;
	const char *segment;
	struct race_control *control;
	struct race_log *logs; /* one for each worker, or NULL */
	int workers;
	pid_t parent;
};

/* The life of process number PROCESS of a job. */
_Noreturn void race_process(const struct race_job *job, int process);

/* --- witness.c --- */

/* Looks in the logs of JOB for what shows the bug; fills OUTCOME's events. */
void race_find_witness(const struct race_job *job, struct race_outcome *outcome);

/* --- hang.c --- */

/*
 * Appends to DETAILS who waits for what: what the segment behind FD says, and, for what is none of
 * Ilk's, what the kernel says of PIDS.
 */
void race_tell_hang(int fd, const pid_t *pids, int count, char *details, size_t size);

#endif
