/*
 * end_of_work.c - closing a queue, and who puts into it.
 *
 * State      state: CLOSED for good, REMOVED for good; above them a count that moves with each
 *            registration. producers[slot of a thread]: 0 = nobody of that slot ever registered;
 *            its owner word = registered, while that thread lives; FINISHED.
 * Invariant  [E1] Who says that a queue has ended has marked its end, or found it marked: in the
 *            first free cell, after it saw CLOSED. No position behind a mark is ever claimed ([I2]
 *            of queue.c). So each put that succeeded lies before the mark, whenever it looked at
 *            state.
 *            Where there is no free cell, since all of a lane are leased, ENDED is set instead, and
 *            then all of them are found leased: who claims one later gives it back.
 *            [E2] By itself a queue is closed only by a compare-and-swap of state as it was before
 *            the table was looked through: a registration in between makes it fail, or comes too
 *            late and finds CLOSED.
 * Ordering   [E3] begin: swap producers[], then swap state        <-> [E4]
 *            [E4] left:  load state, acquire; load producers[]; swap state, full <-> [E3]
 *            [E5] end:   swap producers[], full; then [E4]: of the last two, one sees both
 *            [E6] claim: swap word, full; load state <-> [E7] end: swap state, full; load words
 *                 of both, one sees the other
 *            closing wakes after it: [Q9] of queue_wait.c
 * Death      In begin: registered, which its death ends, or not. In end, before the swap: the same;
 *            after it: whoever waits to get looks by itself. In close: CLOSED or not; sleepers
 *            look.
 */
#include "os/futex.h"
#include "queue/taking.h"
#include <limits.h>

enum { FINISHED = 1 };

static void wake_all(struct ilk_queue *q)
{
	for (unsigned kind = 0; kind < ILK_QUEUE_KINDS_; kind++)
		ilk_futex_step_and_wake_(&q->bells[kind].bell, INT_MAX);
}

void ilk_queue_change_state_(struct ilk_queue *q, uint32_t flag)
{
	ilk_or_full_(&q->state, flag); /* [Q9] */
	wake_all(q);
}

/* --- closing --- */

int ilk_queue_close(struct ilk_queue *q)
{
	int rc = ilk_queue_enter_(q, 0);

	if (rc < 0)
		return rc;
	ilk_queue_change_state_(q, ILK_QUEUE_CLOSED_);
	return 0;
}

/* [E1] */
void ilk_queue_mark_end_(const struct ilk_queue_walk_ *w)
{
	uint64_t word = ilk_load_relaxed_(&w->cell->word);

	if (ilk_cell_meaning_(word) == w->word)
		ilk_cas_full_(&w->cell->word, &word, ilk_cell_with_(w->word, ILK_CELL_END_));
}

/* Of cells that are TAKEN, how many the calling thread has, and others; how many nobody will get. */
struct taken {
	uint64_t mine, others, spent;
};

static void count_taken(const struct ilk_queue_handle *h, uint32_t lane, struct taken *t)
{
	for (uint64_t i = 0; i <= h->mask; i++) {
		uint64_t word = ilk_load_acquire_(&ilk_queue_cell_(h, lane, i)->word);

		if (ilk_cell_state_(word) != ILK_CELL_TAKEN_)
			continue;
		if (ilk_cell_owner_(word) == ilk_thread_.owner)
			t->mine++;
		else if (ilk_queue_is_spent_(h->max_deliveries, word))
			t->spent++;
		else
			t->others++;
	}
}

int ilk_queue_ended_(struct ilk_queue_handle *h)
{
	struct taken t = {.mine = 0};

	for (uint32_t lane = 0; lane < h->lanes; lane++)
		count_taken(h, lane, &t);
	/* Once more: nobody may come after us. */
	if (t.spent && !t.others)
		ilk_queue_bury_spent_(h);
	return t.others && !t.mine ? ILK_QUEUE_NONE_ : -EPIPE;
}

