/*
 * rates.h - how fast things go in a segment: what two inspections of it differ by.
 *
 *	struct ilk_inspection *before, *after;          // the later, some time after the other
 *	struct rate *rates = rates_between(before, after);
 *	for (size_t i = 0; i < after->object_count; i++)
 *		if (rates[i].is_known)
 *			printf("%s: %g\n", after->objects[i].name, rates[i].ops);
 *	free(rates);
 *
 * Nobody is asked to count: every object counts for itself anyway, in the segment.
 */
#ifndef ILK_TOOLS_RATES_H
#define ILK_TOOLS_RATES_H

#include <ilk/inspect.h>

/* Of one object, over the time between two inspections. NAN: that cannot be told. */
struct rate {
	int is_known; /* 0: it was not there before, or began anew: all the others are NAN */
	/* A second: what was acquired; what was put in, and taken out; of counters, by how much the
	 * value went up. NAN: it does not count them, or nothing ever happened. */
	double ops;
	double put, got; /* a second; NAN: no messages pass through it */
	/* Of 100 operations, those that had to wait. NAN: there was no operation. */
	double contended;
	/* How many threads waited for it, on average: finished waits and those under way. */
	double waiting;
};

/*
 * A rate for each object of AFTER, in their order. An object is the same as before if its offset, name
 * and kind are, and no count of it ran backwards. BEFORE may be NULL, or of another segment of that
 * name: nothing is known then. To be freed; NULL: no memory.
 */
struct rate *rates_between(const struct ilk_inspection *before, const struct ilk_inspection *after);

#endif
