/* ring.c - messages of all sizes, in place and copied, through both kinds of ring. */
#include "ring_fixture.h"
#include <stdlib.h>

static unsigned char pattern(size_t i, size_t n)
{
	return (unsigned char)(i * 7 + n);
}

static void fill(unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = pattern(i, n);
}

static int is_filled(const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != pattern(i, n))
			return 0;
	return 1;
}

static const size_t largest = (ROOM - 16) / 2;

static void test_put_each_size_arrives_as_it_was(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	unsigned char in[ROOM], out[ROOM];
	size_t n;

	(void)state;
	take_both(any, &w, &r);
	for (size_t size = 0; size <= largest; size++) {
		fill(in, size);
		CHECK_RC(ilk_ring_try_put(&w, in, size), 0);
		n = 7777;
		CHECK_RC(ilk_ring_try_get(&r, out, sizeof out, &n), 0);
		assert_int_equal(n, size);
		CHECK(is_filled(out, n));
		expect_none(&r, -EAGAIN);
	}
}

static void test_put_of_wrong_size_is_refused(void **state)
{
	struct ilk_ring_writer w, f;
	unsigned char in[ROOM] = {0};
	void *message;

	(void)state;
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), 0);
	CHECK_RC(ilk_ring_writer_open(fixed, 0, &f), 0);
	CHECK_RC(ilk_ring_put(&w, in, largest + 1), -EMSGSIZE);
	CHECK_RC(ilk_ring_reserve(&w, SIZE_MAX, &message), -EMSGSIZE);
	CHECK_RC(ilk_ring_put(&f, in, EACH - 1), -EMSGSIZE);
	CHECK_RC(ilk_ring_put(&f, in, EACH + 1), -EMSGSIZE);
	CHECK_RC(ilk_ring_put(&f, in, 0), -EMSGSIZE);
}

/* Bytes that are taken for nothing, whatever stands where a header will be. */
static void test_messages_like_headers_are_messages(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	uint64_t in[20], out[20];
	size_t n;

	(void)state;
	take_both(any, &w, &r);
	for (uint64_t i = 0; i < 4000; i++) {
		size_t words = i * 7 % 19;

		for (size_t k = 0; k < 20; k++)
			in[k] = (i + k / 2) << 32 | (8 * (k % 5) + 1);
		CHECK_RC(ilk_ring_try_put(&w, in, 8 * words), 0);
		CHECK_RC(ilk_ring_try_get(&r, out, sizeof out, &n), 0);
		assert_int_equal(n, 8 * words);
		assert_memory_equal(in, out, n);
		expect_none(&r, -EAGAIN);
	}
}

static void test_full_ring_refuses_until_released(void **state)
{
	struct ilk_ring *const both[] = {any, fixed};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ilk_ring_writer w;
		struct ilk_ring_reader r;
		uint64_t put = 0, got = 0;
		uint64_t capacity = i ? SLOTS : (ROOM - 8) / (EACH + 8);

		take_both(both[i], &w, &r);
		for (int lap = 0; lap < 100; lap++) {
			while (put_number(&w, put) == 0)
				put++;
			CHECK_RC(put_number(&w, put), -EAGAIN);
			CHECK(put - got == capacity);
			/* Each place is known of as soon as it is free. */
			expect_number(&r, got++);
			CHECK_RC(put_number(&w, put++), 0);
			for (int k = 0; k < lap % 7; k++)
				expect_number(&r, got++);
		}
		while (got < put)
			expect_number(&r, got++);
		expect_none(&r, -EAGAIN);
	}
}

static void test_random_sizes_keep_order_and_bytes(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	size_t sizes[ROOM], put = 0, got = 0;
	unsigned char bytes[ROOM];

	(void)state;
	srand(7);
	take_both(any, &w, &r);
	while (got < 20000) {
		size_t n = (size_t)rand() % (rand() % 4 ? 40 : largest + 1);

		fill(bytes, n);
		if (rand() % 2 && ilk_ring_try_put(&w, bytes, n) == 0)
			sizes[put++ % ROOM] = n;
		if (rand() % 2) {
			const void *message;

			CHECK_RC(ilk_ring_try_peek(&r, &message, &n), put > got ? 0 : -EAGAIN);
			if (put == got)
				continue;
			CHECK((uintptr_t)message % 8 == 0);
			CHECK(n == sizes[got++ % ROOM] && is_filled(message, n));
			CHECK_RC(ilk_ring_release(&r), 0);
		}
	}
}

static void test_reserve_is_seen_only_when_committed(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	void *message, *again;
	char out[ROOM];
	size_t n;

	(void)state;
	take_both(any, &w, &r);
	CHECK_RC(ilk_ring_commit(&w, 0), -EINVAL);
	CHECK_RC(ilk_ring_abort(&w), -EINVAL);
	CHECK_RC(ilk_ring_try_reserve(&w, 100, &message), 0);
	memset(message, 'x', 100);
	expect_none(&r, -EAGAIN);
	CHECK_RC(ilk_ring_try_reserve(&w, 1, &again), -EINVAL);
	CHECK_RC(ilk_ring_try_put(&w, "y", 1), -EINVAL);
	CHECK_RC(ilk_ring_commit(&w, 101), -EINVAL);
	CHECK_RC(ilk_ring_commit(&w, 3), 0);
	CHECK_RC(ilk_ring_commit(&w, 3), -EINVAL);
	CHECK_RC(ilk_ring_try_get(&r, out, sizeof out, &n), 0);
	CHECK(n == 3 && memcmp(out, "xxx", 3) == 0);
	CHECK_RC(ilk_ring_try_reserve(&w, 100, &message), 0);
	CHECK_RC(ilk_ring_abort(&w), 0);
	expect_none(&r, -EAGAIN);
	CHECK_RC(ilk_ring_try_put(&w, "z", 1), 0);
	CHECK_RC(ilk_ring_try_get(&r, out, sizeof out, &n), 0);
	CHECK(n == 1 && out[0] == 'z');
}

