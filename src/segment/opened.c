/*
 * opened.c - a tree by the entries' offsets. fork() holds the registry lock as well, so that a child
 * finds it whole.
 */
#include "segment/opened.h"
#include <errno.h>
#include <search.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	uint64_t x = ((const struct ilk_opened_ *)a)->at, y = ((const struct ilk_opened_ *)b)->at;

	return x < y ? -1 : x > y;
}

/* The one at AT, made where there is none; NULL: no memory. */
static struct ilk_opened_ *find_or_make(struct ilk_member_ *member, uint64_t at)
{
	struct ilk_opened_ *fresh = calloc(1, sizeof *fresh), **found;

	if (!fresh)
		return NULL;
	fresh->at = at;
	found = tsearch(fresh, &member->opened, compare);
	if (!found || *found != fresh)
		free(fresh);
	return found ? *found : NULL;
}

int ilk_opened_add_(struct ilk_member_ *member, uint64_t at, const struct ilk_entry_ *entry)
{
	struct ilk_opened_ *o = find_or_make(member, at);
	int first;

	if (!o)
		return -ENOMEM;
	first = o->times++ == 0;
	o->serial = entry->serial;
	o->hash = entry->hash;
	return first;
}

int ilk_opened_drop_(struct ilk_member_ *member, uint64_t at)
{
	struct ilk_opened_ key = {.at = at}, **found = tfind(&key, &member->opened, compare), *o;

	if (!found || (*found)->times == 0)
		return -ENOENT;
	o = *found;
	if (--o->times)
		return 0;
	tdelete(o, &member->opened, compare);
	free(o);
	return 1;
}

struct walk {
	void (*each)(struct ilk_opened_ *opened, void *arg);
	void *arg;
};

static void visit(const void *node, VISIT order, void *walk)
{
	const struct walk *w = walk;
	struct ilk_opened_ *o = *(struct ilk_opened_ *const *)node;

	if ((order == preorder || order == leaf) && o->times)
		w->each(o, w->arg);
}

void ilk_opened_each_(const struct ilk_member_ *member,
	void (*each)(struct ilk_opened_ *opened, void *arg), void *arg)
{
	struct walk w = {each, arg};

	twalk_r(member->opened, visit, &w);
}

void ilk_opened_forget_(struct ilk_member_ *member)
{
	tdestroy(member->opened, free);
	member->opened = NULL;
}
