/* sharded.c - the sharded counter: shares, totals after deaths and slot reuse, forks. */
#include "segment_fixture.h"
#include <errno.h>
#include <string.h>

static struct ilk_sharded *open_sharded(struct ilk_segment *in)
{
	struct ilk_sharded *s = NULL;

	CHECK_RC(ilk_sharded_open(in, "shards", &s), 0);
	return s;
}

/* Adds N through a fresh handle. */
static void add_to(struct ilk_sharded *s, int64_t n)
{
	struct ilk_sharded_handle mine;

	CHECK_RC(ilk_sharded_mine(s, &mine), 0);
	CHECK_RC(ilk_sharded_add(&mine, n), 0);
}

static void test_open_makes_a_zero_and_finds_it_again(void **state)
{
	struct ilk_sharded *s = open_sharded(seg);

	(void)state;
	assert_int_equal(ilk_sharded_read(s), 0);
	add_to(s, 5);
	assert_ptr_equal(open_sharded(seg), s);
	assert_int_equal(ilk_sharded_read(s), 5);
}

static void test_open_of_another_type_is_EEXIST(void **state)
{
	struct ilk_counter *c = NULL;
	struct ilk_sharded *s = NULL;

	(void)state;
	open_sharded(seg);
	CHECK_RC(ilk_counter_open(seg, "shards", &c), -EEXIST);
	support_counter(seg, "exact");
	CHECK_RC(ilk_sharded_open(seg, "exact", &s), -EEXIST);
	CHECK_RC(ilk_sharded_open(seg, "", &s), -EINVAL);
	assert_null(c);
	assert_null(s);
}

static void test_open_without_room_is_ENOSPC(void **state)
{
	const struct ilk_segment_options small = {
		.size = sizeof small, .bytes = 64 << 10, .processes = 4, .threads = 250};
	struct ilk_segment *other = support_create(ilk_test_name("b"), &small);
	struct ilk_sharded *s = NULL;

	(void)state;
	CHECK_RC(ilk_sharded_open(other, "first", &s), -ENOSPC);
	CHECK_RC(ilk_counter_add(support_counter(other, "exact"), 1), 0);
	ilk_segment_close(other);
	support_unlink(ilk_test_name("b"));
}

static void test_mine_of_what_is_in_no_segment_is_EINVAL(void **state)
{
	static uint64_t nothing[64];
	struct ilk_sharded_handle mine;

	(void)state;
	CHECK_RC(ilk_sharded_mine((struct ilk_sharded *)(void *)nothing, &mine), -EINVAL);
}

static void test_adds_wrap_past_the_limits(void **state)
{
	struct ilk_sharded *s = open_sharded(seg);

	(void)state;
	add_to(s, INT64_MAX);
	add_to(s, 1);
	assert_true(ilk_sharded_read(s) == INT64_MIN);
	add_to(s, -1);
	assert_true(ilk_sharded_read(s) == INT64_MAX);
}

static int add_two(void *sharded)
{
	add_to(sharded, 2);
	return 0;
}

static void test_total_holds_what_ended_threads_added(void **state)
{
	struct ilk_sharded *s = open_sharded(seg);

	(void)state;
	/* More threads, one after the other, than there are slots. */
	for (int i = 0; i < 1000; i++)
		support_in_thread(add_two, s);
	assert_int_equal(ilk_sharded_read(s), 2000);
}

static int no_slot_for_me(void *sharded)
{
	struct ilk_sharded_handle mine;

	return ilk_sharded_mine(sharded, &mine);
}

static void test_mine_without_a_thread_slot_is_EUSERS(void **state)
{
	const struct ilk_segment_options one = {.size = sizeof one, .threads = 1};
	struct ilk_segment *other = support_create(ilk_test_name("b"), &one);
	struct ilk_sharded *s = open_sharded(other);

	(void)state;
	add_to(s, 1);
	assert_int_equal(support_in_thread(no_slot_for_me, s), -EUSERS);
	ilk_segment_close(other);
	support_unlink(ilk_test_name("b"));
}

/* --- many at once --- */

enum { ADDERS = 4, ROUNDS = 100000 };

static void add_in_own_mapping(struct ilk_segment *own, unsigned index, void *arg)
{
	struct ilk_sharded_handle mine;

	(void)index, (void)arg;
	CHECK_RC(ilk_sharded_mine(open_sharded(own), &mine), 0);
	for (int i = 0; i < ROUNDS; i++)
		CHECK_RC(ilk_sharded_add(&mine, i % 2 ? 5 : -3), 0);
}

