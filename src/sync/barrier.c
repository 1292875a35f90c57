/*
 * barrier.c - waiting for each other, with the arrivals in a table; its words: barrier.h.
 *
 * Invariant  [I1] A cell that names a thread is changed by that thread only, unless it is dead:
 *            then whoever swaps the very cell found.
 *            [I2] A phase ends by one compare-and-swap of `state`, from the very value that was
 *            read before the cells: all of them had then arrived, and nobody had attached since.
 *            [I3] While a member has not arrived, its phase does not end. So a phase that has
 *            moved on is one in which it arrived; the same phase, broken or with another count of
 *            resets, is one that did not end.
 *            [I4] Who sleeps, sleeps on `wait`, after it held its round's stamp and the state and
 *            the cells were looked at again; it is cleared only together with a wake-up, in one
 *            system call. A stamp per round: else one that is late for its sleep could mistake the
 *            announcement of the next round for its own.
 *            [I5] Who announced too late, when the phase was over and all had been woken, takes
 *            that back, and wakes again: another of the same phase may have mistaken it for an
 *            announcement that somebody will answer.
 * Ordering   [B1] arrive:   exchange cell, full; load state, cells  <-> [B1] of two that arrive
 *                 last one at least sees both. Weaker: both could wait.
 *            [B2] look:     load cell, acquire                  <-> [B1]  what its member wrote
 *            [B3] complete: compare-and-swap state, full        <-> [B4]  all that all wrote
 *            [B4] pass:     load state, acquire                 <-> [B3]
 *            [B5] attach:   swap cell, then swap state, full    <-> [B3]  who completes sees the
 *                 cell, or fails: its state is out of date
 *            [B6] sleep:    set wait, full; load state, cells   <-> [B7]  one of both sees the
 *            [B7] wake:     change state or cell, full; load wait <-> [B6]  other
 * Death      before [B1]: a member that has not arrived and is dead; who waits asks for each such
 *            one every 20 ms, and breaks the barrier, or drops it. Between [B1] and [B3]: whoever
 *            waits completes the phase at his next look. After [B3], before the wake-up: sleepers
 *            look by themselves within 20 ms (60 behind another). In attach, after its cell was
 *            swapped: as a member; its name may then be missing. In detach: a member, or none.
 *            In reset: some of the dead are dropped, and the barrier is broken still.
 *            Statistics may then be one short.
 * Close      waits for who spins or sleeps, and tells them -ECANCELED; what arrived stands.
 */
#include "sync/barrier.h"
#include "os/thread.h"
#include "segment/types.h"
#include "segment/wait.h"
#include <errno.h>

enum { SPIN_ROUNDS = 100, SPIN_LOOKS = 4, SPIN_PAUSES = 5 };
enum { HASTY_WAITS = 500 };

/* What a look finds, beside 0, ILK_ELECTED and -E...: not all have arrived. */
enum { WAITING = 1 << 16 };

_Static_assert(sizeof(struct ilk_barrier) == 5120, "the cells, a line, and who is in them");
_Static_assert(offsetof(struct ilk_barrier, wait) == 1024, "few members share the state's line");

/* --- small questions --- */

static int is_missing(const struct ilk_barrier *b, uint64_t cell, uint32_t stamp)
{
	if (cell == 0)
		return ilk_barrier_parties_(b) != 0;
	return (uint32_t)cell != stamp && cell != ILK_BARRIER_GONE_;
}

int ilk_barrier_missing_(const struct ilk_barrier *b, uint32_t stamp, uint32_t from)
{
	uint32_t cells = ilk_barrier_cells_(b);

	for (uint32_t i = from; i < cells; i++)
		if (is_missing(b, ilk_load_acquire_(&b->cell[i]), stamp)) /* [B2] */
			return (int)i;
	return ILK_BARRIER_NOBODY_;
}

/*
 * [B3] Ends the phase of STATE, in which all have arrived. 0: the state has changed. Who does is a
 * member, and the next phase does not end without it: so nobody else stores `phases` meanwhile.
 */
static int complete(struct ilk_barrier *b, uint64_t state)
{
	uint64_t next = state + (UINT64_C(1) << ILK_PHASE_SHIFT_);

	if (!ilk_cas_full_(&b->state, &state, next))
		return 0;
	ilk_store_release_(&b->phases, ilk_barrier_phases_(ilk_load_relaxed_(&b->phases), next));
	ilk_barrier_wake_(b);
	return 1;
}

