/*
 * pool.c - a table of tasks, each in a cell that says how far it is and whose: claiming a cell,
 * queueing a task, taking one.
 *
 * The cells are the truth. tail and head are positions; position p's cell is p modulo the capacity.
 * What lies between them is to be looked at: that is a hint, and whatever it misses is found by
 * looking through all cells.
 *
 * State      cell.word  serial | owner | runs | state.
 *                 FREE       nothing; what else the cell has is of tasks before
 *                 FILLING    owner is writing the task
 *                 QUEUED     to be run; runs: how often it was begun already
 *                 RUNNING    owner runs it, for the runs-th time
 *                 DONE       with a result of cell.result_bytes
 *                 FAILED     by cell.rc, with a text
 *                 CANCELLED  it was not run
 *                 DIED       by a signal, or 0: unknown; it is not run again
 *            cell.by, function, argument, flags: written while FILLING, and fixed then, but for the
 *            flag UNWANTED. result, rc: written while RUNNING. bell, asleep: pool_wait.c.
 *            rows: pool_serve.c. swept, noticed: pool_sweep.c. The rest: pool.h.
 * Words      claim    FREE(s) -> FILLING(s, me), CAS
 *            queue    FILLING(s, me) -> QUEUED(s, 0 runs)
 *            take     QUEUED(s, r) -> RUNNING(s, me, r + 1), CAS
 *            finish   RUNNING(s, me) -> DONE(s), FAILED(s); of an unwanted one -> FREE(s + 1)
 *            cancel   QUEUED(s) -> CANCELLED(s), CAS
 *            free     DONE(s), FAILED(s), CANCELLED(s), DIED(s) -> FREE(s + 1), CAS, by who got it
 *            retract  QUEUED(s, 0 runs) -> FREE(s + 1), CAS, by who queued it: the pool is closed
 *            and what the dead left, all CAS (pool_sweep.c):
 *            give up  FILLING(s, dead) -> FREE(s + 1)
 *            again    RUNNING(s, dead, r) -> QUEUED(s, r), while r is no more than the retries
 *            died     RUNNING(s, dead, r) -> DIED(s, signal), when it is
 *            drop     QUEUED(s) of a dead process -> FREE(s + 1); or over, and unwanted, or a dead
 *                     process's -> FREE(s + 1)
 * Invariant  [I1] FILLING and RUNNING are changed by their owner, or after its death. So the owner
 *            needs no CAS, and a task is finished once.
 *            [I2] A serial's states come in the order above, but for again, which has a number: so a
 *            task is begun 1 + retries times at most.
 *            [I3] Who changes a word by CAS has read all it concluded from (by, flags, function)
 *            between the load of that word and the CAS: they are of the same serial.
 *            [I4] tail and head are hints. A QUEUED cell that has no position from head to tail is
 *            lost to them. Who could have caused that sets head back: who queues behind the back of
 *            others [P5]; who queues again; who finds one. Head set back costs looks, no more.
 *            [I5] `returned` moves after each time that head is set back: a worker that has looked
 *            further than head looks again. Each does so at times, too: who set it back may have died
 *            in between.
 * Ordering   [P1] queue:  store word, release             <-> [P2]  the task
 *            [P2] take:   load word; CAS word, full       <-> [P1]
 *            [P3] finish: store word, release             <-> [P4]  the result
 *            [P4] get:    load word, acquire              <-> [P3]
 *            [P5] queue:  store word; CAS tail, or fence; load head   <-> [P6]  who passes over a cell
 *                 that is FILLING has moved head, or looks on alone and sees `returned` move, or
 *                 finds it QUEUED
 *            [P6] take:   CAS head, full; load word       <-> [P5]
 *            [P7] queue:  store word; CAS tail, or fence; load asleep, state <-> [P8] in pool_wait.c,
 *                 and [P9] close: or state, full; load words: one of both sees the other
 *            [P10] claim: CAS word, full                  <-> [P11] free: CAS word, full: who got the
 *                 last result is done with the cell
 * Death      One word says it all. FILLING: given up. Between [P1] and the tail, or with head moved
 *            and the word not: a QUEUED cell that is lost to the hints, found within 20 ms by the
 *            workers. RUNNING: again, or died. After [P3], before the wake-up: sleepers look every
 *            50 ms. Getting, before the CAS: it was not got, and goes with its process.
 */
