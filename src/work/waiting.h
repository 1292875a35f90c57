/* waiting.h - waiting in a pool: for a task, for room, for the end of one or of any; pool_wait.c. */
#ifndef ILK_WORK_WAITING_H
#define ILK_WORK_WAITING_H

#include "work/tasks.h"

/* One call's waiting. */
struct ilk_pool_wait_ {
	const struct ilk_pool_view_ *view;
	uint32_t *bell, *asleep;
	/* Tries once: GOT; NONE; BUSY: OWNER, alive as far as was known, is waited for; END; -E... */
	int (*attempt)(struct ilk_pool_wait_ *w);
	uint32_t owner; /* of BUSY */
	uint32_t deep;  /* the attempt is to look at who is dead, too: it costs */
	uint32_t many;  /* it does so at each tick, of many */
	uint32_t slept;
};

/* For sleepers of a kind. */
void ilk_pool_wait_init_(struct ilk_pool_wait_ *w, const struct ilk_pool_view_ *v, uint32_t kind,
	int (*attempt)(struct ilk_pool_wait_ *w));

/* Tries until it is had; inside. GOT, END; -EAGAIN, -ETIMEDOUT, -ECANCELED; what the attempt said. */
int ilk_pool_wait_for_(struct ilk_pool_wait_ *w, ilk_time deadline);

/* Wakes up to N sleepers. [P8] */
void ilk_pool_wake_(uint32_t *bell, uint32_t *asleep, int n);

/* After a fence: wakes up to N of a kind, if any may sleep. */
static inline void ilk_pool_told_(struct ilk_pool *pool, uint32_t kind, int n)
{
	if (ILK_UNLIKELY_(ilk_load_relaxed_(&pool->asleep[kind])))
		ilk_pool_wake_(&pool->bell[kind], &pool->asleep[kind], n);
}

/* CELL's task is over, or was: after the change of its word. FENCED: so is that. */
void ilk_pool_is_over_(struct ilk_pool *pool, struct ilk_pool_cell_ *cell, int fenced);

#endif
