/* removal.h - between removal.c and object.c: an entry's way out. Under the guard. */
#ifndef ILK_SEGMENT_REMOVAL_H
#define ILK_SEGMENT_REMOVAL_H

#include "segment/entries.h"
#include "segment/registry.h"

/* The object that was FOUND is removed, and freed if no living process has it open. */
void ilk_removal_begin_(struct ilk_segment *seg, const struct ilk_found_ *found);

/* Takes a removed one out and frees it, unless a living process has it open. 1: it did. */
int ilk_removal_finish_(struct ilk_segment *seg, const struct ilk_found_ *found);

/* An entry more that is freed when nobody has it open, -1: one less. Before it becomes one. */
void ilk_removal_count_(const struct ilk_map_ *map, int change);

/* This process has the entry at AT open no more. Needs no guard. */
void ilk_removal_unmark_(const struct ilk_map_ *map, uint64_t at, uint32_t slot);

/* How many living processes have the entry at AT open; stops at MOST. Needs no guard. */
int ilk_openers_(struct ilk_segment *seg, uint64_t at, int most);

#endif
