/* words.c - damage that knows what words mean: links, sizes, owners, names, other builds. */
#include "mutate.h"
#include <string.h>

enum { MOST_AT_ONCE = 4 };

/* A place of one of the kinds. */
static uint32_t some(struct victim *v, const struct places *p)
{
	return chance_place(v, p);
}

/* --- links --- */

static void swapped_links(struct victim *v)
{
	for (uint64_t n = 1 + chance(v, MOST_AT_ONCE); n; n--) {
		uint32_t a = some(v, &v->places->links), b = some(v, &v->places->links);
		uint64_t word = get(v, a);

		put64(v, a, get(v, b));
		put64(v, b, word);
	}
}

/* Somewhere: a block, its bytes, an entry, an end, in the midst of things, outside. */
static uint64_t somewhere(struct victim *v)
{
	switch (chance(v, 8)) {
	case 0:
	case 1:
		return some(v, &v->places->blocks);
	case 2:
		return some(v, &v->places->blocks) + sizeof(struct ilk_block_header_);
	case 3:
		return some(v, &v->places->entries);
	case 4:
		return v->count - 8 * chance(v, 20);
	case 5:
		return chance(v, v->count + 1);
	case 6:
		return chance(v, v->count + 1) & ~63ull;
	default:
		return some(v, &v->places->links);
	}
}

static void links_elsewhere(struct victim *v)
{
	for (uint64_t n = 1 + chance(v, MOST_AT_ONCE); n; n--)
		put64(v, some(v, &v->places->links), somewhere(v));
}

/* Entries that lead to themselves, or to one that leads back; buckets that share a list. */
static void loops_of_entries(struct victim *v)
{
	const struct ilk_header_ *h = &v->places->header;
	uint32_t a = some(v, &v->places->entries), b = some(v, &v->places->entries);

	if (!v->places->entries.count)
		return;
	put64(v, a, b);
	if (chance(v, 2))
		put64(v, b, a);
	if (chance(v, 2))
		put64(v, h->buckets_at + 8 * chance(v, h->buckets), a);
	if (chance(v, 2)) /* of one bucket, so that a walk goes round and does not stop */
		for (unsigned i = 0; i < v->places->entries.count; i++)
			put32(v, v->places->entries.at[i] + offsetof(struct ilk_entry_, hash), 0);
}

/* The same with free blocks, and with blocks that are before themselves. */
static void loops_of_blocks(struct victim *v)
{
	static const uint32_t fields[] = {offsetof(struct ilk_block_header_, list_next),
		offsetof(struct ilk_block_header_, list_last),
		offsetof(struct ilk_block_header_, before)};
	uint64_t first = v->places->header.lists_at + offsetof(struct ilk_free_lists_, first);
	uint32_t a = some(v, &v->places->blocks), b = some(v, &v->places->blocks);

	put64(v, a + fields[chance(v, 4) % 3], b);
	put64(v, b + fields[chance(v, 4) % 3], a);
	if (chance(v, 2))
		put64(v, a, get(v, a) & ~1ull);
	if (chance(v, 2))
		put64(v, b, get(v, b) & ~1ull);
	if (chance(v, 2)) {
		uint64_t list = chance(v, chance(v, 2) ? 40 : ILK_LISTS_);

		put64(v, first + 8 * list, a);
		put64(v, v->places->header.lists_at + list / 64 * 8, UINT64_MAX);
	}
}

/* A small free block follows itself, in lists of larger ones. */
static void ring_of_one_block(struct victim *v)
{
	uint64_t first = v->places->header.lists_at + offsetof(struct ilk_free_lists_, first);
	uint32_t a = some(v, &v->places->blocks);

	put64(v, a, 64 + 64 * chance(v, 2));
	put64(v, a + offsetof(struct ilk_block_header_, list_next), a);
	put64(v, a + offsetof(struct ilk_block_header_, list_last), chance(v, 2) ? a : 0);
	put64(v, v->places->header.lists_at, UINT64_MAX);
	for (uint64_t list = 1 + chance(v, 8); list < 64; list++)
		put64(v, first + 8 * list, a);
}

/* --- sizes --- */

static uint64_t extreme(struct victim *v)
{
	static const uint64_t bases[] = {0, 1ull << 31, 1ull << 32, 1ull << 39, 1ull << 40,
		1ull << 47, 1ull << 63, UINT64_MAX};
	uint64_t base = bases[chance(v, 8)], by = chance(v, 2) ? chance(v, 4) : 64 * chance(v, 4);

	if (chance(v, 4) == 0)
		base = v->count;
	return chance(v, 2) ? base + by : base - by;
}

static void extreme_sizes(struct victim *v)
{
	for (uint64_t n = 1 + chance(v, MOST_AT_ONCE); n; n--)
		put64(v, some(v, &v->places->sizes), extreme(v));
}

static void extreme_links(struct victim *v)
{
	for (uint64_t n = 1 + chance(v, MOST_AT_ONCE); n; n--)
		put64(v, some(v, &v->places->links), extreme(v));
}

