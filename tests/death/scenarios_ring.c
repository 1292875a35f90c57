/*
 * scenarios_ring.c - a message is put or not, gone or not; sides pass to whoever comes; nobody sleeps
 * for what is there.
 *
 * Messages say which they are, and the ring counts them: so who takes over knows exactly what it must
 * find. The outcome says what the first survivor found: 1000 times the first message + the last.
 */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>
#include <sched.h>
#include <string.h>

enum { EACH = 24, LONGER = 40, PUT = 7, GOT = 5, BATCH = 3, TIMEOUT_MS = 18, ROOM = 256 };
#define LEFT(first, last) (1000L * (first) + (last))

/* What a row asks of its segment; `plain` comes first: a row's `setting` is this. */
struct ring_at_first {
	struct setting plain;
	struct ilk_ring_options options;
	unsigned put, got;
};

#define ANY_SIZE                                                       \
	{                                                              \
		.size = sizeof(struct ilk_ring_options), .bytes = ROOM \
	}
#define FIXED_SIZE                                                                           \
	{                                                                                    \
		.size = sizeof(struct ilk_ring_options), .bytes = 8 * EACH, .message = EACH, \
		.flags = ILK_RING_FIXED                                                      \
	}

/* Near the end of its bytes; at their start; empty; full. */
static const struct ring_at_first any = {{8, 8, 0}, ANY_SIZE, PUT, GOT},
				  fixed = {{8, 8, 0}, FIXED_SIZE, PUT, GOT},
				  from_start = {{8, 8, 0}, ANY_SIZE, PUT + 1, GOT},

				  empty = {{8, 8, 0}, ANY_SIZE, PUT, PUT},
				  empty_fixed = {{8, 8, 0}, FIXED_SIZE, PUT, PUT},
				  full = {{8, 8, 0}, ANY_SIZE, PUT, 0},
				  full_fixed = {{8, 8, 0}, FIXED_SIZE, 8, 0};

static struct ilk_ring *ring;
static struct ilk_ring_writer w;
static struct ilk_ring_reader r;
static void *reserved;

static const struct ring_at_first *at_first(const struct stage *s)
{
	return s->operation->setting;
}

/* ---- parts ---- */

static int open_ring(struct stage *s)
{
	return EXPECT(s, ilk_ring_open(mine.segment, "ring", &at_first(s)->options, &ring), 0);
}

/* Takes a side, waiting for the living who has it; 0 or ILK_RECOVERED. */
static int take_writer(struct stage *s)
{
	int rc;

	while ((rc = ilk_ring_writer_open(ring, 0, &w)) == -EBUSY)
		sched_yield();
	return rc == ILK_RECOVERED ? 0 : expect(s, "ilk_ring_writer_open", rc, 0);
}

static int take_reader(struct stage *s)
{
	int rc;

	while ((rc = ilk_ring_reader_open(ring, 0, &r)) == -EBUSY)
		sched_yield();
	return rc == ILK_RECOVERED ? 0 : expect(s, "ilk_ring_reader_open", rc, 0);
}

/* All do so in this order. */
static int take_both(struct stage *s)
{
	return take_writer(s) < 0 ? -1 : take_reader(s);
}

static int close_both(struct stage *s)
{
	if (EXPECT(s, ilk_ring_reader_close(&r), 0) < 0)
		return -1;
	return EXPECT(s, ilk_ring_writer_close(&w), 0);
}

static int counts(struct stage *s, long *put, long *got)
{
	struct ilk_ring_status status;

	if (EXPECT(s, ilk_ring_status(ring, &status), 0) < 0)
		return -1;
	*put = (long)status.put;
	*got = (long)status.got;
	return 0;
}

static int put_one(struct stage *s, size_t n)
{
	uint64_t message[LONGER / 8] = {0};
	long put, got;

	if (counts(s, &put, &got) < 0)
		return -1;
	message[0] = message[n / 8 - 1] = (uint64_t)put + 1;
	return EXPECT(s, ilk_ring_put(&w, message, n), 0);
}

