/* queue_lease.c - leases: acked, given back, delivered again, buried; join. */
#include "queue_fixture.h"

static void test_lease_and_ack_take_one(void **state)
{
	struct ilk_queue_lease a, b;

	(void)state;
	CHECK_RC(ilk_queue_lease(&h, &a, ILK_NOW), -EAGAIN);
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(put(&h, 2), 0);
	CHECK_RC(ilk_queue_lease(&h, &a, ILK_NOW), 0);
	CHECK_RC(ilk_queue_lease(&h, &b, ILK_NOW), 0);
	assert_int_equal(leased(&a), 1);
	assert_int_equal(leased(&b), 2);
	assert_int_equal(a.deliveries, 1);
	assert_int_equal(info_of(q).leases, 2);
	assert_int_equal(info_of(q).got, 0);
	CHECK_RC(ilk_queue_ack(&h, &b), 0);
	CHECK_RC(ilk_queue_ack(&h, &b), -EPERM);
	CHECK_RC(ilk_queue_nack(&h, &b), -EPERM);
	CHECK_RC(ilk_queue_ack(&h, &a), 0);
	assert_int_equal(info_of(q).got, 2);
	check_valid();
}

/* The same thread has the same cell again: the old lease is not the new one. */
static void test_ack_of_an_old_lease_of_the_same_cell_is_EPERM(void **state)
{
	struct ilk_queue_handle one = attached(queue_of("one", 1, 0, NULL, 0));
	struct ilk_queue_lease old, again, fresh;

	(void)state;
	CHECK_RC(put(&one, 1), 0);
	CHECK_RC(ilk_queue_lease(&one, &old, ILK_NOW), 0);
	CHECK_RC(ilk_queue_nack(&one, &old), 0);
	CHECK_RC(ilk_queue_lease(&one, &again, ILK_NOW), 0);
	assert_int_equal(again.deliveries, 2);
	CHECK_RC(ilk_queue_ack(&one, &old), -EPERM);
	CHECK_RC(ilk_queue_ack(&one, &again), 0);
	CHECK_RC(put(&one, 2), 0);
	CHECK_RC(ilk_queue_lease(&one, &fresh, ILK_NOW), 0);
	CHECK_RC(ilk_queue_ack(&one, &again), -EPERM);
	CHECK_RC(ilk_queue_ack(&one, &old), -EPERM);
	CHECK_RC(ilk_queue_ack(&one, &fresh), 0);
}

static void test_nack_delivers_again_before_what_is_fresh(void **state)
{
	struct ilk_queue_lease l;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(put(&h, 2), 0);
	for (unsigned times = 1; times < 5; times++) {
		CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
		assert_int_equal(leased(&l), 1);
		assert_int_equal(l.deliveries, times);
		CHECK_RC(ilk_queue_nack(&h, &l), 0);
		assert_int_equal(info_of(q).depth, 2);
	}
	assert_int_equal(get(&h), 1);
	assert_int_equal(get(&h), 2);
	assert_int_equal(get(&h), -EAGAIN);
	assert_int_equal(info_of(q).got, 2);
}

static void test_a_lease_that_is_held_stops_nobody(void **state)
{
	struct ilk_queue_lease l, second;

	(void)state;
	CHECK_RC(put(&h, 4711), 0);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	for (uint64_t i = 0; i < 100; i++) {
		for (uint64_t k = 0; k < FOUR - 1; k++)
			CHECK_RC(put(&h, 3 * i + k), 0);
		CHECK_RC(put(&h, 99), -EAGAIN);
		for (uint64_t k = 0; k < FOUR - 1; k++)
			assert_int_equal(get(&h), 3 * i + k);
	}
	assert_int_equal(info_of(q).put, 301);
	CHECK_RC(put(&h, 5), 0);
	CHECK_RC(ilk_queue_lease(&h, &second, ILK_NOW), 0);
	for (uint64_t i = 0; i < 100; i++) {
		CHECK_RC(put(&h, i), 0);
		CHECK_RC(put(&h, i + 1), 0);
		CHECK_RC(put(&h, 99), -EAGAIN);
		assert_int_equal(get(&h), i);
		assert_int_equal(get(&h), i + 1);
	}
	assert_int_equal(leased(&l), 4711);
	CHECK_RC(ilk_queue_ack(&h, &l), 0);
	CHECK_RC(ilk_queue_nack(&h, &second), 0);
	assert_int_equal(get(&h), 5);
	assert_int_equal(info_of(q).put, 502);
	assert_int_equal(info_of(q).got, 502);
	for (uint64_t i = 0; i < FOUR; i++)
		CHECK_RC(put(&h, i), 0);
	CHECK_RC(put(&h, 99), -EAGAIN);
	check_valid();
}

