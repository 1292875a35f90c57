/* models.h - what a lock, permits, phases, ... are, in a word; for linear.h. */
#ifndef ILK_TESTS_MODELS_H
#define ILK_TESTS_MODELS_H

#include "linear.h"

enum action {
	TAKE,   /* arg of them; result 0, or negative: in vain */
	GIVE,   /* arg of them */
	LOOK,   /* result: what was seen */
	CLEAR,  /* an event */
	PUT,    /* arg, as the latest; result: its version */
	NUMBER, /* result: the latest version */
	ARRIVE, /* at a barrier */
	LEAVE,  /* result: as it says */
	ABORT,
	RESET,
	ADD,     /* where there is nothing, */
	REPLACE, /* or where something is, */
	RAISE,   /* or in any case, by one; result: what it became */
};

enum { PERMITS = 4 };

/*
 * States at first: 0; of a semaphore its value; of a latch what is to be counted; of versions
 * version << 32 and value; of a map a byte for each key: what it leads to, or 0.
 */
linear_model model_lock, model_permits, model_semaphore, model_event, model_latch, model_versions,
	model_phases, model_map;

#endif
