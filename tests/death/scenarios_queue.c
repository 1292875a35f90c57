/*
 * scenarios_queue.c - a message is there or it is not, wherever who put, got or leased it died; and
 * the queue has all its room again.
 *
 * The outcome, where there is one: how many messages the first survivor finds.
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>
#include <string.h>

enum { ROOM = 4, LONG = 1100, LONGEST = 1120, TIMEOUT_MS = 60 };

/* What a row asks of its segment; `plain` comes first: a row's `setting` is this. */
struct kind {
	struct setting plain;
	unsigned max_deliveries;
	const char *dead_letter;
	size_t bytes; /* of a message */
};

static const struct kind plain = {{8, 8, 0}, 0, NULL, 8};
static const struct kind long_ones = {{8, 8, 0}, 0, NULL, LONG};
static const struct kind dropping = {{8, 8, 0}, 1, NULL, 8};
static const struct kind burying = {{8, 8, 0}, 1, "dead", 8};

static struct ilk_queue *queue, *dead;
static struct ilk_queue_handle handle, dead_handle;
static struct ilk_queue_lease lease;
static char message[LONGEST];

/* ---- parts ---- */

static size_t length(const struct stage *s)
{
	return ((const struct kind *)s->operation->setting)->bytes;
}

static int open_queue(struct stage *s)
{
	const struct kind *kind = s->operation->setting;
	struct ilk_queue_options o = {.size = sizeof o, .capacity = ROOM, .message_bytes = LONGEST};

	if (EXPECT(s, ilk_queue_open(mine.segment, "dead", &o, &dead), 0) < 0 ||
		EXPECT(s, ilk_queue_attach(dead, &dead_handle), 0) < 0)
		return -1;
	o.max_deliveries = kind->max_deliveries;
	o.dead_letter = kind->dead_letter;
	if (EXPECT(s, ilk_queue_open(mine.segment, "queue", &o, &queue), 0) < 0)
		return -1;
	return EXPECT(s, ilk_queue_attach(queue, &handle), 0);
}

static int found(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : open_queue(s);
}

static int attach(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : open_queue(s);
}

static int join(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_queue(s);
}

static int nothing(struct stage *s)
{
	(void)s;
	return 0;
}

static int put(struct stage *s)
{
	return EXPECT(s, ilk_queue_put(&handle, message, length(s), ILK_FOREVER), 0);
}

static int put_many(struct stage *s)
{
	size_t done;

	return EXPECT(s, ilk_queue_put_many(&handle, message, 8, 3, &done, ILK_FOREVER), 0);
}

static int get(struct stage *s)
{
	return EXPECT(s, ilk_queue_get(&handle, message, sizeof message, NULL, ILK_FOREVER), 0);
}

/* Whether the victim came so far as to put one, or another was faster. */
static int get_or_not(struct stage *s)
{
	ilk_time until = ilk_after_ms(5 * TIMEOUT_MS);
	int rc = ilk_queue_get(&handle, message, sizeof message, NULL, until);

	return EXPECT(s, rc == 0 || rc == -ETIMEDOUT, 1);
}

static int get_in_time(struct stage *s)
{
	ilk_time until = ilk_after_ms(TIMEOUT_MS);

	return EXPECT(s, ilk_queue_get(&handle, message, sizeof message, NULL, until), -ETIMEDOUT);
}

static int get_many(struct stage *s)
{
	size_t got;

	return EXPECT(s, ilk_queue_get_many(&handle, message, 8, 3, NULL, &got, ILK_FOREVER), 0);
}

static int reserve(struct stage *s)
{
	void *where;

	return EXPECT(s, ilk_queue_reserve(&handle, 8, &where, ILK_FOREVER), 0);
}

static int commit(struct stage *s)
{
	return EXPECT(s, ilk_queue_commit(&handle, 8), 0);
}

static int abort_it(struct stage *s)
{
	return EXPECT(s, ilk_queue_abort(&handle), 0);
}

static int take(struct stage *s)
{
	return EXPECT(s, ilk_queue_lease(&handle, &lease, ILK_FOREVER), 0);
}

static int ack(struct stage *s)
{
	return EXPECT(s, ilk_queue_ack(&handle, &lease), 0);
}

static int nack(struct stage *s)
{
	return EXPECT(s, ilk_queue_nack(&handle, &lease), 0);
}

static int join_all(struct stage *s)
{
	return EXPECT(s, ilk_queue_join(queue, ILK_FOREVER), 0);
}

/* Warm: it has looked once for what comes back. */
static int join_with_one(struct stage *s)
{
	return join(s) < 0 || put(s) < 0 || get(s) < 0 ? -1 : put(s);
}

static int join_with_three(struct stage *s)
{
	return join(s) < 0 ? -1 : put_many(s);
}

static int join_reserved(struct stage *s)
{
	return join(s) < 0 ? -1 : reserve(s);
}

static int join_leased(struct stage *s)
{
	return join_with_one(s) < 0 ? -1 : take(s);
}

