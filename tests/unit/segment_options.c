/* segment_options.c - names and options of segments: what is refused, and by which words. */
#include "support.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char longest[] = "012345678901234567890123456789012345678901234567890123456789.-_";

static void check_name(const char *name, int expected)
{
	const struct ilk_segment_options read_only = {
		.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *seg = NULL;
	struct ilk_inspection *in = NULL;

	CHECK_RC(ilk_segment_create(name, NULL, &seg), expected);
	CHECK_RC(ilk_segment_open(name, NULL, &seg), expected);
	CHECK_RC(ilk_segment_open(name, &read_only, &seg), expected);
	CHECK_RC(ilk_segment_open_until(name, NULL, ILK_FOREVER, &seg), expected);
	CHECK_RC(ilk_segment_unlink(name), expected);
	if (!name || !strchr(name, '/'))
		CHECK_RC(ilk_inspect(name, &in), expected);
	assert_null(seg);
	assert_null(in);
}

static void test_names_with_odd_characters_are_EINVAL(void **state)
{
	static const char *const odd[] = {"", ".", "..", ".hidden", "-option", "a b", "a/", "/",
		"a\nb", "caf\xc3\xa9", "a:b", "a*", "$HOME", "a\x7f", "%s"};

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		check_name(odd[i], -EINVAL);
	check_name(NULL, -EINVAL);
}

static void test_names_over_63_characters_are_ENAMETOOLONG(void **state)
{
	char name[5000];

	(void)state;
	memset(name, 'n', sizeof name);
	name[64] = 0;
	check_name(name, -ENAMETOOLONG);
	name[64] = 'n';
	name[sizeof name - 1] = 0;
	check_name(name, -ENAMETOOLONG);
}

static void test_names_of_63_characters_are_taken(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	assert_int_equal(strlen(longest), 63);
	/* Not unique to this run: whatever is there is of a run that was cut short. */
	ilk_segment_unlink(longest);
	seg = support_create(longest, NULL);
	assert_string_equal(ilk_segment_name(seg), longest);
	ilk_segment_close(seg);
	support_unlink(longest);
}

static void test_labels_over_63_bytes_are_ENAMETOOLONG(void **state)
{
	struct ilk_segment *seg = NULL;
	char label[65] = {0};

	(void)state;
	memset(label, 'l', 64);
	CHECK_RC(ilk_segment_anonymous(label, NULL, &seg), -ENAMETOOLONG);
	assert_null(seg);
	label[63] = 0;
	CHECK_RC(ilk_segment_anonymous(label, NULL, &seg), 0);
	assert_string_equal(ilk_segment_name(seg), label);
	ilk_segment_close(seg);
}

/* --- options out of range --- */

static const struct ilk_segment_options wrong[] = {
	{.size = 0},
	{.size = sizeof wrong[0] + 8},
	{.size = sizeof wrong[0], .flags = 1u << 30},
	{.size = sizeof wrong[0], .processes = 4096},
	{.size = sizeof wrong[0], .threads = 4096},
	{.size = sizeof wrong[0], .processes = 0xffffffff},
	{.size = sizeof wrong[0], .mode = 0200000},
	{.size = sizeof wrong[0], .mode = 0440},
	{.size = sizeof wrong[0], .bytes = SIZE_MAX},
	{.size = sizeof wrong[0], .bytes = SIZE_MAX - 4095},
};

static void test_options_out_of_range_are_EINVAL(void **state)
{
	struct ilk_segment *seg = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_RC(ilk_segment_create(ilk_test_name(""), &wrong[i], &seg), -EINVAL);
		assert_true(*ilk_last_error() != 0);
		CHECK_RC(ilk_segment_open(ilk_test_name(""), &wrong[i], &seg), -EINVAL);
		CHECK_RC(ilk_segment_anonymous("x", &wrong[i], &seg), -EINVAL);
	}
	assert_null(seg);
}

static void test_bytes_too_few_for_the_slots_are_EINVAL(void **state)
{
	const struct ilk_segment_options tight = {.size = sizeof tight, .bytes = 4096};
	struct ilk_segment *seg = NULL;

	(void)state;
	CHECK_RC(ilk_segment_create(ilk_test_name(""), &tight, &seg), -EINVAL);
	assert_non_null(strstr(ilk_last_error(), "bytes"));
	assert_null(seg);
}

