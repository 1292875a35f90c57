/*
 * ilk/latch.h - a count that falls to zero once, and lets all through from then on.
 *
 *	struct ilk_latch_options parts = {.size = sizeof parts, .count = 4};
 *	struct ilk_latch *loaded;
 *	int rc = ilk_latch_open(seg, "loaded", &parts, &loaded);
 *	...
 *	ilk_latch_count_down(loaded, 1);                        // in each of those who load a part
 *	...
 *	rc = ilk_latch_wait_until(loaded, ilk_after_ms(5000));  // in those who need all of them
 *
 * The wrong pattern: a counter, and a loop with usleep() until it is 4.
 *
 * Death: a count has happened or has not. Nobody knows who was going to count: one who dies before
 * that leaves the latch closed, and those who wait wait on. So wait with a deadline; or, where
 * somebody knows that he died, let that one count in his place; or use a barrier, which knows its
 * members.
 *
 * Lifetime: the last to count writes to the latch once more after it is open. Memory with a latch in
 * it may be reused when every call on it has returned, not as soon as a wait is over.
 */
#ifndef ILK_LATCH_H
#define ILK_LATCH_H

#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ILK_LATCH_MOST = 0x7fffffff };
/* As a count to begin with: whatever it was, of one that is there; of a new one, 1. */
#define ILK_LATCH_AS_IS 0xffffffffu

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_latch_options {
	size_t size;
	unsigned count; /* to be counted down, up to ILK_LATCH_MOST, or ..._AS_IS; default 1 */
};

/* Fields private; src/sync/latch.c says what each means. May be embedded in shared structs. */
struct ilk_latch {
	uint32_t word;
	uint16_t tag;
	uint16_t reserved;
	uint32_t count;
	uint32_t waits;
	uint64_t waited_ns;
	uint64_t more[2];
	char label[24];
} ILK_ALIGNED_(64);

/*
 * Makes L, in memory of SEG, a latch. Once, before anybody uses it; not on one that is in use. LABEL
 * (may be NULL, the first 23 bytes count) is what the inspector calls it.
 * 0; -EINVAL L lies outside SEG or is not aligned to 64, or count is too large; -EROFS.
 */
ILK_API int ilk_latch_init(struct ilk_segment *seg, struct ilk_latch *l, const char *label,
	const struct ilk_latch_options *options);

/*
 * Finds or makes the latch NAME. Results as ilk_block_open's, less those of its SIZE; -EEXIST also
 * where NAME is a latch that began with another count; -EINVAL also for a count too large.
 */
ILK_API int ilk_latch_open(struct ilk_segment *seg, const char *name,
	const struct ilk_latch_options *options, struct ilk_latch **l);

/*
 * Counts N down, all of it in one step; at 0 the latch is open for good, and who waits goes on.
 *
 *   0         done
 *   -ERANGE   less than N was left; nothing was counted
 *   -EIDRM    its name was removed (ilk/object.h)
 *   -EINVAL   L is no latch; -EROFS  it lies in a read-only attachment
 *
 * Order: what came before is seen by who is let through. Progress: lock-free; a system call for the
 * last one, where somebody waits. Async-signal-safe in a process that has no read-only attachment.
 */
ILK_API int ilk_latch_count_down(struct ilk_latch *l, unsigned n);

/*
 * Waits until it is open, DEADLINE at most.
 *
 *   0            it is open
 *   -ETIMEDOUT   the deadline has passed; with ILK_NOW: it is not open
 *   -EIDRM       its name was removed, before or while you waited
 *   -ECANCELED   another thread of this process closes the segment
 *   -EUSERS      every thread slot of the segment is taken by the living
 *   -EINVAL      L lies in no segment that this process has attached, or is no latch
 *   -EROFS       L lies in a read-only attachment
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 *
 * Order: sees what came before each count. Progress: none of it where it is open; else sleeps, and
 * looks every 50 ms in case that the last to count died before it could wake.
 */
ILK_API int ilk_latch_wait_until(struct ilk_latch *l, ilk_time deadline);

/* The same without a deadline, and so without -ETIMEDOUT. */
ILK_API int ilk_latch_wait(struct ilk_latch *l);

/*
 * How much is left to be counted at this moment, in *LEFT: 0, it is open. Works through a read-only
 * attachment. 0; -EIDRM, -EINVAL L is no latch. Order: acquire. Async-signal-safe.
 */
ILK_API int ilk_latch_left(const struct ilk_latch *l, unsigned *left);

#ifdef __cplusplus
}
#endif

#endif
