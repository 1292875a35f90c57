/*
 * permits.c - a bounded semaphore whose permits know their owners.
 *
 * State      cell      0 = free; else its owner's: of a thread, its owner word; of a process,
 *                      generation in bits 63..32, slot + 1 in 31..20, and OF_PROCESS
 *            sleepers  0 = nobody needs to be woken; else somebody may sleep on `bell`: each who is
 *                      about to adds 1, so that no two announcements look the same
 *            bell      stepped with each wake-up
 *            gate      a mutex: who wants several holds it while it collects them
 *            tag       PERMITS, or REMOVED for good: nobody acquires any more
 *            count, flags, label: fixed. slept, waited_ns, recovered: statistics, added to by each.
 *            watched: when one of those who sleep last looked after the owners; by that one
 * Invariant  [I1] A cell that is not free is changed by its owner only, unless that is dead: then by
 *            whoever swaps the very word found. No count of free permits is kept: the cells tell.
 *            [I2] Who waits for more than it has, and has some of this call, holds the gate: there
 *            is one such at a time, and so no ring of them.
 *            [I3] Who sleeps has read `bell`, then announced itself, then found too few free, and
 *            sleeps on the bell it read.
 *            [I4] `sleepers` is cleared by a waker that woke nobody, and only if nobody announced
 *            itself since before that wake-up: who did sleeps not yet, or sleeps on a bell that was
 *            stepped. A wrap to 0 hides sleepers until the next look of one of them.
 * Ordering   [P1] take:    compare-and-swap cell, acquire <-> [P2]  what the last owner wrote
 *            [P2] release: store cell, release            <-> [P1]
 *            [P3] release: store cell; compiler barrier; load sleepers  <-> [P4]
 *            [P4] sleep:   add to sleepers; membarrier; load cells      <-> [P3]  one of both sees
 *                 the other. In a fenced segment both sides use a full fence instead. At a tick
 *                 there is no membarrier where others were announced before: at worst one more tick.
 *            [P5] sweep:   compare-and-swap cell, full; the dead's stores are there: the kernel
 *                 released its life byte after its last instruction
 *            [P6] sleep:   announce, load tag       <-> [P7]
 *            [P7] remove:  store tag; step and wake <-> [P6]  who misses the tag misses no bell
 * Death      before [P1] nothing; after it, the cell names the dead, and each who finds too few
 *            free, or looks while it sleeps, takes or frees it: single words, so it does not matter
 *            where a sweeper dies. In the gate: what was collected is the dead's, too, and the gate
 *            is robust. After [P2], before the wake-up, or woken and killed: a free cell, and
 *            sleepers that look, one every 20 ms, the others every 60.
 * Close      waits for who spins, sleeps or is at the gate; what that got it gives back: -ECANCELED.
 *
 * Where the last permit of a thread was, it remembers: so one alone always finds it at once.
 */
#include "sync/permits.h"
#include "os/futex.h"
#include "segment/types.h"
#include "segment/wait.h"
#include <errno.h>

_Static_assert(sizeof(struct ilk_permits) == 192, "three cache lines, and the cells");

enum { CELLS_A_LINE = 8, FEW = 64, WATCHED_FOR = 50 * 1000 * 1000 };
static const uint64_t FREE = 0;

/* --- what is seen --- */

static uint64_t mine_of(const struct ilk_segment *seg, uint32_t flags)
{
	return flags & ILK_PERMITS_PROCESS
		       ? ilk_permits_process_(seg->member->process, seg->member->generation)
		       : ilk_thread_.owner;
}

/* P, which begins in SEG. 1; 0: it makes no sense. */
static inline int see(
	const struct ilk_segment *seg, struct ilk_permits *p, struct ilk_permits_view_ *v)
{
	uint32_t flags = ilk_load_relaxed_(&p->flags);
	uintptr_t at = (uintptr_t)p - (uintptr_t)seg->map.base;

	v->p = p;
	v->cell = ilk_permits_cells_(p);
	v->count = ilk_load_relaxed_(&p->count);
	v->by_process = flags & ILK_PERMITS_PROCESS;
	v->mine = v->by_process ? mine_of(seg, flags) : ilk_thread_.owner;
	return v->count - 1 < ILK_PERMITS_MAX && ILK_PERMITS_BYTES(v->count) <= seg->map.bytes - at;
}