/* The next message's number; 0: there is none; -1. */
static long get_one(struct stage *s, int until_gone)
{
	uint64_t message[LONGER / 8];
	size_t n = 0;
	int rc = until_gone ? ilk_ring_get(&r, message, sizeof message, &n)
			    : ilk_ring_try_get(&r, message, sizeof message, &n);

	if (rc == -EAGAIN || (until_gone && rc == -EPIPE))
		return 0;
	if (expect(s, "ilk_ring_get", rc, 0) < 0)
		return -1;
	if (n < EACH || message[0] != message[n / 8 - 1])
		return fail(
			s, "a message of %zu bytes, %lu to %lu", n, message[0], message[n / 8 - 1]);
	return (long)message[0];
}

/* Gets all that is there: what the counts say, in order. */
static int drain(struct stage *s)
{
	long put, got, next, number;

	if (counts(s, &put, &got) < 0)
		return -1;
	if (s->first && s->board->outcome == NO_OUTCOME)
		s->board->outcome = LEFT(got + 1, put);
	for (next = got + 1; (number = get_one(s, 0)) > 0; next++)
		if (number != next)
			return fail(s, "message %ld, not %ld", number, next);
	if (number < 0)
		return -1;
	return next - 1 == put ? 0
			       : fail(s, "message %ld was put, but %ld the last", put, next - 1);
}

static int found(struct stage *s)
{
	if (scene_found(s) < 0 || open_ring(s) < 0 || take_both(s) < 0)
		return -1;
	for (unsigned i = 1, got = 1; i <= at_first(s)->put; i++) {
		if (put_one(s, EACH) < 0)
			return -1;
		for (; got <= at_first(s)->got && got <= i; got++)
			if (expect(s, "the message got", (int)get_one(s, 0), (int)got) < 0)
				return -1;
	}
	return close_both(s);
}

static int attach(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_ring(s);
}

/* ---- the victim ---- */

static int attach_and_take(struct stage *s)
{
	return attach(s) < 0 ? -1 : take_both(s);
}

static int attach_and_take_writer(struct stage *s)
{
	return attach(s) < 0 ? -1 : take_writer(s);
}

static int attach_and_take_reader(struct stage *s)
{
	return attach(s) < 0 ? -1 : take_reader(s);
}

static int reserve_it(struct stage *s)
{
	if (EXPECT(s, ilk_ring_reserve(&w, EACH, &reserved), 0) < 0)
		return -1;
	memset(reserved, 0, EACH);
	((uint64_t *)reserved)[0] = ((uint64_t *)reserved)[EACH / 8 - 1] = PUT + 1;
	return 0;
}

static int attach_and_reserve(struct stage *s)
{
	return attach_and_take(s) < 0 ? -1 : reserve_it(s);
}

static int attach_and_peek(struct stage *s)
{
	const void *message;
	size_t n;

	return attach_and_take(s) < 0 ? -1 : EXPECT(s, ilk_ring_peek(&r, &message, &n), 0);
}

/* What is put stands ready, so that only the put is stepped. */
static uint64_t ready[BATCH][EACH / 8], longer[LONGER / 8];

static void make_ready(const struct stage *s)
{
	for (unsigned i = 0; i < BATCH; i++)
		ready[i][0] = ready[i][EACH / 8 - 1] = at_first(s)->put + 1 + i;
	longer[0] = longer[LONGER / 8 - 1] = at_first(s)->put + 1;
}

static int attach_ready(struct stage *s)
{
	make_ready(s);
	return attach_and_take(s);
}

static int attach_writer_ready(struct stage *s)
{
	make_ready(s);
	return attach_and_take_writer(s);
}

static int put(struct stage *s)
{
	return EXPECT(s, ilk_ring_put(&w, ready[0], EACH), 0);
}

static int put_longer(struct stage *s)
{
	return EXPECT(s, ilk_ring_put(&w, longer, LONGER), 0);
}

static int put_batch(struct stage *s)
{
	size_t done;

	if (EXPECT(s, ilk_ring_put_many(&w, ready, EACH, BATCH, &done), 0) < 0)
		return -1;
	return expect(s, "messages put", (int)done, BATCH);
}

