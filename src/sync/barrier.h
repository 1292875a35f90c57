/*
 * barrier.h - what the files of the barrier share: its words, and what each value means.
 *
 * state    one word, so that a phase ends, breaks, or gets a member in one step:
 *            63..48 phase    how many were completed; it wraps
 *            47..40 resets   of a broken barrier; it wraps, and passes over what a cell bears
 *            39..11 epoch    moves with each attach
 *            10..8  cause    0, or why it is broken: enum ilk_barrier_cause
 *             7..0  culprit  cell of who broke it, + 1; 0: no member's
 *          Phase and resets together are the round. A member is never more than one phase behind,
 *          so that few bits do.
 * cell     a member's: its owner word in 63..32, in 31..0 the stamp of the round in which it last
 *          arrived (bit 31 and the round), or 0: in none yet. As a whole: 0 is a free place, GONE
 *          one whose member is not waited for any more (with parties and SHRINK only).
 * wait     0 = nobody needs to be woken; a stamp = in that round somebody may sleep on this word
 * top      cells from here on were never used (without parties; it only grows)
 * tag      BARRIER, or REMOVED for good: nobody waits here any more
 * phases   how many were completed; stored by who completed one, after that. Where that one died in
 *          between it is behind the phase in `state`, of which it has the upper bits
 * lost, slept, waited_ns: statistics, added to by whoever it happens to
 * who      of each cell's member, for people: written by the member, after it has attached; one that
 *          detaches takes its owner word out of it
 * flags, parties, label: fixed
 */
#ifndef ILK_SYNC_BARRIER_H
#define ILK_SYNC_BARRIER_H

#include "segment/registry.h"
#include <errno.h>
#include <ilk/barrier.h>

enum {
	ILK_BARRIER_TAG_ = 0x6261,
	ILK_BARRIER_REMOVED_ = 0x5262, /* the tag of one whose name was removed */
	ILK_BARRIER_NOBODY_ = -1,      /* no cell */
};

#define ILK_BARRIER_GONE_ UINT64_C(1)
#define ILK_BARRIER_STAMP_ (UINT32_C(1) << 31)

enum { ILK_PHASE_SHIFT_ = 48, ILK_ROUND_SHIFT_ = 40, ILK_EPOCH_SHIFT_ = 11, ILK_CAUSE_SHIFT_ = 8 };

static inline uint32_t ilk_barrier_stamp_(uint64_t state)
{
	return ILK_BARRIER_STAMP_ | (uint32_t)(state >> ILK_ROUND_SHIFT_);
}
static inline unsigned ilk_barrier_cause_(uint64_t state)
{
	return (unsigned)(state >> ILK_CAUSE_SHIFT_) & 7;
}
/* The cell of who broke it; NOBODY. Checked. */
static inline int ilk_barrier_culprit_(uint64_t state)
{
	int culprit = (int)(state & 0xff) - 1;

	return culprit < ILK_BARRIER_MEMBERS ? culprit : ILK_BARRIER_NOBODY_;
}

static inline uint64_t ilk_barrier_cell_(uint32_t owner, uint32_t stamp)
{
	return (uint64_t)owner << 32 | stamp;
}
/* The member's owner word; 0: the place is free, or its member gone. */
static inline uint32_t ilk_barrier_member_(uint64_t cell)
{
	return (uint32_t)(cell >> 32);
}

/* How many phases were completed in STATE, of which PHASES was read before. */
static inline uint64_t ilk_barrier_phases_(uint64_t phases, uint64_t state)
{
	return phases + (uint16_t)((state >> ILK_PHASE_SHIFT_) - phases);
}

static inline uint32_t ilk_barrier_parties_(const struct ilk_barrier *b)
{
	uint32_t parties = ilk_load_relaxed_(&b->parties);

	return parties < ILK_BARRIER_MEMBERS ? parties : ILK_BARRIER_MEMBERS;
}

/* So many cells are to be looked at. */
static inline uint32_t ilk_barrier_cells_(const struct ilk_barrier *b)
{
	uint32_t parties = ilk_barrier_parties_(b), top;

	if (parties)
		return parties;
	top = ilk_load_acquire_(&b->top);
	return top < ILK_BARRIER_MEMBERS ? top : ILK_BARRIER_MEMBERS;
}

