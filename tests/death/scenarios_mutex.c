/* scenarios_mutex.c - the mutex: taking it, letting it go, waiting for it, finding it orphaned. */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>

enum { TIMEOUT_MS = 18 };

static const struct setting recursive = {
	.processes = 8, .threads = 8, .mutex_flags = ILK_MUTEX_RECURSIVE};

/* ---- parts ---- */

static int lock(struct stage *s)
{
	return EXPECT(s, ilk_mutex_lock(mine.mutex), 0);
}

static int unlock(struct stage *s)
{
	return EXPECT(s, ilk_mutex_unlock(mine.mutex), 0);
}

static int recover(struct stage *s)
{
	return EXPECT(s, ilk_mutex_lock(mine.mutex), ILK_RECOVERED);
}

static int repaired(struct stage *s)
{
	return EXPECT(s, ilk_mutex_repaired(mine.mutex), 0);
}

static int attach_and_lock(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : lock(s);
}

/* Warm: this thread has locked it before. */
static int attach_warm(struct stage *s)
{
	return attach_and_lock(s) < 0 ? -1 : unlock(s);
}

/* So that what follows takes the shortest way. */
static int attach_warm_and_lock(struct stage *s)
{
	return attach_warm(s) < 0 ? -1 : lock(s);
}

static int attach_and_lock_twice(struct stage *s)
{
	return attach_and_lock(s) < 0 ? -1 : lock(s);
}

static int attach_and_lock_again(struct stage *s)
{
	return attach_and_lock_twice(s) < 0 ? -1 : unlock(s);
}

static int found_and_lock(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : lock(s);
}

static int attach_and_recover(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : recover(s);
}

static int attach_and_repair(struct stage *s)
{
	return attach_and_recover(s) < 0 ? -1 : repaired(s);
}

static int change_guarded(struct stage *s)
{
	if (lock(s) < 0 || scene_change(s, 0) < 0)
		return -1;
	return unlock(s);
}

static int lock_in_time(struct stage *s)
{
	ilk_time until = ilk_after_ms(TIMEOUT_MS);

	return EXPECT(s, ilk_mutex_lock_until(mine.mutex, until), -ETIMEDOUT);
}

#define MUTEX_ROLES                                                       \
	.found = scene_found, .attach = scene_attach, .look = scene_look, \
	.recover = scene_recover, .check = scene_check, .audit = scene_audit

/* The partner holds it until the victim is dead, or asleep. */
#define HELD_BY_PARTNER .part = PART_HOLDS, .partner = lock, .partner_after = unlock
/* The partner died holding it. */
#define LEFT_BY_PARTNER .part = PART_DIES, .partner = lock

static int repair(struct stage *s)
{
	return EXPECT(s, ilk_object_repair(mine.segment, "mutex"), ILK_RECOVERED);
}

/* ---- rows ---- */

const struct operation mutex_lock_row = {
	.name = "mutex_lock",
	.what = "takes a free mutex",
	MUTEX_ROLES,
	.prepare = attach_warm,
	.operate = lock,
	.before = 0,
	.after = 1,
};

const struct operation mutex_unlock_row = {
	.name = "mutex_unlock",
	.what = "lets a mutex go that nobody waits for",
	MUTEX_ROLES,
	.prepare = attach_warm_and_lock,
	.operate = unlock,
	.before = 1,
	.after = 0,
};

const struct operation mutex_unlock_first_row = {
	.name = "mutex_unlock_first",
	.what = "lets a mutex go that it took as its thread's first call",
	MUTEX_ROLES,
	.prepare = attach_and_lock,
	.operate = unlock,
	.before = 1,
	.after = 0,
};

const struct operation mutex_section_row = {
	.name = "mutex_section",
	.what = "locks, changes two words, unlocks",
	MUTEX_ROLES,
	.prepare = attach_warm,
	.operate = change_guarded,
	.before = NO_OUTCOME,
};

const struct operation mutex_unlock_waited_row = {
	.name = "mutex_unlock_waited",
	.what = "lets a mutex go that another sleeps for",
	MUTEX_ROLES,
	.part = PART_SLEEPS,
	.partner_after = scene_recover,
	.prepare = attach_warm_and_lock,
	.operate = unlock,
	.before = 1,
	.after = 0,
};

