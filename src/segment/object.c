/* object.c - named objects of every kind: listing, closing, removing, repairing them. */
#include "os/thread.h"
#include "segment/blocks.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/memory.h"
#include "segment/object_name.h"
#include "segment/opened.h"
#include "segment/removal.h"
#include "segment/types.h"
#include <errno.h>
#include <ilk/object.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKS = 64 };

static int enter(struct ilk_segment *seg)
{
	int rc = ilk_here_(seg->map.base);

	return rc == 0 ? ilk_memory_enter_(seg) : rc;
}

/* --- removing --- */

static int not_found(int rc, const char *name)
{
	return rc == 0 ? ilk_fail_(-ENOENT, "there is no object %s", name)
		       : ilk_fail_(rc, "the directory is damaged");
}

/* Does something about NAME, under the guard. */
static int do_named(struct ilk_segment *seg, const char *name,
	int (*inside)(struct ilk_segment *seg, const char *name))
{
	unsigned before = ilk_failures_();
	int rc = ilk_name_check_(name);

	if (rc == 0)
		rc = enter(seg);
	if (rc < 0)
		return ilk_conclude_(rc, before, name);
	rc = inside(seg, name);
	ilk_memory_leave_(seg);
	return rc;
}

static int remove_inside(struct ilk_segment *seg, const char *name)
{
	struct ilk_found_ found;
	int rc = ilk_directory_find_(&seg->map, name, &found);

	if (rc <= 0)
		return not_found(rc, name);
	ilk_removal_begin_(seg, &found);
	return 0;
}

int ilk_object_remove(struct ilk_segment *seg, const char *name)
{
	return do_named(seg, name, remove_inside);
}

/* --- repairing --- */

static int repair_inside(struct ilk_segment *seg, const char *name)
{
	const struct ilk_type_ *type;
	struct ilk_found_ found;
	const char *wrong;
	void *object;
	int rc = ilk_directory_find_(&seg->map, name, &found);

	if (rc <= 0)
		return not_found(rc, name);
	type = ilk_type_(found.entry.type);
	object = seg->map.base + found.offset;
	wrong = type->valid(&seg->map, object, found.entry.bytes);
	if (wrong)
		return ilk_fail_(-EBADMSG, "%s %s: %s", type->name, name, wrong);
	return type->repair && type->repair(seg, object) > 0 ? ILK_RECOVERED : 0;
}

int ilk_object_repair(struct ilk_segment *seg, const char *name)
{
	return do_named(seg, name, repair_inside);
}

/* --- closing --- */

static int finish_if_removed(const struct ilk_found_ *found, void *arg)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	const uint64_t *at = arg;

	if (found->at != *at)
		return 0;
	if (ilk_entry_is_kept_(found->entry.state))
		ilk_removal_finish_(seg, found);
	return 1;
}

/* In one, or another thread's first mark could be taken away. Result as ilk_opened_drop_'s. */
static int drop(struct ilk_segment *seg, uint64_t at)
{
	int rc;

	ilk_registry_lock_();
	rc = ilk_opened_drop_(seg->member, at);
	if (rc == 1)
		ilk_removal_unmark_(&seg->map, at, seg->member->process);
	ilk_registry_unlock_();
	return rc;
}

static int close_inside(struct ilk_segment *seg, uint64_t at)
{
	uint32_t hash;
	int rc;

	ilk_directory_settle_(seg);
	rc = drop(seg, at);
	if (rc <= 0)
		return rc;
	hash = ilk_entry_at_(&seg->map, at)->hash;
	ilk_entries_in_(&seg->map, ilk_bucket_(&seg->map, hash), finish_if_removed, &at);
	return 0;
}

/* For the place that is cached. */
static int close_here(const void *object)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	uint64_t offset = (uint64_t)((const char *)object - seg->map.base);
	int rc = ilk_memory_enter_(seg);

	if (rc < 0)
		return rc;
	rc = close_inside(seg, offset - ilk_entry_bytes_(seg->map.header.process_slots));
	ilk_memory_leave_(seg);
	if (rc == -ENOENT)
		return ilk_fail_(-EINVAL, "this process has not opened that object by name");
	return rc;
}

int ilk_object_close(void *object)
{
	unsigned before = ilk_failures_();
	int rc = ilk_here_(object);

	if (rc == 0)
		rc = close_here(object);
	return ilk_conclude_(rc, before, "closing an object");
}

/* --- listing --- */

/* Some objects, copied, so that EACH may do what it likes. */
struct listing {
	struct ilk_segment *seg;
	struct ilk_object *objects;
	size_t count, room;
};

static int add(const struct ilk_found_ *found, void *arg)
{
	struct listing *l = arg;
	struct ilk_object *o;

	if (found->entry.state != ILK_ENTRY_LIVE_)
		return 0;
	if (l->count == l->room) {
		size_t room = l->room ? 2 * l->room : 8;

		o = realloc(l->objects, room * sizeof *o);
		if (!o)
			return -ENOMEM;
		l->objects = o;
		l->room = room;
	}
	o = &l->objects[l->count++];
	memcpy(o->name, found->entry.name, sizeof o->name);
	o->type = ilk_type_(found->entry.type)->name;
	o->bytes = found->entry.bytes;
	o->openers = ilk_openers_(l->seg, found->at, INT_MAX);
	return 0;
}

static int list_as_member(struct listing *l, uint32_t bucket)
{
	int rc = enter(l->seg);

	if (rc < 0)
		return rc;
	rc = ilk_entries_in_(&l->seg->map, bucket, add, l);
	ilk_memory_leave_(l->seg);
	return rc;
}

/* Those who change it meanwhile are not waited for: it is read again. */
static int list_to_read(struct listing *l, uint32_t bucket)
{
	int rc = -EBADMSG;

	for (int look = 0; rc == -EBADMSG && look < LOOKS; look++) {
		if (look)
			ilk_yield_();
		l->count = 0;
		rc = ilk_entries_in_(&l->seg->map, bucket, add, l);
	}
	return rc;
}

static int each_of(
	struct listing *l, int (*each)(const struct ilk_object *object, void *arg), void *arg)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < l->count; i++)
		rc = each(&l->objects[i], arg);
	return rc;
}

static int each_in(struct listing *l, uint32_t bucket,
	int (*each)(const struct ilk_object *object, void *arg), void *arg, int *damaged)
{
	int rc;

	l->count = 0;
	/* Most buckets are empty. */
	if (!ilk_load_relaxed_(ilk_word_at_(&l->seg->map, ilk_bucket_at_(&l->seg->map, bucket))))
		return 0;
	rc = l->seg->read_only ? list_to_read(l, bucket) : list_as_member(l, bucket);
	if (rc == -EBADMSG)
		*damaged = rc;
	else if (rc < 0)
		return rc;
	return each_of(l, each, arg);
}

int ilk_object_each(
	struct ilk_segment *seg, int (*each)(const struct ilk_object *object, void *arg), void *arg)
{
	struct listing l = {.seg = seg};
	unsigned before = ilk_failures_();
	int damaged = 0, rc = 0;

	for (uint32_t i = 0; rc == 0 && i < seg->map.header.buckets; i++)
		rc = each_in(&l, i, each, arg, &damaged);
	free(l.objects);
	return ilk_conclude_(rc ? rc : damaged, before, "listing objects");
}
