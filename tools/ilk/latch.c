/* latch.c - ilk latch: counts a latch down, waits until it is open, prints what is left. */
#include "ilk/command.h"
#include "ilk/meet.h"
#include "ilk/report.h"
#include "ilk/ticks.h"
#include <errno.h>
#include <ilk/latch.h>

static int64_t first = ILK_LATCH_AS_IS, wait_ns = -1;
static int json;

static const struct option_row rows[] = {
	{.name = "count",
		.letter = 'n',
		.kind = OPTION_NUMBER,
		.value = "COUNT",
		.low = 1,
		.high = ILK_LATCH_MOST,
		.help = "what a new one is to be counted down from (default 1); give it\n"
			"wherever the latch may have to be made",
		.target = &first},
	OPTION_WAIT(&wait_ns),
	OPTION_JSON(&json),
	OPTION_END,
};

static const struct option_page page = {
	.command = "latch",
	.operands = "NAME OBJECT count [N] | wait | value",
	.min = 3,
	.max = 4,
	.summary = "count a latch down, or wait until it is open",
	.details =
		"OBJECT is a latch in the segment NAME: a count that falls to zero once, and lets "
		"all\n"
		"through from then on.\n"
		"  count  counts one down, or N of them in one step\n"
		"  wait   waits until nothing is left\n"
		"  value  prints what is left, reading only\n"
		"count and wait make segment and latch on first use. Nobody knows who was going "
		"to\n"
		"count: one who dies before that leaves the latch closed.\n\n"
		"Exit code: 0 done; 75 the time ran out; 2 other errors, less than N left among "
		"them.\n",
	.rows = rows,
};

static int open_one(struct ilk_segment *seg, const char *name, void **object)
{
	const struct ilk_latch_options options = {.size = sizeof options, .count = (unsigned)first};
	struct ilk_latch *l;
	int rc = ilk_latch_open(seg, name, &options, &l);

	*object = rc < 0 ? NULL : l;
	return rc;
}

static int count(void *object, unsigned n, int64_t *value)
{
	(void)value;
	return ilk_latch_count_down(object, n);
}

static int wait_until_open(void *object, unsigned n, int64_t *value)
{
	(void)n, (void)value;
	return ilk_latch_wait_until(object, ticks_deadline(wait_ns));
}

static int read_left(void *object, unsigned n, int64_t *value)
{
	unsigned left = 0;
	int rc = ilk_latch_left(object, &left);

	(void)n;
	*value = left;
	return rc;
}

static int tell(const struct meet_place *at, int rc)
{
	if (rc != -ERANGE)
		return OPTIONS_GO;
	return complain(at->command,
		"less is left of %s in %s than that, and nothing was counted; `ilk latch %s %s "
		"value` prints what is",
		at->object, at->segment, at->segment, at->object);
}

static const struct meet_act acts[] = {
	{"count", MEET_COUNTS, count},
	{"wait", MEET_WAITS, wait_until_open},
	{"value", MEET_READS, read_left},
	{0},
};

static const struct meet meet = {
	.page = &page,
	.type = "latch",
	.acts = acts,
	.most = ILK_LATCH_MOST,
	.late = "something is left to be counted",
	.made = "--count",
	.wait_ns = &wait_ns,
	.json = &json,
	.open = open_one,
	.tell = tell,
};

static int latch_main(int argc, char **argv)
{
	return meet_main(&meet, argc, argv);
}

const struct command latch_command = {.page = &page, .run = latch_main};
