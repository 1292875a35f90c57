/*
 * types.h - the table of the kinds of object: all that the rest of Ilk knows of a primitive.
 *
 * A new primitive adds its file with its row, and a line to ILK_TYPES_.
 */
#ifndef ILK_SEGMENT_TYPES_H
#define ILK_SEGMENT_TYPES_H

#include "segment/registry.h"
#include <ilk/inspect.h>

#define ILK_TYPES_(row)                                                                            \
	row(block) row(counter) row(sharded) row(mutex) row(condition) row(event) row(latch)       \
		row(once) row(barrier) row(snapshot) row(rwlock) row(semaphore) row(permits)       \
			row(ring) row(channel) row(queue) row(array) row(map) row(loop) row(stage) \
				row(pool)

enum ilk_type_id_ {
	ILK_TYPE_NONE_ = 0, /* the segment's own: the guard */
	ILK_TYPE_BLOCK_,
	ILK_TYPE_COUNTER_,
	ILK_TYPE_SHARDED_,
	ILK_TYPE_MUTEX_,
	ILK_TYPE_CONDITION_,
	ILK_TYPE_EVENT_,
	ILK_TYPE_LATCH_,
	ILK_TYPE_ONCE_,
	ILK_TYPE_BARRIER_,
	ILK_TYPE_SNAPSHOT_,
	ILK_TYPE_RWLOCK_,
	ILK_TYPE_SEMAPHORE_,
	ILK_TYPE_PERMITS_,
	ILK_TYPE_RING_,
	ILK_TYPE_CHANNEL_,
	ILK_TYPE_QUEUE_,
	ILK_TYPE_ARRAY_,
	ILK_TYPE_MAP_,
	ILK_TYPE_LOOP_,
	ILK_TYPE_STAGE_,
	ILK_TYPE_POOL_,
	ILK_TYPES_END_,
};

enum { ILK_FIGURES_ = 24 }; /* of one object at most */

/* What an object says of itself to the inspector. */
struct ilk_description_ {
	char state[64];
	char label[24]; /* of an embedded object; "" none */
	uint32_t owner; /* an owner word, or 0 */
	int64_t value;
	uint64_t acquired; /* also tells one holding from the next: see ilk_wait_note_ */
	uint64_t contended, waited_ns;
	/* Of what messages pass through; 0 elsewhere. `put` and `got` wrap around nowhere near. */
	uint64_t depth, capacity; /* messages that wait to be taken; room for how many */
	uint64_t put, got;
	uint32_t leases;      /* messages taken and not finished */
	ilk_time lease_since; /* of the oldest of them, at least since; 0: unknown */
	uint32_t is_closed;
	/* What only its kind tells: ilk_tell_(). There is room for FIGURES; or NULL: nobody asks. */
	uint32_t figure_count;
	struct ilk_figure_info *figures;
};

/* Adds the figure NAME, a constant, to OUT, if somebody asks and there is room. */
void ilk_tell_(struct ilk_description_ *out, const char *name, uint64_t value);
void ilk_tell_as_(
	struct ilk_description_ *out, const char *name, enum ilk_figure_kind kind, uint64_t value);
void ilk_tell_text_(struct ilk_description_ *out, const char *name, const char *text);

/* One who holds an object, or a part of it. */
struct ilk_holding_ {
	uint32_t owner;               /* a thread's owner word; 0: a process holds it as such: */
	uint32_t process, generation; /* its slot, and that slot's generation */
	uint32_t count;               /* how often, or how many; of a lease: its delivery count */
	const char *how;              /* constant; those there are: ilk/inspect.h */
	char what[64];  /* which part of it, or what it does there; "" that says all */
	ilk_time since; /* 0: unknown */
};

struct ilk_type_ {
	const char *name;
	uint32_t size;  /* of an object; 0: it varies */
	uint32_t least; /* of one that varies and can be embedded: what bytes_of() reads */
	uint32_t align;
	/* How many bytes such a one has, if it is one. */
	uint64_t (*bytes_of)(const void *object);
	int is_plain; /* its bytes are the user's: what is read of them, valid() sees to */
	/*
	 * What is wrong with the BYTES bytes at OBJECT; NULL: nothing. They may be garbage, and may
	 * change meanwhile.
	 */
	const char *(*valid)(const struct ilk_map_ *map, const void *object, uint64_t bytes);
	/* Describes a valid object; the same caution. */
	void (*describe)(const struct ilk_map_ *map, const void *object, uint64_t bytes,
		struct ilk_description_ *out);
	/*
	 * Who holds a valid object, or whom its waiters wait for, at most MOST of them; the number
	 * told. May say more than describe()'s owner, and says that one, too. Nobody twice. NULL: at
	 * most describe()'s owner holds it.
	 */
	uint32_t (*holders)(const struct ilk_map_ *map, const void *object, uint64_t bytes,
		struct ilk_holding_ *out, uint32_t most);
	/* Puts right what the dead left in it, without waiting. 1: it was; 0: there was nothing;
	 * -E... NULL: the dead leave nothing in this kind. */
	int (*repair)(struct ilk_segment *seg, void *object);
	/*
	 * Its name is gone for good: whoever waits in it, and whoever asks from here on, is told
	 * -EIDRM; who holds it may still let it go. Under the guard; called again where the one who
	 * called it died. NULL: nobody waits in this kind.
	 */
	void (*remove)(struct ilk_segment *seg, void *object);
	/*
	 * Frees the blocks that the BYTES bytes at OBJECT lead to, before its own: it was removed, and
	 * no living process has it open. They may be garbage. Under the guard; where who called it died
	 * it is called again. NULL: it leads to none.
	 */
	void (*free_parts)(struct ilk_segment *seg, void *object, uint64_t bytes);
	/* Would an acquire succeed now without waiting? 1, 0. NULL: this kind cannot be waited for.
	 */
	int (*ready)(struct ilk_segment *seg, const void *object);
};

/* The row of TYPE; NULL: there is no such kind. */
const struct ilk_type_ *ilk_type_(uint32_t type);

#endif
