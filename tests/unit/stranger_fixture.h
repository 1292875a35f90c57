/*
 * stranger_fixture.h - a test with one segment, `name`, that the runner has made and left.
 *
 * So its children begin as strangers, and their last close is the last. Who opens it puts that in
 * `seg`; the runner's is closed after the test.
 */
#ifndef ILK_TESTS_STRANGER_FIXTURE_H
#define ILK_TESTS_STRANGER_FIXTURE_H

#include "support.h"
#include <pthread.h>
#include <string.h>

static char name[64];
static struct ilk_segment *seg;

static int stranger_setup(void **state)
{
	if (ilk_test_setup(state) < 0)
		return -1;
	strcpy(name, ilk_test_name(""));
	if (ilk_segment_create(name, NULL, &seg) < 0)
		return -1;
	ilk_segment_close(seg);
	seg = NULL;
	return 0;
}

static int stranger_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(name);
	return ilk_test_teardown(state);
}

#define STRANGER_TEST(f) cmocka_unit_test_setup_teardown(f, stranger_setup, stranger_teardown)

static inline pthread_t start(void *(*body)(void *arg), void *arg)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, body, arg) == 0);
	return thread;
}

static inline void join(pthread_t thread)
{
	CHECK(pthread_join(thread, NULL) == 0);
}

#endif
