/* rwlock_waits.c - who gives up waiting leaves nobody behind: those after it come in, or take its place. */
#include "rwlock_fixture.h"

static void write_for_a_while(void *lock)
{
	CHECK_RC(ilk_rwlock_write_until(lock, ilk_after_ms(100)), -ETIMEDOUT);
}

static void read_for_a_while(void *lock)
{
	CHECK_RC(ilk_rwlock_read_until(lock, ilk_after_ms(100)), -ETIMEDOUT);
}

static void read_and_say(void *lock)
{
	CHECK_RC(ilk_rwlock_read(lock), 0);
	ilk_test_say(0);
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
}

static void write_and_say(void *lock)
{
	CHECK_RC(ilk_rwlock_write(lock), 0);
	ilk_test_say(1);
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
}

static void test_readers_asleep_come_in_when_a_waiting_writer_gives_up(void **state)
{
	struct ilk_test_child *writer, *reader;

	(void)state;
	CHECK_RC(ilk_rwlock_read(l), 0);
	writer = ilk_test_start(write_for_a_while, l);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	reader = ilk_test_start(read_and_say, l);
	/* While the first still reads. */
	ilk_test_await(0);
	ilk_test_join(reader);
	ilk_test_join(writer);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(others_can(l), WRITE);
}

/* Is it the turn of the process *PID to write? */
static int is_its_turn(void *pid)
{
	const struct ilk_object_info *o;
	struct ilk_inspection *in;
	int is;

	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	o = &in->objects[0];
	is = o->owner != ILK_NO_INDEX && in->threads[o->owner].tid == *(pid_t *)pid;
	ilk_inspection_free(in);
	return is;
}

static void test_a_writer_asleep_takes_the_place_of_one_that_gives_up(void **state)
{
	struct ilk_test_child *first, *second, *reader;

	(void)state;
	CHECK_RC(ilk_rwlock_read(l), 0);
	first = ilk_test_start(write_for_a_while, l);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	second = ilk_test_start(write_and_say, l);
	ilk_test_join(first);
	ilk_test_until(is_its_turn, &second->pid);
	reader = ilk_test_start(read_and_say, l);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	assert_false(ilk_test_was_said(0) || ilk_test_was_said(1));
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	ilk_test_join(second);
	ilk_test_join(reader);
	assert_int_equal(others_can(l), WRITE);
}

static void test_sleepers_that_give_up_take_no_wakeup_with_them(void **state)
{
	struct ilk_test_child *first, *second, *third;

	(void)state;
	CHECK_RC(ilk_rwlock_write(l), 0);
	first = ilk_test_start(write_for_a_while, l);
	second = ilk_test_start(read_for_a_while, l);
	third = ilk_test_start(write_and_say, l);
	ilk_test_join(first);
	ilk_test_join(second);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	ilk_test_join(third);
	assert_int_equal(others_can(l), WRITE);
}

/* What waits for a writer that was killed while it waited, and one that is killed in its place. */
static void test_the_third_comes_in_when_two_writers_die_waiting(void **state)
{
	struct ilk_test_child *first, *second, *reader;

	(void)state;
	CHECK_RC(ilk_rwlock_read(l), 0);
	first = ilk_test_start(write_and_say, l);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	second = ilk_test_start(write_and_say, l);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	reader = ilk_test_start(read_and_say, l);
	ilk_test_await_sleepers(ilk_test_name(""), 3);
	ilk_test_kill(first);
	ilk_test_kill(second);
	ilk_test_await(0);
	ilk_test_join(reader);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(others_can(l), WRITE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RWLOCK_TEST(test_readers_asleep_come_in_when_a_waiting_writer_gives_up),
		RWLOCK_TEST(test_a_writer_asleep_takes_the_place_of_one_that_gives_up),
		RWLOCK_TEST(test_sleepers_that_give_up_take_no_wakeup_with_them),
		RWLOCK_TEST(test_the_third_comes_in_when_two_writers_die_waiting),
	};

	return RUN_RWLOCK_TESTS(tests);
}
