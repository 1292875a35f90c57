/* rwlock_waits.c - who waits for whom in a rwlock, how long, and who goes first. */
#include "rwlock_fixture.h"

/* --- more readers than cells --- */

enum { CROWD = 12 };

static void *read_until_told(void *lock)
{
	CHECK_RC(ilk_rwlock_read(lock), 0);
	ilk_add_full_(&ilk_test_board()->value[0], 1);
	ilk_test_await(1);
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
	return NULL;
}

static int are_all_in(void *arg)
{
	(void)arg;
	return ilk_load_acquire_(&ilk_test_board()->value[0]) == CROWD;
}

static void test_read_by_many_keeps_writers_out_until_the_last(void **state)
{
	pthread_t threads[CROWD];

	(void)state;
	for (int round = 0; round < 2; round++) {
		ilk_store_release_(&ilk_test_board()->step[1], 0u);
		ilk_store_release_(&ilk_test_board()->value[0], 0);
		for (int i = 0; i < CROWD; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, read_until_told, l), 0);
		ilk_test_until(are_all_in, NULL);
		CHECK_RC(ilk_rwlock_try_write(l), -EBUSY);
		CHECK_RC(ilk_rwlock_write_until(l, ilk_after_ms(20)), -ETIMEDOUT);
		CHECK_RC(ilk_rwlock_try_read(l), 0);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		ilk_test_say(1);
		CHECK_RC(ilk_rwlock_write(l), 0);
		assert_int_equal(others_can(l), NOTHING);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		for (int i = 0; i < CROWD; i++)
			assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
}

/* --- deadlines --- */

static void test_until_a_deadline_that_passes_is_ETIMEDOUT(void **state)
{
	struct ilk_test_child *holder = start_with(write_for_ever, l);
	ilk_time began = ilk_now();

	(void)state;
	CHECK_RC(ilk_rwlock_read_until(l, began + 40 * 1000000), -ETIMEDOUT);
	CHECK_RC(ilk_rwlock_write_until(l, began + 80 * 1000000), -ETIMEDOUT);
	assert_true(ilk_now() - began >= 80 * 1000000);
	CHECK_RC(ilk_rwlock_try_read(l), -EBUSY);
	CHECK_RC(ilk_rwlock_try_write(l), -EBUSY);
	CHECK_RC(ilk_rwlock_read_until(l, 1), -ETIMEDOUT);
	CHECK_RC(ilk_rwlock_unlock(l), -EPERM);
	ilk_test_kill(holder);
}

static void test_write_until_over_readers_leaves_them_reading(void **state)
{
	struct ilk_test_child *holder = start_with(read_for_ever, l);

	(void)state;
	CHECK_RC(ilk_rwlock_write_until(l, ilk_after_ms(40)), -ETIMEDOUT);
	CHECK_RC(ilk_rwlock_try_write(l), -EBUSY);
	assert_int_equal(others_can(l), READ);
	CHECK_RC(ilk_rwlock_read(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_write_until(l, ilk_after_ms(10)), -ETIMEDOUT);
	ilk_test_kill(holder);
	assert_int_equal(others_can(l), WRITE);
}

/* --- waiting --- */

static void *write_with_patience(void *lock)
{
	CHECK_RC(ilk_rwlock_write_until(lock, ilk_after_ms(ilk_test_limit_ms())), 0);
	ilk_test_say(2);
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
	return NULL;
}

static void *read_with_patience(void *lock)
{
	CHECK_RC(ilk_rwlock_read_until(lock, ilk_after_ms(ilk_test_limit_ms())), 0);
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
	return NULL;
}

static void test_all_asleep_get_it_when_the_writer_lets_go(void **state)
{
	enum { EACH = 4 };
	pthread_t threads[2 * EACH];

	(void)state;
	CHECK_RC(ilk_rwlock_write(l), 0);
	for (int i = 0; i < 2 * EACH; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
					 i < EACH ? read_with_patience : write_with_patience, l),
			0);
	ilk_test_await_sleepers(ilk_test_name(""), 2 * EACH);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	for (int i = 0; i < 2 * EACH; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void test_readers_asleep_come_in_at_a_downgrade(void **state)
{
	pthread_t thread;

	(void)state;
	CHECK_RC(ilk_rwlock_write(l), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_with_patience, l), 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_rwlock_downgrade(l), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
}

/* Writer preference: who reads already may read once more, others may not begin. */
static void test_a_waiting_writer_goes_before_new_readers(void **state)
{
	pthread_t thread;

	(void)state;
	warm_up(l);
	CHECK_RC(ilk_rwlock_read(l), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_with_patience, l), 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	assert_int_equal(others_can(l), NOTHING);
	CHECK_RC(ilk_rwlock_read(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(ilk_test_was_said(2), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(others_can(l), WRITE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RWLOCK_TEST(test_read_by_many_keeps_writers_out_until_the_last),
		RWLOCK_TEST(test_until_a_deadline_that_passes_is_ETIMEDOUT),
		RWLOCK_TEST(test_write_until_over_readers_leaves_them_reading),
		RWLOCK_TEST(test_all_asleep_get_it_when_the_writer_lets_go),
		RWLOCK_TEST(test_readers_asleep_come_in_at_a_downgrade),
		RWLOCK_TEST(test_a_waiting_writer_goes_before_new_readers),
	};

	return RUN_RWLOCK_TESTS(tests);
}
