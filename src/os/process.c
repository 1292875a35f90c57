/*
 * process.c - fork(2), pidfd_open(2), waitid(2), PR_SET_PDEATHSIG; signals, and threads without.
 *
 * A child waits at a gate, a pipe, until its parent has a descriptor for it: before that its pid
 * could be reaped by whoever waits for any child, and be another's. A parent that dies with the gate
 * shut leaves an end of file, and so no child that nobody knows of.
 */
#include "os/process.h"
#include "os/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of Linux 5.4: newer than some C libraries. */
enum { BY_PIDFD = 3 };
enum { WATCHED_MOST = 1024 };

struct helper {
	void *(*body)(void *arg);
	void *arg;
	sigset_t mask; /* its starter's */
};

/* What the calling thread is; NULL: no helper. */
static __thread const struct helper *helper;

/* --- the child's part --- */

/*
 * Signals that come from outside are handled as by a program that has just begun; what is ignored stays
 * ignored. Those that tell of the process's own faults keep their handlers.
 */
static void reset_handlers(void)
{
	for (int s = 1; s <= SIGRTMAX; s++) {
		struct sigaction a;

		if (s == SIGSEGV || s == SIGBUS || s == SIGFPE || s == SIGILL || s == SIGTRAP ||
			s == SIGABRT || s == SIGSYS)
			continue;
		if (sigaction(s, NULL, &a) < 0 || a.sa_handler == SIG_DFL ||
			a.sa_handler == SIG_IGN)
			continue;
		a.sa_handler = SIG_DFL;
		a.sa_flags = 0;
		sigaction(s, &a, NULL);
	}
}

/* Is the thread that forked us there still? Not after an exec either. A parent outside of our pid
 * namespace cannot be asked for. */
static int has_parent(pid_t parent, pid_t thread)
{
	pid_t now = getppid();

	if (now != parent)
		return now == 0;
	return syscall(SYS_tgkill, parent, thread, 0) == 0 || errno != ESRCH;
}

static int pass_gate(int gate)
{
	char byte;
	ssize_t n;

	do
		n = read(gate, &byte, 1);
	while (n < 0 && errno == EINTR);
	close(gate);
	return n == 1;
}

__attribute__((noreturn)) static void be_born(
	const struct ilk_birth_ *birth, pid_t parent, pid_t thread, int gate)
{
	if (!birth->outlives)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if ((!birth->outlives && !has_parent(parent, thread)) || !pass_gate(gate))
		_exit(0);
	helper = NULL; /* as the thread that forked is */
	reset_handlers();
	prctl(PR_SET_NAME, birth->name);
	pthread_sigmask(SIG_SETMASK, &birth->mask, NULL);
	birth->live(birth);
	_exit(0);
}

/* --- the parent's --- */

int ilk_process_fork_(const struct ilk_birth_ *birth, int32_t *pid)
{
	pid_t parent = getpid(), thread = (pid_t)syscall(SYS_gettid);
	int gate[2], fd = -1;

	if (pipe2(gate, O_CLOEXEC) < 0)
		return -errno;
	*pid = fork();
	if (*pid == 0) {
		close(gate[1]);
		be_born(birth, parent, thread, gate[0]);
	}
	if (*pid > 0)
		fd = (int)syscall(SYS_pidfd_open, *pid, 0);
	if (fd < 0)
		fd = -errno;
	else /* one that was killed already tells so by its descriptor */
		while (write(gate[1], "", 1) < 0 && errno == EINTR)
			continue;
	close(gate[0]);
	close(gate[1]);
	if (fd < 0 && *pid > 0)
		while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	return fd;
}

