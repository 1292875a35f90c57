/* pool_row.c - a pool as the inspector sees it, and the directory; and ilk_pool_info(). */
#include "segment/object_name.h"
#include "segment/types.h"
#include "work/close.h"
#include "work/tasks.h"
#include <stdio.h>
#include <string.h>

enum { LOOK_AT_ONCE = 512, STATES = 8 };

/* A pool, wherever it lies. */
struct seen {
	const struct ilk_map_ *map;
	const struct ilk_pool *pool;
	const char *cells;
	uint64_t stride;
	struct ilk_pool_shape_ shape;
};

/* Of a picture only heads of cells are read, unless tasks are small. 0; -E... */
static int look(const struct ilk_map_ *map, const void *at, uint64_t bytes)
{
	return ilk_map_look_(map, (uint64_t)((const char *)at - map->base), bytes);
}

/* NULL, or what is wrong. */
static const char *see(
	struct seen *s, const struct ilk_map_ *map, const struct ilk_pool *pool, uint64_t bytes)
{
	const char *wrong = ilk_pool_shape_of_(map, pool, bytes, &s->shape);

	s->map = map;
	s->pool = pool;
	s->cells = (const char *)pool + ilk_pool_cells_at_(&s->shape);
	s->stride = ilk_pool_stride_(&s->shape);
	return wrong;
}

/* Calls EACH for every cell until it returns what is wrong. NULL: nothing is. */
static const char *each_cell(const struct seen *s,
	const char *(*each)(const struct seen *s, const struct ilk_pool_cell_ *cell, void *arg),
	void *arg)
{
	uint64_t count = UINT64_C(1) << s->shape.shift;
	int at_once = s->stride <= LOOK_AT_ONCE;
	const char *wrong = NULL;

	if (at_once && look(s->map, s->cells, count * s->stride) < 0)
		return "its bytes are gone";
	for (uint64_t i = 0; i < count && !wrong; i++) {
		const void *at = s->cells + i * s->stride;

		if (!at_once && look(s->map, at, sizeof(struct ilk_pool_cell_)) < 0)
			return "its bytes are gone";
		wrong = each(s, at, arg);
	}
	return wrong;
}

/* --- counting --- */

static const char *count_one(const struct seen *s, const struct ilk_pool_cell_ *cell, void *arg)
{
	uint64_t *states = arg;

	(void)s;
	states[ilk_task_state_(ilk_load_acquire_(&cell->word))]++;
	return NULL;
}

/* Who serves in ROW; 0: nobody, or it is only reserved for one who begins. */
static uint32_t server_of(const struct ilk_pool_row_ *row)
{
	uint32_t owner = ilk_load_acquire_(&row->owner);

	return owner == ilk_load_relaxed_(&row->supervisor) ? 0 : owner;
}

static void tell(const struct seen *s, struct ilk_pool_info *info)
{
	const struct ilk_pool *pool = s->pool;
	const struct ilk_pool_row_ *row = ilk_pool_rows_(pool);
	uint64_t states[STATES] = {0};

	*info = (struct ilk_pool_info){
		.size = sizeof *info,
		.capacity = (size_t)1 << s->shape.shift,
		.argument_bytes = s->shape.argument_bytes,
		.result_bytes = s->shape.result_bytes,
		.most_workers = s->shape.rows,
		.retries = s->shape.retries,
		.flags = s->shape.flags,
		.closed = (ilk_load_relaxed_(&pool->state) & ILK_POOL_CLOSED_) != 0,
		.cancelled = ilk_load_relaxed_(&pool->cancelled),
		.died = ilk_load_relaxed_(&pool->died),
		.again = ilk_load_relaxed_(&pool->again),
		.dropped = ilk_load_relaxed_(&pool->dropped),
	};
	each_cell(s, count_one, states);
	info->queued = states[ILK_TASK_QUEUED_];
	info->running = states[ILK_TASK_RUNNING_];
	for (int i = ILK_TASK_DONE_; i < STATES; i++)
		info->over += states[i];
	for (uint32_t i = 0; i < s->shape.rows; i++, row++) {
		info->workers += server_of(row) != 0;
		info->done += ilk_load_relaxed_(&row->done);
		info->failed += ilk_load_relaxed_(&row->failed);
	}
}

