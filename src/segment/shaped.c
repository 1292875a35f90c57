/* shaped.c - opening what may have been made in several shapes: see shaped.h. */
#include "segment/shaped.h"
#include "segment/error.h"
#include "segment/member.h"
#include "segment/memory.h"
#include "segment/object_name.h"
#include "segment/types.h"
#include <errno.h>

enum { TRIES = 3 };

/* What is there by that name, without the guard. 1; 0; -EEXIST; -EBADMSG. */
static int look(struct ilk_shaped_ *s, int is_asked)
{
	const struct ilk_map_ *map = &s->seg->map;
	struct ilk_found_ found;
	int rc = ilk_directory_find_(map, s->wanted.name, &found);

	if (rc != 1 || found.entry.type != s->wanted.type)
		return rc == 1 ? 0 : rc;
	return s->see(s, map->base + found.offset, found.entry.bytes, is_asked);
}

/*
 * Looked at without the guard, what is freed meanwhile can seem damaged: is it, while nobody frees?
 * 1; 0; -EBADMSG; -E...
 */
static int look_again(struct ilk_shaped_ *s)
{
	int rc = s->seg->read_only ? -EBADMSG : ilk_here_(s->seg->map.base);

	if (rc == 0)
		rc = ilk_memory_enter_(s->seg);
	if (rc < 0)
		return rc;
	rc = look(s, 0);
	ilk_memory_leave_(s->seg);
	return rc;
}

/* There is none, or it is of another type. */
static int fail_to_find(const struct ilk_shaped_ *s)
{
	const char *name = s->wanted.name, *type = ilk_type_(s->wanted.type)->name;
	struct ilk_found_ found;

	if (ilk_directory_find_(&s->seg->map, name, &found) == 1)
		return ilk_fail_(-EEXIST, "type differs: %s is a %s, not a %s", name,
			ilk_type_(found.entry.type)->name, type);
	return ilk_fail_(-ENOENT, "there is no %s %s", type, name);
}

/* Opens what must be there, although its shape is not known beforehand. */
static int open_known(struct ilk_shaped_ *s, void **object)
{
	int rc = -EEXIST;

	for (int i = 0; rc == -EEXIST && i < TRIES; i++) {
		rc = look(s, 0);
		if (rc == -EBADMSG)
			rc = look_again(s);
		if (rc == 0)
			return fail_to_find(s);
		if (rc > 0)
			rc = ilk_directory_open_(s->seg, &s->wanted, object);
	}
	return rc == -EEXIST ? ilk_fail_(rc, "%s keeps changing", s->wanted.name) : rc;
}

int ilk_shaped_open_(struct ilk_shaped_ *s, int is_asked, void **object)
{
	int rc = ilk_name_check_(s->wanted.name);

	if (rc < 0)
		return rc;
	if (!is_asked)
		return open_known(s, object);
	/* So that a failure names the field, and not the size; what else is wrong the directory says. */
	rc = look(s, 1);
	return rc == -EEXIST ? rc : ilk_directory_open_(s->seg, &s->wanted, object);
}
