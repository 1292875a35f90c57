/* memory.c - blocks of a segment's memory: given out, taken back, refused; running full. */
#include "memory_fixture.h"

enum { PAGE = 4096 };

/* --- what is given out --- */

static void test_alloc_gives_zeroed_memory_aligned_to_64(void **state)
{
	static const size_t sizes[] = {1, 63, 64, 65, 128, 4096, 100000};
	struct ilk_usage before = usage();

	(void)state;
	for (int round = 0; round < 2; round++) {
		char *blocks[sizeof sizes / sizeof *sizes];

		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
			blocks[i] = take(sizes[i]);
			CHECK((uintptr_t)blocks[i] % 64 == 0);
			CHECK(is_filled(blocks[i], sizes[i], 0));
			memset(blocks[i], 0xff, sizes[i]);
		}
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			CHECK_RC(ilk_free_alone(seg, blocks[i]), 0);
	}
	check_given_back(&before);
}

static char *take_aligned(size_t bytes, size_t align)
{
	void *memory = NULL;

	CHECK_RC(ilk_alloc_aligned(seg, bytes, align, &memory), 0);
	/* A mapping begins at a page, and where is not ours to choose. */
	CHECK((uintptr_t)memory % (align < PAGE ? align : PAGE) == 0);
	CHECK(ilk_ref_to(seg, memory).offset % align == 0);
	CHECK((uintptr_t)memory % 64 == 0);
	CHECK(is_filled(memory, bytes, 0));
	memset(memory, 0x55, bytes);
	return memory;
}

static void test_alloc_aligned_is_aligned_to_each_power_of_two(void **state)
{
	static const size_t sizes[] = {1, 64, 200, 5000};
	enum { SIZES = sizeof sizes / sizeof *sizes };
	struct ilk_usage before = usage();

	(void)state;
	for (size_t align = 1; align <= 65536; align *= 2) {
		char *blocks[SIZES], *wedge = take(100 + align % 1000);

		for (size_t i = 0; i < SIZES; i++)
			blocks[i] = take_aligned(sizes[i], align);
		CHECK_RC(ilk_segment_valid(seg), 0);
		for (size_t i = 0; i < SIZES; i++) {
			CHECK(is_filled(blocks[i], sizes[i], 0x55));
			CHECK_RC(ilk_free_alone(seg, blocks[i]), 0);
		}
		CHECK_RC(ilk_free_alone(seg, wedge), 0);
		check_given_back(&before);
	}
}

static void test_blocks_keep_their_bytes_while_others_come_and_go(void **state)
{
	enum { BLOCKS = 200, ROUNDS = 4000 };
	struct ilk_usage before = usage();
	char *blocks[BLOCKS] = {0};
	size_t sizes[BLOCKS] = {0};
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t i = next_random(&random) % BLOCKS;

		if (blocks[i]) {
			CHECK(is_filled(blocks[i], sizes[i], (char)i));
			CHECK_RC(ilk_free_alone(seg, blocks[i]), 0);
			blocks[i] = NULL;
			continue;
		}
		sizes[i] = 1 + next_random(&random) % 3000;
		blocks[i] = take(sizes[i]);
		memset(blocks[i], (char)i, sizes[i]);
	}
	CHECK_RC(ilk_segment_valid(seg), 0);
	for (int i = 0; i < BLOCKS; i++)
		if (blocks[i]) {
			CHECK(is_filled(blocks[i], sizes[i], (char)i));
			CHECK_RC(ilk_free_alone(seg, blocks[i]), 0);
		}
	check_given_back(&before);
}

/* --- running full --- */

