/*
 * ring.c - messages from one process to another: putting and getting one.
 *
 * State      see ring.h. How a side is taken: ring_side.c; waiting: ring_wait.c; several at once:
 *            ring_batch.c; what needs no waiting: include/ilk/ring_inline.h.
 * Invariant  [I1] What an end holds is written by its owner alone, one process by its life lock; a
 *            successor begins when the kernel has proved the death of the last.
 *            [I2] The header at the writer's position is 0 until that message is whole: a put writes
 *            0 behind the message before it writes the header before it. So there is always room for
 *            a header more than what is in use, and a writer that died leaves no trace of what it
 *            had not finished.
 *            [I3] writer.at is a position that was the writer's own, never ahead of it: the header
 *            is written first. A successor follows the headers from there, at most a batch.
 *            [I4] reader.at is exact. tail is never ahead of it: a successor begins at reader.at, and
 *            finds everything from there as it was.
 *            [I5] number is written before at. Where a death came between, the number in the header
 *            at `at` tells: it is smaller.
 *            [I6] A message lies in one piece: what does not fit before the end of data goes to its
 *            start, and a header SKIP says so.
 * Ordering   [R1] put: store header (fixed: writer.at), release <-> [R2]  the message's bytes
 *            [R2] get: load header (fixed: writer.at), acquire  <-> [R1]
 *            [R3] release: store reader.at, then tail, release  <-> [R4]  its reads are done
 *            [R4] look for room: load tail or reader.at, acquire <-> [R3]  before it writes there
 *            [R5] put: store header; barrier; load to_writer      <-> [R6]  one of both sees the
 *            [R6] sleep: set SLEEPS in to_writer; membarrier; load header <-> [R5]  other. In a
 *                 fenced segment both sides run a full fence.
 *            [R7] release: store reader.at; barrier; load to_reader <-> [R8]  the same for
 *            [R8] sleep: set SLEEPS in to_reader; membarrier; load reader.at <-> [R7]  the writer
 *            [R9] close: swap owner, full; set LOOK in to_writer <-> [R10]  a writer that misses the
 *            [R10] put: clear LOOK; fence; load owner            <-> [R9]   one sees the other
 * Death      writer, before [R1]: nothing was put. After: it was, and a reader that sleeps looks by
 *            itself within 20 ms. Between [R1] and writer.at: see [I3], [I5]; the reader may be
 *            ahead of writer.at then, and that is no damage.
 *            writer, in a batch: headers behind the first are written before it, so all or nothing.
 *            writer, after SKIP: a successor follows it.
 *            reader, before reader.at is stored: its successor reads the message again. After: gone,
 *            and a writer that sleeps looks by itself within 20 ms.
 *            either, in taking a side: nothing is written until it is its own; what is then, is what
 *            stood there, made exact, and the next does it again.
 *            either, in closing: before the swap, as the dead; after it, closed; a writer that was
 *            not told to look finds out when it wants room.
 * Close      who waits is counted, and gets -ECANCELED; nothing was put or got then.
 * Fork       a child's handle is out of date: the epoch reads as 0 there, and the process slot is not
 *            its own.
 * Damage     A position, a size or a number that cannot be is -EBADMSG; no access depends on one that
 *            was not checked. A peer can spoil what it could write anyway: the messages.
 *
 * Source: the header as a flag is FastForward's; that the reader publishes where it is only now and
 * then, MCRingBuffer's. That both survive their owners is ours.
 */
#include "queue/ring.h"
#include "os/futex.h"
#include <errno.h>

/* --- the handle --- */

int ilk_ring_mine_(struct ilk_ring_hold_ *hold)
{
	uint64_t epoch = ilk_load_acquire_(ilk_epoch_);
	struct ilk_segment *seg;
	const struct ilk_member_ *member;
	int is_mine, is_next; /* another segment, where the ring's was */

	if (!hold->ring)
		return -EPERM;
	if (hold->epoch == epoch)
		return 0;
	seg = ilk_find_attachment_(hold->ring);
	if (!seg || seg->read_only)
		return -EINVAL;
	ilk_registry_lock_();
	epoch = ilk_load_relaxed_(ilk_epoch_); /* of a forked child, revived by now */
	member = seg->member;
	is_next = member->serial != hold->member;
	is_mine = member->joined &&
		  ilk_ring_owner_(member->process, member->generation) == hold->owner;
	ilk_registry_unlock_();
	if (is_next)
		return -EINVAL;
	if (!is_mine)
		return -EPERM;
	hold->epoch = epoch;
	return 0;
}

/* --- the writer --- */

void ilk_ring_reach_(struct ilk_ring_writer *w)
{
	const struct ilk_ring_hold_ *h = &w->hold;
	uint64_t room = w->limit - h->at, rest = h->bytes - h->offset;

	w->until = h->at + (room < rest ? room : rest);
}

