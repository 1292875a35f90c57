/* spawn.c - starting a child, joining it, how it ended, what it inherits; and misuse. */
#include "spawn_fixture.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct ilk_end join(struct ilk_child *child)
{
	struct ilk_end end = {.code = 77};

	CHECK_RC(ilk_spawn_join(child, &end, patience()), 0);
	return end;
}

/* --- how it ends --- */

static int return_it(void *arg)
{
	return *(int *)arg;
}

static void test_join_tells_the_exit_code_modulo_256(void **state)
{
	static const int codes[] = {0, 1, 7, 255, 256, 511, -1};

	(void)state;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		int code = codes[i];
		struct ilk_child child = start(return_it, &code);
		struct ilk_end end = join(&child);

		assert_int_equal(end.code, codes[i] & 255);
		assert_int_equal(end.signal, 0);
	}
}

static int raise_it(void *arg)
{
	raise(*(int *)arg);
	return 0;
}

static void test_join_tells_the_signal(void **state)
{
	static const int signals[] = {SIGKILL, SIGTERM, SIGALRM};

	(void)state;
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		int number = signals[i];
		struct ilk_child child = start(raise_it, &number);
		struct ilk_end end = join(&child);

		assert_int_equal(end.code, -1);
		assert_int_equal(end.signal, number);
		assert_int_equal(end.core, 0);
	}
}

