/*
 * cells.h - walking to the place to put, and to the oldest message; the hot part. What words mean,
 * and the labels: queue.c.
 */
#ifndef ILK_QUEUE_CELLS_H
#define ILK_QUEUE_CELLS_H

#include "queue/queue.h"
#include "queue/waiting.h"

enum {
	ILK_QUEUE_HINT_EACH_ = 8,
	ILK_QUEUE_HINT_LAG_ = 16,
	ILK_QUEUE_JUMPS_ = 64,
	ILK_QUEUE_PAUSES_PASSED_ = 2
};

/* Where a walk is, and what it found. */
struct ilk_queue_walk_ {
	uint64_t p;
	uint64_t word; /* what it means that was found in: */
	struct ilk_queue_cell_ *cell;
	uint32_t owner; /* who stands in the way; 0: nobody in particular */
	uint32_t jumps;
};

static inline void ilk_queue_rest_(unsigned pauses)
{
	while (pauses--)
		ilk_pause_();
}

/*
 * W's position is not to be had: CELL means WORD. GOT: look at the position it then is; NONE; END.
 */
int ilk_queue_cannot_claim_(struct ilk_queue_handle *h, struct ilk_queue_walk_ *w,
	struct ilk_queue_cell_ *cell, uint64_t word);

/*
 * W's cell, of LANE, is a lap behind: passes over what is leased there if there is room behind it.
 * GOT: look again; NONE.
 */
int ilk_queue_step_over_(
	struct ilk_queue_handle *h, uint32_t lane, const struct ilk_queue_walk_ *w);

/* What is claimed, as the word CLAIMED says, will hold nothing. */
void ilk_queue_give_back_(struct ilk_queue *q, uint64_t *word, uint64_t claimed);

/* [E6] of end_of_work.c: who claimed is to look once more. */
static inline int ilk_queue_is_too_late_(const struct ilk_queue *q)
{
	ilk_fence_after_rmw_();
	return (ilk_load_relaxed_(&q->state) & ILK_QUEUE_ENDED_) != 0;
}

/*
 * Claims the next position of H's lane for the calling thread, with MOVES in its word's deliveries.
 * GOT: W's cell, which held its word; NONE: there is no room, W's owner stands in the way; END.
 */
static inline int ilk_queue_claim_(
	struct ilk_queue_handle *h, uint32_t moves, struct ilk_queue_walk_ *w)
{
	int rc;

	w->p = h->tail;
	w->jumps = 0;
	do {
		struct ilk_queue_cell_ *cell = ilk_queue_cell_(h, h->lane, w->p);
		uint64_t empty = ilk_queue_lap_(h, w->p), word = ilk_load_relaxed_(&cell->word);
		uint64_t mine = ilk_cell_owned_(empty, ILK_CELL_CLAIMED_, ilk_thread_.owner, moves);

		if (ilk_cell_meaning_(word) == empty &&
			ilk_cas_full_(&cell->word, &word, mine)) { /* [Q1] */
			if (w->p % ILK_QUEUE_HINT_EACH_ == 0)
				ilk_store_relaxed_(&ilk_queue_lane_(h, h->lane)->tail, w->p);
			h->tail = w->p + 1;
			w->cell = cell;
			w->word = mine;
			if (!ILK_UNLIKELY_(ilk_queue_is_too_late_(h->queue)))
				return ILK_QUEUE_GOT_;
			ilk_queue_give_back_(h->queue, &cell->word, mine);
			return ILK_QUEUE_END_;
		}
		rc = ilk_queue_cannot_claim_(h, w, cell, ilk_cell_meaning_(word));
	} while (rc == ILK_QUEUE_GOT_);
	h->tail = w->p;
	return rc;
}

/* W's position is over, AHEAD laps ago: goes on. GOT; NONE: it went on too often. */
int ilk_queue_is_over_(
	struct ilk_queue_handle *h, uint32_t lane, struct ilk_queue_walk_ *w, uint32_t ahead);

/*
 * Walks to the oldest message of LANE that was not delivered yet. GOT: W's cell is FULL; BUSY: it
 * is CLAIMED by W's owner; NONE: W's cell is EMPTY, or a lap behind; END; -EBADMSG.
 */
