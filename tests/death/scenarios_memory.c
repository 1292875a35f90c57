/*
 * scenarios_memory.c - blocks given out, published and freed: linked and everybody's, or neither.
 *
 * A pile is a list of items that begins in a named block. Who meets the remains puts an item on it,
 * or takes one off, before anything else, and then has the memory of the dead collected: what the
 * pile leads to must be whole all the while. In the end it is emptied, and as much must be used,
 * and as much in one piece be free, as where nobody died.
 */
#include "pile.h"
#include "scenarios.h"
#include <errno.h>

enum { ITEM = 200, ALIGNED = 1024 };

struct kind {
	struct setting setting;        /* first: a row's `setting` is this */
	int (*lay)(struct stage *s);   /* what is there before the victim comes */
	long (*seen)(struct stage *s); /* the outcome; negative: something is wrong */
};

static const struct kind *kind_of(const struct stage *s)
{
	return s->operation->setting;
}

static struct item *fresh; /* the victim's own */
static struct item *spare; /* the early survivor's: to be published without an allocation first */

/* ---- founding, attaching ---- */

static int found(struct stage *s)
{
	struct ilk_usage usage;

	if (scene_found(s) < 0 || pile_open(s) < 0)
		return -1;
	spare = pile_make_item(s, 3 * ITEM);
	if (!spare || kind_of(s)->lay(s) < 0)
		return -1;
	if (EXPECT(s, ilk_usage(mine.segment, &usage), 0) < 0)
		return -1;
	pile->blocks = usage.blocks;
	return 0;
}

static int attach(struct stage *s)
{
	return scene_join(s) < 0 ? -1 : pile_open(s);
}

static int lay_nothing(struct stage *s)
{
	(void)s;
	return 0;
}

static int lay_one(struct stage *s)
{
	return pile_put_new(s, ITEM);
}

static int lay_two(struct stage *s)
{
	return lay_one(s) < 0 ? -1 : pile_put_new(s, 2 * ITEM);
}

static int lay_three(struct stage *s)
{
	return lay_two(s) < 0 ? -1 : pile_put_new(s, 3 * ITEM);
}

static int lay_fence(struct stage *s)
{
	struct item *item = pile_make_item(s, ITEM);

	return item ? EXPECT(s, ilk_publish(mine.segment, item, &pile->fence), 0) : -1;
}

/* A hole that an item fits into exactly. */
static int lay_hole(struct stage *s)
{
	struct item *item = pile_make_item(s, ITEM);

	if (!item || lay_fence(s) < 0)
		return -1;
	return EXPECT(s, ilk_free_alone(mine.segment, item), 0);
}

/* An item between two holes. */
static int lay_between_holes(struct stage *s)
{
	struct item *before = pile_make_item(s, ITEM), *after;

	if (!before || lay_one(s) < 0)
		return -1;
	after = pile_make_item(s, ITEM);
	if (!after || lay_fence(s) < 0)
		return -1;
	if (EXPECT(s, ilk_free_alone(mine.segment, before), 0) < 0)
		return -1;
	return EXPECT(s, ilk_free_alone(mine.segment, after), 0);
}

/* ---- the victim ---- */

static int prepare_item(struct stage *s)
{
	if (attach(s) < 0)
		return -1;
	fresh = pile_make_item(s, ITEM);
	return fresh ? 0 : -1;
}

static int prepare_item_and_lock(struct stage *s)
{
	return prepare_item(s) < 0 ? -1 : EXPECT(s, ilk_mutex_lock(mine.mutex), 0);
}

static int prepare_and_lock(struct stage *s)
{
	return attach(s) < 0 ? -1 : EXPECT(s, ilk_mutex_lock(mine.mutex), 0);
}

static int alloc(struct stage *s)
{
	void *memory;

	return EXPECT(s, ilk_alloc(mine.segment, ITEM, &memory), 0);
}

static int alloc_aligned(struct stage *s)
{
	void *memory;

	return EXPECT(s, ilk_alloc_aligned(mine.segment, ITEM, ALIGNED, &memory), 0);
}

