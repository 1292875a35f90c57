/*
 * directory.c - a hash table of lists; entries lie in the arena, each right before its object.
 *
 * State      bucket: offset of its first entry, or 0. entry: next, hash, type, bytes, serial, name;
 *            state: UNBORN, LIVE, and REMOVED for good; or NAMELESS always; open: a bit for each
 *            process slot. process slot: opening, unswept.
 * Invariant  [I1] An entry and its object are complete before the bucket leads to them, and neither
 *            moves nor changes its name, type, size or serial afterwards.
 *            [I2] Lists and states are changed under the guard only. A bit is set and taken away by
 *            its member alone.
 *            [I3] A member has a bit in each entry that it has open, and that entry is not freed
 *            while it lives. Nor is one that a living member is `opening`.
 *            [I6] An entry is LIVE only while it is in its list.
 *            [I4] Bits of a slot that is `unswept` are not its member's: who takes over a dead
 *            one's slot says so before it has a life of its own, and takes them away before it
 *            sets the first of its own.
 *            [I5] header.removed is the number of REMOVED and NAMELESS entries in the lists.
 * Ordering   [D1] link: store bucket, release <-> [D2]  whoever finds an entry finds it complete
 *            [D2] find: load bucket, acquire  <-> [D1]
 *            [D5] open:   store opening; fence; find it again, LIVE <-> [D3] in removal.c: either
 *                 the remover sees that it is about to be marked, or it is not found again
 *            [D9] fill: store serial, release, after all else <-> [D8] in entries.c: `next` is read
 *                 after the serial, and the serial again
 * Death      before [D1]: the block is unpublished and goes back when the guard is recovered. After
 *            [D1]: the entry is there; the block's header says which bucket to ask, and recovery
 *            publishes it, and makes it LIVE. The bits of the dead count no more.
 *
 * What is there is found without the guard. Anything else (it is not, or not as asked, or the list
 * made no sense at that moment) is decided under it. A read-only attachment cannot; it tries again.
 */
#include "segment/directory.h"
#include "os/thread.h"
#include "segment/arena.h"
#include "segment/blocks.h"
#include "segment/error.h"
#include "segment/memory.h"
#include "segment/object_name.h"
#include "segment/opened.h"
#include "segment/removal.h"
#include "segment/types.h"
#include <errno.h>
#include <string.h>

enum { LOOKS = 64 };

struct search {
	const char *name;
	uint32_t hash;
	struct ilk_found_ found;
};

static int is_wanted(const struct ilk_found_ *found, void *arg)
{
	struct search *s = arg;

	if (found->entry.hash != s->hash || found->entry.state != ILK_ENTRY_LIVE_ ||
		strcmp(found->entry.name, s->name) != 0)
		return 0;
	s->found = *found;
	return 1;
}

int ilk_directory_find_(const struct ilk_map_ *map, const char *name, struct ilk_found_ *found)
{
	struct search s = {.name = name, .hash = ilk_name_hash_(name)};
	int rc = ilk_entries_in_(map, ilk_bucket_(map, s.hash), is_wanted, &s);

	if (rc == 1)
		*found = s.found;
	return rc;
}

/* Is what was found what is WANTED? 1; -EEXIST. */
static int compare(const struct ilk_wanted_ *wanted, const struct ilk_entry_ *e)
{
	if (e->type != wanted->type)
		return ilk_fail_(-EEXIST, "type differs: %s is a %s, not a %s", wanted->name,
			ilk_type_(e->type)->name, ilk_type_(wanted->type)->name);
	if (e->bytes != wanted->bytes)
		return ilk_fail_(-EEXIST, "size differs: %s has %llu bytes, not %llu", wanted->name,
			(unsigned long long)e->bytes, (unsigned long long)wanted->bytes);
	return 1;
}

/* 1: it is there, as asked; 0: it is not there; -EEXIST; -EBADMSG. */
static int find_wanted(
	const struct ilk_map_ *map, const struct ilk_wanted_ *wanted, struct ilk_found_ *found)
{
	int rc = ilk_directory_find_(map, wanted->name, found);

	return rc == 1 ? compare(wanted, &found->entry) : rc;
}

