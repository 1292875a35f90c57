/*
 * dead_waiter.c - kill -9 of processes that wait for a condition; the notifier hangs.
 *
 * pthread_cond keeps its waiters in two groups, and closes a group when all in it have left. The
 * dead do not leave.
 */
#include "race/frame.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <ilk/condition.h>
#include <ilk/mutex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t condition;
	uint32_t asleep; /* waiters that hold the lock and are about to wait, ever */
};

static _Thread_local struct {
	struct shared *shared;
	struct ilk_mutex *mutex;
	struct ilk_condition *condition;
} my;

static int open_shared(struct ilk_segment *seg)
{
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

static int prepare(struct ilk_segment *seg)
{
	pthread_mutexattr_t of_lock;
	pthread_condattr_t of_condition;
	int rc = open_shared(seg);

	if (rc < 0)
		return rc;
	pthread_mutexattr_init(&of_lock);
	pthread_mutexattr_setpshared(&of_lock, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&of_lock, PTHREAD_MUTEX_ROBUST);
	pthread_condattr_init(&of_condition);
	pthread_condattr_setpshared(&of_condition, PTHREAD_PROCESS_SHARED);
	rc = pthread_mutex_init(&my.shared->lock, &of_lock);
	return rc ? -rc : -pthread_cond_init(&my.shared->condition, &of_condition);
}

static int open_ilk(struct ilk_segment *seg)
{
	int rc = open_shared(seg);

	if (rc == 0)
		rc = ilk_mutex_open(seg, "lock", NULL, &my.mutex);
	return rc < 0 ? rc : ilk_condition_open(seg, "condition", &my.condition);
}

/* --- what a child does: waits, until it is killed --- */

static int lock_pthread(void)
{
	int rc = pthread_mutex_lock(&my.shared->lock);

	if (rc == EOWNERDEAD)
		rc = pthread_mutex_consistent(&my.shared->lock);
	return -rc;
}

static void wait_pthread(void)
{
	if (lock_pthread() < 0)
		_exit(1);
	ilk_add_full_(&my.shared->asleep, 1u);
	for (;;)
		if (pthread_cond_wait(&my.shared->condition, &my.shared->lock) == EOWNERDEAD)
			pthread_mutex_consistent(&my.shared->lock);
}

static int lock_ilk(void)
{
	int rc = ilk_mutex_lock(my.mutex);

	if (rc > 0)
		ilk_mutex_repaired(my.mutex);
	return rc < 0 ? rc : 0;
}

static void wait_ilk(void)
{
	if (lock_ilk() < 0)
		_exit(1);
	ilk_add_full_(&my.shared->asleep, 1u);
	while (ilk_condition_wait(my.condition, my.mutex) >= 0)
		continue;
	_exit(1);
}

/* --- a round: a waiter is there, is woken, and is killed at about that moment --- */

static void signal_pthread(void)
{
	if (lock_pthread() < 0)
		return;
	pthread_cond_signal(&my.shared->condition);
	pthread_mutex_unlock(&my.shared->lock);
}

static void signal_ilk(void)
{
	if (lock_ilk() < 0)
		return;
	ilk_condition_signal(my.condition);
	ilk_mutex_unlock(my.mutex);
}

static int round_of(struct race_worker *me, void (*wait)(void), void (*signal)(void))
{
	uint32_t before = ilk_load_acquire_(&my.shared->asleep);
	pid_t child = race_fork();

	if (child < 0)
		return -errno;
	if (child == 0)
		wait();
	while (ilk_load_acquire_(&my.shared->asleep) == before && kill(child, 0) == 0)
		usleep(50);
	usleep(100); /* it is on its way into its sleep */
	race_note(me, "signals, then kills the waiter", child);
	signal();
	usleep((useconds_t)race_random(me, 60));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	race_note(me, "the waiter is dead; signals again, after", child);
	signal();
	signal();
	return 0;
}

static int work_pthread(struct race_worker *me, int64_t times)
{
	int rc = 0;

	for (; times > 0 && rc == 0; times--)
		rc = round_of(me, wait_pthread, signal_pthread);
	return rc;
}

static int work_ilk(struct race_worker *me, int64_t times)
{
	int rc = 0;

	for (; times > 0 && rc == 0; times--)
		rc = round_of(me, wait_ilk, signal_ilk);
	return rc;
}

static void judge(struct race_count *count)
{
	count->got = count->expected; /* who is not done hangs */
}

static const struct race_variant variants[] = {
	{"pthread", "process-shared pthread_cond_t, robust mutex", RACE_FAILS, prepare, open_shared,
		work_pthread, judge, NULL},
	{"ilk", "ilk_condition: no list of who waits", RACE_HOLDS, NULL, open_ilk, work_ilk, judge,
		NULL},
};

const struct race_scenario race_dead_waiter = {
	.name = "dead-waiter",
	.bug = "kill -9 of a process that waits for a condition",
	.breaks = "whoever signals next hangs",
	.fix = "a condition that does not depend on its waiters",
	.failures = "missed",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.processes = 2,
	.iterations = 1000,
	.only_processes = 1,
	.chunk = 10,
	.patience_ms = 2000,
	.is_noted = 1,
};
