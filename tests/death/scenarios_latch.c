/*
 * scenarios_latch.c - a latch: a count has happened or has not; nobody sleeps for an open one.
 *
 * `many` is counted down by each survivor once, and must come out even; `last` needs one count more.
 */
#include "asleep.h"
#include "scenarios.h"
#include <errno.h>

enum { TIMEOUT_MS = 40, MANY = 10 };

static struct ilk_latch *many, *last;

/* ---- parts ---- */

static int open_latches(struct stage *s)
{
	const struct ilk_latch_options options = {.size = sizeof options, .count = MANY};

	if (EXPECT(s, ilk_latch_open(mine.segment, "many", &options, &many), 0) < 0)
		return -1;
	return EXPECT(s, ilk_latch_open(mine.segment, "last", NULL, &last), 0);
}

static int found(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : open_latches(s);
}

static int attach(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_latches(s);
}

static int count_one(struct stage *s)
{
	return EXPECT(s, ilk_latch_count_down(many, 1), 0);
}

static int count_last(struct stage *s)
{
	return EXPECT(s, ilk_latch_count_down(last, 1), 0);
}

static int wait_for_last(struct stage *s)
{
	return EXPECT(s, ilk_latch_wait(last), 0);
}

static int wait_in_time(struct stage *s)
{
	return EXPECT(s, ilk_latch_wait_until(last, ilk_after_ms(TIMEOUT_MS)), -ETIMEDOUT);
}

/* ---- the partner ---- */

static unsigned left_of(const struct ilk_latch *l)
{
	unsigned left;

	return ilk_latch_left(l, &left) < 0 ? MANY + 1 : left;
}

static int sleep_until(ilk_time until)
{
	return ilk_latch_wait_until(last, until);
}

static int is_open(void)
{
	return left_of(last) == 0;
}

static int sleep_for_last(struct stage *s)
{
	static const struct bed bed = {sleep_until, is_open};

	return sleep_in(s, &bed);
}

/* ---- the survivors ---- */

/* Who comes second finds it open, perhaps. */
static int open_last(struct stage *s)
{
	int rc = ilk_latch_count_down(last, 1);

	if (rc != -ERANGE && expect(s, "ilk_latch_count_down", rc, 0) < 0)
		return -1;
	return EXPECT(s, ilk_latch_wait(last), 0);
}

static int recover(struct stage *s)
{
	if (s->first && s->board->outcome == NO_OUTCOME)
		s->board->outcome = MANY - (long)left_of(many) + is_open();
	return count_one(s) < 0 ? -1 : open_last(s);
}

/* The survivors have counted one each; a victim one, or none. */
static int audit(struct stage *s)
{
	unsigned gone = MANY - left_of(many), victims = s->second ? 2 : 1;

	if (gone < 2 || gone > 2 + victims)
		return fail(s, "%u counted by two survivors and %u dead", gone, victims);
	if (EXPECT(s, ilk_latch_count_down(many, MANY + 1 - gone), -ERANGE) < 0)
		return -1;
	if (EXPECT(s, ilk_latch_count_down(many, MANY - gone), 0) < 0)
		return -1;
	return EXPECT(s, ilk_latch_wait_until(many, ILK_NOW), 0) < 0 ? -1 : scene_audit(s);
}

#define LATCH_ROLES                                                               \
	.found = found, .attach = attach, .look = scene_look, .recover = recover, \
	.check = scene_check, .audit = audit, .prepare = attach

/* ---- rows ---- */

const struct operation latch_count_row = {
	.name = "latch_count",
	.what = "counts one down, and more is left",
	LATCH_ROLES,
	.operate = count_one,
	.before = 0,
	.after = 1,
};

const struct operation latch_count_last_row = {
	.name = "latch_count_last",
	.what = "counts the last one down, and another sleeps for it",
	LATCH_ROLES,
	.part = PART_SLEEPS,
	.partner_after = sleep_for_last,
	.operate = count_last,
	.before = 0,
	.after = 1,
};

const struct operation latch_asleep_row = {
	.name = "latch_wait_asleep",
	.what = "waits for a latch, up to its sleep",
	LATCH_ROLES,
	.operate = wait_for_last,
	.before = 0,
	.after = 0,
	.flags = ENDS_ASLEEP,
};

const struct operation latch_woken_row = {
	.name = "latch_wait_woken",
	.what = "is woken, for the latch is open",
	LATCH_ROLES,
	.part = PART_HOLDS,
	.partner_after = count_last,
	.operate = wait_for_last,
	.before = 1,
	.after = 1,
	.flags = FROM_SLEEP | WOKEN,
};

const struct operation latch_timeout_row = {
	.name = "latch_wait_timeout",
	.what = "gives up waiting for a latch",
	LATCH_ROLES,
	.operate = wait_in_time,
	.before = 0,
	.after = 0,
	.flags = FROM_SLEEP,
};
