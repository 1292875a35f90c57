/*
 * scenarios_snapshot.c - publishing, changing in place, reading, waiting: a value is whole, and it is
 * the one before or the new one.
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>
#include <string.h>

enum { WORDS = 20, OLD = 3, NEW = 4, ROUNDS = 30, PATIENCE_MS = 15 };

/* The last version before the victim comes was changed in place: it is staged already. */
static const struct setting staged = {.processes = 8, .threads = 8};

static struct ilk_snapshot_handle snapshot;

static int open_snapshot(struct stage *s)
{
	return EXPECT(s,
		ilk_snapshot_open(mine.segment, "value", WORDS * sizeof(uint64_t), NULL, &snapshot),
		0);
}

static void fill(uint64_t *value, uint64_t version)
{
	for (int i = 0; i < WORDS; i++)
		value[i] = version;
}

/* Publishes the value that belongs to VERSION, which is its number. */
static int publish(struct stage *s, uint64_t version)
{
	uint64_t value[WORDS], got = 0;

	fill(value, version);
	if (EXPECT(s, ilk_snapshot_publish(&snapshot, value, &got), 0) < 0)
		return -1;
	return expect(s, "the version published", (int)got, (int)version);
}

/* Changes the latest value into the one that belongs to the next version. */
static int change(struct stage *s)
{
	uint64_t *value;
	void *memory;

	if (EXPECT(s, ilk_snapshot_begin(&snapshot, &memory), 0) < 0)
		return -1;
	value = memory;
	for (int i = 1; i < WORDS; i++)
		if (expect(s, "a word staged", (int)value[i], (int)value[0]) < 0)
			return -1;
	fill(value, value[0] + 1);
	return EXPECT(s, ilk_snapshot_commit(&snapshot, NULL), 0);
}

static int found(struct stage *s)
{
	if (scene_found(s) < 0 || open_snapshot(s) < 0)
		return -1;
	for (uint64_t version = 1; version < OLD; version++)
		if (publish(s, version) < 0)
			return -1;
	return s->operation->setting == &staged ? change(s) : publish(s, OLD);
}

static int attach(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_snapshot(s);
}

/* ---- the victim ---- */

static int publish_new(struct stage *s)
{
	return publish(s, NEW);
}

static int begin(struct stage *s)
{
	uint64_t *value;
	void *memory;

	if (EXPECT(s, ilk_snapshot_begin(&snapshot, &memory), 0) < 0)
		return -1;
	value = memory;
	for (int i = 0; i < WORDS; i++)
		if (expect(s, "a word of what is to be changed", (int)value[i], OLD) < 0)
			return -1;
	fill(value, NEW);
	return 0;
}

static int commit(struct stage *s)
{
	return EXPECT(s, ilk_snapshot_commit(&snapshot, NULL), 0);
}

static int abort_it(struct stage *s)
{
	return EXPECT(s, ilk_snapshot_abort(&snapshot), 0);
}

static int attach_and_lock(struct stage *s)
{
	return attach(s) < 0 ? -1 : EXPECT(s, ilk_mutex_lock(mine.mutex), 0);
}

static int attach_and_begin(struct stage *s)
{
	return attach(s) < 0 ? -1 : begin(s);
}

/* A whole value; its version. -1 */
static long read_whole(struct stage *s)
{
	uint64_t value[WORDS], version = 0;

	if (EXPECT(s, ilk_snapshot_read(&snapshot, value, &version), 0) < 0)
		return -1;
	for (int i = 0; i < WORDS; i++)
		if (value[i] != version)
			return fail(s, "word %d of version %lu is %lu", i, version, value[i]);
	return (long)version;
}

static int read_old(struct stage *s)
{
	return expect(s, "the version read", (int)read_whole(s), OLD);
}

static int wait_in_vain(struct stage *s)
{
	return EXPECT(s, ilk_snapshot_wait_until(&snapshot, OLD, ILK_FOREVER, NULL), -ETIMEDOUT);
}

/* ---- the partner ---- */

/* Who is waited for holds the mutex. */
static int is_victim_dead(struct stage *s)
{
	struct ilk_mutex_owner owner;

	return EXPECT(s, ilk_mutex_owner(mine.mutex, &owner), 0) < 0 ||
	       owner.holder == ILK_HELD_BY_DEAD;
}