/* A block of another size, which may well fit. */
static void sizes_of_blocks(struct victim *v)
{
	for (uint64_t n = 1 + chance(v, 2); n; n--)
		put64(v, some(v, &v->places->blocks), 64 * chance(v, 40) + chance(v, 2));
}

/* --- who --- */

/* Those of slots that are used, those of slots that a newcomer will take, and none. */
static uint32_t owner(struct victim *v)
{
	uint32_t flags = chance(v, 2) ? 0 : (uint32_t)chance(v, 16);

	switch (chance(v, 8)) {
	case 0:
		return flags;
	case 1:
		return (uint32_t)chance(v, UINT32_MAX);
	case 2:
		return ilk_owner_word_(v->places->header.thread_slots, 0) | flags;
	case 3:
		return ilk_owner_word_(4094, (uint32_t)chance(v, 65536)) | flags;
	default:
		return ilk_owner_word_((uint32_t)chance(v, 8), (uint32_t)chance(v, 3)) | flags;
	}
}

static void owners(struct victim *v)
{
	for (uint64_t n = 1 + chance(v, MOST_AT_ONCE); n; n--)
		put32(v, some(v, &v->places->owners), owner(v));
}

/* Alone, since it is before all else. */
static void owner_of_guard(struct victim *v)
{
	put32(v, offsetof(struct ilk_header_, guard.owner), owner(v));
}

static void lives(struct victim *v)
{
	const struct ilk_header_ *h = &v->places->header;
	const uint32_t whose[] = {0, 1, 2, h->process_slots, h->process_slots + 1, 4095, 4096,
		ILK_THREAD_RETIRED_ - 1, ILK_THREAD_RETIRED_};
	const uint32_t generations[] = {0, 1, ILK_LAST_GENERATION_};

	for (uint64_t n = 1 + chance(v, h->thread_slots); n; n--)
		put64(v, some(v, &v->places->lives),
			ilk_life_word_((uint32_t)chance(v, 3), generations[chance(v, 3)],
				whose[chance(v, sizeof whose / sizeof *whose)]));
	if (chance(v, 2))
		put64(v, h->processes_at + chance(v, h->process_slots) * 128,
			chance(v, 1ull << 34));
}

/* Whoever is in a slot waits for something, somewhere, of somebody's. */
static void wait_records(struct victim *v)
{
	const struct ilk_header_ *h = &v->places->header;

	for (uint64_t n = 1 + chance(v, MOST_AT_ONCE); n; n--) {
		uint64_t slot = chance(v, h->thread_slots);
		uint64_t at = h->threads_at + slot * sizeof(struct ilk_thread_slot_);
		uint64_t life = ilk_life_word_(1, 0, 1 + (uint32_t)chance(v, h->process_slots));

		put64(v, at + offsetof(struct ilk_thread_slot_, life), life);
		put32(v, at + offsetof(struct ilk_thread_slot_, wait_sequence),
			(uint32_t)chance(v, 5));
		put32(v, at + offsetof(struct ilk_thread_slot_, wait_owner), owner(v));
		put64(v, at + offsetof(struct ilk_thread_slot_, wait_object),
			chance(v, 4) ? somewhere(v) : extreme(v));
		put32(v, at + offsetof(struct ilk_thread_slot_, wait_type), (uint32_t)chance(v, 6));
		put64(v, at + offsetof(struct ilk_thread_slot_, wait_since), extreme(v));
	}
}

/* Pairs of what are no locks, or the same, or everywhere; told, and by whom it may be. */
static void pairs_of_locks(struct victim *v)
{
	const struct places *keys = &v->places->keys;
	uint64_t held = v->places->header.order_at + sizeof(struct ilk_order_) +
			offsetof(struct ilk_held_list_, held);

	if (!keys->count)
		return;
	for (uint64_t n = chance(v, 2) ? keys->count : 1 + chance(v, MOST_AT_ONCE); n; n--) {
		uint64_t at = some(v, keys), first = somewhere(v) >> 6, then = somewhere(v) >> 6;
		uint64_t key = chance(v, 4) ? first << 32 | then : extreme(v);

		put64(v, at, key);
		put64(v, at + offsetof(struct ilk_pair_, told), chance(v, 4) ? key : extreme(v));
		put32(v, at + offsetof(struct ilk_pair_, owner), owner(v));
		put32(v, at + offsetof(struct ilk_pair_, how), (uint32_t)chance(v, 1024));
		put64(v, at + offsetof(struct ilk_pair_, gates), chance(v, 2) ? first : extreme(v));
	}
	for (uint64_t n = 1 + chance(v, 40); n; n--) {
		uint64_t list = chance(v, v->places->header.thread_slots), i = chance(v, 25);

		put64(v, held + list * sizeof(struct ilk_held_list_) + i * 16,
			(chance(v, 4) ? somewhere(v) & ~63ull : extreme(v)) + chance(v, 5));
	}
}

