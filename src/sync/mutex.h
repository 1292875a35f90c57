/* mutex.h - what the files of the mutex share: the values of its owner word. */
#ifndef ILK_SYNC_MUTEX_H
#define ILK_SYNC_MUTEX_H

#include "segment/registry.h"
#include <ilk/mutex.h>

enum {
	ILK_MUTEX_DAMAGED_ = 1, /* an owner died in it, and nobody has repaired it since */
	ILK_MUTEX_AGAIN_ = 2,   /* its owner has it more than once: depth says how often more */
	ILK_MUTEX_TAG_ = 0x6d78,
	ILK_MUTEX_REMOVED_ = 0x5278, /* the tag of one whose name was removed */
};

/* Makes M an unlocked mutex: for objects that have one in them. */
void ilk_mutex_make_(struct ilk_mutex *m, const char *label, uint32_t flags);

/*
 * As ilk_mutex_lock_until(), for one who goes on without it: he cannot hang for it, so lock-order history
 * has no pair of it.
 */
int ilk_mutex_lock_unasked_(struct ilk_mutex *m, ilk_time deadline);

static inline int ilk_mutex_is_held_(uint32_t word)
{
	return ilk_owner_is_thread_(word);
}

/* Does it name the calling thread, whose identity is in ilk_thread_? */
static inline int ilk_mutex_is_mine_(uint32_t word)
{
	return (word & ~ILK_OWNER_FLAGS_) == ilk_thread_.owner;
}

static inline int ilk_mutex_is_one_(const struct ilk_mutex *m)
{
	uint16_t tag = ilk_load_relaxed_(&m->tag);

	return tag == ILK_MUTEX_TAG_ || tag == ILK_MUTEX_REMOVED_;
}

static inline int ilk_mutex_is_removed_(const struct ilk_mutex *m)
{
	return ilk_load_relaxed_(&m->tag) == ILK_MUTEX_REMOVED_;
}

#endif
