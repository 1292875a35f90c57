/*
 * holders.c - who holds an object; and does that one live?
 *
 * The kernel is asked about a holder between two looks at the object, both of which name him: else
 * one that let go and went in good order could be called dead. What was found out once counts for
 * the whole picture: an owner word of the dead is nobody's again.
 */
#include "inspect/inspect.h"
#include "segment/entries.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- life --- */

/* The owner word belongs to a moment before the life word: so that is read until it stands still.
 */
static enum ilk_life life_of_thread(struct ilk_picture_ *p, uint32_t owner)
{
	uint32_t slot = ilk_owner_slot_(owner);
	const struct ilk_thread_slot_ *thread = ilk_thread_slot_(&p->map, slot);
	uint64_t at = (uint64_t)((const char *)thread - p->map.base);

	for (int look = 0; look < ILK_LOOKS_; look++) {
		enum ilk_life life;
		uint64_t before;

		if (ilk_map_look_(&p->map, at, sizeof before) < 0)
			break;
		before = thread->life;
		life = ilk_life_of_owner_(&p->map, p->fd, owner);
		if (ilk_map_look_(&p->map, at, sizeof before) == 0 && thread->life == before)
			return life;
	}
	return ILK_LIFE_UNKNOWN;
}

/* A generation of a process slot that has passed was lived by one who left, or died. */
static enum ilk_life life_of_process(struct ilk_picture_ *p, uint32_t slot, uint32_t generation)
{
	const struct ilk_process_slot_ *process = ilk_process_slot_(&p->map, slot);
	uint64_t at = (uint64_t)((const char *)process - p->map.base);

	if (ilk_map_look_(&p->map, at, sizeof process->generation) < 0)
		return ILK_LIFE_UNKNOWN;
	return process->generation == generation ? ilk_life_of_process_(p->fd, slot)
						 : ILK_LIFE_DEAD;
}

/* What is known of H; NULL: it names no slot. *WORD tells it from others of that slot. */
static struct ilk_asked_ *entry_of(
	struct ilk_picture_ *p, const struct ilk_holding_ *h, uint32_t *word)
{
	uint32_t slot = h->owner ? ilk_owner_slot_(h->owner) : h->process;

	*word = h->owner ? h->owner & ~ILK_OWNER_FLAGS_ : h->generation;
	if (slot >= (h->owner ? p->map.header.thread_slots : p->map.header.process_slots))
		return NULL;
	return &(h->owner ? p->asked_threads : p->asked_processes)[slot];
}

static int is_known(const struct ilk_asked_ *a, uint32_t word, size_t index)
{
	return a->is_asked && a->owner == word &&
	       (a->life != ILK_LIFE_UNKNOWN || a->object == index);
}

static enum ilk_life life_of(struct ilk_picture_ *p, size_t index, const struct ilk_holding_ *h)
{
	uint32_t word;
	const struct ilk_asked_ *a = entry_of(p, h, &word);

	return a && is_known(a, word, index) ? a->life : ILK_LIFE_UNKNOWN;
}

/* Asks for those of COUNT holders whose life is not known yet. How many those were. */
static uint32_t ask_lives(struct ilk_picture_ *p, size_t index, uint32_t count)
{
	uint32_t asked = 0;

	for (uint32_t i = 0; i < count && p->map.is_original; i++) {
		const struct ilk_holding_ *h = &p->holdings[i];
		uint32_t word;
		struct ilk_asked_ *a = entry_of(p, h, &word);

		if (!a || is_known(a, word, index))
			continue;
		*a = (struct ilk_asked_){.owner = word, .is_asked = 1, .object = index};
		a->life = h->owner ? life_of_thread(p, word)
				   : life_of_process(p, h->process, h->generation);
		asked++;
	}
	return asked;
}

/* --- looking --- */

static uint32_t list(struct ilk_picture_ *p, const struct ilk_type_ *type,
	const struct ilk_object_info *o, const struct ilk_description_ *d)
{
	if (type->holders)
		return type->holders(
			&p->map, p->map.base + o->offset, o->bytes, p->holdings, ILK_HOLDINGS_);
	p->holdings[0] = (struct ilk_holding_){.owner = d->owner, .count = 1, .how = "held"};
	return d->owner != 0;
}

/* What was read of O's entry, since the list with it was walked along, has the whole object. */
static int is_read(const struct ilk_object_info *o)
{
	return !o->embedded && o->bytes <= ILK_ENTRY_AHEAD_;
}

/* Reads the object and lets it describe itself. NULL, or what is wrong with it. */
static const char *look_at(struct ilk_picture_ *p, const struct ilk_type_ *type,
	const struct ilk_object_info *o, struct ilk_description_ *d, uint32_t *count, int again)
{
	const void *object = p->map.base + o->offset;
	const char *wrong;

	*d = (struct ilk_description_){.figures = p->figures};
	*count = 0;
	if (!type->is_plain && (again || !is_read(o)) &&
		ilk_map_look_(&p->map, o->offset, o->bytes) < 0)
		return "its bytes are gone";
	wrong = type->valid(&p->map, object, o->bytes);
	if (wrong)
		return wrong;
	type->describe(&p->map, object, o->bytes, d);
	*count = list(p, type, o, d);
	return NULL;
}

