/* segment.c - create, open, open_until, anonymous, close, unlink: what succeeds, and how. */
#include "support.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Closes SEG and removes its name. */
static void finish(struct ilk_segment *seg, const char *name)
{
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_create_makes_a_file_and_attaches(void **state)
{
	const char *name = ilk_test_name("");
	struct ilk_segment *seg = support_create(name, NULL);
	struct stat file;

	(void)state;
	assert_string_equal(ilk_segment_name(seg), name);
	assert_int_equal(ilk_segment_bytes(seg), 1 << 20);
	assert_int_equal(stat(support_path(name), &file), 0);
	assert_int_equal(file.st_size, 1 << 20);
	/* Its pages are reserved. */
	assert_true(file.st_blocks * 512 >= 1 << 20);
	finish(seg, name);
	assert_int_equal(access(support_path(name), F_OK), -1);
}

static void test_create_of_an_existing_one_opens_it(void **state)
{
	const char *name = ilk_test_name("");
	struct ilk_segment *one = support_create(name, NULL), *two = support_create(name, NULL);

	(void)state;
	CHECK_RC(ilk_counter_add(support_counter(one, "c"), 7), 0);
	assert_int_equal(ilk_counter_read(support_counter(two, "c")), 7);
	ilk_segment_close(two);
	finish(one, name);
}

static void test_create_sparse_reserves_no_pages(void **state)
{
	const struct ilk_segment_options sparse = {
		.size = sizeof sparse, .bytes = 64 << 20, .flags = ILK_SEGMENT_SPARSE};
	const char *name = ilk_test_name("");
	struct ilk_segment *seg = support_create(name, &sparse);
	struct stat file;

	(void)state;
	assert_int_equal(ilk_segment_bytes(seg), 64 << 20);
	assert_int_equal(stat(support_path(name), &file), 0);
	assert_true(file.st_blocks * 512 < 4 << 20);
	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 7), 0);
	finish(seg, name);
}

static void check_mode(unsigned asked, unsigned expected)
{
	const struct ilk_segment_options options = {.size = sizeof options, .mode = asked};
	const char *name = ilk_test_name("");
	struct ilk_segment *seg = support_create(name, &options);
	struct stat file;

	assert_int_equal(stat(support_path(name), &file), 0);
	assert_int_equal(file.st_mode & 07777, expected);
	finish(seg, name);
}

static void test_create_applies_the_mode_whatever_the_umask(void **state)
{
	mode_t before = umask(0777);

	(void)state;
	check_mode(0, 0600);
	check_mode(0666, 0666);
	check_mode(0640, 0640);
	umask(0);
	check_mode(0, 0600);
	umask(before);
}

static void test_open_finds_what_was_left_there(void **state)
{
	const char *name = ilk_test_name("");
	struct ilk_segment *seg = support_create(name, NULL);

	(void)state;
	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 7), 0);
	ilk_segment_close(seg);
	seg = support_open(name);
	assert_int_equal(ilk_counter_read(support_counter(seg, "c")), 7);
	assert_string_equal(ilk_segment_name(seg), name);
	finish(seg, name);
}

static void test_open_of_nothing_is_ENOENT(void **state)
{
	struct ilk_segment *seg = NULL;

	(void)state;
	CHECK_RC(ilk_segment_open(ilk_test_name(""), NULL, &seg), -ENOENT);
	assert_null(seg);
}

/* --- open_until --- */

static void test_open_until_a_deadline_that_passes_is_ETIMEDOUT(void **state)
{
	struct ilk_segment *seg = NULL;
	ilk_time began = ilk_now();

	(void)state;
	CHECK_RC(ilk_segment_open_until(ilk_test_name(""), NULL, began + 30 * 1000000, &seg),
		-ETIMEDOUT);
	assert_true(ilk_now() - began >= 30 * 1000000);
	CHECK_RC(ilk_segment_open_until(ilk_test_name(""), NULL, ILK_NOW, &seg), -ETIMEDOUT);
	assert_non_null(strstr(ilk_last_error(), ilk_test_name("")));
	assert_null(seg);
}

