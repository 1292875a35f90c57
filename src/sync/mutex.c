/*
 * mutex.c - a robust mutex whose unlock is a plain store.
 *
 * State      owner  0 = free; DAMAGED = free, and what it guards may be half-done; an owner word =
 *                   held; with DAMAGED = held by one who was told ILK_RECOVERED; with AGAIN = more
 *                   than once: depth says how often more (both bits: mutex.h)
 *            wait   0 = nobody needs to be woken; 1 = somebody may sleep on this word
 *            ask    1 = a spinner would like a turn
 *            depth  recursive: how often more than once; by the owner alone, before AGAIN
 *            tag    MUTEX, or REMOVED for good: nobody locks it any more
 *            flags, label: fixed. acquired, contended, waited_ns: by the owner alone.
 * Invariant  [I1] Only the thread that an owner word names stores another value, unless that thread
 *            is dead: then whoever swaps the very word found.
 *            [I2] Who sleeps, sleeps on `wait` (never on `owner`), after it was set and a
 *            membarrier ran; it is cleared only together with a wake-up, in one system call.
 *            [I3] Who has slept takes the mutex with `wait` set, and leaves it set if it gives up:
 *            others may sleep still.
 * Ordering   [X1] lock:   compare-and-swap owner, acquire <-> [X2], [X3]  what the last owner wrote
 *            [X2] unlock: store owner, release            <-> [X1]
 *            [X3] recover: compare-and-swap owner, acquire; the dead's stores are there: the kernel
 *                 released its life byte after its last instruction
 *            [X4] unlock: store owner; compiler barrier; load wait   <-> [X5]
 *            [X5] sleep:  set wait; membarrier; load owner           <-> [X4]  one of both sees the
 *                 other: the unlocker a sleeper, or the sleeper a free mutex. In a fenced segment
 *                 both sides use a full fence instead.
 *            [X6] wait:   set wait, full; load tag              <-> [X7]  who sets it too late to
 *            [X7] remove: store tag; store wait and wake, full  <-> [X6]  be woken sees the tag
 * Death      before [X1]: nothing. Between [X1] and [X2]: the word names the dead, and the next to
 *            look swaps it: RECOVERED, depth 0. After [X2], before the wake-up: the mutex is free,
 *            and a sleeper looks within 20 ms. Woken and killed: the same.
 *            Statistics may then be one short.
 * Close      waits for who spins or sleeps; what such a one gets while the segment is being closed
 *            it gives back, since its caller could not use it: -ECANCELED.
 * Lifetime   [X4] touches the mutex after it was let go; the header says what that asks of users.
 *
 * Fairness: one who unlocks and locks again at once would never let go of the cache line. So
 * spinners set `ask`, and an unlocker who sees it stands back for a moment.
 *
 * Source: the asymmetric handshake is that of membarrier(2) and of the "biased" locks; the rest is
 * ours.
 */
#include "fault.h"
#include "os/futex.h"
#include "segment/member.h"
#include "segment/order.h"
#include "segment/types.h"
#include "segment/wait.h"
#include "sync/mutex.h"
#include <errno.h>

enum { LOOKS = 35, LONGEST_GAP = 12, ASK_EVERY = 7, STAND_BACK = 64 };

_Static_assert(sizeof(struct ilk_mutex) == 64, "one cache line");

/* --- small questions --- */

/* In an attached segment, and a mutex? The caller's identity is in ilk_thread_ then. */
static int check(const struct ilk_mutex *m)
{
	int rc = ilk_here_(m);

	if (rc < 0 || ilk_load_relaxed_(&m->tag) == ILK_MUTEX_TAG_)
		return rc;
	return ilk_mutex_is_removed_(m) ? -EIDRM : -EINVAL;
}

/* And held by the caller? */
static int check_mine(const struct ilk_mutex *m)
{
	int rc = ilk_is_here_(m) ? 0 : ilk_find_mine_(m);

	if (rc < 0)
		return rc;
	if (!ilk_mutex_is_one_(m))
		return -EINVAL;
	return ilk_mutex_is_mine_(ilk_load_relaxed_(&m->owner)) ? 0 : -EPERM;
}

/* --- letting it go --- */

/* Somebody sleeps, or asked. The mutex is no longer ours. */
static int let_others(struct ilk_mutex *m)
{
	if (ilk_load_relaxed_(&m->wait) && !ILK_FAULTY_(ILK_FAULT_SILENT_UNLOCK))
		ilk_futex_store_and_wake_(&m->wait, 0, 1); /* [I2] */
	if (!ilk_load_relaxed_(&m->ask))
		return 0;
	ilk_store_relaxed_(&m->ask, 0u);
	for (int i = 0; i < STAND_BACK && !ilk_mutex_is_held_(ilk_load_relaxed_(&m->owner)); i++)
		ilk_pause_();
	return 0;
}

static inline int look_round(struct ilk_mutex *m)
{
	if (__builtin_expect(ilk_load_relaxed_(&m->wait) | ilk_load_relaxed_(&m->ask), 0))
		return let_others(m);
	return 0;
}

