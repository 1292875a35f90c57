/*
 * futex.c - futex(2).
 *
 * Waits are absolute and on CLOCK_MONOTONIC: FUTEX_WAIT_BITSET, the only wait that takes such a
 * time without computing it anew. Its return does not clear the sleeper's wake-up if that was
 * already given; every caller looks at the word again.
 */
#include "os/futex.h"
#include "os/clock.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define TELL_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TELL_TSAN 1
#endif
#endif

#ifdef TELL_TSAN
/* The kernel's store in FUTEX_WAKE_OP is invisible to it. */
void __tsan_release(void *address);
#else
static inline void __tsan_release(void *address)
{
	(void)address;
}
#endif

static int result(long rc)
{
	return rc < 0 ? -errno : (int)rc;
}

int ilk_futex_wait_(const uint32_t *word, uint32_t expected, ilk_time until)
{
	struct timespec t = ilk_timespec_(until);
	struct timespec *limit = until == ILK_FOREVER ? NULL : &t;

	return result(syscall(
		SYS_futex, word, FUTEX_WAIT_BITSET, expected, limit, NULL, FUTEX_BITSET_MATCH_ANY));
}

int ilk_futex_wake_(const uint32_t *word, int count)
{
	return result(syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0));
}

/* Does OP to *WORD and wakes at most COUNT. Negative: refused, by a filter perhaps. */
static int change_and_wake(uint32_t *word, uint32_t op, int count)
{
	__tsan_release(word);
	/* Second wake: none, whatever the comparison says. */
	return result(syscall(SYS_futex, word, FUTEX_WAKE_OP, count, 0L, word, op));
}

/* Where that is refused, it goes in two steps, for which sleepers look by themselves. */

int ilk_futex_store_and_wake_(uint32_t *word, uint32_t value, int count)
{
	int rc = change_and_wake(word, FUTEX_OP(FUTEX_OP_SET, value, FUTEX_OP_CMP_EQ, 0), count);

	if (rc >= 0)
		return rc;
	ilk_store_release_(word, value);
	return ilk_futex_wake_(word, count);
}

int ilk_futex_step_and_wake_(uint32_t *word, int count)
{
	int rc = change_and_wake(word, FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0), count);

	if (rc >= 0)
		return rc;
	ilk_add_full_(word, 1);
	return ilk_futex_wake_(word, count);
}
