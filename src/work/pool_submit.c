/* pool_submit.c - submitting: at once, waiting for room. The protocol, and the labels: pool.c. */
#include "segment/error.h"
#include "work/waiting.h"
#include <string.h>

/* --- what is to be submitted --- */

int ilk_pool_number_of_(const struct ilk_pool *pool, const char *function)
{
	uint32_t names = ilk_load_acquire_(&pool->names);

	for (uint32_t i = 0; i < names && i < ILK_POOL_MOST_FUNCTIONS; i++)
		if (strncmp(pool->name[i].name, function, ILK_POOL_NAME_BYTES) == 0)
			return (int)i;
	return -1;
}

/* 0: it can be submitted, and has its number; -ENOENT, -EMSGSIZE, -EINVAL. */
static int check(const struct ilk_pool_view_ *v, struct ilk_pool_order_ *o)
{
	const struct ilk_map_ *map = &ilk_thread_.segment->map;
	uint64_t at = (uint64_t)((const char *)o->argument - map->base);
	int found = ilk_pool_number_of_(v->pool, o->function);

	if (found < 0)
		return ilk_fail_(
			-ENOENT, "no worker ever came with a function \"%.60s\"", o->function);
	o->number = (uint32_t)found;
	if (!(o->flags & ILK_POOL_CELL_IN_PLACE_))
		return o->bytes <= v->shape.argument_bytes
			       ? 0
			       : ilk_fail_(-EMSGSIZE,
					 "the argument has %llu bytes, the pool takes %u",
					 (unsigned long long)o->bytes, v->shape.argument_bytes);
	if (at <= map->bytes && o->bytes <= map->bytes - at)
		return 0;
	return ilk_fail_(-EINVAL, "the argument does not lie in the pool's segment");
}

/* --- room --- */

struct room {
	struct ilk_pool_wait_ wait;
	struct ilk_pool_place_ place;
};

static int claim_or_not(struct ilk_pool_wait_ *wait)
{
	struct room *room = (struct room *)(void *)wait;
	const struct ilk_pool_view_ *v = wait->view;

	if (ilk_load_relaxed_(&v->pool->state) & ILK_POOL_CLOSED_)
		return ilk_pool_is_closed_();
	if (ilk_pool_claim_(v, NULL, &room->place))
		return ILK_POOL_GOT_;
	if (!wait->deep || !ilk_pool_sweep_if_due_(v, ilk_now()))
		return ILK_POOL_NONE_;
	return ilk_pool_claim_(v, NULL, &room->place) ? ILK_POOL_GOT_ : ILK_POOL_NONE_;
}

static void give_up(const struct ilk_pool_view_ *v, const struct ilk_pool_place_ *place)
{
	ilk_exchange_(&place->cell->word, ilk_task_freed_(place->word));
	ilk_fence_after_rmw_();
	ilk_pool_told_(v->pool, ILK_POOL_ROOM_, 1);
}

/* [W3] of pool_wait.c: of several that were woken for one place, or of one for several. */
static void pass_on(const struct ilk_pool_view_ *v)
{
	uint64_t tail = ilk_load_relaxed_(&v->pool->tail);

	for (uint64_t p = tail; p != tail + 2; p++)
		if (ilk_task_state_(ilk_load_relaxed_(&ilk_pool_cell_(v, p)->word)) ==
			ILK_TASK_FREE_)
			ilk_pool_told_(v->pool, ILK_POOL_ROOM_, 1);
}

/* Inside. */
static int wait_for_room(
	const struct ilk_pool_view_ *v, struct ilk_pool_place_ *place, ilk_time deadline)
{
	struct room room;
	int rc;

	ilk_pool_wait_init_(&room.wait, v, ILK_POOL_ROOM_, claim_or_not);
	room.wait.many = 1;
	rc = ilk_pool_wait_for_(&room.wait, deadline);
	*place = room.place;
	if (rc > 0 && ilk_is_closing_(ilk_thread_.segment)) {
		give_up(v, place);
		rc = -ECANCELED;
	}
	if (rc > 0 && room.wait.slept)
		pass_on(v);
	return rc < 0 ? rc : 0;
}

/*
 * In a task, there being no room: runs what is queued until there is. 1: PLACE is to be filled; 0:
 * nothing is queued; -E...
 */
static int make_room(struct ilk_pool_serving_ *s, struct ilk_pool_place_ *place)
{
	int rc;

	do {
		if (ilk_pool_claim_(&s->view, NULL, place))
			return 1;
		rc = ilk_pool_help_(s);
	} while (rc > 0);
	return rc;
}

/* --- submitting --- */

/* Of a task that submits one for which nobody asks: it is for whom the task is, and not the worker's. */
static uint64_t for_whom(const struct ilk_pool_view_ *v, const struct ilk_pool_order_ *o)
{
	const struct ilk_pool_serving_ *s =
		o->flags & ILK_POOL_CELL_UNWANTED_ ? ilk_pool_serving_here_(v->pool) : NULL;

	return s ? s->by : ilk_pool_my_process_(ilk_thread_.segment);
}

