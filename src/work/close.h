/* close.h - the end of a pool whose name was removed; pool_close.c. */
#ifndef ILK_WORK_CLOSE_H
#define ILK_WORK_CLOSE_H

#include "work/pool.h"

/* All who sleep, and all later callers, are told. */
void ilk_pool_remove_(const struct ilk_pool_view_ *v);

#endif
