/* future.h - a future, found; pool_future.c. */
#ifndef ILK_WORK_FUTURE_H
#define ILK_WORK_FUTURE_H

#include "work/tasks.h"

struct ilk_found_task_ {
	const struct ilk_pool_view_ *v;
	struct ilk_pool_cell_ *cell;
	uint64_t word;
};

enum { ILK_FUTURE_IS_HERE_ = 1 }; /* it was run at once, and has no cell */

/* F, for its process. 0; IS_HERE; -ESTALE; -E... as ilk_pool_enter_(). */
int ilk_future_find_(const struct ilk_future *f, struct ilk_found_task_ *found);

/* F's word again, if it is F's still. 0; -ESTALE. */
int ilk_future_look_(const struct ilk_future *f, struct ilk_found_task_ *found);

#endif
