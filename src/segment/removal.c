/*
 * removal.c - how a named object ends: its name first, its storage after the last who has it open.
 *
 * Stages     1. header.removed is raised, then the entry's state becomes REMOVED: from here on the
 *               name is free. 2. The kind's own `remove`: who waits in the object is told. 3. When
 *               no living process has it open: the blocks that it leads to are free, each by one
 *               reference; then the list leads past the entry, and its own block is free.
 *            What is NAMELESS stands between 2. and 3. from the beginning.
 * Ordering   [D3] remove: store state; fence; load opening, open  <-> [D4], [D5]
 *            [D4] leave:  clear bit; fence; load removed            <-> [D3]  one of both sees the
 *                 other: the remover nobody who has it open, or the last who had it that there is
 *                 something to be freed. [D5] is in directory.c.
 *            [D6] openers: load opening, acquire; load open <-> [D5]  the bit is set before
 *                 `opening` is cleared: looked at the other way round, it could be missed twice
 *            [D7] free: store serial 0, release, between unlinking and freeing <-> [D8] in
 *                 entries.c: who stands on the entry, and reads a `next` of what the memory is
 *                 used for then, finds the serial gone
 * Death      within 1: at most header.removed is one too high; recovery counts anew. After it, in
 *            2: recovery runs all that again. In 3: each block's header says which word leads to
 *            it, so it is led to and given out, or neither; what is left of them goes the next
 *            time. The last opener's death frees nothing by itself: the next who closes the
 *            segment, counts what is used or finds no room does.
 */
#include "segment/removal.h"
#include "segment/arena.h"
#include "segment/blocks.h"
#include "segment/directory.h"
#include "segment/guard.h"
#include "segment/member.h"
#include "segment/memory.h"
#include "segment/opened.h"
#include "segment/types.h"
#include <errno.h>

/* --- who has it open --- */

/* [D6] `opening` first: who is seen there no more has set its bit before. */
static int says_open(const struct ilk_map_ *map, uint64_t at, uint32_t slot)
{
	return ilk_load_acquire_(&ilk_process_slot_(map, slot)->opening) == at ||
	       ilk_load_acquire_(ilk_open_word_(map, at, slot)) >> slot % 64 & 1;
}

static int has_open(struct ilk_segment *seg, uint64_t at, uint32_t slot)
{
	const struct ilk_process_slot_ *p = ilk_process_slot_(&seg->map, slot);

	return says_open(&seg->map, at, slot) && !ilk_load_acquire_(&p->unswept) &&
	       ilk_load_acquire_(&p->state) == ILK_PROCESS_USED_ &&
	       ilk_process_life_(seg, slot, ilk_load_acquire_(&p->generation)) != ILK_LIFE_DEAD;
}

int ilk_openers_(struct ilk_segment *seg, uint64_t at, int most)
{
	int openers = 0;

	for (uint32_t slot = 0; slot < seg->map.header.process_slots && openers < most; slot++)
		openers += has_open(seg, at, slot);
	return openers;
}

void ilk_removal_unmark_(const struct ilk_map_ *map, uint64_t at, uint32_t slot)
{
	ilk_and_full_(ilk_open_word_(map, at, slot), ~(UINT64_C(1) << slot % 64));
}

/* --- the stages --- */

/* Read without the guard, too. */
void ilk_removal_count_(const struct ilk_map_ *map, int change)
{
	uint64_t *removed = &ilk_header_of_(map)->removed;

	ilk_store_release_(removed, ilk_load_relaxed_(removed) + (uint64_t)(int64_t)change);
}

static void tell_who_waits(struct ilk_segment *seg, const struct ilk_found_ *found)
{
	const struct ilk_type_ *type = ilk_type_(found->entry.type);
	void *object = seg->map.base + found->offset;

	if (type->remove && !type->valid(&seg->map, object, found->entry.bytes))
		type->remove(seg, object);
}

void ilk_removal_begin_(struct ilk_segment *seg, const struct ilk_found_ *found)
{
	ilk_removal_count_(&seg->map, 1);
	ilk_store_release_(
		&ilk_entry_at_(&seg->map, found->at)->state, (uint16_t)ILK_ENTRY_REMOVED_);
	ilk_fence_(); /* [D3] */
	tell_who_waits(seg, found);
	ilk_removal_finish_(seg, found);
}

int ilk_removal_finish_(struct ilk_segment *seg, const struct ilk_found_ *found)
{
	const struct ilk_type_ *type = ilk_type_(found->entry.type);

	if (!ilk_arena_block_(&seg->map, found->at) || ilk_openers_(seg, found->at, 1))
		return 0;
	if (type->free_parts)
		type->free_parts(seg, seg->map.base + found->offset, found->entry.bytes);
	ilk_arena_unlink_(
		&seg->map, found->at, ilk_thread_.me->owner, found->from, found->entry.next);
	ilk_store_release_(&ilk_entry_at_(&seg->map, found->at)->serial, UINT64_C(0)); /* [D7] */
	ilk_arena_free_(&seg->map, found->at);
	ilk_removal_count_(&seg->map, -1);
	return 1;
}

