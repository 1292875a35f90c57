/*
 * failing.c NAME - tests that fail on purpose, one a run; report.sh says what each must print. A
 * second test follows it each time: it must run once, whatever the first one did.
 */
#include "raw.h"
#include <errno.h>
#include <fcntl.h>
#include <ilk.h>
#include <ilk/cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct ilk_test_options threads = {.size = sizeof threads, .flags = ILK_TEST_THREADS};

/* --- checks --- */

static void fail_at_one(struct ilk_segment *seg, unsigned index, void *arg)
{
	(void)seg, (void)arg;
	ilk_test_point("before the check");
	assert_int_not_equal(index, 1); /* line of one */
}

static void in_processes(void **state)
{
	(void)state;
	ilk_test_run(3, NULL, fail_at_one, NULL, NULL);
}

static void in_threads(void **state)
{
	(void)state;
	ilk_test_run(3, NULL, fail_at_one, NULL, &threads);
}

static void in_threads_of_a_child(void **state)
{
	const struct ilk_test_options o = {
		.size = sizeof o, .flags = ILK_TEST_THREADS | ILK_TEST_IN_CHILD};

	(void)state;
	ilk_test_run(3, NULL, fail_at_one, NULL, &o);
}

static void fail_each_way(struct ilk_segment *seg, unsigned index, void *arg)
{
	const char *null = NULL;

	switch (index) {
	case 0:
		assert_true(seg == arg && index == 77);
		break;
	case 1:
		assert_string_equal("left", "right");
		break;
	case 2:
		assert_memory_equal("abcd", "abXd", 4);
		break;
	case 3:
		assert_in_range(9, 1, 3);
		break;
	case 4:
		assert_return_code(-1, ENOENT);
		break;
	case 5:
		fail_msg("%d apples", 12);
		break;
	case 6:
		assert_non_null(null);
		break;
	case 7:
		assert_int_equal(-5, 5);
		break;
	case 8:
		ilk_test_check_rc(-EBUSY, 0);
		break;
	case 9:
		assert_null("x");
		break;
	case 10:
		assert_ptr_equal(&index, NULL);
		break;
	case 11:
		assert_false(index == 11);
		break;
	case 12:
		fail();
		break;
	default:
		assert_string_not_equal("same", "same");
	}
}

static void each_way(void **state)
{
	(void)state;
	ilk_test_run(14, NULL, fail_each_way, NULL, NULL);
}

static void in_the_runner(void **state)
{
	(void)state;
	assert_int_equal(2 + 2, 5);
}

static void *check_in_thread(void *arg)
{
	(void)arg;
	assert_int_equal(1, 2);
	return NULL;
}

static void start_a_thread(void *arg)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, check_in_thread, arg), 0);
	pthread_join(thread, NULL);
	ilk_test_sleep_for_ever();
}

static void in_a_thread_of_a_child(void **state)
{
	(void)state;
	ilk_test_in_child(start_a_thread, NULL);
}

static void in_a_strange_thread(void **state)
{
	ilk_test_create("");
	start_a_thread(*state);
}

/* --- without the header --- */

static void check_raw(void *arg)
{
	(void)arg;
	raw_equal(3, 4);
}

static void raw_in_a_child(void **state)
{
	(void)state;
	ilk_test_in_child(check_raw, NULL);
}

static void raw_after_a_fork(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		raw_equal(3, 4);
	waitpid(pid, NULL, 0);
}

static void ours_after_a_fork(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		assert_int_equal(3, 4);
	waitpid(pid, NULL, 0);
}

static void *check_raw_in_thread(void *arg)
{
	check_raw(arg);
	return NULL;
}

static void start_raw_thread(void *arg)
{
	pthread_t thread;

	pthread_create(&thread, NULL, check_raw_in_thread, arg);
	pthread_join(thread, NULL);
}

static void raw_in_a_thread_of_a_child(void **state)
{
	(void)state;
	ilk_test_in_child(start_raw_thread, NULL);
}

/* --- time and ends --- */

static void lock_held(struct ilk_segment *seg, unsigned index, void *arg)
{
	struct ilk_mutex *m;

	(void)arg;
	ilk_test_check_rc(ilk_mutex_open(seg, "taken", NULL, &m), 0);
	ilk_test_point("about to lock");
	if (index == 1)
		ilk_test_check_rc(ilk_mutex_lock(m), 0);
}

