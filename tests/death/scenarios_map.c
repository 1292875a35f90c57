/*
 * scenarios_map.c - changes of a map of one stripe: each entry is whole, and as it was or as it was to
 * be; no memory is lost.
 *
 * A value is so many words that are all the same. Keys below a row's number of entries are there
 * from the start.
 */
#include "data/find.h"
#include "scenarios.h"
#include "scene.h"
#include <errno.h>
#include <string.h>

enum { WORDS = 5, OLD = 3, NEW = 4, GONE = 0, ROUNDS = 30 };
enum { TARGET = 2, FRESH = 100, SUM = 200, OWN = 300, FULL = 7 };
enum { MOST_STEPS = 100 };

/* What a row asks of its map. */
struct shape {
	struct setting setting;
	uint64_t entries; /* with which the map begins */
	uint64_t key;     /* whose entry the victim changes: OLD if it is one of those */
	int may_vanish;   /* any entry may be gone */
};
static const struct shape some = {{8, 8, 0}, 5, TARGET, 0}, fresh = {{8, 8, 0}, 5, FRESH, 0},
			  full = {{8, 8, 0}, FULL, FRESH, 0}, none = {{8, 8, 0}, 0, FRESH, 0},
			  vanishing = {{8, 8, 0}, 5, TARGET, 1}, large = {{8, 8, 0}, 40, TARGET, 0};

static struct ilk_map_handle map;
static uint64_t blocks_before; /* of the founder: given out before there was a map */

static const struct shape *shape_of(const struct stage *s)
{
	return s->operation->setting;
}

/* ---- parts ---- */

static int open_map(struct stage *s)
{
	const struct ilk_map_options one = {.size = sizeof one, .stripes = 1};

	return EXPECT(s,
		ilk_map_open(mine.segment, "map", sizeof(uint64_t), WORDS * sizeof(uint64_t), &one,
			&map),
		0);
}

static int put(struct stage *s, uint64_t key, uint64_t number)
{
	uint64_t value[WORDS];

	for (int i = 0; i < WORDS; i++)
		value[i] = number;
	return EXPECT(s, ilk_map_put(&map, &key, value, sizeof value), 0);
}

/* A whole value's number; GONE; -1. */
static long get(struct stage *s, uint64_t key)
{
	uint64_t value[WORDS];
	size_t bytes = 0;
	int rc = ilk_map_get(&map, &key, value, sizeof value, &bytes);

	if (rc == -ENOENT)
		return GONE;
	if (expect(s, "ilk_map_get", rc, 0) < 0)
		return -1;
	if (bytes != sizeof value)
		return fail(s, "the value of %lu has %zu bytes", key, bytes);
	for (int i = 1; i < WORDS; i++)
		if (value[i] != value[0])
			return fail(s, "the value of %lu is torn", key);
	return (long)value[0];
}

static int fill(struct stage *s)
{
	for (uint64_t key = 0; key < shape_of(s)->entries; key++)
		if (put(s, key, OLD) < 0)
			return -1;
	return 0;
}

static int count_blocks(struct stage *s, uint64_t *blocks)
{
	struct ilk_usage usage;
	int rc = EXPECT(s, ilk_usage(mine.segment, &usage), 0);

	*blocks = usage.blocks;
	return rc;
}

static int found(struct stage *s)
{
	if (scene_found(s) < 0 || count_blocks(s, &blocks_before) < 0)
		return -1;
	return open_map(s) < 0 ? -1 : fill(s);
}

static int attach(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : open_map(s);
}

/* ---- the victim ---- */

static int put_new(struct stage *s)
{
	return put(s, shape_of(s)->key, NEW);
}

static int remove_target(struct stage *s)
{
	return EXPECT(s, ilk_map_remove(&map, &shape_of(s)->key), 0);
}

static int change_to_new(void *value, size_t *bytes, void *arg)
{
	uint64_t *word = value;

	(void)arg;
	for (int i = 0; i < WORDS; i++)
		word[i] = NEW;
	*bytes = WORDS * sizeof *word;
	return 0;
}

static int update(struct stage *s)
{
	return EXPECT(s, ilk_map_update(&map, &shape_of(s)->key, change_to_new, NULL), 0);
}

static int change_to_nothing(void *value, size_t *bytes, void *arg)
{
	(void)arg;
	memset(value, 1, *bytes);
	*bytes = ILK_MAP_ABSENT;
	return 0;
}

