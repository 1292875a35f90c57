/* scenarios_barrier.c - arriving, attaching, detaching, breaking, mending, going on without the dead. */
#include "barrier_scene.h"
#include "scenarios.h"

static const struct barrier_kind plain = {.setting = {.processes = 8, .threads = 8}};
static const struct barrier_kind shrinking = {
	.setting = {.processes = 8, .threads = 8}, .flags = ILK_BARRIER_SHRINK};
static const struct barrier_kind single = {
	.setting = {.processes = 8, .threads = 8}, .flags = ILK_BARRIER_SHRINK, .parties = 1};

#define BARRIER_ROLES                                                           \
	.found = barrier_found, .attach = barrier_attach, .look = barrier_look, \
	.recover = barrier_recover, .check = barrier_check, .audit = barrier_audit

/* ---- rows ---- */

const struct operation barrier_attach_row = {
	.name = "barrier_attach",
	.what = "becomes a member of a barrier",
	.setting = &plain,
	BARRIER_ROLES,
	.prepare = barrier_attach,
	.operate = barrier_join,
	.before = 1,
	.after = 0,
};

const struct operation barrier_attach_dead_row = {
	.name = "barrier_attach_dead",
	.what = "takes the place of a dead member",
	.setting = &single,
	BARRIER_ROLES,
	.part = PART_DIES,
	.partner = barrier_member,
	.prepare = barrier_attach,
	.operate = barrier_join,
	.before = 1,
	.after = 1,
};

const struct operation barrier_detach_row = {
	.name = "barrier_detach",
	.what = "leaves a barrier in which another sleeps",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_SLEEPS,
	.partner_after = barrier_wait_and_tell,
	.prepare = barrier_attach_and_join,
	.operate = barrier_leave,
	.before = 0,
	.after = 1,
};

const struct operation barrier_last_row = {
	.name = "barrier_last",
	.what = "arrives as the last, another sleeps",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_SLEEPS,
	.partner_after = barrier_wait_and_tell,
	.prepare = barrier_attach_and_join,
	.operate = barrier_cross,
	.before = 0,
	.after = 1,
};

const struct operation barrier_first_row = {
	.name = "barrier_first",
	.what = "arrives as the first, up to its sleep",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_HOLDS,
	.partner = barrier_member,
	.partner_after = barrier_wait_and_tell,
	.prepare = barrier_attach_and_join,
	.operate = barrier_cross,
	.before = 0,
	.after = 1,
	.flags = ENDS_ASLEEP,
};

const struct operation barrier_woken_row = {
	.name = "barrier_woken",
	.what = "is woken when the last arrives",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_HOLDS,
	.partner = barrier_member,
	.partner_after = barrier_wait_and_tell,
	.prepare = barrier_attach_and_join,
	.operate = barrier_cross,
	.before = 1,
	.after = 1,
	.flags = FROM_SLEEP | WOKEN,
};

const struct operation barrier_timeout_row = {
	.name = "barrier_timeout",
	.what = "arrives, is out of time, and breaks it",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_HOLDS,
	.partner = barrier_member,
	.partner_after = barrier_wait_and_tell,
	.prepare = barrier_attach_and_join,
	.operate = barrier_time_out,
	/* First a death before it arrives, then one after that, then a time-out. */
	.before = NO_OUTCOME,
};

const struct operation barrier_abort_row = {
	.name = "barrier_abort",
	.what = "aborts, another sleeps",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_SLEEPS,
	.partner_after = barrier_wait_and_tell,
	.prepare = barrier_attach_and_join,
	.operate = barrier_abort_it,
	.before = 0,
	.after = 2,
};

const struct operation barrier_break_row = {
	.name = "barrier_break",
	.what = "finds a member dead, and breaks it",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_DIES,
	.partner = barrier_join,
	.prepare = barrier_attach_as_member,
	.operate = barrier_find_it_broken,
	.before = 0,
	.after = 0,
};

const struct operation barrier_reset_row = {
	.name = "barrier_reset",
	.what = "mends a barrier with a dead member",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_DIES,
	.partner = barrier_join,
	.prepare = barrier_attach_to_a_broken_one,
	.operate = barrier_reset,
	.before = 0,
	.after = 1,
};

const struct operation barrier_shrink_last_row = {
	.name = "barrier_shrink_last",
	.what = "arrives as the last where the dead are not waited for",
	.setting = &shrinking,
	BARRIER_ROLES,
	.part = PART_SLEEPS,
	.partner_after = barrier_wait_and_tell,
	.prepare = barrier_attach_and_join,
	.operate = barrier_cross,
	.before = 1,
	.after = 1,
};

const struct operation barrier_shrink_drop_row = {
	.name = "barrier_shrink_drop",
	.what = "goes on without a dead member",
	.setting = &shrinking,
	BARRIER_ROLES,
	.part = PART_DIES,
	.partner = barrier_member,
	.prepare = barrier_attach_and_join,
	.operate = barrier_pass_the_dead,
	.before = 1,
	.after = 1,
};
