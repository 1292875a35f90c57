/*
 * barrier_break.c - what breaks a barrier, and what mends it; how it works: barrier.c.
 */
#include "os/futex.h"
#include "segment/member.h"
#include "sync/barrier.h"
#include <errno.h>
#include <limits.h>

/* Weaker: see [B6] and [B7] of barrier.c. */
void ilk_barrier_wake_(struct ilk_barrier *b)
{
	ilk_fence_after_rmw_();
	if (ilk_load_relaxed_(&b->wait)) /* [B7] */
		ilk_futex_store_and_wake_(&b->wait, 0, INT_MAX);
}

int ilk_barrier_break_(
	struct ilk_barrier *b, uint64_t state, enum ilk_barrier_cause cause, int culprit)
{
	uint64_t broken = (state & ~UINT64_C(0xff)) | (uint64_t)cause << ILK_CAUSE_SHIFT_ |
			  (uint64_t)(culprit + 1);

	if (!ilk_cas_full_(&b->state, &state, broken))
		return 0;
	ilk_barrier_wake_(b);
	return 1;
}

/* A cell that says the same after the question was its member's when that died. */
int ilk_barrier_is_dead_(
	struct ilk_segment *seg, const struct ilk_barrier *b, uint32_t i, uint64_t cell)
{
	uint32_t member = ilk_barrier_member_(cell);

	return member && ilk_owner_life_(seg, member) == ILK_LIFE_DEAD &&
	       ilk_load_acquire_(&b->cell[i]) == cell;
}

/* The dead member of cell I, which says CELL, is waited for no more. 1: done, or it was. */
static int drop(struct ilk_barrier *b, uint32_t i, uint64_t cell)
{
	if (ilk_cas_full_(&b->cell[i], &cell, ilk_barrier_vacated_(b)))
		ilk_add_relaxed_(&b->lost, 1u);
	ilk_barrier_wake_(b);
	return 1;
}

int ilk_barrier_find_dead_(struct ilk_segment *seg, const struct ilk_barrier *b)
{
	uint32_t cells = ilk_barrier_cells_(b);

	for (uint32_t i = 0; i < cells; i++)
		if (ilk_barrier_is_dead_(seg, b, i, ilk_load_acquire_(&b->cell[i])))
			return (int)i;
	return ILK_BARRIER_NOBODY_;
}

int ilk_barrier_mourn_(struct ilk_segment *seg, struct ilk_barrier *b, uint64_t state)
{
	uint32_t stamp = ilk_barrier_stamp_(state);
	int i = ilk_barrier_missing_(b, stamp, 0);

	for (; i >= 0; i = ilk_barrier_missing_(b, stamp, (uint32_t)i + 1)) {
		uint64_t cell = ilk_load_acquire_(&b->cell[i]);

		if ((uint32_t)cell == stamp || !ilk_barrier_is_dead_(seg, b, (uint32_t)i, cell))
			continue;
		if (ilk_barrier_shrinks_(b))
			return drop(b, (uint32_t)i, cell);
		ilk_barrier_break_(b, state, ILK_BARRIER_DEATH, i);
		return 1;
	}
	return 0;
}

int ilk_barrier_abort(struct ilk_barrier *b)
{
	int rc = ilk_barrier_check_(b);
	uint64_t state;

	if (rc < 0)
		return rc;
	do
		state = ilk_load_acquire_(&b->state);
	while (!ilk_barrier_cause_(state) &&
		!ilk_barrier_break_(b, state, ILK_BARRIER_ABORT, ilk_barrier_mine_(b)));
	return 0;
}

/*
 * Frees the places of those who died before STATE, in which the barrier is broken, was left: one
 * who is found dead and then the state still the same was told of by it.
 */
static void free_the_dead(struct ilk_barrier *b, uint64_t state)
{
	uint32_t cells = ilk_barrier_cells_(b);

	for (uint32_t i = 0; i < cells; i++) {
		uint64_t cell = ilk_load_acquire_(&b->cell[i]);

		if (cell != ILK_BARRIER_GONE_ &&
			!ilk_barrier_is_dead_(ilk_thread_.segment, b, i, cell))
			continue;
		if (ilk_load_acquire_(&b->state) != state)
			return;
		ilk_cas_full_(&b->cell[i], &cell, UINT64_C(0));
	}
}

/* Breaks a whole one that has a dead member, of whom nobody was told yet. 0: it has none. */
static int break_for_the_dead(struct ilk_barrier *b, uint64_t state)
{
	int dead = ilk_barrier_shrinks_(b) ? ILK_BARRIER_NOBODY_
					   : ilk_barrier_find_dead_(ilk_thread_.segment, b);

	if (dead != ILK_BARRIER_NOBODY_)
		ilk_barrier_break_(b, state, ILK_BARRIER_DEATH, dead);
	return dead != ILK_BARRIER_NOBODY_;
}

/* Has a member that arrived in a round of the number of STATE's? */
static int is_in_use(const struct ilk_barrier *b, uint64_t state)
{
	uint32_t cells = ilk_barrier_cells_(b), stamp = ilk_barrier_stamp_(state), i = 0;

	while (i < cells && (uint32_t)ilk_load_acquire_(&b->cell[i]) != stamp)
		i++;
	return i < cells;
}

/*
 * STATE in the next round. The count of resets wraps, and who came so many of them ago, and not
 * since, has not arrived: so a number that is in use is passed over. There are more than cells. A
 * member that writes that number only now read it then, and looks at the state again.
 */
static uint64_t next_round(const struct ilk_barrier *b, uint64_t state)
{
	do
		state = ilk_barrier_raised_(
			state, ILK_ROUND_SHIFT_, ILK_PHASE_SHIFT_ - ILK_ROUND_SHIFT_);
	while (is_in_use(b, state));
	return state & ~((UINT64_C(1) << ILK_EPOCH_SHIFT_) - 1);
}

/* Mends it, broken in STATE. 0: the state has changed. */
static int mend(struct ilk_barrier *b, uint64_t state)
{
	uint64_t mended;

	free_the_dead(b, state);
	mended = next_round(b, state);
	if (!ilk_cas_full_(&b->state, &state, mended))
		return 0;
	ilk_barrier_wake_(b);
	return 1;
}

int ilk_barrier_reset(struct ilk_barrier *b)
{
	int rc = ilk_barrier_check_(b);

	if (rc < 0)
		return rc;
	for (;;) {
		uint64_t state = ilk_load_acquire_(&b->state);

		if (ilk_barrier_cause_(state) ? mend(b, state) : !break_for_the_dead(b, state))
			return 0;
	}
}
