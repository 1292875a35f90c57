/*
 * arena.c - a chain of blocks, first fit.
 *
 * State      block header: size (bit 0: given out), owner (until published), check.
 * Invariant  [I1] The sizes are the truth: from arena_at, each size leads to the next header, the
 *            last one to the end of the segment.
 *            [I2] A block that is given out and has an owner is known to nobody else yet.
 *            [I3] arena_used and arena_hint are conveniences: recovery makes them anew.
 * Ordering   None of its own: all is under the guard.
 * Death      split: the rest gets its header first, then one store of a size cuts; before it the
 *            new header is just bytes of a free block. merge: one store. alloc: owner first, then
 *            the bit; killed in between, the block is free with an owner, which means nothing.
 *            publish: one store. What is given out and unpublished when a holder of the guard has
 *            died is his: recovery publishes it if it is reachable, else frees it.
 */
#include "segment/arena.h"
#include <errno.h>
#include <string.h>

enum { GIVEN_OUT = 1, GRAIN = 64, HEADER = sizeof(struct ilk_block_header_) };

static struct ilk_header_ *shared(const struct ilk_map_ *map)
{
	return (struct ilk_header_ *)(void *)map->base;
}

static struct ilk_block_header_ *block_at(const struct ilk_map_ *map, uint64_t at)
{
	return (struct ilk_block_header_ *)(void *)(map->base + at);
}

static uint64_t size_of(const struct ilk_block_header_ *b)
{
	return ilk_load_relaxed_(&b->size) & ~(uint64_t)GIVEN_OUT;
}

static int is_given_out(const struct ilk_block_header_ *b)
{
	return (int)(ilk_load_relaxed_(&b->size) & GIVEN_OUT);
}

static void set_size(struct ilk_block_header_ *b, uint64_t size)
{
	ilk_store_release_(&b->size, size);
}

/* Is AT a place where a block can begin, and does the block there make sense? */
static int is_block(const struct ilk_map_ *map, uint64_t at)
{
	uint64_t size;

	if (at < map->header.arena_at || at > map->bytes - HEADER || at % GRAIN)
		return 0;
	size = size_of(block_at(map, at));
	return block_at(map, at)->check == ILK_BLOCK_CHECK_ && size >= HEADER &&
	       size % GRAIN == 0 && size <= map->bytes - at;
}

static void write_header(struct ilk_block_header_ *b, uint64_t size)
{
	b->owner = 0;
	b->check = ILK_BLOCK_CHECK_;
	set_size(b, size);
}

void ilk_arena_format_(const struct ilk_map_ *map)
{
	uint64_t at = map->header.arena_at;

	write_header(block_at(map, at), map->bytes - at);
	shared(map)->arena_hint = at;
	shared(map)->arena_used = 0;
}

/* Joins the free block at AT with the free ones behind it. 0; -EBADMSG. */
static int merge(const struct ilk_map_ *map, uint64_t at)
{
	struct ilk_block_header_ *b = block_at(map, at);

	for (;;) {
		uint64_t next = at + size_of(b);

		if (next >= map->bytes)
			return 0;
		if (!is_block(map, next))
			return -EBADMSG;
		if (is_given_out(block_at(map, next)))
			return 0;
		if (shared(map)->arena_hint == next)
			shared(map)->arena_hint = at;
		set_size(b, size_of(b) + size_of(block_at(map, next)));
	}
}

/* Cuts the free block at AT down to SIZE, if what is left could hold anything. */
static void split(const struct ilk_map_ *map, uint64_t at, uint64_t size)
{
	struct ilk_block_header_ *b = block_at(map, at);
	uint64_t rest = size_of(b) - size;

	if (rest <= HEADER)
		return;
	write_header(block_at(map, at + size), rest);
	set_size(b, size);
}

/* The first free block of SIZE between FROM and UNTIL. 1 and its place; 0: none; -EBADMSG. */
static int find(
	const struct ilk_map_ *map, uint64_t from, uint64_t until, uint64_t size, uint64_t *found)
{
	for (uint64_t at = from; at < until; at += size_of(block_at(map, at))) {
		int rc;

		if (!is_block(map, at))
			return -EBADMSG;
		if (is_given_out(block_at(map, at)))
			continue;
		rc = merge(map, at);
		if (rc < 0)
			return rc;
		if (size_of(block_at(map, at)) >= size) {
			*found = at;
			return 1;
		}
	}
	return 0;
}

static int search(const struct ilk_map_ *map, uint64_t size, uint64_t *found)
{
	uint64_t hint = shared(map)->arena_hint;
	int rc = is_block(map, hint) ? find(map, hint, map->bytes, size, found) : 0;

	return rc ? rc : find(map, map->header.arena_at, map->bytes, size, found);
}

int ilk_arena_alloc_(const struct ilk_map_ *map, uint32_t owner, uint64_t bytes, uint64_t *offset)
{
	struct ilk_block_header_ *b;
	uint64_t size, at = 0;
	int rc;

	if (bytes > map->bytes)
		return -ENOSPC;
	size = HEADER + (bytes + GRAIN - 1) / GRAIN * GRAIN;
	rc = search(map, size, &at);
	if (rc <= 0)
		return rc < 0 ? rc : -ENOSPC;
	split(map, at, size);
	b = block_at(map, at);
	memset(b + 1, 0, size_of(b) - HEADER);
	ilk_store_release_(&b->owner, owner);
	shared(map)->arena_hint = at;
	shared(map)->arena_used += size_of(b);
	set_size(b, size_of(b) | GIVEN_OUT);
	*offset = at + HEADER;
	return 0;
}

void ilk_arena_publish_(const struct ilk_map_ *map, uint64_t offset)
{
	ilk_store_release_(&block_at(map, offset - HEADER)->owner, 0u);
}

int ilk_arena_recover_(
	const struct ilk_map_ *map, int (*reachable)(const struct ilk_map_ *map, uint64_t offset))
{
	uint64_t used = 0;

	shared(map)->arena_hint = map->header.arena_at;
	for (uint64_t at = map->header.arena_at; at < map->bytes;
		at += size_of(block_at(map, at))) {
		struct ilk_block_header_ *b = block_at(map, at);

		if (!is_block(map, at))
			return -EBADMSG;
		if (!is_given_out(b))
			continue;
		if (b->owner && !reachable(map, at + HEADER))
			set_size(b, size_of(b));
		else
			used += size_of(b);
		ilk_store_release_(&b->owner, 0u);
	}
	shared(map)->arena_used = used;
	return 0;
}
