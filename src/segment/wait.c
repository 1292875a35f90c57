/*
 * wait.c - the only file that sleeps.
 *
 * State      segment.closing, segment.inside: private to the process. So is what an identity says of
 *            its thread's part in `inside`: for threads that end there without a word. The wait
 *            record: in the thread slot, written by its thread alone, under a sequence that is odd
 *            while it changes.
 * Invariant  [I1] Who is counted in `inside` may touch the mapping; close unmaps at 0, or when all
 *            who are counted still are threads that are gone.
 *            [I2] Who sleeps, once or again and again, looks after a tick: 20 ms where an owner is
 *            waited for (60 ms behind another who does), 50 ms else.
 * Ordering   [W1] enter:  add inside, full       <-> [W3]  close sees us, or we see it closing
 *            [W2] enter:  load closing, acquire (after [W1]; both sides are full barriers)
 *            [W3] cancel: exchange closing, then load inside
 *            [W4] leave:  sub inside, full       <-> [W3]  our last touch before the unmapping
 *            [W5] record: odd sequence, store; fence; fields; even sequence, release <-> a reader
 *            that loads the sequence (acquire), the fields, fence, and the sequence again
 * Death      Asleep or awake, the dead leave a wait record: it counts only while its slot is alive.
 */
#include "segment/wait.h"
#include "fault.h"
#include "os/clock.h"
#include "os/facts.h"
#include "os/futex.h"
#include "os/membarrier.h"
#include "os/thread.h"
#include "segment/member.h"
#include <errno.h>
#include <limits.h>

enum {
	OWNER_TICK = 20 * ILK_NS_PER_MS,
	IDLE_TICK = 50 * ILK_NS_PER_MS,
	BEHIND_TICK = 60 * ILK_NS_PER_MS,
};
enum { SPIN_ROUNDS = 8, SPIN_PAUSES = 20 };

static void write_record(struct ilk_wait_ *w, uint64_t object)
{
	struct ilk_thread_slot_ *slot = w->slot;
	uint32_t sequence = slot->wait_sequence | 1;

	/* [W5] */
	ilk_store_relaxed_(&slot->wait_sequence, sequence);
	ilk_fence_();
	ilk_store_relaxed_(&slot->wait_object, object);
	ilk_store_relaxed_(&slot->wait_type, w->type);
	ilk_store_relaxed_(&slot->wait_since, w->since);
	ilk_store_relaxed_(&slot->wait_owner, w->owner);
	ilk_store_relaxed_(&slot->wait_serial, w->serial);
	ilk_store_relaxed_(&slot->wait_owner_since, w->owner_since);
	ilk_store_release_(&slot->wait_sequence, sequence + 1);
}

/*
 * The calling thread is counted, BY 1, or will be no more, by -1: in that order, so that who vanishes
 * in between is waited for in vain, and never taken for two.
 */
static void note_inside(const struct ilk_segment *seg, int by)
{
	struct ilk_identity_ *me = ilk_thread_.me;

	ilk_store_relaxed_(&me->inside_of, seg);
	ilk_store_relaxed_(&me->inside, me->inside + (uint32_t)by);
}

void ilk_inside_add_(struct ilk_segment *seg)
{
	ilk_add_full_(&seg->inside, 1u); /* [W1] */
	note_inside(seg, 1);
}

int ilk_inside_begin_(struct ilk_segment *seg)
{
	ilk_inside_add_(seg);
	ilk_fence_after_rmw_();
	if (!ilk_is_closing_(seg)) /* [W2] */
		return 0;
	ilk_inside_end_(seg);
	return -ECANCELED;
}

void ilk_inside_end_(struct ilk_segment *seg)
{
	note_inside(seg, -1);
	ilk_sub_full_(&seg->inside, 1u); /* [W4] */
}

int ilk_is_closing_(const struct ilk_segment *seg)
{
	return ilk_load_acquire_(&seg->closing) != 0;
}

void ilk_wait_begin_(struct ilk_wait_ *w, const void *object, uint32_t type)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	struct ilk_identity_ *me = ilk_thread_.me;

	*w = (struct ilk_wait_){
		.segment = seg,
		.me = me,
		.slot = ilk_thread_slot_(&seg->map, me->slot),
		.object = (uint64_t)((const char *)object - seg->map.base),
		.type = type,
		.since = ilk_now(),
	};
	write_record(w, w->object);
}

void ilk_wait_end_(struct ilk_wait_ *w)
{
	write_record(w, 0);
}

void ilk_wait_note_(struct ilk_wait_ *w, uint32_t owner, uint64_t serial)
{
	if (w->owner == owner && w->serial == serial)
		return;
	w->owner = owner;
	w->serial = serial;
	w->owner_since = ilk_now();
	write_record(w, w->object);
}

