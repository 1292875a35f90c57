/*
 * orders.c - the lock-order history of a picture: who holds what, which pairs were seen.
 *
 * Lists and pairs change while they are read. So they are read twice: a list until both looks are the
 * same, a pair's details only if it was told in both. What a list says of a lock is taken for what its
 * thread noted, and not followed: names come from the objects, or from bytes that are a valid lock.
 */
#include "inspect/inspect.h"
#include "segment/order.h"
#include "segment/types.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKS = 8 };

static uint64_t offset_in(const struct ilk_picture_ *p, const void *at)
{
	return (uint64_t)((const char *)at - p->map.base);
}

/* --- names --- */

/* A lock as the history knows it. */
struct lock {
	uint64_t offset;
	uint32_t kind; /* ILK_HELD_... */
	int object;
	char name[64];
	const char *type; /* "" where the kind makes no sense */
};

static const struct ilk_type_ *type_of(uint32_t kind)
{
	return kind == ILK_HELD_MUTEX_                             ? ilk_type_(ILK_TYPE_MUTEX_)
	       : kind == ILK_HELD_READ_ || kind == ILK_HELD_WRITE_ ? ilk_type_(ILK_TYPE_RWLOCK_)
								   : NULL;
}

static int compare_spans(const void *a, const void *b)
{
	const struct ilk_span_ *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return x->object < y->object ? -1 : x->object > y->object;
}

/* Those that can have locks, by their place; what begins in another is that one's. 0; -ENOMEM. */
static int note_spans(struct ilk_picture_ *p)
{
	const struct ilk_inspection *in = p->in;
	struct ilk_span_ *all = malloc((in->object_count + 1) * sizeof *all);
	size_t count = 0, kept = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].type, "block") != 0)
			all[count++] = (struct ilk_span_){
				in->objects[i].offset, in->objects[i].bytes, (int)i};
	qsort(all, count, sizeof *all, compare_spans);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || all[i].offset - all[kept - 1].offset >= all[kept - 1].bytes)
			all[kept++] = all[i];
	p->spans = all;
	p->span_count = kept;
	return 0;
}

