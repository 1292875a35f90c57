/*
 * descriptors_nameless.c - closefrom(3) where no name leads back to the segment's file.
 *
 * Nobody living may be taken for dead; and the dead, who can no longer be told by their locks, are
 * told by their pid.
 */
#include "segment_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_PERMITTED = 30 };

static struct ilk_segment *nameless;
static struct ilk_mutex *mutex;

static int anonymous_setup(void **state)
{
	if (ilk_test_setup(state) < 0 || ilk_segment_anonymous("x", NULL, &nameless) < 0)
		return -1;
	mutex = support_mutex(nameless, "m");
	return 0;
}

static int anonymous_teardown(void **state)
{
	ilk_segment_close(nameless);
	return ilk_test_teardown(state);
}

#define ANONYMOUS_TEST(f) cmocka_unit_test_setup_teardown(f, anonymous_setup, anonymous_teardown)

/* Closes all descriptors but the standard ones. */
static void close_all(void)
{
	closefrom(3);
}

static enum ilk_holder holder_of(struct ilk_mutex *m)
{
	struct ilk_mutex_owner owner;

	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	return owner.holder;
}

/* --- the living --- */

static void hold_and_close_all(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	close_all();
	ilk_test_say(0);
	ilk_test_await(1);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	ilk_test_say(2);
	ilk_test_sleep_for_ever();
}

static void test_closefrom_while_holding_is_no_death(void **state)
{
	struct ilk_test_child *child = ilk_test_start(hold_and_close_all, NULL);

	(void)state;
	ilk_test_await(0);
	CHECK_RC(ilk_mutex_lock_until(mutex, ilk_after_ms(60)), -ETIMEDOUT);
	ilk_test_say(1);
	ilk_test_await(2);
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	ilk_test_kill(child);
}

static void hold(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void check_taken(void)
{
	CHECK_RC(ilk_mutex_try_lock(mutex), -EBUSY);
	CHECK_RC(ilk_mutex_lock_until(mutex, ilk_after_ms(60)), -ETIMEDOUT);
	CHECK(holder_of(mutex) != ILK_HELD_BY_DEAD);
}

static void close_all_and_look_at_the_living(void *arg)
{
	(void)arg;
	/* A member before it closes all, with another file at each number after. */
	CHECK_RC(ilk_mutex_try_lock(mutex), -EBUSY);
	close_all();
	for (int i = 0; i < 20; i++)
		CHECK(open("/dev/null", O_RDONLY) >= 0);
	check_taken();
}

static void test_who_closed_all_takes_nobody_for_dead(void **state)
{
	struct ilk_test_child *child = ilk_test_start(hold, NULL);

	(void)state;
	ilk_test_await(0);
	ilk_test_in_child(close_all_and_look_at_the_living, NULL);
	ilk_test_kill(child);
}

static void test_who_closed_all_takes_no_stopped_one_for_dead(void **state)
{
	struct ilk_test_child *child = ilk_test_start(hold_and_close_all, NULL);

	(void)state;
	ilk_test_await(0);
	ilk_test_stop(child);
	ilk_test_in_child(close_all_and_look_at_the_living, NULL);
	ilk_test_kill(child);
}

static void *hold_in_a_thread(void *arg)
{
	hold(arg);
	return NULL;
}

/* Its first thread ends, and shows as a zombie; the one that holds lives on. */
static void hold_without_the_first_thread(void *arg)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, hold_in_a_thread, arg) == 0);
	ilk_test_await(0);
	pthread_exit(NULL);
}

static int has_only_a_zombie_to_show(void *arg)
{
	const struct ilk_test_child *child = arg;
	char path[40], text[512] = "";
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)child->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
	close(fd);
	return strstr(text, ") Z ") != NULL;
}

static void test_who_closed_all_takes_no_process_without_its_first_thread_for_dead(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	SKIP_UNDER_TSAN();
	child = ilk_test_start(hold_without_the_first_thread, NULL);
	ilk_test_until(has_only_a_zombie_to_show, child);
	ilk_test_in_child(close_all_and_look_at_the_living, NULL);
	ilk_test_kill(child);
}

