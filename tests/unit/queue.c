/* queue.c - putting and getting: order, room, lengths, reservations, many at once, waiting. */
#include "queue_fixture.h"
#include <pthread.h>

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
	const size_t lengths[] = {0, 1, 7, 8, 9, 255, 256, 257, LONGEST - 1, LONGEST};
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
	const size_t lengths[] = {8, 300};
	char in[300] = "hello", out[300];
	size_t bytes = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
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

/* --- waiting --- */

static void test_deadline_passes(void **state)
{
	uint64_t value;
	ilk_time before = ilk_now();

	(void)state;
	CHECK_RC(ilk_queue_get(&h, &value, 8, NULL, ilk_after_ms(SOON)), -ETIMEDOUT);
	for (uint64_t i = 0; i < FOUR; i++)
		CHECK_RC(put(&h, i), 0);
	CHECK_RC(ilk_queue_put(&h, &value, 8, ilk_after_ms(SOON)), -ETIMEDOUT);
	assert_true(ilk_now() - before >= 2 * SOON * INT64_C(1000000));
	CHECK_RC(ilk_queue_put(&h, &value, 8, ilk_now() - 1), -ETIMEDOUT);
	CHECK_RC(ilk_queue_join(q, ilk_after_ms(SOON)), -ETIMEDOUT);
}

static void get_one(void *arg)
{
	struct ilk_queue_handle mine = attached(q);

	ilk_test_board()->value[*(int *)arg] = get_soon(&mine);
	ilk_test_say((unsigned)*(int *)arg);
}

static void test_put_wakes_getters(void **state)
{
	int who[] = {1, 2};
	struct ilk_test_child *first = ilk_test_start(get_one, &who[0]), *second;

	(void)state;
	second = ilk_test_start(get_one, &who[1]);
	ilk_test_await_sleepers(name, 2);
	CHECK_RC(put(&h, 5), 0);
	CHECK_RC(put(&h, 6), 0);
	ilk_test_join(first);
	ilk_test_join(second);
	assert_int_equal(ilk_test_board()->value[1] + ilk_test_board()->value[2], 11);
}

static void put_one(void *arg)
{
	struct ilk_queue_handle mine = attached(q);
	uint64_t value = 77;

	(void)arg;
	CHECK_RC(ilk_queue_put(&mine, &value, sizeof value, ILK_FOREVER), 0);
}

static void test_get_wakes_putters(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	for (uint64_t i = 0; i < FOUR; i++)
		CHECK_RC(put(&h, i), 0);
	child = ilk_test_start(put_one, NULL);
	ilk_test_await_sleepers(name, 1);
	assert_int_equal(get(&h), 0);
	ilk_test_join(child);
	for (int64_t i = 1; i < FOUR; i++)
		assert_int_equal(get(&h), i);
	assert_int_equal(get(&h), 77);
}

/* --- closing the segment --- */

enum { GETS, PUTS, LEASES, JOINS, WAYS };

struct wait_of_thread {
	struct ilk_queue *queue;
	int way, rc;
	pthread_t thread;
};

static void *wait_in_it(void *arg)
{
	struct wait_of_thread *w = arg;
	struct ilk_queue_handle mine = attached(w->queue);
	struct ilk_queue_lease l;
	uint64_t value = 0;

	w->rc = w->way == GETS     ? ilk_queue_get(&mine, &value, 8, NULL, ILK_FOREVER)
		: w->way == PUTS   ? ilk_queue_put(&mine, &value, 8, ILK_FOREVER)
		: w->way == LEASES ? ilk_queue_lease(&mine, &l, ILK_FOREVER)
				   : ilk_queue_join(w->queue, ILK_FOREVER);
	return NULL;
}

static void test_closing_the_segment_ends_all_waits(void **state)
{
	struct ilk_segment *again = support_open(name);
	struct wait_of_thread w[WAYS];

	(void)state;
	for (int i = 0; i < FOUR; i++)
		CHECK_RC(put(&h, 1), 0);
	queue_of("empty", FOUR, 0, NULL, 0);
	for (int i = 0; i < WAYS; i++) {
		w[i] = (struct wait_of_thread){.way = i};
		CHECK_RC(ilk_queue_open(again, i == PUTS || i == JOINS ? "jobs" : "empty", NULL,
				 &w[i].queue),
			0);
		CHECK(pthread_create(&w[i].thread, NULL, wait_in_it, &w[i]) == 0);
	}
	ilk_test_await_sleepers(name, WAYS);
	ilk_segment_close(again);
	for (int i = 0; i < WAYS; i++) {
		CHECK(pthread_join(w[i].thread, NULL) == 0);
		CHECK_RC(w[i].rc, -ECANCELED);
	}
	assert_int_equal(info_of(q).depth, FOUR);
}