static int put_and_take(struct stage *s)
{
	return put(s) < 0 ? -1 : take(s);
}

static int fill(struct stage *s)
{
	for (int i = 0; i < ROOM; i++)
		if (put(s) < 0)
			return -1;
	return 0;
}

static int found_full(struct stage *s)
{
	return found(s) < 0 ? -1 : fill(s);
}

static int drain(struct stage *s)
{
	for (int i = 0; i < ROOM; i++)
		if (get(s) < 0)
			return -1;
	return 0;
}

static int begin(struct stage *s)
{
	return EXPECT(s, ilk_queue_produce_begin(queue), 0);
}

static int end(struct stage *s)
{
	return EXPECT(s, ilk_queue_produce_end(queue), 0);
}

static int close_it(struct stage *s)
{
	return EXPECT(s, ilk_queue_close(queue), 0);
}

static int join_registered(struct stage *s)
{
	return join(s) < 0 ? -1 : begin(s);
}

/* ---- the survivors ---- */

/* Takes all out of a queue, however it came there. How many there were; -1. */
static long count_out(struct stage *s, struct ilk_queue *from)
{
	struct ilk_queue_handle fresh;
	long count = 0;
	int rc = 0;

	if (EXPECT(s, ilk_queue_attach(from, &fresh), 0) < 0)
		return -1;
	while (rc == 0) {
		rc = ilk_queue_get(&fresh, message, sizeof message, NULL, ILK_NOW);
		count += rc == 0;
	}
	return EXPECT(s, rc == -EAGAIN || rc == -EPIPE, 1) < 0 ? -1 : count;
}

/* What is to be moved is moved, and then found there. Others may get what one has put here. */
static int recover(struct stage *s)
{
	long here = count_out(s, queue), there = count_out(s, dead);
	int rc;

	if (here < 0 || there < 0)
		return -1;
	if (s->first)
		s->board->outcome = here + there;
	if (put(s) < 0)
		return -1;
	rc = ilk_queue_get(&handle, message, sizeof message, NULL, ILK_NOW);
	return EXPECT(s, rc == 0 || rc == -EAGAIN, 1);
}

static int check(struct stage *s)
{
	for (unsigned i = 0; i < SCENE_ROUNDS; i++) {
		if (put(s) < 0 || (i % 3 == 0 ? (take(s) < 0 || ack(s) < 0) : get(s) < 0))
			return -1;
	}
	return 0;
}

/* Nothing is left over, and there is room for all. */
static int audit(struct stage *s)
{
	struct ilk_queue_info info = {.size = sizeof info};

	if (count_out(s, queue) < 0 || EXPECT(s, ilk_segment_valid(mine.segment), 0) < 0 ||
		EXPECT(s, ilk_queue_join(queue, ILK_NOW), 0) < 0 || fill(s) < 0 ||
		EXPECT(s, ilk_queue_put(&handle, message, 8, ILK_NOW), -EAGAIN) < 0 ||
		drain(s) < 0 || EXPECT(s, ilk_queue_info(queue, &info), 0) < 0)
		return -1;
	if (info.depth || info.leases)
		return fail(s, "%zu left, %zu leased", info.depth, info.leases);
	return 0;
}

static int audit_closed(struct stage *s)
{
	if (EXPECT(s, ilk_queue_close(queue), 0) < 0)
		return -1;
	if (EXPECT(s, ilk_queue_get(&handle, message, sizeof message, NULL, ILK_FOREVER), -EPIPE) <
		0)
		return -1;
	return EXPECT(s, ilk_segment_valid(mine.segment), 0);
}

static int recover_closed(struct stage *s)
{
	struct ilk_queue_info info = {.size = sizeof info};

	if (s->first) {
		if (EXPECT(s, ilk_queue_info(queue, &info), 0) < 0)
			return -1;
		s->board->outcome = info.closed;
	}
	return EXPECT(s, ilk_queue_close(queue), 0);
}

/* The victim was the only one registered: whoever gets finds the end. */
static int recover_left(struct stage *s)
{
	int rc = ilk_queue_get(&handle, message, sizeof message, NULL, ilk_after_ms(TIMEOUT_MS));

	return EXPECT(s, rc == -EPIPE || rc == -ETIMEDOUT, 1);
}

/* Nobody made it yet but perhaps the victim. */
static int recover_opened(struct stage *s)
{
	return open_queue(s) < 0 ? -1 : recover(s);
}

#define ROLES_BUT_FOUND \
	.attach = attach, .look = scene_look, .recover = recover, .check = check, .audit = audit
#define QUEUE_ROLES .found = found, ROLES_BUT_FOUND
#define CLOSING_ROLES .found = found, .attach = attach, .look = scene_look, .audit = audit_closed

/* ---- rows ---- */

#define QUEUE_ROW(row, does, of, ...)        \
	const struct operation row##_row = { \
		.name = #row,                \
		.what = does,                \
		.setting = &of,              \
		__VA_ARGS__,                 \
	}

