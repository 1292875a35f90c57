/*
 * support.h - what our own tests share beside ilk/cmocka.h: where a test cannot run, and shorthand.
 */
#ifndef ILK_TESTS_SUPPORT_H
#define ILK_TESTS_SUPPORT_H

#include <ilk.h>
#include <ilk/cmocka.h>

#if defined(__SANITIZE_THREAD__)
#define SUPPORT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SUPPORT_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SUPPORT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SUPPORT_ASAN 1
#endif
#endif
#ifndef SUPPORT_TSAN
#define SUPPORT_TSAN 0
#endif
#ifndef SUPPORT_ASAN
#define SUPPORT_ASAN 0
#endif

#define CHECK(condition) ilk_test_check(condition)
#define CHECK_RC(call, expected) ilk_test_check_rc(call, expected)

/* Prints why, and skips the test. In the runner only. */
#define SKIP(why)                                    \
	do {                                         \
		print_message("skipped: %s\n", why); \
		skip();                              \
	} while (0)
/* Where a child could not be followed by ThreadSanitizer, or an emulator lacks the call. */
#define SKIP_UNDER_TSAN()                                                          \
	do {                                                                       \
		if (SUPPORT_TSAN)                                                  \
			SKIP("ThreadSanitizer does not follow this kind of fork"); \
	} while (0)
#define SKIP_UNDER_EMULATION(why)                        \
	do {                                             \
		if (support_emulated())                  \
			SKIP("under an emulator: " why); \
	} while (0)

int support_emulated(void); /* ILK_TEST_EMULATED=1 */
int support_slow(void);     /* emulated or under a sanitizer: do fewer rounds */
int support_is_root(void);

/* --- shorthand: each fails where it does not succeed --- */

struct ilk_segment *support_create(const char *name, const struct ilk_segment_options *options);
struct ilk_segment *support_open(const char *name);
struct ilk_mutex *support_mutex(struct ilk_segment *seg, const char *name);
struct ilk_counter *support_counter(struct ilk_segment *seg, const char *name);
void support_unlink(const char *name);

/* "/dev/shm/ilk.NAME"; at most 8 at a time. */
const char *support_path(const char *name);

/* Runs F in a thread of its own, and returns what it returns. */
int support_in_thread(int (*f)(void *arg), void *arg);

/* Drops to the user nobody, in a child. */
void support_become_nobody(void);

#endif
