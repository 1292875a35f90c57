/* ls.h - a line of `ilk ls`, and its two faces. */
#ifndef ILK_TOOLS_LS_H
#define ILK_TOOLS_LS_H

#include "ilk/foreign.h"
#include "ilk/json.h"
#include "ilk/mappers.h"
#include "ilk/table.h"
#include <ilk/inspect.h>

/* A file in /dev/shm. */
struct line {
	const char *name, *kind;
	const struct ilk_inspection *in; /* of a segment; NULL: it could not be inspected */
	const struct foreign *foreign;   /* of what is not Ilk's */
	uint64_t inode;                  /* 0 unknown */
	int alive, dead;                 /* processes */
	char trouble[160];
	int is_wrong;
};

extern const char *const ls_heads[];

/* MAPPERS is NULL where nobody wants to know. */
void ls_to_table(struct table *t, const struct line *line, const struct mappers *mappers);
void ls_to_json(struct json *j, const struct line *line, const struct mappers *mappers);

#endif
