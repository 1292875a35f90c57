/* serve.h - serving for one who started the worker; pool_serve.c. */
#ifndef ILK_WORK_SERVE_H
#define ILK_WORK_SERVE_H

#include "work/tasks.h"

/* Who started a worker, and will know how it ended: by its owner word, 0: nobody; the row that it has
 * reserved for it. */
struct ilk_pool_place_for_ {
	uint32_t supervisor, row;
};

/* The same as ilk_pool_serve(); 0 also: its row was not reserved any more. */
int ilk_pool_serve_for_(struct ilk_pool *pool, const struct ilk_task_function *functions,
	size_t count, const struct ilk_pool_serve_options *o,
	const struct ilk_pool_place_for_ *place);

/* Names FUNCTIONS in POOL: from here on they can be submitted; ABLE, zeros before, has them. 0;
 * -EINVAL, -ENOSPC, -E... */
int ilk_pool_introduce_(struct ilk_pool *pool, const struct ilk_task_function *functions,
	size_t count, struct ilk_pool_able_ *able);

/* Of a pool that is closed: may there be anything to do yet for who is ABLE? If not, never again: who
 * claims a cell later finds the pool closed. */
int ilk_pool_is_anything_left_(const struct ilk_pool_view_ *v, const struct ilk_pool_able_ *able);

/* Reserves a row for one who is to be started by SUPERVISOR, the calling thread: none of those that
 * are KEPT. Its index; -1: there is none. */
int ilk_pool_reserve_row_(
	const struct ilk_pool_view_ *v, uint32_t supervisor, const unsigned char *kept);

#endif
