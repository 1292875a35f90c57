/*
 * ilk/counter.h - counts that many processes change at once and none is lost.
 *
 *	struct ilk_counter *hits;
 *	if (ilk_counter_open(seg, "hits", &hits) == 0)
 *		ilk_counter_add(hits, 1);
 *
 * The wrong pattern: `shared->hits++`. Two processes read 7, both write 8: `ilk race run
 * lost-update` shows how many are lost on your machine.
 *
 * Two kinds. ilk_counter is one word, exact at every moment; each change is one locked
 * instruction, and processes on different cores pass its cache line to and fro. ilk_sharded gives
 * each thread a cache line of its own: a change is a plain store, 20 to 60 times as fast under
 * contention; the total is a sum over the lines, exact once the writers are quiet.
 *
 * Death: an add has happened or has not; a dead member's share stays in the total. Changes and
 * reads of ilk_counter are wait-free on x86-64, and async-signal-safe in a process that has no
 * read-only attachment.
 */
#ifndef ILK_COUNTER_H
#define ILK_COUNTER_H

#include <errno.h>
#include <ilk/atomics.h>
#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All zero is a counter at 0: embed it, and there is nothing to initialize. Field private. */
struct ilk_counter {
	uint64_t value;
};

/*
 * Finds or makes the counter NAME; a new one is 0. Results as ilk_block_open's, less those of its
 * SIZE. Through a read-only attachment it can be read.
 */
ILK_API int ilk_counter_open(
	struct ilk_segment *seg, const char *name, struct ilk_counter **counter);

/* Private: how many attachments of this process are read-only, and is C in one of them? */
ILK_API extern int ilk_read_only_attachments_;
ILK_API int ilk_is_read_only_(const void *object);

static inline int ilk_counter_refuses_(const struct ilk_counter *c)
{
	return ILK_UNLIKELY_(ilk_load_relaxed_(&ilk_read_only_attachments_)) &&
	       ilk_is_read_only_(c);
}

/*
 * Adds N; counters wrap at 2^63 as two's complement does. 0, or -EROFS. If BEFORE is not NULL it
 * gets the value before: each adder of 1 gets a number of its own. Order: acquire and release.
 */
static inline int ilk_counter_fetch_add(struct ilk_counter *c, int64_t n, int64_t *before)
{
	uint64_t was;

	if (ilk_counter_refuses_(c))
		return -EROFS;
	was = ilk_add_full_(&c->value, (uint64_t)n);
	if (before)
		*before = (int64_t)was;
	return 0;
}

/* Adds N. 0, or -EROFS. */
static inline int ilk_counter_add(struct ilk_counter *c, int64_t n)
{
	return ilk_counter_fetch_add(c, n, (int64_t *)0);
}

/* Subtracts N. 0, or -EROFS. */
static inline int ilk_counter_sub(struct ilk_counter *c, int64_t n)
{
	return ilk_counter_fetch_add(c, (int64_t)(0 - (uint64_t)n), (int64_t *)0);
}

/* The value at this moment. Order: acquire. */
static inline int64_t ilk_counter_read(const struct ilk_counter *c)
{
	return (int64_t)ilk_load_acquire_(&c->value);
}

/* Sets the value; *BEFORE, if not NULL, gets the one it had. 0, or -EROFS. Order: full. */
static inline int ilk_counter_exchange(struct ilk_counter *c, int64_t value, int64_t *before)
{
	uint64_t was;

	if (ilk_counter_refuses_(c))
		return -EROFS;
	was = ilk_exchange_(&c->value, (uint64_t)value);
	if (before)
		*before = (int64_t)was;
	return 0;
}

/*
 * Sets the value to DESIRED if it is *EXPECTED. 0: done. -EAGAIN: it was another, which *EXPECTED
 * now holds: compute again and retry. -EROFS. Order: full when done, acquire otherwise.
 */
static inline int ilk_counter_compare_exchange(
	struct ilk_counter *c, int64_t *expected, int64_t desired)
{
	uint64_t want = (uint64_t)*expected;

	if (ilk_counter_refuses_(c))
		return -EROFS;
	if (ilk_cas_full_(&c->value, &want, (uint64_t)desired))
		return 0;
	*expected = (int64_t)want;
	return -EAGAIN;
}

/* A sharded counter: a line of its own, then one per thread slot. Opened by name only. */
struct ilk_sharded;

/*
 * One thread's way to its own share: fill it with ilk_sharded_mine(), use it in that thread. It
 * stays good until the segment is closed. A thread may have several for one counter. A forked child
 * may go on using the copy it inherited: the first add finds out, and takes a share of the child's
 * own. Fastest as a local variable, which the compiler keeps in registers. Fields private.
 */
struct ilk_sharded_handle {
	uint64_t *cell;
	uint64_t value; /* what this handle stored last: a guess at what the cell holds */
	const uint64_t *epoch_now;
	uint64_t epoch;
	struct ilk_sharded *sharded;
};

/*
 * Finds or makes the sharded counter NAME; a new one is 0. It takes 64 bytes for each thread slot
 * of the segment. Results as ilk_counter_open's.
 */
ILK_API int ilk_sharded_open(
	struct ilk_segment *seg, const char *name, struct ilk_sharded **sharded);

/* Private: what ilk_sharded_mine() copies from. */
ILK_API int ilk_sharded_find_(struct ilk_sharded *sharded, struct ilk_sharded_handle *mine);

/*
 * Finds the calling thread's share. 0; -EUSERS every thread slot is taken by the living; -EROFS;
 * -EINVAL SHARDED lies in no attached segment. After an error *MINE may be used all the same: each
 * add asks again, and returns what this returns.
 */
static inline int ilk_sharded_mine(struct ilk_sharded *sharded, struct ilk_sharded_handle *mine)
{
	struct ilk_sharded_handle found; /* so that the address of *mine goes nowhere */
	int rc = ilk_sharded_find_(sharded, &found);

	*mine = found;
	return rc;
}

/*
 * Adds N to the calling thread's share: plain loads and one plain store. 0; in a forked child's
 * first add also what ilk_sharded_mine() returns. Wait-free. Order: release.
 *
 * The sum is made from the value remembered, and the load of the cell only confirms it: the
 * processor predicts that it will, and need not wait for its own last store to come back.
 */
static inline int ilk_sharded_add(struct ilk_sharded_handle *mine, int64_t n)
{
	if (ILK_UNLIKELY_(ilk_load_relaxed_(mine->epoch_now) != mine->epoch)) {
		int rc = ilk_sharded_mine(mine->sharded, mine);

		if (rc < 0)
			return rc;
	}
	if (ILK_UNLIKELY_(ilk_load_relaxed_(mine->cell) != mine->value))
		mine->value = ilk_load_relaxed_(mine->cell); /* another handle of this thread */
	mine->value += (uint64_t)n;
	ilk_store_release_(mine->cell, mine->value);
	return 0;
}

/*
 * The total: the sum of all shares, those of the dead and of the gone included. Exact once writers
 * are quiet; while they write, a value that lay between some moments of the reading. Progress:
 * waits for no other process.
 */
ILK_API int64_t ilk_sharded_read(const struct ilk_sharded *sharded);

#ifdef __cplusplus
}
#endif

#endif