static void test_join_again_says_the_same_and_nothing_is_left(void **state)
{
	int code = 3;
	struct ilk_child child = start(return_it, &code);

	(void)state;
	assert_true(child.pid > 0 && child.fd >= 0);
	assert_int_equal(join(&child).code, 3);
	assert_int_equal(child.fd, -1);
	assert_int_equal(join(&child).code, 3);
	CHECK_RC(ilk_spawn_join(&child, NULL, ILK_NOW), 0);
	CHECK_RC(ilk_spawn_signal(&child, SIGTERM), -ESRCH);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_join_until_a_deadline_that_passes_is_ETIMEDOUT(void **state)
{
	ilk_time began = ilk_now();
	struct ilk_child child = start(sleep_for_ever, NULL);

	(void)state;
	CHECK_RC(ilk_spawn_join(&child, NULL, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_spawn_join(&child, NULL, INT64_MIN), -ETIMEDOUT);
	CHECK_RC(ilk_spawn_join(&child, NULL, ilk_after_ms(60)), -ETIMEDOUT);
	assert_true(ilk_now() - began >= 60 * 1000000);
	finish(&child);
}

/* --- terminate --- */

static void test_terminate_asks_first(void **state)
{
	struct ilk_child child = start(sleep_for_ever, NULL);
	struct ilk_end end;

	(void)state;
	CHECK_RC(ilk_spawn_terminate(&child, &end, patience()), 0);
	assert_int_equal(end.signal, SIGTERM);
}

static void end_with_seven(int number)
{
	(void)number;
	_exit(7);
}

static int end_by_itself(void *arg)
{
	signal(SIGTERM, end_with_seven);
	return say_and_sleep(arg);
}

static void test_terminate_lets_a_handler_end_it(void **state)
{
	unsigned ready = 0;
	struct ilk_child child;
	struct ilk_end end;

	(void)state;
	if (SUPPORT_TSAN)
		SKIP("ThreadSanitizer puts signals off");
	child = start(end_by_itself, &ready);
	ilk_test_await(ready);
	CHECK_RC(ilk_spawn_terminate(&child, &end, patience()), 0);
	assert_int_equal(end.code, 7);
}

static int refuse(void *arg)
{
	signal(SIGTERM, SIG_IGN);
	return say_and_sleep(arg);
}

static void test_terminate_kills_who_does_not_listen_after_the_grace(void **state)
{
	unsigned ready = 0;
	struct ilk_child child = start(refuse, &ready);
	ilk_time began;
	struct ilk_end end;

	(void)state;
	ilk_test_await(ready);
	began = ilk_now();
	CHECK_RC(ilk_spawn_terminate(&child, &end, ilk_after_ms(50)), 0);
	assert_int_equal(end.signal, SIGKILL);
	assert_true(ilk_now() - began >= 50 * 1000000);
}

static void test_terminate_kills_who_is_stopped(void **state)
{
	struct ilk_child child = start(sleep_for_ever, NULL);
	struct ilk_end end;

	(void)state;
	CHECK_RC(ilk_spawn_signal(&child, SIGSTOP), 0);
	assert_int_equal(waitpid(child.pid, NULL, WUNTRACED), child.pid);
	CHECK_RC(ilk_spawn_terminate(&child, &end, ilk_after_ms(20)), 0);
	assert_int_equal(end.signal, SIGKILL);
}

/* --- threads --- */

static void *spawn_in_thread(void *child)
{
	CHECK_RC(ilk_spawn(child, sleep_for_ever, NULL, NULL), 0);
	return NULL;
}

static void test_the_end_of_the_thread_that_started_it_is_nothing_to_it(void **state)
{
	struct ilk_child child;
	struct ilk_end end;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, spawn_in_thread, &child), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	CHECK_RC(ilk_spawn_join(&child, NULL, ilk_after_ms(100)), -ETIMEDOUT);
	CHECK_RC(ilk_spawn_terminate(&child, &end, patience()), 0);
	assert_int_equal(end.signal, SIGTERM);
}

static void *join_in_thread(void *child)
{
	CHECK(join(child).signal == SIGTERM);
	return NULL;
}

static void test_many_threads_join_one(void **state)
{
	struct ilk_child child = start(sleep_for_ever, NULL);
	pthread_t threads[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, join_in_thread, &child), 0);
	ilk_test_sleep_ms(5);
	CHECK_RC(ilk_spawn_signal(&child, SIGTERM), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(child.fd, -1);
	assert_int_equal(child.pollers, 0);
}

enum { EACH = 12 };

static void *spawn_some(void *arg)
{
	(void)arg;
	for (int i = 0; i < EACH; i++) {
		struct ilk_child child = start(return_it, &i);

		CHECK(join(&child).code == i);
	}
	return NULL;
}

static void test_many_threads_start_at_once(void **state)
{
	pthread_t threads[6];

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, spawn_some, NULL), 0);
	for (int i = 0; i < 6; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* --- any of several --- */

static void test_join_any_tells_which_ended(void **state)
{
	struct ilk_child children[4];
	struct ilk_end end;
	unsigned which;

	(void)state;
	memset(children, 0, sizeof children);
	for (int i = 0; i < 3; i++)
		children[i] = start(sleep_for_ever, NULL);
	CHECK_RC(ilk_spawn_join_any(children, 4, &which, &end, ilk_after_ms(10)), -ETIMEDOUT);
	static const unsigned order[] = {1, 2, 0};

	for (int i = 0; i < 3; i++) {
		CHECK_RC(ilk_spawn_signal(&children[order[i]], SIGKILL), 0);
		CHECK_RC(ilk_spawn_join_any(children, 4, &which, &end, patience()), 0);
		assert_int_equal(which, order[i]);
		assert_int_equal(end.signal, SIGKILL);
	}
	CHECK_RC(ilk_spawn_join_any(children, 4, &which, &end, ILK_FOREVER), -ECHILD);
	assert_int_equal(which, 4);
	CHECK_RC(ilk_spawn_join_any(children, 0, &which, &end, ILK_NOW), -EINVAL);
	CHECK_RC(ilk_spawn_join_any(children, ILK_SPAWN_MOST_ANY + 1, &which, &end, ILK_NOW),
		-EINVAL);
}

/* --- what it inherits --- */

static volatile sig_atomic_t handled;

static void note(int number)
{
	handled = number;
}

/* SIGUSR1 is blocked, SIGUSR2 had a handler, SIGPIPE is ignored, SIGSEGV has one of its own faults. */
static int look_at_signals(void *arg)
{
	struct sigaction a;
	sigset_t blocked;

	(void)arg;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	if (!sigismember(&blocked, SIGUSR1) || sigismember(&blocked, SIGTERM) ||
		sigismember(&blocked, SIGUSR2))
		return 1;
	if (sigaction(SIGUSR2, NULL, &a) < 0 || a.sa_handler != SIG_DFL)
		return 2;
	if (sigaction(SIGPIPE, NULL, &a) < 0 || a.sa_handler != SIG_IGN)
		return 3;
	if (sigaction(SIGFPE, NULL, &a) < 0 || a.sa_handler != note)
		return 4;
	return 0;
}

static void test_child_has_its_starters_mask_and_no_handlers(void **state)
{
	void (*pipe_before)(int) = signal(SIGPIPE, SIG_IGN);
	void (*fault_before)(int) = signal(SIGFPE, note);
	struct ilk_child child;
	sigset_t one, before;

	(void)state;
	signal(SIGUSR2, note);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &one, &before);
	child = start(look_at_signals, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	assert_int_equal(join(&child).code, 0);
	signal(SIGUSR2, SIG_DFL);
	signal(SIGPIPE, pipe_before);
	signal(SIGFPE, fault_before);
	assert_int_equal(handled, 0);
}

static int compare_name(void *arg)
{
	char comm[32] = "";
	FILE *f = fopen("/proc/self/comm", "r");

	if (!f || !fgets(comm, sizeof comm, f))
		return 2;
	fclose(f);
	return strcmp(comm, arg) != 0;
}

static void test_child_has_the_name_that_was_given(void **state)
{
	const struct ilk_spawn_options o = {.size = sizeof o, .name = "a-name-that-is-too-long"};
	struct ilk_child child;

	(void)state;
	SKIP_UNDER_EMULATION("names are the emulator's");
	CHECK_RC(ilk_spawn(&child, compare_name, (void *)(uintptr_t) "a-name-that-is-\n", &o), 0);
	assert_int_equal(join(&child).code, 0);
}

/* --- stdio --- */

static int print_more(void *arg)
{
	(void)arg;
	printf("child;");
	return 0;
}

static void *read_line(void *stream)
{
	char line[8];

	CHECK(fgets(line, sizeof line, stream) && strcmp(line, "\n") == 0);
	return NULL;
}

/* Spawns while a thread reads from STREAM, whose other end is GATE. */
static void spawn_beside_reader(FILE *stream, int gate)
{
	struct ilk_child child;
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, read_line, stream) == 0);
	ilk_test_sleep_ms(20);
	child = start(print_more, NULL);
	CHECK(join(&child).code == 0);
	CHECK(write(gate, "\n", 1) == 1 && pthread_join(thread, NULL) == 0);
}

