/*
 * scenarios_barrier.c - arriving, attaching, detaching, breaking, mending, going on without the dead.
 *
 * A member that dies before it has arrived is a loss that its partner must be told of, by name; after
 * it, the partner passes. Whoever survives can mend the barrier and use it.
 */
#include "scenarios.h"
#include "scene.h"
#include "sync/barrier.h"
#include <errno.h>
#include <sched.h>
#include <unistd.h>

enum { PHASES = 30 };

struct kind {
	struct setting setting; /* first: a row's `setting` is this */
	unsigned flags, parties;
};

static const struct kind plain = {.setting = {.processes = 8, .threads = 8}};
static const struct kind shrinking = {
	.setting = {.processes = 8, .threads = 8}, .flags = ILK_BARRIER_SHRINK};
static const struct kind single = {
	.setting = {.processes = 8, .threads = 8}, .flags = ILK_BARRIER_SHRINK, .parties = 1};

/* Beside the barrier. */
struct fate {
	int64_t lost; /* pid of the member that is lost */
	uint64_t elected, crossed;
};

static struct ilk_barrier *barrier;
static struct fate *fate;

static const struct kind *kind_of(const struct stage *s)
{
	return s->operation->setting;
}

static int open_barrier(struct stage *s)
{
	const struct ilk_barrier_options options = {
		.size = sizeof options, .flags = kind_of(s)->flags, .parties = kind_of(s)->parties};
	void *block;

	/* Whoever is stepped yields for long; where it is not, it must take the same way. */
	ilk_barrier_long_yield_ns_ = INT64_MAX;
	if (EXPECT(s, ilk_barrier_open(mine.segment, "barrier", &options, &barrier), 0) < 0)
		return -1;
	if (EXPECT(s, ilk_block_open(mine.segment, "fate", sizeof *fate, &block), 0) < 0)
		return -1;
	fate = block;
	return 0;
}

static int found(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : open_barrier(s);
}

static int attach(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_barrier(s);
}

/* ---- the victim, or who dies before it ---- */

static int join(struct stage *s)
{
	fate->lost = getpid();
	return EXPECT(s, ilk_barrier_attach(barrier), 0);
}

static int member(struct stage *s)
{
	return EXPECT(s, ilk_barrier_attach(barrier), 0);
}

static int attach_and_join(struct stage *s)
{
	return attach(s) < 0 ? -1 : join(s);
}

/* Waits, and passes. */
static int cross(struct stage *s)
{
	int rc = ilk_barrier_wait(barrier);

	return rc == 0 || rc == ILK_ELECTED ? 0 : expect(s, "ilk_barrier_wait", rc, 0);
}

static int leave(struct stage *s)
{
	return EXPECT(s, ilk_barrier_detach(barrier), 0);
}

static int time_out(struct stage *s)
{
	return EXPECT(s, ilk_barrier_wait_until(barrier, ILK_NOW), -ETIMEDOUT);
}

static int abort_it(struct stage *s)
{
	return EXPECT(s, ilk_barrier_abort(barrier), 0);
}

static int reset(struct stage *s)
{
	return EXPECT(s, ilk_barrier_reset(barrier), 0);
}

static int find_it_broken(struct stage *s)
{
	return EXPECT(s, ilk_barrier_wait_until(barrier, ILK_NOW), -EPIPE);
}

static int pass_the_dead(struct stage *s)
{
	return EXPECT(s, ilk_barrier_wait_until(barrier, ILK_NOW), ILK_ELECTED);
}

static int attach_as_member(struct stage *s)
{
	return attach(s) < 0 ? -1 : member(s);
}

/* No member itself, and a barrier that the partner's death has broken. */
static int attach_to_a_broken_one(struct stage *s)
{
	if (attach_as_member(s) < 0)
		return -1;
	return find_it_broken(s) < 0 ? -1 : leave(s);
}

/* ---- the partner, and what it is told ---- */

/* Is the loss the one there was? */
static int name_the_lost(struct stage *s, const struct ilk_barrier_status *status)
{
	if (status->cause == ILK_BARRIER_DEATH && status->pid != fate->lost)
		return fail(s, "%d is called dead, and it was %ld", status->pid, fate->lost);
	return 0;
}

/* Waits; outcome: 1 it passed, 0 it was told that somebody died, 2 of a time-out or an abort. */
static int wait_and_tell(struct stage *s)
{
	int rc = ilk_barrier_wait(barrier);
	struct ilk_barrier_status status;

	s->board->outcome = 1;
	if (EXPECT(s, ilk_barrier_status(barrier, &status), 0) < 0)
		return -1;
	if (rc == -EPIPE)
		s->board->outcome = status.cause == ILK_BARRIER_DEATH ? 0 : 2;
	else if (rc != 0 && rc != ILK_ELECTED)
		return expect(s, "ilk_barrier_wait", rc, -EPIPE);
	if (name_the_lost(s, &status) < 0)
		return -1;
	return leave(s);
}

/* ---- the survivors ---- */

static int look(struct stage *s)
{
	struct ilk_barrier_status status;

	if (EXPECT(s, ilk_barrier_status(barrier, &status), 0) < 0)
		return -1;
	if (s->operation->part == PART_NONE || s->operation->part == PART_DIES)
		s->board->outcome = status.cause == ILK_BARRIER_WHOLE;
	if (!s->second && name_the_lost(s, &status) < 0)
		return -1;
	return scene_look(s);
}

/* Takes a place, if need be when it is let go. */
static int take_place(struct stage *s)
{
	int rc;

	while ((rc = ilk_barrier_attach(barrier)) == -EUSERS)
		sched_yield();
	return expect(s, "ilk_barrier_attach", rc, 0);
}

