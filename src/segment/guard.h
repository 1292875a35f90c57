/* guard.h - the lock of directory and arena: short sections, robust, rule 1 in its plain form. */
#ifndef ILK_SEGMENT_GUARD_H
#define ILK_SEGMENT_GUARD_H

#include "segment/registry.h"
#include "segment/types.h"

/*
 * Locks SEG's guard for the calling thread, which ilk_here_() was called for. 0; ILK_RECOVERED: its
 * last holder died in it, and what it guards must be put right; -ECANCELED; -EBADMSG: its owner word
 * names nobody who could be in it. Until the unlock the mapping stays, whatever close does.
 */
int ilk_guard_lock_(struct ilk_segment *seg);

/*
 * Takes it only if nobody is in it and nobody died in it: for who closes, while others of this process
 * are kept out already. 1; 0.
 */
int ilk_guard_try_(struct ilk_segment *seg);
void ilk_guard_unlock_(struct ilk_segment *seg);

/* For the inspector, to whom it is an object, at `guard` of the header. */
extern const struct ilk_type_ ilk_guard_row_;

#endif
