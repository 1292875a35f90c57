/*
 * work.h - the processes that do what is measured, and the memory they share.
 *
 * Each sample has a segment of its own, without a name: nothing that a killed worker leaves in it
 * reaches the next sample. What all peers work on lies in one block of it, each thing on cache
 * lines of its own. Can be included from C++.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <ilk.h>
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BENCH_WORKERS = 8, BENCH_RWLOCK_LINES = 4 };

struct bench_line {
	unsigned char bytes[64];
} ILK_ALIGNED_(64);

struct bench_worker {
	uint64_t count;  /* what it has done so far; written by the worker alone */
	uint64_t writes; /* and how much of it was writing, where that is told apart */
	uint64_t sum;    /* of the messages that it sent or received, */
	uint64_t wrong;  /* and how many of these were not what they should be */
} ILK_ALIGNED_(64);

struct bench_arena {
	uint32_t ready ILK_ALIGNED_(64); /* workers that wait for go */
	uint32_t go ILK_ALIGNED_(64);    /* these two are written once, by the parent */
	uint32_t stop;
	struct bench_worker workers[BENCH_WORKERS];
	struct bench_line object;                     /* the lock or the counter that is measured */
	uint64_t guarded ILK_ALIGNED_(64);            /* what the lock guards, on the next line */
	struct bench_line rwlock[BENCH_RWLOCK_LINES]; /* the lock for readers and writers, */
	uint64_t pair[2] ILK_ALIGNED_(64);            /* and what it guards */
	struct bench_line nodes[BENCH_WORKERS]; /* of locks that need memory for each waiter */
	double result ILK_ALIGNED_(64);         /* what a child found out */
	ilk_time moment;
	uint32_t stage; /* how far a scenario has come */
};

/* A sample's place: private to the process, inherited by its children. */
struct bench_place {
	struct ilk_segment *seg;
	struct bench_arena *arena;
};

struct bench_run;
struct bench_sample;

/* Makes a place, all zero, in a segment of BYTES, 0: what is usual. BENCH_OK or BENCH_FAILED. */
int bench_place_open_sized(struct bench_place *place, size_t bytes, struct bench_sample *sample);
int bench_place_open(struct bench_place *place, struct bench_sample *sample);
void bench_place_close(struct bench_place *place);

/* Starts a process that runs BODY on core CPU (-1: any), ends with its result, and dies with us. */
pid_t bench_spawn(int cpu, int (*body)(void *arg), void *arg);

/*
 * Waits for processes we started until DEADLINE, then kills those left, by pid. BENCH_OK if all
 * ended with 0.
 */
int bench_reap(const pid_t *pids, unsigned n, ilk_time deadline, struct bench_sample *sample);

/* Kills one at once and waits for its end. */
void bench_kill(pid_t pid);

/* Ties the calling thread to one core. 0, or -1. */
int bench_pin(int cpu);

/* Waits until WORD is VALUE or more, at most SECONDS. 0, or -1. */
int bench_await(const uint32_t *word, uint32_t value, double seconds);

/* Holds back the signals that would end us, while what has a name is there. */
void bench_hold_back_signals(sigset_t *before);

/* Sleeps. */
void bench_sleep(double seconds);

/* A piece of the work that is timed: does OP N times. 0, or else it failed. */
typedef int bench_batch(const struct bench_place *place, const void *what, unsigned n);

/*
 * Runs batches of N in a process of its own, tied to the first core, for the sample's time after a
 * warm-up: sample->value becomes nanoseconds per operation.
 */
int bench_time(const struct bench_run *run, const struct bench_place *place, bench_batch *batch,
	const void *what, unsigned n, struct bench_sample *sample);

/*
 * A worker of a contest: until place->arena->stop, works and counts in workers[me].count. 0, or
 * else it failed.
 */
typedef int bench_work(const struct bench_place *place, const void *what, unsigned me);

/*
 * Lets run->bench->workers processes compete, by turns on the two cores: sample->value becomes what
 * all did together, in millions a second, and sample->share the least-served over the most-served.
 * TOTAL becomes all that was counted, warm-up included.
 */
int bench_contest(const struct bench_run *run, const struct bench_place *place, bench_work *work,
	const void *what, struct bench_sample *sample, uint64_t *total);

#ifdef __cplusplus
}
#endif

#endif
