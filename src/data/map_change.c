/* map_change.c - changes of a map's entries, each one step: [P1] to [P5] of map.c. */
#include "data/find.h"
#include <errno.h>
#include <string.h>

/* --- one entry, in its stripe --- */

/* In a free slot, which is there: an entry of KEY. 0; -EBADMSG. */
static int insert(const struct ilk_map_view_ *v, const struct ilk_map_key_ *key, const void *value,
	size_t bytes)
{
	struct ilk_map_place_ place;
	uint32_t *bucket = &v->buckets[key->hash & (v->slots - 1)];
	int rc = ilk_map_take_free_(v, &place);

	if (rc < 0)
		return rc;
	place.entry->hash = key->hash;
	place.entry->key_bytes = key->bytes;
	memcpy(place.entry->key, key->at, key->bytes);
	place.entry->value_bytes = (uint32_t)bytes;
	if (bytes)
		memcpy(ilk_map_value_(v, place.entry), value, bytes);
	ilk_store_release_(&place.entry->state, (uint32_t)ILK_MAP_LIVE_); /* [P1] */
	place.entry->next = *bucket;
	*bucket = place.slot;
	ilk_store_relaxed_(&v->s->count, v->s->count + 1);
	return 0;
}

/* The entry's value becomes what SCRATCH, which is slot 0, has: BYTES of them. */
static void commit(const struct ilk_map_view_ *v, struct ilk_map_slot_ *scratch,
	const struct ilk_map_place_ *place, size_t bytes)
{
	scratch->value_bytes = (uint32_t)bytes;
	ilk_store_release_(&v->s->changing, place->slot); /* [P2] */
	ilk_fence_release_();
	ilk_map_redo_(v, scratch, place->entry, (uint32_t)bytes);
}

static int replace(const struct ilk_map_view_ *v, const struct ilk_map_place_ *place,
	const void *value, size_t bytes)
{
	struct ilk_map_slot_ *scratch = ilk_map_slot_(v, 0);

	if (!scratch)
		return -EBADMSG;
	if (bytes)
		memcpy(ilk_map_value_(v, scratch), value, bytes);
	commit(v, scratch, place, bytes);
	return 0;
}

static void erase(const struct ilk_map_view_ *v, const struct ilk_map_place_ *place)
{
	ilk_store_release_(&place->entry->state, (uint32_t)ILK_MAP_FREE_); /* [P5] */
	ilk_fence_release_();
	*place->link = place->entry->next;
	place->entry->next = v->s->free;
	v->s->free = place->slot;
	ilk_store_relaxed_(&v->s->count, v->s->count - 1);
}

/* --- the calls --- */

/* Enters KEY's stripe and looks for it. 1: it is there; 0; -E...: and left again. */
static int enter(const struct ilk_map_handle *h, const void *at, ilk_time deadline,
	struct ilk_map_view_ *v, struct ilk_map_key_ *key, struct ilk_map_place_ *place)
{
	int rc = ilk_map_key_(h, at, key);

	if (rc == 0)
		rc = ilk_map_enter_(h, ilk_map_stripe_of_(h, key->hash), deadline, v);
	if (rc < 0)
		return rc;
	rc = ilk_map_find_(v, key, place);
	return rc < 0 ? ilk_map_leave_(v, rc) : rc;
}

static int add(
	struct ilk_map_view_ *v, const struct ilk_map_key_ *key, const void *value, size_t bytes)
{
	int rc = ilk_map_make_room_(v);

	return rc < 0 ? rc : insert(v, key, value, bytes);
}

int ilk_map_put_until(const struct ilk_map_handle *h, const void *key, const void *value,
	size_t bytes, ilk_time deadline)
{
	struct ilk_map_place_ place;
	struct ilk_map_view_ v;
	struct ilk_map_key_ k;
	int rc;

	if (bytes > h->value_bytes)
		return -EMSGSIZE;
	rc = enter(h, key, deadline, &v, &k, &place);
	if (rc < 0)
		return rc;
	rc = rc ? replace(&v, &place, value, bytes) : add(&v, &k, value, bytes);
	return ilk_map_leave_(&v, rc);
}

int ilk_map_add_until(const struct ilk_map_handle *h, const void *key, const void *value,
	size_t bytes, ilk_time deadline)
{
	struct ilk_map_place_ place;
	struct ilk_map_view_ v;
	struct ilk_map_key_ k;
	int rc;

	if (bytes > h->value_bytes)
		return -EMSGSIZE;
	rc = enter(h, key, deadline, &v, &k, &place);
	if (rc < 0)
		return rc;
	return ilk_map_leave_(&v, rc ? -EEXIST : add(&v, &k, value, bytes));
}

/* 1; 0; -EBADMSG. */
static int is_value(const struct ilk_map_view_ *v, struct ilk_map_slot_ *slot, const void *was,
	size_t was_bytes)
{
	uint32_t length;

	if (ilk_map_length_(v, slot, &length) < 0)
		return -EBADMSG;
	return length == was_bytes &&
	       (length == 0 || memcmp(ilk_map_value_(v, slot), was, length) == 0);
}

