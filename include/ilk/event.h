/*
 * ilk/event.h - something has happened, or it has not yet; who waits for it is let through.
 *
 *	struct ilk_event *start;
 *	int rc = ilk_event_open(seg, "start", NULL, &start);
 *	...
 *	rc = ilk_event_wait_until(start, ilk_after_ms(500));    // in each of those who wait
 *	...
 *	ilk_event_set(start);                                   // and all of them go
 *
 * The wrong pattern: a flag in shared memory and a loop with usleep(); or a condition without a
 * flag, which forgets that it was notified before anybody waited. An event remembers.
 *
 * Two kinds. Of manual reset (the default): once set, it stays so until ilk_event_clear(), and lets
 * everyone through. Of auto reset (ILK_EVENT_AUTO): each set lets one through, who clears it by
 * that; sets that come before anybody waits are one. An event that is set and cleared at once may
 * let none of those through who sleep: for that, use a condition.
 *
 * Death: a set has happened or has not. Who dies in a wait of an event of auto reset may have
 * consumed the set; or not, and then another gets it, within 50 ms.
 *
 * Lifetime: with ILK_EVENT_AUTO a set writes to the event once more after it has let somebody
 * through. Memory with an event in it may be reused when every call on it has returned.
 */
#ifndef ILK_EVENT_H
#define ILK_EVENT_H

#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	ILK_EVENT_AUTO = 1,  /* each set lets one through */
	ILK_EVENT_SET = 2,   /* a new one is set from the start */
	ILK_EVENT_AS_IS = 4, /* any that is there will do; the other flags are for a new one */
};

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_event_options {
	size_t size;
	unsigned flags; /* ILK_EVENT_... */
};

/* Fields private; src/sync/event.c says what each means. May be embedded in shared structs. */
struct ilk_event {
	uint32_t word;
	uint16_t tag;
	uint16_t flags;
	uint64_t sets;
	uint64_t waits;
	uint64_t waited_ns;
	uint64_t more;
	char label[24];
} ILK_ALIGNED_(64);

/*
 * Makes E, in memory of SEG, an event. Once, before anybody uses it; not on one that is in use.
 * LABEL (may be NULL, the first 23 bytes count) is what the inspector calls it.
 * 0; -EINVAL E lies outside SEG or is not aligned to 64, or unknown flags; -EROFS.
 */
ILK_API int ilk_event_init(struct ilk_segment *seg, struct ilk_event *e, const char *label,
	const struct ilk_event_options *options);

/*
 * Finds or makes the event NAME. Results as ilk_block_open's, less those of its SIZE; -EEXIST also
 * where NAME is an event with other flags; -EINVAL also for unknown flags.
 */
ILK_API int ilk_event_open(struct ilk_segment *seg, const char *name,
	const struct ilk_event_options *options, struct ilk_event **e);

/*
 * Sets it: all who wait are let through; with ILK_EVENT_AUTO one of them, or the next to come. 0,
 * also where it was set already; -EIDRM its name was removed (ilk/object.h); -EINVAL E is no event;
 * -EROFS. Order: what came before is seen by who is let through, also where it was set already.
 * Progress: lock-free; one system call where somebody waits. Async-signal-safe in a process that
 * has no read-only attachment. Death: it is set and those who wait are woken, or nothing happened.
 */
ILK_API int ilk_event_set(struct ilk_event *e);

/* Clears it. 0, also where it was not set; -EIDRM, -EINVAL, -EROFS; otherwise as set. Wait-free. */
ILK_API int ilk_event_clear(struct ilk_event *e);

/*
 * Waits until it is set, DEADLINE at most; with ILK_EVENT_AUTO clears it.
 *
 *   0            it was set; with ILK_EVENT_AUTO for you alone
 *   -ETIMEDOUT   the deadline has passed; with ILK_NOW: it is not set
 *   -EIDRM       its name was removed, before or while you waited
 *   -ECANCELED   another thread of this process closes the segment
 *   -EUSERS      every thread slot of the segment is taken by the living
 *   -EINVAL      E lies in no segment that this process has attached, or is no event
 *   -EROFS       E lies in a read-only attachment
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 *
 * Order: sees what came before the set. Progress: none of it where it is set; else sleeps, and looks
 * every 50 ms in case that a death has swallowed the wake-up. Nobody is served in any order.
 */
ILK_API int ilk_event_wait_until(struct ilk_event *e, ilk_time deadline);

/* The same without a deadline, and so without -ETIMEDOUT. */
ILK_API int ilk_event_wait(struct ilk_event *e);

/*
 * Is it set at this moment? Changes nothing, and works through a read-only attachment. 1, 0;
 * -EIDRM, -EINVAL E is no event. Order: acquire. Async-signal-safe.
 */
ILK_API int ilk_event_is_set(const struct ilk_event *e);

#ifdef __cplusplus
}
#endif

#endif
