/*
 * work.c - ilk work: runs a command for each message of a queue.
 *
 * A message is leased by the process that runs its command: killed, whether that or the command of it
 * got anywhere, another worker gets the message. The command dies with its worker (child.h).
 *
 * With several workers each is a process of its own, and we look after them: one that was killed gets
 * a successor, signals are passed on, and if we are killed they end in order.
 */
#include "ilk/child.h"
#include "ilk/command.h"
#include "ilk/queues.h"
#include "ilk/report.h"
#include "ilk/ticks.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_WORKERS = 512 };
enum { ENVIRONMENT_MOST = 100000 }; /* of one variable; the kernel takes 128 KiB */

static struct queues_wish wish;
static int64_t workers = 1, wait_ns = -1; /* for ever */

static const struct option_row rows[] = {
	{.name = "workers",
		.letter = 'j',
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 1,
		.high = MOST_WORKERS,
		.help = "run so many at a time (default 1)",
		.target = &workers},
	{.name = "wait",
		.letter = 'w',
		.kind = OPTION_SECONDS,
		.value = "SECONDS",
		.low = 0,
		.high = INT64_MAX,
		.help = "end when no message came for so long, 0: when there is none\n"
			"(default: when the queue is closed)",
		.target = &wait_ns},
	QUEUES_ROWS(&wish),
	OPTION_END,
};

static const struct option_page page = {
	.command = "work",
	.operands = "NAME QUEUE -- COMMAND [ARGUMENT...]",
	.min = 2,
	.max = 2,
	.summary = "run a command for each message of a queue",
	.details =
		"Leases a message of QUEUE in the segment NAME, runs COMMAND, and finishes the message "
		"if\n"
		"that exits with 0; else it goes back into the queue, and this worker pauses: 0.1 s, "
		"longer\n"
		"with each time that the message failed. Whoever is killed, ilk or the command, at "
		"any\n"
		"instant: the message is delivered again. So COMMAND must be fit to be run twice.\n\n"
		"COMMAND has the message as its input, and in ILK_MESSAGE (unless there is a NUL in "
		"it, or\n"
		"more than 100000 bytes); ILK_DELIVERY is 1 when it is delivered for the first time. "
		"It\n"
		"dies with ilk: when ilk is killed, the kernel kills it (but not what it started in "
		"its\n"
		"turn, and no set-user-ID program).\n\n"
		"SIGINT, SIGTERM, SIGHUP and SIGQUIT end it: they are passed on to COMMAND, and the "
		"message\n"
		"goes back if that fails then. Segment and queue are made on first use.\n\n"
		"Exit code: 0 all was done; 1 a command failed; 127 COMMAND was not found, 126 it could "
		"not\n"
		"be executed; 128 + N signal N came; 2 other errors.\n",
	.rows = rows,
};

/* --- the command --- */

