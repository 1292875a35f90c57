/* arena.h - memory inside a segment. All of it under the guard. */
#ifndef ILK_SEGMENT_ARENA_H
#define ILK_SEGMENT_ARENA_H

#include "segment/registry.h"

/* Makes a fresh segment's arena one free block. Before the segment has a name. */
void ilk_arena_format_(const struct ilk_map_ *map);

/*
 * Gives out BYTES zeroed bytes, aligned to 64, as a block that belongs to OWNER until published.
 * 0 and its offset; -ENOSPC; -EBADMSG the chain is damaged.
 */
int ilk_arena_alloc_(const struct ilk_map_ *map, uint32_t owner, uint64_t bytes, uint64_t *offset);

/* The block is reachable from elsewhere now: it no longer comes back when its owner dies. */
void ilk_arena_publish_(const struct ilk_map_ *map, uint64_t offset);

/*
 * After a death under the guard: asks REACHABLE of each unpublished block, and publishes or frees
 * it. 0; -EBADMSG.
 */
int ilk_arena_recover_(
	const struct ilk_map_ *map, int (*reachable)(const struct ilk_map_ *map, uint64_t offset));

#endif
