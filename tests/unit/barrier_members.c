/* barrier_members.c - places, attaching and detaching while others wait; making and opening. */
#include "barrier_fixture.h"

static int attach_from_a_thread(void *b)
{
	int rc = ilk_barrier_attach(b);

	if (rc == 0)
		CHECK_RC(ilk_barrier_detach(b), 0);
	return rc;
}

static int detach_from_a_thread(void *b)
{
	return ilk_barrier_detach(b);
}

static int wait_from_a_thread(void *b)
{
	return ilk_barrier_wait(b);
}

/* --- attach and detach --- */

static void test_attach_twice_is_one_member(void **state)
{
	struct ilk_barrier *b = open_barrier(0, 0);

	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	CHECK_RC(ilk_barrier_attach(b), 0);
	assert_int_equal(status_of(b).members, 1);
	CHECK_RC(ilk_barrier_detach(b), 0);
	assert_int_equal(status_of(b).members, 0);
}

static void test_detach_of_no_member_is_EPERM(void **state)
{
	struct ilk_barrier *b = open_barrier(0, 0);

	(void)state;
	CHECK_RC(ilk_barrier_detach(b), -EPERM);
	CHECK_RC(ilk_barrier_attach(b), 0);
	assert_int_equal(support_in_thread(detach_from_a_thread, b), -EPERM);
	CHECK_RC(ilk_barrier_detach(b), 0);
	CHECK_RC(ilk_barrier_detach(b), -EPERM);
}

static void test_attach_where_all_places_are_taken_is_EUSERS(void **state)
{
	struct ilk_barrier *b = open_barrier(1, 0);

	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	assert_int_equal(support_in_thread(attach_from_a_thread, b), -EUSERS);
	assert_int_equal(support_in_thread(wait_from_a_thread, b), -EUSERS);
	CHECK_RC(ilk_barrier_detach(b), 0);
	assert_int_equal(support_in_thread(attach_from_a_thread, b), 0);
}

static void test_wait_is_for_all_who_attached_before(void **state)
{
	struct ilk_barrier *b = open_barrier(0, 0);
	struct waiter w;

	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	start_waiter(&w, b);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	assert_int_equal(join_waiter(&w), 0);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static void test_detach_of_the_last_missing_lets_one_sleeper_be_ELECTED(void **state)
{
	struct ilk_barrier *b = open_barrier(0, 0);
	struct waiter w[3];
	int elected = 0;

	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	for (int i = 0; i < 3; i++)
		start_waiter(&w[i], b);
	ilk_test_await_sleepers(ilk_test_name(""), 3);
	CHECK_RC(ilk_barrier_detach(b), 0);
	for (int i = 0; i < 3; i++) {
		int rc = join_waiter(&w[i]);

		assert_true(rc == 0 || rc == ILK_ELECTED);
		elected += rc == ILK_ELECTED;
	}
	assert_int_equal(elected, 1);
}

static void test_detach_with_parties_leaves_a_place_to_be_filled(void **state)
{
	struct ilk_barrier *b = open_barrier(2, 0);
	struct waiter w;

	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	start_waiter(&w, b);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_barrier_detach(b), 0);
	assert_int_equal(status_of(b).phases, 0);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	assert_int_equal(join_waiter(&w), 0);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static void test_detach_with_parties_and_SHRINK_lets_the_others_go_on(void **state)
{
	struct ilk_barrier *b = open_barrier(2, ILK_BARRIER_SHRINK);
	struct waiter w;

	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	start_waiter(&w, b);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_barrier_detach(b), 0);
	assert_int_equal(join_waiter(&w), ILK_ELECTED);
	/* Both places are free again for whoever comes, but nobody waits for them. */
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

/* A member more, who comes while others wait, and then has to be waited for. */
static void test_attach_while_others_wait_counts_in_this_phase(void **state)
{
	struct ilk_barrier *b = open_barrier(0, 0);
	struct waiter w;

	(void)state;
	CHECK_RC(ilk_barrier_attach(b), 0);
	start_waiter(&w, b);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	assert_int_equal(support_in_thread(attach_from_a_thread, b), 0);
	assert_int_equal(status_of(b).phases, 0);
	assert_int_equal(status_of(b).members, 2);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	join_waiter(&w);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

/* --- more threads than one line has cells --- */

enum { MANY = 20 };

static void test_twenty_members_meet(void **state)
{
	struct ilk_barrier *b = open_barrier(MANY + 1, 0);
	struct waiter w[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++)
		start_waiter(&w[i], b);
	ilk_test_await_sleepers(ilk_test_name(""), MANY);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(join_waiter(&w[i]), 0);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

/* --- making and opening --- */

static void test_open_with_other_options_is_EEXIST(void **state)
{
	const struct ilk_barrier_options three = {.size = sizeof three, .parties = 3};
	const struct ilk_barrier_options shrink = {
		.size = sizeof shrink, .parties = 2, .flags = ILK_BARRIER_SHRINK};
	struct ilk_barrier *b = open_barrier(2, 0), *found = NULL;
	struct ilk_counter *counter;

	(void)state;
	assert_ptr_equal(open_barrier(2, 0), b);
	CHECK_RC(ilk_barrier_open(seg, "b", &three, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "parties differ"));
	CHECK_RC(ilk_barrier_open(seg, "b", &shrink, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "flags differ"));
	CHECK_RC(ilk_counter_open(seg, "b", &counter), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "barrier"));
	assert_null(found);
}

static void test_open_with_bad_options_is_EINVAL(void **state)
{
	const struct ilk_barrier_options unknown = {.size = sizeof unknown, .flags = 0x80};
	const struct ilk_barrier_options no_size = {.parties = 2};
	const struct ilk_barrier_options crowd = {
		.size = sizeof crowd, .parties = ILK_BARRIER_MEMBERS + 1};
	const struct ilk_barrier_options full = {
		.size = sizeof full, .parties = ILK_BARRIER_MEMBERS};
	struct ilk_barrier *b = NULL;

	(void)state;
	CHECK_RC(ilk_barrier_open(seg, "b", &unknown, &b), -EINVAL);
	CHECK_RC(ilk_barrier_open(seg, "b", &no_size, &b), -EINVAL);
	CHECK_RC(ilk_barrier_open(seg, "b", &crowd, &b), -EINVAL);
	assert_null(b);
	CHECK_RC(ilk_barrier_open(seg, "b", &full, &b), 0);
}

static void test_init_in_a_block_makes_a_barrier(void **state)
{
	const struct ilk_barrier_options one = {.size = sizeof one, .parties = 1};
	struct ilk_barrier *b, outside;
	void *block;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "block", sizeof *b + 64, &block), 0);
	b = block;
	CHECK_RC(ilk_barrier_wait(b), -EINVAL);
	CHECK_RC(ilk_barrier_detach(b), -EINVAL);
	CHECK_RC(ilk_barrier_init(seg, &outside, "out", &one), -EINVAL);
	CHECK_RC(
		ilk_barrier_init(seg, (struct ilk_barrier *)((char *)b + 8), "odd", &one), -EINVAL);
	CHECK_RC(ilk_barrier_init(seg, b, "steps", &one), 0);
	CHECK_RC(ilk_barrier_wait(b), ILK_ELECTED);
	CHECK_RC(ilk_barrier_detach(b), 0);
}

