/* rwlock.c - read, write, try, downgrade, unlock, and what misuse returns. */
#include "rwlock_fixture.h"
#include <stdio.h>
#include <string.h>

enum { MARKS = 16 };

/* --- one thread --- */

static void test_read_lets_others_read_but_not_write(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		CHECK_RC(ilk_rwlock_read(l), 0);
		assert_int_equal(others_can(l), READ);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		assert_int_equal(others_can(l), WRITE);
	}
}

static void test_write_lets_others_do_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		CHECK_RC(ilk_rwlock_write(l), 0);
		assert_int_equal(others_can(l), NOTHING);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		assert_int_equal(others_can(l), WRITE);
		warm_up(l);
	}
}

static void test_tries_and_untils_take_a_free_one(void **state)
{
	(void)state;
	CHECK_RC(ilk_rwlock_try_read(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_try_write(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_read_until(l, ILK_NOW), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_write_until(l, 1), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	warm_up(l);
	CHECK_RC(ilk_rwlock_try_write(l), 0);
	assert_int_equal(others_can(l), NOTHING);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(others_can(l), WRITE);
}

static void test_read_again_needs_as_many_unlocks(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		CHECK_RC(i % 2 ? ilk_rwlock_read(l) : ilk_rwlock_try_read(l), 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(others_can(l), READ);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
	}
	assert_int_equal(others_can(l), WRITE);
	CHECK_RC(ilk_rwlock_unlock(l), -EPERM);
}

static void test_writing_and_reading_at_once_is_EDEADLK(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		CHECK_RC(ilk_rwlock_write(l), 0);
		CHECK_RC(ilk_rwlock_read(l), -EDEADLK);
		CHECK_RC(ilk_rwlock_try_read(l), -EDEADLK);
		CHECK_RC(ilk_rwlock_write(l), -EDEADLK);
		CHECK_RC(ilk_rwlock_try_write(l), -EDEADLK);
		CHECK_RC(ilk_rwlock_write_until(l, ilk_after_ms(10)), -EDEADLK);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		CHECK_RC(ilk_rwlock_unlock(l), -EPERM);
		CHECK_RC(ilk_rwlock_read(l), 0);
		CHECK_RC(ilk_rwlock_write(l), -EDEADLK);
		CHECK_RC(ilk_rwlock_try_write(l), -EDEADLK);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		CHECK_RC(ilk_rwlock_unlock(l), -EPERM);
	}
}

static void test_unlock_of_what_another_has_is_EPERM(void **state)
{
	(void)state;
	CHECK_RC(ilk_rwlock_unlock(l), -EPERM);
	CHECK_RC(ilk_rwlock_read(l), 0);
	assert_int_equal(support_in_thread(unlock_from_a_thread, l), -EPERM);
	assert_int_equal(others_can(l), READ);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_write(l), 0);
	assert_int_equal(support_in_thread(unlock_from_a_thread, l), -EPERM);
	assert_int_equal(others_can(l), NOTHING);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
}

/* --- downgrade --- */

static void test_downgrade_reads_on(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		CHECK_RC(ilk_rwlock_write(l), 0);
		CHECK_RC(ilk_rwlock_downgrade(l), 0);
		assert_int_equal(others_can(l), READ);
		CHECK_RC(ilk_rwlock_downgrade(l), -EPERM);
		CHECK_RC(ilk_rwlock_repaired(l), -EPERM);
		CHECK_RC(ilk_rwlock_write(l), -EDEADLK);
		CHECK_RC(ilk_rwlock_read(l), 0);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		assert_int_equal(others_can(l), READ);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		CHECK_RC(ilk_rwlock_unlock(l), -EPERM);
		assert_int_equal(others_can(l), WRITE);
		warm_up(l);
	}
}

static void test_downgrade_by_one_who_does_not_write_is_EPERM(void **state)
{
	(void)state;
	CHECK_RC(ilk_rwlock_downgrade(l), -EPERM);
	CHECK_RC(ilk_rwlock_repaired(l), -EPERM);
	CHECK_RC(ilk_rwlock_read(l), 0);
	CHECK_RC(ilk_rwlock_downgrade(l), -EPERM);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_write(l), 0);
	CHECK_RC(ilk_rwlock_repaired(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
}

/* --- several locks --- */

static struct ilk_rwlock *numbered(int i)
{
	struct ilk_rwlock *lock;
	char name[24];

	snprintf(name, sizeof name, "lock %d", i);
	CHECK_RC(ilk_rwlock_open(seg, name, &kind, &lock), 0);
	return lock;
}

static void test_read_of_16_at_once_and_no_more(void **state)
{
	struct ilk_rwlock *locks[MARKS + 1];

	(void)state;
	for (int i = 0; i <= MARKS; i++)
		locks[i] = numbered(i);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < MARKS; i++)
			CHECK_RC(ilk_rwlock_read(locks[i]), 0);
		CHECK_RC(ilk_rwlock_read(locks[MARKS]), -EMFILE);
		CHECK_RC(ilk_rwlock_try_read(locks[MARKS]), -EMFILE);
		CHECK_RC(ilk_rwlock_unlock(locks[MARKS]), -EPERM);
		/* Each of them again, and writing is another matter. */
		for (int i = 0; i < MARKS; i++)
			CHECK_RC(ilk_rwlock_read(locks[i]), 0);
		CHECK_RC(ilk_rwlock_write(locks[MARKS]), 0);
		CHECK_RC(ilk_rwlock_downgrade(locks[MARKS]), -EMFILE);
		assert_int_equal(others_can(locks[MARKS]), NOTHING);
		CHECK_RC(ilk_rwlock_unlock(locks[MARKS]), 0);
		for (int i = 0; i < 2 * MARKS; i++) {
			struct ilk_rwlock *lock = locks[(i * 5 + round) % MARKS];

			assert_int_equal(others_can(lock), READ);
			CHECK_RC(ilk_rwlock_unlock(lock), 0);
			assert_int_equal(others_can(lock), i < MARKS ? READ : WRITE);
		}
		CHECK_RC(ilk_rwlock_unlock(locks[0]), -EPERM);
	}
}

