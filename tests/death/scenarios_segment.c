/* scenarios_segment.c - names, process slots and thread slots. */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>

/* As many slots as a trial needs at a time: a lost one is missed. */
static const struct setting tight = {.processes = 4, .threads = 4};
/* The victim's slot must be that of the dead partner. */
static const struct setting two_processes = {.processes = 2, .threads = 2};
static const struct setting two_threads = {.processes = 4, .threads = 2};

static int lock(struct stage *s)
{
	return EXPECT(s, ilk_mutex_lock(mine.mutex), 0);
}

static int attach_and_lock(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : lock(s);
}

/* ---- the name ---- */

static int create(struct stage *s)
{
	struct ilk_segment_options options = scene_options(s);

	return EXPECT(s, ilk_segment_create(s->segment, &options, &mine.segment), 0);
}

static int remove_name(struct stage *s)
{
	return EXPECT(s, ilk_segment_unlink(s->segment), 0);
}

/* The name is absent, or leads to something complete. Outcome: it is there. */
static int look_for_name(struct stage *s)
{
	struct ilk_segment *found;
	int rc = ilk_segment_open(s->segment, NULL, &found);

	if (rc == 0)
		ilk_segment_close(found);
	else if (rc != -ENOENT)
		return fail(s, "opening gave %d: %s", rc, ilk_last_error());
	s->board->outcome = rc == 0;
	return 0;
}

/* However it is, the name can be created, and what is then there can be used. */
static int create_again(struct stage *s)
{
	if (mine.segment)
		ilk_segment_close(mine.segment);
	if (create(s) < 0 || scene_objects(s) < 0)
		return -1;
	return scene_use(s);
}

const struct operation segment_create_row = {
	.name = "segment_create",
	.what = "makes a segment",
	.setting = &tight,
	.operate = create,
	.look = look_for_name,
	.recover = create_again,
	.check = scene_check,
	.audit = scene_audit_slots,
	.before = 0,
	.after = 1,
	.flags = STEP_ATTACH,
};

const struct operation segment_unlink_row = {
	.name = "segment_unlink",
	.what = "removes a segment's name",
	.setting = &tight,
	.found = scene_found,
	.prepare = scene_attach,
	.operate = remove_name,
	.look = look_for_name,
	.recover = create_again,
	.check = scene_check,
	.audit = scene_audit_slots,
	.before = 1,
	.after = 0,
	.flags = STEP_ATTACH,
};

/* ---- attaching and leaving ---- */

static int open_segment(struct stage *s)
{
	return EXPECT(s, ilk_segment_open(s->segment, NULL, &mine.segment), 0);
}

static int close_segment(struct stage *s)
{
	return EXPECT(s, ilk_segment_close(mine.segment), 0);
}

#define SLOT_ROLES                                                        \
	.found = scene_found, .attach = scene_attach, .look = scene_look, \
	.recover = scene_recover, .check = scene_check, .audit = scene_audit_slots

const struct operation segment_open_row = {
	.name = "segment_open",
	.what = "attaches to a segment",
	.setting = &tight,
	SLOT_ROLES,
	.operate = open_segment,
	.before = 0,
	.after = 0,
	.flags = STEP_ATTACH,
};

const struct operation segment_close_row = {
	.name = "segment_close",
	.what = "closes a segment, with a mutex held in it",
	.setting = &tight,
	SLOT_ROLES,
	.prepare = attach_and_lock,
	.operate = close_segment,
	.before = 1,
	.after = 1,
	.flags = STEP_ATTACH,
};

const struct operation slot_takeover_row = {
	.name = "slot_takeover",
	.what = "attaches where only a dead process's slot is free",
	.setting = &two_processes,
	SLOT_ROLES,
	.part = PART_DIES,
	.partner = lock,
	.operate = open_segment,
	.before = 1,
	.after = 1,
	.flags = LATE_ONLY | STEP_ATTACH,
};

/* ---- threads ---- */

static int become_somebody(struct stage *s)
{
	return EXPECT(s, ilk_sharded_mine(mine.sharded, &mine.handle), 0);
}

static int just_end(struct stage *s)
{
	(void)s;
	return 0;
}

const struct operation thread_join_row = {
	.name = "thread_join",
	.what = "a thread's first call that needs an identity",
	.setting = &tight,
	SLOT_ROLES,
	.prepare = scene_attach,
	.operate = become_somebody,
	.before = 0,
	.after = 0,
	.flags = STEP_ATTACH,
};

const struct operation thread_takeover_row = {
	.name = "thread_takeover",
	.what = "the same, where only a dead thread's slot is free",
	.setting = &two_threads,
	SLOT_ROLES,
	.part = PART_DIES,
	.partner = lock,
	.prepare = scene_attach,
	.operate = become_somebody,
	.before = 1,
	.after = 1,
	.flags = STEP_ATTACH,
};

const struct operation thread_leave_row = {
	.name = "thread_leave",
	.what = "a thread ends",
	.setting = &tight,
	SLOT_ROLES,
	.prepare = scene_join,
	.operate = just_end,
	.before = 0,
	.after = 0,
	.flags = IN_THREAD | STEP_ATTACH,
};

const struct operation thread_leave_holding_row = {
	.name = "thread_leave_holding",
	.what = "a thread ends that holds a mutex",
	.setting = &tight,
	SLOT_ROLES,
	.prepare = attach_and_lock,
	.operate = just_end,
	.before = 1,
	.after = 1,
	.flags = IN_THREAD | STEP_ATTACH,
};
