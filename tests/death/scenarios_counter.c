/* scenarios_counter.c - an add has happened or has not; the dead's share stays in the total. */
#include "scenarios.h"
#include "scene.h"

enum { EACH = 100 };

static const struct setting tight = {.processes = 4, .threads = 4};

/* The first survivor sees what the victim has left: BASE, or one more. */
static int judge(struct stage *s, int64_t value)
{
	if (value != SCENE_BASE && value != SCENE_BASE + 1)
		return fail(s, "the count is %ld, not %d or one more", (long)value, SCENE_BASE);
	if (s->first)
		s->board->outcome = value - SCENE_BASE;
	return 0;
}

/* After both survivors have added. */
static int judge_total(struct stage *s, int64_t value)
{
	int64_t more = value - SCENE_BASE - 2 * EACH;

	if (more == s->board->outcome)
		return 0;
	if (s->board->outcome == NO_OUTCOME && (more == 0 || more == 1))
		return 0;
	return fail(s, "the count is %ld at the end: it should be %ld less", (long)value,
		(long)(more - s->board->outcome));
}

/* ---- the exact one ---- */

static int add_one(struct stage *s)
{
	return EXPECT(s, ilk_counter_add(mine.counter, 1), 0);
}

static int read_counter(struct stage *s)
{
	return judge(s, ilk_counter_read(mine.counter));
}

static int add_many(struct stage *s)
{
	for (int i = 0; i < EACH; i++)
		if (EXPECT(s, ilk_counter_add(mine.counter, 1), 0) < 0)
			return -1;
	return 0;
}

static int audit_counter(struct stage *s)
{
	return judge_total(s, ilk_counter_read(mine.counter));
}

const struct operation counter_add_row = {
	.name = "counter_add",
	.what = "adds one to a counter",
	.found = scene_found,
	.attach = scene_attach,
	.prepare = scene_join,
	.operate = add_one,
	.look = scene_look,
	.recover = read_counter,
	.check = add_many,
	.audit = audit_counter,
	.before = 0,
	.after = 1,
};

/* ---- the sharded one ---- */

static int take_share(struct stage *s)
{
	return EXPECT(s, ilk_sharded_mine(mine.sharded, &mine.handle), 0);
}

static int add_one_to_share(struct stage *s)
{
	return EXPECT(s, ilk_sharded_add(&mine.handle, 1), 0);
}

static int read_sharded(struct stage *s)
{
	return judge(s, ilk_sharded_read(mine.sharded));
}

static int add_many_to_share(struct stage *s)
{
	if (take_share(s) < 0)
		return -1;
	for (int i = 0; i < EACH; i++)
		if (EXPECT(s, ilk_sharded_add(&mine.handle, 1), 0) < 0)
			return -1;
	return scene_check(s);
}

/* Also after others have taken every slot, that of the dead too. */
static int audit_sharded(struct stage *s)
{
	if (scene_audit_slots(s) < 0)
		return -1;
	return judge_total(s, ilk_sharded_read(mine.sharded));
}

#define SHARDED_ROLES                                                                        \
	.setting = &tight, .found = scene_found, .attach = scene_attach, .look = scene_look, \
	.recover = read_sharded, .check = add_many_to_share, .audit = audit_sharded

const struct operation sharded_mine_row = {
	.name = "sharded_mine",
	.what = "finds its share of a sharded counter",
	SHARDED_ROLES,
	.prepare = scene_attach,
	.operate = take_share,
	.before = 0,
	.after = 0,
};

const struct operation sharded_add_row = {
	.name = "sharded_add",
	.what = "adds one to its share",
	SHARDED_ROLES,
	.prepare = scene_join,
	.operate = add_one_to_share,
	.before = 0,
	.after = 1,
};
