/*
 * lock.c - ilk lock: runs a command while holding a mutex, in the manner of flock(1).
 *
 * We hold the mutex, not the command, and end when it does (child.h). The next holder can be in
 * before the kernel has killed the command of one who died: it gets ILK_RECOVERED, which tells it to
 * trust nothing.
 */
#include "ilk/child.h"
#include "ilk/command.h"
#include "ilk/report.h"
#include "ilk/ticks.h"
#include <errno.h>
#include <ilk/mutex.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t wait_ns = -1; /* for ever */

static const struct option_row rows[] = {OPTION_WAIT(&wait_ns), OPTION_END};

static const struct option_page page = {
	.command = "lock",
	.operands = "NAME OBJECT -- COMMAND [ARGUMENT...]",
	.min = 2,
	.max = 2,
	.summary = "run a command while holding a mutex",
	.details =
		"Locks the mutex OBJECT in the segment NAME, runs COMMAND, unlocks. Segment and "
		"mutex\n"
		"are made on first use. In the manner of flock(1), but a holder that was killed "
		"blocks\n"
		"nobody, and the next one is told.\n\n"
		"Exit code: that of COMMAND, 128 + N if signal N killed it; 75 if the time ran "
		"out;\n"
		"127 COMMAND was not found, 126 it could not be executed; 2 other errors.\n\n"
		"If the last holder died holding it, a warning says so and COMMAND finds\n"
		"ILK_RECOVERED=1 in its environment: what the mutex guards may be half-done. If "
		"it\n"
		"then exits with 0, that counts as having put it right; otherwise the next one is\n"
		"told, too.\n\n"
		"COMMAND dies with ilk: when ilk is killed, by whatever signal, the kernel kills\n"
		"COMMAND (but not what COMMAND started in its turn, and no set-user-ID program). "
		"The\n"
		"next holder, who is warned, may begin an instant before that.\n"
		"SIGINT, SIGTERM, SIGHUP and SIGQUIT sent to ilk are passed on to COMMAND.\n",
	.rows = rows,
};

/* For the command; ours may have it from an `ilk lock` around us. */
static void tell_command(int recovered)
{
	if (recovered)
		setenv("ILK_RECOVERED", "1", 1);
	else
		unsetenv("ILK_RECOVERED");
}

static int run_locked(char **command, struct ilk_mutex *m, const char *name, const char *object)
{
	int rc = ilk_mutex_lock_until(m, ticks_deadline(wait_ns));
	int code;

	/* With ILK_NOW a mutex that is held is -EBUSY or -ETIMEDOUT: out of time either way. */
	if (rc == -ETIMEDOUT || rc == -EBUSY) {
		complain(page.command,
			"%s in %s is held, and the time is up; `ilk show %s` tells by whom", object,
			name, name);
		return EXIT_TRY_LATER;
	}
	if (rc < 0)
		return complain_of(page.command, name, rc);
	if (rc & ILK_RECOVERED)
		fprintf(stderr,
			"ilk lock: warning: the last holder of %s in %s died holding it; what it "
			"guards may be half-done\n",
			object, name);
	tell_command(rc & ILK_RECOVERED);
	code = child_run(page.command, command);
	if (code == 0 && (rc & ILK_RECOVERED))
		ilk_mutex_repaired(m);
	ilk_mutex_unlock(m);
	return code;
}

static int lock_main(int argc, char **argv)
{
	struct ilk_segment *seg;
	struct ilk_mutex *m;
	char **command = child_cut_command(&argc, argv);
	int code = options_parse(&page, &argc, argv);
	int rc;

	if (code != OPTIONS_GO)
		return code;
	if (!command)
		return complain(page.command, "there is no command to run; use it as: ilk lock %s",
			page.operands);
	rc = ilk_segment_create(argv[0], NULL, &seg);
	if (rc < 0)
		return complain_of(page.command, argv[0], rc);
	rc = ilk_mutex_open(seg, argv[1], NULL, &m);
	code = rc < 0 ? complain_of_object(page.command, argv[0], argv[1], "mutex", rc)
		      : run_locked(command, m, argv[0], argv[1]);
	ilk_segment_close(seg);
	return code;
}

const struct command lock_command = {.page = &page, .run = lock_main};