/* --- waiting --- */

/* [B4] What STATE means to one who arrived in STAMP's round. */
static int verdict(uint64_t state, uint32_t stamp)
{
	uint32_t round = ilk_barrier_stamp_(state);

	if ((round ^ stamp) >> (ILK_PHASE_SHIFT_ - ILK_ROUND_SHIFT_))
		return 0; /* [I3] */
	return ilk_barrier_cause_(state) || round != stamp ? -EPIPE : WAITING;
}

/*
 * Looks whether the phase of STAMP's round is over, and ends it if all have arrived. *HINT is a
 * cell that was missing; while it is, the others need not be looked at.
 */
static int look(struct ilk_barrier *b, uint32_t stamp, int *hint)
{
	for (;;) {
		uint64_t state = ilk_load_acquire_(&b->state);
		int rc = verdict(state, stamp);

		if (rc != WAITING)
			return rc;
		if (*hint >= 0 && is_missing(b, ilk_load_acquire_(&b->cell[*hint]), stamp))
			return WAITING;
		*hint = ilk_barrier_missing_(b, stamp, 0);
		if (*hint >= 0)
			return WAITING;
		if (complete(b, state))
			return ILK_ELECTED;
	}
}

int64_t ilk_barrier_long_yield_ns_ = 500 * 1000;

/* Lets the missing have the core. 0: it went to somebody else, for long. */
static int yield(void)
{
	ilk_time before = ilk_now();

	ilk_yield_();
	return ilk_now() - before < ilk_barrier_long_yield_ns_;
}

static int look_between_pauses(struct ilk_barrier *b, uint32_t stamp, int *hint)
{
	int rc = WAITING;

	for (int i = 0; i < SPIN_LOOKS && rc == WAITING; i++) {
		for (int pause = 0; pause < SPIN_PAUSES; pause++)
			ilk_pause_();
		rc = look(b, stamp, hint);
	}
	return rc;
}

/*
 * Pauses, and yields, since those that are missing may need the core. Where others compete for it,
 * each yield can cost a time slice, and a sleeper who is woken is let in before them: so whoever met
 * that sleeps at once for a while.
 */
static int spin(struct ilk_barrier *b, uint32_t stamp, ilk_time deadline, int *hint)
{
	static __thread unsigned hasty; /* so many waits more */
	int rc = look_between_pauses(b, stamp, hint);

	if (rc == WAITING && hasty) {
		hasty--;
		return WAITING;
	}
	for (int round = 1; rc == WAITING && round < SPIN_ROUNDS; round++) {
		if (deadline != ILK_FOREVER && ilk_now() >= deadline)
			break;
		if (!yield()) {
			hasty = HASTY_WAITS;
			return look(b, stamp, hint);
		}
		rc = look_between_pauses(b, stamp, hint);
	}
	return rc;
}

/* Is another, which arrived in the same round, before us in the table? That one watches. */
static int is_behind(const struct ilk_barrier *b, uint32_t stamp)
{
	uint32_t i = 0;

	while (i < ilk_barrier_last_.cell && (uint32_t)ilk_load_relaxed_(&b->cell[i]) != stamp)
		i++;
	return i < ilk_barrier_last_.cell;
}

/* The deadline has passed. -ETIMEDOUT; WAITING: something changed, look again. */
static int give_up(struct ilk_barrier *b, uint32_t stamp)
{
	uint64_t state = ilk_load_acquire_(&b->state);

	return verdict(state, stamp) == WAITING && ilk_barrier_break_(b, state, ILK_BARRIER_TIMEOUT,
							   (int)ilk_barrier_last_.cell)
		       ? -ETIMEDOUT
		       : WAITING;
}

/* One sleep, for the member of cell MISSING among others. WAITING: look again. */
static int sleep_for(struct ilk_barrier *b, struct ilk_wait_ *w, uint32_t stamp, ilk_time deadline,
	uint32_t missing)
{
	uint32_t member = ilk_barrier_member_(ilk_load_relaxed_(&b->cell[missing]));
	int rc;

	w->behind = (uint32_t)is_behind(b, stamp);
	ilk_wait_note_(w, member, ilk_load_relaxed_(&b->phases));
	rc = ilk_wait_on_(w, &b->wait, stamp, deadline, member);
	if (rc == -ETIMEDOUT)
		return give_up(b, stamp);
	return rc == -ECANCELED ? rc : WAITING;
}

