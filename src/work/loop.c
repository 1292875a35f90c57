/*
 * loop.c - a range in parts, each claimed by the instruction that names its owner.
 *
 * State      state       round | IDLE, BEGINS, OPEN | owner: who begins it, or began it.
 *            range       of the round: count, cut, job. Written by who BEGINS.
 *            part[k]     round | FREE, TAKEN owner, DONE, FAILED | value. All of a round are set FREE
 *                        by who BEGINS it; one that bears another round's number is over.
 *            result k    belongs to the owner of part k while it is TAKEN; DONE, it is whole.
 *            failure[2]  round | FAILED | what a body returned: the first of that round, by round & 1. Not
 *                        cleared by the next begin, since who slept through the end of a round still
 *                        asks; who begins a round 2^28 after it clears it, before numbers come again.
 *            flags       CLOSED: no round is begun any more. begun, over: bells; bit 0, somebody may
 *                        sleep on it. done, again, slept, waited_ns: counts.
 * Words      begin   (r, OPEN), all parts over -> (r + 1, BEGINS, me), CAS; or from BEGINS of a dead one
 *            open    (r, BEGINS, me) -> (r, OPEN, me)
 *            take    FREE(r) -> TAKEN(r, me), CAS; or from TAKEN(r, dead)
 *            repair  TAKEN(r, dead) -> FREE(r) | 1, CAS: it is done again
 *            finish  TAKEN(r, me) -> DONE(r), FAILED(r)
 * Invariant  [P1] A part is done by its owner alone; another owns it only after his death.
 *            [P2] A round is over when all its parts are: DONE or FAILED. Then nobody touches what is of it.
 *            [P3] Who works at r has copied its range between two looks at the state that both said
 *            (r, OPEN), and changes only words that bear r: so who is late does nothing.
 *            [P4] Once a failure is of the round, a part that is taken is marked FAILED and not done.
 * Ordering   [P5] begin:  fill, exchange state, full      <-> [P6]  what the starter wrote is seen
 *            [P6] look:   load state, acquire
 *            [P7] finish: exchange part, full             <-> [P8]  results, and what bodies wrote
 *            [P8] over:   load part, acquire
 *            [P9] sleep:  flag in a bell, full; load state, parts <-> [P5] [P7]: change; load bell. One
 *                 of both sees the other; of two who finish last, one sees all parts over.
 *            [P10] begin: exchange state, full; load flags <-> [P11] close: or flags, full; serve: load
 *                 flags, acquire; load state. Who leaves since it is closed has seen the round, or the one
 *                 who begins sees CLOSED, and cancels it: nobody may be there to do it.
 *            begins: CAS; release fence; fill <-> look: copy; acquire fence; load state again
 * Death      BEGINS: the next who begins takes its place, and fills all anew. TAKEN: whoever waits looks
 *            every 20 ms, takes it over, and does it again. After the last finish, before the bell: who
 *            sleeps looks by itself. After a failure: others leave out what is left.
 */
#include "work/loop.h"
#include "os/futex.h"
#include "segment/member.h"
#include "sync/object.h"
#include <limits.h>

/* --- the cut --- */

/* Indices in a part, where LEFT are left. */
static uint64_t size_for(const struct ilk_loop_range_ *r, uint64_t left)
{
	uint64_t each = left / (2 * r->workers) + (left % (2 * r->workers) != 0);

	return each > r->least ? each : r->least;
}

static uint64_t ceiling(uint64_t n, uint64_t each)
{
	return n / each + (n % each != 0);
}

uint64_t ilk_loop_parts_(const struct ilk_loop_range_ *r)
{
	uint64_t left = r->count, parts = 0;

	while (left > 0) {
		uint64_t each = size_for(r, left), batch = ceiling(left, each);

		/* The rest are all of the least size. */
		if (each == r->least || batch <= r->workers)
			return parts + batch;
		parts += r->workers;
		left -= r->workers * each;
	}
	return parts;
}

void ilk_loop_part_(const struct ilk_loop_range_ *r, uint32_t k, uint64_t *begin, uint64_t *end)
{
	uint64_t left = r->count, each = size_for(r, left);

	for (; k >= r->workers && each > r->least; each = size_for(r, left)) {
		left -= r->workers * each;
		k -= r->workers;
	}
	*begin = r->count - left + k * each;
	*end = r->count - *begin > each ? *begin + each : r->count;
}

