/* queue.c - putting and getting: order, room, lengths, reservations, many at once. */
#include "queue_fixture.h"

static void test_get_gives_what_was_put_in_order(void **state)
{
	(void)state;
	assert_int_equal(get(&h), -EAGAIN);
	for (uint64_t lap = 0; lap < LAPS; lap++) {
		for (uint64_t i = 0; i < FOUR; i++)
			CHECK_RC(put(&h, lap * FOUR + i), 0);
		CHECK_RC(put(&h, 99), -EAGAIN);
		for (uint64_t i = 0; i < FOUR; i++)
			assert_int_equal(get(&h), lap * FOUR + i);
		assert_int_equal(get(&h), -EAGAIN);
	}
	assert_int_equal(info_of(q).put, LAPS * FOUR);
	assert_int_equal(info_of(q).got, LAPS * FOUR);
	check_valid();
}

/* One to three in it, at each place of the ring. */
static void test_get_keeps_order_around_the_ring(void **state)
{
	uint64_t in = 0, out = 0;

	(void)state;
	for (uint64_t round = 0; round < 100; round++) {
		for (uint64_t i = 0; i <= round % 3; i++)
			CHECK_RC(put(&h, in++), 0);
		assert_int_equal(info_of(q).depth, in - out);
		while (out < in)
			assert_int_equal(get(&h), out++);
	}
}

static void test_smallest_capacities_hold_what_they_say(void **state)
{
	const size_t capacities[] = {1, 2};

	(void)state;
	for (size_t c = 0; c < 2; c++) {
		struct ilk_queue_handle s =
			attached(queue_of(c ? "two" : "one", capacities[c], 0, NULL, 0));

		assert_int_equal(info_of(s.queue).capacity, capacities[c]);
		for (uint64_t i = 0; i < 50; i++) {
			for (uint64_t k = 0; k < capacities[c]; k++)
				CHECK_RC(put(&s, 10 * i + k), 0);
			CHECK_RC(put(&s, 99), -EAGAIN);
			for (uint64_t k = 0; k < capacities[c]; k++)
				assert_int_equal(get(&s), 10 * i + k);
			assert_int_equal(get(&s), -EAGAIN);
		}
	}
}

static void test_messages_have_any_length_up_to_the_longest(void **state)
{
	const size_t lengths[] = {0, 1, 7, 8, 9, 127, 128, 129, 200, 255, 256, 257, 1023, 1024,
		1025, LONGEST - 1, LONGEST};
	char in[LONGEST + 1], out[LONGEST + 1];
	size_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (char)(i * 7);
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		memset(out, 0x55, sizeof out);
		bytes = 4711;
		CHECK_RC(ilk_queue_put(&h, in, lengths[i], ILK_NOW), 0);
		CHECK_RC(ilk_queue_get(&h, out, lengths[i], &bytes, ILK_NOW), 0);
		assert_int_equal(bytes, lengths[i]);
		assert_memory_equal(in, out, bytes);
		assert_int_equal(out[bytes], 0x55);
	}
	CHECK_RC(ilk_queue_put(&h, in, LONGEST + 1, ILK_NOW), -EMSGSIZE);
	CHECK_RC(ilk_queue_put_many(&h, in, LONGEST + 1, 1, NULL, ILK_NOW), -EMSGSIZE);
	assert_int_equal(info_of(q).put, sizeof lengths / sizeof *lengths);
}

static void test_get_without_room_leaves_the_message(void **state)
{
	const size_t lengths[] = {8, 300, LONGEST};
	char in[LONGEST] = "hello", out[LONGEST];
	size_t bytes = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		CHECK_RC(ilk_queue_put(&h, in, lengths[i], ILK_NOW), 0);
		CHECK_RC(ilk_queue_get(&h, out, lengths[i] - 1, &bytes, ILK_NOW), -EMSGSIZE);
		assert_int_equal(bytes, lengths[i]);
		assert_int_equal(info_of(q).depth, 1);
		CHECK_RC(ilk_queue_get(&h, out, lengths[i], &bytes, ILK_NOW), 0);
		assert_string_equal(out, "hello");
	}
}

/* --- reservations --- */

