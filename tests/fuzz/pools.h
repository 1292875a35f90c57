/* pools.h - a pool in the seeds, and its use when it is damaged. */
#ifndef ILK_FUZZ_POOLS_H
#define ILK_FUZZ_POOLS_H

#include <ilk.h>

/* A pool with tasks that are queued, over, failed and cancelled. */
void pools_furnish(struct ilk_segment *seg);

/* Submits; has one running. */
void pools_occupy(struct ilk_segment *seg);

/* Whatever can be done with it, if it is there: in vain, or not; it comes to an end. */
void pools_use(struct ilk_segment *seg);

#endif
