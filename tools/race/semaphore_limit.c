/*
 * semaphore_limit.c - at most two of five inside at a time.
 *
 * Counting who is inside, and going in when there are fewer than two, is a look and an act.
 */
#include "race/frame.h"
#include <errno.h>
#include <fcntl.h>
#include <ilk/atomics.h>
#include <ilk/permits.h>
#include <ilk/semaphore.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

enum { LIMIT = 2 };

struct shared {
	uint32_t counted; /* by the broken one: who is inside */
	sem_t posix;
	uint32_t inside ILK_ALIGNED_(64); /* by the referee */
	int64_t too_many;
};

static _Thread_local struct {
	struct shared *shared;
	struct ilk_semaphore *semaphore;
	struct ilk_permits *permits;
} my;

static int open_shared(struct ilk_segment *seg)
{
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

/* The referee counts, too, but rightly. */
static void be_inside(struct race_worker *me)
{
	uint32_t others = ilk_add_full_(&my.shared->inside, 1u);

	race_note(me, "is inside; others there:", others);
	if (others >= LIMIT)
		ilk_add_relaxed_(&my.shared->too_many, 1);
	if (race_random(me, 16) == 0)
		sched_yield();
	ilk_sub_full_(&my.shared->inside, 1u);
}

/* --- broken: looks, then counts itself in --- */

static int work_broken(struct race_worker *me, int64_t times)
{
	uint32_t *counted = &my.shared->counted;

	for (; times > 0; times--) {
		while (ilk_load_acquire_(counted) >= LIMIT)
			sched_yield();
		ilk_add_full_(counted, 1u);
		be_inside(me);
		ilk_sub_full_(counted, 1u);
	}
	return 0;
}

/* --- sem_t --- */

static int prepare_posix(struct ilk_segment *seg)
{
	int rc = open_shared(seg);

	if (rc == 0 && sem_init(&my.shared->posix, 1, LIMIT) < 0)
		rc = -errno;
	return rc;
}

static int work_posix(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		while (sem_wait(&my.shared->posix) < 0)
			continue; /* a signal */
		be_inside(me);
		sem_post(&my.shared->posix);
	}
	return 0;
}

/* --- sem_open: the same by name, as programs do that are not related --- */

static sem_t *named = SEM_FAILED; /* opened before there are workers; they inherit it */

static int prepare_named(struct ilk_segment *seg)
{
	char name[32];

	(void)seg;
	snprintf(name, sizeof name, "/race.%ld", (long)getpid());
	if (named != SEM_FAILED)
		sem_close(named);
	named = sem_open(name, O_CREAT | O_EXCL, 0600, LIMIT);
	if (named == SEM_FAILED)
		return -errno;
	sem_unlink(name); /* so that nothing is left behind */
	return 0;
}

static int work_named(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		while (sem_wait(named) < 0)
			continue;
		be_inside(me);
		sem_post(named);
	}
	return 0;
}

/* --- ilk_semaphore --- */

static int open_semaphore(struct ilk_segment *seg)
{
	const struct ilk_semaphore_options options = {.size = sizeof options, .value = LIMIT};
	int rc = open_shared(seg);

	return rc < 0 ? rc : ilk_semaphore_open(seg, "semaphore", &options, &my.semaphore);
}

static int work_semaphore(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = ilk_semaphore_wait(my.semaphore);

		if (rc < 0)
			return rc;
		be_inside(me);
		ilk_semaphore_post(my.semaphore);
	}
	return 0;
}

/* --- ilk_permits --- */

static int open_permits(struct ilk_segment *seg)
{
	const struct ilk_permits_options options = {.size = sizeof options, .permits = LIMIT};
	int rc = open_shared(seg);

	return rc < 0 ? rc : ilk_permits_open(seg, "permits", &options, &my.permits);
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

static int witness(const struct race_event *e, int count, int *from, int *to)
{
	for (int i = 2; i < count; i++)
		if (e[i].value >= LIMIT) {
			*from = i - 2;
			*to = i;
			return 1;
		}
	return 0;
}

static const struct race_variant variants[] = {
	{"broken", "while (inside >= 2) wait; inside++", RACE_FAILS, NULL, open_shared, work_broken,
		judge, NULL},
	{"posix", "sem_wait, sem_post", RACE_HOLDS, prepare_posix, open_shared, work_posix, judge,
		NULL},
	{"named", "the same of sem_open", RACE_HOLDS, prepare_named, open_shared, work_named, judge,
		NULL},
	{"semaphore", "ilk_semaphore", RACE_HOLDS, NULL, open_semaphore, work_semaphore, judge,
		NULL},
	{"permits", "ilk_permits, which know who has them", RACE_HOLDS, NULL, open_permits,
		work_permits, judge, NULL},
};

const struct race_scenario race_semaphore_limit = {
	.name = "semaphore-limit",
	.bug = "counts who is inside, and goes in when there are fewer than two",
	.breaks = "three and more are inside",
	.fix = "a semaphore, or permits",
	.failures = "too many inside",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 3,
	.processes = 5,
	.iterations = 50000,
	.chunk = 1000,
	.witness = witness,
};