static void test_read_only_can_ask_and_nothing_else(void **state)
{
	const struct ilk_segment_options reading = {
		.size = sizeof reading, .flags = ILK_SEGMENT_READ_ONLY};
	const struct ilk_barrier_options two = {.size = sizeof two, .parties = 2};
	struct ilk_barrier *b;
	struct ilk_segment *ro;

	(void)state;
	CHECK_RC(ilk_barrier_attach(open_barrier(2, 0)), 0);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &reading, &ro), 0);
	CHECK_RC(ilk_barrier_open(ro, "b", &two, &b), 0);
	assert_int_equal(status_of(b).members, 1);
	CHECK_RC(ilk_barrier_attach(b), -EROFS);
	CHECK_RC(ilk_barrier_wait(b), -EROFS);
	CHECK_RC(ilk_barrier_detach(b), -EROFS);
	CHECK_RC(ilk_barrier_abort(b), -EROFS);
	CHECK_RC(ilk_barrier_reset(b), -EROFS);
	CHECK_RC(ilk_barrier_init(ro, b, "b", &two), -EROFS);
	ilk_segment_close(ro);
	CHECK_RC(ilk_barrier_detach(open_barrier(2, 0)), 0);
}

/* --- as the inspector sees it --- */

static void test_inspector_says_who_has_arrived(void **state)
{
	struct ilk_barrier *b = open_barrier(2, 0);
	const struct ilk_object_info *found;
	struct ilk_inspection *in;
	struct waiter w;

	(void)state;
	start_waiter(&w, b);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	assert_int_equal(in->object_count, 1);
	found = &in->objects[0];
	assert_string_equal(found->type, "barrier");
	assert_string_equal(found->state, "phase 0: 1 of 2 arrived");
	assert_string_equal(found->damage, "");
	assert_int_equal(found->waiters, 1);
	ilk_inspection_free(in);
	CHECK_RC(ilk_barrier_abort(b), 0);
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	assert_string_equal(in->objects[0].state, "broken: abort");
	ilk_inspection_free(in);
	assert_int_equal(join_waiter(&w), -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BARRIER_TEST(test_attach_twice_is_one_member),
		BARRIER_TEST(test_detach_of_no_member_is_EPERM),
		BARRIER_TEST(test_attach_where_all_places_are_taken_is_EUSERS),
		BARRIER_TEST(test_wait_is_for_all_who_attached_before),
		BARRIER_TEST(test_detach_of_the_last_missing_lets_one_sleeper_be_ELECTED),
		BARRIER_TEST(test_detach_with_parties_leaves_a_place_to_be_filled),
		BARRIER_TEST(test_detach_with_parties_and_SHRINK_lets_the_others_go_on),
		BARRIER_TEST(test_attach_while_others_wait_counts_in_this_phase),
		BARRIER_TEST(test_twenty_members_meet),
		BARRIER_TEST(test_open_with_other_options_is_EEXIST),
		BARRIER_TEST(test_open_with_bad_options_is_EINVAL),
		BARRIER_TEST(test_init_in_a_block_makes_a_barrier),
		BARRIER_TEST(test_read_only_can_ask_and_nothing_else),
		BARRIER_TEST(test_inspector_says_who_has_arrived),
	};

	return RUN_BARRIER_TESTS(tests);
}