static int sleep_once(struct ilk_wait_ *w, const uint32_t *word, uint32_t expected, ilk_time until)
{
	int rc;

	if (!w->segment)
		return ilk_futex_wait_(word, expected, until) == -ETIMEDOUT ? ILK_TICK_
									    : ILK_WOKEN_;
	ilk_store_relaxed_(&w->slot->sleeps, w->slot->sleeps + 1);
	ilk_store_release_(&w->me->sleeps_on, word);
	rc = ilk_futex_wait_(word, expected, until);
	ilk_store_release_(&w->me->sleeps_on, (const uint32_t *)NULL);
	return rc == -ETIMEDOUT ? ILK_TICK_ : ILK_WOKEN_;
}

static ilk_time tick(const struct ilk_wait_ *w, uint32_t owner)
{
	if (ILK_FAULTY_(ILK_FAULT_SILENT_UNLOCK))
		return ILK_FOREVER / 2;
	return owner == 0 && !w->many ? IDLE_TICK : w->behind ? BEHIND_TICK : OWNER_TICK;
}

static int is_dead(struct ilk_wait_ *w, uint32_t owner)
{
	return owner && ilk_owner_life_(w->segment, owner) == ILK_LIFE_DEAD;
}

int ilk_wait_on_(struct ilk_wait_ *w, const uint32_t *word, uint32_t expected, ilk_time deadline,
	uint32_t owner)
{
	ilk_time now = ilk_now(), until;
	int how = ILK_TICK_;

	if (is_dead(w, owner))
		return -EOWNERDEAD;
	if (w->segment && ilk_is_closing_(w->segment))
		return -ECANCELED;
	if (deadline <= now)
		return -ETIMEDOUT;
	/* [I2] However often it is woken meanwhile, by signals perhaps. */
	if (!w->tick_since)
		w->tick_since = now;
	until = w->tick_since + tick(w, owner);
	if (until > now)
		how = sleep_once(w, word, expected, deadline < until ? deadline : until);
	if (how == ILK_TICK_)
		w->tick_since = 0;
	return how;
}

void ilk_handshake_(const struct ilk_segment *seg)
{
	if (seg->asymmetric)
		ilk_membarrier_();
	else
		ilk_fence_();
}

int ilk_spin_(unsigned *round)
{
	if (*round >= SPIN_ROUNDS)
		return 0;
	for (int i = 0; i < SPIN_PAUSES; i++)
		ilk_pause_();
	ilk_yield_();
	++*round;
	return 1;
}

int ilk_spin_once_(unsigned *look)
{
	ilk_pause_();
	if (++*look % SPIN_PAUSES == 0)
		ilk_yield_();
	return *look < SPIN_ROUNDS * SPIN_PAUSES;
}

void ilk_sleep_until_(ilk_time until)
{
	uint32_t nothing = 0;

	while (ilk_now() < until)
		ilk_futex_wait_(&nothing, 0, until);
}

/* Wakes each thread of ours that sleeps in SEG: a word outside it is another attachment's. */
static void wake_sleepers(struct ilk_segment *seg)
{
	struct ilk_member_ *member = seg->member;

	for (uint32_t i = 0; i < ilk_load_relaxed_(&member->top); i++) {
		const uint32_t *word = ilk_load_acquire_(&member->identities[i].sleeps_on);

		if (word && (uintptr_t)word - (uintptr_t)seg->map.base < seg->map.bytes)
			ilk_futex_wake_(word, INT_MAX);
	}
}

/* How often ONE is inside SEG, if its thread is gone: it changes nothing any more. */
static uint32_t left_inside(const struct ilk_identity_ *one, const struct ilk_segment *seg)
{
	int32_t tid = ilk_load_acquire_(&one->tid);
	uint32_t inside;

	if (!ilk_load_relaxed_(&one->inside) || ilk_load_relaxed_(&one->inside_of) != seg ||
		!ilk_thread_is_gone_(tid))
		return 0;
	inside = ilk_load_acquire_(&one->inside);
	/* Else it is another thread's meanwhile. */
	return ilk_load_relaxed_(&one->tid) == tid ? inside : 0;
}

/* Is anybody inside who can come out? */
static int is_used(const struct ilk_segment *seg)
{
	const struct ilk_member_ *member = seg->member;
	uint32_t inside = ilk_load_acquire_(&seg->inside), gone = 0;

	for (uint32_t i = 0; inside && i < ilk_load_relaxed_(&member->top); i++)
		gone += left_inside(&member->identities[i], seg);
	return inside > gone;
}

void ilk_wait_cancel_(struct ilk_segment *seg)
{
	ilk_exchange_(&seg->closing, 1u); /* [W3] */
	ilk_fence_();
	while (is_used(seg)) {
		wake_sleepers(seg);
		ilk_sleep_until_(ilk_now() + ILK_NS_PER_MS);
	}
}
