/*
 * arena.h - memory inside a segment: the chain of blocks and the lists of its free ones. Offsets are
 * of a block's bytes, behind its header. All of it under the guard, but publish.
 */
#ifndef ILK_SEGMENT_ARENA_H
#define ILK_SEGMENT_ARENA_H

#include "segment/registry.h"
#include <ilk/memory.h>

/* Makes a fresh segment's arena one free block. Before the segment has a name. */
void ilk_arena_format_(const struct ilk_map_ *map);

/*
 * Gives out BYTES bytes, as they are, aligned to ALIGN (a power of two, 64 at least), as a block
 * that belongs to OWNER until published. 0 and its offset; -ENOSPC; -EBADMSG.
 */
int ilk_arena_alloc_(const struct ilk_map_ *map, uint32_t owner, uint64_t bytes, uint64_t align,
	uint64_t *offset);

/* Takes a block back, joined with its free neighbours. 0; -EINVAL it is none given out; -EBADMSG. */
int ilk_arena_free_(const struct ilk_map_ *map, uint64_t offset);

/* The header of the block given out at OFFSET; NULL: there is none. Checks its neighbours, too. */
struct ilk_block_header_ *ilk_arena_block_(const struct ilk_map_ *map, uint64_t offset);

/* Is a block given out at OFFSET, and whose? For who has it himself: needs no guard. */
int ilk_arena_is_given_out_(const struct ilk_map_ *map, uint64_t offset);
uint32_t ilk_arena_owner_(const struct ilk_map_ *map, uint64_t offset);

/*
 * The block at OFFSET belongs to everybody from here on. REF is the offset of the word that is to
 * lead to it, or 0; with 0 it needs no guard. Death: both, or neither.
 */
void ilk_arena_publish_(const struct ilk_map_ *map, uint64_t offset, uint64_t ref);

/* The reverse, before it is freed: it is OWNER's, and the word at REF becomes NEXT. */
void ilk_arena_unlink_(
	const struct ilk_map_ *map, uint64_t offset, uint32_t owner, uint64_t ref, uint64_t next);

/*
 * Makes all but the sizes anew: joins what is free, lists it, counts. Unpublished blocks of owners
 * that IS_DEAD says are dead are published if something leads to them, and freed if not. How many
 * it freed; -EBADMSG the chain is damaged.
 */
int64_t ilk_arena_rebuild_(
	const struct ilk_map_ *map, int (*is_dead)(uint32_t owner, void *arg), void *arg);

/* What is wrong with it; NULL: nothing. */
const char *ilk_arena_valid_(const struct ilk_map_ *map);

/* 0; -EBADMSG. */
int ilk_arena_usage_(const struct ilk_map_ *map, struct ilk_usage *usage);

#endif
