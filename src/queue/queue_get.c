/*
 * queue_get.c - getting a message: at once, waiting, many. The protocol, and the labels: queue.c.
 */
#include "queue/bytes.h"
#include "queue/taking.h"

/* --- taking a copy --- */

/*
 * What is longer than ILK_QUEUE_COPY_BYTES, and not longer than this, is copied first as long as no
 * other getter is faster; then so many gets lease.
 */
enum { ALONE_BYTES = 1024, CROWDED_GETS = 64 };

/* Else the long way is to be gone: what copy_now() refuses, get_slow() must not send to it. */
static inline int is_for_copy(const struct ilk_queue_handle *h, uint32_t bytes, size_t room)
{
	return bytes <= room && bytes <= h->message_bytes &&
	       (bytes <= ILK_QUEUE_COPY_BYTES || (bytes <= ALONE_BYTES && !h->crowd));
}

/*
 * How many bytes W's message has. -EMSGSIZE: more than ROOM, *SAID is told; -EBADMSG; NONE, as
 * -EAGAIN: it is another's by now, and these are perhaps another message's.
 */
static int64_t length_for(const struct ilk_queue_handle *h, const struct ilk_queue_walk_ *w,
	size_t room, size_t *said)
{
	uint32_t bytes = ilk_load_relaxed_(&w->cell->bytes);

	if (ILK_UNLIKELY_(bytes > h->message_bytes || bytes > room)) {
		ilk_fence_acquire_();
		if (ilk_load_relaxed_(&w->cell->word) != w->word)
			return -EAGAIN;
		if (bytes > h->message_bytes)
			return -EBADMSG;
		if (said)
			*said = bytes;
		return -EMSGSIZE;
	}
	return bytes;
}

/* Of one that the calling thread has TAKEN. */
static void copy_taken(struct ilk_queue *q, const struct ilk_queue_walk_ *w, char *buf,
	uint32_t bytes, size_t *said)
{
	memcpy(buf, w->cell->data, bytes);
	if (said)
		*said = bytes;
	ilk_queue_finish_word_(q, &w->cell->word);
}

static int take_by_lease(
	struct ilk_queue_want_ *want, const struct ilk_queue_walk_ *w, uint32_t bytes)
{
	if (!ilk_queue_lease_cell_(want->h, w))
		return ILK_QUEUE_NONE_;
	want->h->crowd -= want->h->crowd > 0;
	copy_taken(want->h->queue, w, want->buf, bytes, want->bytes);
	return ILK_QUEUE_GOT_;
}

static int take(struct ilk_queue_want_ *want, uint32_t lane, const struct ilk_queue_walk_ *w)
{
	struct ilk_queue_handle *h = want->h;
	int64_t bytes = length_for(h, w, want->room, want->bytes);

	if (bytes < 0)
		return bytes == -EAGAIN ? ILK_QUEUE_NONE_ : (int)bytes;
	if (!is_for_copy(h, (uint32_t)bytes, want->room)) {
		ilk_queue_pass_(h, lane, w);
		return take_by_lease(want, w, (uint32_t)bytes);
	}
	/* It is there: to be taken by ilk_queue_get(), right before the return. */
	want->is_there = 1;
	return ILK_QUEUE_GOT_;
}

static int take_again(struct ilk_queue_want_ *want, const struct ilk_queue_walk_ *w)
{
	int64_t bytes = length_for(want->h, w, want->room, want->bytes);

	if (bytes < 0)
		return bytes == -EAGAIN ? ILK_QUEUE_NONE_ : (int)bytes;
	return take_by_lease(want, w, (uint32_t)bytes);
}

/* --- looking everywhere --- */

/*
 * Nothing waits in LANE of a queue that is closed: marks its end, or passes over what is leased in
 * the place for that. GOT: look again; END: all of it is leased; NONE: nothing can be done, the walk
 * W did not come so far.
 */
