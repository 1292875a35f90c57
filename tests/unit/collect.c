/* collect.c - removing segments that nobody is in; and attaching while another does. */
#include "support.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct ilk_segment_options read_only = {
	.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};

enum { IN, GO };

static const char *name(void)
{
	return ilk_test_name("");
}

static int is_there(void)
{
	return access(support_path(name()), F_OK) == 0;
}

/* A segment with a counter "c" of 1, attached to. */
static struct ilk_segment *make(void)
{
	struct ilk_segment *seg = support_create(name(), NULL);

	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 1), 0);
	return seg;
}

static void make_and_leave(void)
{
	ilk_segment_close(make());
}

static void live_in_it(void *arg)
{
	(void)arg;
	make();
	ilk_test_say(IN);
	ilk_test_sleep_for_ever();
}

static struct ilk_test_child *start_member(void)
{
	struct ilk_test_child *child = ilk_test_start(live_in_it, NULL);

	ilk_test_await(IN);
	return child;
}

/* --- who is in it --- */

static void test_collect_of_one_that_all_have_left_removes_it(void **state)
{
	(void)state;
	make_and_leave();
	CHECK_RC(ilk_segment_collect(name(), 0), 0);
	CHECK(!is_there());
	CHECK_RC(ilk_segment_collect(name(), 0), -ENOENT);
	/* By its path as well. */
	make_and_leave();
	CHECK_RC(ilk_segment_collect(support_path(name()), 0), 0);
	CHECK(!is_there());
}

static void test_collect_beside_a_living_member_is_EBUSY_until_it_dies(void **state)
{
	struct ilk_test_child *child = start_member();

	(void)state;
	CHECK_RC(ilk_segment_collect(name(), 0), -EBUSY);
	CHECK(strstr(ilk_last_error(), name()) != NULL);
	ilk_test_stop(child);
	CHECK_RC(ilk_segment_collect(name(), 0), -EBUSY);
	CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_ASK), -EBUSY);
	CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_COPIES), -EBUSY);
	CHECK(is_there());
	/* A zombie is no member. */
	ilk_test_continue(child);
	ilk_test_kill_only(child);
	CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_ASK), 0);
	CHECK(is_there());
	CHECK_RC(ilk_segment_collect(name(), 0), 0);
	CHECK(!is_there());
	ilk_test_reap(child);
}

static void test_collect_by_a_member_itself_is_EBUSY(void **state)
{
	struct ilk_segment *seg = make();

	(void)state;
	CHECK_RC(ilk_segment_collect(name(), 0), -EBUSY);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "m")), 0);
	ilk_segment_close(seg);
	CHECK_RC(ilk_segment_collect(name(), 0), 0);
}

static void test_collect_does_not_mind_who_only_reads(void **state)
{
	struct ilk_segment *reader;

	(void)state;
	make_and_leave();
	CHECK_RC(ilk_segment_open(name(), &read_only, &reader), 0);
	CHECK_RC(ilk_segment_collect(name(), 0), 0);
	CHECK(!is_there());
	CHECK(ilk_counter_read(support_counter(reader, "c")) == 1);
	ilk_segment_close(reader);
}

static void test_collect_of_a_transient_one_that_all_died_in_removes_it(void **state)
{
	const struct ilk_segment_options transient = {
		.size = sizeof transient, .flags = ILK_SEGMENT_TRANSIENT};
	struct ilk_segment *seg = support_create(name(), &transient);
	struct ilk_test_child *child = start_member();

	(void)state;
	ilk_segment_close(seg);
	CHECK_RC(ilk_segment_collect(name(), 0), -EBUSY);
	ilk_test_kill(child);
	CHECK(is_there());
	CHECK_RC(ilk_segment_collect(name(), 0), 0);
	CHECK(!is_there());
}

static void test_ask_takes_no_lock_and_leaves_it(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	make_and_leave();
	for (int i = 0; i < 3; i++)
		CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_ASK), 0);
	seg = support_open(name());
	CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_ASK), -EBUSY);
	ilk_segment_close(seg);
	support_unlink(name());
	CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_ASK), -ENOENT);
}

/* --- what is no segment of ours --- */

/* Overwrites the bytes at AT of the file. */
static void overwrite(off_t at, const void *bytes, size_t count)
{
	int fd = open(support_path(name()), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && pwrite(fd, bytes, count, at) == (ssize_t)count);
	close(fd);
}

