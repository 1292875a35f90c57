/*
 * barrier_scene.c - what the roles do with a barrier.
 *
 * A member that dies before it has arrived is a loss that its partner must be told of, by name; after
 * it, the partner passes. Whoever survives can mend the barrier and use it.
 */
#include "barrier_scene.h"
#include "sync/barrier.h"
#include <errno.h>
#include <sched.h>
#include <unistd.h>

enum { PHASES = 30 };

/* Beside the barrier. */
struct fate {
	int64_t lost; /* pid of the member that is lost */
	uint64_t elected, crossed;
};

static struct ilk_barrier *barrier;
static struct fate *fate;

static const struct barrier_kind *kind_of(const struct stage *s)
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

int barrier_found(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : open_barrier(s);
}

int barrier_attach(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_barrier(s);
}

/* ---- the victim, or who dies before it ---- */

int barrier_join(struct stage *s)
{
	fate->lost = getpid();
	return EXPECT(s, ilk_barrier_attach(barrier), 0);
}

int barrier_member(struct stage *s)
{
	return EXPECT(s, ilk_barrier_attach(barrier), 0);
}

int barrier_attach_and_join(struct stage *s)
{
	return barrier_attach(s) < 0 ? -1 : barrier_join(s);
}

/* Waits, and passes. */
int barrier_cross(struct stage *s)
{
	int rc = ilk_barrier_wait(barrier);

	return rc == 0 || rc == ILK_ELECTED ? 0 : expect(s, "ilk_barrier_wait", rc, 0);
}

int barrier_leave(struct stage *s)
{
	return EXPECT(s, ilk_barrier_detach(barrier), 0);
}

int barrier_time_out(struct stage *s)
{
	return EXPECT(s, ilk_barrier_wait_until(barrier, ILK_NOW), -ETIMEDOUT);
}

int barrier_abort_it(struct stage *s)
{
	return EXPECT(s, ilk_barrier_abort(barrier), 0);
}

int barrier_reset(struct stage *s)
{
	return EXPECT(s, ilk_barrier_reset(barrier), 0);
}

int barrier_find_it_broken(struct stage *s)
{
	return EXPECT(s, ilk_barrier_wait_until(barrier, ILK_NOW), -EPIPE);
}

int barrier_pass_the_dead(struct stage *s)
{
	return EXPECT(s, ilk_barrier_wait_until(barrier, ILK_NOW), ILK_ELECTED);
}

int barrier_attach_as_member(struct stage *s)
{
	return barrier_attach(s) < 0 ? -1 : barrier_member(s);
}

/* No member itself, and a barrier that the partner's death has broken. */
int barrier_attach_to_a_broken_one(struct stage *s)
{
	if (barrier_attach_as_member(s) < 0)
		return -1;
	return barrier_find_it_broken(s) < 0 ? -1 : barrier_leave(s);
}

/* ---- the partner, and what it is told ---- */

/* Is the loss the one there was? */
static int name_the_lost(struct stage *s, const struct ilk_barrier_status *status)
{
	if (status->cause == ILK_BARRIER_DEATH && status->pid != fate->lost)
		return fail(s, "%d is called dead, and it was %ld", status->pid, fate->lost);
	return 0;
}

int barrier_wait_and_tell(struct stage *s)
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
	return barrier_leave(s);
}

/* ---- the survivors ---- */

int barrier_look(struct stage *s)
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
int barrier_recover(struct stage *s)
{
	struct ilk_barrier_status status;

	if (barrier_reset(s) < 0 || EXPECT(s, ilk_barrier_status(barrier, &status), 0) < 0)
		return -1;
	if (status.cause != ILK_BARRIER_WHOLE)
		return fail(s, "it is broken still, by %d", status.cause);
	if (take_place(s) < 0 || barrier_cross(s) < 0)
		return -1;
	return barrier_leave(s);
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

int barrier_check(struct stage *s)
{
	if (kind_of(s)->parties == 1)
		return take_place(s) < 0 || barrier_cross(s) < 0 ? -1 : barrier_leave(s);
	if (take_place(s) < 0 || await_both(s) < 0 || cross_together(s) < 0)
		return -1;
	return barrier_leave(s);
}

int barrier_audit(struct stage *s)
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
