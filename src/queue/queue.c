/*
 * queue.c - many writers, many readers, cells that know whose they are: claiming, committing,
 * getting.
 *
 * State      cell.word  lap | owner | deliveries | state. The cell of position p is p modulo the
 *                       capacity, its lap p divided by it; words hold the lap modulo 2^27.
 *                 EMPTY    at its lap nothing was put yet
 *                 CLAIMED  owner is writing its message (deliveries 1: see dead_letter.c)
 *                 FULL     the message waits
 *                 TAKEN    owner has it leased, or is copying it out; owner 0: it was given back.
 *                          It was delivered so often. Its lap moves on while it lasts.
 *                 END      nothing is put from here on: the queue is closed
 *                 DONE     of lap l is EMPTY of lap l + 1
 *            cell.bytes, cell.serial: of the message, by who claimed it; the serial is the lap at
 *            which it was put: no two of a cell have the same. lane.tail, lane.head: hints, stored
 *            by anyone. state, and the rest: queue.h, end_of_work.c, queue_wait.c.
 * Words      claim    EMPTY(l) -> CLAIMED(l, me), CAS
 *            commit   CLAIMED(l, me) -> FULL(l)
 *            abort    CLAIMED(l, me) -> EMPTY(l + 1)
 *            skip     CLAIMED(l, dead) -> EMPTY(l + 1), CAS
 *            get      FULL(l) -> EMPTY(l + 1), CAS, after the copy
 *            lease    FULL(l) -> TAKEN(l, me, 1), CAS
 *            step     TAKEN(k, ., .) -> TAKEN(k + 1, ., .), CAS, by a putter that comes to k + 1, or
 *                     by a getter that is to mark the end there
 *            ack      TAKEN(k, me, d) -> DONE(k), a store of the half that has the state
 *            nack     TAKEN(k, me or dead, d) -> TAKEN(k, nobody, d), CAS
 *            again    TAKEN(k, nobody, d) -> TAKEN(k, me, d + 1), CAS
 *            end      EMPTY(l) -> END(l), CAS
 * Invariant  [I1] A cell's lap never falls, and from one lap on its states come in that order.
 *            [I2] Positions are claimed (or stepped over) one after the other: who claims p has
 *            seen that all before p are claimed. tail, and a handle's, is such a p. So a cell that
 *            is EMPTY at p's lap is the first free one for whoever came to p in that way.
 *            [I3] head, and a handle's, is a p before which no message waits for its first
 *            delivery: readers pass only what is over, or TAKEN. With [I2]: first in, first out.
 *            [I4] A stale hint is behind, never ahead. Of a cell's lap and p's the difference is
 *            taken as forward, unless it is exactly one back. So a hint may be as old as it likes;
 *            it is only counts that are wrong if it was stored by one who slept 2^27 laps.
 *            [I5] CLAIMED is changed by its owner, or after its death; by plain store, since nobody
 *            else does. TAKEN of a living owner is changed by that one, but for its lap, which others
 *            move by CAS of the whole word: so the owner stores its state alone, and that CAS fails,
 *            or is not undone. Of the dead, and nobody's, it is changed by CAS.
 *            [I6] What a get copied is the message if the word has not changed until its CAS; else
 *            it is thrown away. No lap comes again before 2^27 others.
 * Ordering   [Q1] claim:  compare-and-swap, full       <-> [Q4] [Q5]  the last user is out of it
 *            [Q2] commit: store word, release          <-> [Q3]  the message
 *            [Q3] look:   load word, acquire           <-> [Q2]
 *            [Q4] get:    copy; compare-and-swap, full <-> [Q1]  the copy is done before the word
 *            [Q5] ack:    store half a word, release   <-> [Q1]
 *            [Q6] wake:   change word; compiler barrier; load asleep, and, after [Q5], state
 *                 <-> [Q7] in queue_wait.c
 *            A fenced segment has a fence in [Q6]. The hints' loads and stores are relaxed: what
 *            they lead to is looked at.
 * Death      Each change is one word; what it leaves, by state. CLAIMED: getters and putters that
 *            wait for it skip it. TAKEN: lease.c. A hint that was not moved: the next one moves it.
 *            A wake-up that was not sent, or was given to the dead: sleepers look every 50 ms, 20
 *            where they wait for an owner or there are leases.
 */
#include "queue/cells.h"

/* --- the place to put --- */

/*
 * P's cell is leased, and a lap behind: its lease can be passed over if there is room behind it and
 * others like it. 1: it is worth a try.
 */
static int is_room_behind(const struct ilk_queue_handle *h, uint32_t lane, uint64_t p)
{
	for (uint64_t i = 1; i <= h->mask; i++) {
		const struct ilk_queue_cell_ *cell = ilk_queue_cell_(h, lane, p + i);
		uint64_t word = ilk_cell_meaning_(ilk_load_acquire_(&cell->word));

		if (ilk_queue_ahead_(h, word, p + i) != ILK_LAPS_)
			return ilk_cell_state_(word) != ILK_CELL_END_;
		if (ilk_cell_state_(word) != ILK_CELL_TAKEN_)
			return 0;
	}
	return 0;
}

