/*
 * scenarios_once.c - a once: done with its value, or the next is elected, and told of a death.
 *
 * The outcome: was anybody told? Whoever is elected does it; and then everyone gets the same value.
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>

enum { TIMEOUT_MS = 18, ANSWER = 42 };

static struct ilk_once *once;

/* ---- parts ---- */

static int open_once(struct stage *s)
{
	return EXPECT(s, ilk_once_open(mine.segment, "once", &once), 0);
}

static int found(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : open_once(s);
}

static int attach(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_once(s);
}

static int begin(struct stage *s)
{
	return EXPECT(s, ilk_once_begin(once, NULL), ILK_ELECTED);
}

static int begin_after_death(struct stage *s)
{
	return EXPECT(s, ilk_once_begin(once, NULL), ILK_ELECTED | ILK_RECOVERED);
}

static int begin_in_time(struct stage *s)
{
	ilk_time until = ilk_after_ms(TIMEOUT_MS);

	return EXPECT(s, ilk_once_begin_until(once, until, NULL), -ETIMEDOUT);
}

static int done(struct stage *s)
{
	return EXPECT(s, ilk_once_done(once, ANSWER), 0);
}

static int give_up(struct stage *s)
{
	return EXPECT(s, ilk_once_give_up(once), 0);
}

static int attach_and_begin(struct stage *s)
{
	return attach(s) < 0 ? -1 : begin(s);
}

static int find_done(struct stage *s)
{
	int64_t value = 0;

	if (EXPECT(s, ilk_once_begin(once, &value), 0) < 0)
		return -1;
	return expect(s, "the value", (int)value, ANSWER);
}

static int answer(void *arg, int told, int64_t *value)
{
	(void)arg, (void)told;
	*value = ANSWER;
	return 0;
}

static int run(struct stage *s)
{
	return EXPECT(s, ilk_once_run(once, answer, NULL, NULL), 0);
}

/* Whoever is elected does it. */
static int find_or_do(struct stage *s)
{
	int64_t value = ANSWER;
	int rc = ilk_once_begin(once, &value), told = rc > 0 && rc & ILK_RECOVERED;

	if (told || s->board->outcome == NO_OUTCOME)
		s->board->outcome = told;
	if (rc > 0 && (rc & ~ILK_RECOVERED) == ILK_ELECTED)
		return done(s);
	if (expect(s, "ilk_once_begin", rc, 0) < 0)
		return -1;
	return expect(s, "the value", (int)value, ANSWER);
}

static int recover(struct stage *s)
{
	if (find_or_do(s) < 0 || find_done(s) < 0)
		return -1;
	return EXPECT(s, ilk_once_done(once, 0), -EPERM);
}

static int check(struct stage *s)
{
	return find_done(s) < 0 ? -1 : scene_check(s);
}

#define ONCE_ROLES                                                                                \
	.found = found, .attach = attach, .look = scene_look, .recover = recover, .check = check, \
	.audit = scene_audit_slots

/* The partner is at it until the victim is dead, or asleep. */
#define PARTNER_IS_AT_IT(end) .part = PART_HOLDS, .partner = begin, .partner_after = end

/* ---- rows ---- */

const struct operation once_begin_row = {
	.name = "once_begin",
	.what = "is elected, as the first to come",
	ONCE_ROLES,
	.prepare = attach,
	.operate = begin,
	.before = 0,
	.after = 1,
};

const struct operation once_done_row = {
	.name = "once_done",
	.what = "says that it is done",
	ONCE_ROLES,
	.prepare = attach_and_begin,
	.operate = done,
	.before = 1,
	.after = 0,
};

const struct operation once_give_up_row = {
	.name = "once_give_up",
	.what = "says that another shall try",
	ONCE_ROLES,
	.prepare = attach_and_begin,
	.operate = give_up,
	.before = 1,
	.after = 0,
};

const struct operation once_run_row = {
	.name = "once_run",
	.what = "does it, from beginning to end",
	ONCE_ROLES,
	.prepare = attach,
	.operate = run,
	.before = NO_OUTCOME,
};

const struct operation once_done_waited_row = {
	.name = "once_done_waited",
	.what = "says that it is done, and another sleeps for that",
	ONCE_ROLES,
	.part = PART_SLEEPS,
	.partner_after = find_or_do,
	.prepare = attach_and_begin,
	.operate = done,
	.before = 1,
	.after = 0,
};

const struct operation once_asleep_row = {
	.name = "once_begin_asleep",
	.what = "waits for one who is at it, up to its sleep",
	ONCE_ROLES,
	PARTNER_IS_AT_IT(done),
	.prepare = attach,
	.operate = begin,
	.before = 0,
	.after = 0,
	.flags = ENDS_ASLEEP,
};

const struct operation once_woken_row = {
	.name = "once_begin_woken",
	.what = "is woken, for it is done",
	ONCE_ROLES,
	PARTNER_IS_AT_IT(done),
	.prepare = attach,
	.operate = find_done,
	.before = 0,
	.after = 0,
	.flags = FROM_SLEEP | WOKEN,
};

const struct operation once_elected_row = {
	.name = "once_begin_elected",
	.what = "is woken, and elected, for the first has given up",
	ONCE_ROLES,
	PARTNER_IS_AT_IT(give_up),
	.prepare = attach,
	.operate = begin,
	.before = 0,
	.after = 1,
	.flags = FROM_SLEEP | WOKEN,
};

const struct operation once_timeout_row = {
	.name = "once_begin_timeout",
	.what = "gives up waiting for one who is at it",
	ONCE_ROLES,
	PARTNER_IS_AT_IT(done),
	.prepare = attach,
	.operate = begin_in_time,
	.before = 0,
	.after = 0,
	.flags = FROM_SLEEP,
};

const struct operation once_recover_row = {
	.name = "once_recover",
	.what = "is elected after the death of one who was at it",
	ONCE_ROLES,
	.part = PART_DIES,
	.partner = begin,
	.prepare = attach,
	.operate = begin_after_death,
	.before = 1,
	.after = 1,
};