static void test_reserve_and_commit_put_in_place(void **state)
{
	char out[8] = "";
	size_t bytes;
	void *at;

	(void)state;
	CHECK_RC(ilk_queue_reserve(&h, 8, &at, ILK_NOW), 0);
	assert_int_equal((uintptr_t)at % 16, 0);
	memcpy(at, "abc", 4);
	CHECK_RC(ilk_queue_commit(&h, 9), -EMSGSIZE);
	CHECK_RC(ilk_queue_commit(&h, 4), 0);
	CHECK_RC(ilk_queue_commit(&h, 4), -EPERM);
	CHECK_RC(ilk_queue_abort(&h), -EPERM);
	CHECK_RC(ilk_queue_get(&h, out, sizeof out, &bytes, ILK_NOW), 0);
	assert_int_equal(bytes, 4);
	assert_string_equal(out, "abc");
	CHECK_RC(ilk_queue_reserve(&h, LONGEST + 1, &at, ILK_NOW), -EMSGSIZE);
}

static void test_getters_wait_for_a_reservation(void **state)
{
	struct ilk_queue_handle other = attached(q);
	void *at;

	(void)state;
	CHECK_RC(ilk_queue_reserve(&h, 8, &at, ILK_NOW), 0);
	CHECK_RC(ilk_queue_reserve(&h, 8, &at, ILK_NOW), -EBUSY);
	CHECK_RC(put(&other, 2), 0);
	/* It is our own: waiting for it would be for ever. */
	assert_int_equal(get(&other), -EDEADLK);
	assert_int_equal(info_of(q).depth, 1);
	memcpy(at, &(uint64_t){1}, 8);
	CHECK_RC(ilk_queue_commit(&h, 8), 0);
	assert_int_equal(get(&other), 1);
	assert_int_equal(get(&h), 2);
}

static void test_put_behind_ones_own_reservation_is_EDEADLK(void **state)
{
	void *at;

	(void)state;
	CHECK_RC(ilk_queue_reserve(&h, 8, &at, ILK_NOW), 0);
	for (uint64_t i = 1; i < FOUR; i++)
		CHECK_RC(put(&h, i), 0);
	CHECK_RC(ilk_queue_put(&h, &at, 8, ILK_FOREVER), -EDEADLK);
	CHECK_RC(ilk_queue_abort(&h), 0);
	CHECK_RC(put(&h, FOUR), 0);
	for (int64_t i = 1; i <= FOUR; i++)
		assert_int_equal(get(&h), i);
}

static void test_abort_leaves_no_message_and_no_gap(void **state)
{
	void *at;

	(void)state;
	for (uint64_t i = 0; i < LAPS * FOUR; i++) {
		CHECK_RC(ilk_queue_reserve(&h, 8, &at, ILK_NOW), 0);
		CHECK_RC(put(&h, i), 0);
		CHECK_RC(ilk_queue_abort(&h), 0);
		assert_int_equal(get(&h), i);
		assert_int_equal(get(&h), -EAGAIN);
	}
	assert_int_equal(info_of(q).put, LAPS * FOUR);
	assert_int_equal(info_of(q).got, LAPS * FOUR);
}

static int commit_what_is_anothers(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_queue_abort(&h), -EPERM);
	return ilk_queue_commit(&h, 8);
}

static void commit_as_child(void *arg)
{
	uint64_t value = 3;
	void *at;

	(void)arg;
	CHECK_RC(ilk_queue_commit(&h, 8), -EPERM);
	CHECK_RC(ilk_queue_abort(&h), -EPERM);
	/* But its copy of the handle is good. */
	CHECK_RC(ilk_queue_put(&h, &value, sizeof value, ILK_NOW), 0);
	CHECK_RC(ilk_queue_reserve(&h, 8, &at, ILK_NOW), 0);
	CHECK_RC(ilk_queue_abort(&h), 0);
}

static void test_commit_by_another_thread_or_a_child_is_EPERM(void **state)
{
	void *at;

	(void)state;
	CHECK_RC(ilk_queue_reserve(&h, 8, &at, ILK_NOW), 0);
	CHECK_RC(support_in_thread(commit_what_is_anothers, NULL), -EPERM);
	ilk_test_in_child(commit_as_child, NULL);
	memcpy(at, &(uint64_t){2}, 8);
	CHECK_RC(ilk_queue_commit(&h, 8), 0);
	assert_int_equal(get(&h), 2);
	assert_int_equal(get(&h), 3);
}