int ilk_pool_info(const struct ilk_pool *pool, struct ilk_pool_info *info)
{
	struct ilk_segment *seg = ilk_find_attachment_(pool);
	struct seen s;

	if (!seg || info->size != sizeof *info ||
		see(&s, &seg->map, pool, ilk_pool_room_(&seg->map, pool)))
		return -EINVAL;
	tell(&s, info);
	return 0;
}

/* --- the row --- */

static const char *wrong_with_cell(
	const struct seen *s, const struct ilk_pool_cell_ *cell, void *arg)
{
	uint64_t word = ilk_load_acquire_(&cell->word);
	uint32_t state = ilk_task_state_(word), owner = ilk_task_owner_(word);

	(void)arg;
	if (ilk_task_runs_(word) > s->shape.retries + 1)
		return "a task was begun more often than is allowed";
	if (state != ILK_TASK_FILLING_ && state != ILK_TASK_RUNNING_)
		return state != ILK_TASK_DIED_ && owner ? "a task is nobody's, and somebody's"
							: NULL;
	if (!ilk_owner_is_thread_(owner))
		return "a task that runs is nobody's";
	return ilk_owner_slot_(owner) >= s->map->header.thread_slots
		       ? "a task names a slot that does not exist"
		       : NULL;
}

static const char *wrong_with_rows(const struct seen *s)
{
	const struct ilk_pool_row_ *row = ilk_pool_rows_(s->pool);

	for (uint32_t i = 0; i < s->shape.rows; i++, row++) {
		uint32_t owner = ilk_load_relaxed_(&row->owner);

		if (owner && (!ilk_owner_is_thread_(owner) ||
				     ilk_owner_slot_(owner) >= s->map->header.thread_slots))
			return "a worker is nobody that can be";
		if (ilk_load_relaxed_(&row->function) > ILK_POOL_MOST_FUNCTIONS)
			return "a worker runs a function that there cannot be";
	}
	return NULL;
}

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_pool *pool = object;
	const char *wrong;
	struct seen s;

	if (bytes < sizeof *pool || look(map, pool, sizeof *pool) < 0)
		return "its bytes are gone";
	wrong = see(&s, map, pool, bytes);
	if (wrong)
		return wrong;
	if (ilk_pool_bytes_(&s.shape) != bytes)
		return "its size does not match its capacity";
	if (ilk_load_relaxed_(&pool->names) > ILK_POOL_MOST_FUNCTIONS)
		return "it has more functions than it can have";
	if (look(map, pool, ilk_pool_cells_at_(&s.shape)) < 0)
		return "its bytes are gone";
	wrong = wrong_with_rows(&s);
	if (!wrong)
		wrong = ilk_type_(ILK_TYPE_MUTEX_)->valid(map, &pool->naming, sizeof pool->naming);
	return wrong ? wrong : each_cell(&s, wrong_with_cell, NULL);
}

/* The name of FUNCTION, a number + 1, or "?" if it has none that can be shown. */
static void name_of(const struct ilk_pool *pool, uint32_t function, char name[ILK_POOL_NAME_BYTES])
{
	name[0] = '\0';
	if (function - 1 < ILK_POOL_MOST_FUNCTIONS)
		memcpy(name, pool->name[function - 1].name, ILK_POOL_NAME_BYTES);
	name[ILK_POOL_NAME_BYTES - 1] = '\0';
	if (!name[0] || !ilk_name_is_printable_(name))
		strcpy(name, "?");
}

