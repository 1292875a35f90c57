/*
 * queue_object.c - a queue as an object: made, opened, shown, repaired, removed. What its words
 * mean: queue.h; how they change: queue.c.
 */
#include "queue/lanes.h"
#include "queue/shape.h"
#include "segment/blocks.h"
#include "segment/error.h"
#include "segment/object_name.h"
#include "segment/shaped.h"
#include "segment/types.h"
#include <stdio.h>
#include <string.h>

/* --- its shape --- */

uint64_t ilk_queue_bytes_(const struct ilk_queue_shape_ *s)
{
	return ilk_queue_cells_at_(s->slots, s->lanes) +
	       s->lanes * ilk_queue_lane_bytes_(s->message_bytes, s->shift);
}

const char *ilk_queue_shape_of_(const struct ilk_map_ *map, const struct ilk_queue *q,
	uint64_t room, struct ilk_queue_shape_ *s)
{
	if (room < sizeof *q || ilk_load_relaxed_(&q->tag) != ILK_QUEUE_TAG_)
		return "its tag is not a queue's";
	s->lanes = ilk_load_relaxed_(&q->lanes);
	s->shift = ilk_load_relaxed_(&q->shift);
	s->message_bytes = ilk_load_relaxed_(&q->message_bytes);
	s->max_deliveries = ilk_load_relaxed_(&q->max_deliveries);
	s->slots = ilk_load_relaxed_(&q->slots);
	memcpy(s->dead_letter, q->dead_letter, sizeof s->dead_letter);
	if (s->lanes - 1 >= ILK_QUEUE_MOST_LANES || s->lanes & (s->lanes - 1))
		return "its number of lanes cannot be";
	if (s->shift >= 32 || 1u << s->shift > ILK_QUEUE_MOST_CAPACITY ||
		s->message_bytes > ILK_QUEUE_MOST_BYTES)
		return "its capacity, or its messages' size, cannot be";
	if (s->max_deliveries > ILK_QUEUE_MOST_DELIVERIES || s->dead_letter[ILK_NAME_BYTES_ - 1])
		return "its limit of deliveries, or its dead letters' name, cannot be";
	if (s->slots != map->header.thread_slots)
		return "its number of thread slots is not the segment's";
	return ilk_queue_bytes_(s) <= room ? NULL : "its size does not match its capacity";
}

/* --- options --- */

static uint32_t shift_for(size_t capacity)
{
	uint32_t shift = 0;

	while ((size_t)1 << shift < capacity)
		shift++;
	return shift;
}

static int check_dead_letter(const struct ilk_queue_options *o, const char *name)
{
	if (!o->dead_letter)
		return 0;
	if (!o->max_deliveries)
		return ilk_fail_(-EINVAL, "queue options: dead_letter without max_deliveries");
	if (name && strcmp(o->dead_letter, name) == 0)
		return ilk_fail_(-EINVAL, "queue options: dead_letter is the queue itself");
	return ilk_name_check_(o->dead_letter);
}

static int shape_by(const struct ilk_segment *seg, const struct ilk_queue_options *o,
	const char *name, struct ilk_queue_shape_ *s)
{
	size_t capacity = o->capacity ? o->capacity : ILK_QUEUE_CAPACITY, each;
	unsigned lanes = o->lanes ? o->lanes : 1;

	if (o->size != sizeof *o)
		return ilk_fail_(-EINVAL, "queue options: wrong size");
	if (capacity > ILK_QUEUE_MOST_CAPACITY || o->message_bytes > ILK_QUEUE_MOST_BYTES)
		return ilk_fail_(-EINVAL, "queue options: more than %d messages, or of %d bytes",
			ILK_QUEUE_MOST_CAPACITY, ILK_QUEUE_MOST_BYTES);
	if (o->max_deliveries > ILK_QUEUE_MOST_DELIVERIES)
		return ilk_fail_(-EINVAL, "queue options: more than %d deliveries",
			ILK_QUEUE_MOST_DELIVERIES);
	if (lanes > ILK_QUEUE_MOST_LANES || lanes & (lanes - 1))
		return ilk_fail_(
			-EINVAL, "queue options: lanes are 1, 2, 4 ... %d", ILK_QUEUE_MOST_LANES);
	each = (capacity + lanes - 1) / lanes;
	*s = (struct ilk_queue_shape_){
		.lanes = lanes,
		.shift = shift_for(each),
		.message_bytes = (uint32_t)(o->message_bytes ? o->message_bytes : ILK_QUEUE_BYTES),
		.max_deliveries = o->max_deliveries,
		.slots = seg->map.header.thread_slots,
	};
	if (o->dead_letter && strlen(o->dead_letter) < sizeof s->dead_letter)
		strcpy(s->dead_letter, o->dead_letter);
	return check_dead_letter(o, name);
}

/* --- making and opening --- */

struct wanted {
	struct ilk_shaped_ base;
	struct ilk_queue_shape_ shape;
};

static void init_cells(struct ilk_queue *q, const struct ilk_queue_shape_ *s)
{
	char *lanes = (char *)q + ilk_queue_lanes_at_(s->slots);
	char *cells = (char *)q + ilk_queue_cells_at_(s->slots, s->lanes);
	uint64_t first = ilk_queue_first_(s->shift);

	for (uint32_t i = 0; i < s->lanes; i++) {
		struct ilk_queue_lane_ *lane = (struct ilk_queue_lane_ *)(void *)lanes + i;

		lane->tail = lane->head = first;
		for (uint64_t c = 0; c < UINT64_C(1) << s->shift; c++) {
			uint64_t at = i * ilk_queue_lane_bytes_(s->message_bytes, s->shift) +
				      c * ilk_queue_stride_(s->message_bytes);

			((struct ilk_queue_cell_ *)(void *)(cells + at))->word =
				first >> s->shift << ILK_LAP_AT_;
		}
	}
}