/* Says that we may sleep. 1: we did; 0: somebody had. */
static int announce(struct ilk_barrier *b, uint32_t stamp)
{
	if (ilk_load_acquire_(&b->wait) == stamp)
		return 0;
	ilk_exchange_(&b->wait, stamp); /* [B6] */
	ilk_fence_after_rmw_();
	return 1;
}

/* One round of it. WAITING: another. */
static int doze(
	struct ilk_barrier *b, struct ilk_wait_ *w, uint32_t stamp, ilk_time deadline, int *hint)
{
	int announced = announce(b, stamp);
	int rc = look(b, stamp, hint);
	uint64_t state = ilk_load_acquire_(&b->state);

	if (rc == WAITING && ilk_barrier_is_removed_(b))
		rc = -EIDRM;
	if (rc != WAITING) {
		if (announced)
			ilk_barrier_wake_(b); /* [I5] */
		return rc;
	}
	if (verdict(state, stamp) != WAITING || ilk_barrier_mourn_(w->segment, b, state))
		return WAITING;
	return sleep_for(b, w, stamp, deadline, (uint32_t)*hint);
}

static int wait_for_all(struct ilk_barrier *b, uint32_t stamp, ilk_time deadline, int *hint)
{
	struct ilk_wait_ w;
	int rc;

	ilk_wait_begin_(&w, b, ILK_TYPE_BARRIER_);
	w.many = 1; /* all who are missing, not the one alone that is noted */
	do
		rc = doze(b, &w, stamp, deadline, hint);
	while (rc == WAITING);
	ilk_add_relaxed_(&b->slept, UINT64_C(1));
	ilk_add_relaxed_(&b->waited_ns, (uint64_t)(ilk_now() - w.since));
	ilk_wait_end_(&w);
	return rc;
}

/* Inside, so that close can cancel it. */
static int await_others(struct ilk_barrier *b, uint32_t stamp, ilk_time deadline)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	int hint = ILK_BARRIER_NOBODY_;
	int rc = ilk_inside_begin_(seg);

	if (rc < 0)
		return rc;
	rc = spin(b, stamp, deadline, &hint);
	if (rc == WAITING)
		rc = wait_for_all(b, stamp, deadline, &hint);
	if (rc >= 0 && ilk_is_closing_(seg))
		rc = -ECANCELED;
	ilk_inside_end_(seg);
	return rc;
}

/* [B1] Arrives in the round that runs. Its stamp; 0: the barrier is broken. */
static uint32_t arrive(struct ilk_barrier *b, uint32_t i)
{
	uint64_t state = ilk_load_acquire_(&b->state);
	uint32_t stamp;

	do {
		if (ilk_barrier_cause_(state))
			return 0;
		stamp = ilk_barrier_stamp_(state);
		ilk_exchange_(&b->cell[i], ilk_barrier_cell_(ilk_thread_.owner, stamp));
		ilk_fence_after_rmw_();
		state = ilk_load_acquire_(&b->state);
		/* The same phase after a reset: that of before it, for which nobody was told. */
	} while (stamp != ilk_barrier_stamp_(state) && verdict(state, stamp) != 0);
	return stamp;
}

static int cross(struct ilk_barrier *b, uint32_t i, ilk_time deadline)
{
	uint32_t stamp = arrive(b, i);
	int hint = ILK_BARRIER_NOBODY_;
	int rc = stamp ? look(b, stamp, &hint) : -EPIPE;

	return rc == WAITING ? await_others(b, stamp, deadline) : rc;
}

int ilk_barrier_wait_until(struct ilk_barrier *b, ilk_time deadline)
{
	int rc = ilk_barrier_check_(b);

	if (rc < 0)
		return rc;
	rc = ilk_barrier_mine_(b);
	if (rc == ILK_BARRIER_NOBODY_)
		rc = ilk_barrier_join_(b);
	return rc < 0 ? rc : cross(b, (uint32_t)rc, deadline);
}

int ilk_barrier_wait(struct ilk_barrier *b)
{
	return ilk_barrier_wait_until(b, ILK_FOREVER);
}
