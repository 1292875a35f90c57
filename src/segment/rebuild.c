/*
 * rebuild.c - walks along the whole chain of the arena: to make anew what follows from it, to check
 * it, to count.
 */
#include "segment/arena.h"
#include "segment/blocks.h"
#include "segment/lists.h"
#include <errno.h>

/* What a walk along the chain gathers. */
struct rebuilding {
	uint64_t before, hole; /* the block before, and that if it is free; 0 */
	uint64_t used, blocks;
	int64_t freed;
};

/* Does the word lead to it that its last owner was about to change? */
static int is_linked(const struct ilk_map_ *map, uint64_t at)
{
	uint64_t ref = ilk_load_relaxed_(&ilk_block_at_(map, at)->link_at);

	return ref >= sizeof(struct ilk_header_) && ref <= map->bytes - sizeof ref &&
	       ref % sizeof ref == 0 &&
	       ilk_load_acquire_(ilk_word_at_(map, ref)) == at + ILK_BLOCK_HEADER_;
}

/* The block at AT, given out: is it free now? */
static int take_from_dead(const struct ilk_map_ *map, uint64_t at,
	int (*is_dead)(uint32_t owner, void *arg), void *arg)
{
	struct ilk_block_header_ *b = ilk_block_at_(map, at);
	uint32_t owner = ilk_load_acquire_(&b->owner);

	if (!owner || !is_dead(owner, arg))
		return 0;
	if (!is_linked(map, at)) {
		ilk_set_block_size_(b, ilk_block_size_(b));
		return 1;
	}
	ilk_store_release_(&b->owner, 0u);
	return 0;
}

static void list_hole(const struct ilk_map_ *map, struct rebuilding *r)
{
	if (r->hole)
		ilk_list_block_(map, r->hole);
	r->hole = 0;
}

/* The block at AT takes its place in the new order of things. */
static void arrange(const struct ilk_map_ *map, uint64_t at, struct rebuilding *r)
{
	struct ilk_block_header_ *b = ilk_block_at_(map, at);

	if (r->hole && !ilk_is_given_out_(b)) {
		ilk_join_blocks_(map, r->hole, at);
		return;
	}
	b->before = r->before;
	r->before = at;
	if (ilk_is_given_out_(b)) {
		list_hole(map, r);
		r->used += ilk_block_size_(b);
		r->blocks++;
	} else {
		r->hole = at;
	}
}

int64_t ilk_arena_rebuild_(
	const struct ilk_map_ *map, int (*is_dead)(uint32_t owner, void *arg), void *arg)
{
	struct rebuilding r = {.before = 0};
	uint64_t at = map->header.arena_at;

	ilk_clear_lists_(map);
	while (at < map->bytes) {
		uint64_t next;

		if (!ilk_is_block_(map, at))
			return -EBADMSG;
		next = at + ilk_block_size_(ilk_block_at_(map, at));
		if (ilk_is_given_out_(ilk_block_at_(map, at)))
			r.freed += take_from_dead(map, at, is_dead, arg);
		arrange(map, at, &r);
		at = next;
	}
	list_hole(map, &r);
	ilk_header_of_(map)->arena_used = r.used;
	ilk_header_of_(map)->arena_blocks = r.blocks;
	return r.freed;
}

int ilk_arena_usage_(const struct ilk_map_ *map, struct ilk_usage *usage)
{
	*usage = (struct ilk_usage){.bytes = map->bytes - map->header.arena_at};
	for (uint64_t at = map->header.arena_at; at < map->bytes;
		at += ilk_block_size_(ilk_block_at_(map, at))) {
		const struct ilk_block_header_ *b = ilk_block_at_(map, at);

		if (!ilk_is_block_(map, at))
			return -EBADMSG;
		if (ilk_is_given_out_(b)) {
			usage->used += ilk_block_size_(b);
			usage->blocks++;
			continue;
		}
		usage->holes++;
		if (ilk_block_size_(b) - ILK_BLOCK_HEADER_ > usage->largest)
			usage->largest = ilk_block_size_(b) - ILK_BLOCK_HEADER_;
	}
	return 0;
}

const char *ilk_arena_valid_(const struct ilk_map_ *map)
{
	const struct ilk_header_ *h = ilk_header_of_(map);
	uint64_t before = 0, used = 0, blocks = 0, holes = 0;
	int was_free = 0;

	for (uint64_t at = map->header.arena_at; at < map->bytes;) {
		const struct ilk_block_header_ *b = ilk_block_at_(map, at);

		if (!ilk_is_block_(map, at))
			return "the chain of blocks is broken";
		if (b->before != before)
			return "a block does not know the one before it";
		if (was_free && !ilk_is_given_out_(b))
			return "two free blocks were not joined";
		was_free = !ilk_is_given_out_(b);
		holes += (uint64_t)was_free;
		blocks += (uint64_t)!was_free;
		used += was_free ? 0 : ilk_block_size_(b);
		before = at;
		at += ilk_block_size_(b);
	}
	if (used != h->arena_used || blocks != h->arena_blocks)
		return "the counts of what is given out are wrong";
	return ilk_lists_valid_(map, holes);
}
