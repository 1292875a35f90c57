/*
 * ilk/pool.h - tasks, run by whoever serves the pool: workers that this program starts, or programs
 * that come and go as they like.
 *
 *	static int square(struct ilk_task *task, const void *argument, size_t bytes)
 *	{
 *		double x;
 *
 *		if (bytes != sizeof x)
 *			return ilk_task_fail(task, -EINVAL, "not a double");
 *		memcpy(&x, argument, sizeof x);
 *		x *= x;
 *		return ilk_task_result(task, &x, sizeof x);
 *	}
 *	static const struct ilk_task_function functions[] = {{"square", square}};
 *
 *	ilk_pool_serve(pool, functions, 1, NULL);                       // in each worker
 *
 *	struct ilk_future f;                                            // who has work
 *	struct ilk_outcome out;
 *	rc = ilk_pool_submit(pool, "square", &x, sizeof x, &f, ILK_FOREVER);
 *	...
 *	rc = ilk_future_get(&f, &y, sizeof y, &out, ilk_after_ms(1000));
 *	if (rc == ILK_TASK_FAILED)
 *		fprintf(stderr, "%s (signal %d)\n", out.text, out.signal);
 *
 * The wrong patterns. A process for each task: a thousand times the cost. A pipe to each worker: a
 * task that is in the pipe of one who was killed is gone, and a slow one keeps those behind it from
 * the others. A queue for the results: who waits for one gets another's.
 *
 * Functions are known by name, so that a worker need not be a copy of who submits. What a worker has
 * no function for it leaves to others; a name that no worker ever brought along is refused.
 *
 * Death. A task is in the pool when its submit has passed one store. A worker that is killed loses
 * nothing but the run it was at: its task is run again up to `retries` times, then its future says
 * by which signal the worker died, where the worker was this library's to start; 0 where that is not
 * known. So a task is run 1 + retries times at most, and to its end once at most. All others go on.
 * Futures belong to the process that submitted; when it dies, or closes the segment, its tasks that
 * wait are dropped (or, with ILK_POOL_KEEP, run), those that run are finished, and nobody gets them.
 * What a task submits, and nobody asks for, belongs to who submitted the task, whoever runs it.
 * All of this is noticed within about 20 ms, by who waits for the future, or by the workers, who may
 * begin what is to be dropped before.
 *
 * Stopped, not dead: a worker holds up its own task, a submitter at most a place in the pool.
 *
 * A task may submit tasks, and wait for them: if one of those waits still, it is run by who waits
 * for it, on its own stack. So trees of tasks come to an end with any number of workers.
 *
 * A deadline of ILK_NOW tries once: -EAGAIN where others are waited for with a later one; those are
 * -ETIMEDOUT. Not async-signal-safe.
 */
#ifndef ILK_POOL_H
#define ILK_POOL_H

#include <ilk/segment.h>
#include <ilk/worker.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	ILK_POOL_CAPACITY = 1024, /* defaults, */
	ILK_POOL_BYTES = 64,
	ILK_POOL_WORKERS = 64,
	ILK_POOL_MOST_CAPACITY = 1 << 20, /* and limits */
	ILK_POOL_MOST_BYTES = 1 << 26,
	ILK_POOL_MOST_WORKERS = 4095,
	ILK_POOL_MOST_RETRIES = 30,
	ILK_POOL_MOST_FUNCTIONS = 64,
	ILK_POOL_NAME_BYTES = 60, /* of a function, with the closing zero */
	ILK_POOL_TEXT_BYTES = 48, /* of what ilk_task_fail() says, the same */
};

/* Flags of a pool. */
enum { ILK_POOL_KEEP = 1 }; /* what a dead process submitted is run all the same */

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_pool_options {
	size_t size;
	size_t capacity;       /* tasks and results at a time; rounded up to a power of two */
	size_t argument_bytes; /* of the longest argument that is copied */
	size_t result_bytes;   /* of the longest result */
	unsigned workers;      /* the most there can be at a time */
	unsigned retries;      /* runs of a task beyond the first, where its worker died */
	unsigned flags;        /* ILK_POOL_... */
};

/* What is to be had later; private memory, to be used by one thread at a time. Fields private. */
struct ilk_future {
	struct ilk_pool *pool;
	uint32_t cell, serial;
	void *here; /* where there was no room, in a task: it was run at once, and has no cell */
};

/* How a task ended. */
struct ilk_outcome {
	/*
	 * 0; what its function returned, or said; -ECANCELED it was cancelled; -EOWNERDEAD its
	 * worker died; -EMSGSIZE its result was too large.
	 */
	int rc;
	int signal;    /* with -EOWNERDEAD: by which; 0 unknown, or none */
	unsigned runs; /* how often it was begun */
	size_t bytes;  /* of the result */
	size_t item;   /* of a map: which argument's */
	char text[ILK_POOL_TEXT_BYTES];
};

