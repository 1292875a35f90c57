/* futex.h - the kernel's sleep and wake, between processes (never FUTEX_PRIVATE). */
#ifndef ILK_OS_FUTEX_H
#define ILK_OS_FUTEX_H

#include <ilk/base.h>

/*
 * Sleeps while *WORD is EXPECTED, until UNTIL at most. 0: woken (perhaps spuriously); -EAGAIN:
 * *WORD was another value; -ETIMEDOUT; -EINTR. Only src/segment/wait.c calls it.
 */
int ilk_futex_wait_(const uint32_t *word, uint32_t expected, ilk_time until);

/* Wakes at most COUNT sleepers on WORD; the number woken. */
int ilk_futex_wake_(const uint32_t *word, int count);

/* What is done with a word, in the kernel's numbers. */
enum ilk_change_ {
	ILK_STORE_ = 0,
	ILK_ADD_ = 1,
	ILK_OR_ = 2,
	ILK_CLEAR_ = 3, /* the bits of VALUE */
};

/*
 * Changes *WORD by VALUE (0 to 2047) and wakes at most COUNT sleepers on it, in one system call: no
 * SIGKILL falls between. Order: full. Async-signal-safe. The number woken.
 */
int ilk_futex_change_and_wake_(uint32_t *word, enum ilk_change_ how, uint32_t value, int count);

/*
 * Stores VALUE (0 to 2047) in *WORD and wakes at most COUNT sleepers on it, in one system call: no
 * SIGKILL falls between. Order: what came before is seen by who reads VALUE. The number woken.
 */
int ilk_futex_store_and_wake_(uint32_t *word, uint32_t value, int count);

/* The same, adding 1 to *WORD instead. */
int ilk_futex_step_and_wake_(uint32_t *word, int count);

#endif
