/* rwlock_waits.c - who gives up waiting leaves nobody behind: those after it come in, or take its place. */
#include "rwlock_fixture.h"

enum { HAS_READ, WROTE, GAVE_UP_WRITING, GAVE_UP_READING, OVER }; /* steps */

/* Who gives up lives on: the dead could not be said to have let go. */
static void write_for_a_while(void *lock)
{
	CHECK_RC(ilk_rwlock_write_until(lock, ilk_after_ms(100)), -ETIMEDOUT);
	ilk_test_say(GAVE_UP_WRITING);
	ilk_test_await(OVER);
}

static void read_for_a_while(void *lock)
{
	CHECK_RC(ilk_rwlock_read_until(lock, ilk_after_ms(100)), -ETIMEDOUT);
	ilk_test_say(GAVE_UP_READING);
	ilk_test_await(OVER);
}

static void end(struct ilk_test_child *child)
{
	ilk_test_say(OVER);
	ilk_test_join(child);
}

static void read_and_say(void *lock)
{
	CHECK_RC(ilk_rwlock_read(lock), 0);
	ilk_test_say(HAS_READ);
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
}

static void write_and_say(void *lock)
{
	CHECK_RC(ilk_rwlock_write(lock), 0);
	ilk_test_say(WROTE);
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
	ilk_test_await(HAS_READ);
	ilk_test_join(reader);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(others_can(l), WRITE);
	end(writer);
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
	ilk_test_await(GAVE_UP_WRITING);
	ilk_test_until(is_its_turn, &second->pid);
	reader = ilk_test_start(read_and_say, l);
	ilk_test_await_sleepers(ilk_test_name(""), 2);
	assert_false(ilk_test_was_said(HAS_READ) || ilk_test_was_said(WROTE));
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	ilk_test_join(second);
	ilk_test_join(reader);
	assert_int_equal(others_can(l), WRITE);
	end(first);
}

static void test_sleepers_that_give_up_take_no_wakeup_with_them(void **state)
{
	struct ilk_test_child *first, *second, *third;

	(void)state;
	CHECK_RC(ilk_rwlock_write(l), 0);
	first = ilk_test_start(write_for_a_while, l);
	second = ilk_test_start(read_for_a_while, l);
	third = ilk_test_start(write_and_say, l);
	ilk_test_await(GAVE_UP_WRITING);
	ilk_test_await(GAVE_UP_READING);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	ilk_test_join(third);
	assert_int_equal(others_can(l), WRITE);
	end(first);
	end(second);
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
	ilk_test_await(HAS_READ);
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
