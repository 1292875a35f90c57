/* map.h - the bytes of a segment as this process sees them: shared, or copied for the inspector. */
#ifndef ILK_SEGMENT_MAP_H
#define ILK_SEGMENT_MAP_H

#include "os/shm.h"
#include "segment/layout.h"

/*
 * A segment whose header was copied and checked. A picture of one is private memory, as large, into
 * which bytes are read from the file when they are looked at: a file that is cut off meanwhile
 * gives an error then, not a SIGBUS, and holes in it stay holes.
 */
struct ilk_map_ {
	char *base;
	size_t bytes;
	size_t page;               /* of the file, in bytes */
	struct ilk_header_ header; /* of it only the fixed fields are used */
	uint64_t device, inode;    /* of the file itself: a copy's header has the original's */
	int is_original;           /* not a copy, and of this boot: lives can be told */
	int picture_of;            /* descriptor + 1; 0: the memory is shared */
};

/* Before the COUNT bytes at OFFSET, which lie inside, are read. 0; -EIO they are gone; -E... */
static inline int ilk_map_look_(const struct ilk_map_ *map, uint64_t offset, uint64_t count)
{
	return map->picture_of
		       ? ilk_shm_read_(map->picture_of - 1, map->base + offset, count, offset)
		       : 0;
}

static inline struct ilk_process_slot_ *ilk_process_slot_(const struct ilk_map_ *map, uint32_t slot)
{
	return (struct ilk_process_slot_ *)(void *)(map->base + map->header.processes_at) + slot;
}
static inline struct ilk_thread_slot_ *ilk_thread_slot_(const struct ilk_map_ *map, uint32_t slot)
{
	return (struct ilk_thread_slot_ *)(void *)(map->base + map->header.threads_at) + slot;
}

#endif
