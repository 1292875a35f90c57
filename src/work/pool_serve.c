/*
 * pool_serve.c - a worker: its row, its functions, its loop. The protocol, and the labels: pool.c.
 *
 * State      row.owner  0 = nobody's; else its worker's. Taken by CAS, from 0, or, where all are
 *                       taken, from one who is dead, and its supervisor, if any, too; freed by its
 *                       worker, or after its death by its supervisor, or, where there is none or
 *                       it was too slow, by who sweeps.
 *            row.supervisor  who started its worker, and is its owner as long as it is only reserved
 *                       for that; 0 = nobody
 *            row.leave  the owner word of one who is to leave; else nobody is
 *            name       set once, under `naming`; names counts those that are set
 * Death      In the row: owner is dead. Naming: the mutex is robust, an entry that is not counted is
 *            written anew. What it ran: pool_sweep.c.
 */
#include "os/clock.h"
#include "segment/error.h"
#include "work/serve.h"
#include "work/waiting.h"
#include <limits.h>
#include <pthread.h>
#include <string.h>

__thread struct ilk_pool_serving_ *ilk_pool_serving_;

/* --- functions --- */

static int check_functions(const struct ilk_task_function *functions, size_t count)
{
	if (count == 0 || !functions)
		return ilk_fail_(-EINVAL, "a worker needs at least one function");
	for (size_t i = 0; i < count; i++) {
		const char *name = functions[i].name;

		if (!name || !*name || strlen(name) >= ILK_POOL_NAME_BYTES || !functions[i].run)
			return ilk_fail_(-EINVAL,
				"function %zu has no name, one of %d bytes or more, or no code", i,
				ILK_POOL_NAME_BYTES);
	}
	return 0;
}

/* Under `naming`. The number of NAME; -ENOSPC. */
static int number_for(struct ilk_pool *pool, const char *name)
{
	uint32_t names = ilk_load_relaxed_(&pool->names);
	int number = ilk_pool_number_of_(pool, name);

	if (number >= 0)
		return number;
	if (names >= ILK_POOL_MOST_FUNCTIONS)
		return ilk_fail_(-ENOSPC, "no room for the function \"%s\": the pool has %d names",
			name, ILK_POOL_MOST_FUNCTIONS);
	memset(pool->name[names].name, 0, ILK_POOL_NAME_BYTES);
	memcpy(pool->name[names].name, name, strlen(name));
	ilk_store_release_(&pool->names, names + 1);
	return (int)names;
}

static int name_all(struct ilk_pool *pool, const struct ilk_task_function *functions, size_t count,
	struct ilk_pool_able_ *able, ilk_time deadline)
{
	size_t known = 0;
	int rc;

	/* Who has nothing new to say waits for nobody. */
	while (known < count && (rc = ilk_pool_number_of_(pool, functions[known].name)) >= 0)
		able->run[rc] = functions[known++].run;
	if (known == count)
		return 0;
	rc = ilk_mutex_lock_until(&pool->naming, deadline);
	if (rc < 0)
		return rc;
	if (rc == ILK_RECOVERED)
		ilk_mutex_repaired(&pool->naming);
	for (size_t i = known; rc >= 0 && i < count; i++) {
		rc = number_for(pool, functions[i].name);
		if (rc >= 0)
			able->run[rc] = functions[i].run;
	}
	ilk_mutex_unlock(&pool->naming);
	return rc < 0 ? rc : 0;
}

int ilk_pool_introduce_(struct ilk_pool *pool, const struct ilk_task_function *functions,
	size_t count, struct ilk_pool_able_ *able)
{
	int rc = check_functions(functions, count);

	return rc < 0 ? rc : name_all(pool, functions, count, able, ILK_FOREVER);
}

/* --- its row --- */

