/*
 * lists.c - the free blocks, by size; see arena.c. Each word is read once, checked, and then used:
 * a hostile process can write while we look.
 *
 * Source: two levels of lists with bits for the filled ones, and a good fit in constant time, after
 * M. Masmano, I. Ripoll, A. Crespo, J. Real, TLSF: a new dynamic memory allocator for real-time
 * systems, 2004.
 */
#include "segment/lists.h"
#include "segment/blocks.h"
#include <errno.h>

enum { TRIES_IN_LIST = 64 };

static struct ilk_free_lists_ *lists(const struct ilk_map_ *map)
{
	return (struct ilk_free_lists_ *)(void *)(map->base + map->header.lists_at);
}

unsigned ilk_list_of_(uint64_t size)
{
	uint64_t grains = size / ILK_GRAIN_;
	unsigned log, list;

	if (grains < ILK_EXACT_LISTS_)
		return (unsigned)grains;
	log = 63 - (unsigned)__builtin_clzll(grains);
	list = ILK_EXACT_LISTS_ + (log - 5) * 8 + (unsigned)(grains >> (log - 3) & 7);
	/* A size that somebody changes while we look may be any. */
	return list < ILK_LISTS_ ? list : ILK_LISTS_ - 1;
}

void ilk_list_block_(const struct ilk_map_ *map, uint64_t at)
{
	struct ilk_block_header_ *b = ilk_block_at_(map, at);
	unsigned list = ilk_list_of_(ilk_block_size_(b));
	uint64_t *first = &lists(map)->first[list], next = ilk_load_relaxed_(first);

	if (!ilk_is_free_block_(map, next))
		next = 0;
	b->list_last = 0;
	b->list_next = next;
	if (next)
		ilk_block_at_(map, next)->list_last = at;
	*first = at;
	lists(map)->filled[list / 64] |= UINT64_C(1) << list % 64;
}

int ilk_unlist_block_(const struct ilk_map_ *map, uint64_t at)
{
	struct ilk_block_header_ *b = ilk_block_at_(map, at);
	uint64_t next = ilk_load_relaxed_(&b->list_next), last = ilk_load_relaxed_(&b->list_last);
	unsigned list = ilk_list_of_(ilk_block_size_(b));
	uint64_t *first = &lists(map)->first[list];

	if ((next && !ilk_is_free_block_(map, next)) || (last && !ilk_is_free_block_(map, last)) ||
		(!last && *first != at))
		return -EBADMSG;
	if (next)
		ilk_block_at_(map, next)->list_last = last;
	if (last)
		ilk_block_at_(map, last)->list_next = next;
	else
		*first = next;
	if (!last && !next)
		lists(map)->filled[list / 64] &= ~(UINT64_C(1) << list % 64);
	return 0;
}

/* The first list that is not empty, from LIST on; ILK_LISTS_. */
static unsigned filled_list(const struct ilk_map_ *map, unsigned list)
{
	for (unsigned i = list / 64; i < ILK_LISTS_ / 64; i++) {
		uint64_t bits = ilk_load_relaxed_(&lists(map)->filled[i]);

		if (i == list / 64)
			bits &= ~UINT64_C(0) << list % 64;
		if (bits)
			return i * 64 + (unsigned)__builtin_ctzll(bits);
	}
	return ILK_LISTS_;
}

/*
 * A block of SIZE in LIST, among the first TRIES. Its place; 0. A damaged list that leads back into
 * itself is found out as in entries.c.
 */
static uint64_t fit_in_list(
	const struct ilk_map_ *map, unsigned list, uint64_t size, uint64_t tries)
{
	uint64_t at = ilk_load_relaxed_(&lists(map)->first[list]), noted = 0, next_note = 1;

	for (uint64_t step = 1; step <= tries && at != noted && ilk_is_free_block_(map, at);
		step++) {
		if (ilk_block_size_(ilk_block_at_(map, at)) >= size)
			return at;
		if (step == next_note) {
			noted = at;
			next_note *= 2;
		}
		at = ilk_load_relaxed_(&ilk_block_at_(map, at)->list_next);
	}
	return 0;
}

/*
 * In the list of SIZE itself there may be smaller ones: first come a few of it, then the lists where
 * every block fits, and if those are empty, all of it.
 */
uint64_t ilk_find_hole_(const struct ilk_map_ *map, uint64_t size)
{
	unsigned list = ilk_list_of_(size), filled;
	uint64_t at = fit_in_list(map, list, size, list < ILK_EXACT_LISTS_ ? 1 : TRIES_IN_LIST);

	if (at)
		return at;
	filled = list + 1 < ILK_LISTS_ ? filled_list(map, list + 1) : ILK_LISTS_;
	at = filled < ILK_LISTS_ ? fit_in_list(map, filled, size, 1) : 0;
	return at ? at : fit_in_list(map, list, size, map->bytes / ILK_LEAST_BLOCK_);
}

void ilk_clear_lists_(const struct ilk_map_ *map)
{
	memset(lists(map), 0, sizeof *lists(map));
}

const char *ilk_lists_valid_(const struct ilk_map_ *map, uint64_t holes)
{
	for (unsigned list = 0; list < ILK_LISTS_; list++) {
		uint64_t last = 0, at = lists(map)->first[list];

		if (!at != !(lists(map)->filled[list / 64] >> list % 64 & 1))
			return "a free list and its bit differ";
		for (; at; last = at, at = ilk_block_at_(map, at)->list_next) {
			if (!ilk_is_free_block_(map, at) || holes-- == 0)
				return "a free list leads to what is not free, or into itself";
			if (ilk_list_of_(ilk_block_size_(ilk_block_at_(map, at))) != list ||
				ilk_block_at_(map, at)->list_last != last)
				return "a free block is in a wrong list or place";
		}
	}
	return holes ? "a free block is in no list" : NULL;
}
