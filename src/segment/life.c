/*
 * life.c - is a member alive? Is an owner? And by which descriptor is the kernel asked?
 *
 * Is an owner alive? Read the thread slot, ask for the life byte, read the slot again. Only if the
 * slot says the same before and after (process generation included) does the answer belong to that
 * thread's own process; then "not held" means it died, since leaving in order frees the thread slot
 * first. Without the second look, an owner that left and whose generation was taken on by another
 * thread could be declared dead while that other one holds the lock. For the same reason a free
 * slot of the same generation is no proof: its thread left holding nothing, so the owner word we
 * were asked about is out of date, and the next look at it will tell.
 */
#include "segment/member.h"
#include "fault.h"
#include "os/facts.h"
#include "os/ofd.h"
#include "os/shm.h"
#include "os/thread.h"
#include <errno.h>

/* For one who changes its life word without end. */
enum { MOST_TRIES = 1000 };

enum ilk_life ilk_life_of_process_(int fd, uint32_t slot)
{
	int held = ilk_ofd_held_(fd, ILK_LIFE_BYTE_(slot));

	/* The range is given only to who finds no life in it. */
	return held < 0 ? ILK_LIFE_UNKNOWN : held == 1 ? ILK_LIFE_ALIVE : ILK_LIFE_DEAD;
}

/*
 * Where the locks cannot be asked: after closefrom(), of a segment that has no name. No such
 * process in our pid namespace is proof of death; a pid that is there may be another's by now.
 * What we read is of the process that LIFE names, if the life word is the same afterwards.
 */
static enum ilk_life life_by_pid(const struct ilk_map_ *map, uint32_t slot, uint64_t life)
{
	const struct ilk_process_slot_ *p = ilk_process_slot_(map, slot);
	/* Files of /proc are read: who is cancelled there stays `inside` for ever. */
	int cancel = ilk_cancel_off_(), is_gone;
	uint64_t space = ilk_pid_space_();

	is_gone = space != 0 && p->pid_space == space && p->generation == (uint32_t)(life >> 32) &&
		  ilk_pid_is_gone_(p->pid);
	ilk_cancel_on_(cancel);
	return is_gone ? ILK_LIFE_DEAD : ILK_LIFE_UNKNOWN;
}

enum ilk_life ilk_life_of_owner_(const struct ilk_map_ *map, int fd, uint32_t owner)
{
	uint32_t slot = ilk_owner_slot_(owner), process;
	const uint64_t *word;
	enum ilk_life life;
	uint64_t before;
	int tries = 0;

	if (!ilk_owner_is_thread_(owner) || slot >= map->header.thread_slots)
		return ILK_LIFE_DEAD;
	if (ILK_FAULTY_(ILK_FAULT_ALWAYS_ALIVE))
		return ILK_LIFE_ALIVE;
	word = &ilk_thread_slot_(map, slot)->life;
	do {
		before = ilk_load_acquire_(word);
		process = ilk_life_process_(before);
		if (ilk_life_generation_(before) != ilk_owner_generation_(owner))
			return ILK_LIFE_DEAD;
		if (process == 0)
			return ILK_LIFE_UNKNOWN;
		if (process > map->header.process_slots)
			return ILK_LIFE_DEAD;
		life = fd >= 0 ? ilk_life_of_process_(fd, process - 1)
			       : life_by_pid(map, process - 1, before);
		if (life != ILK_LIFE_DEAD || ilk_load_acquire_(word) == before)
			return life;
	} while (++tries < MOST_TRIES);
	return ILK_LIFE_UNKNOWN;
}

static int is_our_file(const struct ilk_member_ *member, int fd)
{
	struct ilk_file_facts_ facts;

	return fd >= 0 && ilk_shm_facts_(fd, &facts) == 0 && facts.device == member->device &&
	       facts.inode == member->inode;
}

int ilk_member_reopen_(const struct ilk_member_ *member)
{
	int fd = member->path[0] ? ilk_shm_open_(member->path, 0) : -EBADF;

	/* Enough to ask about locks. */
	if (fd == -EACCES)
		fd = ilk_shm_open_(member->path, 1);
	if (fd < 0 || is_our_file(member, fd))
		return fd;
	ilk_shm_close_(fd);
	return -EBADF;
}

