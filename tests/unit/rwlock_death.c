/* rwlock_death.c - what others get when a reader or a writer has died, left, or ended. */
#include "rwlock_fixture.h"
#include <string.h>

/* Told of a death by reading and by writing, until a writer has put it right. */
static void put_right(void)
{
	CHECK_RC(ilk_rwlock_read(l), ILK_RECOVERED);
	CHECK_RC(ilk_rwlock_read(l), ILK_RECOVERED);
	CHECK_RC(ilk_rwlock_repaired(l), -EPERM);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(support_in_thread(try_to_read, l), ILK_RECOVERED);
	CHECK_RC(ilk_rwlock_write(l), ILK_RECOVERED);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_try_write(l), ILK_RECOVERED);
	CHECK_RC(ilk_rwlock_downgrade(l), 0);
	CHECK_RC(ilk_rwlock_try_read(l), ILK_RECOVERED);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_write_until(l, ilk_after_ms(10)), ILK_RECOVERED);
	CHECK_RC(ilk_rwlock_repaired(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	CHECK_RC(ilk_rwlock_read(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(support_in_thread(try_to_write, l), 0);
}

/* --- readers --- */

static void test_a_dead_reader_is_not_there(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct ilk_test_child *child;

		ilk_store_release_(&ilk_test_board()->step[0], 0u);
		child = start_with(read_for_ever, l);
		CHECK_RC(ilk_rwlock_try_write(l), -EBUSY);
		ilk_test_kill(child);
		CHECK_RC(i ? ilk_rwlock_write(l) : ilk_rwlock_try_write(l), 0);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		CHECK_RC(ilk_rwlock_try_write(l), 0);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
	}
}

static void test_a_writer_waits_for_the_living_of_two_readers(void **state)
{
	struct ilk_test_child *first = start_with(read_for_ever, l), *second;

	(void)state;
	ilk_store_release_(&ilk_test_board()->step[0], 0u);
	second = start_with(read_for_ever, l);
	ilk_test_kill(first);
	CHECK_RC(ilk_rwlock_write_until(l, ilk_after_ms(50)), -ETIMEDOUT);
	ilk_test_kill(second);
	CHECK_RC(ilk_rwlock_write_until(l, ilk_after_ms(ilk_test_limit_ms())), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
}

static void write_asleep(void *lock)
{
	CHECK_RC(ilk_rwlock_write(lock), 0);
	ilk_test_board()->value[0] = ilk_now();
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
}

static void test_the_death_of_who_reads_wakes_nobody_but_is_found_in_time(void **state)
{
	struct ilk_test_child *reader = start_with(read_for_ever, l);
	struct ilk_test_child *writer = ilk_test_start(write_asleep, l);
	ilk_time killed;

	(void)state;
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	killed = ilk_now();
	ilk_test_kill(reader);
	ilk_test_join(writer);
	/* 20 ms and the death itself are promised; an idle machine shows that, a busy one less. */
	assert_true(ilk_test_board()->value[0] - killed < ilk_test_limit_ms() * 1000000 / 10);
	assert_int_equal(others_can(l), WRITE);
}

static int read_and_end(void *lock)
{
	return ilk_rwlock_read(lock);
}

static void test_a_thread_that_ended_reading_is_not_there(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(support_in_thread(read_and_end, l), 0);
		CHECK_RC(ilk_rwlock_try_write(l), 0);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		/* The next thread of the same slot is another. */
		assert_int_equal(support_in_thread(read_and_end, l), 0);
		assert_int_equal(support_in_thread(unlock_from_a_thread, l), -EPERM);
		CHECK_RC(ilk_rwlock_write(l), 0);
		CHECK_RC(ilk_rwlock_unlock(l), 0);
		warm_up(l);
	}
}

static void read_and_close(void *name)
{
	struct ilk_segment *own = support_open(name);
	struct ilk_rwlock *lock;

	CHECK_RC(ilk_rwlock_open(own, "l", &kind, &lock), 0);
	CHECK_RC(ilk_rwlock_read(lock), 0);
	/* The inherited attachment first: the last close counts. */
	ilk_segment_close(seg);
	ilk_segment_close(own);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_a_process_that_closed_reading_is_not_there(void **state)
{
	struct ilk_test_child *child;
	char name[64];

	(void)state;
	strcpy(name, ilk_test_name(""));
	child = ilk_test_start(read_and_close, name);
	ilk_test_await(0);
	assert_int_equal(others_can(l), WRITE);
	ilk_test_kill(child);
}

/* --- writers --- */

static void test_a_dead_writer_is_told_until_repaired(void **state)
{
	(void)state;
	warm_up(l);
	ilk_test_kill(start_with(write_for_ever, l));
	put_right();
}

static void test_a_dead_writer_is_told_to_a_try_first(void **state)
{
	(void)state;
	ilk_test_kill(start_with(write_for_ever, l));
	CHECK_RC(ilk_rwlock_try_read(l), ILK_RECOVERED);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	put_right();
}

static void test_a_dead_writer_is_told_to_a_writing_try_first(void **state)
{
	(void)state;
	ilk_test_kill(start_with(write_for_ever, l));
	CHECK_RC(ilk_rwlock_try_write(l), ILK_RECOVERED);
	CHECK_RC(ilk_rwlock_write(l), -EDEADLK);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	put_right();
}

static int write_and_end(void *lock)
{
	return ilk_rwlock_write(lock);
}

static void test_a_thread_that_ended_writing_is_told_of(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(support_in_thread(write_and_end, l), 0);
		assert_int_equal(support_in_thread(unlock_from_a_thread, l), -EPERM);
		put_right();
	}
}

static void downgrade_for_ever(void *lock)
{
	CHECK_RC(ilk_rwlock_write(lock), 0);
	CHECK_RC(ilk_rwlock_downgrade(lock), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_a_writer_that_died_downgraded_was_a_reader(void **state)
{
	struct ilk_test_child *child = start_with(downgrade_for_ever, l);

	(void)state;
	assert_int_equal(others_can(l), READ);
	ilk_test_kill(child);
	CHECK_RC(ilk_rwlock_write(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
}

static void read_asleep(void *lock)
{
	CHECK_RC(ilk_rwlock_read(lock), ILK_RECOVERED);
	ilk_test_board()->value[0] = ilk_now();
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
}

static void write_asleep_and_put_right(void *lock)
{
	int rc = ilk_rwlock_write(lock);

	CHECK(rc == ILK_RECOVERED || rc == 0);
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
}

static void test_all_asleep_get_on_when_the_writer_and_one_of_them_die(void **state)
{
	struct ilk_test_child *writer = start_with(write_for_ever, l), *sleepers[6];
	ilk_time killed;

	(void)state;
	for (int i = 0; i < 6; i++)
		sleepers[i] = ilk_test_start(i % 2 ? read_asleep : write_asleep_and_put_right, l);
	ilk_test_await_sleepers(ilk_test_name(""), 6);
	ilk_test_kill(sleepers[1]);
	ilk_test_kill(sleepers[2]);
	killed = ilk_now();
	ilk_test_kill(writer);
	for (int i = 0; i < 6; i++)
		if (i != 1 && i != 2)
			ilk_test_join(sleepers[i]);
	assert_true(ilk_test_board()->value[0] - killed < ilk_test_limit_ms() * 1000000 / 10);
	put_right();
}

/* --- a writer that waits for readers --- */

static void write_in_vain(void *lock)
{
	CHECK_RC(ilk_rwlock_write(lock), 0);
	ilk_test_fail("it was to be killed asleep");
}

static void test_readers_go_on_when_a_waiting_writer_dies(void **state)
{
	struct ilk_test_child *writer, *reader = start_with(read_for_ever, l);

	(void)state;
	writer = ilk_test_start(write_in_vain, l);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	assert_int_equal(others_can(l), NOTHING);
	ilk_test_kill(writer);
	/* It had not begun to write: nothing to tell. */
	assert_int_equal(others_can(l), READ);
	CHECK_RC(ilk_rwlock_read(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	ilk_test_kill(reader);
	CHECK_RC(ilk_rwlock_write(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
}

static void read_after_the_writer(void *lock)
{
	CHECK_RC(ilk_rwlock_read(lock), 0);
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
}

static void test_readers_asleep_go_on_when_a_waiting_writer_dies(void **state)
{
	struct ilk_test_child *writer, *first, *second;

	(void)state;
	CHECK_RC(ilk_rwlock_read(l), 0);
	writer = ilk_test_start(write_in_vain, l);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	first = ilk_test_start(read_after_the_writer, l);
	second = ilk_test_start(read_after_the_writer, l);
	ilk_test_await_sleepers(ilk_test_name(""), 3);
	ilk_test_kill(writer);
	ilk_test_join(first);
	ilk_test_join(second);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(others_can(l), WRITE);
}

static void test_a_dead_sleeper_takes_no_wakeup_with_it(void **state)
{
	struct ilk_test_child *dead, *alive;

	(void)state;
	CHECK_RC(ilk_rwlock_write(l), 0);
	dead = ilk_test_start(write_asleep, l);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	alive = ilk_test_start(write_asleep, l);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	/* Stopped, it is woken and cannot act on it; then it dies of that. */
	ilk_test_stop(dead);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	ilk_test_kill(dead);
	ilk_test_join(alive);
}

/* --- fork, and not dead --- */

static void child_holds_nothing(void *lock)
{
	CHECK_RC(ilk_rwlock_unlock(lock), -EPERM);
	CHECK_RC(ilk_rwlock_try_write(lock), -EBUSY);
	CHECK_RC(ilk_rwlock_unlock(lock), -EPERM);
	CHECK_RC(ilk_rwlock_read(lock), 0);
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
	CHECK_RC(ilk_rwlock_downgrade(lock), -EPERM);
}

static void test_a_forked_child_of_a_reader_holds_nothing(void **state)
{
	(void)state;
	warm_up(l);
	CHECK_RC(ilk_rwlock_read(l), 0);
	ilk_test_in_child(child_holds_nothing, l);
	assert_int_equal(others_can(l), READ);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(others_can(l), WRITE);
}

static void child_of_a_writer(void *lock)
{
	CHECK_RC(ilk_rwlock_unlock(lock), -EPERM);
	CHECK_RC(ilk_rwlock_try_read(lock), -EBUSY);
	CHECK_RC(ilk_rwlock_repaired(lock), -EPERM);
	CHECK_RC(ilk_rwlock_downgrade(lock), -EPERM);
}

static void test_a_forked_child_of_a_writer_holds_nothing(void **state)
{
	(void)state;
	CHECK_RC(ilk_rwlock_write(l), 0);
	ilk_test_in_child(child_of_a_writer, l);
	assert_int_equal(others_can(l), NOTHING);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
}

static void test_who_is_stopped_is_not_dead(void **state)
{
	struct ilk_test_child *reader = start_with(read_for_ever, l), *writer;

	(void)state;
	ilk_test_stop(reader);
	CHECK_RC(ilk_rwlock_write_until(l, ilk_after_ms(60)), -ETIMEDOUT);
	ilk_test_kill(reader);
	ilk_store_release_(&ilk_test_board()->step[0], 0u);
	writer = start_with(write_for_ever, l);
	ilk_test_stop(writer);
	CHECK_RC(ilk_rwlock_write_until(l, ilk_after_ms(60)), -ETIMEDOUT);
	CHECK_RC(ilk_rwlock_read_until(l, ilk_after_ms(60)), -ETIMEDOUT);
	ilk_test_kill(writer);
	put_right();
}

static void test_zombies_are_dead(void **state)
{
	struct ilk_test_child *reader = start_with(read_for_ever, l), *writer;

	(void)state;
	ilk_test_kill_only(reader);
	CHECK_RC(ilk_rwlock_write(l), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	ilk_store_release_(&ilk_test_board()->step[0], 0u);
	writer = start_with(write_for_ever, l);
	ilk_test_kill_only(writer);
	put_right();
	ilk_test_reap(reader);
	ilk_test_reap(writer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RWLOCK_TEST(test_a_dead_reader_is_not_there),
		RWLOCK_TEST(test_a_writer_waits_for_the_living_of_two_readers),
		RWLOCK_TEST(test_the_death_of_who_reads_wakes_nobody_but_is_found_in_time),
		RWLOCK_TEST(test_a_thread_that_ended_reading_is_not_there),
		RWLOCK_TEST(test_a_process_that_closed_reading_is_not_there),
		RWLOCK_TEST(test_a_dead_writer_is_told_until_repaired),
		RWLOCK_TEST(test_a_dead_writer_is_told_to_a_try_first),
		RWLOCK_TEST(test_a_dead_writer_is_told_to_a_writing_try_first),
		RWLOCK_TEST(test_a_thread_that_ended_writing_is_told_of),
		RWLOCK_TEST(test_a_writer_that_died_downgraded_was_a_reader),
		RWLOCK_TEST(test_all_asleep_get_on_when_the_writer_and_one_of_them_die),
		RWLOCK_TEST(test_readers_go_on_when_a_waiting_writer_dies),
		RWLOCK_TEST(test_readers_asleep_go_on_when_a_waiting_writer_dies),
		RWLOCK_TEST(test_a_dead_sleeper_takes_no_wakeup_with_it),
		RWLOCK_TEST(test_a_forked_child_of_a_reader_holds_nothing),
		RWLOCK_TEST(test_a_forked_child_of_a_writer_holds_nothing),
		RWLOCK_TEST(test_who_is_stopped_is_not_dead),
		RWLOCK_TEST(test_zombies_are_dead),
	};

	return RUN_RWLOCK_TESTS(tests);
}
