/*
 * scenarios_rwlock.c - the rwlock: reading, writing, waiting for both, downgrading, finding it
 * orphaned.
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>

enum { TIMEOUT_MS = 18, READS_TO_WARM_UP = 3 };

/* The rows of this setting have a lock with cells. */
static const struct setting with_cells = {.processes = 8, .threads = 8};

static struct ilk_rwlock *lock; /* this process's view */

/* ---- parts ---- */

static int objects(struct stage *s)
{
	struct ilk_rwlock_options options = {.size = sizeof options,
		.flags = scene_setting(s) == &with_cells ? ILK_RWLOCK_WRITES : 0};

	return EXPECT(s, ilk_rwlock_open(mine.segment, "rwlock", &options, &lock), 0);
}

static int found(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : objects(s);
}

static int attach(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : objects(s);
}

/* With an identity. */
static int join(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : objects(s);
}

static int reads(struct stage *s)
{
	return EXPECT(s, ilk_rwlock_read(lock), 0);
}

static int writes(struct stage *s)
{
	return EXPECT(s, ilk_rwlock_write(lock), 0);
}

static int unlock(struct stage *s)
{
	return EXPECT(s, ilk_rwlock_unlock(lock), 0);
}

static int downgrade(struct stage *s)
{
	return EXPECT(s, ilk_rwlock_downgrade(lock), 0);
}

static int recovers(struct stage *s)
{
	return EXPECT(s, ilk_rwlock_write(lock), ILK_RECOVERED);
}

static int repaired(struct stage *s)
{
	return EXPECT(s, ilk_rwlock_repaired(lock), 0);
}

static int reads_in_time(struct stage *s)
{
	return EXPECT(s, ilk_rwlock_read_until(lock, ilk_after_ms(TIMEOUT_MS)), -ETIMEDOUT);
}

static int writes_in_time(struct stage *s)
{
	return EXPECT(s, ilk_rwlock_write_until(lock, ilk_after_ms(TIMEOUT_MS)), -ETIMEDOUT);
}

static int tries_to_write(struct stage *s)
{
	return EXPECT(s, ilk_rwlock_try_write(lock), -EBUSY);
}

static int writes_both(struct stage *s)
{
	if (writes(s) < 0 || scene_change(s, 0) < 0)
		return -1;
	return unlock(s);
}

/* Reads, after a write that revoked the bias: so the next writer needs no handshake for that. */
static int comes_to_read(struct stage *s)
{
	if (reads(s) < 0 || unlock(s) < 0 || writes(s) < 0)
		return -1;
	return downgrade(s);
}

/* ---- before the marker ---- */

/* This thread has read it before, in peace: the lock is biased. */
static int warm(struct stage *s)
{
	if (join(s) < 0)
		return -1;
	for (int i = 0; i < READS_TO_WARM_UP; i++)
		if (reads(s) < 0 || unlock(s) < 0)
			return -1;
	return 0;
}

static int warm_and_read(struct stage *s)
{
	return warm(s) < 0 ? -1 : reads(s);
}

static int warm_and_read_twice(struct stage *s)
{
	return warm_and_read(s) < 0 ? -1 : reads(s);
}

/* The bias was revoked: reads need a fence. */
static int after_a_write(struct stage *s)
{
	return warm(s) < 0 || writes(s) < 0 ? -1 : unlock(s);
}

static int after_a_write_and_a_read(struct stage *s)
{
	return after_a_write(s) < 0 || reads(s) < 0 ? -1 : unlock(s);
}

static int join_and_write(struct stage *s)
{
	return join(s) < 0 ? -1 : writes(s);
}

static int join_and_recover(struct stage *s)
{
	return join(s) < 0 ? -1 : recovers(s);
}

static int join_and_repair(struct stage *s)
{
	return join_and_recover(s) < 0 ? -1 : repaired(s);
}

/* ---- survivors ---- */

static int is_whole(struct stage *s)
{
	if (mine.guarded->a != mine.guarded->b)
		return fail(s, "0 from read, but the data is half-done");
	return 0;
}

/* Reads; where that is told of a death, the next writer must be. */
static int look_in(struct stage *s, int *told)
{
	int rc = ilk_rwlock_read(lock);

	if (rc != 0 && rc != ILK_RECOVERED)
		return expect(s, "ilk_rwlock_read", rc, ILK_RECOVERED);
	*told = rc == ILK_RECOVERED;
	if (!*told && is_whole(s) < 0)
		return -1;
	return unlock(s);
}

/* Reads, writes, puts right what is to be, unlocks. Outcome: told of a death? */
static int recover(struct stage *s)
{
	int rc, told, foretold = 0;

	if (s->first && look_in(s, &foretold) < 0)
		return -1;
	rc = ilk_rwlock_write(lock);
	if (rc != 0 && rc != ILK_RECOVERED)
		return expect(s, "ilk_rwlock_write", rc, ILK_RECOVERED);
	told = rc == ILK_RECOVERED;
	if (s->first && told != foretold)
		return fail(s, "write gave %d, after read spoke of %d", told, foretold);
	if (told || s->board->outcome == NO_OUTCOME)
		s->board->outcome = told;
	if (scene_change(s, told) < 0 || (told && repaired(s) < 0))
		return -1;
	return unlock(s);
}

/* A partner who only reads. */
static int read_and_unlock(struct stage *s)
{
	int told;

	return look_in(s, &told);
}

static int check(struct stage *s)
{
	for (int i = 0; i < SCENE_ROUNDS; i++) {
		if (writes(s) < 0 || scene_change(s, 0) < 0)
			return -1;
		mine.guarded->entries++;
		if ((i % 2 && downgrade(s) < 0) || unlock(s) < 0)
			return -1;
		if (reads(s) < 0 || is_whole(s) < 0 || unlock(s) < 0)
			return -1;
	}
	return 0;
}

