/*
 * private_copy.c - a global variable after fork() is not shared.
 *
 * Each process has its own from then on: the same name, the same address, other memory. Everybody
 * counts, everybody sees the own count, and who started them sees zero.
 */
#include "race/frame.h"
#include <ilk/atomics.h>
#include <ilk/counter.h>

enum { RESULTS = 512 };

/* "Global": of each process. */
static int64_t total, results[RESULTS];

static _Thread_local struct {
	struct ilk_counter *total;
	int64_t *results;
} my;

/* --- broken: a variable of the program --- */

static int open_nothing(struct ilk_segment *seg)
{
	(void)seg;
	return 0;
}

static int count_global(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--)
		ilk_add_relaxed_(&total, 1);
	race_note(me, "counted, and in its memory the total is", total);
	return 0;
}

static void judge_global(struct race_count *count)
{
	count->got = total;
}

/* --- broken: a table that the children fill --- */

static int fill_global(struct race_worker *me, int64_t times)
{
	results[me->index] += times;
	race_note(me, "wrote its result, and reads there", results[me->index]);
	return 0;
}

static void judge_table(struct race_count *count)
{
	count->got = 0;
	for (int i = 0; i < RESULTS; i++)
		count->got += results[i];
}

/* --- shared: memory that all map --- */

static int open_counter(struct ilk_segment *seg)
{
	return ilk_counter_open(seg, "total", &my.total);
}

static int count_shared(struct race_worker *me, int64_t times)
{
	(void)me;
	for (; times > 0; times--)
		ilk_counter_add(my.total, 1);
	return 0;
}

static void judge_counter(struct race_count *count)
{
	count->got = ilk_counter_read(my.total);
}

static int open_results(struct ilk_segment *seg)
{
	return race_block(seg, "results", RESULTS * sizeof *my.results, &my.results);
}

static int fill_shared(struct race_worker *me, int64_t times)
{
	my.results[me->index] += times;
	return 0;
}

static void judge_results(struct race_count *count)
{
	count->got = 0;
	for (int i = 0; i < RESULTS; i++)
		count->got += my.results[i];
}

static const struct race_variant variants[] = {
	{.name = "global",
		.what = "total++ on a global variable",
		.aim = RACE_FAILS,
		.open = open_nothing,
		.work = count_global,
		.judge = judge_global},
	{.name = "table",
		.what = "results[me] = ... in a global array",
		.aim = RACE_FAILS,
		.open = open_nothing,
		.work = fill_global,
		.judge = judge_table},
	{.name = "counter",
		.what = "a counter in a segment",
		.aim = RACE_HOLDS,
		.open = open_counter,
		.work = count_shared,
		.judge = judge_counter},
	{.name = "segment",
		.what = "the array in a segment",
		.aim = RACE_HOLDS,
		.open = open_results,
		.work = fill_shared,
		.judge = judge_results},
};

const struct race_scenario race_private_copy = {
	.name = "private-copy",
	.bug = "a global variable, and processes made by fork",
	.breaks = "each counts for itself, and the parent sees nothing",
	.fix = "memory that all of them map: a segment",
	.failures = "never arrived",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.processes = 4,
	.iterations = 100,
	.is_noted = 1,
};
