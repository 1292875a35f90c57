/* object_openers.c - a removed object is kept for the living who have it open, and no longer. */
#include "object_fixture.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *block;

/* --- one child that has it open; how it ends --- */

/* Has "b" open by its own call, says 0; goes on at 1. */
static void have_it_open(void)
{
	block = open_block("b");
	memset(block, 9, SIZE);
	ilk_test_say(0);
	ilk_test_await(1);
	CHECK(is_filled(block, SIZE, 9));
}

static void then_close_it(void *arg)
{
	(void)arg;
	have_it_open();
	close_object(block);
	ilk_test_say(2);
	ilk_test_await(3);
}

static void then_close_the_segment(void *arg)
{
	(void)arg;
	have_it_open();
	ilk_segment_close(seg);
	ilk_test_say(2);
	ilk_test_await(3);
}

static void then_exit(void *arg)
{
	(void)arg;
	have_it_open();
	exit(0);
}

static void then_exec(void *arg)
{
	(void)arg;
	have_it_open();
	execlp("true", "true", (char *)NULL);
	_exit(1);
}

static void then_stay(void *arg)
{
	(void)arg;
	have_it_open();
	ilk_test_say(2);
	ilk_test_sleep_for_ever();
}

static void then_close_descriptors(void *arg)
{
	(void)arg;
	have_it_open();
	syscall(SYS_close_range, 3u, ~0u, 0u);
	ilk_test_say(2);
	ilk_test_await(3);
	CHECK(is_filled(block, SIZE, 9));
	close_object(block);
}

/* Starts a child of which BODY is the life, and removes what it has open: it is kept. */
static struct ilk_test_child *start_opener(void (*body)(void *arg), uint64_t before)
{
	struct ilk_test_child *child = ilk_test_start(body, NULL);

	ilk_test_await(0);
	remove_object("b");
	CHECK(blocks() == before + 1);
	overwrite_free_memory();
	CHECK(blocks() == before + 1);
	ilk_test_say(1);
	return child;
}

/* It is freed as soon as BODY has said 2. */
static void check_freed_after(void (*body)(void *arg))
{
	uint64_t before = blocks();
	struct ilk_test_child *child = start_opener(body, before);

	ilk_test_await(2);
	CHECK(blocks() == before);
	ilk_test_say(3);
	ilk_test_join(child);
}

static void test_removed_is_freed_when_the_last_opener_closes_it(void **state)
{
	(void)state;
	check_freed_after(then_close_it);
}

static void test_removed_is_freed_when_the_last_opener_closes_the_segment(void **state)
{
	(void)state;
	check_freed_after(then_close_the_segment);
}

static void test_removed_is_freed_when_the_last_opener_exits(void **state)
{
	uint64_t before = blocks();

	(void)state;
	ilk_test_join(start_opener(then_exit, before));
	CHECK(blocks() == before);
}

static void test_removed_is_freed_when_the_last_opener_execs(void **state)
{
	uint64_t before = blocks();

	(void)state;
	ilk_test_join(start_opener(then_exec, before));
	CHECK(blocks() == before);
}

static void test_removed_is_freed_when_the_last_opener_is_killed(void **state)
{
	uint64_t before = blocks();
	struct ilk_test_child *child = start_opener(then_stay, before);

	(void)state;
	ilk_test_await(2);
	ilk_test_stop(child);
	CHECK(blocks() == before + 1);
	ilk_test_kill_only(child);
	CHECK(blocks() == before);
	ilk_test_reap(child);
}

static void test_removed_is_kept_for_one_without_descriptors(void **state)
{
	uint64_t before = blocks();
	struct ilk_test_child *child = start_opener(then_close_descriptors, before);

	(void)state;
	ilk_test_await(2);
	overwrite_free_memory();
	CHECK(blocks() == before + 1);
	ilk_test_say(3);
	ilk_test_join(child);
	CHECK(blocks() == before);
}

/* --- who has the slot of the dead has not what they had open --- */

static void open_nothing(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "m")), 0);
	ilk_test_say(5);
	ilk_test_sleep_for_ever();
}

static void test_takeover_of_a_slot_does_not_inherit_what_was_open(void **state)
{
	const struct ilk_segment_options two = {.size = sizeof two, .processes = 2};
	struct ilk_segment *roomy = seg;
	struct ilk_test_child *child, *heir;
	uint64_t before;

	(void)state;
	seg = support_create(ilk_test_name("two"), &two);
	support_mutex(seg, "m");
	before = blocks();
	child = start_opener(then_stay, before);
	ilk_test_await(2);
	ilk_test_kill(child);
	heir = ilk_test_start(open_nothing, NULL);
	ilk_test_await(5);
	CHECK(blocks() == before);
	if (ilk_segment_valid(seg) != 0)
		ilk_test_fail("%s", ilk_last_error());
	ilk_test_kill(heir);
	ilk_segment_close(seg);
	support_unlink(ilk_test_name("two"));
	seg = roomy;
}

/* --- who waits --- */

static void wait_for_it(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), -EIDRM);
	ilk_test_say(0);
}

static int wait_in_a_thread(void *arg)
{
	(void)arg;
	return ilk_mutex_lock(support_mutex(seg, "m"));
}

static void remove_when_somebody_sleeps(void *arg)
{
	(void)arg;
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	remove_object("m");
}

static void test_sleepers_of_other_processes_are_told_EIDRM(void **state)
{
	struct ilk_mutex *m = support_mutex(seg, "m");
	struct ilk_test_child *children[3];

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	for (int i = 0; i < 3; i++)
		children[i] = ilk_test_start(wait_for_it, NULL);
	ilk_test_await_sleepers(ilk_test_name(""), 3);
	remove_object("m");
	for (int i = 0; i < 3; i++)
		ilk_test_join(children[i]);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void test_sleeper_in_another_thread_is_told_EIDRM(void **state)
{
	struct ilk_mutex *m = support_mutex(seg, "m");
	struct ilk_test_child *remover;

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	remover = ilk_test_start(remove_when_somebody_sleeps, NULL);
	CHECK_RC(support_in_thread(wait_in_a_thread, NULL), -EIDRM);
	ilk_test_join(remover);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

/* --- room --- */

static void open_much_and_stay(void *arg)
{
	(void)arg;
	open_sized("much", most());
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_no_room_finds_what_the_dead_had_open(void **state)
{
	struct ilk_test_child *child = ilk_test_start(open_much_and_stay, NULL);
	size_t size = most();
	void *memory;

	(void)state;
	ilk_test_await(0);
	remove_object("much");
	CHECK_RC(ilk_block_open(seg, "other", size, &memory), -ENOSPC);
	ilk_test_kill(child);
	CHECK_RC(ilk_block_open(seg, "other", size, &memory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OBJECT_TEST(test_removed_is_freed_when_the_last_opener_closes_it),
		OBJECT_TEST(test_removed_is_freed_when_the_last_opener_closes_the_segment),
		OBJECT_TEST(test_removed_is_freed_when_the_last_opener_exits),
		OBJECT_TEST(test_removed_is_freed_when_the_last_opener_execs),
		OBJECT_TEST(test_removed_is_freed_when_the_last_opener_is_killed),
		OBJECT_TEST(test_removed_is_kept_for_one_without_descriptors),
		OBJECT_TEST(test_takeover_of_a_slot_does_not_inherit_what_was_open),
		OBJECT_TEST(test_sleepers_of_other_processes_are_told_EIDRM),
		OBJECT_TEST(test_sleeper_in_another_thread_is_told_EIDRM),
		OBJECT_TEST(test_no_room_finds_what_the_dead_had_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