int ilk_loop_cut_(struct ilk_loop_range_ *r)
{
	if (!r->workers)
		r->workers = 2;
	if (r->workers > ILK_LOOP_WORKERS)
		return -EINVAL;
	if (!r->least)
		r->least = r->count / (32 * r->workers);
	if (!r->least)
		r->least = 1;
	while (ilk_loop_parts_(r) > ILK_LOOP_PARTS)
		r->least *= 2;
	r->parts = (uint32_t)ilk_loop_parts_(r);
	return 0;
}

/* --- rounds --- */

/* Is R's copy one that begin could have written? */
static int is_possible(const struct ilk_loop_range_ *r)
{
	return r->workers - 1 < ILK_LOOP_WORKERS && r->least > 0 && r->parts <= ILK_LOOP_PARTS &&
	       ilk_loop_parts_(r) == r->parts;
}

int ilk_loop_look_(const struct ilk_loop *l, struct ilk_round_ *r)
{
	uint64_t state = ilk_load_acquire_(&l->state); /* [P6] */

	if (ilk_loop_what_(state) != ILK_LOOP_OPEN_)
		return 0;
	*r = (struct ilk_round_){
		.loop = (struct ilk_loop *)(uintptr_t)l, .number = ilk_loop_round_(state)};
	r->range.count = ilk_load_relaxed_(&l->range.count);
	r->range.least = ilk_load_relaxed_(&l->range.least);
	r->range.job = ilk_load_relaxed_(&l->range.job);
	r->range.workers = ilk_load_relaxed_(&l->range.workers);
	r->range.parts = ilk_load_relaxed_(&l->range.parts);
	ilk_fence_acquire_();
	if (ilk_load_relaxed_(&l->state) != state) /* [P3] */
		return 0;
	return is_possible(&r->range) ? 1 : -EINVAL;
}

/* [P8] Are all parts of R over? */
int ilk_loop_is_over_(struct ilk_round_ *r)
{
	while (r->low < r->range.parts &&
		ilk_part_is_over_(ilk_load_acquire_(&r->loop->part[r->low]), r->number))
		r->low++;
	return r->low == r->range.parts;
}

int ilk_loop_outcome_(const struct ilk_loop *l, uint32_t round)
{
	uint64_t failure = ilk_load_acquire_(&l->failure[round & 1]);

	if (ilk_loop_what_(failure) != ILK_PART_FAILED_)
		return 0;
	if (ilk_round_is_later_(ilk_loop_round_(failure), round))
		return -EBUSY;
	return ilk_loop_round_(failure) == round ? -(int)((uint32_t)failure & INT_MAX) : 0;
}

void ilk_loop_note_failure_(struct ilk_loop *l, uint32_t round, int rc)
{
	uint64_t *at = &l->failure[round & 1], before = ilk_load_relaxed_(at);

	/* So that it can be made positive. */
	if (rc < -INT_MAX)
		rc = -INT_MAX;
	while (!before || ilk_round_is_later_(round, ilk_loop_round_(before)))
		if (ilk_cas_full_(
			    at, &before, ilk_loop_word_(round, ILK_PART_FAILED_, (uint32_t)-rc)))
			break;
}

int ilk_loop_enter_(const struct ilk_loop *l)
{
	int rc = ilk_here_(l);

	return rc == 0 ? ilk_check_tag_(ilk_load_relaxed_(&l->tag), ILK_LOOP_TAG_) : rc;
}

int ilk_loop_results_(const struct ilk_loop *l, uint32_t *bytes)
{
	const struct ilk_map_ *map = &ilk_thread_.segment->map;
	uint64_t room = map->bytes - (uint64_t)((const char *)l - map->base);

	*bytes = ilk_load_relaxed_(&l->result_bytes);
	return *bytes <= ILK_LOOP_MOST_RESULT && ilk_loop_bytes_(*bytes) <= room ? 0 : -EINVAL;
}

void ilk_loop_ring_(uint32_t *bell)
{
	if (ilk_load_acquire_(bell) & ILK_LOOP_SOMEBODY_)
		ilk_futex_change_and_wake_(bell, ILK_STORE_, 0, INT_MAX);
}

/* May the round after STATE be begun? 0; -EBUSY. */
static int is_ripe(const struct ilk_loop *l, uint64_t state)
{
	struct ilk_round_ r;

	switch (ilk_loop_what_(state)) {
	case ILK_LOOP_IDLE_:
		return 0;
	case ILK_LOOP_OPEN_:
		return ilk_loop_look_(l, &r) != 1 || !ilk_loop_is_over_(&r) ? -EBUSY : 0;
	default:
		return ilk_owner_life_(ilk_thread_.segment, (uint32_t)state) == ILK_LIFE_DEAD
			       ? 0
			       : -EBUSY;
	}
}

