/* transient_fixture.h - a transient segment, named ilk_test_name(""). */
#ifndef ILK_TESTS_TRANSIENT_FIXTURE_H
#define ILK_TESTS_TRANSIENT_FIXTURE_H

#include "support.h"
#include <unistd.h>

static const struct ilk_segment_options transient = {
	.size = sizeof transient, .flags = ILK_SEGMENT_TRANSIENT};
static const struct ilk_segment_options transient_new = {
	.size = sizeof transient_new, .flags = ILK_SEGMENT_TRANSIENT | ILK_SEGMENT_EXCLUSIVE};
static const struct ilk_segment_options read_only = {
	.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};

enum { IN, GO, MADE };

static int is_there(void)
{
	return access(support_path(ilk_test_name("")), F_OK) == 0;
}

static struct ilk_segment *create(void)
{
	return support_create(ilk_test_name(""), &transient);
}

static void use(struct ilk_segment *seg)
{
	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 1), 0);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "m")), 0);
}

#endif
