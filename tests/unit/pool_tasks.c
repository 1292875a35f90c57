/* pool_tasks.c - tasks that submit tasks, in corners: nobody asks, there is no room, another pool's; and a
 * submitter that is stopped. */
#include "pool_fixture.h"
#include <sys/mman.h>

enum { LONG_CHAIN = 50000, FEW = 2 };

static struct ilk_pool *other;

/* Submits the next of so many, as its argument says, and does not wait. */
static int chain(struct ilk_task *task, const void *argument, size_t bytes)
{
	int64_t left;

	memcpy(&left, argument, sizeof left);
	ilk_counter_add(counter, 1);
	return left-- ? ilk_pool_submit(ilk_task_pool(task), "chain", &left, bytes, NULL, ILK_NOW)
		      : 0;
}

static int square_there(struct ilk_task *task, const void *argument, size_t bytes)
{
	struct ilk_future f;
	int64_t x;

	CHECK_RC(ilk_pool_submit(pool, "square", argument, bytes, &f, ILK_NOW), 0);
	x = got(&f);
	return ilk_task_result(task, &x, sizeof x);
}

static const struct ilk_task_function in_other[] = {{"there", square_there}};

static int serve_other(struct ilk_task *task, const void *argument, size_t bytes)
{
	const struct ilk_pool_serve_options o = {.size = sizeof o, .tasks = 1};

	(void)task, (void)argument, (void)bytes;
	return ilk_pool_serve(other, in_other, 1, &o);
}

static const struct ilk_task_function more[] = {
	{"chain", chain}, {"serve_other", serve_other}, {"square", square}};
enum { MORE = sizeof more / sizeof *more };

static int serve_more(uint64_t tasks, ilk_time until)
{
	const struct ilk_pool_serve_options o = {.size = sizeof o, .tasks = tasks, .until = until};

	return ilk_pool_serve(pool, more, MORE, &o);
}

/* --- nobody asks --- */

static void test_chain_without_room_needs_no_stack(void **state)
{
	struct ilk_future kept[FOUR - 1], f;

	(void)state;
	CHECK_RC(serve_more(0, 1), -ETIMEDOUT);
	for (int i = 0; i < FOUR - 1; i++)
		kept[i] = submitted("square", i);
	CHECK_RC(serve_more(FOUR - 1, ILK_FOREVER), 0);
	f = submitted("chain", LONG_CHAIN);
	CHECK_RC(serve_more(1, ILK_FOREVER), 0);
	assert_int_equal(got(&f), -4711);
	assert_int_equal(ilk_counter_read(counter), FOUR - 1 + LONG_CHAIN + 1);
	for (int i = 0; i < FOUR - 1; i++)
		assert_int_equal(got(&kept[i]), i * i);
	check_valid();
}

static void submit_chain(void *arg)
{
	int64_t x = FEW;

	CHECK_RC(ilk_pool_submit(pool, "chain", &x, sizeof x, NULL, ILK_NOW), 0);
	ilk_test_say(0);
	if (arg)
		ilk_test_sleep_for_ever();
}

static void serve_one(void *arg)
{
	(void)arg;
	CHECK_RC(serve_more(1, ILK_FOREVER), 0);
}

static void test_what_a_task_left_behind_outlives_its_worker(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	CHECK_RC(serve_more(0, 1), -ETIMEDOUT);
	submit_chain(NULL);
	ilk_test_in_child(serve_one, NULL);
	CHECK_RC(ilk_object_repair(seg, "work"), 0);
	assert_int_equal(info_of(pool).queued, 1);
	CHECK_RC(serve_more(FEW, ILK_FOREVER), 0);
	assert_int_equal(ilk_counter_read(counter), FEW + 1);
}

static void test_what_a_task_left_behind_goes_with_who_wanted_it(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	SKIP_UNDER_TSAN();
	CHECK_RC(serve_more(0, 1), -ETIMEDOUT);
	child = ilk_test_start(submit_chain, seg);
	ilk_test_await(0);
	CHECK_RC(serve_more(1, ILK_FOREVER), 0);
	assert_int_equal(info_of(pool).queued, 1);
	ilk_test_kill(child);
	ilk_object_repair(seg, "work");
	assert_int_equal(info_of(pool).queued, 0);
	assert_int_equal(info_of(pool).dropped, 1);
}

/* --- another pool's --- */

static void test_task_is_found_by_who_waits_for_it_in_another_pools(void **state)
{
	const struct ilk_pool_serve_options once = {.size = sizeof once, .until = 1};
	struct ilk_future there, f;
	int64_t x = 5;

	(void)state;
	other = pool_of("other");
	CHECK_RC(serve_more(0, 1), -ETIMEDOUT);
	CHECK_RC(ilk_pool_serve(other, in_other, 1, &once), -ETIMEDOUT);
	CHECK_RC(ilk_pool_submit(other, "there", &x, sizeof x, &there, ILK_NOW), 0);
	f = submitted("serve_other", 0);
	CHECK_RC(serve_more(1, ILK_FOREVER), 0);
	assert_int_equal(got(&there), 25);
	assert_int_equal(got(&f), -4711);
}

/* --- a submitter that is stopped --- */

static void stay_here(int signal)
{
	(void)signal;
	ilk_test_say(0);
	for (;;)
		pause();
}

/* It does not come further than to read the argument. */
static void submit_and_stop(void *arg)
{
	void *nothing = mmap(NULL, MOST, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)arg;
	CHECK(nothing != MAP_FAILED);
	signal(SIGSEGV, stay_here);
	ilk_pool_submit(pool, "square", nothing, sizeof(int64_t), NULL, ILK_NOW);
}

static void test_stopped_submitter_holds_up_nobody(void **state)
{
	struct ilk_test_child *child;
	struct ilk_future f;

	(void)state;
	SKIP_UNDER_TSAN();
	introduce();
	/* One for others: who serves looks on alone. */
	submitted("echo", 0);
	child = ilk_test_start(submit_and_stop, NULL);
	ilk_test_await(0);
	f = submitted("square", 6);
	CHECK_RC(serve_more(1, ilk_after_ms(ilk_test_limit_ms())), 0);
	assert_int_equal(got(&f), 36);
	ilk_test_kill(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(test_chain_without_room_needs_no_stack),
		POOL_TEST(test_what_a_task_left_behind_outlives_its_worker),
		POOL_TEST(test_what_a_task_left_behind_goes_with_who_wanted_it),
		POOL_TEST(test_task_is_found_by_who_waits_for_it_in_another_pools),
		POOL_TEST(test_stopped_submitter_holds_up_nobody),
	};

	return RUN_POOL_TESTS(tests);
}
