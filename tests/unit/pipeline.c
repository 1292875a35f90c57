/* pipeline.c - stages in a row: what comes out, in which order; errors, and misuse. */
#include "pipeline_fixture.h"
#include <limits.h>

/* --- all goes well --- */

static void test_each_message_comes_out_once(void **state)
{
	struct ilk_stage_info info = {.size = sizeof info};
	struct ilk_usage before, after;

	(void)state;
	set_up();
	CHECK_RC(ilk_usage(seg, &before), 0);
	CHECK_RC(run_with(NULL), 0);
	check_each_once();
	for (unsigned i = 0; i < 4; i++) {
		CHECK_RC(ilk_stage_info(p, i, &info), 0);
		assert_int_equal(info.taken, MANY);
		assert_int_equal(info.sent, MANY);
		assert_int_equal(info.again + info.skipped + info.doubled + info.died, 0);
	}
	CHECK_RC(ilk_stage_info(p, 4, &info), -EINVAL);
	CHECK_RC(ilk_pipeline_join(p, ILK_NOW), 0);
	ilk_pipeline_end(p);
	CHECK_RC(ilk_usage(seg, &after), 0);
	assert_int_equal(after.used, before.used);
}

static void test_order_is_kept_where_asked(void **state)
{
	const struct ilk_pipeline_options o = {
		.size = sizeof o, .flags = ILK_PIPELINE_ORDERED, .window = 16};

	(void)state;
	set_up();
	stages[1].workers = stages[2].workers = 3;
	CHECK_RC(run_with(&o), 0);
	ilk_pipeline_end(p);
	check_each_once();
	assert_int_equal(seen->out_of_order, 0);
}

static void test_smallest_window_and_queues_do(void **state)
{
	const struct ilk_pipeline_options o = {.size = sizeof o, .window = 2};

	(void)state;
	set_up();
	at_once = 100;
	for (int i = 0; i < 4; i++)
		stages[i].capacity = 1;
	CHECK_RC(run_with(&o), 0);
	ilk_pipeline_end(p);
	check_each_once();
}

static int odd_only(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	return w->number % 2 ? twice(w, in, bytes, arg) : 0;
}

static void test_what_a_stage_does_not_send_on_goes_no_further(void **state)
{
	const struct ilk_pipeline_options o = {.size = sizeof o, .flags = ILK_PIPELINE_ORDERED};
	struct ilk_stage_info info = {.size = sizeof info};

	(void)state;
	set_up();
	stages[1].body = odd_only;
	CHECK_RC(run_with(&o), 0);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_RC(ilk_stage_info(p, i, &info), 0);
		assert_int_equal(info.taken, i < 2 ? MANY : MANY / 2);
		assert_int_equal(info.sent, info.taken);
	}
	ilk_pipeline_end(p);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(seen->count[i], i % 2);
	assert_int_equal(seen->begun[2][0], 0);
}

static void test_nothing_to_do_is_over_at_once(void **state)
{
	(void)state;
	set_up();
	at_once = 0;
	CHECK_RC(run_with(NULL), 0);
	ilk_pipeline_end(p);
}

static void test_first_stage_has_several_workers(void **state)
{
	const struct ilk_pipeline_options o = {
		.size = sizeof o, .flags = ILK_PIPELINE_ORDERED, .window = 4};

	(void)state;
	set_up();
	at_once = 203;
	stages[0].workers = 3;
	CHECK_RC(run_with(&o), 0);
	ilk_pipeline_end(p);
	check_each_once();
	assert_int_equal(seen->out_of_order, 0);
	for (int i = 0; i < at_once; i++)
		assert_int_equal(seen->begun[0][i], 1);
	stages[0].workers = 5;
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, &o, &p), -EINVAL);
	assert_non_null(strstr(ilk_last_error(), "window of 4"));
}

static int hold_back(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	if (w->number == 0) {
		ilk_test_say(0);
		ilk_test_await(1);
	}
	return collect(w, in, bytes, arg);
}

static uint64_t taken_by(unsigned stage)
{
	struct ilk_stage_info info = {.size = sizeof info};

	CHECK_RC(ilk_stage_info(p, stage, &info), 0);
	return info.taken;
}

