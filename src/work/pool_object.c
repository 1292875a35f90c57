/*
 * pool_object.c - a pool as an object: its shape, made, opened, entered. What its words mean: pool.h;
 * how they change: pool.c.
 */
#include "segment/error.h"
#include "segment/shaped.h"
#include "segment/types.h"
#include "work/pool.h"
#include <string.h>

const char *ilk_pool_shape_of_(const struct ilk_map_ *map, const struct ilk_pool *pool,
	uint64_t room, struct ilk_pool_shape_ *s)
{
	(void)map;
	if (room < sizeof *pool || ilk_load_relaxed_(&pool->tag) != ILK_POOL_TAG_)
		return "its tag is not a pool's";
	s->shift = ilk_load_relaxed_(&pool->shift);
	s->argument_bytes = ilk_load_relaxed_(&pool->argument_bytes);
	s->result_bytes = ilk_load_relaxed_(&pool->result_bytes);
	s->rows = ilk_load_relaxed_(&pool->rows);
	s->retries = ilk_load_relaxed_(&pool->retries);
	s->flags = ilk_load_relaxed_(&pool->flags);
	if (s->shift >= 32 || 1u << s->shift > ILK_POOL_MOST_CAPACITY ||
		s->argument_bytes > ILK_POOL_MOST_BYTES || s->result_bytes > ILK_POOL_MOST_BYTES)
		return "its capacity, or the size of arguments or results, cannot be";
	if (s->rows - 1 >= ILK_POOL_MOST_WORKERS || s->retries > ILK_POOL_MOST_RETRIES ||
		s->flags & ~(uint32_t)ILK_POOL_KEEP)
		return "its number of workers or retries, or its flags, cannot be";
	return ilk_pool_bytes_(s) <= room ? NULL : "its size does not match its capacity";
}

/* --- entering --- */

static void see(struct ilk_pool_view_ *v, struct ilk_pool *pool, const struct ilk_pool_shape_ *s)
{
	*v = (struct ilk_pool_view_){
		.pool = pool,
		.id = ilk_load_relaxed_(&pool->id),
		.epoch = ilk_thread_.epoch,
		.cells = (char *)pool + ilk_pool_cells_at_(s),
		.stride = ilk_pool_stride_(s),
		.mask = (UINT64_C(1) << s->shift) - 1,
		.result_at = ilk_pool_result_at_(s),
		.shape = *s,
	};
}

int ilk_pool_see_(struct ilk_pool *pool, const struct ilk_pool_view_ **v)
{
	const struct ilk_map_ *map = &ilk_thread_.segment->map;
	struct ilk_pool_shape_ s;

	if (ilk_pool_shape_of_(map, pool, ilk_pool_room_(map, pool), &s))
		return -EBADMSG;
	see(&ilk_pool_view_, pool, &s);
	*v = &ilk_pool_view_;
	return 0;
}

int ilk_pool_is_closed_(void)
{
	return ilk_fail_(-EPIPE, "the pool is closed: it takes no more tasks");
}

int ilk_pool_enter_slow_(struct ilk_pool *pool, uint32_t forbidden, const struct ilk_pool_view_ **v)
{
	int rc = ilk_here_(pool);
	uint32_t state;

	if (rc < 0)
		return rc;
	if ((uintptr_t)pool % 64 ||
		ilk_pool_room_(&ilk_thread_.segment->map, pool) < sizeof *pool ||
		ilk_load_relaxed_(&pool->tag) != ILK_POOL_TAG_)
		return -EINVAL;
	state = ilk_load_acquire_(&pool->state);
	if (state & ILK_POOL_REMOVED_)
		return -EIDRM;
	return state & forbidden ? ilk_pool_is_closed_() : ilk_pool_see_(pool, v);
}

/* --- options --- */

static uint32_t shift_for(size_t capacity)
{
	uint32_t shift = 0;

	while ((size_t)1 << shift < capacity)
		shift++;
	return shift;
}

