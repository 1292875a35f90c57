/* rwlock.h - what the files of the rwlock share; rwlock.c says what its words mean. */
#ifndef ILK_SYNC_RWLOCK_H
#define ILK_SYNC_RWLOCK_H

#include "segment/marks.h"
#include "segment/registry.h"
#include <errno.h>
#include <ilk/rwlock.h>

enum {
	ILK_RWLOCK_DAMAGED_ = 1,
	ILK_RWLOCK_QUIET_ = 2,
	ILK_RWLOCK_FENCED_ = 4,
	ILK_RWLOCK_IN_ = 8,
	ILK_RWLOCK_MODE_ = ILK_RWLOCK_QUIET_ | ILK_RWLOCK_FENCED_,
	ILK_RWLOCK_TAG_ = 0x7772,
	ILK_RWLOCK_REMOVED_ = 0x5277, /* the tag of one whose name was removed */
};

/* --- small questions --- */

static inline int ilk_rwlock_is_held_(uint32_t state)
{
	return ilk_owner_is_thread_(state);
}

static inline int ilk_rwlock_is_mine_(uint32_t state)
{
	return (state & ~ILK_OWNER_FLAGS_) == ilk_thread_.owner;
}

static inline int ilk_rwlock_is_one_(const struct ilk_rwlock *l)
{
	uint16_t tag = ilk_load_relaxed_(&l->tag);

	return tag == ILK_RWLOCK_TAG_ || tag == ILK_RWLOCK_REMOVED_;
}

static inline int ilk_rwlock_is_removed_(const struct ilk_rwlock *l)
{
	return ilk_load_relaxed_(&l->tag) == ILK_RWLOCK_REMOVED_;
}

static inline int ilk_rwlock_has_cells_(const struct ilk_rwlock *l)
{
	return ilk_load_relaxed_(&l->flags) & ILK_RWLOCK_WRITES;
}

/* The state when nobody has it, and no reader is to be looked for in the slots. */
static inline uint32_t ilk_rwlock_quiet_(const struct ilk_rwlock *l)
{
	return ilk_rwlock_has_cells_(l) ? ILK_RWLOCK_MODE_ : ILK_RWLOCK_QUIET_;
}

/* The state that the writer whose WORD it is leaves behind. */
static inline uint32_t ilk_rwlock_left_(uint32_t word)
{
	return word & ILK_OWNER_FLAGS_ & ~(uint32_t)ILK_RWLOCK_IN_;
}

/* The mark of a lock in the cached place. */
static inline uint32_t ilk_rwlock_mark_(const struct ilk_rwlock *l)
{
	return ilk_mark_of_((uintptr_t)l - ilk_thread_.base);
}

static inline struct ilk_thread_slot_ *ilk_rwlock_slot_(void)
{
	return ilk_thread_slot_(&ilk_thread_.segment->map, ilk_thread_.me->slot);
}

/* In an attached segment, and a rwlock? The caller's identity is in ilk_thread_ then. */
static inline int ilk_rwlock_check_(const struct ilk_rwlock *l)
{
	int rc = ilk_here_(l);

	if (rc < 0 || ilk_load_relaxed_(&l->tag) == ILK_RWLOCK_TAG_)
		return rc;
	return ilk_rwlock_is_removed_(l) ? -EIDRM : -EINVAL;
}

/* The same for one who holds it. */
static inline int ilk_rwlock_check_there_(const struct ilk_rwlock *l)
{
	int rc = ilk_is_here_(l) ? 0 : ilk_find_mine_(l);

	return rc == 0 && !ilk_rwlock_is_one_(l) ? -EINVAL : rc;
}

/* And for one who writes it. */
static inline int ilk_rwlock_check_writes_(const struct ilk_rwlock *l)
{
	int rc = ilk_rwlock_check_there_(l);

	if (rc < 0)
		return rc;
	return ilk_rwlock_is_mine_(ilk_load_relaxed_(&l->state)) ? 0 : -EPERM;
}

/* --- cells --- */

/* `more` of a mark: how often more than once the thread reads it, and whether it is in a cell. */
enum { ILK_RWLOCK_IN_CELL_ = 1 << 30, ILK_RWLOCK_MORE_ = ILK_RWLOCK_IN_CELL_ - 1 };

/* Takes the caller, who is in a cell, out of it. */
static inline void ilk_rwlock_free_cell_(struct ilk_rwlock *l)
{
	for (uint32_t i = 0; i < ILK_RWLOCK_CELLS_; i++)
		if (ilk_load_relaxed_(&l->cells[i]) == ilk_thread_.owner) {
			ilk_store_release_(&l->cells[i], 0u); /* [R4] */
			ilk_let_go_();
			return;
		}
}

/* Puts the caller, whose mark I is set, in a cell. 1; 0: there is none free. */
static inline int ilk_rwlock_take_cell_(struct ilk_rwlock *l, uint32_t i)
{
	uint32_t first = ilk_thread_.me->slot;

	for (uint32_t k = 0; k < ILK_RWLOCK_CELLS_; k++) {
		uint32_t *cell = &l->cells[(first + k) % ILK_RWLOCK_CELLS_], none = 0;

		if (ilk_load_relaxed_(cell) || !ilk_cas_full_(cell, &none, ilk_thread_.owner))
			continue;
		ilk_fence_after_rmw_(); /* [R2] */
		ilk_thread_.me->more[i] = ILK_RWLOCK_IN_CELL_;
		ilk_thread_.mark = NULL;
		ilk_hold_();
		return 1;
	}
	return 0;
}

/* --- waiting: rwlock_wait.c --- */

enum { ILK_RWLOCK_LOOKS_ = 35 }; /* before one sleeps */

/* How a reader, or a writer, waits until no writer has it. */
struct ilk_rwlock_side_ {
	uint32_t *word; /* what it sleeps on */
	/* Takes it, or 0: another was faster. Called where no writer was seen. */
	int (*take)(struct ilk_rwlock *l, struct ilk_rwlock_side_ *side);
	uint32_t mark; /* which of its marks a reader is to set */
	int result;    /* of a reader that is in */
};

/* Inside. Spins, then sleeps, until SIDE has taken it. 0; -ETIMEDOUT; -ECANCELED; -EIDRM. */
int ilk_rwlock_await_(struct ilk_rwlock *l, struct ilk_rwlock_side_ *side, ilk_time deadline);

/* Takes it out of the hands of FOUND, which was the state, and whose thread is dead. */
void ilk_rwlock_bury_(struct ilk_rwlock *l, uint32_t found);

/* FOUND is the state: buries its writer if that is dead. 1: nobody has it; 0. */
int ilk_rwlock_is_free_(struct ilk_rwlock *l, uint32_t found);

/* Sleepers, or one who would like a turn: the writer has just let go. */
void ilk_rwlock_let_others_(struct ilk_rwlock *l);

static inline int ilk_rwlock_look_round_(struct ilk_rwlock *l)
{
	if (__builtin_expect(ilk_load_relaxed_(&l->readers) | ilk_load_relaxed_(&l->writers) |
				     ilk_load_relaxed_(&l->ask),
		    0))
		ilk_rwlock_let_others_(l);
	return 0;
}

/* Between two looks, the LOOKth of which was in vain: whiles away *GAP pauses, and more next time. */
void ilk_rwlock_pause_(int look, int *gap);

/* --- writing: rwlock_write.c --- */

/* Lets go of what the caller writes, or was about to. */
int ilk_rwlock_let_go_(struct ilk_rwlock *l);

#endif
