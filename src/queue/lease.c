/*
 * lease.c - messages that are leased: acked, given back, delivered again. Words and labels:
 * queue.c.
 *
 * State      TAKEN(lap, owner, deliveries): owner has it; 0: nobody, it is to be delivered again.
 *            cell.serial: which message of the cell it is. returned: moves with each that becomes
 *            nobody's; a handle remembers the value at which it found no more of them.
 * Invariant  [L1] A TAKEN cell is left by its owner, or, after its death, by being nobody's. Its
 *            lap moves with the putters that pass over it: [I5] of queue.c.
 *            [L2] (serial, deliveries, owner) is one lease: who acks has checked all three, and
 *            while the owner lives nobody else changes them.
 * Ordering   [L3] return: swap word, add returned  <-> [L4] look: load returned, acquire; load
 *            words. Weaker: a given-back message would wait for the next sweep.
 * Death      With TAKEN: the next who looks makes it nobody's, one word. After [L3]'s swap, before
 *            the add: a later sweep counts it as returned. Taken again by one who dies: it is his,
 *            TAKEN. Looked for: where one waits, and every 20 ms by those who get.
 */
#include "os/futex.h"
#include "queue/oldest.h"
#include "queue/taking.h"
#include <limits.h>

/* The hint of a queue's tail is never so many laps late, however short the queue is. */
enum { SWEEP_EACH = 20 * 1000 * 1000, COST_SHARE = 10, HINT_LAPS = 64 };

/* --- taking, finishing, giving back --- */

static int is_taken_by(uint64_t word, uint32_t owner)
{
	return ilk_cell_state_(word) == ILK_CELL_TAKEN_ && ilk_cell_owner_(word) == owner;
}

int ilk_queue_wake_for_done_(struct ilk_queue *q)
{
	if (ilk_load_relaxed_(&q->asleep[ILK_QUEUE_PUTTERS_]))
		ilk_queue_wake_for_room_(q);
	/* Who found the end may wait for this one. */
	if (ilk_load_relaxed_(&q->state) & ILK_QUEUE_CLOSED_)
		ilk_queue_wake_(q, ILK_QUEUE_GETTERS_, INT_MAX);
	return 0;
}

/* TAKEN by OWNER becomes nobody's, with LESS deliveries. 1; 0: it was not his any more. */
static int disown(struct ilk_queue *q, struct ilk_queue_cell_ *cell, uint32_t owner, uint32_t less)
{
	uint64_t word = ilk_load_relaxed_(&cell->word);

	do {
		if (!is_taken_by(word, owner))
			return 0;
	} while (!ilk_cas_full_(&cell->word, &word,
		ilk_cell_owned_(word, ILK_CELL_TAKEN_, 0, ilk_cell_deliveries_(word) - less)));
	ilk_add_full_(&q->returned, 1u); /* [L3] */
	ilk_queue_filled_(q, 1);
	return 1;
}

void ilk_queue_return_(struct ilk_queue *q, struct ilk_queue_cell_ *cell)
{
	disown(q, cell, ilk_thread_.owner, 1);
}

/* --- what comes back --- */

/* The lease of what was put first, of those seen. */
struct oldest {
	uint64_t name;
	uint32_t laps; /* ago */
};

static void consider(
	struct oldest *o, const struct ilk_queue_handle *h, uint64_t number, uint64_t word)
{
	uint32_t lane = (uint32_t)(number >> h->shift);
	uint64_t tail = ilk_load_relaxed_(&ilk_queue_lane_(h, lane)->tail);
	uint32_t serial = ilk_load_relaxed_(&ilk_queue_numbered_(h, number)->serial);
	uint32_t laps =
		(ilk_cell_serial_(ilk_queue_lap_(h, tail)) - serial + HINT_LAPS) & ILK_LAPS_;

	if (o->name && laps <= o->laps)
		return;
	o->name = ilk_lease_name_(number, word, serial);
	o->laps = laps;
}

