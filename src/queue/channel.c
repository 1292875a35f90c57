/*
 * channel.c - two rings, one each way.
 *
 * State      tag: CHANNEL, or REMOVED for good; bytes: of each ring, fixed. End k is the writer of
 *            ring k and the reader of the other; both rings behind this head, with all the rest.
 * Invariant  [I1] Who has the reader's side of an end has its writer's: that is taken first and given
 *            back last. So the writer's side says whose the end is.
 * Ordering   the rings'.
 * Death      between the two sides: the writer's is the dead's, the other nobody's, closed, or an
 *            earlier dead one's; the next takes both. In closing the same.
 */
#include "queue/ring.h"
#include "segment/error.h"
#include "segment/types.h"
#include <errno.h>
#include <ilk/channel.h>
#include <stdio.h>
#include <string.h>

enum { CHANNEL_TAG = 0x6e616843, CHANNEL_GONE = 0x6e615243 };

struct ilk_channel {
	uint32_t tag, pad;
	uint64_t bytes;
	uint64_t pad1[6];
} ILK_ALIGNED_(64);

extern const struct ilk_type_ ilk_type_ring_;

static struct ilk_ring *ring_at(const struct ilk_channel *channel, uint64_t bytes, int k)
{
	return (struct ilk_ring *)(uintptr_t)((const char *)(channel + 1) + (uint64_t)k * bytes);
}

/* Are there two rings of *BYTES, in ROOM bytes? */
static int see(const struct ilk_channel *channel, uint64_t room, uint64_t *bytes)
{
	uint64_t left = room - sizeof *channel;

	if (room < sizeof *channel)
		return 0;
	*bytes = ilk_load_relaxed_(&channel->bytes);
	return *bytes >= sizeof(struct ilk_ring) && *bytes % 64 == 0 && *bytes <= left / 2;
}

/* CHANNEL's attachment, and how large its rings are. 0; -EINVAL; -EIDRM; -EBADMSG. */
static int find(const struct ilk_channel *channel, uint64_t *bytes)
{
	const struct ilk_segment *seg = ilk_find_attachment_(channel);
	uint64_t room;
	uint32_t tag;

	if (!seg)
		return -EINVAL;
	room = seg->map.bytes - (uint64_t)((const char *)channel - seg->map.base);
	if (room < sizeof *channel)
		return -EINVAL;
	tag = ilk_load_acquire_(&channel->tag);
	if (tag != CHANNEL_TAG && tag != CHANNEL_GONE)
		return -EINVAL;
	if (!see(channel, room, bytes))
		return -EBADMSG;
	return tag == CHANNEL_GONE ? -EIDRM : 0;
}

/* --- making one --- */

static const struct ilk_ring_shape_ *shape_of(const struct ilk_wanted_ *wanted)
{
	return &((const struct ilk_ring_wanted_ *)(const void *)wanted)->shape;
}

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	struct ilk_channel *channel = object;

	channel->bytes = ilk_ring_size_(shape_of(wanted));
	for (int k = 0; k < 2; k++)
		ilk_ring_make_(ring_at(channel, channel->bytes, k), shape_of(wanted));
	ilk_store_release_(&channel->tag, (uint32_t)CHANNEL_TAG);
}

static int is_as_asked(const void *object, const struct ilk_wanted_ *wanted)
{
	uint64_t bytes = ilk_ring_size_(shape_of(wanted));

	return ilk_ring_compare_(ring_at(object, bytes, 0), shape_of(wanted), wanted->name);
}

int ilk_channel_open(struct ilk_segment *seg, const char *name,
	const struct ilk_ring_options *options, struct ilk_channel **channel)
{
	struct ilk_ring_wanted_ w = {.wanted = {.name = name,
					     .type = ILK_TYPE_CHANNEL_,
					     .fits = is_as_asked,
					     .init = init_wanted}};
	void *object;
	int rc = ilk_ring_shape_of_(options, &w.shape);

	if (rc < 0)
		return rc;
	w.wanted.bytes = sizeof(struct ilk_channel) + 2 * ilk_ring_size_(&w.shape);
	rc = ilk_ring_open_as_(seg, &w, &object);
	if (rc == 0)
		*channel = object;
	return rc;
}