/* --- many --- */

static void test_put_many_and_get_many_move_what_there_is_room_for(void **state)
{
	uint64_t in[6] = {1, 2, 3, 4, 5, 6}, out[6] = {0};
	size_t n = 0, sizes[6];

	(void)state;
	CHECK_RC(ilk_queue_put_many(&h, in, 8, 6, &n, ILK_NOW), 0);
	assert_int_equal(n, FOUR);
	CHECK_RC(ilk_queue_put_many(&h, in, 8, 6, &n, ILK_NOW), -EAGAIN);
	CHECK_RC(ilk_queue_get_many(&h, out, 8, 3, sizes, &n, ILK_NOW), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(out, in, 24);
	assert_int_equal(sizes[2], 8);
	CHECK_RC(ilk_queue_get_many(&h, out, 8, 3, NULL, &n, ILK_NOW), 0);
	assert_int_equal(n, 1);
	assert_int_equal(out[0], 4);
	CHECK_RC(ilk_queue_get_many(&h, out, 8, 3, NULL, &n, ILK_NOW), -EAGAIN);
	CHECK_RC(ilk_queue_get_many(&h, out, 8, 0, NULL, &n, ILK_NOW), -EINVAL);
	CHECK_RC(ilk_queue_put_many(&h, in, 8, 0, &n, ILK_NOW), -EINVAL);
}

static void test_get_many_stops_before_what_does_not_fit(void **state)
{
	char in[16] = "long", out[64];
	size_t n = 0, sizes[4];

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(ilk_queue_put(&h, in, sizeof in, ILK_NOW), 0);
	CHECK_RC(ilk_queue_get_many(&h, out, 8, 4, sizes, &n, ILK_NOW), 0);
	assert_int_equal(n, 1);
	CHECK_RC(ilk_queue_get_many(&h, out, 8, 4, sizes, &n, ILK_NOW), -EMSGSIZE);
	assert_int_equal(sizes[0], sizeof in);
	CHECK_RC(ilk_queue_get_many(&h, out, 16, 4, sizes, &n, ILK_NOW), 0);
	assert_string_equal(out, "long");
}

/* --- two handles, stale ones --- */

static void test_a_stale_handle_finds_the_ends(void **state)
{
	struct ilk_queue_handle stale = attached(q), other = attached(q);

	(void)state;
	for (uint64_t i = 0; i < 1000 * FOUR; i++) {
		CHECK_RC(put(&other, i), 0);
		assert_int_equal(get(&other), i);
	}
	CHECK_RC(put(&other, 7), 0);
	CHECK_RC(put(&stale, 8), 0);
	assert_int_equal(get(&stale), 7);
	assert_int_equal(get(&h), 8);
	assert_int_equal(get(&stale), -EAGAIN);
	for (uint64_t i = 0; i < FOUR; i++)
		CHECK_RC(put(i % 2 ? &stale : &h, i), 0);
	CHECK_RC(put(&stale, 9), -EAGAIN);
	for (uint64_t i = 0; i < FOUR; i++)
		assert_int_equal(get(i % 2 ? &h : &other), i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_TEST(test_get_gives_what_was_put_in_order),
		QUEUE_TEST(test_get_keeps_order_around_the_ring),
		QUEUE_TEST(test_smallest_capacities_hold_what_they_say),
		QUEUE_TEST(test_messages_have_any_length_up_to_the_longest),
		QUEUE_TEST(test_get_without_room_leaves_the_message),
		QUEUE_TEST(test_reserve_and_commit_put_in_place),
		QUEUE_TEST(test_getters_wait_for_a_reservation),
		QUEUE_TEST(test_put_behind_ones_own_reservation_is_EDEADLK),
		QUEUE_TEST(test_abort_leaves_no_message_and_no_gap),
		QUEUE_TEST(test_commit_by_another_thread_or_a_child_is_EPERM),
		QUEUE_TEST(test_put_many_and_get_many_move_what_there_is_room_for),
		QUEUE_TEST(test_get_many_stops_before_what_does_not_fit),
		QUEUE_TEST(test_a_stale_handle_finds_the_ends),
	};

	return RUN_QUEUE_TESTS(tests);
}
