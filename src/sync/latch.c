/*
 * latch.c - a count that falls to zero once.
 *
 * State      word   what is left, times 2; and SOMEBODY: somebody may sleep on this word.
 *            tag    LATCH, with GONE for good: its name was removed.
 *            count (what was to be counted), label: fixed. waits (those that slept), waited_ns:
 *            counts.
 * Invariant  [I1] What is left never rises.
 *            [I2] Who sleeps, sleeps on a word with SOMEBODY in it, of which something was left.
 *            [I3] SOMEBODY goes only together with a wake-up of all who sleep.
 * Ordering   [L1] count: compare-and-swap, full  <-> [L2]  who is let through sees what came before
 *            [L2] wait:  load word, acquire      <-> [L1]  each count: each extends the release of
 *                 those before it
 *            [L3] sleep:  compare-and-swap SOMEBODY in, full; load tag <-> [L4]  who comes too late
 *            [L4] remove: store tag; clear SOMEBODY and wake, full       to be woken sees the tag
 * Death      before [L1] nothing was counted, after it N was: at once, not one by one. Between the
 *            last count and its wake-up: the latch is open, and those who sleep look within a tick.
 *            The wake-up is a second step, so that one who counts too much is told so even if he
 *            races with the last: a store and wake in one would let both count.
 */
#include "os/futex.h"
#include "segment/directory.h"
#include "segment/types.h"
#include "sync/object.h"
#include <ilk/latch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { SOMEBODY = 1, SHIFT = 1, TAG = 0x6c61 };

_Static_assert(sizeof(struct ilk_latch) == ILK_LINE_, "one cache line");

static int check(const struct ilk_latch *l)
{
	return ilk_check_tag_(ilk_load_relaxed_(&l->tag), TAG);
}

/* --- counting --- */

int ilk_latch_count_down(struct ilk_latch *l, unsigned n)
{
	int rc = ilk_can_write_(l);
	uint32_t found;

	if (rc == 0)
		rc = check(l);
	if (rc < 0)
		return rc;
	found = ilk_load_relaxed_(&l->word);
	do {
		if (found >> SHIFT < n)
			return -ERANGE;
		/* [L1] Weaker: who is let through could miss what we wrote. */
	} while (!ilk_cas_full_(&l->word, &found, found - (n << SHIFT)));
	if (found >> SHIFT == n && found & SOMEBODY)
		ilk_futex_change_and_wake_(&l->word, ILK_STORE_, 0, INT_MAX);
	return 0;
}

int ilk_latch_left(const struct ilk_latch *l, unsigned *left)
{
	int rc = check(l);

	if (rc == 0)
		*left = ilk_load_acquire_(&l->word) >> SHIFT;
	return rc;
}

/* --- waiting --- */

static int sleep_for(struct ilk_latch *l, struct ilk_wait_ *w, ilk_time deadline)
{
	int rc = 0;

	while (rc >= 0) {
		uint32_t found = ilk_load_acquire_(&l->word); /* [L2] */

		if (check(l) < 0) /* [L3] */
			return -EIDRM;
		if (found >> SHIFT == 0)
			return 0;
		rc = ilk_wait_flagged_(w, &l->word, SOMEBODY, found, deadline, 0);
	}
	return rc;
}

/* Inside, so that close can cancel it. */
static int wait_inside(struct ilk_latch *l, ilk_time deadline)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	struct ilk_wait_ w;
	int rc = ilk_inside_begin_(seg);

	if (rc < 0)
		return rc;
	ilk_wait_begin_(&w, l, ILK_TYPE_LATCH_);
	rc = sleep_for(l, &w, deadline);
	ilk_wait_end_(&w);
	ilk_add_relaxed_(&l->waits, 1u);
	ilk_add_relaxed_(&l->waited_ns, (uint64_t)(ilk_now() - w.since));
	if (ilk_is_closing_(seg))
		rc = -ECANCELED;
	ilk_inside_end_(seg);
	return rc;
}

int ilk_latch_wait_until(struct ilk_latch *l, ilk_time deadline)
{
	int rc = ilk_here_(l);

	if (rc == 0)
		rc = check(l);
	if (rc < 0 || ilk_load_acquire_(&l->word) >> SHIFT == 0) /* [L2] */
		return rc;
	return deadline == ILK_NOW ? -ETIMEDOUT : wait_inside(l, deadline);
}

