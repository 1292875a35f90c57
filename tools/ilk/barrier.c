/*
 * barrier.c - ilk barrier: waits at a barrier as one of so many; breaks it, mends it.
 *
 * A process is a member for one phase: it attaches, waits, detaches. The next one of the same shell may
 * come before all have left the phase before, and then waits for a place.
 */
#include "ilk/command.h"
#include "ilk/meet.h"
#include "ilk/report.h"
#include "ilk/ticks.h"
#include <errno.h>
#include <ilk/barrier.h>
#include <stdio.h>

enum {
	PAUSE_NS = 1000000, /* between two looks for a place */
	ODD_LOOKS = 100,    /* so many in a row: it is not for a place that there is no room */
};

static int64_t parties, wait_ns = -1;
static struct ilk_barrier_status status; /* when a wait failed */

static const struct option_row rows[] = {
	{.name = "parties",
		.letter = 'n',
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 1,
		.high = ILK_BARRIER_MEMBERS,
		.help = "how many are to meet: always to be given, and the same by all",
		.target = &parties},
	OPTION_WAIT(&wait_ns),
	OPTION_END,
};

static const struct option_page page = {
	.command = "barrier",
	.operands = "NAME OBJECT wait | abort | reset",
	.min = 3,
	.max = 3,
	.summary = "wait at a barrier until all have come",
	.details =
		"OBJECT is a barrier in the segment NAME; both are made on first use.\n"
		"  wait   waits until N have come, who then all go on; then it is empty for the "
		"next N\n"
		"  abort  breaks it: who waits, and who comes, is told so\n"
		"  reset  mends it\n"
		"It breaks by itself when one runs out of time, and when one dies that is waited "
		"for:\n"
		"one who is killed while it waits has come, and N go on with it; but it has not "
		"left,\n"
		"and breaks the barrier for those who come next. It stays broken until it is "
		"reset.\n\n"
		"Exit code: 0 all have come; 1 it is broken, by whom is told; 75 the time ran "
		"out,\n"
		"and that broke it; 2 other errors.\n",
	.rows = rows,
};

static int open_one(struct ilk_segment *seg, const char *name, void **object)
{
	const struct ilk_barrier_options options = {
		.size = sizeof options, .parties = (unsigned)parties};
	struct ilk_barrier *b;
	int rc = ilk_barrier_open(seg, name, &options, &b);

	*object = rc < 0 ? NULL : b;
	return rc;
}

static int is_full(const struct ilk_barrier *b)
{
	struct ilk_barrier_status now;

	return ilk_barrier_status(b, &now) == 0 && now.members >= now.parties;
}

/* -EUSERS: all places are taken by the living, who may leave; or the segment has no room for us. */
static int attach(struct ilk_barrier *b, ilk_time deadline)
{
	int rc = ilk_barrier_attach(b);

	for (int odd = 0; rc == -EUSERS && odd < ODD_LOOKS; odd = is_full(b) ? 0 : odd + 1) {
		if (ilk_now() >= deadline)
			return -ETIMEDOUT;
		ticks_sleep(PAUSE_NS);
		rc = ilk_barrier_attach(b);
	}
	return rc;
}

static int meet_others(void *object, unsigned n, int64_t *value)
{
	ilk_time deadline = ticks_deadline(wait_ns);
	int rc = attach(object, deadline);
	int is_member = rc == 0;

	(void)n, (void)value;
	if (is_member)
		rc = ilk_barrier_wait_until(object, deadline);
	if (rc < 0)
		ilk_barrier_status(object, &status);
	if (is_member)
		ilk_barrier_detach(object);
	return rc;
}

static int abort_it(void *object, unsigned n, int64_t *value)
{
	(void)n, (void)value;
	return ilk_barrier_abort(object);
}

static int reset(void *object, unsigned n, int64_t *value)
{
	(void)n, (void)value;
	return ilk_barrier_reset(object);
}

static const char *what_happened(enum ilk_barrier_cause cause)
{
	switch (cause) {
	case ILK_BARRIER_DEATH:
		return "died and was waited for";
	case ILK_BARRIER_TIMEOUT:
		return "ran out of time";
	case ILK_BARRIER_ABORT:
		return "aborted it";
	default:
		return "broke it";
	}
}

static int complain_broken(const struct meet_place *at)
{
	char who[40] = "somebody";

	if (status.cause == ILK_BARRIER_WHOLE)
		return complain(at->command,
			"%s in %s was broken, and is mended again; wait once more", at->object,
			at->segment);
	if (status.pid)
		snprintf(who, sizeof who, "%.15s (%d)", status.name, status.pid);
	return complain(at->command,
		"%s in %s is broken: %s %s; `ilk barrier %s %s reset -n %lld` mends it", at->object,
		at->segment, who, what_happened(status.cause), at->segment, at->object,
		(long long)parties);
}

static int tell(const struct meet_place *at, int rc)
{
	if (rc == -EPIPE) {
		complain_broken(at);
		return EXIT_FINDING;
	}
	if (rc != -ETIMEDOUT || status.cause == ILK_BARRIER_WHOLE)
		return OPTIONS_GO;
	complain(at->command,
		"%s in %s: the time is up, and not all have come, which broke it; `ilk barrier %s "
		"%s reset -n %lld` mends it",
		at->object, at->segment, at->segment, at->object, (long long)parties);
	return EXIT_TRY_LATER;
}

static const struct meet_act acts[] = {
	{"wait", MEET_WAITS, meet_others},
	{"abort", 0, abort_it},
	{"reset", 0, reset},
	{0},
};

static const struct meet meet = {
	.page = &page,
	.type = "barrier",
	.acts = acts,
	.late = "there was no place",
	.made = "--parties",
	.needed = &parties,
	.wait_ns = &wait_ns,
	.open = open_one,
	.tell = tell,
};

static int barrier_main(int argc, char **argv)
{
	return meet_main(&meet, argc, argv);
}

const struct command barrier_command = {.page = &page, .run = barrier_main};
