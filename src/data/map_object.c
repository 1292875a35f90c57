/* map_object.c - a map as an object: opened, shown, removed; how it works: map.c, its words: map.h */
#include "data/map.h"
#include "segment/arena.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/object_name.h"
#include "segment/types.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct ilk_map) == 64, "a line");
_Static_assert(sizeof(struct ilk_map_stripe_) == 320, "five lines");
_Static_assert(sizeof(struct ilk_map_slot_) == 24, "values are aligned to 8");

/* --- making one --- */

struct wanted {
	struct ilk_wanted_ base;
	struct ilk_segment *seg;
	uint32_t stripes, key, value_bytes, shift;
};

static void init_wanted(void *object, const struct ilk_wanted_ *base)
{
	const struct wanted *wanted = (const struct wanted *)(const void *)base;
	struct ilk_map *m = object;

	m->stripes = wanted->stripes;
	m->key = wanted->key;
	m->value_bytes = wanted->value_bytes;
	m->shift = wanted->shift;
	for (uint32_t i = 0; i < wanted->stripes; i++)
		ilk_mutex_init(wanted->seg, &m->stripe[i].mutex, base->name, NULL);
	ilk_store_release_(&m->tag, (uint32_t)ILK_MAP_TAG_);
}

static int differs(const char *name, const char *field, uint32_t has, uint32_t wanted)
{
	return ilk_fail_(-EEXIST, "%s differ: map %s has %u, not %u", field, name, has, wanted);
}

static int is_as_asked(const void *object, const struct ilk_wanted_ *base)
{
	const struct wanted *wanted = (const struct wanted *)(const void *)base;
	const struct ilk_map *m = object;
	uint32_t key = ilk_load_relaxed_(&m->key);

	if ((key ^ wanted->key) & ILK_MAP_IS_TEXT_)
		return ilk_fail_(-EEXIST, "keys differ: those of map %s are %stexts", base->name,
			key & ILK_MAP_IS_TEXT_ ? "" : "no ");
	if (key != wanted->key)
		return differs(base->name, "key_bytes", key & ~ILK_MAP_IS_TEXT_,
			wanted->key & ~ILK_MAP_IS_TEXT_);
	if (m->value_bytes != wanted->value_bytes)
		return differs(base->name, "value_bytes", m->value_bytes, wanted->value_bytes);
	return m->stripes == wanted->stripes
		       ? 0
		       : differs(base->name, "stripes", m->stripes, wanted->stripes);
}

/* A map that is there is compared, so that a failure names the field and not the size. */
static int compare_if_there(const struct wanted *wanted)
{
	const struct ilk_map_ *map = &wanted->seg->map;
	struct ilk_found_ found;

	if (ilk_directory_find_(map, wanted->base.name, &found) != 1 ||
		found.entry.type != ILK_TYPE_MAP_ || found.entry.bytes < sizeof(struct ilk_map))
		return 0;
	return is_as_asked(map->base + found.offset, &wanted->base);
}

/* --- shapes --- */

/* How many extents of a stripe could have room in the segment, each by itself. */
static uint32_t most_extents(const struct ilk_map_handle *h)
{
	uint32_t e = 0;

	while (e < ILK_MAP_EXTENTS_ && h->shift + e < 31 &&
		ilk_map_slots_in_(h->shift, e) <= h->segment->map.bytes / h->stride &&
		ilk_map_extent_bytes_(h, e) <= h->segment->map.bytes)
		e++;
	return e;
}

static uint32_t value_at(uint32_t key)
{
	return (uint32_t)sizeof(struct ilk_map_slot_) + ilk_map_key_room_(key);
}

/* The bytes of an entry. */
static uint32_t stride_for(uint32_t key, uint32_t value_bytes)
{
	return value_at(key) + ((value_bytes + 7) & ~UINT32_C(7));
}

/* Do first extents of that SHIFT take no more than a half of the segment, all together? Larger ones would leave
 * stripes without any. */
