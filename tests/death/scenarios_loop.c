/*
 * scenarios_loop.c - a part of a round is done and counts once, or is done again, wherever its worker
 * died; and the next round can be begun.
 *
 * The outcome, where there is one: is there a round that is not over?
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 9, PATIENCE_MS = 300 };

static struct ilk_loop *loop;
static uint64_t *cells; /* in the segment */

/* ---- parts ---- */

static int open_loop(struct stage *s)
{
	const struct ilk_loop_options o = {.size = sizeof o, .result_bytes = sizeof(uint64_t)};
	void *block;

	if (EXPECT(s, ilk_block_open(mine.segment, "cells", ROWS * sizeof *cells, &block), 0) < 0)
		return -1;
	cells = block;
	return EXPECT(s, ilk_loop_open(mine.segment, "loop", &o, &loop), 0);
}

static int found(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : open_loop(s);
}

static int attach(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : open_loop(s);
}

static int join(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_loop(s);
}

static int try_begin(void)
{
	const struct ilk_range r = {.size = sizeof r, .count = ROWS, .workers = 1, .least = 1};

	return ilk_loop_begin(loop, &r);
}

static int begin(struct stage *s)
{
	return EXPECT(s, try_begin(), 0);
}

static int found_begun(struct stage *s)
{
	return found(s) < 0 ? -1 : begin(s);
}

static int square(const struct ilk_part *part, void *arg)
{
	uint64_t *sum = part->result;

	(void)arg;
	for (uint64_t i = part->begin; i < part->end; i++) {
		cells[i] = i * i;
		*sum += i;
	}
	return 0;
}

static int run(struct stage *s)
{
	return EXPECT(s, ilk_loop_run(loop, square, NULL, ILK_FOREVER), 0);
}

static int fail_it(const struct ilk_part *part, void *arg)
{
	(void)part, (void)arg;
	return -EDOM;
}

static int run_and_fail(struct stage *s)
{
	return EXPECT(s, ilk_loop_run(loop, fail_it, NULL, ILK_FOREVER), -EDOM);
}

static int cancel(struct stage *s)
{
	return EXPECT(s, ilk_loop_cancel(loop), 0);
}

static int close_it(struct stage *s)
{
	return EXPECT(s, ilk_loop_close(loop), 0);
}

/* Takes a part, and does not come back from it. */
static jmp_buf out_of_it;

static int leave_it(const struct ilk_part *part, void *arg)
{
	(void)part, (void)arg;
	longjmp(out_of_it, 1);
}

static int take_and_keep(struct stage *s)
{
	(void)s;
	if (setjmp(out_of_it) == 0)
		ilk_loop_run(loop, leave_it, NULL, ILK_FOREVER);
	return 0;
}

static int nothing(struct stage *s)
{
	(void)s;
	return 0;
}

/* The same, but to come back from it: in a thread of the partner's. */
static uint32_t is_kept, is_released;
static pthread_t keeper;

static int keep_for_a_while(const struct ilk_part *part, void *arg)
{
	ilk_store_release_(&is_kept, 1u);
	while (!ilk_load_acquire_(&is_released))
		usleep(100);
	return square(part, arg);
}

static void *keep(void *arg)
{
	ilk_loop_run(loop, keep_for_a_while, arg, ILK_FOREVER);
	return NULL;
}

static int keep_one(struct stage *s)
{
	if (EXPECT(s, pthread_create(&keeper, NULL, keep, NULL), 0) < 0)
		return -1;
	while (!ilk_load_acquire_(&is_kept))
		usleep(100);
	return 0;
}

static int release_it(struct stage *s)
{
	ilk_store_release_(&is_released, 1u);
	return EXPECT(s, pthread_join(keeper, NULL), 0);
}

/* Where nobody works, or the victim died in it, it is not over. */
static int wait_in_time(struct stage *s)
{
	int rc = ilk_loop_wait(loop, ilk_after_ms(PATIENCE_MS));

	return EXPECT(s, rc == 0 || rc == -ETIMEDOUT, 1);
}

static int run_in_time(struct stage *s)
{
	int rc = ilk_loop_run(loop, square, NULL, ilk_after_ms(PATIENCE_MS));

	return EXPECT(s, rc == 0 || rc == -ETIMEDOUT, 1);
}

/* ---- the survivors ---- */

static void add_up(void *into, const void *result, void *arg)
{
	uint64_t one;

	(void)arg;
	memcpy(&one, result, sizeof one);
	*(uint64_t *)into += one;
}

/* The round that there is, if nobody made it fail, is done, and counts once. */
static int end_round(struct stage *s, int may_fail)
{
	uint64_t sum = 0;
	int rc = ilk_loop_run(loop, square, NULL, ILK_FOREVER);

	if (may_fail && (rc == -EDOM || rc == -ECANCELED))
		return 0;
	if (expect(s, "ilk_loop_run", rc, 0) < 0 ||
		EXPECT(s, ilk_loop_reduce(loop, &sum, add_up, NULL), 0) < 0 ||
		EXPECT(s, (int)sum, ROWS * (ROWS - 1) / 2) < 0)
		return -1;
	for (uint64_t i = 0; i < ROWS; i++)
		if (EXPECT(s, (int)cells[i], (int)(i * i)) < 0)
			return -1;
	return 0;
}