QUEUE_ROW(queue_open, "makes two queues", burying, .found = scene_found, .attach = scene_attach,
	.look = scene_look, .recover = recover_opened, .check = check, .audit = audit,
	.prepare = scene_join, .operate = open_queue, .before = NO_OUTCOME);

QUEUE_ROW(queue_put, "puts a message", plain, QUEUE_ROLES, .prepare = join, .operate = put,
	.before = 0, .after = 1);

QUEUE_ROW(queue_put_many, "puts three", plain, QUEUE_ROLES, .prepare = join, .operate = put_many,
	.before = NO_OUTCOME);

QUEUE_ROW(queue_commit, "commits what it reserved", plain, QUEUE_ROLES, .prepare = join_reserved,
	.operate = commit, .before = 0, .after = 1);

QUEUE_ROW(queue_abort, "aborts what it reserved", plain, QUEUE_ROLES, .prepare = join_reserved,
	.operate = abort_it, .before = 0, .after = 0);

QUEUE_ROW(queue_reserve, "reserves", plain, QUEUE_ROLES, .prepare = join, .operate = reserve,
	.before = 0, .after = 0);

QUEUE_ROW(queue_get, "gets a message", plain, QUEUE_ROLES, .prepare = join_with_one, .operate = get,
	.before = 1, .after = 0);

QUEUE_ROW(queue_get_long, "gets a long message", long_ones, QUEUE_ROLES, .prepare = join_with_one,
	.operate = get, .before = 1, .after = 0);

QUEUE_ROW(queue_get_many, "gets three", plain, QUEUE_ROLES, .prepare = join_with_three,
	.operate = get_many, .before = NO_OUTCOME);

QUEUE_ROW(queue_lease, "leases a message", plain, QUEUE_ROLES, .prepare = join_with_one,
	.operate = take, .before = 1, .after = 1);

QUEUE_ROW(queue_ack, "acks its lease", plain, QUEUE_ROLES, .prepare = join_leased, .operate = ack,
	.before = 1, .after = 0);

QUEUE_ROW(queue_nack, "gives its lease back", plain, QUEUE_ROLES, .prepare = join_leased,
	.operate = nack, .before = 1, .after = 1);

QUEUE_ROW(queue_drop, "gives back what was delivered often enough", dropping, QUEUE_ROLES,
	.prepare = join_leased, .operate = nack, .before = 0, .after = 0);

QUEUE_ROW(queue_bury, "moves to the dead letters", burying, QUEUE_ROLES, .prepare = join_leased,
	.operate = nack, .before = 1, .after = 1);

QUEUE_ROW(queue_take_back, "leases what a dead one had leased", plain, QUEUE_ROLES,
	.part = PART_DIES, .partner = put_and_take, .prepare = join, .operate = take, .before = 1,
	.after = 1);

QUEUE_ROW(queue_skip, "gets what comes after a dead one's reservation", plain, QUEUE_ROLES,
	.part = PART_DIES, .partner = reserve, .prepare = join_with_one, .operate = get,
	.before = 1, .after = 0);

QUEUE_ROW(queue_put_waited, "puts where another sleeps", plain, QUEUE_ROLES, .part = PART_SLEEPS,
	.partner_after = get_or_not, .prepare = join, .operate = put, .before = NO_OUTCOME);

QUEUE_ROW(queue_get_asleep, "waits for a message, up to its sleep", plain, QUEUE_ROLES,
	.prepare = join, .operate = get, .before = 0, .after = 0, .flags = ENDS_ASLEEP);

QUEUE_ROW(queue_get_woken, "is woken, and gets", plain, QUEUE_ROLES, .part = PART_HOLDS,
	.partner = nothing, .partner_after = put, .prepare = join, .operate = get,
	.before = NO_OUTCOME, .flags = FROM_SLEEP | WOKEN);

QUEUE_ROW(queue_get_timeout, "gives up waiting for a message", plain, QUEUE_ROLES, .prepare = join,
	.operate = get_in_time, .before = 0, .after = 0, .flags = FROM_SLEEP);

QUEUE_ROW(queue_put_asleep, "waits for room, up to its sleep", plain, .found = found_full,
	ROLES_BUT_FOUND, .prepare = join, .operate = put, .before = ROOM, .after = ROOM,
	.flags = ENDS_ASLEEP);

QUEUE_ROW(queue_join, "waits until all is done, and it is", plain, QUEUE_ROLES, .prepare = join,
	.operate = join_all, .before = 0, .after = 0);

QUEUE_ROW(queue_close, "closes", plain, CLOSING_ROLES, .recover = recover_closed, .prepare = join,
	.operate = close_it, .before = 0, .after = 1);

QUEUE_ROW(queue_produce_begin, "registers", plain, CLOSING_ROLES, .recover = recover_left,
	.prepare = join, .operate = begin, .before = NO_OUTCOME);

QUEUE_ROW(queue_produce_end, "was the last registered", plain, CLOSING_ROLES,
	.recover = recover_left, .prepare = join_registered, .operate = end, .before = NO_OUTCOME);
