/*
 * ring_side.c - taking a side of a ring, and giving it back.
 *
 * State, invariants and what a death leaves: ring.c, whose labels are used here. Who takes over finds
 * out where the dead one stopped from what stands in the ring, and writes only what follows from it:
 * so a taker that dies in the midst leaves the same to the next.
 */
#include "queue/ring.h"
#include "os/futex.h"
#include "segment/error.h"
#include "segment/types.h"
#include <errno.h>

/* An epoch that no process is ever in: each call takes the slow path, and is told. */
static const uint64_t never = 1;

void ilk_ring_leave_hold_(struct ilk_ring_hold_ *hold)
{
	*hold = (struct ilk_ring_hold_){.epoch_now = &never};
}

/* --- who has it --- */

static int refuse(const struct ilk_segment *seg, uint64_t owner, const char *side)
{
	uint32_t slot = ilk_owner_slot_((uint32_t)owner);
	const struct ilk_process_slot_ *process;

	if (slot >= seg->map.header.process_slots)
		return ilk_fail_(-EBADMSG, "the ring's %s names a slot that does not exist", side);
	process = ilk_process_slot_(&seg->map, slot);
	return ilk_fail_(-EBUSY, "the ring's %s is process %d (%.31s)%s", side, (int)process->pid,
		process->name,
		ilk_ring_life_((struct ilk_segment *)(uintptr_t)seg, owner) == ILK_LIFE_UNKNOWN
			? ", for all that is known"
			: "");
}

/* Makes *OWNER this process's. 0; ILK_RECOVERED; -EBUSY; -EBADMSG. */
static int claim(struct ilk_segment *seg, uint64_t *owner, uint64_t mine, const char *side)
{
	uint64_t found = ilk_load_acquire_(owner);
	int rc;

	do {
		rc = 0;
		if (!ilk_ring_is_owner_(found)) {
			if (found > ILK_RING_CLOSED_)
				return ilk_fail_(-EBADMSG, "the ring's %s is nobody", side);
		} else if (found == mine || ilk_ring_life_(seg, found) != ILK_LIFE_DEAD) {
			return refuse(seg, found, side);
		} else {
			rc = ILK_RECOVERED;
		}
	} while (!ilk_cas_full_(owner, &found, mine));
	return rc;
}

/* --- where it stopped --- */

/*
 * [I5] The header at H's position is of the message that H's number counts, or of an earlier one:
 * then the dead had counted already. 0; -EBADMSG.
 */
static int set_number(struct ilk_ring_hold_ *h)
{
	uint64_t header = ilk_load_acquire_(ilk_ring_header_(h, h->offset));
	uint32_t ahead = (uint32_t)h->number - (uint32_t)(header >> 32);

	if (header == 0)
		return 0;
	if (ahead > h->bytes / ILK_RING_HEADER_)
		return -EBADMSG;
	h->number -= ahead;
	return 0;
}

/* [I3] Follows the headers to the first that is 0. 0; -EBADMSG. */
static int walk(struct ilk_ring_hold_ *h)
{
	uint64_t first = h->at;

	while (h->at - first <= h->bytes) {
		uint64_t header = ilk_load_acquire_(ilk_ring_header_(h, h->offset));
		uint64_t n = header - (h->number << 32) - 1;

		if (header == 0)
			return 0;
		if (n == ILK_RING_SKIP_ - 1 && h->offset)
			ilk_ring_move_(h, h->bytes - h->offset, 0);
		else if (n <= h->most && n <= h->bytes - h->offset - ILK_RING_HEADER_)
			ilk_ring_move_(h, ilk_ring_record_(h, n), 1);
		else
			break;
	}
	return -EBADMSG;
}

/* Begins at what END says. 0; -EBADMSG. */
static int begin_at(struct ilk_ring_hold_ *h, const struct ilk_ring_end_ *end)
{
	h->at = ilk_load_acquire_(&end->at);
	h->number = ilk_load_acquire_(&end->number);
	h->offset = h->at % h->bytes;
	if (h->offset % (h->stride ? h->stride : ILK_RING_HEADER_))
		return -EBADMSG;
	return h->stride ? 0 : set_number(h);
}

static int resume_writer(struct ilk_ring_writer *w)
{
	struct ilk_ring_hold_ *h = &w->hold;
	struct ilk_ring *ring = h->ring;
	int rc = begin_at(h, &ring->writer);

	if (rc == 0 && !h->stride)
		rc = walk(h);
	w->limit = h->at;
	if (rc == 0)
		rc = ilk_ring_limit_(w, ilk_load_acquire_(&ring->reader.at));
	if (rc < 0)
		return rc;
	ilk_store_release_(&ring->writer.number, h->number);
	ilk_store_release_(&ring->writer.at, h->at);
	return 0;
}

