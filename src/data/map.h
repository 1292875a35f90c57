/*
 * map.h - what the files of the map share: its words, and what each value means.
 *
 * map       tag: MAP, or REMOVED for good. stripes, key, value_bytes, shift: fixed; whoever uses
 *           them has them from its handle
 * stripe    mutex    guards all that follows, and the entries
 *           extent   references to its blocks, in order; 0: not there yet. Extent 0 has 2^shift
 *                    slots, each further one as many as all before it together
 *           changing 0, or the slot whose value is being replaced by what slot 0 holds
 *           extents, buckets, free, fresh, count: follow from the slots; made anew after a death.
 *                    How many extents; first of the list of free slots, 0: none; the first slot
 *                    that, as all behind it, is free and in no list; how many entries
 *           repaired statistics: deaths in it that were put right
 * extent    its slots; behind them the buckets for all slots so far: those of the last extent
 *           count. A bucket is the first slot of a chain, 0: none
 * slot      state: FREE or LIVE; next in its chain, or list; hash, key, and value. Slot 0 is never
 *           an entry: values are made ready there
 */
#ifndef ILK_DATA_MAP_H
#define ILK_DATA_MAP_H

#include "segment/registry.h"
#include <errno.h>
#include <ilk/map.h>
#include <ilk/memory.h>
#include <ilk/mutex.h>

enum { ILK_MAP_TAG_ = 0x4d61, ILK_MAP_REMOVED_ = 0x524d };
enum { ILK_MAP_FREE_ = 0, ILK_MAP_LIVE_ = 1 };
enum { ILK_MAP_EXTENTS_ = 24, ILK_MAP_LEAST_SHIFT_ = 3, ILK_MAP_MOST_SHIFT_ = 20 };

struct ilk_map_stripe_ {
	struct ilk_mutex mutex;
	uint32_t changing;
	uint32_t extents, free, fresh;
	uint64_t count, repaired;
	uint64_t pad[4];
	struct ilk_ref extent[ILK_MAP_EXTENTS_];
};

struct ilk_map {
	uint32_t tag, stripes, key, value_bytes, shift;
	uint32_t pad[11];
	struct ilk_map_stripe_ stripe[];
};

struct ilk_map_slot_ {
	uint32_t state, next;
	uint64_t hash;
	uint32_t key_bytes, value_bytes;
	char key[];
};

/* A stripe as one call sees it, under its mutex: copied and checked. */
struct ilk_map_view_ {
	const struct ilk_map_handle *h;
	struct ilk_map_stripe_ *s;
	uint32_t extents;
	uint32_t slots;    /* in them, */
	uint32_t *buckets; /* and as many of these */
};

/* A key, and its hash. */
struct ilk_map_key_ {
	const void *at;
	uint32_t bytes;
	uint64_t hash;
};

/* Where an entry is. */
struct ilk_map_place_ {
	uint32_t slot;
	uint32_t *link; /* what leads to it */
	struct ilk_map_slot_ *entry;
};

/* --- shapes --- */

static inline uint32_t ilk_map_key_room_(uint32_t key)
{
	return ((key & ~ILK_MAP_IS_TEXT_) + 7) & ~UINT32_C(7);
}

/* How many slots there are in so many extents, at least one. */
static inline uint64_t ilk_map_slots_(uint32_t shift, uint32_t extents)
{
	return UINT64_C(1) << (shift + extents - 1);
}

/* How many of them are in extent E, and where its first one counts. */
static inline uint64_t ilk_map_slots_in_(uint32_t shift, uint32_t e)
{
	return ilk_map_slots_(shift, e ? e : 1);
}

static inline uint64_t ilk_map_extent_bytes_(const struct ilk_map_handle *h, uint32_t e)
{
	return ilk_map_slots_in_(h->shift, e) * h->stride +
	       ilk_map_slots_(h->shift, e + 1) * sizeof(uint32_t);
}

static inline uint64_t ilk_map_size_(uint64_t stripes)
{
	return sizeof(struct ilk_map) + stripes * sizeof(struct ilk_map_stripe_);
}

/* --- finding one's way: NULL where what stands in the segment makes no sense --- */

/* Where extent E is: there is room for BYTES bytes from AT on in it. */
static inline char *ilk_map_in_extent_(
	const struct ilk_map_view_ *v, uint32_t e, uint64_t at, uint64_t bytes)
{
	const struct ilk_map_ *map = &v->h->segment->map;
	uint64_t offset = ilk_load_relaxed_(&v->s->extent[e].offset);

	return ILK_UNLIKELY_(offset < map->header.arena_at || offset % 64 || offset > map->bytes ||
			     at + bytes > map->bytes - offset)
		       ? NULL
		       : map->base + offset + at;
}

