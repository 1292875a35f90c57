/*
 * member.c - process slots and thread slots; whether their holders live: life.c.
 *
 * State      process slot: generation, state, and two lock bytes of the file. Claim: held while the
 *            slot is taken over. Life: held for exactly as long as the member's address space.
 *            thread slot: `life` = process generation | generation | process slot + 1.
 * Invariant  [I1] Who writes a process slot holds its claim byte, or is its living member.
 *            [I2] A generation of a process slot is lived by one member at most: it is raised under
 *            the claim byte, before the life byte is locked.
 *            [I3] When the life byte of a slot gets locked, no thread slot names the slot any more:
 *            those of its last, dead member are freed first, their generations raised.
 *            [I4] A thread slot's generation is raised unless its last thread itself left it,
 *            holding nothing; so an owner word (slot, generation) of the dead is never anyone's
 *            again.
 *            [I5] Marks of a slot are written by its thread, which begins by clearing what the dead
 *            may have left; who leaves clears them before the slot is free.
 * Ordering   [M1] take:  life, compare-and-swap, full  <-> [M2]  the next one sees the slot as it
 *            [M2] leave: life, store, release          <-> [M1]  was left, its share of counters too
 *            threads_top is raised before the thread marks anything: see marks.h.
 *            Between processes the kernel's locks order the rest.
 * Death      before the life byte is locked: claim and life are free, the slot is as before or half
 *            written, and the next taker does all of it again. After: the slot stays USED with its
 *            life byte free, which is what "died" means.
 */
#include "segment/member.h"
#include "os/clock.h"
#include "os/facts.h"
#include "os/ofd.h"
#include "os/shm.h"
#include "segment/directory.h"
#include "segment/error.h"
#include "segment/marks.h"
#include "segment/order.h"
#include "segment/transient.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- threads --- */

/* The life word of a free slot after the one that holds BEFORE, or a worn-out one. */
static uint64_t freed(uint64_t before, int raise)
{
	uint32_t generation = ilk_life_generation_(before);

	if (!raise)
		return ilk_life_word_(0, generation, 0);
	if (generation == ILK_LAST_GENERATION_)
		return ilk_life_word_(0, generation, ILK_THREAD_RETIRED_);
	return ilk_life_word_(0, generation + 1, 0);
}

static int is_free(uint64_t life)
{
	return ilk_life_process_(life) == 0;
}

/* Frees the slot if its thread's process is dead. The life word it then has. */
static uint64_t free_if_dead(const struct ilk_map_ *map, int fd, uint32_t slot)
{
	uint64_t *word = &ilk_thread_slot_(map, slot)->life;
	uint64_t life = ilk_load_acquire_(word);
	uint32_t process = ilk_life_process_(life);
	uint64_t after = freed(life, 1);

	if (process == 0 || process > map->header.process_slots ||
		ilk_life_of_process_(fd, process - 1) != ILK_LIFE_DEAD)
		return life;
	/* The process generation in the word makes this safe, however long we slept: see [I2]. */
	return ilk_cas_full_(word, &life, after) ? after : life;
}

static void introduce_thread(struct ilk_thread_slot_ *slot)
{
	slot->wait_object = 0;
	slot->sleeps = 0;
	ilk_marks_clear_(slot); /* [I5] */
	slot->joined = ilk_now();
	slot->tid = ilk_thread_id_();
	ilk_thread_name_(slot->name, sizeof slot->name);
}

static int take_thread_slot(
	struct ilk_member_ *member, const struct ilk_map_ *map, uint32_t i, uint64_t life)
{
	struct ilk_identity_ *me = &member->identities[i];
	uint32_t generation = ilk_life_generation_(life);
	uint64_t mine = ilk_life_word_(member->generation, generation, member->process + 1);

	/* [M1] Weaker: we could miss what the slot's last thread left in it. */
	if (!is_free(life) || !ilk_cas_full_(&ilk_thread_slot_(map, i)->life, &life, mine))
		return 0;
	introduce_thread(ilk_thread_slot_(map, i));
	ilk_order_introduce_(map, i, ilk_owner_word_(i, generation));
	ilk_threads_raise_top_(map, i);
	me->owner = ilk_owner_word_(i, generation);
	me->slot = i;
	me->held = 0;
	ilk_store_relaxed_(&me->inside, 0u); /* who closes may read it: wait.c */
	ilk_store_release_(&me->tid, ilk_thread_slot_(map, i)->tid);
	memset(me->more, 0, sizeof me->more);
	me->member = member;
	ilk_thread_adopt_(me);
	return 1;
}

