/*
 * orphans.h - processes that outlive the child that made them.
 *
 * The runner is made their reaper, so that it can kill them by pid, wait for them, and see how they
 * ended.
 */
#ifndef ILK_TESTS_ORPHANS_H
#define ILK_TESTS_ORPHANS_H

#include "support.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ORPHAN_PID = 60 }; /* the place on the board where its maker leaves its pid */

static inline int adopt_orphans(void **state)
{
	(void)state;
	/* An emulator may not know of this: then init adopts them. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	return 0;
}

/* In the orphan: it ends by itself some day. */
static inline void be_orphan(void)
{
	alarm((unsigned)(2 * ilk_test_limit_ms() / 1000));
}

/* In its maker. */
static inline void leave_orphan(pid_t pid)
{
	CHECK(pid > 0);
	ilk_test_board()->value[ORPHAN_PID] = pid;
}

static inline void kill_orphan(void)
{
	pid_t pid = (pid_t)ilk_test_board()->value[ORPHAN_PID];
	int status = 0;

	CHECK(pid > 1);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) == pid)
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

#endif
