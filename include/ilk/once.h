/*
 * ilk/once.h - done by one, for all; and who dies in the middle of it hands over to the next.
 *
 *	static int load(void *arg, int told, int64_t *value)    // of one process at a time
 *	{
 *		if (told & ILK_RECOVERED)                       // somebody died in it:
 *			clear(arg);                             // begin from the beginning
 *		return read_table(arg, value);                  // negative: the next one shall try
 *	}
 *
 *	struct ilk_once *once;
 *	int64_t entries;
 *	int rc = ilk_once_open(seg, "table", &once);
 *	if (rc == 0)
 *		rc = ilk_once_run(once, load, table, &entries); // 0: it is done, by whomever
 *
 * or, without a callback:
 *
 *	rc = ilk_once_begin(once, &entries);
 *	if (rc > 0) {                                           // ILK_ELECTED: it is up to you
 *		entries = ...;
 *		rc = ilk_once_done(once, entries);
 *	}
 *
 * The wrong pattern: pthread_once() in shared memory, where the others wait for ever for one who
 * was killed in it; or `if (!ready) { make(); ready = 1; }`, which two do at once.
 *
 * The value, a number of your own choice (an offset, a count, a version), is published together with
 * the fact that it is done: who is told the one sees the other, and all that was written before.
 *
 * Death: who is to do it is known by the very instruction that elects him. If he dies, or his thread
 * ends, or his process closes, the next is elected, with ILK_RECOVERED, within about 20 ms of the
 * kernel's letting go of the dead. So what is done here must be such that it can be begun again.
 */
#ifndef ILK_ONCE_H
#define ILK_ONCE_H

#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fields private; src/sync/once.c says what each means. May be embedded in shared structs. */
struct ilk_once {
	uint32_t word;
	uint16_t tag;
	uint16_t reserved;
	int64_t value;
	uint64_t elected;
	uint64_t waits;
	uint64_t waited_ns;
	char label[24];
} ILK_ALIGNED_(64);

/*
 * Makes O, in memory of SEG, a once that is not done. Once, before anybody uses it; not on one that
 * is in use. LABEL (may be NULL, the first 23 bytes count) is what the inspector calls it.
 * 0; -EINVAL O lies outside SEG or is not aligned to 64; -EROFS.
 */
ILK_API int ilk_once_init(struct ilk_segment *seg, struct ilk_once *o, const char *label);

/* Finds or makes the once NAME. Results as ilk_block_open's, less those of its SIZE. */
ILK_API int ilk_once_open(struct ilk_segment *seg, const char *name, struct ilk_once **o);

/*
 * Waits until it is done, or is up to the caller; DEADLINE at most.
 *
 *   0               it is done; *VALUE, if VALUE is not NULL, is what was published
 *   ILK_ELECTED     it is up to you: do it, then call ilk_once_done(), or ilk_once_give_up()
 *   ILK_ELECTED | ILK_RECOVERED   and one who was to do it died in it: it may be half-done. Each is
 *                   told so who is elected until one has done it
 *   -EDEADLK        you are at it already
 *   -ETIMEDOUT      the deadline has passed; with ILK_NOW: a living one is at it
 *   -EIDRM          its name was removed (ilk/object.h), before or while you waited
 *   -ECANCELED      another thread of this process closes the segment
 *   -EUSERS         every thread slot of the segment is taken by the living
 *   -EINVAL         O lies in no segment that this process has attached, or is no once
 *   -EROFS          O lies in a read-only attachment, and is not done
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 *
 * Order: 0 sees what came before ilk_once_done(); ILK_ELECTED what came before the ilk_once_give_up()
 * or the death that led to it. Progress: where it is done, two loads; else sleeps.
 */
ILK_API int ilk_once_begin_until(struct ilk_once *o, ilk_time deadline, int64_t *value);

/* The same without a deadline, and so without -ETIMEDOUT. */
ILK_API int ilk_once_begin(struct ilk_once *o, int64_t *value);

/*
 * Says that it is done, with VALUE: all who wait, and all who come, get 0. 0, also where the name
 * was removed meanwhile; -EPERM it is not up to you (also in a child forked by who was elected);
 * -EINVAL, -EROFS as begin. Death: it is done, with VALUE, or is to be done again.
 */
ILK_API int ilk_once_done(struct ilk_once *o, int64_t value);

/* Says that it could not be done, and shall be tried by another. Results as ilk_once_done's. */
ILK_API int ilk_once_give_up(struct ilk_once *o);

/*
 * Calls MAKE where it is up to the caller: with ARG, and with TOLD, which is ILK_RECOVERED or 0. If
 * that returns 0, it is done, with the value that MAKE stored; if it returns -E..., another shall
 * try. A thread that ends in MAKE is a death; one that leaves it by longjmp() is at it still.
 *
 * 0: it is done, now or before, and *VALUE (which may be NULL) is what was published; what MAKE
 * returned, if it was negative; else as ilk_once_begin().
 */
ILK_API int ilk_once_run(struct ilk_once *o, int (*make)(void *arg, int told, int64_t *value),
	void *arg, int64_t *value);

/*
 * Is it done? Changes nothing, works through a read-only attachment. 0, *VALUE (which may be NULL)
 * is what was published; -EAGAIN not yet; -EIDRM, -EINVAL O is no once. Order: acquire.
 * Async-signal-safe.
 */
ILK_API int ilk_once_value(const struct ilk_once *o, int64_t *value);

#ifdef __cplusplus
}
#endif

#endif
