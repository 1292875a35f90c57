/*
 * entries.c - walks along the lists of the directory.
 *
 * Who is not under the guard may stand on an entry that is taken out, and even used for something
 * else, while he reads it. So offsets and lengths are checked before they lead anywhere; an entry
 * of another bucket ends the walk; a list that leads back into itself is found out; and no walk is
 * longer than there is room for entries. [D8] What an entry's `next` says counts if the entry's
 * serial is the same afterwards: see [D7] in removal.c.
 */
#include "segment/entries.h"
#include "segment/blocks.h"
#include "segment/object_name.h"
#include "segment/types.h"
#include <errno.h>
#include <string.h>

enum { COPIED = offsetof(struct ilk_entry_, open), SERIAL = offsetof(struct ilk_entry_, serial) };

_Static_assert(offsetof(struct ilk_entry_, next) == 0, "the entry's place is that of `next`");

static uint64_t load_word(const struct ilk_map_ *map, uint64_t at)
{
	/* [D2] Weaker: the entry could be seen before its bytes. */
	return ilk_load_acquire_((const uint64_t *)(const void *)(map->base + at));
}

/* The same of what may be somebody else's by now: that is found out, and is no data race. */
__attribute__((no_sanitize("thread"))) static uint64_t peek(const struct ilk_map_ *map, uint64_t at)
{
	return ilk_load_acquire_((const uint64_t *)(const void *)(map->base + at));
}

static void copy(const struct ilk_map_ *map, uint64_t at, void *to)
{
	uint64_t words[COPIED / sizeof(uint64_t)];

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		words[i] = peek(map, at + i * sizeof *words);
	memcpy(to, words, sizeof words);
}

/* Copies the entry at AT. 0; -EBADMSG it cannot be one. */
static int read_entry(const struct ilk_map_ *map, uint64_t at, struct ilk_found_ *found)
{
	uint64_t size = ilk_entry_bytes_(map->header.process_slots), ahead;
	struct ilk_entry_ *e = &found->entry;

	if (at < map->header.arena_at || at > map->bytes - size || at % 64)
		return -EBADMSG;
	ahead = map->bytes - at - size;
	if (ilk_map_look_(map, at, size + (ahead < ILK_ENTRY_AHEAD_ ? ahead : ILK_ENTRY_AHEAD_)) <
		0)
		return -EBADMSG;
	copy(map, at, e);
	found->at = at;
	found->offset = at + size;
	if (memchr(e->name, 0, sizeof e->name) == NULL || !ilk_type_(e->type) || e->serial == 0 ||
		e->state > ILK_ENTRY_NAMELESS_ || e->bytes > map->bytes - found->offset)
		return -EBADMSG;
	if (!ilk_name_is_printable_(e->name) || !e->name[0])
		return -EBADMSG;
	/* It was read before the name: of another entry, perhaps. */
	return e->hash == ilk_name_hash_(e->name) ? 0 : -EBADMSG;
}

/*
 * Is what was read of the entry with this serial, in one go, of one moment? In a picture it is, if
 * the serial was given before the directory was first looked at: who was freed since has another.
 */
static int is_whole(const struct ilk_map_ *map, uint64_t serial)
{
	return map->picture_of && serial > 0 && serial <= ilk_header_of_(map)->entries;
}

/* The next place of a walk. -EBADMSG: the entry it was read of is freed, so it may be anything. */
static int step_on(
	const struct ilk_map_ *map, struct ilk_found_ *found, uint64_t *serial, uint64_t *at)
{
	if (peek(map, found->from) == *at) {
		found->from = *at;
		*serial = found->entry.serial;
	}
	/* What a picture has read of an entry has `next` from before the serial. */
	if (!is_whole(map, *serial) &&
		ilk_map_look_(map, found->from, *serial ? COPIED : sizeof *at) < 0)
		return -EBADMSG;
	*at = peek(map, found->from);
	/* [D8] Weaker: what is behind a freed entry could be missed. 0: it is the bucket's word. */
	return *serial && peek(map, found->from + SERIAL) != *serial ? -EBADMSG : 0;
}

/*
 * Loops: every so often the place is noted, at steps twice as far apart each time, and a loop comes
 * by it again (R. P. Brent, An improved Monte Carlo factorization algorithm, 1980).
 */
int ilk_entries_in_(const struct ilk_map_ *map, uint32_t bucket,
	int (*each)(const struct ilk_found_ *found, void *arg), void *arg)
{
	uint64_t step = 0, next_note = 1, noted = 0, serial = 0, at;
	struct ilk_found_ found = {.from = ilk_bucket_at_(map, bucket)};

	at = load_word(map, found.from);
	while (at) {
		int rc = at == noted ? -EBADMSG : read_entry(map, at, &found);

		if (rc == 0 && ilk_bucket_(map, found.entry.hash) != bucket)
			rc = -EBADMSG;
		if (rc == 0)
			rc = each(&found, arg);
		if (rc != 0)
			return rc;
		if (++step > map->bytes / sizeof found.entry)
			return -EBADMSG;
		if (step == next_note) {
			noted = at;
			next_note *= 2;
		}
		if (step_on(map, &found, &serial, &at) < 0)
			return -EBADMSG;
	}
	return 0;
}

int ilk_entries_(const struct ilk_map_ *map, int (*each)(const struct ilk_found_ *found, void *arg),
	void *arg)
{
	int damaged = 0;

	for (uint32_t i = 0; i < map->header.buckets; i++) {
		int rc = ilk_entries_in_(map, i, each, arg);

		if (rc == -EBADMSG)
			damaged = rc;
		else if (rc != 0)
			return rc;
	}
	return damaged;
}
