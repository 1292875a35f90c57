/* step.h - a traced process, from its marker on, one instruction at a time (x86-64). */
#ifndef DEATH_STEP_H
#define DEATH_STEP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Begin and end of what is stepped, in the traced process: one byte, and no system call. */
#define MARKER() __asm__ __volatile__("int3" ::: "memory")

enum { STEP_THREADS = 8 };

struct traced {
	pid_t pid;                   /* the process */
	pid_t tid;                   /* its thread that met the marker */
	pid_t threads[STEP_THREADS]; /* its threads but the first */
	int thread_count;
	uint64_t address; /* of the next instruction */
	int signal;       /* to be delivered with the next step */
	bool gone;        /* it ended and was reaped: its number is nobody's */
};

enum step {
	STEP_PLAIN,  /* one instruction */
	STEP_CALL,   /* one instruction, a system call */
	STEP_ASLEEP, /* in a system call, and asleep: traced_awake() before the next step */
	STEP_END,    /* at the end marker: nothing was done */
	STEP_GONE,   /* the thread has ended */
	STEP_LOST,   /* the process has died, or does not come back from a system call */
};

/* In a child just forked: traced by its parent from here on. */
void traced_begin(void);
/* In the parent: takes over the child. 0, -1. */
int traced_adopt(struct traced *t, pid_t pid);
/* Lets it run to its marker. 0, -1: it ended, or the time did. */
int traced_await_marker(struct traced *t, int limit_ms);
/* Lets it run through so many system calls. STEP_CALL, or STEP_END: there were fewer. */
enum step traced_skip_calls(struct traced *t, long calls);
/* Lets it run until it comes by ADDRESS for the HITS-th time: STEP_PLAIN; or into a call, STEP_CALL; or to its
 * end. */
enum step traced_run_to(struct traced *t, uint64_t address, long hits);
/* Lets it run into its first sleep. STEP_ASLEEP, or STEP_END: it did not sleep. */
enum step traced_run_to_sleep(struct traced *t);
enum step traced_step(struct traced *t, bool sleepy);
enum step traced_awake(struct traced *t);
/* From the end marker lets it run to its own end: its exit status, or -1. */
int traced_finish(struct traced *t);
/* Kills it and waits for its death; as a zombie it stays if REAP is false. */
void traced_kill(struct traced *t, bool reap);

/* Steps can be made here? NULL, or why not. */
const char *step_unsupported(void);
/* The state letter of a thread in /proc, '?' where it cannot be read. */
char run_state(pid_t pid, pid_t tid);

#endif