static void check_stays(int expected)
{
	CHECK_RC(ilk_segment_collect(name(), 0), expected);
	CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_COPIES), expected);
	CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_ASK), expected);
	CHECK(is_there());
}

static void test_collect_of_what_is_no_segment_leaves_it(void **state)
{
	const char text[4096] = "a list of things to do";

	(void)state;
	overwrite(0, text, sizeof text);
	check_stays(-EMEDIUMTYPE);
	support_unlink(name());
	CHECK(symlink("/dev/null", support_path(name())) == 0);
	check_stays(-EMEDIUMTYPE);
	support_unlink(name());
}

static void test_collect_of_another_layout_or_a_damaged_header_leaves_it(void **state)
{
	const uint32_t version = 77, header_bytes = 3;

	(void)state;
	make_and_leave();
	/* What src/segment/layout.h says: the magic, 8 bytes; the version; bytes of the header. */
	overwrite(8, &version, sizeof version);
	check_stays(-EPROTO);
	support_unlink(name());
	make_and_leave();
	overwrite(12, &header_bytes, sizeof header_bytes);
	check_stays(-EBADMSG);
	support_unlink(name());
}

static void test_collect_of_a_copy_needs_to_be_told(void **state)
{
	char bytes[1 << 16];
	const char *original = ilk_test_name("original");
	const struct ilk_segment_options small = {.size = sizeof small, .bytes = sizeof bytes};
	int fd;

	(void)state;
	ilk_segment_close(support_create(original, &small));
	fd = open(support_path(original), O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, bytes, sizeof bytes) == sizeof bytes);
	close(fd);
	overwrite(0, bytes, sizeof bytes);
	CHECK_RC(ilk_segment_collect(name(), 0), -EBADMSG);
	CHECK(strstr(ilk_last_error(), "a copy") != NULL);
	CHECK(is_there());
	CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_ASK | ILK_COLLECT_COPIES), 0);
	CHECK(is_there());
	CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_COPIES), 0);
	CHECK(!is_there());
	CHECK_RC(ilk_segment_collect(original, 0), 0);
}

static void test_collect_of_one_of_an_earlier_boot_needs_to_be_told(void **state)
{
	const uint8_t boot[16] = {1};

	(void)state;
	make_and_leave();
	overwrite(48, boot, sizeof boot);
	CHECK_RC(ilk_segment_collect(name(), 0), -EBADMSG);
	CHECK(strstr(ilk_last_error(), "boot") != NULL);
	CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_COPIES), 0);
	CHECK(!is_there());
}

static void test_collect_odd_names_and_flags_are_refused(void **state)
{
	(void)state;
	CHECK_RC(ilk_segment_collect(NULL, 0), -EINVAL);
	CHECK_RC(ilk_segment_collect("", 0), -EINVAL);
	CHECK_RC(ilk_segment_collect("a b", 0), -EINVAL);
	CHECK_RC(ilk_segment_collect("/dev/shm/", 0), -EINVAL);
	make_and_leave();
	CHECK_RC(ilk_segment_collect(name(), 4), -EINVAL);
	CHECK(is_there());
	support_unlink(name());
}

static void be_refused(void *arg)
{
	(void)arg;
	support_become_nobody();
	CHECK_RC(ilk_segment_collect(name(), 0), -EACCES);
	CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_ASK), (int)ilk_test_board()->value[1]);
}

static void check_refused(unsigned mode, int asked)
{
	const struct ilk_segment_options options = {.size = sizeof options, .mode = mode};

	ilk_test_board()->value[1] = asked;
	ilk_segment_close(support_create(name(), &options));
	ilk_test_in_child(be_refused, NULL);
	CHECK(is_there());
	support_unlink(name());
}

static void test_collect_of_another_users_is_EACCES(void **state)
{
	(void)state;
	if (!support_is_root())
		SKIP("only root can become another user");
	check_refused(0600, -EACCES);
	check_refused(0644, 0);
	check_refused(0666, 0); /* the folder is sticky */
}

/* --- while another removes it --- */

