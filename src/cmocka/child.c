/* child.c - forked children: starting them, ending them, and saying what went wrong. */
#include "internal.h"
#include <errno.h>
#include <ilk/inspect.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct ilk_test_child children[MOST];

/* --- starting --- */

static struct ilk_test_child *unused(void)
{
	for (int i = 0; i < MOST; i++)
		if (children[i].pid == 0) {
			children[i].number = i;
			return &children[i];
		}
	ilk_test_fail_here_("more than %d children", MOST);
}

__attribute__((noreturn)) static void be_child(
	struct page *page, pid_t parent, void (*body)(void *arg), void *arg)
{
	ilk_test_child_page_ = page;
	ilk_test_child_pid_ = getpid();
	ilk_test_thread_page_ = NULL;
	memset(children, 0, sizeof children);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* 0: in a pid namespace of its own. */
	if (getppid() != parent && getppid() != 0)
		_exit(1);
	alarm((unsigned)(2 * ilk_test_limit_ms() / 1000 + 1));
	ilk_test_run_body_(body, arg);
}

struct ilk_test_child *ilk_test_start_child_(void (*body)(void *arg), void *arg,
	void (*prepare)(struct page *page, const char *point, unsigned nth), const char *point,
	unsigned nth)
{
	struct ilk_test_child *child = unused();
	struct page *page = ilk_test_take_page_();
	pid_t parent = getpid(), pid;

	if (prepare)
		prepare(page, point, nth);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		ilk_test_fail_here_("fork: %s", strerror(errno));
	if (pid == 0)
		be_child(page, parent, body, arg);
	child->pid = pid;
	child->shared = page;
	return child;
}

struct ilk_test_child *ilk_test_start(void (*body)(void *arg), void *arg)
{
	return ilk_test_start_child_(body, arg, NULL, NULL, 0);
}

/* --- what a child is at --- */

struct waits {
	struct report *report;
	pid_t pid;
};

static int add_waits_in(const char *name, void *arg)
{
	const struct waits *w = arg;
	struct ilk_inspection *in;

	if (ilk_inspect(name, &in) < 0)
		return 0;
	for (size_t i = 0; i < in->thread_count; i++) {
		const struct ilk_thread_info *t = &in->threads[i];

		if (t->process == ILK_NO_INDEX || t->waits_for == ILK_NO_INDEX ||
			in->processes[t->process].pid != w->pid)
			continue;
		ilk_test_add_line_(w->report,
			"\tits thread %d waits for %s \"%s\" (%s) in segment %s", (int)t->tid,
			in->objects[t->waits_for].type, in->objects[t->waits_for].name,
			in->objects[t->waits_for].state, name);
	}
	ilk_inspection_free(in);
	return 0;
}

void ilk_test_add_waits_(struct report *r, pid_t pid)
{
	struct waits w = {r, pid};

	ilk_inspect_each(add_waits_in, &w);
}

void ilk_test_add_stuck_(struct report *r, const struct ilk_test_child *child, const char *point)
{
	const struct page *page = child->shared;

	ilk_test_add_line_(r, "child %d (pid %d) did not %s%s in time; its last point: %s",
		child->number, (int)child->pid, point ? "come to " : "end", point ? point : "",
		page->last[0] ? page->last : "none");
	ilk_test_add_waits_(r, child->pid);
}

/* --- ending --- */

static void forget(struct ilk_test_child *child)
{
	ilk_test_give_page_(child->shared);
	child->pid = 0;
}

static int reap(const struct ilk_test_child *child)
{
	int status = 0;

	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

void ilk_test_end_child_(struct ilk_test_child *child)
{
	kill(child->pid, SIGKILL);
	reap(child);
	forget(child);
}

int ilk_test_await_end_(struct ilk_test_child *child, ilk_time deadline)
{
	for (;;) {
		siginfo_t info = {.si_pid = 0};

		if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 &&
			errno != EINTR)
			ilk_test_fail_here_(
				"child %d: somebody else has waited for it", child->number);
		if (info.si_pid)
			return 0;
		if (ilk_now() >= deadline)
			return -ETIMEDOUT;
		ilk_test_sleep_ms(1);
	}
}

