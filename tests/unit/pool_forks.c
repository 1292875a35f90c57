/* pool_forks.c - a child that is forked in a task: it is no worker, and may submit, wait and serve. */
#include "pool_fixture.h"
#include <sys/wait.h>

/* 0; which step was not as it should be. */
static int use_pool(struct ilk_pool *of_task)
{
	const struct ilk_pool_serve_options o = {
		.size = sizeof o, .tasks = 1, .until = ilk_after_ms(ilk_test_limit_ms())};
	struct ilk_future f;
	int64_t x = 3;

	if (ilk_pool_submit(of_task, "square", &x, sizeof x, &f, ILK_NOW) != 0)
		return 1;
	if (ilk_future_get(&f, &x, sizeof x, NULL, ILK_NOW) != -EAGAIN)
		return 2;
	if (ilk_pool_serve(of_task, functions, FUNCTIONS, &o) != 0)
		return 3;
	if (ilk_future_get(&f, &x, sizeof x, NULL, ILK_NOW) != 0)
		return 4;
	return x == 9 ? 0 : 5;
}

static int fork_in_it(struct ilk_task *task, const void *argument, size_t bytes)
{
	pid_t pid = fork();
	int status = -1;

	(void)argument, (void)bytes;
	if (pid == 0)
		_exit(use_pool(ilk_task_pool(task)));
	waitpid(pid, &status, 0);
	return ilk_task_result(task, &status, sizeof status);
}

static const struct ilk_task_function forking[] = {{"fork", fork_in_it}};

static void serve_forking(void *arg)
{
	const struct ilk_pool_serve_options o = {.size = sizeof o, .tasks = 1};

	(void)arg;
	CHECK_RC(ilk_pool_serve(pool, forking, 1, &o), 0);
}

static void test_a_child_forked_in_a_task_is_not_its_worker(void **state)
{
	const struct ilk_pool_serve_options o = {.size = sizeof o, .until = 1};
	struct ilk_future f;
	int status = -1;

	(void)state;
	SKIP_UNDER_TSAN();
	introduce();
	CHECK_RC(ilk_pool_serve(pool, forking, 1, &o), -ETIMEDOUT);
	f = submitted("fork", 0);
	ilk_test_in_child(serve_forking, NULL);
	CHECK_RC(ilk_future_get(&f, &status, sizeof status, NULL, ILK_NOW), 0);
	assert_int_equal(status, 0);
	check_valid();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(test_a_child_forked_in_a_task_is_not_its_worker),
	};

	return RUN_POOL_TESTS(tests);
}
