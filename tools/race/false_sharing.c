/*
 * false_sharing.c - everybody has a counter of his own, and all counters lie on one cache line.
 *
 * Nothing is shared, and all are exact; but whoever writes his own takes the line from all others.
 */
#include "race/frame.h"
#include <ilk/atomics.h>
#include <ilk/counter.h>

enum { WORKERS = 64, LINE = 64 };

static _Thread_local struct {
	char *counters;
	struct ilk_sharded *sharded;
	struct ilk_sharded_handle mine;
} my;

static int open_counters(struct ilk_segment *seg)
{
	return race_block(seg, "counters", WORKERS * 2 * LINE, &my.counters);
}

/* Worker number I's counter, where one lies DISTANCE bytes from the next. */
static uint64_t *counter(int i, size_t distance)
{
	return (uint64_t *)(void *)(my.counters + (size_t)i * distance);
}

static inline int work(struct race_worker *me, int64_t times, size_t distance)
{
	uint64_t *mine = counter(me->index, distance);

	for (; times > 0; times--)
		ilk_store_relaxed_(mine, ilk_load_relaxed_(mine) + 1);
	return 0;
}

static int work_packed(struct race_worker *me, int64_t times)
{
	return work(me, times, sizeof(uint64_t));
}

/* Two lines apart: processors fetch lines in pairs. */
static int work_apart(struct race_worker *me, int64_t times)
{
	return work(me, times, 2 * LINE);
}

static void judge_at(struct race_count *count, size_t distance)
{
	count->got = 0;
	for (int i = 0; i < WORKERS; i++)
		count->got += (int64_t)*counter(i, distance);
}

static void judge_packed(struct race_count *count)
{
	judge_at(count, sizeof(uint64_t));
}

static void judge_apart(struct race_count *count)
{
	judge_at(count, 2 * LINE);
}

/* --- sharded: a line for each, given out by the library --- */

static int open_sharded(struct ilk_segment *seg)
{
	int rc = ilk_sharded_open(seg, "sharded", &my.sharded);

	return rc < 0 ? rc : ilk_sharded_mine(my.sharded, &my.mine);
}

static int work_sharded(struct race_worker *me, int64_t times)
{
	(void)me;
	for (; times > 0; times--)
		ilk_sharded_add(&my.mine, 1);
	return 0;
}

static void judge_sharded(struct race_count *count)
{
	count->got = ilk_sharded_read(my.sharded);
}

static const struct race_variant variants[] = {
	{"packed", "counters side by side: 8 to a line", RACE_COSTS, NULL, open_counters,
		work_packed, judge_packed, NULL},
	{"apart", "each on a line of its own", RACE_HOLDS, NULL, open_counters, work_apart,
		judge_apart, NULL},
	{"sharded", "ilk_sharded_add", RACE_HOLDS, NULL, open_sharded, work_sharded, judge_sharded,
		NULL},
};

const struct race_scenario race_false_sharing = {
	.name = "false-sharing",
	.bug = "a counter for each, all of them on one cache line",
	.breaks = "nothing; but it is slow",
	.fix = "a line for each, or a sharded counter",
	.failures = "lost",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.most_workers = WORKERS,
	.iterations = 20000000,
};