static inline int ilk_queue_oldest_(
	struct ilk_queue_handle *h, uint32_t lane, struct ilk_queue_walk_ *w)
{
	int rc = ILK_QUEUE_GOT_;

	w->p = h->head[lane];
	w->jumps = 0;
	do {
		uint32_t ahead, state;

		w->cell = ilk_queue_cell_(h, lane, w->p);
		w->word = ilk_cell_meaning_(ilk_load_acquire_(&w->cell->word)); /* [Q3] */
		ahead = ilk_queue_ahead_(h, w->word, w->p);
		state = ilk_cell_state_(w->word);
		if (ahead == 0 && state == ILK_CELL_TAKEN_) {
			w->p++;
			continue;
		}
		if (ahead == 0) {
			h->head[lane] = w->p;
			w->owner = ilk_cell_owner_(w->word);
			return state == ILK_CELL_FULL_      ? ILK_QUEUE_GOT_
			       : state == ILK_CELL_EMPTY_   ? ILK_QUEUE_NONE_
			       : state == ILK_CELL_CLAIMED_ ? ILK_QUEUE_BUSY_
			       : state == ILK_CELL_END_     ? ILK_QUEUE_END_
							    : -EBADMSG;
		}
		rc = ahead == ILK_LAPS_ ? ILK_QUEUE_NONE_ : ilk_queue_is_over_(h, lane, w, ahead);
	} while (rc == ILK_QUEUE_GOT_);
	h->head[lane] = w->p;
	return rc;
}

/* Right before the word of W's cell, FULL, is swapped: whoever succeeds, it is FULL no more. */
static inline void ilk_queue_pass_(
	struct ilk_queue_handle *h, uint32_t lane, const struct ilk_queue_walk_ *w)
{
	if (w->p % ILK_QUEUE_HINT_EACH_ == 0)
		ilk_store_relaxed_(&ilk_queue_lane_(h, lane)->head, w->p);
	h->head[lane] = w->p + 1;
}

/*
 * Passes over the claim WORD in CELL if its owner is dead. 1: it is no more, or never was; 0: the
 * owner lives, or it cannot be told.
 */
int ilk_queue_skip_if_dead_(
	struct ilk_queue_handle *h, struct ilk_queue_cell_ *cell, uint64_t word);

/* dead_letter.c: the same for a claim of one who was moving a dead letter here. */
int ilk_queue_settle_move_(struct ilk_queue_handle *h, struct ilk_queue_cell_ *cell, uint64_t word);

/* Wakes up to N of a kind, if any may sleep. [Q6] */
static inline void ilk_queue_told_(struct ilk_queue *q, unsigned kind, int n)
{
	if (ILK_UNLIKELY_(ilk_load_relaxed_(&q->asleep[kind])))
		ilk_queue_wake_(q, kind, n);
}

/* Between a store and the question who sleeps. */
static inline void ilk_queue_fence_after_store_(void)
{
	if (ILK_UNLIKELY_(ilk_thread_.fenced))
		ilk_fence_();
	else
		ilk_compiler_barrier_();
}

/* After a store that made a message. */
static inline void ilk_queue_filled_(struct ilk_queue *q, int n)
{
	ilk_queue_fence_after_store_();
	ilk_queue_told_(q, ILK_QUEUE_GETTERS_, n);
}

/* After a swap by which a cell became free. */
static inline uint32_t ilk_queue_freed_(struct ilk_queue *q)
{
	ilk_fence_after_rmw_();
	return ilk_load_relaxed_(&q->asleep[ILK_QUEUE_PUTTERS_]); /* and who joins: [W4] */
}

/*
 * May the calling thread go the short way? It has a place here, and nothing FORBIDDEN has happened.
 * Of messages nothing is noted, whatever the segment notes of locks.
 */
static inline int ilk_queue_is_plain_(const struct ilk_queue *q, uint32_t forbidden)
{
	return ilk_is_there_(q) && !ILK_UNLIKELY_(ilk_load_relaxed_(&q->state) & forbidden);
}

#endif