static int approach_end(struct ilk_queue_handle *h, uint32_t lane, const struct ilk_queue_walk_ *w)
{
	if (w->cell != ilk_queue_cell_(h, lane, w->p))
		return ILK_QUEUE_NONE_;
	if (w->word == ilk_queue_lap_(h, w->p)) {
		ilk_queue_mark_end_(w);
		return ILK_QUEUE_GOT_;
	}
	if (ilk_queue_ahead_(h, w->word, w->p) != ILK_LAPS_)
		return ILK_QUEUE_NONE_;
	if (ilk_queue_step_over_(h, lane, w) == ILK_QUEUE_GOT_)
		return ILK_QUEUE_GOT_;
	return ilk_queue_end_unmarked_(h, lane);
}

/* The oldest of LANE, taken. GOT; NONE; BUSY; END; -E... */
static int take_from(struct ilk_queue_want_ *want, uint32_t lane)
{
	struct ilk_queue_handle *h = want->h;
	struct ilk_queue_walk_ w;
	int rc, is_closed;

	do {
		/* Before it is found empty: what is put later finds the mark. */
		is_closed = ilk_load_acquire_(&h->queue->state) & ILK_QUEUE_CLOSED_;
		rc = ilk_queue_oldest_(h, lane, &w);
		if (rc == ILK_QUEUE_GOT_) {
			rc = want->take(want, lane, &w);
			if (rc != ILK_QUEUE_NONE_)
				return rc;
		} else if (rc == ILK_QUEUE_BUSY_) {
			if (w.owner == ilk_thread_.owner)
				return -EDEADLK;
			if (!want->wait.deep || !ilk_queue_skip_if_dead_(h, w.cell, w.word))
				break;
		} else {
			if (rc == ILK_QUEUE_NONE_ && is_closed)
				rc = approach_end(h, lane, &w);
			if (rc != ILK_QUEUE_GOT_)
				break;
		}
	} while (1);
	want->wait.owner = rc == ILK_QUEUE_BUSY_ ? w.owner : want->wait.owner;
	return rc;
}

static int take_fresh(struct ilk_queue_want_ *want)
{
	struct ilk_queue_handle *h = want->h;
	uint32_t ended = 0, busy = 0;

	for (uint32_t i = 0; i < h->lanes; i++) {
		int rc = take_from(want, h->turn);

		if (rc == ILK_QUEUE_GOT_ || rc < 0)
			return rc;
		ended += rc == ILK_QUEUE_END_;
		busy += rc == ILK_QUEUE_BUSY_;
		h->turn = (h->turn + 1) & (h->lanes - 1);
	}
	if (ended == h->lanes)
		return ILK_QUEUE_END_;
	return busy ? ILK_QUEUE_BUSY_ : ILK_QUEUE_NONE_;
}

/* Is there nothing, and can there be nothing, since the calling thread has leased every place? */
static int is_stuck(const struct ilk_queue_handle *h, int rc)
{
	if (rc != ILK_QUEUE_NONE_ || !ilk_load_relaxed_(&h->queue->leased))
		return 0;
	for (uint32_t lane = 0; lane < h->lanes; lane++)
		if (!ilk_queue_is_all_mine_(h, lane))
			return 0;
	return 1;
}

static int take_anything(struct ilk_queue_wait_ *wait)
{
	struct ilk_queue_want_ *want = (struct ilk_queue_want_ *)(void *)wait;
	struct ilk_queue_handle *h = want->h;
	int rc = ilk_queue_take_back_(want);

	if (rc != ILK_QUEUE_NONE_)
		return rc;
	rc = take_fresh(want);
	if (rc == ILK_QUEUE_GOT_ || rc < 0)
		return rc;
	if (rc == ILK_QUEUE_END_)
		return ilk_queue_ended_(h);
	if (!wait->deep)
		return rc;
	ilk_queue_close_if_left_(h->queue);
	return is_stuck(h, rc) ? -EDEADLK : rc;
}

