/*
 * arena.c - the arena looked at from inside: rebuilding it from what a death leaves, and long
 * sequences with a check after each few steps.
 */
#include "arena_fixture.h"
#include "segment/lists.h"
#include <string.h>

static uint64_t take(uint32_t owner, uint64_t bytes)
{
	uint64_t offset = 0;

	CHECK_RC(ilk_arena_alloc_(map, owner, bytes, 64, &offset), 0);
	CHECK(offset != 0);
	return offset;
}

/* --- rebuilding --- */

static void test_rebuild_frees_what_the_dead_did_not_publish_and_joins_it(void **state)
{
	uint64_t offsets[12];
	int asked = 0;

	(void)state;
	/* Dead, dead, living, published; three times. */
	for (int i = 0; i < 12; i++)
		offsets[i] = take(i % 4 < 2 ? dead : living, 100);
	for (int i = 3; i < 12; i += 4)
		ilk_arena_publish_(map, offsets[i], 0);
	check_blocks(12, 1);
	CHECK(ilk_arena_rebuild_(map, is_dead, &asked) == 6);
	CHECK(asked == 9);
	check_blocks(6, 4);
	for (int i = 0; i < 12; i++)
		CHECK(ilk_arena_is_given_out_(map, offsets[i]) == (i % 4 >= 2));
	CHECK(ilk_arena_owner_(map, offsets[2]) == living);
	CHECK(ilk_arena_owner_(map, offsets[3]) == 0);
	CHECK(ilk_arena_rebuild_(map, is_dead, NULL) == 0);
	check_blocks(6, 4);
}

static void test_rebuild_publishes_what_the_word_at_link_at_leads_to(void **state)
{
	uint64_t list = take(living, 64), linked = take(dead, 64), elsewhere = take(dead, 64);

	(void)state;
	header_of(linked)->link_at = list;
	*ilk_word_at_(map, list) = linked;
	/* The word was not stored yet, or leads on. */
	header_of(elsewhere)->link_at = list;
	CHECK(ilk_arena_rebuild_(map, is_dead, NULL) == 1);
	CHECK(ilk_arena_is_given_out_(map, linked) && ilk_arena_owner_(map, linked) == 0);
	CHECK(!ilk_arena_is_given_out_(map, elsewhere));
	check_blocks(2, 1);
}

static void test_rebuild_believes_no_odd_link_at(void **state)
{
	const uint64_t bytes = map->bytes;
	const uint64_t odd[] = {1, 8, sizeof(struct ilk_header_) - 8, bytes, bytes - 7, bytes + 8,
		bytes - 4, UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 63};
	uint64_t between = take(living, 64);

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		uint64_t offset = take(dead, 64);

		header_of(offset)->link_at = odd[i];
		CHECK(ilk_arena_rebuild_(map, is_dead, NULL) == 1);
		check_blocks(1, 1);
	}
	CHECK(ilk_arena_is_given_out_(map, between));
}

static void test_rebuild_makes_all_but_the_sizes_anew(void **state)
{
	uint64_t blocks[30];

	(void)state;
	for (int i = 0; i < 30; i++)
		blocks[i] = take(living, 64 + (uint64_t)i * 200);
	for (int i = 0; i < 30; i += 3)
		CHECK_RC(ilk_arena_free_(map, blocks[i]), 0);
	check_blocks(20, 11);
	memset(ilk_lists_of_(map), 0xa5, sizeof(struct ilk_free_lists_));
	ilk_header_of_(map)->arena_used = 7;
	ilk_header_of_(map)->arena_blocks = UINT64_MAX;
	for (int i = 0; i < 30; i++) {
		header_of(blocks[i])->before = i % 2 ? 0 : UINT64_MAX;
		header_of(blocks[i])->list_next = header_of(blocks[i])->list_last = blocks[i];
	}
	/* A free one cut in two, and one that the bit was cleared of and no more. */
	ilk_write_block_(ilk_block_at_(map, blocks[27] - 64 + 1024),
		ilk_block_size_(header_of(blocks[27])) - 1024, 3);
	ilk_set_block_size_(header_of(blocks[27]), 1024);
	ilk_set_block_size_(header_of(blocks[1]), ilk_block_size_(header_of(blocks[1])));
	CHECK(ilk_arena_valid_(map) != NULL);
	CHECK(ilk_arena_rebuild_(map, is_dead, NULL) == 0);
	check_blocks(19, 11);
}

/* --- finding room --- */

