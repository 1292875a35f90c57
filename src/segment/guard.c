/*
 * guard.c - a small robust lock.
 *
 * State      owner: 0 = free; an owner word = held; with SLEEPERS = held, and somebody may sleep.
 * Invariant  [I1] Who sleeps has seen SLEEPERS in the word, and sleeps on exactly that value.
 *            [I2] Who slept takes it with SLEEPERS, since others may sleep still.
 * Ordering   [G1] lock:   compare-and-swap owner, acquire <-> [G2]  what the last holder wrote
 *            [G2] unlock: compare-and-swap, or the kernel's store, full <-> [G1]
 * Death      in it: the word stays, and whoever finds its owner dead swaps it for his own:
 *            RECOVERED. A second death does the same again. Release and wake-up are one system call
 *            (rule 1), so nobody dies between; a woken one that dies leaves the word free, and
 *            sleepers look every 20 ms.
 * Damage     A word that names its reader, a slot whose last thread left it in order, or a thread
 *            that its living process does not have, names nobody who could be in here. It is an
 *            error, and the word stays: what is not proved to be the dead's is not taken.
 * Close      waits for who is in it, from before the word is taken until after it is free: who is
 *            unmapped in the midst would leave it held by a slot that is the living's.
 */
#include "segment/guard.h"
#include "os/futex.h"
#include "segment/error.h"
#include "segment/types.h"
#include "segment/wait.h"
#include <errno.h>
#include <stdio.h>

enum { SLEEPERS = 1 };
enum { LOST_LOOKS = 5 };

static uint32_t *word_of(struct ilk_segment *seg)
{
	return &((struct ilk_header_ *)(void *)seg->map.base)->guard.owner;
}

/* Tries to take the word as found. */
static int take(uint32_t *word, uint32_t found, uint32_t mine)
{
	return ilk_cas_acquire_(word, &found, mine); /* [G1] */
}

/* Sets SLEEPERS. The value to sleep on, or 0: the word changed, look again. */
static uint32_t announce(uint32_t *word, uint32_t found)
{
	if (found & SLEEPERS || ilk_cas_full_(word, &found, found | SLEEPERS))
		return found | SLEEPERS;
	return 0;
}

/* Is WORD the owner word of a thread of this process? */
static int is_of_ours(const struct ilk_member_ *member, uint32_t word)
{
	const struct ilk_identity_ *one = &member->identities[ilk_owner_slot_(word)];
	int is_ours;

	ilk_registry_lock_();
	is_ours = one->thread != 0 && one->owner == word;
	ilk_registry_unlock_();
	return is_ours;
}

/*
 * Is the slot that WORD names free, of a process that is over, or of this one, which has no such
 * thread?
 */
static int names_nobody(const struct ilk_segment *seg, uint32_t word)
{
	uint32_t process;
	uint64_t life;

	if (!ilk_owner_is_thread_(word) || ilk_owner_slot_(word) >= seg->map.header.thread_slots)
		return 0;
	life = ilk_load_acquire_(&ilk_thread_slot_(&seg->map, ilk_owner_slot_(word))->life);
	process = ilk_life_process_(life);
	if (ilk_life_generation_(life) != ilk_owner_generation_(word) ||
		process > seg->map.header.process_slots)
		return 0; /* dead, which is something else */
	if (process == 0 ||
		ilk_load_relaxed_(&ilk_process_slot_(&seg->map, process - 1)->generation) !=
			(uint32_t)(life >> 32))
		return 1;
	return process == seg->member->process + 1 && !is_of_ours(seg->member, word);
}

/*
 * Does FOUND, seen at the end of a tick, name nobody? A slot can be left and taken again between the
 * look at the word and the look at the slot, but hardly at several ticks in a row; and to be wrong
 * here takes nothing from anybody.
 */
