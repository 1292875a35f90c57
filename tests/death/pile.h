/* pile.h - a list of items that begins in a named block: each item a block of the arena. */
#ifndef DEATH_PILE_H
#define DEATH_PILE_H

#include "scene.h"

struct item {
	ILK_REF(struct item) next;
	uint64_t bytes;
	uint64_t pattern[];
};

struct pile {
	ILK_REF(struct item) first, fence; /* the fence keeps what is before it from joining */
	uint64_t blocks;                   /* given out before the victim came */
};

extern struct pile *pile;

/* 0, or what fail() returned. The mutex, where it is needed, is the caller's. */
int pile_open(struct stage *s);
int pile_put(struct stage *s, struct item *item);
int pile_put_new(struct stage *s, size_t bytes);
int pile_take(struct stage *s);   /* takes the first one off, if there is one */
long pile_count(struct stage *s); /* how many items it has, all whole; -1 */

/* An item of BYTES bytes, this thread's own; NULL: it cannot be had. */
struct item *pile_make_item(struct stage *s, size_t bytes);

#endif
