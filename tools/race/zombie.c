/*
 * zombie.c - asks by kill(pid, 0) whether the owner of something lives, and a zombie says yes.
 *
 * A worker starts a child, which takes a lock and is killed. As long as nobody has waited for it,
 * it has its pid; it will never let the lock go.
 */
#include "race/frame.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <ilk/mutex.h>
#include <signal.h>
#include <stdio.h>
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

/* One for each worker: who waits for a zombie should not wait for another's, too. */
static int open_mutex(struct race_worker *me)
{
	char name[16];

	snprintf(name, sizeof name, "lock%d", me->index);
	return my.mutex ? 0 : ilk_mutex_open(my.seg, name, NULL, &my.mutex);
}

/* Starts a child that does TAKE, and then is killed; it stays a zombie. */
static pid_t make_zombie(int (*take)(void))
{
	siginfo_t info;
	pid_t child = race_fork();

	if (child == 0) {
		if (take() < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
		pause();
	}
	/* Until it is dead; and it stays unwaited for. */
	if (child > 0)
		waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	return child;
}

static void note_answer(struct race_worker *me, pid_t zombie, int says_alive)
{
	if (!says_alive)
		return;
	race_note(me, "is told that the dead one lives, pid", zombie);
	ilk_add_relaxed_(&my.shared->deceived, 1);
}

/* --- kill(pid, 0) --- */

static int take_nothing(void)
{
	return 0;
}

static int work_kill(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		pid_t zombie = make_zombie(take_nothing);

		if (zombie < 0)
			return -errno;
		note_answer(me, zombie, kill(zombie, 0) == 0);
		waitpid(zombie, NULL, 0);
	}
	return 0;
}

/* --- the kernel's word: a lock that ends with the dead one's memory --- */

static int take_mutex(void)
{
	return ilk_mutex_lock(my.mutex);
}

static int work_ilk(struct race_worker *me, int64_t times)
{
	int rc = open_mutex(me);

	for (; times > 0 && rc >= 0; times--) {
		pid_t zombie = make_zombie(take_mutex);

		if (zombie < 0)
			return -errno;
		rc = ilk_mutex_lock_until(my.mutex, ilk_after_ms(1000));
		note_answer(me, zombie, rc == -ETIMEDOUT);
		if (rc >= 0) {
			ilk_mutex_repaired(my.mutex);
			ilk_mutex_unlock(my.mutex);
		}
		waitpid(zombie, NULL, 0);
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
		NULL},
	{"ilk", "a byte that is locked as long as its memory lives", RACE_HOLDS, NULL, open_shared,
		work_ilk, judge, NULL},
};

const struct race_scenario race_zombie = {
	.name = "zombie",
	.bug = "asks by kill(pid, 0) whether the owner lives",
	.breaks = "a zombie has a pid still, and whoever waits for it waits on",
	.fix = "ask the kernel for something that ends with the process",
	.failures = "deceived",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.iterations = 100,
	.only_processes = 1,
	.chunk = 10,
	.is_noted = 1,
};
