/*
 * scenarios_stage.c - a worker of a pipeline, killed in any of its three stages: each message comes out, and
 * the last stage is given it once; killed in the last stage itself, also in order, perhaps again.
 *
 * There is no outcome to see: the survivors work in all stages till there is nothing left.
 */
#include "scenarios.h"
#include "scene.h"
#include "work/stage.h"
#include <string.h>

/* In the queues all messages have room, and a second copy from each who died. */
enum { MESSAGES = 3, STAGES = 3 };

static struct ilk_flow_ flow;
static struct ilk_mutex *one_at_a_time; /* in the first stage; in the last one, in order */
static uint64_t *counts;                /* in the segment: how often each message came out */

/* ---- bodies ---- */

static int generate(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	uint64_t n = w->number;

	(void)in, (void)bytes, (void)arg;
	return n < MESSAGES ? ilk_work_send(w, &n, sizeof n) : ILK_STAGE_END;
}

static int pass(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	(void)arg;
	return ilk_work_send(w, in, bytes);
}

static int collect(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	uint64_t n = MESSAGES;

	(void)arg;
	memcpy(&n, in, bytes == sizeof n ? bytes : 0);
	ilk_add_full_(&counts[n == w->number ? n : MESSAGES], UINT64_C(1));
	return 0;
}

static const struct ilk_stage stages[STAGES] = {
	{.name = "first", .body = generate, .out_bytes = 8, .tries = 50, .capacity = 8},
	{.name = "middle", .body = pass, .out_bytes = 8, .tries = 50, .capacity = 8},
	{.name = "last", .body = collect, .tries = 50},
};

/* ---- parts ---- */

static int open_flow_as(struct stage *s, unsigned flags)
{
	const struct ilk_pipeline_options o = {.size = sizeof o, .flags = flags, .window = 8};
	void *block;

	memset(&flow, 0, sizeof flow);
	if (EXPECT(s, ilk_block_open(mine.segment, "counts", (MESSAGES + 1) * 8, &block), 0) < 0 ||
		EXPECT(s, ilk_mutex_open(mine.segment, "one", NULL, &one_at_a_time), 0) < 0)
		return -1;
	counts = block;
	if (EXPECT(s, ilk_flow_check_(&flow, stages, STAGES, &o), 0) < 0)
		return -1;
	return EXPECT(s, ilk_flow_open_(&flow, mine.segment, "p"), 0);
}

static int open_flow(struct stage *s)
{
	return open_flow_as(s, 0);
}

/* Fewer messages than the window: nobody waits for `low` but the last stage. */
static int open_ordered(struct stage *s)
{
	return open_flow_as(s, ILK_PIPELINE_ORDERED);
}

static int work_first(struct stage *s)
{
	return EXPECT(s, ilk_stage_work_(&flow, 0, 0), 0);
}

static int work_middle(struct stage *s)
{
	return EXPECT(s, ilk_stage_work_(&flow, 1, 0), 0);
}

static int work_last(struct stage *s)
{
	return EXPECT(s, ilk_stage_work_(&flow, 2, 0), 0);
}

static int end_before(struct stage *s, unsigned stage)
{
	return EXPECT(s, ilk_queue_close(flow.in[stage]), 0);
}

static int found(struct stage *s)
{
	return scene_found(s) < 0 ? -1 : open_flow(s);
}

static int found_sent(struct stage *s)
{
	return found(s) < 0 || work_first(s) < 0 ? -1 : end_before(s, 1);
}

static int found_passed(struct stage *s)
{
	return found_sent(s) < 0 || work_middle(s) < 0 ? -1 : end_before(s, 2);
}

static int found_passed_in_order(struct stage *s)
{
	if (scene_found(s) < 0 || open_ordered(s) < 0 || work_first(s) < 0 || end_before(s, 1) < 0)
		return -1;
	return work_middle(s) < 0 ? -1 : end_before(s, 2);
}

static int attach(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : open_flow(s);
}

static int join(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_flow(s);
}

static int attach_in_order(struct stage *s)
{
	return scene_attach(s) < 0 ? -1 : open_ordered(s);
}

static int join_in_order(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_ordered(s);
}

/* ---- the survivors ---- */

/* The first stage has one worker at a time; after its end it ends at once. */
static int send_all(struct stage *s)
{
	if (EXPECT(s, ilk_mutex_lock(one_at_a_time) >= 0, 1) < 0 || work_first(s) < 0)
		return -1;
	ilk_mutex_repaired(one_at_a_time);
	return EXPECT(s, ilk_mutex_unlock(one_at_a_time), 0);
}

static int recover(struct stage *s)
{
	if (send_all(s) < 0 || end_before(s, 1) < 0 || work_middle(s) < 0 || end_before(s, 2) < 0)
		return -1;
	return work_last(s);
}

/* In order the last stage has one worker at a time, too. */
static int recover_in_order(struct stage *s)
{
	if (send_all(s) < 0 || end_before(s, 1) < 0 || work_middle(s) < 0 || end_before(s, 2) < 0)
		return -1;
	if (EXPECT(s, ilk_mutex_lock(one_at_a_time) >= 0, 1) < 0 || work_last(s) < 0)
		return -1;
	ilk_mutex_repaired(one_at_a_time);
	return EXPECT(s, ilk_mutex_unlock(one_at_a_time), 0);
}

/* None came more often than MOST. */
static int audit_to(struct stage *s, uint64_t most)
{
	for (unsigned i = 0; i < MESSAGES; i++)
		if (counts[i] < 1 || counts[i] > most)
			return fail(
				s, "message %u came %llu times", i, (unsigned long long)counts[i]);
	if (EXPECT(s, (int)counts[MESSAGES], 0) < 0)
		return -1;
	return EXPECT(s, ilk_segment_valid(mine.segment), 0);
}

/* The second dies in any stage, the last one too. */
static int audit(struct stage *s)
{
	return audit_to(s, s->second ? 2 : 1);
}

static int audit_last(struct stage *s)
{
	return audit_to(s, s->second ? 3 : 2);
}

#define STAGE_ROLES                                                                \
	.attach = attach, .look = scene_look, .recover = recover, .prepare = join, \
	.before = NO_OUTCOME

/* ---- rows ---- */

const struct operation stage_first_row = {
	.name = "stage_first",
	.what = "works as the first stage of a pipeline",
	STAGE_ROLES,
	.found = found,
	.audit = audit,
	.operate = work_first,
};

const struct operation stage_middle_row = {
	.name = "stage_middle",
	.what = "works as a stage in the middle",
	STAGE_ROLES,
	.found = found_sent,
	.audit = audit,
	.operate = work_middle,
};

const struct operation stage_last_row = {
	.name = "stage_last",
	.what = "works as the last stage",
	STAGE_ROLES,
	.found = found_passed,
	.audit = audit_last,
	.operate = work_last,
};

const struct operation stage_in_order_row = {
	.name = "stage_in_order",
	.what = "works as the last stage, in order",
	.attach = attach_in_order,
	.look = scene_look,
	.recover = recover_in_order,
	.prepare = join_in_order,
	.before = NO_OUTCOME,
	.found = found_passed_in_order,
	.audit = audit_last,
	.operate = work_last,
};
