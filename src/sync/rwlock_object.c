/*
 * rwlock_object.c - a rwlock as an object: made, opened, shown, repaired; how it is locked, and what
 * its words mean: rwlock.c.
 */
#include "os/futex.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/member.h"
#include "segment/order.h"
#include "segment/types.h"
#include "sync/rwlock.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* --- making one --- */

static void make(struct ilk_rwlock *l, const char *label, uint32_t flags)
{
	memset(l, 0, sizeof *l);
	l->flags = (uint16_t)flags;
	l->state = ilk_rwlock_quiet_(l);
	strncpy(l->label, label ? label : "", sizeof l->label - 1);
	ilk_store_release_(&l->tag, (uint16_t)ILK_RWLOCK_TAG_);
}

static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	make(object, wanted->name, wanted->flags);
}

/* The flags that OPTIONS ask for; -EINVAL. */
static int flags_of(const struct ilk_rwlock_options *options)
{
	if (!options)
		return 0;
	if (options->size != sizeof *options || options->flags & ~(unsigned)ILK_RWLOCK_WRITES)
		return ilk_fail_(-EINVAL, "rwlock options: wrong size or unknown flags");
	return (int)options->flags;
}

int ilk_rwlock_init(struct ilk_segment *seg, struct ilk_rwlock *l, const char *label,
	const struct ilk_rwlock_options *options)
{
	uintptr_t at = (uintptr_t)l - (uintptr_t)seg->map.base;
	int flags = flags_of(options);

	if (flags < 0)
		return flags;
	if (at >= seg->map.bytes || seg->map.bytes - at < sizeof *l || at % 64)
		return ilk_fail_(
			-EINVAL, "the rwlock is outside the segment, or not aligned to 64");
	if (seg->read_only)
		return ilk_fail_(-EROFS, "the attachment is read-only");
	ilk_order_made_(seg, l, sizeof *l);
	make(l, label, (uint32_t)flags);
	return 0;
}

static int has_flags(const void *object, const struct ilk_wanted_ *wanted)
{
	uint16_t flags = ((const struct ilk_rwlock *)object)->flags;

	if (flags == wanted->flags)
		return 0;
	return ilk_fail_(-EEXIST, "flags differ: rwlock %s is%s for frequent writes", wanted->name,
		flags & ILK_RWLOCK_WRITES ? "" : " not");
}

int ilk_rwlock_open(struct ilk_segment *seg, const char *name,
	const struct ilk_rwlock_options *options, struct ilk_rwlock **l)
{
	struct ilk_wanted_ wanted = {
		.name = name,
		.type = ILK_TYPE_RWLOCK_,
		.bytes = sizeof **l,
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
		*l = object;
	return rc;
}

/* --- its row --- */

static const char *wrong_state(const struct ilk_map_ *map, uint32_t state, int has_cells)
{
	uint32_t mode = state & ILK_RWLOCK_MODE_;

	if (ilk_rwlock_is_held_(state) ? ilk_owner_slot_(state) >= map->header.thread_slots
				       : (state & ~ILK_OWNER_FLAGS_) != 0 || state & ILK_RWLOCK_IN_)
		return "its state is neither free nor an owner";
	if (state & ILK_RWLOCK_IN_ && !(mode & ILK_RWLOCK_QUIET_))
		return "its writer is in, with readers";
	if (has_cells ? !(mode & ILK_RWLOCK_FENCED_) : mode == ILK_RWLOCK_MODE_)
		return "its state is not of its kind";
	return NULL;
}

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_rwlock *l = object;
	int has_cells;

	if (bytes != sizeof *l)
		return "its size is not a rwlock's";
	if (!ilk_rwlock_is_one_(l))
		return "its tag is not a rwlock's";
	if (ilk_load_relaxed_(&l->flags) & ~ILK_RWLOCK_WRITES)
		return "it has unknown flags";
	has_cells = ilk_rwlock_has_cells_(l);
	for (uint32_t i = 0; i < ILK_RWLOCK_CELLS_; i++) {
		uint32_t word = ilk_load_relaxed_(&l->cells[i]);

		if (word && (!has_cells || !ilk_owner_is_thread_(word) ||
				    ilk_owner_slot_(word) >= map->header.thread_slots))
			return "a cell holds no reader's owner word";
	}
	return wrong_state(map, ilk_load_relaxed_(&l->state), has_cells);
}

/* Is OWNER not known to be dead? MAP is a picture, whose file can be asked, or shared. */
static int seems_alive(const struct ilk_map_ *map, uint32_t owner)
{
	return !map->is_original || !map->picture_of ||
	       ilk_life_of_owner_(map, map->picture_of - 1, owner) != ILK_LIFE_DEAD;
}