static int put_fresh(struct stage *s)
{
	return pile_put(s, fresh);
}

static int put_behind_first(struct stage *s)
{
	struct item *first = ilk_at(mine.segment, pile->first);

	return EXPECT(s, ilk_publish(mine.segment, fresh, &first->next), 0);
}

/* The wrong pattern: first linked, then everybody's. A death between leaves what will be freed. */
static int put_linked_first(struct stage *s)
{
	fresh->next.any = pile->first.any;
	pile->first.any = ilk_ref_to(mine.segment, fresh);
	ilk_compiler_barrier_();
	return EXPECT(s, ilk_publish_alone(mine.segment, fresh), 0);
}

/* And the reverse: a death between loses the item. */
static int put_linked_last(struct stage *s)
{
	fresh->next.any = pile->first.any;
	if (EXPECT(s, ilk_publish_alone(mine.segment, fresh), 0) < 0)
		return -1;
	ilk_compiler_barrier_();
	pile->first.any = ilk_ref_to(mine.segment, fresh);
	return 0;
}

/* ---- the survivors ---- */

/* An allocation that cannot be has the blocks of the dead collected first. */
static int collect(struct stage *s)
{
	void *memory;

	return EXPECT(
		s, ilk_alloc(mine.segment, ilk_segment_bytes(mine.segment), &memory), -ENOSPC);
}

static int valid(struct stage *s)
{
	return EXPECT(s, ilk_segment_valid(mine.segment), 0);
}

/* How many blocks more than before the victim came. */
static long see_blocks(struct stage *s)
{
	struct ilk_usage usage;

	if (EXPECT(s, ilk_usage(mine.segment, &usage), 0) < 0)
		return -1;
	return (long)(usage.blocks - pile->blocks);
}

static int go_on(struct stage *s)
{
	if (s->role == ROLE_EARLY)
		return pile_put(s, spare);
	return s->order == LATE_FIRST ? pile_take(s) : pile_put_new(s, 3 * ITEM);
}

/* With the mutex held: goes on at once, and then sees whether all is there. */
static int go_on_and_look(struct stage *s)
{
	if (go_on(s) < 0 || pile_count(s) < 0)
		return -1;
	/* What is freed, or collected, is given out again: as large, and with other bytes in it. */
	if (pile_put_new(s, 3 * ITEM) < 0 || pile_put_new(s, ITEM + 8) < 0)
		return -1;
	if (collect(s) < 0 || pile_put_new(s, ITEM + 16) < 0)
		return -1;
	return pile_count(s) < 0 ? -1 : 0;
}

static int recover(struct stage *s)
{
	int rc = ilk_mutex_lock(mine.mutex);

	if (rc != 0 && rc != ILK_RECOVERED)
		return expect(s, "ilk_mutex_lock", rc, ILK_RECOVERED);
	if (scene_change(s, rc != 0) < 0)
		return -1;
	if (s->first)
		s->board->outcome = kind_of(s)->seen(s);
	if ((s->first && s->board->outcome < 0) || go_on_and_look(s) < 0)
		return -1;
	if (rc && EXPECT(s, ilk_mutex_repaired(mine.mutex), 0) < 0)
		return -1;
	return EXPECT(s, ilk_mutex_unlock(mine.mutex), 0);
}

/* One more or one less, in turns. */
static int use_pile(struct stage *s, unsigned round)
{
	int rc;

	if (EXPECT(s, ilk_mutex_lock(mine.mutex), 0) < 0)
		return -1;
	rc = round % 2 ? pile_take(s) : pile_put_new(s, ITEM + 100 * (round % 5));
	if (rc < 0 || pile_count(s) < 0)
		return -1;
	return EXPECT(s, ilk_mutex_unlock(mine.mutex), 0);
}

static int check(struct stage *s)
{
	for (unsigned i = 0; i < SCENE_ROUNDS; i++)
		if (use_pile(s, i) < 0)
			return -1;
	return valid(s) < 0 ? -1 : scene_check(s);
}

/* ---- lost memory ---- */

