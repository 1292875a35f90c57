/*
 * pool_wait.c - waiting in a pool: for a task, for room, for the end of one or of any.
 *
 * State      asleep: 0 = nobody of that kind needs to be woken; each who is about to sleep adds 1, so
 *            that no two announcements look the same. bell: stepped with each wake-up. One pair for
 *            each kind in the pool, one in each cell, for who waits for its future. slept,
 *            waited_ns: statistics.
 * Invariant  [W1] Who sleeps has read the bell, then announced itself, then tried in vain, and
 *            sleeps on the bell it read.
 *            [W2] asleep is cleared by a waker that woke nobody, and only if nobody announced itself
 *            since before that wake-up: who did sleeps on a bell that was stepped. A wrap to 0 hides
 *            sleepers until the next look of one of them.
 *            [W3] There is a wake-up for each task. A worker that slept, and then left one to
 *            others, or found another one behind its own, passes it on: pool_serve.c.
 *            [W4] A cell is used for other tasks later: who waited for one of before is woken in
 *            vain, and finds by the serial that it was got.
 * Ordering   [P8] sleep: add to asleep; membarrier; load words <-> [P7] and finish: change word;
 *                 compiler barrier; load asleep. One of both sees the other. In a fenced segment
 *                 both have a full fence.
 * Death      Asleep, or woken, or about to wake: each sleep ends by itself, after 20 ms where an
 *            owner is waited for, or the sleeper looks after the dead, else after 50.
 */
#include "work/waiting.h"
#include "os/futex.h"
#include "segment/types.h"
#include <limits.h>

void ilk_pool_wake_(uint32_t *bell, uint32_t *asleep, int n)
{
	uint32_t seen = ilk_load_acquire_(asleep);

	if (seen && ilk_futex_step_and_wake_(bell, n) == 0)
		ilk_cas_full_(asleep, &seen, 0); /* [W2] */
}

void ilk_pool_is_over_(struct ilk_pool *pool, struct ilk_pool_cell_ *cell, int fenced)
{
	/* [P8] Weaker: it could be seen in its cell before the word. */
	if (ILK_UNLIKELY_(fenced))
		ilk_fence_();
	else
		ilk_compiler_barrier_();
	if (ILK_UNLIKELY_(ilk_load_relaxed_(&cell->asleep)))
		ilk_pool_wake_(&cell->bell, &cell->asleep, INT_MAX);
	ilk_pool_told_(pool, ILK_POOL_OVER_, INT_MAX);
	/* Who waits for the end of all. */
	if (ILK_UNLIKELY_(ilk_load_relaxed_(&pool->state) & ILK_POOL_CLOSED_))
		ilk_pool_told_(pool, ILK_POOL_WORKERS_, INT_MAX);
}

void ilk_pool_wait_init_(struct ilk_pool_wait_ *w, const struct ilk_pool_view_ *v, uint32_t kind,
	int (*attempt)(struct ilk_pool_wait_ *w))
{
	*w = (struct ilk_pool_wait_){
		.view = v,
		.bell = &v->pool->bell[kind],
		.asleep = &v->pool->asleep[kind],
		.attempt = attempt,
	};
}

static int attempt(struct ilk_pool_wait_ *w)
{
	w->owner = 0;
	if (ilk_load_acquire_(&w->view->pool->state) & ILK_POOL_REMOVED_)
		return -EIDRM;
	return w->attempt(w);
}

static int is_to_wait(int rc)
{
	return rc == ILK_POOL_NONE_ || rc == ILK_POOL_BUSY_;
}

static int spin(struct ilk_pool_wait_ *w)
{
	unsigned look = 0;
	int rc;

	do
		rc = attempt(w);
	while (is_to_wait(rc) && ilk_spin_once_(&look));
	return rc;
}

static int sleep_for(struct ilk_pool_wait_ *w, struct ilk_wait_ *sleep, ilk_time deadline)
{
	int rc, how = ILK_WOKEN_;

	sleep->many = w->many;
	do {
		uint32_t bell = ilk_load_acquire_(w->bell);     /* [W1] */
		uint32_t before = ilk_add_full_(w->asleep, 1u); /* [P8] */

		/* Weaker: a change could miss all who sleep. At a tick others' will do. */
		if (before == 0 || how != ILK_TICK_)
			ilk_handshake_(ilk_thread_.segment);
		w->deep = how == ILK_TICK_ || how == -EOWNERDEAD || w->slept == 0;
		rc = attempt(w);
		if (!is_to_wait(rc))
			return rc;
		w->slept = 1;
		ilk_wait_note_(sleep, w->owner, 0);
		how = ilk_wait_on_(sleep, w->bell, bell, deadline, rc ? w->owner : 0);
	} while (how >= 0 || how == -EOWNERDEAD);
	return how;
}

static int wait_asleep(struct ilk_pool_wait_ *w, ilk_time deadline)
{
	struct ilk_pool *pool = w->view->pool;
	struct ilk_wait_ sleep;
	int rc;

	ilk_wait_begin_(&sleep, pool, ILK_TYPE_POOL_);
	rc = sleep_for(w, &sleep, deadline);
	ilk_add_relaxed_(&pool->slept, 1u);
	ilk_add_relaxed_(&pool->waited_ns, (uint64_t)(ilk_now() - sleep.since));
	ilk_wait_end_(&sleep);
	return rc;
}

int ilk_pool_wait_for_(struct ilk_pool_wait_ *w, ilk_time deadline)
{
	int rc;

	if (deadline == ILK_NOW) {
		rc = attempt(w);
		w->deep = 1;
		rc = is_to_wait(rc) ? attempt(w) : rc;
		return is_to_wait(rc) ? -EAGAIN : rc;
	}
	rc = spin(w);
	return is_to_wait(rc) ? wait_asleep(w, deadline) : rc;
}