static int no_thread_slot(const struct ilk_map_ *map)
{
	uint32_t slots = map->header.thread_slots, retired = 0;

	for (uint32_t i = 0; i < slots; i++)
		retired += ilk_life_process_(ilk_load_relaxed_(&ilk_thread_slot_(map, i)->life)) ==
			   ILK_THREAD_RETIRED_;
	if (retired)
		return ilk_fail_(-EUSERS,
			"of %u thread slots %u are worn out, and the living have the others", slots,
			retired);
	return ilk_fail_(-EUSERS, "all %u thread slots are taken by the living", slots);
}

int ilk_member_join_thread_(
	struct ilk_member_ *member, const struct ilk_map_ *map, struct ilk_identity_ **me)
{
	int rc = member->joined ? 0 : ilk_member_join_(member, map);
	int fd;

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < map->header.thread_slots; i++) {
		*me = &member->identities[i];
		if (take_thread_slot(
			    member, map, i, ilk_load_acquire_(&ilk_thread_slot_(map, i)->life)))
			return 0;
	}
	fd = ilk_member_fd_(member);
	for (uint32_t i = 0; fd >= 0 && i < map->header.thread_slots; i++) {
		*me = &member->identities[i];
		if (take_thread_slot(member, map, i, free_if_dead(map, fd, i)))
			return 0;
	}
	return no_thread_slot(map);
}

int ilk_member_holds_(const struct ilk_identity_ *me, const struct ilk_map_ *map)
{
	return me->held != 0 || ilk_marks_any_(ilk_thread_slot_(map, me->slot), 0);
}

void ilk_member_leave_thread_(struct ilk_identity_ *me, const struct ilk_map_ *map)
{
	struct ilk_thread_slot_ *slot = ilk_thread_slot_(map, me->slot);
	uint64_t *word = &slot->life;
	int is_mine = me->thread == ilk_thread_.serial, holds;

	if (is_mine && ilk_thread_.me == me)
		ilk_count_last_(&ilk_thread_);
	holds = ilk_member_holds_(me, map);
	slot->wait_object = 0;
	ilk_marks_clear_(slot); /* [I5] */
	ilk_order_introduce_(map, me->slot, 0);
	/* [M2] Weaker: the next thread could miss our last adds to a share of the slot. What
	 * another thread holds cannot be known: it may be in the midst of taking something. */
	ilk_store_release_(word, freed(ilk_load_relaxed_(word), !is_mine || holds));
	me->thread = 0;
}

/* --- processes --- */

static const struct ilk_facts_ *facts_of_self(void)
{
	static struct ilk_facts_ facts;
	static uint64_t known_in;

	if (known_in != ilk_fork_serial_()) {
		ilk_facts_of_self_(&facts);
		known_in = ilk_fork_serial_();
	}
	return &facts;
}

/* [I3]: the threads of a member that died in SLOT are nobody's from here on. */
static void free_threads_of(const struct ilk_map_ *map, uint32_t slot)
{
	for (uint32_t i = 0; i < map->header.thread_slots; i++) {
		uint64_t *word = &ilk_thread_slot_(map, i)->life;
		uint64_t life = ilk_load_acquire_(word);

		if (ilk_life_process_(life) == slot + 1)
			ilk_cas_full_(word, &life, freed(life, 1));
	}
}

static void introduce_process(struct ilk_process_slot_ *slot)
{
	const struct ilk_facts_ *self = facts_of_self();

	slot->pid = self->pid;
	slot->uid = self->uid;
	slot->start_time = self->start_time;
	slot->pid_space = self->pid_space;
	slot->joined = ilk_now();
	memcpy(slot->name, self->name, sizeof slot->name);
}

/* Under the claim byte, and with the life byte free. */
static int take_over(const struct ilk_map_ *map, int fd, uint32_t i, uint32_t *generation)
{
	struct ilk_process_slot_ *slot = ilk_process_slot_(map, i);

	if (ilk_load_acquire_(&slot->state) != ILK_PROCESS_FREE_) {
		free_threads_of(map, i);
		ilk_store_release_(&slot->unswept, 1u); /* [I4] of directory.c */
		ilk_store_release_(&slot->opening, UINT64_C(0));
	}
	*generation = ilk_load_relaxed_(&slot->generation) + 1;
	ilk_store_release_(&slot->generation, *generation);
	introduce_process(slot);
	ilk_store_release_(&slot->state, (uint32_t)ILK_PROCESS_USED_);
	return ilk_ofd_lock_(fd, ILK_LIFE_BYTE_(i));
}

