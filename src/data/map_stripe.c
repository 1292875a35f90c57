/*
 * map_stripe.c - a stripe of a map: put right after a death, and grown. Its words: map.h; what
 * holds of them, and what a death leaves: map.c.
 */
#include "data/map.h"
#include "segment/error.h"
#include <errno.h>
#include <string.h>

/* --- putting right --- */

/* How many extents there are, by what leads to them. */
static uint32_t count_extents(const struct ilk_map_view_ *v)
{
	uint32_t e = 0;

	while (e < v->h->most && ilk_load_relaxed_(&v->s->extent[e].offset))
		e++;
	return e;
}

void ilk_map_redo_(const struct ilk_map_view_ *v, struct ilk_map_slot_ *scratch,
	struct ilk_map_slot_ *entry, uint32_t bytes)
{
	memcpy(ilk_map_value_(v, entry), ilk_map_value_(v, scratch), bytes);
	ilk_store_relaxed_(&entry->value_bytes, bytes);
	ilk_store_release_(&v->s->changing, 0u); /* [P3] */
}

/* Finishes the replacement that a dead one had begun. 0; -EBADMSG. */
static int finish_replacement(const struct ilk_map_view_ *v)
{
	uint32_t changing = ilk_load_relaxed_(&v->s->changing), bytes;
	struct ilk_map_slot_ *entry = ilk_map_slot_(v, changing), *scratch = ilk_map_slot_(v, 0);

	if (changing == 0)
		return 0;
	if (!entry || !scratch || ilk_load_relaxed_(&entry->state) != ILK_MAP_LIVE_ ||
		ilk_map_length_(v, scratch, &bytes) < 0)
		return -EBADMSG;
	ilk_map_redo_(v, scratch, entry, bytes);
	return 0;
}

static void link_entry(
	const struct ilk_map_view_ *v, uint32_t i, struct ilk_map_slot_ *slot, uint64_t *count)
{
	uint32_t *bucket = &v->buckets[slot->hash & (v->slots - 1)];

	slot->next = *bucket;
	*bucket = i;
	++*count;
}

int ilk_map_relink_(const struct ilk_map_view_ *v)
{
	uint32_t free = 0, fresh = 1;
	uint64_t count = 0;

	if (v->slots)
		memset(v->buckets, 0, v->slots * sizeof *v->buckets);
	for (uint32_t i = v->slots; i-- > 1;) {
		struct ilk_map_slot_ *slot = ilk_map_slot_(v, i);

		if (!slot)
			return -EBADMSG;
		if (ilk_load_relaxed_(&slot->state) == ILK_MAP_LIVE_) {
			link_entry(v, i, slot, &count);
			fresh = i + 1 > fresh ? i + 1 : fresh;
		} else if (fresh > 1) {
			slot->next = free;
			free = i;
		}
	}
	v->s->free = free;
	v->s->fresh = fresh;
	ilk_store_relaxed_(&v->s->count, count);
	return 0;
}

int ilk_map_put_right_(struct ilk_map_view_ *v)
{
	int rc;

	ilk_store_relaxed_(&v->s->extents, count_extents(v));
	rc = ilk_map_see_(v);
	if (rc == 0 && v->slots)
		rc = finish_replacement(v);
	if (rc == 0)
		rc = ilk_map_relink_(v);
	if (rc < 0)
		return rc;
	ilk_store_relaxed_(&v->s->repaired, v->s->repaired + 1);
	return ilk_mutex_repaired(&v->s->mutex);
}

/* --- room --- */

/* Publishes what was allocated for extent E, or gives it back. */
static int add_extent(struct ilk_map_view_ *v, uint32_t e, void *memory)
{
	struct ilk_segment *seg = v->h->segment;
	int rc = ilk_publish_(seg, memory, &v->s->extent[e]); /* [P4] */

	if (rc < 0) {
		ilk_free_alone(seg, memory);
		return rc;
	}
	ilk_store_relaxed_(&v->s->extents, e + 1);
	rc = ilk_map_see_(v);
	return rc < 0 ? rc : ilk_map_relink_(v);
}

static int grow(struct ilk_map_view_ *v)
{
	void *memory;
	int rc;

	if (v->extents >= v->h->most)
		return ilk_fail_(-ENOSPC, "a stripe of the map cannot grow within this segment");
	rc = ilk_alloc(v->h->segment, ilk_map_extent_bytes_(v->h, v->extents), &memory);
	return rc < 0 ? rc : add_extent(v, v->extents, memory);
}

int ilk_map_make_room_(struct ilk_map_view_ *v)
{
	return v->slots && (v->s->free || v->s->fresh < v->slots) ? 0 : grow(v);
}

int ilk_map_take_free_(const struct ilk_map_view_ *v, struct ilk_map_place_ *place)
{
	uint32_t listed = ilk_load_relaxed_(&v->s->free);

	place->slot = listed ? listed : ilk_load_relaxed_(&v->s->fresh);
	place->entry = place->slot ? ilk_map_slot_(v, place->slot) : NULL;
	if (!place->entry || ilk_load_relaxed_(&place->entry->state) != ILK_MAP_FREE_)
		return -EBADMSG;
	if (listed)
		v->s->free = place->entry->next;
	else
		v->s->fresh = place->slot + 1;
	return 0;
}