/* Notes it, unless it is noted already. */
static void note_oldest(struct ilk_queue *q, const struct oldest *o)
{
	if (o->name && o->name != ilk_load_relaxed_(&q->oldest))
		ilk_lease_note_(q, o->name, ilk_now());
}

int ilk_queue_disown_dead_(struct ilk_queue_handle *h)
{
	struct ilk_living_ living = {.slots = {0}};
	struct ilk_segment *seg = ilk_thread_.segment;
	struct oldest oldest = {.name = 0};
	int found = 0;

	for (uint64_t i = 0; i < ilk_queue_cells_(h); i++) {
		struct ilk_queue_cell_ *cell = ilk_queue_numbered_(h, i);
		uint64_t word = ilk_load_acquire_(&cell->word);
		uint32_t owner = ilk_cell_owner_(word);

		if (ilk_cell_state_(word) != ILK_CELL_TAKEN_)
			continue;
		if (owner == 0)
			found++;
		else if (owner != ilk_thread_.owner &&
			 ilk_owner_life_once_(seg, owner, &living) == ILK_LIFE_DEAD)
			found += disown(h->queue, cell, owner, 0);
		else
			consider(&oldest, h, i, word);
	}
	note_oldest(h->queue, &oldest);
	return found;
}

int ilk_queue_bury_spent_(struct ilk_queue_handle *h)
{
	int found = 0;

	for (uint64_t i = 0; i < ilk_queue_cells_(h); i++) {
		struct ilk_queue_walk_ w = {.cell = ilk_queue_numbered_(h, i)};

		w.word = ilk_load_acquire_(&w.cell->word);
		if (ilk_queue_is_spent_(h->max_deliveries, w.word))
			found += ilk_queue_bury_(h, &w);
	}
	return found;
}

int ilk_queue_repair_(struct ilk_queue_handle *h)
{
	int found = ilk_queue_disown_dead_(h);

	for (uint64_t i = 0; i < ilk_queue_cells_(h); i++) {
		struct ilk_queue_cell_ *cell = ilk_queue_numbered_(h, i);
		uint64_t word = ilk_load_acquire_(&cell->word);

		/* Under the guard, what may have to open another queue is left to who gets. */
		if (ilk_cell_state_(word) == ILK_CELL_CLAIMED_ && !ilk_cell_deliveries_(word))
			found += ilk_queue_skip_if_dead_(h, cell, word);
	}
	return found != 0;
}

void ilk_queue_look_for_dead_(struct ilk_queue_handle *h)
{
	int64_t now;

	if (!ilk_load_relaxed_(&h->queue->leased))
		return;
	now = ilk_now();
	if (now < h->swept)
		return;
	/*
	 * Also what could not be moved to the dead letters, or was given back by one who died in
	 * it.
	 */
	if (ilk_queue_disown_dead_(h))
		h->returned = ilk_load_acquire_(&h->queue->returned) - 1;
	h->swept = now + SWEEP_EACH;
	now += COST_SHARE * (ilk_now() - now);
	h->swept = h->swept > now ? h->swept : now;
}

/* What W's cell holds is nobody's. GOT; NONE; -E... */
static int take_one_back(struct ilk_queue_want_ *want, struct ilk_queue_walk_ *w)
{
	int rc;

	do {
		w->word = ilk_load_acquire_(&w->cell->word);
		if (!is_taken_by(w->word, 0))
			return ILK_QUEUE_NONE_;
		if (ilk_queue_is_spent_(want->h->max_deliveries, w->word)) {
			ilk_queue_bury_(want->h, w);
			return ILK_QUEUE_NONE_;
		}
		rc = want->take_again(want, w);
	} while (rc == ILK_QUEUE_NONE_);
	return rc;
}

