/*
 * ring_object.c - a ring as an object: opened, asked how it is, shown, repaired. How it works: ring.c;
 * what its words mean: ring.h.
 */
#include "os/futex.h"
#include "queue/ring.h"
#include "segment/error.h"
#include "segment/types.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_BYTES UINT64_C(65536)
#define LEAST_BYTES UINT64_C(64)
enum { KNOWN_FLAGS = ILK_RING_FIXED };

/* --- its shape --- */

static uint64_t round_up_to_power(uint64_t bytes)
{
	uint64_t power = LEAST_BYTES;

	while (power < bytes)
		power *= 2;
	return power;
}

static uint64_t most_of(uint64_t bytes)
{
	return (bytes - 2 * ILK_RING_HEADER_) / 2;
}

int ilk_ring_shape_of_(const struct ilk_ring_options *o, struct ilk_ring_shape_ *shape)
{
	uint64_t bytes = o && o->bytes ? o->bytes : DEFAULT_BYTES, message = o ? o->message : 0;

	if (o && (o->size != sizeof *o || o->flags & ~(unsigned)KNOWN_FLAGS))
		return ilk_fail_(-EINVAL, "ring options: wrong size or unknown flags");
	if (bytes > ILK_RING_MOST_BYTES_)
		return ilk_fail_(-EINVAL, "ring options: more than 2^32 bytes");
	shape->flags = o ? o->flags : 0;
	if (ilk_ring_is_fixed_(shape)) {
		if (message == 0 || message > bytes)
			return ilk_fail_(-EINVAL, "ring options: messages of 1 to `bytes` bytes");
		shape->bytes = bytes - bytes % message;
		shape->most = message;
		return 0;
	}
	shape->bytes = round_up_to_power(bytes);
	shape->most = message ? message : most_of(shape->bytes);
	if (shape->most > most_of(shape->bytes))
		return ilk_fail_(-EINVAL, "ring options: of %llu bytes a message has %llu at most",
			(unsigned long long)shape->bytes,
			(unsigned long long)most_of(shape->bytes));
	return 0;
}

static int makes_sense(const struct ilk_ring_shape_ *s)
{
	if (s->bytes == 0 || s->bytes > ILK_RING_MOST_BYTES_ || s->flags & ~(uint32_t)KNOWN_FLAGS)
		return 0;
	if (ilk_ring_is_fixed_(s))
		return s->most != 0 && s->most <= s->bytes && s->bytes % s->most == 0;
	return s->bytes >= LEAST_BYTES && (s->bytes & (s->bytes - 1)) == 0 &&
	       s->most <= most_of(s->bytes);
}

int ilk_ring_see_(const struct ilk_ring *ring, uint64_t room, struct ilk_ring_shape_ *shape)
{
	shape->bytes = ilk_load_relaxed_(&ring->bytes);
	shape->most = ilk_load_relaxed_(&ring->most);
	shape->flags = ilk_load_relaxed_(&ring->flags);
	return makes_sense(shape) && ilk_ring_size_(shape) <= room;
}

int ilk_ring_find_(
	const struct ilk_ring *ring, struct ilk_segment **seg, struct ilk_ring_shape_ *shape)
{
	uint64_t room;
	uint32_t tag;

	*seg = ilk_find_attachment_(ring);
	if (!*seg)
		return -EINVAL;
	room = (*seg)->map.bytes - (uint64_t)((const char *)ring - (*seg)->map.base);
	if (room < sizeof *ring)
		return -EINVAL;
	tag = ilk_load_acquire_(&ring->tag);
	if (tag != ILK_RING_TAG_)
		return tag == ILK_RING_GONE_ ? -EIDRM : -EINVAL;
	return ilk_ring_see_(ring, room, shape) ? 0 : -EBADMSG;
}

/* --- making one --- */

void ilk_ring_make_(struct ilk_ring *ring, const struct ilk_ring_shape_ *shape)
{
	ring->bytes = shape->bytes;
	ring->most = shape->most;
	ring->flags = shape->flags;
	ilk_store_release_(&ring->tag, (uint32_t)ILK_RING_TAG_);
}

static const struct ilk_ring_shape_ *shape_of(const struct ilk_wanted_ *wanted)
{
	return &((const struct ilk_ring_wanted_ *)(const void *)wanted)->shape;
}

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	ilk_ring_make_(object, shape_of(wanted));
}

int ilk_ring_compare_(
	const struct ilk_ring *ring, const struct ilk_ring_shape_ *shape, const char *name)
{
	if (ring->flags != shape->flags)
		return ilk_fail_(-EEXIST, "flags differ: messages of %s are%s of fixed size", name,
			ring->flags & ILK_RING_FIXED ? "" : " not");
	if (ring->most != shape->most)
		return ilk_fail_(-EEXIST, "message differs: the largest of %s has %llu, not %llu",
			name, (unsigned long long)ring->most, (unsigned long long)shape->most);
	if (ring->bytes != shape->bytes)
		return ilk_fail_(-EEXIST, "bytes differ: %s has %llu, not %llu", name,
			(unsigned long long)ring->bytes, (unsigned long long)shape->bytes);
	return 0;
}