/* Somebody died in the guard, with blocks that are his or almost everybody's. */
static void left_in_the_midst(struct victim *v)
{
	const uint32_t dead = ilk_owner_word_(0, 3);

	put32(v, offsetof(struct ilk_header_, guard.owner), dead);
	for (uint64_t n = 1 + chance(v, 6); n; n--) {
		uint64_t at = some(v, &v->places->blocks);

		put32(v, at + offsetof(struct ilk_block_header_, owner), dead);
		put64(v, at + offsetof(struct ilk_block_header_, link_at),
			chance(v, 2) ? somewhere(v) : extreme(v));
	}
}

/* --- names --- */

/* Half the time the segment's own or a slot's, which come first. */
static void name(struct victim *v)
{
	static const char *const kinds[] = {"\x1b[31m", "\xff\xfe", "\xc0\x80", "", "\"\\", "\n\r",
		"\xed\xa0\x80", "\xc2\x9b", "A"};
	const struct ilk_header_ *h = &v->places->header;
	const uint32_t first = 1 + h->process_slots + h->thread_slots;
	uint64_t i = chance(v, chance(v, 2) ? first : v->places->names.count);
	const char *kind = kinds[chance(v, sizeof kinds / sizeof *kinds)];
	char text[ILK_NAME_BYTES_];

	memset(text, chance(v, 2) ? 'A' : 0xf4, sizeof text);
	memcpy(text, kind, strlen(kind) + (chance(v, 2) ? 1 : 0));
	put(v, v->places->names.at[i], text, v->places->name_bytes[i]);
}

static void names(struct victim *v)
{
	for (uint64_t n = 4 + chance(v, 16); n; n--)
		name(v);
}

/* --- other builds --- */

static void other_layout(struct victim *v)
{
	const uint64_t at = offsetof(struct ilk_header_, layout) + chance(v, ILK_LAYOUT_FIELDS_);
	const uint8_t values[] = {0, 1, 2, 4, 8, 16, 255, (uint8_t)chance(v, 256)};

	put(v, at, &values[chance(v, sizeof values)], 1);
}

static void other_version(struct victim *v)
{
	static const uint32_t versions[] = {0, 2, 3, 0x01000000, 0x7fffffff, UINT32_MAX};

	put32(v, offsetof(struct ilk_header_, version), versions[chance(v, 6)]);
	if (chance(v, 2))
		put32(v, offsetof(struct ilk_header_, header_bytes), 64u << chance(v, 8));
}

/* Every word of the header as a machine of the other byte order writes it. */
static void other_byte_order(struct victim *v)
{
	for (uint64_t at = 0; at < offsetof(struct ilk_header_, name); at += 8)
		put64(v, at, __builtin_bswap64(get(v, at)));
	if (chance(v, 2)) /* read as ours, but for the word that says so */
		put64(v, 0, ILK_MAGIC_);
}

/* Other numbers of slots; with all that follows from them, or without. */
static void other_slots(struct victim *v)
{
	struct ilk_header_ h = v->places->header;

	h.process_slots = (uint32_t)chance(v, chance(v, 2) ? 40 : 5000);
	h.thread_slots = (uint32_t)chance(v, chance(v, 2) ? 40 : 5000);
	h.threads_at = h.processes_at + h.process_slots * sizeof(struct ilk_process_slot_);
	h.buckets_at = h.threads_at + h.thread_slots * sizeof(struct ilk_thread_slot_);
	h.lists_at = h.buckets_at + h.buckets * sizeof(uint64_t);
	h.arena_at = h.lists_at + sizeof(struct ilk_free_lists_);
	if (h.order_at) {
		h.order_at = h.arena_at;
		h.arena_at += sizeof(struct ilk_order_) +
			      h.thread_slots * sizeof(struct ilk_held_list_) +
			      h.order_pairs * (sizeof(struct ilk_pair_) + 4);
	}
	if (chance(v, 4))
		put(v, 0, &h, sizeof h);
	else
		put(v, offsetof(struct ilk_header_, process_slots), &h.process_slots, 8);
}

const struct family word_families[] = {
	{"swapped offsets", swapped_links},
	{"offsets elsewhere", links_elsewhere},
	{"loops of entries", loops_of_entries},
	{"loops of blocks", loops_of_blocks},
	{"a ring of one block", ring_of_one_block},
	{"extreme sizes", extreme_sizes},
	{"extreme offsets", extreme_links},
	{"sizes of blocks", sizes_of_blocks},
	{"owner words", owners},
	{"the guard's owner", owner_of_guard},
	{"life words", lives},
	{"wait records", wait_records},
	{"left in the midst", left_in_the_midst},
	{"pairs of locks", pairs_of_locks},
	{"names", names},
	{"another layout", other_layout},
	{"another version", other_version},
	{"another byte order", other_byte_order},
	{"other numbers of slots", other_slots},
	{NULL, NULL},
};
