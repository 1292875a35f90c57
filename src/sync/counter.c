/*
 * counter.c - exact and sharded counters; their hot paths are inline in ilk/counter.h.
 *
 * State      counter: value. sharded: tag and number of cells, fixed; then a cell of one cache line
 *            for each thread slot of the segment.
 * Invariant  [I1] A cell is written by the thread that has its slot, and by nobody else: a slot
 *            changes hands only after its thread has left it or is proved dead.
 *            [I2] A cell is never reset: what the gone have added stays in the total.
 * Ordering   [C1] add:  store cell, release  <-> [C2]  a total that counts an add sees what came
 *            [C2] read: load cell, acquire   <-> [C1]  before it
 *            A slot's next thread sees its last one's cell: [M1], [M2] in member.c.
 * Death      before the store the add has not happened, after it it has.
 */
#include "segment/directory.h"
#include "segment/types.h"
#include "sync/object.h"
#include <errno.h>
#include <ilk/counter.h>
#include <stdio.h>

/* --- exact --- */

int ilk_counter_open(struct ilk_segment *seg, const char *name, struct ilk_counter **counter)
{
	const struct ilk_wanted_ wanted = {
		.name = name, .type = ILK_TYPE_COUNTER_, .bytes = sizeof **counter};

	return ilk_open_as_(seg, wanted, 0, counter);
}

static const char *valid_counter(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	(void)map, (void)object;
	return bytes == sizeof(struct ilk_counter) ? NULL : "its size is not a counter's";
}

static void say_value(struct ilk_description_ *out, int64_t value)
{
	out->value = value;
	snprintf(out->state, sizeof out->state, "%lld", (long long)value);
}

static void describe_counter(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	(void)map, (void)bytes;
	say_value(out, ilk_counter_read(object));
}

const struct ilk_type_ ilk_type_counter_ = {
	.name = "counter",
	.size = sizeof(struct ilk_counter),
	.align = 8,
	.valid = valid_counter,
	.describe = describe_counter,
};

/* --- sharded --- */

enum { TAG = 0x5348 };

struct line {
	uint64_t value;
	uint64_t pad[7];
};

struct ilk_sharded {
	uint32_t tag;
	uint32_t cells; /* fixed; the truth is the segment's number of thread slots */
	uint64_t pad[7];
	struct line cell[];
};

static uint64_t size_for(uint32_t cells)
{
	return sizeof(struct ilk_sharded) + cells * sizeof(struct line);
}

static void init_sharded(void *object, const struct ilk_wanted_ *wanted)
{
	struct ilk_sharded *s = object;

	s->tag = TAG;
	s->cells = (uint32_t)((wanted->bytes - sizeof *s) / sizeof(struct line));
}

int ilk_sharded_open(struct ilk_segment *seg, const char *name, struct ilk_sharded **sharded)
{
	const struct ilk_wanted_ wanted = {
		.name = name,
		.type = ILK_TYPE_SHARDED_,
		.bytes = size_for(seg->map.header.thread_slots),
		.init = init_sharded,
	};

	return ilk_open_as_(seg, wanted, 0, sharded);
}

int ilk_sharded_find_(struct ilk_sharded *sharded, struct ilk_sharded_handle *mine)
{
	int rc = ilk_here_(sharded);

	/* Out of date from the start: where there is no share, the next add asks again. */
	*mine = (struct ilk_sharded_handle){
		.epoch_now = ilk_epoch_,
		.epoch = UINT64_MAX,
		.sharded = sharded,
	};
	if (rc < 0)
		return rc;
	mine->cell = &sharded->cell[ilk_thread_.me->slot].value;
	mine->value = ilk_load_relaxed_(mine->cell);
	mine->epoch = ilk_thread_.epoch;
	return 0;
}

static int64_t sum(const struct ilk_sharded *sharded, uint32_t cells)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < cells; i++)
		total += ilk_load_acquire_(&sharded->cell[i].value); /* [C2] */
	return (int64_t)total;
}

int64_t ilk_sharded_read(const struct ilk_sharded *sharded)
{
	const struct ilk_segment *seg = ilk_find_attachment_(sharded);

	return seg ? sum(sharded, seg->map.header.thread_slots) : 0;
}

static const char *valid_sharded(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_sharded *s = object;

	if (bytes != size_for(map->header.thread_slots))
		return "its size does not match the segment's thread slots";
	if (ilk_load_relaxed_(&s->tag) != TAG)
		return "its tag is not a sharded counter's";
	return ilk_load_relaxed_(&s->cells) == map->header.thread_slots
		       ? NULL
		       : "its number of cells is not the segment's";
}

static void describe_sharded(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	(void)bytes;
	say_value(out, sum(object, map->header.thread_slots));
}

const struct ilk_type_ ilk_type_sharded_ = {
	.name = "sharded",
	.align = 64,
	.valid = valid_sharded,
	.describe = describe_sharded,
};
