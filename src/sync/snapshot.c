/*
 * snapshot.c - a latest value behind numbered copies; its words: snapshot.h.
 *
 * Invariant  [I1] Copies, stamps, `version` and `staged` are changed by who holds `writer` only.
 *            [I2] The copy of the latest version is whole, and nobody writes to it.
 *            [I3] A copy whose stamp is V before and after it was read is version V.
 *            [I4] Copies are read and written by relaxed atomic words only, or by one instruction
 *            that the compiler does not see into.
 * Ordering   [S1] write: stamp WRITING; fence, release; words <-> [S4]  who gets one of the new
 *                 words sees that the stamp is not what it was
 *            [S2] write: words; store stamp, release          <-> [S3]  who sees the stamp sees the
 *            [S3] read:  load stamp, acquire; words           <-> [S2]  words
 *            [S4] read:  words; fence, acquire; load stamp    <-> [S1]
 *            [S5] commit: exchange version, full; load wait   <-> [S6]  one of both sees the other
 *            [S6] sleep:  set wait, full; load version        <-> [S5]
 * Death      of a writer before [S5]: the latest value is as before; `writer` is the dead's, and the
 *            next to take it fills the same copy again, [I2]. After [S5]: the new value is the
 *            latest; before the wake-up, sleepers look within 50 ms. Before `staged` is set, what is
 *            staged is not trusted. Of a reader: nothing, or `writer` is the dead's.
 * Close      waits for who sleeps, here or in the mutex: -ECANCELED.
 *
 * Source: a seqlock for each copy, with the fences of H.-J. Boehm, Can seqlocks get along with
 * programming language memory models? (2012).
 */
#include "sync/snapshot.h"
#include "os/futex.h"
#include "segment/types.h"
#include "segment/wait.h"
#include "sync/mutex.h"
#include "sync/snapshot_bytes.h"
#include <errno.h>
#include <limits.h>

enum { LAPS = 8, TURN_MS = 1 };

_Static_assert(sizeof(struct ilk_snapshot) == 192, "three lines");
_Static_assert(sizeof(struct ilk_snapshot_copy_) == 64, "a line");

static inline struct ilk_snapshot_copy_ *copy_of(
	const struct ilk_snapshot_handle *h, uint64_t version)
{
	return (struct ilk_snapshot_copy_ *)(void *)(h->first + (version & h->mask) * h->stride);
}

static void *staging_of(const struct ilk_snapshot_handle *h)
{
	return h->snapshot + 1;
}

/* --- reading --- */

/* One attempt. 1; 0: the copy was overwritten meanwhile. */
static inline int try_read(const struct ilk_snapshot_handle *h, void *value, uint64_t *version)
{
	uint64_t latest = ilk_load_acquire_(&h->snapshot->version);
	const struct ilk_snapshot_copy_ *copy = copy_of(h, latest);

	if (ilk_load_acquire_(&copy->stamp) != latest) /* [S3] */
		return 0;
	ilk_snapshot_out_(value, copy->words, h->bytes);
	ilk_fence_acquire_(); /* [S4] Weaker: words of a later version, and the stamp of ours. */
	if (ilk_load_relaxed_(&copy->stamp) != latest)
		return 0;
	if (version)
		*version = latest;
	return 1;
}

/* Where a writer died nothing is to be put right: [I2]. */
static int took_turn(struct ilk_snapshot *s, int rc)
{
	if (rc > 0) {
		ilk_mutex_repaired(&s->writer);
		ilk_store_relaxed_(&s->cut_off, s->cut_off + 1);
	}
	return rc < 0 ? rc : 0;
}

