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
};

enum { PERMITS = 4 };

/*
 * States at first: 0; of a semaphore its value; of a latch what is to be counted; of versions
 * version << 32 and value.
 */
linear_model model_lock, model_permits, model_semaphore, model_event, model_latch, model_versions,
	model_phases;

#endif
