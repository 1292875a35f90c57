/* walk.h - from a marker to a chosen point, looking at what changes on the way. */
#ifndef DEATH_WALK_H
#define DEATH_WALK_H

#include "harness.h"
#include "step.h"
#include "watch.h"

struct walk {
	struct traced *traced;
	const struct target *target; /* NULL: to the end */
	struct survey *survey;       /* NULL: not recorded */
	int limit_ms;                /* for all of it */
	unsigned flags;              /* ENDS_ASLEEP, FROM_SLEEP, WOKEN */
	bool (*wake)(void *arg);     /* for WOKEN: ends what it waits for */
	void *arg;
	struct watch watch;
	struct target at;
	enum step last;
	bool strayed; /* on the way to the target's anchor */
	bool missed; /* it was to begin asleep, and never slept: on a busy machine time had passed */
};

/* True: at the target, or at the end. False: the process is lost. */
bool walk(struct walk *w, const char *segment);
/* Did it end elsewhere than at the target? */
bool walk_strayed(const struct walk *w);

#endif