static int is_as_asked(const void *object, const struct ilk_wanted_ *wanted)
{
	return ilk_ring_compare_(object, shape_of(wanted), wanted->name);
}

/* What the directory calls a difference in size is one in room. */
static int failed_to_open(int rc, const char *name, const struct ilk_ring_shape_ *shape)
{
	char why[160];

	if (rc != -EEXIST || strncmp(ilk_last_error(), "size", 4) != 0)
		return rc;
	snprintf(why, sizeof why, "%s", ilk_last_error());
	return ilk_fail_(rc, "bytes differ: %s has not %llu (%s)", name,
		(unsigned long long)shape->bytes, why);
}

int ilk_ring_open_as_(struct ilk_segment *seg, const struct ilk_ring_wanted_ *wanted, void **object)
{
	const char *name = wanted->wanted.name;

	if (wanted->wanted.bytes > seg->map.bytes)
		return ilk_fail_(-ENOSPC, "%s: no room for %llu bytes", name ? name : "",
			(unsigned long long)wanted->shape.bytes);
	return failed_to_open(
		ilk_directory_open_(seg, &wanted->wanted, object), name, &wanted->shape);
}

int ilk_ring_open(struct ilk_segment *seg, const char *name, const struct ilk_ring_options *options,
	struct ilk_ring **ring)
{
	struct ilk_ring_wanted_ w = {.wanted = {.name = name,
					     .type = ILK_TYPE_RING_,
					     .fits = is_as_asked,
					     .init = init_wanted}};
	void *object;
	int rc = ilk_ring_shape_of_(options, &w.shape);

	if (rc < 0)
		return rc;
	w.wanted.bytes = ilk_ring_size_(&w.shape);
	rc = ilk_ring_open_as_(seg, &w, &object);
	if (rc == 0)
		*ring = object;
	return rc;
}

/* --- its row --- */

/* Only its head is read: the messages are the user's, and may be many. */
static int see(const struct ilk_map_ *map, const void *part, uint64_t bytes)
{
	return ilk_map_look_(map, (uint64_t)((const char *)part - map->base), bytes);
}

static const char *wrong_with_side(const struct ilk_map_ *map, const struct ilk_ring_end_ *end)
{
	uint64_t owner = ilk_load_relaxed_(&end->owner);

	if (!ilk_ring_is_owner_(owner))
		return owner > ILK_RING_CLOSED_ ? "a side's owner is nobody" : NULL;
	if ((uint32_t)owner & (ILK_OWNER_FIRST_ - 1))
		return "a side's owner has unknown flags";
	return ilk_owner_slot_((uint32_t)owner) >= map->header.process_slots
		       ? "a side's owner is in a slot that does not exist"
		       : NULL;
}

/*
 * The positions, if the reader did not move while they were looked at. The tail is less than a ring
 * behind before the reader takes all of a full one, and dies in it.
 */
static const char *wrong_with_positions(const struct ilk_map_ *map, const struct ilk_ring *ring,
	const struct ilk_ring_shape_ *shape)
{
	uint64_t unit = ilk_ring_is_fixed_(shape) ? shape->most : ILK_RING_HEADER_;
	uint64_t got = ilk_load_acquire_(&ring->reader.at), tail = ilk_load_acquire_(&ring->tail);
	uint64_t put, ahead;

	if (see(map, &ring->writer, sizeof ring->writer) < 0)
		return "its bytes are gone";
	put = ilk_load_acquire_(&ring->writer.at);
	if (put % unit || got % unit || tail % unit)
		return "a position is not that of a message";
	ahead = put - got;
	if (see(map, &ring->reader, sizeof ring->reader) < 0)
		return "its bytes are gone";
	if (ilk_load_acquire_(&ring->reader.at) != got)
		return NULL;
	if (ahead > shape->bytes && 0 - ahead > shape->bytes)
		return "more is in it than there is room for";
	return got - tail > 2 * shape->bytes ? "the writer sees the reader where it never was"
					     : NULL;
}

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_ring *ring = object;
	struct ilk_ring_shape_ shape;
	const char *wrong;
	uint32_t tag;

	if (bytes < sizeof *ring || see(map, ring, sizeof *ring) < 0)
		return "its bytes are gone";
	tag = ilk_load_relaxed_(&ring->tag);
	if (tag != ILK_RING_TAG_ && tag != ILK_RING_GONE_)
		return "its tag is not a ring's";
	if (!ilk_ring_see_(ring, bytes, &shape) || ilk_ring_size_(&shape) != bytes)
		return "its size is not that of its messages' room";
	wrong = wrong_with_side(map, &ring->writer);
	if (!wrong)
		wrong = wrong_with_side(map, &ring->reader);
	return wrong ? wrong : wrong_with_positions(map, ring, &shape);
}

static const char *side_in_words(const struct ilk_ring_end_ *end)
{
	uint64_t owner = ilk_load_acquire_(&end->owner);

	return owner == 0 ? "never opened" : owner == ILK_RING_CLOSED_ ? "closed" : "open";
}

