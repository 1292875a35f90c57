/*
 * scenarios_pool.c - a task is run, or run again, or given up, wherever who submitted it, ran it or
 * waited for it died; and the pool has all its room, and all its places for workers, again.
 *
 * The early survivor submits a task, where a row says so, and gets it in the end. The outcome, where
 * there is one: how many tasks the first survivor runs.
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>
#include <setjmp.h>
#include <string.h>

enum { ROOM = 4, PATIENCE_MS = 45, LIMIT_MS = 2000, TIMEOUT_MS = 150 };

/* What a row asks of its segment; `plain` comes first: a row's `setting` is this. */
struct kind {
	struct setting plain;
	unsigned retries, flags;
	int tasks; /* that the early survivor submits */
};

static const struct kind empty = {{8, 8, 0}, 1, 0, 0};
static const struct kind keeping = {{8, 8, 0}, 1, ILK_POOL_KEEP, 0};
/* The partner, both victims, and then a survivor. */
static const struct kind one_again = {{8, 8, 0}, 3, 0, 1};
static const struct kind one_once = {{8, 8, 0}, 0, 0, 1};
static const struct kind full = {{8, 8, 0}, 1, 0, ROOM};

static struct ilk_pool *pool;
static struct ilk_future own; /* the early survivor's */
static struct ilk_future mine_too;
static jmp_buf out_of_task;
static long ran;

static const struct kind *kind_of(const struct stage *s)
{
	return s->operation->setting;
}

/* ---- functions ---- */

static int square(struct ilk_task *task, const void *argument, size_t bytes)
{
	int64_t x;

	memcpy(&x, argument, bytes < sizeof x ? bytes : sizeof x);
	x *= x;
	ran++;
	return ilk_task_result(task, &x, sizeof x);
}

/* Leaves its thread with the task running. */
static int jump(struct ilk_task *task, const void *argument, size_t bytes)
{
	(void)task, (void)argument, (void)bytes;
	longjmp(out_of_task, 1);
}

static const struct ilk_task_function functions[] = {{"square", square}};
static const struct ilk_task_function jumping[] = {{"square", jump}};

static int serve(uint64_t tasks, ilk_time until)
{
	const struct ilk_pool_serve_options o = {.size = sizeof o, .tasks = tasks, .until = until};

	return ilk_pool_serve(pool, functions, 1, &o);
}

/* ---- parts ---- */

static int open_pool(struct stage *s)
{
	struct ilk_pool_options o = {.size = sizeof o,
		.capacity = ROOM,
		.argument_bytes = 8,
		.result_bytes = 8,
		.workers = 2,
		.retries = kind_of(s)->retries,
		.flags = kind_of(s)->flags};

	return EXPECT(s, ilk_pool_open(mine.segment, "pool", &o, &pool), 0);
}

static int introduce(struct stage *s)
{
	return EXPECT(s, serve(0, 1), -ETIMEDOUT);
}

static int submit_to(struct stage *s, struct ilk_future *f)
{
	int64_t x = 7;

	return EXPECT(
		s, ilk_pool_submit(pool, "square", &x, sizeof x, f, ilk_after_ms(LIMIT_MS)), 0);
}

static int found(struct stage *s)
{
	if (scene_found(s) < 0 || open_pool(s) < 0 || introduce(s) < 0)
		return -1;
	for (int i = 0; i < kind_of(s)->tasks; i++)
		if (submit_to(s, i ? &mine_too : &own) < 0)
			return -1;
	return 0;
}

static int attach(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : open_pool(s);
}

static int join(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_pool(s);
}

static int submit(struct stage *s)
{
	return submit_to(s, &mine_too);
}

static int submit_unwanted(struct stage *s)
{
	return submit_to(s, NULL);
}

static int join_submitted(struct stage *s)
{
	return join(s) < 0 ? -1 : submit(s);
}

static int serve_one(struct stage *s)
{
	return EXPECT(s, serve(1, ilk_after_ms(LIMIT_MS)), 0);
}