/* For one who was started by SUPERVISOR, or nobody: 0. */
static int take_row(struct ilk_pool_row_ *row, uint32_t owner, uint32_t mine, uint32_t supervisor)
{
	if (!ilk_cas_full_(&row->owner, &owner, mine))
		return 0;
	/* A thread that ends in order leaves its owner word to the next. Who asks does so again. */
	ilk_store_relaxed_(&row->leave, 0u);
	/* As it was, where that reserved the row: its worker is never seen without. */
	ilk_store_relaxed_(&row->supervisor, supervisor);
	ilk_store_relaxed_(&row->function, 0u);
	ilk_store_relaxed_(&row->deep, 0u);
	ilk_store_relaxed_(&row->since, ilk_now());
	ilk_store_relaxed_(&row->noticed, (int64_t)0);
	return 1;
}

/* Has OWNER, of ROW, died, and nobody to see it off? */
static int is_left(const struct ilk_pool_row_ *row, uint32_t owner)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	uint32_t supervisor = ilk_load_relaxed_(&row->supervisor);

	return owner && ilk_owner_life_(seg, owner) == ILK_LIFE_DEAD &&
	       (!supervisor || ilk_owner_life_(seg, supervisor) == ILK_LIFE_DEAD);
}

/* Takes a row for MINE: not one of those that are KEPT, if any. Its index; -1: there is none. */
static int find_free_row(const struct ilk_pool_view_ *v, uint32_t mine, uint32_t supervisor,
	const unsigned char *kept)
{
	struct ilk_pool_row_ *row = ilk_pool_rows_(v->pool);

	for (uint32_t i = 0; i < v->shape.rows; i++)
		if (!ilk_load_relaxed_(&row[i].owner) && !(kept && kept[i]) &&
			take_row(&row[i], 0, mine, supervisor))
			return (int)i;
	for (uint32_t i = 0; i < v->shape.rows; i++) {
		uint32_t owner = ilk_load_acquire_(&row[i].owner);

		if (is_left(&row[i], owner) && !(kept && kept[i]) &&
			take_row(&row[i], owner, mine, supervisor))
			return (int)i;
	}
	return -1;
}

int ilk_pool_reserve_row_(
	const struct ilk_pool_view_ *v, uint32_t supervisor, const unsigned char *kept)
{
	return find_free_row(v, supervisor, supervisor, kept);
}

/* --- its loop --- */

struct shift {
	struct ilk_pool_wait_ wait;
	struct ilk_pool_serving_ *serving;
	struct ilk_pool_taken_ taken;
};

/* Only a supervisor asks; what LEAVE says to another is of who had that owner word before. */
static int is_to_leave(const struct ilk_pool_serving_ *s)
{
	return s->supervisor && ilk_load_relaxed_(&s->row->leave) == s->owner;
}

int ilk_pool_is_anything_left_(const struct ilk_pool_view_ *v, const struct ilk_pool_able_ *able)
{
	for (uint64_t i = 0; i <= v->mask; i++) {
		const struct ilk_pool_cell_ *cell = ilk_pool_cell_(v, i);
		uint32_t state = ilk_task_state_(ilk_load_acquire_(&cell->word));
		uint32_t function = ilk_load_relaxed_(&cell->function);

		if (state == ILK_TASK_FILLING_ || state == ILK_TASK_RUNNING_ ||
			(state == ILK_TASK_QUEUED_ && function < ILK_POOL_MOST_FUNCTIONS &&
				able->run[function]))
			return 1;
	}
	return 0;
}

/* Looks again at what S has passed: who set head back may have died before `returned` moved. */
static void look_again(struct ilk_pool_serving_ *s)
{
	s->able.returned = ilk_load_relaxed_(&s->view.pool->returned) - 1;
}

static int take_deep(struct ilk_pool_serving_ *s, struct ilk_pool_taken_ *taken)
{
	look_again(s);
	ilk_pool_sweep_if_due_(&s->view, ilk_now());
	return ilk_pool_take_(&s->view, &s->able, taken);
}

