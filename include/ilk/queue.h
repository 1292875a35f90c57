/*
 * ilk/queue.h - many put, many get, each message goes to one; and what the dead had comes back.
 *
 *	const struct ilk_queue_options o = {.size = sizeof o, .capacity = 1024, .message_bytes =
 *	64}; struct ilk_queue *jobs;
 *	struct ilk_queue_handle h;                      // one for each thread that uses the queue
 *	int rc = ilk_queue_open(seg, "jobs", &o, &jobs);
 *	if (rc == 0)
 *		rc = ilk_queue_attach(jobs, &h);
 *
 *	ilk_queue_put(&h, &job, sizeof job, ILK_FOREVER);               // who has work
 *	ilk_queue_close(jobs);                                          // and then none any more
 *
 *	struct ilk_queue_lease l;                                       // who works: if it is
 *	killed while ((rc = ilk_queue_lease(&h, &l, ILK_FOREVER)) == 0) {      // here, another gets
 *		the job work(l.data, l.bytes);
 *		ilk_queue_ack(&h, &l);
 *	}
 *	// -EPIPE: closed, and all is done
 *
 * The wrong patterns. `if (!empty(q)) get(q)`: between the question and the get another one gets
 * it; so there is no question, and a get with ILK_NOW tries once and says -EAGAIN. A sentinel for
 * each consumer: who dies takes its own along or leaves it to another; close instead, or let the
 * queue close itself (ilk_queue_produce_begin). A get, then the work: killed in between, the job is
 * gone; lease instead.
 *
 * Order. First in, first out: getters wait for the living writer of the oldest message, and pass
 * over the dead. What is delivered again, because its holder died or gave it back, comes later than
 * it was put: nothing else does. With `lanes` only messages of one thread are in order among
 * themselves. What came before a put, or a commit, is seen by who gets that message.
 *
 * Death. A message is there once its put, or commit, has passed one store; a writer killed before
 * leaves nothing. A get passes one instruction: killed before, the message is still there; killed
 * after, at most 10 instructions before the return, it is lost with its getter. (With more than
 * ILK_QUEUE_COPY_BYTES it may be got by a lease inside: its count tells of getters killed in it, and
 * there are a few instructions more.) A lease is never lost: it is delivered again, with its count,
 * at most about 20 ms after the kernel let go of the dead where somebody waits.
 *
 * Stopped, not dead: a reservation holds up the getters (order!), a lease nobody: its cell is
 * passed over for as long as it lasts, and the queue has room for one less; for a while longer,
 * since places are filled in their turn.
 *
 * A deadline of ILK_NOW tries once: -EAGAIN where others are waited for with a later one; those are
 * -ETIMEDOUT. Not async-signal-safe.
 */
#ifndef ILK_QUEUE_H
#define ILK_QUEUE_H

#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	ILK_QUEUE_CAPACITY = 1024, /* defaults, */
	ILK_QUEUE_BYTES = 64,
	ILK_QUEUE_MOST_CAPACITY = 1 << 24, /* and limits */
	ILK_QUEUE_MOST_BYTES = 1 << 28,
	ILK_QUEUE_MOST_DELIVERIES = 62,
	ILK_QUEUE_MOST_LANES = 16,
	ILK_QUEUE_COPY_BYTES = 256,
};

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_queue_options {
	size_t size;
	size_t capacity;         /* messages; rounded up to a power of two, in each lane */
	size_t message_bytes;    /* of the longest message */
	unsigned max_deliveries; /* a message comes back no more after so many; 0: always */
	unsigned lanes; /* 1, 2, 4, 8, 16; 0: 1. More: order per thread only, less contention */
	/* The queue that gets what was delivered so often; NULL: it is dropped, and counted. */
	const char *dead_letter;
};

/* In the segment, opened by name only: its size depends on the options. */
struct ilk_queue;

/*
 * One thread's way to a queue: where it was last, and its reservation. Private memory; fill it by
 * ilk_queue_attach(), then use it in one thread at a time; there is nothing to give back. A thread
 * may have several. In a forked child the copy goes on working, but what the parent had reserved or
 * leased is the parent's. Good until the segment, or the queue, is closed. Fields private.
 */
struct ilk_queue_handle {
	struct ilk_queue *queue;
	char *cells, *lanes_at;
	uint64_t lane_bytes, stride, mask;
	uint32_t shift, lanes, message_bytes, max_deliveries;
	uint64_t tail, head[ILK_QUEUE_MOST_LANES];
	uint64_t *reserved;
	uint64_t reserved_word, copied_word;
	uint32_t reserved_bytes;
	uint32_t lane, turn, returned, sweep_at, gets, crowd;
	int64_t swept;
};

