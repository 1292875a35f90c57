/* queue_end.c - closing a queue, and who puts into it. */
#include "queue_fixture.h"
#include <ilk/object.h>
#include <pthread.h>

enum { ROUNDS = 100 };

static void test_close_refuses_putters_and_lets_getters_drain(void **state)
{
	struct ilk_queue_handle other = attached(q);
	void *at;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(ilk_queue_reserve(&other, 8, &at, ILK_NOW), 0);
	CHECK_RC(ilk_queue_close(q), 0);
	CHECK_RC(ilk_queue_close(q), 0);
	CHECK_RC(put(&h, 2), -EPIPE);
	CHECK_RC(ilk_queue_put(&h, at, 8, ILK_FOREVER), -EPIPE);
	assert_int_equal(get(&h), 1);
	memcpy(at, &(uint64_t){3}, 8);
	CHECK_RC(ilk_queue_commit(&other, 8), 0);
	assert_int_equal(get(&h), 3);
	assert_int_equal(get(&h), -EPIPE);
	assert_int_equal(get_soon(&other), -EPIPE);
	CHECK_RC(put(&h, 2), -EPIPE);
	CHECK_RC(ilk_queue_produce_begin(q), -EPIPE);
	assert_int_equal(info_of(q).closed, 1);
	check_valid();
}

static void test_close_of_a_full_queue_lets_all_out(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < FOUR; i++)
		CHECK_RC(put(&h, i), 0);
	CHECK_RC(ilk_queue_close(q), 0);
	CHECK_RC(put(&h, 9), -EPIPE);
	for (uint64_t i = 0; i < FOUR; i++)
		assert_int_equal(get(&h), i);
	assert_int_equal(get(&h), -EPIPE);
}

static void get_the_end(void *arg)
{
	struct ilk_queue_handle mine = attached(q);

	assert_int_equal(get_soon(&mine), *(int64_t *)arg);
}

static void put_in_vain(void *arg)
{
	struct ilk_queue_handle mine = attached(q);

	(void)arg;
	CHECK_RC(ilk_queue_put(&mine, &mine, 8, ILK_FOREVER), -EPIPE);
}

static void test_close_wakes_all(void **state)
{
	int64_t pipe = -EPIPE;
	struct ilk_test_child *one = ilk_test_start(get_the_end, &pipe), *two;

	(void)state;
	two = ilk_test_start(get_the_end, &pipe);
	ilk_test_await_sleepers(name, 2);
	CHECK_RC(ilk_queue_close(q), 0);
	ilk_test_join(one);
	ilk_test_join(two);
}

static void test_close_wakes_who_waits_for_room(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	for (uint64_t i = 0; i < FOUR; i++)
		CHECK_RC(put(&h, i), 0);
	child = ilk_test_start(put_in_vain, NULL);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_queue_close(q), 0);
	ilk_test_join(child);
}

/* What is leased may come back: the end is not there before. */
static void test_the_end_waits_for_leases_of_others(void **state)
{
	struct ilk_queue_lease l;
	int64_t one = 1, pipe = -EPIPE;
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	CHECK_RC(ilk_queue_close(q), 0);
	/* Not of one's own: that would be for ever. */
	assert_int_equal(get(&h), -EPIPE);
	child = ilk_test_start(get_the_end, &one);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_queue_nack(&h, &l), 0);
	ilk_test_join(child);
	child = ilk_test_start(get_the_end, &pipe);
	ilk_test_join(child);
}

static void test_the_end_comes_with_the_last_ack(void **state)
{
	struct ilk_queue_lease l;
	int64_t pipe = -EPIPE;
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	CHECK_RC(ilk_queue_close(q), 0);
	child = ilk_test_start(get_the_end, &pipe);
	ilk_test_await_sleepers(name, 1);
	CHECK_RC(ilk_queue_ack(&h, &l), 0);
	ilk_test_join(child);
}

