/*
 * child.h - runs a command on behalf of something that we hold in a segment; for `lock`, `permits`
 * and `work`.
 *
 * The command must not outlive us: the kernel kills it when we die (PR_SET_PDEATHSIG), and it looks
 * once whether that came too late. A dying process first loses its memory, and the life lock with it,
 * and then its children are signalled: whoever gets what we held can begin before that.
 *
 * Signals: from child_block_signals() on they are blocked and read one at a time, so that none can
 * end us while we hold it; those meant to end us are passed to the command instead. What the terminal
 * sends, it sends to the command as well: that is not passed on.
 */
#ifndef ILK_TOOLS_CHILD_H
#define ILK_TOOLS_CHILD_H

#include <signal.h>
#include <sys/types.h>

enum {
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_BY_SIGNAL = 128,
};

struct child_signals {
	sigset_t watched;
	/* What it was before us, for the command to get back. */
	sigset_t mask;
	struct sigaction on_child;
};

void child_block_signals(struct child_signals *s);

/* Cuts argv at "--". What follows it; NULL: nothing does. */
char **child_cut_command(int *argc, char **argv);

/* To be called in the child of the process PARENT: becomes COMMAND. PAGE complains. */
_Noreturn void child_become(
	const char *page, char **command, pid_t parent, const struct child_signals *s);

/*
 * Waits for CHILD to end, passing signals on; *STOP, if not NULL, becomes the last that was to end
 * us, if one came. The child's exit code as a shell would give it.
 */
int child_watch(pid_t child, const struct child_signals *s, int *stop);

/*
 * All of it: runs COMMAND, with our environment. Its exit code, or of a complaint by PAGE that there
 * can be no process.
 */
int child_run(const char *page, char **command);

/* Waits NS at most for a signal that is to end us. Which; 0: none came. */
int child_stop_within(const struct child_signals *s, long ns);

#endif
