/*
 * condition.c - a condition whose waiters look by themselves, so that no death can strand them.
 *
 * State      sequence  grows with each notification that finds somebody; odd: somebody may sleep.
 *            tag       CONDITION, with GONE for good: its name was removed.
 *            label: fixed. waits, lapses (waits that nobody ended), waited_ns: by waiters, under
 *            their mutex.
 * Invariant  [I1] Who sleeps, sleeps on the odd value that it read or made before it let the mutex
 *            go. So a notification in between is seen by futex(2), and ends the sleep.
 *            [I2] The sequence becomes even only together with a wake-up of all, in one system call:
 *            where it is even nobody sleeps, and who is about to does not fall asleep.
 *            [I3] No wait lasts longer than a tick: after it the caller looks whether it is so.
 * Ordering   [C1] wait:   or 1 to sequence, full; unlock of the mutex, release
 *                                                                 <-> [C2]  one who changes what is
 *            [C2] notify: (after a lock, acquire) load sequence, relaxed    waited for after our
 *                 unlock sees that somebody may sleep; one who did so before it was seen by us
 *            [C3] wait:   or 1 to sequence, full; load tag  <-> [C4]  who comes too late to be woken
 *            [C4] remove: store tag; add to sequence and wake, full   sees the tag
 * Death      of a waiter, before its unlock: it held the mutex. Asleep: an odd sequence, for which
 *            the next notification makes a system call in vain. Woken, before it has the mutex: the
 *            wake-up is lost, and the others look after a tick. Then: it held the mutex.
 *            Of a notifier, before the system call: the same. After it: nothing is lost.
 *            Nobody ever waits for a waiter: there are no groups of them that must be empty.
 * Wrap       a waiter that is held up between [C1] and its sleep for just 2^31 notifications sleeps
 *            for a tick.
 *
 * To the inspector, a wait that nobody ended and that begins again at once goes on: it shows since
 * when somebody waits for what it waits for, not since its last look.
 */
#include "os/clock.h"
#include "os/futex.h"
#include "segment/directory.h"
#include "segment/types.h"
#include "sync/mutex.h"
#include "sync/object.h"
#include <ilk/condition.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { TAG = 0x636f, SOMEBODY = 1, ONE_MORE = 2, AT_ONCE = ILK_NS_PER_MS };

_Static_assert(sizeof(struct ilk_condition) == ILK_LINE_, "one cache line");

/* This thread's last wait, if nobody ended it. */
static __thread struct {
	const struct ilk_condition *condition;
	ilk_time since, until;
} lapsed;

static int check(const struct ilk_condition *c)
{
	return ilk_check_tag_(ilk_load_relaxed_(&c->tag), TAG);
}

/* --- waiting --- */

/* May the caller wait for C with M? */
static int check_both(const struct ilk_condition *c, const struct ilk_mutex *m)
{
	int rc = ilk_is_here_(c) ? 0 : ilk_find_mine_(c);
	uint32_t word;

	if (rc == 0)
		rc = check(c);
	if (rc < 0)
		return rc;
	if (!ilk_is_there_(m) || !ilk_mutex_is_one_(m))
		return -EINVAL;
	word = ilk_load_relaxed_(&m->owner);
	if (!ilk_mutex_is_mine_(word))
		return -EPERM;
	if (ilk_mutex_is_removed_(m))
		return -EIDRM;
	return word & ILK_MUTEX_AGAIN_ ? -EDEADLK : 0;
}

static void begin(struct ilk_wait_ *w, const struct ilk_condition *c)
{
	ilk_wait_begin_(w, c, ILK_TYPE_CONDITION_);
	if (lapsed.condition != c || w->since - lapsed.until > AT_ONCE)
		return;
	w->since = lapsed.since;
	ilk_wait_note_(w, 0, 1); /* writes it down */
}

static void end(struct ilk_wait_ *w, const struct ilk_condition *c, int has_lapsed)
{
	ilk_wait_end_(w);
	lapsed.condition = has_lapsed ? c : NULL;
	lapsed.since = w->since;
}

static void count(struct ilk_condition *c, int has_lapsed, ilk_time waited)
{
	ilk_store_relaxed_(&c->waits, ilk_load_relaxed_(&c->waits) + 1);
	ilk_store_relaxed_(&c->waited_ns, ilk_load_relaxed_(&c->waited_ns) + (uint64_t)waited);
	if (has_lapsed)
		ilk_store_relaxed_(&c->lapses, ilk_load_relaxed_(&c->lapses) + 1);
}

/* Sleeps once, without the mutex. 0, ILK_TIMED_OUT; -ECANCELED. */
static int sleep_for(struct ilk_condition *c, uint32_t heard, ilk_time deadline, int *has_lapsed)
{
	struct ilk_wait_ w;
	int rc;

	begin(&w, c);
	rc = ilk_wait_on_(&w, &c->sequence, heard, deadline, 0);
	*has_lapsed = rc == ILK_TICK_;
	if (rc == -ETIMEDOUT || (*has_lapsed && deadline <= ilk_now()))
		rc = ILK_TIMED_OUT;
	end(&w, c, *has_lapsed);
	return rc < 0 || rc == ILK_TIMED_OUT ? rc : 0;
}

