/* flips.c - damage that knows little: bits, pages, lengths. */
#include "mutate.h"
#include <string.h>

/* Flips 1 to 16 bits among COUNT bytes at AT. */
static void flip(struct victim *v, uint64_t at, uint64_t count)
{
	uint64_t n = 1 + chance(v, chance(v, 4) ? 3 : 16);

	if (at >= v->count)
		return;
	if (count > v->count - at)
		count = v->count - at;
	for (; n; n--)
		v->bytes[at + chance(v, count)] ^= (uint8_t)(1u << chance(v, 8));
}

static void flip_anywhere(struct victim *v)
{
	flip(v, 0, v->count ? v->count : 1);
}

static void flip_header(struct victim *v)
{
	flip(v, 0, sizeof(struct ilk_header_));
}

static void flip_slots(struct victim *v)
{
	const struct ilk_header_ *h = &v->places->header;

	flip(v, h->processes_at, h->buckets_at - h->processes_at);
}

static void flip_buckets(struct victim *v)
{
	const struct ilk_header_ *h = &v->places->header;

	flip(v, h->buckets_at, h->lists_at - h->buckets_at);
}

static void flip_lists(struct victim *v)
{
	const struct ilk_header_ *h = &v->places->header;

	flip(v, h->lists_at, h->arena_at - h->lists_at);
}

static void flip_block(struct victim *v)
{
	flip(v, chance_place(v, &v->places->blocks), sizeof(struct ilk_block_header_));
}

/* With the object behind it. */
static void flip_entry(struct victim *v)
{
	if (v->places->entries.count)
		flip(v, chance_place(v, &v->places->entries), sizeof(struct ilk_entry_) + 64);
}

/* --- lengths --- */

static void cut_off(struct victim *v)
{
	v->count = chance(v, 4) ? chance(v, v->count + 1) : chance(v, v->count + 1) & ~4095ull;
}

/* With zeros, with garbage, or with what stands at its beginning. */
static void extend(struct victim *v)
{
	uint64_t more = 1 + chance(v, FUZZ_SEED_BYTES), kind = chance(v, 3);

	if (chance(v, 2))
		more = (more + 4095) & ~4095ull;
	if (more > FUZZ_ROOM - v->count)
		more = FUZZ_ROOM - v->count;
	for (uint64_t i = 0; i < more; i++)
		v->bytes[v->count + i] = kind == 0   ? 0
					 : kind == 1 ? (uint8_t)chance(v, 256)
						     : v->bytes[i];
	v->count += more;
	if (chance(v, 2))
		put64(v, offsetof(struct ilk_header_, bytes), v->count);
}

/* --- pages --- */

static void fill(struct victim *v, uint64_t at, uint64_t end)
{
	static const uint64_t plain[] = {0, UINT64_MAX, 0x0101010101010101, 0x4141414141414141};
	uint64_t kind = chance(v, 8);

	for (; at < end; at += 8)
		put64(v, at, kind < 4 ? plain[kind] : chance(v, UINT64_MAX));
}

static void random_pages(struct victim *v)
{
	uint64_t pages = v->count / 4096, n = 1 + chance(v, 2);

	while (pages && n--) {
		uint64_t at = chance(v, pages) * 4096;

		fill(v, at, at + 4096);
	}
}

/* All but the header. */
static void random_behind_header(struct victim *v)
{
	fill(v, sizeof(struct ilk_header_), v->count);
}

/* A page stands in the place of another. */
static void moved_page(struct victim *v)
{
	uint64_t pages = v->count / 4096;
	uint8_t page[4096];

	if (pages < 2)
		return;
	memcpy(page, v->bytes + chance(v, pages) * 4096, sizeof page);
	put(v, chance(v, pages) * 4096, page, sizeof page);
}

const struct family flip_families[] = {
	{"bits anywhere", flip_anywhere},
	{"bits of the header", flip_header},
	{"bits of slots", flip_slots},
	{"bits of buckets", flip_buckets},
	{"bits of lists", flip_lists},
	{"bits of a block header", flip_block},
	{"bits of an entry", flip_entry},
	{"cut off", cut_off},
	{"extended", extend},
	{"random pages", random_pages},
	{"random behind the header", random_behind_header},
	{"a page elsewhere", moved_page},
	{NULL, NULL},
};
