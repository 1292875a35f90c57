/*
 * sem.h - the C library's semaphores: made, opened by name, and how they lie in memory.
 *
 * 64-bit glibc: the first eight bytes of a sem_t are one word. Its lower half is the value, on which
 * sleepers sleep; its upper half counts those who sleep or are about to. A post adds 1 to the word,
 * and wakes one if the upper half was not 0; a wait takes 1 off, and itself out of the count, in one
 * compare-and-swap. sysdeps/nptl, sem_post.c and sem_waitcommon.c of glibc 2.21 and later.
 */
#ifndef ILK_OS_SEM_H
#define ILK_OS_SEM_H

#include <semaphore.h>
#include <stdint.h>

/* In the word. */
#define ILK_SEM_WAITER_ (UINT64_C(1) << 32)
#define ILK_SEM_VALUE_(word) ((uint32_t)(word))

static inline uint64_t *ilk_sem_word_(const sem_t *sem)
{
	return (uint64_t *)(uintptr_t)sem;
}

/* The half of it that is the value. */
static inline uint32_t *ilk_sem_value_at_(uint64_t *word)
{
	return (uint32_t *)(void *)word + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

/* Is that how this C library does it? 0; -ENOSYS. */
int ilk_sem_known_(void);

/* Makes SEM a process-shared semaphore. 0; -E... */
int ilk_sem_init_(sem_t *sem, unsigned value);

enum { ILK_SEM_CREATE_ = 1, ILK_SEM_EXCLUSIVE_ = 2 };

/* sem_open(3), FLAGS of the above. 0; -E... */
int ilk_sem_open_(const char *name, int flags, unsigned mode, unsigned value, sem_t **sem);

#endif
