/*
 * barrier_members.c - who is in a barrier: attach and detach; how it works, and what a death leaves:
 * barrier.c.
 */
#include "segment/member.h"
#include "sync/barrier.h"
#include <errno.h>
#include <string.h>

__thread struct ilk_barrier_place_ ilk_barrier_last_;

int ilk_barrier_search_(const struct ilk_barrier *b)
{
	uint32_t cells = ilk_barrier_cells_(b);

	for (uint32_t i = 0; i < cells; i++)
		if (ilk_barrier_is_mine_(b, i)) {
			ilk_barrier_last_.barrier = b;
			ilk_barrier_last_.cell = i;
			return (int)i;
		}
	return ILK_BARRIER_NOBODY_;
}

static void raise_top(struct ilk_barrier *b, uint32_t above)
{
	uint32_t top = ilk_load_relaxed_(&b->top);

	while (top <= above && !ilk_cas_full_(&b->top, &top, above + 1))
		;
}

static int take_cell(struct ilk_barrier *b, uint32_t i, uint64_t found)
{
	raise_top(b, i);
	return ilk_cas_full_(&b->cell[i], &found, ilk_barrier_cell_(ilk_thread_.owner, 0));
}

/* Takes a free place. NOBODY: there is none. */
static int take_free(struct ilk_barrier *b, uint32_t places)
{
	for (uint32_t i = 0; i < places; i++) {
		uint64_t cell = ilk_load_acquire_(&b->cell[i]);

		if (ilk_barrier_member_(cell) == 0 && take_cell(b, i, cell))
			return (int)i;
	}
	return ILK_BARRIER_NOBODY_;
}

/* All places are taken. A dead member's place, where the others go on without it; -E... */
static int take_from_dead(struct ilk_barrier *b, uint32_t places, uint64_t state)
{
	struct ilk_segment *seg = ilk_thread_.segment;

	for (uint32_t i = 0; i < places; i++) {
		uint64_t cell = ilk_load_acquire_(&b->cell[i]);

		if (!ilk_barrier_is_dead_(seg, b, i, cell))
			continue;
		if (!ilk_barrier_shrinks_(b)) {
			/* One that has arrived has done its part: the phase may end yet. */
			ilk_barrier_mourn_(seg, b, state);
			return -EPIPE;
		}
		if (take_cell(b, i, cell)) {
			ilk_add_relaxed_(&b->lost, 1u);
			return (int)i;
		}
	}
	return -EUSERS;
}

/* [B5] Weaker: who overlooked our cell could end the phase without us. */
static int announce_member(struct ilk_barrier *b, int i)
{
	uint64_t state = ilk_load_acquire_(&b->state);

	do {
		if (ilk_barrier_cause_(state)) {
			ilk_exchange_(&b->cell[i], UINT64_C(0));
			ilk_barrier_wake_(b); /* it may have been mended just now */
			return -EPIPE;
		}
	} while (!ilk_cas_full_(&b->state, &state,
		ilk_barrier_raised_(state, ILK_EPOCH_SHIFT_, ILK_ROUND_SHIFT_ - ILK_EPOCH_SHIFT_)));
	return 0;
}

/* For people, and for when nothing else tells any more who it was. */
static void introduce(struct ilk_barrier_who_ *who)
{
	struct ilk_who_ me;
	uint64_t name[2];

	ilk_who_is_(&ilk_thread_.segment->map, ilk_thread_.owner, &me);
	memcpy(name, me.name, sizeof name);
	ilk_store_relaxed_(&who->pid, me.pid);
	ilk_store_relaxed_(&who->tid, me.tid);
	ilk_store_relaxed_(&who->name[0], name[0]);
	ilk_store_relaxed_(&who->name[1], name[1]);
	ilk_store_release_(&who->owner, ilk_thread_.owner);
}

int ilk_barrier_join_(struct ilk_barrier *b)
{
	uint32_t parties = ilk_barrier_parties_(b);
	uint32_t places = parties ? parties : ILK_BARRIER_MEMBERS;
	uint64_t state = ilk_load_acquire_(&b->state);
	int i, rc;

	if (ilk_barrier_cause_(state))
		return -EPIPE;
	i = take_free(b, places);
	if (i == ILK_BARRIER_NOBODY_)
		i = take_from_dead(b, places, state);
	if (i < 0)
		return i;
	rc = announce_member(b, i);
	if (rc < 0)
		return rc;
	introduce(&b->who[i]);
	ilk_hold_();
	ilk_barrier_last_.barrier = b;
	ilk_barrier_last_.cell = (uint32_t)i;
	return i;
}

int ilk_barrier_attach(struct ilk_barrier *b)
{
	int rc = ilk_barrier_check_(b);

	if (rc == 0 && ilk_barrier_mine_(b) == ILK_BARRIER_NOBODY_)
		rc = ilk_barrier_join_(b);
	return rc < 0 ? rc : 0;
}

int ilk_barrier_detach(struct ilk_barrier *b)
{
	int rc = ilk_is_here_(b) ? 0 : ilk_find_mine_(b);
	int i;

	if (rc < 0)
		return rc;
	if (!ilk_barrier_is_one_(b))
		return -EINVAL;
	i = ilk_barrier_mine_(b);
	if (i == ILK_BARRIER_NOBODY_)
		return -EPERM;
	/* Our owner word can be another's next, and our cell: what we said of ourselves is not. */
	ilk_store_relaxed_(&b->who[i].owner, 0u);
	ilk_exchange_(&b->cell[i], ilk_barrier_vacated_(b));
	ilk_let_go_();
	/* Whoever waits looks whether all others have arrived: one of them is to be elected. */
	ilk_barrier_wake_(b);
	return 0;
}
