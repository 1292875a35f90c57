/*
 * event.c - an event in one word.
 *
 * State      word   SET: it has happened. SOMEBODY: somebody may sleep on this word. Both bits
 *                   together only with AUTO: a set that nobody has consumed yet.
 *            tag    EVENT, with GONE for good: its name was removed.
 *            flags, label: fixed. sets, waits (those that slept), waited_ns: counts.
 * Invariant  [I1] Who sleeps, sleeps on a word that is SOMEBODY alone.
 *            [I2] Where SOMEBODY stands, a set goes together with a wake-up, in one system call.
 *            [I3] SOMEBODY goes only together with a wake-up of all who sleep.
 *            [I4] AUTO: SET is taken away by a compare-and-swap, whose winner is let through.
 * Ordering   [E1] set:    or SET, or compare-and-swap, full  <-> [E2]  who is let through sees what
 *            [E2] wait:   load word, acquire; AUTO: compare-and-swap, full    came before the set.
 *                 A set that finds it set writes all the same: else who consumes that one could miss
 *                 what came before this.
 *            [E3] sleep:  compare-and-swap SOMEBODY in, full; load tag <-> [E4]  who comes too late
 *            [E4] remove: store tag; clear SOMEBODY and wake, full       to be woken sees the tag
 * Death      before [E1] nothing has happened, after it all has. AUTO: a waiter that dies before its
 *            compare-and-swap was woken in vain, and another looks within a tick; after it, the
 *            set is consumed. SOMEBODY left by the dead costs the next set a system call.
 * Close      who is cancelled after it consumed a set sets it again; who was woken for one and is
 *            cancelled instead wakes another.
 */
#include "os/futex.h"
#include "segment/directory.h"
#include "segment/types.h"
#include "sync/object.h"
#include <ilk/event.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { SET = 1, SOMEBODY = 2, TAG = 0x6576 };
enum { KNOWN_FLAGS = ILK_EVENT_AUTO | ILK_EVENT_SET | ILK_EVENT_AS_IS };

_Static_assert(sizeof(struct ilk_event) == ILK_LINE_, "one cache line");

static int check(const struct ilk_event *e)
{
	return ilk_check_tag_(ilk_load_relaxed_(&e->tag), TAG);
}

static int is_auto(const struct ilk_event *e)
{
	return e->flags & ILK_EVENT_AUTO;
}

/* --- setting and clearing --- */

/* [I2], [I3] Somebody may sleep. */
static void set_and_wake(struct ilk_event *e)
{
	if (!is_auto(e))
		ilk_futex_change_and_wake_(&e->word, ILK_STORE_, SET, INT_MAX);
	else if (ilk_futex_change_and_wake_(&e->word, ILK_OR_, SET, 1) == 0)
		ilk_futex_change_and_wake_(&e->word, ILK_CLEAR_, SOMEBODY, INT_MAX);
}

static void set(struct ilk_event *e)
{
	uint32_t found = ilk_load_relaxed_(&e->word);

	/* [E1] Weaker: who is let through could miss what we wrote. */
	while (!(found & SOMEBODY))
		if (ilk_cas_full_(&e->word, &found, found | SET))
			return;
	set_and_wake(e);
}

int ilk_event_set(struct ilk_event *e)
{
	int rc = ilk_can_write_(e);

	if (rc == 0)
		rc = check(e);
	if (rc < 0)
		return rc;
	ilk_add_relaxed_(&e->sets, 1u);
	set(e);
	return 0;
}

int ilk_event_clear(struct ilk_event *e)
{
	int rc = ilk_can_write_(e);

	if (rc == 0)
		rc = check(e);
	if (rc == 0)
		ilk_and_full_(&e->word, ~(uint32_t)SET);
	return rc;
}

int ilk_event_is_set(const struct ilk_event *e)
{
	int rc = check(e);

	return rc < 0 ? rc : (int)(ilk_load_acquire_(&e->word) & SET);
}

/* --- waiting --- */

/* [E2] Does *FOUND let the caller through? Else it becomes the word that says so. */
static int pass(struct ilk_event *e, uint32_t *found)
{
	*found = ilk_load_acquire_(&e->word);
	while (*found & SET)
		if (!is_auto(e) || ilk_cas_full_(&e->word, found, *found & ~(uint32_t)SET))
			return 1;
	return 0;
}

static int sleep_for(struct ilk_event *e, struct ilk_wait_ *w, ilk_time deadline)
{
	uint32_t found;
	int rc = 0;

	while (rc >= 0) {
		if (check(e) < 0) /* [E3] */
			return -EIDRM;
		if (pass(e, &found))
			return 0;
		rc = ilk_wait_flagged_(w, &e->word, SOMEBODY, found, deadline, 0);
	}
	return rc;
}

static int wait_for(struct ilk_event *e, ilk_time deadline)
{
	struct ilk_wait_ w;
	int rc;

	ilk_wait_begin_(&w, e, ILK_TYPE_EVENT_);
	rc = sleep_for(e, &w, deadline);
	ilk_wait_end_(&w);
	ilk_add_relaxed_(&e->waits, 1u);
	ilk_add_relaxed_(&e->waited_ns, (uint64_t)(ilk_now() - w.since));
	return rc;
}