static int shape_by(const struct ilk_pool_options *o, struct ilk_pool_shape_ *s)
{
	if (o->size != sizeof *o)
		return ilk_fail_(-EINVAL, "pool options: wrong size");
	if (o->capacity > ILK_POOL_MOST_CAPACITY || o->argument_bytes > ILK_POOL_MOST_BYTES ||
		o->result_bytes > ILK_POOL_MOST_BYTES)
		return ilk_fail_(-EINVAL,
			"pool options: more than %d tasks, or arguments or results of %d bytes",
			ILK_POOL_MOST_CAPACITY, ILK_POOL_MOST_BYTES);
	if (o->workers > ILK_POOL_MOST_WORKERS || o->retries > ILK_POOL_MOST_RETRIES)
		return ilk_fail_(-EINVAL, "pool options: more than %d workers, or %d retries",
			ILK_POOL_MOST_WORKERS, ILK_POOL_MOST_RETRIES);
	if (o->flags & ~(unsigned)ILK_POOL_KEEP)
		return ilk_fail_(-EINVAL, "pool options: unknown flags");
	*s = (struct ilk_pool_shape_){
		.shift = shift_for(o->capacity ? o->capacity : ILK_POOL_CAPACITY),
		.argument_bytes =
			(uint32_t)(o->argument_bytes ? o->argument_bytes : ILK_POOL_BYTES),
		.result_bytes = (uint32_t)(o->result_bytes ? o->result_bytes : ILK_POOL_BYTES),
		.rows = o->workers ? o->workers : ILK_POOL_WORKERS,
		.retries = o->retries,
		.flags = o->flags,
	};
	return 0;
}

/* --- making and opening --- */

struct wanted {
	struct ilk_shaped_ base;
	struct ilk_pool_shape_ shape;
};

static void init_wanted(void *object, const struct ilk_wanted_ *base)
{
	struct wanted *wanted = (struct wanted *)(uintptr_t)base;
	const struct ilk_pool_shape_ *s = &wanted->shape;
	struct ilk_pool *pool = object;
	char *cell = (char *)pool + ilk_pool_cells_at_(s);

	pool->shift = s->shift;
	pool->argument_bytes = s->argument_bytes;
	pool->result_bytes = s->result_bytes;
	pool->rows = s->rows;
	pool->retries = s->retries;
	pool->flags = s->flags;
	pool->id = (uint64_t)ilk_now() << 12 ^ (uintptr_t)pool;
	pool->tail = pool->head = ilk_pool_first_(s->shift);
	ilk_mutex_init(wanted->base.seg, &pool->naming, base->name, NULL);
	for (uint64_t i = 0; i < UINT64_C(1) << s->shift; i++, cell += ilk_pool_stride_(s))
		((struct ilk_pool_cell_ *)(void *)cell)->word = ILK_TASK_FIRST_;
	ilk_store_release_(&pool->tag, (uint32_t)ILK_POOL_TAG_);
}

static int differs(const char *name, const char *field, uint64_t has, uint64_t wanted)
{
	return ilk_fail_(-EEXIST, "%s differs: pool %s has %llu, not %llu", field, name,
		(unsigned long long)has, (unsigned long long)wanted);
}

static int is_as_asked(
	const struct ilk_pool *pool, const char *name, const struct ilk_pool_shape_ *s)
{
	if (pool->shift != s->shift)
		return differs(name, "capacity", UINT64_C(1) << (pool->shift & 31),
			UINT64_C(1) << s->shift);
	if (pool->argument_bytes != s->argument_bytes)
		return differs(name, "argument_bytes", pool->argument_bytes, s->argument_bytes);
	if (pool->result_bytes != s->result_bytes)
		return differs(name, "result_bytes", pool->result_bytes, s->result_bytes);
	if (pool->rows != s->rows)
		return differs(name, "workers", pool->rows, s->rows);
	if (pool->retries != s->retries)
		return differs(name, "retries", pool->retries, s->retries);
	return pool->flags == s->flags ? 0 : differs(name, "flags", pool->flags, s->flags);
}

static int fits(const void *object, const struct ilk_wanted_ *base)
{
	const struct wanted *wanted = (const struct wanted *)(const void *)base;

	return is_as_asked(object, base->name, &wanted->shape);
}

static int see_shape(struct ilk_shaped_ *base, const void *object, uint64_t bytes, int is_asked)
{
	struct wanted *wanted = (struct wanted *)base;
	struct ilk_pool_shape_ s;

	if (ilk_pool_shape_of_(&base->seg->map, object, bytes, &s))
		return -EBADMSG;
	if (is_asked)
		return is_as_asked(object, base->wanted.name, &wanted->shape) < 0 ? -EEXIST : 1;
	wanted->shape = s;
	base->wanted.bytes = ilk_pool_bytes_(&s);
	return 1;
}

int ilk_pool_open(struct ilk_segment *seg, const char *name, const struct ilk_pool_options *options,
	struct ilk_pool **pool)
{
	struct wanted wanted = {.base = {.wanted = {.name = name,
						 .type = ILK_TYPE_POOL_,
						 .fits = fits,
						 .init = init_wanted},
					.seg = seg,
					.see = see_shape}};
	void *object;
	int rc = options ? shape_by(options, &wanted.shape) : 0;

	if (rc == 0) {
		wanted.base.wanted.bytes = ilk_pool_bytes_(&wanted.shape);
		rc = ilk_shaped_open_(&wanted.base, options != NULL, &object);
	}
	if (rc == 0)
		*pool = object;
	return rc;
}
