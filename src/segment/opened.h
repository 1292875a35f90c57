/*
 * opened.h - which named objects this process has open; private memory.
 *
 * A forked child inherits the list, and marks what is on it when it joins under its own name.
 */
#ifndef ILK_SEGMENT_OPENED_H
#define ILK_SEGMENT_OPENED_H

#include "segment/registry.h"

struct ilk_opened_ {
	uint64_t at;     /* of the entry */
	uint64_t serial; /* of it */
	uint64_t times;  /* 0: it was inherited, and gone before it could be marked */
	uint32_t hash;
};

/* All under the registry lock. */

/* ENTRY, at AT, was opened once more. 1: the first time; 0; -ENOMEM. */
int ilk_opened_add_(struct ilk_member_ *member, uint64_t at, const struct ilk_entry_ *entry);

/* Closed once. 1: for the last time; 0; -ENOENT it is not open. */
int ilk_opened_drop_(struct ilk_member_ *member, uint64_t at);

/* For each; and forgets all. */
void ilk_opened_each_(const struct ilk_member_ *member,
	void (*each)(struct ilk_opened_ *opened, void *arg), void *arg);
void ilk_opened_forget_(struct ilk_member_ *member);

#endif
