/* crew.h - what the files of a crew share: private memory of the process that started it. */
#ifndef ILK_WORK_CREW_H
#define ILK_WORK_CREW_H

#include "work/serve.h"
#include "work/tasks.h"
#include <ilk/spawn.h>
#include <pthread.h>

/* One place for a worker. Changed by the supervisor, but for what is said otherwise. */
struct ilk_crew_place_ {
	struct ilk_pool_crew *crew;
	uint32_t is_used; /* a worker was started, and its end was not seen yet */
	uint32_t row;     /* reserved for it, or its own; read by anybody */
	uint32_t ended;   /* of a thread: by itself, as the last thing */
	uint32_t failures;
	int code; /* of a thread: as a process's exit code */
	uint64_t done_before;
	ilk_time begun, not_before; /* not to be started again before */
	pthread_t thread;
};

struct ilk_pool_crew {
	struct ilk_pool_view_ view;
	struct ilk_segment *segment;
	uint64_t process; /* whose it is: ilk_fork_serial_() */
	struct ilk_pool_start_options options;
	const struct ilk_task_function *functions;
	size_t count;
	struct ilk_pool_able_ able; /* which numbers these have; fixed */
	uint32_t most;              /* places */
	uint32_t wanted;            /* of them are to be filled; by anybody */
	uint32_t bell;              /* stepped where the supervisor is to look */
	uint32_t is_up;             /* 1: the first workers are started, or `rc` says why not */
	uint32_t me;                /* the supervisor's owner word */
	int rc;
	sigset_t mask; /* what the workers block: as who started the crew */
	ilk_time stop; /* 0: not yet; from then on workers are killed */
	pthread_t supervisor;
	struct ilk_crew_place_ *place;
	struct ilk_child *child; /* one for each place; zero: none */
	unsigned char *kept;     /* by row: it is a used place's; the supervisor's */
};

/* --- pool_worker.c --- */

/* Starts a worker in place I. 0; -E... */
int ilk_crew_start_(struct ilk_pool_crew *c, uint32_t i);

/* Asks the worker of place I to leave. */
void ilk_crew_ask_(struct ilk_pool_crew *c, uint32_t i);

/* Kills the process of place I if that is all there is of its worker: it has called exec(), or the
 * thread that served has ended. To be seen once somebody has noticed. */
void ilk_crew_look_(struct ilk_pool_crew *c, uint32_t i);

/* The worker of place I has ended, with exit code CODE, or by SIGNAL: what it left is put right. */
void ilk_crew_ended_(struct ilk_pool_crew *c, uint32_t i, int code, int signal);

/* --- pool_supervise.c --- */

/* The supervisor's thread. */
void *ilk_crew_supervise_(void *crew);

#endif