static int unlock_slow(struct ilk_mutex *m)
{
	int rc = check_mine(m);
	uint32_t word;

	if (rc < 0)
		return rc;
	word = ilk_load_relaxed_(&m->owner);
	if (m->depth) {
		m->depth--;
		ilk_store_relaxed_(&m->owner, m->depth ? word : word & ~(uint32_t)ILK_MUTEX_AGAIN_);
		return 0;
	}
	ilk_count_last_(&ilk_thread_);
	ilk_let_go_();
	ilk_left_(m);
	ilk_exchange_(&m->owner, word & ILK_MUTEX_DAMAGED_); /* [X2], [X4] */
	ilk_fence_after_rmw_();
	return look_round(m);
}

/* --- taking it --- */

/* [X1] Swaps the free or dead word FOUND for the caller's. */
static inline int swap_in(struct ilk_mutex *m, uint32_t found, uint32_t mine)
{
	if (ILK_FAULTY_(ILK_FAULT_LATE_OWNER)) {
		if (!ilk_cas_acquire_(&m->owner, &found, (uint32_t)ILK_MUTEX_DAMAGED_ + 1))
			return 0;
		ilk_store_relaxed_(&m->owner, mine);
		return 1;
	}
	return ilk_cas_acquire_(&m->owner, &found, mine);
}

static inline void count(struct ilk_mutex *m)
{
	/* Stored whole: who waits reads it meanwhile, to tell one holding from the next. */
	ilk_store_relaxed_(&m->acquired, m->acquired + 1);
}

static int taken(struct ilk_mutex *m, int result)
{
	count(m);
	ilk_hold_();
	ilk_taken_(m, ILK_HELD_MUTEX_);
	return result;
}

/* Takes it if it is free. 1 and *RESULT; 0. */
static int take_free(struct ilk_mutex *m, uint32_t found, int *result)
{
	if (ilk_mutex_is_held_(found) ||
		!swap_in(m, found, ilk_thread_.owner | (found & ILK_MUTEX_DAMAGED_)))
		return 0;
	if (found & ILK_MUTEX_DAMAGED_)
		m->depth = 0; /* it may be what repair() left of a dead owner's */
	*result = taken(m, found & ILK_MUTEX_DAMAGED_ ? ILK_RECOVERED : 0);
	return 1;
}

/* Takes it from FOUND, whose thread is dead. 1 and *RESULT; 0. */
static int take_from_dead(struct ilk_mutex *m, uint32_t found, int *result)
{
	if (!ilk_cas_acquire_(&m->owner, &found, ilk_thread_.owner | ILK_MUTEX_DAMAGED_)) /* [X3] */
		return 0;
	m->depth = 0;
	*result = taken(m, ILK_RECOVERED);
	return 1;
}

static int lock_again(struct ilk_mutex *m)
{
	if (!(m->flags & ILK_MUTEX_RECURSIVE))
		return -EDEADLK;
	if (m->depth == UINT32_MAX)
		return -EOVERFLOW;
	ilk_count_last_(&ilk_thread_);
	m->depth++;
	ilk_store_relaxed_(&m->owner, ilk_load_relaxed_(&m->owner) | ILK_MUTEX_AGAIN_);
	return 0;
}

static void pause_for(int pauses)
{
	for (int i = 0; i < pauses; i++)
		ilk_pause_();
}

/*
 * Spins for it. 1 and *RESULT; 0: it is time to sleep. Each look takes the line away from the
 * owner, so looks soon come further apart: that alone makes the owner several times as fast.
 */
static int spin(struct ilk_mutex *m, int *result)
{
	int gap = 1;

	for (int look = 1; look <= LOOKS; look++) {
		uint32_t found = ilk_load_relaxed_(&m->owner);

		if (!ilk_mutex_is_held_(found) && take_free(m, found, result))
			return 1;
		if (look % ASK_EVERY == 0)
			ilk_store_relaxed_(&m->ask, 1u);
		pause_for(gap);
		gap = 2 * gap < LONGEST_GAP ? 2 * gap : LONGEST_GAP;
	}
	return 0;
}

/*
 * [X5] Says that somebody sleeps. 1: we said so, 0: it was said already. Whoever said it runs the
 * handshake and looks at the owner: if he misses an unlock he takes the mutex, with `wait` set, and
 * wakes us later; if he dies first, we look again by ourselves. Weaker: an unlocker could miss all
 * who sleep.
 */
static int announce(struct ilk_mutex *m, const struct ilk_segment *seg)
{
	if (ilk_load_acquire_(&m->wait) == 1)
		return 0;
	ilk_exchange_(&m->wait, 1u);
	ilk_handshake_(seg);
	return 1;
}

/*
 * Sleeps until it is ours. Who announces the sleepers watches over the owner every 20 ms; the
 * others look every 60 ms, in case that he dies with the owner: 200 sleepers would be busy
 * otherwise.
 */
