/*
 * ring_fixture.h - a segment with a ring of messages of any size and one of a fixed size, of either
 * handshake.
 */
#ifndef ILK_TESTS_RING_FIXTURE_H
#define ILK_TESTS_RING_FIXTURE_H

#include "support.h"
#include <errno.h>
#include <string.h>

enum { ROOM = 1024, EACH = 24, SLOTS = 8 };

static const struct ilk_ring_options of_any_size = {.size = sizeof of_any_size, .bytes = ROOM};
static const struct ilk_ring_options of_fixed_size = {.size = sizeof of_fixed_size,
	.bytes = SLOTS * EACH,
	.message = EACH,
	.flags = ILK_RING_FIXED};

static struct ilk_segment *seg;
static struct ilk_ring *any, *fixed;
static char name[64];
static unsigned handshake; /* 0 or ILK_SEGMENT_FENCED */

static int be_asymmetric(void **state)
{
	(void)state;
	handshake = 0;
	return 0;
}

static int be_fenced(void **state)
{
	(void)state;
	handshake = ILK_SEGMENT_FENCED;
	return 0;
}

static int ring_setup(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .processes = 6, .flags = handshake};

	if (ilk_test_setup(state) < 0)
		return -1;
	strcpy(name, ilk_test_name(""));
	if (ilk_segment_create(name, &options, &seg) < 0 ||
		ilk_ring_open(seg, "any", &of_any_size, &any) < 0)
		return -1;
	return ilk_ring_open(seg, "fixed", &of_fixed_size, &fixed);
}

static int ring_teardown(void **state)
{
	if (seg)
		ilk_segment_close(seg);
	ilk_segment_unlink(name);
	return ilk_test_teardown(state);
}

#define RING_TEST(f) cmocka_unit_test_setup_teardown(f, ring_setup, ring_teardown)

/* Runs TESTS in both handshakes. How many failed. */
#define RUN_RING_TESTS(tests)                                 \
	(cmocka_run_group_tests(tests, be_asymmetric, NULL) + \
		cmocka_run_group_tests(tests, be_fenced, NULL))

/* Both sides in this process. */
static inline void take_both(
	struct ilk_ring *ring, struct ilk_ring_writer *w, struct ilk_ring_reader *r)
{
	CHECK_RC(ilk_ring_writer_open(ring, 0, w), 0);
	CHECK_RC(ilk_ring_reader_open(ring, 0, r), 0);
}

/* A message of EACH bytes that says I. */
struct numbered {
	uint64_t number;
	char rest[EACH - 8];
};

static inline struct numbered numbered(uint64_t i)
{
	struct numbered m = {.number = i};

	memset(m.rest, (int)(i & 0x7f), sizeof m.rest);
	return m;
}

static inline int put_number(struct ilk_ring_writer *w, uint64_t i)
{
	struct numbered m = numbered(i);

	return ilk_ring_try_put(w, &m, sizeof m);
}

/* Gets a message, which must be I. */
static inline void expect_number(struct ilk_ring_reader *r, uint64_t i)
{
	struct numbered m, wanted = numbered(i);
	size_t n = 0;

	CHECK_RC(ilk_ring_try_get(r, &m, sizeof m, &n), 0);
	CHECK(n == sizeof m);
	assert_memory_equal(&m, &wanted, sizeof m);
}

static inline void expect_none(struct ilk_ring_reader *r, int why)
{
	char byte[EACH];
	size_t n;

	CHECK_RC(ilk_ring_try_get(r, byte, sizeof byte, &n), why);
}

#endif
