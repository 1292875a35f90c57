/*
 * ilk/cmocka.h - cmocka for tests of several processes.
 *
 *	static void add(struct ilk_segment *seg, unsigned index, void *arg)
 *	{
 *		struct ilk_counter *hits;
 *
 *		assert_int_equal(ilk_counter_open(seg, "hits", &hits), 0);
 *		ilk_test_point("before");
 *		assert_int_equal(ilk_counter_add(hits, 1), 0);
 *	}
 *
 *	static void test_four_processes_add_up(void **state)
 *	{
 *		struct ilk_segment *seg = ilk_test_create("");
 *
 *		ilk_test_run(4, seg, add, NULL, NULL);
 *		...
 *	}
 *	...
 *	const struct CMUnitTest tests[] = { ILK_TEST(test_four_processes_add_up) };
 *
 * Include it instead of cmocka.h, or after it; link ilk::cmocka, or what pkg-config ilk-cmocka says.
 *
 * Why cmocka's own asserts are wrong in a child. A failing assert jumps into the runner: in a forked
 * child, into the child's copy of it, which goes on with the remaining tests as a second runner,
 * while the parent sees a child that ended somehow; in another thread there is nothing to jump to,
 * and cmocka ends the process without a word. So this header defines the asserts anew
 * (ilk/cmocka_asserts.h). In the runner they fail the test as always. In a child they send file,
 * line, expression and values to the parent, in whose report they appear, and end the child. In a
 * thread of ilk_test_run() they do the same and end the thread. In any other thread, of the runner:
 * they print and end the program. What cannot be redefined, code compiled without this header and
 * the rest of cmocka's checks, is caught in a child's first thread: each child runs its body in a
 * runner of its own, whose report goes to the parent. So values for mocks are set in the body, not
 * before it.
 *
 * Limits. All of this is called in the runner's thread, but what is said to be for children. A
 * child is killed by the kernel when the runner ends. Where a test forks on its own, a failing check
 * in what it forked ends that process and fails the test at its end.
 */
#ifndef ILK_CMOCKA_H
#define ILK_CMOCKA_H

#include <ilk/base.h>
#include <ilk/cmocka_asserts.h>
#include <ilk/segment.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- around each test --- */

/*
 * A test with the two around it. The first remembers what there is; the second kills the children
 * that are left and fails the test where anything is left behind, or a failure was not reported:
 * it says what, and takes away the names. Both return 0 or -1, for cmocka or fixtures of your own.
 */
#define ILK_TEST(f) cmocka_unit_test_setup_teardown(f, ilk_test_setup, ilk_test_teardown)
ILK_TEST_API int ilk_test_setup(void **state);
ILK_TEST_API int ilk_test_teardown(void **state);

/*
 * Fails, saying exactly what: a child that lives or was not waited for; a segment whose name begins
 * as ilk_test_name's do, or with the prefix given to ilk_test_watch; a process or thread slot of
 * this process in any segment that has a name (not a path); more descriptors, or mappings of files in
 * /dev/shm and of memfds, than before the test.
 */
ILK_TEST_API void ilk_test_assert_nothing_left(void);

/* Fails where anybody but this process, living or dead, has a slot in the segment NAME. */
ILK_TEST_API void ilk_test_assert_no_slots(const char *name);

/* Segments whose names begin with PREFIX, a constant string, are of this program alone, too. */
ILK_TEST_API void ilk_test_watch(const char *prefix);

/* A name for a segment: one for each SUFFIX, in children too, and other ones in the next test. At
 * most 8 at a time. ilk_test_create makes one of default size, or fails. */
ILK_TEST_API const char *ilk_test_name(const char *suffix);
ILK_TEST_API struct ilk_segment *ilk_test_create(const char *suffix);

/* Open descriptors of this process, and its mappings of segments. */
ILK_TEST_API int ilk_test_count_descriptors(void);
ILK_TEST_API int ilk_test_count_mappings(void);