static int has_room(const struct wanted *wanted, uint32_t shift)
{
	uint64_t slot = (uint64_t)stride_for(wanted->key, wanted->value_bytes) + sizeof(uint32_t);

	return (slot << shift) <= wanted->seg->map.bytes / 2 / wanted->stripes;
}

/* The shift by which the first extents of all stripes have room for ENTRIES, as far as that can be. */
static uint32_t shift_for(const struct wanted *wanted, uint32_t entries)
{
	uint64_t each = (uint64_t)entries / wanted->stripes;
	uint32_t shift = ILK_MAP_LEAST_SHIFT_;

	/* Some stripes get more than others; and slot 0 is no entry. */
	each += each / 4 + 1;
	while (shift < ILK_MAP_MOST_SHIFT_ && UINT64_C(1) << shift < each &&
		has_room(wanted, shift + 1))
		shift++;
	return shift;
}

static int is_shape(uint32_t key, uint32_t stripes)
{
	uint32_t bytes = key & ~ILK_MAP_IS_TEXT_;

	return bytes >= 1 && bytes <= ILK_MAP_MOST_KEY_BYTES && stripes >= 1 &&
	       stripes <= ILK_MAP_MOST_STRIPES && !(stripes & (stripes - 1));
}

/* What OPTIONS, KEY and VALUE_BYTES ask for. 0; -EINVAL. */
static int shape(struct wanted *wanted, uint32_t key, uint32_t value_bytes,
	const struct ilk_map_options *options)
{
	if (options && options->size != sizeof *options)
		return ilk_fail_(-EINVAL, "map options: wrong size");
	wanted->key = key;
	wanted->value_bytes = value_bytes;
	wanted->stripes = options && options->stripes ? options->stripes : ILK_MAP_STRIPES;
	if (!is_shape(key, wanted->stripes))
		return ilk_fail_(-EINVAL,
			"a map's keys have 1 to %d bytes, its stripes are 1, 2, 4 ... %d",
			ILK_MAP_MOST_KEY_BYTES, ILK_MAP_MOST_STRIPES);
	wanted->shift = shift_for(wanted, options ? options->entries : 0);
	wanted->base.bytes = ilk_map_size_(wanted->stripes);
	return 0;
}

/* 0; -EBADMSG. */
static int fill_handle(
	struct ilk_map_handle *h, const struct wanted *wanted, struct ilk_map *object)
{
	*h = (struct ilk_map_handle){
		.segment = wanted->seg,
		.map = object,
		.seed = {wanted->seg->map.header.id[0], wanted->seg->map.header.id[1]},
		.key = wanted->key,
		.value_bytes = wanted->value_bytes,
		.stripes = wanted->stripes,
		.shift = ilk_load_relaxed_(&object->shift),
		.value_at = value_at(wanted->key),
		.stride = stride_for(wanted->key, wanted->value_bytes),
	};
	if (h->shift < ILK_MAP_LEAST_SHIFT_ || h->shift > ILK_MAP_MOST_SHIFT_)
		return ilk_fail_(-EBADMSG, "map %s has no shape", wanted->base.name);
	h->most = most_extents(h);
	return 0;
}

int ilk_map_open(struct ilk_segment *seg, const char *name, uint32_t key_bytes,
	uint32_t value_bytes, const struct ilk_map_options *options, struct ilk_map_handle *h)
{
	struct wanted wanted = {
		.base = {.name = name,
			.type = ILK_TYPE_MAP_,
			.fits = is_as_asked,
			.init = init_wanted},
		.seg = seg,
	};
	void *object;
	int rc = ilk_name_check_(name);

	if (rc == 0)
		rc = shape(&wanted, key_bytes, value_bytes, options);
	if (rc < 0)
		return rc;
	if (value_bytes > UINT32_MAX / 2 || value_bytes > seg->map.bytes)
		return ilk_fail_(-ENOSPC, "%s: no room for %u bytes", name, value_bytes);
	rc = compare_if_there(&wanted);
	if (rc == 0)
		rc = ilk_directory_open_(seg, &wanted.base, &object);
	return rc < 0 ? rc : fill_handle(h, &wanted, object);
}

/* --- its row --- */