static int put_in_time(struct stage *s)
{
	return EXPECT(
		s, ilk_ring_put_until(&w, ready[0], EACH, ilk_after_ms(TIMEOUT_MS)), -ETIMEDOUT);
}

static int commit(struct stage *s)
{
	return EXPECT(s, ilk_ring_commit(&w, EACH), 0);
}

static int abort_it(struct stage *s)
{
	return EXPECT(s, ilk_ring_abort(&w), 0);
}

static int get(struct stage *s)
{
	uint64_t message[EACH / 8];
	size_t n;

	return EXPECT(s, ilk_ring_get(&r, message, sizeof message, &n), 0);
}

static int attach_with_longer(struct stage *s)
{
	return attach_ready(s) < 0 || put_longer(s) < 0 || get(s) < 0 ? -1 : get(s);
}

static int get_longer(struct stage *s)
{
	uint64_t message[LONGER / 8];
	size_t n;

	return EXPECT(s, ilk_ring_get(&r, message, sizeof message, &n), 0);
}

static int get_batch(struct stage *s)
{
	uint64_t message[BATCH][EACH / 8];
	size_t done;

	if (EXPECT(s, ilk_ring_get_many(&r, message, EACH, BATCH, &done), 0) < 0)
		return -1;
	return expect(s, "messages got", (int)done, PUT - GOT);
}

static int get_in_time(struct stage *s)
{
	uint64_t message[EACH / 8];
	size_t n;

	return EXPECT(s,
		ilk_ring_get_until(&r, message, sizeof message, ilk_after_ms(TIMEOUT_MS), &n),
		-ETIMEDOUT);
}

static int get_of_dead(struct stage *s)
{
	uint64_t message[EACH / 8];
	size_t n;

	return EXPECT(s, ilk_ring_get(&r, message, sizeof message, &n), -EPIPE);
}

static int put_to_dead(struct stage *s)
{
	return EXPECT(s, ilk_ring_put(&w, ready[0], EACH), -EPIPE);
}

static int release(struct stage *s)
{
	return EXPECT(s, ilk_ring_release(&r), 0);
}

static int close_writer(struct stage *s)
{
	return EXPECT(s, ilk_ring_writer_close(&w), 0);
}

static int close_reader(struct stage *s)
{
	return EXPECT(s, ilk_ring_reader_close(&r), 0);
}

/* ---- the partner ---- */

static int partner_writes(struct stage *s)
{
	make_ready(s);
	return take_writer(s);
}

static int partner_puts_and_closes(struct stage *s)
{
	int rc = ilk_ring_put(&w, ready[0], EACH);

	/* The victim may be known to be dead already, and then there is no reader. */
	if (rc != -EPIPE && expect(s, "ilk_ring_put", rc, 0) < 0)
		return -1;
	return close_writer(s);
}

static int partner_reads_and_closes(struct stage *s)
{
	long first = get_one(s, 0);

	return first < 0 ? -1 : close_reader(s);
}

/* Sleeps until there is a message, or the writer is dead. */
static int partner_awaits_message(struct stage *s)
{
	long number;

	if (take_reader(s) < 0)
		return -1;
	number = get_one(s, 1);
	if (number < 0)
		return -1;
	s->board->outcome = number != 0;
	return close_reader(s);
}

/* Sleeps until there is room, or the reader is dead. */
static int partner_awaits_room(struct stage *s)
{
	int rc;

	make_ready(s);
	if (take_writer(s) < 0)
		return -1;
	rc = ilk_ring_put(&w, ready[0], EACH);
	if (rc != -EPIPE && expect(s, "ilk_ring_put", rc, 0) < 0)
		return -1;
	s->board->outcome = rc == 0;
	return close_writer(s);
}

/* ---- the survivors ---- */

static int recover(struct stage *s)
{
	if (take_both(s) < 0 || drain(s) < 0)
		return -1;
	return close_both(s);
}