static void print_and_spawn(void *paths)
{
	const char(*path)[32] = paths;
	FILE *other = fopen(path[1], "w"), *stream;
	int ends[2];

	CHECK(other && freopen(path[0], "w", stdout) != NULL);
	setvbuf(stdout, NULL, _IOFBF, 4096);
	printf("parent;");
	fprintf(other, "other;");
	CHECK(pipe2(ends, O_CLOEXEC) == 0 && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
	spawn_beside_reader(stdin, ends[1]);
	stream = fdopen(ends[0], "r");
	CHECK(stream != NULL);
	spawn_beside_reader(stream, ends[1]);
	fclose(stream);
	fclose(other);
	fflush(stdout);
}

static void check_content(const char *path, const char *expected)
{
	char text[64] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_non_null(fgets(text, sizeof text, f));
	fclose(f);
	unlink(path);
	assert_string_equal(text, expected);
}

/* Nor is a thread that reads in the way. */
static void test_nothing_is_printed_twice(void **state)
{
	char paths[2][32] = {"/tmp/ilk-spawn-XXXXXX", "/tmp/ilk-spawn-XXXXXX"};

	(void)state;
	SKIP_UNDER_TSAN();
	for (int i = 0; i < 2; i++)
		close(mkstemp(paths[i]));
	ilk_test_in_child(print_and_spawn, paths);
	check_content(paths[0], "parent;child;child;");
	check_content(paths[1], "other;");
}

static void *hold_output(void *arg)
{
	(void)arg;
	flockfile(stdout);
	ilk_test_say(0);
	ilk_test_await(1);
	funlockfile(stdout);
	return NULL;
}

static void spawn_beside_a_printer(void *path)
{
	struct ilk_child child;
	pthread_t thread;

	CHECK(freopen(path, "w", stdout) != NULL);
	setvbuf(stdout, NULL, _IOFBF, 4096);
	printf("parent;");
	CHECK(pthread_create(&thread, NULL, hold_output, NULL) == 0);
	ilk_test_await(0);
	child = start(print_more, NULL);
	CHECK(join(&child).code == 0);
	ilk_test_say(1);
	CHECK(pthread_join(thread, NULL) == 0);
	fflush(stdout);
}

static void test_a_thread_that_prints_is_not_in_the_way(void **state)
{
	char path[] = "/tmp/ilk-spawn-XXXXXX";

	(void)state;
	SKIP_UNDER_TSAN();
	close(mkstemp(path));
	ilk_test_in_child(spawn_beside_a_printer, path);
	check_content(path, "child;parent;");
}

static int count_once(void *arg)
{
	struct ilk_counter *c = support_counter(seg, "c");

	(void)arg;
	return ilk_counter_add(c, 1) == 0 ? 0 : 1;
}

static int lock_and_return(void *arg)
{
	return ilk_mutex_lock(support_mutex(seg, arg)) == 0 ? 0 : 1;
}

static void test_child_uses_segments_and_leaves_them_in_order(void **state)
{
	struct ilk_child child = start(count_once, NULL);

	(void)state;
	assert_int_equal(join(&child).code, 0);
	assert_int_equal(ilk_counter_read(support_counter(seg, "c")), 1);
	ilk_test_assert_no_slots(ilk_test_name(""));
	child = start(lock_and_return, (void *)(uintptr_t) "m");
	assert_int_equal(join(&child).code, 0);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "m")), 0);
}

