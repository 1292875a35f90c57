/* use.h - uses whatever a damaged segment offers, down to the last byte of it. */
#ifndef ILK_FUZZ_USE_H
#define ILK_FUZZ_USE_H

#include <ilk.h>

/* Reads all of a picture, which must hang together. */
void use_inspection(const struct ilk_inspection *in);

/* Finds, or makes, the seeds' objects and those of IN (which may be NULL), and uses each. */
void use_objects(struct ilk_segment *seg, const struct ilk_inspection *in);

/* Whatever one can wait for, in the block "room" if there is one. */
void use_room(struct ilk_segment *seg);

/* The seeds' rings and channels; holds their sides, and damages them meanwhile. */
void use_rings(struct ilk_segment *seg);

/* Where chance begins in that: who numbers cases sets it for each. */
extern uint64_t use_chance;

/* Lists them, removes some, closes some. */
void use_removal(struct ilk_segment *seg);

/* Allocates, publishes, follows references, frees, counts. */
void use_memory(struct ilk_segment *seg);

#endif
