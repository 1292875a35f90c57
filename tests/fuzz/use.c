/* use.c - objects and memory of a damaged segment. What fails may fail; nothing else may happen. */
#include "use.h"
#include "data.h"
#include "loops.h"
#include "pools.h"
#include "queues.h"
#include "seeds.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_OBJECTS = 24, REFS = 8 };

/* The text ends within its field. */
#define IS_TEXT(field) (memchr((field), 0, sizeof(field)) != NULL)

static void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

/* Reads each byte. */
static void read_all(const void *memory, size_t count)
{
	static volatile unsigned char sum;

	for (size_t i = 0; i < count; i++)
		sum = (unsigned char)(sum + ((const unsigned char *)memory)[i]);
}

/* --- a picture --- */

static int is_index(int i, size_t count)
{
	return i == ILK_NO_INDEX || (i >= 0 && (size_t)i < count);
}

static void use_object_info(const struct ilk_inspection *in, const struct ilk_object_info *o)
{
	must(IS_TEXT(o->name) && IS_TEXT(o->state) && IS_TEXT(o->damage), "an object's texts end");
	must(o->offset <= in->bytes && o->bytes <= in->bytes - o->offset, "an object lies inside");
	must(is_index(o->owner, in->thread_count), "an object's owner is listed");
	read_all(o->type, strlen(o->type));
}

static void use_holder_info(const struct ilk_inspection *in, const struct ilk_holder_info *h)
{
	must(IS_TEXT(h->how) && IS_TEXT(h->what), "a holder's texts end");
	must(h->object >= 0 && (size_t)h->object < in->object_count,
		"what somebody holds is listed");
	must(is_index(h->thread, in->thread_count) && is_index(h->process, in->process_count),
		"a holder is listed, or gone");
}

static void use_figure_info(const struct ilk_inspection *in, const struct ilk_figure_info *f)
{
	must(IS_TEXT(f->text), "a figure's text ends");
	must(f->object >= 0 && (size_t)f->object < in->object_count, "a figure's object is listed");
	must(f == in->figures || f[-1].object <= f->object, "figures are in order");
	read_all(f->name, strlen(f->name));
}

static void use_order_info(const struct ilk_inspection *in, const struct ilk_order_info *o)
{
	must(IS_TEXT(o->first_name) && IS_TEXT(o->then_name) && IS_TEXT(o->thread_name),
		"an order's names end");
	must(o->first_offset < in->bytes && o->then_offset < in->bytes, "an order lies inside");
	must(o->first_offset != o->then_offset, "an order is of two locks");
	must(is_index(o->first, in->object_count) && is_index(o->then, in->object_count),
		"an order's locks are listed");
	read_all(o->first_type, strlen(o->first_type));
	read_all(o->then_type, strlen(o->then_type));
	for (int i = 0; i < ILK_ORDER_GATES; i++)
		must(o->gates[i] < in->bytes, "a gate lies inside");
}

static void use_held_info(const struct ilk_inspection *in, const struct ilk_held_info *h)
{
	must(IS_TEXT(h->name) && IS_TEXT(h->how), "the texts of what is held end");
	must(h->thread >= 0 && (size_t)h->thread < in->thread_count, "a holder is listed");
	must(is_index(h->object, in->object_count), "what is held is listed");
	must(h->offset < in->bytes, "what is held lies inside");
	read_all(h->type, strlen(h->type));
}

void use_inspection(const struct ilk_inspection *in)
{
	must(IS_TEXT(in->name) && IS_TEXT(in->damage), "a picture's texts end");
	for (size_t i = 0; i < in->process_count; i++)
		must(IS_TEXT(in->processes[i].name), "a process's name ends");
	for (size_t i = 0; i < in->thread_count; i++) {
		must(IS_TEXT(in->threads[i].name), "a thread's name ends");
		must(is_index(in->threads[i].process, in->process_count), "a process is listed");
		must(is_index(in->threads[i].waits_for, in->object_count), "an object is listed");
	}
	for (size_t i = 0; i < in->object_count; i++)
		use_object_info(in, &in->objects[i]);
	for (size_t i = 0; i < in->figure_count; i++)
		use_figure_info(in, &in->figures[i]);
	for (size_t i = 0; i < in->held_count; i++)
		use_held_info(in, &in->held[i]);
	for (size_t i = 0; i < in->order_count; i++)
		use_order_info(in, &in->orders[i]);
	for (size_t i = 0; i < in->holder_count; i++)
		use_holder_info(in, &in->holders[i]);
	read_all(in->processes, in->process_count * sizeof *in->processes);
	read_all(in->threads, in->thread_count * sizeof *in->threads);
	read_all(in->objects, in->object_count * sizeof *in->objects);
}