static int check(struct stage *s)
{
	for (int i = 0; i < SCENE_ROUNDS; i++) {
		if (take_both(s) < 0 || put_one(s, EACH) < 0)
			return -1;
		if (at_first(s)->options.message == 0 && put_one(s, LONGER) < 0)
			return -1;
		if (drain(s) < 0 || close_both(s) < 0)
			return -1;
	}
	return 0;
}

static int audit(struct stage *s)
{
	long put, got;

	if (EXPECT(s, ilk_segment_valid(mine.segment), 0) < 0 || counts(s, &put, &got) < 0)
		return -1;
	return put == got ? 0 : fail(s, "%ld put, %ld got at the end", put, got);
}

#define RING_ROLES                                                                                \
	.found = found, .attach = attach, .look = scene_look, .recover = recover, .check = check, \
	.audit = audit

/* ---- rows ---- */

#define ROW(id, words, at, preparation, act, first, last) \
	const struct operation ring_##id##_row = {        \
		.name = "ring_" #id,                      \
		.what = words,                            \
		.setting = &at,                           \
		RING_ROLES,                               \
		.prepare = preparation,                   \
		.operate = act,                           \
		.before = first,                          \
		.after = last,                            \
	}

ROW(put, "puts a message", any, attach_ready, put, LEFT(6, 7), LEFT(6, 8));
ROW(put_fixed, "puts a message of fixed size", fixed, attach_ready, put, LEFT(6, 7), LEFT(6, 8));
ROW(put_skip, "puts a message that does not fit before the end", any, attach_ready, put_longer,
	LEFT(6, 7), LEFT(6, 8));
ROW(put_many, "puts three at once", from_start, attach_ready, put_batch, LEFT(6, 8), LEFT(6, 11));
ROW(put_many_fixed, "puts three at once, across the end", fixed, attach_ready, put_batch,
	LEFT(6, 7), LEFT(6, 10));
ROW(reserve, "reserves room", any, attach_ready, reserve_it, LEFT(6, 7), LEFT(6, 7));
ROW(commit, "commits what it has reserved", any, attach_and_reserve, commit, LEFT(6, 7),
	LEFT(6, 8));
ROW(abort, "gives up what it has reserved", any, attach_and_reserve, abort_it, LEFT(6, 7),
	LEFT(6, 7));
ROW(get, "gets a message", any, attach_and_take, get, LEFT(6, 7), LEFT(7, 7));
ROW(get_fixed, "gets a message of fixed size", fixed, attach_and_take, get, LEFT(6, 7), LEFT(7, 7));
ROW(get_skip, "gets a message that stands at the start again", any, attach_with_longer, get_longer,
	LEFT(8, 8), LEFT(9, 8));
ROW(get_many, "gets all at once", any, attach_and_take, get_batch, LEFT(6, 7), LEFT(8, 7));
ROW(get_many_fixed, "gets all of fixed size at once", fixed, attach_and_take, get_batch, LEFT(6, 7),
	LEFT(8, 7));
ROW(release, "releases what it has peeked", any, attach_and_peek, release, LEFT(6, 7), LEFT(7, 7));
ROW(writer_open, "takes the writer's side", any, attach, take_writer, LEFT(6, 7), LEFT(6, 7));
ROW(reader_open, "takes the reader's side", any, attach, take_reader, LEFT(6, 7), LEFT(6, 7));
ROW(writer_close, "gives the writer's side back", any, attach_and_take, close_writer, LEFT(6, 7),
	LEFT(6, 7));
ROW(reader_close, "gives the reader's side back", any, attach_and_take, close_reader, LEFT(6, 7),
	LEFT(6, 7));

#define TAKEOVER_ROW(id, words, at, of_partner, act) \
	const struct operation ring_##id##_row = {   \
		.name = "ring_" #id,                 \
		.what = words,                       \
		.setting = &at,                      \
		RING_ROLES,                          \
		.part = PART_DIES,                   \
		.partner = of_partner,               \
		.prepare = attach,                   \
		.operate = act,                      \
		.before = LEFT(6, 7),                \
		.after = LEFT(6, 7),                 \
	}

