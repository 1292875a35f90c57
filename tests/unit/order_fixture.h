/*
 * order_fixture.h - a segment that keeps lock-order history, of either handshake, with some locks.
 */
#ifndef ILK_TESTS_ORDER_FIXTURE_H
#define ILK_TESTS_ORDER_FIXTURE_H

#include "support.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct ilk_segment *seg;
static struct ilk_mutex *a, *b, *c, *recursive;
static struct ilk_rwlock *l;
static unsigned handshake;        /* 0 or ILK_SEGMENT_FENCED */
static struct ilk_inspection *in; /* the last look */

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

static int order_setup(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = ILK_SEGMENT_ORDER | handshake};
	const struct ilk_mutex_options again = {.size = sizeof again, .flags = ILK_MUTEX_RECURSIVE};

	if (ilk_test_setup(state) < 0 ||
		ilk_segment_create(ilk_test_name(""), &options, &seg) < 0 ||
		ilk_mutex_open(seg, "a", NULL, &a) < 0 || ilk_mutex_open(seg, "b", NULL, &b) < 0 ||
		ilk_mutex_open(seg, "c", NULL, &c) < 0 || ilk_rwlock_open(seg, "l", NULL, &l) < 0)
		return -1;
	return ilk_mutex_open(seg, "recursive", &again, &recursive);
}

static int order_teardown(void **state)
{
	int rc = ilk_segment_valid(seg);

	if (rc < 0)
		print_message("not valid: %s\n", ilk_last_error());
	ilk_inspection_free(in);
	in = NULL;
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return rc < 0 ? rc : ilk_test_teardown(state);
}

#define ORDER_TEST(f) cmocka_unit_test_setup_teardown(f, order_setup, order_teardown)

/* Runs TESTS in both handshakes. How many failed. */
#define RUN_ORDER_TESTS(tests)                                \
	(cmocka_run_group_tests(tests, be_asymmetric, NULL) + \
		cmocka_run_group_tests(tests, be_fenced, NULL))

/* --- looking --- */

static inline void look(void)
{
	ilk_inspection_free(in);
	in = NULL;
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	assert_string_equal(in->damage, "");
}

/* In the last look; NULL. */
static inline const struct ilk_order_info *order(const char *first, const char *then)
{
	for (size_t i = 0; i < in->order_count; i++)
		if (strcmp(in->orders[i].first_name, first) == 0 &&
			strcmp(in->orders[i].then_name, then) == 0)
			return &in->orders[i];
	return NULL;
}

/* How often, as a new look tells. */
static inline int times(const char *first, const char *then)
{
	const struct ilk_order_info *o;

	look();
	o = order(first, then);
	return o ? (int)o->count : 0;
}

/* What the thread with TID holds, in a new look: "a b" */
static inline const char *held_by(int32_t tid)
{
	static char names[200];
	size_t at = 0;

	look();
	names[0] = 0;
	for (size_t i = 0; i < in->held_count; i++)
		if (in->threads[in->held[i].thread].tid == tid)
			at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", at ? " " : "",
				in->held[i].name);
	return names;
}

/* --- locking --- */

static inline void lock_both(struct ilk_mutex *first, struct ilk_mutex *then)
{
	CHECK_RC(ilk_mutex_lock(first), 0);
	CHECK_RC(ilk_mutex_lock(then), 0);
	CHECK_RC(ilk_mutex_unlock(then), 0);
	CHECK_RC(ilk_mutex_unlock(first), 0);
}

static inline int lock_a_then_b(void *arg)
{
	(void)arg;
	lock_both(a, b);
	return 0;
}

static inline int lock_b_then_a(void *arg)
{
	(void)arg;
	lock_both(b, a);
	return 0;
}

#endif