/* Mends it, and crosses it: the dead are not waited for. */
static int recover(struct stage *s)
{
	struct ilk_barrier_status status;

	if (reset(s) < 0 || EXPECT(s, ilk_barrier_status(barrier, &status), 0) < 0)
		return -1;
	if (status.cause != ILK_BARRIER_WHOLE)
		return fail(s, "it is broken still, by %d", status.cause);
	if (take_place(s) < 0 || cross(s) < 0)
		return -1;
	return leave(s);
}

/* Until both survivors are in it: the first would pass alone. */
static int await_both(struct stage *s)
{
	struct ilk_barrier_status status = {.members = 0};

	while (status.members < 2) {
		if (EXPECT(s, ilk_barrier_status(barrier, &status), 0) < 0)
			return -1;
		sched_yield();
	}
	return 0;
}

static int cross_together(struct stage *s)
{
	for (int i = 0; i < PHASES; i++) {
		int rc = ilk_barrier_wait(barrier);

		if (rc != 0 && rc != ILK_ELECTED)
			return expect(s, "ilk_barrier_wait", rc, 0);
		ilk_add_full_(&fate->elected, (uint64_t)(rc == ILK_ELECTED));
		ilk_add_full_(&fate->crossed, UINT64_C(1));
	}
	return 0;
}

static int check(struct stage *s)
{
	if (kind_of(s)->parties == 1)
		return take_place(s) < 0 || cross(s) < 0 ? -1 : leave(s);
	if (take_place(s) < 0 || await_both(s) < 0 || cross_together(s) < 0)
		return -1;
	return leave(s);
}

static int audit(struct stage *s)
{
	struct ilk_barrier_status status;

	if (EXPECT(s, ilk_barrier_status(barrier, &status), 0) < 0)
		return -1;
	if (status.cause != ILK_BARRIER_WHOLE || status.members != 0)
		return fail(
			s, "at the end it has %u members, cause %d", status.members, status.cause);
	if (kind_of(s)->parties != 1 && (fate->elected != PHASES || fate->crossed != 2 * PHASES))
		return fail(s, "%lu elected in %lu crossings", fate->elected, fate->crossed);
	return EXPECT(s, ilk_segment_valid(mine.segment), 0);
}

#define BARRIER_ROLES                                                                       \
	.found = found, .attach = attach, .look = look, .recover = recover, .check = check, \
	.audit = audit

/* ---- rows ---- */

const struct operation barrier_attach_row = {
	.name = "barrier_attach",
	.what = "becomes a member of a barrier",
	.setting = &plain,
	BARRIER_ROLES,
	.prepare = attach,
	.operate = join,
	.before = 1,
	.after = 0,
};

const struct operation barrier_attach_dead_row = {
	.name = "barrier_attach_dead",
	.what = "takes the place of a dead member",
	.setting = &single,
	BARRIER_ROLES,
	.part = PART_DIES,
	.partner = member,
	.prepare = attach,
	.operate = join,
	.before = 1,
	.after = 1,
};

const struct operation barrier_detach_row = {
	.name = "barrier_detach",
	.what = "leaves a barrier in which another sleeps",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_SLEEPS,
	.partner_after = wait_and_tell,
	.prepare = attach_and_join,
	.operate = leave,
	.before = 0,
	.after = 1,
};

const struct operation barrier_last_row = {
	.name = "barrier_last",
	.what = "arrives as the last, another sleeps",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_SLEEPS,
	.partner_after = wait_and_tell,
	.prepare = attach_and_join,
	.operate = cross,
	.before = 0,
	.after = 1,
};

const struct operation barrier_first_row = {
	.name = "barrier_first",
	.what = "arrives as the first, up to its sleep",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_HOLDS,
	.partner = member,
	.partner_after = wait_and_tell,
	.prepare = attach_and_join,
	.operate = cross,
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
	.partner = member,
	.partner_after = wait_and_tell,
	.prepare = attach_and_join,
	.operate = cross,
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
	.partner = member,
	.partner_after = wait_and_tell,
	.prepare = attach_and_join,
	.operate = time_out,
	/* First a death before it arrives, then one after that, then a time-out. */
	.before = NO_OUTCOME,
};

const struct operation barrier_abort_row = {
	.name = "barrier_abort",
	.what = "aborts, another sleeps",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_SLEEPS,
	.partner_after = wait_and_tell,
	.prepare = attach_and_join,
	.operate = abort_it,
	.before = 0,
	.after = 2,
};

const struct operation barrier_break_row = {
	.name = "barrier_break",
	.what = "finds a member dead, and breaks it",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_DIES,
	.partner = join,
	.prepare = attach_as_member,
	.operate = find_it_broken,
	.before = 0,
	.after = 0,
};

const struct operation barrier_reset_row = {
	.name = "barrier_reset",
	.what = "mends a barrier with a dead member",
	.setting = &plain,
	BARRIER_ROLES,
	.part = PART_DIES,
	.partner = join,
	.prepare = attach_to_a_broken_one,
	.operate = reset,
	.before = 0,
	.after = 1,
};

const struct operation barrier_shrink_last_row = {
	.name = "barrier_shrink_last",
	.what = "arrives as the last where the dead are not waited for",
	.setting = &shrinking,
	BARRIER_ROLES,
	.part = PART_SLEEPS,
	.partner_after = wait_and_tell,
	.prepare = attach_and_join,
	.operate = cross,
	.before = 1,
	.after = 1,
};

const struct operation barrier_shrink_drop_row = {
	.name = "barrier_shrink_drop",
	.what = "goes on without a dead member",
	.setting = &shrinking,
	BARRIER_ROLES,
	.part = PART_DIES,
	.partner = member,
	.prepare = attach_and_join,
	.operate = pass_the_dead,
	.before = 1,
	.after = 1,
};
