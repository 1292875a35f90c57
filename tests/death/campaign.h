/* campaign.h - all the trials of an operation. */
#ifndef DEATH_CAMPAIGN_H
#define DEATH_CAMPAIGN_H

#include "harness.h"

enum { MODE_PLAIN = 1, MODE_ZOMBIE = 2, MODE_SECOND = 4 };

struct options {
	bool soak;
	unsigned modes; /* MODE_...; 0: all of them */
	long point;     /* -1: chosen by state and seed */
	long point2;    /* of the second victim; -1: chosen */
	int order;      /* enum order; -1: chosen */
	uint64_t seed;
	int sample;          /* points tried beside the distinct states */
	long most;           /* first deaths tried of those planned; 0: all */
	int limit_ms;        /* for each thing that a survivor does */
	int failures;        /* so many, and the operation is given up */
	int64_t until;       /* no trial begins later */
	const char *program; /* for the command lines that repeat a point */
	bool quiet;          /* failures are not printed */
};

struct tally {
	long points, states;
	long tried, survived;
	long zombie, second; /* of those tried */
	long strayed;        /* that did not arrive where the survey said, in three attempts */
	long left_out;       /* for lack of time, or after too many failures */
	bool given_up;       /* too many failures */
	int64_t slowest;
};

void campaign_title(void);
void campaign_row(const struct operation *op, const struct tally *tally);
/* True: all that were tried survived. */
bool campaign_run(const struct operation *op, const struct options *options, struct tally *tally);

#endif