int ilk_queue_end_unmarked_(struct ilk_queue_handle *h, uint32_t lane)
{
	uint32_t has_ended = ilk_load_acquire_(&h->queue->state) & ILK_QUEUE_ENDED_;
	struct taken t = {.mine = 0};

	count_taken(h, lane, &t);
	if (t.mine + t.others + t.spent <= h->mask)
		return ILK_QUEUE_NONE_;
	if (has_ended)
		return ILK_QUEUE_END_;
	ilk_or_full_(&h->queue->state, (uint32_t)ILK_QUEUE_ENDED_); /* [E7] */
	ilk_fence_after_rmw_();
	return ILK_QUEUE_GOT_;
}

int ilk_queue_is_all_mine_(const struct ilk_queue_handle *h, uint32_t lane)
{
	for (uint64_t i = 0; i <= h->mask; i++) {
		uint64_t word = ilk_load_acquire_(&ilk_queue_cell_(h, lane, i)->word);

		if (ilk_cell_state_(word) != ILK_CELL_TAKEN_ ||
			ilk_cell_owner_(word) != ilk_thread_.owner)
			return 0;
	}
	return 1;
}

/* --- producers --- */

/* [E3] 0; -EPIPE; -EIDRM. */
static int count_registration(struct ilk_queue *q)
{
	uint32_t state = ilk_load_acquire_(&q->state);

	do {
		if (state & ILK_QUEUE_REMOVED_)
			return -EIDRM;
		if (state & ILK_QUEUE_CLOSED_)
			return -EPIPE;
	} while (!ilk_cas_full_(&q->state, &state, state + ILK_QUEUE_BEGUN_));
	return 0;
}

int ilk_queue_produce_begin(struct ilk_queue *q)
{
	uint32_t *mine;
	int rc = ilk_queue_enter_(q, ILK_QUEUE_CLOSED_);

	if (rc < 0)
		return rc;
	mine = &ilk_queue_producers_(q)[ilk_thread_.me->slot];
	if (ilk_load_relaxed_(mine) == ilk_thread_.owner)
		return -EALREADY;
	ilk_hold_();
	ilk_store_release_(&q->registered, 1u);
	ilk_exchange_(mine, ilk_thread_.owner);
	rc = count_registration(q);
	if (rc < 0) {
		ilk_exchange_(mine, (uint32_t)FINISHED);
		ilk_let_go_();
	}
	return rc;
}

int ilk_queue_produce_end(struct ilk_queue *q)
{
	uint32_t *mine;
	int rc = ilk_is_here_(q) ? 0 : ilk_find_mine_(q);

	if (rc < 0)
		return rc;
	if (ilk_load_relaxed_(&q->tag) != ILK_QUEUE_TAG_)
		return -EINVAL;
	mine = &ilk_queue_producers_(q)[ilk_thread_.me->slot];
	if (ilk_load_relaxed_(mine) != ilk_thread_.owner)
		return -EPERM;
	ilk_exchange_(mine, (uint32_t)FINISHED); /* [E5] */
	ilk_let_go_();
	ilk_queue_close_if_left_(q);
	return 0;
}

/* Has anybody registered, and are all who did gone? */
static int is_left(struct ilk_segment *seg, const struct ilk_queue *q)
{
	const uint32_t *producers = ilk_queue_producers_(q);
	struct ilk_living_ living = {.slots = {0}};
	int any = 0;

	for (uint32_t i = 0; i < seg->map.header.thread_slots; i++) {
		uint32_t word = ilk_load_acquire_(&producers[i]);

		if (word > FINISHED && ilk_owner_life_once_(seg, word, &living) != ILK_LIFE_DEAD)
			return 0;
		any |= word != 0;
	}
	return any;
}

void ilk_queue_close_if_left_(struct ilk_queue *q)
{
	uint32_t state;

	if (!ilk_load_relaxed_(&q->registered))
		return;
	do {
		state = ilk_load_acquire_(&q->state); /* [E4] */
		if (state & ILK_QUEUE_CLOSED_ || !is_left(ilk_thread_.segment, q))
			return;
	} while (!ilk_cas_full_(&q->state, &state, state | ILK_QUEUE_CLOSED_));
	wake_all(q);
}
