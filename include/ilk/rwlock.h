/*
 * ilk/rwlock.h - many read, or one writes; readers touch nothing that they share.
 *
 *	struct ilk_rwlock *l;
 *	int rc = ilk_rwlock_open(seg, "prices", NULL, &l);
 *	if (rc == 0)
 *		rc = ilk_rwlock_read(l);
 *	if (rc >= 0) {                          // ILK_RECOVERED: a writer died in it, see below
 *		price = table->price[i];
 *		ilk_rwlock_unlock(l);
 *	}
 *
 * or, scoped, safe with return and break:
 *
 *	ILK_WITH_WRITE(l, rc) {
 *		if (rc & ILK_RECOVERED) {       // what it guards may be half-written
 *			recompute(table);
 *			ilk_rwlock_repaired(l);
 *		}
 *		table->price[i] = price;
 *	}
 *	if (rc < 0) ...                         // the body did not run
 *
 * The wrong pattern: a pthread_rwlock_t in shared memory. Each read writes to its one cache line, so
 * that readers on different cores slow each other down, writers can starve, and kill -9 of a holder
 * stops everyone for ever: there is no robust one.
 *
 * A reader marks what it reads in its thread's own slot of the segment, 16 locks at a time. A writer
 * says that it comes, has the kernel run a fence on all processors, and waits until no living
 * thread's mark names the lock. So a dead reader is simply not there, a dead writer is told to
 * whoever comes next, and reading costs a few plain instructions. After a writer readers pay a fence
 * for a while: a hundred times as long as that fence took, at most 20 ms.
 *
 * Writers go first: once a writer waits, nobody begins to read (who reads already may read once
 * more). Misuse is an error, never undefined. Not async-signal-safe. A write happens after the reads
 * and the write before it, a read after the last write.
 *
 * Lifetime: unlock looks at the lock once more after it has let it go. Memory with one in it may be
 * reused when every call on the lock has returned, not as soon as it could be had for writing.
 *
 * Source: readers' marks and revocation are those of BRAVO (Dice and Kogan, 2019), with marks that
 * belong to threads which are known to live; the asymmetric handshake is that of membarrier(2).
 */
#ifndef ILK_RWLOCK_H
#define ILK_RWLOCK_H

#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	/*
	 * Writes are frequent, and the segment has many threads: readers sign in the lock itself,
	 * in one of 8 cells, so that a writer need not look at every thread. A read costs two locked
	 * instructions then. More than 8 readers at once work; the writer after them looks at all.
	 */
	ILK_RWLOCK_WRITES = 1,
};

enum { ILK_RWLOCK_CELLS_ = 8 };

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_rwlock_options {
	size_t size;
	unsigned flags; /* ILK_RWLOCK_... */
};

/* Fields private; src/sync/rwlock.c says what each means. May be embedded in shared structs. */
struct ilk_rwlock {
	uint32_t state;
	uint32_t drain;
	uint32_t readers;
	uint32_t writers;
	uint32_t ask;
	uint16_t tag;
	uint16_t flags;
	int64_t biased_from;
	uint64_t acquired;
	uint64_t waited_ns;
	uint32_t contended;
	uint32_t pad[3];
	uint32_t cells[ILK_RWLOCK_CELLS_];
	uint64_t pad1;
	char label[24];
} ILK_ALIGNED_(64);

/*
 * Makes L, in memory of SEG, an unlocked lock. Once, before anybody uses it; not on one that is in
 * use. LABEL (may be NULL, the first 23 bytes count) is what the inspector calls it.
 * 0; -EINVAL L lies outside SEG or is not aligned to 64, or unknown flags; -EROFS.
 */
ILK_API int ilk_rwlock_init(struct ilk_segment *seg, struct ilk_rwlock *l, const char *label,
	const struct ilk_rwlock_options *options);

/*
 * Finds or makes the lock NAME. Results as ilk_block_open's, less those of its SIZE; -EEXIST also
 * where NAME is a lock with other flags; -EINVAL also for unknown flags.
 */
ILK_API int ilk_rwlock_open(struct ilk_segment *seg, const char *name,
	const struct ilk_rwlock_options *options, struct ilk_rwlock **l);

