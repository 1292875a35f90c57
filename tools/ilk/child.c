/* child.c - see child.h. */
#include "ilk/child.h"
#include "ilk/report.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void child_block_signals(struct child_signals *s)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};

	sigemptyset(&s->watched);
	sigaddset(&s->watched, SIGCHLD);
	sigaddset(&s->watched, SIGINT);
	sigaddset(&s->watched, SIGTERM);
	sigaddset(&s->watched, SIGHUP);
	sigaddset(&s->watched, SIGQUIT);
	sigprocmask(SIG_BLOCK, &s->watched, &s->mask);
	/* Were it ignored, as some parents leave it, we could not wait for the child. */
	sigaction(SIGCHLD, &standard, &s->on_child);
}

char **child_cut_command(int *argc, char **argv)
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

_Noreturn void child_become(
	const char *page, char **command, pid_t parent, const struct child_signals *s)
{
	int error;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXIT_BY_SIGNAL + SIGKILL); /* nobody holds it for us */
	sigaction(SIGCHLD, &s->on_child, NULL);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	execvp(command[0], command);
	error = errno;
	complain(page, "%s cannot be run: %s", command[0], strerror(error));
	_exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

int child_watch(pid_t child, const struct child_signals *s, int *stop)
{
	int status;
	siginfo_t info;

	while (waitpid(child, &status, WNOHANG) == 0) {
		int signal = sigwaitinfo(&s->watched, &info);

		if (signal <= 0 || signal == SIGCHLD)
			continue;
		if (stop)
			*stop = signal;
		/* SI_KERNEL: from the terminal, which sent it to the child as well. */
		if (info.si_code != SI_KERNEL)
			kill(child, signal);
	}
	return WIFSIGNALED(status) ? EXIT_BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

int child_run(const char *page, char **command)
{
	struct child_signals signals;
	pid_t parent = getpid(), child;

	child_block_signals(&signals);
	fflush(stdout);
	child = fork();
	if (child == 0)
		child_become(page, command, parent, &signals);
	if (child < 0)
		return complain(page, "no process could be made: %s", strerror(errno));
	return child_watch(child, &signals, NULL);
}

int child_stop_within(const struct child_signals *s, long ns)
{
	struct timespec left = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	sigset_t stops = s->watched;
	int signal;

	sigdelset(&stops, SIGCHLD);
	signal = sigtimedwait(&stops, NULL, &left);
	return signal > 0 ? signal : 0;
}
