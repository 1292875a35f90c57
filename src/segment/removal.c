/*
 * removal.c - how a named object ends: its name first, its storage after the last who has it open.
 *
 * Stages     1. header.removed is raised, then the entry's state becomes REMOVED: from here on the
 *               name is free. 2. The kind's own `remove`: who waits in the object is told. 3. When
 *               no living process has it open: the list leads past the entry, and the block is free.
 * Ordering   [D3] remove: store state; fence; load open, opening  <-> [D4], [D5]
 *            [D4] leave:  clear bit; fence; load removed            <-> [D3]  one of both sees the
 *                 other: the remover nobody who has it open, or the last who had it that there is
 *                 something to be freed. [D5] is in directory.c.
 * Death      within 1: at most header.removed is one too high; recovery counts anew. After it, in 2:
 *            recovery runs all that again. In 3: the block's header says which word leads to it, so
 *            it is in the list and given out, or neither. The last opener's death frees nothing by
 *            itself: the next who closes, removes, counts what is used or finds no room does.
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

static int has_open(struct ilk_segment *seg, uint32_t slot)
{
	const struct ilk_process_slot_ *p = ilk_process_slot_(&seg->map, slot);

	return slot < seg->map.header.process_slots && !ilk_load_acquire_(&p->unswept) &&
	       ilk_load_acquire_(&p->state) == ILK_PROCESS_USED_ &&
	       ilk_process_life_(seg, slot) != ILK_LIFE_DEAD;
}

int ilk_openers_(struct ilk_segment *seg, uint64_t at, int most)
{
	int openers = 0;

	for (uint32_t slot = 0; slot < seg->map.header.process_slots; slot += 64) {
		uint64_t bits = ilk_load_acquire_(ilk_open_word_(&seg->map, at, slot));

		for (; bits && openers < most; bits &= bits - 1)
			openers += has_open(seg, slot + (uint32_t)__builtin_ctzll(bits));
	}
	for (uint32_t slot = 0; slot < seg->map.header.process_slots && openers < most; slot++)
		if (ilk_load_acquire_(&ilk_process_slot_(&seg->map, slot)->opening) == at)
			openers += has_open(seg, slot);
	return openers;
}

void ilk_removal_unmark_(const struct ilk_map_ *map, uint64_t at, uint32_t slot)
{
	ilk_and_full_(ilk_open_word_(map, at, slot), ~(UINT64_C(1) << slot % 64));
}

/* --- the stages --- */

static void tell_who_waits(struct ilk_segment *seg, const struct ilk_found_ *found)
{
	const struct ilk_type_ *type = ilk_type_(found->entry.type);
	void *object = seg->map.base + found->offset;

	if (type->remove && !type->valid(&seg->map, object, found->entry.bytes))
		type->remove(seg, object);
}

void ilk_removal_begin_(struct ilk_segment *seg, const struct ilk_found_ *found)
{
	ilk_header_of_(&seg->map)->removed++;
	ilk_store_release_(
		&ilk_entry_at_(&seg->map, found->at)->state, (uint16_t)ILK_ENTRY_REMOVED_);
	ilk_fence_(); /* [D3] */
	tell_who_waits(seg, found);
	ilk_removal_finish_(seg, found);
}

int ilk_removal_finish_(struct ilk_segment *seg, const struct ilk_found_ *found)
{
	if (ilk_openers_(seg, found->at, 1))
		return 0;
	ilk_arena_unlink_(
		&seg->map, found->at, ilk_thread_.me->owner, found->from, found->entry.next);
	ilk_arena_free_(&seg->map, found->at);
	ilk_header_of_(&seg->map)->removed--;
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

	if (found->entry.state == ILK_ENTRY_REMOVED_)
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
	if (found->entry.state != ILK_ENTRY_REMOVED_)
		return 0;
	r->count++;
	tell_who_waits(r->seg, found);
	return 0;
}

void ilk_directory_recover_(struct ilk_segment *seg)
{
	struct reaping r = {.seg = seg};

	ilk_entries_(&seg->map, finish_or_tell_again, &r);
	ilk_header_of_(&seg->map)->removed = (uint64_t)r.count;
}

/* --- members coming and going --- */

static int sweep(const struct ilk_found_ *found, void *arg)
{
	const struct ilk_segment *seg = arg;

	ilk_removal_unmark_(&seg->map, found->at, seg->member->process);
	return 0;
}

void ilk_directory_sweep_(struct ilk_segment *seg)
{
	struct ilk_process_slot_ *mine = ilk_process_slot_(&seg->map, seg->member->process);

	if (!ilk_load_acquire_(&mine->unswept))
		return;
	ilk_entries_(&seg->map, sweep, seg);
	ilk_store_release_(&mine->unswept, 0u);
}

struct going {
	const struct ilk_map_ *map;
	uint32_t slot;
};

static void unmark(const struct ilk_opened_ *opened, void *arg)
{
	const struct going *g = arg;

	ilk_removal_unmark_(g->map, opened->at, g->slot);
}

void ilk_directory_forget_(struct ilk_member_ *member, const struct ilk_map_ *map)
{
	struct going g = {map, member->process};

	ilk_opened_each_(member, unmark, &g);
	ilk_opened_forget_(member);
}

/* Its parent, who had it open when it forked, may have left since, and it been freed. */
static void mark_inherited(const struct ilk_opened_ *opened, void *arg)
{
	const struct ilk_segment *seg = arg;
	const struct ilk_block_header_ *b = ilk_arena_block_(&seg->map, opened->at);
	uint32_t slot = seg->member->process;

	if (b && !b->owner && ilk_entry_at_(&seg->map, opened->at)->serial == opened->serial)
		ilk_or_full_(ilk_open_word_(&seg->map, opened->at, slot), UINT64_C(1) << slot % 64);
}

void ilk_directory_inherit_(struct ilk_segment *seg)
{
	if (ilk_memory_enter_(seg) < 0)
		return;
	ilk_directory_sweep_(seg);
	ilk_registry_lock_();
	ilk_opened_each_(seg->member, mark_inherited, seg);
	ilk_registry_unlock_();
	ilk_memory_leave_(seg);
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
