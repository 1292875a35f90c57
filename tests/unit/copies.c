/*
 * copies.c - a copy of a segment's file beside the original: readable, and never taken for it.
 */
#include "segment_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct ilk_segment_options read_only = {
	.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};

static struct ilk_test_child *holder;

static void hold_for_ever(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static int copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char bytes[1 << 16];
	ssize_t n = -1;

	while (in >= 0 && out >= 0 && (n = read(in, bytes, sizeof bytes)) > 0)
		if (write(out, bytes, (size_t)n) != n)
			break;
	close(in);
	close(out);
	return n == 0 ? 0 : -1;
}

/* SEG with a mutex "m" held by HOLDER, who lives; a copy of it; nothing of it attached here. */
static int copy_setup(void **state)
{
	if (segment_setup(state) < 0)
		return -1;
	holder = ilk_test_start(hold_for_ever, NULL);
	ilk_test_await(0);
	ilk_segment_close(seg);
	seg = NULL;
	return copy_file(support_path(ilk_test_name("")), support_path(ilk_test_name("copy")));
}

static int copy_teardown(void **state)
{
	ilk_segment_unlink(ilk_test_name("copy"));
	return segment_teardown(state);
}

#define COPY_TEST(f) cmocka_unit_test_setup_teardown(f, copy_setup, copy_teardown)

static struct ilk_segment *open_copy(void)
{
	struct ilk_segment *copy = NULL;

	CHECK_RC(ilk_segment_open(ilk_test_name("copy"), &read_only, &copy), 0);
	return copy;
}

static enum ilk_holder holder_of_m_in(struct ilk_segment *where)
{
	struct ilk_mutex_owner owner;

	CHECK_RC(ilk_mutex_owner(support_mutex(where, "m"), &owner), 0);
	return owner.holder;
}

static void test_open_of_the_original_beside_its_copy_works(void **state)
{
	struct ilk_segment *copy = open_copy();

	(void)state;
	seg = support_open(ilk_test_name(""));
	assert_int_equal(holder_of_m_in(seg), ILK_HELD_BY_LIVING);
	ilk_test_kill(holder);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_lock(support_mutex(copy, "m")), -EROFS);
	ilk_segment_close(copy);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "m")), 0);
}

static void test_open_and_close_of_a_copy_leave_no_descriptor(void **state)
{
	int before;

	(void)state;
	ilk_segment_close(open_copy());
	before = ilk_test_count_descriptors();
	for (int i = 0; i < 20; i++)
		ilk_segment_close(open_copy());
	assert_int_equal(ilk_test_count_descriptors(), before);
}

static void test_owner_in_a_copy_is_unknown(void **state)
{
	struct ilk_segment *copy = open_copy();

	(void)state;
	assert_int_equal(holder_of_m_in(copy), ILK_HELD_BY_UNKNOWN);
	ilk_segment_close(copy);
}

static void test_owner_in_a_copy_is_unknown_beside_the_original(void **state)
{
	struct ilk_segment *copy;

	(void)state;
	seg = support_open(ilk_test_name(""));
	copy = open_copy();
	assert_int_equal(holder_of_m_in(copy), ILK_HELD_BY_UNKNOWN);
	assert_int_equal(holder_of_m_in(seg), ILK_HELD_BY_LIVING);
	ilk_test_kill(holder);
	assert_int_equal(holder_of_m_in(copy), ILK_HELD_BY_UNKNOWN);
	assert_int_equal(holder_of_m_in(seg), ILK_HELD_BY_DEAD);
	ilk_segment_close(copy);
}

static void test_open_of_a_copy_for_writing_is_EBADMSG(void **state)
{
	struct ilk_segment *copy = NULL;

	(void)state;
	CHECK_RC(ilk_segment_open(ilk_test_name("copy"), NULL, &copy), -EBADMSG);
	CHECK_RC(ilk_segment_create(ilk_test_name("copy"), NULL, &copy), -EBADMSG);
	seg = support_open(ilk_test_name(""));
	CHECK_RC(ilk_segment_open(ilk_test_name("copy"), NULL, &copy), -EBADMSG);
	assert_null(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COPY_TEST(test_open_of_the_original_beside_its_copy_works),
		COPY_TEST(test_open_and_close_of_a_copy_leave_no_descriptor),
		COPY_TEST(test_owner_in_a_copy_is_unknown),
		COPY_TEST(test_owner_in_a_copy_is_unknown_beside_the_original),
		COPY_TEST(test_open_of_a_copy_for_writing_is_EBADMSG),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
