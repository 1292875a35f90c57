/* memory.h - the arena as calls of this process use it: guarded, and put right after a death. */
#ifndef ILK_SEGMENT_MEMORY_H
#define ILK_SEGMENT_MEMORY_H

#include "segment/registry.h"

/*
 * Enters SEG's directory and arena, for the calling thread, which ilk_here_() was called for. What
 * the last holder left if it died in there is put right. 0; -ECANCELED; -EBADMSG.
 */
int ilk_memory_enter_(struct ilk_segment *seg);
void ilk_memory_leave_(struct ilk_segment *seg);

/* Inside: as ilk_arena_alloc_, for the calling thread; what the dead have left is taken for it. */
int ilk_memory_alloc_(struct ilk_segment *seg, uint64_t bytes, uint64_t align, uint64_t *offset);

#endif
