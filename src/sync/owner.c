/* owner.c - names of owners, from their slots. */
#include "sync/owner.h"
#include <string.h>

static const enum ilk_holder holder_of_life[] = {
	[ILK_LIFE_UNKNOWN] = ILK_HELD_BY_UNKNOWN,
	[ILK_LIFE_ALIVE] = ILK_HELD_BY_LIVING,
	[ILK_LIFE_DEAD] = ILK_HELD_BY_DEAD,
};

enum ilk_holder ilk_holder_of_life_(enum ilk_life life)
{
	return holder_of_life[life];
}

static int names_me(const struct ilk_segment *seg, uint32_t owner)
{
	const struct ilk_identity_ *me;
	int is_me;

	ilk_registry_lock_();
	me = ilk_identity_in_(seg->member);
	is_me = me && me->owner == owner;
	ilk_registry_unlock_();
	return is_me;
}

enum ilk_holder ilk_holder_(struct ilk_segment *seg, uint32_t owner)
{
	return names_me(seg, owner) ? ILK_HELD_BY_ME
				    : ilk_holder_of_life_(ilk_owner_life_(seg, owner));
}

void ilk_owner_named_(const struct ilk_segment *seg, uint32_t owner, struct ilk_mutex_owner *out)
{
	struct ilk_who_ who;

	ilk_who_is_(&seg->map, owner, &who);
	out->pid = who.pid;
	out->tid = who.tid;
	memcpy(out->name, who.name, sizeof out->name);
}
