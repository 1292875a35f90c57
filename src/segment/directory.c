/*
 * directory.c - a hash table of lists; entries lie in the arena, each right before its object.
 *
 * State      bucket: offset of its first entry, or 0. entry: next, hash, type, bytes, name.
 * Invariant  [I1] An entry and its object are complete before the bucket leads to them, and neither
 *            moves nor changes its name, type or size afterwards.
 *            [I2] Buckets are changed under the guard only.
 * Ordering   [D1] link: store bucket, release <-> [D2]  whoever finds an entry finds it complete
 *            [D2] find: load bucket, acquire  <-> [D1]
 * Death      before [D1]: the block is unpublished and goes back when the guard is recovered. After
 *            [D1]: the entry is there; the block's header says which bucket to ask, and recovery
 *            publishes it.
 *
 * Readers take no lock. Offsets and lengths they meet are checked, and a list that leads back into
 * itself is found out, so a damaged one ends.
 */
#include "segment/directory.h"
#include "segment/arena.h"
#include "segment/error.h"
#include "segment/memory.h"
#include "segment/types.h"
#include <errno.h>
#include <string.h>

enum { ENTRY = sizeof(struct ilk_entry_) };

static uint64_t *bucket_at(const struct ilk_map_ *map, uint32_t i)
{
	return (uint64_t *)(void *)(map->base + map->header.buckets_at) + i;
}

/* FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash;
}

/* Length of the UTF-8 sequence that C begins; 0: it begins none. */
static int sequence_length(uint8_t c)
{
	return c < 0x80                ? 1
	       : c >= 0xc2 && c < 0xe0 ? 2
	       : c >= 0xe0 && c < 0xf0 ? 3
	       : c >= 0xf0 && c < 0xf5 ? 4
				       : 0;
}

