/*
 * cmocka.h - a stand-in for cmocka where Debian has none: cross builds.
 *
 * The part of cmocka's interface that our tests use, with the same names and the same closing
 * lines. Two things differ, both for tests that fork: a check that fails in a forked child ends
 * that child with status 1 (cmocka jumps back into the runner, in the child), and so does one that
 * fails in another thread than the runner's, for the whole process.
 */
#ifndef ILK_TESTS_CROSS_CMOCKA_H
#define ILK_TESTS_CROSS_CMOCKA_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
	const char *name;
	CMUnitTestFunction test_func;
	CMFixtureFunction setup_func;
	CMFixtureFunction teardown_func;
	void *initial_state;
};

#define cmocka_unit_test(f)             \
	{                               \
#f, f, NULL, NULL, NULL \
	}
#define cmocka_unit_test_setup(f, setup) \
	{                                \
#f, f, setup, NULL, NULL \
	}
#define cmocka_unit_test_teardown(f, teardown) \
	{                                      \
#f, f, NULL, teardown, NULL    \
	}
#define cmocka_unit_test_setup_teardown(f, setup, teardown) \
	{                                                   \
#f, f, setup, teardown, NULL                \
	}
#define cmocka_unit_test_prestate(f, state) \
	{                                   \
#f, f, NULL, NULL, state    \
	}

#define cmocka_run_group_tests(tests, setup, teardown) \
	cross_run_group(#tests, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown) \
	cross_run_group(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

/* Runs the tests; returns how many failed. */
int cross_run_group(const char *name, const struct CMUnitTest *tests, size_t count,
	CMFixtureFunction setup, CMFixtureFunction teardown);

__attribute__((noreturn, format(printf, 3, 4))) void cross_fail(
	const char *file, int line, const char *format, ...);
__attribute__((noreturn)) void cross_skip(void);
/* What assert_true() calls in cmocka. */
void _assert_true(uintmax_t holds, const char *expression, const char *file, int line);
/* One order of tests, one form of the report. */
enum cm_message_output { CM_OUTPUT_STDOUT };
#define cmocka_set_test_filter(pattern) ((void)(pattern))
#define cmocka_set_skip_filter(pattern) ((void)(pattern))
#define cmocka_set_message_output(output) ((void)(output))
__attribute__((format(printf, 1, 2))) void print_message(const char *format, ...);
__attribute__((format(printf, 1, 2))) void print_error(const char *format, ...);

/* One function a shape of check; `negate` turns the check round. */
void cross_equal(uintmax_t a, uintmax_t b, int negate, const char *file, int line);
void cross_string(const char *a, const char *b, int negate, const char *file, int line);
void cross_memory(
	const void *a, const void *b, size_t size, int negate, const char *file, int line);
void cross_range(
	uintmax_t v, uintmax_t low, uintmax_t high, int negate, const char *file, int line);
void cross_return_code(intmax_t rc, int error, const char *file, int line);

#define skip() cross_skip()
#define fail() cross_fail(__FILE__, __LINE__, "fail()")
#define fail_msg(...) cross_fail(__FILE__, __LINE__, __VA_ARGS__)

/* So written, the compiler knows that what comes after a check can rely on it. */
#define CROSS_HOLDS(c, what) ((c) ? (void)0 : cross_fail(__FILE__, __LINE__, "%s", what))
#define assert_true(c) CROSS_HOLDS(c, #c)
#define assert_false(c) CROSS_HOLDS(!(c), "not: " #c)
#define assert_null(p) CROSS_HOLDS((p) == NULL, #p " is NULL")
#define assert_non_null(p) CROSS_HOLDS((p) != NULL, #p " is not NULL")

#define assert_int_equal(a, b) cross_equal((uintmax_t)(a), (uintmax_t)(b), 0, __FILE__, __LINE__)
#define assert_int_not_equal(a, b) \
	cross_equal((uintmax_t)(a), (uintmax_t)(b), 1, __FILE__, __LINE__)
#define assert_ptr_equal(a, b) cross_equal((uintptr_t)(a), (uintptr_t)(b), 0, __FILE__, __LINE__)
#define assert_ptr_not_equal(a, b) \
	cross_equal((uintptr_t)(a), (uintptr_t)(b), 1, __FILE__, __LINE__)

#define assert_string_equal(a, b) cross_string(a, b, 0, __FILE__, __LINE__)
#define assert_string_not_equal(a, b) cross_string(a, b, 1, __FILE__, __LINE__)
#define assert_memory_equal(a, b, size) cross_memory(a, b, size, 0, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, size) cross_memory(a, b, size, 1, __FILE__, __LINE__)
#define assert_in_range(v, low, high) \
	cross_range((uintmax_t)(v), (uintmax_t)(low), (uintmax_t)(high), 0, __FILE__, __LINE__)
#define assert_not_in_range(v, low, high) \
	cross_range((uintmax_t)(v), (uintmax_t)(low), (uintmax_t)(high), 1, __FILE__, __LINE__)
#define assert_return_code(rc, error) \
	cross_return_code((intmax_t)(rc), (int)(error), __FILE__, __LINE__)

#endif
