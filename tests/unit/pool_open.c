/* pool_open.c - options, opening again, what the inspector shows. */
#include "pool_fixture.h"

static int open_as(struct ilk_pool_options o)
{
	struct ilk_pool *p;

	o.size = sizeof o;
	return ilk_pool_open(seg, "work", &o, &p);
}

static int open_new(struct ilk_pool_options o)
{
	struct ilk_pool *p;

	o.size = sizeof o;
	return ilk_pool_open(seg, "new", &o, &p);
}

static void test_options_out_of_range_are_refused(void **state)
{
	const struct ilk_pool_options wrong = {.size = 1};
	struct ilk_pool *p;

	(void)state;
	CHECK_RC(ilk_pool_open(seg, "new", &wrong, &p), -EINVAL);
	CHECK_RC(open_new((struct ilk_pool_options){.capacity = ILK_POOL_MOST_CAPACITY + 1}),
		-EINVAL);
	CHECK_RC(open_new((struct ilk_pool_options){.argument_bytes = ILK_POOL_MOST_BYTES + 1}),
		-EINVAL);
	CHECK_RC(open_new((struct ilk_pool_options){.result_bytes = ILK_POOL_MOST_BYTES + 1}),
		-EINVAL);
	CHECK_RC(
		open_new((struct ilk_pool_options){.workers = ILK_POOL_MOST_WORKERS + 1}), -EINVAL);
	CHECK_RC(
		open_new((struct ilk_pool_options){.retries = ILK_POOL_MOST_RETRIES + 1}), -EINVAL);
	CHECK_RC(open_new((struct ilk_pool_options){.flags = 2}), -EINVAL);
	CHECK_RC(open_new((struct ilk_pool_options){
			 .capacity = ILK_POOL_MOST_CAPACITY, .result_bytes = ILK_POOL_MOST_BYTES}),
		-ENOSPC);
	CHECK_RC(ilk_pool_open(seg, "new", NULL, &p), -ENOENT);
	CHECK_RC(ilk_pool_open(seg, "runs", NULL, &p), -EEXIST);
}

static void test_a_difference_is_named(void **state)
{
	struct ilk_pool_options o = options;
	struct ilk_pool *again;

	(void)state;
	CHECK_RC(open_as(o), 0);
	o.capacity = FOUR - 1; /* the same, rounded */
	CHECK_RC(open_as(o), 0);
	CHECK_RC(ilk_pool_open(seg, "work", NULL, &again), 0);
	assert_ptr_equal(again, pool);
#define CHECK_NAMED(field, value)                                  \
	do {                                                       \
		o = options;                                       \
		o.field = value;                                   \
		CHECK_RC(open_as(o), -EEXIST);                     \
		assert_non_null(strstr(ilk_last_error(), #field)); \
	} while (0)
	CHECK_NAMED(capacity, 8);
	CHECK_NAMED(argument_bytes, 8);
	CHECK_NAMED(result_bytes, 8);
	CHECK_NAMED(workers, 8);
	CHECK_NAMED(retries, 8);
	CHECK_NAMED(flags, ILK_POOL_KEEP);
}

static void test_defaults_are_as_the_header_says(void **state)
{
	struct ilk_pool_options o = {.size = sizeof o};
	struct ilk_pool_info info = {.size = 1};
	struct ilk_pool *p;

	(void)state;
	CHECK_RC(ilk_pool_open(seg, "plain", &o, &p), 0);
	CHECK_RC(ilk_pool_info(p, &info), -EINVAL);
	info = info_of(p);
	assert_int_equal(info.capacity, ILK_POOL_CAPACITY);
	assert_int_equal(info.argument_bytes, ILK_POOL_BYTES);
	assert_int_equal(info.result_bytes, ILK_POOL_BYTES);
	assert_int_equal(info.most_workers, ILK_POOL_WORKERS);
	assert_int_equal(info.retries, 0);
}

static void check_shown(const struct ilk_inspection *i)
{
	int shown = 0, runs = 0;

	for (size_t k = 0; k < i->object_count; k++) {
		const struct ilk_object_info *o = &i->objects[k];

		if (strcmp(o->type, "pool") != 0)
			continue;
		shown++;
		assert_non_null(strstr(o->state, "1 workers, 1 running"));
		assert_int_equal(o->depth, 1);
		assert_int_equal(o->capacity, FOUR);
		assert_string_equal(o->damage, "");
	}
	for (size_t k = 0; k < i->holder_count; k++)
		runs += strcmp(i->holders[k].how, "runs") == 0 &&
			strcmp(i->holders[k].what, "stay") == 0 && i->holders[k].since > 0;
	assert_int_equal(shown, 1);
	assert_int_equal(runs, 1);
}

static void test_the_inspector_shows_who_runs_what(void **state)
{
	struct ilk_test_child *child;
	struct ilk_inspection *i;

	(void)state;
	introduce();
	submitted("stay", 0);
	child = ilk_test_start(serve_in_child, NULL);
	ilk_test_await(0);
	submitted("square", 1);
	CHECK_RC(ilk_inspect(name, &i), 0);
	check_shown(i);
	ilk_inspection_free(i);
	ilk_test_kill(child);
	check_valid();
}

static void test_a_worker_without_work_is_shown_as_such(void **state)
{
	struct ilk_test_child *child;
	struct ilk_inspection *i;
	struct ilk_future f;

	(void)state;
	introduce();
	child = ilk_test_start(serve_in_child, NULL);
	f = submitted("square", 1);
	assert_int_equal(got(&f), 1);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_inspect(name, &i), 0);
	assert_int_equal(i->holder_count, 1);
	assert_string_equal(i->holders[0].how, "serves");
	ilk_inspection_free(i);
	ilk_test_kill(child);
}

static void test_a_read_only_attachment_can_only_look(void **state)
{
	const struct ilk_segment_options o = {.size = sizeof o, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *looking;
	struct ilk_pool *p;
	struct ilk_future f;

	(void)state;
	introduce();
	submitted("square", 1);
	CHECK_RC(ilk_segment_open(name, &o, &looking), 0);
	CHECK_RC(ilk_pool_open(looking, "work", NULL, &p), 0);
	assert_int_equal(info_of(p).queued, 1);
	CHECK_RC(ilk_pool_submit(p, "square", NULL, 0, &f, ILK_NOW), -EROFS);
	CHECK_RC(ilk_pool_serve(p, functions, FUNCTIONS, NULL), -EROFS);
	CHECK_RC(ilk_pool_join(p, ILK_NOW), -EROFS);
	CHECK_RC(ilk_pool_close(p, ILK_POOL_DRAIN), -EROFS);
	ilk_segment_close(looking);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(test_options_out_of_range_are_refused),
		POOL_TEST(test_a_difference_is_named),
		POOL_TEST(test_defaults_are_as_the_header_says),
		POOL_TEST(test_the_inspector_shows_who_runs_what),
		POOL_TEST(test_a_worker_without_work_is_shown_as_such),
		POOL_TEST(test_a_read_only_attachment_can_only_look),
	};

	return RUN_POOL_TESTS(tests);
}
