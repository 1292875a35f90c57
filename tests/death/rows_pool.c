/* rows_pool.c - a pool looked at from inside: corrupt states, and hints that are wrong. */
#include "support.h"
#include "work/tasks.h"
#include "segment/types.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 4 };

static struct ilk_segment *seg;
static struct ilk_pool *pool;
static const struct ilk_pool_view_ *v;

static int echo(struct ilk_task *task, const void *argument, size_t bytes)
{
	return ilk_task_result(task, argument, bytes);
}

static const struct ilk_task_function functions[] = {{"echo", echo}};

static int serve(uint64_t tasks, ilk_time until)
{
	const struct ilk_pool_serve_options o = {.size = sizeof o, .tasks = tasks, .until = until};

	return ilk_pool_serve(pool, functions, 1, &o);
}

static void open_pool(void)
{
	const struct ilk_pool_options o = {.size = sizeof o, .capacity = ROOM, .workers = 2};

	CHECK_RC(ilk_segment_create(ilk_test_name("rows"), NULL, &seg), 0);
	CHECK_RC(ilk_pool_open(seg, "pool", &o, &pool), 0);
	CHECK_RC(serve(0, 1), -ETIMEDOUT);
	CHECK_RC(ilk_pool_enter_(pool, 0, &v), 0);
}

static void close_pool(void)
{
	ilk_segment_unlink(ilk_segment_name(seg));
	ilk_segment_close(seg);
}

static const char *wrong(void)
{
	return ilk_type_(ILK_TYPE_POOL_)->valid(&seg->map, pool, ilk_pool_bytes_(&v->shape));
}

static void check_wrong(const char *part)
{
	const char *text = wrong();

	assert_non_null(text);
	assert_non_null(strstr(text, part));
}

static void test_valid_corrupt_pool_says_what(void **state)
{
	struct ilk_pool_cell_ *cell;
	uint64_t free;

	(void)state;
	open_pool();
	cell = ilk_pool_cell_(v, 0);
	free = cell->word;
	assert_null(wrong());
	cell->word = ilk_task_with_(free, ILK_TASK_RUNNING_, 0);
	check_wrong("is nobody's");
	cell->word = ilk_task_with_(free, ILK_TASK_RUNNING_, ilk_owner_word_(4000, 1));
	check_wrong("does not exist");
	cell->word = ilk_task_with_(free, ILK_TASK_DONE_, ilk_owner_word_(1, 1));
	check_wrong("and somebody's");
	cell->word = ilk_task_with_(free, ILK_TASK_QUEUED_, 0) | 9 << ILK_TASK_RUNS_AT_;
	check_wrong("more often");
	cell->word = free;
	ilk_pool_rows_(pool)->owner = 7;
	check_wrong("nobody that can be");
	ilk_pool_rows_(pool)->owner = 0;
	ilk_pool_rows_(pool)->function = ILK_POOL_MOST_FUNCTIONS + 1;
	check_wrong("function");
	ilk_pool_rows_(pool)->function = 0;
	pool->names = ILK_POOL_MOST_FUNCTIONS + 1;
	check_wrong("more functions");
	pool->names = 1;
	pool->retries = ILK_POOL_MOST_RETRIES + 1;
	check_wrong("retries");
	pool->retries = 0;
	pool->shift = 31;
	check_wrong("capacity");
	pool->shift = 2;
	pool->tag = 0;
	check_wrong("tag");
	close_pool();
}

static void submit(struct ilk_future *f)
{
	CHECK_RC(ilk_pool_submit(pool, "echo", "x", 1, f, ILK_NOW), 0);
}

/* As by one who was killed before tail moved, or with head moved and the task not taken. */
static void test_what_the_hints_have_lost_is_found(void **state)
{
	struct ilk_future f[2];

	(void)state;
	open_pool();
	submit(&f[0]);
	pool->tail--;
	CHECK_RC(serve(1, ilk_after_ms(ilk_test_limit_ms())), 0);
	CHECK_RC(ilk_future_poll(&f[0]), 1);
	submit(&f[1]);
	pool->head = pool->tail;
	CHECK_RC(serve(1, ilk_after_ms(ilk_test_limit_ms())), 0);
	CHECK_RC(ilk_future_poll(&f[1]), 1);
	close_pool();
}