int ilk_ring_limit_(struct ilk_ring_writer *w, uint64_t position)
{
	const struct ilk_ring_hold_ *h = &w->hold;
	uint64_t room = h->bytes - (h->stride ? 0 : ILK_RING_HEADER_); /* [I2] */

	if (h->at - position > room || (h->stride && (h->at - position) % h->stride))
		return -EBADMSG;
	/* The tail may be older than what was looked at last. */
	if (position + room - h->at > w->limit - h->at)
		w->limit = position + room;
	ilk_ring_reach_(w);
	return 0;
}

/* [I6] */
static void skip(struct ilk_ring_writer *w)
{
	struct ilk_ring_hold_ *h = &w->hold;
	uint64_t *here = ilk_ring_header_(h, h->offset);

	ilk_store_relaxed_(ilk_ring_header_(h, 0), UINT64_C(0));    /* [I2] */
	ilk_store_release_(here, h->number << 32 | ILK_RING_SKIP_); /* [R1] */
	ilk_ring_move_(h, h->bytes - h->offset, 0);
	ilk_ring_reach_(w);
}

/* Is there room for N bytes, as far as was looked? */
static int fits(struct ilk_ring_writer *w, size_t n)
{
	const struct ilk_ring_hold_ *h = &w->hold;
	uint64_t record = ilk_ring_record_(h, n), rest = h->bytes - h->offset;

	ilk_ring_reach_(w);
	if (w->until - h->at >= record)
		return 1;
	if (record <= rest || w->limit - h->at < rest + record)
		return 0;
	skip(w);
	return 1;
}

static int look_for_room(struct ilk_ring_effort_ *e, int thorough)
{
	struct ilk_ring_writer *w = (struct ilk_ring_writer *)e->hold;
	struct ilk_ring *ring = e->hold->ring;

	/* So old may the tail be that it seems to be wrong. */
	if (fits(w, e->n) || (ilk_ring_limit_(w, ilk_load_acquire_(&ring->tail)) == 0 && /* [R4] */
				     fits(w, e->n)))
		return 1;
	if (!thorough)
		return 0;
	if (ilk_ring_limit_(w, ilk_load_acquire_(&ring->reader.at)) < 0) /* [R4] */
		return -EBADMSG;
	return fits(w, e->n);
}

/* Something stands in to_writer. 0; -EIDRM; -EPIPE. */
static int heed(struct ilk_ring_writer *w)
{
	struct ilk_ring *ring = w->hold.ring;
	uint32_t *word = &ring->to_writer.word;
	uint32_t found = ilk_load_acquire_(word);

	if (found & ILK_RING_REMOVED_)
		return -EIDRM;
	if (!(found & ILK_RING_LOOK_))
		return 0;
	ilk_and_full_(word, ~(uint32_t)ILK_RING_LOOK_); /* [R10] */
	ilk_fence_after_rmw_();
	if (ilk_load_acquire_(&ring->reader.owner) != ILK_RING_CLOSED_)
		return 0;
	ilk_or_full_(word, (uint32_t)ILK_RING_LOOK_);
	return w->hold.flags & ILK_RING_PATIENT ? 0 : -EPIPE;
}

int ilk_ring_make_room_(struct ilk_ring_writer *w, size_t n, ilk_time deadline)
{
	struct ilk_ring_hold_ *h = &w->hold;
	int rc = ilk_ring_mine_(h);

	if (rc < 0)
		return rc;
	if (w->reserved)
		return -EINVAL;
	if (n > h->most || (h->stride && n != h->most))
		return -EMSGSIZE;
	rc = heed(w);
	if (rc == 0 && !fits(w, n)) {
		struct ilk_ring_effort_ e = {
			.hold = h,
			.mine = &h->ring->writer,
			.other = &h->ring->reader,
			.word = &h->ring->to_reader.word,
			.n = n,
			.look = look_for_room,
		};
		rc = ilk_ring_wait_(&e, deadline);
	}
	return rc;
}

int ilk_ring_put_slow_(struct ilk_ring_writer *w, const void *message, size_t n, ilk_time deadline)
{
	int rc = ilk_ring_make_room_(w, n, deadline);

	if (rc < 0)
		return rc;
	if (n)
		memcpy(ilk_ring_bytes_(&w->hold), message, n);
	ilk_ring_publish_(w, n);
	return 0;
}

int ilk_ring_reserve_slow_(struct ilk_ring_writer *w, size_t n, ilk_time deadline, void **message)
{
	int rc = ilk_ring_make_room_(w, n, deadline);

	if (rc < 0)
		return rc;
	*message = ilk_ring_bytes_(&w->hold);
	w->reserved = n + 1;
	w->until = w->hold.at;
	return 0;
}

int ilk_ring_commit_slow_(struct ilk_ring_writer *w, size_t n)
{
	int rc = ilk_ring_mine_(&w->hold);

	if (rc < 0)
		return rc;
	if (n >= w->reserved || (w->hold.stride && n != w->hold.most))
		return -EINVAL;
	return ilk_ring_commit_inline_(w, n);
}

