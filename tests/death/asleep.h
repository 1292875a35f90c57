/* asleep.h - a partner who sleeps for what a victim may or may not have done. */
#ifndef DEATH_ASLEEP_H
#define DEATH_ASLEEP_H

#include "scene.h"

/* What it sleeps in. */
struct bed {
	int (*wait)(ilk_time until); /* 0; -ETIMEDOUT; anything else is wrong */
	int (*is_open)(void);        /* would a wait be over at once? */
};

/*
 * Sleeps until let through, or the victim is dead and the bed not open. Outcome: let through or
 * not. Fails where it is asleep half a second after the death though the bed is open.
 */
int sleep_in(struct stage *s, const struct bed *bed);

#endif
