/* pool_death.c - workers and submitters that die: what is run again, given up, dropped, kept. */
#include "pool_fixture.h"

static struct ilk_test_child *staying(void)
{
	struct ilk_test_child *child = ilk_test_start(serve_in_child, NULL);

	ilk_test_await(0);
	return child;
}

static void test_a_task_whose_worker_dies_is_given_up(void **state)
{
	struct ilk_test_child *child;
	struct ilk_outcome out;
	struct ilk_future f, other;

	(void)state;
	introduce();
	f = submitted("stay", 0);
	other = submitted("square", 5);
	child = staying();
	ilk_test_kill_only(child); /* a zombie is dead */
	out = outcome_of(&f);
	assert_int_equal(out.rc, -EOWNERDEAD);
	assert_int_equal(out.signal, 0); /* nobody of ours is its parent */
	assert_int_equal(out.runs, 1);
	assert_string_equal(out.text, "its worker died");
	ilk_test_reap(child);
	CHECK_RC(serve_some(1), 0);
	assert_int_equal(got(&other), 25);
	assert_int_equal(info_of(pool).died, 1);
	check_valid();
}

static void serve_and_be_killed(void *arg)
{
	serve_in_child(arg);
}

/* Two runs end in a death, the third does it. */
static void test_a_task_is_run_again_as_often_as_is_allowed(void **state)
{
	unsigned runs = 0;
	struct ilk_future f;

	(void)state;
	options.retries = 2;
	pool = pool_of("patient");
	introduce();
	f = submitted("die_until", 2);
	ilk_test_join_killed(ilk_test_start(serve_and_be_killed, NULL));
	ilk_test_join_killed(ilk_test_start(serve_and_be_killed, NULL));
	CHECK_RC(ilk_future_poll(&f), 0);
	CHECK_RC(serve_some(1), 0);
	CHECK_RC(ilk_future_get(&f, &runs, sizeof runs, NULL, ILK_NOW), 0);
	assert_int_equal(runs, 3);
	assert_int_equal(ilk_counter_read(counter), 3);
	assert_int_equal(info_of(pool).again, 2);
}

static void test_a_task_is_not_run_more_often(void **state)
{
	struct ilk_outcome out;
	struct ilk_future f;

	(void)state;
	options.retries = 1;
	pool = pool_of("patient");
	introduce();
	f = submitted("die_until", 9);
	ilk_test_join_killed(ilk_test_start(serve_and_be_killed, NULL));
	ilk_test_join_killed(ilk_test_start(serve_and_be_killed, NULL));
	out = outcome_of(&f);
	assert_int_equal(out.rc, -EOWNERDEAD);
	assert_int_equal(out.runs, 2);
	assert_int_equal(ilk_counter_read(counter), 2);
	CHECK_RC(serve_some(1), -ETIMEDOUT);
}

/* Nobody waits for the future, and the worker was asleep. */
static void test_a_sleeping_worker_runs_what_the_dead_had(void **state)
{
	struct ilk_test_child *dies, *lives;
	struct ilk_future f;
	ilk_time limit = ilk_after_ms(ilk_test_limit_ms());

	(void)state;
	options.retries = 1;
	pool = pool_of("patient");
	introduce();
	f = submitted("die_until", 1);
	dies = ilk_test_start(serve_and_be_killed, NULL);
	ilk_test_join_killed(dies);
	lives = ilk_test_start(serve_in_child, NULL);
	while (ilk_future_poll(&f) == 0 && ilk_now() < limit)
		usleep(1000);
	CHECK_RC(ilk_future_poll(&f), 1);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	ilk_test_join(lives);
}

static void *end_in_task(void *arg)
{
	(void)arg;
	ilk_pool_serve(pool, functions, FUNCTIONS, NULL);
	return NULL;
}

static int end_thread(struct ilk_task *task, const void *argument, size_t bytes)
{
	(void)task, (void)argument, (void)bytes;
	pthread_exit(NULL);
}

static void *serve_ending(void *arg)
{
	static const struct ilk_task_function one = {"end_thread", end_thread};

	(void)arg;
	ilk_pool_serve(pool, &one, 1, NULL);
	return NULL;
}

static void test_a_thread_that_ends_in_a_task_is_dead(void **state)
{
	static const struct ilk_task_function one = {"end_thread", end_thread};
	const struct ilk_pool_serve_options o = {.size = sizeof o, .until = 1};
	struct ilk_future f;
	pthread_t thread;

	(void)state;
	(void)end_in_task;
	CHECK_RC(ilk_pool_serve(pool, &one, 1, &o), -ETIMEDOUT);
	f = submitted("end_thread", 0);
	pthread_create(&thread, NULL, serve_ending, NULL);
	pthread_join(thread, NULL);
	assert_int_equal(outcome_of(&f).rc, -EOWNERDEAD);
	CHECK(ilk_object_repair(seg, "work") >= 0);
	assert_int_equal(info_of(pool).workers, 0);
}

/* --- submitters --- */

