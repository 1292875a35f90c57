/* inspect.h - what the parts of the inspector share. */
#ifndef ILK_INSPECT_INSPECT_H
#define ILK_INSPECT_INSPECT_H

#include "segment/member.h"
#include "segment/registry.h"
#include "segment/types.h"
#include <ilk/inspect.h>

enum {
	ILK_LOOKS_ = 8,       /* at what changes meanwhile */
	ILK_HOLDINGS_ = 4096, /* of one object; as many as there can be thread slots, and one */
};

/* What was found out of the last owner asked about in a slot. */
struct ilk_asked_ {
	uint32_t owner; /* its owner word, or a process slot's generation */
	uint32_t is_asked;
	enum ilk_life life;
	size_t object; /* UNKNOWN counts for this object alone */
};

/* Where an object lies. */
struct ilk_span_ {
	uint64_t offset, bytes;
	int object; /* its index */
};

/* A picture being taken. */
struct ilk_picture_ {
	struct ilk_inspection *in;
	struct ilk_map_ map;
	int fd;
	uint64_t pid_space;             /* ours */
	struct ilk_thread_slot_ *slots; /* copies, in the order of in->threads */
	int *process_of_slot;           /* index in in->processes */
	int *thread_of_slot;            /* index in in->threads */
	struct ilk_asked_ *asked_threads, *asked_processes; /* by slot */
	struct ilk_holding_ *holdings;                      /* of the object that is looked at */
	size_t holder_room;
	struct ilk_figure_info figures[ILK_FIGURES_]; /* of the object that is looked at */
	size_t figure_room;
	size_t *places; /* objects by offset and type, hashed: index + 1; 0 free */
	size_t place_count;
	struct ilk_span_ *spans; /* orders.c: of what can have locks, by offset; none overlap */
	size_t span_count;
};

/* Adds the objects, and who holds and waits for which. 0; -ENOMEM. */
int ilk_inspect_objects_(struct ilk_picture_ *p);

/*
 * Reads object INDEX, of TYPE, and lets it describe itself: until it says the same twice in a row.
 * *COUNT are its holdings, in p->holdings; *IS_MIXED: it never did. NULL, or what is wrong with it.
 */
const char *ilk_inspect_look_(struct ilk_picture_ *p, size_t index, const struct ilk_type_ *type,
	struct ilk_description_ *d, uint32_t *count, int *is_mixed);

/* Who owns object INDEX by the word OWNER, which ilk_inspect_look_() gave. */
void ilk_inspect_owner_(struct ilk_picture_ *p, size_t index, uint32_t owner);

/* Adds COUNT holders of object INDEX, from p->holdings. 0; -ENOMEM. */
int ilk_inspect_add_holders_(struct ilk_picture_ *p, size_t index, uint32_t count);

/* A waiter for object INDEX has seen OWNER hold it at the count SERIAL since SINCE. */
void ilk_inspect_note_since_(
	struct ilk_picture_ *p, size_t index, uint32_t owner, uint64_t serial, ilk_time since);

/* Adds what threads hold, and in which orders locks were taken, after the objects. 0; -E... */
int ilk_inspect_order_(struct ilk_picture_ *p);

#endif
