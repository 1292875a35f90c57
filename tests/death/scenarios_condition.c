/*
 * scenarios_condition.c - a condition: waiting with the scene's mutex, telling one, telling all.
 *
 * Nobody who notifies ever hangs, nobody who waits waits longer than for a tick: whoever meets the
 * remains notifies, and waits, before anything else.
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>

enum { TIMEOUT_MS = 40 };

static struct ilk_condition *condition;

/* ---- parts ---- */

static int open_condition(struct stage *s)
{
	return EXPECT(s, ilk_condition_open(mine.segment, "condition", &condition), 0);
}

static int found(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : open_condition(s);
}

static int attach(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : open_condition(s);
}

static int join(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_condition(s);
}

static int attach_and_lock(struct stage *s)
{
	return join(s) < 0 ? -1 : EXPECT(s, ilk_mutex_lock(mine.mutex), 0);
}

static int tell_one(struct stage *s)
{
	return EXPECT(s, ilk_condition_signal(condition), 0);
}

static int tell_all(struct stage *s)
{
	return EXPECT(s, ilk_condition_broadcast(condition), 0);
}

static int wait(struct stage *s)
{
	return EXPECT(s, ilk_condition_wait(condition, mine.mutex), 0);
}

static int wait_in_time(struct stage *s)
{
	ilk_time until = ilk_after_ms(TIMEOUT_MS);

	return EXPECT(s, ilk_condition_wait_until(condition, mine.mutex, until), ILK_TIMED_OUT);
}

/* RC of what takes the mutex: 0, or told of a death, which is put right; also WANTED. */
static int took(struct stage *s, const char *call, int rc, int wanted)
{
	if (rc > 0 && rc & ILK_RECOVERED) {
		s->board->outcome = 1;
		if (EXPECT(s, ilk_mutex_repaired(mine.mutex), 0) < 0)
			return -1;
		rc &= ~ILK_RECOVERED;
	}
	return rc == 0 ? 0 : expect(s, call, rc, wanted);
}

/* Waits once, whoever ends that. */
static int wait_once(struct stage *s, ilk_time until, int wanted)
{
	if (took(s, "ilk_mutex_lock", ilk_mutex_lock(mine.mutex), 0) < 0)
		return -1;
	if (took(s, "ilk_condition_wait", ilk_condition_wait_until(condition, mine.mutex, until),
		    wanted) < 0)
		return -1;
	return EXPECT(s, ilk_mutex_unlock(mine.mutex), 0);
}

/* The partner: waits on until the victim is dead. Where there is none, nobody would end it. */
static int wait_long(struct stage *s)
{
	int64_t death;

	if (s->reference)
		return wait_once(s, ilk_after_ms(TIMEOUT_MS), ILK_TIMED_OUT);
	do {
		death = s->board->since;
		if (wait_once(s, ILK_FOREVER, 0) < 0)
			return -1;
	} while (!death);
	return 0;
}

static int recover(struct stage *s)
{
	if (tell_one(s) < 0 || scene_recover(s) < 0)
		return -1;
	return wait_once(s, ilk_after_ms(1), ILK_TIMED_OUT) < 0 ? -1 : tell_all(s);
}

#define CONDITION_ROLES                                                           \
	.found = found, .attach = attach, .look = scene_look, .recover = recover, \
	.check = scene_check, .audit = scene_audit

/* The partner sleeps in it; and wakes, whatever becomes of who should tell. */
#define PARTNER_WAITS .part = PART_SLEEPS, .partner_after = wait_long

/* ---- rows ---- */

const struct operation condition_wait_row = {
	.name = "condition_wait",
	.what = "lets the mutex go and waits, up to its sleep",
	CONDITION_ROLES,
	.prepare = attach_and_lock,
	.operate = wait,
	.before = 1,
	.after = 0,
	.flags = ENDS_ASLEEP,
};

const struct operation condition_lapse_row = {
	.name = "condition_wait_lapse",
	.what = "wakes up by itself, and takes the mutex again",
	CONDITION_ROLES,
	.prepare = attach_and_lock,
	.operate = wait,
	.before = 0,
	.after = 1,
	.flags = FROM_SLEEP,
};

const struct operation condition_timeout_row = {
	.name = "condition_wait_timeout",
	.what = "has waited long enough, and takes the mutex again",
	CONDITION_ROLES,
	.prepare = attach_and_lock,
	.operate = wait_in_time,
	.before = 0,
	.after = 1,
	.flags = FROM_SLEEP,
};

const struct operation condition_woken_row = {
	.name = "condition_wait_woken",
	.what = "is told, and takes the mutex again",
	CONDITION_ROLES,
	.part = PART_HOLDS,
	.partner_after = tell_one,
	.prepare = attach_and_lock,
	.operate = wait,
	.before = 0,
	.after = 1,
	.flags = FROM_SLEEP | WOKEN,
};

const struct operation condition_woken_first_row = {
	.name = "condition_woken_first",
	.what = "is told, being one of two who wait",
	CONDITION_ROLES,
	.part = PART_SLEEPS_TOO,
	.partner_after = wait_long,
	.release = tell_one,
	.prepare = attach_and_lock,
	.operate = wait,
	.before = 0,
	.after = 1,
	.flags = FROM_SLEEP | WOKEN,
};

const struct operation condition_signal_row = {
	.name = "condition_signal",
	.what = "tells one, and nobody is there",
	CONDITION_ROLES,
	.prepare = join,
	.operate = tell_one,
	.before = 0,
	.after = 0,
};

const struct operation condition_signal_waited_row = {
	.name = "condition_signal_waited",
	.what = "tells one who waits",
	CONDITION_ROLES,
	PARTNER_WAITS,
	.prepare = join,
	.operate = tell_one,
	.before = 0,
	.after = 0,
};

const struct operation condition_broadcast_waited_row = {
	.name = "condition_broadcast",
	.what = "tells all who wait",
	CONDITION_ROLES,
	PARTNER_WAITS,
	.prepare = join,
	.operate = tell_all,
	.before = 0,
	.after = 0,
};
