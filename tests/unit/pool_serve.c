/* pool_serve.c - workers: what they can run, when they end; tasks of tasks; closing, removing. */
#include "pool_fixture.h"
#include <stdio.h>

static const struct ilk_task_function only_echo[] = {{"echo", echo}};
static const struct ilk_task_function only_square[] = {{"square", square}};

static int serve_only(const struct ilk_task_function *one, uint64_t tasks)
{
	const struct ilk_pool_serve_options o = {
		.size = sizeof o, .tasks = tasks, .until = tasks ? ilk_after_ms(SOON) : 1};

	return ilk_pool_serve(pool, one, 1, &o);
}

static void test_serve_with_bad_functions_is_refused(void **state)
{
	static const struct ilk_task_function
		none = {NULL, echo},
		empty = {"", echo}, no_code = {"x", NULL},
		longest = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			   "aaaaaaaaa",
			echo},
		longer = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			  "aaaaaaaaaa",
			echo};
	const struct ilk_pool_serve_options o = {.size = 3};
	int here;

	(void)state;
	CHECK_RC(ilk_pool_serve(pool, functions, 0, NULL), -EINVAL);
	CHECK_RC(ilk_pool_serve(pool, NULL, 1, NULL), -EINVAL);
	CHECK_RC(serve_only(&none, 1), -EINVAL);
	CHECK_RC(serve_only(&empty, 1), -EINVAL);
	CHECK_RC(serve_only(&no_code, 1), -EINVAL);
	CHECK_RC(serve_only(&longer, 1), -EINVAL);
	CHECK_RC(serve_only(&longest, 1), -ETIMEDOUT);
	CHECK_RC(ilk_pool_serve(pool, functions, 1, &o), -EINVAL);
	CHECK_RC(ilk_pool_serve((struct ilk_pool *)(void *)&here, functions, 1, NULL), -EINVAL);
}

static void test_submit_of_what_cannot_be_is_refused(void **state)
{
	struct ilk_future f;
	char much[MOST + 1] = "";

	(void)state;
	CHECK_RC(ilk_pool_submit(pool, "square", NULL, 0, &f, ILK_NOW), -ENOENT);
	assert_non_null(strstr(ilk_last_error(), "square"));
	introduce();
	CHECK_RC(ilk_pool_submit(pool, "squares", NULL, 0, &f, ILK_NOW), -ENOENT);
	CHECK_RC(ilk_pool_submit(pool, "square", much, sizeof much, &f, ILK_NOW), -EMSGSIZE);
	assert_non_null(strstr(ilk_last_error(), "129"));
	CHECK_RC(ilk_pool_submit_in_place(pool, "square", much, 1, &f, ILK_NOW), -EINVAL);
	assert_non_null(strstr(ilk_last_error(), "segment"));
	f = (struct ilk_future){.pool = NULL};
	CHECK_RC(ilk_future_poll(&f), -ESTALE);
	f = submitted("square", 1);
	f.cell = FOUR;
	CHECK_RC(ilk_future_poll(&f), -EINVAL);
}

static void test_names_beyond_the_most_are_refused(void **state)
{
	char text[16];
	struct ilk_task_function one = {text, echo};

	(void)state;
	for (int i = 0; i <= ILK_POOL_MOST_FUNCTIONS; i++) {
		snprintf(text, sizeof text, "f%d", i);
		CHECK_RC(serve_only(&one, 0), i < ILK_POOL_MOST_FUNCTIONS ? -ETIMEDOUT : -ENOSPC);
	}
	strcpy(text, "f0");
	CHECK_RC(serve_only(&one, 0), -ETIMEDOUT);
}

/* What one has no function for is left to others, and does not hold up what it can run. */
static void test_workers_take_only_what_they_can_run(void **state)
{
	struct ilk_future a, b, c;

	(void)state;
	introduce();
	a = submitted("square", 2);
	b = submitted("echo", 3);
	c = submitted("square", 4);
	CHECK_RC(serve_only(only_echo, 1), 0);
	assert_int_equal(got(&b), 3);
	CHECK_RC(serve_only(only_echo, 0), -ETIMEDOUT);
	assert_int_equal(info_of(pool).queued, 2);
	CHECK_RC(serve_only(only_square, 2), 0);
	assert_int_equal(got(&a), 4);
	assert_int_equal(got(&c), 16);
}

static void serve_echo(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_pool_serve(pool, only_echo, 1, NULL), 0);
}

static void serve_square(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_pool_serve(pool, only_square, 1, NULL), 0);
}

static void test_unlike_workers_share_the_work(void **state)
{
	struct ilk_test_child *one, *two;
	struct ilk_future f[2];

	(void)state;
	introduce();
	one = ilk_test_start(serve_echo, NULL);
	two = ilk_test_start(serve_square, NULL);
	for (int64_t i = 0; i < 200; i++) {
		f[0] = submitted("square", i);
		f[1] = submitted("echo", i);
		assert_int_equal(got(&f[0]), i * i);
		assert_int_equal(got(&f[1]), i);
	}
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	ilk_test_join(one);
	ilk_test_join(two);
}