int ilk_ring_abort(struct ilk_ring_writer *w)
{
	int rc = ilk_ring_mine_(&w->hold);

	if (rc < 0)
		return rc;
	if (!w->reserved)
		return -EINVAL;
	w->reserved = 0;
	ilk_ring_reach_(w);
	return 0;
}

void ilk_ring_call_reader_(struct ilk_ring_writer *w)
{
	if (ilk_load_relaxed_(w->hold.call) & ILK_RING_SLEEPS_)
		ilk_futex_change_and_wake_(w->hold.call, ILK_CLEAR_, ILK_RING_SLEEPS_, 1);
}

/* --- the reader --- */

int ilk_ring_look_ahead_(struct ilk_ring_reader *r)
{
	const struct ilk_ring_hold_ *h = &r->hold;
	uint64_t head = ilk_load_acquire_(r->head); /* [R2] */

	if (head - h->at > h->bytes || (head - h->at) % h->stride)
		return -EBADMSG;
	r->seen = head;
	return 0;
}

/* There is none: the writer should know of all the room. */
static void publish(struct ilk_ring_reader *r)
{
	if (r->published == r->hold.at)
		return;
	r->published = r->hold.at;
	ilk_store_release_(r->tail, r->hold.at); /* [R3] */
}

/* The next header is not one of a message. 1: there is none; 0: look again; -EBADMSG. */
static int go_on(struct ilk_ring_reader *r)
{
	struct ilk_ring_hold_ *h = &r->hold;
	uint64_t header = ilk_load_acquire_(ilk_ring_header_(h, h->offset)); /* [R2] */
	uint64_t number = h->number << 32;

	if (header == 0) {
		publish(r);
		return 1;
	}
	if (header == (number | ILK_RING_SKIP_) && h->offset) {
		ilk_ring_move_(h, h->bytes - h->offset, 0);
		ilk_store_release_(&h->line[0], h->at); /* [I4] */
		return 0;
	}
	/* It may have come since. */
	header -= number + 1;
	return header <= h->most && header <= h->bytes - h->offset - ILK_RING_HEADER_ ? 0
										      : -EBADMSG;
}

/* The same, of fixed ones. */
static int go_ahead(struct ilk_ring_reader *r)
{
	int rc = ilk_ring_look_ahead_(r);

	if (rc < 0 || r->seen != r->hold.at)
		return rc;
	publish(r);
	return 1;
}

static int look_for_message(struct ilk_ring_effort_ *e, int thorough)
{
	struct ilk_ring_reader *r = (struct ilk_ring_reader *)e->hold;
	int rc = 0;
	size_t n;

	(void)thorough;
	while (rc == 0 && !ilk_ring_has_message_(r, &n)) {
		rc = ilk_ring_mine_(e->hold); /* other threads move the epoch */
		if (rc == 0)
			rc = e->hold->stride ? go_ahead(r) : go_on(r);
	}
	return rc < 0 ? rc : !rc;
}

int ilk_ring_await_(struct ilk_ring_reader *r, ilk_time deadline)
{
	struct ilk_ring_hold_ *h = &r->hold;
	int rc = ilk_ring_mine_(h);

	if (rc == 0) {
		struct ilk_ring_effort_ e = {
			.hold = h,
			.mine = &h->ring->reader,
			.other = &h->ring->writer,
			.word = &h->ring->to_writer.word,
			.look = look_for_message,
		};
		rc = ilk_ring_wait_(&e, deadline);
	}
	return rc;
}

int ilk_ring_peek_slow_(
	struct ilk_ring_reader *r, ilk_time deadline, const void **message, size_t *n)
{
	int rc = ilk_ring_await_(r, deadline);

	return rc < 0 ? rc : ilk_ring_peek_inline_(r, deadline, message, n);
}

int ilk_ring_get_slow_(
	struct ilk_ring_reader *r, void *buffer, size_t room, ilk_time deadline, size_t *n)
{
	int rc = ilk_ring_await_(r, deadline);
	const void *message;
	size_t bytes;

	if (rc < 0)
		return rc;
	rc = ilk_ring_peek_inline_(r, deadline, &message, &bytes);
	if (rc < 0)
		return rc;
	if (n)
		*n = bytes;
	if (bytes > room)
		return -EMSGSIZE;
	if (bytes)
		memcpy(buffer, message, bytes);
	return ilk_ring_release_inline_(r);
}

int ilk_ring_release_slow_(struct ilk_ring_reader *r)
{
	int rc = ilk_ring_mine_(&r->hold);

	if (rc < 0)
		return rc;
	return r->shown ? ilk_ring_release_inline_(r) : -EINVAL;
}

void ilk_ring_call_writer_(struct ilk_ring_reader *r)
{
	if (!(ilk_load_relaxed_(r->hold.call) & ILK_RING_SLEEPS_))
		return;
	publish(r);
	ilk_futex_change_and_wake_(r->hold.call, ILK_CLEAR_, ILK_RING_SLEEPS_, 1);
}
