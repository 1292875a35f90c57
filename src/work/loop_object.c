/* loop_object.c - a loop as an object: made, opened, shown, repaired, removed. Its words: loop.h. */
#include "os/futex.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/member.h"
#include "segment/object_name.h"
#include "segment/types.h"
#include "sync/object.h"
#include "work/loop.h"
#include <limits.h>
#include <stdio.h>

/* --- making one --- */

static void make(struct ilk_loop *l, const char *label, uint32_t result_bytes)
{
	memset(l, 0, ilk_loop_bytes_(result_bytes));
	l->result_bytes = result_bytes;
	strncpy(l->label, label ? label : "", sizeof l->label - 1);
	ilk_store_release_(&l->tag, (uint16_t)ILK_LOOP_TAG_);
}

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	make(object, wanted->name, wanted->flags);
}

/* The bytes of a result that OPTIONS ask for; -EINVAL. */
static int result_bytes_of(const struct ilk_loop_options *options)
{
	if (!options)
		return 0;
	if (options->size != sizeof *options || options->result_bytes > ILK_LOOP_MOST_RESULT)
		return ilk_fail_(-EINVAL,
			"loop options: wrong size, or results of more than %d bytes",
			ILK_LOOP_MOST_RESULT);
	return (int)options->result_bytes;
}

size_t ilk_loop_bytes(const struct ilk_loop_options *options)
{
	int bytes = result_bytes_of(options);

	return bytes < 0 ? 0 : (size_t)ilk_loop_bytes_((uint32_t)bytes);
}

int ilk_loop_init(struct ilk_segment *seg, struct ilk_loop *l, const char *label,
	const struct ilk_loop_options *options)
{
	uintptr_t at = (uintptr_t)l - (uintptr_t)seg->map.base;
	int bytes = result_bytes_of(options);
	int rc = bytes < 0 ? bytes : ilk_can_embed_(seg, l, "loop");

	if (rc < 0)
		return rc;
	if (ilk_loop_bytes_((uint32_t)bytes) > seg->map.bytes - at)
		return ilk_fail_(-EINVAL, "the loop reaches outside the segment");
	make(l, label, (uint32_t)bytes);
	return 0;
}

static int has_results(const void *object, const struct ilk_wanted_ *wanted)
{
	uint32_t has = ((const struct ilk_loop *)object)->result_bytes;

	if (has == wanted->flags)
		return 0;
	return ilk_fail_(-EEXIST, "result_bytes differ: loop %s has %u, not %u", wanted->name, has,
		wanted->flags);
}

/* How long results are in the loop NAME, if there is one; else AS_ASKED. */
static int look(struct ilk_segment *seg, const char *name, int as_asked)
{
	struct ilk_found_ found;

	if (ilk_directory_find_(&seg->map, name, &found) != 1 ||
		found.entry.type != ILK_TYPE_LOOP_ || found.entry.bytes < sizeof(struct ilk_loop))
		return as_asked;
	return (int)ilk_load_relaxed_(
		&((const struct ilk_loop *)(const void *)(seg->map.base + found.offset))
			 ->result_bytes);
}

int ilk_loop_open(struct ilk_segment *seg, const char *name, const struct ilk_loop_options *options,
	struct ilk_loop **l)
{
	struct ilk_wanted_ wanted = {
		.name = name,
		.type = ILK_TYPE_LOOP_,
		.fits = has_results,
		.init = init_wanted,
	};
	int bytes = result_bytes_of(options), there;

	if (bytes < 0)
		return bytes;
	if (!name || ilk_name_check_(name) < 0)
		return ilk_open_as_(seg, wanted, bytes, l); /* which says what is wrong with it */
	there = look(seg, name, bytes);
	if (options && there != bytes)
		return ilk_fail_(
			-EEXIST, "result_bytes differ: loop %s has %d, not %d", name, there, bytes);
	wanted.bytes = ilk_loop_bytes_((uint32_t)there);
	return ilk_open_as_(seg, wanted, there, l);
}

int ilk_loop_make_nameless_(struct ilk_segment *seg, const char *label,
	const struct ilk_loop_options *options, struct ilk_loop **l)
{
	int bytes = result_bytes_of(options);
	const struct ilk_wanted_ wanted = {
		.name = label,
		.type = ILK_TYPE_LOOP_,
		.bytes = bytes < 0 ? 0 : ilk_loop_bytes_((uint32_t)bytes),
		.init = init_wanted,
		.is_nameless = 1,
	};

	return ilk_open_as_(seg, wanted, bytes, l);
}

/* --- its row --- */

/* The parts of its round that are over, and those that are taken. */
struct count {
	uint32_t parts, over, taken;
	int failed;
};

static int count_parts(const struct ilk_loop *l, struct ilk_round_ *r, struct count *count)
{
	*count = (struct count){.parts = 0};
	if (ilk_loop_look_(l, r) != 1)
		return 0;
	count->parts = r->range.parts;
	count->failed = ilk_loop_outcome_(l, r->number);
	for (uint32_t k = 0; k < r->range.parts; k++) {
		uint32_t what = ilk_part_what_(ilk_load_acquire_(&l->part[k]), r->number);

		count->over += what >= ILK_PART_DONE_;
		count->taken += what == ILK_PART_TAKEN_;
	}
	return 1;
}

