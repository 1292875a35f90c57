/* owner.h - who an owner word names, for people to read. */
#ifndef ILK_SYNC_OWNER_H
#define ILK_SYNC_OWNER_H

#include "segment/member.h"
#include <ilk/mutex.h>

/* LIFE as a holder's. */
enum ilk_holder ilk_holder_of_life_(enum ilk_life life);

/* What the thread that OWNER names, a word without flags, is to the calling one, which joins nothing
 * for the question. */
enum ilk_holder ilk_holder_(struct ilk_segment *seg, uint32_t owner);

/* Fills pid, tid and name, as far as they are known. */
void ilk_owner_named_(const struct ilk_segment *seg, uint32_t owner, struct ilk_mutex_owner *out);

#endif