/* For those that end asleep. */
static int submit_for_ever(struct stage *s)
{
	int64_t x = 7;

	return EXPECT(s, ilk_pool_submit(pool, "square", &x, sizeof x, NULL, ILK_FOREVER), 0);
}

static int serve_for_ever(struct stage *s)
{
	return EXPECT(s, serve(1, ILK_FOREVER), 0);
}

static int get_for_ever(struct stage *s)
{
	return EXPECT(s, ilk_future_get(&mine_too, NULL, 0, NULL, ILK_FOREVER), 0);
}

static int serve_in_time(struct stage *s)
{
	return EXPECT(s, serve(0, ilk_after_ms(TIMEOUT_MS)), -ETIMEDOUT);
}

/* Takes a task, and stays in it. */
static int take_only(struct stage *s)
{
	const struct ilk_pool_serve_options o = {.size = sizeof o, .tasks = 1};

	(void)s;
	if (setjmp(out_of_task) == 0)
		ilk_pool_serve(pool, jumping, 1, &o);
	return 0;
}

static int submit_and_run(struct stage *s)
{
	return join_submitted(s) < 0 ? -1 : serve_one(s);
}

static int get_from(struct stage *s, struct ilk_future *f)
{
	int64_t x = 0;

	if (EXPECT(s, ilk_future_get(f, &x, sizeof x, NULL, ilk_after_ms(LIMIT_MS)), 0) < 0)
		return -1;
	return x == 49 ? 0 : fail(s, "a result is %ld", (long)x);
}

static int get(struct stage *s)
{
	return get_from(s, &mine_too);
}

static int get_in_time(struct stage *s)
{
	return EXPECT(
		s, ilk_future_get(&mine_too, NULL, 0, NULL, ilk_after_ms(TIMEOUT_MS)), -ETIMEDOUT);
}

/* Nobody serves: both are submitted, at once, and taken back. */
static int map_both(struct stage *s)
{
	const struct ilk_pool_map_options o = {.size = sizeof o, .chunk = 1};
	static const int64_t x[2] = {7, 7};
	int64_t y[2];

	return EXPECT(s, ilk_pool_map(pool, "square", x, sizeof *x, 2, y, sizeof *y, &o, ILK_NOW),
		-ETIMEDOUT);
}

static int await_any(struct stage *s)
{
	size_t which;

	return EXPECT(s, ilk_future_any(&mine_too, 1, &which, ILK_NOW), 0);
}

static int cancel(struct stage *s)
{
	return EXPECT(s, ilk_future_cancel(&mine_too), 0);
}

static int release(struct stage *s)
{
	return EXPECT(s, ilk_future_release(&mine_too), 0);
}

