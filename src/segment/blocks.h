/* blocks.h - one block of the arena, and its neighbours; for the files that make up the arena. */
#ifndef ILK_SEGMENT_BLOCKS_H
#define ILK_SEGMENT_BLOCKS_H

#include "segment/map.h"
#include <ilk/atomics.h>
#include <string.h>

enum {
	ILK_GIVEN_OUT_ = 1, /* in a size */
	ILK_GRAIN_ = 64,
	ILK_BLOCK_HEADER_ = sizeof(struct ilk_block_header_),
	ILK_LEAST_BLOCK_ = ILK_BLOCK_HEADER_ + ILK_GRAIN_,
};

static inline struct ilk_header_ *ilk_header_of_(const struct ilk_map_ *map)
{
	return (struct ilk_header_ *)(void *)map->base;
}

static inline struct ilk_free_lists_ *ilk_lists_of_(const struct ilk_map_ *map)
{
	return (struct ilk_free_lists_ *)(void *)(map->base + map->header.lists_at);
}

static inline struct ilk_block_header_ *ilk_block_at_(const struct ilk_map_ *map, uint64_t at)
{
	return (struct ilk_block_header_ *)(void *)(map->base + at);
}

static inline uint64_t ilk_block_size_(const struct ilk_block_header_ *b)
{
	return ilk_load_relaxed_(&b->size) & ~(uint64_t)ILK_GIVEN_OUT_;
}

static inline int ilk_is_given_out_(const struct ilk_block_header_ *b)
{
	return (int)(ilk_load_relaxed_(&b->size) & ILK_GIVEN_OUT_);
}

static inline void ilk_set_block_size_(struct ilk_block_header_ *b, uint64_t size)
{
	ilk_store_release_(&b->size, size);
}

/* Is AT a place where a block can begin, and does the block there make sense? */
static inline int ilk_is_block_(const struct ilk_map_ *map, uint64_t at)
{
	uint64_t size;

	if (at < map->header.arena_at || at > map->bytes - ILK_BLOCK_HEADER_ || at % ILK_GRAIN_)
		return 0;
	size = ilk_block_size_(ilk_block_at_(map, at));
	return ilk_block_at_(map, at)->check == ILK_BLOCK_CHECK_ && size >= ILK_BLOCK_HEADER_ &&
	       size % ILK_GRAIN_ == 0 && size <= map->bytes - at;
}

static inline int ilk_is_free_block_(const struct ilk_map_ *map, uint64_t at)
{
	return ilk_is_block_(map, at) && !ilk_is_given_out_(ilk_block_at_(map, at));
}

static inline void ilk_write_block_(struct ilk_block_header_ *b, uint64_t size, uint64_t before)
{
	memset(b, 0, sizeof *b);
	b->before = before;
	b->check = ILK_BLOCK_CHECK_;
	ilk_set_block_size_(b, size);
}

/* The block behind the one at AT learns that that is before it. */
static inline void ilk_tell_next_(const struct ilk_map_ *map, uint64_t at)
{
	uint64_t next = at + ilk_block_size_(ilk_block_at_(map, at));

	if (next <= map->bytes - ILK_BLOCK_HEADER_ && next % ILK_GRAIN_ == 0)
		ilk_block_at_(map, next)->before = at;
}

/* Joins the block at AT with the one at NEXT, which is behind it; both free and in no list. */
static inline void ilk_join_blocks_(const struct ilk_map_ *map, uint64_t at, uint64_t next)
{
	struct ilk_block_header_ *b = ilk_block_at_(map, at);

	ilk_set_block_size_(b, ilk_block_size_(b) + ilk_block_size_(ilk_block_at_(map, next)));
	ilk_block_at_(map, next)->check = 0;
}

static inline uint64_t *ilk_word_at_(const struct ilk_map_ *map, uint64_t at)
{
	return (uint64_t *)(void *)(map->base + at);
}

#endif
