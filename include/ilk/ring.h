/*
 * ilk/ring.h - messages from one writer process to one reader process, in order.
 *
 *	const struct ilk_ring_options options = {.size = sizeof options, .bytes = 1 << 16};
 *	struct ilk_ring *ring;
 *	struct ilk_ring_writer w;
 *	int rc = ilk_ring_open(seg, "orders", &options, &ring);
 *	if (rc == 0)
 *		rc = ilk_ring_writer_open(ring, 0, &w);
 *	if (rc >= 0)
 *		rc = ilk_ring_put(&w, "buy", 3);        // waits for room
 *
 * and in the other process, in place:
 *
 *	struct ilk_ring_reader r;
 *	const void *message;
 *	size_t n;
 *	int rc = ilk_ring_reader_open(ring, 0, &r);
 *	while (rc >= 0 && (rc = ilk_ring_peek(&r, &message, &n)) == 0) {
 *		handle(message, n);
 *		ilk_ring_release(&r);                   // now it is gone
 *	}                                               // -EPIPE: the writer is, and all is read
 *
 * The wrong pattern: `if (!empty(ring)) get(ring)`, or `if (!full(ring)) put(ring)`. What was so when
 * you asked need not be so when you act. There is no empty(): call the try form, which asks and acts
 * at once, and says -EAGAIN.
 *
 * Sides. The ring has two, and a process takes one by opening it; a second is refused by name, unless
 * the first is dead, or has closed: then it goes on where that one stopped. A side belongs to the
 * process, and is used through the handle by one thread at a time; the two sides may be in one
 * process. A forked child has no claim to its parent's side: its calls are -EPERM.
 *
 * Messages have from 0 to `message` bytes and lie in one piece, aligned to 8, each behind a header of
 * 8. With ILK_RING_FIXED all have the same size and lie end to end: there are no headers, batches are
 * copied as one piece, and aligned to 8 is what has a multiple of 8 bytes.
 *
 * Death. A message is put by commit's last store, and gone by release's: a writer killed before has
 * put nothing, a reader killed before will see its successor read that message again. So nothing
 * committed is lost, or out of order; and twice is read only what was peeked and not released. The
 * reader of a dead or closed writer reads what is left, and then gets -EPIPE; the writer gets -EPIPE
 * of a closed reader at once, of a dead one when it would have to wait for room. A death is noticed
 * within about 20 ms of the kernel's letting go of the dead process. Where nobody ever opened the
 * other side, there is nobody dead: then it is waited for. With ILK_RING_PATIENT also a successor is.
 *
 * Order: what came before the commit, is seen after the peek. A put and a get that need not wait are
 * wait-free. Not async-signal-safe.
 */
#ifndef ILK_RING_H
#define ILK_RING_H

#include <errno.h>
#include <ilk/atomics.h>
#include <ilk/mutex.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of a ring. */
enum {
	ILK_RING_FIXED = 1, /* all messages have `message` bytes */
};

/* Of a side. */
enum {
	ILK_RING_PATIENT = 1, /* waits where the other side has closed or died: for a successor */
};

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_ring_options {
	size_t size;
	size_t bytes; /* room: default 65536. Made a power of two; fixed: a multiple of a message's */
	size_t message; /* the largest message: default and most (bytes - 16) / 2; fixed: 1 to bytes */
	unsigned flags; /* ILK_RING_FIXED */
};

/* Lies in the segment; opened by name only. */
struct ilk_ring;

/* What both sides' handles have. Private; src/queue/ring.h says what each means. */
struct ilk_ring_hold_ {
	struct ilk_ring *ring;
	const uint64_t *epoch_now;
	uint64_t epoch;
	uint32_t *call;
	char *data;
	uint64_t *line;
	/* What each call adds to lies apart: compilers would add in vectors, which takes longer. */
	uint64_t at, bytes, offset, most, number, stride;
	uint64_t owner;
	ilk_time asked;
	const void *object;
	uint32_t type, fenced, flags, member;
};

/* A process's hold of a side; private memory, not to be copied. Fields private. */
struct ilk_ring_writer {
	struct ilk_ring_hold_ hold;
	uint64_t until, limit, reserved;
};
struct ilk_ring_reader {
	struct ilk_ring_hold_ hold;
	const uint64_t *head;
	uint64_t *tail;
	uint64_t seen, published, lazy, shown;
};