int ilk_latch_wait(struct ilk_latch *l)
{
	return ilk_latch_wait_until(l, ILK_FOREVER);
}

/* --- making one --- */

static void make(struct ilk_latch *l, const char *label, uint32_t count)
{
	memset(l, 0, sizeof *l);
	l->count = count;
	l->word = count << SHIFT;
	strncpy(l->label, label ? label : "", sizeof l->label - 1);
	ilk_store_release_(&l->tag, (uint16_t)TAG);
}

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	make(object, wanted->name, wanted->flags);
}

static int is_as_is(const struct ilk_latch_options *options)
{
	return options && options->count == ILK_LATCH_AS_IS;
}

/* The count that OPTIONS ask for; -EINVAL. */
static int count_of(const struct ilk_latch_options *options)
{
	if (!options)
		return 1;
	if (options->size != sizeof *options ||
		(options->count > ILK_LATCH_MOST && !is_as_is(options)))
		return ilk_fail_(-EINVAL, "latch options: wrong size or too large a count");
	return options->count && !is_as_is(options) ? (int)options->count : 1;
}

int ilk_latch_init(struct ilk_segment *seg, struct ilk_latch *l, const char *label,
	const struct ilk_latch_options *options)
{
	int count = count_of(options);
	int rc = count < 0 ? count : ilk_can_embed_(seg, l, "latch");

	if (rc == 0)
		make(l, label, (uint32_t)count);
	return rc;
}

static int has_count(const void *object, const struct ilk_wanted_ *wanted)
{
	uint32_t count = ((const struct ilk_latch *)object)->count;

	if (count == wanted->flags)
		return 0;
	return ilk_fail_(-EEXIST, "count differs: latch %s began with %u, not with %u",
		wanted->name, count, wanted->flags);
}

int ilk_latch_open(struct ilk_segment *seg, const char *name,
	const struct ilk_latch_options *options, struct ilk_latch **l)
{
	const struct ilk_wanted_ wanted = {
		.name = name,
		.type = ILK_TYPE_LATCH_,
		.bytes = sizeof **l,
		.fits = is_as_is(options) ? NULL : has_count,
		.init = init_wanted,
	};

	return ilk_open_as_(seg, wanted, count_of(options), l);
}

/* --- its row --- */

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_latch *l = object;

	(void)map;
	if (bytes != sizeof *l)
		return "its size is not a latch's";
	if (check(l) == -EINVAL)
		return "its tag is not a latch's";
	return ilk_load_relaxed_(&l->word) >> SHIFT > ilk_load_relaxed_(&l->count)
		       ? "more is left than there was"
		       : NULL;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_latch *l = object;
	uint32_t count = ilk_load_relaxed_(&l->count), left;

	(void)map, (void)bytes;
	left = ilk_load_acquire_(&l->word) >> SHIFT;
	out->value = left;
	if (left)
		snprintf(out->state, sizeof out->state, "%u of %u left", left, count);
	else
		snprintf(out->state, sizeof out->state, "open");
	memcpy(out->label, l->label, sizeof out->label - 1);
	out->acquired = count - left;
	out->contended = ilk_load_relaxed_(&l->waits);
	out->waited_ns = ilk_load_relaxed_(&l->waited_ns);
}

/* [L4] Weaker: one who sleeps could miss it until his next look. */
static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_latch *l = object;

	(void)seg;
	ilk_store_release_(&l->tag, (uint16_t)(TAG | ILK_GONE_));
	ilk_futex_change_and_wake_(&l->word, ILK_CLEAR_, SOMEBODY, INT_MAX);
}

static int ready(struct ilk_segment *seg, const void *object)
{
	(void)seg;
	return ilk_load_acquire_(&((const struct ilk_latch *)object)->word) >> SHIFT == 0;
}

const struct ilk_type_ ilk_type_latch_ = {
	.name = "latch",
	.size = sizeof(struct ilk_latch),
	.align = ILK_LINE_,
	.valid = valid,
	.describe = describe,
	.remove = remove_for_good,
	.ready = ready,
};