/* Lapped again and again: reads while nobody writes. A writer that is stopped laps nobody. */
static int read_in_turn(const struct ilk_snapshot_handle *h, void *value, uint64_t *version)
{
	struct ilk_snapshot *s = h->snapshot;

	ilk_add_relaxed_(&s->lapped, UINT64_C(1));
	for (;;) {
		int rc = took_turn(s, ilk_mutex_lock_unasked_(&s->writer, ilk_after_ms(TURN_MS)));

		if (rc == -EIDRM || rc == -ECANCELED)
			return rc;
		if (try_read(h, value, version)) {
			if (rc == 0)
				ilk_mutex_unlock(&s->writer);
			return 0;
		}
		if (rc == 0)
			ilk_mutex_unlock(&s->writer);
		if (rc == 0 || rc == -EDEADLK)
			return -EBADMSG; /* nobody else wrote, and it is not whole: against [I2] */
	}
}

/* Lapped, or removed. */
static __attribute__((noinline)) int read_again(
	const struct ilk_snapshot_handle *h, void *value, uint64_t *version)
{
	for (int lap = 1; !ilk_snapshot_is_removed_(h->snapshot); lap++) {
		if (lap >= LAPS && !h->read_only)
			return read_in_turn(h, value, version);
		if (try_read(h, value, version))
			return 0;
	}
	return -EIDRM;
}

int ilk_snapshot_read(const struct ilk_snapshot_handle *h, void *value, uint64_t *version)
{
	if (!ilk_snapshot_is_removed_(h->snapshot) && try_read(h, value, version))
		return 0;
	return read_again(h, value, version);
}

uint64_t ilk_snapshot_version(const struct ilk_snapshot_handle *h)
{
	return ilk_load_acquire_(&h->snapshot->version);
}

/* --- waiting --- */

static int is_later(const struct ilk_snapshot_handle *h, uint64_t than, uint64_t *version)
{
	uint64_t latest = ilk_snapshot_version(h);

	if (latest <= than)
		return 0;
	if (version)
		*version = latest;
	return 1;
}

static uint32_t doorbell(uint64_t version)
{
	return UINT32_C(1) << 31 | (uint32_t)version;
}

/* After `version`, or the announcement of a sleeper that came too late for it. */
static void wake_all(struct ilk_snapshot *s)
{
	if (ilk_load_relaxed_(&s->wait))
		ilk_futex_store_and_wake_(&s->wait, 0, INT_MAX);
}

static int sleep_for(const struct ilk_snapshot_handle *h, struct ilk_wait_ *w, uint64_t than,
	ilk_time deadline, uint64_t *version)
{
	struct ilk_snapshot *s = h->snapshot;
	int rc = 0;

	while (rc >= 0 && !is_later(h, than, version)) {
		uint32_t seen = doorbell(ilk_snapshot_version(h));

		ilk_exchange_(&s->wait, seen); /* [S6] */
		ilk_fence_after_rmw_();
		rc = ilk_snapshot_is_removed_(s) ? -EIDRM : 0;
		/*
		 * Too late, and all have been woken: one who saw the same version may take this
		 * for an announcement that somebody will answer. So it is taken back.
		 */
		if (rc < 0 || doorbell(ilk_snapshot_version(h)) != seen)
			wake_all(s);
		else
			rc = ilk_wait_on_(w, &s->wait, seen, deadline, 0);
	}
	return rc < 0 ? rc : 0;
}

static int wait_inside(const struct ilk_snapshot_handle *h, struct ilk_segment *seg, uint64_t than,
	ilk_time deadline, uint64_t *version)
{
	struct ilk_wait_ w;
	unsigned round = 0;
	int rc;

	while (deadline != ILK_NOW && ilk_spin_(&round))
		if (is_later(h, than, version))
			return ilk_is_closing_(seg) ? -ECANCELED : 0;
	ilk_wait_begin_(&w, h->snapshot, ILK_TYPE_SNAPSHOT_);
	rc = sleep_for(h, &w, than, deadline, version);
	ilk_wait_end_(&w);
	return rc == 0 && ilk_is_closing_(seg) ? -ECANCELED : rc;
}

/* In a segment that is attached for writing? The caller's identity is in ilk_thread_ then. */
static int check(const struct ilk_snapshot_handle *h)
{
	int rc = ilk_here_(h->snapshot);

	return rc == 0 && ilk_snapshot_is_removed_(h->snapshot) ? -EIDRM : rc;
}