struct shares {
	struct ilk_queue *queue;
	struct ilk_queue_lease l;
};

static int lease_one(void *arg)
{
	struct shares *shares = arg;
	struct ilk_queue_handle mine = attached(shares->queue);

	CHECK_RC(ilk_queue_lease(&mine, &shares->l, ILK_NOW), 0);
	ilk_test_say(4);
	ilk_test_await(5);
	/* Whoever holds a lease is not to wait for others who do. */
	CHECK_RC(ilk_queue_lease(&mine, &shares->l, ILK_FOREVER), -EPIPE);
	CHECK_RC(ilk_queue_ack(&mine, &shares->l), 0);
	return 0;
}

/* There is no free place for a mark of the end. */
static void test_the_end_is_found_where_every_place_is_leased(void **state)
{
	const size_t capacities[] = {1, FOUR};
	const unsigned lanes[] = {1, 2};
	struct ilk_queue_lease l[FOUR];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ilk_queue *all =
			queue_of(i ? "four" : "one", lanes[i] * capacities[i], 0, NULL, lanes[i]);
		struct ilk_queue_handle mine = attached(all);

		for (uint64_t k = 0; k < capacities[i]; k++) {
			CHECK_RC(put(&mine, k), 0);
			CHECK_RC(ilk_queue_lease(&mine, &l[k], ILK_NOW), 0);
		}
		CHECK_RC(ilk_queue_close(all), 0);
		assert_int_equal(get(&mine), -EPIPE);
		assert_int_equal(get_soon(&mine), -EPIPE);
		for (uint64_t k = 0; k < capacities[i]; k++)
			CHECK_RC(ilk_queue_ack(&mine, &l[k]), 0);
		CHECK_RC(put(&mine, 1), -EPIPE);
		assert_int_equal(get(&mine), -EPIPE);
		assert_int_equal(info_of(all).depth, 0);
	}
	check_valid();
}

static void lease_and_find_the_end(void *queue)
{
	struct shares shares = {.queue = queue};

	lease_one(&shares);
}

static void test_the_end_is_found_where_others_have_leased_the_rest(void **state)
{
	struct ilk_queue *two = queue_of("two", 2, 0, NULL, 0);
	struct ilk_queue_handle mine = attached(two);
	struct ilk_test_child *child;
	struct ilk_queue_lease l;

	(void)state;
	CHECK_RC(put(&mine, 1), 0);
	CHECK_RC(put(&mine, 2), 0);
	CHECK_RC(ilk_queue_lease(&mine, &l, ILK_NOW), 0);
	child = ilk_test_start(lease_and_find_the_end, two);
	ilk_test_await(4);
	CHECK_RC(ilk_queue_close(two), 0);
	CHECK_RC(ilk_queue_lease(&mine, &l, ILK_FOREVER), -EPIPE);
	ilk_test_say(5);
	ilk_test_join(child);
	CHECK_RC(ilk_queue_ack(&mine, &l), 0);
	assert_int_equal(get_soon(&mine), -EPIPE);
}

struct late {
	struct ilk_queue_handle h;
	int64_t put;
};

static int put_until_closed(void *arg)
{
	struct late *late = arg;
	struct ilk_queue_handle mine = attached(late->h.queue);

	while (ilk_queue_put(&mine, &late->put, 8, ILK_FOREVER) == 0)
		late->put++;
	return 0;
}

static void *put_in_thread(void *late)
{
	put_until_closed(late);
	return NULL;
}

