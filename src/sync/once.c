/*
 * once.c - done by one for all, whoever dies in it.
 *
 * State      word     FREE: nobody is at it. DAMAGED: nor that, and one has died in it since. DONE.
 *                     An owner word: that thread is at it; with DAMAGED: it was told of a death;
 *                     with SOMEBODY: somebody may sleep on this word.
 *            value    what was published; by the one who is at it, before DONE.
 *            tag      ONCE, with GONE for good: its name was removed.
 *            label: fixed. elected: by the one who is at it. waits, waited_ns: counts.
 * Invariant  [I1] Only the thread that an owner word names stores another value, but for SOMEBODY,
 *            unless that thread is dead: then whoever swaps the very word found.
 *            [I2] DONE is for good, and with it the value.
 *            [I3] Who sleeps, sleeps on an owner word with SOMEBODY in it, which goes only together
 *            with a wake-up of all, in one system call; or to who takes over from the dead.
 * Ordering   [O1] done:  store value; word, full                  <-> [O2]  DONE is seen with the value
 *            [O2] begin: load word, acquire; load value           <-> [O1]  and all before it
 *            [O3] begin: compare-and-swap own word in, acquire    <-> [O1]  of a give-up, which stores
 *                 FREE or DAMAGED as done stores DONE; of a death: the kernel has seen to it
 *            [O4] sleep:  compare-and-swap SOMEBODY in, full; load tag <-> [O5]  who comes too late
 *            [O5] remove: store tag; clear SOMEBODY and wake, full       to be woken sees the tag
 * Death      before [O3]: nothing. Between [O3] and [O1], value stored or not: the word names the dead,
 *            and the next to look swaps it: ELECTED and RECOVERED. After [O1]: it is done. Woken and
 *            killed: all are woken, each for himself.
 * Close      who is elected while the segment is being closed gives up again: -ECANCELED.
 */
#include "os/futex.h"
#include "segment/directory.h"
#include "segment/member.h"
#include "segment/types.h"
#include "sync/object.h"
#include <ilk/once.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { FREE = 0, DAMAGED = 1, DONE = 2, SOMEBODY = 4, TAG = 0x6f6e };

_Static_assert(sizeof(struct ilk_once) == ILK_LINE_, "one cache line");

static int check(const struct ilk_once *o)
{
	return ilk_check_tag_(ilk_load_relaxed_(&o->tag), TAG);
}

static int is_at_it(uint32_t word)
{
	return ilk_owner_is_thread_(word);
}

/* The owner that WORD names. */
static uint32_t owner_of(uint32_t word)
{
	return word & ~ILK_OWNER_FLAGS_;
}

static void publish(const struct ilk_once *o, int64_t *value)
{
	if (value)
		*value = ilk_load_relaxed_(&o->value);
}

int ilk_once_value(const struct ilk_once *o, int64_t *value)
{
	int rc = check(o);

	if (rc < 0)
		return rc;
	if (ilk_load_acquire_(&o->word) != DONE) /* [O2] */
		return -EAGAIN;
	publish(o, value);
	return 0;
}

/* --- ending it --- */

/* [O1] From the caller's own word to WORD. Weaker: who is told could miss what we wrote. */
static void leave_as(struct ilk_once *o, uint32_t word)
{
	uint32_t found = ilk_load_relaxed_(&o->word);

	ilk_let_go_();
	while (!(found & SOMEBODY))
		if (ilk_cas_full_(&o->word, &found, word))
			return;
	ilk_futex_change_and_wake_(&o->word, ILK_STORE_, word, INT_MAX); /* [I3] */
}

/* Is it up to the caller? */
static int check_mine(const struct ilk_once *o)
{
	int rc = ilk_is_here_(o) ? 0 : ilk_find_mine_(o);

	if (rc < 0)
		return rc;
	if (check(o) == -EINVAL)
		return -EINVAL;
	return owner_of(ilk_load_relaxed_(&o->word)) == ilk_thread_.owner ? 0 : -EPERM;
}

int ilk_once_done(struct ilk_once *o, int64_t value)
{
	int rc = check_mine(o);

	if (rc < 0)
		return rc;
	ilk_store_relaxed_(&o->value, value);
	leave_as(o, DONE);
	return 0;
}

int ilk_once_give_up(struct ilk_once *o)
{
	int rc = check_mine(o);

	if (rc == 0)
		leave_as(o, ilk_load_relaxed_(&o->word) & DAMAGED);
	return rc;
}