/* One so old that it could be taken for one to come. */
static void clear_old_failure(struct ilk_loop *l, uint32_t round)
{
	uint64_t *at = &l->failure[round & 1], failure = ilk_load_relaxed_(at);

	if (failure && ilk_rounds_since_(round, ilk_loop_round_(failure)) >=
			       UINT32_C(1) << (ILK_ROUND_BITS_ - 2))
		ilk_store_relaxed_(at, UINT64_C(0));
}

/* The round is the calling thread's to begin: BEGINS. */
static void fill(struct ilk_loop *l, const struct ilk_loop_range_ *range, uint32_t round)
{
	ilk_fence_release_(); /* who copies what was before looks again */
	ilk_store_relaxed_(&l->range.count, range->count);
	ilk_store_relaxed_(&l->range.least, range->least);
	ilk_store_relaxed_(&l->range.job, range->job);
	ilk_store_relaxed_(&l->range.workers, range->workers);
	ilk_store_relaxed_(&l->range.parts, range->parts);
	clear_old_failure(l, round);
	for (uint32_t k = 0; k < range->parts; k++)
		ilk_store_relaxed_(&l->part[k], ilk_loop_word_(round, ILK_PART_FREE_, 0));
}

/* The same, and opens it. 0; -EPIPE the loop was closed meanwhile. */
static int open_round(struct ilk_loop *l, const struct ilk_loop_range_ *range, uint32_t round)
{
	fill(l, range, round);
	/* [P5] */
	ilk_exchange_(&l->state, ilk_loop_word_(round, ILK_LOOP_OPEN_, ilk_thread_.owner));
	ilk_fence_after_rmw_();
	ilk_loop_ring_(&l->begun);
	return ilk_load_acquire_(&l->flags) & ILK_LOOP_CLOSED_ ? -EPIPE : 0; /* [P10] */
}

int ilk_loop_begin(struct ilk_loop *l, const struct ilk_range *range)
{
	struct ilk_loop_range_ cut;
	uint64_t state;
	uint32_t round;
	int rc = ilk_loop_enter_(l);

	if (rc < 0)
		return rc;
	if (range->size != sizeof *range)
		return -EINVAL;
	cut = (struct ilk_loop_range_){range->count, range->least, range->job, range->workers, 0};
	rc = ilk_loop_cut_(&cut);
	if (rc == 0 && ilk_load_acquire_(&l->flags) & ILK_LOOP_CLOSED_)
		rc = -EPIPE;
	state = ilk_load_acquire_(&l->state);
	if (rc == 0)
		rc = is_ripe(l, state);
	if (rc < 0)
		return rc;
	round = ilk_loop_after_(ilk_loop_round_(state));
	ilk_hold_();
	if (ilk_cas_full_(
		    &l->state, &state, ilk_loop_word_(round, ILK_LOOP_BEGINS_, ilk_thread_.owner)))
		rc = open_round(l, &cut, round);
	else
		rc = -EBUSY;
	ilk_let_go_();
	if (rc == -EPIPE)
		ilk_loop_cancel_round_(l, round);
	return rc;
}

int ilk_loop_close(struct ilk_loop *l)
{
	int rc = ilk_loop_enter_(l);

	if (rc < 0)
		return rc;
	ilk_or_full_(&l->flags, (uint32_t)ILK_LOOP_CLOSED_); /* [P11] */
	ilk_fence_after_rmw_();
	ilk_loop_ring_(&l->begun);
	return 0;
}

/* Is R still L's round? */
static int is_current(const struct ilk_loop *l, const struct ilk_round_ *r)
{
	uint64_t state;

	ilk_fence_acquire_();
	state = ilk_load_relaxed_(&l->state); /* [P3] */
	return ilk_loop_round_(state) == r->number && ilk_loop_what_(state) == ILK_LOOP_OPEN_;
}

int ilk_loop_reduce(struct ilk_loop *l, void *into,
	void (*combine)(void *into, const void *result, void *arg), void *arg)
{
	struct ilk_round_ r;
	uint32_t bytes;
	int rc = ilk_loop_enter_(l);

	if (rc < 0)
		return rc;
	if (ilk_loop_results_(l, &bytes) < 0 || !combine || !bytes)
		return -EINVAL;
	rc = ilk_loop_look_(l, &r);
	if (rc != 1 || !ilk_loop_is_over_(&r))
		return rc < 0 ? rc : -EBUSY;
	rc = ilk_loop_outcome_(l, r.number);
	for (uint32_t k = 0; rc == 0 && k < r.range.parts; k++)
		combine(into, ilk_loop_result_(l, bytes, k), arg);
	return rc == 0 && !is_current(l, &r) ? -EBUSY : rc;
}
