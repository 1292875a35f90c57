/* paths.c - segments by their path. */
#include "paths_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

/* --- what a path is --- */

static void test_create_by_path_is_found_by_path(void **state)
{
	struct ilk_segment *seg = support_create(path, NULL);
	struct ilk_inspection *in;
	struct stat file;

	(void)state;
	CHECK(strcmp(ilk_segment_name(seg), "shop") == 0);
	CHECK(stat(path, &file) == 0 && file.st_size == 1 << 20);
	ilk_test_in_child(open_and_use, path);
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
	const char *by_path = support_path(ilk_test_name(""));
	struct ilk_segment *seg = support_create(by_path, NULL);

	(void)state;
	CHECK(strcmp(ilk_segment_name(seg), ilk_test_name("")) == 0);
	ilk_test_in_child(open_and_use, (void *)ilk_test_name(""));
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
	ilk_test_in_child(join_without_descriptors, NULL);
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
	ilk_test_in_child(be_refused, NULL);
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

static void test_a_transient_one_goes_though_a_link_to_its_folder_went_first(void **state)
{
	static const struct ilk_segment_options transient = {
		.size = sizeof transient, .flags = ILK_SEGMENT_TRANSIENT};
	struct ilk_segment *seg = support_create(path, &transient), *again;
	char link[80], through[96];

	(void)state;
	snprintf(link, sizeof link, "%s/link", folder);
	snprintf(through, sizeof through, "%s/shop", link);
	CHECK(symlink(folder, link) == 0);
	CHECK_RC(ilk_segment_open(through, NULL, &again), 0);
	CHECK(unlink(link) == 0);
	ilk_segment_close(again);
	ilk_segment_close(seg);
	CHECK(access(path, F_OK) < 0);
}

/* --- a folder that becomes another --- */

static char away[80], others[80], victim[96];
static int is_armed;

/* In the library's stead: the last moment before the kernel looks at the path. */
static void swap_folders(void)
{
	if (!is_armed)
		return;
	is_armed = 0;
	CHECK(rename(folder, away) == 0 && symlink(others, folder) == 0);
}

int unlink(const char *file)
{
	swap_folders();
	return (int)syscall(SYS_unlinkat, AT_FDCWD, file, 0);
}

int unlinkat(int at, const char *file, int flags)
{
	swap_folders();
	return (int)syscall(SYS_unlinkat, at, file, flags);
}

static void make_others_folder(void)
{
	int fd;

	snprintf(away, sizeof away, "%s-away", folder);
	snprintf(others, sizeof others, "%s-others", folder);
	snprintf(victim, sizeof victim, "%s/shop", others);
	CHECK(mkdir(others, 0755) == 0);
	fd = open(victim, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && close(fd) == 0);
}

static void check_others_file_stays(void)
{
	CHECK(access(victim, F_OK) == 0);
	CHECK(!is_armed && unlink(folder) == 0 && rename(away, folder) == 0);
	CHECK(access(path, F_OK) < 0);
	CHECK(unlink(victim) == 0 && rmdir(others) == 0);
}

static void test_close_of_a_transient_one_spares_the_file_of_another_folder(void **state)
{
	static const struct ilk_segment_options transient = {
		.size = sizeof transient, .flags = ILK_SEGMENT_TRANSIENT};
	struct ilk_segment *seg = support_create(path, &transient);

	(void)state;
	make_others_folder();
	is_armed = 1;
	ilk_segment_close(seg);
	check_others_file_stays();
}

static void test_unlink_spares_the_file_of_another_folder(void **state)
{
	(void)state;
	ilk_segment_close(support_create(path, NULL));
	make_others_folder();
	is_armed = 1;
	CHECK_RC(ilk_segment_unlink(path), 0);
	check_others_file_stays();
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
		PATH_TEST(test_a_transient_one_goes_though_a_link_to_its_folder_went_first),
		PATH_TEST(test_close_of_a_transient_one_spares_the_file_of_another_folder),
		PATH_TEST(test_unlink_spares_the_file_of_another_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
