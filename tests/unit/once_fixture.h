/* once_fixture.h - a segment with a once, and what is done there. */
#ifndef ILK_TESTS_ONCE_FIXTURE_H
#define ILK_TESTS_ONCE_FIXTURE_H

#include "segment_fixture.h"

enum { THREADS = 8, ANSWER = 42 };
enum step { AT_IT, GO_ON };
enum value { MADE, TOLD };

static struct ilk_once *o;

static inline int once_setup(void **state)
{
	return segment_setup(state) < 0 ? -1 : ilk_once_open(seg, "o", &o);
}

#define ONCE_TEST(f) cmocka_unit_test_setup_teardown(f, once_setup, segment_teardown)

static inline ilk_time patience(void)
{
	return ilk_after_ms(ilk_test_limit_ms());
}

static inline int64_t get(enum value which)
{
	return ilk_load_acquire_(&ilk_test_board()->value[which]);
}

static inline int make(void *arg, int told, int64_t *value)
{
	(void)arg;
	ilk_add_full_(&ilk_test_board()->value[MADE], 1);
	ilk_add_full_(&ilk_test_board()->value[TOLD], told);
	*value = ANSWER;
	return 0;
}

static inline int fail_to_make(void *arg, int told, int64_t *value)
{
	ilk_add_full_(&ilk_test_board()->value[TOLD], told);
	*value = 0;
	return *(int *)arg;
}

static inline void run_once(void *arg)
{
	int64_t value = 0;

	(void)arg;
	CHECK_RC(ilk_once_run(o, make, NULL, &value), 0);
	CHECK(value == ANSWER);
}

static inline void *run_in_thread(void *arg)
{
	run_once(arg);
	return NULL;
}

#endif