/* --- beginning it --- */

/* [O3] Swaps FOUND, which nobody alive has, for the caller's word with FLAGS. The result, or 0. */
static int elect(struct ilk_once *o, uint32_t found, uint32_t flags)
{
	if (!ilk_cas_acquire_(&o->word, &found, ilk_thread_.owner | flags))
		return 0;
	/* Stored whole: who waits reads it meanwhile, to tell one attempt from the next. */
	ilk_store_relaxed_(&o->elected, o->elected + 1);
	ilk_hold_();
	return flags & DAMAGED ? ILK_ELECTED | ILK_RECOVERED : ILK_ELECTED;
}

static int elect_free(struct ilk_once *o, uint32_t found)
{
	return elect(o, found, found & DAMAGED);
}

/* Others may sleep on the dead one's word: they are ours to wake. */
static int elect_after_death(struct ilk_once *o, uint32_t found)
{
	return elect(o, found, DAMAGED | (found & SOMEBODY));
}

/* One look. 1: *RESULT is the caller's; 0: *FOUND is the word of another who is at it. */
static int look(struct ilk_once *o, uint32_t *found, int *result)
{
	for (;;) {
		*found = ilk_load_acquire_(&o->word); /* [O2] */
		*result = check(o);                   /* [O4] */
		if (*result < 0 || *found == DONE)
			return 1;
		if (is_at_it(*found))
			return 0;
		*result = elect_free(o, *found);
		if (*result > 0)
			return 1;
	}
}

static int sleep_for(struct ilk_once *o, struct ilk_wait_ *w, ilk_time deadline)
{
	uint32_t found;
	int result, rc = 0;

	while (rc >= 0 || rc == -EOWNERDEAD) {
		if (look(o, &found, &result))
			return result;
		ilk_wait_note_(w, owner_of(found), ilk_load_relaxed_(&o->elected));
		rc = ilk_wait_flagged_(w, &o->word, SOMEBODY, found, deadline, owner_of(found));
		if (rc == -EOWNERDEAD) {
			result = elect_after_death(o, found);
			if (result > 0)
				return result;
		}
	}
	return rc;
}

/* Inside, so that close can cancel it. */
static int wait_inside(struct ilk_once *o, ilk_time deadline)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	struct ilk_wait_ w;
	int rc = ilk_inside_begin_(seg);

	if (rc < 0)
		return rc;
	ilk_wait_begin_(&w, o, ILK_TYPE_ONCE_);
	rc = sleep_for(o, &w, deadline);
	ilk_wait_end_(&w);
	ilk_add_relaxed_(&o->waits, 1u);
	ilk_add_relaxed_(&o->waited_ns, (uint64_t)(ilk_now() - w.since));
	if (ilk_is_closing_(seg)) {
		if (rc > 0)
			ilk_once_give_up(o);
		rc = -ECANCELED;
	}
	ilk_inside_end_(seg);
	return rc;
}

/* Somebody is at it, and there is no time to wait. */
static int begin_now(struct ilk_once *o, uint32_t found)
{
	int result;

	if (ilk_owner_life_(ilk_thread_.segment, owner_of(found)) != ILK_LIFE_DEAD)
		return -ETIMEDOUT;
	result = elect_after_death(o, found);
	if (result > 0)
		return result;
	return look(o, &found, &result) ? result : -ETIMEDOUT;
}

/* It was not done a moment ago. */
static int begin(struct ilk_once *o, ilk_time deadline)
{
	int result, rc = ilk_here_(o);
	uint32_t found;

	if (rc < 0)
		return rc;
	if (look(o, &found, &result))
		return result;
	if (owner_of(found) == ilk_thread_.owner)
		return -EDEADLK;
	return deadline == ILK_NOW ? begin_now(o, found) : wait_inside(o, deadline);
}

int ilk_once_begin_until(struct ilk_once *o, ilk_time deadline, int64_t *value)
{
	int rc = ilk_once_value(o, value);

	if (rc != -EAGAIN)
		return rc;
	rc = begin(o, deadline);
	if (rc == 0)
		publish(o, value);
	return rc;
}

int ilk_once_begin(struct ilk_once *o, int64_t *value)
{
	return ilk_once_begin_until(o, ILK_FOREVER, value);
}

