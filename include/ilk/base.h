/*
 * ilk/base.h - results, deadlines, version: what every other Ilk header builds on.
 *
 * Results. A call returns 0, or positive outcome bits, or a negative errno value. errno itself is
 * never part of the contract. Negative means: nothing was acquired, nothing happened.
 *
 *	int rc = ilk_mutex_lock_until(m, ilk_after_ms(50));
 *	if (rc < 0)
 *		fprintf(stderr, "%s (%s)\n", ilk_strerror(rc), ilk_last_error());
 *	if (rc > 0 && (rc & ILK_RECOVERED))
 *		put_the_data_right();
 */
#ifndef ILK_BASE_H
#define ILK_BASE_H

#include <stddef.h>
#include <stdint.h>

#define ILK_VERSION_MAJOR 0
#define ILK_VERSION_MINOR 1
#define ILK_VERSION_PATCH 0
#define ILK_VERSION_STRING "0.1.0"

#if defined(__GNUC__)
#define ILK_API __attribute__((visibility("default")))
#define ILK_ALIGNED_(n) __attribute__((aligned(n)))
#define ILK_UNLIKELY_(x) __builtin_expect(!!(x), 0)
#else
#error "Ilk needs gcc or clang"
#endif

/* Private: around functions that have a struct's name, of which g++ -Wshadow warns. */
#if defined(__cplusplus) && !defined(__clang__)
#define ILK_NAMESAKE_BEGIN_ \
	_Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"")
#define ILK_NAMESAKE_END_ _Pragma("GCC diagnostic pop")
#else
#define ILK_NAMESAKE_BEGIN_
#define ILK_NAMESAKE_END_
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Outcome bits of a call that succeeded. They combine: test with &, never with ==. */
enum {
	ILK_RECOVERED = 1,   /* you hold it; its last owner died holding it */
	ILK_TIMED_OUT = 2,   /* a condition wait ran out; you hold the mutex */
	ILK_ELECTED = 4,     /* it is up to you: a barrier's chosen one, a once's doer */
	ILK_TASK_FAILED = 8, /* a future is over, and there is no result: see its outcome */
};

/*
 * A deadline: absolute CLOCK_MONOTONIC nanoseconds. A deadline in the past, ILK_NOW among them,
 * makes a call try once and not wait.
 */
typedef int64_t ilk_time;
#define ILK_NOW ((ilk_time)0)
#define ILK_FOREVER ((ilk_time)INT64_MAX)

/* The time now, on the clock of deadlines. Wait-free; about 20 ns. */
ILK_API ilk_time ilk_now(void);

/* The deadline that lies so many milliseconds ahead. Negative: as 0. Saturates at ILK_FOREVER. */
ILK_API ilk_time ilk_after_ms(int64_t milliseconds);

/* The same in nanoseconds. */
ILK_API ilk_time ilk_after_ns(int64_t nanoseconds);

/*
 * One sentence on a result: what happened, and what to do next. Takes 0, outcome bits and -E...
 * values alike; a value Ilk never returns gets a sentence that says so. The string is constant and
 * lives for ever. Thread-safe, async-signal-safe.
 */
ILK_API const char *ilk_strerror(int result);

/*
 * The particulars of the last Ilk call that failed in this thread: the segment's or object's name,
 * the field that differs, who is in the way. "" where there is nothing to add to ilk_strerror().
 * Valid until the thread's next failing call. Set by calls that open, create, start or unlink
 * something, and by others where their headers say so.
 */
ILK_API const char *ilk_last_error(void);

/* The version of the library in use, as "0.1.0"; ILK_VERSION_STRING is the one compiled against. */
ILK_API const char *ilk_version(void);

#ifdef __cplusplus
}
#endif

#endif