/* The object that is the lock, or that has it in it and is no user's memory; ILK_NO_INDEX. */
static int object_with(const struct ilk_picture_ *p, uint64_t offset)
{
	size_t low = 0, high = p->span_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->spans[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && offset - p->spans[low - 1].offset < p->spans[low - 1].bytes
		       ? p->spans[low - 1].object
		       : ILK_NO_INDEX;
}

/* The label of an embedded lock, if that is what is there; else its place. */
static void name_embedded(struct ilk_picture_ *p, const struct ilk_type_ *type, struct lock *l)
{
	const void *object = p->map.base + l->offset;
	struct ilk_description_ d = {.owner = 0};

	snprintf(l->name, sizeof l->name, "+%llx", (unsigned long long)l->offset);
	if (!type || type->size > p->map.bytes - l->offset ||
		ilk_map_look_(&p->map, l->offset, type->size) < 0 ||
		type->valid(&p->map, object, type->size))
		return;
	type->describe(&p->map, object, type->size, &d);
	if (d.label[0])
		snprintf(l->name, sizeof l->name, "%.23s", d.label);
}

/* OFFSET can be a lock's. */
static void look_up(struct ilk_picture_ *p, uint64_t offset, uint32_t kind, struct lock *l)
{
	const struct ilk_type_ *type = type_of(kind);

	*l = (struct lock){.offset = offset, .kind = kind, .type = type ? type->name : ""};
	l->object = object_with(p, offset);
	if (l->object == ILK_NO_INDEX)
		name_embedded(p, type, l);
	else
		memcpy(l->name, p->in->objects[l->object].name, sizeof l->name);
}

/* --- what is held --- */

/* Room for one more in ALL, of COUNT, which have SIZE bytes each: it doubles at powers of two. */
static void *grown(void *all, size_t count, size_t size)
{
	if (count & (count - 1))
		return all;
	return realloc(all, (count ? 2 * count : 8) * size);
}

static int add_held(struct ilk_picture_ *p, int thread, const struct ilk_held_ *held)
{
	static const char *const hows[] = {[ILK_HELD_MUTEX_] = "held",
		[ILK_HELD_READ_] = "reads",
		[ILK_HELD_WRITE_] = "writes"};
	uint32_t kind = (uint32_t)held->what & ILK_HELD_KIND_;
	uint64_t offset = held->what & ~(uint64_t)ILK_HELD_KIND_;
	struct ilk_held_info *all, *out;
	struct lock l;

	if (!ilk_can_be_lock_(&p->map, offset) || !type_of(kind))
		return 0;
	all = grown(p->in->held, p->in->held_count, sizeof *all);
	if (!all)
		return -ENOMEM;
	p->in->held = all;
	look_up(p, offset, kind, &l);
	out = &all[p->in->held_count++];
	*out = (struct ilk_held_info){.thread = thread,
		.object = l.object,
		.offset = offset,
		.type = l.type,
		.since = held->since};
	memcpy(out->name, l.name, sizeof out->name);
	snprintf(out->how, sizeof out->how, "%s", hows[kind]);
	return 0;
}

/* The list of slot SLOT at one moment; of one who never stands still, as it was read last. 0; -E... */
static int read_list(struct ilk_picture_ *p, uint32_t slot, struct ilk_held_list_ *copy)
{
	const struct ilk_held_list_ *list = ilk_held_list_(&p->map, slot);
	struct ilk_held_list_ before = *list;

	for (int look = 0; look < LOOKS; look++) {
		int rc = ilk_map_look_(&p->map, offset_in(p, list), sizeof *list);

		if (rc < 0)
			return rc;
		*copy = *list;
		if (memcmp(copy, &before, sizeof before) == 0)
			break;
		before = *copy;
	}
	return 0;
}

static int compare_since(const void *a, const void *b)
{
	ilk_time x = ((const struct ilk_held_ *)a)->since, y = ((const struct ilk_held_ *)b)->since;

	return x < y ? -1 : x > y;
}

static int add_list(struct ilk_picture_ *p, size_t thread)
{
	uint32_t slot = (uint32_t)p->in->threads[thread].slot;
	struct ilk_held_list_ list;
	int rc = read_list(p, slot, &list);

	/* Else it is the list of one who was in the slot before. */
	if (rc < 0 ||
		list.owner != ilk_owner_word_(slot, ilk_life_generation_(p->slots[thread].life)))
		return rc;
	qsort(list.held, ILK_HELD_MOST_, sizeof list.held[0], compare_since);
	for (uint32_t i = 0; rc == 0 && i < ILK_HELD_MOST_; i++)
		if (list.held[i].what)
			rc = add_held(p, (int)thread, &list.held[i]);
	return rc;
}

/* --- orders --- */

static void fill_locks(
	struct ilk_picture_ *p, const struct ilk_pair_ *pair, struct ilk_order_info *o)
{
	struct lock l;

	look_up(p, ilk_pair_first_(pair->key), pair->how >> 4 & 3, &l);
	o->first = l.object;
	o->first_offset = l.offset;
	o->first_type = l.type;
	memcpy(o->first_name, l.name, sizeof o->first_name);
	look_up(p, ilk_pair_then_(pair->key), pair->how >> 6 & 3, &l);
	o->then = l.object;
	o->then_offset = l.offset;
	o->then_type = l.type;
	memcpy(o->then_name, l.name, sizeof o->then_name);
}

static void fill_who(const struct ilk_pair_ *pair, struct ilk_order_info *o)
{
	o->first_seen = pair->first_seen;
	o->joined = pair->joined;
	o->pid = pair->pid;
	o->tid = pair->tid;
	memcpy(o->thread_name, pair->name, sizeof o->thread_name - 1);
}

static void fill_gates(
	const struct ilk_map_ *map, const struct ilk_pair_ *pair, struct ilk_order_info *o)
{
	int n = 0;

	for (int k = 0; k < ILK_PAIR_GATES_; k++) {
		uint64_t offset = (uint64_t)pair->gates[k] << 6;

		if (ilk_can_be_lock_(map, offset))
			o->gates[n++] = offset;
	}
}

/* PAIR as it is, which was BEFORE a moment ago. */
static int add_pair(
	struct ilk_picture_ *p, const struct ilk_pair_ *pair, const struct ilk_pair_ *before)
{
	struct ilk_order_info *all, *o;

	if (!ilk_is_pair_(&p->map, pair->key))
		return 0;
	all = grown(p->in->orders, p->in->order_count, sizeof *all);
	if (!all)
		return -ENOMEM;
	p->in->orders = all;
	o = &all[p->in->order_count++];
	memset(o, 0, sizeof *o);
	fill_locks(p, pair, o);
	o->ways = pair->how & 15;
	o->count = pair->count;
	o->others = pair->others != 0;
	if (before->key == pair->key)
		fill_gates(&p->map, pair, o);
	if (before->told == pair->key && pair->told == pair->key)
		fill_who(pair, o);
	return 0;
}

static int compare_orders(const void *a, const void *b)
{
	const struct ilk_order_info *x = a, *y = b;

	if (x->first_offset != y->first_offset)
		return x->first_offset < y->first_offset ? -1 : 1;
	return x->then_offset < y->then_offset ? -1 : x->then_offset > y->then_offset;
}

static int is_gate_of(const struct ilk_order_info *o, uint64_t gate)
{
	for (int k = 0; k < ILK_ORDER_GATES; k++)
		if (o->gates[k] == gate)
			return 1;
	return 0;
}

/* FROM is the same pair as INTO, in another place: who was first is of who was first of all. */
static void merge(struct ilk_order_info *into, const struct ilk_order_info *from)
{
	int n = 0;

	into->count += from->count;
	into->ways |= from->ways;
	into->others |= from->others | (from->tid != into->tid || from->joined != into->joined);
	for (int k = 0; k < ILK_ORDER_GATES; k++)
		if (into->gates[k] && is_gate_of(from, into->gates[k]))
			into->gates[n++] = into->gates[k];
	while (n < ILK_ORDER_GATES)
		into->gates[n++] = 0;
	if (into->first_seen && (!from->first_seen || into->first_seen <= from->first_seen))
		return;
	into->first_seen = from->first_seen;
	into->joined = from->joined;
	into->pid = from->pid;
	into->tid = from->tid;
	memcpy(into->thread_name, from->thread_name, sizeof into->thread_name);
}

/* In order, and each once: [I2] of order.c. */
static void settle(struct ilk_inspection *in)
{
	size_t kept = 0;

	if (in->order_count == 0)
		return;
	qsort(in->orders, in->order_count, sizeof *in->orders, compare_orders);
	for (size_t i = 1; i < in->order_count; i++)
		if (compare_orders(&in->orders[kept], &in->orders[i]) == 0)
			merge(&in->orders[kept], &in->orders[i]);
		else
			in->orders[++kept] = in->orders[i];
	in->order_count = kept + 1;
}

/* The table was read with the header; it is read once more. */
static int add_pairs(struct ilk_picture_ *p)
{
	const struct ilk_pair_ *pairs = ilk_pairs_(&p->map);
	size_t count = p->map.header.order_pairs, bytes = count * sizeof *pairs;
	struct ilk_pair_ *before = malloc(bytes);
	int rc;

	if (!before)
		return -ENOMEM;
	memcpy(before, pairs, bytes);
	rc = ilk_map_look_(&p->map, offset_in(p, pairs), bytes);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = add_pair(p, &pairs[i], &before[i]);
	free(before);
	settle(p->in);
	return rc;
}

int ilk_inspect_order_(struct ilk_picture_ *p)
{
	int rc;

	if (!p->map.header.order_at)
		return 0;
	rc = note_spans(p);
	p->in->held_lost = ilk_order_at_(&p->map)->held_lost;
	p->in->orders_lost = ilk_order_at_(&p->map)->pairs_lost;
	for (size_t i = 0; rc == 0 && i < p->in->thread_count; i++)
		rc = add_list(p, i);
	return rc < 0 ? rc : add_pairs(p);
}
