/* objects.c - the objects of a picture: named ones, and embedded ones that somebody waits for. */
#include "inspect/inspect.h"
#include "segment/entries.h"
#include "segment/types.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKS = 8 };

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

/* The owner word belongs to a moment before the life word: so that is read until it stands still.
 */
static enum ilk_life life_of(struct ilk_picture_ *p, uint32_t owner)
{
	uint32_t slot = ilk_owner_slot_(owner);
	const struct ilk_thread_slot_ *thread = ilk_thread_slot_(&p->map, slot);
	uint64_t at = (uint64_t)((const char *)thread - p->map.base);

	if (slot >= p->map.header.thread_slots || !p->map.is_original)
		return ILK_LIFE_UNKNOWN;
	for (int look = 0; look < LOOKS; look++) {
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

static void fill_owner(
	struct ilk_picture_ *p, struct ilk_object_info *out, uint32_t owner, enum ilk_life life)
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
	out->holder = holder[life];
}

/* Reads the object and lets it describe itself. NULL, or what is wrong with it. */
static const char *look_at(struct ilk_picture_ *p, const struct ilk_type_ *type,
	const struct ilk_object_info *o, struct ilk_description_ *d)
{
	const void *object = p->map.base + o->offset;
	const char *wrong;

	if (!type->is_plain && ilk_map_look_(&p->map, o->offset, o->bytes) < 0)
		return "its bytes are gone";
	wrong = type->valid(&p->map, object, o->bytes);
	*d = (struct ilk_description_){.owner = 0};
	if (!wrong)
		type->describe(&p->map, object, o->bytes, d);
	return wrong;
}

/*
 * Who holds it, and does that one live? Asked again until the object says the same before and
 * after: else one that let go and went in good order could be called dead.
 */
static const char *look_twice(struct ilk_picture_ *p, const struct ilk_type_ *type,
	const struct ilk_object_info *o, struct ilk_description_ *d, enum ilk_life *life)
{
	const char *wrong = look_at(p, type, o, d);

	for (int look = 0; !wrong && d->owner && look < LOOKS; look++) {
		struct ilk_description_ before = *d;

		*life = life_of(p, d->owner);
		wrong = look_at(p, type, o, d);
		if (d->owner == before.owner && d->acquired == before.acquired)
			return wrong;
	}
	*life = ILK_LIFE_UNKNOWN;
	return wrong;
}

static void describe(
	struct ilk_picture_ *p, const struct ilk_type_ *type, struct ilk_object_info *out)
{
	struct ilk_description_ d;
	enum ilk_life life;
	const char *wrong = look_twice(p, type, out, &d, &life);

	out->type = type->name;
	if (wrong) {
		snprintf(out->damage, sizeof out->damage, "%s", wrong);
		return;
	}
	memcpy(out->state, d.state, sizeof out->state);
	if (out->embedded && d.label[0])
		snprintf(out->name, sizeof out->name, "%.23s", d.label);
	out->value = d.value;
	out->acquired = d.acquired;
	out->contended = d.contended;
	out->waited_ns = d.waited_ns;
	out->depth = d.depth;
	out->capacity = d.capacity;
	out->put = d.put;
	out->got = d.got;
	out->leases = (int)d.leases;
	out->lease_since = d.lease_since;
	out->closed = d.is_closed != 0;
	if (d.owner)
		fill_owner(p, out, d.owner, life);
}

static int has_open(const struct ilk_picture_ *p, uint32_t slot)
{
	int i = slot < p->map.header.process_slots ? p->process_of_slot[slot] : ILK_NO_INDEX;

	return i != ILK_NO_INDEX && !ilk_process_slot_(&p->map, slot)->unswept &&
	       p->in->processes[i].life != ILK_LIFE_DEAD;
}

static int count_openers(const struct ilk_picture_ *p, uint64_t at)
{
	int openers = 0;

	for (uint32_t slot = 0; slot < p->map.header.process_slots; slot++)
		if (*ilk_open_word_(&p->map, at, slot) >> slot % 64 & 1)
			openers += has_open(p, slot);
	return openers;
}

static int add_named(const struct ilk_found_ *found, void *arg)
{
	struct ilk_picture_ *p = arg;
	struct ilk_object_info *out;

	if (found->entry.state == ILK_ENTRY_UNBORN_)
		return 0;
	out = new_object(p->in);
	if (!out)
		return -ENOMEM;
	out->removed = found->entry.state == ILK_ENTRY_REMOVED_;
	out->openers = count_openers(p, found->at);
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

/* How many bytes the object of the kind TYPE at OFFSET has; 0: it cannot be one. */
static uint64_t size_at(struct ilk_picture_ *p, const struct ilk_type_ *type, uint64_t offset)
{
	uint64_t room = p->map.bytes - offset, least = type->size ? type->size : type->least;
	uint64_t bytes = type->size;

	if (offset > p->map.bytes || least == 0 || least > room || offset % type->align)
		return 0;
	if (bytes == 0 && ilk_map_look_(&p->map, offset, least) == 0)
		bytes = type->bytes_of(p->map.base + offset);
	return bytes <= room ? bytes : 0;
}

/* Finds the embedded object that a wait record speaks of: nobody else leads to it. */
static int add_embedded(
	struct ilk_picture_ *p, const struct ilk_thread_slot_ *slot, const struct ilk_type_ *type)
{
	uint64_t bytes = size_at(p, type, slot->wait_object);
	struct ilk_object_info *out;

	if (bytes == 0)
		return ILK_NO_INDEX;
	out = new_object(p->in);
	if (!out)
		return -ENOMEM;
	snprintf(out->name, sizeof out->name, "+%llx", (unsigned long long)slot->wait_object);
	out->offset = slot->wait_object;
	out->bytes = bytes;
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

static int compare_offsets(const void *a, const void *b)
{
	uint64_t x = ((const struct ilk_object_info *)a)->offset,
		 y = ((const struct ilk_object_info *)b)->offset;

	return x < y ? -1 : x > y;
}

/* A list that is changed while it is walked along may lead by the same entry twice. */
static void drop_repeated(struct ilk_inspection *in, size_t begin)
{
	struct ilk_object_info *all = in->objects;
	size_t kept = begin;

	if (in->object_count - begin < 2)
		return;
	qsort(&all[begin], in->object_count - begin, sizeof *all, compare_offsets);
	for (size_t i = begin; i < in->object_count; i++)
		if (i == begin || all[i].offset != all[kept - 1].offset)
			all[kept++] = all[i];
	in->object_count = kept;
}

/* One list, read again where it makes no sense: others may have changed it meanwhile. */
static int add_list(struct ilk_picture_ *p, uint32_t bucket)
{
	size_t begin = p->in->object_count;
	int rc = -EBADMSG;

	for (int look = 0; rc == -EBADMSG && look < LOOKS; look++) {
		p->in->object_count = begin;
		rc = ilk_entries_in_(&p->map, bucket, add_named, p);
	}
	drop_repeated(p->in, begin);
	if (rc == -EBADMSG)
		snprintf(p->in->damage, sizeof p->in->damage,
			"a list of the directory makes no sense: some objects are missing here");
	return rc == -EBADMSG ? 0 : rc;
}

int ilk_inspect_objects_(struct ilk_picture_ *p)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < p->map.header.buckets; i++)
		rc = add_list(p, i);
	for (size_t i = 0; rc == 0 && i < p->in->thread_count; i++)
		rc = add_wait(p, i);
	return rc;
}
