/*
 * arena_damage.c - an arena with damage written into it: named by ilk_segment_valid, never followed,
 * and made anew from the chain wherever that is whole; and the guard, left by the dead.
 */
#include "arena_fixture.h"
#include "segment/lists.h"
#include "segment/member.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>

/* Five blocks, the second and the fourth free again. */
static uint64_t five[5];

static void make_five(void)
{
	void *name;

	CHECK_RC(ilk_block_open(seg, "a", 64, &name), 0);
	for (int i = 0; i < 5; i++) {
		void *memory = NULL;

		CHECK_RC(ilk_alloc(seg, 1000, &memory), 0);
		CHECK_RC(ilk_publish_alone(seg, memory), 0);
		five[i] = ilk_ref_to(seg, memory).offset;
	}
	CHECK_RC(ilk_free_alone(seg, seg->map.base + five[1]), 0);
	CHECK_RC(ilk_free_alone(seg, seg->map.base + five[3]), 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

static int is_known(int rc)
{
	return rc == 0 || rc == -ENOSPC || rc == -EBADMSG || rc == -EINVAL;
}

/* Uses what is damaged in every way; only results count, and that there are any. */
static void use_all(void)
{
	uint64_t bytes = seg->map.bytes;
	struct ilk_usage u;

	for (int i = 0; i < 200; i++) {
		void *memory = NULL, *name = NULL;
		int rc =
			ilk_alloc_aligned(seg, (size_t)draw_size(), (size_t)64 << draw(8), &memory);

		CHECK(is_known(rc) && (rc == 0) == (memory != NULL));
		if (rc == 0 && draw(2))
			CHECK(is_known(ilk_free_alone(seg, memory)));
		CHECK(is_known(ilk_free_alone(seg, seg->map.base + five[draw(5)])));
		CHECK(is_known(ilk_free_alone(seg, seg->map.base + draw((uint32_t)bytes))));
		CHECK(is_known(ilk_usage(seg, &u)) && is_known(ilk_segment_valid(seg)));
		CHECK(is_known(ilk_block_open(seg, "a", 64, &name)));
	}
}

static void damage_first_size(uint64_t with)
{
	header_of(five[0])->size = with;
}

static void damage_free_size(uint64_t with)
{
	header_of(five[1])->size = with;
}

static void damage_check(uint64_t with)
{
	header_of(five[2])->check ^= (uint32_t)with;
}

static void damage_before(uint64_t with)
{
	header_of(five[2])->before = with;
}

static void damage_used(uint64_t with)
{
	ilk_header_of_(map)->arena_used += with;
}

static void damage_blocks(uint64_t with)
{
	ilk_header_of_(map)->arena_blocks += with;
}

static void unjoin(uint64_t with)
{
	(void)with;
	ilk_set_block_size_(header_of(five[2]), ilk_block_size_(header_of(five[2])));
}

/* The list that the two small free blocks are in. */
static uint64_t *first_of_list(void)
{
	return &ilk_lists_of_(map)->first[ilk_list_of_(ilk_block_size_(header_of(five[1])))];
}

static void damage_first(uint64_t with)
{
	*first_of_list() = with;
}

static void loop_list(uint64_t with)
{
	(void)with;
	header_of(five[1])->list_next = header_of(five[1])->list_last = five[1] - 64;
	header_of(five[3])->list_next = five[3] - 64;
}

static void loop_two(uint64_t with)
{
	(void)with;
	header_of(five[1])->list_next = header_of(five[1])->list_last = five[3] - 64;
	header_of(five[3])->list_next = header_of(five[3])->list_last = five[1] - 64;
}

static void lead_to_given_out(uint64_t with)
{
	(void)with;
	*first_of_list() = five[2] - 64;
}

static void lead_into_another_list(uint64_t with)
{
	(void)with;
	header_of(five[1])->list_next = header_of(five[4])->size - 1 + five[4] - 64;
	header_of(five[3])->list_next = header_of(five[4])->size - 1 + five[4] - 64;
}

static void damage_last(uint64_t with)
{
	header_of(five[1])->list_last = with;
}

static void damage_next(uint64_t with)
{
	header_of(five[1])->list_next = with;
	header_of(five[3])->list_next = with;
}

static void forget_list(uint64_t with)
{
	(void)with;
	ilk_clear_lists_(map);
}

static void fill_bits(uint64_t with)
{
	memset(ilk_lists_of_(map)->filled, (int)with, sizeof ilk_lists_of_(map)->filled);
}

static const struct damage {
	void (*make)(uint64_t with);
	uint64_t with;
	const char *named;
	int is_in_chain; /* which is the truth, and cannot be made anew */
} damages[] = {
	{damage_first_size, 7, "chain", 1},
	{damage_first_size, 1, "chain", 1},
	{damage_first_size, 65, "chain", 1},
	{damage_first_size, UINT64_MAX, "chain", 1},
	{damage_first_size, UINT64_C(1) << 63, "chain", 1},
	{damage_first_size, (UINT64_C(1) << 20) + 1, "chain", 1},
	{damage_free_size, 0, "chain", 1},
	{damage_free_size, 7, "chain", 1},
	{damage_free_size, UINT64_MAX - 63, "chain", 1},
	{damage_check, 1, "chain", 1},
	{damage_check, UINT32_MAX, "chain", 1},
	{damage_before, 0, "before", 0},
	{damage_before, 8, "before", 0},
	{damage_before, UINT64_MAX - 63, "before", 0},
	{unjoin, 0, "joined", 0},
	{damage_used, 64, "counts", 0},
	{damage_blocks, UINT64_MAX, "counts", 0},
	{damage_first, 0, "list", 0},
	{damage_first, 8, "list", 0},
	{damage_first, UINT64_MAX - 63, "list", 0},
	{damage_first, UINT64_C(1) << 20, "list", 0},
	{loop_list, 0, "list", 0},
	{loop_two, 0, "list", 0},
	{lead_to_given_out, 0, "list", 0},
	{lead_into_another_list, 0, "list", 0},
	{damage_last, 64, "list", 0},
	{damage_next, UINT64_MAX, "list", 0},
	{damage_next, 64, "list", 0},
	{forget_list, 0, "list", 0},
	{fill_bits, 0, "list", 0},
	{fill_bits, 0xff, "list", 0},
};

/* In a child, which may crash, or hang: five blocks, damaged. */
static void be_damaged(void *which)
{
	const struct damage *d = which;

	make_five();
	d->make(d->with);
	CHECK_RC(ilk_segment_valid(seg), -EBADMSG);
	if (!strstr(ilk_last_error(), d->named))
		ilk_test_fail("damage %d is called %s", (int)(d - damages), ilk_last_error());
	random_state = 17;
	use_all();
}

static void test_damage_is_named_and_never_followed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		const struct damage *d = &damages[i];

		ilk_test_in_child(be_damaged, (void *)(uintptr_t)d);
		CHECK((ilk_arena_rebuild_(map, is_dead, NULL) < 0) == d->is_in_chain);
		if (!d->is_in_chain) {
			check_valid();
			CHECK_RC(ilk_segment_valid(seg), 0);
		}
		arena_teardown(state);
		CHECK(arena_setup(state) == 0);
	}
}

