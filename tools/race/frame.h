/*
 * frame.h - what every scenario of the race lab shares.
 *
 * A scenario is a bug that shows when processes meet in shared memory, and the ways to put it
 * right: one file, with a struct race_scenario that scenarios.c lists. Nothing is scripted: the
 * frame starts real processes, each of which opens a real segment by its name, lets them go at one
 * moment, and counts what came out.
 */
#ifndef ILK_RACE_FRAME_H
#define ILK_RACE_FRAME_H

#include <ilk/segment.h>

struct race_variant {
	const char *name;
	const char *what; /* what it does, in a few words */
	int is_broken;    /* 1: this is the bug; 0: it is to be exact */
	/* In each worker before the start, and in who counts at the end: finds what is shared. */
	int (*open)(struct ilk_segment *seg);
	/* In each worker: does it TIMES times. Called again and again. 0, or -E... */
	int (*work)(int64_t times);
	/* After the end: how many of the iterations there is a trace of. */
	int64_t (*result)(void);
};

struct race_scenario {
	const char *name;
	const char *bug, *breaks,
		*fix; /* each a short line: the wrong code, what it does, the cure */
	const struct race_variant *variants;
	int variant_count;
};

/* Which there are; ends with NULL. */
extern const struct race_scenario *const race_scenarios[];

/* Who races, and how long. */
struct race_size {
	int processes;
	int threads;        /* in each process; 1: the process itself is the worker */
	int64_t iterations; /* of each worker */
};

enum race_verdict {
	RACE_OK,    /* every iteration left its trace */
	RACE_SHOWN, /* some did not */
	RACE_HANG,  /* no worker got on for ten seconds; they were ended */
	RACE_CRASH, /* a worker died; the others were ended */
};

struct race_outcome {
	enum race_verdict verdict;
	int64_t expected, got;
	double ns_per_op;  /* from the first start to the last end, over all iterations of all; NAN
			    */
	char details[200]; /* of a crash, or of what kept it from running */
};

/* Hears several times a second how far it is. */
typedef void race_progress(int64_t done, int64_t expected, void *arg);

/* Runs VARIANT. 0; -1: it could not be run, OUTCOME->details says why. PROGRESS may be NULL. */
int race_run(const struct race_variant *variant, const struct race_size *size,
	race_progress *progress, void *arg, struct race_outcome *outcome);

#endif