static void submit_and_stay(void *arg)
{
	(void)arg;
	submitted("square", 1);
	submitted("square", 2);
	CHECK_RC(serve_some(1), 0);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void submit_and_die(void)
{
	struct ilk_test_child *child;

	introduce();
	child = ilk_test_start(submit_and_stay, NULL);
	ilk_test_await(1);
	assert_int_equal(info_of(pool).over, 1);
	assert_int_equal(info_of(pool).queued, 1);
	ilk_test_kill(child);
}

static void test_what_a_dead_process_submitted_is_dropped(void **state)
{
	(void)state;
	submit_and_die();
	CHECK_RC(ilk_object_repair(seg, "work"), ILK_RECOVERED);
	CHECK_RC(serve_some(1), -ETIMEDOUT);
	assert_int_equal(ilk_counter_read(counter), 1);
	assert_int_equal(info_of(pool).over, 0);
	assert_int_equal(info_of(pool).queued, 0);
	assert_int_equal(info_of(pool).dropped, 1);
}

static void serve_echo(void *arg)
{
	static const struct ilk_task_function one = {"echo", echo};

	(void)arg;
	CHECK_RC(ilk_pool_serve(pool, &one, 1, NULL), 0);
}

static void submit_three_and_stay(void *arg)
{
	struct ilk_future f = submitted("echo", 1);

	(void)arg;
	submitted("square", 1);
	submitted("square", 2);
	while (ilk_future_poll(&f) == 0)
		usleep(1000);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static int is_empty(void *arg)
{
	struct ilk_pool_info info = info_of(arg);

	return info.queued + info.running + info.over == 0;
}

/* Nobody else is there: neither who submits, nor one who could run it. */
static void test_an_idle_worker_drops_what_it_cannot_run(void **state)
{
	struct ilk_test_child *worker, *submitter;

	(void)state;
	introduce();
	worker = ilk_test_start(serve_echo, NULL);
	submitter = ilk_test_start(submit_three_and_stay, NULL);
	ilk_test_await(1);
	assert_int_equal(info_of(pool).queued, 2);
	assert_int_equal(info_of(pool).over, 1);
	ilk_test_await_sleepers(name, 1);
	ilk_test_kill(submitter);
	ilk_test_until(is_empty, pool);
	assert_int_equal(info_of(pool).dropped, 2);
	assert_int_equal(ilk_counter_read(counter), 0);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	ilk_test_join(worker);
}

static void test_what_a_dead_process_submitted_is_kept_by_option(void **state)
{
	(void)state;
	options.flags = ILK_POOL_KEEP;
	pool = pool_of("keeps");
	submit_and_die();
	CHECK_RC(serve_some(0), -ETIMEDOUT);
	assert_int_equal(ilk_counter_read(counter), 2);
	assert_int_equal(info_of(pool).over, 0);
	assert_int_equal(info_of(pool).queued, 0);
	assert_int_equal(info_of(pool).dropped, 0);
}

static void fill_and_stay(void *arg)
{
	(void)arg;
	for (int i = 0; i < FOUR; i++)
		submitted("square", i);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

/* There is no worker; who needs the room finds it. */
static void test_the_room_of_a_dead_submitter_comes_back(void **state)
{
	struct ilk_test_child *child;
	struct ilk_future f;
	int64_t x = 1;

	(void)state;
	introduce();
	child = ilk_test_start(fill_and_stay, NULL);
	ilk_test_await(1);
	ilk_test_kill(child);
	CHECK_RC(ilk_pool_submit(
			 pool, "square", &x, sizeof x, &f, ilk_after_ms(ilk_test_limit_ms())),
		0);
	check_valid();
}

static void use_parents(void *arg)
{
	CHECK_RC(ilk_future_poll(arg), -ESTALE);
	CHECK_RC(ilk_future_get(arg, NULL, 0, NULL, ILK_NOW), -ESTALE);
	CHECK_RC(ilk_future_cancel(arg), -ESTALE);
}

static void test_a_future_is_not_the_childs(void **state)
{
	struct ilk_future f;

	(void)state;
	introduce();
	f = submitted("square", 3);
	ilk_test_in_child(use_parents, &f);
	CHECK_RC(serve_some(1), 0);
	assert_int_equal(got(&f), 9);
}

/* --- places --- */

static void test_the_place_of_a_dead_worker_is_taken(void **state)
{
	struct ilk_test_child *child[3];

	(void)state;
	introduce();
	for (int i = 0; i < 3; i++)
		child[i] = ilk_test_start(serve_in_child, NULL);
	await_workers(3);
	for (int i = 0; i < 3; i++)
		ilk_test_kill(child[i]);
	introduce();
	CHECK(ilk_object_repair(seg, "work") >= 0);
	assert_int_equal(info_of(pool).workers, 0);
	CHECK_RC(ilk_object_repair(seg, "work"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(test_a_task_whose_worker_dies_is_given_up),
		POOL_TEST(test_a_task_is_run_again_as_often_as_is_allowed),
		POOL_TEST(test_a_task_is_not_run_more_often),
		POOL_TEST(test_a_sleeping_worker_runs_what_the_dead_had),
		POOL_TEST(test_a_thread_that_ends_in_a_task_is_dead),
		POOL_TEST(test_what_a_dead_process_submitted_is_dropped),
		POOL_TEST(test_an_idle_worker_drops_what_it_cannot_run),
		POOL_TEST(test_what_a_dead_process_submitted_is_kept_by_option),
		POOL_TEST(test_the_room_of_a_dead_submitter_comes_back),
		POOL_TEST(test_a_future_is_not_the_childs),
		POOL_TEST(test_the_place_of_a_dead_worker_is_taken),
	};

	return RUN_POOL_TESTS(tests);
}