/* Bounds of the second byte: no overlong forms, no surrogates, nothing past U+10FFFF, no C1. */
static int is_second_byte(uint8_t first, uint8_t second)
{
	uint8_t low = first == 0xc2 || first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

static int is_printable_utf8(const char *text)
{
	const uint8_t *at = (const uint8_t *)text;

	while (*at) {
		int length = sequence_length(*at);

		if (length == 0 || *at < 0x20 || *at == 0x7f)
			return 0;
		if (length > 1 && !is_second_byte(at[0], at[1]))
			return 0;
		for (int i = 2; i < length; i++)
			if ((at[i] & 0xc0) != 0x80)
				return 0;
		at += length;
	}
	return 1;
}

static int check_name(const char *name)
{
	if (!name || !*name)
		return ilk_fail_(-EINVAL, "an object's name is empty");
	if (strlen(name) >= ILK_NAME_BYTES_)
		return ilk_fail_(-ENAMETOOLONG, "an object's name has more than 63 bytes");
	if (!is_printable_utf8(name))
		return ilk_fail_(
			-EINVAL, "an object's name has bytes that are not printable UTF-8");
	return 0;
}

/* Copies the entry at OFFSET. 0; -EBADMSG it cannot be one. */
static int read_entry(const struct ilk_map_ *map, uint64_t offset, struct ilk_found_ *found)
{
	struct ilk_entry_ *e = &found->entry;

	if (offset < map->header.arena_at || offset > map->bytes - ENTRY || offset % 64)
		return -EBADMSG;
	if (ilk_map_look_(map, offset, ENTRY) < 0)
		return -EBADMSG;
	memcpy(e, map->base + offset, ENTRY);
	found->offset = offset + ENTRY;
	if (memchr(e->name, 0, sizeof e->name) == NULL || !ilk_type_(e->type) ||
		e->bytes > map->bytes - found->offset)
		return -EBADMSG;
	return is_printable_utf8(e->name) && e->name[0] ? 0 : -EBADMSG;
}

/*
 * Walks one bucket's list; EACH as in ilk_directory_each_. A list that leads into another bucket's
 * or back into itself is damaged: every so often the place is noted, at steps twice as far apart
 * each time, and a loop comes by it again (R. P. Brent, An improved Monte Carlo factorization
 * algorithm, 1980).
 */
static int walk(const struct ilk_map_ *map, uint32_t bucket,
	int (*each)(const struct ilk_found_ *found, void *arg), void *arg)
{
	uint64_t step = 0, next_note = 1, noted = 0;
	struct ilk_found_ found;

	/* [D2] Weaker: the entry could be seen before its bytes. */
	for (uint64_t at = ilk_load_acquire_(bucket_at(map, bucket)); at; at = found.entry.next) {
		int rc = at == noted ? -EBADMSG : read_entry(map, at, &found);

		if (rc == 0 && (found.entry.hash & (map->header.buckets - 1)) != bucket)
			rc = -EBADMSG;
		if (rc == 0)
			rc = each(&found, arg);
		if (rc != 0)
			return rc;
		if (++step == next_note) {
			noted = at;
			next_note *= 2;
		}
	}
	return 0;
}

int ilk_directory_each_(const struct ilk_map_ *map,
	int (*each)(const struct ilk_found_ *found, void *arg), void *arg)
{
	int damaged = 0;

	for (uint32_t i = 0; i < map->header.buckets; i++) {
		int rc = walk(map, i, each, arg);

		if (rc == -EBADMSG)
			damaged = rc;
		else if (rc != 0)
			return rc;
	}
	return damaged;
}

struct search {
	const char *name;
	uint32_t hash;
	struct ilk_found_ found;
};

static int is_wanted(const struct ilk_found_ *found, void *arg)
{
	struct search *s = arg;

	if (found->entry.hash != s->hash || strcmp(found->entry.name, s->name) != 0)
		return 0;
	s->found = *found;
	return 1;
}

/* 1: it is there, as asked; 0: it is not there; -EEXIST; -EBADMSG. */
static int find(
	const struct ilk_map_ *map, const struct ilk_wanted_ *wanted, struct ilk_found_ *found)
{
	struct search s = {.name = wanted->name, .hash = hash_of(wanted->name)};
	const struct ilk_entry_ *e = &s.found.entry;
	int rc = walk(map, s.hash & (map->header.buckets - 1), is_wanted, &s);

	if (rc < 0)
		return ilk_fail_(rc, "the directory is damaged");
	if (rc == 0)
		return 0;
	*found = s.found;
	if (e->type != wanted->type)
		return ilk_fail_(-EEXIST, "type differs: %s is a %s, not a %s", wanted->name,
			ilk_type_(e->type)->name, ilk_type_(wanted->type)->name);
	if (e->bytes != wanted->bytes)
		return ilk_fail_(-EEXIST, "size differs: %s has %llu bytes, not %llu", wanted->name,
			(unsigned long long)e->bytes, (unsigned long long)wanted->bytes);
	return 1;
}

static void link_entry(
	const struct ilk_map_ *map, uint64_t offset, const struct ilk_wanted_ *wanted)
{
	struct ilk_entry_ *e = (struct ilk_entry_ *)(void *)(map->base + offset);
	uint64_t *bucket;

	e->hash = hash_of(wanted->name);
	e->type = wanted->type;
	e->bytes = wanted->bytes;
	strncpy(e->name, wanted->name, sizeof e->name - 1);
	if (wanted->init)
		wanted->init(e + 1, wanted);
	bucket = bucket_at(map, e->hash & (map->header.buckets - 1));
	e->next = ilk_load_relaxed_(bucket);
	/* [D1] */
	ilk_arena_publish_(map, offset, (uint64_t)((char *)bucket - map->base));
}

/* Under the guard. */
static int make(struct ilk_segment *seg, const struct ilk_wanted_ *wanted, uint64_t *object)
{
	const struct ilk_map_ *map = &seg->map;
	struct ilk_found_ found;
	uint64_t offset;
	int rc = find(map, wanted, &found);

	if (rc != 0) {
		*object = found.offset;
		return rc < 0 ? rc : 0;
	}
	if (wanted->bytes > map->bytes)
		return -ENOSPC;
	rc = ilk_memory_alloc_(seg, ENTRY + wanted->bytes, ILK_LINE_BYTES_, &offset);
	if (rc < 0)
		return rc;
	memset(map->base + offset, 0, ENTRY + wanted->bytes);
	link_entry(map, offset, wanted);
	*object = offset + ENTRY;
	return 0;
}

static int locked_make(struct ilk_segment *seg, const struct ilk_wanted_ *wanted, uint64_t *object)
{
	int rc = ilk_memory_enter_(seg);

	if (rc < 0)
		return rc;
	rc = make(seg, wanted, object);
	ilk_memory_leave_(seg);
	return rc;
}

/* The particulars of a failure to make WANTED, where none were noted yet. */
static int failed_to_make(int rc, unsigned before, const struct ilk_wanted_ *wanted)
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
	struct ilk_found_ found;
	uint64_t offset = 0;
	int rc = check_name(wanted->name);

	if (rc == 0)
		rc = find(&seg->map, wanted, &found);
	if (rc < 0)
		return rc;
	if (rc == 1) {
		*object = seg->map.base + found.offset;
		return 0;
	}
	rc = ilk_here_(seg->map.base);
	if (rc == 0)
		rc = locked_make(seg, wanted, &offset);
	if (rc == 0)
		*object = seg->map.base + offset;
	return failed_to_make(rc, before, wanted);
}