static int close_it(struct stage *s)
{
	return EXPECT(s, ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
}

static int cancel_all(struct stage *s)
{
	return EXPECT(s, ilk_pool_close(pool, ILK_POOL_CANCEL), 0);
}

static int join_all(struct stage *s)
{
	return EXPECT(s, ilk_pool_join(pool, ilk_after_ms(LIMIT_MS)), 0);
}

/* ---- the survivors ---- */

/* Runs what there is to run, of the dead, too. */
static int recover(struct stage *s)
{
	ran = 0;
	if (EXPECT(s, serve(0, ilk_after_ms(PATIENCE_MS)), -ETIMEDOUT) < 0)
		return -1;
	if (s->first)
		s->board->outcome = ran;
	return 0;
}

static int recover_opened(struct stage *s)
{
	return open_pool(s) < 0 ? -1 : recover(s);
}

/* Both submit, and run what the other one submitted. */
static int check(struct stage *s)
{
	for (unsigned i = 0; i < SCENE_ROUNDS; i++) {
		struct ilk_future f;
		int rc = 0;

		if (submit_to(s, &f) < 0)
			return -1;
		while (rc == 0) {
			serve(1, 1);
			rc = ilk_future_poll(&f);
		}
		if (get_from(s, &f) < 0)
			return -1;
	}
	return 0;
}

/* Nothing is left over, and there is room for all. */
static int audit_empty(struct stage *s)
{
	struct ilk_pool_info info = {.size = sizeof info};
	struct ilk_future f[ROOM];
	int64_t x = 7;

	ilk_object_repair(mine.segment, "pool");
	if (EXPECT(s, ilk_segment_valid(mine.segment), 0) < 0 ||
		EXPECT(s, ilk_pool_info(pool, &info), 0) < 0)
		return -1;
	if (info.queued || info.running || info.over || info.workers)
		return fail(s, "%zu queued, %zu run, %zu over, %u workers", info.queued,
			info.running, info.over, info.workers);
	for (int i = 0; i < ROOM; i++)
		if (submit_to(s, &f[i]) < 0)
			return -1;
	if (EXPECT(s, ilk_pool_submit(pool, "square", &x, sizeof x, NULL, ILK_NOW), -EAGAIN) < 0 ||
		EXPECT(s, serve(ROOM, ilk_after_ms(LIMIT_MS)), 0) < 0)
		return -1;
	for (int i = 0; i < ROOM; i++)
		if (get_from(s, &f[i]) < 0)
			return -1;
	return 0;
}

static int get_all(struct stage *s)
{
	return own.pool ? get_from(s, &own) : 0;
}

static int audit(struct stage *s)
{
	return get_all(s) < 0 ? -1 : audit_empty(s);
}

/* It was run once: to its end, or not. */
static int audit_once(struct stage *s)
{
	struct ilk_outcome out = {.rc = 0};
	int64_t x;
	int rc = ilk_future_get(&own, &x, sizeof x, &out, ilk_after_ms(LIMIT_MS));

	if (rc == ILK_TASK_FAILED ? out.rc != -EOWNERDEAD || out.runs != 1 : rc || x != 49)
		return fail(s, "get: %d, %d", rc, out.rc);
	return audit_empty(s);
}

static int get_or_not(struct stage *s, struct ilk_future *f)
{
	int64_t x;
	int rc = ilk_future_get(f, &x, sizeof x, NULL, ilk_after_ms(LIMIT_MS));

	return EXPECT(s, rc == 0 || rc == ILK_TASK_FAILED, 1);
}

/* Drained, or cancelled, whatever the victim came to. */
static int audit_closed(struct stage *s)
{
	if (EXPECT(s, ilk_pool_close(pool, ILK_POOL_CANCEL), 0) < 0 || get_or_not(s, &own) < 0 ||
		EXPECT(s, serve(0, ilk_after_ms(LIMIT_MS)), 0) < 0)
		return -1;
	return EXPECT(s, ilk_segment_valid(mine.segment), 0);
}

static int recover_closed(struct stage *s)
{
	struct ilk_pool_info info = {.size = sizeof info};

	if (s->first) {
		if (EXPECT(s, ilk_pool_info(pool, &info), 0) < 0)
			return -1;
		s->board->outcome = info.closed;
	}
	return EXPECT(s, ilk_pool_close(pool, ILK_POOL_DRAIN), 0);
}

#define POOL_ROLES                                                                                \
	.found = found, .attach = attach, .look = scene_look, .recover = recover, .check = check, \
	.audit = audit
#define CLOSING_ROLES                                                                    \
	.found = found, .attach = attach, .look = scene_look, .recover = recover_closed, \
	.audit = audit_closed

/* ---- rows ---- */

#define POOL_ROW(row, does, of, ...)         \
	const struct operation row##_row = { \
		.name = #row,                \
		.what = does,                \
		.setting = &of,              \
		__VA_ARGS__,                 \
	}

POOL_ROW(pool_open, "makes a pool", empty, .found = scene_found, .attach = scene_attach,
	.look = scene_look, .recover = recover_opened, .check = check, .audit = audit,
	.prepare = scene_join, .operate = open_pool, .before = NO_OUTCOME);

POOL_ROW(pool_submit, "submits a task, which is kept", keeping, POOL_ROLES, .prepare = join,
	.operate = submit_unwanted, .before = 0, .after = 1);

