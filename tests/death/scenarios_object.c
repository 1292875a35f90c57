/*
 * scenarios_object.c - removing, closing, opening named objects: nobody loses what he has open, and
 * all memory comes back.
 *
 * The founder makes "thing", a block filled with OLD. At the end it is removed, and as many blocks
 * must be given out as where nobody died.
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>
#include <string.h>

enum { BYTES = 1000, OLD = 7, WAIT_MS = 100 };
static const char thing[] = "thing";

static const struct setting two_processes = {.processes = 2, .threads = 2};

static char *memory, *kept;
static struct ilk_mutex *door;

/* ---- parts ---- */

static int open_thing(struct stage *s)
{
	void *found;

	if (EXPECT(s, ilk_block_open(mine.segment, thing, BYTES, &found), 0) < 0)
		return -1;
	memory = found;
	return 0;
}

static int close_thing(struct stage *s)
{
	return EXPECT(s, ilk_object_close(memory), 0);
}

static int remove_thing(struct stage *s)
{
	return EXPECT(s, ilk_object_remove(mine.segment, thing), 0);
}

static int remove_if_there(struct stage *s)
{
	int rc = ilk_object_remove(mine.segment, thing);

	return rc == -ENOENT ? 0 : expect(s, "ilk_object_remove", rc, 0);
}

static int is_filled(char with)
{
	for (int i = 0; i < BYTES; i++)
		if (memory[i] != with)
			return 0;
	return 1;
}

static int found_and_open(struct stage *s)
{
	if (scene_found(s) < 0 || open_thing(s) < 0)
		return -1;
	memset(memory, OLD, BYTES);
	kept = memory;
	return 0;
}

static int found_and_close(struct stage *s)
{
	return found_and_open(s) < 0 ? -1 : close_thing(s);
}

static int found_and_lock_door(struct stage *s)
{
	if (scene_found(s) < 0)
		return -1;
	if (EXPECT(s, ilk_mutex_open(mine.segment, thing, NULL, &door), 0) < 0)
		return -1;
	return EXPECT(s, ilk_mutex_lock(door), 0);
}

static int open_segment(struct stage *s)
{
	return EXPECT(s, ilk_segment_open(s->segment, NULL, &mine.segment), 0);
}

static int close_segment(struct stage *s)
{
	return EXPECT(s, ilk_segment_close(mine.segment), 0);
}

/* An object without a name, with nobody but its maker. */
static struct ilk_team team;

static int do_nothing(const struct ilk_part *part, void *arg)
{
	(void)part, (void)arg;
	return 0;
}

static int start_team(struct stage *s)
{
	return EXPECT(s, ilk_team_start(&team, mine.segment, 1, do_nothing, NULL, NULL), 0);
}

static int stop_team(struct stage *s)
{
	(void)s;
	ilk_team_stop(&team);
	return 0;
}

static int join_and_start_team(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : start_team(s);
}

static int join_and_open(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_thing(s);
}

static int join_and_remove(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : remove_thing(s);
}

static int join_open_and_remove(struct stage *s)
{
	return join_and_open(s) < 0 ? -1 : remove_thing(s);
}

/* ---- meeting the remains ---- */

/* Outcome: the name is there. */
static int look_for_thing(struct stage *s)
{
	struct ilk_inspection *in;

	if (scene_look(s) < 0 || EXPECT(s, ilk_inspect(s->segment, &in), 0) < 0)
		return -1;
	s->board->outcome = 0;
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, thing) == 0 && !in->objects[i].removed)
			s->board->outcome = 1;
	ilk_inspection_free(in);
	return 0;
}

/* Old or new, it is whole. */
static int use_thing(struct stage *s)
{
	if (open_thing(s) < 0)
		return -1;
	if (!is_filled(OLD) && !is_filled(0))
		return fail(s, "what is called %s is neither the old one nor a new one", thing);
	return close_thing(s) < 0 ? -1 : scene_use(s);
}

static int use_scene_and_remove(struct stage *s)
{
	return remove_if_there(s) < 0 ? -1 : scene_use(s);
}

/* ---- at the end ---- */

static int audit_blocks(struct stage *s)
{
	struct ilk_usage usage;

	if (remove_if_there(s) < 0 || EXPECT(s, ilk_usage(mine.segment, &usage), 0) < 0)
		return -1;
	if (s->reference)
		s->board->reference[0] = (long)usage.blocks;
	if ((long)usage.blocks != s->board->reference[0])
		return fail(s, "%lu blocks are given out, and %ld without a death",
			(unsigned long)usage.blocks, s->board->reference[0]);
	return scene_audit(s);
}

/* The founder had the old one open all the time, and it is as it was. */
static int audit_kept(struct stage *s)
{
	memory = kept;
	if (!is_filled(OLD))
		return fail(s, "what was open is somebody else's");
	return close_thing(s) < 0 ? -1 : audit_blocks(s);
}

