/* queue_put.c - putting: at once, by reserving, many. The protocol, and the labels: queue.c. */
#include "queue/bytes.h"
#include "queue/cells.h"
#include "queue/lanes.h"
#include "queue/taking.h"

/* [Q2] Weaker: a getter could see the word before the message. */
static inline void commit(struct ilk_queue_cell_ *cell, uint64_t claimed, size_t bytes)
{
	/* Getters that are late may look at them still. */
	ilk_store_relaxed_(&cell->bytes, (uint32_t)bytes);
	ilk_store_relaxed_(&cell->serial, ilk_cell_serial_(claimed));
	ilk_store_release_(&cell->word, ilk_cell_with_(claimed, ILK_CELL_FULL_));
}

/* --- waiting for room --- */

struct place {
	struct ilk_queue_wait_ wait;
	struct ilk_queue_handle *h;
	struct ilk_queue_walk_ walk;
};

static int claim_or_not(struct ilk_queue_wait_ *wait)
{
	struct place *place = (struct place *)(void *)wait;
	struct ilk_queue_handle *h = place->h;
	struct ilk_queue_walk_ *w = &place->walk;
	int rc;

	do {
		if (ilk_load_relaxed_(&h->queue->state) & ILK_QUEUE_CLOSED_)
			return -EPIPE;
		w->owner = 0;
		rc = ilk_queue_claim_(h, 0, w);
		wait->owner = w->owner;
		if (rc == ILK_QUEUE_NONE_ && w->owner == ilk_thread_.owner)
			return -EDEADLK;
	} while (rc == ILK_QUEUE_NONE_ && wait->deep && w->owner &&
		 ilk_queue_skip_if_dead_(h, w->cell, w->word));
	if (rc == ILK_QUEUE_NONE_ && wait->deep && ilk_load_relaxed_(&h->queue->leased)) {
		if (ilk_queue_is_all_mine_(h, h->lane))
			return -EDEADLK;
		ilk_queue_look_for_dead_(h);
	}
	return rc == ILK_QUEUE_END_                     ? -EPIPE
	       : rc == ILK_QUEUE_NONE_ && w->owner != 0 ? ILK_QUEUE_BUSY_
							: rc;
}

/* Of several that were to be woken, one who was woken may have found his place taken still. */
static void pass_on(struct ilk_queue_handle *h)
{
	const struct ilk_queue_cell_ *next = ilk_queue_cell_(h, h->lane, h->tail);

	if (ilk_cell_meaning_(ilk_load_relaxed_(&next->word)) == ilk_queue_lap_(h, h->tail))
		ilk_queue_told_(h->queue, ILK_QUEUE_PUTTERS_, 1);
}

static int claim_until(struct ilk_queue_handle *h, struct ilk_queue_walk_ *w, ilk_time deadline)
{
	struct place place = {
		.wait = {.queue = h->queue, .attempt = claim_or_not, .kind = ILK_QUEUE_PUTTERS_},
		.h = h};
	struct ilk_segment *seg;
	int rc = ilk_queue_enter_(h->queue, ILK_QUEUE_CLOSED_);

	if (rc < 0)
		return rc;
	seg = ilk_thread_.segment;
	ilk_queue_choose_lane_(h);
	rc = ilk_inside_begin_(seg);
	if (rc < 0)
		return rc;
	rc = ilk_queue_wait_for_(&place.wait, deadline);
	*w = place.walk;
	if (rc == 0 && ilk_is_closing_(seg)) {
		ilk_queue_give_back_(h->queue, &w->cell->word, w->word);
		rc = -ECANCELED;
	}
	if (rc == 0 && place.wait.slept)
		pass_on(h);
	ilk_inside_end_(seg);
	return rc;
}

static inline int claim(struct ilk_queue_handle *h, struct ilk_queue_walk_ *w, ilk_time deadline)
{
	if (ilk_queue_is_plain_(h->queue, ILK_QUEUE_CLOSED_ | ILK_QUEUE_REMOVED_) &&
		ilk_queue_has_lane_(h) && ilk_queue_claim_(h, 0, w) == ILK_QUEUE_GOT_)
		return 0;
	return claim_until(h, w, deadline);
}

/* --- the calls --- */

