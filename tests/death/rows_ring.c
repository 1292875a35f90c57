/*
 * rows_ring.c - what a ring says of corrupt states, and does in them; positions near the end of 32 and
 * 64 bits; repair.
 */
#include "queue/ring.h"
#include "segment/types.h"
#include "support.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 256, EACH = 24, SLOTS = 8 };

static struct ilk_segment *seg;
static struct ilk_ring *any, *fixed;
static struct ilk_ring_writer w;
static struct ilk_ring_reader r;

static const struct ilk_ring_options of_any_size = {.size = sizeof of_any_size, .bytes = ROOM};
static const struct ilk_ring_options of_fixed_size = {.size = sizeof of_fixed_size,
	.bytes = SLOTS * EACH,
	.message = EACH,
	.flags = ILK_RING_FIXED};

static int setup(void **state)
{
	if (ilk_test_setup(state) < 0 || ilk_segment_create(ilk_test_name(""), NULL, &seg) < 0 ||
		ilk_ring_open(seg, "any", &of_any_size, &any) < 0)
		return -1;
	return ilk_ring_open(seg, "fixed", &of_fixed_size, &fixed);
}

static int teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

#define ROW_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void take_both(struct ilk_ring *ring)
{
	CHECK_RC(ilk_ring_writer_open(ring, 0, &w), 0);
	CHECK_RC(ilk_ring_reader_open(ring, 0, &r), 0);
}

static int put(uint64_t number)
{
	uint64_t message[EACH / 8] = {number, 0, number};

	return ilk_ring_try_put(&w, message, sizeof message);
}

static void expect_number(uint64_t number)
{
	uint64_t message[ROOM / 8];
	size_t n = 0;

	CHECK_RC(ilk_ring_try_get(&r, message, sizeof message, &n), 0);
	CHECK(n == EACH && message[0] == number && message[2] == number);
}

static int get(void)
{
	uint64_t message[ROOM / 8];
	size_t n;

	return ilk_ring_try_get(&r, message, sizeof message, &n);
}

/* --- the row --- */

static const char *wrong(const struct ilk_ring *ring)
{
	const struct ilk_ring_shape_ shape = {.bytes = ring->bytes};
	const char *what =
		ilk_type_(ILK_TYPE_RING_)->valid(&seg->map, ring, ilk_ring_size_(&shape));

	return what ? what : "";
}

/* What is said with *WORD changed. */
static const char *wrong_with(uint64_t *word, uint64_t value)
{
	uint64_t before = *word;
	const char *what;

	*word = value;
	what = wrong(any);
	*word = before;
	return what;
}

static void test_valid_corrupt_rings_say_what(void **state)
{
	const struct ilk_type_ *row = ilk_type_(ILK_TYPE_RING_);

	(void)state;
	CHECK(strcmp(wrong(any), "") == 0 && strcmp(wrong(fixed), "") == 0);
	take_both(any);
	CHECK_RC(put(1), 0);
	CHECK(strcmp(wrong(any), "") == 0);
	CHECK(strstr(wrong_with(&any->writer.owner, 77), "nobody"));
	CHECK(strstr(wrong_with(&any->reader.owner, ilk_ring_owner_(3000, 1)), "does not exist"));
	CHECK(strstr(wrong_with(&any->reader.owner, ilk_ring_owner_(0, 1) | 8), "flags"));
	CHECK(strstr(wrong_with(&any->writer.at, 12), "not that of a message"));
	CHECK(strstr(wrong_with(&any->writer.at, 8 * ROOM), "room"));
	CHECK(strstr(wrong_with(&any->tail, 8), "never was"));
	CHECK(strstr(wrong_with(&any->most, ROOM), "size"));
	CHECK(strstr(row->valid(&seg->map, any, sizeof *any + 2 * ROOM), "size"));
	any->tag ^= 1;
	CHECK(strstr(wrong(any), "tag"));
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), -EINVAL);
	any->tag ^= 1;
}

static void test_describe_tells_depth_and_counts(void **state)
{
	struct ilk_inspection *in;
	const struct ilk_object_info *o = NULL;

	(void)state;
	take_both(any);
	for (uint64_t i = 0; i < 5; i++)
		CHECK_RC(put(i), 0);
	expect_number(0);
	expect_number(1);
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, "any") == 0)
			o = &in->objects[i];
	CHECK(o && !o->damage[0] && strcmp(o->type, "ring") == 0);
	CHECK(o->depth == 3 && o->put == 5 && o->got == 2 && o->capacity == 3 * ROOM / 96);
	CHECK(strcmp(o->state, "writer open, reader open, 96 of 256 bytes") == 0);
	ilk_inspection_free(in);
}