static int find_it_full(void *arg)
{
	struct ilk_queue_handle mine = attached(q);

	(void)arg;
	assert_int_equal(get(&mine), -EAGAIN);
	CHECK_RC(put(&mine, 9), -EAGAIN);
	return 0;
}

static void test_all_leased_is_full(void **state)
{
	struct ilk_queue_lease l[FOUR];

	(void)state;
	for (uint64_t i = 0; i < FOUR; i++) {
		CHECK_RC(put(&h, i), 0);
		CHECK_RC(ilk_queue_lease(&h, &l[i], ILK_NOW), 0);
	}
	/* By the calling thread: to wait would be for ever. */
	CHECK_RC(ilk_queue_put(&h, l, 8, ILK_FOREVER), -EDEADLK);
	CHECK_RC(ilk_queue_lease(&h, l, ILK_FOREVER), -EDEADLK);
	CHECK_RC(support_in_thread(find_it_full, NULL), 0);
	CHECK_RC(put(&h, 9), -EDEADLK);
	assert_int_equal(get(&h), -EDEADLK);
	CHECK_RC(ilk_queue_ack(&h, &l[2]), 0);
	CHECK_RC(put(&h, 9), 0);
	assert_int_equal(get(&h), 9);
	for (uint64_t i = 0; i < FOUR; i++)
		CHECK_RC(ilk_queue_ack(&h, &l[i]), i == 2 ? -EPERM : 0);
}

static int ack_anothers(void *lease)
{
	struct ilk_queue_handle mine = attached(q);

	CHECK_RC(ilk_queue_nack(&mine, lease), -EPERM);
	return ilk_queue_ack(&mine, lease);
}

static void test_ack_by_another_thread_or_of_nonsense_is_EPERM(void **state)
{
	struct ilk_queue_lease l, wrong;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	CHECK_RC(support_in_thread(ack_anothers, &l), -EPERM);
	wrong = l;
	wrong.cell++;
	CHECK_RC(ilk_queue_ack(&h, &wrong), -EPERM);
	wrong.cell = NULL;
	CHECK_RC(ilk_queue_ack(&h, &wrong), -EPERM);
	CHECK_RC(ilk_queue_ack(&h, &l), 0);
}

static void finish_as_child(void *lease)
{
	CHECK_RC(ilk_queue_ack(&h, lease), -EPERM);
	CHECK_RC(ilk_queue_nack(&h, lease), -EPERM);
}

static void test_ack_by_a_forked_child_is_EPERM(void **state)
{
	struct ilk_queue_lease l;

	(void)state;
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(ilk_queue_lease(&h, &l, ILK_NOW), 0);
	ilk_test_in_child(finish_as_child, &l);
	CHECK_RC(ilk_queue_ack(&h, &l), 0);
}

/* --- enough --- */