/* A file with the message, to be read from its beginning. */
static int input_of(const struct ilk_queue_lease *l)
{
	int fd = memfd_create("message", MFD_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < l->bytes) {
		ssize_t n = write(fd, (const char *)l->data + done, l->bytes - done);

		if (n < 0 && errno != EINTR) {
			close(fd);
			return -1;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

static void set_environment(const struct ilk_queue_lease *l)
{
	char number[16], *text = NULL;

	if (l->bytes <= ENVIRONMENT_MOST && !memchr(l->data, '\0', l->bytes))
		text = strndup((const char *)l->data, l->bytes);
	if (text)
		setenv("ILK_MESSAGE", text, 1);
	else
		unsetenv("ILK_MESSAGE");
	free(text);
	snprintf(number, sizeof number, "%u", l->deliveries);
	setenv("ILK_DELIVERY", number, 1);
}

/* Runs COMMAND. Its exit code; negative: it could not be started, which is told. */
static int run(char **command, const struct ilk_queue_lease *l, const struct child_signals *signals,
	int *stop)
{
	pid_t parent = getpid(), child;
	int input = input_of(l);

	fflush(stdout);
	child = input < 0 ? -1 : fork();
	if (child == 0) {
		dup2(input, STDIN_FILENO);
		set_environment(l);
		child_become(page.command, command, parent, signals);
	}
	if (child < 0)
		complain(page.command, "no process could be made: %s", strerror(errno));
	if (input >= 0)
		close(input);
	return child < 0 ? -1 : child_watch(child, signals, stop);
}

/* --- one worker --- */

static int is_runnable(int code)
{
	return code != EXIT_NOT_FOUND && code != EXIT_NOT_EXECUTABLE;
}

/* Does the command for one message. EXIT_..., or what the command could not be run for. */
static int work_on(struct queues *q, char **command, const struct ilk_queue_lease *l,
	const struct child_signals *signals, int *stop)
{
	unsigned shift = l->deliveries < 6 ? l->deliveries : 6;
	int code = run(command, l, signals, stop);

	if (code == 0) {
		ilk_queue_ack(&q->handle, l);
		return EXIT_FINE;
	}
	ilk_queue_nack(&q->handle, l);
	if (code < 0)
		return EXIT_ERROR;
	if (!is_runnable(code))
		return code;
	if (!*stop)
		*stop = child_stop_within(signals, 50000000L << shift);
	return EXIT_FINDING;
}

/* As ilk_queue_lease(), but ends at a signal. */
static int lease(
	struct queues *q, struct ilk_queue_lease *l, const struct child_signals *signals, int *stop)
{
	ilk_time deadline = ticks_deadline(wait_ns);
	int rc;

	do
		rc = ilk_queue_lease(&q->handle, l, queues_look_again(deadline));
	while (rc == -ETIMEDOUT && ilk_now() < deadline &&
		(*stop = child_stop_within(signals, 0)) == 0);
	return rc;
}

/* Works until there is nothing more to do. The exit code. */
static int work(struct queues *q, char **command, const struct child_signals *signals)
{
	struct ilk_queue_lease l;
	int stop = child_stop_within(signals, 0), rc = 0, code = EXIT_FINE;

	while (!stop && (code == EXIT_FINE || code == EXIT_FINDING) &&
		(rc = lease(q, &l, signals, &stop)) == 0) {
		int one = work_on(q, command, &l, signals, &stop);

		code = one == EXIT_FINE ? code : one;
		if (!stop)
			stop = child_stop_within(signals, 0);
	}
	if (stop)
		return EXIT_BY_SIGNAL + stop;
	if (rc == 0 || rc == -ETIMEDOUT || rc == -EAGAIN || rc == -EPIPE)
		return code;
	return queues_complain(q, rc);
}

/* --- several --- */

static pid_t start_worker(struct queues *q, char **command, const struct child_signals *signals)
{
	pid_t parent = getpid(), pid = fork();
	int rc;

	if (pid != 0)
		return pid;
	/* It goes on in order, and gives back what it has. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		_exit(EXIT_BY_SIGNAL + SIGTERM);
	rc = ilk_queue_attach(q->queue, &q->handle);
	rc = rc < 0 ? queues_complain(q, rc) : work(q, command, signals);
	queues_close(q);
	_exit(rc);
}

struct crew {
	struct queues *q;
	char **command;
	const struct child_signals *signals;
	pid_t pids[MOST_WORKERS];
	int living, stop, code;
};

/* The worker number I. */
static void start(struct crew *c, int i)
{
	c->pids[i] = start_worker(c->q, c->command, c->signals);
	if (c->pids[i] > 0)
		c->living++;
	else
		c->code = complain(page.command, "no process could be made: %s", strerror(errno));
}

/* Who was killed gets a successor; of those who ended, the worst counts. */
static void note_end(struct crew *c, pid_t pid, int status)
{
	for (int i = 0; i < workers; i++) {
		if (c->pids[i] != pid)
			continue;
		c->pids[i] = 0;
		c->living--;
		if (WIFSIGNALED(status) && !c->stop) {
			fprintf(stderr,
				"ilk work: worker %ld was killed by signal %d; another one takes "
				"its place\n",
				(long)pid, WTERMSIG(status));
			start(c, i);
		} else if (WIFEXITED(status) && WEXITSTATUS(status) > c->code) {
			c->code = WEXITSTATUS(status);
		}
	}
}

static void pass_on(struct crew *c, const siginfo_t *info)
{
	c->stop = info->si_signo;
	/* From the terminal, which sent it to the workers as well. */
	if (info->si_code == SI_KERNEL)
		return;
	for (int i = 0; i < workers; i++)
		if (c->pids[i] > 0)
			kill(c->pids[i], info->si_signo);
}

static int work_together(struct queues *q, char **command, const struct child_signals *signals)
{
	struct crew c = {.q = q, .command = command, .signals = signals};
	siginfo_t info;
	int status;
	pid_t pid;

	for (int i = 0; i < workers; i++)
		start(&c, i);
	while (c.living > 0) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			note_end(&c, pid, status);
		if (c.living > 0 && sigwaitinfo(&signals->watched, &info) > 0 &&
			info.si_signo != SIGCHLD)
			pass_on(&c, &info);
	}
	return c.stop ? EXIT_BY_SIGNAL + c.stop : c.code;
}

static int work_main(int argc, char **argv)
{
	struct child_signals signals;
	struct queues q;
	char **command = child_cut_command(&argc, argv);
	int code = options_parse(&page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	if (!command)
		return complain(page.command, "there is no command to run; use it as: ilk work %s",
			page.operands);
	child_block_signals(&signals);
	code = queues_open(&q, page.command, argv[0], argv[1], &wish, 1);
	if (code != EXIT_FINE)
		return code;
	code = workers == 1 ? work(&q, command, &signals) : work_together(&q, command, &signals);
	queues_close(&q);
	return code;
}

const struct command work_command = {.page = &page, .run = work_main};