static void test_a_damaged_chain_is_EBADMSG_when_memory_runs_short(void **state)
{
	void *memory = NULL;
	struct ilk_usage u;

	(void)state;
	for (size_t i = 0; damages[i].is_in_chain; i++) {
		make_five();
		damages[i].make(damages[i].with);
		CHECK_RC(ilk_alloc(seg, map->bytes - 4096, &memory), -EBADMSG);
		CHECK_RC(ilk_usage(seg, &u), -EBADMSG);
		CHECK(memory == NULL);
		arena_teardown(state);
		CHECK(arena_setup(state) == 0);
	}
}

/* --- damage elsewhere --- */

static void check_named(const char *named)
{
	CHECK_RC(ilk_segment_valid(seg), -EBADMSG);
	if (!strstr(ilk_last_error(), named))
		ilk_test_fail("\"%s\", which names no %s", ilk_last_error(), named);
}

static void test_valid_names_what_is_wrong_with_slots_and_objects(void **state)
{
	struct ilk_mutex *mutex = support_mutex(seg, "door");
	struct ilk_entry_ *entry = (struct ilk_entry_ *)(void *)mutex - 1;
	struct ilk_block_header_ *block = (struct ilk_block_header_ *)(void *)entry - 1;
	uint64_t *life = &ilk_thread_slot_(map, 9)->life, size = block->size;

	(void)state;
	ilk_process_slot_(map, 3)->state = 77;
	check_named("process slot 3");
	ilk_process_slot_(map, 3)->state = ILK_PROCESS_FREE_;
	*life = ilk_life_word_(1, 1, map->header.process_slots + 1);
	check_named("thread slot 9");
	*life = ilk_life_word_(0, ILK_LAST_GENERATION_, ILK_THREAD_RETIRED_);
	CHECK_RC(ilk_segment_valid(seg), 0);
	mutex->owner = 77;
	check_named("mutex door");
	mutex->owner = 0;
	block->owner = living;
	check_named("not given out");
	block->owner = 0;
	block->size = size - 64;
	CHECK_RC(ilk_segment_valid(seg), -EBADMSG);
	block->size = size;
	entry->bytes += 4096;
	CHECK_RC(ilk_segment_valid(seg), -EBADMSG);
	entry->bytes -= 4096;
	entry->next = (uint64_t)((char *)entry - map->base);
	check_named("directory");
	entry->next = 0;
	CHECK_RC(ilk_segment_valid(seg), 0);
}

