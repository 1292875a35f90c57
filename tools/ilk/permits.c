/*
 * permits.c - ilk permits: runs a command while holding permits, so that so many run at a time.
 *
 * As with lock.c we hold them, not the command, and end when it does. Killed, we leave them to be
 * found by who wants some; the command dies with us, but may live an instant longer.
 */
#include "ilk/child.h"
#include "ilk/command.h"
#include "ilk/meet.h"
#include "ilk/report.h"
#include "ilk/ticks.h"
#include <errno.h>
#include <ilk/permits.h>

static int64_t permits, take = 1, wait_ns = -1;

static const struct option_row rows[] = {
	{.name = "permits",
		.letter = 'n',
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 1,
		.high = ILK_PERMITS_MAX,
		.help = "how many there are: always to be given, and the same by all",
		.target = &permits},
	{.name = "take",
		.letter = 't',
		.kind = OPTION_NUMBER,
		.value = "K",
		.low = 1,
		.high = ILK_PERMITS_MAX,
		.help = "how many of them COMMAND takes (default 1)",
		.target = &take},
	OPTION_WAIT(&wait_ns),
	OPTION_END,
};

static const struct option_page page = {
	.command = "permits",
	.operands = "NAME OBJECT -n N -- COMMAND [ARGUMENT...]",
	.min = 2,
	.max = 2,
	.summary = "run a command as one of so many at a time",
	.details =
		"Takes one of the N permits OBJECT in the segment NAME, or K of them, all or none;\n"
		"runs COMMAND; gives them back. Segment and permits are made on first use. What "
		"those\n"
		"had that were killed comes back.\n\n"
		"Exit code: that of COMMAND, 128 + N if signal N killed it; 75 if the time ran "
		"out;\n"
		"127 COMMAND was not found, 126 it could not be executed; 2 other errors.\n\n"
		"COMMAND dies with ilk, and gets its signals, as with `ilk lock`; the next one "
		"may\n"
		"begin an instant before that.\n",
	.rows = rows,
};

/* Whether threads or processes own them is all the same to us: each of us is one of either. */
static int open_some(struct ilk_segment *seg, const char *name, struct ilk_permits **p)
{
	struct ilk_permits_options options = {.size = sizeof options, .permits = (unsigned)permits};
	int rc = ilk_permits_open(seg, name, &options, p);

	options.flags = ILK_PERMITS_PROCESS;
	return rc == -EEXIST ? ilk_permits_open(seg, name, &options, p) : rc;
}

static int run_with(const struct meet_place *at, struct ilk_permits *p, char **command)
{
	int rc = ilk_permits_acquire_until(p, (unsigned)take, ticks_deadline(wait_ns));
	int code;

	if (rc == -ETIMEDOUT) {
		complain(at->command,
			"%s in %s: the time is up, and %lld of %lld were not free; `ilk show %s "
			"%s` tells who has them",
			at->object, at->segment, (long long)take, (long long)permits, at->segment,
			at->object);
		return EXIT_TRY_LATER;
	}
	if (rc < 0)
		return complain_of_use(at->command, at->segment, at->object, rc);
	code = child_run(at->command, command);
	ilk_permits_release(p, (unsigned)take);
	return code;
}

/* Is it said what to do? OPTIONS_GO, or an exit code. */
static int check(char **command)
{
	if (!command)
		return complain(page.command, "there is no command to run; use it as: ilk %s %s",
			page.command, page.operands);
	if (permits == 0)
		return complain(page.command, "say how many there are: --permits N");
	if (take > permits)
		return complain(page.command, "--take %lld is more than there are: --permits %lld",
			(long long)take, (long long)permits);
	return OPTIONS_GO;
}

static int permits_main(int argc, char **argv)
{
	struct ilk_segment *seg;
	struct ilk_permits *p;
	char **command = child_cut_command(&argc, argv);
	int code = options_parse(&page, &argc, argv), rc;
	const struct meet_place at = {page.command, argv[0], argv[1]};

	if (code == OPTIONS_GO)
		code = check(command);
	if (code != OPTIONS_GO)
		return code;
	rc = ilk_segment_create(at.segment, NULL, &seg);
	if (rc < 0)
		return complain_of(at.command, at.segment, rc);
	rc = open_some(seg, at.object, &p);
	code = rc < 0 ? meet_complain_of_open(&at, "permits", "--permits", rc)
		      : run_with(&at, p, command);
	ilk_segment_close(seg);
	return code;
}

const struct command permits_command = {.page = &page, .run = permits_main};
