/*
 * membarrier.h - a fence that one process runs on the processors of all others.
 *
 * Registered at load time: with a single thread that costs under a microsecond, later 15-19 ms.
 */
#ifndef ILK_OS_MEMBARRIER_H
#define ILK_OS_MEMBARRIER_H

/* Registers this process as one whose processors take part. Idempotent. 0; -ENOTSUP. */
int ilk_membarrier_register_(void);

/*
 * Returns when every thread of every registered process has passed a full memory fence since the
 * call. Never fails after a successful registration.
 */
void ilk_membarrier_(void);

#endif
