/* pool.c - submitting, serving, getting, in one process and in two. */
#include "pool_fixture.h"

static void test_a_task_that_is_served_has_its_result(void **state)
{
	struct ilk_future f;

	(void)state;
	introduce();
	f = submitted("square", 7);
	CHECK_RC(ilk_future_poll(&f), 0);
	CHECK_RC(ilk_future_get(&f, NULL, 0, NULL, ILK_NOW), -EAGAIN);
	CHECK_RC(ilk_future_get(&f, NULL, 0, NULL, ilk_after_ms(5)), -ETIMEDOUT);
	CHECK_RC(serve_some(1), 0);
	CHECK_RC(ilk_future_poll(&f), 1);
	assert_int_equal(got(&f), 49);
	CHECK_RC(ilk_future_poll(&f), -ESTALE);
	assert_int_equal(got(&f), -ESTALE);
	check_valid();
}

static void test_a_copy_of_a_future_that_was_got_is_stale(void **state)
{
	struct ilk_future f, copy;

	(void)state;
	introduce();
	f = submitted("square", 2);
	copy = f;
	CHECK_RC(serve_some(1), 0);
	assert_int_equal(got(&f), 4);
	assert_int_equal(got(&copy), -ESTALE);
	CHECK_RC(ilk_future_cancel(&copy), -ESTALE);
	CHECK_RC(ilk_future_release(&copy), -ESTALE);
}

static void test_tasks_go_on_through_all_wraps(void **state)
{
	struct ilk_future f[FOUR];

	(void)state;
	introduce();
	for (int64_t lap = 0; lap < LAPS; lap++) {
		for (int64_t i = 0; i < FOUR; i++)
			f[i] = submitted("square", lap * FOUR + i);
		CHECK_RC(serve_some(FOUR), 0);
		for (int64_t i = 0; i < FOUR; i++)
			assert_int_equal(got(&f[i]), (lap * FOUR + i) * (lap * FOUR + i));
	}
	assert_int_equal(info_of(pool).done, LAPS * FOUR);
	check_valid();
}

/* Results are got in another order than tasks came, and one is held for long. */
static void test_a_result_that_is_kept_holds_up_nobody(void **state)
{
	struct ilk_future kept, f;

	(void)state;
	introduce();
	kept = submitted("square", 3);
	for (int64_t i = 0; i < LAPS * FOUR; i++) {
		f = submitted("square", i);
		CHECK_RC(serve_some(i ? 1 : 2), 0);
		assert_int_equal(got(&f), i * i);
	}
	assert_int_equal(got(&kept), 9);
}

static void test_submit_to_a_full_pool_waits_for_a_place(void **state)
{
	struct ilk_future f[FOUR], more;
	int64_t x = 1;

	(void)state;
	introduce();
	for (int i = 0; i < FOUR; i++)
		f[i] = submitted("square", i);
	CHECK_RC(ilk_pool_submit(pool, "square", &x, sizeof x, &more, ILK_NOW), -EAGAIN);
	CHECK_RC(ilk_pool_submit(pool, "square", &x, sizeof x, &more, ilk_after_ms(SOON)),
		-ETIMEDOUT);
	CHECK_RC(serve_some(FOUR), 0);
	/* Over, but not got: there is no room yet. */
	CHECK_RC(ilk_pool_submit(pool, "square", &x, sizeof x, &more, ILK_NOW), -EAGAIN);
	assert_int_equal(got(&f[2]), 4);
	CHECK_RC(ilk_pool_submit(pool, "square", &x, sizeof x, &more, ILK_NOW), 0);
	assert_int_equal(info_of(pool).queued, 1);
	assert_int_equal(info_of(pool).over, FOUR - 1);
}

static int64_t sleepy;

static int get_two(void *arg)
{
	ilk_test_await_sleepers(name, 1);
	return got(arg) == 4 ? 0 : -1;
}

static void *get_later(void *arg)
{
	return (void *)(intptr_t)get_two(arg);
}

static void test_a_sleeping_submitter_gets_a_place(void **state)
{
	struct ilk_future f[FOUR], more;
	pthread_t thread;
	void *rc;

	(void)state;
	introduce();
	for (int i = 0; i < FOUR; i++)
		f[i] = submitted("square", i);
	CHECK_RC(serve_some(FOUR), 0);
	pthread_create(&thread, NULL, get_later, &f[2]);
	sleepy = 5;
	CHECK_RC(ilk_pool_submit(pool, "square", &sleepy, sizeof sleepy, &more,
			 ilk_after_ms(ilk_test_limit_ms())),
		0);
	pthread_join(thread, &rc);
	assert_null(rc);
}

