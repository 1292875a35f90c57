/*
 * peterson.c - Peterson's lock for two, in plain loads and stores, as in the textbook.
 *
 * It is right where all loads and stores happen in their order. No processor of today does that.
 */
#include "race/frame.h"
#include <ilk/atomics.h>
#include <ilk/mutex.h>
#include <sched.h>

struct lock {
	uint32_t wants0 ILK_ALIGNED_(64);
	uint32_t wants1 ILK_ALIGNED_(64);
	uint32_t turn ILK_ALIGNED_(64);
	volatile int64_t value ILK_ALIGNED_(64); /* protected */
};

static _Thread_local struct {
	struct lock *lock;
	struct ilk_mutex *mutex;
} my;

static int open_lock(struct ilk_segment *seg)
{
	return race_block(seg, "lock", sizeof *my.lock, &my.lock);
}

static int open_mutex(struct ilk_segment *seg)
{
	int rc = open_lock(seg);

	return rc < 0 ? rc : ilk_mutex_open(seg, "mutex", NULL, &my.mutex);
}

static inline int work(struct race_worker *me, int64_t times, int is_fenced)
{
	struct lock *l = my.lock;
	uint32_t other = !me->index;
	uint32_t *mine = other ? &l->wants0 : &l->wants1, *his = other ? &l->wants1 : &l->wants0;

	for (; times > 0; times--) {
		ilk_store_relaxed_(mine, 1u);
		ilk_store_release_(&l->turn, other);
		if (is_fenced)
			ilk_fence_();
		for (int n = 1; ilk_load_acquire_(his) && ilk_load_acquire_(&l->turn) == other; n++)
			if (n % 256 == 0)
				sched_yield();
		race_note(me, "is in, value", l->value);
		l->value++;
		race_note(me, "goes out, value", l->value);
		ilk_store_release_(mine, 0u);
	}
	return 0;
}

static int work_textbook(struct race_worker *me, int64_t times)
{
	return work(me, times, 0);
}

static int work_fenced(struct race_worker *me, int64_t times)
{
	return work(me, times, 1);
}

static int work_mutex(struct race_worker *me, int64_t times)
{
	(void)me;
	for (; times > 0; times--) {
		int rc = ilk_mutex_lock(my.mutex);

		if (rc < 0)
			return rc;
		my.lock->value++;
		ilk_mutex_unlock(my.mutex);
	}
	return 0;
}

static void judge(struct race_count *count)
{
	count->got = my.lock->value;
}

/* One comes in before the other is out. */
static int witness(const struct race_event *e, int count, int *from, int *to)
{
	for (int i = 0; i + 3 < count; i++)
		if (e[i].what[0] == 'i' && e[i + 1].what[0] == 'i') {
			*from = i;
			*to = i + 3;
			return 1;
		}
	return 0;
}

static const struct race_variant variants[] = {
	{"textbook", "wants[me] = 1; turn = other; while (...)", RACE_MAY_FAIL, NULL, open_lock,
		work_textbook, judge, NULL},
	{"fence", "a full fence before the loop", RACE_HOLDS, NULL, open_lock, work_fenced, judge,
		NULL},
	{"mutex", "ilk_mutex", RACE_HOLDS, NULL, open_mutex, work_mutex, judge, NULL},
};

const struct race_scenario race_peterson = {
	.name = "peterson",
	.bug = "Peterson's lock in plain loads and stores",
	.breaks = "now and then two are inside",
	.fix = "a fence, or rather a lock that others have tested",
	.failures = "lost",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.most_workers = 2,
	.iterations = 2000000,
	.witness = witness,
};
