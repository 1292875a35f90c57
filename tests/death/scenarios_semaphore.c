/*
 * scenarios_semaphore.c - a permit is posted or not, taken or not; the dead's is spent; and the
 * wake-up that the dead were given is not lost.
 *
 * Where another sleeps, that one says what became of the permit: it gets it in time, or the victim
 * had it. A look at its deadline makes sure that it never misses one that is there.
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>

enum { TIMEOUT_MS = 60, SLICE_MS = 60, STEPPING_MS = 120, MANY = 3 };

/* What a row asks of its segment; `plain` comes first: a row's `setting` is this. */
struct permits_at_first {
	struct setting plain;
	unsigned first;
};

static const struct permits_at_first none = {{8, 8, 0}, 0}, one = {{8, 8, 0}, 1};
static struct ilk_semaphore *semaphore;

/* ---- parts ---- */

static int open_semaphore(struct stage *s)
{
	const struct permits_at_first *p = s->operation->setting;
	const struct ilk_semaphore_options options = {.size = sizeof options, .value = p->first};

	return EXPECT(s, ilk_semaphore_open(mine.segment, "permits", &options, &semaphore), 0);
}

static int found(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : open_semaphore(s);
}

static int attach(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : open_semaphore(s);
}

static int join(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_semaphore(s);
}

static int post(struct stage *s)
{
	return EXPECT(s, ilk_semaphore_post(semaphore), 0);
}

static int post_many(struct stage *s)
{
	return EXPECT(s, ilk_semaphore_post_n(semaphore, MANY), 0);
}

static int take(struct stage *s)
{
	return EXPECT(s, ilk_semaphore_wait(semaphore), 0);
}

static int take_in_time(struct stage *s)
{
	ilk_time until = ilk_after_ms(TIMEOUT_MS);

	return EXPECT(s, ilk_semaphore_wait_until(semaphore, until), -ETIMEDOUT);
}

/* Is the victim dead, and was it a while ago? `since` is its death, or who let it go before that. */
static bool is_over(const struct stage *s)
{
	int ms = s->operation->part == PART_SLEEPS ? SLICE_MS : STEPPING_MS;

	return s->reference ||
	       (s->board->since && now_ns() - s->board->since > ms * INT64_C(1000000));
}

/* The outcome: is there a permit for the partner? */
static int take_and_tell(struct stage *s)
{
	bool over;
	int rc;

	do {
		over = is_over(s);
		rc = ilk_semaphore_wait_until(semaphore, ilk_after_ms(SLICE_MS));
	} while (rc == -ETIMEDOUT && !over);
	if (rc != -ETIMEDOUT && expect(s, "ilk_semaphore_wait_until", rc, 0) < 0)
		return -1;
	s->board->outcome = rc == 0;
	if (rc != 0)
		s->board->since = 0; /* there was nothing to be had, and so it is not late */
	return 0;
}

/* ---- the survivors ---- */

static int value(struct stage *s, long *value)
{
	unsigned now = 0;

	*value = NO_OUTCOME;
	if (EXPECT(s, ilk_semaphore_value(semaphore, &now), 0) < 0)
		return -1;
	*value = (long)now;
	return 0;
}

/* One more, and one less. */
static int use(struct stage *s)
{
	return post(s) < 0 ? -1 : take(s);
}

static int recover(struct stage *s)
{
	long now;

	if (value(s, &now) < 0)
		return -1;
	if (s->first && s->operation->part != PART_SLEEPS && s->operation->part != PART_SLEEPS_TOO)
		s->board->outcome = now;
	return use(s);
}

static int check(struct stage *s)
{
	for (int i = 0; i < SCENE_ROUNDS; i++)
		if (use(s) < 0)
			return -1;
	return 0;
}

/* What the victim, the partner and all who came after leave: what the first one found. */
static int audit(struct stage *s)
{
	enum part part = s->operation->part;
	long now, wanted = part == PART_SLEEPS || part == PART_SLEEPS_TOO ? 0 : s->board->outcome;

	if (value(s, &now) < 0 || EXPECT(s, ilk_segment_valid(mine.segment), 0) < 0)
		return -1;
	/* A second victim may have posted, and not taken. */
	if (s->second || wanted == NO_OUTCOME)
		return now <= MANY + 1 ? 0 : fail(s, "%ld permits at the end", now);
	return now == wanted ? 0 : fail(s, "%ld permits at the end, not %ld", now, wanted);
}

#define SEMAPHORE_ROLES                                                                           \
	.found = found, .attach = attach, .look = scene_look, .recover = recover, .check = check, \
	.audit = audit

/* The partner posts when the victim is dead, or asleep. */
#define POSTED_BY_PARTNER .part = PART_HOLDS, .partner_after = post

/* ---- rows ---- */

const struct operation semaphore_post_row = {
	.name = "semaphore_post",
	.what = "posts where nobody waits",
	.setting = &none,
	SEMAPHORE_ROLES,
	.prepare = join,
	.operate = post,
	.before = 0,
	.after = 1,
};

const struct operation semaphore_post_n_row = {
	.name = "semaphore_post_n",
	.what = "posts three at once",
	.setting = &none,
	SEMAPHORE_ROLES,
	.prepare = join,
	.operate = post_many,
	.before = 0,
	.after = MANY,
};

const struct operation semaphore_post_waited_row = {
	.name = "semaphore_post_waited",
	.what = "posts where another sleeps",
	.setting = &none,
	SEMAPHORE_ROLES,
	.part = PART_SLEEPS,
	.partner_after = take_and_tell,
	.prepare = join,
	.operate = post,
	.before = 0,
	.after = 1,
};

const struct operation semaphore_wait_row = {
	.name = "semaphore_wait",
	.what = "takes a permit that is there",
	.setting = &one,
	SEMAPHORE_ROLES,
	.prepare = join,
	.operate = take,
	.before = 1,
	.after = 0,
};

const struct operation semaphore_asleep_row = {
	.name = "semaphore_wait_asleep",
	.what = "waits for a permit, up to its sleep",
	.setting = &none,
	SEMAPHORE_ROLES,
	POSTED_BY_PARTNER,
	.prepare = join,
	.operate = take,
	.before = 1,
	.after = 1,
	.flags = ENDS_ASLEEP,
};

const struct operation semaphore_woken_row = {
	.name = "semaphore_wait_woken",
	.what = "is woken, and takes the permit",
	.setting = &none,
	SEMAPHORE_ROLES,
	POSTED_BY_PARTNER,
	.prepare = join,
	.operate = take,
	.before = 1,
	.after = 0,
	.flags = FROM_SLEEP | WOKEN,
};

const struct operation semaphore_woken_first_row = {
	.name = "semaphore_wait_woken_1st",
	.what = "is woken, and takes the permit that another sleeps for, too",
	.setting = &none,
	SEMAPHORE_ROLES,
	.part = PART_SLEEPS_TOO,
	.partner_after = take_and_tell,
	.release = post,
	.prepare = join,
	.operate = take,
	.before = 1,
	.after = 0,
	.flags = FROM_SLEEP | WOKEN,
};

const struct operation semaphore_timeout_row = {
	.name = "semaphore_wait_timeout",
	.what = "gives up waiting for a permit",
	.setting = &none,
	SEMAPHORE_ROLES,
	POSTED_BY_PARTNER,
	.prepare = join,
	.operate = take_in_time,
	.before = 1,
	.after = 1,
	.flags = FROM_SLEEP,
};
