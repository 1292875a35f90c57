/*
 * dead_letter.c - what is delivered no more: dropped, or moved to the queue of dead letters.
 *
 * State      of the queue of dead letters: mover, a mutex, held while a message is moved there;
 *            journal: whose move, from which word, to which; stage 0 = nothing is decided, 1 = it
 *            is moved, whatever the two words still say. The claim of a mover has deliveries 1.
 * Invariant  [B1] Between stage 1 and 0, and by who holds `mover` only, the claim becomes FULL, and
 *            what was TAKEN is over. Each once: both words tell whether it was done.
 *            [B2] A mover's claim is passed over only by who holds `mover`, after the journal was
 *            settled: then it was not decided.
 *            [B3] A message that was delivered max_deliveries times is touched by who holds `mover`
 *            alone, but for becoming nobody's.
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

/* Is it TAKEN, by OWNER or nobody? */
static int is_buriable(uint64_t word, uint32_t owner)
{
	uint32_t found = ilk_cell_owner_(word);

	return ilk_cell_state_(word) == ILK_CELL_TAKEN_ && (found == 0 || found == owner);
}

static int drop(struct ilk_queue_handle *h, const struct ilk_queue_walk_ *w)
{
	uint64_t word = w->word;
	uint32_t owner = ilk_cell_owner_(word);

	do {
		if (ilk_cell_state_(word) != ILK_CELL_TAKEN_ || ilk_cell_owner_(word) != owner)
			return 1;
	} while (!ilk_cas_full_(&w->cell->word, &word, ilk_cell_over_(word)));
	ilk_add_relaxed_(&h->queue->dropped, UINT64_C(1));
	ilk_queue_tell_done_(h->queue);
	return 1;
}

/* --- moving --- */

static uint64_t offset_of(const void *word)
{
	return (uint64_t)((const char *)word - ilk_thread_.segment->map.base);
}

/* The cell whose word lies at OFFSET; NULL: none can. */
static struct ilk_queue_cell_ *cell_at(uint64_t offset)
{
	const struct ilk_map_ *map = &ilk_thread_.segment->map;

	if (offset % 16 || offset > map->bytes - sizeof(struct ilk_queue_cell_))
		return NULL;
	return (struct ilk_queue_cell_ *)(void *)(map->base + offset);
}

/* [B1] What a dead mover had decided is done. Holding D's mover. */
static void settle_journal(struct ilk_queue *d)
{
	struct ilk_queue_journal_ j = d->journal;
	struct ilk_queue_cell_ *from = cell_at(j.from), *to = cell_at(j.to);
	uint64_t word;

	if (!j.stage)
		return;
	word = to ? ilk_load_acquire_(&to->word) : 0;
	if (ilk_cell_state_(word) == ILK_CELL_CLAIMED_ && ilk_cell_deliveries_(word) == MOVES &&
		ilk_cell_owner_(word) == j.owner)
		ilk_cas_full_(&to->word, &word, ilk_cell_with_(word, ILK_CELL_FULL_));
	word = from ? ilk_load_acquire_(&from->word) : 0;
	while (from && is_buriable(word, j.owner) && from->serial == j.serial &&
		!ilk_cas_full_(&from->word, &word, ilk_cell_over_(word)))
		;
	ilk_store_release_(&d->journal.stage, 0u);
	ilk_queue_filled_(d, 1);
}

/* Tries to lock D's mover, and settles what was left. 1; 0. */
static int lock_mover(struct ilk_queue *d)
{
	int rc = ilk_mutex_try_lock(&d->mover);

	if (rc < 0)
		return 0;
	settle_journal(d);
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

/* What W's cell has, TAKEN by the calling thread, goes to the cell that TO has claimed. */
static void move(struct ilk_queue *d, const struct ilk_queue_walk_ *w,
	const struct ilk_queue_walk_ *to, uint32_t bytes)
{
	struct ilk_queue_journal_ *j = &d->journal;

	memcpy(to->cell->data, w->cell->data, bytes);
	ilk_store_relaxed_(&to->cell->bytes, bytes);
	ilk_store_relaxed_(&to->cell->serial, ilk_cell_serial_(to->word));
	j->owner = ilk_thread_.owner;
	j->serial = w->cell->serial;
	j->from = offset_of(w->cell);
	j->to = offset_of(to->cell);
	ilk_store_release_(&j->stage, 1u);
	ilk_store_release_(&to->cell->word, ilk_cell_with_(to->word, ILK_CELL_FULL_));
}

/* There was no room: what the calling thread has TAKEN becomes nobody's, and nobody is told. */
static void leave(struct ilk_queue_cell_ *cell)
{
	uint64_t word = ilk_load_relaxed_(&cell->word);

	while (!ilk_cas_full_(&cell->word, &word,
		ilk_cell_owned_(word, ILK_CELL_TAKEN_, 0, ilk_cell_deliveries_(word))))
		;
}

/* Holding the mover of D's queue. 2: it was moved; 1: it is not in W's cell any more; 0. */
static int move_to(struct ilk_queue_handle *d, const struct ilk_queue_walk_ *w)
{
	uint64_t word = ilk_load_acquire_(&w->cell->word), mine;
	uint32_t bytes = ilk_load_relaxed_(&w->cell->bytes);
	struct ilk_queue_walk_ to;

	if (bytes > d->message_bytes || ilk_load_acquire_(&d->queue->state) & ILK_QUEUE_CLOSED_)
		return 0;
	do {
		if (!is_buriable(word, ilk_thread_.owner))
			return 1;
		mine = ilk_cell_owned_(
			word, ILK_CELL_TAKEN_, ilk_thread_.owner, ilk_cell_deliveries_(word));
	} while (!ilk_cas_full_(&w->cell->word, &word, mine));
	if (ilk_queue_claim_(d, MOVES, &to) != ILK_QUEUE_GOT_) {
		leave(w->cell);
		return 0;
	}
	move(d->queue, w, &to, bytes);
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
	rc = move_to(&d, w);
	if (rc == 2) {
		ilk_queue_finish_(h->queue, w->cell);
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
