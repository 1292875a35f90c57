/* segment_fixture.h - a test with one segment, `seg`, named ilk_test_name(""). */
#ifndef ILK_TESTS_SEGMENT_FIXTURE_H
#define ILK_TESTS_SEGMENT_FIXTURE_H

#include "support.h"

static struct ilk_segment *seg;
static int damaged_on_purpose; /* set by tests that leave it so */

static int segment_setup(void **state)
{
	damaged_on_purpose = 0;
	if (ilk_test_setup(state) < 0)
		return -1;
	return ilk_segment_create(ilk_test_name(""), NULL, &seg);
}

static int segment_teardown(void **state)
{
	int rc = seg && !damaged_on_purpose ? ilk_segment_valid(seg) : 0;

	if (rc < 0)
		print_error("not valid any more: %s\n", ilk_last_error());
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state) < 0 ? -1 : rc;
}

#define SEGMENT_TEST(f) cmocka_unit_test_setup_teardown(f, segment_setup, segment_teardown)

#endif