/* Waits, as long as there is somebody to wait for. Outcome: was the new version published? */
static int wait_for_new(struct stage *s)
{
	uint64_t version = OLD;
	int rc, dead;

	do {
		dead = is_victim_dead(s);
		rc = ilk_snapshot_wait_until(
			&snapshot, OLD, ilk_after_ms(dead ? 0 : PATIENCE_MS), &version);
	} while (rc == -ETIMEDOUT && !dead && !s->reference);
	if (rc != 0 && rc != -ETIMEDOUT)
		return expect(s, "ilk_snapshot_wait_until", rc, 0);
	s->board->outcome = rc == 0;
	return expect(s, "the version waited for", (int)version, rc == 0 ? NEW : OLD);
}

/* ---- the survivors ---- */

/* Outcome: was the victim's there? */
static int recover(struct stage *s)
{
	long version = read_whole(s);

	if (version < 0)
		return -1;
	if (s->first)
		s->board->outcome = version == NEW;
	return change(s);
}

static int check(struct stage *s)
{
	for (int i = 0; i < ROUNDS; i++)
		if (read_whole(s) < 0 || change(s) < 0)
			return -1;
	return 0;
}

static int audit(struct stage *s)
{
	long version = read_whole(s);

	if (version < 0)
		return -1;
	if (!s->second && s->board->outcome != NO_OUTCOME &&
		expect(s, "the number of versions", (int)version,
			OLD + (int)s->board->outcome + 2 * (ROUNDS + 1)) < 0)
		return -1;
	return EXPECT(s, ilk_segment_valid(mine.segment), 0);
}

#define SNAPSHOT_ROLES                                                                            \
	.found = found, .attach = attach, .look = scene_look, .recover = recover, .check = check, \
	.audit = audit

/* ---- rows ---- */

const struct operation snapshot_publish_row = {
	.name = "snapshot_publish",
	.what = "publishes a value",
	SNAPSHOT_ROLES,
	.prepare = attach,
	.operate = publish_new,
	.before = 0,
	.after = 1,
};

const struct operation snapshot_publish_waited_row = {
	.name = "snapshot_publish_waited",
	.what = "publishes a value that another sleeps for",
	SNAPSHOT_ROLES,
	.part = PART_SLEEPS,
	.partner_after = wait_for_new,
	.prepare = attach_and_lock,
	.operate = publish_new,
	.before = 0,
	.after = 1,
};

const struct operation snapshot_begin_row = {
	.name = "snapshot_begin",
	.what = "begins a change, and makes it",
	SNAPSHOT_ROLES,
	.prepare = attach,
	.operate = begin,
	.before = 0,
	.after = 0,
};

const struct operation snapshot_begin_again_row = {
	.name = "snapshot_begin_again",
	.what = "begins a change where the latest value is staged",
	.setting = &staged,
	SNAPSHOT_ROLES,
	.prepare = attach,
	.operate = begin,
	.before = 0,
	.after = 0,
};

const struct operation snapshot_commit_row = {
	.name = "snapshot_commit",
	.what = "commits a change",
	SNAPSHOT_ROLES,
	.prepare = attach_and_begin,
	.operate = commit,
	.before = 0,
	.after = 1,
};

const struct operation snapshot_abort_row = {
	.name = "snapshot_abort",
	.what = "takes a change back",
	SNAPSHOT_ROLES,
	.prepare = attach_and_begin,
	.operate = abort_it,
	.before = 0,
	.after = 0,
};

const struct operation snapshot_read_row = {
	.name = "snapshot_read",
	.what = "reads the latest value",
	SNAPSHOT_ROLES,
	.prepare = attach,
	.operate = read_old,
	.before = 0,
	.after = 0,
};

const struct operation snapshot_asleep_row = {
	.name = "snapshot_asleep",
	.what = "waits for a later version, up to its sleep",
	SNAPSHOT_ROLES,
	.prepare = attach,
	.operate = wait_in_vain,
	.before = 0,
	.after = 0,
	.flags = ENDS_ASLEEP,
};