static void test_too_many_deliveries_drop_and_count(void **state)
{
	struct ilk_queue *two = queue_of("two tries", FOUR, 2, NULL, 0);
	struct ilk_queue_handle t = attached(two);
	struct ilk_queue_lease l;

	(void)state;
	CHECK_RC(put(&t, 1), 0);
	for (unsigned i = 1; i <= 2; i++) {
		CHECK_RC(ilk_queue_lease(&t, &l, ILK_NOW), 0);
		assert_int_equal(l.deliveries, i);
		CHECK_RC(ilk_queue_nack(&t, &l), 0);
	}
	CHECK_RC(ilk_queue_lease(&t, &l, ILK_NOW), -EAGAIN);
	assert_int_equal(info_of(two).dropped, 1);
	assert_int_equal(info_of(two).got, 1);
	assert_int_equal(info_of(two).depth, 0);
	for (uint64_t i = 0; i < FOUR; i++)
		CHECK_RC(put(&t, i), 0);
}

static void test_too_many_deliveries_move_to_the_dead_letters(void **state)
{
	struct ilk_queue *dead = queue_of("dead", 2, 0, NULL, 0);
	struct ilk_queue *once = queue_of("once", FOUR, 1, "dead", 0);
	struct ilk_queue_handle o = attached(once), d = attached(dead);
	struct ilk_queue_lease l;

	(void)state;
	for (uint64_t i = 0; i < 3; i++) {
		CHECK_RC(put(&o, i), 0);
		CHECK_RC(ilk_queue_lease(&o, &l, ILK_NOW), 0);
		CHECK_RC(ilk_queue_nack(&o, &l), 0);
	}
	assert_int_equal(info_of(once).moved, 2);
	/* There was no room for the third: it waits where it is. */
	assert_int_equal(info_of(once).depth, 1);
	assert_int_equal(get(&o), -EAGAIN);
	assert_int_equal(get(&d), 0);
	assert_int_equal(get(&d), 1);
	while (get(&o) == -EAGAIN && info_of(once).moved == 2)
		ilk_test_sleep_ms(1);
	assert_int_equal(get(&d), 2);
	assert_int_equal(info_of(once).got, 3);
	CHECK_RC(ilk_queue_join(once, ILK_NOW), 0);
	check_valid();
}

static void lease_of_once(void *arg)
{
	struct ilk_queue_handle mine = attached(arg);
	struct ilk_queue_lease l;

	CHECK_RC(ilk_queue_lease(&mine, &l, ILK_NOW), 0);
	ilk_test_say(2);
	ilk_test_sleep_for_ever();
}

static void test_a_message_that_kills_is_moved(void **state)
{
	struct ilk_queue *dead = queue_of("dead", 2, 0, NULL, 0);
	struct ilk_queue *once = queue_of("once", FOUR, 1, "dead", 0);
	struct ilk_queue_handle o = attached(once), d = attached(dead);
	struct ilk_test_child *child;
	uint64_t value;

	(void)state;
	CHECK_RC(put(&o, 666), 0);
	child = ilk_test_start(lease_of_once, once);
	ilk_test_await(2);
	ilk_test_kill(child);
	CHECK_RC(ilk_queue_get(&o, &value, 8, NULL, ilk_after_ms(3 * SOON)), -ETIMEDOUT);
	assert_int_equal(get(&d), 666);
}

static void test_without_its_dead_letters_it_stays(void **state)
{
	struct ilk_queue *once = queue_of("once", FOUR, 1, "nowhere", 0);
	struct ilk_queue_handle o = attached(once), d;
	struct ilk_queue_lease l;

	(void)state;
	CHECK_RC(put(&o, 1), 0);
	CHECK_RC(ilk_queue_lease(&o, &l, ILK_NOW), 0);
	CHECK_RC(ilk_queue_nack(&o, &l), 0);
	assert_int_equal(get(&o), -EAGAIN);
	assert_int_equal(info_of(once).depth, 1);
	d = attached(queue_of("nowhere", 2, 0, NULL, 0));
	while (get(&o) == -EAGAIN && info_of(once).moved == 0)
		ilk_test_sleep_ms(1);
	assert_int_equal(get(&d), 1);
}