/* What src/segment/layout.h says of the range: gate, then two bytes for each of 4095 slots. */
static void take_range(void)
{
	struct flock lock = {.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = ((off_t)1 << 40) - 1,
		.l_len = 2 * 4095 + 1};
	int fd = open(support_path(name()), O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
	ilk_test_say(GO);
}

/* A collector that is slow: whoever has opened the file meanwhile waits for its lock. */
static void collect_slowly(void *arg)
{
	(void)arg;
	take_range();
	ilk_test_sleep_ms(100);
	CHECK(unlink(support_path(name())) == 0);
}

static struct ilk_test_child *start_slow_collector(void)
{
	struct ilk_test_child *child;

	make_and_leave();
	ilk_test_board()->step[GO] = 0;
	child = ilk_test_start(collect_slowly, NULL);
	ilk_test_await(GO);
	return child;
}

static void test_attach_that_comes_too_late_finds_nothing_or_makes_a_new_one(void **state)
{
	struct ilk_test_child *collector = start_slow_collector();
	struct ilk_segment *seg;

	(void)state;
	CHECK_RC(ilk_segment_open(name(), NULL, &seg), -ENOENT);
	CHECK(strstr(ilk_last_error(), "removed meanwhile") != NULL);
	ilk_test_join(collector);
	collector = start_slow_collector();
	CHECK_RC(ilk_segment_create(name(), NULL, &seg), 0);
	CHECK(is_there() && ilk_counter_read(support_counter(seg, "c")) == 0);
	ilk_test_join(collector);
	ilk_segment_close(seg);
	CHECK_RC(ilk_segment_collect(name(), 0), 0);
}

static void collect_for_ever(void *arg)
{
	(void)arg;
	take_range();
	ilk_test_sleep_for_ever();
}

static void test_attach_beside_a_stopped_collector_fails_until_it_dies(void **state)
{
	struct ilk_test_child *collector;
	struct ilk_segment *seg;

	(void)state;
	make_and_leave();
	collector = ilk_test_start(collect_for_ever, NULL);
	ilk_test_await(GO);
	CHECK_RC(ilk_segment_collect(name(), 0), -EBUSY);
	CHECK_RC(ilk_segment_collect(name(), ILK_COLLECT_ASK), -EBUSY);
	CHECK_RC(ilk_segment_open(name(), NULL, &seg), -ENOENT);
	CHECK_RC(ilk_segment_create(name(), NULL, &seg), -EBUSY);
	/* It leaves nothing locked, and all as it was. */
	ilk_test_kill(collector);
	seg = support_open(name());
	CHECK(ilk_counter_read(support_counter(seg, "c")) == 1);
	ilk_segment_close(seg);
	CHECK_RC(ilk_segment_collect(name(), 0), 0);
}

static void test_collect_leaves_a_new_segment_of_that_name_alone(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	for (int i = 0; i < 20; i++) {
		make_and_leave();
		CHECK_RC(ilk_segment_collect(name(), 0), 0);
		seg = make();
		CHECK_RC(ilk_segment_collect(name(), 0), -EBUSY);
		CHECK(ilk_counter_read(support_counter(seg, "c")) == 1);
		ilk_segment_close(seg);
		CHECK_RC(ilk_segment_collect(name(), 0), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_collect_of_one_that_all_have_left_removes_it),
		ILK_TEST(test_collect_beside_a_living_member_is_EBUSY_until_it_dies),
		ILK_TEST(test_collect_by_a_member_itself_is_EBUSY),
		ILK_TEST(test_collect_does_not_mind_who_only_reads),
		ILK_TEST(test_collect_of_a_transient_one_that_all_died_in_removes_it),
		ILK_TEST(test_ask_takes_no_lock_and_leaves_it),
		ILK_TEST(test_collect_of_what_is_no_segment_leaves_it),
		ILK_TEST(test_collect_of_another_layout_or_a_damaged_header_leaves_it),
		ILK_TEST(test_collect_of_a_copy_needs_to_be_told),
		ILK_TEST(test_collect_of_one_of_an_earlier_boot_needs_to_be_told),
		ILK_TEST(test_collect_odd_names_and_flags_are_refused),
		ILK_TEST(test_collect_of_another_users_is_EACCES),
		ILK_TEST(test_attach_that_comes_too_late_finds_nothing_or_makes_a_new_one),
		ILK_TEST(test_attach_beside_a_stopped_collector_fails_until_it_dies),
		ILK_TEST(test_collect_leaves_a_new_segment_of_that_name_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