/*
 * How long anything here waits before it fails, in milliseconds; the setup resets it to what
 * ILK_TEST_LIMIT_MS in the environment says, else to 15,000, under sanitizers 60,000. In children
 * set before they start.
 */
ILK_TEST_API void ilk_test_set_limit(int64_t milliseconds);
ILK_TEST_API int64_t ilk_test_limit_ms(void);

/* --- N at once --- */

enum {
	ILK_TEST_REOPEN = 1,   /* each opens the segment anew, by name: a mapping of its own */
	ILK_TEST_THREADS = 2,  /* threads of this process, not processes */
	ILK_TEST_IN_CHILD = 4, /* with THREADS: threads of a child, which can be ended */
};

/* Zero means default; set `size` to sizeof of this struct, so that it can grow. */
struct ilk_test_options {
	size_t size;
	unsigned flags;   /* ILK_TEST_... */
	int64_t limit_ms; /* default ilk_test_limit_ms() */
};

/*
 * Runs BODY(seg, index, arg) in COUNT processes (or threads) at once, 64 at most, and waits for all.
 * SEG is what each gets, inherited as it is; with ILK_TEST_REOPEN each gets one opened by SEG's name (no path),
 * and closed after the body. SEG may be NULL. OPTIONS may be NULL.
 *
 * Fails once, with all that went wrong: which of them failed, where and with what values, died or
 * did not end in time. Of the last: the point that each passed last, and what its threads wait for.
 * Those are killed. A thread of this process cannot be ended: there the program ends, after its
 * report. Death: that of the runner ends all.
 */
ILK_TEST_API void ilk_test_run(unsigned count, struct ilk_segment *seg,
	void (*body)(struct ilk_segment *seg, unsigned index, void *arg), void *arg,
	const struct ilk_test_options *options);

/* --- one child --- */

struct ilk_test_child {
	pid_t pid;    /* 0: not in use (any more) */
	int number;   /* in reports */
	void *shared; /* private */
};

/* Forks a child that runs BODY and ends with 0. It ends by itself when twice the limit has passed. */
ILK_TEST_API struct ilk_test_child *ilk_test_start(void (*body)(void *arg), void *arg);
/* The same; the child will stand still at the NTH pass (1: the first) of POINT. */
ILK_TEST_API struct ilk_test_child *ilk_test_start_to(
	const char *point, unsigned nth, void (*body)(void *arg), void *arg);
/* Waits for it, and fails unless it ended well and in time. CHILD is used up by that. */
ILK_TEST_API void ilk_test_join(struct ilk_test_child *child);
/* Starts and joins. */
ILK_TEST_API void ilk_test_in_child(void (*body)(void *arg), void *arg);
/* Kills it by SIGKILL, and waits for it. Fails if it had failed before. */
ILK_TEST_API void ilk_test_kill(struct ilk_test_child *child);
/* Kills it, waits until it is dead, and leaves it a zombie; ilk_test_reap takes that away. */
ILK_TEST_API void ilk_test_kill_only(struct ilk_test_child *child);
ILK_TEST_API void ilk_test_reap(struct ilk_test_child *child);
/* Waits until it has died of SIGKILL, by its own hand or another's. */
ILK_TEST_API void ilk_test_join_killed(struct ilk_test_child *child);
/* Stops it, and waits until all of it has stopped; lets it go on. */
ILK_TEST_API void ilk_test_stop(struct ilk_test_child *child);
ILK_TEST_API void ilk_test_continue(struct ilk_test_child *child);

/* --- named points --- */

/*
 * In children: here is POINT. Where nobody waits for it, a call that copies the first 47 bytes; in the
 * runner's own thread nothing. In any thread of a child: one that has been waited for stands still
 * here, and only that one. Async-signal-safe.
 */
ILK_TEST_API void ilk_test_point(const char *point);

/*
 * Waits until a thread of CHILD stands at POINT, at its NTH pass from now on, or from the start where
 * ilk_test_start_to said so. It stands until ilk_test_pass. Fails where the child ends before, or
 * the limit passes: then it says which point came last, and what the child waits for.
 */
