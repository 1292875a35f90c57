/*
 * scenarios_event.c - an event of each kind: set or not set; nobody sleeps while it is set.
 *
 * The outcome: set, or not, as the first survivor finds it; or let through, or not, where a partner
 * sleeps in it, which he must not go on doing if it is set, whatever became of who set it or was
 * woken first.
 */
#include "asleep.h"
#include "scenarios.h"
#include <errno.h>

enum { TIMEOUT_MS = 40 };

static struct ilk_event *manual, *automatic;

/* ---- parts ---- */

static int open_events(struct stage *s)
{
	const struct ilk_event_options options = {.size = sizeof options, .flags = ILK_EVENT_AUTO};

	if (EXPECT(s, ilk_event_open(mine.segment, "manual", NULL, &manual), 0) < 0)
		return -1;
	return EXPECT(s, ilk_event_open(mine.segment, "auto", &options, &automatic), 0);
}

static int found(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : open_events(s);
}

static int attach(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_events(s);
}

static int set_manual(struct stage *s)
{
	return EXPECT(s, ilk_event_set(manual), 0);
}

static int clear_manual(struct stage *s)
{
	return EXPECT(s, ilk_event_clear(manual), 0);
}

static int set_auto(struct stage *s)
{
	return EXPECT(s, ilk_event_set(automatic), 0);
}

static int wait_auto(struct stage *s)
{
	return EXPECT(s, ilk_event_wait(automatic), 0);
}

static int wait_auto_in_time(struct stage *s)
{
	ilk_time until = ilk_after_ms(TIMEOUT_MS);

	return EXPECT(s, ilk_event_wait_until(automatic, until), -ETIMEDOUT);
}

static int attach_and_set_manual(struct stage *s)
{
	return attach(s) < 0 ? -1 : set_manual(s);
}

static int attach_and_set_auto(struct stage *s)
{
	return attach(s) < 0 ? -1 : set_auto(s);
}

/* ---- the partner ---- */

static int wait_for_manual(ilk_time until)
{
	return ilk_event_wait_until(manual, until);
}

static int wait_for_auto(ilk_time until)
{
	return ilk_event_wait_until(automatic, until);
}

static int is_manual_set(void)
{
	return ilk_event_is_set(manual);
}

static int is_auto_set(void)
{
	return ilk_event_is_set(automatic);
}

static int sleep_in_manual(struct stage *s)
{
	static const struct bed bed = {wait_for_manual, is_manual_set};

	return sleep_in(s, &bed);
}

static int sleep_in_auto(struct stage *s)
{
	static const struct bed bed = {wait_for_auto, is_auto_set};

	return sleep_in(s, &bed);
}

/* ---- the survivors ---- */

static int use_both(struct stage *s)
{
	if (set_manual(s) < 0 || EXPECT(s, ilk_event_wait(manual), 0) < 0 || clear_manual(s) < 0)
		return -1;
	if (set_auto(s) < 0 || wait_auto(s) < 0)
		return -1;
	return EXPECT(s, ilk_event_wait_until(automatic, ILK_NOW), -ETIMEDOUT);
}

/* Under the mutex, so that the other survivor does not take what is set here. */
static int recover(struct stage *s)
{
	int rc = ilk_mutex_lock(mine.mutex);

	if (rc != ILK_RECOVERED && expect(s, "ilk_mutex_lock", rc, 0) < 0)
		return -1;
	if (rc == ILK_RECOVERED && EXPECT(s, ilk_mutex_repaired(mine.mutex), 0) < 0)
		return -1;
	if (s->first)
		s->board->outcome = ilk_event_is_set(manual) || ilk_event_is_set(automatic);
	if (use_both(s) < 0)
		return -1;
	return EXPECT(s, ilk_mutex_unlock(mine.mutex), 0);
}

#define EVENT_ROLES                                                               \
	.found = found, .attach = attach, .look = scene_look, .recover = recover, \
	.check = scene_check, .audit = scene_audit

/* ---- rows ---- */

const struct operation event_set_row = {
	.name = "event_set",
	.what = "sets an event, and nobody waits",
	EVENT_ROLES,
	.prepare = attach,
	.operate = set_auto,
	.before = 0,
	.after = 1,
};

const struct operation event_set_waited_row = {
	.name = "event_set_waited",
	.what = "sets an event that another sleeps for",
	EVENT_ROLES,
	.part = PART_SLEEPS,
	.partner_after = sleep_in_manual,
	.prepare = attach,
	.operate = set_manual,
	.before = 0,
	.after = 1,
};

const struct operation event_auto_set_waited_row = {
	.name = "event_auto_set_waited",
	.what = "sets an event of auto reset that another sleeps for",
	EVENT_ROLES,
	.part = PART_SLEEPS,
	.partner_after = sleep_in_auto,
	.prepare = attach,
	.operate = set_auto,
	.before = 0,
	.after = 1,
};

const struct operation event_clear_row = {
	.name = "event_clear",
	.what = "clears an event that is set",
	EVENT_ROLES,
	.prepare = attach_and_set_manual,
	.operate = clear_manual,
	.before = 1,
	.after = 0,
};

const struct operation event_wait_row = {
	.name = "event_wait",
	.what = "consumes a set of an event of auto reset",
	EVENT_ROLES,
	.prepare = attach_and_set_auto,
	.operate = wait_auto,
	.before = 1,
	.after = 0,
};

const struct operation event_asleep_row = {
	.name = "event_wait_asleep",
	.what = "waits for an event, up to its sleep",
	EVENT_ROLES,
	.prepare = attach,
	.operate = wait_auto,
	.before = 0,
	.after = 0,
	.flags = ENDS_ASLEEP,
};

const struct operation event_woken_row = {
	.name = "event_wait_woken",
	.what = "is woken, and consumes the set",
	EVENT_ROLES,
	.part = PART_HOLDS,
	.partner_after = set_auto,
	.prepare = attach,
	.operate = wait_auto,
	.before = 1,
	.after = 0,
	.flags = FROM_SLEEP | WOKEN,
};

/* Who of both consumes it is chance; nobody may sleep while it is set. */
const struct operation event_woken_first_row = {
	.name = "event_woken_first",
	.what = "is woken for what another sleeps for, too",
	EVENT_ROLES,
	.part = PART_SLEEPS_TOO,
	.partner_after = sleep_in_auto,
	.release = set_auto,
	.prepare = attach,
	.operate = wait_auto,
	.before = NO_OUTCOME,
	.flags = FROM_SLEEP | WOKEN,
};

const struct operation event_timeout_row = {
	.name = "event_wait_timeout",
	.what = "gives up waiting for an event",
	EVENT_ROLES,
	.prepare = attach,
	.operate = wait_auto_in_time,
	.before = 0,
	.after = 0,
	.flags = FROM_SLEEP,
};