static void test_holders_are_both_sides(void **state)
{
	const struct ilk_type_ *row = ilk_type_(ILK_TYPE_RING_);
	struct ilk_holding_ holding[3];

	(void)state;
	assert_int_equal(row->holders(&seg->map, any, 0, holding, 3), 0);
	take_both(any);
	assert_int_equal(row->holders(&seg->map, any, 0, holding, 1), 1);
	assert_int_equal(row->holders(&seg->map, any, 0, holding, 3), 2);
	assert_string_equal(holding[0].how, "writes");
	assert_string_equal(holding[1].how, "reads");
	CHECK(holding[1].owner == 0 && holding[1].process == seg->member->process &&
		holding[1].generation == seg->member->generation);
}

static void hold_and_die(void *arg)
{
	(void)arg;
	take_both(any);
	CHECK_RC(put(1), 0);
	raise(SIGKILL);
}

static void test_repair_closes_the_sides_of_the_dead(void **state)
{
	const struct ilk_type_ *row = ilk_type_(ILK_TYPE_RING_);

	(void)state;
	CHECK(row->repair(seg, any) == 0);
	CHECK(row->ready(seg, any) == 0);
	ilk_test_join_killed(ilk_test_start(hold_and_die, NULL));
	CHECK(row->ready(seg, any) == 1);
	CHECK(row->repair(seg, any) == 1);
	CHECK(row->repair(seg, any) == 0);
	CHECK(any->writer.owner == ILK_RING_CLOSED_ && any->reader.owner == ILK_RING_CLOSED_);
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	expect_number(1);
	CHECK_RC(get(), -EPIPE);
}

/* --- garbage --- */

static uint64_t *header_of_next(void)
{
	return ilk_ring_header_(&r.hold, r.hold.offset);
}

static void test_corrupt_headers_are_EBADMSG(void **state)
{
	static const uint64_t bad[] = {2, 1, ROOM, ILK_RING_SKIP_, UINT32_MAX,
		(uint64_t)5 << 32 | 25, UINT64_MAX, (uint64_t)1 << 32 | 0x7fffffff,
		(uint64_t)1 << 32 | (ROOM / 2), (uint64_t)1 << 32};
	const void *message;
	uint64_t good;
	size_t n;

	(void)state;
	take_both(any);
	CHECK_RC(put(0), 0);
	CHECK_RC(put(1), 0);
	expect_number(0);
	good = *header_of_next();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (bad[i] == ILK_RING_SKIP_)
			continue; /* of message 0 */
		*header_of_next() = bad[i];
		CHECK_RC(get(), -EBADMSG);
		CHECK_RC(ilk_ring_peek(&r, &message, &n), -EBADMSG);
	}
	*header_of_next() = good;
	expect_number(1);
}

/* A skip that leads to itself, and a message longer than what is left before the end. */
static void test_headers_never_lead_round_or_out(void **state)
{
	(void)state;
	take_both(any);
	*header_of_next() = ILK_RING_SKIP_;
	CHECK_RC(get(), -EBADMSG);
	*header_of_next() = 0;
	for (uint64_t i = 0; i < ROOM / (EACH + 8) - 1; i++) {
		CHECK_RC(put(i), 0);
		expect_number(i);
	}
	*header_of_next() = r.hold.number << 32 | (EACH + 1 + 8);
	CHECK_RC(get(), -EBADMSG);
	*header_of_next() = r.hold.number << 32 | (EACH + 1);
	CHECK_RC(get(), 0);
}

static void test_corrupt_positions_are_EBADMSG(void **state)
{
	(void)state;
	take_both(any);
	while (put(1) == 0)
		continue;
	any->reader.at = any->tail = 8 * ROOM;
	CHECK_RC(put(1), -EBADMSG);
	CHECK_RC(ilk_ring_writer_close(&w), 0);
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), -EBADMSG);
	CHECK_RC(put(1), -EPERM);
	any->writer.at = 4;
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), -EBADMSG);
	any->writer.owner = 77;
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), -EBADMSG);
}

static void test_corrupt_positions_of_fixed_are_EBADMSG(void **state)
{
	(void)state;
	take_both(fixed);
	fixed->writer.at = (SLOTS + 1) * EACH;
	CHECK_RC(get(), -EBADMSG);
	fixed->writer.at = 7;
	CHECK_RC(get(), -EBADMSG);
	fixed->writer.at = 0;
	CHECK_RC(put(1), 0);
	expect_number(1);
	CHECK_RC(ilk_ring_reader_close(&r), 0);
	fixed->reader.at = 5;
	CHECK_RC(ilk_ring_reader_open(fixed, 0, &r), -EBADMSG);
}

