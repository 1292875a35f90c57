/*
 * mounts.c - file systems on which segments lie, and others.
 *
 * Some are mounted in a child, in a mount namespace that goes with it.
 */
#include "paths_fixture.h"
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

/* --- disks --- */

static int is_in_memory(const char *where)
{
	struct statfs s;

	/* tmpfs, ramfs, hugetlbfs. */
	return statfs(where, &s) == 0 &&
	       (s.f_type == 0x01021994 || s.f_type == 0x858458f6 || s.f_type == 0x958458f6);
}

static void copy_file(const char *from, const char *to)
{
	char bytes[4096];
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	size_t n;

	CHECK(in && out);
	while ((n = fread(bytes, 1, sizeof bytes, in)) > 0)
		CHECK(fwrite(bytes, 1, n, out) == n);
	CHECK(fclose(in) == 0 && fclose(out) == 0);
}

static void test_a_file_system_not_in_memory_is_EMEDIUMTYPE(void **state)
{
	(void)state;
	check_refused("/proc/self/shop", -EMEDIUMTYPE);
	CHECK(strstr(ilk_last_error(), "no memory file system") != NULL);
}

static void test_a_segment_on_a_disk_can_only_be_inspected(void **state)
{
	const struct ilk_segment_options read_only = {
		.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};
	char copy[64] = "/var/tmp/ilk-paths-XXXXXX";
	struct ilk_inspection *in;
	struct ilk_segment *seg;
	int fd;

	(void)state;
	if (is_in_memory("/var/tmp"))
		SKIP("no disk at /var/tmp");
	ilk_segment_close(support_create(path, NULL));
	fd = mkstemp(copy);
	CHECK(fd >= 0 && close(fd) == 0);
	copy_file(path, copy);
	CHECK_RC(ilk_segment_open(copy, &read_only, &seg), -EMEDIUMTYPE);
	CHECK(strstr(ilk_last_error(), "no memory file system") != NULL);
	CHECK_RC(ilk_inspect(copy, &in), 0);
	ilk_inspection_free(in);
	CHECK(unlink(copy) == 0);
	check_refused(copy, -EMEDIUMTYPE);
	CHECK_RC(ilk_segment_unlink(path), 0);
}

/* --- file systems of our own --- */

enum { NOT_PERMITTED = 1, NO_PAGES = 2, DONE = 3 };

/* Mounts one on the test's folder, for this process alone. */
static int have_mounted(const char *type, const char *options)
{
	if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		mount("test", folder, type, 0, options) == 0)
		return 1;
	ilk_test_say(NOT_PERMITTED);
	return 0;
}

static void run_mounted(void (*body)(void *arg))
{
	if (!support_is_root() || support_emulated())
		SKIP("mounting needs root and no emulator");
	ilk_test_in_child(body, NULL);
	if (ilk_test_was_said(NOT_PERMITTED))
		SKIP("mounting is not permitted here");
	if (ilk_test_was_said(NO_PAGES))
		SKIP("the kernel gives no huge pages");
	assert_true(ilk_test_was_said(DONE));
}

static unsigned long free_blocks(void)
{
	struct statfs s;

	CHECK(statfs(folder, &s) == 0);
	return s.f_bfree;
}

static void fill_small_folder(void *arg)
{
	const struct ilk_segment_options big = {.size = sizeof big, .bytes = 2 << 20},
					 half = {.size = sizeof half, .bytes = 512 << 10};
	struct ilk_segment *seg = untouched;
	unsigned long before;
	char other[160];

	(void)arg;
	if (!have_mounted("tmpfs", "size=1m"))
		return;
	before = free_blocks();
	CHECK_RC(ilk_segment_create(path, &big, &seg), -ENOSPC);
	CHECK(strstr(ilk_last_error(), folder) != NULL);
	CHECK(seg == untouched && access(path, F_OK) < 0 && free_blocks() == before);
	seg = support_create(path, &half);
	snprintf(other, sizeof other, "%s/other", folder);
	check_refused(other, -ENOSPC);
	use(seg);
	ilk_segment_close(seg);
	CHECK_RC(ilk_segment_unlink(path), 0);
	CHECK(free_blocks() == before);
	ilk_test_say(DONE);
}

