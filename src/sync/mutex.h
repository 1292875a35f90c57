/* mutex.h - what the files of the mutex share: the values of its owner word. */
#ifndef ILK_SYNC_MUTEX_H
#define ILK_SYNC_MUTEX_H

#include "segment/registry.h"
#include <ilk/mutex.h>

enum {
	ILK_MUTEX_DAMAGED_ = 1, /* an owner died in it, and nobody has repaired it since */
	ILK_MUTEX_AGAIN_ = 2,   /* its owner has it more than once: depth says how often more */
	ILK_MUTEX_TAG_ = 0x6d78,
};

static inline int ilk_mutex_is_held_(uint32_t word)
{
	return ilk_owner_is_thread_(word);
}

#endif
