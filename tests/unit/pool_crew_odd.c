/* pool_crew_odd.c - crews in odd circumstances: half of a start, ends that look like others. */
#include "pool_crew_fixture.h"
#include <sys/mman.h>
#include <sys/wait.h>

/* --- a start that gets only some of its workers --- */

static void start_too_many(void)
{
	struct ilk_pool_start_options o = {.size = sizeof o, .flags = how};
	struct ilk_pool_crew *crew = start(2), *none;

	CHECK_RC(ilk_pool_start(pool, 2, more, MORE, &o, &none), -EUSERS);
	await_workers(2);
	stop(crew);
}

static void test_a_start_that_gets_only_some_is_refused(void **state)
{
	(void)state;
	in_both_ways(start_too_many);
}

/* --- a pool is drained, however its workers end --- */

static int exit_at_first(struct ilk_task *task, const void *argument, size_t bytes)
{
	(void)argument, (void)bytes;
	if (ilk_task_runs(task) > 1)
		return 0;
	ilk_test_say(1);
	ilk_test_await(2);
	_exit(0);
}

static const struct ilk_task_function exits[] = {{"exit_at_first", exit_at_first}};

static void supervise(void *arg)
{
	struct ilk_pool_crew *crew;

	(void)arg;
	CHECK_RC(ilk_pool_start(pool, 1, exits, 1, NULL, &crew), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static int is_nobodys(void *arg)
{
	(void)arg;
	ilk_object_repair(seg, "patient");
	return info_of(pool).workers == 0;
}

/* Who sweeps frees the row of a worker that its supervisor was too slow to see off. */
static void test_a_pool_is_drained_although_its_supervisor_was_stopped(void **state)
{
	struct ilk_test_child *child;
	struct ilk_future f;

	(void)state;
	SKIP_UNDER_TSAN();
	options.retries = 1;
	pool = pool_of("patient");
	child = ilk_test_start(supervise, NULL);
	ilk_test_await(0);
	f = submitted("exit_at_first", 0);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	ilk_test_await(1);
	ilk_test_stop(child);
	ilk_test_say(2);
	ilk_test_until(is_nobodys, NULL);
	CHECK_RC(ilk_future_poll(&f), 0);
	ilk_test_continue(child);
	CHECK_RC(ilk_pool_join(pool, ilk_after_ms(ilk_test_limit_ms())), 0);
	CHECK_RC(ilk_future_get(&f, NULL, 0, NULL, ILK_NOW), 0);
	ilk_test_kill(child);
}

static int await_step(struct ilk_task *task, const void *argument, size_t bytes)
{
	int64_t step;

	(void)task, (void)bytes;
	memcpy(&step, argument, sizeof step);
	ilk_test_await((unsigned)step);
	return 0;
}

static const struct ilk_task_function awaits[] = {{"await", await_step}};

static int is_refilled(void *arg)
{
	struct ilk_pool_info info = info_of(pool);

	(void)arg;
	return info.done == 3 && info.running == 3;
}

/* The first three tasks wait for FIRST, the others for the next step. */
static void shrink_and_grow(void)
{
	struct ilk_pool_start_options o = {.size = sizeof o, .flags = how};
	unsigned first = how ? 3 : 1;
	struct ilk_pool_crew *crew;

	options.capacity = 8;
	pool = pool_of(how ? "two" : "one");
	CHECK_RC(ilk_pool_start(pool, 3, awaits, 1, &o, &crew), 0);
	for (int i = 0; i < 8; i++) {
		struct ilk_future f = submitted("await", first + (i >= 3));

		ilk_future_release(&f);
	}
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	while (info_of(pool).running < 3)
		ilk_test_sleep_ms(1);
	CHECK_RC(ilk_pool_resize(crew, 1), 0);
	ilk_test_sleep_ms(SOON);
	CHECK_RC(ilk_pool_resize(crew, 3), 0);
	ilk_test_say(first);
	ilk_test_until(is_refilled, NULL);
	ilk_test_say(first + 1);
	CHECK_RC(ilk_pool_join(pool, ilk_after_ms(ilk_test_limit_ms())), 0);
	stop(crew);
}

static void test_a_closed_pools_crew_shrinks_and_grows(void **state)
{
	(void)state;
	in_both_ways(shrink_and_grow);
}

/* --- a row is one worker's --- */

enum { WORKERS = 6, TASKS = 60 };

static int begin_slowly(void *arg)
{
	ilk_counter_add(arg, 1);
	ilk_test_sleep_ms(4);
	return 0;
}

static int work_shortly(struct ilk_task *task, const void *argument, size_t bytes)
{
	(void)task, (void)argument, (void)bytes;
	ilk_test_sleep_ms(2);
	return 0;
}

static const struct ilk_task_function works[] = {{"work", work_shortly}};

/* While one begins, others that left their rows are seen off. */
static void retire_and_begin(void)
{
	struct ilk_pool_start_options o = {
		.size = sizeof o, .flags = how, .tasks = 1, .begin = begin_slowly, .arg = counter};
	struct ilk_pool_crew *crew;
	int64_t before = ilk_counter_read(counter);

	options.capacity = 64;
	options.workers = WORKERS;
	pool = pool_of(how ? "two" : "one");
	CHECK_RC(ilk_pool_start(pool, WORKERS, works, 1, &o, &crew), 0);
	for (int i = 0; i < TASKS; i++) {
		struct ilk_future f = submitted("work", 0);

		ilk_future_release(&f);
	}
	CHECK_RC(ilk_pool_join(pool, ilk_after_ms(ilk_test_limit_ms())), 0);
	await_workers(WORKERS);
	stop(crew);
	assert_in_range(ilk_counter_read(counter) - before, TASKS, TASKS + WORKERS);
}

static void test_a_worker_that_begins_keeps_its_row(void **state)
{
	(void)state;
	in_both_ways(retire_and_begin);
}

/* --- one that is there, and no worker --- */

static int execute(struct ilk_task *task, const void *argument, size_t bytes)
{
	(void)task, (void)argument, (void)bytes;
	execl("/bin/sleep", "sleep", "1000", (char *)NULL);
	return 77;
}

static const struct ilk_task_function executes[] = {{"execute", execute}, {"square", square}};

static void test_a_worker_that_executes_is_replaced(void **state)
{
	struct ilk_pool_start_options o = {.size = sizeof o};
	struct ilk_pool_crew *crew;
	struct ilk_future f;

	(void)state;
	SKIP_UNDER_TSAN();
	CHECK_RC(ilk_pool_start(pool, 1, executes, 2, &o, &crew), 0);
	f = submitted("execute", 0);
	assert_int_equal(outcome_of(&f).rc, -EOWNERDEAD);
	f = submitted("square", 4);
	assert_int_equal(got(&f), 16);
	stop(crew);
}

/* --- one that does not begin --- */

enum { BEGINS = 4 };

static int fail_slowly(void *arg)
{
	ilk_time(*times)[2] = arg;
	int64_t i = ilk_counter_read(counter);

	if (i >= BEGINS)
		return -EAGAIN;
	times[i][0] = ilk_now();
	ilk_counter_add(counter, 1);
	ilk_test_sleep_ms(110);
	times[i][1] = ilk_now();
	return -EAGAIN;
}

static int has_begun(void *arg)
{
	(void)arg;
	return ilk_counter_read(counter) >= BEGINS;
}

static void fail_to_begin(void)
{
	ilk_time(*times)[2] = mmap(NULL, BEGINS * sizeof *times, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct ilk_pool_crew *crew;

	assert_true(times != MAP_FAILED);
	ilk_counter_add(counter, -ilk_counter_read(counter));
	crew = start_with(1, (struct ilk_pool_start_options){.begin = fail_slowly, .arg = times});
	ilk_test_until(has_begun, NULL);
	stop(crew);
	for (int i = 1; i < BEGINS; i++)
		assert_true(times[i][0] - times[i - 1][1] >= (10 * 1000 * 1000) << (i - 1));
	munmap(times, BEGINS * sizeof *times);
}

static void test_who_is_slow_to_fail_is_replaced_ever_later(void **state)
{
	(void)state;
	in_both_ways(fail_to_begin);
}

/* --- signals --- */

/* Does its thread block SIGUSR1, and not SIGTERM? */
static int look_at_mask(struct ilk_task *task, const void *argument, size_t bytes)
{
	int64_t is_as_it_was;
	sigset_t blocked;

	(void)argument, (void)bytes;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	is_as_it_was = sigismember(&blocked, SIGUSR1) && !sigismember(&blocked, SIGTERM);
	return ilk_task_result(task, &is_as_it_was, sizeof is_as_it_was);
}

static const struct ilk_task_function looks[] = {{"look", look_at_mask}};

/* The program blocks SIGTERM only once all threads of the library are there, and then waits for it. */
static void take_signal(void *arg)
{
	struct timespec soon = {.tv_sec = ilk_test_limit_ms() / 1000 + 1};
	struct ilk_pool_start_options o = {.size = sizeof o};
	struct ilk_pool_crew *crew;
	struct ilk_future f;
	sigset_t set;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	CHECK_RC(ilk_pool_start(pool, 1, looks, 1, &o, &crew), 0);
	CHECK(ilk_pool_fd(pool) >= 0);
	f = submitted("look", 0);
	CHECK(got(&f) == 1);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	CHECK(kill(getpid(), SIGTERM) == 0 && sigtimedwait(&set, NULL, &soon) == SIGTERM);
	CHECK_RC(ilk_pool_fd_close(pool), 0);
	CHECK_RC(ilk_pool_stop(crew, ilk_after_ms(ilk_test_limit_ms())), 0);
	o.flags = ILK_POOL_THREADS;
	sigdelset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	CHECK_RC(ilk_pool_start(pool, 1, looks, 1, &o, &crew), 0);
	f = submitted("look", 0);
	CHECK(got(&f) == 1);
	CHECK_RC(ilk_pool_stop(crew, ilk_after_ms(ilk_test_limit_ms())), 0);
}

static void test_signals_are_the_programs(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	ilk_test_in_child(take_signal, NULL);
}

/* --- descriptors --- */

/* As closefrom(), which not every C library has. */
static void close_all(void)
{
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		close(fd);
}

static int has_children(void)
{
	return waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD;
}

static void close_under_a_crew(void *arg)
{
	struct ilk_pool_crew *crew = start(2);
	struct ilk_future f;

	(void)arg;
	await_workers(2);
	close_all();
	ilk_test_sleep_ms(100);
	CHECK(info_of(pool).workers == 2);
	f = submitted("die_until", 9);
	CHECK(outcome_of(&f).rc == -EOWNERDEAD);
	f = submitted("square", 3);
	CHECK(got(&f) == 9);
	CHECK_RC(ilk_pool_stop(crew, ilk_after_ms(ilk_test_limit_ms())), 0);
	CHECK(info_of(pool).workers == 0 && !has_children());
}

static void test_a_crew_lives_on_where_descriptors_are_closed(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	how = 0;
	ilk_test_in_child(close_under_a_crew, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(test_a_start_that_gets_only_some_is_refused),
		POOL_TEST(test_a_pool_is_drained_although_its_supervisor_was_stopped),
		POOL_TEST(test_a_closed_pools_crew_shrinks_and_grows),
		POOL_TEST(test_a_worker_that_begins_keeps_its_row),
		POOL_TEST(test_a_worker_that_executes_is_replaced),
		POOL_TEST(test_who_is_slow_to_fail_is_replaced_ever_later),
		POOL_TEST(test_signals_are_the_programs),
		POOL_TEST(test_a_crew_lives_on_where_descriptors_are_closed),
	};

	return RUN_POOL_TESTS(tests);
}