/* The first survivor finds a round that is not over, or begins one. */
static int recover_any(struct stage *s, int may_fail)
{
	int rc = try_begin();

	if (rc != -EBUSY && expect(s, "ilk_loop_begin", rc, 0) < 0)
		return -1;
	if (!s->first) {
		rc = ilk_loop_run(loop, square, NULL, ILK_FOREVER);
		return EXPECT(s, rc == 0 || may_fail, 1);
	}
	s->board->outcome = rc == -EBUSY;
	if (end_round(s, may_fail) < 0)
		return -1;
	return rc == -EBUSY ? begin(s) < 0 ? -1 : end_round(s, 0) : 0;
}

static int recover(struct stage *s)
{
	return recover_any(s, 0);
}

static int recover_failed(struct stage *s)
{
	return recover_any(s, 1);
}

static int recover_closed(struct stage *s)
{
	return end_round(s, 0) < 0 ? -1 : close_it(s);
}

static int recover_opened(struct stage *s)
{
	return open_loop(s) < 0 ? -1 : recover(s);
}

/* Both at once: of a round that another begins the results are not looked at. */
static int check(struct stage *s)
{
	for (unsigned i = 0; i < SCENE_ROUNDS; i++) {
		int rc = try_begin();

		if (EXPECT(s, rc == 0 || rc == -EBUSY, 1) < 0 || run(s) < 0)
			return -1;
	}
	return 0;
}

static int audit(struct stage *s)
{
	if (begin(s) < 0 || end_round(s, 0) < 0)
		return -1;
	return EXPECT(s, ilk_segment_valid(mine.segment), 0);
}

static int audit_closed(struct stage *s)
{
	if (EXPECT(s, try_begin(), -EPIPE) < 0 ||
		EXPECT(s, ilk_loop_serve(loop, square, NULL, ilk_after_ms(PATIENCE_MS)), -EPIPE) <
			0)
		return -1;
	return EXPECT(s, ilk_segment_valid(mine.segment), 0);
}

#define ROLES_BUT_FOUND                                                                           \
	.attach = attach, .look = scene_look, .recover = recover, .check = check, .audit = audit, \
	.prepare = join
#define LOOP_ROLES .found = found, ROLES_BUT_FOUND
#define BEGUN_ROLES .found = found_begun, ROLES_BUT_FOUND
#define LOOP_ROW(row, does, ...) \
	const struct operation row##_row = {.name = #row, .what = does, __VA_ARGS__}

/* ---- rows ---- */

LOOP_ROW(loop_open, "makes a loop", .found = scene_found, .attach = scene_attach,
	.look = scene_look, .recover = recover_opened, .check = check, .audit = audit,
	.prepare = scene_join, .operate = open_loop, .before = NO_OUTCOME);

LOOP_ROW(loop_begin, "begins a round", LOOP_ROLES, .operate = begin, .before = 0, .after = 1);

LOOP_ROW(loop_begin_waited, "begins a round for which another sleeps", LOOP_ROLES,
	.part = PART_SLEEPS, .partner_after = run_in_time, .operate = begin, .before = NO_OUTCOME);

LOOP_ROW(loop_run, "works at a round, from its first part to its last", BEGUN_ROLES, .operate = run,
	.before = 1, .after = 0);

LOOP_ROW(loop_run_waited, "works at a round for whose end another sleeps", BEGUN_ROLES,
	.part = PART_SLEEPS, .partner_after = wait_in_time, .operate = run, .before = NO_OUTCOME);

LOOP_ROW(loop_take_over, "does a part of a dead one again", BEGUN_ROLES, .part = PART_DIES,
	.partner = take_and_keep, .operate = run, .before = 1, .after = 0);

LOOP_ROW(loop_run_asleep, "waits for another's part, up to its sleep", BEGUN_ROLES,
	.part = PART_HOLDS, .partner = keep_one, .partner_after = release_it, .operate = run,
	.before = NO_OUTCOME, .flags = ENDS_ASLEEP);

LOOP_ROW(loop_run_woken, "is woken for a round", LOOP_ROLES, .part = PART_HOLDS, .partner = nothing,
	.partner_after = begin, .operate = run, .before = NO_OUTCOME, .flags = FROM_SLEEP | WOKEN);

LOOP_ROW(loop_fail, "fails in a part", .found = found_begun, .attach = attach, .look = scene_look,
	.recover = recover_failed, .check = check, .audit = audit, .prepare = join,
	.operate = run_and_fail, .before = 1, .after = 0);

LOOP_ROW(loop_cancel, "cancels a round", .found = found_begun, .attach = attach, .look = scene_look,
	.recover = recover_failed, .check = check, .audit = audit, .prepare = join,
	.operate = cancel, .before = 1, .after = 0);

LOOP_ROW(loop_close, "closes a loop", .found = found_begun, .attach = attach, .look = scene_look,
	.recover = recover_closed, .audit = audit_closed, .prepare = join, .operate = close_it,
	.before = NO_OUTCOME);