static void test_create_read_only_is_EINVAL(void **state)
{
	const struct ilk_segment_options read_only = {
		.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *seg = NULL;

	(void)state;
	CHECK_RC(ilk_segment_create(ilk_test_name(""), &read_only, &seg), -EINVAL);
	CHECK_RC(ilk_segment_anonymous("x", &read_only, &seg), -EINVAL);
	assert_null(seg);
}

static void test_smallest_and_most_slots_work(void **state)
{
	const struct ilk_segment_options extremes[] = {
		{.size = sizeof extremes[0], .bytes = 4097, .processes = 1, .threads = 1},
		{.size = sizeof extremes[0], .bytes = 2 << 20, .processes = 4095, .threads = 4095},
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ilk_segment *seg = support_create(ilk_test_name(""), &extremes[i]);

		assert_int_equal(ilk_segment_bytes(seg), i ? 2 << 20 : 8192);
		CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 1), 0);
		CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
		ilk_segment_close(seg);
		support_unlink(ilk_test_name(""));
	}
}

/* --- options that differ from what is there --- */

static const struct ilk_segment_options made = {
	.size = sizeof made, .bytes = 300000, .processes = 5, .threads = 7};

static void check_differs(const struct ilk_segment_options *asked, const char *field)
{
	struct ilk_segment *seg = NULL;

	CHECK_RC(ilk_segment_create(ilk_test_name(""), asked, &seg), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), field));
	CHECK_RC(ilk_segment_open(ilk_test_name(""), asked, &seg), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), field));
	assert_null(seg);
}

static void test_create_with_other_sizes_is_EEXIST_naming_the_field(void **state)
{
	struct ilk_segment *seg = support_create(ilk_test_name(""), &made), *same;
	struct ilk_segment_options asked = made;

	(void)state;
	/* The same, and rounded up to the same pages, is no difference. */
	same = support_create(ilk_test_name(""), &asked);
	ilk_segment_close(same);
	asked.bytes = 303104;
	same = support_create(ilk_test_name(""), &asked);
	ilk_segment_close(same);
	asked.bytes = 303105;
	check_differs(&asked, "bytes");
	asked = made;
	asked.processes = 6;
	check_differs(&asked, "processes");
	asked = made;
	asked.threads = 8;
	check_differs(&asked, "threads");
	ilk_segment_close(seg);
	support_unlink(ilk_test_name(""));
}

static void test_create_exclusive_of_an_existing_one_is_EEXIST(void **state)
{
	const struct ilk_segment_options exclusive = {
		.size = sizeof exclusive, .flags = ILK_SEGMENT_EXCLUSIVE};
	struct ilk_segment *seg, *again = NULL;

	(void)state;
	seg = support_create(ilk_test_name(""), &exclusive);
	CHECK_RC(ilk_segment_create(ilk_test_name(""), &exclusive, &again), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), ilk_test_name("")));
	assert_null(again);
	ilk_segment_close(seg);
	support_unlink(ilk_test_name(""));
}

static void test_create_fenced_of_an_asymmetric_one_is_EEXIST(void **state)
{
	const struct ilk_segment_options fenced = {
		.size = sizeof fenced, .flags = ILK_SEGMENT_FENCED};
	struct ilk_segment *seg = support_create(ilk_test_name(""), NULL);

	(void)state;
	check_differs(&fenced, "fenced");
	ilk_segment_close(seg);
	support_unlink(ilk_test_name(""));
	seg = support_create(ilk_test_name(""), &fenced);
	ilk_segment_close(support_open(ilk_test_name("")));
	ilk_segment_close(seg);
	support_unlink(ilk_test_name(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_names_with_odd_characters_are_EINVAL),
		ILK_TEST(test_names_over_63_characters_are_ENAMETOOLONG),
		ILK_TEST(test_names_of_63_characters_are_taken),
		ILK_TEST(test_labels_over_63_bytes_are_ENAMETOOLONG),
		ILK_TEST(test_options_out_of_range_are_EINVAL),
		ILK_TEST(test_bytes_too_few_for_the_slots_are_EINVAL),
		ILK_TEST(test_create_read_only_is_EINVAL),
		ILK_TEST(test_smallest_and_most_slots_work),
		ILK_TEST(test_create_with_other_sizes_is_EEXIST_naming_the_field),
		ILK_TEST(test_create_exclusive_of_an_existing_one_is_EEXIST),
		ILK_TEST(test_create_fenced_of_an_asymmetric_one_is_EEXIST),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
