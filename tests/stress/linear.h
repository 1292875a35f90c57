/*
 * linear.h - is a small history one that could have happened one step after the other?
 *
 * Each step has a ticket from before its call and one from after it. The history is linearizable if
 * there is an order of all steps, in which none comes before one that had returned when it was
 * called, and in which a model of the object gives each the result that it had.
 */
#ifndef ILK_TESTS_LINEAR_H
#define ILK_TESTS_LINEAR_H

#include <stdint.h>

enum { LINEAR_PLAYERS = 3, LINEAR_STEPS = 24 };

struct linear_step {
	int action;
	int64_t arg, result;
	uint64_t called, returned; /* tickets */
	uint64_t is_alone;         /* no step of another overlaps it; by linear_is_possible() */
};

/* Steps of each player, in their order. */
struct linear_history {
	uint64_t count[LINEAR_PLAYERS];
	struct linear_step step[LINEAR_PLAYERS][LINEAR_STEPS];
};

/* Can STEP of PLAYER happen in *STATE? Then that becomes the state after it, and 1; 0. */
typedef int linear_model(uint64_t *state, unsigned player, const struct linear_step *step);

/* 1; 0: no order of HISTORY makes sense to MODEL, from the state FIRST on. */
int linear_is_possible(struct linear_history *history, uint64_t first, linear_model *model);

#endif