/*
 * Finds or makes the ring NAME. OPTIONS may be NULL. Results as ilk_block_open's, less those of its
 * SIZE; -EEXIST also where NAME has another room, largest message or flags; -EINVAL also for options
 * out of range.
 */
ILK_API int ilk_ring_open(struct ilk_segment *seg, const char *name,
	const struct ilk_ring_options *options, struct ilk_ring **ring);

/*
 * Takes a side of RING for this process, with FLAGS: 0 or ILK_RING_PATIENT.
 *
 *   0               it is yours
 *   ILK_RECOVERED   yours, and who had it before is dead: what it had committed, or not released, is
 *                   in the ring
 *   -EBUSY          a living process has it: which, ilk_last_error() tells. Also this one
 *   -EIDRM          the name was removed (ilk/object.h)
 *   -EBADMSG        the ring is damaged
 *   -EUSERS         every thread slot of the segment is taken by the living
 *   -EINVAL         unknown flags, or RING lies in no segment that this process has attached, or is
 *                   no ring
 *   -EROFS          RING lies in a read-only attachment
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 *
 * Waits for nobody. Death in it leaves the side to the next.
 */
ILK_API int ilk_ring_writer_open(struct ilk_ring *ring, unsigned flags, struct ilk_ring_writer *w);
ILK_API int ilk_ring_reader_open(struct ilk_ring *ring, unsigned flags, struct ilk_ring_reader *r);

/*
 * Gives the side back: the other one gets -EPIPE, the reader after all that was committed. What was
 * reserved is aborted; what was peeked and not released is kept for who opens the side next.
 * 0; -EPERM the side is not this process's: a forked child's, or closed already; -EINVAL the segment
 * was closed.
 */
ILK_API int ilk_ring_writer_close(struct ilk_ring_writer *w);
ILK_API int ilk_ring_reader_close(struct ilk_ring_reader *r);

/*
 * Puts a copy of the N bytes at MESSAGE, waiting for room.
 *
 *   0            it is in the ring
 *   -EPIPE       the reader has closed, or is dead (see above) and there is no room
 *   -EMSGSIZE    N is more than the ring's `message`; fixed: not the same
 *   -EAGAIN      try form: there is no room
 *   -ETIMEDOUT   until form: the deadline has passed, and there was none
 *   -EIDRM       the name was removed, before or while it waited
 *   -ECANCELED   another thread of this process closes the segment
 *   -EBADMSG     the reader's position makes no sense: the ring is damaged
 *   -EPERM       the side is not this process's: a forked child's, or closed
 *   -EINVAL      a message is reserved; or the segment was closed
 *   -EUSERS      every thread slot of the segment is taken by the living
 *
 * Progress: wait-free where there is room; else it spins, then sleeps. The try form may notice a
 * death a millisecond late.
 */
ILK_API int ilk_ring_put(struct ilk_ring_writer *w, const void *message, size_t n);
ILK_API int ilk_ring_try_put(struct ilk_ring_writer *w, const void *message, size_t n);
ILK_API int ilk_ring_put_until(
	struct ilk_ring_writer *w, const void *message, size_t n, ilk_time deadline);

/*
 * Reserves room for a message of N bytes, in place: *MESSAGE, aligned as said above, to be written by
 * the caller until it commits or aborts. Results as put; one message at a time.
 */
ILK_API int ilk_ring_reserve(struct ilk_ring_writer *w, size_t n, void **message);
ILK_API int ilk_ring_try_reserve(struct ilk_ring_writer *w, size_t n, void **message);
ILK_API int ilk_ring_reserve_until(
	struct ilk_ring_writer *w, size_t n, ilk_time deadline, void **message);

/*
 * Puts what was reserved, as a message of N bytes, at most so many as were reserved (fixed: as many).
 * 0; -EINVAL nothing is reserved, or less than N; -EPERM. Death before its last store: nothing was
 * put; after it: it was, and a reader that sleeps looks by itself within 20 ms.
 */
ILK_API int ilk_ring_commit(struct ilk_ring_writer *w, size_t n);

/* Gives up what was reserved: there was no such message. 0; -EINVAL nothing is reserved; -EPERM. */
ILK_API int ilk_ring_abort(struct ilk_ring_writer *w);