int ilk_once_run(struct ilk_once *o, int (*make)(void *arg, int told, int64_t *value), void *arg,
	int64_t *value)
{
	int64_t made = 0;
	int rc = ilk_once_begin(o, value);

	if (rc <= 0)
		return rc;
	rc = make(arg, rc & ILK_RECOVERED, &made);
	if (rc < 0) {
		ilk_once_give_up(o);
		return rc;
	}
	rc = ilk_once_done(o, made);
	if (rc == 0 && value)
		*value = made;
	return rc;
}

/* --- making one --- */

static void make_once(struct ilk_once *o, const char *label)
{
	memset(o, 0, sizeof *o);
	strncpy(o->label, label ? label : "", sizeof o->label - 1);
	ilk_store_release_(&o->tag, (uint16_t)TAG);
}

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	make_once(object, wanted->name);
}

int ilk_once_init(struct ilk_segment *seg, struct ilk_once *o, const char *label)
{
	int rc = ilk_can_embed_(seg, o, "once");

	if (rc == 0)
		make_once(o, label);
	return rc;
}

int ilk_once_open(struct ilk_segment *seg, const char *name, struct ilk_once **o)
{
	const struct ilk_wanted_ wanted = {
		.name = name, .type = ILK_TYPE_ONCE_, .bytes = sizeof **o, .init = init_wanted};

	return ilk_open_as_(seg, wanted, 0, o);
}

/* --- its row --- */

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_once *o = object;
	uint32_t word = ilk_load_relaxed_(&o->word);

	if (bytes != sizeof *o)
		return "its size is not a once's";
	if (check(o) == -EINVAL)
		return "its tag is not a once's";
	if (!is_at_it(word))
		return word > DONE ? "its word is neither a state nor an owner" : NULL;
	if (ilk_owner_slot_(word) >= map->header.thread_slots)
		return "its owner word names a thread slot that does not exist";
	return word & ILK_OWNER_FLAGS_ & ~(uint32_t)(DAMAGED | SOMEBODY)
		       ? "its owner word has unknown flags"
		       : NULL;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_once *o = object;
	uint32_t word = ilk_load_acquire_(&o->word);

	(void)map, (void)bytes;
	out->value = word == DONE ? ilk_load_relaxed_(&o->value) : 0;
	if (word == DONE)
		snprintf(out->state, sizeof out->state, "done: %lld", (long long)out->value);
	else
		snprintf(out->state, sizeof out->state, "%s%s",
			is_at_it(word) ? "being done" : "not done",
			word & DAMAGED ? ", after a death" : "");
	memcpy(out->label, o->label, sizeof out->label - 1);
	out->owner = is_at_it(word) ? owner_of(word) : 0;
	out->acquired = ilk_load_relaxed_(&o->elected);
	out->contended = ilk_load_relaxed_(&o->waits);
	out->waited_ns = ilk_load_relaxed_(&o->waited_ns);
}

/* Leaves it to whoever begins next, who is told of the death. */
static int repair(struct ilk_segment *seg, void *object)
{
	struct ilk_once *o = object;
	uint32_t found = ilk_load_acquire_(&o->word);

	if (!is_at_it(found) || ilk_owner_life_(seg, owner_of(found)) != ILK_LIFE_DEAD ||
		!ilk_cas_full_(&o->word, &found, (uint32_t)DAMAGED))
		return 0;
	if (found & SOMEBODY)
		ilk_futex_wake_(&o->word, INT_MAX);
	return 1;
}

/* [O5] Weaker: one who sleeps could miss it until his next look. */
static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_once *o = object;

	(void)seg;
	ilk_store_release_(&o->tag, (uint16_t)(TAG | ILK_GONE_));
	ilk_futex_change_and_wake_(&o->word, ILK_CLEAR_, SOMEBODY, INT_MAX);
}

static int ready(struct ilk_segment *seg, const void *object)
{
	uint32_t word = ilk_load_acquire_(&((const struct ilk_once *)object)->word);

	return !is_at_it(word) || ilk_owner_life_(seg, owner_of(word)) == ILK_LIFE_DEAD;
}

const struct ilk_type_ ilk_type_once_ = {
	.name = "once",
	.size = sizeof(struct ilk_once),
	.align = ILK_LINE_,
	.valid = valid,
	.describe = describe,
	.repair = repair,
	.remove = remove_for_good,
	.ready = ready,
};