/* A message that is leased: in place, nobody else touches it. */
struct ilk_queue_lease {
	void *data; /* in the segment, aligned to 16 */
	size_t bytes;
	unsigned deliveries; /* 1: for the first time; 63: for the 63rd or a later */
	/* Private. */
	uint32_t serial;
	uint64_t *cell;
};

/*
 * Finds or makes the queue NAME. OPTIONS NULL: it must be there, however it was made.
 *
 *   0         *Q is it
 *   -ENOENT   OPTIONS are NULL, and there is none
 *   -EEXIST   NAME is of another type, or a queue made otherwise: ilk_last_error() names the field
 *   -EINVAL   OPTIONS out of range; dead_letter is NAME, or no name an object can have
 *   others    as ilk_block_open's, less those of its SIZE
 *
 * The queue that dead_letter names is opened when it is needed.
 */
ILK_API int ilk_queue_open(struct ilk_segment *seg, const char *name,
	const struct ilk_queue_options *options, struct ilk_queue **q);

/*
 * Makes H the calling thread's handle of Q. 0; -EINVAL Q lies in no attachment, or is no queue;
 * -EBADMSG it is damaged; -EROFS; -EIDRM; -EUSERS; -EACCES, -EMFILE, -ENFILE, -EBADF as below.
 */
ILK_API int ilk_queue_attach(struct ilk_queue *q, struct ilk_queue_handle *h);

/*
 * Results that all of the following have, where nothing else is said:
 *
 *   -EIDRM       its name was removed (ilk/object.h), before or while it waited
 *   -ECANCELED   another thread of this process closes the segment
 *   -EINVAL      the segment was closed
 *   -EUSERS      every thread slot of the segment is taken by the living
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 */

/*
 * Puts a message: the BYTES bytes at DATA, 0 of them included.
 *
 *   0           it is in
 *   -EAGAIN     with ILK_NOW: there is no room
 *   -ETIMEDOUT  there was none until the deadline
 *   -EMSGSIZE   BYTES are more than the queue's message_bytes
 *   -EPIPE      the queue is closed
 *   -EDEADLK    the place to come free next is one that the calling thread has reserved; or it has
 *               leased every place
 *
 * Progress: lock-free where there is room, one locked instruction; else spins briefly, then sleeps.
 */
ILK_API int ilk_queue_put(
	struct ilk_queue_handle *h, const void *data, size_t bytes, ilk_time deadline);

/*
 * Puts COUNT messages, at least one, of BYTES bytes each, which lie end to end at DATA; *PUT, if
 * not NULL, gets how many are in. 0: so many, all unless the deadline passed, or the queue was
 * closed, removed or left meanwhile. Negative, as put: none. Each is committed by itself: a death
 * leaves a part of them. -EINVAL also: COUNT is 0.
 */
ILK_API int ilk_queue_put_many(struct ilk_queue_handle *h, const void *data, size_t bytes,
	size_t count, size_t *put, ilk_time deadline);

/*
 * Reserves the next place for a message of up to BYTES bytes: *WHERE, aligned to 16, is to be
 * filled by the calling thread, which then commits or aborts. As put; -EBUSY H has a reservation
 * already. Getters wait for it, since later messages come after it.
 */
ILK_API int ilk_queue_reserve(
	struct ilk_queue_handle *h, size_t bytes, void **where, ilk_time deadline);

/*
 * Puts what was reserved, of which BYTES bytes are the message. 0, also where the queue was closed
 * or removed meanwhile; -EMSGSIZE BYTES are more than were reserved: it still is; -EPERM the
 * calling thread has no reservation in H: a child forked by who has it, too. Wait-free.
 */
ILK_API int ilk_queue_commit(struct ilk_queue_handle *h, size_t bytes);

/* Gives the place back. 0; -EPERM. Wait-free. */
ILK_API int ilk_queue_abort(struct ilk_queue_handle *h);

/*
 * Gets the oldest message: copies it to BUF, which has room for ROOM bytes; *BYTES, if not NULL,
 * gets its length.
 *
 *   0           it is yours
 *   -EAGAIN     with ILK_NOW: there is none, or its writer, alive, is not done
 *   -ETIMEDOUT  there was none until the deadline
 *   -EMSGSIZE   it has more than ROOM bytes, *BYTES says how many: it stays where it is
 *   -EPIPE      the queue is closed, and empty; and no message is leased that could come back: for
 *               one who holds leases itself it is -EPIPE while others do, too
 *   -EDEADLK    the oldest one is what the calling thread has reserved; or it has leased every place
 *               of a queue that is not closed: nobody can put
 *   -EBADMSG    the message is damaged
 *
 * After a failure the bytes in BUF are undefined. Progress: lock-free where there is one, one locked
 * instruction; spins briefly, then sleeps.
 */