/* Inside, so that close can cancel it. */
static int wait_inside(struct ilk_event *e, ilk_time deadline)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	int rc = ilk_inside_begin_(seg);

	if (rc < 0)
		return rc;
	rc = wait_for(e, deadline);
	if (ilk_is_closing_(seg)) {
		if (is_auto(e) && rc == 0)
			set(e);
		else if (is_auto(e))
			ilk_futex_wake_(&e->word, 1);
		rc = -ECANCELED;
	}
	ilk_inside_end_(seg);
	return rc;
}

int ilk_event_wait_until(struct ilk_event *e, ilk_time deadline)
{
	int rc = ilk_here_(e);
	uint32_t found;

	if (rc == 0)
		rc = check(e);
	if (rc < 0 || pass(e, &found))
		return rc;
	return deadline == ILK_NOW ? -ETIMEDOUT : wait_inside(e, deadline);
}

int ilk_event_wait(struct ilk_event *e)
{
	return ilk_event_wait_until(e, ILK_FOREVER);
}

/* --- making one --- */

static void make(struct ilk_event *e, const char *label, uint32_t flags)
{
	memset(e, 0, sizeof *e);
	e->word = flags & ILK_EVENT_SET ? SET : 0;
	e->flags = (uint16_t)flags;
	strncpy(e->label, label ? label : "", sizeof e->label - 1);
	ilk_store_release_(&e->tag, (uint16_t)TAG);
}

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	make(object, wanted->name, wanted->flags);
}

/* The flags that OPTIONS ask for; -EINVAL. */
static int flags_of(const struct ilk_event_options *options)
{
	if (!options)
		return 0;
	if (options->size != sizeof *options || options->flags & ~(unsigned)KNOWN_FLAGS)
		return ilk_fail_(-EINVAL, "event options: wrong size or unknown flags");
	return (int)(options->flags & ~(unsigned)ILK_EVENT_AS_IS);
}

int ilk_event_init(struct ilk_segment *seg, struct ilk_event *e, const char *label,
	const struct ilk_event_options *options)
{
	int flags = flags_of(options);
	int rc = flags < 0 ? flags : ilk_can_embed_(seg, e, "event");

	if (rc == 0)
		make(e, label, (uint32_t)flags);
	return rc;
}

static int has_flags(const void *object, const struct ilk_wanted_ *wanted)
{
	uint16_t flags = ((const struct ilk_event *)object)->flags;

	if (flags == wanted->flags)
		return 0;
	return ilk_fail_(-EEXIST, "flags differ: event %s is of %s reset, new ones are %s",
		wanted->name, flags & ILK_EVENT_AUTO ? "auto" : "manual",
		flags & ILK_EVENT_SET ? "set" : "not set");
}

int ilk_event_open(struct ilk_segment *seg, const char *name,
	const struct ilk_event_options *options, struct ilk_event **e)
{
	const struct ilk_wanted_ wanted = {
		.name = name,
		.type = ILK_TYPE_EVENT_,
		.bytes = sizeof **e,
		.fits = options && options->flags & ILK_EVENT_AS_IS ? NULL : has_flags,
		.init = init_wanted,
	};

	return ilk_open_as_(seg, wanted, flags_of(options), e);
}

/* --- its row --- */

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_event *e = object;
	uint32_t word = ilk_load_relaxed_(&e->word);

	(void)map;
	if (bytes != sizeof *e)
		return "its size is not an event's";
	if (check(e) == -EINVAL)
		return "its tag is not an event's";
	return word & ~(uint32_t)(SET | SOMEBODY) ? "its word has unknown bits" : NULL;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_event *e = object;

	(void)map, (void)bytes;
	out->value = ilk_load_acquire_(&e->word) & SET;
	snprintf(out->state, sizeof out->state, "%s%s", out->value ? "set" : "not set",
		is_auto(e) ? ", auto reset" : "");
	memcpy(out->label, e->label, sizeof out->label - 1);
	out->acquired = ilk_load_relaxed_(&e->sets);
	out->contended = ilk_load_relaxed_(&e->waits);
	out->waited_ns = ilk_load_relaxed_(&e->waited_ns);
}

/* [E4] Weaker: one who sleeps could miss it until his next look. */
static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_event *e = object;

	(void)seg;
	ilk_store_release_(&e->tag, (uint16_t)(TAG | ILK_GONE_));
	ilk_futex_change_and_wake_(&e->word, ILK_CLEAR_, SOMEBODY, INT_MAX);
}

static int ready(struct ilk_segment *seg, const void *object)
{
	(void)seg;
	return (ilk_load_acquire_(&((const struct ilk_event *)object)->word) & SET) != 0;
}

const struct ilk_type_ ilk_type_event_ = {
	.name = "event",
	.size = sizeof(struct ilk_event),
	.align = ILK_LINE_,
	.valid = valid,
	.describe = describe,
	.remove = remove_for_good,
	.ready = ready,
};
