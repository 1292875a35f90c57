/*
 * rows.c - what the type table's rows say and do, and the floors beneath: looked at from inside.
 *
 * Corrupt states are written straight into a segment, and the rows must name what is wrong.
 */
#include "segment/arena.h"
#include "segment/member.h"
#include "segment/types.h"
#include "support.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

enum { DAMAGED = 1 }; /* as in src/sync/mutex.c */

static struct ilk_segment *seg;
static struct ilk_mutex *mutex;

static void open_mutex(void)
{
	CHECK_RC(ilk_segment_create(ilk_test_name("rows"), NULL, &seg), 0);
	CHECK_RC(ilk_mutex_open(seg, "m", NULL, &mutex), 0);
}

static void hold_for_ever(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	raise(SIGKILL);
}

static const char *wrong_with_mutex(void)
{
	return ilk_type_(ILK_TYPE_MUTEX_)->valid(&seg->map, mutex, sizeof *mutex);
}

static void close_all(void)
{
	ilk_segment_unlink(ilk_segment_name(seg));
	ilk_segment_close(seg);
}

static void test_repair_dead_owner_leaves_free_and_damaged(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	open_mutex();
	child = ilk_test_start(hold_for_ever, NULL);
	ilk_test_join_killed(child);
	CHECK(ilk_type_(ILK_TYPE_MUTEX_)->ready(seg, mutex) == 1);
	CHECK(ilk_type_(ILK_TYPE_MUTEX_)->repair(seg, mutex) == 1);
	CHECK(mutex->owner == DAMAGED);
	CHECK(ilk_type_(ILK_TYPE_MUTEX_)->repair(seg, mutex) == 0);
	CHECK_RC(ilk_mutex_lock(mutex), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	close_all();
}

static void test_repair_living_owner_changes_nothing(void **state)
{
	(void)state;
	open_mutex();
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	CHECK(ilk_type_(ILK_TYPE_MUTEX_)->repair(seg, mutex) == 0);
	CHECK(ilk_type_(ILK_TYPE_MUTEX_)->ready(seg, mutex) == 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	CHECK(ilk_type_(ILK_TYPE_MUTEX_)->ready(seg, mutex) == 1);
	close_all();
}

static void test_valid_corrupt_mutex_says_what(void **state)
{
	(void)state;
	open_mutex();
	CHECK(wrong_with_mutex() == NULL);
	mutex->owner = 77;
	CHECK(strstr(wrong_with_mutex(), "neither free nor an owner") != NULL);
	mutex->owner = ilk_owner_word_(4000, 1);
	CHECK(strstr(wrong_with_mutex(), "does not exist") != NULL);
	mutex->owner = ilk_owner_word_(0, 1) | 8;
	CHECK(strstr(wrong_with_mutex(), "unknown flags") != NULL);
	mutex->owner = 0;
	mutex->tag ^= 1;
	CHECK(strstr(wrong_with_mutex(), "tag") != NULL);
	close_all();
}

static void test_life_of_owner_out_of_date_is_not_dead(void **state)
{
	uint32_t mine;
	uint64_t *life;

	(void)state;
	open_mutex();
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	mine = mutex->owner;
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	CHECK(ilk_owner_life_(seg, mine) == ILK_LIFE_ALIVE);
	/* Another generation in the slot: that owner is gone for good. */
	CHECK(ilk_owner_life_(seg, mine ^ 1u << 4) == ILK_LIFE_DEAD);
	/* A free slot of this generation: it left holding nothing, which proves no death. */
	life = &ilk_thread_slot_(&seg->map, ilk_owner_slot_(mine))->life;
	*life &= ~UINT64_C(0xffff);
	CHECK(ilk_owner_life_(seg, mine) == ILK_LIFE_UNKNOWN);
	close_all();
}

static int leave_holding(void *arg)
{
	(void)arg;
	return ilk_mutex_lock(mutex);
}

static void test_thread_slot_at_last_generation_retires(void **state)
{
	uint64_t *life;

	(void)state;
	open_mutex();
	/* Slot 0 is this thread's; the next thread takes slot 1. */
	life = &ilk_thread_slot_(&seg->map, 1)->life;
	*life = ilk_life_word_(0, ILK_LAST_GENERATION_, 0);
	CHECK_RC(support_in_thread(leave_holding, NULL), 0);
	CHECK(ilk_life_process_(*life) == ILK_THREAD_RETIRED_);
	CHECK_RC(ilk_mutex_lock(mutex), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	CHECK_RC(support_in_thread(leave_holding, NULL), ILK_RECOVERED);
	CHECK(ilk_life_process_(*life) == ILK_THREAD_RETIRED_);
	close_all();
}

/* Has "b" open in the last of 4095 slots: the others are made to look like those of the dead. */
static void open_in_the_last_slot(void *arg)
{
	void *memory;

	(void)arg;
	ilk_segment_close(seg);
	seg = support_open(ilk_test_name("rows"));
	CHECK(seg->member->process == ILK_MAX_SLOTS_ - 1);
	CHECK_RC(ilk_block_open(seg, "b", 1000, &memory), 0);
	memset(memory, 6, 1000);
	ilk_test_say(0);
	ilk_test_await(1);
	for (int i = 0; i < 1000; i++)
		CHECK(((const char *)memory)[i] == 6);
	CHECK_RC(ilk_object_close(memory), 0);
}

static uint64_t blocks_given_out(void)
{
	struct ilk_usage usage;

	CHECK_RC(ilk_usage(seg, &usage), 0);
	return usage.blocks;
}

static void test_entry_of_4095_process_slots_has_a_bit_for_the_last(void **state)
{
	const struct ilk_segment_options many = {
		.size = sizeof many, .bytes = 8 << 20, .processes = ILK_MAX_SLOTS_};
	struct ilk_test_child *child;
	uint64_t before;

	(void)state;
	seg = support_create(ilk_test_name("rows"), &many);
	for (uint32_t i = 1; i < ILK_MAX_SLOTS_ - 1; i++)
		ilk_process_slot_(&seg->map, i)->state = ILK_PROCESS_USED_;
	before = blocks_given_out();
	child = ilk_test_start(open_in_the_last_slot, NULL);
	ilk_test_await(0);
	CHECK_RC(ilk_object_remove(seg, "b"), 0);
	CHECK(blocks_given_out() == before + 1);
	ilk_test_say(1);
	ilk_test_join(child);
	CHECK(blocks_given_out() == before);
	CHECK_RC(ilk_segment_valid(seg), 0);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_repair_dead_owner_leaves_free_and_damaged),
		ILK_TEST(test_repair_living_owner_changes_nothing),
		ILK_TEST(test_valid_corrupt_mutex_says_what),
		ILK_TEST(test_life_of_owner_out_of_date_is_not_dead),
		ILK_TEST(test_thread_slot_at_last_generation_retires),
		ILK_TEST(test_entry_of_4095_process_slots_has_a_bit_for_the_last),
	};

	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