/* What one word does not tell was the same. */
static int is_same(const struct ilk_description_ *a, const struct ilk_description_ *b)
{
	return a->owner == b->owner && a->acquired == b->acquired && a->put == b->put &&
	       a->got == b->got && a->depth == b->depth && a->leases == b->leases;
}

/* Nothing in it was read that another look could contradict. */
static int is_simple(const struct ilk_description_ *d, uint32_t count)
{
	return d->owner == 0 && count == 0 && d->acquired == 0 && d->capacity == 0;
}

const char *ilk_inspect_look_(struct ilk_picture_ *p, size_t index, const struct ilk_type_ *type,
	struct ilk_description_ *d, uint32_t *count, int *is_mixed)
{
	const struct ilk_object_info *o = &p->in->objects[index];
	const char *wrong = look_at(p, type, o, d, count, 0), *before_wrong;

	*is_mixed = 0;
	if (!wrong && is_simple(d, *count))
		return NULL;
	for (int look = 0; look < ILK_LOOKS_; look++) {
		struct ilk_description_ before = *d;

		before_wrong = wrong;
		ask_lives(p, index, *count);
		wrong = look_at(p, type, o, d, count, 1);
		if (!wrong == !before_wrong && is_same(d, &before) &&
			ask_lives(p, index, *count) == 0)
			return wrong;
	}
	*is_mixed = 1;
	return wrong;
}

/* --- writing it down --- */

static enum ilk_holder_life holder_of(enum ilk_life life)
{
	return life == ILK_LIFE_ALIVE  ? ILK_HOLDER_ALIVE
	       : life == ILK_LIFE_DEAD ? ILK_HOLDER_DEAD
				       : ILK_HOLDER_UNKNOWN;
}

/* The thread of OWNER; a thread of another generation in its slot is not the one. */
static int thread_of(const struct ilk_picture_ *p, uint32_t owner)
{
	uint32_t slot = ilk_owner_slot_(owner);
	int i = slot < p->map.header.thread_slots ? p->thread_of_slot[slot] : ILK_NO_INDEX;

	return i != ILK_NO_INDEX && ilk_life_generation_(p->slots[i].life) ==
					    ilk_owner_generation_(owner)
		       ? i
		       : ILK_NO_INDEX;
}

static int process_of(const struct ilk_picture_ *p, const struct ilk_holding_ *h)
{
	if (h->process >= p->map.header.process_slots ||
		ilk_process_slot_(&p->map, h->process)->generation != h->generation)
		return ILK_NO_INDEX;
	return p->process_of_slot[h->process];
}

void ilk_inspect_owner_(struct ilk_picture_ *p, size_t index, uint32_t owner)
{
	struct ilk_object_info *o = &p->in->objects[index];
	const struct ilk_holding_ h = {.owner = owner};

	o->owner = thread_of(p, owner);
	o->holder = holder_of(life_of(p, index, &h));
}

/* Room for COUNT holders more. */
static int make_room(struct ilk_inspection *in, size_t *room, uint32_t count)
{
	size_t wanted = in->holder_count + count;
	struct ilk_holder_info *all;

	if (wanted <= *room)
		return 0;
	wanted *= 2;
	all = realloc(in->holders, wanted * sizeof *all);
	if (!all)
		return -ENOMEM;
	in->holders = all;
	*room = wanted;
	return 0;
}

int ilk_inspect_add_holders_(struct ilk_picture_ *p, size_t index, uint32_t count)
{
	if (make_room(p->in, &p->holder_room, count) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const struct ilk_holding_ *h = &p->holdings[i];
		struct ilk_holder_info *out = &p->in->holders[p->in->holder_count++];
		int thread = h->owner ? thread_of(p, h->owner) : ILK_NO_INDEX;

		*out = (struct ilk_holder_info){
			.object = (int)index,
			.thread = thread,
			.process = h->owner == 0            ? process_of(p, h)
				   : thread == ILK_NO_INDEX ? ILK_NO_INDEX
							    : p->in->threads[thread].process,
			.life = holder_of(life_of(p, index, h)),
			.count = h->count,
			.since = h->since,
		};
		snprintf(out->how, sizeof out->how, "%s", h->how);
		memcpy(out->what, h->what, sizeof out->what);
	}
	return 0;
}

/* --- since when --- */

/* The first holder of object INDEX, or of a later one. */
static size_t first_holder(const struct ilk_inspection *in, size_t index)
{
	size_t low = 0, high = in->holder_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((size_t)in->holders[middle].object < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void note_earlier(ilk_time *since, ilk_time when)
{
	if (*since == 0 || when < *since)
		*since = when;
}

/* "At least since": the earliest look of a waiter that saw this very holding. */
void ilk_inspect_note_since_(
	struct ilk_picture_ *p, size_t index, uint32_t owner, uint64_t serial, ilk_time since)
{
	struct ilk_object_info *o = &p->in->objects[index];
	int thread = ilk_owner_is_thread_(owner) ? thread_of(p, owner) : ILK_NO_INDEX;

	if (thread == ILK_NO_INDEX || serial != o->acquired || since <= 0)
		return;
	if (o->owner == thread)
		note_earlier(&o->held_since, since);
	for (size_t i = first_holder(p->in, index);
		i < p->in->holder_count && (size_t)p->in->holders[i].object == index; i++)
		if (p->in->holders[i].thread == thread)
			note_earlier(&p->in->holders[i].since, since);
}