int ilk_queue_step_over_(struct ilk_queue_handle *h, uint32_t lane, const struct ilk_queue_walk_ *w)
{
	uint64_t word = w->word;

	if (ilk_cell_state_(word) != ILK_CELL_TAKEN_ || !is_room_behind(h, lane, w->p))
		return ILK_QUEUE_NONE_;
	if (ilk_cas_full_(&w->cell->word, &word, word + ILK_CELL_LAP_))
		ilk_add_relaxed_(&h->queue->stepped, UINT64_C(1));
	return ILK_QUEUE_GOT_;
}

/* Goes on from W's position, which is claimed, as its cell's WORD tells; the hint goes along. */
static void catch_up(struct ilk_queue_handle *h, struct ilk_queue_walk_ *w, uint64_t word)
{
	uint64_t *hint = &ilk_queue_lane_(h, h->lane)->tail, shared = ilk_load_relaxed_(hint);

	w->p = ilk_later_(ilk_cell_first_free_(word, w->p, h->shift), shared);
	if ((int64_t)(w->p - shared) > ILK_QUEUE_HINT_LAG_)
		ilk_store_relaxed_(hint, w->p);
}

int ilk_queue_cannot_claim_(struct ilk_queue_handle *h, struct ilk_queue_walk_ *w,
	struct ilk_queue_cell_ *cell, uint64_t word)
{
	uint32_t ahead = ilk_queue_ahead_(h, word, w->p), state = ilk_cell_state_(word);

	if (ahead == ILK_LAPS_) {
		w->owner = state == ILK_CELL_CLAIMED_ ? ilk_cell_owner_(word) : 0;
		w->cell = cell;
		w->word = word;
		return ilk_queue_step_over_(h, h->lane, w);
	}
	if (ahead == 0 && state == ILK_CELL_END_)
		return ILK_QUEUE_END_;
	/* Free, and yet not to be had, is what is damaged. */
	if ((ahead || state == ILK_CELL_EMPTY_) && ++w->jumps > ILK_QUEUE_JUMPS_)
		return ILK_QUEUE_NONE_;
	catch_up(h, w, word);
	if (state != ILK_CELL_TAKEN_)
		ilk_queue_rest_(ILK_QUEUE_PAUSES_PASSED_);
	return ILK_QUEUE_GOT_;
}

/* Getters may wait for it, and who puts. */
void ilk_queue_give_back_(struct ilk_queue *q, uint64_t *word, uint64_t claimed)
{
	ilk_add_relaxed_(&q->skipped, UINT64_C(1));
	ilk_exchange_(word, ilk_cell_over_(claimed));
	ilk_queue_filled_(q, 1);
	if (ilk_queue_freed_(q))
		ilk_queue_wake_for_room_(q);
}

/* --- the oldest message --- */

/*
 * W's position is over, its cell AHEAD laps ahead: the first one that can be not. What is not over
 * lies less than a capacity before the first free one, and that as far before the cell's.
 */
int ilk_queue_is_over_(
	struct ilk_queue_handle *h, uint32_t lane, struct ilk_queue_walk_ *w, uint32_t ahead)
{
	uint64_t *hint = &ilk_queue_lane_(h, lane)->head, shared = ilk_load_relaxed_(hint);

	w->p = ahead < 2 ? w->p + 1 : w->p + ((uint64_t)(ahead - 2) << h->shift) + 1;
	w->p = ilk_later_(w->p, shared);
	if ((int64_t)(w->p - shared) > ILK_QUEUE_HINT_LAG_)
		ilk_store_relaxed_(hint, w->p);
	return ++w->jumps > ILK_QUEUE_JUMPS_ + 2 * h->mask ? ILK_QUEUE_NONE_ : ILK_QUEUE_GOT_;
}

/* --- what the dead leave in cells --- */

int ilk_queue_skip_if_dead_(struct ilk_queue_handle *h, struct ilk_queue_cell_ *cell, uint64_t word)
{
	struct ilk_queue *q = h->queue;

	if (ilk_owner_life_(ilk_thread_.segment, ilk_cell_owner_(word)) != ILK_LIFE_DEAD)
		return 0;
	if (ilk_cell_deliveries_(word))
		return ilk_queue_settle_move_(h, cell, word);
	if (!ilk_cas_full_(&cell->word, &word, ilk_cell_over_(word)))
		return 1;
	ilk_add_relaxed_(&q->skipped, UINT64_C(1));
	ilk_queue_wake_(q, ILK_QUEUE_PUTTERS_, 1);
	return 1;
}
