/*
 * pool_run.c - one run of a task, in a worker, or in one who waits for it. The protocol, and the
 * labels: pool.c.
 *
 * A function may do what it likes with the thread: what the thread had cached of its place is looked
 * up again when it returns; a child that returns from it, having been forked there, has no place, and
 * touches nothing.
 */
#include "os/clock.h"
#include "work/waiting.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 32 }; /* of tasks that are run to make room */

struct ilk_task {
	const struct ilk_pool_view_ *view;
	char *result;
	size_t room, bytes;
	unsigned runs;
	int rc;        /* what it said of itself */
	uint32_t item; /* of a chunk: the one that runs, or failed */
	char text[ILK_POOL_TEXT_BYTES];
};

typedef int task_body(struct ilk_task *task, const void *argument, size_t bytes);

/* --- for its function --- */

int ilk_task_fail(struct ilk_task *task, int rc, const char *text)
{
	task->rc = rc ? rc : -EINVAL;
	snprintf(task->text, sizeof task->text, "%s", text ? text : "");
	return task->rc;
}

int ilk_task_result(struct ilk_task *task, const void *data, size_t bytes)
{
	if (bytes > task->room) {
		ilk_task_fail(task, -EMSGSIZE, "the result is larger than the pool has room for");
		return -EMSGSIZE;
	}
	if (bytes && data != task->result)
		memcpy(task->result, data, bytes);
	task->bytes = bytes;
	return 0;
}

void *ilk_task_room(struct ilk_task *task, size_t *room)
{
	*room = task->room;
	return task->result;
}

unsigned ilk_task_runs(const struct ilk_task *task)
{
	return task->runs;
}

struct ilk_pool *ilk_task_pool(const struct ilk_task *task)
{
	return task->view->pool;
}

/* --- running it --- */

/* Where its argument is, copied and checked. NULL: it cannot be. */
static const char *argument_of(
	const struct ilk_pool_view_ *v, const struct ilk_pool_cell_ *cell, uint64_t *bytes)
{
	const struct ilk_map_ *map = &ilk_thread_.segment->map;
	uint64_t at = ilk_load_relaxed_(&cell->in_place);

	*bytes = ilk_load_relaxed_(&cell->argument_bytes);
	if (ilk_load_relaxed_(&cell->flags) & ILK_POOL_CELL_IN_PLACE_)
		return at <= map->bytes && *bytes <= map->bytes - at ? map->base + at : NULL;
	return *bytes <= v->shape.argument_bytes ? cell->data : NULL;
}

/*
 * Runs F for each of ITEMS, of BYTES bytes all together; TASK's result is all of theirs, each with
 * EACH bytes, zeros behind what is shorter. At the first that fails it ends.
 */
static void run_items(struct ilk_task *task, task_body *f, const char *argument, uint64_t bytes,
	uint32_t items, uint32_t each)
{
	char *first = task->result;
	uint64_t size = bytes / items;
	int rc = 0;

	task->room = each;
	for (task->item = 0; task->item < items && !task->rc; task->item++) {
		task->bytes = 0;
		task->result = first + (size_t)task->item * each;
		rc = f(task, argument + task->item * size, size);
		if (rc != 0 && task->rc == 0)
			task->rc = rc;
		if (task->bytes < each)
			memset(task->result + task->bytes, 0, each - task->bytes);
	}
	task->item -= task->rc != 0;
	task->result = first;
	task->bytes = (size_t)items * each;
}

static void run_body(struct ilk_task *task, task_body *f, const char *argument, uint64_t bytes,
	uint32_t items, uint32_t each)
{
	int rc;

	if (items > 1 || each) {
		run_items(task, f, argument, bytes, items, each);
		return;
	}
	rc = f(task, argument, bytes);
	if (rc != 0 && task->rc == 0)
		task->rc = rc;
}

static void run(const struct ilk_pool_serving_ *s, const struct ilk_pool_taken_ *taken,
	struct ilk_task *task)
{
	const struct ilk_pool_cell_ *cell = taken->cell;
	uint32_t items = ilk_load_relaxed_(&cell->items), each;
	uint64_t bytes;
	const char *argument = argument_of(&s->view, cell, &bytes);

	each = ilk_load_relaxed_(&cell->each_result);
	if (!argument || items - 1 >= ILK_POOL_MOST_ITEMS_ ||
		(uint64_t)items * each > s->view.shape.result_bytes) {
		ilk_task_fail(task, -EBADMSG, "it is damaged");
		return;
	}
	run_body(task, s->able.run[taken->function], argument, bytes, items, each);
}

/* [P3] Weaker: the result could be read before it is there. */
static void finish(struct ilk_pool_serving_ *s, const struct ilk_pool_taken_ *taken,
	const struct ilk_task *task)
{
	struct ilk_pool_cell_ *cell = taken->cell;
	struct ilk_pool *pool = s->view.pool;
	uint64_t word =
		ilk_task_with_(taken->word, task->rc ? ILK_TASK_FAILED_ : ILK_TASK_DONE_, 0);
	int is_unwanted = (ilk_load_relaxed_(&cell->flags) & ILK_POOL_CELL_UNWANTED_) != 0;
	uint64_t *count = task->rc ? &s->row->failed : &s->row->done;

	if (task->rc) {
		ilk_store_relaxed_(&cell->rc, task->rc);
		ilk_store_relaxed_(&cell->result_bytes, task->item);
		memcpy(task->result, task->text, sizeof task->text);
	} else {
		ilk_store_relaxed_(&cell->result_bytes, (uint32_t)task->bytes);
	}
	ilk_store_release_(&cell->word, is_unwanted ? ilk_task_freed_(word) : word);
	/* Behind the word: who finds the count, pool_fd.c, asks for the word. */
	ilk_store_release_(count, ilk_load_relaxed_(count) + 1);
	ilk_pool_is_over_(pool, cell, (int)ilk_thread_.fenced);
	if (is_unwanted)
		ilk_pool_told_(pool, ILK_POOL_ROOM_, 1);
}