const struct operation mutex_asleep_row = {
	.name = "mutex_lock_asleep",
	.what = "waits for a held mutex, up to its sleep",
	MUTEX_ROLES,
	HELD_BY_PARTNER,
	.prepare = scene_join,
	.operate = lock,
	.before = 0,
	.after = 0,
	.flags = ENDS_ASLEEP,
};

const struct operation mutex_woken_row = {
	.name = "mutex_lock_woken",
	.what = "is woken, and takes the mutex",
	MUTEX_ROLES,
	HELD_BY_PARTNER,
	.prepare = scene_join,
	.operate = lock,
	.before = 0,
	.after = 1,
	.flags = FROM_SLEEP | WOKEN,
};

const struct operation mutex_woken_first_row = {
	.name = "mutex_lock_woken_first",
	.what = "is woken, and takes the mutex that another sleeps for, too",
	.found = found_and_lock,
	.attach = scene_attach,
	.look = scene_look,
	.recover = scene_recover,
	.check = scene_check,
	.audit = scene_audit,
	.part = PART_SLEEPS_TOO,
	.partner_after = scene_recover,
	.release = unlock,
	.prepare = scene_join,
	.operate = lock,
	.before = 0,
	.after = 1,
	.flags = FROM_SLEEP | WOKEN,
};

const struct operation mutex_timeout_row = {
	.name = "mutex_lock_timeout",
	.what = "gives up waiting for a held mutex",
	MUTEX_ROLES,
	HELD_BY_PARTNER,
	.prepare = scene_join,
	.operate = lock_in_time,
	.before = 0,
	.after = 0,
	.flags = FROM_SLEEP,
};

const struct operation mutex_relock_row = {
	.name = "mutex_relock",
	.what = "takes a recursive mutex that it holds",
	.setting = &recursive,
	MUTEX_ROLES,
	.prepare = attach_and_lock,
	.operate = lock,
	.before = 1,
	.after = 1,
};

const struct operation mutex_unlock_inner_row = {
	.name = "mutex_unlock_inner",
	.what = "lets a recursive mutex go once of twice",
	.setting = &recursive,
	MUTEX_ROLES,
	.prepare = attach_and_lock_twice,
	.operate = unlock,
	.before = 1,
	.after = 1,
};

const struct operation mutex_unlock_outer_row = {
	.name = "mutex_unlock_outer",
	.what = "lets a recursive mutex go for good",
	.setting = &recursive,
	MUTEX_ROLES,
	.prepare = attach_and_lock_again,
	.operate = unlock,
	.before = 1,
	.after = 0,
};

const struct operation mutex_recover_row = {
	.name = "mutex_recover",
	.what = "takes a mutex whose owner is dead",
	MUTEX_ROLES,
	LEFT_BY_PARTNER,
	.prepare = scene_join,
	.operate = recover,
	.before = 1,
	.after = 1,
};

const struct operation mutex_repaired_row = {
	.name = "mutex_repaired",
	.what = "says that the data is right again",
	MUTEX_ROLES,
	LEFT_BY_PARTNER,
	.prepare = attach_and_recover,
	.operate = repaired,
	.before = 1,
	.after = 1,
};

const struct operation mutex_unlock_damaged_row = {
	.name = "mutex_unlock_damaged",
	.what = "lets a mutex go without having put things right",
	MUTEX_ROLES,
	LEFT_BY_PARTNER,
	.prepare = attach_and_recover,
	.operate = unlock,
	.before = 1,
	.after = 1,
};

const struct operation mutex_unlock_repaired_row = {
	.name = "mutex_unlock_repaired",
	.what = "lets a mutex go after having put things right",
	MUTEX_ROLES,
	LEFT_BY_PARTNER,
	.prepare = attach_and_repair,
	.operate = unlock,
	.before = 1,
	.after = 0,
};

const struct operation object_repair_row = {
	.name = "object_repair",
	.what = "repairs a mutex whose owner died, by its name",
	MUTEX_ROLES,
	LEFT_BY_PARTNER,
	.prepare = scene_join,
	.operate = repair,
	.before = 1,
	.after = 1,
};
