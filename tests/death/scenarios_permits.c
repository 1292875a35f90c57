/*
 * scenarios_permits.c - what the dead held comes back, wherever they died; who sleeps is served.
 *
 * The outcome, where there is one: how many permits the dead have.
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>

enum { FIVE = 5, SEVERAL = 3, TIMEOUT_MS = 60 };

/* What a row asks of its segment; `plain` comes first: a row's `setting` is this. */
struct ownership {
	struct setting plain;
	unsigned flags;
};

static const struct ownership threads = {{8, 8, 0}, 0};
static const struct ownership processes = {{8, 8, 0}, ILK_PERMITS_PROCESS};
static struct ilk_permits *permits;

/* ---- parts ---- */

static int open_permits(struct stage *s)
{
	const struct ownership *o = s->operation->setting;
	const struct ilk_permits_options options = {
		.size = sizeof options, .permits = FIVE, .flags = o->flags};

	return EXPECT(s, ilk_permits_open(mine.segment, "permits", &options, &permits), 0);
}

static int found(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : open_permits(s);
}

static int attach(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : open_permits(s);
}

static int join(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_permits(s);
}

static int acquire(struct stage *s)
{
	return EXPECT(s, ilk_permits_acquire(permits, 1), 0);
}

static int acquire_several(struct stage *s)
{
	return EXPECT(s, ilk_permits_acquire(permits, SEVERAL), 0);
}

static int acquire_all(struct stage *s)
{
	return EXPECT(s, ilk_permits_acquire(permits, FIVE), 0);
}

static int acquire_all_but_one(struct stage *s)
{
	return EXPECT(s, ilk_permits_acquire(permits, FIVE - 1), 0);
}

static int acquire_in_time(struct stage *s)
{
	ilk_time until = ilk_after_ms(TIMEOUT_MS);

	return EXPECT(s, ilk_permits_acquire_until(permits, SEVERAL, until), -ETIMEDOUT);
}

static int release(struct stage *s)
{
	return EXPECT(s, ilk_permits_release(permits, 1), 0);
}

static int release_several(struct stage *s)
{
	return EXPECT(s, ilk_permits_release(permits, SEVERAL), 0);
}

static int release_all(struct stage *s)
{
	return EXPECT(s, ilk_permits_release(permits, FIVE), 0);
}

static int release_all_but_one(struct stage *s)
{
	return EXPECT(s, ilk_permits_release(permits, FIVE - 1), 0);
}

static int use(struct stage *s)
{
	return acquire(s) < 0 ? -1 : release(s);
}

/* Warm: this thread has had one before. */
static int join_warm(struct stage *s)
{
	return join(s) < 0 ? -1 : use(s);
}

static int join_with_one(struct stage *s)
{
	return join_warm(s) < 0 ? -1 : acquire(s);
}

static int join_with_several(struct stage *s)
{
	return join(s) < 0 ? -1 : acquire_several(s);
}

static int found_with_all(struct stage *s)
{
	return found(s) < 0 ? -1 : acquire_all(s);
}

/* ---- the survivors ---- */