/*
 * Finds or makes the pool NAME. OPTIONS NULL: it must be there, however it was made.
 *
 *   0         *POOL is it
 *   -ENOENT   OPTIONS are NULL, and there is none
 *   -EEXIST   NAME is of another type, or a pool made otherwise: ilk_last_error() names the field
 *   -EINVAL   OPTIONS out of range, or unknown flags
 *   others    as ilk_block_open's, less those of its SIZE
 */
ILK_API int ilk_pool_open(struct ilk_segment *seg, const char *name,
	const struct ilk_pool_options *options, struct ilk_pool **pool);

/*
 * Results that all of the following have, where nothing else is said:
 *
 *   -EIDRM       its name was removed (ilk/object.h), before or while it waited
 *   -ECANCELED   another thread of this process closes the segment
 *   -EINVAL      POOL lies in no attachment, or is no pool
 *   -EBADMSG     it is damaged
 *   -EROFS       it lies in a read-only attachment
 *   -EUSERS      every thread slot of the segment is taken by the living
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 */

/* --- submitting --- */

/*
 * Submits a task: FUNCTION is to be run with a copy of the BYTES bytes at ARGUMENT, 0 of them
 * included. *FUTURE leads to what comes of it, and is to be got or released; FUTURE NULL: nobody
 * asks.
 *
 *   0           it is in
 *   -EAGAIN     with ILK_NOW: there is no room
 *   -ETIMEDOUT  there was none until the deadline
 *   -EMSGSIZE   BYTES are more than the pool's argument_bytes
 *   -ENOENT     no worker ever came with a function of that name
 *   -EPIPE      the pool is closed
 *
 * Of the last three ilk_last_error() says more.
 * In a task, where there is no room: runs one that waits, on the task's stack, or, if there is none,
 * the new one itself, so that this need not wait (-ENOMEM also: its result needs memory); one that
 * nobody asks for behind the task, as a part of it. Progress:
 * lock-free where there is room, two locked instructions; else spins briefly, then sleeps.
 */
ILK_API int ilk_pool_submit(struct ilk_pool *pool, const char *function, const void *argument,
	size_t bytes, struct ilk_future *future, ilk_time deadline);

/*
 * The same without a copy: ARGUMENT lies in the pool's segment, of any size, and is to stay there as
 * it is until the task is over. -EINVAL also: it does not lie in the segment.
 */
ILK_API int ilk_pool_submit_in_place(struct ilk_pool *pool, const char *function,
	const void *argument, size_t bytes, struct ilk_future *future, ilk_time deadline);

/* --- futures: for the process that submitted, any thread of it --- */

/*
 * Is it over? 1: a get need not wait; 0: it is queued, or runs. -ESTALE it was got or released
 * already, or is another process's (a parent's); others as above. Wait-free. It does not ask
 * whether who runs it is alive.
 */
ILK_API int ilk_future_poll(const struct ilk_future *future);

/*
 * Gets the result: copies it to RESULT, which has room for ROOM bytes; the future is over then.
 * OUT, if not NULL, gets how it ended.
 *
 *   0                its result
 *   ILK_TASK_FAILED  none: OUT says why
 *   -EAGAIN          with ILK_NOW: it is queued, or runs
 *   -ETIMEDOUT       so it was until the deadline
 *   -EMSGSIZE        the result has more than ROOM bytes, OUT says how many: get it again
 *   -EDEADLK         it is the task that the calling thread runs
 *   -ECHILD          as serve: of a task that was run here
 *   -ESTALE          as poll
 *
 * The order of results is the caller's to choose. What the task wrote elsewhere is seen. Spins
 * briefly, then sleeps; in a task it runs what it waits for, if that is queued still.
 */
ILK_API int ilk_future_get(struct ilk_future *future, void *result, size_t room,
	struct ilk_outcome *out, ilk_time deadline);

/*
 * Cancels it, if it is queued still: get says -ECANCELED in OUT. 0; -EBUSY it runs; -EALREADY it is
 * over; -ESTALE. Wait-free.
 */
ILK_API int ilk_future_cancel(struct ilk_future *future);

/* Nobody will get it; the task is run all the same. 0; -ESTALE. Lock-free. */
ILK_API int ilk_future_release(struct ilk_future *future);

/*
 * Waits until one of COUNT futures, all of one pool, is over: *WHICH is the first such; those that were
 * got do not count. 0; -EAGAIN with ILK_NOW; -ETIMEDOUT; -ESTALE one was got by a copy, or is a parent's:
 * *WHICH; -ENOENT all were got; -EINVAL also: they are of several pools. In time with COUNT, at each
 * task that ends. In a task as get.
 *
 *	while (ilk_future_any(f, n, &i, ILK_FOREVER) == 0)      // as they complete
 *		rc = ilk_future_get(&f[i], &result, sizeof result, &out, ILK_NOW);
 */
