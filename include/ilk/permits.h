/*
 * ilk/permits.h - so many at a time, and what the dead held comes back.
 *
 *	const struct ilk_permits_options five = {.size = sizeof five, .permits = 5};
 *	struct ilk_permits *licences;
 *	int rc = ilk_permits_open(seg, "licences", &five, &licences);
 *	if (rc == 0)
 *		rc = ilk_permits_acquire(licences, 2);  // both, or we wait; never one in the hand
 *	if (rc == 0) {
 *		work();
 *		ilk_permits_release(licences, 2);
 *	}
 *
 * The wrong pattern: a semaphore as a limit. Each process that is killed between wait and post takes
 * a permit with it, until none is left and all wait for ever.
 *
 * Each permit knows its owner, by the very instruction that takes it: so exactly those that the dead
 * held come back, at the next acquire, or within about 20 ms of the kernel's letting go of the dead
 * process where somebody waits (60 where the sleeper that watched has just been served, or died).
 * What they stood for, nobody puts right: where that matters, see ilk/mutex.h.
 *
 * An owner is a thread, which alone can release its permits, and leaves them as the dead do if it
 * ends; or with ILK_PERMITS_PROCESS the whole process, any thread of which can.
 *
 * Those who want several pass a gate one at a time, and keep what comes free until they have all:
 * so none of them waits for the half of another, and those who want one cannot starve them. What is
 * kept so for the one at the gate is not free for others. Who holds some and waits for more can
 * deadlock with others who do: acquire all at once.
 *
 * An acquire happens after the release, or the death, that made its permits free. Nobody is served
 * in order. Not async-signal-safe. Lifetime: a release looks at the permits once more after it has
 * let them go; their memory may be reused when every call on them has returned.
 */
#ifndef ILK_PERMITS_H
#define ILK_PERMITS_H

#include <ilk/mutex.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ILK_PERMITS_MAX = 4096 };

enum {
	ILK_PERMITS_PROCESS = 1, /* processes own permits, not threads */
};

/* Set `size` to sizeof of this struct. */
struct ilk_permits_options {
	size_t size;
	unsigned permits; /* how many there are: 1 to ILK_PERMITS_MAX; there is no default */
	unsigned flags;   /* ILK_PERMITS_... */
};

/*
 * Fields private; src/sync/permits.c says what each means. The permits themselves lie behind it,
 * 8 bytes each: to embed one in a shared struct, use ILK_PERMITS.
 */
struct ilk_permits {
	/* Fixed, but for the tag. */
	uint16_t tag;
	uint16_t flags;
	uint32_t count;
	char label[24];
	/* On lines of their own. */
	uint32_t sleepers ILK_ALIGNED_(64);
	uint32_t bell;
	uint32_t slept;
	uint32_t recovered;
	uint64_t waited_ns;
	int64_t watched;
	struct ilk_mutex gate;
} ILK_ALIGNED_(64);

/* What N permits take up, and room for them in a struct of one's own; `permits` is to be used. */
#define ILK_PERMITS_BYTES(n) (sizeof(struct ilk_permits) + 8 * (size_t)(n))
#define ILK_PERMITS(n)                                    \
	union {                                           \
		struct ilk_permits permits;               \
		unsigned char room[ILK_PERMITS_BYTES(n)]; \
	}

/*
 * Makes P, in memory of SEG with room for as many as OPTIONS say, permits that are all free. Once,
 * before anybody uses them; not on some that are in use. LABEL (may be NULL, the first 23 bytes
 * count) is what the inspector calls them, and their gate.
 * 0; -EINVAL P lies outside SEG or is not aligned to 64, or OPTIONS are NULL or out of range; -EROFS.
 */
ILK_API int ilk_permits_init(struct ilk_segment *seg, struct ilk_permits *p, const char *label,
	const struct ilk_permits_options *options);

/*
 * Finds or makes the permits NAME. Results as ilk_block_open's, less those of its SIZE; -EEXIST also
 * where NAME has another number of permits, or other flags; -EINVAL also as init.
 */
ILK_API int ilk_permits_open(struct ilk_segment *seg, const char *name,
	const struct ilk_permits_options *options, struct ilk_permits **p);

/*
 * Acquires N permits, waiting until all can be had. Waits for the living, never for the dead.
 *
 *   0            they are yours
 *   -EDEADLK     with those that the calling thread has, it would be more than there are (not with
 *                ILK_PERMITS_PROCESS, where another thread may release some)
 *   -EIDRM       its name was removed (ilk/object.h), before or while you waited
 *   -ECANCELED   another thread of this process closes the segment
 *   -EUSERS      every thread slot of the segment is taken by the living
 *   -EINVAL      N is 0, or more than there are; or P lies in no segment that this process has
 *                attached, or is no permits
 *   -EROFS       P lies in a read-only attachment
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 *
 * Progress: one that is free where this thread's last one was, one locked instruction; else in time
 * with the number of permits. Contended: spins briefly, yielding, then sleeps.
 * Death: what it had so far comes back with the rest.
 */
ILK_API int ilk_permits_acquire(struct ilk_permits *p, unsigned n);

/*
 * Acquires N if that needs no waiting. As acquire; -EAGAIN they are not to be had: so many are not
 * free, or others that want several are at the gate, or changed them while they were looked at.
 */
ILK_API int ilk_permits_try_acquire(struct ilk_permits *p, unsigned n);

/* Acquires N, waiting until DEADLINE at most. As acquire; -ETIMEDOUT. ILK_NOW: tries once. */
ILK_API int ilk_permits_acquire_until(struct ilk_permits *p, unsigned n, ilk_time deadline);

/*
 * Releases N of those that are yours, and wakes who sleeps. Also where the name was removed.
 * 0; -EPERM you have fewer: nothing is released (a child forked by the owner has none); -EINVAL,
 * -EROFS as acquire. Progress: one, a plain store; else in time with the number of permits.
 * Death: each is released or comes back.
 */
ILK_API int ilk_permits_release(struct ilk_permits *p, unsigned n);

/*
 * *LEFT gets how many are free at this moment, or the dead's. Takes no lock, writes nothing, works
 * through a read-only attachment. 0; -EINVAL P lies in no attachment, or is no permits.
 */
ILK_API int ilk_permits_left(const struct ilk_permits *p, unsigned *left);

/* Somebody who has some. */
struct ilk_permits_holder {
	enum ilk_holder holder; /* me, living, dead or unknown */
	unsigned count;         /* how many */
	int32_t pid, tid;       /* for people to read, as in ilk_mutex_owner(); tid 0: a process */
	char name[16];          /* of thread or process, the first 15 bytes */
};

/*
 * Lists who has how many at this moment, each owner once: the first ROOM in HOLDERS, and *COUNT gets
 * how many there are. As left.
 */
ILK_API int ilk_permits_holders(const struct ilk_permits *p, struct ilk_permits_holder *holders,
	size_t room, size_t *count);

#ifdef __cplusplus
}
#endif

#endif
