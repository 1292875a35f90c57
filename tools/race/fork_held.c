/*
 * fork_held.c - fork() while another thread holds a lock: in the child it is locked for ever.
 *
 * The child has a copy of the memory, lock and all, and of the threads only the one that forked. The
 * holder is not there to unlock it.
 */
#include "race/frame.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <ilk/mutex.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of each process; malloc's and stdio's locks are of this kind. */
static pthread_mutex_t private_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t stop;

static _Thread_local struct {
	struct ilk_mutex *mutex;
} my;

static int open_nothing(struct ilk_segment *seg)
{
	(void)seg;
	return 0;
}

static int open_mutex(struct ilk_segment *seg)
{
	return ilk_mutex_open(seg, "lock", NULL, &my.mutex);
}

/* --- the other thread: locks and unlocks, all the time --- */

static void *hold_private(void *arg)
{
	(void)arg;
	while (!ilk_load_acquire_(&stop)) {
		pthread_mutex_lock(&private_lock);
		usleep(20);
		pthread_mutex_unlock(&private_lock);
	}
	return NULL;
}

static void *hold_shared(void *mutex)
{
	while (!ilk_load_acquire_(&stop)) {
		if (ilk_mutex_lock(mutex) < 0)
			break;
		usleep(20);
		ilk_mutex_unlock(mutex);
	}
	return NULL;
}

/* --- the child: wants the lock once --- */

static int use_private(void)
{
	pthread_mutex_lock(&private_lock);
	pthread_mutex_unlock(&private_lock);
	return 0;
}

static int use_shared(void)
{
	int rc = ilk_mutex_lock(my.mutex);

	return rc < 0 ? rc : ilk_mutex_unlock(my.mutex);
}

/* Forks a child that does USE, and waits for it. 0, or -E... */
static int fork_one(struct race_worker *me, int (*use)(void))
{
	pid_t child = race_fork();
	int status;

	if (child == 0)
		_exit(use() < 0);
	if (child < 0)
		return -errno;
	race_note(me, "waits for its child, pid", child);
	if (waitpid(child, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

static inline int work(struct race_worker *me, int64_t times, void *(*hold)(void *arg), void *lock,
	int (*use)(void), int locks_around)
{
	pthread_t other;
	int rc;

	ilk_store_release_(&stop, 0u);
	if (pthread_create(&other, NULL, hold, lock) != 0)
		return -ENOMEM;
	for (rc = 0; times > 0 && rc == 0; times--) {
		usleep(10);
		if (locks_around)
			pthread_mutex_lock(&private_lock);
		rc = fork_one(me, use);
		if (locks_around)
			pthread_mutex_unlock(&private_lock);
	}
	ilk_store_release_(&stop, 1u);
	pthread_join(other, NULL);
	return rc;
}

static int work_broken(struct race_worker *me, int64_t times)
{
	return work(me, times, hold_private, NULL, use_private, 0);
}

/* Who forks has the lock: then in the child the thread that is there has it, and can let it go. */
static int use_inherited(void)
{
	pthread_mutex_unlock(&private_lock);
	return use_private();
}

static int work_around(struct race_worker *me, int64_t times)
{
	return work(me, times, hold_private, NULL, use_inherited, 1);
}

static int work_shared(struct race_worker *me, int64_t times)
{
	return work(me, times, hold_shared, my.mutex, use_shared, 0);
}

static void judge(struct race_count *count)
{
	count->got = count->expected; /* whose child does not come back hangs */
}

static const struct race_variant variants[] = {
	{"broken", "fork() while another thread holds a mutex", RACE_FAILS, NULL, open_nothing,
		work_broken, judge, NULL},
	{"around", "locks it itself, forks, both unlock", RACE_HOLDS, NULL, open_nothing,
		work_around, judge, NULL},
	{"shared", "an ilk_mutex: the holder is there, in the parent", RACE_HOLDS, NULL, open_mutex,
		work_shared, judge, NULL},
};

const struct race_scenario race_fork_held = {
	.name = "fork-held",
	.bug = "fork() while another thread holds a lock",
	.breaks = "in the child nobody is there to unlock it",
	.fix = "hold it yourself around the fork, exec at once, or share it",
	.failures = "missed",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.processes = 1,
	.iterations = 200,
	.only_processes = 1,
	.chunk = 10,
	.patience_ms = 2000,
	.is_noted = 1,
};