static __thread struct {
	const struct ilk_permits *p;
	uint32_t cell;
} recent;

/* Threads begin on cache lines of their own, as far as there are any. */
static uint32_t home(uint32_t slot, uint32_t count)
{
	uint32_t at = slot * CELLS_A_LINE;

	return at < count ? at : (at + at / count) % count;
}

static inline uint32_t place(const struct ilk_permits_view_ *v)
{
	if (recent.p == v->p && recent.cell < v->count)
		return recent.cell;
	return v->by_process ? 0 : home(ilk_owner_slot_((uint32_t)v->mine), v->count);
}

static inline void remember(const struct ilk_permits_view_ *v, uint32_t cell)
{
	recent.p = v->p;
	recent.cell = cell;
}

/* The calling thread has N more, or fewer. A process's are nobody's to leave behind. */
static inline void hold(const struct ilk_permits_view_ *v, uint32_t n)
{
	if (!v->by_process)
		ilk_thread_.me->held += n;
}
static inline void let_go(const struct ilk_permits_view_ *v, uint32_t n)
{
	if (!v->by_process)
		ilk_thread_.me->held -= n;
}

/* --- letting them go --- */

void ilk_permits_wake_(struct ilk_permits *p, uint32_t n)
{
	uint32_t seen = ilk_load_acquire_(&p->sleepers);

	if (seen && ilk_futex_step_and_wake_(&p->bell, (int)n) == 0)
		ilk_cas_full_(&p->sleepers, &seen, 0); /* [I4] */
}

/* The rest of [P3]. */
static inline void wake_after_store(struct ilk_permits *p, uint32_t n)
{
	ilk_compiler_barrier_();
	if (ILK_UNLIKELY_(ilk_load_relaxed_(&p->sleepers)))
		ilk_permits_wake_(p, n);
}

/* [P2] */
static inline void free_cell(uint64_t *cell, int fenced)
{
	if (!fenced) {
		ilk_store_release_(cell, FREE);
		return;
	}
	ilk_exchange_(cell, FREE);
	ilk_fence_after_rmw_();
}

/* How many cells are the caller's; it looks for MOST. */
static uint32_t count_mine(const struct ilk_permits_view_ *v, uint32_t most)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < v->count && found < most; i++)
		found += ilk_load_relaxed_(&v->cell[i]) == v->mine;
	return found;
}

/* Frees N of the caller's, which has so many. */
static void free_mine(struct ilk_permits_view_ *v, uint32_t n, int fenced)
{
	for (uint32_t i = 0, left = n; i < v->count && left; i++)
		if (ilk_load_relaxed_(&v->cell[i]) == v->mine) {
			free_cell(&v->cell[i], fenced);
			left--;
		}
	let_go(v, n);
	wake_after_store(v->p, n);
}

/* Its threads, one at a time: else two could count the same cells, and both release them. */
static int release_of_process(struct ilk_segment *seg, struct ilk_permits *p, uint32_t n)
{
	struct ilk_permits_view_ v;
	int rc = -EPERM;

	ilk_registry_lock_();
	if (!see(seg, p, &v))
		rc = -EINVAL;
	else if (seg->member->joined && count_mine(&v, n) == n) {
		free_mine(&v, n, 1);
		rc = 0;
	}
	ilk_registry_unlock_();
	return rc;
}

static int release_slow(struct ilk_permits *p, uint32_t n)
{
	struct ilk_segment *seg = ilk_find_attachment_(p);
	struct ilk_permits_view_ v;
	int rc;

	if (!seg || n == 0)
		return -EINVAL;
	if (seg->read_only)
		return -EROFS;
	if (!ilk_permits_are_some_(p))
		return -EINVAL;
	if (ilk_load_relaxed_(&p->flags) & ILK_PERMITS_PROCESS)
		return release_of_process(seg, p, n);
	rc = ilk_is_here_(p) ? 0 : ilk_find_mine_(p);
	if (rc < 0)
		return rc;
	if (!see(seg, p, &v))
		return -EINVAL;
	if (count_mine(&v, n) < n)
		return -EPERM;
	free_mine(&v, n, (int)ilk_thread_.fenced);
	return 0;
}

