/* counter.c - the exact counter: each operation, wrap-around, many writers, deaths. */
#include "segment_fixture.h"
#include <errno.h>
#include <string.h>

static void test_open_makes_a_zero_and_finds_it_again(void **state)
{
	struct ilk_counter *c = support_counter(seg, "hits");

	(void)state;
	assert_int_equal(ilk_counter_read(c), 0);
	CHECK_RC(ilk_counter_add(c, 5), 0);
	assert_ptr_equal(support_counter(seg, "hits"), c);
	assert_ptr_not_equal(support_counter(seg, "misses"), c);
	assert_int_equal(ilk_counter_read(c), 5);
}

static void test_open_with_a_bad_name_or_type_fails(void **state)
{
	struct ilk_counter *c = NULL;
	char name[66];
	void *block;

	(void)state;
	memset(name, 'n', sizeof name);
	name[64] = 0;
	CHECK_RC(ilk_counter_open(seg, "", &c), -EINVAL);
	CHECK_RC(ilk_counter_open(seg, "a\tb", &c), -EINVAL);
	CHECK_RC(ilk_counter_open(seg, name, &c), -ENAMETOOLONG);
	CHECK_RC(ilk_block_open(seg, "block", 8, &block), 0);
	CHECK_RC(ilk_counter_open(seg, "block", &c), -EEXIST);
	assert_null(c);
}

static void test_add_and_sub_change_by_n(void **state)
{
	struct ilk_counter *c = support_counter(seg, "c");

	(void)state;
	CHECK_RC(ilk_counter_add(c, 40), 0);
	CHECK_RC(ilk_counter_add(c, -50), 0);
	assert_int_equal(ilk_counter_read(c), -10);
	CHECK_RC(ilk_counter_sub(c, 90), 0);
	CHECK_RC(ilk_counter_sub(c, -200), 0);
	CHECK_RC(ilk_counter_add(c, 0), 0);
	assert_int_equal(ilk_counter_read(c), 100);
}

static void test_fetch_add_gives_the_value_before(void **state)
{
	struct ilk_counter *c = support_counter(seg, "c");
	int64_t before = 99;

	(void)state;
	CHECK_RC(ilk_counter_fetch_add(c, 7, &before), 0);
	assert_int_equal(before, 0);
	CHECK_RC(ilk_counter_fetch_add(c, -9, &before), 0);
	assert_int_equal(before, 7);
	CHECK_RC(ilk_counter_fetch_add(c, 1, NULL), 0);
	assert_int_equal(ilk_counter_read(c), -1);
}

static void test_exchange_gives_the_value_before(void **state)
{
	struct ilk_counter *c = support_counter(seg, "c");
	int64_t before = 99;

	(void)state;
	CHECK_RC(ilk_counter_exchange(c, -3, &before), 0);
	assert_int_equal(before, 0);
	CHECK_RC(ilk_counter_exchange(c, INT64_MIN, NULL), 0);
	CHECK_RC(ilk_counter_exchange(c, 8, &before), 0);
	assert_true(before == INT64_MIN);
	assert_int_equal(ilk_counter_read(c), 8);
}

static void test_compare_exchange_changes_only_the_expected(void **state)
{
	struct ilk_counter *c = support_counter(seg, "c");
	int64_t expected = 1;

	(void)state;
	CHECK_RC(ilk_counter_compare_exchange(c, &expected, 5), -EAGAIN);
	assert_int_equal(expected, 0);
	assert_int_equal(ilk_counter_read(c), 0);
	CHECK_RC(ilk_counter_compare_exchange(c, &expected, -5), 0);
	assert_int_equal(expected, 0);
	CHECK_RC(ilk_counter_compare_exchange(c, &expected, 6), -EAGAIN);
	assert_int_equal(expected, -5);
	assert_int_equal(ilk_counter_read(c), -5);
}

