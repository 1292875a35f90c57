/*
 * dead_permit.c - kill -9 of a process that has taken a permit of a semaphore.
 *
 * A semaphore is a number. Who took one and died gave none back: the number stays one too small.
 */
#include "race/frame.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <ilk/permits.h>
#include <semaphore.h>

enum { PERMITS = 2, DIES_AT = 1000 };

struct shared {
	sem_t semaphore;
	int32_t inside, too_many;
};

static _Thread_local struct {
	struct shared *shared;
	struct ilk_permits *permits;
	int64_t done;
} my;

static int open_shared(struct ilk_segment *seg)
{
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

static int prepare(struct ilk_segment *seg)
{
	int rc = open_shared(seg);

	if (rc == 0 && sem_init(&my.shared->semaphore, 1, PERMITS) < 0)
		rc = -errno;
	return rc;
}

static int open_permits(struct ilk_segment *seg)
{
	const struct ilk_permits_options options = {.size = sizeof options, .permits = PERMITS};
	int rc = open_shared(seg);

	return rc < 0 ? rc : ilk_permits_open(seg, "permits", &options, &my.permits);
}

/* The first workers, one for each permit, are killed inside. */
static void be_inside(struct race_worker *me)
{
	int dies = me->index < PERMITS && my.done++ >= DIES_AT;
	int32_t others = ilk_add_full_(&my.shared->inside, 1);

	if (others >= PERMITS)
		ilk_add_relaxed_(&my.shared->too_many, 1);
	ilk_sub_full_(&my.shared->inside, 1);
	if (dies) {
		race_note(me, "is killed with a permit; rounds so far", my.done - 1);
		race_die(me);
	}
}

static int work_posix(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		while (sem_wait(&my.shared->semaphore) < 0)
			continue; /* a signal */
		be_inside(me);
		sem_post(&my.shared->semaphore);
	}
	return 0;
}

static int work_permits(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = ilk_permits_acquire(my.permits, 1);

		if (rc < 0)
			return rc;
		be_inside(me);
		ilk_permits_release(my.permits, 1);
	}
	return 0;
}

static void judge(struct race_count *count)
{
	count->failures = my.shared->too_many;
	count->got = count->expected - count->failures;
}

static const struct race_variant variants[] = {
	{"posix", "sem_wait, sem_post", RACE_FAILS, prepare, open_shared, work_posix, judge, NULL},
	{"permits", "ilk_permits: each has an owner", RACE_HOLDS, NULL, open_permits, work_permits,
		judge, NULL},
};

const struct race_scenario race_dead_permit = {
	.name = "dead-permit",
	.bug = "kill -9 of a process that has a permit of a semaphore",
	.breaks = "the permit is gone; with the last one all wait for ever",
	.fix = "permits that have owners, and come back",
	.failures = "too many inside",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 3,
	.processes = 4,
	.iterations = 100000,
	.only_processes = 1,
	.chunk = 500,
	.patience_ms = 2000,
	.is_noted = 1,
};
