/*
 * rwlock_fixture.h - a segment with a rwlock in it, of either handshake and of either kind.
 *
 * Every test runs four times: in an asymmetric segment (the default) and in a fenced one, with
 * readers who mark their slots and with readers in cells.
 */
#ifndef ILK_TESTS_RWLOCK_FIXTURE_H
#define ILK_TESTS_RWLOCK_FIXTURE_H

#include "support.h"
#include <errno.h>
#include <pthread.h>

static struct ilk_segment *seg;
static struct ilk_rwlock *l;
static unsigned handshake; /* 0 or ILK_SEGMENT_FENCED */
static struct ilk_rwlock_options kind = {.size = sizeof kind};

#define KIND_SETUP(name, how, flag)   \
	static int name(void **state) \
	{                             \
		(void)state;          \
		handshake = (how);    \
		kind.flags = (flag);  \
		return 0;             \
	}
KIND_SETUP(be_asymmetric, 0, 0)
KIND_SETUP(be_fenced, ILK_SEGMENT_FENCED, 0)
KIND_SETUP(be_asymmetric_with_cells, 0, ILK_RWLOCK_WRITES)
KIND_SETUP(be_fenced_with_cells, ILK_SEGMENT_FENCED, ILK_RWLOCK_WRITES)

static int rwlock_setup(void **state)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = handshake};

	if (ilk_test_setup(state) < 0 || ilk_segment_create(ilk_test_name(""), &options, &seg) < 0)
		return -1;
	return ilk_rwlock_open(seg, "l", &kind, &l);
}

static int rwlock_teardown(void **state)
{
	int rc = ilk_segment_valid(seg);

	if (rc < 0)
		print_message("not valid: %s\n", ilk_last_error());
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return rc < 0 ? rc : ilk_test_teardown(state);
}

#define RWLOCK_TEST(f) cmocka_unit_test_setup_teardown(f, rwlock_setup, rwlock_teardown)

/* Runs TESTS in all four ways. How many failed. */
#define RUN_RWLOCK_TESTS(tests)                                                 \
	(cmocka_run_group_tests(tests, be_asymmetric, NULL) +                   \
		cmocka_run_group_tests(tests, be_fenced, NULL) +                \
		cmocka_run_group_tests(tests, be_asymmetric_with_cells, NULL) + \
		cmocka_run_group_tests(tests, be_fenced_with_cells, NULL))

/* For support_in_thread: the result of a try, given back. */
static inline int try_to_read(void *lock)
{
	int rc = ilk_rwlock_try_read(lock);

	if (rc >= 0)
		CHECK_RC(ilk_rwlock_unlock(lock), 0);
	return rc;
}

static inline int try_to_write(void *lock)
{
	int rc = ilk_rwlock_try_write(lock);

	if (rc >= 0)
		CHECK_RC(ilk_rwlock_unlock(lock), 0);
	return rc;
}

static inline int unlock_from_a_thread(void *lock)
{
	return ilk_rwlock_unlock(lock);
}

/* What another thread can do: nothing, read, write. */
enum { NOTHING, READ, WRITE };
static inline int others_can(struct ilk_rwlock *lock)
{
	int read = support_in_thread(try_to_read, lock);
	int write = support_in_thread(try_to_write, lock);

	CHECK(read >= 0 || read == -EBUSY);
	CHECK(write >= 0 || write == -EBUSY);
	return write >= 0 ? WRITE : read >= 0 ? READ : NOTHING;
}

/* In a child: through the inherited mapping, says 0, and holds it until killed. */
static inline void read_for_ever(void *lock)
{
	CHECK(ilk_rwlock_read(lock) >= 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static inline void write_for_ever(void *lock)
{
	CHECK(ilk_rwlock_write(lock) >= 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

/* A child that has LOCK. */
static inline struct ilk_test_child *start_with(void (*body)(void *), struct ilk_rwlock *lock)
{
	struct ilk_test_child *child = ilk_test_start(body, lock);

	ilk_test_await(0);
	return child;
}

/* So that the thread's reads are of the shortest kind. */
static inline void warm_up(struct ilk_rwlock *lock)
{
	for (int i = 0; i < 3; i++) {
		CHECK(ilk_rwlock_read(lock) >= 0);
		CHECK_RC(ilk_rwlock_unlock(lock), 0);
	}
}

#endif
