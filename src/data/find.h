/* find.h - keys of a map: their hash, their stripe, their entry. */
#ifndef ILK_DATA_FIND_H
#define ILK_DATA_FIND_H

#include "data/hash.h"
#include "data/map.h"

static inline uint64_t ilk_map_hash_(const struct ilk_map_handle *h, const void *key, size_t bytes)
{
	return ilk_hash_bytes_(h->seed, key, bytes);
}

/* The stripe of a key with this hash. */
static inline uint32_t ilk_map_stripe_of_(const struct ilk_map_handle *h, uint64_t hash)
{
	return (uint32_t)(hash >> 32) & (h->stripes - 1);
}

/* KEY, as H has them. 0; -ENAMETOOLONG. */
static inline int ilk_map_key_(
	const struct ilk_map_handle *h, const void *at, struct ilk_map_key_ *key)
{
	uint32_t most = h->key & ~ILK_MAP_IS_TEXT_;

	key->at = at;
	key->bytes = most;
	if (h->key & ILK_MAP_IS_TEXT_) {
		size_t length = strnlen(at, (size_t)most + 1);

		if (length > most)
			return -ENAMETOOLONG;
		key->bytes = (uint32_t)length;
	}
	key->hash = ilk_map_hash_(h, at, key->bytes);
	return 0;
}

static inline int ilk_map_is_key_(const struct ilk_map_slot_ *slot, const struct ilk_map_key_ *key)
{
	return slot->hash == key->hash && ilk_load_relaxed_(&slot->key_bytes) == key->bytes &&
	       memcmp(slot->key, key->at, key->bytes) == 0;
}

/* Finds KEY in its stripe. 1; 0; -EBADMSG. */
static inline int ilk_map_find_(
	const struct ilk_map_view_ *v, const struct ilk_map_key_ *key, struct ilk_map_place_ *place)
{
	if (v->slots == 0)
		return 0;
	place->link = &v->buckets[key->hash & (v->slots - 1)];
	for (uint32_t steps = 0; steps < v->slots; steps++) {
		place->slot = ilk_load_relaxed_(place->link);
		if (place->slot == 0)
			return 0;
		place->entry = ilk_map_slot_(v, place->slot);
		if (!place->entry || ilk_load_relaxed_(&place->entry->state) != ILK_MAP_LIVE_)
			return -EBADMSG;
		if (ilk_map_is_key_(place->entry, key))
			return 1;
		place->link = &place->entry->next;
	}
	return -EBADMSG; /* a loop */
}

#endif
