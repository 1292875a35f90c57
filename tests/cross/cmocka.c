/* cmocka.c - runs tests and checks what they assert, for cross builds. See cmocka.h. */
#include "cmocka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum outcome { PASSED = 0, FAILED, SKIPPED, OUTCOMES };

/* Where a check that does not hold leads to: in the runner's thread of the runner's process. */
static __thread jmp_buf back;
static __thread pid_t runner;

void print_message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
}

void print_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
}

__attribute__((noreturn)) static void leave(enum outcome outcome)
{
	if (runner != getpid())
		_exit(1);
	longjmp(back, (int)outcome);
}

void cross_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	print_error("[  ERROR   ] --- ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	print_error("\n[   LINE   ] --- %s:%d: error: Failure!\n", file, line);
	leave(FAILED);
}

void _assert_true(uintmax_t holds, const char *expression, const char *file, int line)
{
	if (!holds)
		cross_fail(file, line, "%s", expression);
}

void cross_skip(void)
{
	leave(SKIPPED);
}

void cross_equal(uintmax_t a, uintmax_t b, int negate, const char *file, int line)
{
	if ((a == b) == negate)
		cross_fail(file, line, "%#jx %s %#jx", a, negate ? "==" : "!=", b);
}

void cross_string(const char *a, const char *b, int negate, const char *file, int line)
{
	if ((strcmp(a, b) == 0) == negate)
		cross_fail(file, line, "\"%s\" %s \"%s\"", a, negate ? "==" : "!=", b);
}

void cross_memory(const void *a, const void *b, size_t size, int negate, const char *file, int line)
{
	if ((memcmp(a, b, size) == 0) == negate)
		cross_fail(file, line, "%zu bytes %s", size, negate ? "are the same" : "differ");
}

void cross_range(uintmax_t v, uintmax_t low, uintmax_t high, int negate, const char *file, int line)
{
	if ((low <= v && v <= high) == negate)
		cross_fail(file, line, "%ju is %s %ju-%ju", v, negate ? "within" : "not within",
			low, high);
}

void cross_return_code(intmax_t rc, int error, const char *file, int line)
{
	if (rc < 0)
		cross_fail(file, line, "%jd < 0, errno(%d): %s", rc, error, strerror(error));
}

/* The body alone; control comes back here from a failing check. */
static enum outcome run_body(CMUnitTestFunction body, void **state)
{
	int came_back = setjmp(back);

	if (came_back)
		return (enum outcome)came_back;
	body(state);
	return PASSED;
}

static enum outcome run_fixture(CMFixtureFunction fixture, void **state, const char *what)
{
	int came_back;

	if (!fixture)
		return PASSED;
	came_back = setjmp(back);
	if (!came_back && fixture(state) == 0)
		return PASSED;
	print_error("Could not run test: Test %s failed\n", what);
	return FAILED;
}

static enum outcome run_one(const struct CMUnitTest *test, void *group_state)
{
	static const char *const words[OUTCOMES] = {"      OK", " FAILED ", " SKIPPED"};
	void *state = test->initial_state ? test->initial_state : group_state;
	enum outcome outcome;

	print_message("[ RUN      ] %s\n", test->name);
	outcome = run_fixture(test->setup_func, &state, "setup");
	if (outcome == PASSED) {
		outcome = run_body(test->test_func, &state);
		if (run_fixture(test->teardown_func, &state, "teardown") != PASSED)
			outcome = FAILED;
	}
	print_message("[ %s ] %s\n", words[outcome], test->name);
	return outcome;
}

static void list(const char *word, enum outcome which, const struct CMUnitTest *tests,
	const enum outcome *outcomes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (outcomes[i] == which)
			print_error("[ %s ] %s\n", word, tests[i].name);
}

int cross_run_group(const char *name, const struct CMUnitTest *tests, size_t count,
	CMFixtureFunction setup, CMFixtureFunction teardown)
{
	enum outcome *outcomes = calloc(count, sizeof *outcomes);
	size_t sums[OUTCOMES] = {0};
	void *state = NULL;

	runner = getpid();
	if (!outcomes || run_fixture(setup, &state, "group setup") != PASSED) {
		print_error("[  FAILED  ] GROUP SETUP %s\n", name);
		free(outcomes);
		return 1;
	}
	print_message("[==========] Running %zu test(s).\n", count);
	for (size_t i = 0; i < count; i++)
		sums[outcomes[i] = run_one(&tests[i], state)]++;
	if (run_fixture(teardown, &state, "group teardown") != PASSED)
		sums[FAILED]++;
	print_message("[==========] %zu test(s) run.\n", count);
	print_error("[  PASSED  ] %zu test(s).\n", sums[PASSED]);
	if (sums[SKIPPED])
		print_error("[  SKIPPED ] %zu test(s), listed below:\n", sums[SKIPPED]);
	list(" SKIPPED", SKIPPED, tests, outcomes, count);
	if (sums[FAILED])
		print_error("[  FAILED  ] %zu test(s), listed below:\n", sums[FAILED]);
	list(" FAILED ", FAILED, tests, outcomes, count);
	free(outcomes);
	return (int)sums[FAILED];
}
