/* directory.h - names for typed objects. */
#ifndef ILK_SEGMENT_DIRECTORY_H
#define ILK_SEGMENT_DIRECTORY_H

#include "segment/registry.h"

/* What to find, or to make where it is not there. */
struct ilk_wanted_ {
	const char *name;
	uint32_t type;
	uint64_t bytes;
	/* Makes BYTES zeroed bytes an object, before anybody can find it; NULL: zero is good. */
	void (*init)(void *object, const struct ilk_wanted_ *wanted);
	uint32_t flags; /* for init */
};

/* Results as ilk_block_open's; *OBJECT points into SEG's mapping. */
int ilk_directory_open_(struct ilk_segment *seg, const struct ilk_wanted_ *wanted, void **object);

/* A named object, as found: copied and checked. */
struct ilk_found_ {
	uint64_t offset; /* of the object */
	struct ilk_entry_ entry;
};

/*
 * Calls EACH for every named object until it returns non-zero, which is then the result. 0;
 * -EBADMSG a bucket's list makes no sense (the others are listed all the same). Takes no lock.
 */
int ilk_directory_each_(const struct ilk_map_ *map,
	int (*each)(const struct ilk_found_ *found, void *arg), void *arg);

#endif