static int execute(void *arg)
{
	execl("/bin/sh", "sh", "-c", (const char *)arg, (char *)NULL);
	return 77;
}

static void test_child_may_execute_a_program(void **state)
{
	struct ilk_child child = start(execute, (void *)(uintptr_t) "exit 5");

	(void)state;
	assert_int_equal(join(&child).code, 5);
}

/* --- misuse, and limits --- */

static void test_spawn_of_what_cannot_be_is_EINVAL(void **state)
{
	const struct ilk_spawn_options odd_size = {.size = 1};
	const struct ilk_spawn_options odd_flag = {.size = sizeof odd_flag, .flags = 2};
	struct ilk_child child;

	(void)state;
	CHECK_RC(ilk_spawn(&child, NULL, NULL, NULL), -EINVAL);
	CHECK_RC(ilk_spawn(&child, sleep_for_ever, NULL, &odd_size), -EINVAL);
	CHECK_RC(ilk_spawn(&child, sleep_for_ever, NULL, &odd_flag), -EINVAL);
	assert_true(strstr(ilk_last_error(), "spawn options") != NULL);
}

/* Uses descriptors up, to a number that is returned. */
static int use_descriptors(void)
{
	int fd;

	do
		fd = dup(STDERR_FILENO);
	while (fd >= 0 && fd < 60);
	return fd;
}

static void limit_descriptors(int last)
{
	struct rlimit few;

	CHECK(getrlimit(RLIMIT_NOFILE, &few) == 0);
	few.rlim_cur = (rlim_t)last + 1;
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
}

