/*
 * wait_for.c - ilk wait-for: waits until something is so of an object. Looks from time to time; joins
 * nothing, and nobody sees that it waits.
 */
#include "ilk/command.h"
#include "ilk/json.h"
#include "ilk/report.h"
#include "ilk/ticks.h"
#include "ilk/wait_condition.h"
#include <errno.h>
#include <string.h>

enum {
	EXIT_TIMED_OUT = 1,
	DAMAGED_LOOKS = 5, /* so many in a row: it is no change that was seen half-way */
	SHARE = 10,        /* of the time looks may take one part */
};

static const int64_t first_pause = 20000000, longest_pause = 200000000;

static int json;
static int64_t timeout = -1; /* for ever */

static const struct option_row rows[] = {
	{.name = "timeout",
		.letter = 't',
		.kind = OPTION_SECONDS,
		.value = "TIME",
		.low = 0,
		.high = TICKS_MOST,
		.help = "give up after so long, 0 after one look (default: never)",
		.target = &timeout},
	OPTION_JSON(&json),
	OPTION_END,
};

static const struct option_page page = {
	.command = "wait-for",
	.operands = "NAME OBJECT CONDITION",
	.min = 3,
	.max = 3,
	.summary = "wait until something is so of an object",
	.details =
		"CONDITION is a word:\n"
		"  exists, gone, damaged  OBJECT is in the segment NAME; is not, or NAME is not; is\n"
		"                         there and damaged\n"
		"  free, held             nobody holds it; somebody does\n"
		"  owner-dead             somebody died holding it, and it was not recovered yet\n"
		"  closed                 nothing more can be put into it\n"
		"or compares: FIELD with ==, !=, >=, <=, > or < and a number, where FIELD is value,\n"
		"waiters, holders, depth, capacity, leases, put, got, acquired, contended, openers;\n"
		"or state==TEXT, state!=TEXT, state~TEXT (has TEXT in it), as `ilk show` tells it.\n"
		"Quote what a shell would take as its own: ilk wait-for shop stock 'value>=10'\n\n"
		"An object, or a segment, that is not there is waited for. Looks 50 times a second "
		"at\n"
		"first, 5 later, and less often where a look takes long: what is so for a moment "
		"only\n"
		"can be missed. Reads only: takes no lock, joins nothing, writes nothing.\n\n"
		"Exit code: 0 it is so; 1 the time ran out; 2 an error, or OBJECT is of a kind of "
		"which\n"
		"that cannot be said, or damaged.\n",
	.rows = rows,
};

/* What is asked, and what was found. */
struct asking {
	char **argv; /* NAME OBJECT CONDITION */
	struct wait_condition condition;
	int damaged_looks;
	char why[WAIT_WHY];
	struct wait_state {
		int is_there;
		char state[64];
		int64_t value;
		int waiters;
	} last;
};

static void note_state(struct asking *a, const struct ilk_inspection *in)
{
	a->last.is_there = 0;
	for (size_t i = 0; in && i < in->object_count; i++) {
		const struct ilk_object_info *o = &in->objects[i];

		if (strcmp(o->name, a->argv[1]) == 0 && !o->removed) {
			a->last.is_there = 1;
			memcpy(a->last.state, o->state, sizeof o->state);
			a->last.value = o->value;
			a->last.waiters = o->waiters;
		}
	}
}

/* OPTIONS_GO: not yet; or an exit code. */
static int look(struct asking *a)
{
	struct ilk_inspection *in = NULL;
	int rc = ilk_inspect(a->argv[0], &in);
	enum wait_verdict verdict;

	if (rc < 0 && rc != -ENOENT)
		return complain_of(page.command, a->argv[0], rc);
	verdict = wait_condition_test(&a->condition, in, a->argv[1], a->why);
	note_state(a, in);
	ilk_inspection_free(in);
	a->damaged_looks = verdict == WAIT_DAMAGED ? a->damaged_looks + 1 : 0;
	if (verdict == WAIT_NEVER || a->damaged_looks == DAMAGED_LOOKS)
		return complain(page.command, "%s in %s: %s", a->argv[1], a->argv[0], a->why);
	return verdict == WAIT_MET ? EXIT_FINE : OPTIONS_GO;
}

static int64_t pause_after(int64_t pause, int64_t cost)
{
	pause = pause + pause / 4 < longest_pause ? pause + pause / 4 : longest_pause;
	return pause < SHARE * cost ? SHARE * cost : pause;
}

/* EXIT_FINE, EXIT_TIMED_OUT, EXIT_ERROR. */
static int wait_for(struct asking *a, ilk_time deadline)
{
	int64_t pause = first_pause;

	for (;;) {
		ilk_time begin = ilk_now(), end;
		int code = look(a);

		if (code != OPTIONS_GO)
			return code;
		end = ilk_now();
		/* Damage is looked at again, in spite of the time. */
		if (end >= deadline && a->damaged_looks == 0)
			return EXIT_TIMED_OUT;
		if (end + pause > deadline)
			pause = deadline > end ? deadline - end : 1000000;
		ticks_sleep(pause);
		pause = pause_after(pause, end - begin);
	}
}

static void print_json(const struct asking *a, int is_met, int64_t waited)
{
	struct json j;

	json_document(&j, stdout, page.command, 1);
	json_string(&j, "segment", a->argv[0]);
	json_string(&j, "object", a->argv[1]);
	json_string(&j, "condition", a->argv[2]);
	json_bool(&j, "met", is_met);
	json_integer(&j, "waited_ns", waited);
	json_string(&j, "state", a->last.is_there ? a->last.state : NULL);
	if (a->last.is_there) {
		json_integer(&j, "value", a->last.value);
		json_integer(&j, "waiters", a->last.waiters);
	} else {
		json_null(&j, "value");
		json_null(&j, "waiters");
	}
	json_close(&j);
}

static int wait_for_main(int argc, char **argv)
{
	struct asking a = {.argv = argv};
	ilk_time begin = ilk_now();
	int code = options_parse(&page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	if (wait_condition_read(argv[2], &a.condition, a.why) < 0)
		return complain(page.command, "%s", a.why);
	code = wait_for(&a, timeout < 0 ? ILK_FOREVER : begin + timeout);
	if (code != EXIT_ERROR && json)
		print_json(&a, code == EXIT_FINE, ilk_now() - begin);
	if (code == EXIT_TIMED_OUT)
		complain(page.command, "%s in %s: the time is up, and '%s' is not so: %s", argv[1],
			argv[0], argv[2], a.why);
	return code;
}

const struct command wait_for_command = {.page = &page, .run = wait_for_main};
