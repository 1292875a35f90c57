/*
 * rwlock_wait.c - waiting until no writer has it, and what such a one does to let others in; the
 * words and the protocol: rwlock.c.
 */
#include "fault.h"
#include "os/clock.h"
#include "os/futex.h"
#include "os/thread.h"
#include "segment/member.h"
#include "segment/types.h"
#include "segment/wait.h"
#include "sync/rwlock.h"
#include <errno.h>
#include <limits.h>

enum { FIRST_GAP = 24, LONGEST_GAP = 48, YIELD_EVERY = 12, ASK_EVERY = 7, STAND_BACK = 64 };

/*
 * Looks come further apart: each takes the line away from who has the lock. A yield now and then
 * lets one go on who was interrupted while he has it. Who waits for a writer stays away for long at
 * once: the other one gets many done meanwhile, with all lines its own.
 */
void ilk_rwlock_pause_(int look, int *gap)
{
	if (look % YIELD_EVERY == 0) {
		ilk_yield_();
		return;
	}
	for (int i = 0; i < *gap; i++)
		ilk_pause_();
	*gap = 2 * *gap < LONGEST_GAP ? 2 * *gap : LONGEST_GAP;
}

/* [I4] A writer first, but the readers, too: they have their chance before it is awake. */
static void wake(struct ilk_rwlock *l)
{
	if (ILK_FAULTY_(ILK_FAULT_SILENT_UNLOCK))
		return;
	if (ilk_load_relaxed_(&l->writers))
		ilk_futex_store_and_wake_(&l->writers, 0, 1);
	if (ilk_load_relaxed_(&l->readers))
		ilk_futex_store_and_wake_(&l->readers, 0, INT_MAX);
}

void ilk_rwlock_let_others_(struct ilk_rwlock *l)
{
	uint32_t left = ilk_load_relaxed_(&l->state);

	wake(l);
	if (!ilk_load_relaxed_(&l->ask))
		return;
	ilk_store_relaxed_(&l->ask, 0u);
	/* Until a reader, or a writer, has come. */
	for (int i = 0; i < STAND_BACK && ilk_load_relaxed_(&l->state) == left; i++)
		ilk_pause_();
}

void ilk_rwlock_bury_(struct ilk_rwlock *l, uint32_t found)
{
	uint32_t left = ilk_rwlock_left_(found);

	if (found & ILK_RWLOCK_IN_)
		left |= ILK_RWLOCK_DAMAGED_;
	if (ilk_cas_full_(&l->state, &found, left)) /* [R8] */
		wake(l);
}

int ilk_rwlock_is_free_(struct ilk_rwlock *l, uint32_t found)
{
	if (!ilk_rwlock_is_held_(found))
		return 1;
	if (ilk_owner_life_(ilk_thread_.segment, found & ~ILK_OWNER_FLAGS_) != ILK_LIFE_DEAD)
		return 0;
	ilk_rwlock_bury_(l, found);
	return !ilk_rwlock_is_held_(ilk_load_acquire_(&l->state));
}

static int spin(struct ilk_rwlock *l, struct ilk_rwlock_side_ *side)
{
	int gap = FIRST_GAP;

	for (int look = 1; look <= ILK_RWLOCK_LOOKS_; look++) {
		if (!ilk_rwlock_is_held_(ilk_load_relaxed_(&l->state)) && side->take(l, side))
			return 1;
		if (look % ASK_EVERY == 0)
			ilk_store_relaxed_(&l->ask, 1u);
		ilk_rwlock_pause_(look, &gap);
	}
	return 0;
}

/* [R6] Says that somebody sleeps. 1: we said so; 0: it was said already. */
static int announce(uint32_t *word, const struct ilk_segment *seg)
{
	if (ilk_load_acquire_(word))
		return 0;
	ilk_exchange_(word, 1u);
	ilk_handshake_(seg);
	return 1;
}

/* Who announced the sleepers watches over the writer every 20 ms, the others every 60. */
static int sleep_for(
	struct ilk_rwlock *l, struct ilk_rwlock_side_ *side, struct ilk_wait_ *w, ilk_time deadline)
{
	int rc = ILK_WOKEN_;

	for (;;) {
		int announced = announce(side->word, w->segment);
		uint32_t found = ilk_load_acquire_(&l->state);
		uint32_t owner = found & ~ILK_OWNER_FLAGS_;

		if (ilk_rwlock_is_removed_(l)) /* [R9] */
			return -EIDRM;
		if (announced || rc == ILK_WOKEN_)
			w->behind = !announced;
		if (!ilk_rwlock_is_held_(found)) {
			if (side->take(l, side))
				return 0;
			rc = ILK_TICK_;
			continue;
		}
		ilk_wait_note_(w, owner, ilk_load_relaxed_(&l->acquired));
		rc = ilk_wait_on_(w, side->word, 1, deadline, owner);
		if (rc == -EOWNERDEAD)
			ilk_rwlock_bury_(l, found);
		else if (rc < 0)
			return rc;
		else if (rc == ILK_WOKEN_ && spin(l, side))
			return 0;
	}
}

int ilk_rwlock_await_(struct ilk_rwlock *l, struct ilk_rwlock_side_ *side, ilk_time deadline)
{
	struct ilk_wait_ w;
	int rc;

	if (spin(l, side))
		return 0;
	ilk_wait_begin_(&w, l, ILK_TYPE_RWLOCK_);
	rc = sleep_for(l, side, &w, deadline);
	/* Who only spins counts nothing: the line is the writer's, and then all readers'. */
	ilk_add_relaxed_(&l->contended, 1u);
	ilk_add_relaxed_(&l->waited_ns, (uint64_t)(ilk_now() - w.since));
	ilk_wait_end_(&w);
	/* [I5] Others of this side may sleep still; readers were all woken together. */
	if (rc == 0 && side->word == &l->writers)
		ilk_store_relaxed_(side->word, 1u);
	return rc;
}
