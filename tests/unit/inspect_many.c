/* inspect_many.c - 10,000 objects and 200 threads: nothing in an inspection may be quadratic. */
#include "support.h"
#include <ilk/atomics.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { OBJECTS = 10000, HOLDERS = 100, EACH = 20, LOOKS = 3 };
/* Many times what it takes; each object against each thread, or holder, would be over it. */
enum { MOST_MS = 200 };
enum { ORDERS = 8000 };

static struct ilk_segment *seg;
static struct ilk_mutex *mutexes[OBJECTS];
static pthread_t threads[2 * HOLDERS];
static uint32_t ready, done;

static int make(void **state, size_t bytes, unsigned flags)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .bytes = bytes, .threads = 2 * HOLDERS + 8, .flags = flags};

	if (ilk_test_setup(state) < 0)
		return -1;
	seg = support_create(ilk_test_name(""), &options);
	for (int i = 0; i < OBJECTS; i++) {
		char name[16];

		snprintf(name, sizeof name, "m%d", i);
		mutexes[i] = support_mutex(seg, name);
	}
	return 0;
}

static int make_many(void **state)
{
	return make(state, 8 << 20, 0);
}

static int make_many_in_order(void **state)
{
	return make(state, 32 << 20, ILK_SEGMENT_ORDER);
}

static int free_many(void **state)
{
	ilk_segment_close(seg);
	support_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

static void *hold(void *arg)
{
	struct ilk_mutex **mine = arg;

	for (int i = 0; i < EACH; i++)
		CHECK_RC(ilk_mutex_lock(mine[i]), 0);
	ilk_add_full_(&ready, 1u);
	while (!ilk_load_acquire_(&done))
		ilk_test_sleep_ms(50);
	for (int i = 0; i < EACH; i++)
		CHECK_RC(ilk_mutex_unlock(mine[i]), 0);
	return NULL;
}

static void *wait_and_let_go(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	return NULL;
}

static int all_hold(void *arg)
{
	(void)arg;
	return ilk_load_acquire_(&ready) == HOLDERS;
}

static void start_all(void)
{
	for (int i = 0; i < HOLDERS; i++)
		CHECK(pthread_create(&threads[i], NULL, hold, &mutexes[i * OBJECTS / HOLDERS]) ==
			0);
	ilk_test_until(all_hold, NULL);
	for (int i = 0; i < HOLDERS; i++)
		CHECK(pthread_create(&threads[HOLDERS + i], NULL, wait_and_let_go,
			      mutexes[i * OBJECTS / HOLDERS]) == 0);
	ilk_test_await_sleepers(ilk_test_name(""), HOLDERS);
}

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The fastest of a few looks. */
static double look(size_t orders, size_t held)
{
	double best = 1e9;

	for (int i = 0; i < LOOKS; i++) {
		struct ilk_inspection *in;
		double begin = cpu_ms(), took;

		CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
		took = cpu_ms() - begin;
		best = took < best ? took : best;
		assert_int_equal(in->object_count, OBJECTS);
		assert_int_equal(in->thread_count, held ? 2 * HOLDERS + 1 : 1);
		assert_int_equal(in->holder_count, held);
		assert_int_equal(in->order_count, orders);
		for (size_t k = 0; k < orders; k++)
			CHECK(in->objects[in->orders[k].first].offset ==
				in->orders[k].first_offset);
		ilk_inspection_free(in);
	}
	return best;
}

static void test_ten_thousand_objects_and_two_hundred_threads_take_no_time(void **state)
{
	double ms;

	(void)state;
	start_all();
	ms = look(0, HOLDERS * EACH);
	print_message("%.1f ms of processor time\n", ms);
	ilk_store_release_(&done, 1u);
	for (int i = 0; i < 2 * HOLDERS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	if (!support_slow())
		assert_true(ms < MOST_MS);
}

static void test_thousands_of_orders_of_ten_thousand_locks_take_no_time(void **state)
{
	double before = look(0, 0), ms;

	(void)state;
	for (int i = 0; i < ORDERS; i++) {
		CHECK_RC(ilk_mutex_lock(mutexes[i]), 0);
		CHECK_RC(ilk_mutex_lock(mutexes[i + 1]), 0);
		CHECK_RC(ilk_mutex_unlock(mutexes[i + 1]), 0);
		CHECK_RC(ilk_mutex_unlock(mutexes[i]), 0);
	}
	ms = look(ORDERS, 0);
	print_message("%.1f ms of processor time, without orders %.1f\n", ms, before);
	/* Each order against each object is six times as much. */
	if (!support_slow())
		assert_true(ms < 3 * before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_ten_thousand_objects_and_two_hundred_threads_take_no_time, make_many,
			free_many),
		cmocka_unit_test_setup_teardown(
			test_thousands_of_orders_of_ten_thousand_locks_take_no_time,
			make_many_in_order, free_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