/* --- what is no queue, not any more, or damaged --- */

static void test_removed_queue_is_EIDRM(void **state)
{
	void *at;
	struct ilk_queue_lease l;
	struct ilk_queue_handle other;
	uint64_t value;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	CHECK_RC(ilk_queue_reserve(&h, 8, &at, ILK_NOW), 0);
	CHECK_RC(ilk_object_remove(seg, "jobs"), 0);
	CHECK_RC(put(&h, 1), -EIDRM);
	CHECK_RC(ilk_queue_get(&h, &value, 8, NULL, ILK_FOREVER), -EIDRM);
	CHECK_RC(ilk_queue_join(q, ILK_NOW), -EIDRM);
	CHECK_RC(ilk_queue_close(q), -EIDRM);
	CHECK_RC(ilk_queue_attach(q, &other), -EIDRM);
	CHECK_RC(ilk_queue_ack(&h, &l), 0);
	CHECK_RC(ilk_queue_commit(&h, 8), 0);
	CHECK_RC(ilk_object_close(q), 0);
}

static void wait_until_removed(void *arg)
{
	struct ilk_queue_handle mine = attached(q);
	uint64_t value;

	(void)arg;
	CHECK_RC(ilk_queue_get(&mine, &value, 8, NULL, ILK_FOREVER), -EIDRM);
}

static void test_remove_wakes_who_waits(void **state)
{
	struct ilk_test_child *child = ilk_test_start(wait_until_removed, NULL);

	(void)state;
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_object_remove(seg, "jobs"), 0);
	ilk_test_join(child);
}

static void test_damaged_message_is_EBADMSG(void **state)
{
	char buf[LONGEST];
	struct ilk_queue_lease l;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	/* Its length lies behind its word. */
	for (uint64_t i = 0; i <= h.mask; i++)
		memset(h.cells + i * h.stride + 8, 0xff, 4);
	CHECK_RC(ilk_queue_get(&h, buf, sizeof buf, NULL, ILK_NOW), -EBADMSG);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), -EBADMSG);
	CHECK_RC(ilk_segment_valid(seg), -EBADMSG);
}

/* Words that make no sense: nothing hangs, nothing is read outside. */
static void test_damaged_words_end_in_a_result(void **state)
{
	const uint64_t junk[] = {0, ~UINT64_C(0), 7, UINT64_C(0x8000000000000002),
		UINT64_C(0x1234567890abcdef), 3, 0x1203};
	char buf[LONGEST];
	struct ilk_queue_lease l;

	(void)state;
	for (size_t i = 0; i < sizeof junk / sizeof *junk; i++)
		for (size_t k = 0; k < sizeof junk / sizeof *junk; k++) {
			struct ilk_queue_handle mine = attached(q);

			for (uint64_t c = 0; c <= h.mask; c++)
				memcpy(h.cells + c * h.stride, &junk[c % 2 ? i : k], 8);
			ilk_queue_put(&mine, buf, 8, ILK_NOW);
			ilk_queue_get(&mine, buf, sizeof buf, NULL, ILK_NOW);
			if (ilk_queue_lease(&mine, &l, ILK_NOW) == 0)
				ilk_queue_nack(&mine, &l);
			ilk_queue_join(q, ILK_NOW);
			info_of(q);
		}
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
		QUEUE_TEST(test_abort_leaves_no_message_and_no_gap),
		QUEUE_TEST(test_commit_by_another_thread_or_a_child_is_EPERM),
		QUEUE_TEST(test_put_many_and_get_many_move_what_there_is_room_for),
		QUEUE_TEST(test_get_many_stops_before_what_does_not_fit),
		QUEUE_TEST(test_a_stale_handle_finds_the_ends),
		QUEUE_TEST(test_deadline_passes),
		QUEUE_TEST(test_put_wakes_getters),
		QUEUE_TEST(test_get_wakes_putters),
		QUEUE_TEST(test_closing_the_segment_ends_all_waits),
		QUEUE_TEST(test_removed_queue_is_EIDRM),
		QUEUE_TEST(test_remove_wakes_who_waits),
		QUEUE_TEST(test_damaged_message_is_EBADMSG),
		QUEUE_TEST(test_damaged_words_end_in_a_result),
	};

	return RUN_QUEUE_TESTS(tests);
}