/* --- its ends --- */

/* To the inspector, who waits in a ring of it waits in the channel. */
static void show_as(struct ilk_ring_hold_ *hold, const struct ilk_channel *channel)
{
	hold->object = channel;
	hold->type = ILK_TYPE_CHANNEL_;
}

static int open_end(const struct ilk_channel *channel, uint64_t bytes, int k, unsigned flags,
	struct ilk_channel_end *end)
{
	int rc = ilk_ring_writer_open(ring_at(channel, bytes, k), flags, &end->out); /* [I1] */
	int second;

	if (rc < 0)
		return rc;
	second = ilk_ring_reader_open(ring_at(channel, bytes, 1 - k), flags, &end->in);
	if (second < 0) {
		ilk_ring_writer_close(&end->out);
		return second;
	}
	show_as(&end->out.hold, channel);
	show_as(&end->in.hold, channel);
	end->number = k;
	return rc | second;
}

int ilk_channel_end_open(
	struct ilk_channel *channel, int number, unsigned flags, struct ilk_channel_end *end)
{
	uint64_t bytes;
	int rc;

	ilk_ring_leave_hold_(&end->out.hold);
	ilk_ring_leave_hold_(&end->in.hold);
	if (number < ILK_CHANNEL_EITHER || number > 1)
		return ilk_fail_(-EINVAL, "a channel has ends 0 and 1");
	rc = find(channel, &bytes);
	if (rc < 0)
		return ilk_fail_(rc, "an end of a channel");
	rc = open_end(channel, bytes, number > 0, flags, end);
	if (rc == -EBUSY && number == ILK_CHANNEL_EITHER)
		rc = open_end(channel, bytes, 1, flags, end);
	return rc;
}

int ilk_channel_end_close(struct ilk_channel_end *end)
{
	int rc = ilk_ring_reader_close(&end->in);
	int second = ilk_ring_writer_close(&end->out);

	return rc < 0 ? rc : second;
}

/* --- talking --- */

int ilk_channel_put(struct ilk_channel_end *end, const void *message, size_t n)
{
	return ilk_ring_put(&end->out, message, n);
}

int ilk_channel_try_put(struct ilk_channel_end *end, const void *message, size_t n)
{
	return ilk_ring_try_put(&end->out, message, n);
}

int ilk_channel_put_until(
	struct ilk_channel_end *end, const void *message, size_t n, ilk_time deadline)
{
	return ilk_ring_put_until(&end->out, message, n, deadline);
}

int ilk_channel_get(struct ilk_channel_end *end, void *buffer, size_t room, size_t *n)
{
	return ilk_ring_get(&end->in, buffer, room, n);
}

int ilk_channel_try_get(struct ilk_channel_end *end, void *buffer, size_t room, size_t *n)
{
	return ilk_ring_try_get(&end->in, buffer, room, n);
}

int ilk_channel_get_until(
	struct ilk_channel_end *end, void *buffer, size_t room, ilk_time deadline, size_t *n)
{
	return ilk_ring_get_until(&end->in, buffer, room, deadline, n);
}

/* --- asking --- */

int ilk_channel_status(const struct ilk_channel *channel, struct ilk_channel_status *status)
{
	uint64_t bytes;
	int rc = find(channel, &bytes);

	if (rc < 0 && rc != -EIDRM)
		return -EINVAL;
	for (int k = 0; k < 2; k++) {
		struct ilk_ring_status one;

		rc = ilk_ring_status(ring_at(channel, bytes, k), &one);
		if (rc < 0)
			return rc;
		status->end[k] = one.writer;
		status->put[k] = one.put;
		status->got[k] = one.got;
	}
	return 0;
}