/* Adds how a child ended that did not say anything. */
static void add_status(struct report *r, const char *who, int status, int killed)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && killed)
		return;
	if (WIFSIGNALED(status))
		ilk_test_add_line_(r, "%s died of signal %d (%s)", who, WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else if (killed == 1)
		ilk_test_add_line_(
			r, "%s was to be killed, but ended with %d", who, WEXITSTATUS(status));
	else if (WEXITSTATUS(status))
		ilk_test_add_line_(r, "%s ended with %d%s", who, WEXITSTATUS(status),
			WEXITSTATUS(status) == 255 ? ": as cmocka ends a process, for an assert "
						     "in a thread, without ilk/cmocka.h"
						   : "");
}

void ilk_test_add_end_(struct report *r, struct ilk_test_child *child, int killed)
{
	const struct page *page = child->shared;
	size_t before = r->used;
	char who[64];
	int status;

	snprintf(who, sizeof who, "child %d (pid %d)", child->number, (int)child->pid);
	status = reap(child);
	if (!ilk_test_add_page_(r, page, who))
		add_status(r, who, status, killed);
	if (r->used > before && !r->file[0] && page->last[0])
		ilk_test_add_line_(r, "\tits last point: %s", page->last);
	forget(child);
}

static void end_as(struct ilk_test_child *child, int killed)
{
	struct report r = {.used = 0};

	if (ilk_test_await_end_(child, ilk_after_ms(ilk_test_limit_ms())) == 0) {
		ilk_test_add_end_(&r, child, killed);
	} else {
		ilk_test_add_stuck_(&r, child, NULL);
		ilk_test_end_child_(child);
	}
	ilk_test_raise_(&r);
}

void ilk_test_join(struct ilk_test_child *child)
{
	end_as(child, 0);
}

void ilk_test_in_child(void (*body)(void *arg), void *arg)
{
	ilk_test_join(ilk_test_start(body, arg));
}

void ilk_test_join_killed(struct ilk_test_child *child)
{
	end_as(child, 1);
}

void ilk_test_reap(struct ilk_test_child *child)
{
	end_as(child, 2);
}

void ilk_test_kill(struct ilk_test_child *child)
{
	kill(child->pid, SIGKILL);
	ilk_test_reap(child);
}

void ilk_test_kill_only(struct ilk_test_child *child)
{
	kill(child->pid, SIGKILL);
	ilk_test_await_end_(child, ILK_FOREVER);
}

void ilk_test_stop(struct ilk_test_child *child)
{
	int status = 0;

	kill(child->pid, SIGSTOP);
	if (waitpid(child->pid, &status, WUNTRACED) == child->pid && WIFSTOPPED(status))
		return;
	forget(child);
	ilk_test_fail_here_("child %d had ended before it was stopped", child->number);
}

void ilk_test_continue(struct ilk_test_child *child)
{
	kill(child->pid, SIGCONT);
}

void ilk_test_each_child_(void (*each)(struct ilk_test_child *child, void *arg), void *arg)
{
	for (int i = 0; i < MOST; i++)
		if (children[i].pid)
			each(&children[i], arg);
}

/* Ended in order, or was killed, as children are, and said nothing. */
static int is_fine(const struct ilk_test_child *child)
{
	const struct page *page = child->shared;
	siginfo_t info = {.si_pid = 0};

	if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		info.si_pid == 0)
		return 1;
	if (ilk_load_acquire_(&page->claimed))
		return 0;
	return info.si_code == CLD_EXITED ? info.si_status == 0 : info.si_status == SIGKILL;
}

static void add_if_failed(struct ilk_test_child *child, void *report)
{
	if (!is_fine(child))
		ilk_test_add_end_(report, child, 2);
}

void ilk_test_add_failures_(struct report *r)
{
	ilk_test_each_child_(add_if_failed, r);
}

void ilk_test_look_after_children_(void)
{
	struct report r = {.used = 0};

	ilk_test_add_failures_(&r);
	ilk_test_raise_(&r);
}
