/*
 * headers.c - files that are no segment, or are one no longer: each refused by the right word.
 *
 * The one unit test that knows where the fields of a header lie.
 */
#include "segment/layout.h"
#include "support.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Every way in gives EXPECTED; the first of them with FIELD in the particulars. */
static void check_refused(const char *name, int expected, const char *field)
{
	const struct ilk_segment_options read_only = {
		.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *seg = NULL;
	struct ilk_inspection *in = NULL;

	CHECK_RC(ilk_segment_open(name, NULL, &seg), expected);
	if (!strstr(ilk_last_error(), field))
		ilk_test_fail("\"%s\" does not name %s", ilk_last_error(), field);
	CHECK_RC(ilk_segment_create(name, NULL, &seg), expected);
	CHECK_RC(ilk_segment_open(name, &read_only, &seg), expected);
	CHECK_RC(ilk_segment_open_until(name, NULL, ILK_FOREVER, &seg), expected);
	CHECK_RC(ilk_inspect(name, &in), expected);
	assert_null(seg);
	assert_null(in);
}

/* A file of BYTES zero bytes at NAME. */
static int make_file(const char *name, off_t bytes)
{
	int fd = open(support_path(name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	return fd;
}

static void test_files_too_short_are_EMEDIUMTYPE(void **state)
{
	static const off_t sizes[] = {0, 1, 64, sizeof(struct ilk_header_) - 1};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		close(make_file(ilk_test_name(""), sizes[i]));
		check_refused(ilk_test_name(""), -EMEDIUMTYPE, "too short");
		support_unlink(ilk_test_name(""));
	}
}

static void test_files_of_something_else_are_EMEDIUMTYPE(void **state)
{
	static char text[8192];
	int fd = make_file(ilk_test_name(""), sizeof text);

	(void)state;
	check_refused(ilk_test_name(""), -EMEDIUMTYPE, "magic");
	memset(text, 'x', sizeof text);
	assert_int_equal(pwrite(fd, text, sizeof text, 0), sizeof text);
	close(fd);
	check_refused(ilk_test_name(""), -EMEDIUMTYPE, "magic");
	support_unlink(ilk_test_name(""));
}

static void test_what_is_no_file_is_EMEDIUMTYPE(void **state)
{
	const char *name = ilk_test_name(""), *path = support_path(name);

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	check_refused(name, -EMEDIUMTYPE, "regular file");
	assert_int_equal(rmdir(path), 0);
	/* Neither blocked by a FIFO nor led elsewhere by a link. */
	assert_int_equal(mkfifo(path, 0600), 0);
	check_refused(name, -EMEDIUMTYPE, "");
	support_unlink(name);
	assert_int_equal(symlink("/dev/zero", path), 0);
	check_refused(name, -EMEDIUMTYPE, "");
	support_unlink(name);
}

static void test_a_socket_is_EMEDIUMTYPE(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	strcpy(address.sun_path, support_path(ilk_test_name("")));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
	check_refused(ilk_test_name(""), -EMEDIUMTYPE, "");
	support_unlink(ilk_test_name(""));
}

/* --- damaged headers --- */

static struct ilk_header_ *header;

static int header_setup(void **state)
{
	struct ilk_segment *seg;
	int fd;

	if (ilk_test_setup(state) < 0 || ilk_segment_create(ilk_test_name(""), NULL, &seg) < 0)
		return -1;
	ilk_segment_close(seg);
	fd = open(support_path(ilk_test_name("")), O_RDWR | O_CLOEXEC);
	header = mmap(NULL, sizeof *header, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return header == MAP_FAILED ? -1 : 0;
}

static int header_teardown(void **state)
{
	munmap(header, sizeof *header);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

#define HEADER_TEST(f) cmocka_unit_test_setup_teardown(f, header_setup, header_teardown)

/* With FIELD of the header set to VALUE every way in is refused; put back, it is let in. */
#define CHECK_FIELD(field, wrong, expected, word)                     \
	do {                                                          \
		const struct ilk_header_ good_ = *header;             \
		header->field = (__typeof__(header->field))(wrong);   \
		check_refused(ilk_test_name(""), (expected), (word)); \
		memcpy(header, &good_, sizeof good_);                 \
		ilk_segment_close(support_open(ilk_test_name("")));   \
	} while (0)

static void test_wrong_magic_is_EMEDIUMTYPE(void **state)
{
	(void)state;
	CHECK_FIELD(magic, 0, -EMEDIUMTYPE, "magic");
	CHECK_FIELD(magic, header->magic + 1, -EMEDIUMTYPE, "magic");
	CHECK_FIELD(magic, header->magic ^ UINT64_C(1) << 63, -EMEDIUMTYPE, "magic");
}

static void test_wrong_version_is_EPROTO_naming_it(void **state)
{
	(void)state;
	CHECK_FIELD(version, 0, -EPROTO, "version");
	CHECK_FIELD(version, header->version + 1, -EPROTO, "version");
	CHECK_FIELD(version, UINT32_MAX, -EPROTO, "version");
}

/* Whatever the other fields have become in it: nothing of them is looked at before the version. */
static void test_other_version_is_told_before_all_else(void **state)
{
	const struct ilk_header_ good = *header;
	const size_t from = offsetof(struct ilk_header_, header_bytes);

	(void)state;
	header->version++;
	memset((char *)header + from, 0xa5, sizeof *header - from);
	check_refused(ilk_test_name(""), -EPROTO, "version");
	header->arena_at += 64;
	memset((char *)header + from, 0, sizeof *header - from);
	check_refused(ilk_test_name(""), -EPROTO, "version");
	memcpy(header, &good, sizeof good);
}

static void test_wrong_layout_word_is_EPROTO_naming_the_field(void **state)
{
	static const char *const names[ILK_LAYOUT_FIELDS_] = {"word size", "byte order",
		"cache line", "handshake", "header", "process slot", "thread slot", "entry"};

	(void)state;
	for (unsigned i = 0; i < ILK_LAYOUT_FIELDS_; i++) {
		CHECK_FIELD(layout, header->layout ^ UINT64_C(0x80) << 8 * i, -EPROTO, names[i]);
		CHECK_FIELD(layout, header->layout + (UINT64_C(2) << 8 * i), -EPROTO, names[i]);
	}
}

static void test_sizes_that_contradict_the_file_are_EBADMSG(void **state)
{
	(void)state;
	CHECK_FIELD(bytes, 0, -EBADMSG, "bytes");
	CHECK_FIELD(bytes, header->bytes + 4096, -EBADMSG, "bytes");
	CHECK_FIELD(bytes, header->bytes - 4096, -EBADMSG, "bytes");
	CHECK_FIELD(bytes, UINT64_MAX, -EBADMSG, "bytes");
	CHECK_FIELD(header_bytes, 0, -EBADMSG, "header_bytes");
	CHECK_FIELD(header_bytes, header->header_bytes + 64, -EBADMSG, "header_bytes");
}

static void test_slots_that_make_no_sense_are_EBADMSG(void **state)
{
	(void)state;
	CHECK_FIELD(process_slots, 0, -EBADMSG, "process_slots");
	CHECK_FIELD(process_slots, 4096, -EBADMSG, "process_slots");
	CHECK_FIELD(process_slots, UINT32_MAX, -EBADMSG, "process_slots");
	CHECK_FIELD(process_slots, header->process_slots + 1, -EBADMSG, "");
	CHECK_FIELD(thread_slots, 0, -EBADMSG, "thread_slots");
	CHECK_FIELD(thread_slots, 4096, -EBADMSG, "thread_slots");
	CHECK_FIELD(thread_slots, header->thread_slots - 1, -EBADMSG, "");
	CHECK_FIELD(thread_slots, 4095, -EBADMSG, "");
}

static void test_places_that_make_no_sense_are_EBADMSG(void **state)
{
	(void)state;
	CHECK_FIELD(buckets, 0, -EBADMSG, "buckets");
	CHECK_FIELD(buckets, UINT32_MAX, -EBADMSG, "buckets");
	CHECK_FIELD(processes_at, 0, -EBADMSG, "slots");
	CHECK_FIELD(threads_at, UINT64_MAX, -EBADMSG, "slots");
	CHECK_FIELD(buckets_at, header->buckets_at + 8, -EBADMSG, "buckets");
	CHECK_FIELD(arena_at, header->bytes, -EBADMSG, "arena");
}

static void test_a_name_without_an_end_is_EBADMSG(void **state)
{
	struct ilk_header_ good = *header;

	(void)state;
	memset(header->name, 'n', sizeof header->name);
	check_refused(ilk_test_name(""), -EBADMSG, "name");
	memcpy(header, &good, sizeof good);
	ilk_segment_close(support_open(ilk_test_name("")));
}

/* Opening for writing is refused; looking is not. */
static void check_not_the_original(const char *field)
{
	struct ilk_segment *seg = NULL;
	struct ilk_inspection *in;

	CHECK_RC(ilk_segment_open(ilk_test_name(""), NULL, &seg), -EBADMSG);
	assert_non_null(strstr(ilk_last_error(), field));
	assert_null(seg);
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	assert_int_equal(in->liveness, ILK_LIFE_UNKNOWN);
	ilk_inspection_free(in);
}

static void test_a_segment_of_another_boot_is_EBADMSG_and_can_be_inspected(void **state)
{
	(void)state;
	header->boot_id[3] ^= 0x40;
	check_not_the_original("boot_id");
}

static void test_a_copied_segment_is_EBADMSG_and_can_be_inspected(void **state)
{
	(void)state;
	header->inode++;
	check_not_the_original("inode");
	header->inode--;
	header->device++;
	check_not_the_original("");
}

static void test_a_time_before_all_time_is_told_as_unknown(void **state)
{
	struct ilk_inspection *in = NULL;

	(void)state;
	header->created = INT64_MIN;
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	assert_int_equal(in->created, 0);
	ilk_inspection_free(in);
}

static void test_a_truncated_segment_is_refused(void **state)
{
	const char *path = support_path(ilk_test_name(""));

	(void)state;
	assert_int_equal(truncate(path, 65536), 0);
	check_refused(ilk_test_name(""), -EBADMSG, "bytes");
	assert_int_equal(truncate(path, 4096), 0);
	check_refused(ilk_test_name(""), -EBADMSG, "bytes");
	assert_int_equal(truncate(path, 100), 0);
	check_refused(ilk_test_name(""), -EMEDIUMTYPE, "too short");
}

/* What is kept for each of its threads was made after the header that the first attachment read. */
static void test_one_that_changed_since_this_process_attached_is_EBADMSG(void **state)
{
	struct ilk_segment *seg, *second = NULL;
	struct ilk_header_ good;

	(void)state;
	CHECK_RC(ilk_segment_open(ilk_test_name(""), NULL, &seg), 0);
	good = *header;
	header->thread_slots += 8;
	header->buckets_at += 8 * sizeof(struct ilk_thread_slot_);
	header->lists_at += 8 * sizeof(struct ilk_thread_slot_);
	header->arena_at += 8 * sizeof(struct ilk_thread_slot_);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), NULL, &second), -EBADMSG);
	assert_non_null(strstr(ilk_last_error(), "changed"));
	assert_null(second);
	*header = good;
	CHECK_RC(ilk_segment_open(ilk_test_name(""), NULL, &second), 0);
	ilk_segment_close(second);
	ilk_segment_close(seg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_files_too_short_are_EMEDIUMTYPE),
		ILK_TEST(test_files_of_something_else_are_EMEDIUMTYPE),
		ILK_TEST(test_what_is_no_file_is_EMEDIUMTYPE),
		ILK_TEST(test_a_socket_is_EMEDIUMTYPE),
		HEADER_TEST(test_wrong_magic_is_EMEDIUMTYPE),
		HEADER_TEST(test_wrong_version_is_EPROTO_naming_it),
		HEADER_TEST(test_other_version_is_told_before_all_else),
		HEADER_TEST(test_wrong_layout_word_is_EPROTO_naming_the_field),
		HEADER_TEST(test_sizes_that_contradict_the_file_are_EBADMSG),
		HEADER_TEST(test_slots_that_make_no_sense_are_EBADMSG),
		HEADER_TEST(test_places_that_make_no_sense_are_EBADMSG),
		HEADER_TEST(test_a_name_without_an_end_is_EBADMSG),
		HEADER_TEST(test_a_segment_of_another_boot_is_EBADMSG_and_can_be_inspected),
		HEADER_TEST(test_a_copied_segment_is_EBADMSG_and_can_be_inspected),
		HEADER_TEST(test_a_time_before_all_time_is_told_as_unknown),
		HEADER_TEST(test_a_truncated_segment_is_refused),
		HEADER_TEST(test_one_that_changed_since_this_process_attached_is_EBADMSG),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
