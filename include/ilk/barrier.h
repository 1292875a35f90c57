/*
 * ilk/barrier.h - all meet, and go on together; nobody waits for the dead.
 *
 *	const struct ilk_barrier_options three = {.size = sizeof three, .parties = 3};
 *	struct ilk_barrier *b;
 *	int rc = ilk_barrier_open(seg, "steps", &three, &b);
 *	while (rc >= 0 && compute_my_part()) {
 *		rc = ilk_barrier_wait(b);
 *		if (rc > 0 && (rc & ILK_ELECTED))
 *			print_progress();               // one of the three, in each phase
 *	}
 *	if (rc == -EPIPE) {                             // somebody will not come any more
 *		struct ilk_barrier_status status;
 *		ilk_barrier_status(b, &status);
 *		fprintf(stderr, "lost %s (%d)\n", status.name, status.pid);
 *	}
 *	ilk_barrier_detach(b);
 *
 * The wrong pattern: pthread_barrier_t in shared memory. When a process that is waited for is
 * killed, all others wait for ever.
 *
 * A barrier goes from phase to phase. Its members are threads, of any process: a thread becomes one
 * by its first wait, or by ilk_barrier_attach(), and stays one until ilk_barrier_detach(). A phase
 * is over when every member has arrived in it; then all go on, and one of them is told
 * ILK_ELECTED. How many members:
 *
 *	parties = N	as with pthread_barrier: N places, and a phase is over when N members have
 *			arrived. Where one detaches, the others wait for a new one in its place.
 *	parties = 0	as with Java's Phaser: whoever is attached at the time. The first to come is
 *			alone: let all attach before the first of them waits.
 *
 * Breaking. A barrier breaks when a member dies that is waited for, when a wait runs out of time
 * (as Python's threading.Barrier does), or by ilk_barrier_abort(). Who waits is told -EPIPE, and so
 * is whoever comes later, until somebody calls ilk_barrier_reset(). ilk_barrier_status() says why,
 * and who. A member that dies after it has arrived has done its part: that phase is completed, and
 * the next one breaks. With ILK_BARRIER_SHRINK no death breaks it: the others go on without the
 * dead, and without who detached; somebody new may take the place. A thread that ends, and a
 * process that closes the segment or exits without having detached, count as dead.
 *
 * Order: all that a member wrote before its wait is seen by every member after theirs. Not
 * async-signal-safe. Lifetime: who completes a phase looks at the barrier once more after it has
 * let the others go on; its memory may be reused when every call on it has returned. Source: a
 * sense-reversing barrier with the arrivals in a table instead of a count, so that it is known
 * whose is missing.
 */
#ifndef ILK_BARRIER_H
#define ILK_BARRIER_H

#include <ilk/segment.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	ILK_BARRIER_SHRINK = 1, /* go on without the dead */
};

enum { ILK_BARRIER_MEMBERS = 126 }; /* at most, at a time */

/* Zero means default; set `size` to sizeof of this struct. */
struct ilk_barrier_options {
	size_t size;
	unsigned flags;   /* ILK_BARRIER_... */
	unsigned parties; /* places, ILK_BARRIER_MEMBERS at most; 0: as many as attach */
};

/* Private: what is known of a member, for people. */
struct ilk_barrier_who_ {
	uint32_t owner;
	int32_t pid, tid;
	uint32_t pad;
	uint64_t name[2];
};

/* Fields private; src/sync/barrier.h says what each means. May be embedded in shared structs. */
struct ilk_barrier {
	uint64_t state;
	uint64_t phases;
	uint64_t cell[ILK_BARRIER_MEMBERS];
	uint32_t wait;
	uint32_t top;
	uint16_t tag;
	uint8_t flags;
	uint8_t parties;
	uint32_t lost;
	uint64_t slept;
	uint64_t waited_ns;
	char label[24];
	struct ilk_barrier_who_ who[ILK_BARRIER_MEMBERS];
} ILK_ALIGNED_(64);

/* Why a barrier is broken. */
enum ilk_barrier_cause {
	ILK_BARRIER_WHOLE = 0, /* it is not */
	ILK_BARRIER_DEATH = 1,
	ILK_BARRIER_TIMEOUT = 2,
	ILK_BARRIER_ABORT = 3,
};

struct ilk_barrier_status {
	enum ilk_barrier_cause cause;
	int32_t pid, tid; /* who died, ran out of time, or aborted; 0: an abort by no member */
	char name[16];    /* that thread's name */
	uint64_t phases;  /* completed so far; it stands still for a member that has not arrived */
	unsigned parties; /* as in the options */
	unsigned members; /* attached now, */
	unsigned arrived; /* and of them arrived in this phase */
	unsigned lost;    /* dead members that ILK_BARRIER_SHRINK went on without */
};