ILK_API int ilk_queue_get(
	struct ilk_queue_handle *h, void *buf, size_t room, size_t *bytes, ilk_time deadline);

/*
 * Gets up to MOST messages, at least one: waits for the first, and takes what is there of others.
 * BUF has MOST places of EACH bytes; SIZES, if not NULL, gets the length of each; *GOT how many. 0,
 * or as get where there is not even one; -EMSGSIZE only if the first does not fit. Each is taken by
 * itself: a death takes those along that were.
 */
ILK_API int ilk_queue_get_many(struct ilk_queue_handle *h, void *buf, size_t each, size_t most,
	size_t *sizes, size_t *got, ilk_time deadline);

/*
 * Leases the oldest message, or one that comes back: *LEASE says where it is. It is the calling
 * thread's until it acks or nacks; if that thread ends before, it is delivered again. As get, less
 * -EMSGSIZE. A thread may hold several.
 */
ILK_NAMESAKE_BEGIN_
ILK_API int ilk_queue_lease(
	struct ilk_queue_handle *h, struct ilk_queue_lease *lease, ilk_time deadline);
ILK_NAMESAKE_END_

/*
 * Finishes a message. 0, also where the queue was closed or removed; -EPERM LEASE is not the
 * calling thread's, or not any more: it was acked, given back, or delivered to another, since the
 * thread that had it is dead. Lock-free.
 */
ILK_API int ilk_queue_ack(struct ilk_queue_handle *h, const struct ilk_queue_lease *lease);

/*
 * Gives a message back: it is delivered again, or, delivered max_deliveries times, it goes to the
 * dead letters or is dropped. 0; -EPERM as ack. If the queue of dead letters is not there, closed, has
 * no room, or only for shorter messages, it stays in this one, takes up a place, and that is tried
 * again, every 20 ms at most, by those who get. Until then it is not done (ilk_queue_join), and nobody
 * gets it: nor does who gets from a closed queue wait for it. `ilk doctor` names it: undeliverable.
 */
ILK_API int ilk_queue_nack(struct ilk_queue_handle *h, const struct ilk_queue_lease *lease);

/*
 * Waits until everything that was put before this call is done: got, acked, dropped or moved to the
 * dead letters. Messages put meanwhile do not count. 0; -EAGAIN with ILK_NOW; -ETIMEDOUT; -EINVAL
 * also: Q is no queue. What the dead had is not done before somebody gets it again.
 */
ILK_API int ilk_queue_join(struct ilk_queue *q, ilk_time deadline);

/*
 * Closes the queue for good: from here on puts and reservations are -EPIPE, and gets too when all
 * that was put is done. What is reserved can be committed. 0; -EINVAL; -EROFS; -EIDRM. Idempotent;
 * wakes all. Closed by one who is killed in it: closed or not.
 */
ILK_API int ilk_queue_close(struct ilk_queue *q);

/*
 * Registers the calling thread as one that puts, until produce_end or its death. When the last of
 * those registered has gone so, the queue closes itself: at the produce_end, or, after a death,
 * within about 20 ms where somebody waits to get. Where none ever registered, it does not. Who does
 * not register may put all the same.
 * 0; -EALREADY it is registered; -EPIPE the queue is closed.
 */
ILK_API int ilk_queue_produce_begin(struct ilk_queue *q);

/* Ends that. 0; -EPERM the calling thread is not registered. Also where the queue was closed. */
ILK_API int ilk_queue_produce_end(struct ilk_queue *q);

/* A queue at one moment; `size` is to be set to sizeof of this struct. */
struct ilk_queue_info {
	size_t size;
	size_t capacity, message_bytes; /* as it was made, and rounded */
	unsigned max_deliveries, lanes;
	int closed;
	size_t depth;      /* messages that wait to be delivered; */
	size_t leases;     /* that are leased, or being got; */
	uint64_t put, got; /* that were ever put, and that are done, however; */
	uint64_t dropped;  /* and of these: dropped, */
	uint64_t moved;    /* and moved to the dead letters */
	char dead_letter[64];
};

/*
 * Fills INFO. Takes no lock, writes nothing, works through a read-only attachment; in time with the
 * capacity. While others put and get, the numbers are of slightly different moments: nothing can be
 * concluded from them on what the next call will find. 0; -EINVAL Q lies in no attachment, is no
 * queue, or `size` is another.
 */
ILK_NAMESAKE_BEGIN_
ILK_API int ilk_queue_info(const struct ilk_queue *q, struct ilk_queue_info *info);
ILK_NAMESAKE_END_

#ifdef __cplusplus
}
#endif

#endif
