/* permits.h - what the files of the permits share: cells, and the words in them. */
#ifndef ILK_SYNC_PERMITS_H
#define ILK_SYNC_PERMITS_H

#include "segment/member.h"
#include <ilk/permits.h>

enum {
	ILK_PERMITS_TAG_ = 0x6d70,
	ILK_PERMITS_REMOVED_ = 0x5270, /* the tag of some whose name was removed */
};

/* In a cell: its owner is a process, slot and generation are of that; the rest: see permits.c. */
#define ILK_PERMITS_OF_PROCESS_ UINT64_C(1)

/* Permits as one call sees them: copied and checked. */
struct ilk_permits_view_ {
	struct ilk_permits *p;
	uint64_t *cell;
	uint32_t count;
	uint32_t by_process;
	uint64_t mine; /* what a cell of the caller's holds */
};

static inline uint64_t *ilk_permits_cells_(const struct ilk_permits *p)
{
	return (uint64_t *)(uintptr_t)(p + 1);
}

static inline int ilk_permits_are_removed_(const struct ilk_permits *p)
{
	return ilk_load_relaxed_(&p->tag) == ILK_PERMITS_REMOVED_;
}

static inline int ilk_permits_are_some_(const struct ilk_permits *p)
{
	return ilk_load_relaxed_(&p->tag) == ILK_PERMITS_TAG_ || ilk_permits_are_removed_(p);
}

/* The word of a process, by its slot and generation. */
static inline uint64_t ilk_permits_process_(uint32_t slot, uint32_t generation)
{
	return (uint64_t)generation << 32 | ilk_owner_word_(slot, 0) | ILK_PERMITS_OF_PROCESS_;
}

static inline enum ilk_life ilk_permits_life_(
	struct ilk_segment *seg, uint64_t owner, struct ilk_living_ *living)
{
	return owner & ILK_PERMITS_OF_PROCESS_
		       ? ilk_process_life_once_(seg, ilk_owner_slot_((uint32_t)owner),
				 (uint32_t)(owner >> 32), living)
		       : ilk_owner_life_once_(seg, (uint32_t)owner, living);
}

/*
 * Takes what the dead have: up to WANTED cells for MINE, and frees the others. How many were taken;
 * *FREED the others.
 */
uint32_t ilk_permits_sweep_(
	struct ilk_segment *seg, struct ilk_permits_view_ *v, uint32_t wanted, uint32_t *freed);

/* Wakes who sleeps, N at most, after as many were freed. */
void ilk_permits_wake_(struct ilk_permits *p, uint32_t n);

#endif
