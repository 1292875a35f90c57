/*
 * sample.h - segments that are looked at again and again, and what went on between two looks.
 *
 *	struct sample s;
 *	sample_begin(&s, argv, argc);           // no names: all segments, whichever there are
 *	for (;;) {
 *		sample_take(&s);
 *		... s.segments[i].now, s.segments[i].rates ...
 *	}
 *	sample_end(&s);
 *
 * A segment that vanishes and comes back is looked at again. Only ilk_inspect() is used: nothing is
 * mapped, joined, locked or written.
 */
#ifndef ILK_TOOLS_SAMPLE_H
#define ILK_TOOLS_SAMPLE_H

#include "ilk/rates.h"

struct sampled {
	char *name;                          /* as the user gave it */
	struct ilk_inspection *before, *now; /* the last two looks; NULL: there is none */
	struct rate *rates;                  /* of the objects of `now` */
	int result;        /* 0; or why there is no `now`: -E... of ilk_inspect() */
	char trouble[160]; /* the same in words; "" none */
	int is_listed;     /* while all are listed: it is there still */
};

struct sample {
	struct sampled *segments;
	size_t count;
	int all;            /* not named: as many as there are */
	ilk_time cost;      /* how long the last look took */
	int64_t taken_unix; /* when that was, CLOCK_REALTIME nanoseconds */
};

/* Takes no look yet. */
void sample_begin(struct sample *s, char *const *names, int count);

/* Looks at each once. 0; -E... of ilk_inspect_each(), and then nothing has changed. */
int sample_take(struct sample *s);

void sample_end(struct sample *s);

#endif