/*
 * Puts messages of N bytes each, COUNT of them, which lie end to end at MESSAGES: waits until there
 * is room for one, and puts then as many as there is room for, all at once. *DONE gets how many: at
 * least 1, if COUNT is. Fixed: one copy (two where the ring's end is passed). Results as put.
 */
ILK_API int ilk_ring_put_many(
	struct ilk_ring_writer *w, const void *messages, size_t n, size_t count, size_t *done);
ILK_API int ilk_ring_try_put_many(
	struct ilk_ring_writer *w, const void *messages, size_t n, size_t count, size_t *done);
ILK_API int ilk_ring_put_many_until(struct ilk_ring_writer *w, const void *messages, size_t n,
	size_t count, ilk_time deadline, size_t *done);

/*
 * Shows the next message, waiting for one: *MESSAGE, of *N bytes (N may be NULL), stays as it is
 * until it is released; the same again until then. A writer that is no friend may change it meanwhile.
 *
 *   0            there it is
 *   -EPIPE       the writer has closed or is dead, and all that it put is read
 *   -EAGAIN      try form: there is none
 *   -ETIMEDOUT   until form: the deadline has passed, and there was none
 *   -EIDRM       the name was removed, and all is read
 *   -EBADMSG     the ring is damaged: what stands there can be no message
 *   -ECANCELED, -EPERM, -EINVAL, -EUSERS   as put
 */
ILK_API int ilk_ring_peek(struct ilk_ring_reader *r, const void **message, size_t *n);
ILK_API int ilk_ring_try_peek(struct ilk_ring_reader *r, const void **message, size_t *n);
ILK_API int ilk_ring_peek_until(
	struct ilk_ring_reader *r, ilk_time deadline, const void **message, size_t *n);

/*
 * Done with what was shown last: it is gone, and its room is the writer's.
 * 0; -EINVAL nothing was shown; -EPERM.
 */
ILK_API int ilk_ring_release(struct ilk_ring_reader *r);

/*
 * Takes the next message, waiting for one: copies it to BUFFER, which has ROOM bytes, and releases
 * it. *N, if N is not NULL, gets its size. Results as peek; -EMSGSIZE it has more than ROOM bytes: *N
 * says how many, and it is still there.
 */
ILK_API int ilk_ring_get(struct ilk_ring_reader *r, void *buffer, size_t room, size_t *n);
ILK_API int ilk_ring_try_get(struct ilk_ring_reader *r, void *buffer, size_t room, size_t *n);
ILK_API int ilk_ring_get_until(
	struct ilk_ring_reader *r, void *buffer, size_t room, ilk_time deadline, size_t *n);

/*
 * Takes messages of N bytes each, MOST at most, end to end to MESSAGES: waits until there is one, and
 * takes then all that are there, up to one of another size. *DONE gets how many: at least 1, if MOST
 * is. They are gone all at once. Results as peek; -EMSGSIZE the next one has another size than N.
 */
ILK_API int ilk_ring_get_many(
	struct ilk_ring_reader *r, void *messages, size_t n, size_t most, size_t *done);
ILK_API int ilk_ring_try_get_many(
	struct ilk_ring_reader *r, void *messages, size_t n, size_t most, size_t *done);
ILK_API int ilk_ring_get_many_until(struct ilk_ring_reader *r, void *messages, size_t n,
	size_t most, ilk_time deadline, size_t *done);

/* A ring, for people to read. */
struct ilk_ring_side {
	enum ilk_holder holder; /* ILK_HELD_BY_NOBODY: never opened, or closed */
	int32_t pid;            /* in its own pid namespace, perhaps reused */
	char name[16];          /* the process's name */
	int is_closed;          /* whoever had it last has closed it */
};
struct ilk_ring_status {
	struct ilk_ring_side writer, reader;
	uint64_t put, got; /* messages, ever */
	uint64_t bytes;    /* in use, headers included */
};

/*
 * How RING is at this moment; by the time you read it that may be over: not to be acted upon. Takes
 * no lock, writes nothing in the segment, works through a read-only attachment. 0; -EINVAL RING lies
 * in no attached segment, or is no ring.
 */
ILK_NAMESAKE_BEGIN_
ILK_API int ilk_ring_status(const struct ilk_ring *ring, struct ilk_ring_status *status);
ILK_NAMESAKE_END_

#ifdef __cplusplus
}
#endif

#include <ilk/ring_inline.h>

#endif