/* 0; -E... */
static int ask(int fd, siginfo_t *info, int how)
{
	int rc;

	info->si_pid = 0;
	do
		rc = waitid((idtype_t)BY_PIDFD, (id_t)fd, info, WEXITED | WNOHANG | how);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

/* FD, or one of its number that is not below LEAST, if that can be had. */
static int raise_number(int fd, int least)
{
	int higher = fd < least ? fcntl(fd, F_DUPFD_CLOEXEC, least) : -1;

	if (higher < 0)
		return fd;
	close(fd);
	return higher;
}

int ilk_process_reopen_(int32_t pid, int least)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), rc;
	siginfo_t info;

	if (fd < 0)
		return errno == ESRCH ? -ECHILD : -EBADF;
	fd = raise_number(fd, least);
	rc = ask(fd, &info, WNOWAIT);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int ilk_process_is_open_(int fd)
{
	siginfo_t info;

	return fd >= 0 && ask(fd, &info, WNOWAIT) != -EBADF;
}

/* The pid that the kernel's text for FD names; -1: none; 0: there is no such text to be read. */
static int pid_behind(int fd)
{
	char path[40], text[512];
	const char *at;
	ssize_t n;
	int info;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return 0;
	n = read(info, text, sizeof text - 1);
	close(info);
	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "\nPid:");
	return at ? atoi(at + 5) : -1;
}

int ilk_process_is_same_(int fd, int other)
{
	int pid = pid_behind(fd);

	return pid <= 0 ? ilk_process_is_open_(other) : pid_behind(other) == pid;
}

int ilk_process_reap_(int fd, int32_t pid, struct ilk_ended_ *ended)
{
	siginfo_t info;
	int rc = fd < 0 ? -EBADF : ask(fd, &info, WNOWAIT);

	if (rc == 0 && info.si_pid && info.si_pid != pid)
		return -EBADF;
	if (rc == 0 && info.si_pid)
		rc = ask(fd, &info, 0);
	if (rc < 0 || info.si_pid == 0)
		return rc;
	*ended = (struct ilk_ended_){
		.code = info.si_code == CLD_EXITED ? info.si_status : -1,
		.signal = info.si_code == CLD_EXITED ? 0 : info.si_status,
		.core = info.si_code == CLD_DUMPED,
	};
	return 1;
}

int ilk_process_watch_(const int *fds, unsigned count, ilk_time until)
{
	struct pollfd p[WATCHED_MOST];
	int n;

	for (unsigned i = 0; i < count; i++)
		p[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
	do {
		ilk_time now = ilk_now();
		struct timespec t = ilk_timespec_(until > now ? until - now : 0);

		n = ppoll(p, count, until == ILK_FOREVER ? NULL : &t, NULL);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ETIMEDOUT;
	for (unsigned i = 0; i < count; i++)
		if (p[i].revents)
			return (int)i;
	return -ETIMEDOUT;
}

int ilk_process_signal_(int fd, int signal)
{
	return syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) < 0 ? -errno : 0;
}

void ilk_process_close_(int fd)
{
	close(fd);
}

void ilk_process_end_(int code)
{
	_exit(code);
}

/* --- signals --- */

void ilk_signals_block_(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

void ilk_signals_restore_(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

void ilk_signals_blocked_(sigset_t *now)
{
	pthread_sigmask(SIG_SETMASK, NULL, now);
}

/* --- helpers --- */

static void *help(void *arg)
{
	struct helper *h = arg;
	void *result;

	helper = h;
	result = h->body(h->arg);
	helper = NULL;
	free(h);
	return result;
}

int ilk_helper_start_(pthread_t *thread, void *(*body)(void *arg), void *arg)
{
	struct helper *h = malloc(sizeof *h);
	sigset_t before;
	int rc;

	if (!h)
		return -ENOMEM;
	h->body = body;
	h->arg = arg;
	ilk_helper_mask_(&h->mask);
	ilk_signals_block_(&before);
	rc = pthread_create(thread, NULL, help, h);
	ilk_signals_restore_(&before);
	if (rc != 0)
		free(h);
	return -rc;
}

void ilk_helper_mask_(sigset_t *mask)
{
	if (helper)
		*mask = helper->mask;
	else
		ilk_signals_blocked_(mask);
}
