/*
 * dead_letter.c - what is delivered no more: dropped, or moved to the queue of dead letters.
 *
 * State      of the queue of dead letters: mover, a mutex, held while a message is moved there;
 *            journal: whose move, from which cell of which queue, to which; stage 0 = nothing is
 *            decided, 1 = it is moved, whatever the two words still say. The claim of a mover has
 *            deliveries 1.
 * Invariant  [B1] Between stage 1 and 0, and by who holds `mover` only, the claim becomes FULL, and
 *            what was TAKEN is over. Each once: both words tell whether it was done.
 *            [B2] A mover's claim is passed over only by who holds `mover`, after the journal was
 *            settled: then it was not decided.
 *            [B4] Where the message comes from is known by the queue's id: one that was removed,
 *            and made anew under its name, has other messages. It is held open meanwhile. One that
 *            is damaged is as good as gone: it cannot hold up those of other queues.
 *            [B3] A message that was delivered max_deliveries times is touched by who holds `mover`
 *            alone, but for becoming nobody's.
 *            [B5] A cell's lap moves while it is TAKEN, and it can be buried, and filled anew, between
 *            any two looks: who buries asks the word that he swaps, and reads the rest after.
 * Ordering   the mutex; commit as [Q2] of queue.c
 * Death      before stage 1: the message is in its queue, TAKEN, and a claim of the dead in the
 *            other. After it: moved. Whoever holds `mover` next does the rest: the next move, or
 *            the getter that meets the claim.
 */
#include "queue/lanes.h"
#include "queue/taking.h"
#include "segment/types.h"
#include <ilk/object.h>
#include <limits.h>
#include <string.h>

enum { MOVES = 1 };

/*
 * [B5] May the calling thread bury what WORD says? It has that TAKEN, or it is spent: else it was
 * buried meanwhile, and the cell has another message.
 */
static int may_bury(const struct ilk_queue_handle *h, uint64_t word)
{
	return ilk_queue_is_spent_(h->max_deliveries, word) ||
	       (ilk_cell_state_(word) == ILK_CELL_TAKEN_ &&
		       ilk_cell_owner_(word) == ilk_thread_.owner);
}

static int drop(struct ilk_queue_handle *h, const struct ilk_queue_walk_ *w)
{
	uint64_t word = w->word;

	do {
		if (!may_bury(h, word))
			return 1;
	} while (!ilk_cas_full_(&w->cell->word, &word, ilk_cell_over_(word)));
	ilk_add_relaxed_(&h->queue->dropped, UINT64_C(1));
	ilk_fence_after_rmw_();
	ilk_queue_tell_done_(h->queue);
	return 1;
}

/* --- moving --- */

/* The queue that J's message comes from. 1: there it is, open; 0: it is gone; -E... */
static int open_source(const struct ilk_queue_journal_ *j, struct ilk_queue **source)
{
	int rc = ilk_queue_open(ilk_thread_.segment, j->name, NULL, source);

	if (rc == -ENOENT || rc == -EEXIST || rc == -EINVAL || rc == -ENAMETOOLONG ||
		rc == -EBADMSG)
		return 0;
	if (rc < 0 || (*source)->id == j->id) /* [B4] */
		return rc < 0 ? rc : 1;
	ilk_object_close(*source);
	return 0;
}

/* Cell NUMBER of Q; NULL: there is none. */
static struct ilk_queue_cell_ *numbered(struct ilk_queue *q, uint32_t number)
{
	struct ilk_queue_handle h;

	if (ilk_queue_attach(q, &h) < 0 || number >= ilk_queue_cells_(&h))
		return NULL;
	return ilk_queue_numbered_(&h, number);
}

/* What D's mover had claimed is there. */
static void fill_claim(struct ilk_queue *d, const struct ilk_queue_journal_ *j)
{
	struct ilk_queue_cell_ *to = numbered(d, j->to);
	uint64_t word = to ? ilk_load_acquire_(&to->word) : 0;

	if (ilk_cell_state_(word) == ILK_CELL_CLAIMED_ && ilk_cell_deliveries_(word) == MOVES &&
		ilk_cell_owner_(word) == j->owner)
		ilk_cas_full_(&to->word, &word, ilk_cell_with_(word, ILK_CELL_FULL_));
}

/* Is it TAKEN, by OWNER or nobody? */
static int is_left_by(uint64_t word, uint32_t owner)
{
	uint32_t found = ilk_cell_owner_(word);

	return ilk_cell_state_(word) == ILK_CELL_TAKEN_ && (found == 0 || found == owner);
}

/* What it had TAKEN is over. */
static void clear_source(struct ilk_queue *source, const struct ilk_queue_journal_ *j)
{
	struct ilk_queue_cell_ *from = numbered(source, j->from);
	uint64_t word = from ? ilk_load_acquire_(&from->word) : 0;

	while (from && is_left_by(word, j->owner) && from->serial == j->serial &&
		!ilk_cas_full_(&from->word, &word, ilk_cell_over_(word)))
		;
	ilk_fence_after_rmw_();
	ilk_queue_tell_done_(source);
}

/* [B1] What a dead mover had decided is done. Holding D's mover. 1; 0: it cannot be, now. */
static int settle_journal(struct ilk_queue *d)
{
	struct ilk_queue_journal_ j = d->journal;
	struct ilk_queue *source;
	int rc;

	if (!j.stage)
		return 1;
	j.name[sizeof j.name - 1] = 0;
	rc = open_source(&j, &source);
	if (rc < 0)
		return 0;
	fill_claim(d, &j);
	if (rc == 1) {
		clear_source(source, &j);
		ilk_object_close(source);
	}
	ilk_store_release_(&d->journal.stage, 0u);
	ilk_queue_filled_(d, 1);
	return 1;
}

