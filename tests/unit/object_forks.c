/* object_forks.c - what a forked child has open of what its parent had, and when. */
#include "object_fixture.h"
#include <unistd.h>

static char *block;

static void join_and_look(void *arg)
{
	(void)arg;
	/* Its first call that joins. */
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "m")), 0);
	ilk_test_say(0);
	ilk_test_await(1);
	CHECK(is_filled(block, SIZE, 4));
	close_object(block);
	CHECK_RC(ilk_object_close(block), -EINVAL);
	ilk_test_say(2);
	ilk_test_await(3);
}

static void test_forked_child_has_open_what_its_parent_had(void **state)
{
	struct ilk_test_child *child;
	uint64_t before;

	(void)state;
	support_mutex(seg, "m");
	before = blocks();
	block = open_block("b");
	memset(block, 4, SIZE);
	child = ilk_test_start(join_and_look, NULL);
	ilk_test_await(0);
	remove_object("b");
	close_object(block);
	overwrite_free_memory();
	CHECK(blocks() == before + 1);
	ilk_test_say(1);
	ilk_test_await(2);
	CHECK(blocks() == before);
	ilk_test_say(3);
	ilk_test_join(child);
}

/* It joins by attaching anew, and opens what is there without the guard. */
static void attach_and_open(void *arg)
{
	struct ilk_segment *mine = support_open(ilk_test_name(""));
	void *memory;

	(void)arg;
	CHECK_RC(ilk_block_open(mine, "b", SIZE, &memory), 0);
	ilk_test_say(0);
	ilk_test_await(1);
	CHECK(is_filled(memory, SIZE, 4));
	ilk_test_say(2);
	ilk_test_await(3);
}

static void test_forked_child_that_attaches_anew_has_open_what_it_opens(void **state)
{
	struct ilk_test_child *child;
	uint64_t before = blocks();

	(void)state;
	block = open_block("b");
	memset(block, 4, SIZE);
	child = ilk_test_start(attach_and_open, NULL);
	ilk_test_await(0);
	remove_object("b");
	close_object(block);
	overwrite_free_memory();
	CHECK(blocks() == before + 1);
	ilk_test_say(1);
	ilk_test_await(2);
	ilk_test_say(3);
	ilk_test_join(child);
	CHECK(blocks() == before);
}

/* What was inherited is gone by now, and other memory is there: closing must not touch that. */
static void come_too_late(void *arg)
{
	struct ilk_segment *mine;

	ilk_test_await(0);
	if (arg)
		CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	mine = support_open(ilk_test_name(""));
	if (arg)
		CHECK_RC(ilk_object_close(block), -EINVAL);
	ilk_segment_close(mine);
	ilk_segment_close(seg);
}

static void fork_too_late(void *joins)
{
	struct ilk_test_child *child;
	char *other;

	support_mutex(seg, "m");
	block = open_sized("b", 8192);
	child = ilk_test_start(come_too_late, joins);
	remove_object("b");
	close_object(block);
	other = take(8192);
	memset(other, 0xff, 8192);
	ilk_test_say(0);
	ilk_test_join(child);
	CHECK(is_filled(other, 8192, (char)0xff));
	CHECK_RC(ilk_free_alone(seg, other), 0);
}

static void test_forked_child_that_joins_too_late_touches_nothing(void **state)
{
	(void)state;
	fork_too_late(seg);
}

static void test_forked_child_that_attaches_too_late_touches_nothing(void **state)
{
	(void)state;
	fork_too_late(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OBJECT_TEST(test_forked_child_has_open_what_its_parent_had),
		OBJECT_TEST(test_forked_child_that_attaches_anew_has_open_what_it_opens),
		OBJECT_TEST(test_forked_child_that_joins_too_late_touches_nothing),
		OBJECT_TEST(test_forked_child_that_attaches_too_late_touches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