/* No free block is too small for a single byte. */
static void check_no_crumbs(void)
{
	for (uint64_t at = map->header.arena_at; at < map->bytes;
		at += ilk_block_size_(ilk_block_at_(map, at)))
		CHECK(ilk_block_size_(ilk_block_at_(map, at)) >= ILK_LEAST_BLOCK_);
}

static void test_a_hole_behind_many_smaller_ones_of_its_list_is_found(void **state)
{
	enum { SMALL = 100, LEAST = 64 * 64, LARGEST = 71 * 64 };
	uint64_t small[SMALL], large = take(living, LARGEST - 64), found = 0;
	struct ilk_usage u;

	(void)state;
	CHECK(ilk_list_of_(LEAST) == ilk_list_of_(LARGEST));
	for (int i = 0; i < SMALL; i++) {
		take(living, 64);
		small[i] = take(living, LEAST - 64);
	}
	take(living, 64);
	CHECK_RC(ilk_arena_usage_(map, &u), 0);
	take(living, u.largest);
	CHECK_RC(ilk_arena_free_(map, large), 0);
	for (int i = 0; i < SMALL; i++)
		CHECK_RC(ilk_arena_free_(map, small[i]), 0);
	CHECK_RC(ilk_arena_alloc_(map, living, LARGEST - 64, 64, &found), 0);
	CHECK(found == large);
	check_valid();
}

/* --- long sequences --- */

enum { SLOTS = 150, STEPS = 20000 };

static void step_of_sequence(uint64_t *slot)
{
	uint64_t align = UINT64_C(64) << (draw(4) ? 0 : draw(9));
	int rc;

	if (*slot) {
		CHECK_RC(ilk_arena_free_(map, *slot), 0);
		CHECK_RC(ilk_arena_free_(map, *slot), -EINVAL);
		*slot = 0;
		return;
	}
	rc = ilk_arena_alloc_(map, living, draw_size(), align, slot);
	CHECK(rc == 0 || (rc == -ENOSPC && *slot == 0));
	CHECK(*slot % align == 0);
}

static void test_long_random_sequences_leave_it_valid(void **state)
{
	uint64_t slots[SLOTS] = {0};

	(void)state;
	for (random_state = 1; random_state < 4; random_state++) {
		uint32_t seed = random_state;

		for (int step = 0; step < STEPS; step++) {
			step_of_sequence(&slots[draw(SLOTS)]);
			if (step % 8 == 0)
				check_valid();
			if (step % 100 == 0)
				check_no_crumbs();
			if (step % 500 == 0)
				CHECK(ilk_arena_rebuild_(map, is_dead, NULL) == 0);
		}
		for (int i = 0; i < SLOTS; i++)
			if (slots[i])
				step_of_sequence(&slots[i]);
		check_blocks(0, 1);
		random_state = seed;
	}
}

static void test_each_size_and_alignment_fits_into_what_was_found_for_it(void **state)
{
	(void)state;
	for (uint64_t size = 1; size < 700000; size += 1 + size / 3)
		for (uint64_t align = 64; align <= 65536; align *= 2) {
			uint64_t offset = 0;

			CHECK_RC(ilk_arena_alloc_(map, living, size, align, &offset), 0);
			CHECK(offset % align == 0);
			CHECK(ilk_block_size_(header_of(offset)) >= size + ILK_BLOCK_HEADER_);
			check_valid();
			check_no_crumbs();
			CHECK_RC(ilk_arena_free_(map, offset), 0);
			check_blocks(0, 1);
		}
	for (unsigned list = 0, grains = 1; grains < 1u << 25; grains += 1 + grains / 50) {
		CHECK(ilk_list_of_(grains * UINT64_C(64)) >= list);
		list = ilk_list_of_(grains * UINT64_C(64));
		CHECK(list < ILK_LISTS_);
	}
	CHECK(ilk_list_of_(UINT64_C(1) << 41) < ILK_LISTS_);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(test_rebuild_frees_what_the_dead_did_not_publish_and_joins_it),
		ARENA_TEST(test_rebuild_publishes_what_the_word_at_link_at_leads_to),
		ARENA_TEST(test_rebuild_believes_no_odd_link_at),
		ARENA_TEST(test_rebuild_makes_all_but_the_sizes_anew),
		ARENA_TEST(test_a_hole_behind_many_smaller_ones_of_its_list_is_found),
		ARENA_TEST(test_long_random_sequences_leave_it_valid),
		ARENA_TEST(test_each_size_and_alignment_fits_into_what_was_found_for_it),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
