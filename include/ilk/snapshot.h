/*
 * ilk/snapshot.h - a latest value that is always whole: read without a lock, written by turns.
 *
 *	struct ilk_snapshot_handle prices;
 *	struct table t;                                 // of any size, here in private memory
 *	int rc = ilk_snapshot_open(seg, "prices", sizeof t, NULL, &prices);
 *	if (rc == 0)
 *		rc = ilk_snapshot_publish(&prices, &t, NULL);   // one process
 *
 *	uint64_t version;
 *	if (ilk_snapshot_read(&prices, &t, &version) == 0)      // any number of others
 *		use(&t);
 *
 * or, changing what is there:
 *
 *	void *value;
 *	if (ilk_snapshot_begin(&prices, &value) == 0) {
 *		((struct table *)value)->gold++;
 *		ilk_snapshot_commit(&prices, NULL);
 *	}
 *
 * The wrong pattern: memcpy into shared memory, and a flag. A reader sees half of one value and
 * half of the next; and when the writer is killed in the middle, so does everyone for ever.
 *
 * Values are numbered: the first that is published is version 1. Before it, version 0 is all zero
 * bytes. There are several copies in the segment: a writer fills the oldest, and then says that it
 * is the latest. A reader copies the latest, and looks whether it was overwritten meanwhile.
 *
 * Progress. Readers never wait for a writer that is slow, stopped or dead. A read begins anew only
 * if in the midst of it so many values were published as there are copies, less one, and the next
 * was begun: it is lock-free. After 8 such attempts it takes a turn among the writers, so that no
 * reader is starved by them; only through a read-only attachment it cannot, and tries on. Writers
 * wait for each other.
 *
 * Death. A writer that dies before the one store that commits leaves the value before; after it, the
 * new one. The next writer goes on. Not async-signal-safe. What came before a publish, or a commit,
 * is seen by who reads that version.
 */
#ifndef ILK_SNAPSHOT_H
#define ILK_SNAPSHOT_H

#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ILK_SNAPSHOT_COPIES = 4, ILK_SNAPSHOT_MOST_COPIES = 64 };

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_snapshot_options {
	size_t size;
	unsigned copies; /* 2, 4, 8 ... ILK_SNAPSHOT_MOST_COPIES; 0: ILK_SNAPSHOT_COPIES */
};

/* In the segment: so many copies of the value, and one more for ilk_snapshot_begin(). */
struct ilk_snapshot;

/*
 * A process's way to one: fill it by ilk_snapshot_open(); it may be copied, used by any thread, and
 * by forked children, until the segment is closed. Fields private.
 */
struct ilk_snapshot_handle {
	struct ilk_snapshot *snapshot;
	char *first;          /* its first copy; */
	size_t bytes, stride; /* of a value, and from one copy to the next */
	uint32_t mask;        /* of a version: the number of its copy */
	uint32_t read_only;
};

/*
 * Finds or makes the snapshot NAME of values of BYTES bytes. Results as ilk_block_open's; -EEXIST
 * also where its values have another size or number of copies; -EINVAL also for 0 BYTES or such a
 * number of copies as cannot be.
 */
ILK_API int ilk_snapshot_open(struct ilk_segment *seg, const char *name, size_t bytes,
	const struct ilk_snapshot_options *options, struct ilk_snapshot_handle *h);

/*
 * Copies the latest value to VALUE, which has as many bytes; *VERSION, if not NULL, gets its number.
 * 0; -EIDRM its name was removed (ilk/object.h); -ECANCELED another thread of this process closes
 * the segment (only where it took a turn); -EBADMSG the segment is damaged. Lock-free: see above.
 */
ILK_API int ilk_snapshot_read(const struct ilk_snapshot_handle *h, void *value, uint64_t *version);

/* The number of the latest value. Wait-free. Order: acquire. */
ILK_API uint64_t ilk_snapshot_version(const struct ilk_snapshot_handle *h);

/*
 * Waits until there is a version greater than THAN, until DEADLINE at most; *VERSION, if not NULL,
 * gets the latest. A writer's death wakes nobody: it is not known who will write.
 *
 *   0            there is
 *   -ETIMEDOUT   the deadline has passed
 *   -ECANCELED   another thread of this process closes the segment
 *   -EIDRM       its name was removed, before or while it waited
 *   -EUSERS      every thread slot of the segment is taken by the living
 *   -EROFS       of a read-only attachment: who sleeps says so in the segment
 *   -EINVAL      H's segment was closed
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 *
 * Spins briefly, then sleeps. If the writer dies between its commit and the wake-up: 50 ms later.
 */
ILK_API int ilk_snapshot_wait_until(
	const struct ilk_snapshot_handle *h, uint64_t than, ilk_time deadline, uint64_t *version);

/*
 * Makes VALUE the latest; *VERSION, if not NULL, gets its number. Waits for other writers, for the
 * dead only until they are known to be.
 *
 *   0            it is
 *   -ETIMEDOUT   publish_until: the deadline has passed, and another writes still
 *   -EDEADLK     the calling thread is between begin and commit
 *   others       as wait_until
 *
 * Death: see above; a reader that sleeps when the writer dies after its commit looks by itself.
 */
ILK_API int ilk_snapshot_publish(
	const struct ilk_snapshot_handle *h, const void *value, uint64_t *version);
ILK_API int ilk_snapshot_publish_until(const struct ilk_snapshot_handle *h, const void *value,
	ilk_time deadline, uint64_t *version);

/*
 * Begins a change: *VALUE points to the latest value in the segment, aligned to 64, for the calling
 * thread alone, until it commits or aborts. Nobody reads from there: a change that is not committed,
 * by a death or by abort, never was. Results as publish.
 */
ILK_API int ilk_snapshot_begin(const struct ilk_snapshot_handle *h, void **value);
ILK_API int ilk_snapshot_begin_until(
	const struct ilk_snapshot_handle *h, ilk_time deadline, void **value);

/*
 * Makes what begin gave the latest; *VERSION, if not NULL, gets its number. 0; -EPERM the calling
 * thread did not begin; -EROFS; -EINVAL; -EIDRM: then it is as if it were aborted.
 */
ILK_API int ilk_snapshot_commit(const struct ilk_snapshot_handle *h, uint64_t *version);

/* Ends what begin began, and changes nothing. 0; -EPERM; -EROFS; -EINVAL. */
ILK_API int ilk_snapshot_abort(const struct ilk_snapshot_handle *h);

#ifdef __cplusplus
}
#endif

#endif
