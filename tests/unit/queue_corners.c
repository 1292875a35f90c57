/* queue_corners.c - where several rules of a queue meet. */
#include "queue_fixture.h"

/* Locks are noted in such a segment; messages are not. */
static void test_a_segment_that_notes_locks_has_queues(void **state)
{
	const struct ilk_segment_options o = {
		.size = sizeof o, .flags = ILK_SEGMENT_ORDER | handshake};
	const char *noting = ilk_test_name("order");
	struct ilk_segment *plain = seg;
	struct ilk_queue_handle noted;
	struct ilk_queue_lease l;
	void *at;

	(void)state;
	CHECK_RC(ilk_segment_create(noting, &o, &seg), 0);
	noted = attached(queue_of("noted", FOUR, 0, NULL, 0));
	for (uint64_t i = 0; i < 100; i++) {
		CHECK_RC(put(&noted, i), 0);
		assert_int_equal(get(&noted), i);
	}
	assert_int_equal(get(&noted), -EAGAIN);
	CHECK_RC(ilk_queue_reserve(&noted, 8, &at, ILK_NOW), 0);
	CHECK_RC(ilk_queue_commit(&noted, 8), 0);
	CHECK_RC(ilk_queue_lease(&noted, &l, ILK_NOW), 0);
	CHECK_RC(ilk_queue_ack(&noted, &l), 0);
	ilk_segment_close(seg);
	ilk_segment_unlink(noting);
	seg = plain;
}

/* The word counts no further; leases must be good all the same. */
static void test_a_message_given_back_for_ever_can_be_acked(void **state)
{
	struct ilk_queue_lease l;

	(void)state;
	CHECK_RC(put(&h, 7), 0);
	for (int i = 0; i < 200; i++) {
		CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
		assert_int_equal(l.deliveries, i < 63 ? i + 1 : 63);
		CHECK_RC(ilk_queue_nack(&h, &l), 0);
	}
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	CHECK_RC(ilk_queue_ack(&h, &l), 0);
	assert_int_equal(info_of(q).got, 1);
}

/* The place to mark the end at is that of one's own lease. */
static void test_the_end_is_found_behind_a_lease_of_ones_own(void **state)
{
	struct ilk_queue_lease l;

	(void)state;
	for (uint64_t i = 0; i < FOUR; i++)
		CHECK_RC(put(&h, i), 0);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	for (uint64_t i = 1; i < FOUR; i++)
		assert_int_equal(get(&h), i);
	CHECK_RC(ilk_queue_close(q), 0);
	assert_int_equal(get(&h), -EPIPE);
	assert_int_equal(get_soon(&h), -EPIPE);
	CHECK_RC(put(&h, 9), -EPIPE);
	CHECK_RC(ilk_queue_nack(&h, &l), 0);
	assert_int_equal(get(&h), 0);
	assert_int_equal(get(&h), -EPIPE);
	check_valid();
}

static void join_now(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_queue_join(q, ilk_after_ms(ilk_test_limit_ms())), 0);
}

/* Its cell holds a later message by now, which is leased. */
static void test_join_does_not_wait_for_a_later_lease(void **state)
{
	struct ilk_queue_lease first, later;
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(put(&h, 2), 0);
	CHECK_RC(ilk_queue_lease(&h, &first, ILK_NOW), 0);
	child = ilk_test_start(join_now, NULL);
	ilk_test_await_sleepers(name, 1);
	assert_int_equal(get(&h), 2);
	for (uint64_t i = 3; i <= 5; i++)
		CHECK_RC(put(&h, i), 0);
	assert_int_equal(get(&h), 3);
	assert_int_equal(get(&h), 4);
	CHECK_RC(ilk_queue_lease(&h, &later, ILK_NOW), 0);
	assert_int_equal(leased(&later), 5);
	CHECK_RC(ilk_queue_ack(&h, &first), 0);
	ilk_test_join(child);
	CHECK_RC(ilk_queue_ack(&h, &later), 0);
}

struct lanes {
	struct ilk_queue *queue;
	uint64_t value;
};

static int put_one(void *lanes)
{
	const struct lanes *l = lanes;
	struct ilk_queue_handle mine = attached(l->queue);

	return put(&mine, l->value);
}

/* A lane that never runs dry leaves the others their turn. */
static void test_a_busy_lane_does_not_starve_the_others(void **state)
{
	struct lanes two = {queue_of("lanes", 2 * FOUR, 0, NULL, 2), 4711};
	struct ilk_queue_handle mine = attached(two.queue);
	int64_t got = 0;

	(void)state;
	/* Its first look goes everywhere. */
	CHECK_RC(put(&mine, 1), 0);
	assert_int_equal(get(&mine), 1);
	CHECK_RC(put(&mine, 1), 0);
	CHECK_RC(support_in_thread(put_one, &two), 0);
	for (int i = 0; i < 1000 && got != 4711; i++) {
		CHECK_RC(put(&mine, 1), 0);
		got = get(&mine);
	}
	assert_int_equal(got, 4711);
}

/* However often was looked before. */
static void test_get_into_too_little_room_says_so_each_time(void **state)
{
	char room[2];
	size_t bytes;

	(void)state;
	for (uint64_t i = 0; i < 130; i++) {
		CHECK_RC(put(&h, i), 0);
		CHECK_RC(ilk_queue_get(&h, room, sizeof room, &bytes, ILK_NOW), -EMSGSIZE);
		assert_int_equal(bytes, 8);
		assert_int_equal(get(&h), i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_TEST(test_a_message_given_back_for_ever_can_be_acked),
		QUEUE_TEST(test_the_end_is_found_behind_a_lease_of_ones_own),
		QUEUE_TEST(test_join_does_not_wait_for_a_later_lease),
		QUEUE_TEST(test_get_into_too_little_room_says_so_each_time),
		QUEUE_TEST(test_a_busy_lane_does_not_starve_the_others),
		QUEUE_TEST(test_a_segment_that_notes_locks_has_queues),
	};

	return RUN_QUEUE_TESTS(tests);
}