/* --- the guard --- */

/* Dies in it, with lists that lead nowhere and a block of its own. */
static void die_in_the_guard(void *arg)
{
	void *memory = NULL;

	(void)arg;
	CHECK_RC(ilk_alloc(seg, 1000, &memory), 0);
	ilk_header_of_(map)->guard.owner = ilk_thread_.owner;
	memset(ilk_lists_of_(map), 0x55, sizeof(struct ilk_free_lists_));
	raise(SIGKILL);
}

static void test_a_death_in_the_guard_is_put_right_by_the_next(void **state)
{
	void *memory = NULL;

	(void)state;
	make_five();
	ilk_test_join_killed(ilk_test_start(die_in_the_guard, NULL));
	CHECK(ilk_header_of_(map)->guard.recoveries == 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
	CHECK(ilk_header_of_(map)->guard.recoveries == 1);
	check_blocks(4, 3);
	CHECK_RC(ilk_alloc(seg, 64, &memory), 0);
	CHECK(ilk_header_of_(map)->guard.recoveries == 1);
	CHECK_RC(ilk_segment_valid(seg), 0);
	CHECK_RC(ilk_free_alone(seg, memory), 0);
	check_blocks(4, 3);
}

static int alloc_or_wait(void *arg)
{
	void *memory = NULL;

	(void)arg;
	return ilk_alloc(seg, 64, &memory);
}

static int has_sleepers(void *guard)
{
	return (ilk_load_relaxed_((uint32_t *)guard) & ILK_OWNER_FLAGS_) != 0;
}

static void *close_when_it_sleeps(void *guard)
{
	ilk_test_until(has_sleepers, guard);
	ilk_segment_close(seg);
	return NULL;
}

static void hold_the_guard(void *arg)
{
	void *memory = NULL;

	(void)arg;
	CHECK_RC(ilk_alloc(seg, 64, &memory), 0);
	ilk_header_of_(map)->guard.owner = ilk_thread_.owner;
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_alloc_while_the_segment_is_closed_is_ECANCELED(void **state)
{
	struct ilk_test_child *child = ilk_test_start(hold_the_guard, NULL);
	char name[64];
	pthread_t closer;

	(void)state;
	strcpy(name, ilk_test_name(""));
	ilk_test_await(0);
	CHECK(pthread_create(
		      &closer, NULL, close_when_it_sleeps, &ilk_header_of_(map)->guard.owner) == 0);
	CHECK_RC(alloc_or_wait(NULL), -ECANCELED);
	CHECK(pthread_join(closer, NULL) == 0);
	ilk_test_kill(child);
	seg = support_open(name);
	map = &seg->map;
	CHECK_RC(alloc_or_wait(NULL), 0);
	CHECK(ilk_header_of_(map)->guard.recoveries == 1);
	CHECK_RC(ilk_segment_valid(seg), 0);
	check_blocks(1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(test_damage_is_named_and_never_followed),
		ARENA_TEST(test_a_damaged_chain_is_EBADMSG_when_memory_runs_short),
		ARENA_TEST(test_valid_names_what_is_wrong_with_slots_and_objects),
		ARENA_TEST(test_a_death_in_the_guard_is_put_right_by_the_next),
		ARENA_TEST(test_alloc_while_the_segment_is_closed_is_ECANCELED),
	};

	return cmocka_run_group_tests_name("arena_damage", tests, NULL, NULL);
}