static void create_later(void *name)
{
	struct ilk_segment *seg;

	ilk_test_sleep_ms(30);
	seg = support_create(name, NULL);
	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 7), 0);
	ilk_test_say(0);
	ilk_test_await(1);
	ilk_segment_close(seg);
}

static void test_open_until_the_name_appears_attaches(void **state)
{
	struct ilk_segment *seg = NULL;
	struct ilk_test_child *child;
	char name[64];

	(void)state;
	strcpy(name, ilk_test_name(""));
	child = ilk_test_start(create_later, name);
	CHECK_RC(ilk_segment_open_until(name, NULL, ilk_after_ms(ilk_test_limit_ms()), &seg), 0);
	ilk_test_await(0);
	assert_int_equal(ilk_counter_read(support_counter(seg, "c")), 7);
	ilk_test_say(1);
	ilk_test_join(child);
	finish(seg, name);
}

static void test_open_until_with_another_failure_ends_at_once(void **state)
{
	const char *name = ilk_test_name("");
	struct ilk_segment *seg = NULL;

	(void)state;
	CHECK_RC(ilk_segment_open_until("no name", NULL, ILK_FOREVER, &seg), -EINVAL);
	assert_int_equal(mkdir(support_path(name), 0700), 0);
	CHECK_RC(ilk_segment_open_until(name, NULL, ILK_FOREVER, &seg), -EMEDIUMTYPE);
	assert_int_equal(rmdir(support_path(name)), 0);
	assert_null(seg);
}

/* --- anonymous --- */

static void count_in_inherited(void *counter)
{
	CHECK_RC(ilk_counter_add(counter, 1), 0);
	ilk_test_board()->value[0] = ilk_counter_read(counter);
}

static void hold_in_inherited(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_anonymous_is_shared_with_forked_children(void **state)
{
	struct ilk_segment *seg = NULL;
	struct ilk_mutex *m;
	struct ilk_counter *c;

	(void)state;
	CHECK_RC(ilk_segment_anonymous("basket", NULL, &seg), 0);
	assert_string_equal(ilk_segment_name(seg), "basket");
	assert_int_equal(ilk_segment_bytes(seg), 1 << 20);
	c = support_counter(seg, "c");
	CHECK_RC(ilk_counter_add(c, 7), 0);
	ilk_test_in_child(count_in_inherited, c);
	assert_int_equal(ilk_counter_read(c), 8);
	m = support_mutex(seg, "m");
	struct ilk_test_child *child = ilk_test_start(hold_in_inherited, m);

	ilk_test_await(0);
	CHECK_RC(ilk_mutex_try_lock(m), -EBUSY);
	ilk_test_kill(child);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_repaired(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	ilk_segment_close(seg);
}

/* The first descriptor of a memfd; -1. */
static int find_memfd(void)
{
	char path[40], target[100];

	for (int fd = 0; fd < 100; fd++) {
		ssize_t n;

		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof target - 1);
		if (n > 0 && strncmp(target, "/memfd:", 7) == 0)
			return fd;
	}
	return -1;
}

static void test_anonymous_cannot_be_resized(void **state)
{
	struct ilk_segment *seg = NULL;
	int fd;

	(void)state;
	CHECK_RC(ilk_segment_anonymous(NULL, NULL, &seg), 0);
	assert_string_equal(ilk_segment_name(seg), "");
	fd = find_memfd();
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 4 << 20), -1);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	ilk_segment_close(seg);
}

/* --- close and unlink --- */

static void test_close_of_nothing_is_allowed(void **state)
{
	(void)state;
	CHECK_RC(ilk_segment_close(NULL), 0);
}