/* Asked of what will not be freed meanwhile; or of what is only read. 0; -EEXIST. */
static int fits(const struct ilk_map_ *map, const struct ilk_wanted_ *wanted,
	const struct ilk_found_ *found)
{
	return wanted->fits ? wanted->fits(map->base + found->offset, wanted) : 0;
}

/* Under the registry lock: this process has the entry at AT open. 0; -ENOMEM. */
static int mark(struct ilk_segment *seg, uint64_t at, const struct ilk_entry_ *entry)
{
	uint32_t slot = seg->member->process;
	int rc = ilk_opened_add_(seg->member, at, entry);

	if (rc == 1)
		ilk_or_full_(ilk_open_word_(&seg->map, at, slot), UINT64_C(1) << slot % 64);
	return rc < 0 ? rc : 0;
}

/* --- without the guard --- */

/* [D5] Still there, now that all can see that it is about to be marked? */
static int mark_if_there(
	struct ilk_segment *seg, const struct ilk_wanted_ *wanted, struct ilk_found_ *found)
{
	uint64_t at = found->at;

	ilk_store_release_(&ilk_process_slot_(&seg->map, seg->member->process)->opening, at);
	ilk_fence_();
	if (find_wanted(&seg->map, wanted, found) != 1 || found->at != at)
		return 0;
	return fits(&seg->map, wanted, found) == 0 && mark(seg, at, &found->entry) == 0;
}

/* Under the registry lock. 1: it was there, and is open; 0: it takes the guard to tell more. */
static int open_if_there(
	struct ilk_segment *seg, const struct ilk_wanted_ *wanted, struct ilk_found_ *found)
{
	struct ilk_process_slot_ *mine;
	int is_open;

	if (!seg->member->joined || ilk_load_relaxed_(&seg->member->inherited))
		return 0;
	mine = ilk_process_slot_(&seg->map, seg->member->process);
	if (ilk_load_acquire_(&mine->unswept) || find_wanted(&seg->map, wanted, found) != 1)
		return 0;
	is_open = mark_if_there(seg, wanted, found);
	ilk_store_release_(&mine->opening, UINT64_C(0));
	return is_open;
}

static int open_unguarded(
	struct ilk_segment *seg, const struct ilk_wanted_ *wanted, uint64_t *object)
{
	struct ilk_found_ found;
	int is_open;

	ilk_registry_lock_();
	is_open = open_if_there(seg, wanted, &found);
	ilk_registry_unlock_();
	if (is_open)
		*object = found.offset;
	return is_open;
}

/* --- under the guard --- */

static int mark_guarded(struct ilk_segment *seg, uint64_t at, const struct ilk_entry_ *entry)
{
	int rc;

	ilk_registry_lock_();
	rc = mark(seg, at, entry);
	ilk_registry_unlock_();
	return rc;
}

/* Fills in the zeroed entry of a new object, and the object. */
static void fill(const struct ilk_map_ *map, struct ilk_entry_ *e, const struct ilk_wanted_ *wanted)
{
	e->hash = ilk_name_hash_(wanted->name);
	e->type = wanted->type;
	e->bytes = wanted->bytes;
	e->state = wanted->is_nameless ? ILK_ENTRY_NAMELESS_ : ILK_ENTRY_UNBORN_;
	strncpy(e->name, wanted->name, sizeof e->name - 1);
	if (wanted->init)
		wanted->init((char *)e + ilk_entry_bytes_(map->header.process_slots), wanted);
	e->next = ilk_load_relaxed_(
		ilk_word_at_(map, ilk_bucket_at_(map, ilk_bucket_(map, e->hash))));
	/* [D9] Weaker: one who stands here since a former entry could take `next` for the end. */
	ilk_store_release_(&e->serial, ++ilk_header_of_(map)->entries);
}

static void link_entry(const struct ilk_map_ *map, uint64_t at)
{
	struct ilk_entry_ *e = ilk_entry_at_(map, at);
	uint64_t bucket = ilk_bucket_at_(map, ilk_bucket_(map, e->hash));

	if (e->state == ILK_ENTRY_NAMELESS_)
		ilk_removal_count_(map, 1);
	ilk_arena_publish_(map, at, bucket); /* [D1] */
	if (e->state == ILK_ENTRY_UNBORN_)
		ilk_store_release_(&e->state, (uint16_t)ILK_ENTRY_LIVE_);
}

