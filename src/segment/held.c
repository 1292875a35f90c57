/*
 * held.c - the list of what a thread holds. State, invariants, ordering and death: order.c, whose
 * labels are used here.
 */
#include "os/clock.h"
#include "segment/order.h"

static void begin_change(struct ilk_held_list_ *list)
{
	ilk_store_relaxed_(&list->changes, list->changes + 1);
}

/* Which entry of LIST is of the lock at OFFSET; 0, if OFFSET is: the first that is free. */
static uint32_t find_entry(const struct ilk_held_list_ *list, uint64_t offset)
{
	uint32_t i = 0;

	while (i < ILK_HELD_MOST_ && ilk_held_offset_(list->held[i].what) != offset)
		i++;
	return i;
}

void ilk_order_taken_(const void *lock, uint32_t kind)
{
	struct ilk_held_list_ *list = ilk_my_held_list_();
	uint32_t i = find_entry(list, 0);

	begin_change(list);
	if (i == ILK_HELD_MOST_) {
		ilk_store_release_(&list->over, list->over + 1);
		ilk_add_relaxed_(&ilk_order_at_(&ilk_thread_.segment->map)->held_lost, 1u);
		return;
	}
	if (list->top <= i)
		ilk_store_release_(&list->top, i + 1);
	ilk_store_release_(&list->held[i].since, ilk_now());
	ilk_store_release_(&list->held[i].what, ilk_here_at_(lock) | kind); /* [H3] */
}

void ilk_order_turned_(const void *lock, uint32_t kind)
{
	struct ilk_held_list_ *list = ilk_my_held_list_();
	uint32_t i = find_entry(list, ilk_here_at_(lock));

	if (i == ILK_HELD_MOST_)
		return;
	begin_change(list);
	ilk_store_release_(&list->held[i].what, ilk_here_at_(lock) | kind);
}

void ilk_order_left_(const void *lock)
{
	struct ilk_held_list_ *list = ilk_my_held_list_();
	uint32_t i = find_entry(list, ilk_here_at_(lock));

	begin_change(list);
	if (i < ILK_HELD_MOST_)
		ilk_store_release_(&list->held[i].what, UINT64_C(0));
	else if (list->over)
		ilk_store_release_(&list->over, list->over - 1);
}

void ilk_order_introduce_(const struct ilk_map_ *map, uint32_t slot, uint32_t owner)
{
	struct ilk_held_list_ *list;

	if (!map->header.order_at)
		return;
	list = ilk_held_list_(map, slot);
	begin_change(list);
	ilk_store_release_(&list->owner, 0u);
	for (uint32_t i = 0; i < ILK_HELD_MOST_; i++)
		ilk_store_release_(&list->held[i].what, UINT64_C(0));
	ilk_store_release_(&list->over, 0u);
	ilk_store_release_(&list->owner, owner); /* [I1] */
}

void ilk_order_abandon_(const struct ilk_map_ *map, uint64_t at, uint64_t count)
{
	struct ilk_held_list_ *list;

	/* The calling thread may have been elsewhere since it locked that. */
	if (!map->header.order_at || !ilk_is_there_(map->base))
		return;
	list = ilk_my_held_list_();
	begin_change(list);
	for (uint32_t i = 0; i < ILK_HELD_MOST_; i++)
		if (ilk_held_offset_(list->held[i].what) - at < count)
			ilk_store_release_(&list->held[i].what, UINT64_C(0));
}

static const char *wrong_list(const struct ilk_map_ *map, const struct ilk_held_list_ *list)
{
	if (ilk_load_relaxed_(&list->top) > ILK_HELD_MOST_)
		return "a list is longer than lists are";
	for (uint32_t i = 0; i < ILK_HELD_MOST_; i++) {
		uint64_t what = ilk_load_relaxed_(&list->held[i].what);

		if (what && (!ilk_can_be_lock_(map, ilk_held_offset_(what)) ||
				    ilk_held_kind_(what) - 1 >= ILK_HELD_WRITE_))
			return "a list has what cannot be a lock";
	}
	return NULL;
}

const char *ilk_held_valid_(const struct ilk_map_ *map)
{
	const char *wrong = NULL;

	for (uint32_t i = 0; !wrong && map->header.order_at && i < map->header.thread_slots; i++)
		wrong = wrong_list(map, ilk_held_list_(map, i));
	return wrong;
}
