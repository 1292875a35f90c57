/* ring_batch.c - several messages at once, across the ring's end, in both kinds of ring. */
#include "ring_fixture.h"

enum { BATCH = 13, TOTAL = 5000 };

/* Puts as many of BATCH as there is room for, beginning with FIRST. */
static size_t put_some(struct ilk_ring_writer *w, uint64_t first, size_t count)
{
	struct numbered m[BATCH];
	size_t done = 77;
	int rc;

	for (size_t i = 0; i < count; i++)
		m[i] = numbered(first + i);
	rc = ilk_ring_try_put_many(w, m, EACH, count, &done);
	CHECK(rc == 0 || rc == -EAGAIN);
	CHECK(done <= count && (rc == 0) == (done > 0));
	return done;
}

static size_t get_some(struct ilk_ring_reader *r, uint64_t first, size_t most)
{
	struct numbered m[BATCH];
	size_t done = 77;
	int rc = ilk_ring_try_get_many(r, m, EACH, most, &done);

	CHECK(rc == 0 || rc == -EAGAIN);
	CHECK(done <= most && (rc == 0) == (done > 0));
	for (size_t i = 0; i < done; i++) {
		struct numbered wanted = numbered(first + i);

		assert_memory_equal(&m[i], &wanted, EACH);
	}
	return done;
}

static void test_batches_keep_order_over_many_laps(void **state)
{
	struct ilk_ring *const both[] = {any, fixed};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ilk_ring_writer w;
		struct ilk_ring_reader r;
		struct ilk_ring_status status;
		uint64_t put = 0, got = 0;

		take_both(both[i], &w, &r);
		for (uint64_t step = 0; got < TOTAL; step++) {
			put += put_some(&w, put, 1 + step % BATCH);
			got += get_some(&r, got, 1 + step * 5 % BATCH);
		}
		CHECK_RC(ilk_ring_status(both[i], &status), 0);
		CHECK(status.put == put && status.got == got);
	}
}

/* All of a whole ring at once, from each place in it. */
static void test_batch_fills_the_whole_ring(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	uint64_t at = 0;

	(void)state;
	take_both(fixed, &w, &r);
	for (int place = 0; place < 2 * SLOTS; place++) {
		assert_int_equal(put_some(&w, at, BATCH), SLOTS);
		assert_int_equal(put_some(&w, at, BATCH), 0);
		assert_int_equal(get_some(&r, at, BATCH), SLOTS);
		at += SLOTS;
		CHECK_RC(put_number(&w, at), 0);
		expect_number(&r, at++);
	}
}

static void test_batch_stops_before_another_size(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	struct numbered m[3];
	char byte;
	size_t n;

	(void)state;
	take_both(any, &w, &r);
	CHECK_RC(put_number(&w, 0), 0);
	CHECK_RC(put_number(&w, 1), 0);
	CHECK_RC(ilk_ring_put(&w, "x", 1), 0);
	assert_int_equal(get_some(&r, 0, 3), 2);
	CHECK_RC(ilk_ring_try_get_many(&r, m, EACH, 3, &n), -EMSGSIZE);
	assert_int_equal(n, 0);
	CHECK_RC(ilk_ring_get(&r, &byte, 1, &n), 0);
	CHECK(byte == 'x');
}

static void test_batch_of_wrong_size_or_none(void **state)
{
	struct ilk_ring_writer w, f;
	struct ilk_ring_reader r;
	struct numbered m[2];
	size_t n = 7;

	(void)state;
	take_both(any, &w, &r);
	CHECK_RC(ilk_ring_writer_open(fixed, 0, &f), 0);
	CHECK_RC(ilk_ring_put_many(&w, m, EACH, 0, &n), 0);
	assert_int_equal(n, 0);
	CHECK_RC(ilk_ring_get_many(&r, m, EACH, 0, &n), 0);
	CHECK_RC(ilk_ring_put_many(&f, m, EACH - 8, 2, &n), -EMSGSIZE);
	CHECK_RC(ilk_ring_put_many(&w, m, ROOM, 2, &n), -EMSGSIZE);
	CHECK_RC(ilk_ring_put_many(&w, m, 0, 2, &n), 0);
	assert_int_equal(n, 2);
	CHECK_RC(ilk_ring_get_many(&r, m, 0, 9, &n), 0);
	assert_int_equal(n, 2);
	CHECK_RC(ilk_ring_get_many_until(&r, m, 0, 9, ILK_NOW, &n), -ETIMEDOUT);
}

static void test_batch_is_refused_while_reserved(void **state)
{
	struct ilk_ring *const both[] = {any, fixed};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ilk_ring_writer w;
		struct numbered m = numbered(0);
		void *message;
		size_t n;

		CHECK_RC(ilk_ring_writer_open(both[i], 0, &w), 0);
		CHECK_RC(ilk_ring_reserve(&w, EACH, &message), 0);
		CHECK_RC(ilk_ring_try_put_many(&w, &m, EACH, 1, &n), -EINVAL);
		CHECK_RC(ilk_ring_abort(&w), 0);
		CHECK_RC(ilk_ring_try_put_many(&w, &m, EACH, 1, &n), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(test_batches_keep_order_over_many_laps),
		RING_TEST(test_batch_fills_the_whole_ring),
		RING_TEST(test_batch_stops_before_another_size),
		RING_TEST(test_batch_of_wrong_size_or_none),
		RING_TEST(test_batch_is_refused_while_reserved),
	};

	return RUN_RING_TESTS(tests);
}