/* What ilk_pool_info() tells, but for what all objects tell. */
static void tell_figures(struct ilk_description_ *out, const struct ilk_pool_info *i)
{
	ilk_tell_(out, "workers", i->workers);
	ilk_tell_(out, "most_workers", i->most_workers);
	ilk_tell_(out, "queued", i->queued);
	ilk_tell_(out, "running", i->running);
	ilk_tell_(out, "over", i->over);
	ilk_tell_(out, "retries", i->retries);
	ilk_tell_(out, "again", i->again);
	ilk_tell_(out, "done", i->done);
	ilk_tell_(out, "failed", i->failed);
	ilk_tell_(out, "cancelled", i->cancelled);
	ilk_tell_(out, "died", i->died);
	ilk_tell_(out, "dropped", i->dropped);
	ilk_tell_as_(out, "argument_bytes", ILK_FIGURE_BYTES, i->argument_bytes);
	ilk_tell_as_(out, "result_bytes", ILK_FIGURE_BYTES, i->result_bytes);
	ilk_tell_as_(out, "keeps", ILK_FIGURE_YES_NO, (i->flags & ILK_POOL_KEEP) != 0);
	ilk_tell_as_(out, "closed", ILK_FIGURE_YES_NO, i->closed != 0);
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_pool *pool = object;
	struct ilk_pool_info info;
	struct seen s;

	if (see(&s, map, pool, bytes))
		return;
	tell(&s, &info);
	snprintf(out->state, sizeof out->state, "%u workers, %zu running%s", info.workers,
		info.running, info.closed ? ", closed" : "");
	if (info.again)
		snprintf(out->state + strlen(out->state), sizeof out->state - strlen(out->state),
			", %llu again", (unsigned long long)info.again);
	out->value = (int64_t)info.queued;
	out->depth = info.queued;
	out->capacity = info.capacity;
	out->got = info.done + info.failed + info.cancelled + info.died + info.dropped;
	out->put = out->got + info.queued + info.running;
	out->acquired = out->got;
	out->is_closed = info.closed != 0;
	out->contended = ilk_load_relaxed_(&pool->slept);
	out->waited_ns = ilk_load_relaxed_(&pool->waited_ns);
	tell_figures(out, &info);
}

/* Who has ROW, and what that one runs. The time is no earlier function's: it was written before. */
static struct ilk_holding_ holding_of(
	const struct ilk_pool *pool, const struct ilk_pool_row_ *row, uint32_t owner)
{
	uint32_t function = ilk_load_acquire_(&row->function);
	struct ilk_holding_ h = {
		.owner = owner,
		.count = ilk_load_relaxed_(&row->deep),
		.how = function ? "runs" : "serves",
		.since = ilk_load_relaxed_(&row->since),
	};

	if (function)
		name_of(pool, function, h.what);
	return h;
}

static uint32_t holders(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_holding_ *out, uint32_t most)
{
	const struct ilk_pool_row_ *row = ilk_pool_rows_(object);
	uint32_t count = 0;
	struct seen s;

	if (see(&s, map, object, bytes))
		return 0;
	for (uint32_t i = 0; i < s.shape.rows && count < most; i++, row++) {
		uint32_t owner = server_of(row);

		if (owner)
			out[count++] = holding_of(object, row, owner);
	}
	return count;
}

static int repair(struct ilk_segment *seg, void *object)
{
	const struct ilk_pool_view_ *v;

	(void)seg;
	return ilk_pool_enter_(object, 0, &v) == 0 && ilk_pool_sweep_(v, 0, 0) > 0;
}

static void remove_for_good(struct ilk_segment *seg, void *object)
{
	const struct ilk_pool_view_ *v;
	struct ilk_pool *pool = object;

	if (ilk_here_(pool) == 0 && ilk_pool_see_(pool, &v) == 0)
		ilk_pool_remove_(v);
	ilk_type_(ILK_TYPE_MUTEX_)->remove(seg, &pool->naming);
}

/* Is there a task to run? */
static int ready(struct ilk_segment *seg, const void *object)
{
	struct ilk_pool_info info = {.size = sizeof info};

	(void)seg;
	return ilk_pool_info(object, &info) == 0 && (info.queued || info.closed);
}

const struct ilk_type_ ilk_type_pool_ = {
	.name = "pool",
	.align = 64,
	.is_plain = 1,
	.valid = valid,
	.describe = describe,
	.holders = holders,
	.repair = repair,
	.remove = remove_for_good,
	.ready = ready,
};
