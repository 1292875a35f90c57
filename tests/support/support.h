/*
 * support.h - what the unit and stress tests share: names, children, a board, and leak checks.
 *
 * cmocka's asserts leave a failing test by a jump, which must not happen in a forked child or in
 * another thread. CHECK and CHECK_RC work everywhere: in the runner they fail the test, in a child
 * they send their text to the parent and end the child, in another thread they end the program.
 */
#ifndef ILK_TESTS_SUPPORT_H
#define ILK_TESTS_SUPPORT_H

#include <ilk.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <cmocka.h>

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

/* A test with the setup and the leak checks around it. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, support_setup, support_teardown)
int support_setup(void **state);
int support_teardown(void **state);

/*
 * A segment name of this test's own: the same for the same SUFFIX throughout one test, in children
 * too. At most 8 at a time.
 */
const char *support_name(const char *suffix);
/* "/dev/shm/ilk.NAME"; also at most 8 at a time. */
const char *support_path(const char *name);

/* --- failing --- */

__attribute__((noreturn, format(printf, 3, 4))) void support_fail_(
	const char *file, int line, const char *format, ...);
__attribute__((noreturn)) void support_fail_rc_(
	const char *file, int line, const char *call, int got, int expected);

#define FAIL(...) support_fail_(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(condition) ((condition) ? (void)0 : FAIL("not so: %s", #condition))
#define CHECK_RC(call, expected)                                                      \
	do {                                                                          \
		int got_ = (call), expected_ = (expected);                            \
		if (got_ != expected_)                                                \
			support_fail_rc_(__FILE__, __LINE__, #call, got_, expected_); \
	} while (0)

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

/* --- children --- */

struct support_child {
	pid_t pid; /* 0: not in use */
	int report;
};

/*
 * Forks a child that runs BODY and exits with 0. It ends by itself when the runner ends or when a
 * generous time has passed; support_teardown kills what is left.
 */
struct support_child *support_start(void (*body)(void *arg), void *arg);
/* Waits for it and fails the test unless it ended well. */
void support_join(struct support_child *child);
/* Both. */
void support_run(void (*body)(void *arg), void *arg);
/* Kills it by SIGKILL and reaps it. Fails the test if it had failed before. */
void support_kill(struct support_child *child);
/* Kills it, waits until it is dead, and leaves it a zombie; support_reap takes that away. */
void support_kill_only(struct support_child *child);
void support_reap(struct support_child *child);
/* Waits until it has died of SIGKILL, by its own hand or another's, and reaps it. */
void support_join_killed(struct support_child *child);
/* Stops it, and waits until it has stopped; lets it go on. */
void support_stop(struct support_child *child);
void support_continue(struct support_child *child);
/* In a child: its descriptors are about to be closed; report to stderr from here on. */
void support_lose_report(void);

/* Runs F in a thread of its own, and returns what it returns. */
int support_in_thread(int (*f)(void *arg), void *arg);

/* Runs BODY in N threads at once, or in N children, and waits for them all. */
void support_in_threads(int n, void (*body)(void *arg), void *arg);
void support_in_children(int n, void (*body)(void *arg), void *arg);

/* Drops to the user nobody, in a child. */
void support_become_nobody(void);

/* --- meeting points, shared with children --- */

struct support_board {
	uint32_t step[64];
	int64_t value[64];
};

struct support_board *support_board(void);
/* Raises STEP, for all who await it; awaits it, failing after a generous time. */
void support_say(unsigned step);
void support_await(unsigned step);
int support_was_said(unsigned step);

/* Waits until IS_TRUE(arg), looking every millisecond; fails after a generous time. */
void support_until_(
	const char *file, int line, const char *what, int (*is_true)(void *arg), void *arg);
#define UNTIL(is_true, arg) support_until_(__FILE__, __LINE__, #is_true, (is_true), (arg))

/* Waits until so many threads of the living are asleep in waits in the segment NAME. */
void support_await_sleepers(const char *name, int count);

/* Sleeps for ever, to be killed. */
__attribute__((noreturn)) void support_sleep_for_ever(void);
void support_sleep_ms(int ms);

/* The generous time. */
int64_t support_patience_ms(void);

/* --- shorthand: each fails where it does not succeed --- */

struct ilk_segment *support_create(const char *name, const struct ilk_segment_options *options);
struct ilk_segment *support_open(const char *name);
struct ilk_mutex *support_mutex(struct ilk_segment *seg, const char *name);
struct ilk_counter *support_counter(struct ilk_segment *seg, const char *name);
void support_unlink(const char *name);

/* Open descriptors of this process, and its mappings of segments. */
int support_count_descriptors(void);
int support_count_mappings(void);

#endif
