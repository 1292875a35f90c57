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
};

/* Written by its worker alone, read by the frame; on cache lines of its own. */
struct race_cell {
	uint32_t state;
	int64_t done; /* iterations so far */
	ilk_time began, ended;
	char error[200];
} ILK_ALIGNED_(256);

struct race_control {
	uint32_t go;      /* written by the frame, once: all are ready */
	uint32_t arrived; /* workers that saw it, and spin until the others have, too */
	struct race_cell cells[] ILK_ALIGNED_(256);
};

struct race_job {
	const struct race_variant *variant;
	const struct race_size *size;
	const char *segment;
	struct race_control *control;
	pid_t parent;
};

/* The life of process number PROCESS of a job. */
_Noreturn void race_process(const struct race_job *job, int process);

#endif
