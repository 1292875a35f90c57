/* block.c - named memory: find or make, refusals, names, running full. */
#include "segment_fixture.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static char *open_block(struct ilk_segment *in, const char *name, size_t size)
{
	void *memory = NULL;

	CHECK_RC(ilk_block_open(in, name, size, &memory), 0);
	return memory;
}

static int is_zero(const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i])
			return 0;
	return 1;
}

static void test_open_makes_zeroed_aligned_memory(void **state)
{
	static const size_t sizes[] = {1, 63, 64, 65, 4096, 100000};
	char name[16];

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char *block;

		snprintf(name, sizeof name, "block%zu", i);
		block = open_block(seg, name, sizes[i]);
		assert_int_equal((uintptr_t)block % 64, 0);
		assert_true(is_zero(block, sizes[i]));
		memset(block, 0xff, sizes[i]);
	}
}

static void write_through_own_mapping(void *name)
{
	struct ilk_segment *own = support_open(name);

	strcpy(open_block(own, "shelf", 100), "apples");
	ilk_segment_close(own);
}

static void test_open_finds_the_same_bytes_in_every_process(void **state)
{
	char name[64];
	char *shelf = open_block(seg, "shelf", 100);

	(void)state;
	strcpy(name, ilk_test_name(""));
	ilk_test_in_child(write_through_own_mapping, name);
	assert_string_equal(shelf, "apples");
	assert_ptr_equal(open_block(seg, "shelf", 100), shelf);
	assert_string_equal(shelf, "apples");
}

static void test_blocks_do_not_overlap(void **state)
{
	enum { BLOCKS = 100, SIZE = 200 };
	char *blocks[BLOCKS];
	char name[16];

	(void)state;
	for (int i = 0; i < BLOCKS; i++) {
		snprintf(name, sizeof name, "n%d", i);
		blocks[i] = open_block(seg, name, SIZE);
		memset(blocks[i], i + 1, SIZE);
	}
	for (int i = 0; i < BLOCKS; i++)
		for (int at = 0; at < SIZE; at++)
			assert_int_equal(blocks[i][at], (char)(i + 1));
}

static void test_open_with_another_size_is_EEXIST(void **state)
{
	void *memory = NULL;

	(void)state;
	open_block(seg, "shelf", 100);
	CHECK_RC(ilk_block_open(seg, "shelf", 101, &memory), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "size"));
	assert_non_null(strstr(ilk_last_error(), "shelf"));
	assert_non_null(strstr(ilk_last_error(), "100"));
	assert_null(memory);
}

static void test_open_with_another_type_is_EEXIST(void **state)
{
	void *memory = NULL;

	(void)state;
	support_counter(seg, "hits");
	CHECK_RC(ilk_block_open(seg, "hits", sizeof(struct ilk_counter), &memory), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "type"));
	assert_non_null(strstr(ilk_last_error(), "counter"));
	assert_null(memory);
}

static void test_open_of_no_bytes_is_EINVAL(void **state)
{
	void *memory = NULL;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "nothing", 0, &memory), -EINVAL);
	assert_null(memory);
}

/* --- names --- */

static void test_names_in_utf8_are_taken(void **state)
{
	static const char *const good[] = {"a", " ", "a b/c:d", "\xc3\xa4pfel", "\xe6\x97\xa5",
		"\xf0\x9f\x8d\x8e", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf",
		"012345678901234567890123456789012345678901234567890123456789012"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		char *block = open_block(seg, good[i], 8);

		assert_ptr_equal(open_block(seg, good[i], 8), block);
	}
}

static void test_names_that_are_not_printable_utf8_are_EINVAL(void **state)
{
	static const char *const bad[] = {"", "\n", "a\033[31m", "\x7f", "\xc2\x85", "\xff", "\x80",
		"\xc0\x80", "\xc3", "\xc3(", "\xe6\x97", "\xe0\x80\x80", "\xed\xa0\x80",
		"\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80"};
	void *memory = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_RC(ilk_block_open(seg, bad[i], 8, &memory), -EINVAL);
	CHECK_RC(ilk_block_open(seg, NULL, 8, &memory), -EINVAL);
	assert_null(memory);
}