static int begin_with(void *arg)
{
	return *(int *)arg;
}

static void test_a_worker_begins_by_its_initializer(void **state)
{
	int rc = -EACCES;
	struct ilk_pool_serve_options o = {
		.size = sizeof o, .until = ilk_after_ms(SOON), .begin = begin_with, .arg = &rc};

	(void)state;
	CHECK_RC(ilk_pool_serve(pool, functions, FUNCTIONS, &o), -EACCES);
	assert_int_equal(info_of(pool).workers, 0);
	rc = 0;
	CHECK_RC(ilk_pool_serve(pool, functions, FUNCTIONS, &o), -ETIMEDOUT);
}

static void test_more_workers_than_places_are_refused(void **state)
{
	struct ilk_test_child *child[3];

	(void)state;
	introduce();
	for (int i = 0; i < 3; i++)
		child[i] = ilk_test_start(serve_in_child, NULL);
	await_workers(3);
	CHECK_RC(serve_some(1), -EUSERS);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	for (int i = 0; i < 3; i++)
		ilk_test_join(child[i]);
	assert_int_equal(info_of(pool).workers, 0);
}

/* --- tasks of tasks --- */

static void test_one_worker_runs_a_tree_of_tasks(void **state)
{
	struct ilk_future f;

	(void)state;
	introduce();
	f = submitted("leaves", 5); /* 63 tasks, and four places */
	CHECK_RC(serve_some(0), -ETIMEDOUT);
	assert_int_equal(got(&f), 32);
	check_valid();
}

static void test_three_workers_run_trees_of_tasks(void **state)
{
	struct ilk_test_child *child[3];
	struct ilk_future f;

	(void)state;
	introduce();
	for (int i = 0; i < 3; i++)
		child[i] = ilk_test_start(serve_in_child, NULL);
	for (int i = 0; i < 10; i++) {
		f = submitted("leaves", 5);
		assert_int_equal(got(&f), 32);
	}
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	for (int i = 0; i < 3; i++)
		ilk_test_join(child[i]);
}

static int serve_again(struct ilk_task *task, const void *argument, size_t bytes)
{
	(void)argument, (void)bytes;
	return ilk_pool_serve(ilk_task_pool(task), functions, FUNCTIONS, NULL);
}

static int fork_and_return(struct ilk_task *task, const void *argument, size_t bytes)
{
	pid_t pid = fork();

	(void)argument, (void)bytes;
	if (pid == 0)
		return 0;
	return ilk_task_result(task, &pid, sizeof pid);
}

static const struct ilk_task_function odd[] = {
	{"serve_again", serve_again}, {"fork", fork_and_return}};

static void test_a_task_cannot_serve_its_own_pool(void **state)
{
	const struct ilk_pool_serve_options o = {.size = sizeof o, .tasks = 1};
	struct ilk_future f;

	(void)state;
	CHECK_RC(serve_only(odd, 0), -ETIMEDOUT);
	f = submitted("serve_again", 0);
	CHECK_RC(ilk_pool_serve(pool, odd, 2, &o), 0);
	assert_int_equal(outcome_of(&f).rc, -EDEADLK);
}

static void serve_and_fork(void *arg)
{
	const struct ilk_pool_serve_options o = {.size = sizeof o, .tasks = 1};
	int rc = ilk_pool_serve(pool, odd, 2, &o);

	(void)arg;
	if (rc == -ECHILD)
		_exit(0);
	CHECK_RC(rc, 0);
}

static void test_a_child_that_returns_from_a_task_finishes_nothing(void **state)
{
	struct ilk_future f;
	pid_t pid = 0;

	(void)state;
	SKIP_UNDER_TSAN();
	CHECK_RC(ilk_pool_serve(pool, odd, 2,
			 &(struct ilk_pool_serve_options){
				 .size = sizeof(struct ilk_pool_serve_options), .until = 1}),
		-ETIMEDOUT);
	f = submitted("fork", 0);
	ilk_test_in_child(serve_and_fork, NULL);
	CHECK_RC(ilk_future_get(&f, &pid, sizeof pid, NULL, ILK_NOW), 0);
	assert_true(pid > 0);
	assert_int_equal(info_of(pool).done, 1);
	assert_int_equal(info_of(pool).workers, 0);
}

/* --- the end --- */

static void test_a_closed_pool_is_drained(void **state)
{
	struct ilk_future f;
	int64_t x = 1;

	(void)state;
	introduce();
	f = submitted("square", 3);
	CHECK_RC(ilk_pool_close(pool, 7), -EINVAL);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	CHECK_RC(ilk_pool_submit(pool, "square", &x, sizeof x, &f, ILK_NOW), -EPIPE);
	assert_non_null(strstr(ilk_last_error(), "closed"));
	CHECK_RC(ilk_pool_serve(pool, functions, FUNCTIONS, NULL), 0);
	assert_int_equal(got(&f), 9);
	assert_int_equal(info_of(pool).closed, 1);
}