static int empty_pile(struct stage *s)
{
	while (pile->first.any.offset)
		if (pile_take(s) < 0)
			return -1;
	return 0;
}

static int compare(struct stage *s, const char *what, int i, uint64_t bytes)
{
	long without = s->board->reference[i];

	return bytes == (uint64_t)without
		       ? 0
		       : fail(s, "%s: %lu bytes, %ld without a death", what, bytes, without);
}

/* The largest piece can be had at once, whatever the dead had. */
static int audit(struct stage *s)
{
	struct ilk_usage usage;
	void *memory;

	if (empty_pile(s) < 0 || EXPECT(s, ilk_usage(mine.segment, &usage), 0) < 0)
		return -1;
	if (s->reference) {
		s->board->reference[0] = (long)usage.used;
		s->board->reference[1] = (long)usage.largest;
	}
	usage.largest = (uint64_t)s->board->reference[1];
	if (EXPECT(s, ilk_alloc(mine.segment, usage.largest, &memory), 0) < 0)
		return -1;
	if (EXPECT(s, ilk_free_alone(mine.segment, memory), 0) < 0)
		return -1;
	if (collect(s) < 0 || EXPECT(s, ilk_usage(mine.segment, &usage), 0) < 0)
		return -1;
	if (compare(s, "used", 0, usage.used) < 0 ||
		compare(s, "largest piece", 1, usage.largest) < 0)
		return -1;
	return scene_audit(s);
}

/* ---- rows ---- */

static const struct kind nothing_there = {{8, 8, 0}, lay_nothing, see_blocks},
			 hole_there = {{8, 8, 0}, lay_hole, see_blocks},
			 empty = {{8, 8, 0}, lay_nothing, pile_count},
			 between_holes = {{8, 8, 0}, lay_between_holes, pile_count},
			 one = {{8, 8, 0}, lay_one, pile_count},
			 three = {{8, 8, 0}, lay_three, pile_count},
			 two = {{8, 8, 0}, lay_two, pile_count};

#define MEMORY_ROW(row, named, does, of, preparing, operating, first, last) \
	const struct operation row = {                                      \
		.name = named,                                              \
		.what = does,                                               \
		.setting = &of,                                             \
		.found = found,                                             \
		.attach = attach,                                           \
		.prepare = preparing,                                       \
		.operate = operating,                                       \
		.look = scene_look,                                         \
		.recover = recover,                                         \
		.check = check,                                             \
		.audit = audit,                                             \
		.before = first,                                            \
		.after = last,                                              \
	}

MEMORY_ROW(memory_alloc_row, "memory_alloc", "takes a block off a big one", nothing_there, attach,
	alloc, 0, 1);
MEMORY_ROW(memory_alloc_aligned_row, "memory_alloc_aligned", "takes an aligned block out of a big",
	nothing_there, attach, alloc_aligned, 0, 1);
MEMORY_ROW(memory_alloc_from_list_row, "memory_alloc_from_list", "takes a block that fits exactly",
	hole_there, attach, alloc, 0, 1);
MEMORY_ROW(memory_publish_row, "memory_publish", "publishes a block in an empty reference", empty,
	prepare_item, put_fresh, 0, 1);
MEMORY_ROW(memory_push_row, "memory_push", "publishes a block at the head of a list", two,
	prepare_item_and_lock, put_fresh, 2, 3);
MEMORY_ROW(memory_append_row, "memory_append", "publishes a block behind another", one,
	prepare_item_and_lock, put_behind_first, 1, 2);
MEMORY_ROW(memory_free_row, "memory_free", "frees a block between two holes", between_holes,
	prepare_and_lock, pile_take, 1, 0);
MEMORY_ROW(memory_pop_row, "memory_pop", "frees the head of a list", three, prepare_and_lock,
	pile_take, 3, 2);

MEMORY_ROW(memory_linked_first_row, "memory_linked_first", "links, then publishes", two,
	prepare_item_and_lock, put_linked_first, 2, 3);
MEMORY_ROW(memory_linked_last_row, "memory_linked_last", "publishes, then links", two,
	prepare_item_and_lock, put_linked_last, 2, 3);
