/* plan.h - the choice of points, from states, seed and options. */
#ifndef DEATH_PLAN_H
#define DEATH_PLAN_H

#include "campaign.h"

enum { PLAN_SECOND_MOST = 64 };

/* One trial to be made. */
struct job {
	long point, point2; /* point2 -1 with second: to be surveyed first */
	enum order order;
	bool zombie, second;
};

struct plan {
	struct job *jobs;
	long count, room;
};

struct campaign {
	const struct operation *op;
	const struct options *options;
	struct tally *tally;
	struct survey survey;
	long reference[REFERENCES];
	uint64_t random;
	long last_before, first_after; /* the outcomes so far, by place */
	long failures;
};

/* The choices depend on seed and operation alone. */
void plan_seed(struct campaign *c);
/* Fills PLAN from the survey. False: there is no such point, or no memory. */
bool plan_make(struct campaign *c, struct plan *plan);
void plan_free(struct plan *plan);
/* The points of the second victim to be tried: into POINTS, at most PLAN_SECOND_MOST. */
int plan_second_points(struct campaign *c, const struct survey *survey2, long *points);
/* Shall this second victim's trial leave zombies? */
bool plan_zombie(struct campaign *c);

#endif
