/*
 * order.h - which locks a thread holds, and in which orders locks were asked for; of segments that
 * keep such a history (ILK_SEGMENT_ORDER), and for their sake alone. The lists: held.c; the pairs, and
 * what both mean: order.c.
 *
 * A primitive says ilk_seek_() before it waits, ilk_taken_() after it has the lock, ilk_left_() before it
 * lets go. In other segments each is one comparison, on paths that are not the fast ones: in a segment
 * with history those are off, since their place is not found in ilk_thread_.
 */
#ifndef ILK_SEGMENT_ORDER_H
#define ILK_SEGMENT_ORDER_H

#include "segment/registry.h"

/* KIND is ILK_HELD_... in all of these; LOCK lies in the cached place. */
void ilk_order_seek_(const void *lock, uint32_t kind);
void ilk_order_taken_(const void *lock, uint32_t kind);
void ilk_order_turned_(const void *lock, uint32_t kind);
void ilk_order_left_(const void *lock);

/* Are there fast paths in the cached place? Else what is taken is noted. */
static inline int ilk_is_noted_(void)
{
	return __builtin_expect(ilk_thread_.bytes == 0, 0) != 0;
}

/* The calling thread may be about to wait for LOCK, until DEADLINE: then all that it holds precedes it. */
static inline void ilk_seek_(const void *lock, uint32_t kind, ilk_time deadline)
{
	if (ilk_is_noted_() && deadline != ILK_NOW)
		ilk_order_seek_(lock, kind);
}

/* It has it. */
static inline void ilk_taken_(const void *lock, uint32_t kind)
{
	if (ilk_is_noted_())
		ilk_order_taken_(lock, kind);
}

/* What it has becomes of KIND. */
static inline void ilk_turned_(const void *lock, uint32_t kind)
{
	if (ilk_is_noted_())
		ilk_order_turned_(lock, kind);
}

/* It lets it go, for good. */
static inline void ilk_left_(const void *lock)
{
	if (ilk_is_noted_())
		ilk_order_left_(lock);
}

/* The list of thread slot SLOT becomes OWNER's, and empty. */
void ilk_order_introduce_(const struct ilk_map_ *map, uint32_t slot, uint32_t owner);

/* What is at AT, and the COUNT bytes from there on, is no lock that the history knows. */
void ilk_order_forget_(const struct ilk_map_ *map, uint64_t at, uint64_t count);

/* The same of what the calling thread holds: it frees what it has locked. */
void ilk_order_abandon_(const struct ilk_map_ *map, uint64_t at, uint64_t count);

/* A lock is made at OBJECT, in SEG, of COUNT bytes: both. */
void ilk_order_made_(const struct ilk_segment *seg, const void *object, uint64_t count);

/* What is wrong with the history, and with the lists; NULL: nothing. */
const char *ilk_order_valid_(const struct ilk_map_ *map);
const char *ilk_held_valid_(const struct ilk_map_ *map);

/* --- where it lies; of a segment that has one --- */

static inline struct ilk_order_ *ilk_order_at_(const struct ilk_map_ *map)
{
	return (struct ilk_order_ *)(void *)(map->base + map->header.order_at);
}

static inline struct ilk_held_list_ *ilk_held_list_(const struct ilk_map_ *map, uint32_t slot)
{
	return (struct ilk_held_list_ *)(void *)(ilk_order_at_(map) + 1) + slot;
}

/* Of the word of an entry of a list. */
static inline uint64_t ilk_held_offset_(uint64_t what)
{
	return what & ~(uint64_t)ILK_HELD_KIND_;
}
static inline uint32_t ilk_held_kind_(uint64_t what)
{
	return (uint32_t)what & ILK_HELD_KIND_;
}

/* In the cached place. */
static inline struct ilk_held_list_ *ilk_my_held_list_(void)
{
	return ilk_held_list_(&ilk_thread_.segment->map, ilk_thread_.me->slot);
}
static inline uint64_t ilk_here_at_(const void *lock)
{
	return (uintptr_t)lock - ilk_thread_.base;
}

static inline struct ilk_pair_ *ilk_pairs_(const struct ilk_map_ *map)
{
	return (struct ilk_pair_ *)(void *)ilk_held_list_(map, map->header.thread_slots);
}

/* A bit for each part. */
static inline uint32_t *ilk_order_parts_(const struct ilk_map_ *map)
{
	return (uint32_t *)(void *)(ilk_pairs_(map) + map->header.order_pairs);
}

static inline uint64_t ilk_pair_first_(uint64_t key)
{
	return key >> 32 << 6;
}
static inline uint64_t ilk_pair_then_(uint64_t key)
{
	return (key & UINT32_MAX) << 6;
}

/* A lock's place, as a key has it. */
static inline int ilk_can_be_lock_(const struct ilk_map_ *map, uint64_t offset)
{
	return offset >= map->header.arena_at && offset < map->bytes;
}

static inline int ilk_is_pair_(const struct ilk_map_ *map, uint64_t key)
{
	uint64_t first = ilk_pair_first_(key), then = ilk_pair_then_(key);

	return ilk_can_be_lock_(map, first) && ilk_can_be_lock_(map, then) && first != then;
}

#endif
