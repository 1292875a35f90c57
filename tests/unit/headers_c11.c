/* headers_c11.c - the public headers in strict C11, without extensions, and the scoped form there.
 */
#include <ilk.h>
#include "support.h"

#if !defined(__STRICT_ANSI__) || __STDC_VERSION__ != 201112L
#error "this file is to be compiled with -std=c11"
#endif

static int count_in_scope(struct ilk_mutex *m, struct ilk_counter *c)
{
	int rc;

	ILK_WITH_MUTEX (m, rc) {
		if (ilk_counter_add(c, 1) < 0)
			return -1;
		return 1;
	}
	return rc;
}

static int count_when_even(struct ilk_mutex *m, struct ilk_condition *when, struct ilk_counter *c)
{
	int rc = ilk_mutex_lock(m);

	if (rc == 0)
		rc = ILK_WAIT_UNTIL(when, m, ILK_FOREVER, ilk_counter_read(c) % 2 == 0);
	if (rc == 0)
		rc = ilk_counter_add(c, 1);
	return rc < 0 ? rc : ilk_mutex_unlock(m);
}

static int read_in_scope(struct ilk_rwlock *l, struct ilk_counter *c)
{
	int rc;

	ILK_WITH_WRITE(l, rc)
	ilk_counter_add(c, 1);
	ILK_WITH_READ(l, rc)
	return (int)ilk_counter_read(c);
	return rc;
}

static void test_everything_works_in_strict_c11(void **state)
{
	struct ilk_segment *seg = support_create(ilk_test_name(""), NULL);
	struct ilk_counter *c = support_counter(seg, "c");
	struct ilk_mutex *m = support_mutex(seg, "m");
	struct ilk_condition *when = NULL;
	struct ilk_sharded *sharded;
	struct ilk_sharded_handle mine;
	struct ilk_rwlock *l;

	(void)state;
	CHECK_RC(ilk_rwlock_open(seg, "l", NULL, &l), 0);
	assert_int_equal(count_in_scope(m, c), 1);
	assert_int_equal(count_in_scope(m, c), 1);
	assert_int_equal(ilk_counter_read(c), 2);
	CHECK_RC(ilk_condition_open(seg, "when", &when), 0);
	assert_int_equal(count_when_even(m, when, c), 0);
	assert_int_equal(read_in_scope(l, c), 4);
	CHECK_RC(ilk_sharded_open(seg, "s", &sharded), 0);
	CHECK_RC(ilk_sharded_mine(sharded, &mine), 0);
	CHECK_RC(ilk_sharded_add(&mine, 3), 0);
	assert_int_equal(ilk_sharded_read(sharded), 3);
	ilk_segment_close(seg);
	support_unlink(ilk_test_name(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_everything_works_in_strict_c11),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
