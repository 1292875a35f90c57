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
/* The kernel's change in FUTEX_WAKE_OP is invisible to it. */
void __tsan_release(void *address);
#else
static inline void __tsan_release(void *address)
{
	(void)address;
}
#endif

_Static_assert((int)ILK_STORE_ == FUTEX_OP_SET && (int)ILK_ADD_ == FUTEX_OP_ADD, "the kernel's");
_Static_assert((int)ILK_OR_ == FUTEX_OP_OR && (int)ILK_CLEAR_ == FUTEX_OP_ANDN, "numbers");

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

/* In two steps, for which sleepers look by themselves. */
static void change(uint32_t *word, enum ilk_change_ how, uint32_t value)
{
	switch (how) {
	case ILK_STORE_:
		ilk_store_release_(word, value);
		break;
	case ILK_ADD_:
		ilk_add_full_(word, value);
		break;
	case ILK_OR_:
		ilk_or_full_(word, value);
		break;
	case ILK_CLEAR_:
		ilk_and_full_(word, ~value);
		break;
	}
}

int ilk_futex_change_and_wake_(uint32_t *word, enum ilk_change_ how, uint32_t value, int count)
{
	uint32_t op = FUTEX_OP((uint32_t)how, value, FUTEX_OP_CMP_EQ, 0);
	int before = errno;
	long rc;

	__tsan_release(word);
	/* Second wake: none, whatever the comparison says. */
	rc = syscall(SYS_futex, word, FUTEX_WAKE_OP, count, 0L, word, op);
	if (rc < 0) {
		/* Refused, by a filter perhaps. */
		change(word, how, value);
		rc = ilk_futex_wake_(word, count);
	}
	errno = before; /* some who call it are signal handlers */
	return (int)rc;
}

int ilk_futex_store_and_wake_(uint32_t *word, uint32_t value, int count)
{
	return ilk_futex_change_and_wake_(word, ILK_STORE_, value, count);
}

int ilk_futex_step_and_wake_(uint32_t *word, int count)
{
	return ilk_futex_change_and_wake_(word, ILK_ADD_, 1, count);
}
