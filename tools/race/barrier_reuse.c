/*
 * barrier_reuse.c - a home-made barrier that is used again: a fast one comes to the next round before
 * a slow one has left this one.
 */
#include "race/frame.h"
#include <ilk/atomics.h>
#include <ilk/barrier.h>
#include <pthread.h>
#include <sched.h>

enum { WORKERS = 64 };

struct shared {
	uint32_t arrived;
	pthread_barrier_t barrier;
	int64_t round[WORKERS];
	int64_t early; /* passes while somebody else had not come */
};

static _Thread_local struct {
	struct shared *shared;
	struct ilk_barrier *barrier;
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

static int open_barrier(struct ilk_segment *seg)
{
	const struct ilk_barrier_options options = {
		.size = sizeof options, .parties = (unsigned)race_workers()};
	int rc = open_shared(seg);

	return rc < 0 ? rc : ilk_barrier_open(seg, "barrier", &options, &my.barrier);
}

/* --- three ways to wait for all --- */

static int wait_home_made(struct race_worker *me)
{
	uint32_t *arrived = &my.shared->arrived;

	if (ilk_add_full_(arrived, 1u) + 1 == (uint32_t)me->count) {
		race_note(me, "is the last, opens round", my.shared->round[me->index]);
		ilk_store_release_(arrived, 0u);
	}
	/* It is open while the number is 0: until the first comes to the next round. */
	while (ilk_load_acquire_(arrived) != 0)
		sched_yield();
	return 0;
}

static int wait_pthread(struct race_worker *me)
{
	(void)me;
	pthread_barrier_wait(&my.shared->barrier);
	return 0;
}

static int wait_ilk(struct race_worker *me)
{
	int rc = ilk_barrier_wait(my.barrier);

	(void)me;
	return rc < 0 ? rc : 0;
}

/* --- a round --- */

static inline int work(struct race_worker *me, int64_t times, int (*wait)(struct race_worker *me))
{
	int64_t *mine = &my.shared->round[me->index];
	int rc = 0;

	for (; times > 0 && rc == 0; times--) {
		race_note(me, "comes to round", *mine + 1);
		ilk_store_release_(mine, *mine + 1);
		rc = wait(me);
		for (int i = 0; i < me->count; i++)
			if (ilk_load_acquire_(&my.shared->round[i]) < *mine)
				ilk_add_relaxed_(&my.shared->early, 1);
	}
	return rc;
}

static int work_home_made(struct race_worker *me, int64_t times)
{
	return work(me, times, wait_home_made);
}

static int work_pthread(struct race_worker *me, int64_t times)
{
	return work(me, times, wait_pthread);
}

static int work_ilk(struct race_worker *me, int64_t times)
{
	return work(me, times, wait_ilk);
}

static void judge(struct race_count *count)
{
	count->failures = my.shared->early;
	count->got = count->expected - count->failures;
}

static const struct race_variant variants[] = {
	{"home-made", "++arrived == n ? arrived = 0 : wait until it is 0", RACE_FAILS, NULL,
		open_shared, work_home_made, judge, NULL},
	{"pthread", "a process-shared pthread_barrier_t", RACE_HOLDS, prepare, open_shared,
		work_pthread, judge, NULL},
	{"ilk", "ilk_barrier", RACE_HOLDS, NULL, open_barrier, work_ilk, judge, NULL},
};

const struct race_scenario race_barrier_reuse = {
	.name = "barrier-reuse",
	.bug = "a home-made barrier that is used for more than one round",
	.breaks = "who is slow to leave waits for the next round, which never ends",
	.fix = "a barrier with phases",
	.failures = "passed early",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.most_workers = WORKERS,
	.processes = 3,
	.iterations = 5000,
	.meets = 1,
	.chunk = 100,
	.patience_ms = 2000,
	.is_noted = 1,
};
