/*
 * dead_barrier.c - kill -9 of a process that others wait for at a barrier.
 *
 * A barrier waits for a number to arrive. Who was killed on the way does not arrive.
 */
#include "race/frame.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <ilk/barrier.h>
#include <pthread.h>

enum { DIES_AT = 1000, WORKERS = 64 };

struct shared {
	pthread_barrier_t barrier;
	int64_t round[WORKERS];
	int64_t early; /* passes while somebody else had not come */
};

static _Thread_local struct {
	struct shared *shared;
	struct ilk_barrier *barrier;
	int is_over; /* told that one died: goes on alone */
} my;

static int open_shared(struct ilk_segment *seg)
{
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

static int prepare(struct ilk_segment *seg)
{
	pthread_barrierattr_t attributes;
	int rc = open_shared(seg);

	if (rc < 0)
		return rc;
	pthread_barrierattr_init(&attributes);
	pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	return -pthread_barrier_init(&my.shared->barrier, &attributes, (unsigned)race_workers());
}

static int open_barrier(struct ilk_segment *seg, unsigned flags)
{
	const struct ilk_barrier_options options = {
		.size = sizeof options, .flags = flags, .parties = (unsigned)race_workers()};
	int rc = open_shared(seg);

	return rc < 0 ? rc : ilk_barrier_open(seg, "barrier", &options, &my.barrier);
}

static int open_breaking(struct ilk_segment *seg)
{
	return open_barrier(seg, 0);
}

static int open_shrinking(struct ilk_segment *seg)
{
	return open_barrier(seg, ILK_BARRIER_SHRINK);
}

/* Before the barrier: the first worker does not always get there. */
static void come(struct race_worker *me)
{
	int64_t *mine = &my.shared->round[me->index];

	if (me->index == 0 && *mine >= DIES_AT) {
		race_note(me, "is killed on its way, in round", *mine);
		race_die(me);
	}
	ilk_store_release_(mine, *mine + 1);
}

/* After it: all that live are to be in this round. */
static void look_around(struct race_worker *me)
{
	int64_t mine = my.shared->round[me->index];

	for (int i = 1; i < me->count; i++)
		if (ilk_load_acquire_(&my.shared->round[i]) < mine)
			ilk_add_relaxed_(&my.shared->early, 1);
}

static int work_pthread(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		come(me);
		pthread_barrier_wait(&my.shared->barrier);
		look_around(me);
	}
	return 0;
}

static int work_ilk(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = 0;

		come(me);
		if (!my.is_over)
			rc = ilk_barrier_wait(my.barrier);
		if (rc == -EPIPE) {
			race_note(
				me, "is told that one died, in round", my.shared->round[me->index]);
			my.is_over = 1;
		} else if (rc < 0) {
			return rc;
		}
		if (!my.is_over)
			look_around(me);
	}
	return 0;
}

static void judge(struct race_count *count)
{
	count->failures = my.shared->early;
	count->got = count->expected - count->failures;
}

static const struct race_variant variants[] = {
	{"pthread", "a process-shared pthread_barrier_t", RACE_FAILS, prepare, open_shared,
		work_pthread, judge, NULL},
	{"ilk", "ilk_barrier: -EPIPE, and who died", RACE_HOLDS, NULL, open_breaking, work_ilk,
		judge, NULL},
	{"shrink", "the same with ILK_BARRIER_SHRINK: the rest go on", RACE_HOLDS, NULL,
		open_shrinking, work_ilk, judge, NULL},
};

const struct race_scenario race_dead_barrier = {
	.name = "dead-barrier",
	.bug = "kill -9 of a process that others wait for at a barrier",
	.breaks = "they wait for ever",
	.fix = "a barrier that knows its members: they are told, or go on",
	.failures = "passed early",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.most_workers = WORKERS,
	.processes = 3,
	.iterations = 5000,
	.only_processes = 1,
	.chunk = 500,
	.patience_ms = 2000,
	.is_noted = 1,
};
