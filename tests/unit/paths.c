/*
 * paths.c - segments by their path: in any folder in memory, and refused elsewhere.
 *
 * File systems of their own are mounted in a child, in a mount namespace that goes with it.
 */
#include "support.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static struct ilk_segment *const untouched = (struct ilk_segment *)8;

static char folder[64], path[128];

static int setup(void **state)
{
	if (support_setup(state) < 0)
		return -1;
	snprintf(folder, sizeof folder, "/dev/shm/%s", support_name("-folder"));
	snprintf(path, sizeof path, "%s/shop", folder);
	return mkdir(folder, 0755);
}

static int teardown(void **state)
{
	/* What a test leaves in it makes this fail. */
	if (chdir("/") < 0 || rmdir(folder) < 0)
		return -1;
	return support_teardown(state);
}

#define PATH_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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

/* --- what a path is --- */

static void test_create_by_path_is_found_by_path(void **state)
{
	struct ilk_segment *seg = support_create(path, NULL);
	struct ilk_inspection *in;
	struct stat file;

	(void)state;
	CHECK(strcmp(ilk_segment_name(seg), "shop") == 0);
	CHECK(stat(path, &file) == 0 && file.st_size == 1 << 20);
	support_run(open_and_use, path);
	CHECK(ilk_counter_read(support_counter(seg, "c")) == 1);
	CHECK_RC(ilk_inspect(path, &in), 0);
	CHECK(strcmp(in->name, "shop") == 0 && in->object_count == 2);
	ilk_inspection_free(in);
	ilk_segment_close(seg);
	CHECK_RC(ilk_segment_unlink(path), 0);
	CHECK_RC(ilk_segment_open(path, NULL, &seg), -ENOENT);
	CHECK_RC(ilk_segment_unlink(path), -ENOENT);
}

static void test_a_named_segment_by_its_path_is_the_same(void **state)
{
	const char *by_path = support_path(support_name(""));
	struct ilk_segment *seg = support_create(by_path, NULL);

	(void)state;
	CHECK(strcmp(ilk_segment_name(seg), support_name("")) == 0);
	support_run(open_and_use, (void *)support_name(""));
	CHECK(ilk_counter_read(support_counter(seg, "c")) == 1);
	ilk_segment_close(seg);
	CHECK_RC(ilk_segment_unlink(by_path), 0);
}

static struct ilk_segment *inherited;

/* A child that has lost the descriptor finds the file by its path, from wherever it works. */
static void join_without_descriptors(void *arg)
{
	(void)arg;
	CHECK(chdir("/") == 0);
	support_lose_report();
	closefrom(3);
	use(inherited);
}

static void test_a_relative_path_holds_after_chdir(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	SKIP_UNDER_EMULATION("it needs descriptors of its own");
	CHECK(chdir(folder) == 0);
	inherited = support_create("./shop", NULL);
	CHECK(access(path, F_OK) == 0);
	support_run(join_without_descriptors, NULL);
	CHECK(ilk_counter_read(support_counter(inherited, "c")) == 1);
	ilk_segment_close(inherited);
	CHECK_RC(ilk_segment_unlink("./shop"), 0);
}

static void test_the_name_of_a_long_odd_path_is_cut_and_shown(void **state)
{
	char odd[256], name[64];
	struct ilk_segment *seg;

	(void)state;
	snprintf(odd, sizeof odd, "%s/a b\x1b%0100d", folder, 7);
	snprintf(name, sizeof name, "a?b?%059d", 0);
	seg = support_create(odd, NULL);
	assert_string_equal(ilk_segment_name(seg), name);
	ilk_segment_close(seg);
	CHECK_RC(ilk_segment_unlink(odd), 0);
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

static void test_a_path_too_long_is_ENAMETOOLONG(void **state)
{
	char name[6000];

	(void)state;
	memset(name, 'n', sizeof name);
	name[0] = '/';
	name[5000] = 0;
	check_refused(name, -ENAMETOOLONG);
	CHECK_RC(ilk_segment_unlink(name), -ENAMETOOLONG);
	/* Relative, it is too long only with its folder. */
	CHECK(chdir(folder) == 0);
	memset(name, 'n', 4090);
	name[1] = '/';
	name[4090] = 0;
	check_refused(name, -ENAMETOOLONG);
	/* And one part alone. */
	snprintf(name, sizeof name, "%s/%0256d", folder, 7);
	check_refused(name, -ENAMETOOLONG);
}

static void test_no_folder_is_ENOTDIR_and_a_folder_is_refused(void **state)
{
	char name[256];

	(void)state;
	snprintf(name, sizeof name, "%s/none/shop", folder);
	check_refused(name, -ENOTDIR);
	CHECK(strstr(ilk_last_error(), "/none") != NULL);
	snprintf(name, sizeof name, "%s/", folder);
	check_refused(name, -EINVAL);
	check_refused(folder, -EMEDIUMTYPE);
	CHECK_RC(ilk_segment_unlink(folder), -EMEDIUMTYPE);
}

static void be_refused(void *arg)
{
	(void)arg;
	support_become_nobody();
	check_refused(path, -EACCES);
	CHECK(strstr(ilk_last_error(), folder) != NULL);
}

static void test_anothers_folder_is_EACCES(void **state)
{
	(void)state;
	if (!support_is_root())
		SKIP("only root can become another user");
	support_run(be_refused, NULL);
}

static void test_unlink_by_path_spares_what_is_no_segment(void **state)
{
	FILE *file = fopen(path, "w");

	(void)state;
	CHECK(file && fputs("a diary, and not a short one\n", file) > 0 && fclose(file) == 0);
	CHECK_RC(ilk_segment_unlink(path), -EMEDIUMTYPE);
	check_refused(path, -EMEDIUMTYPE);
	CHECK(unlink(path) == 0);
	CHECK(symlink("/dev/null", path) == 0);
	CHECK_RC(ilk_segment_unlink(path), -EMEDIUMTYPE);
	CHECK(unlink(path) == 0);
}

static void test_a_transient_one_by_path_goes(void **state)
{
	const struct ilk_segment_options transient = {
		.size = sizeof transient, .flags = ILK_SEGMENT_TRANSIENT};
	struct ilk_segment *seg = support_create(path, &transient);

	(void)state;
	use(seg);
	ilk_segment_close(seg);
	CHECK(access(path, F_OK) < 0);
}

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
	support_say(NOT_PERMITTED);
	return 0;
}