int ilk_snapshot_wait_until(
	const struct ilk_snapshot_handle *h, uint64_t than, ilk_time deadline, uint64_t *version)
{
	int rc = check(h);
	struct ilk_segment *seg;

	if (rc < 0)
		return rc;
	if (is_later(h, than, version))
		return 0;
	seg = ilk_thread_.segment;
	rc = ilk_inside_begin_(seg);
	if (rc < 0)
		return rc;
	rc = wait_inside(h, seg, than, deadline, version);
	ilk_inside_end_(seg);
	return rc;
}

/* --- writing --- */

static int lock_until(const struct ilk_snapshot_handle *h, ilk_time deadline)
{
	int rc = check(h);

	return rc < 0 ? rc
		      : took_turn(
				h->snapshot, ilk_mutex_lock_until(&h->snapshot->writer, deadline));
}

/* Under `writer`. The number of the new latest value. */
static uint64_t write_next(const struct ilk_snapshot_handle *h, const void *value)
{
	struct ilk_snapshot *s = h->snapshot;
	uint64_t next = ilk_load_relaxed_(&s->version) + 1;
	struct ilk_snapshot_copy_ *copy = copy_of(h, next);

	ilk_store_relaxed_(&copy->stamp, ILK_SNAPSHOT_WRITING_);
	ilk_fence_release_(); /* [S1] */
	ilk_snapshot_in_(copy->words, value, h->bytes);
	ilk_store_release_(&copy->stamp, next); /* [S2] */
	ilk_exchange_(&s->version, next);       /* [S5] */
	ilk_fence_after_rmw_();
	wake_all(s);
	return next;
}

int ilk_snapshot_publish_until(const struct ilk_snapshot_handle *h, const void *value,
	ilk_time deadline, uint64_t *version)
{
	int rc = lock_until(h, deadline);
	uint64_t next;

	if (rc < 0)
		return rc;
	next = write_next(h, value);
	if (version)
		*version = next;
	return ilk_mutex_unlock(&h->snapshot->writer);
}

int ilk_snapshot_publish(const struct ilk_snapshot_handle *h, const void *value, uint64_t *version)
{
	return ilk_snapshot_publish_until(h, value, ILK_FOREVER, version);
}

/* Under `writer`: the staging area holds the latest value, and will not from here on. */
static void stage(const struct ilk_snapshot_handle *h)
{
	struct ilk_snapshot *s = h->snapshot;
	uint64_t latest = ilk_load_relaxed_(&s->version);

	if (ilk_load_relaxed_(&s->staged) != latest)
		ilk_snapshot_out_(staging_of(h), copy_of(h, latest)->words, h->bytes);
	ilk_store_relaxed_(&s->staged, ILK_SNAPSHOT_NOTHING_);
	ilk_fence_release_(); /* before any change of it, for who finds us dead */
}

int ilk_snapshot_begin_until(const struct ilk_snapshot_handle *h, ilk_time deadline, void **value)
{
	int rc = lock_until(h, deadline);

	if (rc < 0)
		return rc;
	stage(h);
	*value = staging_of(h);
	return 0;
}

int ilk_snapshot_begin(const struct ilk_snapshot_handle *h, void **value)
{
	return ilk_snapshot_begin_until(h, ILK_FOREVER, value);
}

int ilk_snapshot_commit(const struct ilk_snapshot_handle *h, uint64_t *version)
{
	struct ilk_snapshot *s = h->snapshot;
	int rc = ilk_mutex_repaired(&s->writer); /* -EPERM: the caller does not hold it */
	uint64_t next;

	if (rc < 0)
		return rc;
	if (ilk_snapshot_is_removed_(s)) {
		ilk_mutex_unlock(&s->writer);
		return -EIDRM;
	}
	next = write_next(h, staging_of(h));
	ilk_store_release_(&s->staged, next);
	if (version)
		*version = next;
	return ilk_mutex_unlock(&s->writer);
}

int ilk_snapshot_abort(const struct ilk_snapshot_handle *h)
{
	return ilk_mutex_unlock(&h->snapshot->writer);
}
