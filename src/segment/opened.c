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

int ilk_opened_add_(struct ilk_member_ *member, uint64_t at, uint64_t serial)
{
	struct ilk_opened_ *o = find_or_make(member, at);
	int first;

	if (!o)
		return -ENOMEM;
	/* Another serial: a child that could not mark it, and it was removed meanwhile. */
	first = o->times == 0 || o->serial != serial;
	o->times = first ? 1 : o->times + 1;
	o->serial = serial;
	return first;
}

int ilk_opened_drop_(struct ilk_member_ *member, uint64_t at)
{
	struct ilk_opened_ key = {.at = at}, **found = tfind(&key, &member->opened, compare), *o;

	if (!found)
		return -ENOENT;
	o = *found;
	if (--o->times)
		return 0;
	tdelete(o, &member->opened, compare);
	free(o);
	return 1;
}

struct walk {
	void (*each)(const struct ilk_opened_ *opened, void *arg);
	void *arg;
};

static void visit(const void *node, VISIT order, void *walk)
{
	const struct walk *w = walk;

	if (order == preorder || order == leaf)
		w->each(*(struct ilk_opened_ *const *)node, w->arg);
}

void ilk_opened_each_(const struct ilk_member_ *member,
	void (*each)(const struct ilk_opened_ *opened, void *arg), void *arg)
{
	struct walk w = {each, arg};

	twalk_r(member->opened, visit, &w);
}

void ilk_opened_forget_(struct ilk_member_ *member)
{
	tdestroy(member->opened, free);
	member->opened = NULL;
}