static int task_or_not(struct ilk_pool_wait_ *wait)
{
	struct shift *shift = (struct shift *)(void *)wait;
	struct ilk_pool_serving_ *s = shift->serving;
	struct ilk_pool *pool = s->view.pool;

	if (is_to_leave(s))
		return ILK_POOL_END_;
	if (ilk_pool_take_(&s->view, &s->able, &shift->taken) == ILK_POOL_GOT_)
		return ILK_POOL_GOT_;
	if (wait->deep && take_deep(s, &shift->taken) == ILK_POOL_GOT_)
		return ILK_POOL_GOT_;
	if (ILK_UNLIKELY_(ilk_load_acquire_(&pool->state) & ILK_POOL_CLOSED_) &&
		!ilk_pool_is_anything_left_(&s->view, &s->able))
		return ILK_POOL_END_;
	return ILK_POOL_NONE_;
}

/* [W3] of pool_wait.c. */
static void pass_on(const struct shift *shift, uint32_t left_before)
{
	const struct ilk_pool_serving_ *s = shift->serving;
	struct ilk_pool *pool = s->view.pool;

	if (s->able.left != left_before)
		ilk_pool_told_(pool, ILK_POOL_WORKERS_, INT_MAX);
	else if (shift->wait.slept &&
		 (int64_t)(ilk_load_relaxed_(&pool->tail) - ilk_load_relaxed_(&pool->head)) > 0)
		ilk_pool_told_(pool, ILK_POOL_WORKERS_, 1);
}

/* The next task. GOT; END; -E... */
static int next(struct shift *shift, ilk_time until)
{
	struct ilk_pool_serving_ *s = shift->serving;
	uint32_t left = s->able.left;
	int rc;

	if (!is_to_leave(s) && ilk_pool_take_(&s->view, &s->able, &shift->taken) == ILK_POOL_GOT_)
		return ILK_POOL_GOT_;
	ilk_pool_note_(s, 0, ilk_now_about_());
	ilk_pool_wait_init_(&shift->wait, &s->view, ILK_POOL_WORKERS_, task_or_not);
	shift->wait.many = 1;
	rc = ilk_pool_wait_for_(&shift->wait, until);
	pass_on(shift, left);
	return rc;
}

static int work(struct ilk_pool_serving_ *s, uint64_t most, ilk_time until)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	struct shift shift = {.serving = s};
	int rc = ILK_POOL_GOT_;

	while (rc == ILK_POOL_GOT_ && (!most || s->ran < most)) {
		if (ilk_is_closing_(seg))
			return -ECANCELED;
		if (ilk_load_relaxed_(&s->view.pool->state) & ILK_POOL_REMOVED_)
			return -EIDRM;
		rc = next(&shift, until);
		if (rc != ILK_POOL_GOT_)
			break;
		rc = ilk_pool_run_(s, &shift.taken);
		if (rc < 0)
			return rc;
		if (ilk_pool_sweep_if_due_(&s->view, ilk_load_relaxed_(&s->row->since)))
			look_again(s);
		rc = ILK_POOL_GOT_;
	}
	return rc < 0 ? rc : 0;
}

/* Its row is free again; it is the calling thread's still, unless that is a child it forked. */
static int leave(struct ilk_pool_serving_ *s, int rc)
{
	ilk_pool_serving_ = s->outer;
	if (rc == -ECHILD)
		return rc;
	ilk_store_release_(&s->row->owner, 0u);
	s->me->held--;
	return rc;
}

static int32_t pid_of_self(void)
{
	const struct ilk_segment *seg = ilk_thread_.segment;

	return ilk_process_slot_(&seg->map, seg->member->process)->pid;
}