/* --- its row --- */

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_channel *channel = object;
	const char *wrong = NULL;
	uint64_t each;
	uint32_t tag;

	if (bytes < sizeof *channel ||
		ilk_map_look_(map, (uint64_t)((const char *)object - map->base), sizeof *channel) <
			0)
		return "its bytes are gone";
	tag = ilk_load_relaxed_(&channel->tag);
	if (tag != CHANNEL_TAG && tag != CHANNEL_GONE)
		return "its tag is not a channel's";
	if (!see(channel, bytes, &each) || sizeof *channel + 2 * each != bytes)
		return "its size is not that of two rings";
	for (int k = 0; k < 2 && !wrong; k++)
		wrong = ilk_type_ring_.valid(map, ring_at(channel, each, k), each);
	return wrong;
}

static const char *end_in_words(const struct ilk_ring *ring)
{
	uint64_t owner = ilk_load_acquire_(&ring->writer.owner);

	return owner == 0 ? "never opened" : owner == ILK_RING_CLOSED_ ? "closed" : "open";
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_channel *channel = object;
	uint64_t each;

	if (!see(channel, bytes, &each))
		return;
	for (int k = 0; k < 2; k++) {
		struct ilk_description_ one = {.owner = 0};

		ilk_type_ring_.describe(map, ring_at(channel, each, k), each, &one);
		out->depth += one.depth;
		out->capacity += one.capacity;
		out->put += one.put;
		out->got += one.got;
		out->contended += one.contended;
		out->waited_ns += one.waited_ns;
		out->is_closed |= one.is_closed;
	}
	out->value = (int64_t)out->depth;
	snprintf(out->state, sizeof out->state, "end 0 %s, end 1 %s",
		end_in_words(ring_at(channel, each, 0)), end_in_words(ring_at(channel, each, 1)));
}

static uint32_t holders(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_holding_ *out, uint32_t most)
{
	static const char *const how[] = {"end 0", "end 1"};
	const struct ilk_channel *channel = object;
	uint32_t n = 0;
	uint64_t each;

	for (int k = 0; k < 2 && n < most && see(channel, bytes, &each); k++) {
		/* [I1] */
		if (ilk_type_ring_.holders(map, ring_at(channel, each, k), each, &out[n], 1) == 0 ||
			strcmp(out[n].how, "writes") != 0)
			continue;
		out[n++].how = how[k];
	}
	return n;
}

/* Both, whatever comes of the first. */
static int repair(struct ilk_segment *seg, void *object)
{
	uint64_t bytes;
	int repaired = 0;

	if (find(object, &bytes) < 0)
		return 0;
	for (int k = 0; k < 2; k++)
		repaired |= ilk_type_ring_.repair(seg, ring_at(object, bytes, k));
	return repaired;
}

static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_channel *channel = object;
	uint64_t bytes;
	int rc = find(channel, &bytes);

	ilk_store_release_(&channel->tag, (uint32_t)CHANNEL_GONE);
	for (int k = 0; k < 2 && (rc == 0 || rc == -EIDRM); k++)
		ilk_type_ring_.remove(seg, ring_at(channel, bytes, k));
}

/* Is there something to read, or nobody left to wait for, at either end? */
static int ready(struct ilk_segment *seg, const void *object)
{
	uint64_t bytes;

	return find(object, &bytes) == 0 &&
	       (ilk_type_ring_.ready(seg, ring_at(object, bytes, 0)) ||
		       ilk_type_ring_.ready(seg, ring_at(object, bytes, 1)));
}

const struct ilk_type_ ilk_type_channel_ = {
	.name = "channel",
	.align = 64,
	.is_plain = 1,
	.valid = valid,
	.describe = describe,
	.holders = holders,
	.repair = repair,
	.remove = remove_for_good,
	.ready = ready,
};