static void hang(unsigned flags)
{
	const struct ilk_test_options o = {.size = sizeof o, .flags = flags, .limit_ms = 700};
	struct ilk_segment *seg = ilk_test_create("");
	struct ilk_mutex *m;

	ilk_test_check_rc(ilk_mutex_open(seg, "taken", NULL, &m), 0);
	ilk_test_check_rc(ilk_mutex_lock(m), 0);
	ilk_test_run(3, seg, lock_held, NULL, &o);
}

static void hanging_processes(void **state)
{
	(void)state;
	hang(ILK_TEST_REOPEN);
}

static void hanging_threads(void **state)
{
	(void)state;
	hang(ILK_TEST_THREADS);
}

static void hanging_threads_of_a_child(void **state)
{
	(void)state;
	hang(ILK_TEST_THREADS | ILK_TEST_IN_CHILD);
}

static void pass_a_point(void *arg)
{
	(void)arg;
	ilk_test_point("here");
}

static void point_not_reached(void **state)
{
	(void)state;
	ilk_test_kill_at(ilk_test_start(pass_a_point, NULL), "elsewhere");
}

static void crash(void *arg)
{
	ilk_test_point("about to crash");
	raise(SIGSEGV);
	pass_a_point(arg);
}

static void crashing(void **state)
{
	(void)state;
	ilk_test_in_child(crash, NULL);
}

static void not_joined(void **state)
{
	struct ilk_test_child *child = ilk_test_start(check_raw, NULL);
	siginfo_t info;

	(void)state;
	waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT);
}

static int never(void *arg)
{
	return arg == &arg;
}

static void in_vain(void **state)
{
	(void)state;
	ilk_test_set_limit(100);
	ilk_test_until(never, NULL);
}

/* --- leaks --- */

static void segment_left(void **state)
{
	(void)state;
	ilk_segment_close(ilk_test_create("-forgotten"));
}

static void slot_left(void **state)
{
	struct ilk_mutex *m;

	(void)state;
	ilk_test_check_rc(ilk_mutex_open(ilk_test_create("-open"), "m", NULL, &m), 0);
	ilk_test_check_rc(ilk_mutex_lock(m), 0);
	ilk_test_assert_nothing_left();
}

static void wait_for_ever(void *arg)
{
	if (arg)
		ilk_test_point(arg);
	ilk_test_sleep_for_ever();
}

static void child_left(void **state)
{
	(void)state;
	ilk_test_start(wait_for_ever, NULL);
	ilk_test_assert_nothing_left();
}

static void process_left(void **state)
{
	(void)state;
	if (fork() == 0)
		ilk_test_sleep_for_ever();
}

static void descriptor_left(void **state)
{
	(void)state;
	assert_true(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

static void join_segment(void *seg)
{
	struct ilk_counter *c;

	ilk_test_check_rc(ilk_counter_open(seg, "c", &c), 0);
	wait_for_ever("joined");
}

static void slot_of_the_dead(void **state)
{
	struct ilk_segment *seg = ilk_test_create("");

	(void)state;
	ilk_test_kill_at(ilk_test_start_to("joined", 1, join_segment, seg), "joined");
	ilk_segment_close(seg);
	ilk_test_assert_no_slots(ilk_test_name(""));
}

/* --- all --- */

static void follows(void **state)
{
	(void)state;
	print_message("follows ran\n");
}

int main(int argc, char **argv)
{
#define OUR(f) ILK_TEST(f)
	const struct CMUnitTest all[] = {OUR(in_processes), OUR(in_threads),
		OUR(in_threads_of_a_child), OUR(each_way), OUR(in_the_runner),
		OUR(in_a_thread_of_a_child), OUR(in_a_strange_thread), OUR(raw_in_a_child),
		OUR(raw_after_a_fork), OUR(ours_after_a_fork), OUR(raw_in_a_thread_of_a_child),
		OUR(hanging_processes), OUR(hanging_threads), OUR(hanging_threads_of_a_child),
		OUR(point_not_reached), OUR(crashing), OUR(not_joined), OUR(in_vain),
		OUR(segment_left), OUR(slot_left), OUR(child_left), OUR(process_left),
		OUR(descriptor_left), OUR(slot_of_the_dead)};

	for (size_t i = 0; argc == 2 && i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i].name, argv[1]) == 0) {
			const struct CMUnitTest two[] = {all[i], ILK_TEST(follows)};

			return cmocka_run_group_tests(two, NULL, NULL);
		}
	fprintf(stderr, "usage: failing NAME\n");
	return 100;
}
