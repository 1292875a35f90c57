/*
 * torn_read.c - a reader gets half of the old value and half of the new one.
 *
 * One worker writes, the others read. Two words are two loads, and a write can come between them;
 * even eight bytes are two loads to the memory, where they lie across a cache line.
 */
#include "race/frame.h"
#include <ilk/atomics.h>
#include <ilk/rwlock.h>
#include <ilk/snapshot.h>
#include <string.h>

enum { LINE = 64 };

struct pair {
	volatile uint64_t a, b; /* always written equal */
};

/* What the worker writes and reads; `bytes` begins a line. */
struct shared {
	struct pair pair;
	uint64_t torn ILK_ALIGNED_(LINE);
	uint64_t reads;
	char bytes[2 * LINE] ILK_ALIGNED_(LINE);
};

static _Thread_local struct {
	struct shared *shared;
	struct ilk_snapshot_handle snapshot;
	struct ilk_rwlock *lock;
	uint64_t next;
} my;

static int open_shared(struct ilk_segment *seg)
{
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

/* A reader read A and B, which were written together. */
static void compare(struct race_worker *me, uint64_t a, uint64_t b)
{
	ilk_add_relaxed_(&my.shared->reads, 1u);
	if (a == b)
		return;
	race_note(me, "read the first word", (int64_t)a);
	race_note(me, "and the second, torn:", (int64_t)b);
	ilk_add_relaxed_(&my.shared->torn, 1u);
}

static void judge(struct race_count *count)
{
	count->expected = (int64_t)my.shared->reads;
	count->failures = (int64_t)my.shared->torn;
	count->got = count->expected - count->failures;
}

/* --- broken: two words --- */

__attribute__((no_sanitize("thread"))) static int work_words(struct race_worker *me, int64_t times)
{
	struct pair *p = &my.shared->pair;

	for (; times > 0; times--) {
		if (me->index == 0) {
			p->a = ++my.next;
			p->b = my.next;
		} else {
			uint64_t a = p->a, b = p->b;

			compare(me, a, b);
		}
	}
	return 0;
}

/* --- broken: eight bytes, of which four lie on each of two lines; and right: on one line --- */

__attribute__((no_sanitize("thread", "alignment"))) static int work_at(
	struct race_worker *me, int64_t times, char *where)
{
	for (; times > 0; times--) {
		uint64_t v;

		if (me->index == 0) {
			v = ++my.next & 1 ? UINT64_MAX : 0;
			*(volatile uint64_t *)(void *)where = v;
		} else {
			v = *(volatile uint64_t *)(void *)where;
			compare(me, v & UINT32_MAX, v >> 32);
		}
	}
	return 0;
}

static int work_across(struct race_worker *me, int64_t times)
{
	return work_at(me, times, &my.shared->bytes[LINE - 4]);
}

static int work_aligned(struct race_worker *me, int64_t times)
{
	return work_at(me, times, my.shared->bytes);
}

/* --- rwlock --- */

static int open_lock(struct ilk_segment *seg)
{
	int rc = open_shared(seg);

	return rc < 0 ? rc : ilk_rwlock_open(seg, "lock", NULL, &my.lock);
}

static int work_locked(struct race_worker *me, int64_t times)
{
	int rc = 0;

	for (; times > 0 && rc >= 0; times--) {
		rc = me->index == 0 ? ilk_rwlock_write(my.lock) : ilk_rwlock_read(my.lock);
		if (rc >= 0) {
			work_words(me, 1);
			ilk_rwlock_unlock(my.lock);
		}
	}
	return rc < 0 ? rc : 0;
}

/* --- snapshot --- */

static int open_snapshot(struct ilk_segment *seg)
{
	int rc = open_shared(seg);

	return rc < 0 ? rc
		      : ilk_snapshot_open(seg, "latest", 2 * sizeof(uint64_t), NULL, &my.snapshot);
}

static int work_snapshot(struct race_worker *me, int64_t times)
{
	int rc = 0;

	for (; times > 0 && rc >= 0; times--) {
		uint64_t both[2];

		if (me->index == 0) {
			both[0] = both[1] = ++my.next;
			rc = ilk_snapshot_publish(&my.snapshot, both, NULL);
		} else {
			rc = ilk_snapshot_read(&my.snapshot, both, NULL);
			compare(me, both[0], both[1]);
		}
	}
	return rc < 0 ? rc : 0;
}

static int witness(const struct race_event *e, int count, int *from, int *to)
{
	for (int i = 0; i + 1 < count; i++)
		if (e[i].worker == e[i + 1].worker && strncmp(e[i].what, "read the", 8) == 0) {
			*from = i;
			*to = i + 1;
			return 1;
		}
	return 0;
}

static const struct race_variant variants[] = {
	{"words", "two words, read one after the other", RACE_FAILS, NULL, open_shared, work_words,
		judge, NULL},
	{"across", "8 bytes in one load, across two cache lines", RACE_MAY_FAIL, NULL, open_shared,
		work_across, judge, NULL},
	{"aligned", "8 bytes in one load, on one line", RACE_HOLDS, NULL, open_shared, work_aligned,
		judge, NULL},
	{"rwlock", "the two words under an ilk_rwlock", RACE_HOLDS, NULL, open_lock, work_locked,
		judge, NULL},
	{"snapshot", "the two words in an ilk_snapshot", RACE_HOLDS, NULL, open_snapshot,
		work_snapshot, judge, NULL},
};

const struct race_scenario race_torn_read = {
	.name = "torn-read",
	.bug = "reads a value while another writes it",
	.breaks = "half of it is old, half of it is new",
	.fix = "one aligned word, a snapshot, or a reader-writer lock",
	.failures = "torn",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.iterations = 2000000,
	.witness = witness,
};