static int sleep_for(struct ilk_mutex *m, struct ilk_wait_ *w, ilk_time deadline, int *result)
{
	int rc = ILK_WOKEN_;

	for (;;) {
		int announced = announce(m, w->segment);
		uint32_t found = ilk_load_acquire_(&m->owner);

		if (ilk_mutex_is_removed_(m)) /* [X6] */
			return -EIDRM;
		if (announced || rc == ILK_WOKEN_)
			w->behind = !announced;
		if (take_free(m, found, result))
			return 0;
		ilk_wait_note_(w, found & ~ILK_OWNER_FLAGS_, ilk_load_relaxed_(&m->acquired));
		rc = ilk_wait_on_(w, &m->wait, 1, deadline, found & ~ILK_OWNER_FLAGS_);
		if (rc == -EOWNERDEAD && take_from_dead(m, found, result))
			return 0;
		/* Woken: an owner that retakes at once is asked to stand back. */
		if (rc == ILK_WOKEN_ && spin(m, result))
			return 0;
		if (rc < 0 && rc != -EOWNERDEAD)
			return rc;
	}
}

static int wait_for(struct ilk_mutex *m, ilk_time deadline, int *result)
{
	struct ilk_wait_ w;
	int rc;

	ilk_wait_begin_(&w, m, ILK_TYPE_MUTEX_);
	rc = sleep_for(m, &w, deadline, result);
	if (rc == 0) {
		/* [I3] After taking it: no handshake is needed. */
		ilk_store_relaxed_(&m->wait, 1u);
		m->waited_ns += (uint64_t)(ilk_now() - w.since);
	}
	ilk_wait_end_(&w);
	return rc;
}

/* Inside, so that close can cancel it. */
static int contend(struct ilk_mutex *m, ilk_time deadline)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	int result;
	int rc = ilk_inside_begin_(seg);

	if (rc < 0)
		return rc;
	if (!spin(m, &result))
		rc = wait_for(m, deadline, &result);
	if (rc == 0) {
		m->contended++;
		rc = ilk_is_closing_(seg) ? -ECANCELED : ilk_mutex_is_removed_(m) ? -EIDRM : 0;
		if (rc < 0)
			unlock_slow(m);
	}
	ilk_inside_end_(seg);
	return rc < 0 ? rc : result;
}

/* Somebody else was faster, and there is no time to wait. */
static int take_now(struct ilk_mutex *m, uint32_t found)
{
	int result = -EBUSY;

	if (!ilk_mutex_is_held_(found))
		take_free(m, found, &result);
	else if (ilk_owner_life_(ilk_thread_.segment, found & ~ILK_OWNER_FLAGS_) == ILK_LIFE_DEAD)
		take_from_dead(m, found, &result);
	return result;
}

static int lock_slow(struct ilk_mutex *m, ilk_time deadline)
{
	int rc = check(m);
	uint32_t found;
	int result;

	if (rc < 0)
		return rc;
	found = ilk_load_relaxed_(&m->owner);
	if (ilk_mutex_is_mine_(found))
		return lock_again(m);
	ilk_seek_(m, ILK_HELD_MUTEX_, deadline);
	if (take_free(m, found, &result))
		return result;
	if (deadline == ILK_NOW)
		return take_now(m, ilk_load_relaxed_(&m->owner));
	return contend(m, deadline);
}

/* The common case alone, so that it needs no stack; all else is lock_slow's. */
static inline int lock_until(struct ilk_mutex *m, ilk_time deadline)
{
	if (ilk_is_here_(m) && __builtin_expect(ilk_load_relaxed_(&m->tag) == ILK_MUTEX_TAG_, 1) &&
		__builtin_expect(swap_in(m, 0, ilk_thread_.owner), 1)) {
		ilk_hold_last_(m);
		count(m);
		return 0;
	}
	return lock_slow(m, deadline);
}

int ilk_mutex_lock(struct ilk_mutex *m)
{
	return lock_until(m, ILK_FOREVER);
}

int ilk_mutex_try_lock(struct ilk_mutex *m)
{
	return lock_until(m, ILK_NOW);
}

int ilk_mutex_lock_until(struct ilk_mutex *m, ilk_time deadline)
{
	int rc = lock_until(m, deadline);

	return rc == -EBUSY ? -ETIMEDOUT : rc;
}

int ilk_mutex_unlock(struct ilk_mutex *m)
{
	/* Held once, undamaged, in an asymmetric segment; all else is unlock_slow's. */
	if (!ilk_is_last_(m) || !ilk_is_here_(m) || ilk_thread_.fenced)
		return unlock_slow(m);
	ilk_forget_last_();
	/* [X2], [X4] Weaker: the next owner could miss our writes. */
	ilk_store_release_(&m->owner, 0u);
	ilk_compiler_barrier_();
	return look_round(m);
}

int ilk_mutex_repaired(struct ilk_mutex *m)
{
	int rc = check_mine(m);

	if (rc < 0)
		return rc;
	ilk_store_release_(&m->owner, ilk_load_relaxed_(&m->owner) & ~(uint32_t)ILK_MUTEX_DAMAGED_);
	return 0;
}