int ilk_permits_release(struct ilk_permits *p, unsigned n)
{
	struct ilk_permits_view_ v;
	uint64_t *cell;

	if (n != 1 || !ilk_is_here_(p) || ilk_thread_.fenced || !ilk_permits_are_some_(p) ||
		!see(ilk_thread_.segment, p, &v) || v.by_process)
		return release_slow(p, n);
	cell = &v.cell[place(&v)];
	if (ilk_load_relaxed_(cell) != v.mine)
		return release_slow(p, n);
	let_go(&v, 1);
	free_cell(cell, 0);
	wake_after_store(p, 1);
	return 0;
}

/* --- taking them --- */

/* [P1] */
static inline int take_cell(struct ilk_permits_view_ *v, uint32_t i)
{
	uint64_t found = FREE;

	if (!ilk_cas_acquire_(&v->cell[i], &found, v->mine))
		return 0;
	remember(v, i);
	hold(v, 1);
	return 1;
}

/* Up to WANTED of those that are free. How many. */
static uint32_t take_free(struct ilk_permits_view_ *v, uint32_t wanted)
{
	uint32_t at = place(v), got = 0;

	for (uint32_t looked = 0; looked < v->count && got < wanted; looked++) {
		got += ilk_load_relaxed_(&v->cell[at]) == FREE && take_cell(v, at);
		at = at + 1 == v->count ? 0 : at + 1;
	}
	return got;
}

uint32_t ilk_permits_sweep_(
	struct ilk_segment *seg, struct ilk_permits_view_ *v, uint32_t wanted, uint32_t *freed)
{
	struct ilk_living_ living = {.slots = {0}};
	uint32_t got = 0;

	*freed = 0;
	for (uint32_t i = 0; i < v->count; i++) {
		uint64_t found = ilk_load_acquire_(&v->cell[i]);
		int take = got < wanted;

		if (found == FREE || found == v->mine ||
			ilk_permits_life_(seg, found, &living) != ILK_LIFE_DEAD ||
			!ilk_cas_full_(&v->cell[i], &found, take ? v->mine : FREE)) /* [P5] */
			continue;
		got += (uint32_t)take;
		*freed += (uint32_t)!take;
	}
	if (got + *freed)
		ilk_add_relaxed_(&v->p->recovered, got + *freed);
	return got;
}

/* What is free, and then what the dead have. How many. */
static uint32_t take_any(struct ilk_segment *seg, struct ilk_permits_view_ *v, uint32_t wanted)
{
	uint32_t got = take_free(v, wanted), swept, freed;

	if (got == wanted)
		return got;
	swept = ilk_permits_sweep_(seg, v, wanted - got, &freed);
	hold(v, swept);
	if (freed)
		ilk_permits_wake_(v->p, freed);
	return got + swept;
}

/* One call's waiting. */
struct effort {
	struct ilk_segment *seg;
	struct ilk_permits_view_ v;
	uint32_t wanted, got;
};

static int look(struct effort *e)
{
	e->got += take_free(&e->v, e->wanted - e->got);
	return e->got == e->wanted;
}

static int look_everywhere(struct effort *e)
{
	e->got += take_any(e->seg, &e->v, e->wanted - e->got);
	return e->got == e->wanted;
}

static int spin(struct effort *e)
{
	unsigned round = 0;

	do
		if (look(e))
			return 1;
	while (e->v.count <= FEW ? ilk_spin_once_(&round) : ilk_spin_(&round));
	return 0;
}

/* [P4] Weaker: a release could miss all who sleep. */
static void announce(const struct effort *e, int how_it_woke)
{
	uint32_t before = ilk_add_full_(&e->v.p->sleepers, 1);

	if (before == 0 || how_it_woke != ILK_TICK_)
		ilk_handshake_(e->seg);
}

/*
 * Of those who sleep one looks after the owners every 20 ms, and says so each time. The others look
 * every 60 ms, and take its place where it has not said so for a while: it was served, or is dead.
 * Two who took it at once find out at the next tick. MINE: what it said last; 0: nothing.
 */
static int64_t watch(struct ilk_permits *p, int64_t mine)
{
	int64_t said = ilk_load_relaxed_(&p->watched), now = ilk_now();

	if (said != mine && (uint64_t)(now - said) < WATCHED_FOR)
		return 0;
	ilk_store_relaxed_(&p->watched, now);
	return now;
}

