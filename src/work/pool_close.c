/* pool_close.c - closing a pool, and waiting for its end. The protocol, and the labels: pool.c. */
#include "os/futex.h"
#include "segment/error.h"
#include "work/close.h"
#include "work/waiting.h"
#include <limits.h>

/* What is queued, and nobody's yet, is over. */
static void cancel_all(const struct ilk_pool_view_ *v)
{
	for (uint64_t i = 0; i <= v->mask; i++) {
		struct ilk_pool_cell_ *cell = ilk_pool_cell_(v, i);
		uint64_t word = ilk_load_acquire_(&cell->word);
		uint64_t over = ilk_task_with_(word, ILK_TASK_CANCELLED_, 0);

		if (ilk_task_state_(word) != ILK_TASK_QUEUED_ ||
			!ilk_cas_full_(&cell->word, &word, over))
			continue;
		ilk_add_relaxed_(&v->pool->cancelled, UINT64_C(1));
		ilk_pool_is_over_(v->pool, cell, 1);
		if (ilk_load_relaxed_(&cell->flags) & ILK_POOL_CELL_UNWANTED_)
			ilk_pool_free_(v, cell, over);
	}
}

static void wake_all(struct ilk_pool *pool)
{
	for (unsigned kind = 0; kind < ILK_POOL_KINDS_; kind++)
		ilk_futex_step_and_wake_(&pool->bell[kind], INT_MAX);
}

int ilk_pool_close(struct ilk_pool *pool, int how)
{
	const struct ilk_pool_view_ *v;
	int rc = ilk_pool_enter_(pool, 0, &v);

	if (rc < 0)
		return rc;
	if (how != ILK_POOL_DRAIN && how != ILK_POOL_CANCEL)
		return ilk_fail_(-EINVAL, "a pool is drained or cancelled");
	/* [P9] Weaker: a task could be queued that nobody looks for. */
	ilk_or_full_(&pool->state,
		(uint32_t)ILK_POOL_CLOSED_ | (how == ILK_POOL_CANCEL ? ILK_POOL_CANCELS_ : 0u));
	ilk_fence_after_rmw_();
	if (how == ILK_POOL_CANCEL)
		cancel_all(v);
	wake_all(pool);
	return 0;
}

void ilk_pool_remove_(const struct ilk_pool_view_ *v)
{
	ilk_or_full_(&v->pool->state, (uint32_t)ILK_POOL_REMOVED_);
	wake_all(v->pool);
	for (uint64_t i = 0; i <= v->mask; i++) {
		struct ilk_pool_cell_ *cell = ilk_pool_cell_(v, i);

		if (ilk_load_acquire_(&cell->asleep))
			ilk_futex_step_and_wake_(&cell->bell, INT_MAX);
	}
}

/* --- the end of all --- */

struct joining {
	struct ilk_pool_wait_ wait;
	uint64_t cell; /* those before it were seen idle */
};

/* Is no task queued, and does none run? A round over all cells from the last busy one on. */
static int is_idle(struct joining *j)
{
	const struct ilk_pool_view_ *v = j->wait.view;

	for (uint64_t i = 0; i <= v->mask; i++, j->cell++) {
		uint64_t word = ilk_load_acquire_(&ilk_pool_cell_(v, j->cell)->word);
		uint32_t state = ilk_task_state_(word);

		if (state == ILK_TASK_QUEUED_ || state == ILK_TASK_RUNNING_)
			return 0;
	}
	return 1;
}

/* A task that submits another and ends is seen by tail, or `returned`, which then have moved. */
static int idle_or_not(struct ilk_pool_wait_ *wait)
{
	struct joining *j = (struct joining *)(void *)wait;
	const struct ilk_pool *pool = wait->view->pool;
	uint32_t returned;
	uint64_t tail;

	if (wait->deep)
		ilk_pool_sweep_if_due_(wait->view, ilk_now());
	do {
		tail = ilk_load_acquire_(&pool->tail);
		returned = ilk_load_acquire_(&pool->returned);
		if (!is_idle(j))
			return ILK_POOL_NONE_;
	} while (tail != ilk_load_acquire_(&pool->tail) ||
		 returned != ilk_load_acquire_(&pool->returned));
	return ILK_POOL_GOT_;
}

int ilk_pool_join(struct ilk_pool *pool, ilk_time deadline)
{
	const struct ilk_pool_view_ *v;
	struct ilk_pool_view_ view;
	struct ilk_segment *seg;
	struct joining j = {.cell = 0};
	int rc = ilk_pool_enter_(pool, 0, &v);

	if (rc < 0)
		return rc;
	view = *v;
	seg = ilk_thread_.segment;
	rc = ilk_inside_begin_(seg);
	if (rc < 0)
		return rc;
	ilk_pool_wait_init_(&j.wait, &view, ILK_POOL_OVER_, idle_or_not);
	j.wait.many = 1;
	rc = ilk_pool_wait_for_(&j.wait, deadline);
	ilk_inside_end_(seg);
	return rc < 0 ? rc : 0;
}