static void test_adds_of_processes_are_all_there(void **state)
{
	const struct ilk_test_options apart = {.size = sizeof apart, .flags = ILK_TEST_REOPEN};

	(void)state;
	ilk_test_run(ADDERS, seg, add_in_own_mapping, NULL, &apart);
	assert_int_equal(ilk_sharded_read(open_sharded(seg)), ADDERS * ROUNDS);
}

static void test_adds_of_threads_are_all_there(void **state)
{
	const struct ilk_test_options threads = {
		.size = sizeof threads, .flags = ILK_TEST_THREADS | ILK_TEST_REOPEN};

	(void)state;
	ilk_test_run(ADDERS, seg, add_in_own_mapping, NULL, &threads);
	assert_int_equal(ilk_sharded_read(open_sharded(seg)), ADDERS * ROUNDS);
}

/* --- deaths and forks --- */

static void add_three_and_stay(void *sharded)
{
	add_to(sharded, 3);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_total_holds_what_the_dead_added_in_reused_slots(void **state)
{
	const struct ilk_segment_options two = {.size = sizeof two, .processes = 2, .threads = 2};
	struct ilk_segment *other = support_create(ilk_test_name("b"), &two);
	struct ilk_sharded *s = open_sharded(other);

	(void)state;
	add_to(s, 1);
	for (int i = 0; i < 20; i++) {
		struct ilk_test_child *child = ilk_test_start(add_three_and_stay, s);

		ilk_test_await(0);
		ilk_test_board()->step[0] = 0;
		ilk_test_kill(child);
	}
	assert_int_equal(ilk_sharded_read(s), 61);
	ilk_segment_close(other);
	support_unlink(ilk_test_name("b"));
}

struct inherited {
	struct ilk_sharded_handle mine;
	struct ilk_sharded *sharded;
	int64_t rounds;
};

static void add_through_an_inherited_handle(void *arg)
{
	struct inherited *i = arg;
	uint64_t *of_parent = i->mine.cell;

	for (int64_t n = 0; n < i->rounds; n++)
		CHECK_RC(ilk_sharded_add(&i->mine, 1), 0);
	/* A share of the child's own, found by the first add. */
	CHECK(i->mine.cell != of_parent);
}

static void test_a_forked_childs_inherited_handle_gets_a_share_of_its_own(void **state)
{
	struct inherited i = {.sharded = open_sharded(seg), .rounds = 200000};
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(ilk_sharded_mine(i.sharded, &i.mine), 0);
	child = ilk_test_start(add_through_an_inherited_handle, &i);
	/* Both add at once: one share for both would lose some. */
	for (int64_t n = 0; n < i.rounds; n++)
		CHECK_RC(ilk_sharded_add(&i.mine, 1), 0);
	ilk_test_join(child);
	assert_int_equal(ilk_sharded_read(i.sharded), 2 * i.rounds);
}

static void test_a_handle_stays_good_when_another_segment_is_closed(void **state)
{
	struct ilk_sharded *s = open_sharded(seg);
	struct ilk_segment *other = support_create(ilk_test_name("b"), NULL);
	struct ilk_sharded_handle mine;

	(void)state;
	CHECK_RC(ilk_sharded_mine(s, &mine), 0);
	CHECK_RC(ilk_sharded_add(&mine, 1), 0);
	ilk_segment_close(other);
	support_unlink(ilk_test_name("b"));
	CHECK_RC(ilk_sharded_add(&mine, 1), 0);
	assert_int_equal(ilk_sharded_read(s), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_open_makes_a_zero_and_finds_it_again),
		SEGMENT_TEST(test_open_of_another_type_is_EEXIST),
		SEGMENT_TEST(test_open_without_room_is_ENOSPC),
		SEGMENT_TEST(test_mine_of_what_is_in_no_segment_is_EINVAL),
		SEGMENT_TEST(test_adds_wrap_past_the_limits),
		SEGMENT_TEST(test_total_holds_what_ended_threads_added),
		SEGMENT_TEST(test_mine_without_a_thread_slot_is_EUSERS),
		SEGMENT_TEST(test_adds_of_processes_are_all_there),
		SEGMENT_TEST(test_adds_of_threads_are_all_there),
		SEGMENT_TEST(test_total_holds_what_the_dead_added_in_reused_slots),
		SEGMENT_TEST(test_a_forked_childs_inherited_handle_gets_a_share_of_its_own),
		SEGMENT_TEST(test_a_handle_stays_good_when_another_segment_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
