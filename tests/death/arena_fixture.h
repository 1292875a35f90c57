/* arena_fixture.h - a test with one segment, `seg`, and its arena seen from inside. */
#ifndef ILK_TESTS_ARENA_FIXTURE_H
#define ILK_TESTS_ARENA_FIXTURE_H

#include "segment/arena.h"
#include "segment/blocks.h"
#include "support.h"
#include <errno.h>

static struct ilk_segment *seg;
static const struct ilk_map_ *map;

static int arena_setup(void **state)
{
	if (ilk_test_setup(state) < 0 || ilk_segment_create(ilk_test_name(""), NULL, &seg) < 0)
		return -1;
	map = &seg->map;
	return 0;
}

static int arena_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

#define ARENA_TEST(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)

static const uint32_t dead = 5u << 20 | 1u << 4, living = 6u << 20 | 1u << 4;

static inline int is_dead(uint32_t owner, void *asked)
{
	if (asked)
		++*(int *)asked;
	return owner == dead;
}

static inline struct ilk_block_header_ *header_of(uint64_t offset)
{
	return ilk_block_at_(map, offset - ILK_BLOCK_HEADER_);
}

static inline void check_valid(void)
{
	const char *wrong = ilk_arena_valid_(map);

	if (wrong)
		ilk_test_fail("%s", wrong);
}

static inline void check_blocks(uint64_t blocks, uint64_t holes)
{
	struct ilk_usage u;

	check_valid();
	CHECK_RC(ilk_arena_usage_(map, &u), 0);
	if (u.blocks != blocks || u.holes != holes)
		ilk_test_fail("%d blocks and %d holes, not %d and %d", (int)u.blocks, (int)u.holes,
			(int)blocks, (int)holes);
}

/* --- numbers that look random, and are the same each time --- */

static uint32_t random_state;

static inline uint32_t draw(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % below;
}

static inline uint64_t draw_size(void)
{
	return 1 + draw(draw(8) ? 500 : 60000);
}

#endif