static void test_a_future_is_waited_for_while_a_child_serves(void **state)
{
	struct ilk_test_child *child;
	struct ilk_future f;

	(void)state;
	introduce();
	child = ilk_test_start(serve_in_child, NULL);
	for (int64_t i = 0; i < 100; i++) {
		f = submitted("square", i);
		assert_int_equal(got(&f), i * i);
	}
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	ilk_test_join(child);
	assert_int_equal(ilk_counter_read(counter), 100);
}

static void test_arguments_of_no_and_of_all_bytes_come_and_go(void **state)
{
	char all[MOST], back[MOST];
	struct ilk_outcome out;
	struct ilk_future f, g;

	(void)state;
	introduce();
	memset(all, 'x', sizeof all);
	CHECK_RC(ilk_pool_submit(pool, "echo", NULL, 0, &f, ILK_NOW), 0);
	CHECK_RC(ilk_pool_submit(pool, "echo", all, sizeof all, &g, ILK_NOW), 0);
	CHECK_RC(serve_some(2), 0);
	CHECK_RC(ilk_future_get(&f, NULL, 0, &out, ILK_NOW), 0);
	assert_int_equal(out.bytes, 0);
	assert_int_equal(out.runs, 1);
	CHECK_RC(ilk_future_get(&g, back, sizeof back - 1, &out, ILK_NOW), -EMSGSIZE);
	assert_int_equal(out.bytes, MOST);
	CHECK_RC(ilk_future_get(&g, back, sizeof back, &out, ILK_NOW), 0);
	assert_memory_equal(all, back, sizeof all);
}

static void test_an_argument_in_place_is_not_copied(void **state)
{
	struct ilk_future f;
	int64_t *x;

	(void)state;
	introduce();
	CHECK_RC(ilk_alloc(seg, sizeof *x, (void **)&x), 0);
	*x = 5;
	CHECK_RC(ilk_pool_submit_in_place(pool, "square", x, sizeof *x, &f, ILK_NOW), 0);
	*x = 6;
	CHECK_RC(serve_some(1), 0);
	assert_int_equal(got(&f), 36);
	CHECK_RC(ilk_pool_submit_in_place(pool, "square", &f, 8, &f, ILK_NOW), -EINVAL);
	CHECK_RC(
		ilk_pool_submit_in_place(pool, "square", x, (size_t)1 << 40, &f, ILK_NOW), -EINVAL);
}

/* Writes as many bytes as its argument says, as far as there is room, and says that they are all. */
static int write_in_place(struct ilk_task *task, const void *argument, size_t bytes)
{
	size_t room;
	char *result = ilk_task_room(task, &room);
	int64_t n;

	if (bytes != sizeof n || room != MOST || (uintptr_t)result % 16)
		return ilk_task_fail(task, -EPROTO, "another room than it was to be");
	memcpy(&n, argument, sizeof n);
	memset(result, 'x', n < MOST ? (size_t)n : room);
	return ilk_task_result(task, result, (size_t)n);
}

static void test_a_result_is_written_in_place(void **state)
{
	static const struct ilk_task_function one = {"write_in_place", write_in_place};
	const struct ilk_pool_serve_options look = {.size = sizeof look, .until = 1},
					    serve = {.size = sizeof serve, .tasks = 4};
	static const int64_t sizes[FOUR] = {0, 5, MOST, MOST + 1};
	struct ilk_future f[FOUR];
	struct ilk_outcome out;
	char all[MOST], result[MOST];

	(void)state;
	options.argument_bytes = 17; /* results lie behind it, and are aligned all the same */
	pool = pool_of("odd");
	CHECK_RC(ilk_pool_serve(pool, &one, 1, &look), -ETIMEDOUT);
	for (int i = 0; i < FOUR; i++)
		f[i] = submitted("write_in_place", sizes[i]);
	CHECK_RC(ilk_pool_serve(pool, &one, 1, &serve), 0);
	memset(all, 'x', sizeof all);
	for (int i = 0; i < FOUR - 1; i++) {
		CHECK_RC(ilk_future_get(&f[i], result, sizeof result, &out, ILK_NOW), 0);
		assert_int_equal(out.bytes, sizes[i]);
		assert_memory_equal(result, all, out.bytes);
	}
	assert_int_equal(outcome_of(&f[FOUR - 1]).rc, -EMSGSIZE);
}

static void test_an_error_reaches_its_future_and_no_other(void **state)
{
	struct ilk_outcome out;
	struct ilk_future bad, plain, good;

	(void)state;
	introduce();
	bad = submitted("fail_by", (uint32_t)-ENODATA);
	plain = submitted("fail_by", 7);
	good = submitted("square", 3);
	CHECK_RC(serve_some(3), 0);
	out = outcome_of(&bad);
	assert_int_equal(out.rc, -ENODATA);
	assert_string_equal(out.text, "no such data");
	out = outcome_of(&plain);
	assert_int_equal(out.rc, 7);
	assert_string_equal(out.text, "");
	assert_int_equal(got(&good), 9);
	assert_int_equal(info_of(pool).failed, 2);
}