/* --- objects --- */

static void use_mutex(struct ilk_mutex *m)
{
	struct ilk_mutex_owner owner = {.holder = ILK_HELD_BY_NOBODY};
	int rc;

	ilk_mutex_owner(m, &owner);
	must(IS_TEXT(owner.name), "an owner's name ends");
	read_all(m, sizeof *m);
	rc = ilk_mutex_try_lock(m);
	if (rc == -EBUSY)
		rc = ilk_mutex_lock_until(m, ilk_after_ns(300000));
	if (rc > 0)
		ilk_mutex_repaired(m);
	if (rc >= 0 && ilk_mutex_lock_until(m, ilk_after_ns(1)) == 0)
		ilk_mutex_unlock(m);
	ilk_mutex_unlock(m);
}

/* With all others that can be had at once: so that what is noted of locks is used. */
static void use_rwlock(struct ilk_segment *seg, struct ilk_rwlock *l)
{
	struct ilk_mutex *m;
	int rc = ilk_rwlock_try_write(l);

	if (rc >= 0 && ilk_mutex_open(seg, "m", NULL, &m) == 0)
		use_mutex(m);
	if (rc >= 0 && ilk_rwlock_downgrade(l) == 0)
		ilk_rwlock_unlock(l);
	if (ilk_rwlock_read_until(l, ilk_after_ns(300000)) >= 0)
		ilk_rwlock_unlock(l);
	ilk_rwlock_unlock(l);
}

static void use_counter(struct ilk_counter *c)
{
	int64_t before = ilk_counter_read(c);

	ilk_counter_add(c, 1);
	ilk_counter_compare_exchange(c, &before, 5);
}

static void use_sharded(struct ilk_sharded *s)
{
	struct ilk_sharded_handle mine;

	if (ilk_sharded_mine(s, &mine) == 0)
		ilk_sharded_add(&mine, 1);
	ilk_sharded_read(s);
}

/* As each kind of object; of those that have a size of their own, of SIZE. */
static void use_name(struct ilk_segment *seg, const char *name, size_t size)
{
	static const struct ilk_mutex_options recursive = {
		.size = sizeof recursive, .flags = ILK_MUTEX_RECURSIVE};
	struct ilk_counter *c;
	struct ilk_sharded *s;
	struct ilk_rwlock *l;
	struct ilk_mutex *m;
	void *memory;

	if (ilk_mutex_open(seg, name, NULL, &m) == 0)
		use_mutex(m);
	if (ilk_rwlock_open(seg, name, NULL, &l) == 0)
		use_rwlock(seg, l);
	if (ilk_mutex_open(seg, name, &recursive, &m) == 0)
		use_mutex(m);
	if (ilk_counter_open(seg, name, &c) == 0)
		use_counter(c);
	if (ilk_sharded_open(seg, name, &s) == 0)
		use_sharded(s);
	if (ilk_block_open(seg, name, size, &memory) == 0)
		read_all(memory, size);
}

void use_objects(struct ilk_segment *seg, const struct ilk_inspection *in)
{
	must(ilk_segment_bytes(seg) > 0, "a segment has bytes");
	read_all(ilk_segment_name(seg), strlen(ilk_segment_name(seg)));
	for (int i = 0; seed_object_names[i]; i++)
		use_name(seg, seed_object_names[i], 64);
	for (size_t i = 0; in && i < in->object_count && i < MOST_OBJECTS; i++)
		use_name(seg, in->objects[i].name, in->objects[i].bytes);
	use_room(seg);
	use_rings(seg);
	queues_use(seg);
	data_use(seg);
	loops_use(seg);
	pools_use(seg);
	use_name(seg, "new", 500);
}

