/*
 * ilk/mutex.h - one at a time, and the dead do not block the living.
 *
 *	struct ilk_mutex *m;
 *	int rc = ilk_mutex_open(seg, "stock", NULL, &m);
 *	if (rc == 0)
 *		rc = ilk_mutex_lock(m);
 *	if (rc > 0) {                           // ILK_RECOVERED: held, its last owner died in it
 *		recount(shelf);
 *		ilk_mutex_repaired(m);
 *	}
 *	if (rc >= 0) {
 *		shelf->left--;
 *		ilk_mutex_unlock(m);
 *	}
 *
 * or, scoped, safe with return and break:
 *
 *	ILK_WITH_MUTEX(m, rc) {
 *		if (shelf->left == 0)
 *			return 0;               // unlocks
 *		shelf->left--;
 *	}
 *	if (rc < 0) ...                         // the body did not run
 *
 * The wrong pattern: a default pthread_mutex_t in shared memory (undefined: it is not
 * process-shared, and where it seems to work, kill -9 of its holder stops everyone for ever).
 *
 * Who holds it is known by the very instruction that takes it, so a death at any instruction is
 * noticed: within about 20 ms of the kernel's letting go of the dead process. Misuse is an error,
 * never undefined. Not async-signal-safe. A lock happens after the unlock (or the death) before it.
 *
 * Lifetime: unlock looks at the mutex once more after it has let it go. Memory with a mutex in it
 * may be reused when every call on the mutex has returned, not as soon as it could be locked.
 */
#ifndef ILK_MUTEX_H
#define ILK_MUTEX_H

#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	ILK_MUTEX_RECURSIVE = 1, /* its owner may lock it again; as many unlocks let it go */
};

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_mutex_options {
	size_t size;
	unsigned flags; /* ILK_MUTEX_... */
};

/* Fields private; src/sync/mutex.c says what each means. May be embedded in shared structs. */
struct ilk_mutex {
	uint32_t owner;
	uint32_t wait;
	uint32_t ask;
	uint32_t depth;
	uint16_t tag;
	uint16_t flags;
	uint32_t contended;
	uint64_t acquired;
	uint64_t waited_ns;
	char label[24];
} ILK_ALIGNED_(64);

/* Who holds a mutex, as far as it can be known. */
enum ilk_holder {
	ILK_HELD_BY_NOBODY = 0,
	ILK_HELD_BY_ME = 1,
	ILK_HELD_BY_LIVING = 2,
	ILK_HELD_BY_DEAD = 3,
	ILK_HELD_BY_UNKNOWN = 4, /* its liveness cannot be told from here */
};

struct ilk_mutex_owner {
	enum ilk_holder holder;
	int32_t pid, tid; /* for people to read: in the owner's own pid namespace, perhaps reused */
	char name[16];    /* the owner's thread name */
	int damaged;      /* an owner died, and nobody has called ilk_mutex_repaired() since */
};

/*
 * Makes M, in memory of SEG, an unlocked mutex. Once, before anybody uses it; not on one that is in
 * use. LABEL (may be NULL, the first 23 bytes count) is what the inspector calls it.
 * 0; -EINVAL M lies outside SEG or is not aligned to 64, or unknown flags; -EROFS.
 */
ILK_API int ilk_mutex_init(struct ilk_segment *seg, struct ilk_mutex *m, const char *label,
	const struct ilk_mutex_options *options);

/*
 * Finds or makes the mutex NAME. Results as ilk_block_open's, less those of its SIZE; -EEXIST also
 * where NAME is a mutex with other flags; -EINVAL also for unknown flags.
 */
ILK_API int ilk_mutex_open(struct ilk_segment *seg, const char *name,
	const struct ilk_mutex_options *options, struct ilk_mutex **m);

/*
 * Locks. Waits for the living, never for the dead.
 *
 *   0               you hold it
 *   ILK_RECOVERED   you hold it; an owner died holding it, and what it guards may be half-done.
 *                   Each locker is told so until one has put it right and calls
 *                   ilk_mutex_repaired().
 *   -EDEADLK        you hold it already (and it is not recursive)
 *   -EOVERFLOW      recursive, and locked 2^32 - 1 times over
 *   -EIDRM          its name was removed (ilk/object.h), before or while you waited
 *   -ECANCELED      another thread of this process closes the segment
 *   -EUSERS         every thread slot of the segment is taken by the living
 *   -EINVAL         M lies in no segment that this process has attached, or is not a mutex
 *   -EROFS          M lies in a read-only attachment
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 *
 * Progress: uncontended, one locked instruction. Contended: spins briefly, then sleeps; one who
 * waits is let through by an owner who would retake at once.
 */
ILK_API int ilk_mutex_lock(struct ilk_mutex *m);

/* Locks if that needs no waiting. As lock; -EBUSY where a living owner holds it. */
ILK_API int ilk_mutex_try_lock(struct ilk_mutex *m);

/* Locks, waiting until DEADLINE at most. As lock; -ETIMEDOUT. ILK_NOW: tries once. */
ILK_API int ilk_mutex_lock_until(struct ilk_mutex *m, ilk_time deadline);

/*
 * Lets go: one plain store, and a wake-up where somebody sleeps. 0; -EPERM you do not hold it (also
 * in a child forked by the holder); -EINVAL, -EROFS as lock. Death before the store leaves it
 * held by the dead, after it unlocked; a sleeper whose wake-up died with us finds out in 20 ms.
 */
ILK_API int ilk_mutex_unlock(struct ilk_mutex *m);

/*
 * Says that what M guards has been put right after ILK_RECOVERED: later lockers get 0 again.
 * 0 (also where nothing was damaged); -EPERM you do not hold it; -EINVAL, -EROFS as lock.
 */
ILK_API int ilk_mutex_repaired(struct ilk_mutex *m);

/*
 * Who holds it at this moment; by the time you read it that may be over. Takes no lock, writes
 * nothing in the segment, works through a read-only attachment. 0; -EINVAL as lock.
 */
ILK_NAMESAKE_BEGIN_
ILK_API int ilk_mutex_owner(const struct ilk_mutex *m, struct ilk_mutex_owner *owner);
ILK_NAMESAKE_END_

/* Private: what ILK_WITH_MUTEX is made of. */
static inline struct ilk_mutex *ilk_mutex_enter_(struct ilk_mutex *m, int *result)
{
	*result = ilk_mutex_lock(m);
	return *result < 0 ? (struct ilk_mutex *)0 : m;
}

static inline void ilk_mutex_leave_(struct ilk_mutex **held)
{
	if (*held)
		ilk_mutex_unlock(*held);
	*held = (struct ilk_mutex *)0;
}

/*
 * Runs the block that follows with M locked, and only then; RESULT (an int variable) gets what
 * ilk_mutex_lock(M) returned. The mutex is unlocked however the block is left: at its end, by
 * return, break, continue or goto; not by longjmp. break and continue leave this block, not a loop
 * around it.
 */
#define ILK_WITH_MUTEX(m, result)                                                      \
	for (struct ilk_mutex * ilk_held_ __attribute__((cleanup(ilk_mutex_leave_))) = \
			ilk_mutex_enter_((m), &(result));                              \
		ilk_held_; ilk_mutex_leave_(&ilk_held_))

#ifdef __cplusplus
}
#endif

#endif
