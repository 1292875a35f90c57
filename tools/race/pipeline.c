/*
 * pipeline.c - generate, square, add, collect: stages joined by queues, and how each learns of the
 * end.
 *
 * Each stage but the first has several workers here, if there are enough. A sentinel is passed on by
 * the first who gets it, while another is still at its last number.
 */
#include "race/frame.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <ilk/queue.h>
#include <sched.h>
#include <stdio.h>

enum { STAGES = 4, NUMBERS = 3000, END = -1 };

struct shared {
	int64_t sum, count; /* by who collects */
	uint32_t ready[STAGES];
};

static _Thread_local struct {
	struct shared *shared;
	struct ilk_queue *queue[STAGES]; /* what stage i reads; that of 0 is not used */
	struct ilk_queue_handle handle[STAGES];
	int is_over;
} my;

static int open_queues(struct ilk_segment *seg)
{
	const struct ilk_queue_options options = {
		.size = sizeof options, .capacity = 32, .message_bytes = sizeof(int64_t)};
	int rc = race_block(seg, "shared", sizeof *my.shared, &my.shared);
	char name[16];

	for (int i = 1; i < STAGES && rc == 0; i++) {
		snprintf(name, sizeof name, "to%d", i);
		rc = ilk_queue_open(seg, name, &options, &my.queue[i]);
		if (rc == 0)
			rc = ilk_queue_attach(my.queue[i], &my.handle[i]);
	}
	return rc;
}

static int put(int stage, int64_t number)
{
	return ilk_queue_put(&my.handle[stage], &number, sizeof number, ILK_FOREVER);
}

static int get(int stage, int64_t *number)
{
	return ilk_queue_get(&my.handle[stage], number, sizeof *number, NULL, ILK_FOREVER);
}

/* Worker 0 generates, the last one collects, those between square and add. */
static int stage_of(const struct race_worker *me)
{
	if (me->index == 0)
		return 0;
	return me->index == me->count - 1 ? STAGES - 1 : 1 + (me->index - 1) % (STAGES - 2);
}

static int workers_of(const struct race_worker *me, int stage)
{
	int n = 0;

	for (int i = 0; i < me->count; i++) {
		struct race_worker other = {.index = i, .count = me->count};

		n += stage_of(&other) == stage;
	}
	return n;
}

static void collect(int64_t number)
{
	my.shared->sum += number;
	my.shared->count++;
}

/* What stage 1 or 2 makes of a number; now and then it takes longer. */
static int64_t compute(struct race_worker *me, int stage, int64_t number)
{
	if (race_random(me, 32) == 0)
		sched_yield();
	return stage == 1 ? number * number : number + 3;
}

/* --- broken: END goes from stage to stage --- */

static int middle_by_sentinel(struct race_worker *me, int stage)
{
	int64_t number;
	int rc;

	while ((rc = get(stage, &number)) == 0 && number != END) {
		rc = put(stage + 1, compute(me, stage, number));
		if (rc < 0)
			return rc;
	}
	if (rc < 0)
		return rc;
	race_note(me, "passes the end on, from stage", stage);
	put(stage, END); /* for the others of this stage */
	return put(stage + 1, END);
}

static int work_sentinel(struct race_worker *me, int64_t times)
{
	int64_t number;
	int stage = stage_of(me), rc = 0;

	(void)times;
	if (my.is_over)
		return 0;
	my.is_over = 1;
	if (stage == 0) {
		for (int64_t i = 0; i < NUMBERS && rc == 0; i++)
			rc = put(1, i);
		return rc < 0 ? rc : put(1, END);
	}
	if (stage < STAGES - 1)
		return middle_by_sentinel(me, stage);
	while ((rc = get(stage, &number)) == 0 && number != END)
		collect(number);
	race_note(me, "goes home, and has collected", my.shared->count);
	return rc;
}

/* --- end of work: each stage's workers are the next one's producers --- */

/* All of a stage are registered before one of them can be done. */
static int register_stage(struct race_worker *me, int stage)
{
	int rc = ilk_queue_produce_begin(my.queue[stage + 1]);
	uint32_t *ready = &my.shared->ready[stage];

	ilk_add_full_(ready, 1u);
	while (rc == 0 && ilk_load_acquire_(ready) < (uint32_t)workers_of(me, stage))
		sched_yield();
	return rc;
}

static int middle_to_the_end(struct race_worker *me, int stage)
{
	int64_t number;
	int rc;

	while ((rc = get(stage, &number)) == 0) {
		rc = put(stage + 1, compute(me, stage, number));
		if (rc < 0)
			return rc;
	}
	return rc == -EPIPE ? ilk_queue_produce_end(my.queue[stage + 1]) : rc;
}

static int work_to_the_end(struct race_worker *me, int64_t times)
{
	int64_t number;
	int stage = stage_of(me), rc = 0;

	(void)times;
	if (my.is_over)
		return 0;
	my.is_over = 1;
	if (stage < STAGES - 1)
		rc = register_stage(me, stage);
	if (rc < 0)
		return rc;
	if (stage == 0) {
		for (int64_t i = 0; i < NUMBERS && rc == 0; i++)
			rc = put(1, i);
		return rc < 0 ? rc : ilk_queue_produce_end(my.queue[1]);
	}
	if (stage < STAGES - 1)
		return middle_to_the_end(me, stage);
	while ((rc = get(stage, &number)) == 0)
		collect(number);
	return rc == -EPIPE ? 0 : rc;
}

static void judge(struct race_count *count)
{
	int64_t sum = 0;

	for (int64_t i = 0; i < NUMBERS; i++)
		sum += i * i + 3;
	count->expected = sum;
	count->got = my.shared->sum;
	count->failures = NUMBERS - my.shared->count;
	count->of = NUMBERS;
	if (count->failures == 0 && count->got != sum)
		count->failures = 1;
}

static const struct race_variant variants[] = {
	{"sentinel", "the first to get the END passes it on", RACE_FAILS, NULL, open_queues,
		work_sentinel, judge, NULL},
	{"end-of-work", "registered producers: a queue ends with its last", RACE_HOLDS, NULL,
		open_queues, work_to_the_end, judge, NULL},
};

const struct race_scenario race_pipeline = {
	.name = "pipeline",
	.bug = "the first to get the end marker passes it to the next stage",
	.breaks = "it overtakes what others of the stage are at: results are missing",
	.fix = "end of work by registered producers",
	.failures = "numbers missing",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 6,
	.processes = 8,
	.iterations = 1,
	.chunk = 1,
	.is_noted = 1,
};