/* The row that was reserved for it, or any. 0; 1: that is to be no more; -EUSERS. */
static int find_row(struct ilk_pool_serving_ *s, const struct ilk_pool_place_for_ *place)
{
	struct ilk_pool_row_ *row = ilk_pool_rows_(s->view.pool);
	int i;

	if (place->supervisor) {
		s->row = &row[place->row];
		return !take_row(s->row, place->supervisor, ilk_thread_.owner, place->supervisor);
	}
	i = find_free_row(&s->view, ilk_thread_.owner, 0, NULL);
	if (i < 0)
		return ilk_fail_(
			-EUSERS, "all %u places for workers are taken", s->view.shape.rows);
	s->row = &row[i];
	return 0;
}

/* 0; 1, -EUSERS as above. */
static int enter(struct ilk_pool_serving_ *s, const struct ilk_pool_place_for_ *place)
{
	int rc = find_row(s, place);

	if (rc != 0)
		return rc;
	ilk_hold_();
	ilk_store_release_(&s->row->pid, pid_of_self());
	s->me = ilk_thread_.me;
	s->owner = ilk_thread_.owner;
	s->supervisor = place->supervisor;
	look_again(s);
	s->able.tail = ilk_load_acquire_(&s->view.pool->tail);
	s->outer = ilk_pool_serving_;
	ilk_pool_serving_ = s;
	return 0;
}

/* Inside. */
static int serve(struct ilk_pool_serving_ *s, const struct ilk_pool_serve_options *o,
	const struct ilk_pool_place_for_ *place)
{
	int rc = o->begin ? o->begin(o->arg) : 0, back = ilk_here_(s->view.pool);

	if (rc != 0 || back != 0)
		return rc ? rc : back;
	rc = enter(s, place);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return leave(s, work(s, o->tasks, o->until ? o->until : ILK_FOREVER));
}

/* The thread ends in a task: it is not inside any more, however often it was. */
static void thread_ends(void *serving)
{
	struct ilk_pool_serving_ *s = serving;

	if (ilk_find_mine_(s->view.pool) < 0)
		return;
	while (ilk_thread_.me->inside > s->inside_before)
		ilk_inside_end_(ilk_thread_.segment);
}

/* 0; -E...; what it began with. */
static int serve_inside(struct ilk_pool_serving_ *s, const struct ilk_pool_serve_options *o,
	const struct ilk_pool_place_for_ *place)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	int rc;

	s->inside_before = ilk_thread_.me->inside;
	rc = ilk_inside_begin_(seg);
	if (rc < 0)
		return rc;
	pthread_cleanup_push(thread_ends, s);
	rc = serve(s, o, place);
	pthread_cleanup_pop(0);
	if (rc != -ECHILD)
		ilk_inside_end_(seg);
	return rc;
}

int ilk_pool_serve_for_(struct ilk_pool *pool, const struct ilk_task_function *functions,
	size_t count, const struct ilk_pool_serve_options *o,
	const struct ilk_pool_place_for_ *place)
{
	struct ilk_pool_serving_ s = {.ran = 0};
	const struct ilk_pool_view_ *v;
	int rc = check_functions(functions, count);

	if (rc == 0)
		rc = ilk_pool_enter_(pool, 0, &v);
	if (rc < 0)
		return rc;
	if (ilk_pool_serving_here_(pool))
		return -EDEADLK;
	s.view = *v;
	rc = name_all(pool, functions, count, &s.able, o->until ? o->until : ILK_FOREVER);
	return rc < 0 ? rc : serve_inside(&s, o, place);
}

int ilk_pool_serve(struct ilk_pool *pool, const struct ilk_task_function *functions, size_t count,
	const struct ilk_pool_serve_options *options)
{
	static const struct ilk_pool_serve_options usual = {.size = sizeof usual};
	static const struct ilk_pool_place_for_ anybody = {0, 0};

	if (options && options->size != sizeof *options)
		return ilk_fail_(-EINVAL, "serve options: wrong size");
	return ilk_pool_serve_for_(pool, functions, count, options ? options : &usual, &anybody);
}