static void test_slow_stage_holds_up_those_before_it(void **state)
{
	const struct ilk_pipeline_options o = {.size = sizeof o, .window = 16};

	(void)state;
	set_up();
	stages[3].body = hold_back;
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, &o, &p), 0);
	ilk_test_await(0);
	while (taken_by(0) < 16)
		usleep(1000);
	CHECK_RC(ilk_pipeline_join(p, ilk_after_ms(50)), -ETIMEDOUT);
	assert_int_equal(taken_by(0), 16);
	assert_int_equal(taken_by(3), 1);
	ilk_test_say(1);
	CHECK_RC(ilk_pipeline_join(p, ilk_after_ms(ilk_test_limit_ms())), 0);
	ilk_pipeline_end(p);
	check_each_once();
}

/* --- errors --- */

static int fail_at_40(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	if (w->number == 40 && w->tries <= (unsigned)(intptr_t)arg)
		return -EDOM;
	return twice(w, in, bytes, arg);
}

static void test_failure_ends_the_pipeline(void **state)
{
	(void)state;
	set_up();
	stages[1].body = fail_at_40;
	stages[1].arg = (void *)(intptr_t)1;
	CHECK_RC(run_with(NULL), -EDOM);
	check_why(-EDOM, "stage twice, message 40: ", ilk_strerror(-EDOM));
	ilk_pipeline_end(p);
	assert_int_equal(seen->count[40], 0);
}

static void test_failure_is_tried_again_as_often_as_said(void **state)
{
	struct ilk_stage_info info = {.size = sizeof info};

	(void)state;
	set_up();
	stages[1].body = fail_at_40;
	stages[1].arg = (void *)(intptr_t)2;
	stages[1].tries = 3;
	CHECK_RC(run_with(NULL), 0);
	CHECK_RC(ilk_stage_info(p, 1, &info), 0);
	assert_int_equal(info.again, 2);
	ilk_pipeline_end(p);
	check_each_once();
	memset(seen, 0, sizeof *seen);
	stages[1].tries = 2;
	CHECK_RC(run_with(NULL), -EDOM);
	ilk_pipeline_end(p);
}

static void test_what_fails_is_left_out_where_asked(void **state)
{
	const struct ilk_pipeline_options o = {.size = sizeof o, .flags = ILK_PIPELINE_ORDERED};
	struct ilk_stage_info info = {.size = sizeof info};

	(void)state;
	set_up();
	stages[1].body = fail_at_40;
	stages[1].arg = (void *)(intptr_t)9;
	stages[1].flags = ILK_STAGE_SKIP;
	CHECK_RC(run_with(&o), 0);
	CHECK_RC(ilk_stage_info(p, 1, &info), 0);
	assert_int_equal(info.skipped, 1);
	ilk_pipeline_end(p);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(seen->count[i], i != 40);
}

static int return_at_40(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	if (w->number == 40)
		return (int)(intptr_t)arg;
	return in ? twice(w, in, bytes, arg) : generate(w, in, bytes, arg);
}

/* What it returns at message 40 ends it with RC. */
static void check_returned(unsigned stage, int what, int rc)
{
	set_up();
	stages[stage].body = return_at_40;
	stages[stage].arg = (void *)(intptr_t)what;
	CHECK_RC(run_with(NULL), rc);
	check_why(rc, "message 40: ", rc == -EINVAL ? "positive" : "");
	ilk_pipeline_end(p);
	assert_int_equal(seen->count[40], 0);
}

static void test_whatever_else_a_body_returns_is_a_failure(void **state)
{
	(void)state;
	check_returned(0, ILK_STAGE_END + 1, -EINVAL);
	check_returned(1, ILK_STAGE_END, -EINVAL);
	check_returned(1, INT_MAX, -EINVAL);
	check_returned(0, INT_MIN, -INT_MAX);
	check_returned(1, INT_MIN, -INT_MAX);
}

/* --- misuse --- */

static void test_start_that_fails_leaves_what_others_have(void **state)
{
	struct ilk_usage before, after;
	void *theirs, *again;

	(void)state;
	set_up();
	CHECK_RC(ilk_block_open(seg, "p/plus", 64, &theirs), 0);
	memset(theirs, 7, 64);
	CHECK_RC(ilk_usage(seg, &before), 0);
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), -EEXIST);
	CHECK_RC(ilk_usage(seg, &after), 0);
	assert_int_equal(after.used, before.used);
	CHECK_RC(ilk_block_open(seg, "p/plus", 64, &again), 0);
	assert_ptr_equal(again, theirs);
	assert_int_equal(*(char *)again, 7);
}

