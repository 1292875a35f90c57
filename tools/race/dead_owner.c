/*
 * dead_owner.c - kill -9 of a process that holds a lock, in the middle of a change.
 *
 * The lock protects two numbers that are to be equal. One worker is killed between the one and the
 * other. Whoever comes next waits for ever, or finds the half-done change; or is told of it, and
 * puts it right.
 */
#include "race/frame.h"
#include <errno.h>
#include <ilk/mutex.h>
#include <pthread.h>

struct pair {
	int64_t a, b; /* protected; equal but within a change */
	int64_t odd;  /* how often somebody found them unequal, and did not know why */
	pthread_mutex_t lock;
};

static _Thread_local struct {
	struct pair *pair;
	struct ilk_mutex *mutex;
} my;

enum { DIES_AT = 1000 }; /* iteration in which the first worker is killed */

static int open_pair(struct ilk_segment *seg)
{
	return race_block(seg, "pair", sizeof *my.pair, &my.pair);
}

/* The change; the first worker does not live to its end. */
static void change(struct race_worker *me)
{
	struct pair *p = my.pair;

	p->odd += p->a != p->b;
	p->a++;
	if (me->index == 0 && p->a >= DIES_AT) {
		race_note(me, "is killed holding the lock, a =", p->a);
		race_die(me);
	}
	p->b = p->a;
}

/* --- pthread mutexes, between processes --- */

static int prepare(struct ilk_segment *seg, int is_robust)
{
	pthread_mutexattr_t attributes;
	int rc = open_pair(seg);

	if (rc < 0)
		return rc;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	if (is_robust)
		pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	rc = -pthread_mutex_init(&my.pair->lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
	return rc;
}

static int prepare_plain(struct ilk_segment *seg)
{
	return prepare(seg, 0);
}

static int prepare_robust(struct ilk_segment *seg)
{
	return prepare(seg, 1);
}

static int work_plain(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		pthread_mutex_lock(&my.pair->lock);
		change(me);
		pthread_mutex_unlock(&my.pair->lock);
	}
	return 0;
}

static int work_robust(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = pthread_mutex_lock(&my.pair->lock);

		if (rc == EOWNERDEAD) {
			my.pair->b = my.pair->a;
			pthread_mutex_consistent(&my.pair->lock);
		} else if (rc != 0) {
			return -rc;
		}
		change(me);
		pthread_mutex_unlock(&my.pair->lock);
	}
	return 0;
}

/* --- the Ilk mutex --- */

static int open_mutex(struct ilk_segment *seg)
{
	int rc = open_pair(seg);

	return rc < 0 ? rc : ilk_mutex_open(seg, "lock", NULL, &my.mutex);
}

static int work_ilk(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = ilk_mutex_lock(my.mutex);

		if (rc < 0)
			return rc;
		if (rc & ILK_RECOVERED) {
			race_note(me,
				"is told that the owner died, a - b =", my.pair->a - my.pair->b);
			my.pair->b = my.pair->a;
			ilk_mutex_repaired(my.mutex);
		}
		change(me);
		ilk_mutex_unlock(my.mutex);
	}
	return 0;
}

/* A fix that forgets to repair: it goes on, with a change half done. */
static int work_unrepaired(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = ilk_mutex_lock(my.mutex);

		if (rc < 0)
			return rc;
		change(me);
		ilk_mutex_unlock(my.mutex);
	}
	return 0;
}

static void judge(struct race_count *count)
{
	count->expected = my.pair->a; /* changes that were begun */
	count->failures = my.pair->odd + (my.pair->a != my.pair->b);
	count->got = count->expected - count->failures;
}

static const struct race_variant variants[] = {
	{.name = "pthread",
		.what = "a process-shared pthread_mutex_t",
		.aim = RACE_FAILS,
		.prepare = prepare_plain,
		.open = open_pair,
		.work = work_plain,
		.judge = judge},
	{.name = "unrepaired",
		.what = "ilk_mutex, ILK_RECOVERED not looked at",
		.aim = RACE_FAILS,
		.open = open_mutex,
		.work = work_unrepaired,
		.judge = judge},
	{.name = "robust",
		.what = "a robust one, made consistent after EOWNERDEAD",
		.aim = RACE_HOLDS,
		.prepare = prepare_robust,
		.open = open_pair,
		.work = work_robust,
		.judge = judge},
	{.name = "ilk",
		.what = "ilk_mutex, repaired after ILK_RECOVERED",
		.aim = RACE_HOLDS,
		.open = open_mutex,
		.work = work_ilk,
		.judge = judge},
};

const struct race_scenario race_dead_owner = {
	.name = "dead-owner",
	.bug = "kill -9 of a process that holds a lock",
	.breaks = "the others wait for ever, or go on with half a change",
	.fix = "a lock that knows its owner is dead, and a repair",
	.failures = "inconsistent",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.processes = 3,
	.iterations = 100000,
	.only_processes = 1,
	.chunk = 500,
	.patience_ms = 2000,
	.is_noted = 1,
};
