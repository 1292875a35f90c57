/* queue_row.c - a queue as the inspector sees it, and the directory; and ilk_queue_info(). */
#include "queue/oldest.h"
#include "queue/shape.h"
#include "queue/taking.h"
#include "segment/types.h"
#include <stdio.h>
#include <string.h>

enum { LOOK_AT_ONCE = 512 };

/* --- counting --- */

/* What cells hold at about one moment. */
struct count {
	uint64_t full, claimed, taken, nobodys, spent; /* spent: and nobody will get it */
	uint64_t oldest, oldest_since;                 /* as they are noted */
	ilk_time lease_since;
};

/* A cell, copied; of the word what it means. */
struct seen {
	uint64_t number, word;
	uint32_t bytes, serial;
};

/* The cells of a queue, wherever it lies. */
struct cells {
	const struct ilk_map_ *map;
	const char *base;
	struct ilk_queue_shape_ shape;
	uint64_t lane_bytes, stride;
};

static void cells_of(struct cells *c, const struct ilk_map_ *map, const struct ilk_queue *q)
{
	c->map = map;
	c->base = (const char *)q + ilk_queue_cells_at_(c->shape.slots, c->shape.lanes);
	c->lane_bytes = ilk_queue_lane_bytes_(c->shape.message_bytes, c->shape.shift);
	c->stride = ilk_queue_stride_(c->shape.message_bytes);
}

/*
 * Of a picture only heads of cells are read, unless messages are small: they may be large. 0; -E...
 */
static int look(const struct ilk_map_ *map, const void *at, uint64_t bytes)
{
	return ilk_map_look_(map, (uint64_t)((const char *)at - map->base), bytes);
}

static int look_at_lane(const struct cells *c, uint32_t lane)
{
	return c->stride > LOOK_AT_ONCE
		       ? 0
		       : look(c->map, c->base + lane * c->lane_bytes, c->lane_bytes);
}

/* NULL: its bytes are gone. */
static const struct ilk_queue_cell_ *cell(const struct cells *c, uint32_t lane, uint64_t i)
{
	const void *at = c->base + lane * c->lane_bytes + i * c->stride;

	if (c->stride > LOOK_AT_ONCE && look(c->map, at, sizeof(struct ilk_queue_cell_)) < 0)
		return NULL;
	return at;
}

/* Calls EACH for every cell until it returns what is wrong. NULL: nothing is. */
static const char *each_cell(const struct cells *c,
	const char *(*each)(const struct cells *c, const struct seen *s, void *arg), void *arg)
{
	const char *wrong = NULL;

	for (uint32_t lane = 0; lane < c->shape.lanes && !wrong; lane++) {
		if (look_at_lane(c, lane) < 0)
			return "its bytes are gone";
		for (uint64_t i = 0; i < UINT64_C(1) << c->shape.shift && !wrong; i++) {
			const struct ilk_queue_cell_ *at = cell(c, lane, i);

			struct seen s = {.number = (uint64_t)lane << c->shape.shift | i};

			if (!at)
				return "its bytes are gone";
			s.word = ilk_cell_meaning_(ilk_load_acquire_(&at->word));
			s.bytes = ilk_load_relaxed_(&at->bytes);
			s.serial = ilk_load_relaxed_(&at->serial);
			wrong = each(c, &s, arg);
		}
	}
	return wrong;
}

/* Since when what was seen in S is leased, by what was noted; 0: unknown. */
static ilk_time lease_since(const struct seen *s, uint64_t oldest, uint64_t since)
{
	uint64_t name = ilk_lease_name_(s->number, s->word, s->serial);

	return name == oldest ? ilk_lease_since_(name, since) : 0;
}

static const char *count_one(const struct cells *c, const struct seen *s, void *arg)
{
	struct count *count = arg;
	uint64_t word = s->word;
	uint32_t state = ilk_cell_state_(word);
	ilk_time since = lease_since(s, count->oldest, count->oldest_since);

	if (since)
		count->lease_since = since;
	count->full += state == ILK_CELL_FULL_;
	count->claimed += state == ILK_CELL_CLAIMED_;
	count->taken += state == ILK_CELL_TAKEN_ && ilk_cell_owner_(word);
	count->nobodys += state == ILK_CELL_TAKEN_ && !ilk_cell_owner_(word);
	count->spent += (uint64_t)ilk_queue_is_spent_(c->shape.max_deliveries, word);
	return NULL;
}

