/*
 * children.c - forked children with a time limit and a way to say what went wrong.
 *
 * A child reports by a pipe: text means failure. It is killed by the kernel when the runner ends.
 */
#include "children.h"
#include "support.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN = 64 };

static struct support_child children[CHILDREN];
static int in_child;
static int report_to = -1;

int support_in_child_(void)
{
	return in_child;
}

void support_report_(const char *text)
{
	if (report_to < 0 || write(report_to, text, strlen(text)) < 0)
		fprintf(stderr, "in a child: %s\n", text);
	_exit(1);
}

void support_lose_report(void)
{
	report_to = -1;
}

/* --- starting --- */

static struct support_child *unused(void)
{
	for (int i = 0; i < CHILDREN; i++)
		if (children[i].pid == 0)
			return &children[i];
	FAIL("more than %d children", CHILDREN);
}

/* cmocka's handlers jump into the runner: a child is to die of what kills it. */
static void forget_handlers(void)
{
	static const int caught[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGSYS};

	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
		signal(caught[i], SIG_DFL);
}

__attribute__((noreturn)) static void be_child(int report, void (*body)(void *arg), void *arg)
{
	in_child = 1;
	report_to = report;
	for (int i = 0; i < CHILDREN; i++)
		if (children[i].pid)
			close(children[i].report);
	memset(children, 0, sizeof children);
	forget_handlers();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm((unsigned)(2 * support_patience_ms() / 1000));
	body(arg);
	_exit(0);
}

struct support_child *support_start(void (*body)(void *arg), void *arg)
{
	struct support_child *child = unused();
	int ends[2];
	pid_t pid;

	CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
	fflush(NULL);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		be_child(ends[1], body, arg);
	close(ends[1]);
	child->pid = pid;
	child->report = ends[0];
	return child;
}

/* --- ending --- */

static void forget(struct support_child *child)
{
	close(child->report);
	child->pid = 0;
}

/* Reads what the child reported, and forgets it. */
static void take_report(struct support_child *child, char *text, size_t size)
{
	ssize_t n = read(child->report, text, size - 1);

	text[n > 0 ? n : 0] = 0;
	forget(child);
}

static int reap(struct support_child *child)
{
	int status = 0;

	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void end(struct support_child *child)
{
	kill(child->pid, SIGKILL);
	reap(child);
	forget(child);
}

static int wait_for(struct support_child *child)
{
	ilk_time deadline = ilk_after_ms(support_patience_ms());
	int status;

	while (waitpid(child->pid, &status, WNOHANG) != child->pid) {
		if (ilk_now() > deadline) {
			end(child);
			FAIL("a child did not end in time");
		}
		support_sleep_ms(1);
	}
	return status;
}

void support_join(struct support_child *child)
{
	int status = wait_for(child);
	char text[600];

	take_report(child, text, sizeof text);
	if (WIFSIGNALED(status))
		FAIL("a child died of signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		FAIL("a child ended with %d: %s", WEXITSTATUS(status), text);
}

void support_run(void (*body)(void *arg), void *arg)
{
	support_join(support_start(body, arg));
}

/* Ended in order, or was killed, as children are. */
static int is_fine(const siginfo_t *info)
{
	return info->si_code == CLD_EXITED ? info->si_status == 0 : info->si_status == SIGKILL;
}

void support_look_after_children_(void)
{
	char text[600];

	for (int i = 0; i < CHILDREN; i++) {
		siginfo_t info = {.si_pid = 0};

		if (children[i].pid == 0 ||
			waitid(P_PID, (id_t)children[i].pid, &info, WEXITED | WNOHANG | WNOWAIT) <
				0 ||
			info.si_pid == 0 || is_fine(&info))
			continue;
		reap(&children[i]);
		take_report(&children[i], text, sizeof text);
		FAIL("a child ended with %d (%s): %s", info.si_status,
			info.si_code == CLD_EXITED ? "its exit status" : "a signal", text);
	}
}

void support_join_killed(struct support_child *child)
{
	int status = wait_for(child);
	char text[600];

	take_report(child, text, sizeof text);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		FAIL("a child was to be killed, but ended with status %x: %s", (unsigned)status,
			text);
}

void support_kill(struct support_child *child)
{
	kill(child->pid, SIGKILL);
	support_reap(child);
}

void support_reap(struct support_child *child)
{
	int status = reap(child);
	char text[600];

	take_report(child, text, sizeof text);
	if (WIFEXITED(status) ? WEXITSTATUS(status) != 0 : WTERMSIG(status) != SIGKILL)
		FAIL("a child had ended with status %x: %s", (unsigned)status, text);
}

void support_kill_only(struct support_child *child)
{
	siginfo_t info;

	kill(child->pid, SIGKILL);
	while (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
}

void support_stop(struct support_child *child)
{
	int status;

	kill(child->pid, SIGSTOP);
	CHECK(waitpid(child->pid, &status, WUNTRACED) == child->pid);
	CHECK(WIFSTOPPED(status));
}

void support_continue(struct support_child *child)
{
	kill(child->pid, SIGCONT);
}

void support_end_children_(void)
{
	for (int i = 0; i < CHILDREN; i++)
		if (children[i].pid)
			end(&children[i]);
}

void support_become_nobody(void)
{
	enum { NOBODY = 65534 };

	CHECK(setgroups(0, NULL) == 0);
	CHECK(setgid(NOBODY) == 0);
	CHECK(setuid(NOBODY) == 0);
	/* Changing the user forgets this. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}
