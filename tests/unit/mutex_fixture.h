/*
 * mutex_fixture.h - a segment with a plain and a recursive mutex, of either handshake.
 *
 * Every mutex test runs twice: in an asymmetric segment (the default) and in a fenced one.
 */
#ifndef ILK_TESTS_MUTEX_FIXTURE_H
#define ILK_TESTS_MUTEX_FIXTURE_H

#include "support.h"

static struct ilk_segment *seg;
static struct ilk_mutex *m, *recursive;
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

static int mutex_setup(void **state)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = handshake};
	const struct ilk_mutex_options again = {.size = sizeof again, .flags = ILK_MUTEX_RECURSIVE};

	if (ilk_test_setup(state) < 0)
		return -1;
	if (ilk_segment_create(ilk_test_name(""), &options, &seg) < 0 ||
		ilk_mutex_open(seg, "plain", NULL, &m) < 0)
		return -1;
	return ilk_mutex_open(seg, "recursive", &again, &recursive);
}

static int mutex_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

#define MUTEX_TEST(f) cmocka_unit_test_setup_teardown(f, mutex_setup, mutex_teardown)

/* Runs TESTS in both handshakes. How many failed. */
#define RUN_MUTEX_TESTS(tests)                                \
	(cmocka_run_group_tests(tests, be_asymmetric, NULL) + \
		cmocka_run_group_tests(tests, be_fenced, NULL))

static inline int try_from_a_thread(void *mutex)
{
	int rc = ilk_mutex_try_lock(mutex);

	if (rc >= 0)
		CHECK_RC(ilk_mutex_unlock(mutex), 0);
	return rc;
}

static inline int unlock_from_a_thread(void *mutex)
{
	return ilk_mutex_unlock(mutex);
}

/* In a child: locks MUTEX through the inherited mapping, says 0, and holds it until killed. */
static inline void hold_for_ever(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

/* A child that holds MUTEX. */
static inline struct ilk_test_child *start_holder(struct ilk_mutex *mutex)
{
	struct ilk_test_child *child = ilk_test_start(hold_for_ever, mutex);

	ilk_test_await(0);
	return child;
}

#endif