static void test_unlink_leaves_the_attached_alone(void **state)
{
	const char *name = ilk_test_name("");
	struct ilk_segment *old = support_create(name, NULL), *new;

	(void)state;
	CHECK_RC(ilk_counter_add(support_counter(old, "c"), 7), 0);
	support_unlink(name);
	CHECK_RC(ilk_segment_unlink(name), -ENOENT);
	assert_int_equal(ilk_counter_read(support_counter(old, "c")), 7);
	new = support_create(name, NULL);
	assert_int_equal(ilk_counter_read(support_counter(new, "c")), 0);
	CHECK_RC(ilk_mutex_lock(support_mutex(old, "m")), 0);
	CHECK_RC(ilk_mutex_lock(support_mutex(new, "m")), 0);
	ilk_segment_close(old);
	finish(new, name);
}

static void test_unlink_of_a_folder_is_EMEDIUMTYPE(void **state)
{
	const char *name = ilk_test_name("");

	(void)state;
	assert_int_equal(mkdir(support_path(name), 0700), 0);
	CHECK_RC(ilk_segment_unlink(name), -EMEDIUMTYPE);
	assert_int_equal(rmdir(support_path(name)), 0);
}

/* --- racing creators --- */

static void create_with_others(void *name)
{
	struct ilk_segment *seg;

	ilk_test_await(0);
	seg = support_create(name, NULL);
	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 1), 0);
	ilk_segment_close(seg);
}

static void test_create_by_32_at_once_makes_one(void **state)
{
	enum { CREATORS = 32 };
	struct ilk_test_child *children[CREATORS];
	struct ilk_segment *seg;
	char name[64];

	(void)state;
	strcpy(name, ilk_test_name(""));
	for (int i = 0; i < CREATORS; i++)
		children[i] = ilk_test_start(create_with_others, name);
	ilk_test_say(0);
	for (int i = 0; i < CREATORS; i++)
		ilk_test_join(children[i]);
	seg = support_open(name);
	assert_int_equal(ilk_counter_read(support_counter(seg, "c")), CREATORS);
	finish(seg, name);
}

static void create_alone(void *name)
{
	const struct ilk_segment_options exclusive = {
		.size = sizeof exclusive, .flags = ILK_SEGMENT_EXCLUSIVE};
	struct ilk_segment *seg;
	int rc;

	ilk_test_await(0);
	rc = ilk_segment_create(name, &exclusive, &seg);
	CHECK(rc == 0 || rc == -EEXIST);
	if (rc == 0)
		ilk_add_full_(&ilk_test_board()->value[0], 1);
}

static void test_create_exclusive_by_16_at_once_is_won_by_one(void **state)
{
	enum { CREATORS = 16 };
	struct ilk_test_child *children[CREATORS];
	char name[64];

	(void)state;
	strcpy(name, ilk_test_name(""));
	for (int i = 0; i < CREATORS; i++)
		children[i] = ilk_test_start(create_alone, name);
	ilk_test_say(0);
	for (int i = 0; i < CREATORS; i++)
		ilk_test_join(children[i]);
	assert_int_equal(ilk_test_board()->value[0], 1);
	support_unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_create_makes_a_file_and_attaches),
		ILK_TEST(test_create_of_an_existing_one_opens_it),
		ILK_TEST(test_create_sparse_reserves_no_pages),
		ILK_TEST(test_create_applies_the_mode_whatever_the_umask),
		ILK_TEST(test_open_finds_what_was_left_there),
		ILK_TEST(test_open_of_nothing_is_ENOENT),
		ILK_TEST(test_open_until_a_deadline_that_passes_is_ETIMEDOUT),
		ILK_TEST(test_open_until_the_name_appears_attaches),
		ILK_TEST(test_open_until_with_another_failure_ends_at_once),
		ILK_TEST(test_anonymous_is_shared_with_forked_children),
		ILK_TEST(test_anonymous_cannot_be_resized),
		ILK_TEST(test_close_of_nothing_is_allowed),
		ILK_TEST(test_unlink_leaves_the_attached_alone),
		ILK_TEST(test_unlink_of_a_folder_is_EMEDIUMTYPE),
		ILK_TEST(test_create_by_32_at_once_makes_one),
		ILK_TEST(test_create_exclusive_by_16_at_once_is_won_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