#define RWLOCK_ROLES                                                                              \
	.found = found, .attach = attach, .look = scene_look, .recover = recover, .check = check, \
	.audit = scene_audit

#define READ_BY_PARTNER .part = PART_HOLDS, .partner = reads, .partner_after = unlock
#define WRITTEN_BY_PARTNER .part = PART_HOLDS, .partner = writes, .partner_after = unlock
/* The partner died writing. */
#define LEFT_BY_PARTNER .part = PART_DIES, .partner = writes
#define WRITER_SLEEPS .part = PART_SLEEPS, .partner_after = recover
#define READER_SLEEPS .part = PART_SLEEPS, .partner_after = read_and_unlock

/* A row: what the victim does before and behind the marker, and what is told of its death there. */
#define ROW(row, text, prepares, operates, told_before, told_after, ...)     \
	const struct operation rwlock_##row##_row = {.name = "rwlock_" #row, \
		.what = text,                                                \
		RWLOCK_ROLES,                                                \
		.prepare = prepares,                                         \
		.operate = operates,                                         \
		.before = told_before,                                       \
		.after = told_after,                                         \
		__VA_ARGS__}

/* ---- rows ---- */

ROW(read, "reads, as before", warm, reads, 0, 0, );
ROW(read_first, "reads as its thread's first call", attach, reads, 0, 0, );
ROW(read_after_write, "reads after a write, with a fence", after_a_write, reads, 0, 0, );
ROW(read_fenced, "reads some time after a write", after_a_write_and_a_read, reads, 0, 0, );
ROW(read_again, "reads what it reads", warm_and_read, reads, 0, 0, );
ROW(read_cell, "reads from a cell", warm, reads, 0, 0, .setting = &with_cells);
ROW(unlock_read, "has read", warm_and_read, unlock, 0, 0, );
ROW(unlock_read_inner, "has read once of twice", warm_and_read_twice, unlock, 0, 0, );
ROW(unlock_cell, "has read from a cell", warm_and_read, unlock, 0, 0, .setting = &with_cells);
ROW(unlock_read_waited, "has read, and a writer sleeps", warm_and_read, unlock, 0, 0,
	WRITER_SLEEPS);
ROW(read_asleep, "waits for a writer, up to its sleep", join, reads, 0, 0, WRITTEN_BY_PARTNER,
	.flags = ENDS_ASLEEP);
ROW(read_woken, "is woken, and reads", join, reads, 0, 0, WRITTEN_BY_PARTNER,
	.flags = FROM_SLEEP | WOKEN);
ROW(read_timeout, "gives up waiting for a writer", join, reads_in_time, 0, 0, WRITTEN_BY_PARTNER,
	.flags = FROM_SLEEP);

ROW(write, "writes what nobody has read since the last write", after_a_write, writes, 0, 1, );
ROW(write_biased, "writes what was read in peace", warm, writes, 0, 1, );
ROW(write_fenced, "writes what was read with a fence", after_a_write_and_a_read, writes, 0, 1, );
ROW(write_cells, "writes, having looked into the cells", warm, writes, 0, 1,
	.setting = &with_cells);
ROW(write_asleep, "waits for a reader, up to its sleep", join, writes, 0, 0, READ_BY_PARTNER,
	.flags = ENDS_ASLEEP);
ROW(write_woken, "is woken by a reader, and writes", join, writes, 0, 1, READ_BY_PARTNER,
	.flags = FROM_SLEEP | WOKEN);
ROW(write_cells_woken, "is woken by a reader in a cell, and writes", join, writes, 0, 1,
	READ_BY_PARTNER, .flags = FROM_SLEEP | WOKEN, .setting = &with_cells);
ROW(write_woken_by_writer, "is woken by a writer, and writes", join, writes, 0, 1,
	WRITTEN_BY_PARTNER, .flags = FROM_SLEEP | WOKEN);
ROW(write_timeout, "gives up waiting for a reader", join, writes_in_time, 0, 0, .part = PART_HOLDS,
	.partner = comes_to_read, .partner_after = unlock, .flags = FROM_SLEEP);
ROW(try_write, "tries to write what is read", join, tries_to_write, 0, 0, READ_BY_PARTNER);
ROW(section, "writes, changes two words, unlocks", warm, writes_both, NO_OUTCOME, 0, );
ROW(unlock_write, "has written", join_and_write, unlock, 1, 0, );
ROW(unlock_write_waited, "has written, and a writer sleeps", join_and_write, unlock, 1, 0,
	WRITER_SLEEPS);
ROW(unlock_write_read, "has written, and a reader sleeps", join_and_write, unlock, 1, 0,
	READER_SLEEPS);
ROW(downgrade, "goes from writing to reading", join_and_write, downgrade, 1, 0, );
ROW(downgrade_waited, "goes from writing to reading, and a reader sleeps", join_and_write,
	downgrade, 1, 0, READER_SLEEPS);
ROW(downgrade_cell, "goes from writing to reading from a cell", join_and_write, downgrade, 1, 0,
	.setting = &with_cells);

ROW(recover, "writes what a dead writer left", join, recovers, 1, 1, LEFT_BY_PARTNER);
ROW(repaired, "says that the data is right again", join_and_recover, repaired, 1, 1,
	LEFT_BY_PARTNER);
ROW(unlock_damaged, "has written, and put nothing right", join_and_recover, unlock, 1, 1,
	LEFT_BY_PARTNER);
ROW(unlock_repaired, "has written, and put things right", join_and_repair, unlock, 1, 0,
	LEFT_BY_PARTNER);
