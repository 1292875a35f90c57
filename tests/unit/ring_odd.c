/*
 * ring_odd.c - handles out of date, signals without end, a death between two stores, positions and
 * numbers that wrap around, a peer that writes what it likes.
 */
#include "ring_fixture.h"
#include <signal.h>
#include <sys/time.h>

/* --- handles out of date --- */

/* The next segment of that size is likely to lie where this one was, and this process to be in its slot. */
static void test_handle_of_a_closed_segment_is_not_of_the_next(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .processes = 6, .flags = handshake};
	struct ilk_ring_writer w, stale_w;
	struct ilk_ring_reader r, stale_r;

	(void)state;
	take_both(any, &stale_w, &stale_r);
	CHECK_RC(ilk_segment_close(seg), 0);
	CHECK_RC(ilk_segment_unlink(name), 0);
	CHECK_RC(ilk_segment_create(name, &options, &seg), 0);
	CHECK_RC(ilk_ring_open(seg, "any", &of_any_size, &any), 0);
	take_both(any, &w, &r);
	CHECK_RC(put_number(&stale_w, 1), -EINVAL);
	expect_none(&r, -EAGAIN);
	CHECK_RC(put_number(&w, 2), 0);
	expect_none(&stale_r, -EINVAL);
	CHECK_RC(ilk_ring_writer_close(&stale_w), -EINVAL);
	CHECK_RC(ilk_ring_reader_close(&stale_r), -EINVAL);
	expect_number(&r, 2);
}

/* --- signals --- */

static void ignore(int number)
{
	(void)number;
}

/* More often than a sleeper looks by itself. */
static void be_interrupted(void)
{
	const struct sigaction action = {.sa_handler = ignore};
	const struct itimerval often = {{.tv_usec = 3000}, {.tv_usec = 3000}};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void await_message(void *arg)
{
	ilk_time deadline = ilk_after_ms(5000);
	struct ilk_ring_reader r;
	char byte;
	size_t n;

	(void)arg;
	be_interrupted();
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	CHECK_RC(ilk_ring_get_until(&r, &byte, 1, deadline, &n), -EPIPE);
	CHECK(ilk_now() < deadline);
}

static void await_room(void *arg)
{
	ilk_time deadline = ilk_after_ms(5000);
	struct ilk_ring_writer w;
	int rc = 0;

	(void)arg;
	be_interrupted();
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), 0);
	while (rc == 0)
		rc = ilk_ring_put_until(&w, "0123456789", 10, deadline);
	CHECK_RC(rc, -EPIPE);
	CHECK(ilk_now() < deadline);
}

static void hold_a_side(void *arg)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;

	CHECK_RC(arg ? ilk_ring_writer_open(any, 0, &w) : ilk_ring_reader_open(any, 0, &r), 0);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void check_death_is_noticed(void (*wait)(void *arg), void *is_writers)
{
	struct ilk_test_child *holder = ilk_test_start(hold_a_side, is_writers), *sleeper;

	ilk_test_await(1);
	sleeper = ilk_test_start(wait, NULL);
	ilk_test_await_sleepers(name, 1);
	ilk_test_kill(holder);
	ilk_test_join(sleeper);
}

static void test_reader_under_signals_notices_a_death(void **state)
{
	(void)state;
	check_death_is_noticed(await_message, name);
}

static void test_writer_under_signals_notices_a_death(void **state)
{
	(void)state;
	check_death_is_noticed(await_room, NULL);
}

/* --- a death between two stores --- */

/*
 * The reader, a little ahead of what the writer knows, takes all of a full ring at once, and dies before
 * the writer knows: then `tail` is more than a ring behind.
 */
static void test_death_before_the_tail_moves_is_no_damage(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	uint64_t tail, put = 0;
	char bytes[ROOM];
	size_t n;

	(void)state;
	take_both(any, &w, &r);
	for (; put < 3; put++) {
		CHECK_RC(put_number(&w, put), 0);
		expect_number(&r, put);
	}
	tail = *r.tail;
	while (put_number(&w, put) == 0)
		put++;
	CHECK_RC(ilk_ring_try_get_many(&r, bytes, EACH, ROOM, &n), 0);
	CHECK(n == put - 3);
	*r.tail = tail;
	CHECK_RC(ilk_segment_valid(seg), 0);
}

/* --- wrap-around --- */

/* Both ends go on from AT, with message NUMBER. */
static void move_both(struct ilk_ring *ring, uint64_t at, uint64_t number)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;

	take_both(ring, &w, &r);
	w.hold.line[0] = r.hold.line[0] = at;
	w.hold.line[1] = r.hold.line[1] = number;
	CHECK_RC(ilk_ring_writer_close(&w), 0);
	CHECK_RC(ilk_ring_reader_close(&r), 0);
}

static void put_and_die(void *arg)
{
	struct ilk_ring_writer w;
	uint64_t *first = arg;

	CHECK(ilk_ring_writer_open(any, 0, &w) >= 0);
	for (uint64_t i = 0; i < 3; i++)
		CHECK_RC(put_number(&w, *first + i), 0);
	raise(SIGKILL);
}

static void test_numbers_and_positions_wrap_around(void **state)
{
	struct ilk_ring_reader r;
	uint64_t next = UINT32_MAX - 20;

	(void)state;
	move_both(any, UINT64_MAX - ROOM + 1, next);
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	for (int i = 0; i < 25; i++) {
		ilk_test_join_killed(ilk_test_start(put_and_die, &next));
		for (int k = 0; k < 3; k++)
			expect_number(&r, next++);
		CHECK_RC(ilk_segment_valid(seg), 0);
		if (i % 5 == 0) {
			CHECK_RC(ilk_ring_reader_close(&r), 0);
			CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
		}
	}
}

/* --- what need not be asked for --- */

static void test_size_need_not_be_asked_for(void **state)
{
	struct ilk_ring *const both[] = {any, fixed};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ilk_ring_writer w;
		struct ilk_ring_reader r;
		struct numbered m;
		const void *shown;

		take_both(both[i], &w, &r);
		CHECK_RC(ilk_ring_try_get(&r, &m, sizeof m, NULL), -EAGAIN);
		CHECK_RC(ilk_ring_peek_until(&r, ILK_NOW, &shown, NULL), -ETIMEDOUT);
		for (uint64_t k = 0; k < 5; k++)
			CHECK_RC(put_number(&w, k), 0);
		CHECK_RC(ilk_ring_get(&r, &m, 1, NULL), -EMSGSIZE);
		CHECK_RC(ilk_ring_get(&r, &m, sizeof m, NULL), 0);
		CHECK_RC(ilk_ring_try_get(&r, &m, sizeof m, NULL), 0);
		CHECK_RC(ilk_ring_get_until(&r, &m, sizeof m, ILK_NOW, NULL), 0);
		CHECK_RC((ilk_ring_get)(&r, &m, sizeof m, NULL), 0);
		CHECK_RC(ilk_ring_peek(&r, &shown, NULL), 0);
		CHECK_RC(ilk_ring_release(&r), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(test_handle_of_a_closed_segment_is_not_of_the_next),
		RING_TEST(test_reader_under_signals_notices_a_death),
		RING_TEST(test_writer_under_signals_notices_a_death),
		RING_TEST(test_death_before_the_tail_moves_is_no_damage),
		RING_TEST(test_numbers_and_positions_wrap_around),
		RING_TEST(test_size_need_not_be_asked_for),
	};

	return RUN_RING_TESTS(tests);
}