static void *serve_one(void *rc)
{
	*(int *)rc = serve(1, ilk_after_ms(ilk_test_limit_ms()));
	return NULL;
}

/* As by one who was killed with head set back, and `returned` not moved: the worker has passed it. */
static void test_what_a_worker_has_passed_is_found(void **state)
{
	struct ilk_future f;
	pthread_t worker;
	int rc = 1;

	(void)state;
	open_pool();
	submit(&f);
	ilk_store_relaxed_(&ilk_pool_cell_(v, f.cell)->function, 1u); /* another's */
	pthread_create(&worker, NULL, serve_one, &rc);
	while (!ilk_load_acquire_(&pool->asleep[ILK_POOL_WORKERS_]))
		usleep(1000);
	usleep(50 * 1000);
	ilk_store_relaxed_(&ilk_pool_cell_(v, f.cell)->function, 0u);
	pthread_join(worker, NULL);
	CHECK_RC(rc, 0);
	CHECK_RC(ilk_future_poll(&f), 1);
	close_pool();
}

static void test_who_holds_the_names_is_in_nobodys_way(void **state)
{
	struct ilk_future f;

	(void)state;
	open_pool();
	submit(&f);
	CHECK_RC(ilk_mutex_lock(&pool->naming), 0);
	CHECK_RC(serve(1, ilk_after_ms(ilk_test_limit_ms())), 0);
	CHECK_RC(ilk_mutex_unlock(&pool->naming), 0);
	CHECK_RC(ilk_future_poll(&f), 1);
	close_pool();
}

/* No cell is free, and tail was set back behind where a batch goes on. */
static void test_the_search_for_a_cell_ends_whatever_tail_says(void **state)
{
	struct ilk_pool_place_ place;
	struct ilk_future f;
	uint64_t from;

	(void)state;
	open_pool();
	for (int i = 0; i <= (int)v->mask; i++)
		submit(&f);
	from = pool->tail + v->mask + 2;
	CHECK_RC(ilk_pool_claim_(v, &from, &place), 0);
	close_pool();
}

/* It looks through all cells, not through all positions. */
static void test_hints_that_are_far_apart_cost_little(void **state)
{
	struct ilk_future f;

	(void)state;
	open_pool();
	submit(&f);
	pool->head -= UINT64_C(1) << 40;
	CHECK_RC(serve(1, ilk_after_ms(ilk_test_limit_ms())), 0);
	CHECK_RC(ilk_future_poll(&f), 1);
	close_pool();
}

/* An argument that cannot be, in a cell that says so. */
static void test_a_damaged_task_fails(void **state)
{
	struct ilk_outcome out;
	struct ilk_future f;
	char result;

	(void)state;
	open_pool();
	submit(&f);
	ilk_pool_cell_(v, f.cell)->argument_bytes = UINT64_MAX;
	CHECK_RC(serve(1, ilk_after_ms(ilk_test_limit_ms())), 0);
	CHECK_RC(ilk_future_get(&f, &result, 1, &out, ILK_NOW), ILK_TASK_FAILED);
	assert_int_equal(out.rc, -EBADMSG);
	submit(&f);
	CHECK_RC(serve(1, ilk_after_ms(ilk_test_limit_ms())), 0);
	ilk_pool_cell_(v, f.cell)->result_bytes = UINT32_MAX;
	CHECK_RC(ilk_future_get(&f, &result, 1, &out, ILK_NOW), -EBADMSG);
	close_pool();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_valid_corrupt_pool_says_what),
		ILK_TEST(test_what_the_hints_have_lost_is_found),
		ILK_TEST(test_what_a_worker_has_passed_is_found),
		ILK_TEST(test_who_holds_the_names_is_in_nobodys_way),
		ILK_TEST(test_the_search_for_a_cell_ends_whatever_tail_says),
		ILK_TEST(test_hints_that_are_far_apart_cost_little),
		ILK_TEST(test_a_damaged_task_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