int ilk_queue_take_back_(struct ilk_queue_want_ *want)
{
	struct ilk_queue_handle *h = want->h;
	uint32_t returned, all = (uint32_t)ilk_queue_cells_(h);

	ilk_queue_look_for_dead_(h);
	returned = ilk_load_acquire_(&h->queue->returned); /* [L4] */
	if (h->returned == returned)
		return ILK_QUEUE_NONE_;
	for (uint32_t i = 0; i < all; i++) {
		struct ilk_queue_walk_ w = {.cell = ilk_queue_numbered_(h, h->sweep_at)};
		int rc = take_one_back(want, &w);

		if (rc != ILK_QUEUE_NONE_)
			return rc;
		h->sweep_at = (h->sweep_at + 1) & (all - 1);
	}
	h->returned = returned;
	return ILK_QUEUE_NONE_;
}

/* --- the calls --- */

/* Is W's message whole? GOT, and *BYTES; NONE: it is another's by now; -EBADMSG. */
static int is_whole(
	const struct ilk_queue_handle *h, const struct ilk_queue_walk_ *w, uint32_t *bytes)
{
	*bytes = ilk_load_relaxed_(&w->cell->bytes);
	if (*bytes <= h->message_bytes)
		return ILK_QUEUE_GOT_;
	ilk_fence_acquire_();
	return ilk_load_relaxed_(&w->cell->word) == w->word ? -EBADMSG : ILK_QUEUE_NONE_;
}

/* W's cell, of BYTES bytes, becomes the calling thread's, and L says so. GOT; NONE. */
static inline int lease_it(struct ilk_queue_handle *h, const struct ilk_queue_walk_ *w,
	uint32_t bytes, struct ilk_queue_lease *l)
{
	/* Of W's message if the swap succeeds. */
	uint32_t serial = ilk_load_relaxed_(&w->cell->serial);

	if (!ilk_queue_lease_cell_(h, w))
		return ILK_QUEUE_NONE_;
	ilk_hold_();
	l->cell = &w->cell->word;
	l->data = w->cell->data;
	l->bytes = bytes;
	l->serial = serial;
	l->deliveries = ilk_queue_deliveries_after_(w->word);
	return ILK_QUEUE_GOT_;
}

/* The same of one that is FULL, the oldest of LANE. */
static inline int lease_fresh(struct ilk_queue_handle *h, uint32_t lane,
	const struct ilk_queue_walk_ *w, struct ilk_queue_lease *l)
{
	uint32_t bytes;
	int rc = is_whole(h, w, &bytes);

	if (rc != ILK_QUEUE_GOT_)
		return rc;
	ilk_queue_pass_(h, lane, w);
	return lease_it(h, w, bytes, l);
}

static int take_again(struct ilk_queue_want_ *want, const struct ilk_queue_walk_ *w)
{
	uint32_t bytes;
	int rc = is_whole(want->h, w, &bytes);

	return rc == ILK_QUEUE_GOT_ ? lease_it(want->h, w, bytes, want->lease) : rc;
}

static int take(struct ilk_queue_want_ *want, uint32_t lane, const struct ilk_queue_walk_ *w)
{
	return lease_fresh(want->h, lane, w, want->lease);
}

/* The name of what cell NUMBER has leased; 0: nothing. */
static uint64_t name_in(const struct ilk_queue_handle *h, uint64_t number)
{
	const struct ilk_queue_cell_ *cell = ilk_queue_numbered_(h, number);

	return ilk_lease_name_(
		number, ilk_load_acquire_(&cell->word), ilk_load_relaxed_(&cell->serial));
}

/* Where what was noted as the oldest is over, L is noted, which was just leased. */
static void note_if_oldest(const struct ilk_queue_handle *h, const struct ilk_queue_lease *l)
{
	uint64_t noted = ilk_load_acquire_(&h->queue->oldest), number = ilk_lease_number_(noted);

	if (noted && number < ilk_queue_cells_(h) && name_in(h, number) == noted)
		return;
	number = ilk_queue_number_(h, ilk_cell_of_(l->cell));
	ilk_lease_note_(h->queue, name_in(h, number), ilk_now());
}