/* The first position of LANE that is free, from its hint on. */
static uint64_t end_of(const struct cells *c, const struct ilk_queue *q, uint32_t lane)
{
	const char *lanes = (const char *)q + ilk_queue_lanes_at_(c->shape.slots);
	const struct ilk_queue_lane_ *l =
		(const struct ilk_queue_lane_ *)(const void *)lanes + lane;
	uint64_t p = ilk_load_relaxed_(&l->tail), mask = (UINT64_C(1) << c->shape.shift) - 1;

	for (uint64_t i = 0, next; i <= 4 * mask + 4; i++, p = next) {
		const struct ilk_queue_cell_ *at = cell(c, lane, p & mask);

		next = at ? ilk_cell_first_free_(ilk_cell_meaning_(ilk_load_acquire_(&at->word)), p,
				    c->shape.shift)
			  : p;
		if (next == p)
			break;
	}
	return p;
}

/* Fills what both ilk_queue_info() and the inspector tell. How many messages nobody will get. */
static uint64_t tell(const struct cells *c, const struct ilk_queue *q, struct ilk_description_ *out)
{
	struct count n = {.oldest = ilk_load_acquire_(&q->oldest),
		.oldest_since = ilk_load_relaxed_(&q->oldest_since)};
	uint64_t put = 0, odd, left;

	each_cell(c, count_one, &n);
	for (uint32_t lane = 0; lane < c->shape.lanes; lane++)
		put += end_of(c, q, lane) - ilk_queue_first_(c->shape.shift);
	odd = ilk_load_relaxed_(&q->skipped) + ilk_load_relaxed_(&q->stepped) + n.claimed;
	left = n.full + n.taken + n.nobodys;
	out->put = put > odd ? put - odd : 0;
	out->got = out->put > left ? out->put - left : 0;
	out->depth = n.full + n.nobodys;
	out->leases = (uint32_t)n.taken;
	out->lease_since = n.lease_since;
	out->capacity = (uint64_t)c->shape.lanes << c->shape.shift;
	out->is_closed = ilk_load_relaxed_(&q->state) & ILK_QUEUE_CLOSED_;
	return n.spent;
}

int ilk_queue_info(const struct ilk_queue *q, struct ilk_queue_info *info)
{
	struct ilk_segment *seg = ilk_find_attachment_(q);
	struct ilk_description_ d = {.owner = 0};
	struct cells c;

	if (!seg || info->size != sizeof *info ||
		ilk_queue_shape_of_(&seg->map, q, ilk_queue_room_(&seg->map, q), &c.shape))
		return -EINVAL;
	cells_of(&c, &seg->map, q);
	tell(&c, q, &d);
	*info = (struct ilk_queue_info){
		.size = sizeof *info,
		.capacity = (size_t)d.capacity,
		.message_bytes = c.shape.message_bytes,
		.max_deliveries = c.shape.max_deliveries,
		.lanes = c.shape.lanes,
		.closed = d.is_closed != 0,
		.depth = (size_t)d.depth,
		.leases = d.leases,
		.put = d.put,
		.got = d.got,
		.dropped = ilk_load_relaxed_(&q->dropped),
		.moved = ilk_load_relaxed_(&q->moved),
	};
	memcpy(info->dead_letter, c.shape.dead_letter, sizeof info->dead_letter);
	return 0;
}

/* --- the row --- */

static const char *wrong_with_cell(const struct cells *c, const struct seen *s, void *arg)
{
	uint64_t word = s->word;
	uint32_t state = ilk_cell_state_(word), owner = ilk_cell_owner_(word);

	(void)arg;
	if (state > ILK_CELL_END_)
		return "a cell is in no state that there is";
	if (state == ILK_CELL_CLAIMED_ && !ilk_owner_is_thread_(owner))
		return "a claim is nobody's";
	if (ilk_owner_is_thread_(owner) && ilk_owner_slot_(owner) >= c->map->header.thread_slots)
		return "a cell names a slot that does not exist";
	if ((state == ILK_CELL_FULL_ || state == ILK_CELL_TAKEN_) &&
		s->bytes > c->shape.message_bytes)
		return "a message is longer than it can be";
	return NULL;
}

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_queue *q = object;
	const char *wrong;
	struct cells c;

	if (bytes < sizeof *q || look(map, q, sizeof *q) < 0)
		return "its bytes are gone";
	wrong = ilk_queue_shape_of_(map, q, bytes, &c.shape);
	if (wrong)
		return wrong;
	if (ilk_queue_bytes_(&c.shape) != bytes)
		return "its size does not match its capacity";
	cells_of(&c, map, q);
	if (look(map, q, (uint64_t)(c.base - (const char *)q)) < 0)
		return "its bytes are gone";
	return each_cell(&c, wrong_with_cell, NULL);
}