/* The time is no earlier function's where who reads has read the function first. */
void ilk_pool_note_(struct ilk_pool_serving_ *s, uint32_t function, ilk_time since)
{
	struct ilk_pool_row_ *row = s->row;

	ilk_store_relaxed_(&row->since, since);
	ilk_store_relaxed_(&row->deep, s->deep);
	ilk_store_release_(&row->function, function);
}

/* The thread's place, after a function. 0; -ECHILD. */
static int come_back(const struct ilk_pool_serving_ *s)
{
	if ((!ilk_is_there_(s->view.pool) && ilk_find_mine_(s->view.pool) < 0) ||
		ilk_thread_.owner != s->owner)
		return -ECHILD;
	return 0;
}

/* --- what is run behind it --- */

struct ilk_pool_later_ {
	struct ilk_pool_later_ *next;
	const void *argument;
	size_t bytes;
	uint32_t number;
	_Alignas(16) char data[]; /* room for a result; then the argument, unless it is in place */
};

static size_t room_before(const struct ilk_pool_serving_ *s)
{
	return (s->view.shape.result_bytes + (size_t)15) / 16 * 16;
}

static int put_off(struct ilk_pool_serving_ *s, const struct ilk_pool_order_ *o)
{
	int is_in_place = (o->flags & ILK_POOL_CELL_IN_PLACE_) != 0;
	struct ilk_pool_later_ *l =
		malloc(sizeof *l + room_before(s) + (is_in_place ? 0 : o->bytes));

	if (!l)
		return -ENOMEM;
	*l = (struct ilk_pool_later_){
		.argument = is_in_place ? o->argument : l->data + room_before(s),
		.bytes = o->bytes,
		.number = o->number};
	if (!is_in_place && o->bytes)
		memcpy(l->data + room_before(s), o->argument, o->bytes);
	*s->last = l;
	s->last = &l->next;
	return 0;
}

/* What those submit comes behind them. 0; -ECHILD. */
static int run_later(struct ilk_pool_serving_ *s)
{
	int rc = 0;

	while (s->later && rc == 0) {
		struct ilk_pool_later_ *l = s->later;
		struct ilk_task task = {.view = &s->view,
			.result = l->data,
			.room = s->view.shape.result_bytes,
			.runs = 1};

		run_body(&task, s->able.run[l->number], l->argument, l->bytes, 1, 0);
		rc = come_back(s);
		s->later = l->next;
		if (!s->later)
			s->last = &s->later;
		free(l);
	}
	return rc;
}

/* --- a task --- */

int ilk_pool_run_(struct ilk_pool_serving_ *s, const struct ilk_pool_taken_ *taken)
{
	struct ilk_pool_later_ *later = s->later, **last = s->last;
	uint64_t by = s->by;
	uint32_t before = ilk_load_relaxed_(&s->row->function);
	ilk_time since = ilk_load_relaxed_(&s->row->since);
	struct ilk_task task = {
		.view = &s->view,
		.result = ilk_pool_result_(&s->view, taken->cell),
		.room = s->view.shape.result_bytes,
		.runs = ilk_task_runs_(taken->word),
	};

	s->deep++;
	s->later = NULL;
	s->last = &s->later;
	s->by = ilk_load_relaxed_(&taken->cell->by);
	ilk_pool_note_(s, taken->function + 1, ilk_now_about_());
	run(s, taken, &task);
	if (come_back(s) < 0 || run_later(s) < 0)
		return -ECHILD;
	s->deep--;
	s->by = by;
	s->later = later;
	s->last = last;
	finish(s, taken, &task);
	s->ran++;
	if (s->deep)
		ilk_pool_note_(s, before, since);
	return 0;
}

int ilk_pool_run_here_(
	struct ilk_pool_serving_ *s, const struct ilk_pool_order_ *o, struct ilk_future *future)
{
	size_t room = s->view.shape.result_bytes;
	struct ilk_pool_result_ *here;
	struct ilk_task task = {.view = &s->view, .room = room, .runs = 1};
	int rc;

	if (!future)
		return put_off(s, o);
	here = calloc(1, sizeof *here + room);
	if (!here)
		return -ENOMEM;
	task.result = here->data;
	run_body(&task, s->able.run[o->number], o->argument, o->bytes, o->items, o->each_result);
	here->rc = task.rc;
	here->item = task.item;
	here->bytes = task.bytes;
	memcpy(here->text, task.text, sizeof here->text);
	rc = come_back(s);
	if (rc == 0)
		*future = (struct ilk_future){s->view.pool, 0, 0, here};
	else
		free(here);
	return rc;
}

int ilk_pool_help_(struct ilk_pool_serving_ *s)
{
	struct ilk_pool_taken_ taken;
	int rc;

	if (s->deep >= DEEPEST || ilk_pool_take_(&s->view, &s->able, &taken) != ILK_POOL_GOT_)
		return 0;
	rc = ilk_pool_run_(s, &taken);
	return rc < 0 ? rc : 1;
}
