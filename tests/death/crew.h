/* crew.h - the operations shared out among as many workers as there are processors. */
#ifndef DEATH_CREW_H
#define DEATH_CREW_H

#include "campaign.h"

struct crew {
	const struct operation *const *operations; /* ends with NULL */
	const char *only;                          /* the name of one, or NULL */
	struct options options;
	int64_t seconds; /* 0: no limit */
	int workers;
};

/* Runs and prints them. True: all that were tried survived. SUM gets the totals. */
bool crew_run(const struct crew *crew, struct tally *sum);

#endif