ILK_TEST_API void ilk_test_await_point(
	struct ilk_test_child *child, const char *point, unsigned nth);
ILK_TEST_API void ilk_test_pass(struct ilk_test_child *child);
/* Awaits the point, kills CHILD by SIGKILL while it stands there, and reaps it. */
ILK_TEST_API void ilk_test_kill_at(struct ilk_test_child *child, const char *point);

/* --- waiting for each other --- */

/* Memory of the test and its children, zero at first; `step` is for the next three. */
struct ilk_test_board {
	uint32_t step[64];
	int64_t value[64];
};
ILK_TEST_API struct ilk_test_board *ilk_test_board(void);
/* Raises a step (0 to 63), for all who await it; awaits it; has it been raised? */
ILK_TEST_API void ilk_test_say(unsigned step);
ILK_TEST_API void ilk_test_await(unsigned step);
ILK_TEST_API int ilk_test_was_said(unsigned step);

/* Waits until IS_TRUE(arg), looking every millisecond; fails where a child has failed meanwhile. */
#define ilk_test_until(is_true, arg) ilk_test_until_(__FILE__, __LINE__, #is_true, (is_true), (arg))
ILK_TEST_API void ilk_test_until_(
	const char *file, int line, const char *what, int (*is_true)(void *arg), void *arg);

/* Waits until so many threads of the living are asleep in waits in the segment NAME. */
ILK_TEST_API void ilk_test_await_sleepers(const char *name, int count);

/* Sleep, through signals; for ever: to be killed. */
ILK_TEST_API void ilk_test_sleep_ms(int milliseconds);
ILK_TEST_API __attribute__((noreturn)) void ilk_test_sleep_for_ever(void);

/* Private: where these are called, for failures that are nobody else's. */
ILK_TEST_API void ilk_test_here_(const char *file, int line);
#ifndef ILK_TEST_NO_PLACES_
#define ILK_TEST_HERE_ ilk_test_here_(__FILE__, __LINE__)
#define ilk_test_assert_nothing_left() (ILK_TEST_HERE_, ilk_test_assert_nothing_left())
#define ilk_test_assert_no_slots(name) (ILK_TEST_HERE_, ilk_test_assert_no_slots(name))
#define ilk_test_create(suffix) (ILK_TEST_HERE_, ilk_test_create(suffix))
#define ilk_test_run(count, seg, body, arg, options) \
	(ILK_TEST_HERE_, ilk_test_run(count, seg, body, arg, options))
#define ilk_test_start(body, arg) (ILK_TEST_HERE_, ilk_test_start(body, arg))
#define ilk_test_start_to(point, nth, body, arg) \
	(ILK_TEST_HERE_, ilk_test_start_to(point, nth, body, arg))
#define ilk_test_join(child) (ILK_TEST_HERE_, ilk_test_join(child))
#define ilk_test_in_child(body, arg) (ILK_TEST_HERE_, ilk_test_in_child(body, arg))
#define ilk_test_kill(child) (ILK_TEST_HERE_, ilk_test_kill(child))
#define ilk_test_reap(child) (ILK_TEST_HERE_, ilk_test_reap(child))
#define ilk_test_join_killed(child) (ILK_TEST_HERE_, ilk_test_join_killed(child))
#define ilk_test_stop(child) (ILK_TEST_HERE_, ilk_test_stop(child))
#define ilk_test_await_point(child, point, nth) \
	(ILK_TEST_HERE_, ilk_test_await_point(child, point, nth))
#define ilk_test_pass(child) (ILK_TEST_HERE_, ilk_test_pass(child))
#define ilk_test_kill_at(child, point) (ILK_TEST_HERE_, ilk_test_kill_at(child, point))
#define ilk_test_await(step) (ILK_TEST_HERE_, ilk_test_await(step))
#define ilk_test_await_sleepers(name, count) (ILK_TEST_HERE_, ilk_test_await_sleepers(name, count))
#endif

#ifdef __cplusplus
}
#endif

#endif