static void spawn_without_descriptors(void *arg)
{
	struct ilk_child child = start(sleep_for_ever, NULL), none;
	int last = use_descriptors();

	(void)arg;
	/* None for the gate, one of two; then none for the child's, when the gate has two. */
	for (int more = 0; more < 3; more++) {
		limit_descriptors(last + more);
		CHECK_RC(ilk_spawn(&none, sleep_for_ever, NULL, NULL), -EMFILE);
	}
	limit_descriptors(last + 3);
	finish(&child);
	child = start(sleep_for_ever, NULL);
	finish(&child);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void test_spawn_without_descriptors_is_EMFILE_and_leaves_no_child(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	ilk_test_in_child(spawn_without_descriptors, NULL);
}

static void spawn_without_processes(void *arg)
{
	struct rlimit none = {0, 0};
	struct ilk_child child;

	(void)arg;
	support_become_nobody();
	CHECK(setrlimit(RLIMIT_NPROC, &none) == 0);
	CHECK_RC(ilk_spawn(&child, sleep_for_ever, NULL, NULL), -EAGAIN);
}

static void test_spawn_beyond_the_limit_of_processes_is_EAGAIN(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	if (!support_is_root())
		SKIP("needs root");
	ilk_test_in_child(spawn_without_processes, NULL);
}

static void *flush_all_files(void *go)
{
	while (ilk_load_acquire_((uint32_t *)go))
		fflush(NULL);
	return NULL;
}

static void spawn_beside_flushes(void *arg)
{
	pthread_t thread;
	uint32_t go = 1;
	int code = 0;

	(void)arg;
	CHECK(pthread_create(&thread, NULL, flush_all_files, &go) == 0);
	for (int i = 0; i < 100; i++) {
		struct ilk_child child = start(return_it, &code);

		CHECK_RC(ilk_spawn_join(&child, NULL, patience()), 0);
	}
	ilk_store_release_(&go, 0u);
	pthread_join(thread, NULL);
}

static void test_spawn_ends_beside_who_flushes_all_files(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	ilk_test_in_child(spawn_beside_flushes, NULL);
}

static void ignore_children(void *arg)
{
	int code = 0;
	struct ilk_child child;

	(void)arg;
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 20; i++) {
		child = start(return_it, &code);
		CHECK_RC(ilk_spawn_join(&child, NULL, patience()), -ECHILD);
		CHECK(child.fd == -1);
		CHECK_RC(ilk_spawn_join(&child, NULL, patience()), -ECHILD);
	}
}

static void test_join_where_children_are_not_waited_for_is_ECHILD(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	ilk_test_in_child(ignore_children, NULL);
}

static void reap_the_wrong_way(void *arg)
{
	int code = 0;
	struct ilk_child child = start(return_it, &code);

	(void)arg;
	CHECK(wait(NULL) == child.pid);
	CHECK_RC(ilk_spawn_join(&child, NULL, patience()), -ECHILD);
}

static void test_join_of_what_another_reaped_is_ECHILD(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	ilk_test_in_child(reap_the_wrong_way, NULL);
}

static int wait_for_end(void *arg)
{
	(void)arg;
	ilk_test_sleep_for_ever();
	return 0;
}

/* As closefrom() does; and then the number is another file's. */
static void test_a_child_whose_descriptor_was_closed_is_joined(void **state)
{
	struct ilk_child child = start(wait_for_end, NULL);
	int fd[2] = {child.fd}, other = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(other >= 0 && dup2(other, fd[0]) == fd[0]);
	CHECK_RC(ilk_spawn_join(&child, NULL, ILK_NOW), -ETIMEDOUT);
	fd[1] = child.fd;
	assert_int_equal(dup2(other, fd[1]), fd[1]);
	finish(&child);
	assert_true(fd[0] != fd[1] && close(fd[0]) == 0 && close(fd[1]) == 0);
	close(other);
}

/* The first gets the number that the second had. */
static void test_children_whose_descriptors_were_closed_are_told_apart(void **state)
{
	struct ilk_child children[2];
	struct ilk_end end;
	unsigned which;
	int other = open("/dev/null", O_RDONLY | O_CLOEXEC), first;

	(void)state;
	for (int i = 0; i < 2; i++)
		children[i] = start(wait_for_end, NULL);
	first = children[0].fd;
	assert_int_equal(dup2(other, first), first);
	close(children[1].fd);
	CHECK_RC(ilk_spawn_join_any(children, 2, &which, &end, ILK_NOW), -ETIMEDOUT);
	assert_true(children[0].fd != children[1].fd);
	CHECK_RC(ilk_spawn_signal(&children[1], SIGUSR1), 0);
	CHECK_RC(ilk_spawn_join_any(children, 2, &which, &end, patience()), 0);
	assert_int_equal(which, 1);
	assert_int_equal(end.signal, SIGUSR1);
	finish(&children[0]);
	close(first);
	close(other);
}