static void test_a_small_tmpfs_is_ENOSPC_and_names_its_folder(void **state)
{
	(void)state;
	run_mounted(fill_small_folder);
}

static void populate_small_folder(void *arg)
{
	const unsigned want[] = {ILK_SEGMENT_PREFAULT, ILK_SEGMENT_LOCKED};
	struct ilk_segment_options big = {.size = sizeof big, .bytes = 2 << 20};
	struct ilk_segment *seg = untouched, *sparse;

	(void)arg;
	if (!have_mounted("tmpfs", "size=1m"))
		return;
	big.flags = ILK_SEGMENT_SPARSE;
	sparse = support_create(path, &big);
	for (int i = 0; i < 4; i++) {
		big.flags = want[i % 2] | (i < 2 ? 0 : (unsigned)ILK_SEGMENT_READ_ONLY);
		CHECK_RC(ilk_segment_open(path, &big, &seg), -ENOSPC);
		CHECK(seg == untouched);
	}
	ilk_segment_close(sparse);
	CHECK_RC(ilk_segment_unlink(path), 0);
	ilk_test_say(DONE);
}

static void test_prefault_of_a_sparse_one_without_room_is_ENOSPC(void **state)
{
	(void)state;
	run_mounted(populate_small_folder);
}

/* How often this process has called write(2) and its like. */
static long writes(void)
{
	FILE *io = fopen("/proc/self/io", "re");
	char line[64];
	long n = -1;

	while (io && fgets(line, sizeof line, io))
		sscanf(line, "syscw: %ld", &n);
	if (io)
		fclose(io);
	return n;
}

static void use_ramfs(void *arg)
{
	const struct ilk_segment_options prefault = {
		.size = sizeof prefault, .flags = ILK_SEGMENT_PREFAULT};
	struct ilk_segment *seg, *again;
	long before;

	(void)arg;
	if (!have_mounted("ramfs", NULL))
		return;
	seg = support_create(path, NULL);
	use(seg);
	/* It has no fallocate: what is written instead could be what others have changed. */
	before = writes();
	CHECK_RC(ilk_segment_open(path, &prefault, &again), 0);
	CHECK(writes() == before);
	ilk_segment_close(again);
	ilk_segment_close(seg);
	CHECK_RC(ilk_segment_unlink(path), 0);
	ilk_test_say(DONE);
}

static void test_a_ramfs_will_do(void **state)
{
	(void)state;
	run_mounted(use_ramfs);
}

/* --- huge pages --- */

static const char huge_setting[] = "/proc/sys/vm/nr_hugepages";
enum { HUGE = 2 << 20, HUGE_PAGES = 3 };

static long huge_pages(long wanted)
{
	FILE *setting = fopen(huge_setting, wanted < 0 ? "re" : "we");
	long n = -1;

	if (!setting)
		return -1;
	if (wanted < 0 ? fscanf(setting, "%ld", &n) != 1 : fprintf(setting, "%ld\n", wanted) < 0)
		n = -1;
	fclose(setting);
	return n;
}

static void die_in_it(void *arg)
{
	struct ilk_segment *seg = support_open(path);

	(void)arg;
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	ilk_test_say(10);
	ilk_test_sleep_for_ever();
}

static void see_a_death(struct ilk_segment *seg)
{
	struct ilk_test_child *child = ilk_test_start(die_in_it, NULL);
	struct ilk_inspection *in;

	ilk_test_await(10);
	CHECK_RC(ilk_mutex_try_lock(support_mutex(seg, "m")), -EBUSY);
	CHECK_RC(ilk_inspect(path, &in), 0);
	CHECK(in->process_count == 2 && in->processes[0].life == ILK_LIFE_ALIVE &&
		in->processes[1].life == ILK_LIFE_ALIVE);
	ilk_inspection_free(in);
	ilk_test_kill(child);
	CHECK_RC(ilk_inspect(path, &in), 0);
	CHECK(in->processes[1].life == ILK_LIFE_DEAD && in->damage[0] == 0);
	ilk_inspection_free(in);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_repaired(support_mutex(seg, "m")), 0);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "m")), 0);
}

