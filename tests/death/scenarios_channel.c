/* scenarios_channel.c - an end is taken and given back as a whole, whenever somebody dies in that. */
#include "scenarios.h"
#include "scene.h"
#include <errno.h>
#include <sched.h>
#include <string.h>

enum { SENT = 3 };

static const struct setting plain = {8, 8, 0};
static const struct ilk_ring_options small = {.size = sizeof small, .bytes = 256};
static struct ilk_channel *channel;
static struct ilk_channel_end end[2];

/* ---- parts ---- */

static int open_channel(struct stage *s)
{
	return EXPECT(s, ilk_channel_open(mine.segment, "channel", &small, &channel), 0);
}

/* Takes an end, waiting for the living who has it. */
static int take(struct stage *s, int k)
{
	int rc;

	while ((rc = ilk_channel_end_open(channel, k, 0, &end[k])) == -EBUSY)
		sched_yield();
	return rc == ILK_RECOVERED ? 0 : expect(s, "ilk_channel_end_open", rc, 0);
}

static int give(struct stage *s, int k)
{
	return EXPECT(s, ilk_channel_end_close(&end[k]), 0);
}

static int send(struct stage *s, int k, char byte)
{
	return EXPECT(s, ilk_channel_try_put(&end[k], &byte, 1), 0);
}

/* What the Ith message that an end sends says: the first ones differ. */
static char wanted(uint64_t i)
{
	return (char)(i < SENT ? 'a' + (int)i : 'a');
}

/* Gets what the other end sent and nobody got yet; how many; -1. */
static int drain(struct stage *s, int k)
{
	struct ilk_channel_status status;
	uint64_t next;
	char byte;
	size_t n;
	int rc;

	if (EXPECT(s, ilk_channel_status(channel, &status), 0) < 0)
		return -1;
	next = status.got[1 - k];
	while ((rc = ilk_channel_try_get(&end[k], &byte, 1, &n)) == 0)
		if (byte != wanted(next++))
			return fail(s, "message %lu of end %d is %c", next, 1 - k, byte);
	if (expect(s, "ilk_channel_try_get", rc, -EAGAIN) < 0)
		return -1;
	return (int)(next - status.got[1 - k]);
}

static int found(struct stage *s)
{
	if (scene_found(s) < 0 || open_channel(s) < 0)
		return -1;
	for (int k = 0; k < 2; k++) {
		if (take(s, k) < 0)
			return -1;
		for (int i = 0; i < SENT; i++)
			if (send(s, k, wanted((uint64_t)i)) < 0)
				return -1;
	}
	return give(s, 1) < 0 ? -1 : give(s, 0);
}

static int attach(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_channel(s);
}

static int take_first(struct stage *s)
{
	return take(s, 0);
}

static int attach_and_take(struct stage *s)
{
	return attach(s) < 0 ? -1 : take(s, 0);
}

static int close_first(struct stage *s)
{
	return give(s, 0);
}

/* ---- the survivors ---- */

static int recover(struct stage *s)
{
	if (take(s, 0) < 0 || take(s, 1) < 0)
		return -1;
	for (int k = 0; k < 2; k++) {
		int count = drain(s, k);

		if (count < 0)
			return -1;
		if (s->first && !s->second && count != SENT)
			return fail(s, "end %d had %d messages for it", k, count);
	}
	return give(s, 1) < 0 ? -1 : give(s, 0);
}

static int check(struct stage *s)
{
	for (int i = 0; i < SCENE_ROUNDS; i++) {
		if (take(s, 0) < 0 || take(s, 1) < 0)
			return -1;
		for (int k = 0; k < 2; k++)
			if (send(s, k, 'a') < 0 || drain(s, 1 - k) != 1)
				return fail(s, "a message of end %d did not come through", k);
		if (give(s, 1) < 0 || give(s, 0) < 0)
			return -1;
	}
	return 0;
}

static int audit(struct stage *s)
{
	struct ilk_channel_status status;

	if (EXPECT(s, ilk_segment_valid(mine.segment), 0) < 0 ||
		EXPECT(s, ilk_channel_status(channel, &status), 0) < 0)
		return -1;
	return status.put[0] == status.got[0] && status.put[1] == status.got[1]
		       ? 0
		       : fail(s, "something is left in the channel");
}

#define CHANNEL_ROW(id, words, preparation, act, ...)                        \
	const struct operation channel_##id##_row = {.name = "channel_" #id, \
		.what = words,                                               \
		.setting = &plain,                                           \
		.found = found,                                              \
		.attach = attach,                                            \
		.look = scene_look,                                          \
		.recover = recover,                                          \
		.check = check,                                              \
		.audit = audit,                                              \
		.prepare = preparation,                                      \
		.operate = act,                                              \
		.before = NO_OUTCOME,                                        \
		.after = NO_OUTCOME,                                         \
		__VA_ARGS__}

CHANNEL_ROW(end_open, "takes an end", attach, take_first, .part = PART_NONE);
CHANNEL_ROW(end_takeover, "takes a dead one's end", attach, take_first, .part = PART_DIES,
	.partner = take_first);
CHANNEL_ROW(end_close, "gives an end back", attach_and_take, close_first, .part = PART_NONE);
