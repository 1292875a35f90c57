/*
 * map.c - keys to values, in stripes; its words: map.h. Changes: map_change.c. Walks: map_walk.c.
 *
 * Invariant  [I1] What a stripe has is changed by who holds its mutex only, but for references to
 *            extents, which the segment's guard protects as well, and which are set once.
 *            [I2] The truth is: which extents there are, the state of each slot, and `changing`.
 *            All else follows from it, and whoever is told that a holder died makes it anew,
 *            before anything else, and says only then that the mutex is repaired.
 *            [I3] An entry stays in its slot for as long as it is there, and slots do not move: so
 *            a cursor is a number.
 *            [I4] Where an entry is LIVE, its key, hash and value are whole, but for the value of
 *            the one that `changing` names, whose new one is whole in slot 0.
 *            [I5] Indices, lengths and offsets are copied and compared before they are used, and
 *            no walk takes more steps than there are slots.
 * Ordering   between living ones the mutex orders all. What follows is for who finds the dead, so
 *            for the compiler mostly:
 *            [P1] insert:  key, hash, value; store state LIVE, release
 *            [P2] replace: value and length to slot 0; store changing, release; fence, release
 *            [P3] replace: value to the slot; store changing 0, release
 *            [P4] grow:    the block, all zero; then its reference, by ilk_publish_()
 *            [P5] remove:  store state FREE, release; then the slot may be used again
 * Death      before [P1]: the slot is free, whatever stands in it. After [P1]: the entry is there.
 *            Before [P2]: the old value. Between [P2] and [P3]: the new one, copied again. Before
 *            [P4]: the block is the dead's, and comes back when memory is short; after it: the
 *            stripe has it. After [P5]: the entry is gone. In a repair: the next begins it again.
 *            In a function of update: nothing has changed, since it works in slot 0. With the
 *            segment's guard held: memory.c.
 * Removal    ends all mutexes: -EIDRM. When no living process has the map open, the extents are
 *            freed one by one, and then the map: removal.c.
 *
 * Growth doubles one stripe: the new extent has as many slots as there were, and buckets for all of
 * them. The old buckets stay unused, a few bytes for each slot.
 */
#include "data/find.h"
#include <errno.h>
#include <string.h>

int ilk_map_copy_out_(const struct ilk_map_view_ *v, struct ilk_map_slot_ *slot, void *value,
	size_t room, size_t *bytes)
{
	uint32_t length;

	if (ilk_map_length_(v, slot, &length) < 0)
		return -EBADMSG;
	if (bytes)
		*bytes = length;
	if (!value)
		return 0;
	if (length > room)
		return -EMSGSIZE;
	memcpy(value, ilk_map_value_(v, slot), length);
	return 0;
}

int ilk_map_get_until(const struct ilk_map_handle *h, const void *key, void *value, size_t room,
	size_t *bytes, ilk_time deadline)
{
	struct ilk_map_place_ place;
	struct ilk_map_view_ v;
	struct ilk_map_key_ k;
	int rc = ilk_map_key_(h, key, &k);

	if (rc == 0)
		rc = ilk_map_enter_(h, ilk_map_stripe_of_(h, k.hash), deadline, &v);
	if (rc < 0)
		return rc;
	rc = ilk_map_find_(&v, &k, &place);
	if (rc == 0)
		rc = -ENOENT;
	else if (rc > 0)
		rc = ilk_map_copy_out_(&v, place.entry, value, room, bytes);
	return ilk_map_leave_(&v, rc);
}

uint64_t ilk_map_count(const struct ilk_map_handle *h)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < h->stripes; i++)
		count += ilk_load_relaxed_(&h->map->stripe[i].count);
	return count;
}
