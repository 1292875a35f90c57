/* map_walk.c - walks over a map, a stripe at a time: for its users, and to check it. */
#include "data/find.h"
#include "segment/error.h"
#include <errno.h>
#include <string.h>

/* --- iterating --- */

static int copy_key(const struct ilk_map_view_ *v, const struct ilk_map_slot_ *slot, char *key)
{
	uint32_t bytes = ilk_load_relaxed_(&slot->key_bytes), most = v->h->key & ~ILK_MAP_IS_TEXT_;

	if (bytes > most)
		return -EBADMSG;
	memcpy(key, slot->key, bytes);
	if (v->h->key & ILK_MAP_IS_TEXT_)
		key[bytes] = 0;
	return 0;
}

/* The first entry from slot *I on. 1; 0: none; -EBADMSG. */
static int find_live(const struct ilk_map_view_ *v, uint32_t *i, struct ilk_map_slot_ **slot)
{
	uint32_t end = v->s->fresh < v->slots ? v->s->fresh : v->slots;

	for (*i = *i ? *i : 1; *i < end; ++*i) {
		*slot = ilk_map_slot_(v, *i);
		if (!*slot)
			return -EBADMSG;
		if (ilk_load_relaxed_(&(*slot)->state) == ILK_MAP_LIVE_)
			return 1;
	}
	return 0;
}

/* As ilk_map_next_until(), in the cursor's stripe; -ENOENT: no more in it. */
static int next_in(const struct ilk_map_view_ *v, struct ilk_map_cursor *cursor, void *key,
	void *value, size_t room, size_t *bytes)
{
	struct ilk_map_slot_ *slot;
	uint32_t i = cursor->slot;
	int rc = find_live(v, &i, &slot);

	if (rc == 0)
		return -ENOENT;
	rc = rc < 0 ? rc : ilk_map_copy_out_(v, slot, value, room, bytes);
	if (rc == 0)
		rc = copy_key(v, slot, key);
	if (rc == 0)
		cursor->slot = i + 1;
	return rc;
}

int ilk_map_next_until(const struct ilk_map_handle *h, struct ilk_map_cursor *cursor, void *key,
	void *value, size_t room, size_t *bytes, ilk_time deadline)
{
	for (; cursor->stripe < h->stripes; cursor->stripe++, cursor->slot = 0) {
		struct ilk_map_view_ v;
		int rc = ilk_map_enter_(h, cursor->stripe, deadline, &v);

		if (rc < 0)
			return rc;
		rc = ilk_map_leave_(&v, next_in(&v, cursor, key, value, room, bytes));
		if (rc != -ENOENT)
			return rc;
	}
	return -ENOENT;
}

/* --- checking --- */

/* What the slots say, and what follows from it. */
struct tally {
	uint64_t live, free, chained, listed;
	uint32_t top; /* behind the last that is LIVE */
};

static const char *check_slots(const struct ilk_map_view_ *v, struct tally *t)
{
	for (uint32_t i = 1; i < v->slots; i++) {
		const struct ilk_map_slot_ *slot = ilk_map_slot_(v, i);
		uint32_t bytes;

		if (!slot)
			return "an extent is not where it should be";
		if (slot->state > ILK_MAP_LIVE_)
			return "a slot is in no known state";
		if (slot->state == ILK_MAP_FREE_) {
			t->free += i < v->s->fresh;
			continue;
		}
		t->live++;
		t->top = i + 1;
		bytes = ilk_load_relaxed_(&slot->key_bytes);
		if (slot->value_bytes > v->h->value_bytes ||
			bytes > (v->h->key & ~ILK_MAP_IS_TEXT_))
			return "an entry is longer than it can be";
		if (slot->hash != ilk_map_hash_(v->h, slot->key, bytes))
			return "an entry's hash is not its key's";
	}
	return NULL;
}

/* The chain, or list, from FIRST on: all in STATE, and in BUCKET, if that is one. */
static const char *check_list(const struct ilk_map_view_ *v, uint32_t first, uint32_t state,
	uint32_t bucket, uint64_t *count)
{
	for (uint32_t i = first; i; ++*count) {
		const struct ilk_map_slot_ *slot = ilk_map_slot_(v, i);

		if (!slot || *count > v->slots)
			return "a list leads astray";
		if (slot->state != state)
			return "a list has what does not belong into it";
		if (bucket != UINT32_MAX && (slot->hash & (v->slots - 1)) != bucket)
			return "an entry is in another's bucket";
		i = slot->next;
	}
	return NULL;
}

static const char *check_stripe(const struct ilk_map_view_ *v)
{
	struct tally t = {.live = 0};
	const char *wrong = check_slots(v, &t);

	for (uint32_t i = 0; i < v->slots && !wrong; i++)
		wrong = check_list(v, v->buckets[i], ILK_MAP_LIVE_, i, &t.chained);
	if (!wrong && v->slots)
		wrong = check_list(v, v->s->free, ILK_MAP_FREE_, UINT32_MAX, &t.listed);
	if (wrong)
		return wrong;
	if (v->s->changing)
		return "a change was not finished";
	if (t.chained != t.live || v->s->count != t.live)
		return "entries are missing from their buckets, or from the count";
	if (t.top > v->s->fresh || t.listed != t.free)
		return "free slots are missing from their list";
	return NULL;
}

int ilk_map_check_until(const struct ilk_map_handle *h, ilk_time deadline)
{
	for (uint32_t i = 0; i < h->stripes; i++) {
		struct ilk_map_view_ v;
		const char *wrong;
		int rc = ilk_map_enter_(h, i, deadline, &v);

		if (rc < 0)
			return rc;
		wrong = check_stripe(&v);
		ilk_map_leave_(&v, 0);
		if (wrong)
			return ilk_fail_(-EBADMSG, "stripe %u: %s", i, wrong);
	}
	return 0;
}