static void test_changes_past_the_limits_wrap(void **state)
{
	struct ilk_counter *c = support_counter(seg, "c");
	int64_t before = 0;

	(void)state;
	CHECK_RC(ilk_counter_exchange(c, INT64_MAX, NULL), 0);
	CHECK_RC(ilk_counter_fetch_add(c, 1, &before), 0);
	assert_true(before == INT64_MAX);
	assert_true(ilk_counter_read(c) == INT64_MIN);
	CHECK_RC(ilk_counter_sub(c, 1), 0);
	assert_true(ilk_counter_read(c) == INT64_MAX);
	CHECK_RC(ilk_counter_exchange(c, -1, NULL), 0);
	CHECK_RC(ilk_counter_sub(c, INT64_MIN), 0);
	assert_true(ilk_counter_read(c) == INT64_MAX);
	CHECK_RC(ilk_counter_add(c, INT64_MIN), 0);
	assert_int_equal(ilk_counter_read(c), -1);
}

static void test_embedded_zero_is_a_counter(void **state)
{
	struct {
		int64_t other;
		struct ilk_counter hits;
	} * shelf;
	void *block;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "shelf", sizeof *shelf, &block), 0);
	shelf = block;
	CHECK_RC(ilk_counter_add(&shelf->hits, 3), 0);
	assert_int_equal(ilk_counter_read(&shelf->hits), 3);
	assert_int_equal(shelf->other, 0);
}

/* --- many at once --- */

enum { ADDERS = 4, ROUNDS = 20000 };

static void add_in_own_mapping(struct ilk_segment *own, unsigned index, void *arg)
{
	struct ilk_counter *c = support_counter(own, "c");
	struct ilk_counter *numbers = support_counter(own, "sum of numbers");
	int64_t sum = 0, number = 0;

	(void)index, (void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		CHECK_RC(ilk_counter_fetch_add(c, 1, &number), 0);
		sum += number;
	}
	CHECK_RC(ilk_counter_add(numbers, sum), 0);
}

static void check_numbers(void)
{
	const int64_t n = (int64_t)ADDERS * ROUNDS;

	assert_int_equal(ilk_counter_read(support_counter(seg, "c")), n);
	/* Each adder got numbers of its own: 0 to n - 1, once each. */
	assert_int_equal(ilk_counter_read(support_counter(seg, "sum of numbers")), n * (n - 1) / 2);
}

static void test_adds_of_processes_are_all_there(void **state)
{
	const struct ilk_test_options apart = {.size = sizeof apart, .flags = ILK_TEST_REOPEN};

	(void)state;
	ilk_test_run(ADDERS, seg, add_in_own_mapping, NULL, &apart);
	check_numbers();
}

static void test_adds_of_threads_are_all_there(void **state)
{
	const struct ilk_test_options threads = {
		.size = sizeof threads, .flags = ILK_TEST_THREADS | ILK_TEST_REOPEN};

	(void)state;
	ilk_test_run(ADDERS, seg, add_in_own_mapping, NULL, &threads);
	check_numbers();
}

static void add_and_stay(void *counter)
{
	CHECK_RC(ilk_counter_add(counter, 11), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_an_add_of_the_dead_stays(void **state)
{
	struct ilk_counter *c = support_counter(seg, "c");
	struct ilk_test_child *child = ilk_test_start(add_and_stay, c);

	(void)state;
	ilk_test_await(0);
	ilk_test_kill(child);
	assert_int_equal(ilk_counter_read(c), 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_open_makes_a_zero_and_finds_it_again),
		SEGMENT_TEST(test_open_with_a_bad_name_or_type_fails),
		SEGMENT_TEST(test_add_and_sub_change_by_n),
		SEGMENT_TEST(test_fetch_add_gives_the_value_before),
		SEGMENT_TEST(test_exchange_gives_the_value_before),
		SEGMENT_TEST(test_compare_exchange_changes_only_the_expected),
		SEGMENT_TEST(test_changes_past_the_limits_wrap),
		SEGMENT_TEST(test_embedded_zero_is_a_counter),
		SEGMENT_TEST(test_adds_of_processes_are_all_there),
		SEGMENT_TEST(test_adds_of_threads_are_all_there),
		SEGMENT_TEST(test_an_add_of_the_dead_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