/* Nobody will get it, whoever waits. */
static void test_the_end_does_not_wait_for_what_cannot_be_buried(void **state)
{
	const struct ilk_object_info *o;
	struct ilk_inspection *in;
	struct ilk_queue *once = queue_of("once", 1, 1, "nowhere", 0);
	struct ilk_queue_handle mine = attached(once), d;
	struct ilk_queue_lease l;

	(void)state;
	CHECK_RC(put(&mine, 7), 0);
	CHECK_RC(ilk_queue_lease(&mine, &l, ILK_NOW), 0);
	CHECK_RC(ilk_queue_close(once), 0);
	CHECK_RC(ilk_queue_nack(&mine, &l), 0);
	CHECK_RC(ilk_queue_lease(&mine, &l, ILK_FOREVER), -EPIPE);
	assert_int_equal(get(&mine), -EPIPE);
	assert_int_equal(info_of(once).depth, 1);
	CHECK_RC(ilk_queue_join(once, ILK_NOW), -EAGAIN);
	CHECK_RC(ilk_inspect(name, &in), 0);
	o = object_in(in, "once");
	assert_non_null(o);
	assert_string_equal(o->state, "1 of 1, closed, 1 undeliverable");
	ilk_inspection_free(in);
	/* Who comes when there is room moves it. */
	d = attached(queue_of("nowhere", 1, 0, NULL, 0));
	assert_int_equal(get(&mine), -EPIPE);
	assert_int_equal(info_of(once).moved, 1);
	CHECK_RC(ilk_queue_join(once, ILK_NOW), 0);
	assert_int_equal(get(&d), 7);
	check_valid();
}

/* --- join --- */

static void join_it(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_queue_join(q, ILK_FOREVER), 0);
	ilk_test_say(3);
}

static void test_join_waits_for_what_was_put_before(void **state)
{
	struct ilk_queue_lease a, b;
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(ilk_queue_join(q, ILK_NOW), 0);
	CHECK_RC(put(&h, 1), 0);
	CHECK_RC(ilk_queue_join(q, ILK_NOW), -EAGAIN);
	CHECK_RC(put(&h, 2), 0);
	CHECK_RC(ilk_queue_lease(&h, &a, ILK_NOW), 0);
	child = ilk_test_start(join_it, NULL);
	ilk_test_await_sleepers(name, 1);
	/* Later ones do not count. */
	CHECK_RC(put(&h, 3), 0);
	CHECK_RC(ilk_queue_lease(&h, &b, ILK_NOW), 0);
	CHECK_RC(ilk_queue_ack(&h, &b), 0);
	CHECK_RC(ilk_queue_nack(&h, &a), 0);
	CHECK_RC(ilk_queue_lease(&h, &a, ILK_NOW), 0);
	assert_int_equal(leased(&a), 1);
	ilk_test_sleep_ms(SOON);
	assert_false(ilk_test_was_said(3));
	CHECK_RC(ilk_queue_ack(&h, &a), 0);
	ilk_test_join(child);
	assert_int_equal(info_of(q).depth, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_TEST(test_lease_and_ack_take_one),
		QUEUE_TEST(test_ack_of_an_old_lease_of_the_same_cell_is_EPERM),
		QUEUE_TEST(test_nack_delivers_again_before_what_is_fresh),
		QUEUE_TEST(test_a_lease_that_is_held_stops_nobody),
		QUEUE_TEST(test_all_leased_is_full),
		QUEUE_TEST(test_ack_by_another_thread_or_of_nonsense_is_EPERM),
		QUEUE_TEST(test_ack_by_a_forked_child_is_EPERM),
		QUEUE_TEST(test_too_many_deliveries_drop_and_count),
		QUEUE_TEST(test_too_many_deliveries_move_to_the_dead_letters),
		QUEUE_TEST(test_a_message_that_kills_is_moved),
		QUEUE_TEST(test_without_its_dead_letters_it_stays),
		QUEUE_TEST(test_the_end_does_not_wait_for_what_cannot_be_buried),
		QUEUE_TEST(test_join_waits_for_what_was_put_before),
	};

	return RUN_QUEUE_TESTS(tests);
}