int ilk_member_fd_(struct ilk_member_ *member)
{
	int fd = ilk_load_acquire_(&member->fd);

	if (is_our_file(member, fd))
		return fd;
	fd = ilk_member_reopen_(member);
	if (fd >= 0)
		ilk_store_release_(&member->fd, fd);
	return fd;
}

void ilk_member_close_fd_(struct ilk_member_ *member)
{
	if (is_our_file(member, member->fd))
		ilk_shm_close_(member->fd);
}

/*
 * Was *FD, which has been asked about locks, our file's? If not, *FD becomes another, to be asked: a
 * number that closefrom() gave to another file speaks of locks on that one.
 */
static int was_right(struct ilk_member_ *member, int *fd)
{
	if (is_our_file(member, *fd))
		return 1;
	ilk_registry_lock_();
	*fd = ilk_member_fd_(member);
	ilk_registry_unlock_();
	return 0;
}

enum ilk_life ilk_owner_life_(struct ilk_segment *seg, uint32_t owner)
{
	struct ilk_member_ *member = seg->member;
	int fd = ilk_load_acquire_(&member->fd);
	enum ilk_life life;

	if (!member->is_original)
		return ILK_LIFE_UNKNOWN;
	life = ilk_life_of_owner_(&seg->map, fd, owner);
	return was_right(member, &fd) ? life : ilk_life_of_owner_(&seg->map, fd, owner);
}

/*
 * Of a process no second look is needed: the generation only grows, and a member of this one has
 * held the life byte from before it could own anything until its end.
 */
static enum ilk_life life_of_member(
	const struct ilk_map_ *map, int fd, uint32_t slot, uint32_t generation)
{
	if (ilk_load_acquire_(&ilk_process_slot_(map, slot)->generation) != generation)
		return ILK_LIFE_DEAD;
	return fd >= 0 ? ilk_life_of_process_(fd, slot)
		       : life_by_pid(map, slot, (uint64_t)generation << 32);
}

enum ilk_life ilk_process_life_(struct ilk_segment *seg, uint32_t slot, uint32_t generation)
{
	struct ilk_member_ *member = seg->member;
	int fd = ilk_load_acquire_(&member->fd);
	enum ilk_life life;

	if (slot >= seg->map.header.process_slots)
		return ILK_LIFE_DEAD;
	if (!member->is_original)
		return ILK_LIFE_UNKNOWN;
	life = life_of_member(&seg->map, fd, slot, generation);
	return was_right(member, &fd) ? life : life_of_member(&seg->map, fd, slot, generation);
}

/* --- of many --- */

static int is_known(const struct ilk_living_ *living, uint32_t slot)
{
	return slot < ILK_MAX_SLOTS_ && living->slots[slot / 64] >> slot % 64 & 1;
}

static enum ilk_life note(struct ilk_living_ *living, uint32_t slot, enum ilk_life life)
{
	if (life == ILK_LIFE_ALIVE && slot < ILK_MAX_SLOTS_)
		living->slots[slot / 64] |= UINT64_C(1) << slot % 64;
	return life;
}

enum ilk_life ilk_process_life_once_(
	struct ilk_segment *seg, uint32_t slot, uint32_t generation, struct ilk_living_ *living)
{
	if (is_known(living, slot) && slot < seg->map.header.process_slots &&
		ilk_load_acquire_(&ilk_process_slot_(&seg->map, slot)->generation) == generation)
		return ILK_LIFE_ALIVE;
	return note(living, slot, ilk_process_life_(seg, slot, generation));
}

/* If the slot changes hands meanwhile, a dead one can be taken for alive: until the next look. */
enum ilk_life ilk_owner_life_once_(
	struct ilk_segment *seg, uint32_t owner, struct ilk_living_ *living)
{
	uint32_t slot = ilk_owner_slot_(owner), process;
	uint64_t life;

	if (!ilk_owner_is_thread_(owner) || slot >= seg->map.header.thread_slots)
		return ILK_LIFE_DEAD;
	life = ilk_load_acquire_(&ilk_thread_slot_(&seg->map, slot)->life);
	process = ilk_life_process_(life) - 1;
	if (ilk_life_generation_(life) == ilk_owner_generation_(owner) && is_known(living, process))
		return ILK_LIFE_ALIVE;
	return note(living, process, ilk_owner_life_(seg, owner));
}
