/* rates.c - the rates of two inspections: made-up ones, so that each number is known. */
#include "ilk/rates.h"
#include "support.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS = 4, THREADS = 2 };

static const ilk_time second = 1000000000;

/* Two looks at one segment, a second apart, at a mutex, a counter, a queue and a semaphore. */
struct look {
	struct ilk_inspection in;
	struct ilk_object_info objects[OBJECTS];
	struct ilk_thread_info threads[THREADS];
};

static struct look before, after;
static struct rate *rates;

static void fill(struct look *l, ilk_time taken)
{
	static const struct ilk_object_info objects[OBJECTS] = {
		{.name = "m", .type = "mutex", .offset = 64, .acquired = 1000, .contended = 10},
		{.name = "c", .type = "counter", .offset = 128, .value = 5},
		{.name = "q", .type = "queue", .offset = 192, .capacity = 8, .put = 50, .got = 45},
		{.name = "s", .type = "semaphore", .offset = 256},
	};

	*l = (struct look){.in = {.created = 7,
				   .taken = taken,
				   .object_count = OBJECTS,
				   .thread_count = THREADS}};
	memcpy(l->objects, objects, sizeof objects);
	for (int i = 0; i < THREADS; i++)
		l->threads[i] = (struct ilk_thread_info){.slot = i,
			.joined = 1 + i,
			.life = ILK_LIFE_ALIVE,
			.waits_for = ILK_NO_INDEX};
	l->in.objects = l->objects;
	l->in.threads = l->threads;
}

static int make_looks(void **state)
{
	(void)state;
	fill(&before, 10 * second);
	fill(&after, 11 * second);
	return 0;
}

static int free_rates(void **state)
{
	(void)state;
	free(rates);
	rates = NULL;
	return 0;
}

static void compare(void)
{
	free(rates);
	rates = rates_between(&before.in, &after.in);
	assert_non_null(rates);
}

static void test_counts_that_advance_are_rates(void **state)
{
	(void)state;
	after.in.taken = 12 * second;
	after.objects[0].acquired += 400;
	after.objects[0].contended += 100;
	after.objects[1].value = -1;
	after.objects[2].put += 20;
	after.objects[2].got += 10;
	compare();
	assert_true(rates[0].is_known && rates[0].ops == 200 && rates[0].contended == 25);
	assert_true(isnan(rates[0].put));
	assert_true(rates[1].ops == -3 && isnan(rates[1].contended));
	assert_true(rates[2].ops == 15 && rates[2].put == 10 && rates[2].got == 5);
	assert_true(rates[3].is_known && isnan(rates[3].ops) && isnan(rates[3].contended));
}

static void test_nothing_happened_is_zero_and_no_percentage(void **state)
{
	(void)state;
	compare();
	assert_true(rates[0].ops == 0 && rates[0].waiting == 0 && isnan(rates[0].contended));
}

static void test_more_waits_than_operations_is_a_hundred_percent(void **state)
{
	(void)state;
	after.objects[0].acquired += 1;
	after.objects[0].contended += 3;
	compare();
	assert_true(rates[0].contended == 100);
}

static void test_counts_wrap_around_and_go_on(void **state)
{
	(void)state;
	before.objects[0].contended = UINT32_MAX - 1;
	after.objects[0].contended = 3;
	after.objects[0].acquired += 10;
	before.objects[1].value = INT64_MAX;
	after.objects[1].value = INT64_MIN;
	compare();
	assert_true(rates[0].is_known && rates[0].contended == 50);
	assert_true(rates[1].ops == 1);
}

static void test_what_began_anew_is_unknown(void **state)
{
	(void)state;
	after.objects[0].acquired = 3;
	after.objects[2].got = 0;
	compare();
	assert_true(!rates[0].is_known && isnan(rates[0].ops) && isnan(rates[0].waiting));
	assert_false(rates[2].is_known);
	assert_true(rates[1].is_known);
	after.objects[0].acquired = 1000;
	after.objects[0].contended = 0;
	compare();
	assert_false(rates[0].is_known);
}

static void test_another_object_is_unknown(void **state)
{
	(void)state;
	strcpy(after.objects[0].name, "n");
	after.objects[1].type = "sharded";
	after.objects[2].offset += 8;
	compare();
	for (int i = 0; i < 3; i++)
		assert_false(rates[i].is_known);
	assert_true(rates[3].is_known);
}

static void test_objects_in_another_order_are_found(void **state)
{
	struct ilk_object_info mutex = after.objects[0];

	(void)state;
	after.objects[0] = after.objects[3];
	after.objects[3] = mutex;
	after.objects[3].acquired += 7;
	/* One that lies where another begins. */
	before.objects[3].offset = before.objects[0].offset;
	compare();
	assert_true(rates[3].ops == 7);
	assert_false(rates[0].is_known);
}

static void test_another_segment_or_none_before_is_unknown(void **state)
{
	(void)state;
	rates = rates_between(NULL, &after.in);
	assert_false(rates[0].is_known);
	after.in.created++;
	compare();
	assert_false(rates[0].is_known);
	after.in.created--;
	after.in.taken = before.in.taken;
	compare();
	assert_false(rates[0].is_known);
}

/* Thread I waits for object O since then. */
static void wait_for(struct look *l, int i, int o, ilk_time since)
{
	l->threads[i].waits_for = o;
	l->threads[i].wait_since = since;
}

static void test_waits_count_while_they_last(void **state)
{
	(void)state;
	/* One all the time, with no count of it yet; one from the middle on. */
	wait_for(&before, 0, 0, 3 * second);
	wait_for(&after, 0, 0, 3 * second);
	wait_for(&after, 1, 0, 10 * second + second / 2);
	compare();
	assert_true(fabs(rates[0].waiting - 1.5) < 1e-6);
	/* The first has got it, after a quarter of the second. */
	after.threads[0].waits_for = ILK_NO_INDEX;
	after.objects[0].waited_ns = 7 * (uint64_t)second + (uint64_t)second / 4;
	compare();
	assert_true(fabs(rates[0].waiting - 0.75) < 1e-6);
}

static void test_waits_of_the_dead_do_not_hide_those_of_others(void **state)
{
	(void)state;
	wait_for(&before, 0, 0, 3 * second);
	after.threads[0].life = ILK_LIFE_DEAD;
	wait_for(&after, 1, 0, 10 * second);
	compare();
	assert_true(fabs(rates[0].waiting - 1) < 1e-6);
}

static void test_waiting_is_never_more_than_the_threads_there_are(void **state)
{
	(void)state;
	after.objects[0].waited_ns = 100 * (uint64_t)second;
	wait_for(&before, 0, 3, 3 * second);
	compare();
	assert_true(rates[0].waiting == THREADS && rates[3].waiting == 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_looks, free_rates)
	const struct CMUnitTest tests[] = {
		TEST(test_counts_that_advance_are_rates),
		TEST(test_nothing_happened_is_zero_and_no_percentage),
		TEST(test_more_waits_than_operations_is_a_hundred_percent),
		TEST(test_counts_wrap_around_and_go_on),
		TEST(test_what_began_anew_is_unknown),
		TEST(test_another_object_is_unknown),
		TEST(test_objects_in_another_order_are_found),
		TEST(test_another_segment_or_none_before_is_unknown),
		TEST(test_waits_count_while_they_last),
		TEST(test_waits_of_the_dead_do_not_hide_those_of_others),
		TEST(test_waiting_is_never_more_than_the_threads_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