static int lease_until(struct ilk_queue_handle *h, struct ilk_queue_lease *lease, ilk_time deadline)
{
	struct ilk_queue_want_ want = {
		.h = h, .take = take, .take_again = take_again, .lease = lease};
	int rc = ilk_queue_take_until_(&want, deadline);

	if (rc == 0)
		note_if_oldest(h, lease);
	return rc;
}

__attribute__((noinline)) static int lease_slow(
	struct ilk_queue_handle *h, struct ilk_queue_lease *lease, ilk_time deadline)
{
	struct ilk_queue_walk_ w;

	if (ilk_queue_is_still_fresh_(h) && ilk_queue_find_(h, &w) &&
		lease_fresh(h, h->turn, &w, lease) == ILK_QUEUE_GOT_)
		return 0;
	return lease_until(h, lease, deadline);
}

/* Leases what lies where H looks first, if it is there. */
static inline int lease_now(struct ilk_queue_handle *h, struct ilk_queue_lease *lease)
{
	uint64_t p = h->head[h->turn], full = ilk_queue_lap_(h, p) | ILK_CELL_FULL_;
	struct ilk_queue_walk_ w = {.p = p, .word = full, .cell = ilk_queue_cell_(h, h->turn, p)};

	return ilk_load_acquire_(&w.cell->word) == full && /* [Q3] */
	       ilk_load_relaxed_(&h->queue->leased) &&
	       lease_fresh(h, h->turn, &w, lease) == ILK_QUEUE_GOT_;
}

int ilk_queue_lease(struct ilk_queue_handle *h, struct ilk_queue_lease *lease, ilk_time deadline)
{
	if (ilk_queue_is_fresh_(h) && lease_now(h, lease))
		return 0;
	return lease_slow(h, lease, deadline);
}

/* [L2] Is LEASE the calling thread's, who has a place here? 0; -EPERM. */
static inline int check(const struct ilk_queue_handle *h, const struct ilk_queue_lease *l)
{
	uint64_t at = (uint64_t)((char *)l->cell - h->cells), word, mine;

	if (at >= h->lanes * h->lane_bytes || at % sizeof(struct ilk_queue_cell_))
		return -EPERM;
	word = ilk_load_acquire_(l->cell);
	mine = ilk_cell_owned_(word, ILK_CELL_TAKEN_, ilk_thread_.owner, l->deliveries);
	return word == mine && ilk_load_relaxed_(&ilk_cell_of_(l->cell)->serial) == l->serial
		       ? 0
		       : -EPERM;
}

static inline int ack(struct ilk_queue_handle *h, const struct ilk_queue_lease *lease)
{
	if (check(h, lease) < 0)
		return -EPERM;
	ilk_let_go_();
	return ilk_queue_finish_word_(h->queue, lease->cell);
}

__attribute__((noinline)) static int ack_slow(
	struct ilk_queue_handle *h, const struct ilk_queue_lease *lease)
{
	return ilk_find_mine_(h->queue) < 0 ? -EPERM : ack(h, lease);
}

int ilk_queue_ack(struct ilk_queue_handle *h, const struct ilk_queue_lease *lease)
{
	return ilk_is_here_(h->queue) ? ack(h, lease) : ack_slow(h, lease);
}

int ilk_queue_nack(struct ilk_queue_handle *h, const struct ilk_queue_lease *lease)
{
	struct ilk_queue_walk_ w = {.cell = ilk_cell_of_(lease->cell)};

	if ((!ilk_is_here_(h->queue) && ilk_find_mine_(h->queue) < 0) || check(h, lease) < 0)
		return -EPERM;
	w.word = ilk_load_acquire_(lease->cell);
	ilk_let_go_();
	if (!h->max_deliveries || lease->deliveries < h->max_deliveries || !ilk_queue_bury_(h, &w))
		disown(h->queue, w.cell, ilk_thread_.owner, 0);
	return 0;
}
