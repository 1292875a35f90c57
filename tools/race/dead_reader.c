/*
 * dead_reader.c - kill -9 of a process that reads under a reader-writer lock.
 *
 * A lock that counts its readers counts the dead one for ever. The next writer waits for it to
 * leave, and behind the writer all others.
 */
#include "race/frame.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <ilk/rwlock.h>
#include <pthread.h>

enum { DIES_AT = 1000, WRITES_EVERY = 16 };

struct shared {
	int64_t a, b; /* protected; equal but within a write */
	int64_t odd;  /* times a reader found them unequal */
	pthread_rwlock_t lock;
};

static _Thread_local struct {
	struct shared *shared;
	struct ilk_rwlock *lock;
	int64_t done;
} my;

static int open_shared(struct ilk_segment *seg)
{
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

static int prepare(struct ilk_segment *seg)
{
	pthread_rwlockattr_t attributes;
	int rc = open_shared(seg);

	if (rc < 0)
		return rc;
	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	return -pthread_rwlock_init(&my.shared->lock, &attributes);
}

static int open_ilk(struct ilk_segment *seg)
{
	int rc = open_shared(seg);

	return rc < 0 ? rc : ilk_rwlock_open(seg, "lock", NULL, &my.lock);
}

/* The first worker reads, and is killed while it does; the others write now and then. */
static int is_write(const struct race_worker *me)
{
	return me->index != 0 && my.done % WRITES_EVERY == 0;
}

static void read_or_write(struct race_worker *me)
{
	struct shared *s = my.shared;

	if (is_write(me)) {
		s->a++;
		s->b++;
	} else if (s->a != s->b) {
		ilk_add_relaxed_(&s->odd, 1);
	}
	if (me->index == 0 && my.done >= DIES_AT) {
		race_note(me, "is killed while reading; reads so far", my.done);
		race_die(me);
	}
	my.done++;
}

static int work_pthread(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = is_write(me) ? pthread_rwlock_wrlock(&my.shared->lock)
				      : pthread_rwlock_rdlock(&my.shared->lock);

		if (rc != 0)
			return -rc;
		read_or_write(me);
		pthread_rwlock_unlock(&my.shared->lock);
	}
	return 0;
}

static int work_ilk(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = is_write(me) ? ilk_rwlock_write(my.lock) : ilk_rwlock_read(my.lock);

		if (rc < 0)
			return rc;
		read_or_write(me);
		ilk_rwlock_unlock(my.lock);
	}
	return 0;
}

static void judge(struct race_count *count)
{
	count->failures = my.shared->odd;
	count->got = count->expected - count->failures;
}

static const struct race_variant variants[] = {
	{"pthread", "a process-shared pthread_rwlock_t", RACE_FAILS, prepare, open_shared,
		work_pthread, judge, NULL},
	{"ilk", "ilk_rwlock: readers mark their own slot", RACE_HOLDS, NULL, open_ilk, work_ilk,
		judge, NULL},
};

const struct race_scenario race_dead_reader = {
	.name = "dead-reader",
	.bug = "kill -9 of a process that reads under a reader-writer lock",
	.breaks = "no writer ever gets in again, and soon nobody",
	.fix = "a lock that knows its readers, and not only their number",
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
