/* forks.c - what becomes of membership by fork, raw fork, vfork, spawn, exec and daemon(). */
#include "orphans.h"
#include "segment_fixture.h"
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

extern char **environ;

/* Locks OBJECT through SEG, or fails. */
static struct ilk_mutex *hold(const char *object, int expected)
{
	struct ilk_mutex *m = support_mutex(seg, object);

	CHECK_RC(ilk_mutex_lock(m), expected);
	return m;
}

/* Locks what the dead have left, puts it right and lets go. */
static void take_over(const char *object)
{
	struct ilk_mutex *m = hold(object, ILK_RECOVERED);

	CHECK_RC(ilk_mutex_repaired(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static int is_busy(const char *object)
{
	return ilk_mutex_try_lock(support_mutex(seg, object)) == -EBUSY;
}

/* --- fork and raw fork --- */

static pid_t raw_fork(void)
{
#ifdef SYS_fork
	return (pid_t)syscall(SYS_fork);
#else
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
}

static pid_t raw_clone(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* The forked: what its maker holds is not its own; what it locks itself is. */
__attribute__((noreturn)) static void be_forked(void)
{
	struct ilk_mutex *makers = support_mutex(seg, "maker's");

	be_orphan();
	CHECK_RC(ilk_mutex_unlock(makers), -EPERM);
	CHECK_RC(ilk_mutex_try_lock(makers), -EBUSY);
	hold("forked's", 0);
	CHECK_RC(ilk_mutex_unlock(makers), -EPERM);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static pid_t (*how_to_fork)(void);

static void hold_and_fork(void *arg)
{
	pid_t pid;

	(void)arg;
	hold("maker's", 0);
	pid = how_to_fork();
	if (pid == 0)
		be_forked();
	leave_orphan(pid);
	ilk_test_await(0);
	/* The child's coming and locking has changed nothing for us. */
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "maker's")), -EDEADLK);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "forked's")), -EPERM);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void check_fork(pid_t (*forker)(void))
{
	struct ilk_test_child *maker;

	how_to_fork = forker;
	maker = ilk_test_start(hold_and_fork, NULL);
	ilk_test_await(1);
	assert_true(is_busy("maker's"));
	assert_true(is_busy("forked's"));
	ilk_test_kill(maker);
	/* The living child does not vouch for its dead maker, nor dies with it. */
	take_over("maker's");
	assert_true(is_busy("forked's"));
	kill_orphan();
	take_over("forked's");
}

static void test_fork_makes_a_member_of_its_own(void **state)
{
	(void)state;
	check_fork(fork);
}

static void test_raw_fork_makes_a_member_of_its_own(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	SKIP_UNDER_EMULATION("MADV_WIPEONFORK is ignored");
	check_fork(raw_fork);
}

static void test_raw_clone_makes_a_member_of_its_own(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	SKIP_UNDER_EMULATION("MADV_WIPEONFORK is ignored");
	check_fork(raw_clone);
}

static void outlive_the_forked(void *arg)
{
	pid_t pid;

	(void)arg;
	hold("maker's", 0);
	pid = how_to_fork();
	if (pid == 0) {
		hold("forked's", 0);
		_exit(0);
	}
	CHECK(waitpid(pid, NULL, 0) == pid);
	/* The child's death is its own. */
	take_over("forked's");
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "maker's")), -EDEADLK);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void check_death_of_the_forked(pid_t (*forker)(void))
{
	struct ilk_test_child *maker;

	how_to_fork = forker;
	maker = ilk_test_start(outlive_the_forked, NULL);
	ilk_test_await(0);
	assert_true(is_busy("maker's"));
	ilk_test_kill(maker);
	take_over("maker's");
}

static void test_a_forked_childs_death_is_not_its_makers(void **state)
{
	(void)state;
	check_death_of_the_forked(fork);
}

static void test_a_raw_forked_childs_death_is_not_its_makers(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	SKIP_UNDER_EMULATION("MADV_WIPEONFORK is ignored");
	check_death_of_the_forked(raw_fork);
}

static void close_inherited(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_segment_close(seg), 0);
}