/*
 * Locks for reading. Waits for writers who live, never for the dead, and not at all where the
 * calling thread reads already: as many unlocks then let it go.
 *
 *   0               you read it
 *   ILK_RECOVERED   you read it; a writer died in it, and what it guards may be half-written.
 *                   Everyone is told so until a writer has put it right and calls
 *                   ilk_rwlock_repaired(). So unlock, lock for writing, and do that.
 *   -EDEADLK        you hold it for writing (see ilk_rwlock_downgrade())
 *   -EMFILE         this thread reads 16 other locks of the segment already
 *   -EOVERFLOW      this thread reads it 2^30 times over
 *   -EIDRM          its name was removed (ilk/object.h), before or while you waited
 *   -ECANCELED      another thread of this process closes the segment
 *   -EUSERS         every thread slot of the segment is taken by the living
 *   -EINVAL         L lies in no segment that this process has attached, or is no such lock
 *   -EROFS          L lies in a read-only attachment
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 *
 * Progress: no writer there, wait-free but for the first reads after a write. Else it spins briefly,
 * then sleeps until the writer lets go; one who writes again at once stands back for who waits.
 */
ILK_API int ilk_rwlock_read(struct ilk_rwlock *l);

/* Reads if that needs no waiting. As read; -EBUSY where a living writer holds it or comes. */
ILK_API int ilk_rwlock_try_read(struct ilk_rwlock *l);

/* Reads, waiting until DEADLINE at most. As read; -ETIMEDOUT. ILK_NOW: tries once. */
ILK_API int ilk_rwlock_read_until(struct ilk_rwlock *l, ilk_time deadline);

/*
 * Locks for writing: nobody else reads or writes. Results as read's, but ILK_RECOVERED means that
 * you write it, and may put it right; -EDEADLK that you read or write it already (there is no way
 * up from reading); no -EMFILE for marks, no -EOVERFLOW.
 *
 * Progress: uncontended and after a write, one locked instruction, however many threads there are.
 * After reads it looks at each thread that the segment has had at once, and after reads in peace
 * (see above) it has the kernel run a fence on all processors, a few microseconds. Then it waits
 * for who reads: spins briefly, then sleeps until they let go.
 */
ILK_API int ilk_rwlock_write(struct ilk_rwlock *l);

/*
 * Writes if that needs no waiting. As write; -EBUSY where a living thread holds it. While it looks,
 * others may find the lock held.
 */
ILK_API int ilk_rwlock_try_write(struct ilk_rwlock *l);

/* Writes, waiting until DEADLINE at most. As write; -ETIMEDOUT. ILK_NOW: tries once. */
ILK_API int ilk_rwlock_write_until(struct ilk_rwlock *l, ilk_time deadline);

/*
 * Goes from writing to reading; no writer comes in between, and waiting readers come in. What was
 * not repaired stays so. 0; -EPERM you do not write it; -EMFILE as read, and you write it still;
 * -EINVAL, -EROFS as read. Wait-free but for the wake-up.
 */
ILK_API int ilk_rwlock_downgrade(struct ilk_rwlock *l);

/*
 * Lets go, once, of what the calling thread has, be it reading or writing: a plain store, and a
 * wake-up where somebody sleeps. 0; -EPERM you do not hold it (also in a child forked by the
 * holder); -EINVAL, -EROFS as read. Death before the store leaves it held by the dead, after it
 * let go; a sleeper whose wake-up died with us finds out in 20 ms.
 */
ILK_API int ilk_rwlock_unlock(struct ilk_rwlock *l);

/*
 * Says that what L guards has been put right after ILK_RECOVERED: 0 from here on. 0 (also where
 * nothing was damaged); -EPERM you do not write it; -EINVAL, -EROFS as read.
 */
ILK_API int ilk_rwlock_repaired(struct ilk_rwlock *l);

/* Private: what the scoped forms are made of. */
static inline struct ilk_rwlock *ilk_rwlock_enter_(
	struct ilk_rwlock *l, int (*lock)(struct ilk_rwlock *l), int *result)
{
	*result = lock(l);
	return *result < 0 ? (struct ilk_rwlock *)0 : l;
}

static inline void ilk_rwlock_leave_(struct ilk_rwlock **held)
{
	if (*held)
		ilk_rwlock_unlock(*held);
	*held = (struct ilk_rwlock *)0;
}

#define ILK_WITH_RWLOCK_(l, result, lock)                                                \
	for (struct ilk_rwlock * ilk_held_ __attribute__((cleanup(ilk_rwlock_leave_))) = \
			ilk_rwlock_enter_((l), (lock), &(result));                       \
		ilk_held_; ilk_rwlock_leave_(&ilk_held_))

/*
 * Run the block that follows with L locked for reading, or for writing, and only then; RESULT (an
 * int variable) gets what locking it returned. It is unlocked however the block is left: at its
 * end, by return, break, continue or goto; not by longjmp. break and continue leave this block,
 * not a loop around it.
 */
#define ILK_WITH_READ(l, result) ILK_WITH_RWLOCK_(l, result, ilk_rwlock_read)
#define ILK_WITH_WRITE(l, result) ILK_WITH_RWLOCK_(l, result, ilk_rwlock_write)

#ifdef __cplusplus
}
#endif

#endif
