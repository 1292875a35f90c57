/* objects.c - the objects of a picture: named ones, and embedded ones that somebody waits for. */
#include "inspect/inspect.h"
#include "segment/entries.h"
#include "segment/guard.h"
#include <errno.h>
#include <stddef.h>
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

/* TYPE's row: each object has its name, which is a constant. */
static const struct ilk_type_ *row_of(const char *type)
{
	uint32_t i = ILK_TYPE_NONE_ + 1;

	if (type == ilk_guard_row_.name)
		return &ilk_guard_row_;
	while (ilk_type_(i)->name != type)
		i++;
	return ilk_type_(i);
}

static void copy_description(struct ilk_object_info *out, const struct ilk_description_ *d)
{
	memcpy(out->state, d->state, sizeof out->state);
	if (out->embedded && d->label[0])
		snprintf(out->name, sizeof out->name, "%.23s", d->label);
	out->value = d->value;
	out->acquired = d->acquired;
	out->contended = d->contended;
	out->waited_ns = d->waited_ns;
	out->depth = d->depth;
	out->capacity = d->capacity;
	out->put = d->put;
	out->got = d->got;
	out->leases = (int)d->leases;
	out->lease_since = d->lease_since;
	out->closed = d->is_closed != 0;
}

/* 0; -ENOMEM. */
static int add_figures(struct ilk_picture_ *p, size_t index, const struct ilk_description_ *d)
{
	struct ilk_inspection *in = p->in;
	size_t wanted = in->figure_count + d->figure_count;
	struct ilk_figure_info *all;

	if (wanted > p->figure_room) {
		all = realloc(in->figures, 2 * wanted * sizeof *all);
		if (!all)
			return -ENOMEM;
		in->figures = all;
		p->figure_room = 2 * wanted;
	}
	for (uint32_t i = 0; i < d->figure_count; i++) {
		in->figures[in->figure_count] = d->figures[i];
		in->figures[in->figure_count++].object = (int)index;
	}
	return 0;
}

/* 0; -ENOMEM. */
static int describe(struct ilk_picture_ *p, size_t index)
{
	struct ilk_object_info *out = &p->in->objects[index];
	struct ilk_description_ d;
	uint32_t holders;
	const char *wrong =
		ilk_inspect_look_(p, index, row_of(out->type), &d, &holders, &out->mixed);

	if (wrong) {
		snprintf(out->damage, sizeof out->damage, "%s", wrong);
		return 0;
	}
	copy_description(out, &d);
	if (d.owner)
		ilk_inspect_owner_(p, index, d.owner);
	if (add_figures(p, index, &d) < 0)
		return -ENOMEM;
	return ilk_inspect_add_holders_(p, index, holders);
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

	for (uint32_t slot = 0; slot < p->map.header.process_slots; slot += 64)
		for (uint64_t bits = *ilk_open_word_(&p->map, at, slot); bits; bits &= bits - 1)
			openers += has_open(p, slot + (uint32_t)__builtin_ctzll(bits));
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
	out->type = ilk_type_(found->entry.type)->name;
	return 0;
}

/* --- objects by their place --- */

/* Where the object at OFFSET, of the kind TYPE, stands in p->places, or would. */
static size_t *place_of(const struct ilk_picture_ *p, uint64_t offset, const char *type)
{
	size_t i = (size_t)(offset / 64 * UINT64_C(0x9e3779b97f4a7c15) >> 20);

	for (;; i++) {
		size_t *place = &p->places[i & (p->place_count - 1)];
		const struct ilk_object_info *o;

		if (*place == 0)
			return place;
		o = &p->in->objects[*place - 1];
		if (o->offset == offset && o->type == type)
			return place;
	}
}

static void put_place(struct ilk_picture_ *p, size_t index)
{
	const struct ilk_object_info *o = &p->in->objects[index];

	*place_of(p, o->offset, o->type) = index + 1;
}

/* Those there are, and room for one more for each thread. */
static int note_places(struct ilk_picture_ *p)
{
	size_t most = p->in->object_count + p->in->thread_count + 1;

	for (p->place_count = 64; p->place_count < 2 * most;)
		p->place_count *= 2;
	p->places = calloc(p->place_count, sizeof *p->places);
	if (!p->places)
		return -ENOMEM;
	for (size_t i = 0; i < p->in->object_count; i++)
		put_place(p, i);
	return 0;
}

/* --- what threads wait for --- */

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
	int index = (int)p->in->object_count;

	if (bytes == 0)
		return ILK_NO_INDEX;
	out = new_object(p->in);
	if (!out)
		return -ENOMEM;
	snprintf(out->name, sizeof out->name, "+%llx", (unsigned long long)slot->wait_object);
	out->offset = slot->wait_object;
	out->bytes = bytes;
	out->embedded = 1;
	out->type = type->name;
	put_place(p, (size_t)index);
	return describe(p, (size_t)index) < 0 ? -ENOMEM : index;
}

/* The row of what SLOT's thread waits for; NULL: there is no such kind. */
static const struct ilk_type_ *kind_of_wait(const struct ilk_thread_slot_ *slot)
{
	if (slot->wait_type == ILK_TYPE_NONE_ &&
		slot->wait_object == offsetof(struct ilk_header_, guard))
		return &ilk_guard_row_;
	return ilk_type_(slot->wait_type);
}

static int add_wait(struct ilk_picture_ *p, size_t i)
{
	const struct ilk_thread_slot_ *slot = &p->slots[i];
	const struct ilk_type_ *type = kind_of_wait(slot);
	struct ilk_thread_info *thread = &p->in->threads[i];
	int object;

	if (slot->wait_object == 0 || !type)
		return 0;
	object = (int)*place_of(p, slot->wait_object, type->name) - 1;
	if (object < 0)
		object = add_embedded(p, slot, type);
	if (object < 0)
		return object == ILK_NO_INDEX ? 0 : object;
	thread->waits_for = object;
	thread->wait_since = slot->wait_since;
	if (thread->life != ILK_LIFE_DEAD)
		p->in->objects[object].waiters++;
	ilk_inspect_note_since_(
		p, (size_t)object, slot->wait_owner, slot->wait_serial, slot->wait_owner_since);
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

	for (int look = 0; rc == -EBADMSG && look < ILK_LOOKS_; look++) {
		uint64_t at = ilk_bucket_at_(&p->map, bucket);

		p->in->object_count = begin;
		if (look == 0 || ilk_map_look_(&p->map, at, sizeof at) == 0)
			rc = ilk_entries_in_(&p->map, bucket, add_named, p);
	}
	drop_repeated(p->in, begin);
	if (rc == -EBADMSG)
		snprintf(p->in->damage, sizeof p->in->damage,
			"a list of the directory makes no sense: some objects are missing here");
	if (rc == -EBADMSG)
		rc = 0;
	for (size_t i = begin; rc == 0 && i < p->in->object_count; i++)
		rc = describe(p, i);
	return rc;
}

int ilk_inspect_objects_(struct ilk_picture_ *p)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < p->map.header.buckets; i++)
		rc = add_list(p, i);
	if (rc == 0)
		rc = note_places(p);
	for (size_t i = 0; rc == 0 && i < p->in->thread_count; i++)
		rc = add_wait(p, i);
	return rc;
}
