/*
 * spawn_death.c - what becomes of children when their parent is killed, executes, forks.
 *
 * All in a family have an end of one pipe: its other end tells when the last of them is gone.
 */
#include "spawn_fixture.h"
#include <stdlib.h>
#include <sys/wait.h>

enum { CHILDREN = 3, ROUNDS = 60 };

/* The test's own end goes, so that the family's are all there are. */
static void leave_life_to_them(void)
{
	close(life[1]);
	life[1] = -1;
}

static void check_all_are_gone(void)
{
	leave_life_to_them();
	wait_for_end_of_life();
	close(life[0]);
}

/* --- killed --- */

static int live_on(void *arg)
{
	(void)arg;
	ilk_test_say(0);
	return sleep_for_ever(NULL);
}

static void spawn_and_sleep(void *arg)
{
	struct ilk_child children[CHILDREN];

	(void)arg;
	for (int i = 0; i < CHILDREN; i++)
		children[i] = start(live_on, NULL);
	CHECK(children[0].pid > 0);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void test_children_end_with_a_parent_that_is_killed(void **state)
{
	struct ilk_test_child *parent;

	(void)state;
	make_life();
	parent = ilk_test_start(spawn_and_sleep, NULL);
	ilk_test_await(0);
	ilk_test_await(1);
	ilk_test_kill(parent);
	check_all_are_gone();
}

static int spawn_on(void *arg)
{
	struct ilk_child child = start(live_on, NULL);

	(void)arg;
	return ilk_spawn_join(&child, NULL, ILK_FOREVER);
}

static void spawn_a_line(void *arg)
{
	struct ilk_child child = start(spawn_on, NULL);

	(void)arg;
	CHECK(child.pid > 0);
	ilk_test_sleep_for_ever();
}

static void test_children_of_children_follow(void **state)
{
	struct ilk_test_child *parent;

	(void)state;
	SKIP_UNDER_TSAN();
	make_life();
	parent = ilk_test_start(spawn_a_line, NULL);
	ilk_test_await(0);
	ilk_test_kill(parent);
	check_all_are_gone();
}

/* The more children are on their way when it dies, the better. */
static void spawn_for_ever(void *arg)
{
	struct ilk_child child;

	(void)arg;
	ilk_test_say(0);
	while (ilk_spawn(&child, sleep_for_ever, NULL, NULL) == 0)
		continue;
	CHECK(0);
}

/* Killed wherever it is in it: before a child has asked for the signal, too. */
static void test_no_child_is_left_of_a_parent_killed_while_it_spawns(void **state)
{
	int rounds = support_slow() ? ROUNDS / 4 : ROUNDS;

	(void)state;
	srand(1);
	for (int i = 0; i < rounds; i++) {
		struct ilk_test_child *parent;

		make_life();
		parent = ilk_test_start(spawn_for_ever, NULL);
		leave_life_to_them();
		ilk_test_await(0);
		usleep((useconds_t)(rand() % 4000));
		ilk_test_kill(parent);
		wait_for_end_of_life();
		close(life[0]);
	}
}

/* --- asked to outlive it --- */

static int32_t *outliving_pid(void)
{
	return (int32_t *)(void *)&ilk_test_board()->value[0];
}

static void spawn_one_that_outlives(void *arg)
{
	const struct ilk_spawn_options o = {.size = sizeof o, .flags = ILK_SPAWN_OUTLIVES};
	struct ilk_child child;

	(void)arg;
	CHECK_RC(ilk_spawn(&child, live_on, NULL, &o), 0);
	*outliving_pid() = child.pid;
	ilk_test_await(0);
}

static void test_child_that_is_to_outlives_its_parent(void **state)
{
	struct pollfd p;

	(void)state;
	make_life();
	ilk_test_in_child(spawn_one_that_outlives, NULL);
	leave_life_to_them();
	p = (struct pollfd){.fd = life[0], .events = POLLIN};
	assert_int_equal(poll(&p, 1, 100), 0);
	assert_int_equal(kill(*outliving_pid(), SIGKILL), 0);
	check_all_are_gone();
}

/* --- exec, fork --- */

static void spawn_and_execute(void *arg)
{
	struct ilk_child child = start(live_on, NULL);

	(void)arg;
	CHECK(child.pid > 0);
	ilk_test_await(0);
	execl("/bin/sleep", "sleep", "60", (char *)NULL);
	CHECK(0);
}

static void test_children_end_when_their_parent_executes(void **state)
{
	struct ilk_test_child *parent;

	(void)state;
	SKIP_UNDER_EMULATION("the emulator executes in another way");
	make_life();
	parent = ilk_test_start(spawn_and_execute, NULL);
	/* The program has not the pipe: it closes on exec. */
	check_all_are_gone();
	ilk_test_kill(parent);
}

static int return_five(void *arg)
{
	(void)arg;
	return 5;
}

/* In the forked: its parent's handle is not its; and it has a forker of its own. */
static void be_forked(struct ilk_child *parents)
{
	struct ilk_child own;
	struct ilk_end end;

	if (ilk_spawn_join(parents, NULL, ilk_after_ms(50)) != -ECHILD || parents->fd != -1)
		_exit(1);
	if (ilk_spawn(&own, return_five, NULL, NULL) < 0)
		_exit(2);
	if (ilk_spawn_join(&own, &end, patience()) < 0 || end.code != 5)
		_exit(3);
	_exit(0);
}

static void spawn_and_fork(void *arg)
{
	struct ilk_child child = start(sleep_for_ever, NULL);
	struct ilk_end end;
	int status;
	pid_t pid;

	(void)arg;
	pid = fork();
	if (pid == 0)
		be_forked(&child);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK_RC(ilk_spawn_terminate(&child, &end, patience()), 0);
	CHECK(end.signal == SIGTERM);
}

static void test_handle_is_of_the_process_that_spawned(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	ilk_test_in_child(spawn_and_fork, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_children_end_with_a_parent_that_is_killed),
		SEGMENT_TEST(test_children_of_children_follow),
		SEGMENT_TEST(test_no_child_is_left_of_a_parent_killed_while_it_spawns),
		SEGMENT_TEST(test_child_that_is_to_outlives_its_parent),
		SEGMENT_TEST(test_children_end_when_their_parent_executes),
		SEGMENT_TEST(test_handle_is_of_the_process_that_spawned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