static inline struct ilk_map_slot_ *ilk_map_slot_(const struct ilk_map_view_ *v, uint32_t i)
{
	uint32_t above = i >> v->h->shift, e = above ? 32 - (uint32_t)__builtin_clz(above) : 0;
	uint64_t first = e ? ilk_map_slots_in_(v->h->shift, e) : 0;

	return ILK_UNLIKELY_(i >= v->slots) ? NULL
					    : (struct ilk_map_slot_ *)(void *)ilk_map_in_extent_(v,
						      e, (i - first) * v->h->stride, v->h->stride);
}

/* Looks at the stripe, under its mutex. 0; -EBADMSG. */
static inline int ilk_map_see_(struct ilk_map_view_ *v)
{
	const struct ilk_map_handle *h = v->h;

	v->extents = ilk_load_relaxed_(&v->s->extents);
	v->slots = 0;
	if (v->extents == 0)
		return 0;
	if (v->extents > h->most)
		return -EBADMSG;
	v->slots = (uint32_t)ilk_map_slots_(h->shift, v->extents);
	v->buckets = (uint32_t *)(void *)ilk_map_in_extent_(v, v->extents - 1,
		ilk_map_slots_in_(h->shift, v->extents - 1) * h->stride,
		v->slots * sizeof *v->buckets);
	return v->buckets ? 0 : -EBADMSG;
}

static inline char *ilk_map_value_(const struct ilk_map_view_ *v, struct ilk_map_slot_ *slot)
{
	return (char *)slot + v->h->value_at;
}

/* The length of an entry's value, once: more than it can have makes no sense. */
static inline int ilk_map_length_(
	const struct ilk_map_view_ *v, const struct ilk_map_slot_ *slot, uint32_t *bytes)
{
	*bytes = ilk_load_relaxed_(&slot->value_bytes);
	return *bytes <= v->h->value_bytes ? 0 : -EBADMSG;
}

/* --- map_stripe.c --- */

/* What the last one left who died in the stripe is done, or was never begun. 0; -EBADMSG. */
int ilk_map_put_right_(struct ilk_map_view_ *v);

/* Unlocks it. RC. */
static inline int ilk_map_leave_(const struct ilk_map_view_ *v, int rc)
{
	ilk_mutex_unlock(&v->s->mutex);
	return rc;
}

/*
 * Locks stripe number INDEX, puts right what a dead one left in it, and looks at it. 0; as
 * ilk_mutex_lock_until(), less its outcomes; -EBADMSG.
 */
static inline int ilk_map_enter_(
	const struct ilk_map_handle *h, uint32_t index, ilk_time deadline, struct ilk_map_view_ *v)
{
	int rc;

	v->h = h;
	v->s = &h->map->stripe[index];
	rc = deadline == ILK_FOREVER ? ilk_mutex_lock(&v->s->mutex)
				     : ilk_mutex_lock_until(&v->s->mutex, deadline);
	if (rc < 0)
		return rc;
	rc = rc == 0 ? ilk_map_see_(v) : ilk_map_put_right_(v);
	return rc < 0 ? ilk_map_leave_(v, rc) : 0;
}

/* Makes room for an entry more. 0; -ENOSPC; -E... as ilk_alloc(). */
int ilk_map_make_room_(struct ilk_map_view_ *v);

/* Takes a free slot: there is room. 0; -EBADMSG. */
int ilk_map_take_free_(const struct ilk_map_view_ *v, struct ilk_map_place_ *place);

/* Makes buckets, lists and the count anew. 0; -EBADMSG. */
int ilk_map_relink_(const struct ilk_map_view_ *v);

/* Slot I gets the value that slot 0 has, which is SCRATCH. */
void ilk_map_redo_(const struct ilk_map_view_ *v, struct ilk_map_slot_ *scratch,
	struct ilk_map_slot_ *entry, uint32_t bytes);

/* --- map.c --- */

/* Copies an entry's value out. 0; -EMSGSIZE; -EBADMSG. */
int ilk_map_copy_out_(const struct ilk_map_view_ *v, struct ilk_map_slot_ *slot, void *value,
	size_t room, size_t *bytes);

#endif
