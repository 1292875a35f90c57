/* taking.h - getting and leasing: one request, and the ways to serve it. */
#ifndef ILK_QUEUE_TAKING_H
#define ILK_QUEUE_TAKING_H

#include "queue/cells.h"
#include "queue/waiting.h"

/* One call that wants a message. */
struct ilk_queue_want_ {
	struct ilk_queue_wait_ wait;
	struct ilk_queue_handle *h;
	/*
	 * Takes the message of W's cell, of LANE, in the way of the call: GOT; NONE: it is
	 * another's by now; -EMSGSIZE, -EBADMSG.
	 */
	int (*take)(struct ilk_queue_want_ *want, uint32_t lane, const struct ilk_queue_walk_ *w);
	/* The same of one that comes back, TAKEN as W's word says. */
	int (*take_again)(struct ilk_queue_want_ *want, const struct ilk_queue_walk_ *w);
	/* A get's. */
	char *buf;
	size_t room, *bytes;
	uint32_t is_there; /* set: it was found, where H looks first, and not taken */
	/* A lease's. */
	struct ilk_queue_lease *lease;
};

/* After so many calls one looks for more than fresh messages where it looked last. */
enum { ILK_QUEUE_RUN_ = 64 };

/* Is there nothing but fresh messages to look for? */
static inline int ilk_queue_is_fresh_(struct ilk_queue_handle *h)
{
	return ilk_queue_is_plain_(h->queue, ILK_QUEUE_REMOVED_) &&
	       h->returned == ilk_load_relaxed_(&h->queue->returned) && ++h->gets % ILK_QUEUE_RUN_;
}

/* lanes.c: the same once more; after a run it is another lane's turn, and the dead are looked for. */
int ilk_queue_is_still_fresh_(struct ilk_queue_handle *h);

/* lanes.c: a run of gets is over. */
void ilk_queue_end_run_(struct ilk_queue_handle *h);

/*
 * lanes.c: looks for another lane than the one whose turn it is, that has a message: W's cell; it
 * is its turn then. 1; 0.
 */
int ilk_queue_take_turns_(struct ilk_queue_handle *h, struct ilk_queue_walk_ *w);

/* Finds the oldest message where H looks first, or, where that lane is empty, in another. 1; 0. */
static inline int ilk_queue_find_(struct ilk_queue_handle *h, struct ilk_queue_walk_ *w)
{
	return ilk_queue_oldest_(h, h->turn, w) == ILK_QUEUE_GOT_ ||
	       (h->lanes > 1 && ilk_queue_take_turns_(h, w));
}

/* queue_get.c: serves WANT, whose ways are set, waiting until DEADLINE. */
int ilk_queue_take_until_(struct ilk_queue_want_ *want, ilk_time deadline);

/*
 * lease.c: takes a message that is nobody's any more, since it was given back or its holder is
 * dead. GOT; NONE; -E... as take_again.
 */
int ilk_queue_take_back_(struct ilk_queue_want_ *want);

/* What the dead have TAKEN becomes nobody's. How many are, or were so already. */
int ilk_queue_disown_dead_(struct ilk_queue_handle *h);

/* The same every 20 ms, or so rarely that it is a tenth of the time. */
void ilk_queue_look_for_dead_(struct ilk_queue_handle *h);

/* Is what WORD says nobody's, and was delivered as often as it may be? Then nobody gets it again. */
static inline int ilk_queue_is_spent_(uint32_t max_deliveries, uint64_t word)
{
	return max_deliveries && ilk_cell_state_(word) == ILK_CELL_TAKEN_ &&
	       !ilk_cell_owner_(word) && ilk_cell_deliveries_(word) >= max_deliveries;
}

/* lease.c: buries what is spent, where that can be done. How many. */
int ilk_queue_bury_spent_(struct ilk_queue_handle *h);

/* The count of deliveries that follows WORD's; it ends somewhere. */
static inline uint32_t ilk_queue_deliveries_after_(uint64_t word)
{
	uint32_t deliveries = ilk_cell_deliveries_(word);

	return deliveries + (deliveries < ILK_DELIVERIES_);
}

/* The cell W, FULL or to be taken again, becomes the calling thread's. 1; 0: it is another's. */
static inline int ilk_queue_lease_cell_(struct ilk_queue_handle *h, const struct ilk_queue_walk_ *w)
{
	uint64_t word = w->word;

	if (ILK_UNLIKELY_(!ilk_load_relaxed_(&h->queue->leased)))
		ilk_store_relaxed_(&h->queue->leased, 1u);
	return ilk_cas_full_(&w->cell->word, &word,
		ilk_cell_owned_(word, ILK_CELL_TAKEN_, ilk_thread_.owner,
			ilk_queue_deliveries_after_(word)));
}

/* Something is done: wakes those who wait for that. 0 */
int ilk_queue_wake_for_done_(struct ilk_queue *q);
static inline int ilk_queue_tell_done_(struct ilk_queue *q)
{
	return ILK_UNLIKELY_(ilk_load_relaxed_(&q->asleep[ILK_QUEUE_PUTTERS_]) ||
			     ilk_load_relaxed_(&q->state) & ILK_QUEUE_CLOSED_)
		       ? ilk_queue_wake_for_done_(q)
		       : 0;
}

/*
 * [Q5] What the calling thread has TAKEN in the cell of WORD is done. A putter may move its lap
 * meanwhile. Weaker: who claims it could write before we have read. 0
 */
static inline int ilk_queue_finish_word_(struct ilk_queue *q, uint64_t *word)
{
	ilk_store_release_(ilk_cell_lower_(word), (ilk_cell_half_)ILK_CELL_DONE_);
	ilk_queue_fence_after_store_();
	return ilk_queue_tell_done_(q);
}

/* What it has TAKEN there is given back, undelivered. */
void ilk_queue_return_(struct ilk_queue *q, struct ilk_queue_cell_ *cell);

/*
 * end_of_work.c: all lanes of H's queue are at their end. -EPIPE: nothing comes back any more;
 * NONE.
 */
int ilk_queue_ended_(struct ilk_queue_handle *h);

/*
 * [E6] Of a closed queue: has LANE nothing but leases, so that there is no place for the mark? END:
 * it has, and claims are given back by now; GOT: from here on they are: look again; NONE: it has not.
 */
int ilk_queue_end_unmarked_(struct ilk_queue_handle *h, uint32_t lane);

/* Has the calling thread leased every place of LANE? */
int ilk_queue_is_all_mine_(const struct ilk_queue_handle *h, uint32_t lane);

/* Marks the end in W's cell, of a closed queue, if it is free still. */
void ilk_queue_mark_end_(const struct ilk_queue_walk_ *w);

/* Sets a flag of Q's state for good, and wakes all. */
void ilk_queue_change_state_(struct ilk_queue *q, uint32_t flag);

/* lease.c: what the dead have left in the cells is put right. 1: there was something; 0. */
int ilk_queue_repair_(struct ilk_queue_handle *h);

/* Closes the queue if all who registered have gone. */
void ilk_queue_close_if_left_(struct ilk_queue *q);

/*
 * dead_letter.c: W's cell holds a message that was delivered often enough, and that is nobody's, or
 * the calling thread has TAKEN. 1: it is gone from here; 0: it stays.
 */
int ilk_queue_bury_(struct ilk_queue_handle *h, const struct ilk_queue_walk_ *w);

#endif
