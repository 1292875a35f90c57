/* tasks.h - claiming a cell, queueing a task, taking one, running it; and what the dead left. */
#ifndef ILK_WORK_TASKS_H
#define ILK_WORK_TASKS_H

#include "work/pool.h"

enum {
	ILK_POOL_NONE_ = 0,
	ILK_POOL_GOT_ = 1,
	ILK_POOL_BUSY_ = 2,   /* an owner is waited for */
	ILK_POOL_UNABLE_ = 3, /* it is for one who has the function */
	ILK_POOL_END_ = 4,
};

/* Tasks that are queued, and not published yet: from position FIRST to before NEXT. */
struct ilk_pool_batch_ {
	uint64_t first, next;
	uint32_t count;
};

/* What is to be submitted. */
struct ilk_pool_order_ {
	const char *function;
	const void *argument;
	uint64_t bytes;
	uint32_t flags;  /* of the cell */
	uint32_t number; /* of the function */
	uint32_t items;  /* arguments of the same size, one behind the other: a run for each, */
	uint32_t each_result;          /* and the bytes of each one's result */
	struct ilk_pool_batch_ *batch; /* NULL: workers are to find it at once */
};

/* A cell that the calling thread is FILLING. */
struct ilk_pool_place_ {
	uint64_t position, word;
	struct ilk_pool_cell_ *cell;
};

/* One that it has RUNNING. */
struct ilk_pool_taken_ {
	struct ilk_pool_cell_ *cell;
	uint64_t word;
	uint32_t function;
};

/* What a thread that serves can run, and how far it has looked. Private memory. */
struct ilk_pool_able_ {
	int (*run[ILK_POOL_MOST_FUNCTIONS])(
		struct ilk_task *task, const void *argument, size_t bytes);
	uint64_t past; /* before it, from head on, nothing is for this thread */
	uint64_t tail; /* as it was read last */
	uint32_t returned;
	uint32_t left; /* counts what it left to others */
};

/* A thread that serves, or several times over; the innermost. Private memory. */
struct ilk_pool_serving_ {
	struct ilk_pool_view_ view;
	struct ilk_pool_able_ able;
	struct ilk_pool_row_ *row;
	struct ilk_pool_serving_ *outer; /* another pool's, of a task of which this is */
	struct ilk_identity_ *me;
	uint32_t owner;
	uint32_t supervisor; /* who may ask it to leave; 0: nobody */
	uint32_t deep;
	uint64_t by;                   /* who submitted the task that it runs */
	struct ilk_pool_later_ *later; /* what is to be run before that is over, */
	struct ilk_pool_later_ **last; /* in this order: where the next one goes */
	uint32_t inside_before;        /* how often the thread was inside (wait.h) */
	uint64_t ran;
};
extern __thread struct ilk_pool_serving_ *ilk_pool_serving_;

/*
 * Is the calling thread, which has entered POOL, in a task of it, or in another's that it waits for in
 * one? What serves it; NULL, also in a child that was forked in the task.
 */
static inline struct ilk_pool_serving_ *ilk_pool_serving_here_(const struct ilk_pool *pool)
{
	struct ilk_pool_serving_ *s = ilk_pool_serving_;

	while (ILK_UNLIKELY_(s != NULL) && (s->view.pool != pool || s->owner != ilk_thread_.owner))
		s = s->outer;
	return s;
}

/* --- pool.c --- */

/* 1: PLACE is the calling thread's to fill, at FROM or later (NULL: anywhere); 0: there is no room. */
int ilk_pool_claim_(
	const struct ilk_pool_view_ *v, const uint64_t *from, struct ilk_pool_place_ *place);

/* What was filled is to be run, */
void ilk_pool_queue_(const struct ilk_pool_place_ *place);

/* and workers find it, what is queued from position FIRST to before NEXT. Wakes nobody; fenced. */
void ilk_pool_publish_(const struct ilk_pool_view_ *v, uint64_t first, uint64_t next);

