/*
 * publish.c - writes the data, then sets a flag; another waits for the flag, then reads the data.
 *
 * Two things can go wrong: the compiler reads the flag once, since nothing in the loop changes it;
 * and data and flag become visible in another order than they were written.
 */
#include "race/frame.h"
#include <ilk/atomics.h>
#include <ilk/event.h>
#include <sched.h>

struct post {
	uint64_t data;
	uint64_t flag ILK_ALIGNED_(64); /* number of the message that is in data */
	uint64_t seen ILK_ALIGNED_(64); /* number of the last that was read */
	uint64_t stale;                 /* times the flag was there and the data were not */
};

static _Thread_local struct {
	struct post *post;
	struct ilk_event *event;
	uint64_t number;
} my;

static int open_post(struct ilk_segment *seg)
{
	return race_block(seg, "post", sizeof *my.post, &my.post);
}

/* The writer waits until the last message was read. */
static void wait_until_seen(void)
{
	for (int n = 1; ilk_load_acquire_(&my.post->seen) != my.number; n++)
		if (n % 256 == 0)
			sched_yield();
}

static void read_data(struct race_worker *me, uint64_t data)
{
	if (data != my.number) {
		race_note(me, "the flag is there, and reads old data:", (int64_t)data);
		ilk_add_relaxed_(&my.post->stale, 1u);
	}
	ilk_store_release_(&my.post->seen, my.number);
}

/* --- broken: plain variables, as a compiler at -O2 takes them --- */

/* Nothing here changes *flag; so it is read once, and then never again. */
__attribute__((no_sanitize("thread"))) static void wait_for_flag(
	const uint64_t *flag, uint64_t number)
{
	while (*flag != number)
		;
}

__attribute__((no_sanitize("thread"))) static int work_plain(struct race_worker *me, int64_t times)
{
	struct post *p = my.post;

	for (; times > 0; times--) {
		if (me->index == 0)
			wait_until_seen();
		my.number++;
		if (me->index == 0) {
			p->data = my.number;
			race_note(me, "sets the flag of number", (int64_t)my.number);
			p->flag = my.number;
		} else {
			race_note(me, "waits for number", (int64_t)my.number);
			wait_for_flag(&p->flag, my.number);
			read_data(me, p->data);
		}
	}
	return 0;
}

/* --- order not asked for, and asked for --- */

static inline int exchange(struct race_worker *me, int64_t times, int in_order)
{
	struct post *p = my.post;

	for (; times > 0; times--) {
		if (me->index == 0)
			wait_until_seen();
		my.number++;
		if (me->index == 0) {
			ilk_store_relaxed_(&p->data, my.number);
			if (in_order)
				ilk_store_release_(&p->flag, my.number);
			else
				ilk_store_relaxed_(&p->flag, my.number);
			continue;
		}
		for (int n = 1; (in_order ? ilk_load_acquire_(&p->flag)
					  : ilk_load_relaxed_(&p->flag)) != my.number;
			n++)
			if (n % 256 == 0)
				sched_yield();
		read_data(me, ilk_load_relaxed_(&p->data));
	}
	return 0;
}

static int work_relaxed(struct race_worker *me, int64_t times)
{
	return exchange(me, times, 0);
}

static int work_release(struct race_worker *me, int64_t times)
{
	return exchange(me, times, 1);
}

/* --- an event --- */

static int open_event(struct ilk_segment *seg)
{
	const struct ilk_event_options options = {.size = sizeof options, .flags = ILK_EVENT_AUTO};
	int rc = open_post(seg);

	return rc < 0 ? rc : ilk_event_open(seg, "written", &options, &my.event);
}

static int work_event(struct race_worker *me, int64_t times)
{
	int rc = 0;

	for (; times > 0 && rc == 0; times--) {
		if (me->index == 0)
			wait_until_seen();
		my.number++;
		if (me->index == 0) {
			my.post->data = my.number;
			rc = ilk_event_set(my.event);
		} else {
			rc = ilk_event_wait(my.event);
			read_data(me, my.post->data);
		}
	}
	return rc;
}

static void judge(struct race_count *count)
{
	count->expected /= 2; /* a message is of two */
	count->failures = (int64_t)my.post->stale;
	count->got = count->expected - count->failures;
}

static const struct race_variant variants[] = {
	{"plain", "while (flag != n) on a plain variable", RACE_FAILS, NULL, open_post, work_plain,
		judge, NULL},
	{"relaxed", "atomics without order", RACE_MAY_FAIL, NULL, open_post, work_relaxed, judge,
		NULL},
	{"release", "a releasing store, an acquiring load", RACE_HOLDS, NULL, open_post,
		work_release, judge, NULL},
	{"event", "ilk_event_set, ilk_event_wait", RACE_HOLDS, NULL, open_event, work_event, judge,
		NULL},
};

const struct race_scenario race_publish = {
	.name = "publish",
	.bug = "writes data, sets a flag; another waits for the flag and reads",
	.breaks = "the flag is never seen, or seen before the data",
	.fix = "release and acquire, or an event",
	.failures = "old data",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.most_workers = 2,
	.iterations = 20000,
	.meets = 1,
	.patience_ms = 2000,
	.is_noted = 1,
};
