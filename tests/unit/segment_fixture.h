/* segment_fixture.h - a test with one segment, `seg`, named support_name(""). */
#ifndef ILK_TESTS_SEGMENT_FIXTURE_H
#define ILK_TESTS_SEGMENT_FIXTURE_H

#include "support.h"

static struct ilk_segment *seg;

static int segment_setup(void **state)
{
	if (support_setup(state) < 0)
		return -1;
	return ilk_segment_create(support_name(""), NULL, &seg);
}

static int segment_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(support_name(""));
	return support_teardown(state);
}

#define SEGMENT_TEST(f) cmocka_unit_test_setup_teardown(f, segment_setup, segment_teardown)

#endif