static void run_mounted(void (*body)(void *arg))
{
	if (!support_is_root() || support_emulated())
		SKIP("mounting needs root and no emulator");
	support_run(body, NULL);
	if (support_was_said(NOT_PERMITTED))
		SKIP("mounting is not permitted here");
	if (support_was_said(NO_PAGES))
		SKIP("the kernel gives no huge pages");
	assert_true(support_was_said(DONE));
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
	support_say(DONE);
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
	support_say(DONE);
}

static void test_prefault_of_a_sparse_one_without_room_is_ENOSPC(void **state)
{
	(void)state;
	run_mounted(populate_small_folder);
}

static void use_ramfs(void *arg)
{
	struct ilk_segment *seg;

	(void)arg;
	if (!have_mounted("ramfs", NULL))
		return;
	seg = support_create(path, NULL);
	use(seg);
	ilk_segment_close(seg);
	CHECK_RC(ilk_segment_unlink(path), 0);
	support_say(DONE);
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
	support_say(10);
	support_sleep_for_ever();
}

static void see_a_death(struct ilk_segment *seg)
{
	struct support_child *child = support_start(die_in_it, NULL);
	struct ilk_inspection *in;

	support_await(10);
	CHECK_RC(ilk_mutex_try_lock(support_mutex(seg, "m")), -EBUSY);
	CHECK_RC(ilk_inspect(path, &in), 0);
	CHECK(in->process_count == 2 && in->processes[0].life == ILK_LIFE_ALIVE &&
		in->processes[1].life == ILK_LIFE_ALIVE);
	ilk_inspection_free(in);
	support_kill(child);
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
		.bytes = (size_t)pages * HUGE - 1,
		.flags = ILK_SEGMENT_HUGE | ILK_SEGMENT_PREFAULT};
	struct ilk_segment *seg = support_create(path, &options);

	CHECK(free_pages() == 0);
	CHECK(ilk_segment_bytes(seg) == (size_t)pages * HUGE);
	CHECK(ilk_segment_huge_bytes(seg) == (size_t)pages * HUGE);
	use(seg);
	see_a_death(seg);
	support_run(open_and_use, path);
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
		support_say(NO_PAGES);
		return;
	}
	ask_for_too_much(pages);
	ask_for_all(pages);
	seg = support_create(path, &transient);
	CHECK(ilk_segment_bytes(seg) == HUGE);
	use(seg);
	ilk_segment_close(seg);
	CHECK(access(path, F_OK) < 0 && free_pages() == pages);
	support_say(DONE);
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
	return setup(state);
}

static int teardown_huge(void **state)
{
	if (before >= 0)
		huge_pages(before);
	return teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PATH_TEST(test_create_by_path_is_found_by_path),
		PATH_TEST(test_a_named_segment_by_its_path_is_the_same),
		PATH_TEST(test_a_relative_path_holds_after_chdir),
		PATH_TEST(test_the_name_of_a_long_odd_path_is_cut_and_shown),
		PATH_TEST(test_a_path_too_long_is_ENAMETOOLONG),
		PATH_TEST(test_no_folder_is_ENOTDIR_and_a_folder_is_refused),
		PATH_TEST(test_anothers_folder_is_EACCES),
		PATH_TEST(test_unlink_by_path_spares_what_is_no_segment),
		PATH_TEST(test_a_transient_one_by_path_goes),
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
