/*
 * ticks.h - a thing that is done every so often: at the times that were planned, however long it takes.
 *
 *	struct ticks ticks;
 *	ticks_begin(&ticks, every);
 *	for (;;) {
 *		ticks_wait(&ticks);
 *		...
 *	}
 */
#ifndef ILK_TOOLS_TICKS_H
#define ILK_TOOLS_TICKS_H

#include <ilk/base.h>

#define TICKS_SECOND INT64_C(1000000000)
#define TICKS_LEAST INT64_C(10000000)         /* every 10 ms, what a user may ask for */
#define TICKS_MOST (100000000 * TICKS_SECOND) /* three years */

struct ticks {
	ilk_time begun, next;
	int64_t every;
};

/* The first tick is EVERY nanoseconds from now. */
void ticks_begin(struct ticks *t, int64_t every);

/* When the next tick is. Those that were missed are left out. */
ilk_time ticks_next_at(struct ticks *t);

/* Waits until then, whatever signals come; the tick after it is next. */
void ticks_wait(struct ticks *t);

/* The tick has been waited for by other means. */
void ticks_done(struct ticks *t);

/* Sleeps. */
void ticks_sleep(int64_t ns);

/* The deadline for one who waits NS: negative: for ever; 0: not at all. */
ilk_time ticks_deadline(int64_t ns);

#endif