/*
 * Makes B, in memory of SEG, a barrier without members. Once, before anybody uses it; not on one
 * that is in use. LABEL (may be NULL, the first 23 bytes count) is what the inspector calls it.
 * 0; -EINVAL B lies outside SEG or is not aligned to 64, unknown flags, or too many parties;
 * -EROFS.
 */
ILK_API int ilk_barrier_init(struct ilk_segment *seg, struct ilk_barrier *b, const char *label,
	const struct ilk_barrier_options *options);

/*
 * Finds or makes the barrier NAME. Results as ilk_block_open's, less those of its SIZE; -EEXIST
 * also where NAME is a barrier with other flags or parties; -EINVAL also as init.
 */
ILK_API int ilk_barrier_open(struct ilk_segment *seg, const char *name,
	const struct ilk_barrier_options *options, struct ilk_barrier **b);

/*
 * Makes the calling thread a member, from the phase that is running on: it will not be over without
 * it. A wait does that by itself; with parties = 0 it is for whoever must not be overlooked.
 *
 *   0              it is one (or was already)
 *   -EPIPE         the barrier is broken, or all places are taken, one of them by the dead
 *   -EUSERS        all places are taken by the living; or every thread slot of the segment is
 *   -EIDRM         its name was removed (ilk/object.h)
 *   -EINVAL        B lies in no segment that this process has attached, or is not a barrier
 *   -EROFS         B lies in a read-only attachment
 *   -EACCES, -EMFILE, -ENFILE, -EBADF   a forked child's first call could not join: segment.h
 *
 * Lock-free. A death in the middle of it counts as a member's, or leaves nothing.
 */
ILK_API int ilk_barrier_attach(struct ilk_barrier *b);

/*
 * Ends that. Who waits goes on without it, or, with parties = N and no ILK_BARRIER_SHRINK, waits
 * for another to take its place. Also while the barrier is broken, or its name removed.
 * 0; -EPERM the calling thread is no member; -EINVAL, -EROFS as attach. Wait-free.
 */
ILK_API int ilk_barrier_detach(struct ilk_barrier *b);

/*
 * Arrives, and waits until all have.
 *
 *   0              all have
 *   ILK_ELECTED    the same, and in this phase only this member was told so
 *   -EPIPE         the barrier is or was broken (also: and was reset meanwhile)
 *   -ETIMEDOUT     wait_until: the deadline has passed; the barrier is broken by that
 *   -ECANCELED     another thread of this process closes the segment; the arrival stands
 *   -EIDRM         its name was removed, before or while it waited
 *   others         as attach, where the thread was no member yet
 *
 * Progress: a locked instruction on shared memory for each member, two for the last; spins briefly,
 * yielding, then sleeps. A member that dies before the instruction by which it arrives breaks the
 * barrier, within about 20 ms of the kernel's letting go of it; after it, in the next phase. If the
 * elected one dies before it is told, nobody is.
 */
ILK_API int ilk_barrier_wait(struct ilk_barrier *b);

/* The same, until DEADLINE at most. ILK_NOW: breaks it, unless all others have arrived. */
ILK_API int ilk_barrier_wait_until(struct ilk_barrier *b, ilk_time deadline);

/*
 * Breaks it, by a member or anybody else. 0 (also where it is broken already, for its first
 * reason); -EIDRM, -EINVAL, -EROFS, -EUSERS and those of a forked child as attach. Lock-free.
 */
ILK_API int ilk_barrier_abort(struct ilk_barrier *b);

/*
 * Mends a broken barrier, also one with a dead member of whom nobody was told yet: the dead are
 * members no more, the living are still, and nobody has arrived. Every survivor may call it: on one
 * that is not broken it does nothing. To break off what runs, as Python's reset does: abort, then
 * reset. Results as abort's. Lock-free; a death in the middle of it leaves the barrier broken, or
 * mended.
 */
ILK_API int ilk_barrier_reset(struct ilk_barrier *b);

/*
 * How it stands at this moment; by the time you read it that may be over. A member that is dead
 * makes it ILK_BARRIER_DEATH, even before anybody waited for it in vain. Takes no lock, writes
 * nothing in the segment, works through a read-only attachment. 0; -EINVAL as attach.
 */
ILK_NAMESAKE_BEGIN_
ILK_API int ilk_barrier_status(const struct ilk_barrier *b, struct ilk_barrier_status *status);
ILK_NAMESAKE_END_

#ifdef __cplusplus
}
#endif

#endif
