/*
 * not_shared.c - a pthread mutex with default attributes, put into shared memory.
 *
 * It works, as long as nobody has to wait. Who has to sleeps on a futex of his own process; and the
 * wake-up of the other process looks among the sleepers of that one.
 */
#include "race/frame.h"
#include <ilk/mutex.h>
#include <pthread.h>
#include <sched.h>

struct shared {
	pthread_mutex_t lock;
	volatile int64_t value;
};

static _Thread_local struct {
	struct shared *shared;
	struct ilk_mutex *mutex;
} my;

static int open_shared(struct ilk_segment *seg)
{
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

static int prepare(struct ilk_segment *seg, int how)
{
	pthread_mutexattr_t attributes;
	int rc = open_shared(seg);

	if (rc < 0)
		return rc;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, how);
	return -pthread_mutex_init(&my.shared->lock, &attributes);
}

static int prepare_default(struct ilk_segment *seg)
{
	return prepare(seg, PTHREAD_PROCESS_PRIVATE);
}

static int prepare_shared(struct ilk_segment *seg)
{
	return prepare(seg, PTHREAD_PROCESS_SHARED);
}

/* Stays inside now and then, so that the others have to sleep. */
static void add_one(struct race_worker *me)
{
	my.shared->value++;
	if (race_random(me, 64) == 0)
		sched_yield();
}

static int work_pthread(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		race_note(me, "locks; has done", my.shared->value);
		pthread_mutex_lock(&my.shared->lock);
		add_one(me);
		pthread_mutex_unlock(&my.shared->lock);
	}
	return 0;
}

static int open_mutex(struct ilk_segment *seg)
{
	int rc = open_shared(seg);

	return rc < 0 ? rc : ilk_mutex_open(seg, "mutex", NULL, &my.mutex);
}

static int work_ilk(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = ilk_mutex_lock(my.mutex);

		if (rc < 0)
			return rc;
		add_one(me);
		ilk_mutex_unlock(my.mutex);
	}
	return 0;
}

static void judge(struct race_count *count)
{
	count->got = my.shared->value;
	if (count->got > count->expected)
		count->expected =
			count->got; /* a hang: what was done since the last sign of life */
}

static const struct race_variant variants[] = {
	{"default", "pthread_mutex_init(lock, NULL), in shared memory", RACE_FAILS, prepare_default,
		open_shared, work_pthread, judge, NULL},
	{"shared", "PTHREAD_PROCESS_SHARED", RACE_HOLDS, prepare_shared, open_shared, work_pthread,
		judge, NULL},
	{"ilk", "ilk_mutex, which knows no other kind", RACE_HOLDS, NULL, open_mutex, work_ilk,
		judge, NULL},
};

const struct race_scenario race_not_shared = {
	.name = "not-shared",
	.bug = "a pthread mutex with default attributes in shared memory",
	.breaks = "who has to wait is never woken",
	.fix = "PTHREAD_PROCESS_SHARED, or an ilk_mutex",
	.failures = "lost",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.processes = 3,
	.iterations = 100000,
	.only_processes = 1,
	.chunk = 1000,
	.patience_ms = 2000,
	.is_noted = 1,
};