static int sleep_for(struct effort *e, struct ilk_wait_ *w, ilk_time deadline)
{
	struct ilk_permits *p = e->v.p;
	int64_t watching = 0;
	int rc = ILK_WOKEN_;

	w->many = 1;
	while (rc >= 0) {
		uint32_t bell = ilk_load_acquire_(&p->bell); /* [I3] */

		announce(e, rc);
		watching = watch(p, watching);
		w->behind = watching == 0;
		if (ilk_permits_are_removed_(p)) /* [P6] */
			return -EIDRM;
		if (look_everywhere(e))
			return 0;
		rc = ilk_wait_on_(w, &p->bell, bell, deadline, 0);
		if (rc == ILK_WOKEN_ && look(e))
			return 0;
	}
	return rc;
}

static int wait_for(struct effort *e, ilk_time deadline)
{
	struct ilk_permits *p = e->v.p;
	struct ilk_wait_ w;
	int rc;

	ilk_wait_begin_(&w, p, ILK_TYPE_PERMITS_);
	rc = sleep_for(e, &w, deadline);
	ilk_add_relaxed_(&p->slept, 1);
	ilk_add_relaxed_(&p->waited_ns, (uint64_t)(ilk_now() - w.since));
	ilk_wait_end_(&w);
	return rc;
}

/* Inside. 0: all is ours; else nothing is. */
static int collect(struct effort *e, ilk_time deadline)
{
	int rc = 0;

	if (deadline == ILK_NOW)
		rc = look_everywhere(e) ? 0 : -EAGAIN;
	else if (!spin(e))
		rc = wait_for(e, deadline);
	if (rc == 0 && ilk_is_closing_(e->seg))
		rc = -ECANCELED;
	if (rc == 0 && ilk_permits_are_removed_(e->v.p))
		rc = -EIDRM;
	if (rc < 0 && e->got)
		free_mine(&e->v, e->got, (int)ilk_thread_.fenced);
	return rc;
}

/* [I2] What the gate's last owner left when it died is in the cells. */
static int collect_at_gate(struct effort *e, ilk_time deadline)
{
	struct ilk_mutex *gate = &e->v.p->gate;
	int rc = ilk_mutex_lock_until(gate, deadline);

	if (rc < 0)
		return rc == -ETIMEDOUT && deadline == ILK_NOW ? -EAGAIN : rc;
	if (rc == ILK_RECOVERED)
		ilk_mutex_repaired(gate);
	rc = collect(e, deadline);
	ilk_mutex_unlock(gate);
	return rc;
}

/* Even if all others let theirs go, it would not be enough. */
static int is_hopeless(const struct ilk_permits_view_ *v, uint32_t wanted)
{
	return !v->by_process && count_mine(v, v->count) + wanted > v->count;
}

static int acquire_slow(struct ilk_permits *p, uint32_t n, ilk_time deadline)
{
	struct effort e = {.wanted = n};
	int rc = ilk_here_(p);

	if (rc < 0)
		return rc;
	if (ilk_permits_are_removed_(p))
		return -EIDRM;
	e.seg = ilk_thread_.segment;
	if (!ilk_permits_are_some_(p) || !see(e.seg, p, &e.v) || n - 1 >= e.v.count)
		return -EINVAL;
	if (is_hopeless(&e.v, n))
		return -EDEADLK;
	rc = ilk_inside_begin_(e.seg);
	if (rc < 0)
		return rc;
	rc = n == 1 ? collect(&e, deadline) : collect_at_gate(&e, deadline);
	ilk_inside_end_(e.seg);
	return rc;
}

/* One, where this thread's last one was; all else is acquire_slow's. */
static inline int acquire_until(struct ilk_permits *p, unsigned n, ilk_time deadline)
{
	struct ilk_permits_view_ v;

	if (n == 1 && ilk_is_here_(p) && ilk_load_relaxed_(&p->tag) == ILK_PERMITS_TAG_ &&
		see(ilk_thread_.segment, p, &v) && take_cell(&v, place(&v)))
		return 0;
	return acquire_slow(p, n, deadline);
}

int ilk_permits_acquire(struct ilk_permits *p, unsigned n)
{
	return acquire_until(p, n, ILK_FOREVER);
}

int ilk_permits_try_acquire(struct ilk_permits *p, unsigned n)
{
	return acquire_until(p, n, ILK_NOW);
}

int ilk_permits_acquire_until(struct ilk_permits *p, unsigned n, ilk_time deadline)
{
	int rc = acquire_until(p, n, deadline);

	return rc == -EAGAIN ? -ETIMEDOUT : rc;
}