/* Headers that a writer finds where it is to go on. */
static void test_takeover_of_garbage_ends(void **state)
{
	(void)state;
	take_both(any);
	CHECK_RC(put(0), 0);
	CHECK_RC(ilk_ring_writer_close(&w), 0);
	*ilk_ring_header_(&r.hold, EACH + 8) = UINT64_MAX;
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), -EBADMSG);
	*ilk_ring_header_(&r.hold, EACH + 8) = 0;
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), 0);
	CHECK_RC(put(1), 0);
	expect_number(0);
	expect_number(1);
}

/* All words at random: nothing may crash or hang. */
static void test_random_garbage_is_survived(void **state)
{
	uint64_t *words = (uint64_t *)(void *)any->data;
	uint64_t message[ROOM];
	size_t n;

	(void)state;
	srand(11);
	for (int i = 0; i < 20000; i++) {
		int at = rand() % (ROOM / 8);

		any->writer.owner = any->reader.owner = 0;
		words[at] = rand() % 4 ? (uint64_t)(rand() % 300) | (uint64_t)(rand() % 3) << 32
				       : ILK_RING_SKIP_;
		any->writer.at = 8u * (unsigned)(rand() % 80);
		any->reader.at = rand() % 2 ? any->writer.at : 8u * (unsigned)(rand() % 80);
		any->writer.number = any->reader.number = (uint64_t)(rand() % 3);
		if (ilk_ring_writer_open(any, 0, &w) == 0)
			for (int k = 0; k < 3; k++)
				ilk_ring_try_put(&w, message, (size_t)rand() % 130);
		if (ilk_ring_reader_open(any, 0, &r) == 0)
			for (int k = 0; k < 9; k++)
				ilk_ring_try_get(&r, message, sizeof message, &n);
	}
}

/* --- wrapping around --- */

static void start_at(struct ilk_ring *ring, uint64_t at, uint64_t number)
{
	ring->writer.at = ring->reader.at = ring->tail = at;
	ring->writer.number = ring->reader.number = number;
}

static void flow(struct ilk_ring *ring)
{
	uint64_t sent = 0, got = 0;

	take_both(ring);
	while (got < 500) {
		while (put(sent) == 0)
			sent++;
		for (uint64_t k = 0; k < 1 + sent % 5 && got < sent; k++)
			expect_number(got++);
		if (sent % 7 == 0) {
			CHECK_RC(ilk_ring_writer_close(&w), 0);
			CHECK_RC(ilk_ring_writer_open(ring, 0, &w), 0);
			CHECK_RC(ilk_ring_reader_close(&r), 0);
			CHECK_RC(ilk_ring_reader_open(ring, 0, &r), 0);
		}
		CHECK(strcmp(wrong(ring), "") == 0);
	}
	CHECK_RC(ilk_ring_writer_close(&w), 0);
	CHECK_RC(ilk_ring_reader_close(&r), 0);
}

static void test_positions_and_numbers_wrap_around(void **state)
{
	static const uint64_t near[] = {
		UINT64_C(1) << 32, UINT64_C(1) << 63, 0 /* the end of 64 bits */};

	(void)state;
	for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
		uint64_t unit = SLOTS * EACH;

		memset(any->data, 0, ROOM);
		start_at(any, near[i] - 2 * ROOM, near[i] - 20);
		flow(any);
		if (near[i] == 0)
			continue; /* 2^64 is no multiple of its bytes */
		start_at(fixed, (near[i] - 1) / unit * unit - 2 * unit, 0);
		flow(fixed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW_TEST(test_valid_corrupt_rings_say_what),
		ROW_TEST(test_describe_tells_depth_and_counts),
		ROW_TEST(test_holders_are_both_sides),
		ROW_TEST(test_repair_closes_the_sides_of_the_dead),
		ROW_TEST(test_corrupt_headers_are_EBADMSG),
		ROW_TEST(test_headers_never_lead_round_or_out),
		ROW_TEST(test_corrupt_positions_are_EBADMSG),
		ROW_TEST(test_corrupt_positions_of_fixed_are_EBADMSG),
		ROW_TEST(test_takeover_of_garbage_ends),
		ROW_TEST(test_random_garbage_is_survived),
		ROW_TEST(test_positions_and_numbers_wrap_around),
	};

	return cmocka_run_group_tests_name("rows of rings", tests, NULL, NULL);
}
