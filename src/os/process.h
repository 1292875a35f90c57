/* process.h - children: forked, told of their parent's end, watched by a descriptor, ended; signals. */
#ifndef ILK_OS_PROCESS_H
#define ILK_OS_PROCESS_H

#include <ilk/base.h>
#include <pthread.h>
#include <signal.h>

enum { ILK_COMM_BYTES_ = 16 };

/* What a child is to be. */
struct ilk_birth_ {
	void (*live)(const struct ilk_birth_ *birth); /* what it does; does not return */
	sigset_t mask;                                /* the signals that it blocks */
	char name[ILK_COMM_BYTES_];
	int outlives; /* it does not end with the calling thread */
};

/*
 * Forks a child that calls BIRTH's `live`; unless `outlives` it is killed when the calling thread
 * ends, and does not begin if that has ended. All signals are to be blocked in the calling thread.
 * Handlers of signals that come from outside are not the child's. *PID; and the descriptor that
 * tells of its end; -E... there is no child.
 */
int ilk_process_fork_(const struct ilk_birth_ *birth, int32_t *pid);

/* How a process ended. */
struct ilk_ended_ {
	int code;   /* what it exited with; -1: by a signal */
	int signal; /* 0: by none */
	int core;   /* 1: it left a core */
};

/* Has the child PID, behind FD, ended? 1: it is reaped now; 0; -ECHILD: it is not (any more) a child
 * of this process; -EBADF: FD is closed, or another's. */
int ilk_process_reap_(int fd, int32_t pid, struct ilk_ended_ *ended);

/* A descriptor for PID, a child that was not reaped, of the number LEAST or the next that is free;
 * -ECHILD: there is no such child; -EBADF: none to be had. */
int ilk_process_reopen_(int32_t pid, int least);

/* Is FD a process's? And OTHER that of the same one as FD, which is one's, as far as can be told? */
int ilk_process_is_open_(int fd);
int ilk_process_is_same_(int fd, int other);

/* Waits until one of the COUNT processes behind FDS, 1024 at most, has ended. Its place;
 * -ETIMEDOUT; -E... */
int ilk_process_watch_(const int *fds, unsigned count, ilk_time until);

/* 0; -ESRCH it has ended; -EINVAL; -EPERM. */
int ilk_process_signal_(int fd, int signal);

void ilk_process_close_(int fd);

/* Ends this process at once: exit() without handlers. */
__attribute__((noreturn)) void ilk_process_end_(int code);

/* Blocks all signals in the calling thread; *BEFORE is what was blocked; and back. */
void ilk_signals_block_(sigset_t *before);
void ilk_signals_restore_(const sigset_t *before);
/* What the calling thread blocks. */
void ilk_signals_blocked_(sigset_t *now);

/*
 * Starts a thread for the library's own ends: it blocks all signals, so that what is sent to the
 * process is the program's to handle, be it by sigwait(3) in a thread that blocks it. 0; -E...
 */
int ilk_helper_start_(pthread_t *thread, void *(*body)(void *arg), void *arg);

/* What those are to block whom the calling thread starts for the program: what it blocks itself, or, of
 * a helper, what its starter did. */
void ilk_helper_mask_(sigset_t *mask);

#endif
