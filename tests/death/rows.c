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
	CHECK_RC(ilk_segment_create(support_name("rows"), NULL, &seg), 0);
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
	struct support_child *child;

	(void)state;
	open_mutex();
	child = support_start(hold_for_ever, NULL);
	support_join_killed(child);
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

static int nothing_is_reachable(const struct ilk_map_ *map, uint64_t offset)
{
	(void)map, (void)offset;
	return 0;
}

static int everything_is_reachable(const struct ilk_map_ *map, uint64_t offset)
{
	(void)map, (void)offset;
	return 1;
}

static uint64_t count_blocks(uint64_t bytes)
{
	uint64_t offset, n = 0;

	while (ilk_arena_alloc_(&seg->map, 1, bytes, &offset) == 0)
		n++;
	return n;
}

static void test_arena_recover_frees_unpublished_and_merges(void **state)
{
	uint64_t small, large;

	(void)state;
	open_mutex();
	large = count_blocks(100000);
	CHECK(large > 5);
	CHECK_RC(ilk_arena_recover_(&seg->map, nothing_is_reachable), 0);
	small = count_blocks(100);
	CHECK(small > 1000);
	CHECK_RC(ilk_arena_recover_(&seg->map, nothing_is_reachable), 0);
	/* Thousands of small free blocks are one again where a large one is wanted. */
	CHECK(count_blocks(100000) == large);
	CHECK_RC(ilk_arena_recover_(&seg->map, everything_is_reachable), 0);
	CHECK(count_blocks(100000) == 0);
	close_all();
}

static void test_arena_damaged_chain_is_reported(void **state)
{
	struct ilk_block_header_ *first;
	uint64_t offset;

	(void)state;
	open_mutex();
	first = (void *)(seg->map.base + seg->map.header.arena_at);
	first->size = 7;
	((struct ilk_header_ *)(void *)seg->map.base)->arena_hint = 0;
	CHECK_RC(ilk_arena_alloc_(&seg->map, 1, 64, &offset), -EBADMSG);
	first->size = UINT64_MAX & ~UINT64_C(63);
	CHECK_RC(ilk_arena_alloc_(&seg->map, 1, 64, &offset), -EBADMSG);
	CHECK_RC(ilk_arena_recover_(&seg->map, nothing_is_reachable), -EBADMSG);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_repair_dead_owner_leaves_free_and_damaged),
		TEST(test_repair_living_owner_changes_nothing),
		TEST(test_valid_corrupt_mutex_says_what),
		TEST(test_life_of_owner_out_of_date_is_not_dead),
		TEST(test_thread_slot_at_last_generation_retires),
		TEST(test_arena_recover_frees_unpublished_and_merges),
		TEST(test_arena_damaged_chain_is_reported),
	};

	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
