/* standin.c - the stand-in for cmocka must be able to fail: each of its checks, made to. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka.h"

static int fixture_fails(void **state)
{
	(void)state;
	return -1;
}

/* A test each that a check ends: the line after it must not be reached. */
#define MUST_FAIL(name, check)         \
	static void name(void **state) \
	{                              \
		(void)state;           \
		check;                 \
		_exit(100);            \
	}
MUST_FAIL(is_true, assert_true(1 == 2))
MUST_FAIL(is_false, assert_false(1 == 1))
MUST_FAIL(is_null, assert_null("x"))
MUST_FAIL(is_non_null, assert_non_null(NULL))
MUST_FAIL(int_equal, assert_int_equal(-1, 1))
MUST_FAIL(int_not_equal, assert_int_not_equal(7, 7))
MUST_FAIL(ptr_equal, assert_ptr_equal(state, NULL))
MUST_FAIL(string_equal, assert_string_equal("a", "b"))
MUST_FAIL(string_not_equal, assert_string_not_equal("a", "a"))
MUST_FAIL(memory_equal, assert_memory_equal("abc", "abd", 3))
MUST_FAIL(in_range, assert_in_range(4, 1, 3))
MUST_FAIL(not_in_range, assert_not_in_range(2, 1, 3))
MUST_FAIL(return_code, assert_return_code(-1, 2))
MUST_FAIL(failed, fail_msg("%d", 1))

static void nothing(void **state)
{
	(void)state;
}

static const struct CMUnitTest failing[] = {
	cmocka_unit_test(is_true),
	cmocka_unit_test(is_false),
	cmocka_unit_test(is_null),
	cmocka_unit_test(is_non_null),
	cmocka_unit_test(int_equal),
	cmocka_unit_test(int_not_equal),
	cmocka_unit_test(ptr_equal),
	cmocka_unit_test(string_equal),
	cmocka_unit_test(string_not_equal),
	cmocka_unit_test(memory_equal),
	cmocka_unit_test(in_range),
	cmocka_unit_test(not_in_range),
	cmocka_unit_test(return_code),
	cmocka_unit_test(failed),
	cmocka_unit_test_setup(nothing, fixture_fails),
	cmocka_unit_test_teardown(nothing, fixture_fails),
};

/* In a child, silenced: its lines must not be taken for those of this program. */
static void test_failing_checks_run_each_is_counted(void **state)
{
	int status = 0;
	pid_t child;

	(void)state;
	child = fork();
	if (child == 0) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(101);
		_exit(cmocka_run_group_tests(failing, NULL, NULL));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), sizeof failing / sizeof *failing);
}

static void test_failing_check_in_a_child_ends_the_child(void **state)
{
	int status = 0;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(101);
		assert_true(0);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void test_checks_that_hold_go_on(void **state)
{
	(void)state;
	assert_true(2);
	assert_false(0);
	assert_null(NULL);
	assert_non_null("x");
	assert_int_equal(-1, -1);
	assert_int_not_equal(-1, 1);
	assert_ptr_equal(state, state);
	assert_string_equal("a", "a");
	assert_memory_equal("abc", "abd", 2);
	assert_in_range(3, 1, 3);
	assert_not_in_range(4, 1, 3);
	assert_return_code(0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failing_checks_run_each_is_counted),
		cmocka_unit_test(test_failing_check_in_a_child_ends_the_child),
		cmocka_unit_test(test_checks_that_hold_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
