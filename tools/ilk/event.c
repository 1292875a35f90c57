/* event.c - ilk event: sets an event, clears it, waits for it, tells whether it is set. */
#include "ilk/command.h"
#include "ilk/meet.h"
#include "ilk/ticks.h"
#include <ilk/event.h>

static int64_t wait_ns = -1;
static int automatic, json;

static const struct option_row rows[] = {
	{.name = "auto",
		.letter = 'a',
		.kind = OPTION_FLAG,
		.help = "of auto reset: each set lets one through, who clears it",
		.target = &automatic},
	OPTION_WAIT(&wait_ns),
	OPTION_JSON(&json),
	OPTION_END,
};

static const struct option_page page = {
	.command = "event",
	.operands = "NAME OBJECT set | clear | wait | value",
	.min = 3,
	.max = 3,
	.summary = "set or clear an event, or wait for it",
	.details = "OBJECT is an event in the segment NAME.\n"
		   "  set    lets all through who wait for it, and who come later, until it is "
		   "cleared\n"
		   "  clear  keeps those who come from then on\n"
		   "  wait   waits until it is set\n"
		   "  value  prints 1 if it is set, else 0, reading only\n"
		   "All but value make segment and event on first use, not set.\n\n"
		   "Exit code: 0 done; 75 the time ran out; 2 other errors.\n",
	.rows = rows,
};

/* Without --auto one that is there is used, whatever it is. */
static int open_one(struct ilk_segment *seg, const char *name, void **object)
{
	const struct ilk_event_options options = {
		.size = sizeof options, .flags = automatic ? ILK_EVENT_AUTO : ILK_EVENT_AS_IS};
	struct ilk_event *e;
	int rc = ilk_event_open(seg, name, &options, &e);

	*object = rc < 0 ? NULL : e;
	return rc;
}

static int set(void *object, unsigned n, int64_t *value)
{
	(void)n, (void)value;
	return ilk_event_set(object);
}

static int clear(void *object, unsigned n, int64_t *value)
{
	(void)n, (void)value;
	return ilk_event_clear(object);
}

static int wait_until_set(void *object, unsigned n, int64_t *value)
{
	(void)n, (void)value;
	return ilk_event_wait_until(object, ticks_deadline(wait_ns));
}

static int read_value(void *object, unsigned n, int64_t *value)
{
	int rc = ilk_event_is_set(object);

	(void)n;
	*value = rc;
	return rc;
}

static const struct meet_act acts[] = {
	{"set", 0, set},
	{"clear", 0, clear},
	{"wait", MEET_WAITS, wait_until_set},
	{"value", MEET_READS, read_value},
	{0},
};

static const struct meet meet = {
	.page = &page,
	.type = "event",
	.acts = acts,
	.late = "it is not set",
	.made = "--auto",
	.wait_ns = &wait_ns,
	.json = &json,
	.open = open_one,
};

static int event_main(int argc, char **argv)
{
	return meet_main(&meet, argc, argv);
}

const struct command event_command = {.page = &page, .run = event_main};