static void init_wanted(void *object, const struct ilk_wanted_ *base)
{
	struct wanted *wanted = (struct wanted *)(uintptr_t)base;
	const struct ilk_queue_shape_ *s = &wanted->shape;
	struct ilk_queue *q = object;

	q->lanes = s->lanes;
	q->shift = s->shift;
	q->message_bytes = s->message_bytes;
	q->max_deliveries = s->max_deliveries;
	q->slots = s->slots;
	/* That of its entry, which gets it after this. */
	q->id = ilk_header_of_(&wanted->base.seg->map)->entries + 1;
	strcpy(q->name, base->name);
	memcpy(q->dead_letter, s->dead_letter, sizeof q->dead_letter);
	ilk_mutex_init(wanted->base.seg, &q->mover, base->name, NULL);
	init_cells(q, s);
	ilk_store_release_(&q->tag, (uint32_t)ILK_QUEUE_TAG_);
}

static int differs(const char *name, const char *field, uint64_t has, uint64_t wanted)
{
	return ilk_fail_(-EEXIST, "%s differs: queue %s has %llu, not %llu", field, name,
		(unsigned long long)has, (unsigned long long)wanted);
}

static int is_as_asked(
	const struct ilk_queue *q, const char *name, const struct ilk_queue_shape_ *s)
{
	if (q->lanes != s->lanes)
		return differs(name, "lanes", q->lanes, s->lanes);
	if (q->shift != s->shift)
		return differs(name, "capacity", (uint64_t)q->lanes << q->shift,
			(uint64_t)s->lanes << s->shift);
	if (q->message_bytes != s->message_bytes)
		return differs(name, "message_bytes", q->message_bytes, s->message_bytes);
	if (q->max_deliveries != s->max_deliveries)
		return differs(name, "max_deliveries", q->max_deliveries, s->max_deliveries);
	if (strncmp(q->dead_letter, s->dead_letter, sizeof s->dead_letter) != 0)
		return ilk_fail_(-EEXIST, "dead_letter differs: that of queue %s is \"%.63s\"",
			name, q->dead_letter);
	return 0;
}

static int fits(const void *object, const struct ilk_wanted_ *base)
{
	const struct wanted *wanted = (const struct wanted *)(const void *)base;

	return is_as_asked(object, base->name, &wanted->shape);
}

static int see_shape(struct ilk_shaped_ *base, const void *object, uint64_t bytes, int is_asked)
{
	struct wanted *wanted = (struct wanted *)base;
	struct ilk_queue_shape_ s;

	if (ilk_queue_shape_of_(&base->seg->map, object, bytes, &s))
		return -EBADMSG;
	if (is_asked)
		return is_as_asked(object, base->wanted.name, &wanted->shape) < 0 ? -EEXIST : 1;
	wanted->shape = s;
	base->wanted.bytes = ilk_queue_bytes_(&s);
	return 1;
}

int ilk_queue_open(struct ilk_segment *seg, const char *name,
	const struct ilk_queue_options *options, struct ilk_queue **q)
{
	struct wanted wanted = {.base = {.wanted = {.name = name,
						 .type = ILK_TYPE_QUEUE_,
						 .fits = fits,
						 .init = init_wanted},
					.seg = seg,
					.see = see_shape}};
	void *object;
	int rc = options ? shape_by(seg, options, name, &wanted.shape) : 0;

	if (rc == 0) {
		wanted.base.wanted.bytes = ilk_queue_bytes_(&wanted.shape);
		rc = ilk_shaped_open_(&wanted.base, options != NULL, &object);
	}
	if (rc == 0)
		*q = object;
	return rc;
}

/* H's copy of Q, which is in the segment where the calling thread is. */
static void fill_handle(
	struct ilk_queue_handle *h, struct ilk_queue *q, const struct ilk_queue_shape_ *s)
{
	*h = (struct ilk_queue_handle){
		.queue = q,
		.lanes_at = (char *)q + ilk_queue_lanes_at_(s->slots),
		.cells = (char *)q + ilk_queue_cells_at_(s->slots, s->lanes),
		.lane_bytes = ilk_queue_lane_bytes_(s->message_bytes, s->shift),
		.stride = ilk_queue_stride_(s->message_bytes),
		.mask = (UINT64_C(1) << s->shift) - 1,
		.shift = s->shift,
		.lanes = s->lanes,
		.message_bytes = s->message_bytes,
		.max_deliveries = s->max_deliveries,
		.lane = ILK_QUEUE_NO_LANE_,
	};
	for (uint32_t i = 0; i < s->lanes; i++)
		h->head[i] = ilk_load_relaxed_(&ilk_queue_lane_(h, i)->head);
}

int ilk_queue_attach(struct ilk_queue *q, struct ilk_queue_handle *h)
{
	const struct ilk_map_ *map;
	struct ilk_queue_shape_ s;
	int rc = ilk_here_(q);

	if (rc < 0)
		return rc;
	map = &ilk_thread_.segment->map;
	if (ilk_queue_room_(map, q) < sizeof *q || ilk_load_relaxed_(&q->tag) != ILK_QUEUE_TAG_)
		return -EINVAL;
	if (ilk_load_acquire_(&q->state) & ILK_QUEUE_REMOVED_)
		return -EIDRM;
	if (ilk_queue_shape_of_(map, q, ilk_queue_room_(map, q), &s))
		return -EBADMSG;
	fill_handle(h, q, &s);
	ilk_queue_choose_lane_(h);
	h->turn = h->lane;
	h->returned = ilk_load_acquire_(&q->returned) - 1;
	return 0;
}
