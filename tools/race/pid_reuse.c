/*
 * pid_reuse.c - a dead owner's pid is another process's by now, and kill(pid, 0) says: it lives.
 *
 * Pids go round: after 32768 processes, or 4 million, the numbers come again. Here a child is made
 * with the very pid of the dead one, which takes the privilege to choose it.
 */
#include "race/frame.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <ilk/mutex.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared {
	int64_t deceived;
};

static _Thread_local struct {
	struct ilk_segment *seg;
	struct shared *shared;
	struct ilk_mutex *mutex;
} my;

static int open_shared(struct ilk_segment *seg)
{
	my.seg = seg;
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

static int open_mutex(struct race_worker *me)
{
	char name[16];

	snprintf(name, sizeof name, "lock%d", me->index);
	return my.mutex ? 0 : ilk_mutex_open(my.seg, name, NULL, &my.mutex);
}

/* A process of the pid PID, which does nothing; like fork(). */
static pid_t fork_as(pid_t pid)
{
	struct clone_args args = {.exit_signal = SIGCHLD, .set_tid_size = 1};
	pid_t parent = getpid();
	long child;

	args.set_tid = (uint64_t)(uintptr_t)&pid;
	child = syscall(SYS_clone3, &args, sizeof args);
	if (child == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(1);
		for (;;)
			pause();
	}
	return child < 0 ? -errno : (pid_t)child;
}

/* May we choose a pid? */
static const char *absent(void)
{
	pid_t child = fork_as(1);

	return child == -EEXIST ? NULL
				: "a process of a chosen pid needs CAP_CHECKPOINT_RESTORE, or root";
}

/* A child takes what TAKE takes, is killed and waited for; *OTHER gets its pid. 0, or -E... */
static int replace(int (*take)(void), pid_t *other)
{
	pid_t owner = race_fork();

	if (owner < 0)
		return -errno;
	if (owner == 0) {
		if (take() < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
		pause();
	}
	waitpid(owner, NULL, 0);
	/* Somebody else may just have got that pid: then that one deceives as well. */
	*other = fork_as(owner);
	return *other < 0 && *other != -EEXIST ? *other : owner;
}

static void end(pid_t other)
{
	if (other > 0) {
		kill(other, SIGKILL);
		waitpid(other, NULL, 0);
	}
}

static void note_answer(struct race_worker *me, pid_t owner, int says_alive)
{
	if (!says_alive)
		return;
	race_note(me, "is told that the dead one lives, pid", owner);
	ilk_add_relaxed_(&my.shared->deceived, 1);
}

static int take_nothing(void)
{
	return 0;
}

static int work_kill(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		pid_t other = 0;
		int owner = replace(take_nothing, &other);

		if (owner < 0)
			return owner;
		note_answer(me, owner, kill(owner, 0) == 0);
		end(other);
	}
	return 0;
}

static int take_mutex(void)
{
	return ilk_mutex_lock(my.mutex);
}

static int work_ilk(struct race_worker *me, int64_t times)
{
	int rc = open_mutex(me);

	for (; times > 0 && rc >= 0; times--) {
		pid_t other = 0;
		int owner = replace(take_mutex, &other);

		if (owner < 0)
			return owner;
		rc = ilk_mutex_lock_until(my.mutex, ilk_after_ms(1000));
		note_answer(me, owner, rc == -ETIMEDOUT);
		if (rc >= 0) {
			ilk_mutex_repaired(my.mutex);
			ilk_mutex_unlock(my.mutex);
		}
		end(other);
	}
	return rc < 0 && rc != -ETIMEDOUT ? rc : 0;
}

static void judge(struct race_count *count)
{
	count->failures = my.shared->deceived;
	count->got = count->expected - count->failures;
}

static const struct race_variant variants[] = {
	{"kill", "kill(pid, 0) == 0: it lives", RACE_FAILS, NULL, open_shared, work_kill, judge,
		absent},
	{"ilk", "a byte that is locked as long as its memory lives", RACE_HOLDS, NULL, open_shared,
		work_ilk, judge, absent},
};

const struct race_scenario race_pid_reuse = {
	.name = "pid-reuse",
	.bug = "keeps the owner's pid, and asks for it later",
	.breaks = "the number is another process's by then",
	.fix = "ask the kernel for something that ends with the process",
	.failures = "deceived",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.iterations = 100,
	.only_processes = 1,
	.chunk = 10,
	.is_noted = 1,
};
