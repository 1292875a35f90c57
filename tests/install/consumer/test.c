/* test.c - a test that a user of an installed Ilk writes; C11 here, and included by test.cpp. */
#include <ilk.h>
#include <ilk/cmocka.h>
#include <stdlib.h>

static void add(struct ilk_segment *seg, unsigned index, void *arg)
{
	struct ilk_counter *c;

	assert_int_equal(ilk_counter_open(seg, "c", &c), 0);
	assert_int_equal(ilk_counter_add(c, 1), 0);
	ilk_test_point("added");
	if (arg)
		assert_int_equal(index + 1, 1 + 2 * index);
}

static void test_three_processes_add(void **state)
{
	struct ilk_segment *seg = ilk_test_create("");
	struct ilk_counter *c;

	(void)state;
	ilk_test_run(3, seg, add, getenv("FAIL"), NULL);
	assert_int_equal(ilk_counter_open(seg, "c", &c), 0);
	assert_int_equal(ilk_counter_read(c), 3);
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	ilk_test_assert_nothing_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {ILK_TEST(test_three_processes_add)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