static void fill(const struct ilk_pool_view_ *v, const struct ilk_pool_place_ *place,
	const struct ilk_pool_order_ *o)
{
	struct ilk_pool_cell_ *cell = place->cell;
	const struct ilk_segment *seg = ilk_thread_.segment;

	/* Who looks after the dead may read it still. */
	ilk_store_relaxed_(&cell->by, for_whom(v, o));
	ilk_store_relaxed_(&cell->function, o->number);
	ilk_store_relaxed_(&cell->flags, o->flags);
	cell->argument_bytes = o->bytes;
	cell->items = o->items;
	cell->each_result = o->each_result;
	if (o->flags & ILK_POOL_CELL_IN_PLACE_)
		cell->in_place = (uint64_t)((const char *)o->argument - seg->map.base);
	else if (o->bytes)
		memcpy(cell->data, o->argument, o->bytes);
}

/* It was closed meanwhile, and perhaps nobody looks any more. 0: it is in all the same; -EPIPE. */
static int retract(const struct ilk_pool_view_ *v, const struct ilk_pool_place_ *place)
{
	uint64_t queued = ilk_task_with_(place->word, ILK_TASK_QUEUED_, 0);

	return ilk_pool_free_(v, place->cell, queued) ? ilk_pool_is_closed_() : 0;
}

static int queue_it(const struct ilk_pool_view_ *v, const struct ilk_pool_place_ *place)
{
	ilk_pool_publish_(v, place->position, place->position + 1);
	ilk_pool_told_(v->pool, ILK_POOL_WORKERS_, 1); /* [P7] */
	if (ILK_UNLIKELY_(ilk_load_relaxed_(&v->pool->state) & ILK_POOL_CLOSED_))
		return retract(v, place);
	return 0;
}

static void add_to(struct ilk_pool_batch_ *batch, uint64_t position)
{
	if (!batch->count++)
		batch->first = position;
	batch->next = position + 1;
}

void ilk_pool_publish_batch_(const struct ilk_pool_view_ *v, struct ilk_pool_batch_ *batch)
{
	if (!batch->count)
		return;
	ilk_pool_publish_(v, batch->first, batch->next);
	ilk_pool_told_(v->pool, ILK_POOL_WORKERS_, (int)batch->count); /* [P7] */
	batch->count = 0;
}

static int queue_at(const struct ilk_pool_view_ *v, const struct ilk_pool_place_ *place,
	const struct ilk_pool_order_ *o, struct ilk_future *future)
{
	fill(v, place, o);
	if (future)
		*future = (struct ilk_future){v->pool, (uint32_t)(place->position & v->mask),
			ilk_task_serial_(place->word), NULL};
	ilk_pool_queue_(place);
	if (!o->batch)
		return queue_it(v, place);
	add_to(o->batch, place->position);
	return 0;
}

/* Inside until it is queued: who closes the segment meanwhile waits for that. */
static int submit_when_room(const struct ilk_pool_view_ *v, const struct ilk_pool_order_ *o,
	struct ilk_future *future, ilk_time deadline)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	struct ilk_pool_place_ place;
	int rc = ilk_inside_begin_(seg);

	if (rc < 0)
		return rc;
	rc = wait_for_room(v, &place, deadline);
	if (rc == 0)
		rc = queue_at(v, &place, o, future);
	ilk_inside_end_(seg);
	return rc;
}

/* There is no room. */
static int submit_slow(const struct ilk_pool_view_ *v, const struct ilk_pool_order_ *o,
	struct ilk_future *future, ilk_time deadline)
{
	struct ilk_pool_serving_ *s = ilk_pool_serving_here_(v->pool);
	struct ilk_pool_place_ place;
	int rc = s ? make_room(s, &place) : 0;

	if (rc == 0 && s && s->able.run[o->number])
		return ilk_pool_run_here_(s, o, future);
	v = s ? &s->view : v;
	if (rc == 0)
		return submit_when_room(v, o, future, deadline);
	return rc < 0 ? rc : queue_at(v, &place, o, future);
}

int ilk_pool_submit_order_(struct ilk_pool *pool, struct ilk_pool_order_ *o,
	struct ilk_future *future, ilk_time deadline)
{
	const struct ilk_pool_view_ *v;
	struct ilk_pool_place_ place;
	int rc = ilk_pool_enter_(pool, ILK_POOL_CLOSED_, &v);

	if (rc == 0)
		rc = check(v, o);
	if (rc < 0)
		return rc;
	if (!ilk_pool_claim_(v, o->batch && o->batch->count ? &o->batch->next : NULL, &place))
		return submit_slow(v, o, future, deadline);
	return queue_at(v, &place, o, future);
}

int ilk_pool_submit(struct ilk_pool *pool, const char *function, const void *argument, size_t bytes,
	struct ilk_future *future, ilk_time deadline)
{
	struct ilk_pool_order_ o = {.function = function,
		.argument = argument,
		.bytes = bytes,
		.flags = future ? 0 : ILK_POOL_CELL_UNWANTED_,
		.items = 1};

	return ilk_pool_submit_order_(pool, &o, future, deadline);
}

int ilk_pool_submit_in_place(struct ilk_pool *pool, const char *function, const void *argument,
	size_t bytes, struct ilk_future *future, ilk_time deadline)
{
	struct ilk_pool_order_ o = {.function = function,
		.argument = argument,
		.bytes = bytes,
		.flags = ILK_POOL_CELL_IN_PLACE_ | (future ? 0 : ILK_POOL_CELL_UNWANTED_),
		.items = 1};

	return ilk_pool_submit_order_(pool, &o, future, deadline);
}
