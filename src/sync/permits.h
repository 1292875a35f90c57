/* permits.h - what the files of the permits share: cells, and the words in them. */
#ifndef ILK_SYNC_PERMITS_H
#define ILK_SYNC_PERMITS_H

#include "segment/member.h"
#include <ilk/permits.h>

enum {
	ILK_PERMITS_TAG_ = 0x6d70,
	ILK_PERMITS_REMOVED_ = 0x5270, /* the tag of some whose name was removed */
};

#define ILK_PERMIT_FREE_ UINT64_C(0)
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

/* P, which begins in MAP, but for MINE. 1; 0: it makes no sense. */
static inline int ilk_permits_see_(
	const struct ilk_map_ *map, struct ilk_permits *p, struct ilk_permits_view_ *v)
{
	uintptr_t at = (uintptr_t)p - (uintptr_t)map->base;

	v->p = p;
	v->cell = ilk_permits_cells_(p);
	v->count = ilk_load_relaxed_(&p->count);
	v->by_process = ilk_load_relaxed_(&p->flags) & ILK_PERMITS_PROCESS;
	return v->count - 1 < ILK_PERMITS_MAX && ILK_PERMITS_BYTES(v->count) <= map->bytes - at;
}

/* The same for a caller that may have some: a thread whose place is cached, or a member. */
static inline int ilk_permits_see_as_mine_(
	const struct ilk_segment *seg, struct ilk_permits *p, struct ilk_permits_view_ *v)
{
	int makes_sense = ilk_permits_see_(&seg->map, p, v);

	v->mine = v->by_process
			  ? ilk_permits_process_(seg->member->process, seg->member->generation)
			  : ilk_thread_.owner;
	return makes_sense;
}

/* The calling thread has N more, or fewer. A process's are nobody's to leave behind. */
static inline void ilk_permits_hold_(const struct ilk_permits_view_ *v, uint32_t n)
{
	if (!v->by_process)
		ilk_thread_.me->held += n;
}
static inline void ilk_permits_let_go_(const struct ilk_permits_view_ *v, uint32_t n)
{
	if (!v->by_process)
		ilk_thread_.me->held -= n;
}

/* How many cells are the caller's; it looks for MOST. */
uint32_t ilk_permits_count_mine_(const struct ilk_permits_view_ *v, uint32_t most);

/* Frees N of the caller's, which has so many, and wakes. FENCED: as the segment is. */
void ilk_permits_free_mine_(struct ilk_permits_view_ *v, uint32_t n, int fenced);

/* Takes up to WANTED of those that are free. How many. */
uint32_t ilk_permits_take_free_(struct ilk_permits_view_ *v, uint32_t wanted);

/* Acquires N, however that goes; -EAGAIN with ILK_NOW. */
int ilk_permits_acquire_slow_(struct ilk_permits *p, uint32_t n, ilk_time deadline);

/*
 * Takes what the dead have: up to WANTED cells for MINE, and frees the others. How many were taken;
 * *FREED the others.
 */
uint32_t ilk_permits_sweep_(
	struct ilk_segment *seg, struct ilk_permits_view_ *v, uint32_t wanted, uint32_t *freed);

/* Wakes who sleeps, N at most, after as many were freed. */
void ilk_permits_wake_(struct ilk_permits *p, uint32_t n);

#endif