#include "work/tasks.h"
#include "work/waiting.h"

enum { PATIENCE = 64 };

__thread struct ilk_pool_view_ ilk_pool_view_;

/* --- queueing --- */

int ilk_pool_claim_(
	const struct ilk_pool_view_ *v, const uint64_t *from, struct ilk_pool_place_ *place)
{
	uint64_t p = ilk_load_relaxed_(&v->pool->tail), end = p + v->mask + 1;

	if (from && (int64_t)(*from - p) > 0)
		p = *from;

	/* Not further than a lap, whatever tail says of where FROM is. */
	for (; (int64_t)(end - p) > 0; p++) {
		struct ilk_pool_cell_ *cell = ilk_pool_cell_(v, p);
		uint64_t word = ilk_load_relaxed_(&cell->word);
		uint64_t mine = ilk_task_with_(word, ILK_TASK_FILLING_, ilk_thread_.owner);

		if (ilk_task_state_(word) == ILK_TASK_FREE_ &&
			ilk_cas_full_(&cell->word, &word, mine)) { /* [P10] */
			*place = (struct ilk_pool_place_){p, mine, cell};
			return 1;
		}
	}
	return 0;
}

/* [I4] All workers are to look at P, again perhaps. */
static void set_head_back(struct ilk_pool *pool, uint64_t p)
{
	uint64_t head = ilk_load_relaxed_(&pool->head);

	while ((int64_t)(head - p) > 0 && !ilk_cas_full_(&pool->head, &head, p))
		;
	ilk_add_full_(&pool->returned, 1u); /* [I5] */
}

void ilk_pool_queue_(const struct ilk_pool_place_ *place)
{
	/* [P1] Weaker: a worker could run what is not written yet. */
	ilk_store_release_(&place->cell->word, ilk_task_with_(place->word, ILK_TASK_QUEUED_, 0));
}

void ilk_pool_publish_(const struct ilk_pool_view_ *v, uint64_t first, uint64_t next)
{
	struct ilk_pool *pool = v->pool;
	uint64_t tail = ilk_load_relaxed_(&pool->tail);
	int is_moved = 0;

	while (!is_moved && (int64_t)(next - tail) > 0)
		is_moved = ilk_cas_full_(&pool->tail, &tail, next);
	/* [P5] Weaker: one could be passed over, and we not see that. */
	if (is_moved)
		ilk_fence_after_rmw_();
	else
		ilk_fence_();
	if (!is_moved || (int64_t)(tail - first) > 0)
		set_head_back(pool, first);
}

void ilk_pool_queue_again_(const struct ilk_pool_view_ *v, const struct ilk_pool_cell_ *cell)
{
	uint64_t i = (uint64_t)((const char *)cell - v->cells) / v->stride;
	uint64_t last = ilk_load_acquire_(&v->pool->tail) - 1;

	/* Its last position that workers come to: tail may stand at the next, or have been there. */
	set_head_back(v->pool, last - ((last - i) & v->mask));
}

int ilk_pool_is_lost_(const struct ilk_pool_view_ *v, uint64_t i)
{
	uint64_t head = ilk_load_acquire_(&v->pool->head);
	uint64_t tail = ilk_load_acquire_(&v->pool->tail);

	return (int64_t)(tail - head) <= (int64_t)((i - head) & v->mask);
}

/* --- taking --- */

int ilk_pool_take_cell_(const struct ilk_pool_view_ *v, const struct ilk_pool_able_ *able,
	struct ilk_pool_cell_ *cell, uint64_t word, struct ilk_pool_taken_ *taken)
{
	uint32_t function = ilk_load_relaxed_(&cell->function);
	uint64_t mine;

	if (function >= ILK_POOL_MOST_FUNCTIONS || !able->run[function])
		return ILK_POOL_UNABLE_;
	mine = ilk_task_with_(word, ILK_TASK_RUNNING_, ilk_thread_.owner);
	mine += UINT64_C(1) << ILK_TASK_RUNS_AT_;
	if (ilk_task_runs_(word) > v->shape.retries ||
		!ilk_cas_full_(&cell->word, &word, mine)) /* [P2] */
		return ILK_POOL_NONE_;
	*taken = (struct ilk_pool_taken_){cell, mine, function};
	return ILK_POOL_GOT_;
}

