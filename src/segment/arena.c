/*
 * arena.c - a chain of blocks, and lists of the free ones by size.
 *
 * State      block header: size (bit 0: given out), owner (until published), check; before, and the
 *            links of a free one's list.
 * Invariant  [I1] The sizes are the truth: from arena_at, each size leads to the next header, the
 *            last one to the end of the segment.
 *            [I2] A block that is given out and has an owner is that thread's, unless the word at
 *            link_at leads to it.
 *            [I3] While nobody is in the guard, all else agrees with the sizes: each block knows the
 *            one before it, each free block is in the list of its size, no two free blocks are
 *            neighbours, and the counts are right. Who is told that the last holder of the guard
 *            died makes all that anew.
 * Ordering   Under the guard, but for publish without a reference. [A1] publish: store owner, release. [A2] link: store
 *            the reference, release <-> whoever loads it finds the block's bytes complete.
 * Death      split: the rest gets its header first, then one store of a size cuts; before it the
 *            new header is just bytes of a free block. join: one store. alloc: owner first, then
 *            the bit; killed in between, the block is free with an owner, which means nothing.
 *            free: one store clears the bit. publish: the header says which word will lead to the
 *            block, that word is stored, the owner is cleared; killed in between, the word tells
 *            whether it was published. unlink: the same, backwards.
 *
 * Offsets that are read here lead to a header only after a check; a damaged chain is -EBADMSG.
 */
#include "segment/arena.h"
#include "segment/blocks.h"
#include "segment/lists.h"
#include "segment/order.h"
#include <errno.h>

/* --- cutting and joining --- */

/* Cuts the free block at AT, which is in no list, at SIZE; the rest is listed. */
static void split(const struct ilk_map_ *map, uint64_t at, uint64_t size)
{
	struct ilk_block_header_ *b = ilk_block_at_(map, at);
	uint64_t whole = ilk_block_size_(b), rest = whole - size;

	/* The second: its size was another when it was found. */
	if (whole < size + ILK_LEAST_BLOCK_ || rest > map->bytes - at - size)
		return;
	ilk_write_block_(ilk_block_at_(map, at + size), rest, at);
	ilk_set_block_size_(b, size);
	ilk_tell_next_(map, at + size);
	ilk_list_block_(map, at + size);
}

/* Joins the free block at AT, in no list, with its free neighbours, and lists it. 0; -EBADMSG. */
static int settle(const struct ilk_map_ *map, uint64_t at)
{
	uint64_t next = at + ilk_block_size_(ilk_block_at_(map, at)),
		 before = ilk_load_relaxed_(&ilk_block_at_(map, at)->before);

	if (next < map->bytes && ilk_is_free_block_(map, next)) {
		if (ilk_unlist_block_(map, next) < 0)
			return -EBADMSG;
		ilk_join_blocks_(map, at, next);
	}
	if (before && ilk_is_free_block_(map, before)) {
		if (ilk_unlist_block_(map, before) < 0)
			return -EBADMSG;
		ilk_join_blocks_(map, before, at);
		at = before;
	}
	ilk_tell_next_(map, at);
	ilk_list_block_(map, at);
	return 0;
}

/* --- the calls --- */

void ilk_arena_format_(const struct ilk_map_ *map)
{
	uint64_t at = map->header.arena_at;

	ilk_write_block_(ilk_block_at_(map, at), map->bytes - at, 0);
	ilk_list_block_(map, at);
}

/* The unlisted free block at AT begins where its bytes are aligned, after this. Its new place. */
static uint64_t align_block(const struct ilk_map_ *map, uint64_t at, uint64_t align)
{
	uint64_t bytes = at + ILK_BLOCK_HEADER_, gap = (align - bytes % align) % align;
	struct ilk_block_header_ *b = ilk_block_at_(map, at);

	if (gap == 0)
		return at;
	if (gap < ILK_LEAST_BLOCK_)
		gap += align;
	ilk_write_block_(ilk_block_at_(map, at + gap), ilk_block_size_(b) - gap, at);
	ilk_set_block_size_(b, gap);
	ilk_tell_next_(map, at + gap);
	ilk_list_block_(map, at);
	return at + gap;
}

