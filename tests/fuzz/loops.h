/* loops.h - a loop in the seeds, and its use when it is damaged. */
#ifndef ILK_FUZZ_LOOPS_H
#define ILK_FUZZ_LOOPS_H

#include <ilk.h>

/* A loop with results, in a round of which a part is done. */
void loops_furnish(struct ilk_segment *seg);

/* Takes a part, and keeps it. */
void loops_occupy(struct ilk_segment *seg);

/* Whatever can be done with it, if it is there; it comes to an end. */
void loops_use(struct ilk_segment *seg);

#endif