static uint64_t bytes_of(const void *object)
{
	const struct ilk_loop *l = object;
	uint32_t bytes = ilk_load_relaxed_(&l->result_bytes);

	if (ilk_check_tag_(ilk_load_relaxed_(&l->tag), ILK_LOOP_TAG_) == -EINVAL ||
		bytes > ILK_LOOP_MOST_RESULT)
		return 0;
	return ilk_loop_bytes_(bytes);
}

static int names_slot(const struct ilk_map_ *map, uint64_t word)
{
	uint32_t owner = (uint32_t)word;

	return ilk_owner_is_thread_(owner) && !(owner & ILK_OWNER_FLAGS_) &&
	       ilk_owner_slot_(owner) < map->header.thread_slots;
}

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_loop *l = object;
	uint64_t state;
	uint32_t what;

	if (bytes < sizeof *l ||
		ilk_map_look_(map, (uint64_t)((const char *)l - map->base), sizeof *l) < 0)
		return "its bytes are gone";
	if (bytes_of(l) == 0)
		return "its tag is not a loop's";
	if (bytes_of(l) != bytes)
		return "its size does not match its results";
	state = ilk_load_acquire_(&l->state);
	what = ilk_loop_what_(state);
	if (what > ILK_LOOP_OPEN_ || (what != ILK_LOOP_IDLE_ && !names_slot(map, state)))
		return "its state cannot be";
	for (uint32_t k = 0; k < ILK_LOOP_PARTS; k++) {
		uint64_t word = ilk_load_relaxed_(&l->part[k]);

		if (ilk_loop_what_(word) == ILK_PART_TAKEN_ && !names_slot(map, word))
			return "a part names a thread slot that does not exist";
	}
	return NULL;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_loop *l = object;
	struct ilk_round_ r;
	struct count c;

	(void)map, (void)bytes;
	out->is_closed = ilk_load_acquire_(&l->flags) & ILK_LOOP_CLOSED_;
	if (!count_parts(l, &r, &c))
		snprintf(out->state, sizeof out->state, "no round");
	else
		snprintf(out->state, sizeof out->state, "round %u: %u of %u parts, %u at work%s",
			r.number, c.over, c.parts, c.taken, c.failed ? ", failed" : "");
	if (out->is_closed)
		strncat(out->state, ", closed", sizeof out->state - strlen(out->state) - 1);
	memcpy(out->label, l->label, sizeof out->label - 1);
	out->value = (int64_t)c.parts - c.over;
	out->acquired = ilk_load_relaxed_(&l->done);
	out->contended = ilk_load_relaxed_(&l->slept);
	out->waited_ns = ilk_load_relaxed_(&l->waited_ns);
}

/* Who works at a part: for whom others wait. */
static uint32_t holders(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_holding_ *out, uint32_t most)
{
	const struct ilk_loop *l = object;
	struct ilk_round_ r;
	uint32_t count = 0;

	(void)map, (void)bytes;
	if (ilk_loop_look_(l, &r) != 1)
		return 0;
	for (uint32_t k = 0; k < r.range.parts && count < most; k++) {
		uint64_t word = ilk_load_acquire_(&l->part[k]);

		if (ilk_part_what_(word, r.number) == ILK_PART_TAKEN_)
			out[count++] = (struct ilk_holding_){
				.owner = (uint32_t)word, .count = 1, .how = "works"};
	}
	return count;
}

/* What the dead had is free again; a round that one died beginning is begun anew by the next. */
static int repair(struct ilk_segment *seg, void *object)
{
	struct ilk_loop *l = object;
	struct ilk_round_ r;
	int found = 0;

	if (ilk_loop_look_(l, &r) != 1)
		return 0;
	for (uint32_t k = 0; k < r.range.parts; k++) {
		uint64_t word = ilk_load_acquire_(&l->part[k]);

		if (ilk_part_what_(word, r.number) == ILK_PART_TAKEN_ &&
			ilk_owner_life_(seg, (uint32_t)word) == ILK_LIFE_DEAD)
			found |= ilk_cas_full_(
				&l->part[k], &word, ilk_loop_word_(r.number, ILK_PART_FREE_, 1));
	}
	if (found)
		ilk_loop_ring_(&l->over);
	return found;
}

/* Weaker: one who sleeps could miss it until his next look. See [P9] of loop.c. */
static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_loop *l = object;

	(void)seg;
	ilk_store_release_(&l->tag, (uint16_t)(ILK_LOOP_TAG_ | ILK_GONE_));
	ilk_futex_change_and_wake_(&l->begun, ILK_STORE_, 0, INT_MAX);
	ilk_futex_change_and_wake_(&l->over, ILK_STORE_, 0, INT_MAX);
}

static int ready(struct ilk_segment *seg, const void *object)
{
	struct ilk_round_ r;
	struct count c;

	(void)seg;
	return count_parts(object, &r, &c) && c.over == c.parts;
}

const struct ilk_type_ ilk_type_loop_ = {
	.name = "loop",
	.least = sizeof(struct ilk_loop),
	.align = ILK_LINE_,
	.bytes_of = bytes_of,
	.is_plain = 1,
	.valid = valid,
	.describe = describe,
	.holders = holders,
	.repair = repair,
	.remove = remove_for_good,
	.ready = ready,
};
