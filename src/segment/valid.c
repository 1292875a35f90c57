/*
 * valid.c - is everything in a segment as it should be?
 *
 * Under the guard: what is asked here holds whenever nobody is in it, however many have died.
 */
#include "segment/arena.h"
#include "segment/blocks.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/member.h"
#include "segment/memory.h"
#include "segment/order.h"
#include "segment/types.h"
#include <errno.h>
#include <stddef.h>
#include <string.h>

static int check_threads(const struct ilk_map_ *map)
{
	for (uint32_t i = 0; i < map->header.thread_slots; i++) {
		const struct ilk_thread_slot_ *slot = ilk_thread_slot_(map, i);
		uint32_t process = ilk_life_process_(ilk_load_acquire_(&slot->life));

		if (process > map->header.process_slots && process != ILK_THREAD_RETIRED_)
			return ilk_fail_(-EBADMSG, "thread slot %u is of no process", i);
		if (ilk_load_relaxed_(&slot->marks_top) > ILK_MARKS_)
			return ilk_fail_(-EBADMSG, "thread slot %u has too many marks", i);
	}
	return 0;
}

static int check_processes(const struct ilk_map_ *map)
{
	for (uint32_t i = 0; i < map->header.process_slots; i++)
		if (ilk_load_acquire_(&ilk_process_slot_(map, i)->state) > ILK_PROCESS_USED_)
			return ilk_fail_(-EBADMSG, "process slot %u is in no known state", i);
	return 0;
}

static int check_order(const struct ilk_map_ *map)
{
	const char *wrong = ilk_held_valid_(map);

	if (!wrong)
		wrong = ilk_order_valid_(map);
	return wrong ? ilk_fail_(-EBADMSG, "lock orders: %s", wrong) : 0;
}

/* What is gathered about all objects. */
struct checking {
	struct ilk_segment *seg;
	uint64_t removed;
};

static int check_object(const struct ilk_found_ *found, void *arg)
{
	struct checking *c = arg;
	struct ilk_segment *seg = c->seg;
	const struct ilk_type_ *type = ilk_type_(found->entry.type);
	const struct ilk_block_header_ *b = ilk_arena_block_(&seg->map, found->at);
	const char *wrong =
		type->valid(&seg->map, seg->map.base + found->offset, found->entry.bytes);

	c->removed += (uint64_t)ilk_entry_is_kept_(found->entry.state);
	if (found->entry.serial == 0 || found->entry.serial > ilk_header_of_(&seg->map)->entries)
		wrong = "its serial was never given";
	if (found->entry.state == ILK_ENTRY_UNBORN_)
		wrong = "it was never finished";
	if (!b || b->owner)
		wrong = "its memory is not given out for it";
	else if ((b->size & ~(uint64_t)63) <
		 sizeof *b + (found->offset - found->at) + found->entry.bytes)
		wrong = "its block is smaller than it";
	return wrong ? ilk_fail_(-EBADMSG, "%s %s: %s", type->name, found->entry.name, wrong) : 0;
}

static int check_objects(struct ilk_segment *seg)
{
	struct checking c = {.seg = seg};
	int rc = ilk_entries_(&seg->map, check_object, &c);

	if (rc == 0 && c.removed != ilk_header_of_(&seg->map)->removed)
		rc = ilk_fail_(-EBADMSG, "the count of removed objects is wrong");
	return rc;
}

/* Inside. */
static int check(struct ilk_segment *seg)
{
	const char *wrong = ilk_arena_valid_(&seg->map);
	unsigned before = ilk_failures_();
	int same = memcmp(seg->map.base, &seg->map.header, offsetof(struct ilk_header_, guard));
	int rc = same != 0 ? ilk_fail_(-EBADMSG, "the header has changed")
		 : wrong   ? ilk_fail_(-EBADMSG, "arena: %s", wrong)
			   : check_processes(&seg->map);

	if (rc == 0)
		rc = check_threads(&seg->map);
	if (rc == 0)
		rc = check_order(&seg->map);
	if (rc == 0)
		rc = check_objects(seg);
	return ilk_conclude_(rc, before, "a list of the directory makes no sense");
}

int ilk_segment_valid(struct ilk_segment *seg)
{
	int rc = ilk_here_(seg->map.base);

	if (rc == 0)
		rc = ilk_memory_enter_(seg);
	if (rc < 0)
		return rc;
	rc = check(seg);
	ilk_memory_leave_(seg);
	return rc;
}