static void test_queue_that_is_no_stages_is_left_alone(void **state)
{
	/* As the pipeline would make it. */
	const struct ilk_queue_options o = {
		.size = sizeof o, .capacity = 64, .message_bytes = 16 + sizeof(int)};
	struct ilk_queue_info info = {.size = sizeof info};
	struct ilk_queue_handle h;
	struct ilk_queue *theirs;

	(void)state;
	set_up();
	CHECK_RC(ilk_queue_open(seg, "p/twice.in", &o, &theirs), 0);
	CHECK_RC(ilk_queue_attach(theirs, &h), 0);
	CHECK_RC(ilk_queue_put(&h, "x", 1, ILK_NOW), 0);
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "p/twice.in"));
	CHECK_RC(ilk_queue_info(theirs, &info), 0);
	assert_int_equal(info.depth, 1);
}

static void check_refused(unsigned count, const struct ilk_pipeline_options *o)
{
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, count, o, &p), -EINVAL);
	set_up();
}

static void test_start_of_what_cannot_be_is_EINVAL(void **state)
{
	const struct ilk_pipeline_options odd_size = {.size = 1};
	const struct ilk_pipeline_options odd_window = {.size = sizeof odd_window, .window = 3};
	const struct ilk_pipeline_options ordered = {
		.size = sizeof ordered, .flags = ILK_PIPELINE_ORDERED};

	(void)state;
	set_up();
	check_refused(1, NULL);
	check_refused(ILK_PIPELINE_STAGES + 1, NULL);
	check_refused(4, &odd_size);
	check_refused(4, &odd_window);
	stages[1].body = NULL;
	check_refused(4, NULL);
	stages[1].name = NULL;
	check_refused(4, NULL);
	stages[2].name = stages[0].name;
	check_refused(4, NULL);
	stages[1].tries = ILK_PIPELINE_MOST_TRIES + 1;
	check_refused(4, NULL);
	stages[3].workers = 2;
	check_refused(4, &ordered);
	stages[1].workers = ILK_PIPELINE_WORKERS;
	check_refused(4, NULL);
	stages[1].workers = UINT_MAX;
	check_refused(4, NULL);
	assert_non_null(strstr(ilk_last_error(), "stage twice: more than 256 workers"));
	stages[0].out_bytes = SIZE_MAX - 7;
	check_refused(4, NULL);
	assert_non_null(strstr(ilk_last_error(), "stage generate: out_bytes"));
	stages[0].out_bytes = ILK_QUEUE_MOST_BYTES - 15;
	check_refused(4, NULL);
	stages[0].capacity = SIZE_MAX;
	check_refused(4, NULL);
	stages[3].out_bytes = 1;
	check_refused(4, NULL);
	CHECK_RC(ilk_pipeline_start(seg, NULL, stages, 4, NULL, &p), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_each_message_comes_out_once),
		SEGMENT_TEST(test_order_is_kept_where_asked),
		SEGMENT_TEST(test_smallest_window_and_queues_do),
		SEGMENT_TEST(test_what_a_stage_does_not_send_on_goes_no_further),
		SEGMENT_TEST(test_nothing_to_do_is_over_at_once),
		SEGMENT_TEST(test_first_stage_has_several_workers),
		SEGMENT_TEST(test_slow_stage_holds_up_those_before_it),
		SEGMENT_TEST(test_failure_ends_the_pipeline),
		SEGMENT_TEST(test_failure_is_tried_again_as_often_as_said),
		SEGMENT_TEST(test_what_fails_is_left_out_where_asked),
		SEGMENT_TEST(test_whatever_else_a_body_returns_is_a_failure),
		SEGMENT_TEST(test_start_that_fails_leaves_what_others_have),
		SEGMENT_TEST(test_queue_that_is_no_stages_is_left_alone),
		SEGMENT_TEST(test_start_of_what_cannot_be_is_EINVAL),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