static void test_alloc_without_room_is_ENOSPC_and_freeing_all_leaves_one_hole(void **state)
{
	enum { SIZE = 3000, ROOM = 400 };
	struct ilk_usage before = usage();
	void *blocks[ROOM];
	int made = 0, rc;

	(void)state;
	CHECK(before.used == 0 && before.blocks == 0 && before.holes == 1);
	CHECK(before.largest == before.bytes - 64);
	while ((rc = ilk_alloc(seg, SIZE, &blocks[made])) == 0)
		CHECK(++made < ROOM);
	CHECK_RC(rc, -ENOSPC);
	CHECK(strstr(ilk_last_error(), "3000") != NULL);
	CHECK(usage().largest < SIZE && usage().blocks == (uint64_t)made);
	CHECK((uint64_t)made * (SIZE + 64 + 63) + usage().largest > before.bytes - 4096);
	/* Smaller ones still fit, unless it came out even. */
	if (usage().largest >= 64)
		CHECK_RC(ilk_free_alone(seg, take(64)), 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
	/* The odd ones first: each then has holes at both sides. */
	for (int i = 1; i < made; i += 2)
		CHECK_RC(ilk_free_alone(seg, blocks[i]), 0);
	CHECK(usage().holes >= (uint64_t)made / 2);
	for (int i = 0; i < made; i += 2)
		CHECK_RC(ilk_free_alone(seg, blocks[i]), 0);
	check_given_back(&before);
}

static void test_the_largest_hole_can_be_had_whole_and_no_byte_more(void **state)
{
	struct ilk_usage before = usage();
	char *between = take(100), *rest;
	void *memory = NULL;

	(void)state;
	rest = take((size_t)usage().largest);
	CHECK(usage().holes == 0 && usage().used == before.bytes && usage().largest == 0);
	CHECK_RC(ilk_alloc(seg, 1, &memory), -ENOSPC);
	CHECK_RC(ilk_free_alone(seg, between), 0);
	CHECK_RC(ilk_alloc(seg, 129, &memory), -ENOSPC);
	between = take(128);
	CHECK_RC(ilk_free_alone(seg, between), 0);
	CHECK_RC(ilk_free_alone(seg, rest), 0);
	CHECK_RC(ilk_alloc(seg, (size_t)before.largest + 1, &memory), -ENOSPC);
	CHECK(memory == NULL);
	check_given_back(&before);
}

/* --- refused --- */

static void test_odd_sizes_and_alignments_are_refused(void **state)
{
	static const size_t huge[] = {SIZE_MAX, SIZE_MAX - 63, SIZE_MAX - 127, SIZE_MAX / 2 + 1,
		(size_t)1 << 62, (size_t)1 << 32};
	static const size_t odd[] = {0, 3, 65, 96, SIZE_MAX, SIZE_MAX / 2};
	struct ilk_usage before = usage();
	void *memory = NULL;

	(void)state;
	CHECK_RC(ilk_alloc(seg, 0, &memory), -EINVAL);
	CHECK_RC(ilk_alloc(seg, ilk_segment_bytes(seg), &memory), -ENOSPC);
	for (size_t i = 0; i < sizeof huge / sizeof *huge; i++)
		CHECK_RC(ilk_alloc(seg, huge[i], &memory), -ENOSPC);
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		CHECK_RC(ilk_alloc_aligned(seg, 64, odd[i], &memory), -EINVAL);
	CHECK_RC(ilk_alloc_aligned(seg, 0, 64, &memory), -EINVAL);
	for (int bit = 20; bit < 64; bit++)
		CHECK_RC(ilk_alloc_aligned(seg, 1, (size_t)1 << bit, &memory), -ENOSPC);
	CHECK_RC(ilk_alloc_aligned(seg, SIZE_MAX, (size_t)1 << 63, &memory), -ENOSPC);
	CHECK(memory == NULL);
	check_given_back(&before);
}

static void refuse_to_free(void *memory)
{
	CHECK_RC(ilk_free_alone(seg, memory), -EINVAL);
	CHECK(*ilk_last_error() != 0);
}

static void test_free_twice_is_EINVAL(void **state)
{
	char *below = take(100), *block = take(100), *above = take(100);

	(void)state;
	/* Between two that are given out; then joined to the one, and to both. */
	CHECK_RC(ilk_free_alone(seg, block), 0);
	refuse_to_free(block);
	CHECK_RC(ilk_free_alone(seg, below), 0);
	refuse_to_free(block);
	refuse_to_free(below);
	CHECK_RC(ilk_free_alone(seg, above), 0);
	refuse_to_free(above);
	refuse_to_free(block);
	CHECK(usage().used == 0 && usage().holes == 1);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

static void test_free_within_a_block_is_EINVAL(void **state)
{
	enum { SIZE = 1000 };
	char *below = take(100), *block = take(SIZE), *above = take(100);

	(void)state;
	CHECK_RC(ilk_publish_alone(seg, block + 64), -EINVAL);
	/* The more so where the bytes look like a block: this one's own header, over and over. */
	for (int forged = 0; forged < 2; forged++) {
		for (size_t at = 0; forged && at + 64 <= SIZE; at += 64)
			memcpy(block + at, block - 64, 64);
		for (ptrdiff_t at = -64; at < SIZE; at++)
			if (at != 0)
				refuse_to_free(block + at);
	}
	CHECK_RC(ilk_segment_valid(seg), 0);
	CHECK_RC(ilk_free_alone(seg, block), 0);
	CHECK_RC(ilk_free_alone(seg, above), 0);
	CHECK_RC(ilk_free_alone(seg, below), 0);
	CHECK(usage().used == 0 && usage().holes == 1);
}

static void test_free_of_foreign_memory_is_EINVAL(void **state)
{
	struct ilk_segment *other = support_create(ilk_test_name("b"), NULL);
	char *base = base_of_segment(), here[256];
	void *foreign = NULL;

	(void)state;
	CHECK_RC(ilk_alloc(other, 100, &foreign), 0);
	refuse_to_free(NULL);
	refuse_to_free(here);
	refuse_to_free(foreign);
	for (ptrdiff_t at = -256; at < 1024; at += 64)
		refuse_to_free(base + at);
	for (ptrdiff_t at = -256; at < 1024; at += 64)
		refuse_to_free(base + ilk_segment_bytes(seg) + at);
	refuse_to_free((void *)UINTPTR_MAX);
	CHECK_RC(ilk_publish_alone(seg, NULL), -EINVAL);
	CHECK_RC(ilk_publish_alone(seg, foreign), -EINVAL);
	CHECK_RC(ilk_publish_alone(seg, base), -EINVAL);
	CHECK_RC(ilk_free_alone(other, foreign), 0);
	ilk_segment_close(other);
	support_unlink(ilk_test_name("b"));
	CHECK(usage().used == 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

static void test_free_of_a_named_object_is_EINVAL(void **state)
{
	struct ilk_counter *hits = support_counter(seg, "hits");
	struct ilk_mutex *mutex = support_mutex(seg, "m");
	void *named = NULL;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "shelf", 640, &named), 0);
	refuse_to_free(hits);
	refuse_to_free(mutex);
	refuse_to_free(named);
	CHECK_RC(ilk_publish_alone(seg, named), -EINVAL);
	CHECK(usage().blocks == 3);
	CHECK(support_counter(seg, "hits") == hits && support_mutex(seg, "m") == mutex);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

/* --- attachments --- */

static void test_a_read_only_attachment_reads_and_changes_nothing(void **state)
{
	const struct ilk_segment_options read_only = {
		.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};
	struct shelf {
		ILK_REF(char) first;
	} *shelf = (void *)take(sizeof *shelf), *seen;
	char *block = take(8), *other;
	struct ilk_segment *reader;
	void *memory = NULL;
	struct ilk_usage u;

	(void)state;
	strcpy(block, "apples");
	CHECK_RC(ilk_publish(seg, block, &shelf->first), 0);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &read_only, &reader), 0);
	seen = ilk_at_(reader, ilk_ref_to(seg, shelf), sizeof *seen);
	CHECK(seen != NULL && seen != shelf);
	other = ilk_at(reader, seen->first);
	CHECK(other != NULL && other != block && strcmp(other, "apples") == 0);
	CHECK_RC(ilk_alloc(reader, 64, &memory), -EROFS);
	CHECK_RC(ilk_alloc_aligned(reader, 64, 4096, &memory), -EROFS);
	CHECK_RC(ilk_publish(reader, other, &seen->first), -EROFS);
	CHECK_RC(ilk_publish_alone(reader, other), -EROFS);
	CHECK_RC(ilk_free(reader, other, &seen->first, ilk_nowhere()), -EROFS);
	CHECK_RC(ilk_free_alone(reader, other), -EROFS);
	CHECK_RC(ilk_usage(reader, &u), -EROFS);
	CHECK_RC(ilk_segment_valid(reader), -EROFS);
	CHECK(memory == NULL);
	ilk_segment_close(reader);
}

static int alloc_without_a_slot(void *in)
{
	void *memory = NULL;
	struct ilk_usage u;

	CHECK_RC(ilk_usage(in, &u), -EUSERS);
	CHECK_RC(ilk_segment_valid(in), -EUSERS);
	CHECK_RC(ilk_free_alone(in, in), -EUSERS);
	return ilk_alloc(in, 64, &memory);
}

static void test_alloc_without_a_thread_slot_is_EUSERS(void **state)
{
	const struct ilk_segment_options one = {.size = sizeof one, .threads = 1};
	struct ilk_segment *other = support_create(ilk_test_name("b"), &one);
	void *memory = NULL;

	(void)state;
	CHECK_RC(ilk_alloc(other, 64, &memory), 0);
	CHECK_RC(support_in_thread(alloc_without_a_slot, other), -EUSERS);
	CHECK_RC(ilk_free_alone(other, memory), 0);
	ilk_segment_close(other);
	support_unlink(ilk_test_name("b"));
}

static void test_valid_finds_nothing_wrong_with_a_segment_in_use(void **state)
{
	struct ilk_sharded *sharded;
	void *named, *memory;

	(void)state;
	CHECK_RC(ilk_segment_valid(seg), 0);
	CHECK_RC(ilk_counter_add(support_counter(seg, "hits"), 3), 0);
	CHECK_RC(ilk_sharded_open(seg, "packets", &sharded), 0);
	CHECK_RC(ilk_block_open(seg, "shelf", 100, &named), 0);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
	CHECK_RC(ilk_alloc_aligned(seg, 100, 4096, &memory), 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
	CHECK_RC(ilk_free_alone(seg, memory), 0);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "m")), 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_alloc_gives_zeroed_memory_aligned_to_64),
		SEGMENT_TEST(test_alloc_aligned_is_aligned_to_each_power_of_two),
		SEGMENT_TEST(test_blocks_keep_their_bytes_while_others_come_and_go),
		SEGMENT_TEST(test_alloc_without_room_is_ENOSPC_and_freeing_all_leaves_one_hole),
		SEGMENT_TEST(test_the_largest_hole_can_be_had_whole_and_no_byte_more),
		SEGMENT_TEST(test_odd_sizes_and_alignments_are_refused),
		SEGMENT_TEST(test_free_twice_is_EINVAL),
		SEGMENT_TEST(test_free_within_a_block_is_EINVAL),
		SEGMENT_TEST(test_free_of_foreign_memory_is_EINVAL),
		SEGMENT_TEST(test_free_of_a_named_object_is_EINVAL),
		SEGMENT_TEST(test_a_read_only_attachment_reads_and_changes_nothing),
		SEGMENT_TEST(test_alloc_without_a_thread_slot_is_EUSERS),
		SEGMENT_TEST(test_valid_finds_nothing_wrong_with_a_segment_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