/* CELL's task is QUEUED, and lost to the hints, perhaps: it is so no more. Wakes nobody. */
void ilk_pool_queue_again_(const struct ilk_pool_view_ *v, const struct ilk_pool_cell_ *cell);

/* Is cell I, if it is QUEUED, lost to the hints? */
int ilk_pool_is_lost_(const struct ilk_pool_view_ *v, uint64_t i);

/* Takes CELL's task, QUEUED as WORD says. GOT; NONE: it is another's by now; UNABLE. */
int ilk_pool_take_cell_(const struct ilk_pool_view_ *v, const struct ilk_pool_able_ *able,
	struct ilk_pool_cell_ *cell, uint64_t word, struct ilk_pool_taken_ *taken);

/* The next one. GOT; NONE. */
int ilk_pool_take_(
	const struct ilk_pool_view_ *v, struct ilk_pool_able_ *able, struct ilk_pool_taken_ *taken);

/* --- pool_run.c --- */

/* The row says what its thread runs: FUNCTION + 1, or 0; since when. */
void ilk_pool_note_(struct ilk_pool_serving_ *s, uint32_t function, ilk_time since);

/* Runs what was taken, and finishes it. 0; -ECHILD. */
int ilk_pool_run_(struct ilk_pool_serving_ *s, const struct ilk_pool_taken_ *taken);

/* What a task came to that was run at once, in a task, without a cell. Private memory. */
struct ilk_pool_result_ {
	int rc;
	uint32_t item;
	size_t bytes;
	char text[ILK_POOL_TEXT_BYTES];
	_Alignas(16) char data[];
};

/*
 * Runs it so: *FUTURE leads to a result. Where nobody asks, FUTURE is NULL, it is run behind the task that
 * submits it, before that is over; so the stack does not grow. 0; -ENOMEM; -ECHILD.
 */
int ilk_pool_run_here_(
	struct ilk_pool_serving_ *s, const struct ilk_pool_order_ *o, struct ilk_future *future);

/* For who waits for room in a task: runs a task that is queued. 1: it did; 0; -ECHILD. */
int ilk_pool_help_(struct ilk_pool_serving_ *s);

/* --- pool_submit.c --- */

/* The number of FUNCTION, by its name; -1: it has none. Names that are counted stay as they are. */
int ilk_pool_number_of_(const struct ilk_pool *pool, const char *function);

/* Submits what O says; its number is filled in. As ilk_pool_submit(). */
int ilk_pool_submit_order_(struct ilk_pool *pool, struct ilk_pool_order_ *o,
	struct ilk_future *future, ilk_time deadline);

/* Publishes what is in BATCH, wakes workers for it, and empties it. */
void ilk_pool_publish_batch_(const struct ilk_pool_view_ *v, struct ilk_pool_batch_ *batch);

/* --- pool_future.c --- */

/* Frees CELL, of WORD. 1; 0: it is otherwise by now. */
int ilk_pool_free_(const struct ilk_pool_view_ *v, struct ilk_pool_cell_ *cell, uint64_t word);

/* --- pool_sweep.c --- */

enum { ILK_POOL_SWEEP_EACH_ = 20 * 1000 * 1000 };

/*
 * Puts right what the dead left in all cells. Of a dead OWNER (0: none) it is known that SIGNAL was
 * the end. How much there was.
 */
int ilk_pool_sweep_(const struct ilk_pool_view_ *v, uint32_t owner, int signal);

/* The same if nobody has for 20 ms. 1: it did. */
int ilk_pool_sweep_if_due_(const struct ilk_pool_view_ *v, ilk_time now);

/* CELL is RUNNING by one who is dead, as WORD says. 1: it is so no more; 0: not known yet how. */
int ilk_pool_resolve_(const struct ilk_pool_view_ *v, struct ilk_pool_cell_ *cell, uint64_t word);

#endif