static void test_reserve_aborted_at_every_place_leaves_nothing(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	void *message;

	(void)state;
	take_both(any, &w, &r);
	for (uint64_t i = 0; i < 500; i++) {
		CHECK_RC(ilk_ring_try_reserve(&w, largest - i % 100, &message), 0);
		memset(message, 0xff, largest - i % 100);
		CHECK_RC(ilk_ring_abort(&w), 0);
		CHECK_RC(put_number(&w, i), 0);
		expect_number(&r, i);
		expect_none(&r, -EAGAIN);
	}
}

static void test_reserve_of_fixed_size_commits_all_of_it(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	struct numbered m = numbered(5);
	void *message;

	(void)state;
	take_both(fixed, &w, &r);
	CHECK_RC(ilk_ring_reserve(&w, EACH, &message), 0);
	memcpy(message, &m, sizeof m);
	CHECK_RC(ilk_ring_commit(&w, EACH - 8), -EINVAL);
	CHECK_RC(ilk_ring_commit(&w, EACH), 0);
	expect_number(&r, 5);
}

static void test_peek_shows_the_same_until_released(void **state)
{
	struct ilk_ring *const both[] = {any, fixed};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ilk_ring_writer w;
		struct ilk_ring_reader r;
		const void *message, *again;
		size_t n;

		take_both(both[i], &w, &r);
		CHECK_RC(ilk_ring_release(&r), -EINVAL);
		CHECK_RC(put_number(&w, 1), 0);
		CHECK_RC(put_number(&w, 2), 0);
		CHECK_RC(ilk_ring_peek(&r, &message, &n), 0);
		CHECK_RC(ilk_ring_peek(&r, &again, &n), 0);
		CHECK(message == again && n == EACH);
		CHECK_RC(ilk_ring_release(&r), 0);
		CHECK_RC(ilk_ring_release(&r), -EINVAL);
		CHECK_RC(ilk_ring_peek(&r, &message, &n), 0);
		expect_number(&r, 2); /* what is shown is what is taken */
		CHECK_RC(ilk_ring_release(&r), -EINVAL);
	}
}

static void test_get_into_too_little_keeps_the_message(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	char small[3];
	size_t n = 0;

	(void)state;
	take_both(any, &w, &r);
	CHECK_RC(put_number(&w, 9), 0);
	CHECK_RC(ilk_ring_get(&r, small, sizeof small, &n), -EMSGSIZE);
	assert_int_equal(n, EACH);
	expect_number(&r, 9);
}

/* The calls as functions of the library. */
static void test_functions_do_as_the_inline_forms(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	const void *message;
	void *place;
	char out[ROOM];
	size_t n;

	(void)state;
	take_both(any, &w, &r);
	CHECK_RC((ilk_ring_put)(&w, "a", 1), 0);
	CHECK_RC((ilk_ring_try_put)(&w, "b", 1), 0);
	CHECK_RC((ilk_ring_put_until)(&w, "c", 1, ILK_NOW), 0);
	CHECK_RC((ilk_ring_reserve)(&w, 1, &place), 0);
	*(char *)place = 'd';
	CHECK_RC((ilk_ring_commit)(&w, 1), 0);
	CHECK_RC((ilk_ring_try_reserve)(&w, 1, &place), 0);
	CHECK_RC(ilk_ring_abort(&w), 0);
	CHECK_RC((ilk_ring_reserve_until)(&w, 1, ILK_NOW, &place), 0);
	*(char *)place = 'e';
	CHECK_RC((ilk_ring_commit)(&w, 1), 0);
	CHECK_RC((ilk_ring_get)(&r, out, 1, &n), 0);
	CHECK_RC((ilk_ring_try_get)(&r, out + 1, 1, &n), 0);
	CHECK_RC((ilk_ring_get_until)(&r, out + 2, 1, ILK_NOW, &n), 0);
	CHECK_RC((ilk_ring_peek)(&r, &message, &n), 0);
	CHECK_RC((ilk_ring_try_peek)(&r, &message, &n), 0);
	out[3] = *(const char *)message;
	CHECK_RC((ilk_ring_release)(&r), 0);
	CHECK_RC((ilk_ring_peek_until)(&r, ILK_NOW, &message, &n), 0);
	out[4] = *(const char *)message;
	CHECK_RC((ilk_ring_release)(&r), 0);
	assert_memory_equal(out, "abcde", 5);
	CHECK_RC((ilk_ring_peek_until)(&r, ILK_NOW, &message, &n), -ETIMEDOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(test_put_each_size_arrives_as_it_was),
		RING_TEST(test_put_of_wrong_size_is_refused),
		RING_TEST(test_messages_like_headers_are_messages),
		RING_TEST(test_full_ring_refuses_until_released),
		RING_TEST(test_random_sizes_keep_order_and_bytes),
		RING_TEST(test_reserve_is_seen_only_when_committed),
		RING_TEST(test_reserve_aborted_at_every_place_leaves_nothing),
		RING_TEST(test_reserve_of_fixed_size_commits_all_of_it),
		RING_TEST(test_peek_shows_the_same_until_released),
		RING_TEST(test_get_into_too_little_keeps_the_message),
		RING_TEST(test_functions_do_as_the_inline_forms),
	};

	return RUN_RING_TESTS(tests);
}