static int update_away(struct stage *s)
{
	return EXPECT(s, ilk_map_update(&map, &shape_of(s)->key, change_to_nothing, NULL), 0);
}

static int get_target(struct stage *s)
{
	return expect(s, "the value", (int)get(s, TARGET), OLD);
}

static int get_new(struct stage *s)
{
	return expect(s, "the value", (int)get(s, TARGET), NEW);
}

static int walk(struct stage *s)
{
	struct ilk_map_cursor cursor = {0, 0};
	uint64_t key, count = 0;
	int rc;

	while ((rc = ilk_map_next(&map, &cursor, &key, NULL, 0, NULL)) == 0)
		if (++count > MOST_STEPS)
			return fail(s, "a walk does not end");
	if (rc == -ENOENT && count < shape_of(s)->entries && !shape_of(s)->may_vanish)
		return fail(s, "a walk gave %lu entries", count);
	return expect(s, "ilk_map_next", rc, -ENOENT);
}

static int clear(struct stage *s)
{
	return EXPECT(s, ilk_map_clear(&map), 0);
}

/* The partner dies in the midst of a replacement: the new value is ready, and half copied. */
static int replace_half(struct stage *s)
{
	struct ilk_map_place_ place;
	struct ilk_map_view_ v;
	struct ilk_map_key_ k;
	struct ilk_map_slot_ *scratch;
	size_t bytes = 0;

	if (ilk_map_key_(&map, &shape_of(s)->key, &k) < 0 ||
		ilk_map_enter_(&map, 0, ILK_FOREVER, &v) < 0 || ilk_map_find_(&v, &k, &place) != 1)
		return fail(s, "there is nothing to replace");
	scratch = ilk_map_slot_(&v, 0);
	change_to_new(ilk_map_value_(&v, scratch), &bytes, NULL);
	scratch->value_bytes = (uint32_t)bytes;
	v.s->changing = place.slot;
	memcpy(ilk_map_value_(&v, place.entry), ilk_map_value_(&v, scratch), bytes / 2);
	v.s->free = 77;
	v.s->count = 1000;
	memset(v.buckets, 0x11, v.slots * sizeof *v.buckets);
	return 0;
}

/* ---- the survivors ---- */

static int check_entries(struct stage *s)
{
	const struct shape *shape = shape_of(s);

	for (uint64_t key = 0; key < shape->entries; key++) {
		long number = get(s, key);

		if (number < 0)
			return -1;
		if (number != OLD && key != shape->key && !(shape->may_vanish && number == GONE))
			return fail(s, "the value of %lu is %ld", key, number);
	}
	return EXPECT(s, ilk_map_check(&map), 0);
}

/* As it began. */
static int restore(struct stage *s)
{
	uint64_t key = shape_of(s)->key;
	int rc;

	if (key < shape_of(s)->entries)
		return put(s, key, OLD);
	rc = ilk_map_remove(&map, &key);
	return rc == -ENOENT ? 0 : expect(s, "ilk_map_remove", rc, 0);
}

/* Outcome: the number that the victim's key leads to. */
static int recover(struct stage *s)
{
	long number = get(s, shape_of(s)->key);

	if (number < 0 || check_entries(s) < 0)
		return -1;
	if (number != GONE && number != OLD && number != NEW)
		return fail(s, "the victim's key leads to %ld", number);
	if (s->first)
		s->board->outcome = number;
	return restore(s);
}

static int add_one(void *value, size_t *bytes, void *arg)
{
	(void)arg;
	++*(uint64_t *)value;
	*bytes = WORDS * sizeof(uint64_t);
	return 0;
}

static int check(struct stage *s)
{
	uint64_t own = OWN + (uint64_t)s->role, sum = SUM;

	for (uint64_t i = 1; i <= ROUNDS; i++) {
		if (EXPECT(s, ilk_map_update(&map, &sum, add_one, NULL), 0) < 0 ||
			put(s, own, i) < 0 || put(s, own + 10, i) < 0)
			return -1;
		if (expect(s, "my own value", (int)get(s, own), (int)i) < 0 || walk(s) < 0)
			return -1;
		if (EXPECT(s, ilk_map_remove(&map, &own), 0) < 0)
			return -1;
	}
	return EXPECT(s, ilk_object_close(map.map), 0);
}

