/*
 * ring.h - what the files of the ring share: its words, and what each value means.
 *
 * In the segment
 *	tag		RING, or REMOVED for good
 *	flags, bytes, most: fixed. Options; room for messages; the largest, or of fixed ones each
 *	writer, reader	one end each, written by the process that has the side alone, but for `owner`:
 *	  at		position: bytes ever put, or released; mod `bytes` it is a place in data
 *	  number	messages ever put, or released; not used where they are fixed
 *	  owner		0 = nobody yet; CLOSED; else a process's slot and generation
 *	  slept, waited_ns, taken_over	statistics
 *	tail		the reader's position as of some time ago: what the writer looks at
 *	to_writer	bits: SLEEPS = the reader may sleep on this word; LOOK = see whether it has
 *			closed; REMOVED. Looked at by each put
 *	to_reader	bits: SLEEPS = the writer may sleep on this word; REMOVED
 *	data		not fixed: each message behind a header, which is bits 63..32 the low half of
 *			its number, 31..0 its bytes + 1; SKIP: the next message is at the start of data;
 *			0: none yet
 *
 * In a handle (struct ilk_ring_hold_ and what follows it; the process's own)
 *	at, offset, number: position, its place, and number of the next message
 *	line, call	the end's `at` and `number`; the word that the other side sets bits in
 *	epoch, owner	when it was sure to be ours, and by which word
 *	member		serial of this process's membership then: no other one ever has it
 *	object, type	what it waits for, to the inspector: the ring, or what that is part of
 *	asked		when a try form last asked whether the other side lives
 *	stride		0 = messages have headers; else fixed, and `most`
 *	writer: until	up to where a message may reach without looking further; `at` while reserved
 *		limit	up to where there is room, as far as was looked; less a header's where those are
 *		reserved bytes + 1; 0: none
 *	reader: head, tail  the writer's `at`, of fixed ones; the ring's
 *		seen	up to where messages are, of fixed ones, as far as was looked
 *		published what `tail` is; `lazy`: how far it may lie behind
 *		shown	bytes + 1 of what peek gave; 0: none
 */
#ifndef ILK_QUEUE_RING_H
#define ILK_QUEUE_RING_H

#include "segment/directory.h"
#include "segment/member.h"
#include <ilk/ring.h>

enum { ILK_RING_TAG_ = 0x676e5269, ILK_RING_GONE_ = 0x676e5252 };
enum { ILK_RING_SLEEPS_ = 1, ILK_RING_LOOK_ = 2, ILK_RING_REMOVED_ = 4 };
enum { ILK_RING_CLOSED_ = 1 }; /* an owner */

#define ILK_RING_SKIP_ UINT64_C(0x80000000)
#define ILK_RING_MOST_BYTES_ (UINT64_C(1) << 32)

/* Lines that are written by different sides lie two apart: processors fetch them in pairs. */
struct ilk_ring_end_ {
	uint64_t at;
	uint64_t number;
	uint64_t owner;
	uint64_t waited_ns;
	uint32_t slept;
	uint32_t taken_over;
	uint64_t pad[11];
} ILK_ALIGNED_(64);

struct ilk_ring_word_ {
	uint32_t word;
	uint32_t pad[31];
} ILK_ALIGNED_(64);

struct ilk_ring {
	uint32_t tag, flags;
	uint64_t bytes, most;
	uint64_t pad[13];
	struct ilk_ring_end_ writer, reader;
	uint64_t tail;
	uint64_t pad1[15];
	struct ilk_ring_word_ to_writer, to_reader;
	char data[];
} ILK_ALIGNED_(64);

/* A ring's fixed fields, copied and checked. */
struct ilk_ring_shape_ {
	uint64_t bytes, most;
	uint32_t flags;
};

/* What a ring with OPTIONS, which may be NULL, has. 0; -EINVAL. */
int ilk_ring_shape_of_(const struct ilk_ring_options *options, struct ilk_ring_shape_ *shape);

/* Of the whole object. */
static inline uint64_t ilk_ring_size_(const struct ilk_ring_shape_ *shape)
{
	return sizeof(struct ilk_ring) + ((shape->bytes + 63) & ~UINT64_C(63));
}