static void test_close_in_a_forked_child_leaves_the_maker_alone(void **state)
{
	struct ilk_mutex *m = hold("m", 0);

	(void)state;
	ilk_test_in_child(close_inherited, NULL);
	CHECK_RC(ilk_mutex_lock(m), -EDEADLK);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void *lock_and_unlock(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	return NULL;
}

static void test_close_in_a_child_forked_while_a_thread_slept_returns(void **state)
{
	struct ilk_mutex *m = hold("m", 0);
	pthread_t thread;

	(void)state;
	SKIP_UNDER_TSAN();
	assert_int_equal(pthread_create(&thread, NULL, lock_and_unlock, m), 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	/* The sleeper is no thread of the child: nobody there to be waited for. */
	ilk_test_in_child(close_inherited, NULL);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

/* --- exec --- */

static void hold_and_exec(void *arg)
{
	(void)arg;
	hold("m", 0);
	ilk_test_say(0);
	ilk_test_await(1);
	execl("/bin/sleep", "sleep", "100", NULL);
	ilk_test_fail("exec failed");
}

static void test_exec_while_holding_counts_as_death(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	SKIP_UNDER_EMULATION("there is no program of that machine to execute");
	child = ilk_test_start(hold_and_exec, NULL);
	ilk_test_await(0);
	assert_true(is_busy("m"));
	ilk_test_say(1);
	/* The process is there as before: only its memory has gone. */
	take_over("m");
	assert_int_equal(kill(child->pid, 0), 0);
	ilk_test_kill(child);
}

static pid_t vfork_sleep(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl("/bin/sleep", "sleep", "100", NULL);
		_exit(127);
	}
	return pid;
}

static pid_t spawn_sleep(void)
{
	char name[] = "sleep", seconds[] = "100";
	char *arguments[] = {name, seconds, NULL};
	pid_t pid = -1;

	CHECK(posix_spawn(&pid, "/bin/sleep", NULL, NULL, arguments, environ) == 0);
	return pid;
}

static void hold_and_spawn(void *arg)
{
	struct ilk_mutex *m = hold("m", 0);

	(void)arg;
	leave_orphan(how_to_fork());
	CHECK_RC(ilk_mutex_lock(m), -EDEADLK);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	hold("m", 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void check_spawn(pid_t (*spawner)(void))
{
	struct ilk_test_child *child;

	SKIP_UNDER_EMULATION("there is no program of that machine to execute");
	how_to_fork = spawner;
	child = ilk_test_start(hold_and_spawn, NULL);
	ilk_test_await(0);
	assert_true(is_busy("m"));
	ilk_test_kill(child);
	/* What it has spawned lives on, and vouches for nobody. */
	take_over("m");
	kill_orphan();
}

static void test_vfork_and_exec_keep_what_is_held(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	check_spawn(vfork_sleep);
}

static void test_posix_spawn_keeps_what_is_held(void **state)
{
	(void)state;
	check_spawn(spawn_sleep);
}

/* --- daemon and exit --- */

static void hold_and_become_a_daemon(void *arg)
{
	struct ilk_mutex *m = hold("m", 0);

	(void)arg;
	CHECK(daemon(1, 1) == 0);
	be_orphan();
	leave_orphan(getpid());
	/* What the process held before is left by the dead: the daemon is a child. */
	CHECK_RC(ilk_mutex_unlock(m), -EPERM);
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_repaired(m), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_daemon_is_a_new_member(void **state)
{
	(void)state;
	ilk_test_in_child(hold_and_become_a_daemon, NULL);
	ilk_test_await(0);
	assert_true(is_busy("m"));
	kill_orphan();
	take_over("m");
}

static void hold_and_exit(void *arg)
{
	(void)arg;
	hold("m", 0);
	_exit(0);
}

static void test_exit_while_holding_counts_as_death(void **state)
{
	(void)state;
	ilk_test_in_child(hold_and_exit, NULL);
	take_over("m");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_fork_makes_a_member_of_its_own),
		SEGMENT_TEST(test_raw_fork_makes_a_member_of_its_own),
		SEGMENT_TEST(test_raw_clone_makes_a_member_of_its_own),
		SEGMENT_TEST(test_a_forked_childs_death_is_not_its_makers),
		SEGMENT_TEST(test_a_raw_forked_childs_death_is_not_its_makers),
		SEGMENT_TEST(test_close_in_a_forked_child_leaves_the_maker_alone),
		SEGMENT_TEST(test_close_in_a_child_forked_while_a_thread_slept_returns),
		SEGMENT_TEST(test_exec_while_holding_counts_as_death),
		SEGMENT_TEST(test_vfork_and_exec_keep_what_is_held),
		SEGMENT_TEST(test_posix_spawn_keeps_what_is_held),
		SEGMENT_TEST(test_daemon_is_a_new_member),
		SEGMENT_TEST(test_exit_while_holding_counts_as_death),
	};

	return cmocka_run_group_tests(tests, adopt_orphans, NULL);
}