/* Who looked before the queue was closed puts nothing behind the end. */
static void test_nothing_is_put_behind_an_end_without_a_mark(void **state)
{
	struct ilk_queue_lease l;
	pthread_t putter;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct late late = {.h = attached(queue_of("one", 1, 0, NULL, 0))};
		int64_t got = 0;

		CHECK(pthread_create(&putter, NULL, put_in_thread, &late) == 0);
		CHECK_RC(ilk_queue_lease(&late.h, &l, ILK_FOREVER), 0);
		CHECK_RC(ilk_queue_close(late.h.queue), 0);
		CHECK_RC(ilk_queue_get(&late.h, &got, 8, NULL, ILK_FOREVER), -EPIPE);
		CHECK_RC(ilk_queue_ack(&late.h, &l), 0);
		CHECK(pthread_join(putter, NULL) == 0);
		assert_int_equal(late.put, 1);
		CHECK_RC(ilk_object_remove(seg, "one"), 0);
		CHECK_RC(ilk_object_close(late.h.queue), 0);
	}
}

/* --- producers --- */

static void produce(void *arg)
{
	struct ilk_queue_handle mine = attached(q);

	CHECK_RC(ilk_queue_produce_begin(q), 0);
	CHECK_RC(ilk_queue_produce_begin(q), -EALREADY);
	CHECK_RC(put(&mine, 1), 0);
	ilk_test_say(0);
	ilk_test_await(1);
	if (arg) {
		CHECK_RC(ilk_queue_produce_end(q), 0);
		CHECK_RC(ilk_queue_produce_end(q), -EPERM);
	}
	ilk_test_say(2);
	if (!arg)
		ilk_test_sleep_for_ever();
}

static void test_the_last_producers_end_closes(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(ilk_queue_produce_end(q), -EPERM);
	assert_int_equal(get(&h), -EAGAIN); /* nobody yet is not nobody any more */
	CHECK_RC(ilk_queue_produce_begin(q), 0);
	child = ilk_test_start(produce, &child);
	ilk_test_await(0);
	CHECK_RC(ilk_queue_produce_end(q), 0);
	assert_int_equal(info_of(q).closed, 0);
	ilk_test_say(1);
	ilk_test_join(child);
	assert_int_equal(info_of(q).closed, 1);
	assert_int_equal(get(&h), 1);
	assert_int_equal(get(&h), -EPIPE);
}

static void test_the_last_producers_death_closes(void **state)
{
	int64_t pipe = -EPIPE;
	struct ilk_test_child *child = ilk_test_start(produce, NULL), *getter;

	(void)state;
	ilk_test_await(0);
	ilk_test_say(1);
	ilk_test_await(2);
	assert_int_equal(get(&h), 1);
	assert_int_equal(get(&h), -EAGAIN);
	getter = ilk_test_start(get_the_end, &pipe);
	ilk_test_await_sleepers(name, 1);
	ilk_test_kill(child);
	ilk_test_join(getter);
	assert_int_equal(info_of(q).closed, 1);
}

static int begin_only(void *queue)
{
	return ilk_queue_produce_begin(queue);
}

static void test_the_end_of_a_producers_thread_closes(void **state)
{
	(void)state;
	CHECK_RC(support_in_thread(begin_only, q), 0);
	assert_int_equal(get_soon(&h), -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_TEST(test_close_refuses_putters_and_lets_getters_drain),
		QUEUE_TEST(test_close_of_a_full_queue_lets_all_out),
		QUEUE_TEST(test_close_wakes_all),
		QUEUE_TEST(test_close_wakes_who_waits_for_room),
		QUEUE_TEST(test_the_end_waits_for_leases_of_others),
		QUEUE_TEST(test_the_end_comes_with_the_last_ack),
		QUEUE_TEST(test_the_end_is_found_where_every_place_is_leased),
		QUEUE_TEST(test_the_end_is_found_where_others_have_leased_the_rest),
		QUEUE_TEST(test_nothing_is_put_behind_an_end_without_a_mark),
		QUEUE_TEST(test_the_last_producers_end_closes),
		QUEUE_TEST(test_the_last_producers_death_closes),
		QUEUE_TEST(test_the_end_of_a_producers_thread_closes),
	};

	return RUN_QUEUE_TESTS(tests);
}
