/* queues.h - queues in the seeds, and their use when they are damaged. */
#ifndef ILK_FUZZ_QUEUES_H
#define ILK_FUZZ_QUEUES_H

#include <ilk.h>

/* A queue whose dead letters go to another, and one of lanes; with messages in them. */
void queues_furnish(struct ilk_segment *seg);

/* Leases, reserves, registers. */
void queues_occupy(struct ilk_segment *seg);

/* Whatever can be done with them, if they are there: in vain, or not; it comes to an end. */
void queues_use(struct ilk_segment *seg);

#endif