/* [W3] of queue_wait.c: is there more than the one that was found? */
static void pass_on(const struct ilk_queue_want_ *want)
{
	struct ilk_queue_handle *h = want->h;
	uint64_t p = h->head[h->turn] + want->is_there;
	uint64_t word = ilk_load_relaxed_(&ilk_queue_cell_(h, h->turn, p)->word);

	if (word == (ilk_queue_lap_(h, p) | ILK_CELL_FULL_))
		ilk_queue_told_(h->queue, ILK_QUEUE_GETTERS_, 1);
}

int ilk_queue_take_until_(struct ilk_queue_want_ *want, ilk_time deadline)
{
	struct ilk_segment *seg;
	int rc = ilk_queue_enter_(want->h->queue, 0);

	if (rc < 0)
		return rc;
	seg = ilk_thread_.segment;
	rc = ilk_inside_begin_(seg);
	if (rc < 0)
		return rc;
	if (++want->h->gets % ILK_QUEUE_RUN_ == 0)
		ilk_queue_end_run_(want->h);
	want->wait.queue = want->h->queue;
	want->wait.attempt = take_anything;
	want->wait.kind = ILK_QUEUE_GETTERS_;
	rc = ilk_queue_wait_for_(&want->wait, deadline);
	if (rc == 0 && want->lease && ilk_is_closing_(seg)) {
		ilk_let_go_();
		ilk_queue_return_(want->h->queue, ilk_cell_of_(want->lease->cell));
		rc = -ECANCELED;
	}
	if (rc == 0 && want->wait.slept)
		pass_on(want);
	ilk_inside_end_(seg);
	return rc;
}

/* --- the calls --- */

/* The long way. 0; 1: there is a short one, where H looks first; -E... */
static int find_until(
	struct ilk_queue_handle *h, void *buf, size_t room, size_t *bytes, ilk_time deadline)
{
	struct ilk_queue_want_ want = {.h = h,
		.take = take,
		.take_again = take_again,
		.buf = buf,
		.room = room,
		.bytes = bytes};
	int rc = ilk_queue_take_until_(&want, deadline);

	return rc < 0 ? rc : (int)want.is_there;
}

__attribute__((noinline)) static int woke_for_room(struct ilk_queue *q)
{
	ilk_queue_wake_for_room_(q);
	return 0;
}

/*
 * Copies the message where H looks first, if it is a short one that fits: to be taken by
 * swap_copied(). Its cell; NULL.
 */
static inline struct ilk_queue_cell_ *copy_now(
	struct ilk_queue_handle *h, char *buf, size_t room, size_t *said)
{
	uint32_t lane = h->turn, bytes;
	uint64_t p = h->head[lane], full = ilk_queue_lap_(h, p) | ILK_CELL_FULL_;
	struct ilk_queue_cell_ *cell = ilk_queue_cell_(h, lane, p);

	if (ilk_load_acquire_(&cell->word) != full) /* [Q3] */
		return NULL;
	bytes = ilk_load_relaxed_(&cell->bytes);
	if (ILK_UNLIKELY_(!is_for_copy(h, bytes, room)))
		return NULL;
	ilk_bytes_out_(buf, cell, bytes);
	if (said)
		*said = bytes;
	if (p % ILK_QUEUE_HINT_EACH_ == 0)
		ilk_store_relaxed_(&ilk_queue_lane_(h, lane)->head, p);
	h->head[lane] = p + 1;
	h->copied_word = full;
	return cell;
}

/* [Q4] Takes what was copied from CELL, if nobody has taken it since. */
static inline int swap_copied(struct ilk_queue_handle *h, struct ilk_queue_cell_ *cell)
{
	uint64_t full = h->copied_word;

	return ilk_cas_full_(&cell->word, &full, ilk_cell_over_(full));
}

