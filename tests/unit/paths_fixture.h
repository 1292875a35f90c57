/* paths_fixture.h - a test with a folder of its own in /dev/shm, and the path of a segment in it. */
#ifndef ILK_TESTS_PATHS_FIXTURE_H
#define ILK_TESTS_PATHS_FIXTURE_H

#include "support.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct ilk_segment *const untouched = (struct ilk_segment *)8;

static char folder[64], path[128];

static int folder_setup(void **state)
{
	if (ilk_test_setup(state) < 0)
		return -1;
	snprintf(folder, sizeof folder, "/dev/shm/%s", ilk_test_name("-folder"));
	snprintf(path, sizeof path, "%s/shop", folder);
	return mkdir(folder, 0755);
}

static int folder_teardown(void **state)
{
	/* What a test leaves in it makes this fail. */
	if (chdir("/") < 0 || rmdir(folder) < 0)
		return -1;
	return ilk_test_teardown(state);
}

#define PATH_TEST(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

static void use(struct ilk_segment *seg)
{
	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 1), 0);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "m")), 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

static void open_and_use(void *name)
{
	struct ilk_segment *seg = support_open(name);

	use(seg);
	ilk_segment_close(seg);
}

static void check_refused_with(
	const char *name, const struct ilk_segment_options *options, int expected)
{
	struct ilk_segment *seg = untouched;

	CHECK_RC(ilk_segment_create(name, options, &seg), expected);
	CHECK(*ilk_last_error() != 0);
	CHECK(seg == untouched);
}

static void check_refused(const char *name, int expected)
{
	check_refused_with(name, NULL, expected);
}

#endif