static void test_names_of_64_bytes_are_ENAMETOOLONG(void **state)
{
	void *memory = NULL;

	(void)state;
	CHECK_RC(ilk_block_open(seg,
			 "0123456789012345678901234567890123456789012345678901234567890123", 8,
			 &memory),
		-ENAMETOOLONG);
	assert_null(memory);
}

/* --- running full --- */

static void test_open_without_room_is_ENOSPC_and_the_rest_goes_on(void **state)
{
	struct ilk_counter *hits = support_counter(seg, "hits");
	void *memory = NULL;
	char name[16];
	int rc = 0, made = 0;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "too big", ilk_segment_bytes(seg), &memory), -ENOSPC);
	CHECK_RC(ilk_block_open(seg, "huge", SIZE_MAX, &memory), -ENOSPC);
	CHECK_RC(ilk_block_open(seg, "half", SIZE_MAX / 2, &memory), -ENOSPC);
	while (rc == 0) {
		snprintf(name, sizeof name, "n%d", made++);
		rc = ilk_block_open(seg, name, 30000, &memory);
	}
	CHECK_RC(rc, -ENOSPC);
	assert_true(made > 25);
	assert_true(*ilk_last_error() != 0);
	/* Smaller ones still fit, and what is there still works. */
	open_block(seg, "small", 64);
	CHECK_RC(ilk_counter_add(hits, 1), 0);
	open_block(seg, "n0", 30000);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "m")), 0);
}

static int make_without_a_slot(void *in)
{
	void *memory = NULL;

	open_block(in, "there", 8);
	return ilk_block_open(in, "new", 8, &memory);
}

static void test_open_without_a_thread_slot_is_EUSERS_unless_it_is_there(void **state)
{
	const struct ilk_segment_options one = {.size = sizeof one, .threads = 1};
	struct ilk_segment *other = support_create(ilk_test_name("b"), &one);

	(void)state;
	open_block(other, "there", 8);
	assert_int_equal(support_in_thread(make_without_a_slot, other), -EUSERS);
	ilk_segment_close(other);
	support_unlink(ilk_test_name("b"));
}

/* --- at once --- */

static void make_with_others(void *name)
{
	struct ilk_segment *own = support_open(name);
	char object[16];

	ilk_test_await(0);
	for (int i = 0; i < 50; i++) {
		snprintf(object, sizeof object, "shared%d", i);
		CHECK_RC(ilk_counter_add(
				 (struct ilk_counter *)(void *)open_block(own, object, 8), 1),
			0);
	}
	ilk_segment_close(own);
}

static void test_open_at_once_makes_one_for_all(void **state)
{
	enum { MAKERS = 8 };
	struct ilk_test_child *children[MAKERS];
	char name[64], object[16];

	(void)state;
	strcpy(name, ilk_test_name(""));
	for (int i = 0; i < MAKERS; i++)
		children[i] = ilk_test_start(make_with_others, name);
	ilk_test_say(0);
	for (int i = 0; i < MAKERS; i++)
		ilk_test_join(children[i]);
	for (int i = 0; i < 50; i++) {
		snprintf(object, sizeof object, "shared%d", i);
		assert_int_equal(*(int64_t *)(void *)open_block(seg, object, 8), MAKERS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_open_makes_zeroed_aligned_memory),
		SEGMENT_TEST(test_open_finds_the_same_bytes_in_every_process),
		SEGMENT_TEST(test_blocks_do_not_overlap),
		SEGMENT_TEST(test_open_with_another_size_is_EEXIST),
		SEGMENT_TEST(test_open_with_another_type_is_EEXIST),
		SEGMENT_TEST(test_open_of_no_bytes_is_EINVAL),
		SEGMENT_TEST(test_names_in_utf8_are_taken),
		SEGMENT_TEST(test_names_that_are_not_printable_utf8_are_EINVAL),
		SEGMENT_TEST(test_names_of_64_bytes_are_ENAMETOOLONG),
		SEGMENT_TEST(test_open_without_room_is_ENOSPC_and_the_rest_goes_on),
		SEGMENT_TEST(test_open_without_a_thread_slot_is_EUSERS_unless_it_is_there),
		SEGMENT_TEST(test_open_at_once_makes_one_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