static int audit_door(struct stage *s)
{
	if (EXPECT(s, ilk_mutex_lock(door), -EIDRM) < 0)
		return -1;
	if (EXPECT(s, ilk_mutex_unlock(door), 0) < 0 || EXPECT(s, ilk_object_close(door), 0) < 0)
		return -1;
	return audit_blocks(s);
}

/*
 * Told, or in vain: the victim died before the removal, or before it told anybody. That last is for
 * who takes the guard next, and it is told then.
 */
static int wait_at_door(struct stage *s)
{
	int rc;

	if (EXPECT(s, ilk_mutex_open(mine.segment, thing, NULL, &door), 0) < 0)
		return -1;
	rc = ilk_mutex_lock_until(door, ilk_after_ms(WAIT_MS));
	s->board->outcome = 0;
	if (rc != -ETIMEDOUT)
		return expect(s, "waiting for what is removed", rc, -EIDRM);
	if (EXPECT(s, ilk_segment_valid(mine.segment), 0) < 0 || look_for_thing(s) < 0)
		return -1;
	rc = ilk_mutex_lock_until(door, ilk_after_ms(1));
	return expect(s, "waiting again", rc, s->board->outcome ? -ETIMEDOUT : -EIDRM);
}

/* ---- rows ---- */

#define OBJECT_ROLES .attach = scene_attach, .check = scene_check
#define THING_ROLES                                                                           \
	OBJECT_ROLES, .found = found_and_close, .look = look_for_thing, .recover = use_thing, \
		      .audit = audit_blocks

const struct operation object_remove_row = {
	.name = "object_remove",
	.what = "removes an object that nobody has open",
	THING_ROLES,
	.prepare = scene_join,
	.operate = remove_thing,
	.before = 1,
	.after = 0,
};

const struct operation object_remove_open_row = {
	.name = "object_remove_open",
	.what = "removes an object that another has open",
	OBJECT_ROLES,
	.found = found_and_open,
	.look = look_for_thing,
	.recover = use_thing,
	.audit = audit_kept,
	.prepare = scene_join,
	.operate = remove_thing,
	.before = 1,
	.after = 0,
};

const struct operation object_remove_waited_row = {
	.name = "object_remove_waited",
	.what = "removes a mutex that another waits for",
	OBJECT_ROLES,
	.found = found_and_lock_door,
	.part = PART_SLEEPS,
	.partner_after = wait_at_door,
	.look = look_for_thing,
	.recover = use_scene_and_remove,
	.audit = audit_door,
	.prepare = scene_join,
	.operate = remove_thing,
	.before = 1,
	.after = 0,
};

const struct operation object_close_last_row = {
	.name = "object_close_last",
	.what = "closes a removed object that nobody else has open",
	THING_ROLES,
	.prepare = join_open_and_remove,
	.operate = close_thing,
	.before = 0,
	.after = 0,
};

const struct operation object_close_row = {
	.name = "object_close",
	.what = "closes an object",
	THING_ROLES,
	.prepare = join_and_open,
	.operate = close_thing,
	.before = 1,
	.after = 1,
};

const struct operation object_open_row = {
	.name = "object_open",
	.what = "opens an object that is there",
	THING_ROLES,
	.prepare = scene_join,
	.operate = open_thing,
	.before = 1,
	.after = 1,
};

const struct operation object_open_swept_row = {
	.name = "object_open_swept",
	.what = "the same, first of all, in a dead process's slot",
	.setting = &two_processes,
	THING_ROLES,
	.part = PART_DIES,
	.partner = open_thing,
	.prepare = open_segment,
	.operate = open_thing,
	.before = 1,
	.after = 1,
	.flags = LATE_ONLY,
};

const struct operation object_make_again_row = {
	.name = "object_make_again",
	.what = "makes an object where a removed one was",
	THING_ROLES,
	.prepare = join_and_remove,
	.operate = open_thing,
	.before = 0,
	.after = 1,
};

const struct operation team_start_row = {
	.name = "team_start",
	.what = "makes an object without a name",
	THING_ROLES,
	.prepare = scene_join,
	.operate = start_team,
	.before = 1,
	.after = 1,
};

const struct operation team_stop_row = {
	.name = "team_stop",
	.what = "closes an object without a name",
	THING_ROLES,
	.prepare = join_and_start_team,
	.operate = stop_team,
	.before = 1,
	.after = 1,
};

const struct operation segment_close_last_row = {
	.name = "segment_close_last",
	.what = "closes a segment, as the last who has a removed object open",
	THING_ROLES,
	.prepare = join_open_and_remove,
	.operate = close_segment,
	.before = 0,
	.after = 0,
};
