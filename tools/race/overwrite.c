/*
 * overwrite.c - a ring whose test for "full" is wrong by one lap, or which tells of a message before it
 * is written.
 */
#include "race/frame.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <ilk/ring.h>
#include <sched.h>

enum { CELLS = 16 };

struct shared {
	uint64_t cell[CELLS]; /* the message that was put at a position is that position */
	uint32_t put ILK_ALIGNED_(64);
	uint32_t got ILK_ALIGNED_(64);
	int64_t read ILK_ALIGNED_(64); /* by the reader: messages, */
	int64_t wrong;                 /* and of them others than were put there */
};

static _Thread_local struct {
	struct shared *shared;
	struct ilk_ring *ring;
	struct ilk_ring_writer writer;
	struct ilk_ring_reader reader;
	uint64_t next;
	int has_side;
} my;

static int open_shared(struct ilk_segment *seg)
{
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

/* The reader got MESSAGE as its next. */
static void check(struct race_worker *me, uint64_t message)
{
	my.shared->read++;
	if (message != my.next) {
		race_note(me, "wants number", (int64_t)my.next);
		race_note(me, "and reads, wrong:", (int64_t)message);
		my.shared->wrong++;
	}
	my.next++;
}

/* --- a ring of one's own --- */

enum flaw { NONE, FULL_TOO_LATE, TOLD_TOO_EARLY, NOT_RELEASED };

static inline void put_one(enum flaw flaw)
{
	struct shared *s = my.shared;
	/* One cell more than there are: it is full when it has been overwritten. */
	uint32_t room = flaw == FULL_TOO_LATE ? CELLS + 1 : CELLS;
	uint32_t at = (uint32_t)my.next;

	while (at - ilk_load_acquire_(&s->got) >= room)
		sched_yield();
	if (flaw == TOLD_TOO_EARLY)
		ilk_store_release_(&s->put, at + 1);
	ilk_store_relaxed_(&s->cell[at % CELLS], my.next);
	if (flaw == NOT_RELEASED)
		ilk_store_relaxed_(&s->put, at + 1);
	else if (flaw != TOLD_TOO_EARLY)
		ilk_store_release_(&s->put, at + 1);
	my.next++;
}

static inline void get_one(struct race_worker *me)
{
	struct shared *s = my.shared;
	uint32_t at = (uint32_t)my.next;
	uint64_t message;

	while (ilk_load_acquire_(&s->put) == at)
		sched_yield();
	message = ilk_load_relaxed_(&s->cell[at % CELLS]);
	ilk_store_release_(&s->got, at + 1);
	check(me, message);
}

static inline int work(struct race_worker *me, int64_t times, enum flaw flaw)
{
	for (; times > 0; times--) {
		if (me->index == 0)
			put_one(flaw);
		else
			get_one(me);
	}
	return 0;
}

static int work_full(struct race_worker *me, int64_t times)
{
	return work(me, times, FULL_TOO_LATE);
}

static int work_early(struct race_worker *me, int64_t times)
{
	return work(me, times, TOLD_TOO_EARLY);
}

static int work_relaxed(struct race_worker *me, int64_t times)
{
	return work(me, times, NOT_RELEASED);
}

static int work_right(struct race_worker *me, int64_t times)
{
	return work(me, times, NONE);
}

/* --- ilk_ring --- */

static int open_ring(struct ilk_segment *seg)
{
	const struct ilk_ring_options options = {.size = sizeof options, .bytes = 4096};
	int rc = open_shared(seg);

	return rc < 0 ? rc : ilk_ring_open(seg, "ring", &options, &my.ring);
}

static int take_side(const struct race_worker *me)
{
	if (my.has_side)
		return 0;
	my.has_side = 1;
	return me->index == 0 ? ilk_ring_writer_open(my.ring, 0, &my.writer)
			      : ilk_ring_reader_open(my.ring, 0, &my.reader);
}

static int work_ring(struct race_worker *me, int64_t times)
{
	int rc = take_side(me);

	for (; times > 0 && rc >= 0; times--) {
		uint64_t message;
		size_t n;

		if (me->index == 0) {
			rc = ilk_ring_put(&my.writer, &my.next, sizeof my.next);
			my.next++;
		} else {
			rc = ilk_ring_get(&my.reader, &message, sizeof message, &n);
			if (rc == 0)
				check(me, message);
		}
	}
	return rc < 0 ? rc : 0;
}

static void judge(struct race_count *count)
{
	count->expected = my.shared->read;
	count->failures = my.shared->wrong;
	count->got = count->expected - count->failures;
}

static int witness(const struct race_event *e, int count, int *from, int *to)
{
	(void)e;
	*from = 0;
	*to = count < 6 ? count - 1 : 5;
	return count > 0;
}

static const struct race_variant variants[] = {
	{"full", "waits while put - got > cells", RACE_FAILS, NULL, open_shared, work_full, judge,
		NULL},
	{"early", "moves `put`, then writes the message", RACE_FAILS, NULL, open_shared, work_early,
		judge, NULL},
	{"relaxed", "moves `put` by a store without release", RACE_MAY_FAIL, NULL, open_shared,
		work_relaxed, judge, NULL},
	{"right", "put - got >= cells; writes, then moves", RACE_HOLDS, NULL, open_shared,
		work_right, judge, NULL},
	{"ring", "ilk_ring", RACE_HOLDS, NULL, open_ring, work_ring, judge, NULL},
};

const struct race_scenario race_overwrite = {
	.name = "overwrite",
	.bug = "a ring whose full test is wrong, or that tells of a message too early",
	.breaks = "messages are overwritten before they are read, or read before they are there",
	.fix = "write, then publish with release; or ilk_ring",
	.failures = "wrong messages",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.most_workers = 2,
	.iterations = 2000000,
	.meets = 1,
	.witness = witness,
};