static void test_locks_held_at_once_are_let_go_in_any_order(void **state)
{
	struct ilk_rwlock *a = numbered(0), *b = numbered(1), *c = numbered(2);

	(void)state;
	for (int i = 0; i < 4; i++) {
		CHECK_RC(ilk_rwlock_read(a), 0);
		CHECK_RC(ilk_rwlock_write(b), 0);
		CHECK_RC(ilk_rwlock_read(c), 0);
		CHECK_RC(ilk_rwlock_unlock(a), 0);
		assert_int_equal(others_can(a), WRITE);
		assert_int_equal(others_can(b), NOTHING);
		assert_int_equal(others_can(c), READ);
		CHECK_RC(ilk_rwlock_read(a), 0);
		CHECK_RC(ilk_rwlock_unlock(c), 0);
		CHECK_RC(ilk_rwlock_unlock(b), 0);
		assert_int_equal(others_can(a), READ);
		assert_int_equal(others_can(b), WRITE);
		CHECK_RC(ilk_rwlock_unlock(a), 0);
		assert_int_equal(others_can(a), WRITE);
		assert_int_equal(others_can(c), WRITE);
	}
}

static void test_lock_is_the_same_through_two_attachments(void **state)
{
	struct ilk_segment *again = support_open(ilk_test_name(""));
	struct ilk_rwlock *same;

	(void)state;
	CHECK_RC(ilk_rwlock_open(again, "l", &kind, &same), 0);
	assert_ptr_not_equal(same, l);
	for (int i = 0; i < 3; i++) {
		CHECK_RC(ilk_rwlock_read(l), 0);
		CHECK_RC(ilk_rwlock_write(same), -EDEADLK);
		CHECK_RC(ilk_rwlock_read(same), 0);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		assert_int_equal(others_can(l), READ);
		CHECK_RC(ilk_rwlock_unlock(same), 0);
		assert_int_equal(others_can(l), WRITE);
		CHECK_RC(ilk_rwlock_write(l), 0);
		CHECK_RC(ilk_rwlock_read(same), -EDEADLK);
		CHECK_RC(ilk_rwlock_unlock(same), 0);
		assert_int_equal(others_can(same), WRITE);
	}
	CHECK_RC(ilk_rwlock_read(same), 0);
	ilk_segment_close(again);
	/* The thread is a member still, through the other one: so it reads still. */
	assert_int_equal(others_can(l), READ);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(others_can(l), WRITE);
}

/* --- what is no rwlock --- */

static void test_calls_on_what_is_no_rwlock_are_EINVAL(void **state)
{
	struct ilk_rwlock outside;
	void *block;

	(void)state;
	memset(&outside, 0, sizeof outside);
	CHECK_RC(ilk_block_open(seg, "zeros", sizeof outside, &block), 0);
	warm_up(l);
	struct ilk_rwlock *const wrong[] = {&outside, block};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_RC(ilk_rwlock_read(wrong[i]), -EINVAL);
		CHECK_RC(ilk_rwlock_try_read(wrong[i]), -EINVAL);
		CHECK_RC(ilk_rwlock_read_until(wrong[i], ILK_FOREVER), -EINVAL);
		CHECK_RC(ilk_rwlock_write(wrong[i]), -EINVAL);
		CHECK_RC(ilk_rwlock_try_write(wrong[i]), -EINVAL);
		CHECK_RC(ilk_rwlock_write_until(wrong[i], ILK_FOREVER), -EINVAL);
		CHECK_RC(ilk_rwlock_downgrade(wrong[i]), -EINVAL);
		CHECK_RC(ilk_rwlock_unlock(wrong[i]), -EINVAL);
		CHECK_RC(ilk_rwlock_repaired(wrong[i]), -EINVAL);
	}
	assert_int_equal(others_can(l), WRITE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RWLOCK_TEST(test_read_lets_others_read_but_not_write),
		RWLOCK_TEST(test_write_lets_others_do_nothing),
		RWLOCK_TEST(test_tries_and_untils_take_a_free_one),
		RWLOCK_TEST(test_read_again_needs_as_many_unlocks),
		RWLOCK_TEST(test_writing_and_reading_at_once_is_EDEADLK),
		RWLOCK_TEST(test_unlock_of_what_another_has_is_EPERM),
		RWLOCK_TEST(test_downgrade_reads_on),
		RWLOCK_TEST(test_downgrade_by_one_who_does_not_write_is_EPERM),
		RWLOCK_TEST(test_read_of_16_at_once_and_no_more),
		RWLOCK_TEST(test_locks_held_at_once_are_let_go_in_any_order),
		RWLOCK_TEST(test_lock_is_the_same_through_two_attachments),
		RWLOCK_TEST(test_calls_on_what_is_no_rwlock_are_EINVAL),
	};

	return RUN_RWLOCK_TESTS(tests);
}
