/*
 * mutex_object.c - a mutex as an object: made, opened, asked whose it is, shown, repaired; how it is
 * locked, and what its words mean: mutex.c.
 */
#include "os/futex.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/member.h"
#include "segment/order.h"
#include "segment/types.h"
#include "sync/mutex.h"
#include "sync/object.h"
#include "sync/owner.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* --- asking --- */

int ilk_mutex_owner(const struct ilk_mutex *m, struct ilk_mutex_owner *owner)
{
	struct ilk_segment *seg = ilk_find_attachment_(m);
	uint32_t word;

	if (!seg || !ilk_mutex_is_one_(m))
		return -EINVAL;
	word = ilk_load_acquire_(&m->owner);
	*owner = (struct ilk_mutex_owner){.damaged = (int)(word & ILK_MUTEX_DAMAGED_)};
	if (!ilk_mutex_is_held_(word))
		return 0;
	ilk_owner_named_(seg, word, owner);
	owner->holder = ilk_holder_(seg, word & ~ILK_OWNER_FLAGS_);
	return 0;
}

/* --- making one --- */

void ilk_mutex_make_(struct ilk_mutex *m, const char *label, uint32_t flags)
{
	memset(m, 0, sizeof *m);
	m->flags = (uint16_t)flags;
	strncpy(m->label, label ? label : "", sizeof m->label - 1);
	ilk_store_release_(&m->tag, (uint16_t)ILK_MUTEX_TAG_);
}

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	ilk_mutex_make_(object, wanted->name, wanted->flags);
}

/* The flags that OPTIONS ask for; -EINVAL. */
static int flags_of(const struct ilk_mutex_options *options)
{
	if (!options)
		return 0;
	if (options->size != sizeof *options || options->flags & ~(unsigned)ILK_MUTEX_RECURSIVE)
		return ilk_fail_(-EINVAL, "mutex options: wrong size or unknown flags");
	return (int)options->flags;
}

int ilk_mutex_init(struct ilk_segment *seg, struct ilk_mutex *m, const char *label,
	const struct ilk_mutex_options *options)
{
	int flags = flags_of(options);
	int rc = flags < 0 ? flags : ilk_can_embed_(seg, m, "mutex");

	if (rc < 0)
		return rc;
	ilk_order_made_(seg, m, sizeof *m);
	ilk_mutex_make_(m, label, (uint32_t)flags);
	return 0;
}

static int has_flags(const void *object, const struct ilk_wanted_ *wanted)
{
	uint16_t flags = ((const struct ilk_mutex *)object)->flags;

	if (flags == wanted->flags)
		return 0;
	return ilk_fail_(-EEXIST, "flags differ: mutex %s is%s recursive", wanted->name,
		flags & ILK_MUTEX_RECURSIVE ? "" : " not");
}

int ilk_mutex_open(struct ilk_segment *seg, const char *name,
	const struct ilk_mutex_options *options, struct ilk_mutex **m)
{
	struct ilk_wanted_ wanted = {
		.name = name,
		.type = ILK_TYPE_MUTEX_,
		.bytes = sizeof **m,
		.fits = has_flags,
		.init = init_wanted,
	};
	int flags = flags_of(options);
	void *object;
	int rc;

	if (flags < 0)
		return flags;
	wanted.flags = (uint32_t)flags;
	rc = ilk_directory_open_(seg, &wanted, &object);
	if (rc == 0)
		*m = object;
	return rc;
}

/* --- its row --- */

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_mutex *m = object;
	uint32_t word;

	if (bytes != sizeof *m)
		return "its size is not a mutex's";
	if (!ilk_mutex_is_one_(m))
		return "its tag is not a mutex's";
	word = ilk_load_relaxed_(&m->owner);
	if (!ilk_mutex_is_held_(word))
		return word > ILK_MUTEX_DAMAGED_ ? "its owner word is neither free nor an owner"
						 : NULL;
	if (ilk_owner_slot_(word) >= map->header.thread_slots)
		return "its owner word names a thread slot that does not exist";
	return word & ILK_OWNER_FLAGS_ & ~(uint32_t)(ILK_MUTEX_DAMAGED_ | ILK_MUTEX_AGAIN_)
		       ? "its owner word has unknown flags"
		       : NULL;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_mutex *m = object;
	uint32_t word = ilk_load_acquire_(&m->owner), depth = ilk_load_relaxed_(&m->depth);
	char times[24] = "";

	(void)map, (void)bytes;
	if (word & ILK_MUTEX_AGAIN_)
		snprintf(times, sizeof times, " %llu times", depth + 1ull);
	snprintf(out->state, sizeof out->state, "%s%s%s",
		ilk_mutex_is_held_(word) ? "held" : "free", times,
		word & ILK_MUTEX_DAMAGED_ ? ", damaged" : "");
	memcpy(out->label, m->label, sizeof out->label - 1);
	out->owner = ilk_mutex_is_held_(word) ? word & ~ILK_OWNER_FLAGS_ : 0;
	out->acquired = ilk_load_relaxed_(&m->acquired);
	out->contended = ilk_load_relaxed_(&m->contended);
	out->waited_ns = ilk_load_relaxed_(&m->waited_ns);
}

static uint32_t holders(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_holding_ *out, uint32_t most)
{
	const struct ilk_mutex *m = object;
	uint32_t word = ilk_load_acquire_(&m->owner);

	(void)map, (void)bytes;
	if (!ilk_mutex_is_held_(word) || most == 0)
		return 0;
	*out = (struct ilk_holding_){.owner = word & ~ILK_OWNER_FLAGS_, .count = 1, .how = "held"};
	if (word & ILK_MUTEX_AGAIN_)
		out->count += ilk_load_relaxed_(&m->depth);
	return 1;
}

/* Leaves a dead owner's mutex free and damaged: whoever locks it is told. */
static int repair(struct ilk_segment *seg, void *object)
{
	struct ilk_mutex *m = object;
	uint32_t found = ilk_load_acquire_(&m->owner);

	if (!ilk_mutex_is_held_(found) ||
		ilk_owner_life_(seg, found & ~ILK_OWNER_FLAGS_) != ILK_LIFE_DEAD)
		return 0;
	return ilk_cas_full_(&m->owner, &found, (uint32_t)ILK_MUTEX_DAMAGED_);
}

/* [X7] of mutex.c. Weaker: one who sleeps could miss it until his next look. */
static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_mutex *m = object;

	(void)seg;
	ilk_store_release_(&m->tag, (uint16_t)ILK_MUTEX_REMOVED_);
	ilk_futex_store_and_wake_(&m->wait, 0, INT_MAX);
}

static int ready(struct ilk_segment *seg, const void *object)
{
	uint32_t word = ilk_load_acquire_(&((const struct ilk_mutex *)object)->owner);

	return !ilk_mutex_is_held_(word) ||
	       ilk_owner_life_(seg, word & ~ILK_OWNER_FLAGS_) == ILK_LIFE_DEAD;
}

const struct ilk_type_ ilk_type_mutex_ = {
	.name = "mutex",
	.size = sizeof(struct ilk_mutex),
	.align = 64,
	.valid = valid,
	.describe = describe,
	.holders = holders,
	.repair = repair,
	.remove = remove_for_good,
	.ready = ready,
};
