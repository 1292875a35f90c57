/* directory.h - names for typed objects: opening, closing, removing them. */
#ifndef ILK_SEGMENT_DIRECTORY_H
#define ILK_SEGMENT_DIRECTORY_H

#include "segment/entries.h"
#include "segment/registry.h"

/* What to find, or to make where it is not there. */
struct ilk_wanted_ {
	const char *name;
	uint16_t type;
	uint64_t bytes;
	/* Is an object that is there, of that type and size, what is wanted? 0; -EEXIST. NULL: yes. */
	int (*fits)(const void *object, const struct ilk_wanted_ *wanted);
	/* Makes BYTES zeroed bytes an object, before anybody can find it; NULL: zero is good. */
	void (*init)(void *object, const struct ilk_wanted_ *wanted);
	uint32_t flags; /* for both */
	/* 1: make one that nobody can find, NAME is for people. It is freed when nobody living has it
	 * open: this process, and children that it forks. */
	int is_nameless;
};

/* Results as ilk_block_open's; *OBJECT points into SEG's mapping. */
int ilk_directory_open_(struct ilk_segment *seg, const struct ilk_wanted_ *wanted, void **object);

/* The object NAME. 1: it is there; 0; -EBADMSG, perhaps because others change the list meanwhile. */
int ilk_directory_find_(const struct ilk_map_ *map, const char *name, struct ilk_found_ *found);

/*
 * Under the guard, before this member marks or unmarks anything: the marks of its slot's earlier
 * members go; and what a forked child has inherited, and is there still, is marked.
 */
void ilk_directory_settle_(struct ilk_segment *seg);

/* Under the guard: finishes what one who died in it had begun. */
void ilk_directory_recover_(struct ilk_segment *seg);

/* Under the guard: frees removed objects that no living process has open. How many. */
int ilk_directory_reap_(struct ilk_segment *seg);

/* The same for a forked child that has joined; it takes the guard itself. */
void ilk_directory_inherit_(struct ilk_segment *seg);

/* Under the registry lock: this process has nothing open any more. */
void ilk_directory_forget_(struct ilk_member_ *member, const struct ilk_map_ *map);

/* The same for one that closes, if it is the member's last, and frees what was kept for it. */
void ilk_directory_leave_(struct ilk_segment *seg);

#endif
