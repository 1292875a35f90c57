/* queue_waits.c - waiting in a queue: deadlines, wake-ups, the end of it; what is damaged. */
#include "queue_fixture.h"
#include <pthread.h>

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