/* By their marks, which those in cells have, too. */
static unsigned count_readers(const struct ilk_map_ *map, const struct ilk_rwlock *l)
{
	uint32_t mark = ilk_mark_of_((uint64_t)((const char *)l - map->base));
	uint32_t top = ilk_threads_top_(map);
	unsigned count = 0;

	for (uint32_t i = 0; i < top; i++) {
		uint32_t word = ilk_marks_reader_(map, i, mark);

		count += word != 0 && seems_alive(map, word);
	}
	return count;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_rwlock *l = object;
	uint32_t state = ilk_load_acquire_(&l->state);
	unsigned readers = state & ILK_RWLOCK_IN_ ? 0 : count_readers(map, l);
	const char *damaged = state & ILK_RWLOCK_DAMAGED_ ? ", damaged" : "";

	(void)bytes;
	if (state & ILK_RWLOCK_IN_)
		snprintf(out->state, sizeof out->state, "written%s", damaged);
	else if (ilk_rwlock_is_held_(state))
		snprintf(out->state, sizeof out->state, "read by %u, a writer comes%s", readers,
			damaged);
	else if (readers)
		snprintf(out->state, sizeof out->state, "read by %u%s", readers, damaged);
	else
		snprintf(out->state, sizeof out->state, "free%s", damaged);
	memcpy(out->label, l->label, sizeof out->label - 1);
	out->owner = ilk_rwlock_is_held_(state) ? state & ~ILK_OWNER_FLAGS_ : 0;
	out->value = readers;
	out->acquired = ilk_load_relaxed_(&l->acquired);
	out->contended = ilk_load_relaxed_(&l->contended);
	out->waited_ns = ilk_load_relaxed_(&l->waited_ns);
}

/* Readers by their marks, but for the dead, who are not there. */
static uint32_t holders(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_holding_ *out, uint32_t most)
{
	const struct ilk_rwlock *l = object;
	uint32_t mark = ilk_mark_of_((uint64_t)((const char *)l - map->base));
	uint32_t state = ilk_load_acquire_(&l->state), top = ilk_threads_top_(map), count = 0;

	(void)bytes;
	if (ilk_rwlock_is_held_(state) && most)
		out[count++] = (struct ilk_holding_){.owner = state & ~ILK_OWNER_FLAGS_,
			.count = 1,
			.how = state & ILK_RWLOCK_IN_ ? "writes" : "will write"};
	for (uint32_t i = 0; !(state & ILK_RWLOCK_IN_) && i < top && count < most; i++) {
		uint32_t word = ilk_marks_reader_(map, i, mark);

		if (word && seems_alive(map, word))
			out[count++] =
				(struct ilk_holding_){.owner = word, .count = 1, .how = "reads"};
	}
	return count;
}

/* Takes it out of a dead writer's hands, damaged if he was in, and frees the cells of the dead. */
static int repair(struct ilk_segment *seg, void *object)
{
	struct ilk_rwlock *l = object;
	uint32_t found = ilk_load_acquire_(&l->state);
	int repaired = 0;

	for (uint32_t i = 0; i < ILK_RWLOCK_CELLS_; i++) {
		uint32_t word = ilk_load_acquire_(&l->cells[i]);

		if (word && ilk_owner_life_(seg, word) == ILK_LIFE_DEAD)
			repaired |= ilk_cas_full_(&l->cells[i], &word, 0u);
	}
	if (!ilk_rwlock_is_held_(found) ||
		ilk_owner_life_(seg, found & ~ILK_OWNER_FLAGS_) != ILK_LIFE_DEAD)
		return repaired;
	ilk_rwlock_bury_(l, found);
	return 1;
}

/* [R9] of rwlock.c. Weaker: one who sleeps could miss it until his next look. */
static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_rwlock *l = object;

	(void)seg;
	ilk_store_release_(&l->tag, (uint16_t)ILK_RWLOCK_REMOVED_);
	ilk_futex_store_and_wake_(&l->drain, 0, INT_MAX);
	ilk_futex_store_and_wake_(&l->writers, 0, INT_MAX);
	ilk_futex_store_and_wake_(&l->readers, 0, INT_MAX);
}

/* To read. */
static int ready(struct ilk_segment *seg, const void *object)
{
	uint32_t state = ilk_load_acquire_(&((const struct ilk_rwlock *)object)->state);

	return !ilk_rwlock_is_held_(state) ||
	       ilk_owner_life_(seg, state & ~ILK_OWNER_FLAGS_) == ILK_LIFE_DEAD;
}

const struct ilk_type_ ilk_type_rwlock_ = {
	.name = "rwlock",
	.size = sizeof(struct ilk_rwlock),
	.align = 64,
	.valid = valid,
	.describe = describe,
	.holders = holders,
	.repair = repair,
	.remove = remove_for_good,
	.ready = ready,
};
