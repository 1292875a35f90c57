/*
 * permits_fixture.h - a segment with five permits of threads and five of processes, of either
 * handshake.
 *
 * Every test of permits runs twice: in an asymmetric segment (the default) and in a fenced one.
 */
#ifndef ILK_TESTS_PERMITS_FIXTURE_H
#define ILK_TESTS_PERMITS_FIXTURE_H

#include "support.h"
#include <string.h>

enum { FIVE = 5 };

static const struct ilk_permits_options five = {.size = sizeof five, .permits = FIVE};
static const struct ilk_permits_options five_of_process = {
	.size = sizeof five_of_process, .permits = FIVE, .flags = ILK_PERMITS_PROCESS};

static struct ilk_segment *seg;
static struct ilk_permits *p, *shared; /* shared: owned by processes */
static char name[64];
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

static int permits_setup(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .processes = 6, .flags = handshake};

	if (ilk_test_setup(state) < 0)
		return -1;
	strcpy(name, ilk_test_name(""));
	if (ilk_segment_create(name, &options, &seg) < 0 ||
		ilk_permits_open(seg, "threads'", &five, &p) < 0)
		return -1;
	return ilk_permits_open(seg, "processes'", &five_of_process, &shared);
}

static int permits_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(name);
	return ilk_test_teardown(state);
}

#define PERMITS_TEST(f) cmocka_unit_test_setup_teardown(f, permits_setup, permits_teardown)

/* Runs TESTS in both handshakes. How many failed. */
#define RUN_PERMITS_TESTS(tests)                              \
	(cmocka_run_group_tests(tests, be_asymmetric, NULL) + \
		cmocka_run_group_tests(tests, be_fenced, NULL))

static inline unsigned left_of(const struct ilk_permits *permits)
{
	unsigned left = 77;

	CHECK_RC(ilk_permits_left(permits, &left), 0);
	return left;
}

/* What a child or a thread is to hold, and which step it then says. */
struct holding {
	struct ilk_permits *permits;
	unsigned count, step;
};

static inline void hold_for_ever(void *arg)
{
	const struct holding *h = arg;

	CHECK_RC(ilk_permits_acquire(h->permits, h->count), 0);
	ilk_test_say(h->step);
	ilk_test_sleep_for_ever();
}

/* A child that holds so many. */
static inline struct ilk_test_child *start_holder(struct holding *h)
{
	struct ilk_test_child *child = ilk_test_start(hold_for_ever, h);

	ilk_test_await(h->step);
	return child;
}

#endif