/* Tries to lock D's mover, and settles what was left. 1; 0. */
static int lock_mover(struct ilk_queue *d)
{
	int rc = ilk_mutex_try_lock(&d->mover);

	if (rc < 0)
		return 0;
	if (!settle_journal(d)) {
		ilk_mutex_unlock(&d->mover);
		return 0;
	}
	if (rc == ILK_RECOVERED)
		ilk_mutex_repaired(&d->mover);
	return 1;
}

int ilk_queue_settle_move_(struct ilk_queue_handle *h, struct ilk_queue_cell_ *cell, uint64_t word)
{
	struct ilk_queue *d = h->queue;

	if (!lock_mover(d))
		return 0;
	if (ilk_cas_full_(&cell->word, &word, ilk_cell_over_(word))) /* [B2] */
		ilk_add_relaxed_(&d->skipped, UINT64_C(1));
	ilk_mutex_unlock(&d->mover);
	return 1;
}

static void write_journal(struct ilk_queue_journal_ *j, const struct ilk_queue_handle *h,
	const struct ilk_queue_cell_ *cell)
{
	j->owner = ilk_thread_.owner;
	j->serial = cell->serial;
	j->from = (uint32_t)ilk_queue_number_(h, cell);
	j->id = h->queue->id;
	memcpy(j->name, h->queue->name, sizeof j->name);
}

/*
 * What W's cell of H's queue has, TAKEN by the calling thread, goes to the cell that TO, in D's, has
 * claimed.
 */
static void move(const struct ilk_queue_handle *h, const struct ilk_queue_walk_ *w,
	const struct ilk_queue_handle *d, const struct ilk_queue_walk_ *to, uint32_t bytes)
{
	struct ilk_queue_journal_ *j = &d->queue->journal;

	memcpy(to->cell->data, w->cell->data, bytes);
	ilk_store_relaxed_(&to->cell->bytes, bytes);
	ilk_store_relaxed_(&to->cell->serial, ilk_cell_serial_(to->word));
	write_journal(j, h, w->cell);
	j->to = (uint32_t)ilk_queue_number_(d, to->cell);
	ilk_store_release_(&j->stage, 1u);
	ilk_store_release_(&to->cell->word, ilk_cell_with_(to->word, ILK_CELL_FULL_));
}

/* It cannot be moved: what the calling thread has TAKEN becomes nobody's, and nobody is told. */
static void leave(struct ilk_queue_cell_ *cell)
{
	uint64_t word = ilk_load_relaxed_(&cell->word);

	while (!ilk_cas_full_(&cell->word, &word,
		ilk_cell_owned_(word, ILK_CELL_TAKEN_, 0, ilk_cell_deliveries_(word))))
		;
}

/* Holding the mover of D's queue. 2: it was moved; 1: it is not in W's cell, of H, any more; 0. */
static int move_to(const struct ilk_queue_handle *h, const struct ilk_queue_walk_ *w,
	struct ilk_queue_handle *d)
{
	uint64_t word = ilk_load_acquire_(&w->cell->word), mine;
	struct ilk_queue_walk_ to;
	uint32_t bytes;

	if (ilk_load_acquire_(&d->queue->state) & ILK_QUEUE_CLOSED_)
		return 0;
	do {
		if (!may_bury(h, word)) /* [B5] */
			return 1;
		mine = ilk_cell_owned_(
			word, ILK_CELL_TAKEN_, ilk_thread_.owner, ilk_cell_deliveries_(word));
	} while (!ilk_cas_full_(&w->cell->word, &word, mine));
	bytes = ilk_load_relaxed_(&w->cell->bytes);
	if (bytes > h->message_bytes || bytes > d->message_bytes ||
		ilk_queue_claim_(d, MOVES, &to) != ILK_QUEUE_GOT_) {
		leave(w->cell);
		return 0;
	}
	move(h, w, d, &to, bytes);
	return 2;
}

static int move_away(
	struct ilk_queue_handle *h, struct ilk_queue *dead, const struct ilk_queue_walk_ *w)
{
	struct ilk_queue_handle d;
	int rc;

	if (ilk_queue_attach(dead, &d) < 0 || !lock_mover(dead))
		return 0;
	ilk_queue_choose_lane_(&d);
	rc = move_to(h, w, &d);
	if (rc == 2) {
		ilk_queue_finish_word_(h->queue, &w->cell->word);
		ilk_store_release_(&dead->journal.stage, 0u);
		ilk_add_relaxed_(&h->queue->moved, UINT64_C(1));
		ilk_queue_filled_(dead, 1);
	}
	ilk_mutex_unlock(&dead->mover);
	return rc != 0;
}

int ilk_queue_bury_(struct ilk_queue_handle *h, const struct ilk_queue_walk_ *w)
{
	struct ilk_queue *dead;
	char name[ILK_NAME_BYTES_];
	int rc;

	memcpy(name, h->queue->dead_letter, sizeof name);
	name[sizeof name - 1] = 0;
	if (!name[0])
		return drop(h, w);
	if (ilk_queue_open(ilk_thread_.segment, name, NULL, &dead) < 0)
		return 0;
	rc = move_away(h, dead, w);
	ilk_object_close(dead);
	return rc;
}