static int is_lost(const struct ilk_segment *seg, uint32_t found, uint32_t mine, int *looks)
{
	found &= ~ILK_OWNER_FLAGS_;
	if (found == (mine & ~ILK_OWNER_FLAGS_))
		return 1;
	*looks = names_nobody(seg, found) ? *looks + 1 : 0;
	return *looks == LOST_LOOKS;
}

static int lock_slow(struct ilk_segment *seg, struct ilk_wait_ *w)
{
	uint32_t *word = word_of(seg), mine = w->me->owner;
	unsigned round = 0;
	int looks = 0;

	for (;;) {
		uint32_t found = ilk_load_relaxed_(word);
		int rc = 0;

		if (found < ILK_OWNER_FIRST_) {
			if (take(word, found, mine))
				return 0;
		} else if (!ilk_spin_(&round)) {
			mine |= SLEEPERS; /* [I2] */
			found = announce(word, found);
			if (found)
				rc = ilk_wait_on_(
					w, word, found, ILK_FOREVER, found & ~ILK_OWNER_FLAGS_);
		}
		if (rc == -EOWNERDEAD && take(word, found, mine))
			return ILK_RECOVERED;
		if (rc == ILK_TICK_ && is_lost(seg, found, mine, &looks))
			return ilk_fail_(-EBADMSG, "the guard's owner word names nobody");
		if (rc == -ECANCELED)
			return rc;
	}
}

static int lock_asleep(struct ilk_segment *seg)
{
	struct ilk_wait_ w;
	int rc;

	ilk_wait_begin_(&w, word_of(seg), ILK_TYPE_NONE_);
	rc = lock_slow(seg, &w);
	ilk_wait_end_(&w);
	return rc;
}

int ilk_guard_lock_(struct ilk_segment *seg)
{
	int rc = ilk_inside_begin_(seg);

	if (rc < 0)
		return rc;
	if (!take(word_of(seg), 0, ilk_thread_.me->owner))
		rc = lock_asleep(seg);
	if (rc < 0)
		ilk_inside_end_(seg);
	else
		ilk_hold_();
	return rc;
}

int ilk_guard_try_(struct ilk_segment *seg)
{
	ilk_add_full_(&seg->inside, 1u);
	for (unsigned round = 0; !take(word_of(seg), 0, ilk_thread_.me->owner);)
		if (!ilk_spin_(&round)) {
			ilk_inside_end_(seg);
			return 0;
		}
	ilk_hold_();
	return 1;
}

void ilk_guard_unlock_(struct ilk_segment *seg)
{
	uint32_t mine = ilk_thread_.me->owner;

	/* [G2] */
	if (!ilk_cas_full_(word_of(seg), &mine, 0))
		ilk_futex_store_and_wake_(word_of(seg), 0, 1);
	ilk_let_go_();
	ilk_inside_end_(seg);
}

/* --- its row --- */

static const char *valid(const struct ilk_map_ *map, const void *object, uint64_t bytes)
{
	uint32_t word = ilk_load_relaxed_(&((const struct ilk_guard_ *)object)->owner);

	if (bytes != sizeof(struct ilk_guard_))
		return "its size is not a guard's";
	if (word == 0)
		return NULL;
	return !ilk_owner_is_thread_(word) || ilk_owner_slot_(word) >= map->header.thread_slots ||
			       word & ILK_OWNER_FLAGS_ & ~(uint32_t)SLEEPERS
		       ? "its owner word names no thread"
		       : NULL;
}

static void describe(const struct ilk_map_ *map, const void *object, uint64_t bytes,
	struct ilk_description_ *out)
{
	uint32_t word = ilk_load_acquire_(&((const struct ilk_guard_ *)object)->owner);

	(void)map, (void)bytes;
	snprintf(out->state, sizeof out->state, "%s", word ? "held" : "free");
	snprintf(out->label, sizeof out->label, "(guard)");
	out->owner = word & ~ILK_OWNER_FLAGS_;
}

const struct ilk_type_ ilk_guard_row_ = {
	.name = "guard",
	.size = sizeof(struct ilk_guard_),
	.align = 64,
	.valid = valid,
	.describe = describe,
};