int ilk_arena_alloc_(const struct ilk_map_ *map, uint32_t owner, uint64_t bytes, uint64_t align,
	uint64_t *offset)
{
	struct ilk_block_header_ *b;
	uint64_t size, at;

	if (bytes > map->bytes || align > map->bytes)
		return -ENOSPC;
	size = ILK_BLOCK_HEADER_ + (bytes + ILK_GRAIN_ - 1) / ILK_GRAIN_ * ILK_GRAIN_;
	if (size < ILK_LEAST_BLOCK_)
		size = ILK_LEAST_BLOCK_;
	at = ilk_find_hole_(map, align > ILK_GRAIN_ ? size + ILK_LEAST_BLOCK_ + align : size);
	if (at == 0)
		return -ENOSPC;
	if (ilk_unlist_block_(map, at) < 0)
		return -EBADMSG;
	if (align > ILK_GRAIN_)
		at = align_block(map, at, align);
	split(map, at, size);
	ilk_order_forget_(map, at, size);
	b = ilk_block_at_(map, at);
	b->link_at = 0;
	ilk_store_release_(&b->owner, owner);
	ilk_set_block_size_(b, ilk_block_size_(b) | ILK_GIVEN_OUT_);
	ilk_header_of_(map)->arena_used += ilk_block_size_(b);
	ilk_header_of_(map)->arena_blocks++;
	*offset = at + ILK_BLOCK_HEADER_;
	return 0;
}

struct ilk_block_header_ *ilk_arena_block_(const struct ilk_map_ *map, uint64_t offset)
{
	uint64_t at = offset - ILK_BLOCK_HEADER_, before, next;
	struct ilk_block_header_ *b;

	if (!ilk_is_block_(map, at) || !ilk_is_given_out_(ilk_block_at_(map, at)))
		return NULL;
	b = ilk_block_at_(map, at);
	before = ilk_load_relaxed_(&b->before);
	next = at + ilk_block_size_(b);
	if (before ? !ilk_is_block_(map, before) ||
				before + ilk_block_size_(ilk_block_at_(map, before)) != at
		   : at != map->header.arena_at)
		return NULL;
	if (next < map->bytes &&
		(!ilk_is_block_(map, next) || ilk_block_at_(map, next)->before != at))
		return NULL;
	return b;
}

int ilk_arena_is_given_out_(const struct ilk_map_ *map, uint64_t offset)
{
	return ilk_is_block_(map, offset - ILK_BLOCK_HEADER_) &&
	       ilk_is_given_out_(ilk_block_at_(map, offset - ILK_BLOCK_HEADER_));
}

uint32_t ilk_arena_owner_(const struct ilk_map_ *map, uint64_t offset)
{
	return ilk_load_acquire_(&ilk_block_at_(map, offset - ILK_BLOCK_HEADER_)->owner);
}

int ilk_arena_free_(const struct ilk_map_ *map, uint64_t offset)
{
	struct ilk_block_header_ *b = ilk_arena_block_(map, offset);

	if (!b)
		return -EINVAL;
	ilk_order_abandon_(map, offset, ilk_block_size_(b) - ILK_BLOCK_HEADER_);
	ilk_set_block_size_(b, ilk_block_size_(b));
	ilk_header_of_(map)->arena_used -= ilk_block_size_(b);
	ilk_header_of_(map)->arena_blocks--;
	return settle(map, offset - ILK_BLOCK_HEADER_);
}

void ilk_arena_publish_(const struct ilk_map_ *map, uint64_t offset, uint64_t ref)
{
	struct ilk_block_header_ *b = ilk_block_at_(map, offset - ILK_BLOCK_HEADER_);

	if (ref) {
		ilk_store_release_(&b->link_at, ref);
		ilk_store_release_(ilk_word_at_(map, ref), offset); /* [A2] */
	}
	ilk_store_release_(&b->owner, 0u); /* [A1] */
}

void ilk_arena_unlink_(
	const struct ilk_map_ *map, uint64_t offset, uint32_t owner, uint64_t ref, uint64_t next)
{
	struct ilk_block_header_ *b = ilk_block_at_(map, offset - ILK_BLOCK_HEADER_);

	ilk_store_release_(&b->link_at, ref);
	ilk_store_release_(&b->owner, owner);
	if (ref)
		ilk_store_release_(ilk_word_at_(map, ref), next); /* [A2] */
}
