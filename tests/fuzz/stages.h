/* stages.h - a pipeline in the seeds. */
#ifndef ILK_FUZZ_STAGES_H
#define ILK_FUZZ_STAGES_H

#include <ilk.h>

/* Starts a pipeline whose second stage has done a message and keeps the next; the first waits for room. */
void stages_occupy(struct ilk_segment *seg);

#endif