/* CELL's word; if somebody fills it, a little later. */
static uint64_t settled(const struct ilk_pool_cell_ *cell)
{
	uint64_t word = ilk_load_acquire_(&cell->word); /* [P2] */

	for (int i = 0; i < PATIENCE && ilk_task_state_(word) == ILK_TASK_FILLING_; i++) {
		ilk_pause_();
		word = ilk_load_acquire_(&cell->word);
	}
	return word;
}

/* Is the cell at P a task's that ABLE has no function for? */
static int is_for_others(
	const struct ilk_pool_view_ *v, const struct ilk_pool_able_ *able, uint64_t p)
{
	const struct ilk_pool_cell_ *cell = ilk_pool_cell_(v, p);
	uint64_t word = ilk_load_acquire_(&cell->word);
	uint32_t function = ilk_load_relaxed_(&cell->function);

	return ilk_task_state_(word) == ILK_TASK_QUEUED_ &&
	       (function >= ILK_POOL_MOST_FUNCTIONS || !able->run[function]);
}

/* Where it looks on alone, beyond head. 1; 0: there is nothing yet. */
static int next_alone(
	const struct ilk_pool_view_ *v, const struct ilk_pool_able_ *able, uint64_t *position)
{
	*position = able->past;
	return (int64_t)(ilk_load_acquire_(&v->pool->tail) - able->past) > 0;
}

/*
 * The next position for the calling thread to look at, if there is one. Those at which there is
 * something for others it leaves to them: there head stays, and the thread looks on alone. 1; 0.
 */
static int next_position(
	const struct ilk_pool_view_ *v, struct ilk_pool_able_ *able, uint64_t *position)
{
	struct ilk_pool *pool = v->pool;
	uint32_t returned = ilk_load_acquire_(&pool->returned);
	uint64_t head = ilk_load_acquire_(&pool->head), tail;

	if (returned != able->returned) {
		able->returned = returned;
		able->past = head;
	}
	for (;;) {
		/* It only grows: while there is something before what it was, that will do. */
		tail = able->tail;
		if ((int64_t)(tail - head) <= 0)
			tail = able->tail = ilk_load_acquire_(&pool->tail);
		/* All cells lie in the last so many positions. */
		*position =
			(int64_t)(tail - head) > (int64_t)v->mask + 1 ? tail - v->mask - 1 : head;
		if ((int64_t)(able->past - *position) > 0)
			return next_alone(v, able, position);
		if ((int64_t)(tail - *position) <= 0)
			return 0;
		if (is_for_others(v, able, *position)) {
			able->past = *position + 1;
			able->left++;
		} else if (ilk_cas_full_(&pool->head, &head, *position + 1)) { /* [P6] */
			return 1;
		} else {
			ilk_pause_();
		}
	}
}

/* Looks at P's cell. GOT; NONE, UNABLE: go on. Who fills it sets head back, since tail is beyond it [P5]. */
static int take_at(const struct ilk_pool_view_ *v, struct ilk_pool_able_ *able, uint64_t p,
	struct ilk_pool_taken_ *taken)
{
	struct ilk_pool_cell_ *cell = ilk_pool_cell_(v, p);
	uint64_t word = settled(cell);
	int rc = ILK_POOL_NONE_;

	if (ilk_task_state_(word) == ILK_TASK_QUEUED_)
		rc = ilk_pool_take_cell_(v, able, cell, word, taken);
	able->past += able->past == p; /* it looks on alone */
	able->left += rc == ILK_POOL_UNABLE_;
	return rc;
}

int ilk_pool_take_(
	const struct ilk_pool_view_ *v, struct ilk_pool_able_ *able, struct ilk_pool_taken_ *taken)
{
	uint64_t p;
	int rc = ILK_POOL_NONE_;

	while (rc != ILK_POOL_GOT_ && next_position(v, able, &p))
		rc = take_at(v, able, p, taken);
	return rc == ILK_POOL_GOT_ ? rc : ILK_POOL_NONE_;
}
