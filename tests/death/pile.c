/* pile.c - making items, putting them on a pile, taking them off, looking at them. */
#include "pile.h"

enum { MOST = 2 * SCENE_ROUNDS };

struct pile *pile;

int pile_open(struct stage *s)
{
	void *memory;

	if (EXPECT(s, ilk_block_open(mine.segment, "pile", sizeof *pile, &memory), 0) < 0)
		return -1;
	pile = memory;
	return 0;
}

/* ---- items ---- */

static uint64_t pattern_of(uint64_t bytes, uint64_t i)
{
	return (bytes << 32 | i) * 0x9e3779b97f4a7c15u;
}

static uint64_t words_of(uint64_t bytes)
{
	return (bytes - sizeof(struct item)) / sizeof(uint64_t);
}

struct item *pile_make_item(struct stage *s, size_t bytes)
{
	void *memory = NULL;
	struct item *item;

	if (EXPECT(s, ilk_alloc(mine.segment, bytes, &memory), 0) < 0)
		return NULL;
	item = memory;
	item->bytes = bytes;
	for (uint64_t i = 0; i < words_of(bytes); i++)
		item->pattern[i] = pattern_of(bytes, i);
	return item;
}

static int is_whole(struct stage *s, const struct item *item)
{
	if (item->bytes < sizeof *item || item->bytes > ilk_segment_bytes(mine.segment))
		return fail(s, "an item of %lu bytes", item->bytes);
	for (uint64_t i = 0; i < words_of(item->bytes); i++)
		if (item->pattern[i] != pattern_of(item->bytes, i))
			return fail(s, "word %lu of an item of %lu bytes is not its own", i,
				item->bytes);
	return 0;
}

/* ---- the pile ---- */

long pile_count(struct stage *s)
{
	const struct item *item = ilk_at(mine.segment, pile->first);
	long count = 0;

	for (; item; item = ilk_at(mine.segment, item->next), count++) {
		if (count > MOST)
			return fail(s, "the pile leads into itself");
		if (is_whole(s, item) < 0)
			return -1;
	}
	return count;
}

int pile_put(struct stage *s, struct item *item)
{
	item->next.any = pile->first.any;
	return EXPECT(s, ilk_publish(mine.segment, item, &pile->first), 0);
}

int pile_put_new(struct stage *s, size_t bytes)
{
	struct item *item = pile_make_item(s, bytes);

	return item ? pile_put(s, item) : -1;
}

int pile_take(struct stage *s)
{
	struct item *item = ilk_at(mine.segment, pile->first);

	if (!item)
		return 0;
	return EXPECT(s, ilk_free(mine.segment, item, &pile->first, item->next.any), 0);
}