ILK_API int ilk_future_any(
	struct ilk_future *futures, size_t count, size_t *which, ilk_time deadline);

/* How many of COUNT futures are over, or were got: *OVER, for a progress bar. 0; -E... as poll. */
ILK_API int ilk_future_count_over(const struct ilk_future *futures, size_t count, size_t *over);

/* --- many of a kind --- */

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_pool_map_options {
	size_t size;
	/*
	 * Arguments in a task; 0: so many that each worker gets about four tasks, as far as they fit.
	 * More: less cost for each. Fewer: the work is shared more evenly.
	 */
	size_t chunk;
	/* Called in the calling thread as results come in, in their order: DONE of COUNT are there. */
	void (*progress)(size_t done, size_t count, void *arg);
	void *arg;
	struct ilk_outcome *outcome; /* gets how the first that failed ended; its `item` is which */
};

/*
 * Runs FUNCTION for each of COUNT arguments, of ARGUMENT_BYTES bytes each, which lie end to end at
 * ARGUMENTS, and puts the results in their order to RESULTS, of RESULT_BYTES bytes each: a shorter one
 * is followed by zeros. OPTIONS may be NULL.
 *
 *   0                all is there
 *   ILK_TASK_FAILED  one failed: the outcome says which, and how
 *   -ETIMEDOUT       not all was done until the deadline
 *   -EMSGSIZE        an argument, a result or a chunk is larger than the pool's
 *   -EINVAL          also: OPTIONS of the wrong size; COUNT is 0
 *   others           as submit and get, less -EAGAIN, -ESTALE
 *
 * Whatever it is but 0: what is queued is cancelled; what runs goes on, and nobody gets it.
 */
ILK_API int ilk_pool_map(struct ilk_pool *pool, const char *function, const void *arguments,
	size_t argument_bytes, size_t count, void *results, size_t result_bytes,
	const struct ilk_pool_map_options *options, ilk_time deadline);

/* --- event loops --- */

/*
 * A descriptor for poll(2), epoll(7) and their like: readable when a task of the pool has ended since
 * it was read last (8 bytes, as an eventfd(2); it does not block). Then ask the futures, by
 * ilk_future_any() with ILK_NOW; it may be that none is over. One for each process and pool; a
 * thread of this process writes it. The descriptor; -EMFILE, -ENFILE, -ENOMEM, -EAGAIN.
 */
ILK_API int ilk_pool_fd(struct ilk_pool *pool);

/* Ends that, and closes the descriptor: before the segment is closed. 0; -ENOENT there is none. */
ILK_API int ilk_pool_fd_close(struct ilk_pool *pool);

/* --- the end --- */

enum {
	ILK_POOL_DRAIN = 0,
	ILK_POOL_CANCEL = 1, /* what is queued is cancelled */
};

/*
 * Closes the pool for good: submit is -EPIPE from here on, of tasks, too; workers end when nothing
 * is left to do. What is over can be got. 0; -EINVAL also unknown HOW. Idempotent; cancels what is
 * queued later, too. Closed by one who is killed in it: closed or not, all cancelled or some.
 */
ILK_API int ilk_pool_close(struct ilk_pool *pool, int how);

/* Waits until no task is queued or runs. 0; -EAGAIN with ILK_NOW; -ETIMEDOUT. */
ILK_API int ilk_pool_join(struct ilk_pool *pool, ilk_time deadline);

/* A pool at one moment; `size` is to be set to sizeof of this struct. */
struct ilk_pool_info {
	size_t size;
	size_t capacity, argument_bytes, result_bytes; /* as it was made, and rounded */
	unsigned most_workers, retries, flags;
	int closed;
	unsigned workers;         /* that serve, dead ones that nobody missed yet included */
	size_t queued, running;   /* tasks; */
	size_t over;              /* and those that are over, and not got */
	uint64_t done, failed;    /* ever: with a result, or by what they said; */
	uint64_t cancelled, died; /* cancelled; given up as their workers died; */
	uint64_t again;           /* runs that were begun again */
	uint64_t dropped;         /* with the process that submitted them */
};

/*
 * Fills INFO. Takes no lock, writes nothing, works through a read-only attachment; in time with the
 * capacity. The numbers are of slightly different moments. 0; -EINVAL POOL lies in no attachment, is
 * no pool, or `size` is another.
 */
ILK_NAMESAKE_BEGIN_
ILK_API int ilk_pool_info(const struct ilk_pool *pool, struct ilk_pool_info *info);
ILK_NAMESAKE_END_

#ifdef __cplusplus
}
#endif

#endif
