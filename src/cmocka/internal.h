/*
 * internal.h - what the files of the library behind ilk/cmocka.h share.
 *
 * Each child, and each thread of ilk_test_run, has a page in memory that the runner shares with
 * them. Who writes what:
 *
 *	used         the allocator: 0 free, 1 taken
 *	claimed      who fails first, by exchange: 1
 *	file, line, text   who claimed, before it sets ready
 *	ready        1: the report is whole. Claimed and never ready: killed while it wrote
 *	last         the child, at each point: torn where two threads of it pass at once
 *	halt         who waits: 0 nobody, ARMED; the child: STANDING; who waits: 0, go on
 *	halt_at      who waits, before it arms
 *	passes       who waits, before it arms; counted down by those who pass
 */
#ifndef ILK_CMOCKA_INTERNAL_H
#define ILK_CMOCKA_INTERNAL_H

#define ILK_TEST_NO_PLACES_
#include <ilk/cmocka.h>
#include <ilk/atomics.h>

enum { MOST = 64, POINT_BYTES = 48, FILE_BYTES = 200, TEXT_BYTES = 1600 };
enum { ARMED = 1, STANDING = 2 };

struct page {
	uint32_t used, claimed, ready, halt, passes;
	int32_t line;
	char last[POINT_BYTES], halt_at[POINT_BYTES];
	char file[FILE_BYTES], text[TEXT_BYTES];
};

/* What went wrong, of several children: the place of the first, and lines about all. */
struct report {
	char file[FILE_BYTES];
	int line;
	size_t used;
	char text[4 * TEXT_BYTES];
};

__attribute__((format(printf, 2, 3))) void ilk_test_add_line_(
	struct report *r, const char *format, ...);
/* Adds what PAGE says, and takes over its place if it is the first. Did it say anything? */
int ilk_test_add_page_(struct report *r, const struct page *page, const char *who);
/* Fails with it: at its own place, else where we were called. Returns where it is empty. */
void ilk_test_raise_(const struct report *r);
/* Fails where we were called. */
__attribute__((noreturn, format(printf, 1, 2))) void ilk_test_fail_here_(const char *format, ...);

/* --- checks.c --- */

extern struct shared {
	struct ilk_test_board board;
	struct page stray; /* of processes that nobody knows */
	struct page pages[3 * MOST];
} * ilk_test_shared_;

/* The page of this process if it is a child, of this thread if it is one of ilk_test_run. */
extern struct page *ilk_test_child_page_;
extern pid_t ilk_test_child_pid_;
extern __thread struct page *ilk_test_thread_page_;
/* The process that runs the tests. */
extern pid_t ilk_test_runner_;
void ilk_test_be_runner_(void);
/* Are we that? */
int ilk_test_is_runner_(void);
struct page *ilk_test_take_page_(void);
void ilk_test_give_page_(struct page *page);
/* Fills PAGE, unless it is filled already. */
void ilk_test_write_page_(struct page *page, const char *file, int line, const char *text);
/* Prints TEXT, takes the segments away, and ends the program: nothing less would end a thread. */
__attribute__((noreturn)) void ilk_test_end_program_(const char *text);
/* A line each: cmocka prints no long text. */
void ilk_test_print_lines_(const char *text);
__attribute__((noreturn)) void ilk_test_fail_at_(const char *file, int line, const char *text);

/* --- child.c --- */

/* Starts a child, after PREPARE(its page, point, nth) if not NULL. */
struct ilk_test_child *ilk_test_start_child_(void (*body)(void *arg), void *arg,
	void (*prepare)(struct page *page, const char *point, unsigned nth), const char *point,
	unsigned nth);

/* Waits until CHILD has ended, leaving it a zombie; 0, or -ETIMEDOUT. */
int ilk_test_await_end_(struct ilk_test_child *child, ilk_time deadline);
/* Adds that CHILD did not come to POINT in time, or NULL, to its end; and what it was at. */
void ilk_test_add_stuck_(struct report *r, const struct ilk_test_child *child, const char *point);
/* Reaps CHILD, which has ended, and adds what was wrong with it: it was to end well, or (KILLED) to
 * have died of SIGKILL; 2 for either. */
void ilk_test_add_end_(struct report *r, struct ilk_test_child *child, int killed);
void ilk_test_end_child_(struct ilk_test_child *child);
/* Reaps the children that have failed, and adds how; fails if there are any. */
void ilk_test_add_failures_(struct report *r);
void ilk_test_look_after_children_(void);
/* Calls EACH for every child in use. */
void ilk_test_each_child_(void (*each)(struct ilk_test_child *child, void *arg), void *arg);
/* Adds what the threads of process PID wait for, by the inspector. */
void ilk_test_add_waits_(struct report *r, pid_t pid);

/* --- body.c --- */

/* In a new child: runs BODY in a runner of its own, and ends the process. */
__attribute__((noreturn)) void ilk_test_run_body_(void (*body)(void *arg), void *arg);

#endif