static void test_a_result_that_is_too_large_is_a_failure(void **state)
{
	struct ilk_outcome out;
	struct ilk_future f;

	(void)state;
	introduce();
	f = submitted("too_large", 0);
	CHECK_RC(serve_some(1), 0);
	out = outcome_of(&f);
	assert_int_equal(out.rc, -EMSGSIZE);
	assert_non_null(strstr(out.text, "larger"));
}

static void test_cancel_reaches_what_is_queued_only(void **state)
{
	struct ilk_outcome out;
	struct ilk_future f, g;

	(void)state;
	introduce();
	f = submitted("square", 3);
	g = submitted("square", 4);
	CHECK_RC(ilk_future_cancel(&f), 0);
	CHECK_RC(ilk_future_cancel(&f), -EALREADY);
	CHECK_RC(serve_some(1), 0);
	out = outcome_of(&f);
	assert_int_equal(out.rc, -ECANCELED);
	assert_int_equal(out.runs, 0);
	CHECK_RC(ilk_future_cancel(&g), -EALREADY);
	assert_int_equal(got(&g), 16);
	assert_int_equal(info_of(pool).cancelled, 1);
	assert_int_equal(ilk_counter_read(counter), 1);
}

static void test_cancel_of_what_runs_is_refused(void **state)
{
	struct ilk_test_child *child;
	struct ilk_future f;

	(void)state;
	introduce();
	f = submitted("stay", 0);
	child = ilk_test_start(serve_in_child, NULL);
	ilk_test_await(0);
	CHECK_RC(ilk_future_cancel(&f), -EBUSY);
	CHECK_RC(ilk_future_poll(&f), 0);
	ilk_test_kill(child);
}

static void test_what_nobody_wants_is_run_and_gone(void **state)
{
	struct ilk_future f;
	int64_t x = 2;

	(void)state;
	introduce();
	for (int i = 0; i < 3 * FOUR; i++) {
		CHECK_RC(ilk_pool_submit(pool, "square", &x, sizeof x, NULL, ILK_NOW), 0);
		f = submitted("square", 3);
		CHECK_RC(ilk_future_release(&f), 0);
		CHECK_RC(ilk_future_release(&f), -ESTALE);
		CHECK_RC(serve_some(2), 0);
	}
	f = submitted("square", 3);
	CHECK_RC(serve_some(1), 0);
	CHECK_RC(ilk_future_release(&f), 0);
	assert_int_equal(info_of(pool).over, 0);
	assert_int_equal(ilk_counter_read(counter), 6 * FOUR + 1);
}

static void test_join_waits_for_what_is_queued(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	introduce();
	CHECK_RC(ilk_pool_join(pool, ILK_NOW), 0);
	for (int i = 0; i < FOUR; i++)
		submitted("square", i);
	CHECK_RC(ilk_pool_join(pool, ILK_NOW), -EAGAIN);
	CHECK_RC(ilk_pool_join(pool, ilk_after_ms(SOON)), -ETIMEDOUT);
	child = ilk_test_start(serve_in_child, NULL);
	CHECK_RC(ilk_pool_join(pool, ilk_after_ms(ilk_test_limit_ms())), 0);
	assert_int_equal(info_of(pool).over, FOUR);
	CHECK_RC(ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
	ilk_test_join(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(test_a_task_that_is_served_has_its_result),
		POOL_TEST(test_a_copy_of_a_future_that_was_got_is_stale),
		POOL_TEST(test_tasks_go_on_through_all_wraps),
		POOL_TEST(test_a_result_that_is_kept_holds_up_nobody),
		POOL_TEST(test_submit_to_a_full_pool_waits_for_a_place),
		POOL_TEST(test_a_sleeping_submitter_gets_a_place),
		POOL_TEST(test_a_future_is_waited_for_while_a_child_serves),
		POOL_TEST(test_arguments_of_no_and_of_all_bytes_come_and_go),
		POOL_TEST(test_an_argument_in_place_is_not_copied),
		POOL_TEST(test_a_result_is_written_in_place),
		POOL_TEST(test_an_error_reaches_its_future_and_no_other),
		POOL_TEST(test_a_result_that_is_too_large_is_a_failure),
		POOL_TEST(test_cancel_reaches_what_is_queued_only),
		POOL_TEST(test_cancel_of_what_runs_is_refused),
		POOL_TEST(test_what_nobody_wants_is_run_and_gone),
		POOL_TEST(test_join_waits_for_what_is_queued),
	};

	return RUN_POOL_TESTS(tests);
}