TAKEOVER_ROW(writer_takeover, "takes a dead one's side, to write", any, take_both, take_writer);
TAKEOVER_ROW(reader_takeover, "takes a dead one's side, to read", any, take_both, take_reader);
TAKEOVER_ROW(fixed_takeover, "takes a dead one's side, of fixed size", fixed, take_both, take_both);

const struct operation ring_get_dead_row = {
	.name = "ring_get_dead",
	.what = "is told that the writer is dead",
	.setting = &empty,
	RING_ROLES,
	.part = PART_DIES,
	.partner = take_writer,
	.prepare = attach_and_take_reader,
	.operate = get_of_dead,
	.before = LEFT(8, 7),
	.after = LEFT(8, 7),
};

const struct operation ring_put_dead_row = {
	.name = "ring_put_dead",
	.what = "is told that the reader is dead",
	.setting = &full,
	RING_ROLES,
	.part = PART_DIES,
	.partner = take_reader,
	.prepare = attach_writer_ready,
	.operate = put_to_dead,
	.before = LEFT(1, 7),
	.after = LEFT(1, 7),
};

#define WAITED_ROW(id, words, at, of_partner, preparation, act) \
	const struct operation ring_##id##_row = {              \
		.name = "ring_" #id,                            \
		.what = words,                                  \
		.setting = &at,                                 \
		RING_ROLES,                                     \
		.part = PART_SLEEPS,                            \
		.partner_after = of_partner,                    \
		.prepare = preparation,                         \
		.operate = act,                                 \
		.before = 0,                                    \
		.after = 1,                                     \
	}

WAITED_ROW(put_waited, "puts where the reader sleeps", empty, partner_awaits_message,
	attach_writer_ready, put);
WAITED_ROW(put_waited_fixed, "puts a fixed one where the reader sleeps", empty_fixed,
	partner_awaits_message, attach_writer_ready, put);
WAITED_ROW(get_waited, "gets where the writer sleeps", full, partner_awaits_room,
	attach_and_take_reader, get);
WAITED_ROW(get_waited_fixed, "gets a fixed one where the writer sleeps", full_fixed,
	partner_awaits_room, attach_and_take_reader, get);

#define SLEEP_ROW(id, words, at, by_partner, then, preparation, act, first, last, how) \
	const struct operation ring_##id##_row = {                                     \
		.name = "ring_" #id,                                                   \
		.what = words,                                                         \
		.setting = &at,                                                        \
		RING_ROLES,                                                            \
		.part = PART_HOLDS,                                                    \
		.partner = by_partner,                                                 \
		.partner_after = then,                                                 \
		.prepare = preparation,                                                \
		.operate = act,                                                        \
		.before = first,                                                       \
		.after = last,                                                         \
		.flags = how,                                                          \
	}

SLEEP_ROW(get_asleep, "waits for a message, up to its sleep", empty, partner_writes, close_writer,
	attach_and_take_reader, get, LEFT(8, 7), LEFT(8, 7), ENDS_ASLEEP);
SLEEP_ROW(get_woken, "is woken, and gets a message", empty, partner_writes, partner_puts_and_closes,
	attach_and_take_reader, get, LEFT(8, 8), LEFT(9, 8), FROM_SLEEP | WOKEN);
SLEEP_ROW(get_timeout, "gives up waiting for a message", empty, partner_writes, close_writer,
	attach_and_take_reader, get_in_time, LEFT(8, 7), LEFT(8, 7), FROM_SLEEP);
SLEEP_ROW(put_asleep, "waits for room, up to its sleep", full, take_reader, close_reader,
	attach_writer_ready, put, LEFT(1, 7), LEFT(1, 7), ENDS_ASLEEP);
SLEEP_ROW(put_woken, "is woken, and puts a message", full, take_reader, partner_reads_and_closes,
	attach_writer_ready, put, LEFT(2, 7), LEFT(2, 8), FROM_SLEEP | WOKEN);
SLEEP_ROW(put_timeout, "gives up waiting for room", full, take_reader, close_reader,
	attach_writer_ready, put_in_time, LEFT(1, 7), LEFT(1, 7), FROM_SLEEP);
