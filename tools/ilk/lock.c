/*
 * lock.c - ilk lock: runs a command while holding a mutex, in the manner of flock(1).
 *
 * We hold the mutex, not the command: so the command must not outlive us. The kernel kills it when
 * we die (PR_SET_PDEATHSIG), and it looks once whether that came too late. A dying process first
 * loses its memory, and the life lock with it, and then its children are signalled: the next holder
 * can be in by then. It gets ILK_RECOVERED, which tells it to trust nothing.
 *
 * Signals: from the moment the mutex is ours they are blocked and read one at a time, so that none
 * can end us while we hold it; those meant to end us are passed to the command instead, and we
 * end when it does. What the terminal sends, it sends to the command as well: that is not passed
 * on.
 */
#include "ilk/command.h"
#include "ilk/report.h"
#include <errno.h>
#include <ilk/mutex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	EXIT_TIMED_OUT = 75, /* EX_TEMPFAIL of sysexits.h: try again later */
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_BY_SIGNAL = 128,
};

static int64_t wait_ns = -1; /* for ever */

static const struct option_row rows[] = {
	{.name = "wait",
		.letter = 'w',
		.kind = OPTION_SECONDS,
		.value = "SECONDS",
		.low = 0,
		.high = INT64_MAX,
		.help = "give up after so long, 0 at once (default: wait for ever)",
		.target = &wait_ns},
	OPTION_END,
};

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

/* --- the child --- */

/* What it was before us, for the child to get back. */
struct inherited {
	sigset_t mask;
	struct sigaction on_child;
};

static _Noreturn void be_the_command(
	char **command, int recovered, pid_t parent, const struct inherited *inherited)
{
	int error;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXIT_BY_SIGNAL + SIGKILL); /* nobody holds the mutex for us */
	if (recovered)
		setenv("ILK_RECOVERED", "1", 1);
	else
		unsetenv("ILK_RECOVERED"); /* it may be of an `ilk lock` around us */
	sigaction(SIGCHLD, &inherited->on_child, NULL);
	sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
	execvp(command[0], command);
	error = errno;
	complain(page.command, "%s cannot be run: %s", command[0], strerror(error));
	_exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* --- the parent --- */

static void block_signals(sigset_t *watched, struct inherited *inherited)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};

	sigemptyset(watched);
	sigaddset(watched, SIGCHLD);
	sigaddset(watched, SIGINT);
	sigaddset(watched, SIGTERM);
	sigaddset(watched, SIGHUP);
	sigaddset(watched, SIGQUIT);
	sigprocmask(SIG_BLOCK, watched, &inherited->mask);
	/* Were it ignored, as some parents leave it, we could not wait for the child. */
	sigaction(SIGCHLD, &standard, &inherited->on_child);
}

/* Waits for CHILD to end, passing signals on. Its exit code as a shell would give it. */
static int watch(pid_t child, const sigset_t *watched)
{
	int status;
	siginfo_t info;

	while (waitpid(child, &status, WNOHANG) == 0) {
		int signal = sigwaitinfo(watched, &info);

		/* SI_KERNEL: from the terminal, which sent it to the child as well. */
		if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL)
			kill(child, signal);
	}
	return WIFSIGNALED(status) ? EXIT_BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Runs COMMAND. Its exit code. */
static int run(char **command, int recovered)
{
	struct inherited inherited;
	sigset_t watched;
	pid_t parent = getpid(), child;

	block_signals(&watched, &inherited);
	fflush(stdout);
	child = fork();
	if (child == 0)
		be_the_command(command, recovered, parent, &inherited);
	if (child < 0)
		return complain(page.command, "no process could be made: %s", strerror(errno));
	return watch(child, &watched);
}

static int run_locked(char **command, struct ilk_mutex *m, const char *name, const char *object)
{
	ilk_time deadline = wait_ns < 0 ? ILK_FOREVER : ilk_after_ns(wait_ns);
	int rc = ilk_mutex_lock_until(m, wait_ns == 0 ? ILK_NOW : deadline);
	int code;

	/* With ILK_NOW a mutex that is held is -EBUSY or -ETIMEDOUT: out of time either way. */
	if (rc == -ETIMEDOUT || rc == -EBUSY) {
		complain(page.command,
			"%s in %s is held, and the time is up; `ilk show %s` tells by whom", object,
			name, name);
		return EXIT_TIMED_OUT;
	}
	if (rc < 0)
		return complain_of(page.command, name, rc);
	if (rc & ILK_RECOVERED)
		fprintf(stderr,
			"ilk lock: warning: the last holder of %s in %s died holding it; what it "
			"guards may be half-done\n",
			object, name);
	code = run(command, rc & ILK_RECOVERED);
	if (code == 0 && (rc & ILK_RECOVERED))
		ilk_mutex_repaired(m);
	ilk_mutex_unlock(m);
	return code;
}

/* Cuts argv at "--". What follows it; NULL: nothing does. */
static char **cut_command(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++)
		if (strcmp(argv[i], "--") == 0) {
			char **command = argv[i + 1] ? argv + i + 1 : NULL;

			argv[i] = NULL;
			*argc = i;
			return command;
		}
	return NULL;
}

static int lock_main(int argc, char **argv)
{
	struct ilk_segment *seg;
	struct ilk_mutex *m;
	char **command = cut_command(&argc, argv);
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