int ilk_map_replace_until(const struct ilk_map_handle *h, const void *key, const void *was,
	size_t was_bytes, const void *value, size_t bytes, ilk_time deadline)
{
	struct ilk_map_place_ place;
	struct ilk_map_view_ v;
	struct ilk_map_key_ k;
	int rc;

	if (bytes > h->value_bytes)
		return -EMSGSIZE;
	rc = enter(h, key, deadline, &v, &k, &place);
	if (rc < 0)
		return rc;
	rc = rc ? is_value(&v, place.entry, was, was_bytes) : -ENOENT;
	if (rc >= 0)
		rc = rc ? replace(&v, &place, value, bytes) : -EAGAIN;
	return ilk_map_leave_(&v, rc);
}

int ilk_map_remove_until(const struct ilk_map_handle *h, const void *key, ilk_time deadline)
{
	return ilk_map_take_until(h, key, NULL, 0, NULL, deadline);
}

int ilk_map_take_until(const struct ilk_map_handle *h, const void *key, void *value, size_t room,
	size_t *bytes, ilk_time deadline)
{
	struct ilk_map_place_ place;
	struct ilk_map_view_ v;
	struct ilk_map_key_ k;
	int rc = enter(h, key, deadline, &v, &k, &place);

	if (rc < 0)
		return rc;
	rc = rc ? ilk_map_copy_out_(&v, place.entry, value, room, bytes) : -ENOENT;
	if (rc == 0)
		erase(&v, &place);
	return ilk_map_leave_(&v, rc);
}

/* --- update --- */

/* The value that CHANGE is to see, in slot 0; its length. -EBADMSG. */
static int prepare(const struct ilk_map_view_ *v, struct ilk_map_slot_ *entry,
	struct ilk_map_slot_ *scratch, size_t *bytes)
{
	uint32_t length = 0;

	if (entry && ilk_map_length_(v, entry, &length) < 0)
		return -EBADMSG;
	if (entry)
		memcpy(ilk_map_value_(v, scratch), ilk_map_value_(v, entry), length);
	memset(ilk_map_value_(v, scratch) + length, 0, v->h->value_bytes - length);
	*bytes = entry ? length : ILK_MAP_ABSENT;
	return 0;
}

/* What CHANGE has left in slot 0 becomes so. PLACE's entry is NULL where there is none. */
static int settle(const struct ilk_map_view_ *v, const struct ilk_map_key_ *key,
	const struct ilk_map_place_ *place, struct ilk_map_slot_ *scratch, size_t bytes)
{
	if (bytes != ILK_MAP_ABSENT && bytes > v->h->value_bytes)
		return -EMSGSIZE;
	if (!place->entry)
		return bytes == ILK_MAP_ABSENT ? 0
					       : insert(v, key, ilk_map_value_(v, scratch), bytes);
	if (bytes == ILK_MAP_ABSENT)
		erase(v, place);
	else
		commit(v, scratch, place, bytes);
	return 0;
}

static int update(struct ilk_map_view_ *v, const struct ilk_map_key_ *key,
	const struct ilk_map_place_ *place, ilk_map_change *change, void *arg)
{
	struct ilk_map_slot_ *scratch;
	int rc = place->entry ? 0 : ilk_map_make_room_(v), result;
	size_t bytes;

	if (rc < 0)
		return rc;
	scratch = ilk_map_slot_(v, 0);
	rc = scratch ? prepare(v, place->entry, scratch, &bytes) : -EBADMSG;
	if (rc < 0)
		return rc;
	result = change(ilk_map_value_(v, scratch), &bytes, arg);
	if (result < 0)
		return result;
	rc = settle(v, key, place, scratch, bytes);
	return rc < 0 ? rc : result;
}

int ilk_map_update_until(const struct ilk_map_handle *h, const void *key, ilk_map_change *change,
	void *arg, ilk_time deadline)
{
	struct ilk_map_place_ place;
	struct ilk_map_view_ v;
	struct ilk_map_key_ k;
	int rc = enter(h, key, deadline, &v, &k, &place);

	if (rc < 0)
		return rc;
	if (rc == 0)
		place.entry = NULL;
	return ilk_map_leave_(&v, update(&v, &k, &place, change, arg));
}

/* --- all of them --- */

static int clear(const struct ilk_map_view_ *v)
{
	for (uint32_t i = 1; i < v->slots; i++) {
		struct ilk_map_slot_ *slot = ilk_map_slot_(v, i);

		if (!slot)
			return -EBADMSG;
		if (ilk_load_relaxed_(&slot->state) == ILK_MAP_LIVE_)
			ilk_store_release_(&slot->state, (uint32_t)ILK_MAP_FREE_); /* [P5] */
	}
	return ilk_map_relink_(v);
}

int ilk_map_clear_until(const struct ilk_map_handle *h, ilk_time deadline)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < h->stripes; i++) {
		struct ilk_map_view_ v;

		rc = ilk_map_enter_(h, i, deadline, &v);
		if (rc == 0)
			rc = ilk_map_leave_(&v, clear(&v));
	}
	return rc;
}
