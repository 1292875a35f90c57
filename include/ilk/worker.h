/*
 * ilk/worker.h - the other side of a pool: who runs its tasks.
 *
 *	static int square(struct ilk_task *task, const void *argument, size_t bytes);
 *	static const struct ilk_task_function functions[] = {{"square", square}};
 *
 *	rc = ilk_pool_serve(pool, functions, 1, NULL);                  // this thread works; or
 *
 *	struct ilk_pool_crew *crew;                                     // four processes do
 *	rc = ilk_pool_start(pool, 4, functions, 1, NULL, &crew);
 *	...
 *	ilk_pool_stop(crew, ilk_after_ms(1000));
 *
 * What a pool is, how tasks come there, what a death does, and the results that all of this has where
 * nothing else is said: ilk/pool.h, which includes this.
 */
#ifndef ILK_WORKER_H
#define ILK_WORKER_H

#include <ilk/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In the segment, opened by name only: its size depends on the options. */
struct ilk_pool;

/* One run of a task; for its function, while that runs. */
struct ilk_task;

/*
 * A function that tasks name. ARGUMENT, of BYTES bytes, lies in the segment, aligned to 16 where it
 * was copied there, of a map in chunks as its size allows; it is not to be changed: the task may have to be run again. Returns 0, or
 * anything else: the task has failed by that. It may end its thread or process, or be killed: that
 * is what is said of it then. exec(3) ends the worker as well: what one that was started executes is
 * killed when that is noticed; ilk_spawn() is for that.
 */
struct ilk_task_function {
	const char *name;
	int (*run)(struct ilk_task *task, const void *argument, size_t bytes);
};

/* --- serving --- */

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_pool_serve_options {
	size_t size;
	uint64_t tasks; /* return after so many; 0: any number */
	ilk_time until; /* return when there is nothing to do at that time; 0: ILK_FOREVER */
	/* Called before the first task. Not 0: nothing is served, that is the result. */
	int (*begin)(void *arg);
	void *arg;
};

/*
 * Runs tasks in the calling thread: those whose function is among the COUNT FUNCTIONS, which stay as
 * they are meanwhile. OPTIONS may be NULL.
 *
 *   0            it ran as many as it was to run; or was asked to leave; or the pool is closed, and
 *                there is nothing left to do
 *   -ETIMEDOUT   the time of OPTIONS
 *   -EINVAL      also: no functions, or one without a name, or with a longer one than
 *                ILK_POOL_NAME_BYTES has room for; OPTIONS out of range
 *   -ENOSPC      the pool has had ILK_POOL_MOST_FUNCTIONS different names already
 *   -EUSERS      also: as many workers as the pool can have serve already
 *   -EDEADLK     a task asks to serve the pool that it is a task of
 *   -ECHILD      a task has forked, and the child returned from it: the task is the parent's
 *
 * While it serves, close of the segment in another thread waits for the task that runs. Oldest tasks
 * first, mostly.
 */
ILK_API int ilk_pool_serve(struct ilk_pool *pool, const struct ilk_task_function *functions,
	size_t count, const struct ilk_pool_serve_options *options);

/* --- workers of this program --- */

enum { ILK_POOL_THREADS = 1 }; /* of a start */

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_pool_start_options {
	size_t size;
	unsigned flags; /* ILK_POOL_THREADS: the workers are threads of this process */
	uint64_t tasks; /* a worker is replaced after so many; 0: any number */
	/* In each worker, before its first task. Not 0: it ends, and another is tried, ever later. */
	int (*begin)(void *arg);
	void *arg;
};

/* The workers that one call started. Private memory of this process. */
struct ilk_pool_crew;

/*
 * Starts WORKERS workers, processes forked from this one (ilk/spawn.h), that serve the pool with the
 * COUNT FUNCTIONS, which are to stay as they are. Who dies is replaced; its tasks say by which
 * signal. Who dies as it begins is replaced ever later, up to a second. The workers end when the pool
 * is closed and drained, when its name is removed, and, processes, with this process.
 *
 *   0         *CREW are they
 *   -EINVAL   also: no workers, no functions, or one as serve refuses; OPTIONS out of range
 *   -EUSERS   also: the pool has not so many places for workers left
 *   -EAGAIN, -ENOMEM, -EMFILE, -ENFILE, -ENOSYS   of starting them
 *
 * Workers block the signals that the calling thread does; the threads that look after them block all.
 * Several crews may serve one pool, of one process or several. While there is one, close of the
 * segment kills its processes, and waits for the tasks that its threads run.
 */
ILK_API int ilk_pool_start(struct ilk_pool *pool, unsigned workers,
	const struct ilk_task_function *functions, size_t count,
	const struct ilk_pool_start_options *options, struct ilk_pool_crew **crew);

/*
 * From here on there are to be WORKERS, 1 at least: those too many end their tasks first; others are
 * started within about 20 ms, as far as the pool has places. 0; -EINVAL none, or more than the pool
 * can have; -ECHILD CREW is a parent's.
 */
ILK_API int ilk_pool_resize(struct ilk_pool_crew *crew, unsigned workers);

/*
 * Asks the workers to leave, each after the task it runs, and waits; at DEADLINE it kills those that
 * are there still. Threads cannot be killed, and are waited for. Tasks stay queued in the pool, which
 * is not closed by this: ilk_pool_close() first, and ilk_pool_join(), for an orderly end. CREW is
 * gone then. 0; -ECHILD CREW is a parent's, and is still there.
 */
ILK_API int ilk_pool_stop(struct ilk_pool_crew *crew, ilk_time deadline);

/* --- for functions --- */

/* For a function: the BYTES bytes at DATA are its result. 0; -EMSGSIZE they are too many: the task
 * has failed by that, whatever it returns. */
ILK_API int ilk_task_result(struct ilk_task *task, const void *data, size_t bytes);

/*
 * The same in place: where the result is to be written, *ROOM bytes, aligned as an argument is. BYTES of it are
 * the result once ilk_task_result() is called with what this gave as DATA.
 */
ILK_API void *ilk_task_room(struct ilk_task *task, size_t *room);

/* The task has failed: RC, and TEXT (may be NULL; cut off). Returns RC; 0 counts as -EINVAL. */
ILK_API int ilk_task_fail(struct ilk_task *task, int rc, const char *text);

/* How often the task was begun, this run included: 1, or more after deaths. */
ILK_API unsigned ilk_task_runs(const struct ilk_task *task);

/* The pool of which it is a task. */
ILK_API struct ilk_pool *ilk_task_pool(const struct ilk_task *task);

#ifdef __cplusplus
}
#endif

#endif
