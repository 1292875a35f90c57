/* semaphore_fixture.h - a segment with a semaphore that begins at 0. */
#ifndef ILK_TESTS_SEMAPHORE_FIXTURE_H
#define ILK_TESTS_SEMAPHORE_FIXTURE_H

#include "support.h"
#include <string.h>

static struct ilk_segment *seg;
static struct ilk_semaphore *s;
static char name[64];

static int semaphore_setup(void **state)
{
	if (ilk_test_setup(state) < 0)
		return -1;
	strcpy(name, ilk_test_name(""));
	if (ilk_segment_create(name, NULL, &seg) < 0)
		return -1;
	return ilk_semaphore_open(seg, "s", NULL, &s);
}

static int semaphore_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(name);
	return ilk_test_teardown(state);
}

#define SEMAPHORE_TEST(f) cmocka_unit_test_setup_teardown(f, semaphore_setup, semaphore_teardown)

static inline unsigned value_of(const struct ilk_semaphore *semaphore)
{
	unsigned value = 77;

	CHECK_RC(ilk_semaphore_value(semaphore, &value), 0);
	return value;
}

#endif