static void test_a_closed_pool_cancels_what_is_queued(void **state)
{
	struct ilk_future f;

	(void)state;
	introduce();
	f = submitted("square", 3);
	CHECK_RC(ilk_pool_submit(pool, "echo", NULL, 0, NULL, ILK_NOW), 0);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_CANCEL), 0);
	assert_int_equal(outcome_of(&f).rc, -ECANCELED);
	CHECK_RC(ilk_pool_serve(pool, functions, FUNCTIONS, NULL), 0);
	assert_int_equal(ilk_counter_read(counter), 0);
	assert_int_equal(info_of(pool).cancelled, 2);
	assert_int_equal(info_of(pool).over, 0);
}

static void test_a_sleeping_worker_learns_of_the_end(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	introduce();
	child = ilk_test_start(serve_in_child, NULL);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	ilk_test_join(child);
}

static void serve_until_removed(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_pool_serve(pool, functions, FUNCTIONS, NULL), -EIDRM);
}

static int wait_for_it(void *arg)
{
	return ilk_future_get(arg, NULL, 0, NULL, ILK_FOREVER);
}

static void *wait_in_thread(void *arg)
{
	return (void *)(intptr_t)wait_for_it(arg);
}

static void test_removing_its_name_ends_all(void **state)
{
	struct ilk_test_child *child;
	struct ilk_future f;
	pthread_t thread;
	void *rc;

	(void)state;
	introduce();
	f = submitted("square", 1);
	pthread_create(&thread, NULL, wait_in_thread, &f);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_object_remove(seg, "work"), 0);
	pthread_join(thread, &rc);
	assert_int_equal((intptr_t)rc, -EIDRM);
	CHECK_RC(ilk_future_poll(&f), -EIDRM);
	CHECK_RC(ilk_pool_submit(pool, "echo", NULL, 0, NULL, ILK_NOW), -EIDRM);
	CHECK_RC(ilk_pool_join(pool, ILK_NOW), -EIDRM);
	CHECK_RC(serve_some(1), -EIDRM);
	pool = pool_of("work");
	child = ilk_test_start(serve_until_removed, NULL);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_object_remove(seg, "work"), 0);
	ilk_test_join(child);
}

static void *serve_for_ever(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)ilk_pool_serve(pool, functions, FUNCTIONS, NULL);
}

static void test_closing_the_segment_ends_workers_and_waits(void **state)
{
	struct ilk_segment *again;
	struct ilk_future f;
	pthread_t worker, waiter;
	void *rc;

	(void)state;
	CHECK_RC(ilk_segment_open(name, NULL, &again), 0);
	CHECK_RC(ilk_pool_open(again, "work", NULL, &pool), 0);
	pthread_create(&worker, NULL, serve_for_ever, NULL);
	await_workers(1);
	ilk_test_await_sleepers(name, 1);
	pool = pool_of("idle");
	introduce();
	CHECK_RC(ilk_pool_open(again, "idle", NULL, &pool), 0);
	f = submitted("square", 1);
	pthread_create(&waiter, NULL, wait_in_thread, &f);
	ilk_test_await_sleepers(name, 2);
	ilk_segment_close(again);
	pthread_join(worker, &rc);
	assert_int_equal((intptr_t)rc, -ECANCELED);
	pthread_join(waiter, &rc);
	assert_int_equal((intptr_t)rc, -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(test_serve_with_bad_functions_is_refused),
		POOL_TEST(test_submit_of_what_cannot_be_is_refused),
		POOL_TEST(test_names_beyond_the_most_are_refused),
		POOL_TEST(test_workers_take_only_what_they_can_run),
		POOL_TEST(test_unlike_workers_share_the_work),
		POOL_TEST(test_a_worker_begins_by_its_initializer),
		POOL_TEST(test_more_workers_than_places_are_refused),
		POOL_TEST(test_one_worker_runs_a_tree_of_tasks),
		POOL_TEST(test_three_workers_run_trees_of_tasks),
		POOL_TEST(test_a_task_cannot_serve_its_own_pool),
		POOL_TEST(test_a_child_that_returns_from_a_task_finishes_nothing),
		POOL_TEST(test_a_closed_pool_is_drained),
		POOL_TEST(test_a_closed_pool_cancels_what_is_queued),
		POOL_TEST(test_a_sleeping_worker_learns_of_the_end),
		POOL_TEST(test_removing_its_name_ends_all),
		POOL_TEST(test_closing_the_segment_ends_workers_and_waits),
	};

	return RUN_POOL_TESTS(tests);
}
