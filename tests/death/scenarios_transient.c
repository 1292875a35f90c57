/* scenarios_transient.c - names that go with the last member or are collected, and that are paths. */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>
#include <stdio.h>

static const struct setting tight = {.processes = 4, .threads = 4};

/* ---- paths ---- */

static int create_by_path(struct stage *s)
{
	struct ilk_segment_options options = scene_options(s);
	char path[80];

	snprintf(path, sizeof path, "/dev/shm/ilk.%s", s->segment);
	return EXPECT(s, ilk_segment_create(path, &options, &mine.segment), 0);
}

static int open_or_create_by_path(struct stage *s)
{
	if (create_by_path(s) < 0 || scene_objects(s) < 0)
		return -1;
	return scene_use(s);
}

/* ---- transient ones ---- */

static int create(struct stage *s)
{
	struct ilk_segment_options options = scene_options(s);

	options.flags = ILK_SEGMENT_TRANSIENT;
	return EXPECT(s, ilk_segment_create(s->segment, &options, &mine.segment), 0);
}

/* With something in it that nobody is to find who comes after all are gone. */
static int create_and_fill(struct stage *s)
{
	if (create(s) < 0 || scene_objects(s) < 0)
		return -1;
	return EXPECT(s, ilk_counter_add(mine.counter, SCENE_BASE), 0);
}

static int close_it(struct stage *s)
{
	return EXPECT(s, ilk_segment_close(mine.segment), 0);
}

static int find_nothing(struct stage *s)
{
	return EXPECT(s, ilk_segment_open(s->segment, NULL, &mine.segment), -ENOENT);
}

/* Outcome: there is a file of that name. It is complete; whether anybody lives in it is another
 * question. */
static int look_for_file(struct stage *s)
{
	struct ilk_inspection *in;
	int rc = ilk_inspect(s->segment, &in);

	s->board->outcome = rc == 0;
	if (rc == -ENOENT)
		return 0;
	ilk_inspection_free(rc == 0 ? in : NULL);
	return rc == 0 ? scene_look(s) : expect(s, "ilk_inspect", rc, 0);
}

/* For outcomes that come and go. */
static int look_at_file(struct stage *s)
{
	int rc = look_for_file(s);

	s->board->outcome = NO_OUTCOME;
	return rc;
}

/* Whoever was in it is dead: what is made now is new. */
static int create_anew(struct stage *s)
{
	if (create(s) < 0 || scene_objects(s) < 0)
		return -1;
	if (ilk_counter_read(mine.counter) != 0)
		return fail(s, "the dead one's bytes are there still");
	return scene_use(s);
}

const struct operation segment_create_path_row = {
	.name = "segment_create_path",
	.what = "makes a segment by its path",
	.setting = &tight,
	.operate = create_by_path,
	.look = look_for_file,
	.recover = open_or_create_by_path,
	.check = scene_check,
	.audit = scene_audit_slots,
	.before = 0,
	.after = 1,
	.flags = STEP_ATTACH,
};

#define TRANSIENT_ROLES                                                  \
	.setting = &tight, .recover = create_anew, .check = scene_check, \
	.audit = scene_audit_slots, .flags = STEP_ATTACH

const struct operation transient_create_row = {
	.name = "transient_create",
	.what = "makes a transient segment",
	TRANSIENT_ROLES,
	.operate = create,
	.look = look_for_file,
	.before = 0,
	.after = 1,
};

const struct operation transient_close_row = {
	.name = "transient_close",
	.what = "closes it as its last member",
	TRANSIENT_ROLES,
	.prepare = create_and_fill,
	.operate = close_it,
	.look = look_for_file,
	.before = 1,
	.after = 0,
};

const struct operation transient_leave_row = {
	.name = "transient_leave",
	.what = "closes it, and another member stays",
	.setting = &tight,
	.found = create_and_fill,
	.attach = scene_attach,
	.prepare = scene_attach,
	.operate = close_it,
	.look = look_for_file,
	.recover = scene_use,
	.check = scene_check,
	.audit = scene_audit_slots,
	.before = 1,
	.after = 1,
	.flags = STEP_ATTACH,
};

const struct operation transient_open_dead_row = {
	.name = "transient_open_dead",
	.what = "opens one that all have died in",
	TRANSIENT_ROLES,
	.part = PART_DIES,
	.partner = create_and_fill,
	.operate = find_nothing,
	.look = look_for_file,
	.before = 1,
	.after = 0,
};

const struct operation transient_create_dead_row = {
	.name = "transient_create_dead",
	.what = "makes one where there is one that all have died in",
	TRANSIENT_ROLES,
	.part = PART_DIES,
	.partner = create_and_fill,
	.operate = create,
	.look = look_at_file,
	.before = NO_OUTCOME,
	.after = NO_OUTCOME,
};

/* ---- collected ones ---- */

static int create_ordinary(struct stage *s)
{
	struct ilk_segment_options options = scene_options(s);

	return EXPECT(s, ilk_segment_create(s->segment, &options, &mine.segment), 0);
}

static int create_ordinary_and_fill(struct stage *s)
{
	if (create_ordinary(s) < 0 || scene_objects(s) < 0)
		return -1;
	return EXPECT(s, ilk_counter_add(mine.counter, SCENE_BASE), 0);
}

static int collect(struct stage *s)
{
	return EXPECT(s, ilk_segment_collect(s->segment, 0), 0);
}

/* What was not collected is whole, and can be; then all begins anew. */
static int collect_and_create_anew(struct stage *s)
{
	int rc = ilk_segment_collect(s->segment, 0);

	/* The other survivor may have come first. */
	if (rc != -ENOENT && rc != -EBUSY && expect(s, "ilk_segment_collect", rc, 0) < 0)
		return -1;
	if (create_ordinary(s) < 0 || scene_objects(s) < 0)
		return -1;
	if (s->first && ilk_counter_read(mine.counter) != 0)
		return fail(s, "the dead one's bytes are there still");
	return scene_use(s);
}

const struct operation segment_collect_row = {
	.name = "segment_collect",
	.what = "collects a segment that all have died in",
	.setting = &tight,
	.part = PART_DIES,
	.partner = create_ordinary_and_fill,
	.operate = collect,
	.look = look_for_file,
	.recover = collect_and_create_anew,
	.check = scene_check,
	.audit = scene_audit_slots,
	.before = 1,
	.after = 0,
	.flags = STEP_ATTACH,
};