/* Of one that was REMOVED some extents may be freed already. */
static const char *valid_stripe(
	const struct ilk_map_ *map, const struct ilk_map_stripe_ *s, int removed)
{
	uint32_t extents = ilk_load_relaxed_(&s->extents);

	if (extents > ILK_MAP_EXTENTS_)
		return "a stripe has more extents than there can be";
	for (uint32_t e = 0; e < extents; e++) {
		uint64_t offset = ilk_load_relaxed_(&s->extent[e].offset);

		if (offset == 0 && removed)
			continue;
		if (offset < map->header.arena_at || offset >= map->bytes || offset % 64)
			return "an extent is not in the arena";
	}
	return ilk_type_(ILK_TYPE_MUTEX_)->valid(map, &s->mutex, sizeof s->mutex);
}

/* How many stripes an object of BYTES bytes has; 0: none has so many bytes. */
static uint32_t stripes_of(uint64_t bytes)
{
	uint64_t stripes = bytes < sizeof(struct ilk_map) ? 0
							  : (bytes - sizeof(struct ilk_map)) /
								    sizeof(struct ilk_map_stripe_);

	return stripes <= ILK_MAP_MOST_STRIPES && ilk_map_size_(stripes) == bytes
		       ? (uint32_t)stripes
		       : 0;
}

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_map *m = object;
	uint32_t stripes = stripes_of(bytes), tag, shift;
	const char *wrong = NULL;

	if (stripes == 0)
		return "its size is not that of its stripes";
	tag = ilk_load_relaxed_(&m->tag);
	if (tag != ILK_MAP_TAG_ && tag != ILK_MAP_REMOVED_)
		return "its tag is not a map's";
	shift = ilk_load_relaxed_(&m->shift);
	if (ilk_load_relaxed_(&m->stripes) != stripes ||
		!is_shape(ilk_load_relaxed_(&m->key), stripes) || shift < ILK_MAP_LEAST_SHIFT_ ||
		shift > ILK_MAP_MOST_SHIFT_)
		return "it has no possible shape";
	for (uint32_t i = 0; i < stripes && !wrong; i++)
		wrong = valid_stripe(map, &m->stripe[i], tag == ILK_MAP_REMOVED_);
	return wrong;
}

/* Adds what stripe S says to OUT; *ROOM and *REPAIRED grow as well. */
static void add_stripe(const struct ilk_map_ *map, const struct ilk_map_stripe_ *s, uint32_t shift,
	struct ilk_description_ *out, uint64_t *room, uint64_t *repaired)
{
	uint32_t extents = ilk_load_relaxed_(&s->extents);
	struct ilk_description_ one = {.owner = 0};

	ilk_type_(ILK_TYPE_MUTEX_)->describe(map, &s->mutex, sizeof s->mutex, &one);
	out->owner = out->owner ? out->owner : one.owner;
	out->acquired += one.acquired;
	out->contended += one.contended;
	out->waited_ns += one.waited_ns;
	/* Damaged, it can be any number. */
	out->value = (int64_t)((uint64_t)out->value + ilk_load_relaxed_(&s->count));
	*repaired += ilk_load_relaxed_(&s->repaired);
	if (extents && extents <= ILK_MAP_EXTENTS_)
		*room += ilk_map_slots_(shift, extents) - 1;
}

/* ROOM is that of all stripes; one that is full grows while others have room. */
static void tell_figures(
	struct ilk_description_ *out, const struct ilk_map *m, uint64_t room, uint64_t repaired)
{
	uint32_t key = ilk_load_relaxed_(&m->key);

	ilk_tell_(out, "entries", (uint64_t)out->value);
	ilk_tell_(out, "room", room);
	ilk_tell_(out, "stripes", ilk_load_relaxed_(&m->stripes));
	ilk_tell_as_(out, "text_keys", ILK_FIGURE_YES_NO, (key & ILK_MAP_IS_TEXT_) != 0);
	ilk_tell_as_(out, "key_bytes", ILK_FIGURE_BYTES, key & ~ILK_MAP_IS_TEXT_);
	ilk_tell_as_(out, "value_bytes", ILK_FIGURE_BYTES, ilk_load_relaxed_(&m->value_bytes));
	ilk_tell_(out, "repaired", repaired);
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_map *m = object;
	uint32_t stripes = stripes_of(bytes), shift = ilk_load_relaxed_(&m->shift);
	uint64_t room = 0, repaired = 0;

