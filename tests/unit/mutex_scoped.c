/* mutex_scoped.c - ILK_WITH_MUTEX: the body runs only when held, and every way out unlocks. */
#include "mutex_fixture.h"

static int is_free(struct ilk_mutex *mutex)
{
	return support_in_thread(try_from_a_thread, mutex) == 0;
}

static void test_scope_end_unlocks(void **state)
{
	int rc = 99, runs = 0;

	(void)state;
	ILK_WITH_MUTEX (m, rc) {
		CHECK_RC(ilk_mutex_lock(m), -EDEADLK);
		runs++;
	}
	CHECK_RC(rc, 0);
	assert_int_equal(runs, 1);
	assert_true(is_free(m));
}

static int return_from_within(int *rc)
{
	ILK_WITH_MUTEX (m, *rc)
		return is_free(m) ? -1 : 42;
	return -2;
}

static void test_scope_return_unlocks(void **state)
{
	int rc = 99;

	(void)state;
	assert_int_equal(return_from_within(&rc), 42);
	CHECK_RC(rc, 0);
	assert_true(is_free(m));
}

static void test_scope_break_and_continue_leave_the_scope_only(void **state)
{
	int rc = 99, rounds = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		ILK_WITH_MUTEX (m, rc) {
			assert_false(is_free(m));
			if (i % 2)
				break;
			else
				continue;
			rounds = 1000;
		}
		CHECK_RC(rc, 0);
		assert_true(is_free(m));
		rounds++;
	}
	assert_int_equal(rounds, 4);
}

static void test_scope_goto_unlocks(void **state)
{
	int rc = 99;

	(void)state;
	ILK_WITH_MUTEX (m, rc) {
		goto out;
	}
	fail_msg("went past the goto");
out:
	CHECK_RC(rc, 0);
	assert_true(is_free(m));
}

static void test_scope_that_cannot_lock_runs_no_body(void **state)
{
	int rc = 99, runs = 0;

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	ILK_WITH_MUTEX (m, rc)
		runs++;
	CHECK_RC(rc, -EDEADLK);
	assert_int_equal(runs, 0);
	/* And it has let go of nothing. */
	assert_false(is_free(m));
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_scope_after_a_death_is_RECOVERED(void **state)
{
	int rc = 99, runs = 0;

	(void)state;
	ilk_test_kill(start_holder(m));
	ILK_WITH_MUTEX (m, rc) {
		CHECK_RC(rc, ILK_RECOVERED);
		CHECK_RC(ilk_mutex_repaired(m), 0);
		runs++;
	}
	assert_int_equal(runs, 1);
	ILK_WITH_MUTEX (m, rc)
		runs++;
	CHECK_RC(rc, 0);
	assert_int_equal(runs, 2);
}

static void test_scopes_nest(void **state)
{
	int outer = 99, inner = 99;

	(void)state;
	ILK_WITH_MUTEX (m, outer) {
		ILK_WITH_MUTEX (recursive, inner) {
			ILK_WITH_MUTEX (recursive, inner)
				assert_false(is_free(recursive));
			assert_false(is_free(recursive));
		}
		assert_true(is_free(recursive));
		assert_false(is_free(m));
	}
	CHECK_RC(outer, 0);
	CHECK_RC(inner, 0);
	assert_true(is_free(m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MUTEX_TEST(test_scope_end_unlocks),
		MUTEX_TEST(test_scope_return_unlocks),
		MUTEX_TEST(test_scope_break_and_continue_leave_the_scope_only),
		MUTEX_TEST(test_scope_goto_unlocks),
		MUTEX_TEST(test_scope_that_cannot_lock_runs_no_body),
		MUTEX_TEST(test_scope_after_a_death_is_RECOVERED),
		MUTEX_TEST(test_scopes_nest),
	};

	return RUN_MUTEX_TESTS(tests);
}