/* In a pid namespace in which the holder's pid is nobody's. */
static void look_at_the_living_from_elsewhere(void *arg)
{
	int status = 0;
	pid_t pid;

	if (unshare(CLONE_NEWPID) < 0) {
		ilk_test_say(NOT_PERMITTED);
		return;
	}
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		close_all_and_look_at_the_living(arg);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static void test_who_closed_all_takes_nobody_of_another_namespace_for_dead(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	if (!support_is_root() || support_emulated() || SUPPORT_TSAN)
		SKIP("a pid namespace needs root, and neither an emulator nor ThreadSanitizer");
	child = ilk_test_start(hold, NULL);
	ilk_test_await(0);
	ilk_test_in_child(look_at_the_living_from_elsewhere, NULL);
	ilk_test_kill(child);
	if (ilk_test_was_said(NOT_PERMITTED))
		SKIP("pid namespaces are not permitted here");
}

/* --- the dead --- */

/* A member before it closes all; sees the holder alive, and dead once that was killed. */
static void close_all_and_judge(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_try_lock(mutex), -EBUSY);
	close_all();
	check_taken();
	ilk_test_say(1);
	ilk_test_await(2);
	CHECK_RC(ilk_mutex_lock_until(mutex, ilk_after_ms(ilk_test_limit_ms() / 2)), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_repaired(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
}

/* Kills the holder by KILL_SO when there is one who has closed all. */
static void check_death_is_noticed(void (*kill_so)(struct ilk_test_child *child))
{
	struct ilk_test_child *child = ilk_test_start(hold, NULL), *judging;

	ilk_test_await(0);
	judging = ilk_test_start(close_all_and_judge, NULL);
	ilk_test_await(1);
	kill_so(child);
	ilk_test_say(2);
	ilk_test_join(judging);
	if (child->pid)
		ilk_test_reap(child);
}

static void test_who_closed_all_notices_a_death(void **state)
{
	(void)state;
	check_death_is_noticed(ilk_test_kill);
}

static void test_who_closed_all_notices_a_zombie(void **state)
{
	(void)state;
	check_death_is_noticed(ilk_test_kill_only);
}

static void lose_name(void)
{
	support_unlink(ilk_test_name(""));
	mutex = support_mutex(seg, "m");
}

static void test_who_closed_all_notices_a_death_in_an_unlinked_one(void **state)
{
	(void)state;
	lose_name();
	check_death_is_noticed(ilk_test_kill);
}

static void test_who_closed_all_notices_a_zombie_in_an_unlinked_one(void **state)
{
	(void)state;
	lose_name();
	check_death_is_noticed(ilk_test_kill_only);
}

/* --- joining --- */

static void close_all_and_fail_to_join(void *arg)
{
	(void)arg;
	close_all();
	CHECK_RC(ilk_mutex_lock(mutex), -EBADF);
	CHECK_RC(ilk_mutex_try_lock(mutex), -EBADF);
	CHECK(strstr(ilk_strerror(-EBADF), "does not expect") == NULL);
}

static void test_lock_of_a_child_that_closed_all_first_is_EBADF(void **state)
{
	(void)state;
	ilk_test_in_child(close_all_and_fail_to_join, NULL);
	/* It was never there. */
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
}

/* --- no cancellation point --- */

static void hold_for_ever(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void *be_cancelled(void *arg)
{
	(void)arg;
	ilk_test_say(2);
	CHECK_RC(ilk_mutex_lock_until(mutex, ilk_after_ms(300)), -ETIMEDOUT);
	ilk_test_say(3);
	pthread_testcancel();
	return NULL;
}

static void close_all_and_cancel(void *arg)
{
	pthread_t thread;
	void *end;

	(void)arg;
	CHECK_RC(ilk_mutex_lock_until(mutex, ILK_NOW), -ETIMEDOUT);
	close_all();
	CHECK(pthread_create(&thread, NULL, be_cancelled, NULL) == 0);
	ilk_test_await(2);
	CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &end) == 0);
	CHECK(end == PTHREAD_CANCELED && ilk_test_was_said(3));
	/* Nobody is left inside whom it would wait for. */
	ilk_segment_close(nameless);
}

static void test_cancelled_while_it_looks_for_a_pid_a_lock_goes_on(void **state)
{
	struct ilk_test_child *holder = ilk_test_start(hold_for_ever, NULL);

	(void)state;
	ilk_test_await(0);
	ilk_test_in_child(close_all_and_cancel, NULL);
	ilk_test_kill(holder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ANONYMOUS_TEST(test_closefrom_while_holding_is_no_death),
		ANONYMOUS_TEST(test_who_closed_all_takes_nobody_for_dead),
		ANONYMOUS_TEST(test_who_closed_all_takes_no_stopped_one_for_dead),
		ANONYMOUS_TEST(
			test_who_closed_all_takes_no_process_without_its_first_thread_for_dead),
		ANONYMOUS_TEST(test_who_closed_all_takes_nobody_of_another_namespace_for_dead),
		ANONYMOUS_TEST(test_who_closed_all_notices_a_death),
		ANONYMOUS_TEST(test_who_closed_all_notices_a_zombie),
		SEGMENT_TEST(test_who_closed_all_notices_a_death_in_an_unlinked_one),
		SEGMENT_TEST(test_who_closed_all_notices_a_zombie_in_an_unlinked_one),
		ANONYMOUS_TEST(test_lock_of_a_child_that_closed_all_first_is_EBADF),
		ANONYMOUS_TEST(test_cancelled_while_it_looks_for_a_pid_a_lock_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
