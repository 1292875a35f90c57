/*
 * barrier_fixture.h - a segment with barriers of each kind, and threads that wait in them.
 *
 * Every barrier test runs twice: in an asymmetric segment (the default) and in a fenced one.
 */
#ifndef ILK_TESTS_BARRIER_FIXTURE_H
#define ILK_TESTS_BARRIER_FIXTURE_H

#include "support.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static struct ilk_segment *seg;
static unsigned handshake; /* 0 or ILK_SEGMENT_FENCED */

static int be_asymmetric(void **state)
{
	(void)state;
	handshake = 0;
	return 0;
}

static int be_fenced(void **state)
{
	(void)state;
	handshake = ILK_SEGMENT_FENCED;
	return 0;
}

static int barrier_setup(void **state)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = handshake};

	if (ilk_test_setup(state) < 0)
		return -1;
	return ilk_segment_create(ilk_test_name(""), &options, &seg);
}

static int barrier_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

#define BARRIER_TEST(f) cmocka_unit_test_setup_teardown(f, barrier_setup, barrier_teardown)

/* Runs TESTS in both handshakes. How many failed. */
#define RUN_BARRIER_TESTS(tests)                              \
	(cmocka_run_group_tests(tests, be_asymmetric, NULL) + \
		cmocka_run_group_tests(tests, be_fenced, NULL))

static inline struct ilk_barrier *open_barrier(unsigned parties, unsigned flags)
{
	const struct ilk_barrier_options options = {
		.size = sizeof options, .flags = flags, .parties = parties};
	struct ilk_barrier *b;

	CHECK_RC(ilk_barrier_open(seg, "b", &options, &b), 0);
	return b;
}

static inline struct ilk_barrier_status status_of(const struct ilk_barrier *b)
{
	struct ilk_barrier_status status;

	CHECK_RC(ilk_barrier_status(b, &status), 0);
	return status;
}

/* A thread that waits in a barrier once, and then is no member any more. */
struct waiter {
	struct ilk_barrier *barrier;
	pthread_t thread;
	int rc;
};

static inline void *wait_once(void *arg)
{
	struct waiter *w = arg;

	w->rc = ilk_barrier_wait(w->barrier);
	CHECK_RC(ilk_barrier_detach(w->barrier), 0);
	return NULL;
}

static inline void start_waiter(struct waiter *w, struct ilk_barrier *b)
{
	w->barrier = b;
	CHECK(pthread_create(&w->thread, NULL, wait_once, w) == 0);
}

static inline int join_waiter(struct waiter *w)
{
	CHECK(pthread_join(w->thread, NULL) == 0);
	return w->rc;
}

#endif