/* There is none of that name. */
static int make(struct ilk_segment *seg, const struct ilk_wanted_ *wanted, uint64_t *object)
{
	uint64_t size = ilk_entry_bytes_(seg->map.header.process_slots), at;
	struct ilk_entry_ *e;
	int rc;

	if (wanted->bytes > seg->map.bytes)
		return -ENOSPC;
	rc = ilk_memory_alloc_(seg, size + wanted->bytes, ILK_LINE_BYTES_, &at);
	if (rc < 0)
		return rc;
	e = memset(ilk_entry_at_(&seg->map, at), 0, size + wanted->bytes);
	fill(&seg->map, e, wanted);
	rc = mark_guarded(seg, at, e);
	if (rc < 0) {
		ilk_arena_free_(&seg->map, at);
		return rc;
	}
	link_entry(&seg->map, at);
	*object = at + size;
	return 0;
}

static int find_or_make(struct ilk_segment *seg, const struct ilk_wanted_ *wanted, uint64_t *object)
{
	struct ilk_found_ found;
	int rc = find_wanted(&seg->map, wanted, &found);

	ilk_directory_settle_(seg);
	if (rc == 0)
		return make(seg, wanted, object);
	if (rc == 1)
		rc = fits(&seg->map, wanted, &found);
	if (rc < 0)
		return rc;
	*object = found.offset;
	return mark_guarded(seg, found.at, &found.entry);
}

static int make_nameless(
	struct ilk_segment *seg, const struct ilk_wanted_ *wanted, uint64_t *object)
{
	ilk_directory_settle_(seg);
	return make(seg, wanted, object);
}

static int open_as_member(
	struct ilk_segment *seg, const struct ilk_wanted_ *wanted, uint64_t *object)
{
	int rc;

	if (!wanted->is_nameless && open_unguarded(seg, wanted, object))
		return 0;
	rc = ilk_here_(seg->map.base);
	if (rc == 0)
		rc = ilk_memory_enter_(seg);
	if (rc < 0)
		return rc;
	rc = (wanted->is_nameless ? make_nameless : find_or_make)(seg, wanted, object);
	ilk_memory_leave_(seg);
	return rc;
}

/* --- and read-only --- */

static int open_to_read(struct ilk_segment *seg, const struct ilk_wanted_ *wanted, uint64_t *object)
{
	struct ilk_found_ found;
	int rc = -EBADMSG;

	for (int look = 0; rc == -EBADMSG && look < LOOKS; look++) {
		if (look)
			ilk_yield_();
		rc = find_wanted(&seg->map, wanted, &found);
	}
	if (rc == 0)
		return -EROFS;
	if (rc == 1)
		rc = fits(&seg->map, wanted, &found);
	if (rc == 0)
		*object = found.offset;
	return rc;
}

/* The particulars of a failure to open WANTED, where none were noted yet. */
static int failed_to_open(int rc, unsigned before, const struct ilk_wanted_ *wanted)
{
	if (rc == -ENOSPC)
		return ilk_fail_(rc, "%s: no room for %llu bytes", wanted->name,
			(unsigned long long)wanted->bytes);
	if (rc == -EROFS)
		return ilk_fail_(rc, "%s is not there, and cannot be made", wanted->name);
	if (rc == -EBADMSG)
		return ilk_fail_(rc, "the arena or the directory is damaged");
	return ilk_conclude_(rc, before, wanted->name);
}

int ilk_directory_open_(struct ilk_segment *seg, const struct ilk_wanted_ *wanted, void **object)
{
	unsigned before = ilk_failures_();
	uint64_t offset;
	int rc = ilk_name_check_(wanted->name);

	if (rc < 0)
		return rc;
	rc = seg->read_only && !wanted->is_nameless ? open_to_read(seg, wanted, &offset)
						    : open_as_member(seg, wanted, &offset);
	if (rc == 0)
		*object = seg->map.base + offset;
	return failed_to_open(rc, before, wanted);
}
