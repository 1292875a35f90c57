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
 *            whoever swaps the very word found. Threads of one process swap its cells, too; which of
 *            them acquired which is not known, and what one is about to give back counts as theirs.
 *            No count of free permits is kept: the cells tell.
 *            [I2] Who waits for more than it has, and has some of this call, holds the gate: there
 *            is one such at a time, and so no ring of them.
 *            [I3] Who sleeps has read `bell`, then announced itself, then found too few free, and
 *            sleeps on the bell it read.
 *            [I4] `sleepers` is cleared by a waker that woke nobody, and only if nobody announced
 *            itself since before that wake-up: who did sleeps not yet, or sleeps on a bell that was
 *            stepped. A wrap to 0 hides sleepers until the next look of one of them.
 * Ordering   [P1] take:    compare-and-swap cell, acquire <-> [P2]  what the last owner wrote
 *            [P2] release: store (or swap) cell, release  <-> [P1]
 *            [P3] release: store cell; compiler barrier; load sleepers  <-> [P4]
 *            [P4] sleep:   add to sleepers; membarrier; load cells      <-> [P3]  one of both sees
 *                 the other. In a fenced segment both sides use a full fence instead. At a tick
 *                 there is no membarrier where others were announced before: at worst one more tick.
 *            [P5] sweep:   compare-and-swap cell, full; load sleepers  <-> [P4]  the dead's stores
 *                 are there: the kernel released its life byte after its last instruction
 *            [P6] sleep:   announce, load tag       <-> [P7]
 *            [P7] remove:  store tag; step and wake <-> [P6]  who misses the tag misses no bell
 * Death      before [P1] nothing; after it, the cell names the dead, and each who finds too few
 *            free, or looks while it sleeps, takes or frees it: single words, so it does not matter
 *            where a sweeper dies. In the gate: what was collected is the dead's, too, and the gate
 *            is robust. After [P2], before the wake-up, or woken and killed: a free cell, and
 *            sleepers that look, one every 20 ms, the others every 60.
 * Close      waits for who spins, sleeps or is at the gate; what that got it gives back: -ECANCELED.
 *
 * Where the last permit of a thread was, it remembers: so one alone always finds it at once. Finding
 * what the dead have, waiting, the gate: permits_wait.c.
 */
#include "sync/permits.h"
#include "os/futex.h"
#include "segment/types.h"
#include <errno.h>

_Static_assert(sizeof(struct ilk_permits) == 192, "three cache lines, and the cells");

enum { CELLS_A_LINE = 8 };

/* --- where to begin --- */

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

/* --- letting them go --- */

void ilk_permits_wake_(struct ilk_permits *p, uint32_t n)
{
	uint32_t seen;

	ilk_fence_after_rmw_(); /* of [P5] */
	seen = ilk_load_acquire_(&p->sleepers);
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

/*
 * [P2] Frees cell I, which was the caller's. 1; 0: another thread of the process has freed it. FENCED
 * as what releases; a process's cells are swapped, and so fenced at little cost.
 */
static inline int free_cell(struct ilk_permits_view_ *v, uint32_t i, int fenced)
{
	uint64_t mine = v->mine;
	int is_freed;

	if (v->by_process) {
		is_freed = ilk_cas_full_(&v->cell[i], &mine, ILK_PERMIT_FREE_);
		ilk_fence_after_rmw_();
		return is_freed;
	}
	if (!fenced) {
		ilk_store_release_(&v->cell[i], ILK_PERMIT_FREE_);
		return 1;
	}
	ilk_exchange_(&v->cell[i], ILK_PERMIT_FREE_);
	ilk_fence_after_rmw_();
	return 1;
}

uint32_t ilk_permits_count_mine_(const struct ilk_permits_view_ *v, uint32_t most)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < v->count && found < most; i++)
		found += ilk_load_relaxed_(&v->cell[i]) == v->mine;
	return found;
}

void ilk_permits_free_mine_(struct ilk_permits_view_ *v, uint32_t n, int fenced)
{
	for (uint32_t i = 0, left = n; i < v->count && left; i++)
		left -= ilk_load_relaxed_(&v->cell[i]) == v->mine &&
			(uint32_t)free_cell(v, i, fenced);
	ilk_permits_let_go_(v, n);
	wake_after_store(v->p, n);
}

/* Its threads, one at a time: else two could count the same cells, and both release them. */
static int release_of_process(struct ilk_segment *seg, struct ilk_permits *p, uint32_t n)
{
	struct ilk_permits_view_ v;
	int rc = -EPERM;

	ilk_registry_lock_();
	if (!ilk_permits_see_as_mine_(seg, p, &v))
		rc = -EINVAL;
	else if (seg->member->joined && ilk_permits_count_mine_(&v, n) == n) {
		ilk_permits_free_mine_(&v, n, 0);
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
	if (!ilk_permits_see_as_mine_(seg, p, &v))
		return -EINVAL;
	if (ilk_permits_count_mine_(&v, n) < n)
		return -EPERM;
	ilk_permits_free_mine_(&v, n, (int)ilk_thread_.fenced);
	return 0;
}

int ilk_permits_release(struct ilk_permits *p, unsigned n)
{
	struct ilk_permits_view_ v;
	uint32_t i;

	if (n != 1 || !ilk_is_here_(p) || ilk_thread_.fenced || !ilk_permits_are_some_(p) ||
		!ilk_permits_see_as_mine_(ilk_thread_.segment, p, &v) || v.by_process)
		return release_slow(p, n);
	i = place(&v);
	if (ilk_load_relaxed_(&v.cell[i]) != v.mine)
		return release_slow(p, n);
	ilk_permits_let_go_(&v, 1);
	free_cell(&v, i, 0);
	wake_after_store(p, 1);
	return 0;
}

/* --- taking them --- */

/* [P1] */
static inline int take_cell(struct ilk_permits_view_ *v, uint32_t i)
{
	uint64_t found = ILK_PERMIT_FREE_;

	if (!ilk_cas_acquire_(&v->cell[i], &found, v->mine))
		return 0;
	remember(v, i);
	ilk_permits_hold_(v, 1);
	return 1;
}

uint32_t ilk_permits_take_free_(struct ilk_permits_view_ *v, uint32_t wanted)
{
	uint32_t at = place(v), got = 0;

	for (uint32_t looked = 0; looked < v->count && got < wanted; looked++) {
		got += ilk_load_relaxed_(&v->cell[at]) == ILK_PERMIT_FREE_ && take_cell(v, at);
		at = at + 1 == v->count ? 0 : at + 1;
	}
	return got;
}

/* One, where this thread's last one was; all else is acquire_slow's. */
static inline int acquire_until(struct ilk_permits *p, unsigned n, ilk_time deadline)
{
	struct ilk_permits_view_ v;

	if (n == 1 && ilk_is_here_(p) && ilk_load_relaxed_(&p->tag) == ILK_PERMITS_TAG_ &&
		ilk_permits_see_as_mine_(ilk_thread_.segment, p, &v) && take_cell(&v, place(&v)))
		return 0;
	return ilk_permits_acquire_slow_(p, n, deadline);
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
