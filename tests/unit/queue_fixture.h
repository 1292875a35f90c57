/*
 * queue_fixture.h - a segment with a queue of four messages, of either handshake.
 *
 * Every test of queues runs twice: in an asymmetric segment (the default) and in a fenced one. Laps
 * and positions begin so that they wrap within the first four laps.
 */
#ifndef ILK_TESTS_QUEUE_FIXTURE_H
#define ILK_TESTS_QUEUE_FIXTURE_H

#include "support.h"
#include <errno.h>
#include <string.h>

enum { FOUR = 4, LONGEST = 1200, SOON = 30, LAPS = 12 };

static struct ilk_segment *seg;
static struct ilk_queue *q;
static struct ilk_queue_handle h;
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

static inline struct ilk_queue *queue_of(
	const char *queue, size_t capacity, unsigned deliveries, const char *dead, unsigned lanes)
{
	const struct ilk_queue_options o = {.size = sizeof o,
		.capacity = capacity,
		.message_bytes = LONGEST,
		.max_deliveries = deliveries,
		.dead_letter = dead,
		.lanes = lanes};
	struct ilk_queue *made = NULL;

	CHECK_RC(ilk_queue_open(seg, queue, &o, &made), 0);
	return made;
}

static inline struct ilk_queue_handle attached(struct ilk_queue *queue)
{
	struct ilk_queue_handle handle;

	CHECK_RC(ilk_queue_attach(queue, &handle), 0);
	return handle;
}

static int queue_setup(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .processes = 8, .flags = handshake};

	if (ilk_test_setup(state) < 0)
		return -1;
	strcpy(name, ilk_test_name(""));
	if (ilk_segment_create(name, &options, &seg) < 0)
		return -1;
	q = queue_of("jobs", FOUR, 0, NULL, 0);
	h = attached(q);
	return 0;
}

static int queue_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(name);
	return ilk_test_teardown(state);
}

#define QUEUE_TEST(f) cmocka_unit_test_setup_teardown(f, queue_setup, queue_teardown)

/* Runs TESTS in both handshakes. How many failed. */
#define RUN_QUEUE_TESTS(tests)                                \
	(cmocka_run_group_tests(tests, be_asymmetric, NULL) + \
		cmocka_run_group_tests(tests, be_fenced, NULL))

static inline int put(struct ilk_queue_handle *to, uint64_t value)
{
	return ilk_queue_put(to, &value, sizeof value, ILK_NOW);
}

/* What try_get gives, or its result where that is an error. */
static inline int64_t get(struct ilk_queue_handle *from)
{
	uint64_t value = 0;
	size_t bytes = 0;
	int rc = ilk_queue_get(from, &value, sizeof value, &bytes, ILK_NOW);

	if (rc == 0)
		assert_int_equal(bytes, sizeof value);
	return rc < 0 ? rc : (int64_t)value;
}

/* The same with patience, for what comes back from the dead. */
static inline int64_t get_soon(struct ilk_queue_handle *from)
{
	uint64_t value = 0;
	int rc = ilk_queue_get(from, &value, sizeof value, NULL, ilk_after_ms(ilk_test_limit_ms()));

	return rc < 0 ? rc : (int64_t)value;
}

static inline struct ilk_queue_info info_of(const struct ilk_queue *queue)
{
	struct ilk_queue_info info = {.size = sizeof info};

	CHECK_RC(ilk_queue_info(queue, &info), 0);
	return info;
}

static inline uint64_t leased(const struct ilk_queue_lease *l)
{
	uint64_t value;

	assert_int_equal(l->bytes, sizeof value);
	memcpy(&value, l->data, sizeof value);
	return value;
}

static inline const struct ilk_object_info *object_in(
	const struct ilk_inspection *in, const char *object)
{
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, object) == 0)
			return &in->objects[i];
	return NULL;
}

static inline void check_valid(void)
{
	CHECK_RC(ilk_segment_valid(seg), 0);
}

#endif