/* W's message, the oldest where H looks first, is a long one. GOT; NONE: by the long way. */
static int take_long(struct ilk_queue_handle *h, const struct ilk_queue_walk_ *w, char *buf,
	size_t room, size_t *said)
{
	int64_t bytes = length_for(h, w, room, said);

	if (bytes < 0)
		return ILK_QUEUE_NONE_;
	ilk_queue_pass_(h, h->turn, w);
	if (!ilk_queue_lease_cell_(h, w))
		return ILK_QUEUE_NONE_;
	h->crowd -= h->crowd > 0;
	copy_taken(h->queue, w, buf, (uint32_t)bytes, said);
	return ILK_QUEUE_GOT_;
}

/* What is not to be had at once; a short one is taken by ilk_queue_get(), there alone. */
__attribute__((noinline)) static int get_slow(
	struct ilk_queue_handle *h, void *buf, size_t room, size_t *bytes, ilk_time deadline)
{
	struct ilk_queue_walk_ w;
	int rc, is_there = ilk_queue_is_still_fresh_(h) && ilk_queue_find_(h, &w);
	int is_short = is_there && is_for_copy(h, ilk_load_relaxed_(&w.cell->bytes), room);

	if (is_there && !is_short && take_long(h, &w, buf, room, bytes))
		return 0;
	if (!is_short) {
		rc = find_until(h, buf, room, bytes, deadline);
		if (rc <= 0)
			return rc;
	}
	return ilk_queue_get(h, buf, room, bytes, deadline);
}

/*
 * The end of a get: a function of its own, in which nothing is left to be done behind the swap but
 * to ask who sleeps. Killed there, the message is lost.
 */
__attribute__((noinline)) static int finish_get(struct ilk_queue_handle *h, void *buf, size_t room,
	size_t *bytes, ilk_time deadline, struct ilk_queue_cell_ *cell)
{
	if (ILK_UNLIKELY_(!swap_copied(h, cell))) {
		h->crowd = CROWDED_GETS;
		return get_slow(h, buf, room, bytes, deadline);
	}
	return ILK_UNLIKELY_(ilk_queue_freed_(h->queue)) ? woke_for_room(h->queue) : 0;
}

int ilk_queue_get(
	struct ilk_queue_handle *h, void *buf, size_t room, size_t *bytes, ilk_time deadline)
{
	struct ilk_queue_cell_ *cell =
		ilk_queue_is_fresh_(h) ? copy_now(h, buf, room, bytes) : NULL;

	if (!cell)
		return get_slow(h, buf, room, bytes, deadline);
	return finish_get(h, buf, room, bytes, deadline, cell);
}

/* Those that are simply there, without telling anybody. How many. */
static size_t get_run(
	struct ilk_queue_handle *h, char *buf, size_t each, size_t most, size_t *sizes)
{
	struct ilk_queue_cell_ *cell;
	size_t done = 0;

	do {
		if (done == most)
			return done;
		cell = copy_now(h, buf + done * each, each, sizes ? &sizes[done] : NULL);
		done++;
	} while (cell && swap_copied(h, cell));
	return done - 1;
}

static size_t get_more(
	struct ilk_queue_handle *h, char *buf, size_t each, size_t most, size_t *sizes)
{
	size_t done = ilk_queue_is_fresh_(h) ? get_run(h, buf, each, most, sizes) : 0;

	if (done && ilk_queue_freed_(h->queue))
		ilk_queue_wake_for_room_(h->queue);
	return done;
}

int ilk_queue_get_many(struct ilk_queue_handle *h, void *buf, size_t each, size_t most,
	size_t *sizes, size_t *got, ilk_time deadline)
{
	size_t done = 0;
	int rc = 0;

	if (most == 0)
		return -EINVAL;
	while (done < most && rc == 0) {
		rc = ilk_queue_get(h, (char *)buf + done * each, each, sizes ? &sizes[done] : NULL,
			done ? ILK_NOW : deadline);
		if (rc < 0)
			break;
		done++;
		done += get_more(h, (char *)buf + done * each, each, most - done,
			sizes ? &sizes[done] : NULL);
	}
	if (done == 0)
		return rc;
	if (got)
		*got = done;
	return 0;
}
