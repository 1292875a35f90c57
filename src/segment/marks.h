/*
 * marks.h - what a thread reads, marked in its own slot, where no other thread writes.
 *
 * State      mark: 0 = nothing; else the object's offset / 128. Objects that are marked have 128
 *            bytes, and do not overlap: no two have the same. How often the thread has it, and what
 *            else the object's own file notes of it, is private: `more` of its identity.
 *            marks_top, threads_top: how far one has to look. Both only grow.
 *            marks_dead: generation + 1 of a thread of this slot that is known to be dead.
 * Invariant  [I1] A mark is written by the thread that has the slot, and by nobody else: a mark
 *            that is read as 0 was never set, or was taken back by its thread.
 *            [I2] A mark counts while its slot's life names a process, and that process lives. Who
 *            has found out that it does not writes marks_dead, so that others need not ask: a
 *            generation of the dead is never anyone's again.
 *            [I3] Both tops are raised before the mark that needs it is set. So whoever has run
 *            the fence or the handshake that makes him see the mark sees them, too.
 * Ordering   Whether a mark is seen in time is in the tables of those who use them. Here:
 *            [K1] taking back: store mark, release  <-> [K2]  what was read was read before
 *            [K2] looking:     load mark, acquire   <-> [K1]  the object changes
 * Death      The dead's marks stay until the slot has another thread, and count for nothing.
 */
#ifndef ILK_SEGMENT_MARKS_H
#define ILK_SEGMENT_MARKS_H

#include "segment/registry.h"

enum { ILK_MARK_BYTES_ = 128 }; /* of an object that can be marked */

/* The mark of the object at OFFSET. */
static inline uint32_t ilk_mark_of_(uint64_t offset)
{
	return (uint32_t)(offset / ILK_MARK_BYTES_);
}

/* How many marks of SLOT are to be looked at. */
static inline uint32_t ilk_marks_top_(const struct ilk_thread_slot_ *slot)
{
	uint32_t top = ilk_load_relaxed_(&slot->marks_top);

	return top < ILK_MARKS_ ? top : ILK_MARKS_;
}

/* Which mark of SLOT, the calling thread's, is MARK; ILK_MARKS_: none. */
static inline uint32_t ilk_marks_find_(const struct ilk_thread_slot_ *slot, uint32_t mark)
{
	uint32_t top = ilk_marks_top_(slot), i = 0;

	while (i < top && ilk_load_relaxed_(&slot->marks[i]) != mark)
		i++;
	return i < top ? i : ILK_MARKS_;
}

/* A free mark of SLOT, the calling thread's; ILK_MARKS_: all are in use. */
static inline uint32_t ilk_marks_free_(struct ilk_thread_slot_ *slot)
{
	uint32_t i = 0;

	while (i < ILK_MARKS_ && ilk_load_relaxed_(&slot->marks[i]))
		i++;
	if (i < ILK_MARKS_ && ilk_load_relaxed_(&slot->marks_top) <= i) {
		ilk_store_relaxed_(&slot->marks_top, i + 1); /* [I3] */
		ilk_compiler_barrier_();
	}
	return i;
}

/* Is one of SLOT's marks from FIRST on set? */
static inline int ilk_marks_any_(const struct ilk_thread_slot_ *slot, uint32_t first)
{
	uint32_t top = ilk_marks_top_(slot);

	for (uint32_t i = first; i < top; i++)
		if (ilk_load_relaxed_(&slot->marks[i]))
			return 1;
	return 0;
}

/* Takes back all of them. */
static inline void ilk_marks_clear_(struct ilk_thread_slot_ *slot)
{
	for (uint32_t i = 0; i < ILK_MARKS_; i++)
		ilk_store_release_(&slot->marks[i], 0u); /* [K1] */
}

static inline uint32_t *ilk_threads_top_word_(const struct ilk_map_ *map)
{
	return &((struct ilk_header_ *)(void *)map->base)->threads_top;
}

/* How many thread slots are to be looked at. */
static inline uint32_t ilk_threads_top_(const struct ilk_map_ *map)
{
	uint32_t top = ilk_load_relaxed_(ilk_threads_top_word_(map));

	return top < map->header.thread_slots ? top : map->header.thread_slots;
}

/* [I3] Thread slot SLOT was taken. */
static inline void ilk_threads_raise_top_(const struct ilk_map_ *map, uint32_t slot)
{
	uint32_t *word = ilk_threads_top_word_(map);
	uint32_t top = ilk_load_relaxed_(word);

	while (top <= slot && !ilk_cas_full_(word, &top, slot + 1))
		continue;
}

/* The owner word of the thread that has SLOT, number I; 0: nobody, or one known to be dead. */
static inline uint32_t ilk_marks_owner_(
	const struct ilk_map_ *map, const struct ilk_thread_slot_ *slot, uint32_t i)
{
	uint64_t life = ilk_load_acquire_(&slot->life);
	uint32_t process = ilk_life_process_(life), generation = ilk_life_generation_(life);

	if (process == 0 || process > map->header.process_slots ||
		ilk_load_relaxed_(&slot->marks_dead) == generation + 1)
		return 0;
	return ilk_owner_word_(i, generation);
}

/* Has SLOT's thread set MARK? */
static inline int ilk_marks_has_(const struct ilk_thread_slot_ *slot, uint32_t mark)
{
	uint32_t top = ilk_marks_top_(slot);

	for (uint32_t k = 0; k < top; k++)
		if (ilk_load_acquire_(&slot->marks[k]) == mark) /* [K2] */
			return 1;
	return 0;
}

/*
 * The owner word of the thread in slot I if it has set MARK; 0: it has not, or counts for nothing.
 * Whether its process lives is still to be asked.
 */
static inline uint32_t ilk_marks_reader_(const struct ilk_map_ *map, uint32_t i, uint32_t mark)
{
	const struct ilk_thread_slot_ *slot = ilk_thread_slot_(map, i);

	return ilk_marks_has_(slot, mark) ? ilk_marks_owner_(map, slot, i) : 0;
}

/* The first slot from FROM on in which MARK is set, be it of the dead; END. */
static inline uint32_t ilk_marks_next_(
	const struct ilk_map_ *map, uint32_t from, uint32_t end, uint32_t mark)
{
	const struct ilk_thread_slot_ *slot = ilk_thread_slot_(map, from);

	while (from < end && !ilk_marks_has_(slot, mark))
		from++, slot++;
	return from;
}

/* OWNER, which ilk_marks_reader_() gave, was proved dead. */
static inline void ilk_marks_are_void_(const struct ilk_map_ *map, uint32_t owner)
{
	ilk_store_relaxed_(&ilk_thread_slot_(map, ilk_owner_slot_(owner))->marks_dead,
		ilk_owner_generation_(owner) + 1);
}

#endif
