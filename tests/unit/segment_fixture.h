/* segment_fixture.h - a test with one segment, `seg`, named ilk_test_name(""). */
#ifndef ILK_TESTS_SEGMENT_FIXTURE_H
#define ILK_TESTS_SEGMENT_FIXTURE_H

#include "support.h"

static struct ilk_segment *seg;

static int segment_setup(void **state)
{
	if (ilk_test_setup(state) < 0)
		return -1;
	return ilk_segment_create(ilk_test_name(""), NULL, &seg);
}

static int segment_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

#define SEGMENT_TEST(f) cmocka_unit_test_setup_teardown(f, segment_setup, segment_teardown)

#endif