/* How many the dead have. */
static int ask(struct stage *s)
{
	struct ilk_permits_holder holders[FIVE];
	size_t count = 0;
	long dead = 0;

	if (EXPECT(s, ilk_permits_holders(permits, holders, FIVE, &count), 0) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (holders[i].holder == ILK_HELD_BY_DEAD)
			dead += holders[i].count;
	s->board->outcome = dead;
	return 0;
}

static int recover(struct stage *s)
{
	if (s->first && ask(s) < 0)
		return -1;
	return use(s);
}

static int check(struct stage *s)
{
	/* Of those that the early survivor took in the beginning one is let go already. */
	if (s->operation->release && s->role == ROLE_EARLY && release_all_but_one(s) < 0)
		return -1;
	for (unsigned i = 0; i < SCENE_ROUNDS; i++) {
		unsigned n = 1 + i % FIVE;

		if (EXPECT(s, ilk_permits_acquire(permits, n), 0) < 0 ||
			EXPECT(s, ilk_permits_release(permits, n), 0) < 0)
			return -1;
	}
	return 0;
}

/* All are back, and can be had at once. */
static int audit(struct stage *s)
{
	unsigned left = 0;

	if (EXPECT(s, ilk_segment_valid(mine.segment), 0) < 0 ||
		EXPECT(s, ilk_permits_left(permits, &left), 0) < 0)
		return -1;
	if (left != FIVE)
		return fail(s, "%u permits at the end", left);
	if (EXPECT(s, ilk_permits_try_acquire(permits, FIVE), 0) < 0)
		return -1;
	return release_all(s);
}

#define PERMITS_ROLES                                                                             \
	.found = found, .attach = attach, .look = scene_look, .recover = recover, .check = check, \
	.audit = audit

/* The partner has all until the victim is dead, or asleep. */
#define HELD_BY_PARTNER .part = PART_HOLDS, .partner = acquire_all, .partner_after = release_all
/* The partner died with four. */
#define LEFT_BY_PARTNER .part = PART_DIES, .partner = acquire_all_but_one

/* ---- rows ---- */

#define PERMITS_ROW(row, named, does, of, ...) \
	const struct operation row = {         \
		.name = named,                 \
		.what = does,                  \
		.setting = &of,                \
		__VA_ARGS__,                   \
	}

PERMITS_ROW(permits_acquire_row, "permits_acquire", "takes a permit where its last one was",
	threads, PERMITS_ROLES, .prepare = join_warm, .operate = acquire, .before = 0, .after = 1);

PERMITS_ROW(permits_acquire_n_row, "permits_acquire_n", "takes three, at the gate", threads,
	PERMITS_ROLES, .prepare = join, .operate = acquire_several, .before = NO_OUTCOME);

PERMITS_ROW(permits_release_row, "permits_release", "releases the one it has", threads,
	PERMITS_ROLES, .prepare = join_with_one, .operate = release, .before = 1, .after = 0);

PERMITS_ROW(permits_release_n_row, "permits_release_n", "releases three at once", threads,
	PERMITS_ROLES, .prepare = join_with_several, .operate = release_several,
	.before = NO_OUTCOME);

PERMITS_ROW(permits_release_waited_row, "permits_release_waited", "releases where another sleeps",
	threads, PERMITS_ROLES, .part = PART_SLEEPS, .partner_after = acquire_all,
	.prepare = join_with_several, .operate = release_several, .before = NO_OUTCOME);

PERMITS_ROW(permits_asleep_row, "permits_acquire_asleep", "waits for a permit, up to its sleep",
	threads, PERMITS_ROLES, HELD_BY_PARTNER, .prepare = join, .operate = acquire, .before = 0,
	.after = 0, .flags = ENDS_ASLEEP);

PERMITS_ROW(permits_woken_row, "permits_acquire_woken", "is woken, and takes three", threads,
	PERMITS_ROLES, HELD_BY_PARTNER, .prepare = join, .operate = acquire_several,
	.before = NO_OUTCOME, .flags = FROM_SLEEP | WOKEN);

PERMITS_ROW(permits_woken_first_row, "permits_woken_first",
	"is woken, and takes the permit that another sleeps for, too", threads,
	.found = found_with_all, .attach = attach, .look = scene_look, .recover = recover,
	.check = check, .audit = audit, .part = PART_SLEEPS_TOO, .partner_after = use,
	.release = release, .prepare = join, .operate = acquire, .before = NO_OUTCOME,
	.flags = FROM_SLEEP | WOKEN);

PERMITS_ROW(permits_timeout_row, "permits_acquire_timeout", "gives up waiting for three", threads,
	PERMITS_ROLES, HELD_BY_PARTNER, .prepare = join, .operate = acquire_in_time, .before = 0,
	.after = 0, .flags = FROM_SLEEP);

PERMITS_ROW(permits_sweep_row, "permits_sweep", "takes three, two of them the dead's", threads,
	PERMITS_ROLES, LEFT_BY_PARTNER, .prepare = join, .operate = acquire_several,
	.before = NO_OUTCOME);

PERMITS_ROW(permits_process_acquire_row, "permits_process_acquire",
	"takes a permit for its process", processes, PERMITS_ROLES, .prepare = join_warm,
	.operate = acquire, .before = 0, .after = 1);

PERMITS_ROW(permits_process_release_row, "permits_process_release", "releases one of its process",
	processes, PERMITS_ROLES, .prepare = join_with_one, .operate = release, .before = 1,
	.after = 0);

PERMITS_ROW(permits_process_sweep_row, "permits_process_sweep",
	"takes three, two of them a dead process's", processes, PERMITS_ROLES, LEFT_BY_PARTNER,
	.prepare = join, .operate = acquire_several, .before = NO_OUTCOME);