/* --- for all of them --- */

struct reaping {
	struct ilk_segment *seg;
	int count;
};

static int reap(const struct ilk_found_ *found, void *arg)
{
	struct reaping *r = arg;

	if (ilk_entry_is_kept_(found->entry.state))
		r->count += ilk_removal_finish_(r->seg, found);
	return 0;
}

int ilk_directory_reap_(struct ilk_segment *seg)
{
	struct reaping r = {.seg = seg};

	if (ilk_load_acquire_(&ilk_header_of_(&seg->map)->removed))
		ilk_entries_(&seg->map, reap, &r);
	return r.count;
}

static int finish_or_tell_again(const struct ilk_found_ *found, void *arg)
{
	uint16_t *state = &ilk_entry_at_(&((struct reaping *)arg)->seg->map, found->at)->state;
	struct reaping *r = arg;

	if (found->entry.state == ILK_ENTRY_UNBORN_)
		ilk_store_release_(state, (uint16_t)ILK_ENTRY_LIVE_);
	r->count += ilk_entry_is_kept_(found->entry.state);
	if (found->entry.state == ILK_ENTRY_REMOVED_)
		tell_who_waits(r->seg, found);
	return 0;
}

void ilk_directory_recover_(struct ilk_segment *seg)
{
	struct reaping r = {.seg = seg};

	ilk_entries_(&seg->map, finish_or_tell_again, &r);
	ilk_store_release_(&ilk_header_of_(&seg->map)->removed, (uint64_t)r.count);
}

/* --- members coming and going --- */

static int sweep(const struct ilk_found_ *found, void *arg)
{
	const struct ilk_segment *seg = arg;

	ilk_removal_unmark_(&seg->map, found->at, seg->member->process);
	return 0;
}

static void sweep_if_unswept(struct ilk_segment *seg)
{
	struct ilk_process_slot_ *mine = ilk_process_slot_(&seg->map, seg->member->process);

	if (!ilk_load_acquire_(&mine->unswept))
		return;
	ilk_entries_(&seg->map, sweep, seg);
	ilk_store_release_(&mine->unswept, 0u);
}

static int is_it(const struct ilk_found_ *found, void *arg)
{
	const struct ilk_opened_ *o = arg;

	return found->at == o->at && found->entry.serial == o->serial;
}

/*
 * The parent, who had it open when it forked, may have left since, and it been freed: then there
 * may be anything by now, and nothing of ours.
 */
static void mark_inherited(struct ilk_opened_ *o, void *arg)
{
	const struct ilk_segment *seg = arg;
	uint32_t slot = seg->member->process;

	if (ilk_entries_in_(&seg->map, ilk_bucket_(&seg->map, o->hash), is_it, o) == 1)
		ilk_or_full_(ilk_open_word_(&seg->map, o->at, slot), UINT64_C(1) << slot % 64);
	else
		o->times = 0;
}

void ilk_directory_settle_(struct ilk_segment *seg)
{
	struct ilk_member_ *m = seg->member;

	sweep_if_unswept(seg);
	if (!ilk_load_acquire_(&m->inherited))
		return;
	ilk_registry_lock_();
	if (ilk_load_relaxed_(&m->inherited)) {
		ilk_opened_each_(m, mark_inherited, seg);
		ilk_store_release_(&m->inherited, 0u);
	}
	ilk_registry_unlock_();
}

void ilk_directory_inherit_(struct ilk_segment *seg)
{
	if (ilk_memory_enter_(seg) < 0)
		return;
	ilk_directory_settle_(seg);
	ilk_memory_leave_(seg);
}

struct going {
	const struct ilk_map_ *map;
	uint32_t slot;
};

static void unmark(struct ilk_opened_ *opened, void *arg)
{
	const struct going *g = arg;

	ilk_removal_unmark_(g->map, opened->at, g->slot);
}

void ilk_directory_forget_(struct ilk_member_ *member, const struct ilk_map_ *map)
{
	struct going g = {map, member->process};

	/* What was inherited and not marked may be freed, and others' memory. */
	if (member->joined && !member->inherited)
		ilk_opened_each_(member, unmark, &g);
	ilk_opened_forget_(member);
	ilk_store_relaxed_(&member->inherited, 0u);
}

static int forget_if_last(struct ilk_segment *seg)
{
	struct ilk_member_ *m = seg->member;
	int is_last;

	ilk_registry_lock_();
	is_last = !seg->read_only && m->writers == 1 && m->joined;
	if (is_last)
		ilk_directory_forget_(m, &seg->map);
	ilk_registry_unlock_();
	return is_last;
}

void ilk_directory_leave_(struct ilk_segment *seg)
{
	if (!forget_if_last(seg))
		return;
	ilk_fence_(); /* [D4] */
	if (!ilk_load_acquire_(&ilk_header_of_(&seg->map)->removed) ||
		ilk_here_(seg->map.base) < 0 || !ilk_guard_try_(seg))
		return;
	ilk_directory_reap_(seg);
	ilk_guard_unlock_(seg);
}
