/*
 * snapshot_object.c - a snapshot as an object: opened, shown, removed; how it works: snapshot.c; what
 * its words mean: snapshot.h.
 */
#include "os/futex.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/types.h"
#include "sync/mutex.h"
#include "sync/snapshot.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

extern const struct ilk_type_ ilk_type_mutex_;

/* --- making one --- */

/* Bits 7..0 of `flags` are the number of copies; above, what a value lacks to whole lines. */
static void init_wanted(void *object, const struct ilk_wanted_ *wanted)
{
	struct ilk_snapshot *s = object;
	uint32_t copies = wanted->flags & 0xff;
	uint64_t room = (wanted->bytes - ilk_snapshot_size_(0, copies)) / (copies + 1);

	s->copies = copies;
	s->bytes = room - (wanted->flags >> 8);
	s->tag = ILK_SNAPSHOT_TAG_;
	ilk_mutex_make_(&s->writer, wanted->name, 0);
}

/* How many copies OPTIONS ask for; -EINVAL. */
static int copies_of(const struct ilk_snapshot_options *options)
{
	unsigned copies = options && options->copies ? options->copies : ILK_SNAPSHOT_COPIES;

	if (options && options->size != sizeof *options)
		return ilk_fail_(-EINVAL, "snapshot options: wrong size");
	if (copies < 2 || copies > ILK_SNAPSHOT_MOST_COPIES || copies & (copies - 1))
		return ilk_fail_(-EINVAL, "snapshot options: copies are 2, 4, 8 ... %d",
			ILK_SNAPSHOT_MOST_COPIES);
	return (int)copies;
}

static int is_as_asked(const void *object, const struct ilk_wanted_ *wanted)
{
	const struct ilk_snapshot *s = object;
	uint32_t copies = wanted->flags & 0xff;
	uint64_t room = (wanted->bytes - ilk_snapshot_size_(0, copies)) / (copies + 1);
	uint64_t bytes = room - (wanted->flags >> 8);

	if (s->bytes != bytes)
		return ilk_fail_(-EEXIST, "bytes differ: values of snapshot %s have %llu, not %llu",
			wanted->name, (unsigned long long)s->bytes, (unsigned long long)bytes);
	if (s->copies != copies)
		return ilk_fail_(-EEXIST, "copies differ: snapshot %s has %u, not %u", wanted->name,
			s->copies, copies);
	return 0;
}

int ilk_snapshot_open(struct ilk_segment *seg, const char *name, size_t bytes,
	const struct ilk_snapshot_options *options, struct ilk_snapshot_handle *h)
{
	struct ilk_wanted_ wanted = {
		.name = name, .type = ILK_TYPE_SNAPSHOT_, .fits = is_as_asked, .init = init_wanted};
	int copies = copies_of(options);
	void *object;
	int rc;

	if (copies < 0)
		return copies;
	if (bytes == 0)
		return ilk_fail_(-EINVAL, "a snapshot of 0 bytes");
	if (bytes > seg->map.bytes)
		return ilk_fail_(-ENOSPC, "%s: no room for %zu bytes", name ? name : "", bytes);
	wanted.flags = (uint32_t)copies | (uint32_t)(ilk_snapshot_room_(bytes) - bytes) << 8;
	wanted.bytes = ilk_snapshot_size_(bytes, (uint32_t)copies);
	rc = ilk_directory_open_(seg, &wanted, &object);
	if (rc < 0)
		return rc;
	*h = (struct ilk_snapshot_handle){
		.snapshot = object,
		.first = (char *)object + ilk_snapshot_copy_at_(bytes, 0),
		.bytes = bytes,
		.stride = sizeof(struct ilk_snapshot_copy_) + ilk_snapshot_room_(bytes),
		.mask = (uint32_t)copies - 1,
		.read_only = (uint32_t)seg->read_only,
	};
	return 0;
}

/* --- its row --- */

/* Only its head and the stamps are read: the values are the user's, and may be large. */
static int see(const struct ilk_map_ *map, const void *part, uint64_t bytes)
{
	return ilk_map_look_(map, (uint64_t)((const char *)part - map->base), bytes);
}

static const char *valid_copy(const struct ilk_map_ *map, const struct ilk_snapshot *s,
	uint64_t bytes, uint32_t i, uint32_t copies)
{
	const void *at = (const char *)s + ilk_snapshot_copy_at_(bytes, i);
	const struct ilk_snapshot_copy_ *copy = at;
	uint64_t stamp;

	if (see(map, copy, sizeof *copy) < 0)
		return "its bytes are gone";
	stamp = ilk_load_relaxed_(&copy->stamp);
	return stamp == 0 || stamp == ILK_SNAPSHOT_WRITING_ || (stamp & (copies - 1)) == i
		       ? NULL
		       : "a copy is of a version that belongs into another";
}

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	const struct ilk_snapshot *s = object;
	const char *wrong;
	uint64_t each;
	uint32_t copies;

	if (bytes < sizeof *s || see(map, s, sizeof *s) < 0)
		return "its bytes are gone";
	if (ilk_load_relaxed_(&s->tag) != ILK_SNAPSHOT_TAG_ && !ilk_snapshot_is_removed_(s))
		return "its tag is not a snapshot's";
	each = ilk_load_relaxed_(&s->bytes);
	copies = ilk_load_relaxed_(&s->copies);
	if (copies < 2 || copies > ILK_SNAPSHOT_MOST_COPIES || copies & (copies - 1) || each == 0 ||
		each > bytes || ilk_snapshot_size_(each, copies) != bytes)
		return "its size is not that of its copies";
	wrong = ilk_type_mutex_.valid(map, &s->writer, sizeof s->writer);
	for (uint32_t i = 0; i < copies && !wrong; i++)
		wrong = valid_copy(map, s, each, i, copies);
	return wrong;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	const struct ilk_snapshot *s = object;
	uint64_t version = ilk_load_acquire_(&s->version), cut_off = ilk_load_relaxed_(&s->cut_off);

	ilk_type_mutex_.describe(map, &s->writer, sizeof s->writer, out);
	(void)bytes;
	out->value = (int64_t)version;
	snprintf(out->state, sizeof out->state, "version %llu%s", (unsigned long long)version,
		out->owner ? ", being written" : "");
	if (cut_off)
		snprintf(out->state + strlen(out->state), sizeof out->state - strlen(out->state),
			", %llu writers died in it", (unsigned long long)cut_off);
}

/* A writer that died leaves the mutex to be taken, and nothing to be put right. */
static int repair(struct ilk_segment *seg, void *object)
{
	return ilk_type_mutex_.repair(seg, &((struct ilk_snapshot *)object)->writer);
}

/* Weaker: one who sleeps could miss it until his next look. See [S6] of snapshot.c. */
static void remove_for_good(struct ilk_segment *seg, void *object)
{
	struct ilk_snapshot *s = object;

	ilk_store_release_(&s->tag, (uint32_t)ILK_SNAPSHOT_REMOVED_);
	ilk_type_mutex_.remove(seg, &s->writer);
	ilk_futex_store_and_wake_(&s->wait, 0, INT_MAX);
}

const struct ilk_type_ ilk_type_snapshot_ = {
	.name = "snapshot",
	.align = 64,
	.is_plain = 1,
	.valid = valid,
	.describe = describe,
	.repair = repair,
	.remove = remove_for_good,
};