/* What the caller is told, who has waited with the result RC. */
static int conclude(struct ilk_condition *c, struct ilk_mutex *m, int rc)
{
	int locked = ilk_mutex_lock(m), gone = check(c);

	if (locked < 0)
		return locked == -ECANCELED ? locked : -ENOTRECOVERABLE;
	if (ilk_is_closing_(ilk_thread_.segment)) {
		ilk_mutex_unlock(m);
		return -ECANCELED;
	}
	return gone < 0 ? gone : locked | rc;
}

static int let_go_and_wait(struct ilk_condition *c, struct ilk_mutex *m, ilk_time deadline)
{
	/* [C1], [I1] Weaker: a notifier could miss us, or we the tag. */
	uint32_t heard = ilk_or_full_(&c->sequence, (uint32_t)SOMEBODY) | SOMEBODY;
	ilk_time began;
	int rc, has_lapsed;

	if (check(c) < 0) /* [C3] */
		return -EIDRM;
	ilk_mutex_unlock(m);
	began = ilk_now();
	rc = sleep_for(c, heard, deadline, &has_lapsed);
	if (rc < 0)
		return rc;
	rc = conclude(c, m, rc);
	lapsed.until = ilk_now();
	if (rc >= 0)
		count(c, has_lapsed, lapsed.until - began);
	return rc;
}

int ilk_condition_wait_until(struct ilk_condition *c, struct ilk_mutex *m, ilk_time deadline)
{
	struct ilk_segment *seg;
	int rc = check_both(c, m);

	if (rc < 0)
		return rc;
	if (deadline <= ilk_now())
		return ILK_TIMED_OUT;
	seg = ilk_thread_.segment;
	rc = ilk_inside_begin_(seg);
	if (rc < 0)
		return rc;
	rc = let_go_and_wait(c, m, deadline);
	ilk_inside_end_(seg);
	return rc;
}

int ilk_condition_wait(struct ilk_condition *c, struct ilk_mutex *m)
{
	return ilk_condition_wait_until(c, m, ILK_FOREVER);
}

/* --- notifying --- */

/* Is there anybody to be told? 1, 0; -E... */
static int may_have_waiters(const struct ilk_condition *c)
{
	int rc = ilk_can_write_(c);

	if (rc == 0)
		rc = check(c);
	return rc < 0 ? rc : (int)(ilk_load_relaxed_(&c->sequence) & SOMEBODY); /* [C2] */
}

static void tell_all(struct ilk_condition *c)
{
	/* [I2] Where another was faster it becomes odd: that costs a system call, no wake-up. */
	ilk_futex_change_and_wake_(&c->sequence, ILK_ADD_, SOMEBODY, INT_MAX);
}

int ilk_condition_signal(struct ilk_condition *c)
{
	int rc = may_have_waiters(c);

	if (rc <= 0)
		return rc;
	if (ilk_futex_change_and_wake_(&c->sequence, ILK_ADD_, ONE_MORE, 1) == 0)
		tell_all(c);
	return 0;
}

int ilk_condition_broadcast(struct ilk_condition *c)
{
	int rc = may_have_waiters(c);

	if (rc <= 0)
		return rc;
	tell_all(c);
	return 0;
}

/* --- making one --- */

static void make(struct ilk_condition *c, const char *label)
{
	memset(c, 0, sizeof *c);
	strncpy(c->label, label ? label : "", sizeof c->label - 1);
	ilk_store_release_(&c->tag, (uint16_t)TAG);
}

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	make(object, wanted->name);
}

int ilk_condition_init(struct ilk_segment *seg, struct ilk_condition *c, const char *label)
{
	int rc = ilk_can_embed_(seg, c, "condition");

	if (rc == 0)
		make(c, label);
	return rc;
}

int ilk_condition_open(struct ilk_segment *seg, const char *name, struct ilk_condition **c)
{
	const struct ilk_wanted_ wanted = {.name = name,
		.type = ILK_TYPE_CONDITION_,
		.bytes = sizeof **c,
		.init = init_wanted};
	void *object;
	int rc = ilk_directory_open_(seg, &wanted, &object);

	if (rc == 0)
		*c = object;
	return rc;
}

/* --- its row --- */

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	(void)map;
	if (bytes != sizeof(struct ilk_condition))
		return "its size is not a condition's";
	return check(object) == -EINVAL ? "its tag is not a condition's" : NULL;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_condition *c = object;

	(void)map, (void)bytes;
	snprintf(out->state, sizeof out->state, "%s",
		ilk_load_relaxed_(&c->sequence) & SOMEBODY ? "waited for" : "quiet");
	memcpy(out->label, c->label, sizeof out->label - 1);
	out->acquired = out->contended = ilk_load_relaxed_(&c->waits);
	out->waited_ns = ilk_load_relaxed_(&c->waited_ns);
}

/* [C4] Weaker: one who sleeps could miss it until his next look. */
static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_condition *c = object;

	(void)seg;
	ilk_store_release_(&c->tag, (uint16_t)(TAG | ILK_GONE_));
	tell_all(c);
}

const struct ilk_type_ ilk_type_condition_ = {
	.name = "condition",
	.size = sizeof(struct ilk_condition),
	.align = ILK_LINE_,
	.valid = valid,
	.describe = describe,
	.remove = remove_for_good,
};
