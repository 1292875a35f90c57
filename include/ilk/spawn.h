/*
 * ilk/spawn.h - runs a function in a process of its own, and knows how that ends.
 *
 *	static int work(void *arg)
 *	{
 *		...                             // ARG and all else are as they were; SEG as well
 *		return 0;                       // the child's exit code
 *	}
 *	...
 *	struct ilk_child child;
 *	struct ilk_end end;
 *	int rc = ilk_spawn(&child, work, &job, NULL);
 *	if (rc == 0)
 *		rc = ilk_spawn_join(&child, &end, ilk_after_ms(5000));
 *	if (rc == -ETIMEDOUT)
 *		rc = ilk_spawn_terminate(&child, &end, ilk_after_ms(500));
 *	if (rc == 0 && end.signal)
 *		printf("killed by signal %d\n", end.signal);
 *
 * The wrong pattern it replaces: fork() and wait(). A wait for any child reaps those of others; a
 * pid that was reaped is another process's by the time it is killed; PR_SET_PDEATHSIG follows the
 * thread that forked, so that a child started by a short-lived thread dies at once, and one whose
 * parent was killed before it had asked for the signal lives for ever; what stdio had not written
 * comes out twice.
 *
 * The child. It is forked by a thread that is there for nothing else and lasts as long as the process:
 * memory is as at the time of the call, descriptors are inherited, thread-local variables have
 * their initial values, and stdio's buffers of standard output and error are empty. It blocks the
 * signals that its starter blocked; handlers are reset as by exec(), but for those of a process's own
 * faults (SIGSEGV, SIGABRT, ...). As every forked child, it has no identity in a segment until it
 * calls something there. When the body returns, standard output and error are written out, and the
 * process leaves its segments as by exit() and ends; functions of atexit() are not called.
 *
 * Other streams of stdio are left alone, before and after. What the body writes to one it flushes, or
 * closes, itself, or nobody does; and what is in the buffer of one that the parent opened is in the
 * child's copy, too, and comes out twice if that is flushed: fflush() it before the spawn.
 *
 * Death. When the parent dies, or calls exec(), however it was killed, its children are killed by the
 * kernel (SIGKILL), unless ILK_SPAWN_OUTLIVES was asked. No child begins its body whose parent died
 * before; and none is there that ilk_spawn() did not return. Children of children follow, if they
 * were spawned; a plain fork() of a child's does not, and neither does a child that changes its user or
 * executes a set-user-id program. A parent may fork: a handle is of the process that spawned.
 *
 * Nothing of it lies in a segment. A handle is used by any threads of its process, at once if they
 * like. Not async-signal-safe; no cancellation points.
 *
 * Sources: pidfd_open(2), Linux 5.4; prctl(2), PR_SET_PDEATHSIG.
 */
#ifndef ILK_SPAWN_H
#define ILK_SPAWN_H

#include <ilk/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	ILK_SPAWN_OUTLIVES = 1, /* it does not end with its parent */
	ILK_SPAWN_MOST_ANY = 1024,
};

/* Zero means default; set `size` to sizeof of this struct, so that it can grow. */
struct ilk_spawn_options {
	size_t size;
	unsigned flags;   /* ILK_SPAWN_... */
	const char *name; /* what ps and the inspector call it, 15 bytes; NULL: as its starter */
};

/* A child. Private memory, to be kept where it is until the child is joined. */
struct ilk_child {
	int32_t pid; /* for people; may be another process's once the child is joined */
	/* poll(2) finds it readable when the child has ended; -1 once it is joined. Where another call
	 * closed it, the next join opens another; until then it is negative, or what it was. */
	int32_t fd;
	/* Private. */
	int32_t pollers, joined;
	int32_t code, signal, core;
};

/* How a child ended. */
struct ilk_end {
	int code;   /* its exit code, 0 to 255; -1: a signal ended it, */
	int signal; /* this one; 0: none */
	int core;   /* 1: it left a core */
};

/*
 * Starts a child that runs BODY(ARG). What BODY returns, modulo 256, is its exit code. Where the caller
 * is not the process's first thread and BODY starts threads, ARG must not point to the caller's
 * stack.
 *
 *   0         *CHILD is its handle
 *   -EINVAL   BODY is NULL; OPTIONS of the wrong size, or unknown flags
 *   -EAGAIN   the system starts no more processes, or threads: see `ulimit -u`
 *   -ENOMEM, -EMFILE, -ENFILE   from the system
 *   -ENOSYS   the kernel is older than Linux 5.4
 *
 * Writes out standard output and error, as far as no other thread is within a call with them: then
 * that is written later. Waits for no thread in stdio. Order: what came before is seen by BODY.
 */
ILK_API int ilk_spawn(struct ilk_child *child, int (*body)(void *arg), void *arg,
	const struct ilk_spawn_options *options);

/*
 * Waits until CHILD has ended, DEADLINE at most. Afterwards nothing is left of it; asked again, it says
 * the same. END may be NULL.
 *
 *   0           *END says how
 *   -ETIMEDOUT  it runs still
 *   -ECHILD     it is no child of this process: the handle is a forked parent's; or another call
 *               reaped it (wait(2) for any child, SIGCHLD ignored), and how it ended is not known
 *   -EBADF      another call closed its descriptor (closefrom(3)), and the process has no other
 *               left: nothing more is known of it
 *
 * Order: what the child wrote, to memory that is shared, is seen.
 */
ILK_API int ilk_spawn_join(struct ilk_child *child, struct ilk_end *end, ilk_time deadline);

/*
 * The same for COUNT children, 1 to ILK_SPAWN_MOST_ANY: *WHICH is the place of the first that is found
 * ended, and *END says how. Those joined before, and handles that are all zero, do not count. -ECHILD
 * also: all are joined, and *WHICH is COUNT; else it, or -EBADF, is of the one there. -EINVAL COUNT.
 */
ILK_API int ilk_spawn_join_any(struct ilk_child *children, unsigned count, unsigned *which,
	struct ilk_end *end, ilk_time deadline);

/*
 * Asks CHILD to end, by SIGTERM; if it has not by DEADLINE, kills it; and joins it. Waits for the
 * kernel then, which takes the longer the more memory it had. 0; -ECHILD, -EBADF as above. A deadline of
 * ILK_NOW kills at once.
 */
ILK_API int ilk_spawn_terminate(struct ilk_child *child, struct ilk_end *end, ilk_time deadline);

/* Sends it a signal. 0, also to one that has ended and is not joined; -ESRCH it is joined; -EINVAL no
 * such signal; -EPERM it has changed its user. */
ILK_API int ilk_spawn_signal(struct ilk_child *child, int signal);

#ifdef __cplusplus
}
#endif

#endif