	if (shift > ILK_MAP_MOST_SHIFT_)
		return; /* since valid() looked */
	for (uint32_t i = 0; i < stripes; i++)
		add_stripe(map, &m->stripe[i], shift, out, &room, &repaired);
	snprintf(out->state, sizeof out->state, "%lld of %llu entries", (long long)out->value,
		(unsigned long long)room);
	if (repaired)
		snprintf(out->state + strlen(out->state), sizeof out->state - strlen(out->state),
			", %llu died in it", (unsigned long long)repaired);
	tell_figures(out, m, room, repaired);
}

/* Who has a stripe; who has two, from within a function of update, is told once. */
static uint32_t holders(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_holding_ *out, uint32_t most)
{
	const struct ilk_map *m = object;
	uint32_t stripes = stripes_of(bytes), n = 0;

	for (uint32_t i = 0; i < stripes && n < most; i++) {
		struct ilk_description_ one = {.owner = 0};
		uint32_t k = 0;

		ilk_type_(ILK_TYPE_MUTEX_)
			->describe(map, &m->stripe[i].mutex, sizeof m->stripe[i].mutex, &one);
		if (!one.owner)
			continue;
		while (k < n && out[k].owner != one.owner)
			k++;
		if (k == n)
			out[n++] = (struct ilk_holding_){.owner = one.owner, .how = "held"};
		out[k].count++;
	}
	return n;
}

/* The mutexes of the dead become free and damaged: whoever takes one next puts its stripe right. */
static int repair(struct ilk_segment *seg, void *object)
{
	struct ilk_map *m = object;
	uint32_t stripes = ilk_load_relaxed_(&m->stripes);
	int repaired = 0;

	for (uint32_t i = 0; i < stripes && i < ILK_MAP_MOST_STRIPES; i++)
		repaired |= ilk_type_(ILK_TYPE_MUTEX_)->repair(seg, &m->stripe[i].mutex);
	return repaired;
}

static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_map *m = object;
	uint32_t stripes = ilk_load_relaxed_(&m->stripes);

	ilk_store_release_(&m->tag, (uint32_t)ILK_MAP_REMOVED_);
	for (uint32_t i = 0; i < stripes && i < ILK_MAP_MOST_STRIPES; i++)
		ilk_type_(ILK_TYPE_MUTEX_)->remove(seg, &m->stripe[i].mutex);
}

/* Frees the block that REF leads to, if it is one that was published there. */
static void free_part(struct ilk_segment *seg, struct ilk_ref *ref)
{
	uint64_t offset = ilk_load_relaxed_(&ref->offset);
	uint64_t place = (uint64_t)((char *)ref - seg->map.base);
	const struct ilk_block_header_ *b = offset ? ilk_arena_block_(&seg->map, offset) : NULL;

	if (!b || b->link_at != place || ilk_load_relaxed_(&b->owner))
		return;
	ilk_arena_unlink_(&seg->map, offset, ilk_thread_.me->owner, place, 0);
	ilk_arena_free_(&seg->map, offset);
}

static void free_parts(struct ilk_segment *seg, void *object, uint64_t bytes)
{
	struct ilk_map *m = object;
	uint32_t stripes = stripes_of(bytes);

	for (uint32_t i = 0; i < stripes; i++)
		for (uint32_t e = 0; e < ILK_MAP_EXTENTS_; e++)
			free_part(seg, &m->stripe[i].extent[e]);
}

const struct ilk_type_ ilk_type_map_ = {
	.name = "map",
	.align = 64,
	.valid = valid,
	.describe = describe,
	.holders = holders,
	.repair = repair,
	.remove = remove_for_good,
	.free_parts = free_parts,
};