/* A ring that is wanted, or something made of such; begins with what the directory knows. */
struct ilk_ring_wanted_ {
	struct ilk_wanted_ wanted;
	struct ilk_ring_shape_ shape;
};

/* Finds or makes it. Results of opening. */
int ilk_ring_open_as_(
	struct ilk_segment *seg, const struct ilk_ring_wanted_ *wanted, void **object);

/* Is RING, of the object NAME, as wanted? 0; -EEXIST. */
int ilk_ring_compare_(
	const struct ilk_ring *ring, const struct ilk_ring_shape_ *shape, const char *name);

/* Makes zeroed bytes a ring. */
void ilk_ring_make_(struct ilk_ring *ring, const struct ilk_ring_shape_ *shape);

/* Copies the shape of what begins at RING and has ROOM bytes at most. 1; 0: it makes no sense. */
int ilk_ring_see_(const struct ilk_ring *ring, uint64_t room, struct ilk_ring_shape_ *shape);

/* RING's attachment and shape. 0; -EINVAL; -EIDRM. */
int ilk_ring_find_(
	const struct ilk_ring *ring, struct ilk_segment **seg, struct ilk_ring_shape_ *shape);

/* How many bytes are in use: a reader may be ahead of what a writer that is at it, or died, says. */
uint64_t ilk_ring_used_(const struct ilk_ring *ring, uint64_t bytes);

/* Messages ever put, or got. */
uint64_t ilk_ring_count_(const struct ilk_ring_end_ *end, const struct ilk_ring_shape_ *shape);

static inline int ilk_ring_is_fixed_(const struct ilk_ring_shape_ *shape)
{
	return (shape->flags & ILK_RING_FIXED) != 0;
}

/* The owner word of a process, by its slot and generation. */
static inline uint64_t ilk_ring_owner_(uint32_t slot, uint32_t generation)
{
	return (uint64_t)generation << 32 | ilk_owner_word_(slot, 0);
}
static inline int ilk_ring_is_owner_(uint64_t word)
{
	return ilk_owner_is_thread_((uint32_t)word);
}

static inline enum ilk_life ilk_ring_life_(struct ilk_segment *seg, uint64_t owner)
{
	return ilk_process_life_(seg, ilk_owner_slot_((uint32_t)owner), (uint32_t)(owner >> 32));
}

/*
 * Is HOLD's side this process's still, where the epoch has moved? 0, and the epoch is the current
 * one; -EPERM; -EINVAL.
 */
int ilk_ring_mine_(struct ilk_ring_hold_ *hold);

/* HOLD is of no side: each call says so. */
void ilk_ring_leave_hold_(struct ilk_ring_hold_ *hold);

/* Sets up to where a message may reach, which lies in one piece. */
void ilk_ring_reach_(struct ilk_ring_writer *w);

/* Looks up to where W may write, as of POSITION of the reader. 0; -EBADMSG. */
int ilk_ring_limit_(struct ilk_ring_writer *w, uint64_t position);

/* Makes room for N bytes, waiting until DEADLINE. 0; results of put. */
int ilk_ring_make_room_(struct ilk_ring_writer *w, size_t n, ilk_time deadline);

/* Waits for a message. 0; results of peek. */
int ilk_ring_await_(struct ilk_ring_reader *r, ilk_time deadline);

/* Looks how far messages of fixed size go. 0; -EBADMSG. */
int ilk_ring_look_ahead_(struct ilk_ring_reader *r);

/* Waiting, for either side. */
struct ilk_ring_effort_ {
	struct ilk_ring_hold_ *hold;
	struct ilk_ring_end_ *mine, *other;
	uint32_t *word; /* to sleep on */
	size_t n;       /* bytes wanted */
	int has_waited;
	/* Is it there? 1; 0; -EBADMSG. THOROUGH: where that costs more, too. */
	int (*look)(struct ilk_ring_effort_ *e, int thorough);
};

/* Waits until it is there. 0; results of put and peek. */
int ilk_ring_wait_(struct ilk_ring_effort_ *e, ilk_time deadline);

#endif
