/* inspect.h - what the parts of the inspector share. */
#ifndef ILK_INSPECT_INSPECT_H
#define ILK_INSPECT_INSPECT_H

#include "segment/member.h"
#include "segment/registry.h"
#include <ilk/inspect.h>

/* A picture being taken. */
struct ilk_picture_ {
	struct ilk_inspection *in;
	struct ilk_map_ map;
	int fd;
	struct ilk_thread_slot_ *slots; /* copies, in the order of in->threads */
	int *process_of_slot;           /* index in in->processes */
};

/* Adds the objects, and who holds and waits for which. 0; -ENOMEM. */
int ilk_inspect_objects_(struct ilk_picture_ *p);

/* Adds what threads hold, and in which orders locks were taken, after the objects. 0; -ENOMEM; -E... */
int ilk_inspect_order_(struct ilk_picture_ *p);

#endif
