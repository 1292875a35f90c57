/* lists.h - the free blocks of the arena, by size. Under the guard. */
#ifndef ILK_SEGMENT_LISTS_H
#define ILK_SEGMENT_LISTS_H

#include "segment/map.h"

/* Which list a block of SIZE belongs to. */
unsigned ilk_list_of_(uint64_t size);

/* Puts the free block at AT into its list; takes it out: 0, or -EBADMSG. */
void ilk_list_block_(const struct ilk_map_ *map, uint64_t at);
int ilk_unlist_block_(const struct ilk_map_ *map, uint64_t at);

/* A listed block of at least SIZE. Its place; 0: there is none. */
uint64_t ilk_find_hole_(const struct ilk_map_ *map, uint64_t size);

void ilk_clear_lists_(const struct ilk_map_ *map);

/* What is wrong with lists that are to hold HOLES blocks; NULL: nothing. */
const char *ilk_lists_valid_(const struct ilk_map_ *map, uint64_t holes);

#endif