static inline int ilk_barrier_is_one_(const struct ilk_barrier *b)
{
	uint16_t tag = ilk_load_relaxed_(&b->tag);

	return tag == ILK_BARRIER_TAG_ || tag == ILK_BARRIER_REMOVED_;
}

static inline int ilk_barrier_is_removed_(const struct ilk_barrier *b)
{
	return ilk_load_relaxed_(&b->tag) == ILK_BARRIER_REMOVED_;
}

/* STATE with its field of BITS bits at SHIFT one higher, wrapped. */
static inline uint64_t ilk_barrier_raised_(uint64_t state, int shift, int bits)
{
	uint64_t field = ((UINT64_C(1) << bits) - 1) << shift;

	return (state & ~field) | ((state + (UINT64_C(1) << shift)) & field);
}

static inline int ilk_barrier_shrinks_(const struct ilk_barrier *b)
{
	return ilk_load_relaxed_(&b->flags) & ILK_BARRIER_SHRINK;
}

/* What a place becomes whose member is gone. */
static inline uint64_t ilk_barrier_vacated_(const struct ilk_barrier *b)
{
	return ilk_barrier_parties_(b) && ilk_barrier_shrinks_(b) ? ILK_BARRIER_GONE_ : 0;
}

/* In an attached segment, and a barrier? The caller's identity is in ilk_thread_ then. */
static inline int ilk_barrier_check_(const struct ilk_barrier *b)
{
	int rc = ilk_here_(b);

	if (rc < 0 || ilk_load_relaxed_(&b->tag) == ILK_BARRIER_TAG_)
		return rc;
	return ilk_barrier_is_removed_(b) ? -EIDRM : -EINVAL;
}

/* Where this thread was last: a guess, which the cell itself confirms. */
struct ilk_barrier_place_ {
	const struct ilk_barrier *barrier;
	uint32_t cell;
};
extern __thread struct ilk_barrier_place_ ilk_barrier_last_;

static inline int ilk_barrier_is_mine_(const struct ilk_barrier *b, uint32_t i)
{
	return ilk_barrier_member_(ilk_load_relaxed_(&b->cell[i])) == ilk_thread_.owner;
}

/* The calling thread's cell, after check(), which is then the last; NOBODY: it is no member. */
int ilk_barrier_search_(const struct ilk_barrier *b);

static inline int ilk_barrier_mine_(const struct ilk_barrier *b)
{
	return ilk_barrier_last_.barrier == b && ilk_barrier_is_mine_(b, ilk_barrier_last_.cell)
		       ? (int)ilk_barrier_last_.cell
		       : ilk_barrier_search_(b);
}

/* Makes the calling thread a member, after check(). Its cell, which is then the last; -E... */
int ilk_barrier_join_(struct ilk_barrier *b);

/* The cell from FROM on whose member has not arrived in STAMP's round; NOBODY. */
int ilk_barrier_missing_(const struct ilk_barrier *b, uint32_t stamp, uint32_t from);

/* A yield that takes longer went to strangers. For the test that steps, where each one does. */
extern int64_t ilk_barrier_long_yield_ns_;

/* Wakes all who sleep; after a locked instruction that changed the state or a cell. */
void ilk_barrier_wake_(struct ilk_barrier *b);

/* Breaks the barrier, whole in STATE, on account of cell CULPRIT. 0: the state has changed. */
int ilk_barrier_break_(
	struct ilk_barrier *b, uint64_t state, enum ilk_barrier_cause cause, int culprit);

/* Did the member of cell I, which says CELL, die as one? */
int ilk_barrier_is_dead_(
	struct ilk_segment *seg, const struct ilk_barrier *b, uint32_t i, uint64_t cell);

/* The first dead member; NOBODY. */
int ilk_barrier_find_dead_(struct ilk_segment *seg, const struct ilk_barrier *b);

/*
 * Does to the barrier, seen in STATE, what the death of a missing member does: breaks it, or drops
 * the dead. 1: that was done, or the state changed meanwhile; 0: none of the missing is dead.
 */
int ilk_barrier_mourn_(struct ilk_segment *seg, struct ilk_barrier *b, uint64_t state);

#endif
