/* objects.c - the objects of a picture: named ones, and embedded ones that somebody waits for. */
#include "inspect/inspect.h"
#include "segment/directory.h"
#include "segment/types.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One object more, zeroed; NULL: no memory. */
static struct ilk_object_info *new_object(struct ilk_inspection *in)
{
	size_t n = in->object_count;
	struct ilk_object_info *all = in->objects;

	/* Room doubles at powers of two. */
	if ((n & (n - 1)) == 0) {
		all = realloc(all, (n ? 2 * n : 8) * sizeof *all);
		if (!all)
			return NULL;
		in->objects = all;
	}
	memset(&all[n], 0, sizeof *all);
	all[n].owner = ILK_NO_INDEX;
	in->object_count++;
	return &all[n];
}

static int thread_in_slot(const struct ilk_inspection *in, uint32_t slot)
{
	for (size_t i = 0; i < in->thread_count; i++)
		if (in->threads[i].slot == (int)slot)
			return (int)i;
	return ILK_NO_INDEX;
}

static void fill_owner(struct ilk_picture_ *p, struct ilk_object_info *out, uint32_t owner)
{
	static const enum ilk_holder_life holder[] = {
		[ILK_LIFE_UNKNOWN] = ILK_HOLDER_UNKNOWN,
		[ILK_LIFE_ALIVE] = ILK_HOLDER_ALIVE,
		[ILK_LIFE_DEAD] = ILK_HOLDER_DEAD,
	};
	int i = thread_in_slot(p->in, ilk_owner_slot_(owner));

	/* A thread of another generation in that slot is not the owner. */
	if (i != ILK_NO_INDEX &&
		ilk_life_generation_(p->slots[i].life) == ilk_owner_generation_(owner))
		out->owner = i;
	out->holder = p->in->liveness == ILK_LIFE_ALIVE
			      ? holder[ilk_life_of_owner_(&p->map, p->fd, owner)]
			      : ILK_HOLDER_UNKNOWN;
}

static void describe(
	struct ilk_picture_ *p, const struct ilk_type_ *type, struct ilk_object_info *out)
{
	struct ilk_description_ d = {.owner = 0};
	const void *object = p->map.base + out->offset;
	const char *wrong = type->valid(&p->map, object, out->bytes);

	out->type = type->name;
	if (wrong) {
		snprintf(out->damage, sizeof out->damage, "%s", wrong);
		return;
	}
	type->describe(&p->map, object, out->bytes, &d);
	memcpy(out->state, d.state, sizeof out->state);
	if (out->embedded && d.label[0])
		snprintf(out->name, sizeof out->name, "%.23s", d.label);
	out->value = d.value;
	out->acquired = d.acquired;
	out->contended = d.contended;
	out->waited_ns = d.waited_ns;
	if (d.owner)
		fill_owner(p, out, d.owner);
}

static int add_named(const struct ilk_found_ *found, void *arg)
{
	struct ilk_picture_ *p = arg;
	struct ilk_object_info *out = new_object(p->in);

	if (!out)
		return -ENOMEM;
	memcpy(out->name, found->entry.name, sizeof out->name);
	out->offset = found->offset;
	out->bytes = found->entry.bytes;
	describe(p, ilk_type_(found->entry.type), out);
	return 0;
}

/* The object at OFFSET, of the kind TYPE; ILK_NO_INDEX. */
static int object_at(const struct ilk_inspection *in, uint64_t offset, const char *type)
{
	for (size_t i = 0; i < in->object_count; i++)
		if (in->objects[i].offset == offset && strcmp(in->objects[i].type, type) == 0)
			return (int)i;
	return ILK_NO_INDEX;
}

/* Finds the embedded object that a wait record speaks of: nobody else leads to it. */
static int add_embedded(
	struct ilk_picture_ *p, const struct ilk_thread_slot_ *slot, const struct ilk_type_ *type)
{
	struct ilk_object_info *out;

	if (type->size == 0 || slot->wait_object > p->map.bytes - type->size ||
		slot->wait_object % type->align)
		return ILK_NO_INDEX;
	out = new_object(p->in);
	if (!out)
		return -ENOMEM;
	snprintf(out->name, sizeof out->name, "+%llx", (unsigned long long)slot->wait_object);
	out->offset = slot->wait_object;
	out->bytes = type->size;
	out->embedded = 1;
	describe(p, type, out);
	return (int)p->in->object_count - 1;
}

/* "Held at least since": the earliest look of a waiter that saw this very holding. */
static void note_since(
	struct ilk_picture_ *p, struct ilk_object_info *o, const struct ilk_thread_slot_ *slot)
{
	uint32_t owner = slot->wait_owner;

	if (o->owner == ILK_NO_INDEX || !ilk_owner_is_thread_(owner) ||
		(int)ilk_owner_slot_(owner) != p->in->threads[o->owner].slot ||
		slot->wait_serial != o->acquired || slot->wait_owner_since <= 0)
		return;
	if (o->held_since == 0 || slot->wait_owner_since < o->held_since)
		o->held_since = slot->wait_owner_since;
}

static int add_wait(struct ilk_picture_ *p, size_t i)
{
	const struct ilk_thread_slot_ *slot = &p->slots[i];
	const struct ilk_type_ *type = ilk_type_(slot->wait_type);
	struct ilk_thread_info *thread = &p->in->threads[i];
	int object;

	if (slot->wait_object == 0 || !type)
		return 0;
	object = object_at(p->in, slot->wait_object, type->name);
	if (object == ILK_NO_INDEX)
		object = add_embedded(p, slot, type);
	if (object < 0)
		return object == ILK_NO_INDEX ? 0 : object;
	thread->waits_for = object;
	thread->wait_since = slot->wait_since;
	if (thread->life != ILK_LIFE_DEAD)
		p->in->objects[object].waiters++;
	note_since(p, &p->in->objects[object], slot);
	return 0;
}

int ilk_inspect_objects_(struct ilk_picture_ *p)
{
	int rc = ilk_directory_each_(&p->map, add_named, p);

	if (rc == -EBADMSG) {
		snprintf(p->in->damage, sizeof p->in->damage,
			"a list of the directory makes no sense: some objects are missing here");
		rc = 0;
	}
	for (size_t i = 0; rc == 0 && i < p->in->thread_count; i++)
		rc = add_wait(p, i);
	return rc;
}
