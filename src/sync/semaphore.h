/* semaphore.h - what the files of the semaphore share: its tag, and the word in a sem_t. */
#ifndef ILK_SYNC_SEMAPHORE_H
#define ILK_SYNC_SEMAPHORE_H

#include "os/sem.h"
#include <ilk/atomics.h>
#include <ilk/semaphore.h>

enum {
	ILK_SEMAPHORE_TAG_ = 0x6d73,
	ILK_SEMAPHORE_REMOVED_ = 0x5273, /* the tag of one whose name was removed */
};

static inline int ilk_semaphore_is_removed_(const struct ilk_semaphore *s)
{
	return ilk_load_relaxed_(&s->tag) == ILK_SEMAPHORE_REMOVED_;
}

static inline int ilk_semaphore_is_one_(const struct ilk_semaphore *s)
{
	return ilk_load_relaxed_(&s->tag) == ILK_SEMAPHORE_TAG_ || ilk_semaphore_is_removed_(s);
}

static inline uint32_t ilk_semaphore_value_of_(const struct ilk_semaphore *s)
{
	return ILK_SEM_VALUE_(ilk_load_acquire_(ilk_sem_word_(&s->posix)));
}

#endif