/* For how many messages there is room, if all are like those DEPTH that take up USED bytes. */
static uint64_t capacity_of(const struct ilk_ring_shape_ *shape, uint64_t depth, uint64_t used)
{
	uint64_t most = shape->bytes / (ilk_ring_is_fixed_(shape) ? shape->most : ILK_RING_HEADER_);

	if (ilk_ring_is_fixed_(shape) || depth == 0 || depth > most || used == 0)
		return most;
	return depth * shape->bytes / used;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_ring *ring = object;
	uint64_t used;
	struct ilk_ring_shape_ shape;

	(void)map;
	if (!ilk_ring_see_(ring, bytes, &shape))
		return;
	used = ilk_ring_used_(ring, shape.bytes);
	snprintf(out->state, sizeof out->state, "writer %s, reader %s, %llu of %llu bytes",
		side_in_words(&ring->writer), side_in_words(&ring->reader),
		(unsigned long long)used, (unsigned long long)shape.bytes);
	out->got = ilk_ring_count_(&ring->reader, &shape);
	out->put = ilk_ring_count_(&ring->writer, &shape);
	out->depth = out->put >= out->got ? out->put - out->got : 0;
	out->capacity = capacity_of(&shape, out->depth, used);
	out->value = (int64_t)out->depth;
	out->contended = (uint64_t)ilk_load_relaxed_(&ring->writer.slept) +
			 ilk_load_relaxed_(&ring->reader.slept);
	out->waited_ns = ilk_load_relaxed_(&ring->writer.waited_ns) +
			 ilk_load_relaxed_(&ring->reader.waited_ns);
	out->is_closed = ilk_load_relaxed_(&ring->writer.owner) == ILK_RING_CLOSED_;
}

static uint32_t hold(const struct ilk_ring_end_ *end, const char *how, struct ilk_holding_ *out)
{
	uint64_t owner = ilk_load_acquire_(&end->owner);

	if (!ilk_ring_is_owner_(owner))
		return 0;
	*out = (struct ilk_holding_){
		.process = ilk_owner_slot_((uint32_t)owner),
		.generation = (uint32_t)(owner >> 32),
		.count = 1,
		.how = how,
	};
	return 1;
}

static uint32_t holders(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_holding_ *out, uint32_t most)
{
	const struct ilk_ring *ring = object;
	uint32_t n = 0;

	(void)map, (void)bytes;
	if (n < most)
		n += hold(&ring->writer, "writes", &out[n]);
	if (n < most)
		n += hold(&ring->reader, "reads", &out[n]);
	return n;
}

/* A dead one's side becomes closed: its peer, and its successor, find all as it was. */
static int repair_side(struct ilk_segment *seg, struct ilk_ring_end_ *end)
{
	uint64_t found = ilk_load_acquire_(&end->owner);

	return ilk_ring_is_owner_(found) && ilk_ring_life_(seg, found) == ILK_LIFE_DEAD &&
	       ilk_cas_full_(&end->owner, &found, (uint64_t)ILK_RING_CLOSED_);
}

static int repair(struct ilk_segment *seg, void *object)
{
	struct ilk_ring *ring = object;
	int repaired = repair_side(seg, &ring->writer);

	if (repair_side(seg, &ring->reader)) {
		ilk_or_full_(&ring->to_writer.word, (uint32_t)ILK_RING_LOOK_);
		repaired = 1;
	}
	return repaired;
}

/* Weaker: one who sleeps could miss it until its next look. */
static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_ring *ring = object;

	(void)seg;
	ilk_store_release_(&ring->tag, (uint32_t)ILK_RING_GONE_);
	ilk_or_full_(&ring->to_writer.word, (uint32_t)ILK_RING_REMOVED_);
	ilk_or_full_(&ring->to_reader.word, (uint32_t)ILK_RING_REMOVED_);
	ilk_futex_change_and_wake_(&ring->to_writer.word, ILK_CLEAR_, ILK_RING_SLEEPS_, INT_MAX);
	ilk_futex_change_and_wake_(&ring->to_reader.word, ILK_CLEAR_, ILK_RING_SLEEPS_, INT_MAX);
}

/* Is there something to read, or nobody left to wait for? */
static int ready(struct ilk_segment *seg, const void *object)
{
	const struct ilk_ring *ring = object;
	uint64_t owner = ilk_load_acquire_(&ring->writer.owner);
	struct ilk_ring_shape_ shape;

	if (!ilk_ring_see_(ring, seg->map.bytes, &shape))
		return 0;
	if (ilk_ring_used_(ring, shape.bytes))
		return 1;
	return owner == ILK_RING_CLOSED_ ||
	       (ilk_ring_is_owner_(owner) && ilk_ring_life_(seg, owner) == ILK_LIFE_DEAD);
}

const struct ilk_type_ ilk_type_ring_ = {
	.name = "ring",
	.align = 64,
	.is_plain = 1,
	.valid = valid,
	.describe = describe,
	.holders = holders,
	.repair = repair,
	.remove = remove_for_good,
	.ready = ready,
};
