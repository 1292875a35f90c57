/*
 * ring_wait.c - waiting for room, or for a message; noticing that the other side is gone.
 *
 * State, ordering and what a death leaves: ring.c, whose labels are used here.
 */
#include "queue/ring.h"
#include "segment/wait.h"
#include <errno.h>

enum { THOROUGH_EVERY = 16, ASK_EVERY_NS = 1000 * 1000 };

static int is_removed(const struct ilk_ring *ring)
{
	return ilk_load_acquire_(&ring->tag) == ILK_RING_GONE_;
}

/* Has the other side closed, or is it dead? Who never came is neither. ASK: the kernel. */
static int is_gone(const struct ilk_ring_effort_ *e, struct ilk_segment *seg, int ask)
{
	uint64_t owner = ilk_load_acquire_(&e->other->owner);

	if (e->hold->flags & ILK_RING_PATIENT || owner == 0)
		return 0;
	if (!ilk_ring_is_owner_(owner))
		return owner == ILK_RING_CLOSED_;
	return ask && ilk_ring_life_(seg, owner) == ILK_LIFE_DEAD;
}

/* What the gone did last comes before its end: so it is looked for once more. 1; 0; -E... */
static int look_after_end(struct ilk_ring_effort_ *e)
{
	int rc = e->look(e, 1);

	return rc ? rc : is_removed(e->hold->ring) ? -EIDRM : -EPIPE;
}

/* 1; 0: neither is it there, nor is the wait over; -E... */
static int look_at_all(struct ilk_ring_effort_ *e, struct ilk_segment *seg, int ask)
{
	int rc = e->look(e, 1);

	if (rc)
		return rc;
	return is_removed(e->hold->ring) || is_gone(e, seg, ask) ? look_after_end(e) : 0;
}

/* Asks the kernel once a millisecond at most. */
static int try_once(struct ilk_ring_effort_ *e)
{
	ilk_time now = ilk_now();
	struct ilk_segment *seg = NULL;
	int rc;

	if (now - e->hold->asked >= ASK_EVERY_NS) {
		e->hold->asked = now;
		seg = ilk_find_attachment_(e->hold->ring);
	}
	rc = look_at_all(e, seg, seg != NULL);
	return rc ? rc : -EAGAIN;
}

static int spin(struct ilk_ring_effort_ *e)
{
	unsigned look = 0;
	int rc;

	do
		rc = e->look(e, look % THOROUGH_EVERY == 0);
	while (rc == 0 && ilk_spin_once_(&look));
	return rc;
}

/* [R6], [R8] The value to sleep on. */
static uint32_t announce(uint32_t *word, const struct ilk_segment *seg)
{
	uint32_t found = ilk_load_acquire_(word);

	if (found & ILK_RING_SLEEPS_)
		return found;
	found = ilk_or_full_(word, (uint32_t)ILK_RING_SLEEPS_) | ILK_RING_SLEEPS_;
	ilk_handshake_(seg);
	return found;
}

/* 1; -E... */
static int sleep_for(struct ilk_ring_effort_ *e, struct ilk_wait_ *w, ilk_time deadline)
{
	int how = ILK_TICK_, rc = 0;

	w->many = 1; /* it looks after the other side itself */
	while (rc == 0) {
		uint32_t found = announce(e->word, w->segment);

		rc = look_at_all(e, w->segment, how == ILK_TICK_);
		if (rc)
			break;
		how = ilk_wait_on_(w, e->word, found, deadline, 0);
		/* Woken: mostly it is there, and to say that one sleeps costs more. */
		rc = how < 0 ? how : how == ILK_WOKEN_ ? e->look(e, 1) : 0;
	}
	return rc;
}

static int wait_asleep(struct ilk_ring_effort_ *e, ilk_time deadline)
{
	struct ilk_ring_end_ *mine = e->mine;
	struct ilk_wait_ w;
	int rc;

	ilk_wait_begin_(&w, e->hold->object, e->hold->type);
	rc = sleep_for(e, &w, deadline);
	ilk_store_relaxed_(&mine->slept, mine->slept + 1);
	ilk_store_relaxed_(&mine->waited_ns, mine->waited_ns + (uint64_t)(ilk_now() - w.since));
	ilk_wait_end_(&w);
	return rc;
}

/* Inside, so that close can cancel it. */
static int wait_inside(struct ilk_ring_effort_ *e, ilk_time deadline)
{
	struct ilk_segment *seg;
	int rc = ilk_here_(e->hold->ring);

	if (rc < 0)
		return rc;
	seg = ilk_thread_.segment;
	rc = ilk_inside_begin_(seg);
	if (rc < 0)
		return rc;
	rc = spin(e);
	if (rc == 0)
		rc = wait_asleep(e, deadline);
	if (rc > 0 && ilk_is_closing_(seg))
		rc = -ECANCELED;
	ilk_inside_end_(seg);
	return rc;
}

int ilk_ring_wait_(struct ilk_ring_effort_ *e, ilk_time deadline)
{
	int rc = e->look(e, 0);

	if (rc == 0 && (deadline == ILK_RING_TRY_ || deadline == ILK_NOW)) {
		rc = try_once(e);
		if (rc == -EAGAIN && deadline == ILK_NOW)
			rc = -ETIMEDOUT;
	} else if (rc == 0) {
		rc = wait_inside(e, deadline);
	}
	return rc < 0 ? rc : 0;
}
