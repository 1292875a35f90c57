/* serve.h - serving for one who started the worker; pool_serve.c. */
#ifndef ILK_WORK_SERVE_H
#define ILK_WORK_SERVE_H

#include "work/pool.h"

/* As ilk_pool_serve(); SUPERVISOR, an owner word or 0, will know how the worker ended. */
int ilk_pool_serve_for_(struct ilk_pool *pool, const struct ilk_task_function *functions,
	size_t count, const struct ilk_pool_serve_options *o, uint32_t supervisor);

#endif
