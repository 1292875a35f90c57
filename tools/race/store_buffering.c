/*
 * store_buffering.c - both say "I am here" and look whether the other is; and neither sees anyone.
 *
 * A store waits in its processor's buffer while the loads behind it go ahead. So both can look
 * before either's store has reached the memory that the other looks at. Dekker's, Peterson's and
 * every other lock of plain loads and stores rests on that never happening.
 */
#include "race/frame.h"
#include <ilk/atomics.h>
#include <ilk/mutex.h>
#include <ilk/segment.h>

/* What a worker has opened: two lines, one for each. */
struct flag {
	uint32_t here;
	uint64_t saw_nobody; /* in which rounds, one more than the last: by its worker alone */
	uint64_t both;       /* by the first worker: rounds in which neither saw the other */
} ILK_ALIGNED_(64);

static _Thread_local struct {
	struct flag *flags;
	struct ilk_mutex *mutex;
	uint64_t round;
} my;

static int open_flags(struct ilk_segment *seg)
{
	return race_block(seg, "flags", 2 * sizeof *my.flags, &my.flags);
}

static int open_mutex(struct ilk_segment *seg)
{
	int rc = open_flags(seg);

	return rc < 0 ? rc : ilk_mutex_open(seg, "mutex", NULL, &my.mutex);
}

/* --- the three ways to say it and look --- */

static uint32_t look_plain(struct flag *mine, const struct flag *other)
{
	ilk_store_relaxed_(&mine->here, 1u);
	return ilk_load_relaxed_(&other->here);
}

static uint32_t look_fenced(struct flag *mine, const struct flag *other)
{
	ilk_store_relaxed_(&mine->here, 1u);
	ilk_fence_();
	return ilk_load_relaxed_(&other->here);
}

static uint32_t look_locked(struct flag *mine, const struct flag *other)
{
	uint32_t there;

	if (ilk_mutex_lock(my.mutex) < 0)
		return 1;
	mine->here = 1;
	there = other->here;
	ilk_mutex_unlock(my.mutex);
	return there;
}

/* --- a round: both at one moment, and then the first compares --- */

static inline int rounds(struct race_worker *me, int64_t times,
	uint32_t (*look)(struct flag *mine, const struct flag *other))
{
	struct flag *mine = &my.flags[me->index], *other = &my.flags[!me->index];

	for (; times > 0; times--) {
		uint32_t there;

		mine->here = 0;
		race_meet(me);
		there = look(mine, other);
		race_note(me, "is here, and sees", there);
		my.round++;
		if (!there)
			mine->saw_nobody = my.round;
		race_meet(me);
		if (me->index == 0 && mine->saw_nobody == my.round && other->saw_nobody == my.round)
			mine->both++;
	}
	return 0;
}

static int run_plain(struct race_worker *me, int64_t times)
{
	return rounds(me, times, look_plain);
}

static int run_fenced(struct race_worker *me, int64_t times)
{
	return rounds(me, times, look_fenced);
}

static int run_locked(struct race_worker *me, int64_t times)
{
	return rounds(me, times, look_locked);
}

static void judge(struct race_count *count)
{
	count->expected /= 2; /* a round is of two */
	count->failures = (int64_t)my.flags[0].both;
	count->got = count->expected - count->failures;
}

/* Two in a row, of different workers, that saw nobody. */
static int witness(const struct race_event *e, int count, int *from, int *to)
{
	for (int i = 0; i + 1 < count; i++)
		if (e[i].value == 0 && e[i + 1].value == 0 && e[i].worker != e[i + 1].worker) {
			*from = i;
			*to = i + 1;
			return 1;
		}
	return 0;
}

static const struct race_variant variants[] = {
	{.name = "broken",
		.what = "here[me] = 1; look at here[other]",
		.aim = RACE_FAILS,
		.open = open_flags,
		.work = run_plain,
		.judge = judge},
	{.name = "fence",
		.what = "a full fence between the store and the load",
		.aim = RACE_HOLDS,
		.open = open_flags,
		.work = run_fenced,
		.judge = judge},
	{.name = "mutex",
		.what = "both under an ilk_mutex",
		.aim = RACE_HOLDS,
		.open = open_mutex,
		.work = run_locked,
		.judge = judge},
};

const struct race_scenario race_store_buffering = {
	.name = "store-buffering",
	.bug = "each sets its flag, then looks at the other's",
	.breaks = "both see nobody, and both go in",
	.fix = "a fence between the two, or a mutex",
	.failures = "both saw nobody",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.most_workers = 2,
	.iterations = 200000,
	.meets = 1,
	.witness = witness,
};