/* As where it was closed, and then others' children began. */
static void test_join_does_not_take_anothers_end_for_its_childs(void **state)
{
	struct ilk_child child = start(wait_for_end, NULL), other = start(wait_for_end, NULL);
	int fd = child.fd;

	(void)state;
	assert_int_equal(dup2(other.fd, fd), fd);
	CHECK_RC(ilk_spawn_signal(&other, SIGUSR1), 0);
	CHECK_RC(ilk_spawn_join(&child, NULL, ilk_after_ms(20)), -ETIMEDOUT);
	assert_int_equal(join(&other).signal, SIGUSR1);
	finish(&child);
	close(fd);
}

static void test_a_signal_goes_to_no_other_child(void **state)
{
	struct ilk_child child = start(wait_for_end, NULL), other = start(wait_for_end, NULL);
	int fd = child.fd;

	(void)state;
	assert_int_equal(dup2(other.fd, fd), fd);
	finish(&child);
	CHECK_RC(ilk_spawn_join(&other, NULL, ILK_NOW), -ETIMEDOUT);
	finish(&other);
	close(fd);
}

/* Two that nothing connects: the second's number is free when the first is asked for. */
static void test_children_keep_their_numbers_where_all_are_closed(void **state)
{
	struct ilk_child first = start(wait_for_end, NULL), second = start(wait_for_end, NULL);
	int fd[2] = {first.fd, second.fd};

	(void)state;
	close(first.fd);
	close(second.fd);
	CHECK_RC(ilk_spawn_join(&second, NULL, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_spawn_join(&first, NULL, ILK_NOW), -ETIMEDOUT);
	assert_int_equal(first.fd, fd[0]);
	assert_int_equal(second.fd, fd[1]);
	finish(&first);
	finish(&second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_join_tells_the_exit_code_modulo_256),
		SEGMENT_TEST(test_join_tells_the_signal),
		SEGMENT_TEST(test_join_again_says_the_same_and_nothing_is_left),
		SEGMENT_TEST(test_join_until_a_deadline_that_passes_is_ETIMEDOUT),
		SEGMENT_TEST(test_terminate_asks_first),
		SEGMENT_TEST(test_terminate_lets_a_handler_end_it),
		SEGMENT_TEST(test_terminate_kills_who_does_not_listen_after_the_grace),
		SEGMENT_TEST(test_terminate_kills_who_is_stopped),
		SEGMENT_TEST(test_the_end_of_the_thread_that_started_it_is_nothing_to_it),
		SEGMENT_TEST(test_many_threads_join_one),
		SEGMENT_TEST(test_many_threads_start_at_once),
		SEGMENT_TEST(test_join_any_tells_which_ended),
		SEGMENT_TEST(test_child_has_its_starters_mask_and_no_handlers),
		SEGMENT_TEST(test_child_has_the_name_that_was_given),
		SEGMENT_TEST(test_nothing_is_printed_twice),
		SEGMENT_TEST(test_a_thread_that_prints_is_not_in_the_way),
		SEGMENT_TEST(test_child_uses_segments_and_leaves_them_in_order),
		SEGMENT_TEST(test_child_may_execute_a_program),
		SEGMENT_TEST(test_spawn_of_what_cannot_be_is_EINVAL),
		SEGMENT_TEST(test_spawn_without_descriptors_is_EMFILE_and_leaves_no_child),
		SEGMENT_TEST(test_spawn_beyond_the_limit_of_processes_is_EAGAIN),
		SEGMENT_TEST(test_spawn_ends_beside_who_flushes_all_files),
		SEGMENT_TEST(test_join_where_children_are_not_waited_for_is_ECHILD),
		SEGMENT_TEST(test_join_of_what_another_reaped_is_ECHILD),
		SEGMENT_TEST(test_a_child_whose_descriptor_was_closed_is_joined),
		SEGMENT_TEST(test_children_whose_descriptors_were_closed_are_told_apart),
		SEGMENT_TEST(test_join_does_not_take_anothers_end_for_its_childs),
		SEGMENT_TEST(test_a_signal_goes_to_no_other_child),
		SEGMENT_TEST(test_children_keep_their_numbers_where_all_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