int ilk_queue_put(struct ilk_queue_handle *h, const void *data, size_t bytes, ilk_time deadline)
{
	struct ilk_queue_walk_ w;
	int rc;

	if (bytes > h->message_bytes)
		return -EMSGSIZE;
	rc = claim(h, &w, deadline);
	if (rc < 0)
		return rc;
	ilk_bytes_in_(w.cell, data, bytes);
	commit(w.cell, w.word, bytes);
	ilk_queue_filled_(h->queue, 1);
	return 0;
}

/* Those for which there is room at once, without telling anybody. How many. */
static size_t put_run(struct ilk_queue_handle *h, const char *data, size_t bytes, size_t count)
{
	struct ilk_queue_walk_ w;
	size_t done = 0;

	while (done < count && ilk_queue_claim_(h, 0, &w) == ILK_QUEUE_GOT_) {
		ilk_bytes_in_(w.cell, data + done * bytes, bytes);
		commit(w.cell, w.word, bytes);
		done++;
	}
	return done;
}

static inline int at_most(size_t n)
{
	return n < INT32_MAX ? (int)n : INT32_MAX;
}

int ilk_queue_put_many(struct ilk_queue_handle *h, const void *data, size_t bytes, size_t count,
	size_t *put, ilk_time deadline)
{
	const char *at = data;
	size_t done = 0;
	int rc = 0;

	if (count == 0)
		return -EINVAL;
	while (done < count && rc == 0) {
		rc = ilk_queue_put(h, at + done * bytes, bytes, deadline);
		if (rc < 0)
			break;
		done++;
		if (ilk_queue_is_plain_(h->queue, ILK_QUEUE_CLOSED_ | ILK_QUEUE_REMOVED_)) {
			size_t more = put_run(h, at + done * bytes, bytes, count - done);

			done += more;
			if (more)
				ilk_queue_filled_(h->queue, at_most(more));
		}
	}
	if (done == 0)
		return rc;
	if (put)
		*put = done;
	return 0;
}

/* --- reservations --- */

/*
 * For who has a place here. That the registry's epoch moves meanwhile is nothing to him. The cell is
 * asked, too: a forked child can have the owner word of its parent's thread, which is gone, and has a
 * copy of its handle.
 */
static int is_mine(const struct ilk_queue_handle *h)
{
	return h->reserved && ilk_cell_owner_(h->reserved_word) == ilk_thread_.owner &&
	       ilk_load_relaxed_(h->reserved) == h->reserved_word;
}

int ilk_queue_reserve(struct ilk_queue_handle *h, size_t bytes, void **where, ilk_time deadline)
{
	struct ilk_queue_walk_ w;
	int rc;

	if (bytes > h->message_bytes)
		return -EMSGSIZE;
	rc = ilk_here_(h->queue);
	if (rc < 0)
		return rc;
	if (is_mine(h))
		return -EBUSY;
	rc = claim(h, &w, deadline);
	if (rc < 0)
		return rc;
	ilk_hold_();
	h->reserved = &w.cell->word;
	h->reserved_word = w.word;
	h->reserved_bytes = (uint32_t)bytes;
	*where = w.cell->data;
	return 0;
}

/* Has the calling thread a reservation in H? 0; -EPERM. */
static int find_mine(struct ilk_queue_handle *h)
{
	if (!h->reserved || (!ilk_is_here_(h->queue) && ilk_find_mine_(h->queue) < 0))
		return -EPERM;
	return is_mine(h) ? 0 : -EPERM;
}

int ilk_queue_commit(struct ilk_queue_handle *h, size_t bytes)
{
	int rc = find_mine(h);

	if (rc < 0)
		return rc;
	if (bytes > h->reserved_bytes)
		return -EMSGSIZE;
	commit(ilk_cell_of_(h->reserved), h->reserved_word, bytes);
	h->reserved = NULL;
	ilk_let_go_();
	ilk_queue_filled_(h->queue, 1);
	return 0;
}

int ilk_queue_abort(struct ilk_queue_handle *h)
{
	int rc = find_mine(h);

	if (rc < 0)
		return rc;
	ilk_queue_give_back_(h->queue, h->reserved, h->reserved_word);
	h->reserved = NULL;
	ilk_let_go_();
	return 0;
}
