/* condition_fixture.h - a segment with a mutex, a recursive one, a condition, and what they guard. */
#ifndef ILK_TESTS_CONDITION_FIXTURE_H
#define ILK_TESTS_CONDITION_FIXTURE_H

#include "support.h"

struct guarded {
	int ready, taken, waiting;
};

static struct ilk_segment *seg;
static struct ilk_mutex *m, *recursive;
static struct ilk_condition *c;
static struct guarded *guarded;

static int condition_setup(void **state)
{
	const struct ilk_mutex_options again = {.size = sizeof again, .flags = ILK_MUTEX_RECURSIVE};
	void *block;

	if (ilk_test_setup(state) < 0 || ilk_segment_create(ilk_test_name(""), NULL, &seg) < 0 ||
		ilk_mutex_open(seg, "m", NULL, &m) < 0 ||
		ilk_mutex_open(seg, "recursive", &again, &recursive) < 0 ||
		ilk_block_open(seg, "guarded", sizeof *guarded, &block) < 0)
		return -1;
	guarded = block;
	return ilk_condition_open(seg, "c", &c);
}

static int condition_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

#define CONDITION_TEST(f) cmocka_unit_test_setup_teardown(f, condition_setup, condition_teardown)

static inline ilk_time patience(void)
{
	return ilk_after_ms(ilk_test_limit_ms());
}

/* In a thread or a child: waits until something is ready, and takes it. */
static inline void take_one(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(m), 0);
	guarded->waiting++;
	CHECK_RC(ILK_WAIT_UNTIL(c, m, patience(), guarded->ready > 0), 0);
	guarded->ready--;
	guarded->taken++;
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static inline int all_wait(void *count)
{
	int waiting;

	CHECK_RC(ilk_mutex_lock(m), 0);
	waiting = guarded->waiting;
	CHECK_RC(ilk_mutex_unlock(m), 0);
	return waiting == *(int *)count;
}

/* Until COUNT have let the mutex go to wait. */
static inline void await_waiters(int count)
{
	ilk_test_until(all_wait, &count);
}

static inline void make_ready(int count)
{
	CHECK_RC(ilk_mutex_lock(m), 0);
	guarded->ready += count;
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static inline int can_lock(void *mutex)
{
	int rc = ilk_mutex_try_lock(mutex);

	if (rc >= 0)
		CHECK_RC(ilk_mutex_unlock(mutex), 0);
	return rc;
}

#endif
