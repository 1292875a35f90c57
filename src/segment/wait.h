/*
 * wait.h - sleeping in a segment: the one place, and its three rules.
 *
 * 1. Wake in the same system call that changes the word (ilk_futex_store_and_wake_).
 * 2. No sleep is unbounded: after each wake-up, and every 20 ms (50 where nobody in particular is
 *    waited for, 60 where another sleeper looks every 20) the caller looks again.
 * 3. The asymmetric handshake: the hot side stores, then loads a flag, with only a compiler barrier
 *    between; the sleeper sets the flag, calls ilk_handshake_(), looks again, and then sleeps.
 *
 *	struct ilk_wait_ w;
 *	rc = ilk_inside_begin_(seg);
 *	if (rc < 0)
 *		return rc;
 *	ilk_wait_begin_(&w, object, ILK_TYPE_MUTEX_);
 *	while (rc == 0 && !done())
 *		rc = ilk_wait_on_(&w, word, value_seen, deadline, owner_or_0);
 *	ilk_wait_end_(&w);
 *	ilk_inside_end_(seg);
 *
 * Who is inside keeps the mapping, whatever close does. Who has slept and got what he slept for
 * looks whether the segment is being closed, and gives it back if so: his caller could not use it.
 */
#ifndef ILK_SEGMENT_WAIT_H
#define ILK_SEGMENT_WAIT_H

#include "segment/registry.h"

struct ilk_wait_ {
	struct ilk_segment *segment; /* NULL: it waits in none, unseen, and is not to be ended */
	struct ilk_identity_ *me;
	struct ilk_thread_slot_ *slot;
	uint64_t object;
	uint32_t type;
	uint32_t behind; /* set by the caller: another sleeper watches the same owner */
	uint32_t many;   /* set by the caller: it looks after several owners itself, at each tick */
	uint32_t owner;  /* what was noted last, */
	uint64_t serial; /* and at which count */
	ilk_time since;
	ilk_time owner_since;
	ilk_time tick_since; /* 0: from the next sleep on */
};

/* 0; -ECANCELED the segment is being closed; then nothing is begun, and nothing may be ended. */
int ilk_inside_begin_(struct ilk_segment *seg);

/* The same whether it is being closed or not: for who closes. */
void ilk_inside_add_(struct ilk_segment *seg);

/* After this the segment may be gone. */
void ilk_inside_end_(struct ilk_segment *seg);

/* For who is inside. */
int ilk_is_closing_(const struct ilk_segment *seg);

/* Enters a wait of the calling thread for OBJECT, which ilk_here_() was called on; inside. */
void ilk_wait_begin_(struct ilk_wait_ *w, const void *object, uint32_t type);

/* Leaves it. */
void ilk_wait_end_(struct ilk_wait_ *w);

/*
 * Notes for the inspector whom we wait for, as seen at SERIAL, a count that moves each time the
 * owner changes. Cheap where nothing changed.
 */
void ilk_wait_note_(struct ilk_wait_ *w, uint32_t owner, uint64_t serial);

/* How a sleep ended; look again in both cases. */
enum {
	ILK_WOKEN_ = 0, /* or the word had changed */
	ILK_TICK_ = 1,  /* it was time to look */
};

/*
 * Sleeps while *WORD is EXPECTED. OWNER is the owner word of whom we wait for, or 0: nobody in
 * particular. ILK_WOKEN_, ILK_TICK_; -EOWNERDEAD: OWNER's thread is dead; -ETIMEDOUT: DEADLINE has
 * passed, nothing was slept; -ECANCELED.
 */
int ilk_wait_on_(struct ilk_wait_ *w, const uint32_t *word, uint32_t expected, ilk_time deadline,
	uint32_t owner);

/* The sleeper's half of rule 3. */
void ilk_handshake_(const struct ilk_segment *seg);

/* One more round of spinning: a few pauses, then a yield. 0 when it is time to sleep. */
int ilk_spin_(unsigned *round);

/* The same, coming back after each pause, for what costs little to look at. */
int ilk_spin_once_(unsigned *look);

/* Sleeps until UNTIL, for nothing in particular. */
void ilk_sleep_until_(ilk_time until);

/* For close: makes this process's sleepers in SEG return -ECANCELED, and waits for them. */
void ilk_wait_cancel_(struct ilk_segment *seg);

#endif
