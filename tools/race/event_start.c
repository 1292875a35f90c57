/*
 * event_start.c - workers are to begin when the table is ready; "it takes no longer than 100 us".
 *
 * The first worker fills a table in each round; the others use it after a while, or when told.
 */
#include "race/frame.h"
#include <ilk/atomics.h>
#include <ilk/event.h>
#include <unistd.h>

enum { WORDS = 256, GUESS_US = 100, ROUNDS = 3 };

struct shared {
	uint64_t table[WORDS];
	int64_t unready; /* times somebody used a table that was not */
	struct ilk_event ready[ROUNDS];
};

static _Thread_local struct {
	struct ilk_segment *seg;
	struct shared *shared;
	uint64_t round;
} my;

static int open_shared(struct ilk_segment *seg)
{
	my.seg = seg;
	return race_block(seg, "shared", sizeof *my.shared, &my.shared);
}

static int prepare(struct ilk_segment *seg)
{
	int rc = open_shared(seg);

	for (int i = 0; rc == 0 && i < ROUNDS; i++)
		rc = ilk_event_init(seg, &my.shared->ready[i], "ready", NULL);
	return rc;
}

/* Mostly quick; now and then what it needs has to be fetched first. */
static void fill_table(struct race_worker *me)
{
	if (race_random(me, 8) == 0)
		usleep(GUESS_US * 3);
	for (int i = 0; i < WORDS; i++)
		ilk_store_relaxed_(&my.shared->table[i], my.round);
	race_note(me, "has filled the table of round", (int64_t)my.round);
}

static void use_table(struct race_worker *me)
{
	for (int i = 0; i < WORDS; i++)
		if (ilk_load_relaxed_(&my.shared->table[i]) != my.round) {
			race_note(me, "uses the table, which is not ready in round",
				(int64_t)my.round);
			ilk_add_relaxed_(&my.shared->unready, 1);
			return;
		}
}

/* --- broken: sleeps, and hopes --- */

static int work_sleeping(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		race_meet(me);
		my.round++;
		if (me->index == 0) {
			fill_table(me);
		} else {
			usleep(GUESS_US);
			use_table(me);
		}
		race_meet(me);
	}
	return 0;
}

/* --- event: set when it is so --- */

static int work_event(struct race_worker *me, int64_t times)
{
	int rc = 0;

	for (; times > 0 && rc == 0; times--) {
		struct ilk_event *ready = &my.shared->ready[++my.round % ROUNDS];

		race_meet(me);
		if (me->index == 0) {
			fill_table(me);
			rc = ilk_event_set(ready);
		} else {
			rc = ilk_event_wait(ready);
			use_table(me);
		}
		race_meet(me);
		if (me->index == 0)
			ilk_event_clear(ready);
	}
	return rc;
}

static void judge(struct race_count *count)
{
	count->failures = my.shared->unready;
	count->got = count->expected - count->failures;
}

static int witness(const struct race_event *e, int count, int *from, int *to)
{
	for (int i = 0; i + 1 < count; i++)
		if (e[i].what[0] == 'u' && e[i + 1].what[0] == 'h') {
			*from = i > 0 ? i - 1 : 0;
			*to = i + 1;
			return 1;
		}
	return 0;
}

static const struct race_variant variants[] = {
	{"sleep", "usleep(100); by then it is ready", RACE_FAILS, NULL, open_shared, work_sleeping,
		judge, NULL},
	{"event", "ilk_event_set, ilk_event_wait", RACE_HOLDS, prepare, open_shared, work_event,
		judge, NULL},
};

const struct race_scenario race_event_start = {
	.name = "event-start",
	.bug = "sleeps as long as the others will need, and begins",
	.breaks = "one day they need longer",
	.fix = "an event, set when it is so",
	.failures = "not ready",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.processes = 3,
	.iterations = 500,
	.meets = 1,
	.chunk = 20,
	.witness = witness,
};