struct removal {
	struct ilk_segment *seg;
	int count;
};

/* Every other one; and closes what it opened of the others, as a block if it is one. */
static int remove_or_close(const struct ilk_object *o, void *arg)
{
	struct removal *r = arg;
	void *memory;

	must(IS_TEXT(o->name), "an object's name ends");
	must(o->openers >= 0, "as many or none have it open");
	read_all(o->type, strlen(o->type));
	must(ilk_object_repair(r->seg, o->name) <= ILK_RECOVERED, "it is put right, or is not");
	if (r->count++ % 2)
		ilk_object_remove(r->seg, o->name);
	else if (ilk_block_open(r->seg, o->name, o->bytes, &memory) == 0)
		must(ilk_object_close(memory) != -EINVAL, "what was opened can be closed");
	return r->count > MOST_OBJECTS;
}

void use_removal(struct ilk_segment *seg)
{
	struct removal r = {.seg = seg};
	struct ilk_mutex *m;

	ilk_object_each(seg, remove_or_close, &r);
	if (ilk_mutex_open(seg, "m", NULL, &m) == 0) {
		ilk_object_remove(seg, "m");
		use_mutex(m);
		ilk_object_close(m);
	}
	use_name(seg, "again", 64);
}

/* --- memory --- */

struct list {
	ILK_REF(uint64_t) ref[REFS];
};

/* References to the beginning, the end, and what is beyond; all they lead to can be read. */
static void follow_anywhere(struct ilk_segment *seg)
{
	const uint64_t bytes = ilk_segment_bytes(seg);
	const uint64_t offsets[] = {0, 1, 64, bytes / 2, bytes - 64, bytes - 9, bytes - 8,
		bytes - 1, bytes, bytes + 8, 1ull << 40, UINT64_MAX - 7, UINT64_MAX};
	const size_t counts[] = {0, 1, 8, 64, 2000};

	for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
		for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
			const void *memory = ilk_at_(seg, (struct ilk_ref){offsets[i]}, counts[k]);

			if (memory)
				read_all(memory, counts[k]);
		}
}

/* What references of the segment lead to, hostile ones among them. */
static void follow(struct ilk_segment *seg, struct list *list)
{
	for (int i = 0; i < REFS; i++) {
		uint64_t *word = ilk_at(seg, list->ref[i]);
		struct ilk_ref ref = list->ref[i].any;
		void *all = ilk_at_(seg, ref, 1000);

		if (word)
			read_all(word, sizeof *word);
		if (all)
			memset(all, 0x5a, 8);
		ilk_free(seg, word, &list->ref[i], ilk_nowhere());
		ilk_free_alone(seg, word);
	}
}

/* Takes blocks of many sizes; publishes some, frees some, keeps some. */
static void take(struct ilk_segment *seg, struct list *list)
{
	static const size_t sizes[REFS] = {1, 64, 65, 300, 1000, 3000, 1 << 20, SIZE_MAX};

	for (int i = 0; i < REFS; i++) {
		void *memory;

		if (ilk_alloc_aligned(seg, sizes[i], i == 3 ? 4096 : 1, &memory) < 0)
			continue;
		memset(memory, 0xa5, sizes[i]);
		must(ilk_ref_to(seg, memory).offset != 0, "a block lies inside");
		if (i % 3 == 0)
			ilk_publish_(seg, memory, &list->ref[i].any);
		else if (i % 3 == 1)
			ilk_free_alone(seg, memory);
	}
}

void use_memory(struct ilk_segment *seg)
{
	struct ilk_usage usage;
	struct list none, *list = &none;
	void *memory;

	ilk_usage(seg, &usage);
	memset(&none, 0, sizeof none);
	if (ilk_block_open(seg, "list", sizeof *list, &memory) == 0)
		list = memory;
	follow_anywhere(seg);
	follow(seg, list);
	take(seg, list);
	follow(seg, list);
	ilk_usage(seg, &usage);
}
