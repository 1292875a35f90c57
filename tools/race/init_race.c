/*
 * init_race.c - two processes find a thing that nobody has made yet, and both make it.
 *
 * In each round there is a new thing: whoever comes first is to make it, once. Then everybody adds
 * one to it; so at the end of the round it is to be as many as there are workers.
 */
#include "race/frame.h"
#include <ilk/atomics.h>
#include <ilk/once.h>
#include <string.h>

enum { ROUNDS = 3, WORKERS = 16 }; /* rounds that are not forgotten yet */

struct thing {
	int64_t value;
	uint32_t is_made;
	uint32_t times_made;
};

struct shared {
	struct thing thing[ROUNDS];
	struct thing own[ROUNDS][WORKERS]; /* "publish": of each worker, */
	uint32_t published[ROUNDS];        /* and whose was taken, plus 1 */
	struct ilk_once once[ROUNDS];
	int64_t bad;
};

static _Thread_local struct {
	struct ilk_segment *seg;
	struct shared *shared;
	uint64_t round;
} my;

static int open_shared(struct ilk_segment *seg)
{
	my.seg = seg;
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

static int prepare(struct ilk_segment *seg)
{
	int rc = open_shared(seg);

	for (int i = 0; rc == 0 && i < ROUNDS; i++)
		rc = ilk_once_init(seg, &my.shared->once[i], "thing");
	return rc;
}

static void make(struct race_worker *me, struct thing *t)
{
	race_note(me, "makes the thing of round", (int64_t)my.round);
	t->value = 0;
	ilk_add_relaxed_(&t->times_made, 1u);
	ilk_store_release_(&t->is_made, 1u);
}

/* --- four ways to have it --- */

static struct thing *get_broken(struct race_worker *me, uint64_t i)
{
	struct thing *t = &my.shared->thing[i];

	if (!ilk_load_acquire_(&t->is_made))
		make(me, t);
	return t;
}

static struct thing *get_once(struct race_worker *me, uint64_t i)
{
	struct thing *t = &my.shared->thing[i];

	if (ilk_once_begin(&my.shared->once[i], NULL) > 0) {
		make(me, t);
		ilk_once_done(&my.shared->once[i], 0);
	}
	return t;
}

/* Made where nobody looks; then one store says whose it is that all use. */
static struct thing *get_published(struct race_worker *me, uint64_t i)
{
	uint32_t *whose = &my.shared->published[i], nobody = 0;
	struct thing *own = &my.shared->own[i][me->index];

	if (!ilk_load_acquire_(whose)) {
		memset(own, 0, sizeof *own);
		make(me, own);
		ilk_cas_full_(whose, &nobody, (uint32_t)me->index + 1);
	}
	return &my.shared->own[i][*whose - 1];
}

/* --- a round --- */

/* What came of round I, which all have left; its place is used again two rounds later. */
static void check(struct race_worker *me, struct thing *t, uint64_t i)
{
	my.shared->bad += t->value != me->count || t->times_made != 1;
	memset(t, 0, sizeof *t);
	my.shared->published[i] = 0;
	ilk_once_init(my.seg, &my.shared->once[i], "thing");
}

static inline int work(struct race_worker *me, int64_t times,
	struct thing *(*get)(struct race_worker *me, uint64_t i))
{
	static _Thread_local struct thing *last;

	for (; times > 0; times--, my.round++) {
		struct thing *t;

		race_meet(me);
		t = get(me, my.round % ROUNDS);
		ilk_add_relaxed_(&t->value, 1);
		if (me->index == 0 && my.round > 0)
			check(me, last, (my.round - 1) % ROUNDS);
		last = t;
	}
	return 0;
}

static int work_broken(struct race_worker *me, int64_t times)
{
	return work(me, times, get_broken);
}

static int work_once(struct race_worker *me, int64_t times)
{
	return work(me, times, get_once);
}

static int work_published(struct race_worker *me, int64_t times)
{
	return work(me, times, get_published);
}

static void judge(struct race_count *count)
{
	count->of = count->expected; /* iterations of all: rounds times workers */
	count->failures = my.shared->bad;
	count->got = count->expected - count->failures;
}

/* Two who make the same. */
static int witness(const struct race_event *e, int count, int *from, int *to)
{
	for (int i = 0; i + 1 < count; i++)
		if (e[i].value == e[i + 1].value && e[i].worker != e[i + 1].worker) {
			*from = i;
			*to = i + 1;
			return 1;
		}
	return 0;
}

static const struct race_variant variants[] = {
	{"broken", "if (!is_made) { make(); is_made = 1; }", RACE_FAILS, prepare, open_shared,
		work_broken, judge, NULL},
	{"once", "ilk_once_begin, ilk_once_done", RACE_HOLDS, prepare, open_shared, work_once,
		judge, NULL},
	{"publish", "made under no name, then named by one exchange", RACE_HOLDS, prepare,
		open_shared, work_published, judge, NULL},
};

const struct race_scenario race_init_race = {
	.name = "init-race",
	.bug = "finds that it is not made yet, and makes it",
	.breaks = "two make it, and the second wipes out what was done since",
	.fix = "a once; or make it under no name, and name it in one step",
	.failures = "made twice",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.most_workers = WORKERS,
	.iterations = 50000,
	.meets = 1,
	.witness = witness,
};