/* Huge pages of the system that nobody has or is promised. */
static long free_pages(void)
{
	static const char *const files[] = {"free_hugepages", "resv_hugepages"};
	long n[2] = {0};

	for (int i = 0; i < 2; i++) {
		char name[96];
		FILE *file;

		snprintf(name, sizeof name, "/sys/kernel/mm/hugepages/hugepages-2048kB/%s",
			files[i]);
		file = fopen(name, "re");
		CHECK(!file || fscanf(file, "%ld", &n[i]) == 1);
		if (file)
			fclose(file);
	}
	return n[0] - n[1];
}

/* What does not fit is refused at once, and leaves nothing. */
static void ask_for_too_much(long pages)
{
	struct ilk_segment_options options = {
		.size = sizeof options, .bytes = (size_t)(pages + 1) * HUGE};

	for (int sparse = 0; sparse < 2; sparse++) {
		options.flags = sparse ? ILK_SEGMENT_SPARSE : 0;
		check_refused_with(path, &options, -ENOSPC);
		CHECK(strstr(ilk_last_error(), folder) != NULL);
		CHECK(free_pages() == pages);
	}
}

/* What fits takes no page more than it has. */
static void ask_for_all(long pages)
{
	struct ilk_segment_options options = {.size = sizeof options,
		.bytes = (size_t)pages * HUGE - 2 * 4096,
		.flags = ILK_SEGMENT_HUGE | ILK_SEGMENT_PREFAULT};
	struct ilk_segment *seg = support_create(path, &options);

	CHECK(free_pages() == 0);
	CHECK(ilk_segment_bytes(seg) == (size_t)pages * HUGE);
	CHECK(ilk_segment_huge_bytes(seg) == (size_t)pages * HUGE);
	use(seg);
	see_a_death(seg);
	ilk_test_in_child(open_and_use, path);
	/* The same size asked for once more is rounded alike. */
	options.flags = 0;
	ilk_segment_close(support_create(path, &options));
	ilk_segment_close(seg);
	CHECK_RC(ilk_segment_unlink(path), 0);
	CHECK(free_pages() == pages);
}

static void use_hugetlbfs(void *arg)
{
	const struct ilk_segment_options transient = {
		.size = sizeof transient, .flags = ILK_SEGMENT_TRANSIENT};
	struct ilk_segment *seg;
	long pages;

	(void)arg;
	if (!have_mounted("hugetlbfs", "pagesize=2M"))
		return;
	pages = free_pages();
	if (pages < 1) {
		ilk_test_say(NO_PAGES);
		return;
	}
	ask_for_too_much(pages);
	ask_for_all(pages);
	seg = support_create(path, &transient);
	CHECK(ilk_segment_bytes(seg) == HUGE);
	use(seg);
	ilk_segment_close(seg);
	CHECK(access(path, F_OK) < 0 && free_pages() == pages);
	ilk_test_say(DONE);
}

static void test_a_hugetlbfs_will_do_with_whole_pages(void **state)
{
	(void)state;
	run_mounted(use_hugetlbfs);
}

static long before;

static int setup_huge(void **state)
{
	before = huge_pages(-1);
	if (before >= 0 && before < HUGE_PAGES)
		huge_pages(HUGE_PAGES);
	return folder_setup(state);
}

static int teardown_huge(void **state)
{
	if (before >= 0)
		huge_pages(before);
	return folder_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PATH_TEST(test_a_file_system_not_in_memory_is_EMEDIUMTYPE),
		PATH_TEST(test_a_segment_on_a_disk_can_only_be_inspected),
		PATH_TEST(test_a_small_tmpfs_is_ENOSPC_and_names_its_folder),
		PATH_TEST(test_prefault_of_a_sparse_one_without_room_is_ENOSPC),
		PATH_TEST(test_a_ramfs_will_do),
		cmocka_unit_test_setup_teardown(
			test_a_hugetlbfs_will_do_with_whole_pages, setup_huge, teardown_huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
