/*
 * member.h - who is in a segment, and is it alive.
 *
 * A member is alive while the kernel holds the write lock on its life byte; the lock belongs to an
 * open file description that only a page of the member's address space keeps. See member.c.
 */
#ifndef ILK_SEGMENT_MEMBER_H
#define ILK_SEGMENT_MEMBER_H

#include "segment/registry.h"
#include <ilk/inspect.h>

/* Takes a process slot for this process. Under the registry lock. 0; -EUSERS; -EBUSY: wait without
 * the lock (ilk_transient_wait_), and try again; -E... */
int ilk_member_join_(struct ilk_member_ *member, const struct ilk_map_ *map);

/* Gives the process slot and all thread slots back. Under the registry lock. */
void ilk_member_leave_(struct ilk_member_ *member, const struct ilk_map_ *map);

/*
 * Gives the calling thread an identity, joining the process first where it is nobody (after a
 * fork). Under the registry lock. 0; -EUSERS; -E...
 */
int ilk_member_join_thread_(
	struct ilk_member_ *member, const struct ilk_map_ *map, struct ilk_identity_ **me);

/* Does the calling thread's identity ME hold or read anything? */
int ilk_member_holds_(const struct ilk_identity_ *me, const struct ilk_map_ *map);

/* Gives a thread slot back. Under the registry lock. */
void ilk_member_leave_thread_(struct ilk_identity_ *me, const struct ilk_map_ *map);

/*
 * Is the thread that OWNER names alive? Asks the kernel through FD, which must be of the segment's
 * file; without one (negative), by pid, which proves deaths only. UNKNOWN where neither tells.
 */
enum ilk_life ilk_life_of_owner_(const struct ilk_map_ *map, int fd, uint32_t owner);

/* Is the member in process slot SLOT alive? */
enum ilk_life ilk_life_of_process_(int fd, uint32_t slot);

/* The same as ilk_life_of_owner_ from inside an attachment, however its descriptor fared. */
enum ilk_life ilk_owner_life_(struct ilk_segment *seg, uint32_t owner);

/* A thread, for people to read. */
struct ilk_who_ {
	int32_t pid, tid; /* 0: it cannot be told */
	char name[16];
};

/* Who is in the thread slot that OWNER names; of an owner long dead perhaps another. */
void ilk_who_is_(const struct ilk_map_ *map, uint32_t owner, struct ilk_who_ *who);
/* Is the member alive that had process slot SLOT in GENERATION? */
enum ilk_life ilk_process_life_(struct ilk_segment *seg, uint32_t slot, uint32_t generation);

/* Process slots whose members were found alive since it was zeroed: who asks of many asks once. */
struct ilk_living_ {
	uint64_t slots[(ILK_MAX_SLOTS_ + 64) / 64];
};
enum ilk_life ilk_owner_life_once_(
	struct ilk_segment *seg, uint32_t owner, struct ilk_living_ *living);
enum ilk_life ilk_process_life_once_(
	struct ilk_segment *seg, uint32_t slot, uint32_t generation, struct ilk_living_ *living);

/* The member's descriptor, opened anew if it was closed behind our back. -E... */
int ilk_member_fd_(struct ilk_member_ *member);

/* A description of the segment's file that is nobody else's: never the inherited one. -E... */
int ilk_member_description_(struct ilk_member_ *member);

/* A descriptor of the segment's file, opened anew by name. -E... */
int ilk_member_reopen_(const struct ilk_member_ *member);

/* Closes the member's descriptor, unless its number is another file's by now. */
void ilk_member_close_fd_(struct ilk_member_ *member);

#endif