/* Adds ", COUNT WHAT" where there are any. */
static void say_how_many(char *state, size_t size, uint64_t count, const char *what)
{
	size_t n = strlen(state);

	if (count)
		snprintf(state + n, size - n, ", %llu %s", (unsigned long long)count, what);
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_queue *q = object;
	struct cells c;
	uint64_t spent;

	if (ilk_queue_shape_of_(map, q, bytes, &c.shape))
		return;
	cells_of(&c, map, q);
	spent = tell(&c, q, out);
	snprintf(out->state, sizeof out->state, "%llu of %llu%s", (unsigned long long)out->depth,
		(unsigned long long)out->capacity, out->is_closed ? ", closed" : "");
	say_how_many(out->state, sizeof out->state, out->leases, "leased");
	/* Else it is dropped by the next to come by. */
	if (c.shape.dead_letter[0])
		say_how_many(out->state, sizeof out->state, spent, "undeliverable");
	out->value = (int64_t)out->depth;
	out->acquired = out->got;
	for (int kind = 0; kind < ILK_QUEUE_KINDS_; kind++) {
		out->contended += ilk_load_relaxed_(&q->bells[kind].slept);
		out->waited_ns += ilk_load_relaxed_(&q->bells[kind].waited_ns);
	}
}

struct holdings {
	struct ilk_holding_ *out;
	uint32_t most, count;
	uint64_t oldest, oldest_since;
};

static const char *add_holder(const struct cells *c, const struct seen *s, void *arg)
{
	struct holdings *h = arg;
	uint64_t word = s->word;
	uint32_t state = ilk_cell_state_(word), owner = ilk_cell_owner_(word);

	(void)c;
	if ((state != ILK_CELL_TAKEN_ && state != ILK_CELL_CLAIMED_) || !owner ||
		h->count == h->most)
		return NULL;
	h->out[h->count++] = (struct ilk_holding_){
		.owner = owner,
		.count = state == ILK_CELL_TAKEN_ ? ilk_cell_deliveries_(word) : 1,
		.how = state == ILK_CELL_TAKEN_ ? "lease" : "writes",
		.since = lease_since(s, h->oldest, h->oldest_since),
	};
	return NULL;
}

static uint32_t holders(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_holding_ *out, uint32_t most)
{
	const struct ilk_queue *q = object;
	struct holdings h = {
		out, most, 0, ilk_load_acquire_(&q->oldest), ilk_load_relaxed_(&q->oldest_since)};
	struct cells c;

	if (ilk_queue_shape_of_(map, object, bytes, &c.shape))
		return 0;
	cells_of(&c, map, object);
	each_cell(&c, add_holder, &h);
	return h.count;
}

static int repair(struct ilk_segment *seg, void *object)
{
	struct ilk_queue_handle h;

	(void)seg;
	return ilk_queue_attach(object, &h) == 0 ? ilk_queue_repair_(&h) : 0;
}

static void remove_for_good(struct ilk_segment *seg, void *object)
{
	(void)seg;
	ilk_queue_change_state_(object, ILK_QUEUE_REMOVED_);
}

static int ready(struct ilk_segment *seg, const void *object)
{
	struct ilk_queue_info info = {.size = sizeof info};

	(void)seg;
	return ilk_queue_info(object, &info) == 0 && (info.depth || info.closed);
}

const struct ilk_type_ ilk_type_queue_ = {
	.name = "queue",
	.align = 64,
	.is_plain = 1,
	.valid = valid,
	.describe = describe,
	.holders = holders,
	.repair = repair,
	.remove = remove_for_good,
	.ready = ready,
};