static int audit_sum(struct stage *s)
{
	uint64_t sum = SUM, value[WORDS];

	if (open_map(s) < 0 || EXPECT(s, ilk_map_check(&map), 0) < 0)
		return -1;
	if (EXPECT(s, ilk_map_get(&map, &sum, value, sizeof value, NULL), 0) < 0)
		return -1;
	if (expect(s, "the sum", (int)value[0], 2 * ROUNDS) < 0)
		return -1;
	return EXPECT(s, ilk_object_close(map.map), 0);
}

/* Without the map as many blocks are given out as before it was made. */
static int audit_blocks(struct stage *s)
{
	int rc = ilk_object_remove(mine.segment, "map");
	uint64_t blocks;

	if (rc != -ENOENT && expect(s, "ilk_object_remove", rc, 0) < 0)
		return -1;
	if (count_blocks(s, &blocks) < 0)
		return -1;
	if (blocks != blocks_before)
		return fail(s, "%lu blocks are given out, and %lu before", blocks, blocks_before);
	return EXPECT(s, ilk_segment_valid(mine.segment), 0);
}

/* A block of the dead that was not published yet comes back where there is no room. */
static int audit(struct stage *s)
{
	void *memory;

	if (audit_sum(s) < 0)
		return -1;
	if (EXPECT(s, ilk_alloc(mine.segment, ilk_segment_bytes(mine.segment) - 4096, &memory),
		    -ENOSPC) < 0)
		return -1;
	return audit_blocks(s);
}

/* ---- rows ---- */

#define MAP_ROW(named, does, of, preparing, operating, first, last, ...)   \
	const struct operation map_##named##_row = {.name = "map_" #named, \
		.what = does,                                              \
		.setting = &of,                                            \
		.found = found,                                            \
		.attach = attach,                                          \
		.prepare = preparing,                                      \
		.operate = operating,                                      \
		.look = scene_look,                                        \
		.recover = recover,                                        \
		.check = check,                                            \
		.audit = audit,                                            \
		.before = first,                                           \
		.after = last,                                             \
		__VA_ARGS__}

MAP_ROW(put, "puts a new entry", fresh, attach, put_new, GONE, NEW);
MAP_ROW(put_again, "puts another value for a key", some, attach, put_new, OLD, NEW);
MAP_ROW(put_first, "puts the first entry, for which there is no room yet", none, attach, put_new,
	GONE, NEW);
MAP_ROW(put_grow, "puts an entry for which a stripe grows", full, attach, put_new, GONE, NEW);
MAP_ROW(remove, "removes an entry", some, attach, remove_target, OLD, GONE);
MAP_ROW(update, "changes an entry", some, attach, update, OLD, NEW);
MAP_ROW(update_new, "changes nothing into an entry", fresh, attach, update, GONE, NEW);
MAP_ROW(update_away, "changes an entry into nothing", some, attach, update_away, OLD, GONE);
MAP_ROW(get, "gets a value", some, attach, get_target, OLD, OLD);
MAP_ROW(walk, "walks over all entries", some, attach, walk, OLD, OLD);
MAP_ROW(clear, "removes all entries", vanishing, attach, clear, OLD, GONE);
MAP_ROW(recover, "gets a value of a stripe whose user died in a replacement", some, attach, get_new,
	NEW, NEW, .part = PART_DIES, .partner = replace_half);

/* ---- its storage ---- */

static int found_and_close(struct stage *s)
{
	return found(s) < 0 ? -1 : EXPECT(s, ilk_object_close(map.map), 0);
}

static int remove_map(struct stage *s)
{
	return EXPECT(s, ilk_object_remove(mine.segment, "map"), 0);
}

static int audit_free(struct stage *s)
{
	return audit_blocks(s) < 0 ? -1 : scene_audit(s);
}

const struct operation map_free_row = {
	.name = "map_free",
	.what = "removes a map, with all that it has grown to, which nobody has open",
	.setting = &large,
	.found = found_and_close,
	.attach = scene_attach,
	.prepare = scene_join,
	.operate = remove_map,
	.look = scene_look,
	.recover = scene_use,
	.check = scene_check,
	.audit = audit_free,
	.before = NO_OUTCOME,
	.after = NO_OUTCOME,
};