/* Tries for one slot through FD, a description of our own. 1: taken; 0: somebody's; -EBUSY somebody
 * has all of them, to remove the segment; -E... */
static int try_slot(const struct ilk_map_ *map, int fd, uint32_t i, uint32_t *generation)
{
	int rc = ilk_ofd_held_(fd, ILK_LIFE_BYTE_(i));

	if (rc != 0)
		return rc < 0 ? rc : rc == ILK_OFD_RANGE_ ? -EBUSY : 0;
	rc = ilk_ofd_lock_(fd, ILK_CLAIM_BYTE_(i));
	if (rc == -EAGAIN) /* by one who takes it over, or by one who took all since the question */
		return ilk_ofd_held_(fd, ILK_CLAIM_BYTE_(i)) == 1 ? 0 : -EBUSY;
	if (rc < 0)
		return rc;
	/* Asked again: it may have been taken between the question and the claim. */
	rc = ilk_ofd_held_(fd, ILK_LIFE_BYTE_(i));
	if (rc == 0) {
		rc = take_over(map, fd, i, generation);
		rc = rc == 0 ? 1 : rc;
	} else if (rc > 0) {
		rc = 0;
	}
	ilk_ofd_unlock_(fd, ILK_CLAIM_BYTE_(i));
	return rc;
}

static int find_slot(const struct ilk_map_ *map, int fd, uint32_t *slot, uint32_t *generation)
{
	/* Slots left in order first: those of the dead keep their story for the inspector. */
	for (int dead = 0; dead < 2; dead++) {
		for (uint32_t i = 0; i < map->header.process_slots; i++) {
			uint32_t state = ilk_load_relaxed_(&ilk_process_slot_(map, i)->state);
			int rc;

			if ((state != ILK_PROCESS_FREE_) != dead)
				continue;
			*slot = i;
			rc = try_slot(map, fd, i, generation);
			if (rc != 0)
				return rc < 0 ? rc : 0;
		}
	}
	return ilk_fail_(
		-EUSERS, "all %u process slots are taken by the living", map->header.process_slots);
}

int ilk_member_description_(struct ilk_member_ *member)
{
	int fd = ilk_member_fd_(member);

	if (fd < 0)
		return ilk_fail_(-EBADF, "the segment's descriptor was closed and it has no name");
	fd = ilk_shm_reopen_(fd);
	/* No /proc; or a user who was handed the descriptor: its name may lead to it all the same. */
	if ((fd == -ENOENT || fd == -EACCES) && member->path[0])
		fd = ilk_member_reopen_(member);
	return fd;
}

/* Ties the life lock to this address space. */
static int settle(struct ilk_member_ *member, const struct ilk_map_ *map, int fd)
{
	uint32_t *state = &ilk_process_slot_(map, member->process)->state;
	int rc = ilk_shm_map_anchor_(fd, member->page, &member->anchor);

	if (rc < 0)
		ilk_store_release_(state, (uint32_t)ILK_PROCESS_FREE_);
	member->joined = rc == 0;
	return rc;
}

int ilk_member_join_(struct ilk_member_ *member, const struct ilk_map_ *map)
{
	int fd = ilk_member_description_(member);
	int rc;

	if (fd < 0)
		return fd;
	rc = find_slot(map, fd, &member->process, &member->generation);
	if (rc == 0)
		rc = settle(member, map, fd);
	/* With the anchor mapped the lock stays; without it, it goes, and we never were here. */
	ilk_shm_close_(fd);
	if (rc < 0 && rc != -EBUSY)
		ilk_transient_leave_(member, map);
	return rc;
}

void ilk_member_leave_(struct ilk_member_ *member, const struct ilk_map_ *map)
{
	if (!member->joined) {
		ilk_directory_forget_(member, map);
		return;
	}
	for (uint32_t i = 0; i < member->top; i++)
		if (member->identities[i].thread)
			ilk_member_leave_thread_(&member->identities[i], map);
	ilk_directory_forget_(member, map);
	ilk_store_release_(
		&ilk_process_slot_(map, member->process)->state, (uint32_t)ILK_PROCESS_FREE_);
	ilk_shm_unmap_(member->anchor, member->page);
	member->joined = 0;
	ilk_transient_leave_(member, map);
}