static int resume_reader(struct ilk_ring_reader *r)
{
	struct ilk_ring_hold_ *h = &r->hold;
	struct ilk_ring *ring = h->ring;
	int rc = begin_at(h, &ring->reader);

	r->seen = h->at;
	if (rc == 0 && h->stride)
		rc = ilk_ring_look_ahead_(r);
	if (rc < 0)
		return rc;
	ilk_store_release_(&ring->reader.number, h->number);
	ilk_store_release_(&ring->tail, h->at);
	r->published = h->at;
	r->lazy = h->bytes / 8;
	return 0;
}

/* --- taking it --- */

/* Fills HOLD, but for the position. 0; results of opening. */
static int prepare(struct ilk_ring *ring, unsigned flags, struct ilk_ring_hold_ *hold)
{
	struct ilk_ring_shape_ shape;
	struct ilk_segment *seg;
	int rc;

	ilk_ring_leave_hold_(hold);
	if (flags & ~(unsigned)ILK_RING_PATIENT)
		return ilk_fail_(-EINVAL, "unknown flags for a side of a ring");
	rc = ilk_here_(ring);
	if (rc == 0)
		rc = ilk_ring_find_(ring, &seg, &shape);
	if (rc < 0)
		return ilk_fail_(rc, "a side of a ring");
	*hold = (struct ilk_ring_hold_){
		.ring = ring,
		.epoch_now = ilk_epoch_,
		.data = ring->data,
		.bytes = shape.bytes,
		.most = shape.most,
		.stride = ilk_ring_is_fixed_(&shape) ? shape.most : 0,
		.owner = ilk_ring_owner_(seg->member->process, seg->member->generation),
		.fenced = !seg->asymmetric,
		.flags = flags,
		.member = seg->member->serial,
		.object = ring,
		.type = ILK_TYPE_RING_,
	};
	return 0;
}

/* The side is this process's, RC says how; RESUMED says whether what stands there makes sense. */
static int settle(struct ilk_ring_hold_ *hold, struct ilk_ring_end_ *end, int rc, int resumed)
{
	if (resumed < 0) {
		ilk_store_release_(&end->owner, (uint64_t)ILK_RING_CLOSED_);
		ilk_ring_leave_hold_(hold);
		return ilk_fail_(resumed, "the ring's positions make no sense");
	}
	if (rc == ILK_RECOVERED)
		ilk_store_relaxed_(&end->taken_over, end->taken_over + 1);
	hold->epoch = ilk_load_acquire_(ilk_epoch_);
	return rc;
}

int ilk_ring_writer_open(struct ilk_ring *ring, unsigned flags, struct ilk_ring_writer *w)
{
	int rc = prepare(ring, flags, &w->hold);

	w->until = w->limit = w->reserved = 0;
	if (rc < 0)
		return rc;
	rc = claim(ilk_thread_.segment, &ring->writer.owner, w->hold.owner, "writer");
	if (rc < 0) {
		ilk_ring_leave_hold_(&w->hold);
		return rc;
	}
	w->hold.line = &ring->writer.at;
	w->hold.call = &ring->to_writer.word;
	return settle(&w->hold, &ring->writer, rc, resume_writer(w));
}

int ilk_ring_reader_open(struct ilk_ring *ring, unsigned flags, struct ilk_ring_reader *r)
{
	int rc = prepare(ring, flags, &r->hold);

	r->seen = r->published = r->lazy = r->shown = 0;
	if (rc < 0)
		return rc;
	rc = claim(ilk_thread_.segment, &ring->reader.owner, r->hold.owner, "reader");
	if (rc < 0) {
		ilk_ring_leave_hold_(&r->hold);
		return rc;
	}
	r->hold.line = &ring->reader.at;
	r->hold.call = &ring->to_reader.word;
	r->head = &ring->writer.at;
	r->tail = &ring->tail;
	return settle(&r->hold, &ring->reader, rc, resume_reader(r));
}

/* --- giving it back --- */

/* Whoever sleeps on WORD is to look. */
static void wake(uint32_t *word)
{
	ilk_futex_change_and_wake_(word, ILK_CLEAR_, ILK_RING_SLEEPS_, 1);
}

int ilk_ring_writer_close(struct ilk_ring_writer *w)
{
	struct ilk_ring *ring = w->hold.ring;
	uint64_t mine = w->hold.owner;
	int rc = ilk_ring_mine_(&w->hold);

	if (rc < 0)
		return rc;
	ilk_cas_full_(&ring->writer.owner, &mine, (uint64_t)ILK_RING_CLOSED_);
	ilk_ring_leave_hold_(&w->hold);
	wake(&ring->to_writer.word);
	return 0;
}

int ilk_ring_reader_close(struct ilk_ring_reader *r)
{
	struct ilk_ring *ring = r->hold.ring;
	uint64_t mine = r->hold.owner;
	int rc = ilk_ring_mine_(&r->hold);

	if (rc < 0)
		return rc;
	ilk_cas_full_(&ring->reader.owner, &mine, (uint64_t)ILK_RING_CLOSED_); /* [R9] */
	ilk_or_full_(&ring->to_writer.word, (uint32_t)ILK_RING_LOOK_);
	ilk_ring_leave_hold_(&r->hold);
	wake(&ring->to_reader.word);
	return 0;
}