POOL_ROW(pool_submit_dropped, "submits a task, which goes with it", empty, POOL_ROLES,
	.prepare = join, .operate = submit, .before = NO_OUTCOME);

POOL_ROW(pool_submit_waited, "submits a task where a worker sleeps", keeping, POOL_ROLES,
	.part = PART_SLEEPS, .partner_after = serve_in_time, .prepare = join,
	.operate = submit_unwanted, .before = NO_OUTCOME);

POOL_ROW(pool_submit_asleep, "waits for room, up to its sleep", full, .found = found,
	.attach = attach, .look = scene_look, .recover = recover, .prepare = join,
	.operate = submit_for_ever, .before = ROOM, .after = ROOM, .flags = ENDS_ASLEEP);

POOL_ROW(pool_serve, "runs a task, that may be run again", one_again, POOL_ROLES, .prepare = join,
	.operate = serve_one, .before = 1, .after = 0);

POOL_ROW(pool_serve_once, "runs a task, that may not be run again", one_once, .found = found,
	.attach = attach, .look = scene_look, .recover = recover, .check = check,
	.audit = audit_once, .prepare = join, .operate = serve_one, .before = NO_OUTCOME);

POOL_ROW(pool_serve_asleep, "waits for a task, up to its sleep", empty, POOL_ROLES, .prepare = join,
	.operate = serve_for_ever, .before = 0, .after = 0, .flags = ENDS_ASLEEP);

POOL_ROW(pool_serve_woken, "is woken for a task, and runs it", keeping, POOL_ROLES,
	.part = PART_HOLDS, .partner = join_all, .partner_after = submit_unwanted, .prepare = join,
	.operate = serve_one, .before = NO_OUTCOME, .flags = FROM_SLEEP | WOKEN);

POOL_ROW(pool_serve_timeout, "gives up waiting for a task", empty, POOL_ROLES, .prepare = join,
	.operate = serve_in_time, .before = 0, .after = 0, .flags = FROM_SLEEP);

POOL_ROW(pool_again, "runs what a dead one ran", one_again, POOL_ROLES, .part = PART_DIES,
	.partner = take_only, .prepare = join, .operate = serve_one, .before = NO_OUTCOME);

POOL_ROW(pool_get, "gets a result", empty, POOL_ROLES, .prepare = submit_and_run, .operate = get,
	.before = 0, .after = 0);

POOL_ROW(pool_get_asleep, "waits for a result, up to its sleep", empty, POOL_ROLES,
	.prepare = join_submitted, .operate = get_for_ever, .before = NO_OUTCOME,
	.flags = ENDS_ASLEEP);

POOL_ROW(pool_get_timeout, "gives up waiting for a result", empty, POOL_ROLES,
	.prepare = join_submitted, .operate = get_in_time, .before = NO_OUTCOME,
	.flags = FROM_SLEEP);

POOL_ROW(pool_map, "maps, and takes all back", keeping, POOL_ROLES, .prepare = join,
	.operate = map_both, .before = NO_OUTCOME);

POOL_ROW(pool_any, "asks which of its futures is over", empty, POOL_ROLES,
	.prepare = submit_and_run, .operate = await_any, .before = 0, .after = 0);

POOL_ROW(pool_cancel, "cancels a task", keeping, POOL_ROLES, .prepare = join_submitted,
	.operate = cancel, .before = 1, .after = 0);

POOL_ROW(pool_release, "releases a future", keeping, POOL_ROLES, .prepare = join_submitted,
	.operate = release, .before = 1, .after = 1);

POOL_ROW(pool_join, "waits until all is done, and it is", empty, POOL_ROLES, .prepare = join,
	.operate = join_all, .before = 0, .after = 0);

POOL_ROW(pool_close, "closes", one_again, CLOSING_ROLES, .prepare = join, .operate = close_it,
	.before = 0, .after = 1);

POOL_ROW(pool_close_cancel, "closes, and cancels what is queued", one_again, CLOSING_ROLES,
	.prepare = join, .operate = cancel_all, .before = 0, .after = 1);
