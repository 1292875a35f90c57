/*
 * rwlock_write.c - writing: taking the state, finding who reads, waiting until they have gone; the
 * words and the protocol: rwlock.c.
 *
 * Readers have places: first the cells of the lock, then the thread slots. A writer goes through
 * them once, since nobody can come in behind him: a mark that he misses is of one who will see him,
 * and go.
 */
#include "os/clock.h"
#include "segment/member.h"
#include "segment/order.h"
#include "segment/types.h"
#include "segment/wait.h"
#include "sync/rwlock.h"
#include <errno.h>

/* So many times as long as its revocation took; if that was interrupted, no longer than this. */
enum { BIAS_PAYS_AFTER = 100, LONGEST_WITHOUT_BIAS = 20 * ILK_NS_PER_MS };

/* --- who reads --- */

/* The places to look at. */
static uint32_t places(const struct ilk_rwlock *l)
{
	uint32_t mode = ilk_load_relaxed_(&l->state) & ILK_RWLOCK_MODE_;

	if (mode & ILK_RWLOCK_QUIET_)
		return ILK_RWLOCK_CELLS_;
	return ILK_RWLOCK_CELLS_ + ilk_threads_top_(&ilk_thread_.segment->map);
}

/* The owner word of who may be reading at PLACE, alive or dead; 0: nobody. */
static uint32_t reader_at(const struct ilk_rwlock *l, uint32_t place)
{
	uint32_t word;

	if (place >= ILK_RWLOCK_CELLS_)
		return ilk_marks_reader_(
			&ilk_thread_.segment->map, place - ILK_RWLOCK_CELLS_, ilk_rwlock_mark_(l));
	if (!ilk_rwlock_has_cells_(l))
		return 0;
	word = ilk_load_acquire_(&l->cells[place]); /* [R4] */
	return ilk_owner_is_thread_(word) ? word & ~ILK_OWNER_FLAGS_ : 0;
}

/* The first place from PLACE on with somebody in it; END. */
static uint32_t next_reader(
	const struct ilk_rwlock *l, uint32_t place, uint32_t end, uint32_t *reader)
{
	const struct ilk_map_ *map = &ilk_thread_.segment->map;
	uint32_t mark = ilk_rwlock_mark_(l);

	if (!ilk_rwlock_has_cells_(l) && place < ILK_RWLOCK_CELLS_)
		place = ILK_RWLOCK_CELLS_;
	for (; place < end; place++) {
		if (place >= ILK_RWLOCK_CELLS_)
			place = ILK_RWLOCK_CELLS_ + ilk_marks_next_(map, place - ILK_RWLOCK_CELLS_,
							    end - ILK_RWLOCK_CELLS_, mark);
		if (place < end && (*reader = reader_at(l, place)))
			break;
	}
	return place;
}

/* READER, at PLACE, is dead: nobody needs to ask again. */
static void forget(struct ilk_rwlock *l, uint32_t place, uint32_t reader)
{
	if (place < ILK_RWLOCK_CELLS_)
		ilk_cas_full_(&l->cells[place], &reader, 0u);
	else
		ilk_marks_are_void_(&ilk_thread_.segment->map, reader);
}

/* Does nobody read? If ASK, whether those who seem to are alive is asked. */
static int is_drained(struct ilk_rwlock *l, int ask)
{
	uint32_t end = places(l), reader = 0;

	for (uint32_t at = 0; (at = next_reader(l, at, end, &reader)) < end; at++) {
		if (!ask || ilk_owner_life_(ilk_thread_.segment, reader) != ILK_LIFE_DEAD)
			return 0;
		forget(l, at, reader);
	}
	return 1;
}

/* --- taking the state --- */

/* [R3] Makes FOUND, which nobody has, ours. 1; 0: it was another by then. */
static int seize(struct ilk_rwlock *l, uint32_t found)
{
	uint32_t mine = ilk_thread_.owner | found;

	if ((found & ILK_RWLOCK_MODE_) == ILK_RWLOCK_QUIET_)
		mine |= ILK_RWLOCK_IN_;
	if (!ilk_cas_full_(&l->state, &found, mine))
		return 0;
	ilk_fence_after_rmw_();
	ilk_hold_();
	return 1;
}

/* [R3] Sees to it that the marks of all who are in can be seen. */
static void revoke(struct ilk_rwlock *l)
{
	uint32_t mine = ilk_load_relaxed_(&l->state);
	ilk_time began, now, pause;

	if (mine & ILK_RWLOCK_MODE_)
		return;
	began = ilk_now();
	ilk_handshake_(ilk_thread_.segment);
	now = ilk_now();
	pause = BIAS_PAYS_AFTER * (now - began);
	if (pause > LONGEST_WITHOUT_BIAS)
		pause = LONGEST_WITHOUT_BIAS;
	ilk_store_relaxed_(&l->biased_from, now + pause);
	/* From here on whoever comes after us needs no handshake. */
	ilk_store_release_(&l->state, mine | ILK_RWLOCK_FENCED_);
}

/* The state is ours, and nobody reads. */
static int enter(struct ilk_rwlock *l)
{
	uint32_t mine = ilk_load_relaxed_(&l->state);
	uint32_t damaged = mine & ILK_RWLOCK_DAMAGED_;

	if (!(mine & ILK_RWLOCK_IN_))
		ilk_store_relaxed_(&l->state,
			ilk_thread_.owner | ilk_rwlock_quiet_(l) | damaged | ILK_RWLOCK_IN_);
	ilk_store_relaxed_(&l->acquired, l->acquired + 1);
	ilk_taken_(l, ILK_HELD_WRITE_);
	if (damaged)
		return ILK_RECOVERED;
	/* It can be let go by the short way. */
	ilk_let_go_();
	ilk_hold_last_(l);
	return 0;
}

int ilk_rwlock_let_go_(struct ilk_rwlock *l)
{
	uint32_t word = ilk_load_relaxed_(&l->state);

	ilk_count_last_(&ilk_thread_);
	ilk_let_go_();
	if (word & ILK_RWLOCK_IN_)
		ilk_left_(l);
	ilk_exchange_(&l->state, ilk_rwlock_left_(word)); /* [R5], [R6] */
	ilk_fence_after_rmw_();
	return ilk_rwlock_look_round_(l);
}

/* --- waiting for who reads --- */

static int is_gone(const struct ilk_rwlock *l, uint32_t place, uint32_t reader)
{
	return reader_at(l, place) != reader;
}

static int spin(const struct ilk_rwlock *l, uint32_t place, uint32_t reader)
{
	int gap = 1;

	for (int look = 1; look <= ILK_RWLOCK_LOOKS_; look++) {
		if (is_gone(l, place, reader))
			return 1;
		ilk_rwlock_pause_(look, &gap);
	}
	return 0;
}

/* [R7] Says that the writer sleeps. */
static void announce(struct ilk_rwlock *l, int first)
{
	if (!first && ilk_load_acquire_(&l->drain))
		return;
	ilk_exchange_(&l->drain, 1u);
	ilk_handshake_(ilk_thread_.segment);
}

/* 0: it has gone, or is dead. */
static int sleep_for(struct ilk_rwlock *l, uint32_t place, uint32_t reader, struct ilk_wait_ *w,
	ilk_time deadline)
{
	for (int first = 1;; first = 0) {
		int rc;

		announce(l, first);
		if (ilk_rwlock_is_removed_(l)) /* [R9] */
			return -EIDRM;
		if (is_gone(l, place, reader))
			return 0;
		ilk_wait_note_(w, reader, ilk_load_relaxed_(&l->acquired));
		rc = ilk_wait_on_(w, &l->drain, 1, deadline, reader);
		if (rc == -EOWNERDEAD)
			forget(l, place, reader);
		if (rc < 0)
			return rc == -EOWNERDEAD ? 0 : rc;
	}
}

static int await_reader(struct ilk_rwlock *l, uint32_t place, uint32_t reader, ilk_time deadline)
{
	struct ilk_wait_ w;
	int rc;

	if (spin(l, place, reader))
		return 0;
	ilk_wait_begin_(&w, l, ILK_TYPE_RWLOCK_);
	rc = sleep_for(l, place, reader, &w, deadline);
	ilk_add_relaxed_(&l->contended, 1u);
	ilk_add_relaxed_(&l->waited_ns, (uint64_t)(ilk_now() - w.since));
	ilk_wait_end_(&w);
	return rc;
}

/* Inside, with the state ours. 0: nobody reads. */
static int drain(struct ilk_rwlock *l, ilk_time deadline)
{
	uint32_t end, reader = 0;
	int rc = 0;

	revoke(l);
	end = places(l);
	for (uint32_t at = 0; rc == 0 && (at = next_reader(l, at, end, &reader)) < end; at++)
		rc = await_reader(l, at, reader, deadline);
	return rc;
}

/* --- the ways in --- */

static int take(struct ilk_rwlock *l, struct ilk_rwlock_side_ *side)
{
	uint32_t found = ilk_load_relaxed_(&l->state);

	(void)side;
	return !ilk_rwlock_is_held_(found) && seize(l, found);
}

/* Inside. IS_MINE: the state is ours already. */
static int wait_and_enter(struct ilk_rwlock *l, int is_mine, ilk_time deadline)
{
	struct ilk_rwlock_side_ side = {.word = &l->writers, .take = take};
	int rc = is_mine ? 0 : ilk_rwlock_await_(l, &side, deadline), result;

	if (rc < 0)
		return rc;
	rc = ilk_load_relaxed_(&l->state) & ILK_RWLOCK_IN_ ? 0 : drain(l, deadline);
	if (rc == 0) {
		result = enter(l);
		rc = ilk_is_closing_(ilk_thread_.segment) ? -ECANCELED
		     : ilk_rwlock_is_removed_(l)          ? -EIDRM
							  : result;
	}
	if (rc < 0)
		ilk_rwlock_let_go_(l);
	return rc;
}

static int contend(struct ilk_rwlock *l, int is_mine, ilk_time deadline)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	int rc = ilk_inside_begin_(seg);

	if (rc < 0) {
		if (is_mine)
			ilk_rwlock_let_go_(l);
		return rc;
	}
	rc = wait_and_enter(l, is_mine, deadline);
	ilk_inside_end_(seg);
	return rc;
}

/* Without waiting: and without keeping readers out where some are seen to be in. */
static int write_now(struct ilk_rwlock *l)
{
	struct ilk_rwlock_side_ side = {.word = NULL};

	if (!ilk_rwlock_is_free_(l, ilk_load_acquire_(&l->state)) || !is_drained(l, 1) ||
		!take(l, &side))
		return -EBUSY;
	revoke(l);
	if (ilk_load_relaxed_(&l->state) & ILK_RWLOCK_IN_ || is_drained(l, 1))
		return enter(l);
	ilk_rwlock_let_go_(l);
	return -EBUSY;
}

static int write_slow(struct ilk_rwlock *l, ilk_time deadline)
{
	int rc = ilk_rwlock_check_(l);
	uint32_t found;

	if (rc < 0)
		return rc;
	found = ilk_load_acquire_(&l->state);
	if (ilk_rwlock_is_mine_(found) ||
		ilk_marks_find_(ilk_rwlock_slot_(), ilk_rwlock_mark_(l)) < ILK_MARKS_)
		return -EDEADLK;
	ilk_seek_(l, ILK_HELD_WRITE_, deadline);
	if (deadline == ILK_NOW)
		return write_now(l);
	if (ilk_rwlock_is_held_(found) || !seize(l, found))
		return contend(l, 0, deadline);
	revoke(l);
	if (ilk_load_relaxed_(&l->state) & ILK_RWLOCK_IN_ || is_drained(l, 0))
		return enter(l);
	return contend(l, 1, deadline);
}

/* The common case alone, so that it needs no stack; all else is write_slow's. */
static inline int write_until(struct ilk_rwlock *l, ilk_time deadline)
{
	uint32_t quiet = ILK_RWLOCK_QUIET_;

	/* [R3] With cells, or after a read, the state is another; a swap in vain costs as much. */
	if (ilk_is_here_(l) && __builtin_expect(ilk_load_relaxed_(&l->tag) == ILK_RWLOCK_TAG_, 1) &&
		ilk_load_relaxed_(&l->state) == quiet &&
		__builtin_expect(ilk_cas_acquire_(&l->state, &quiet,
					 ilk_thread_.owner | ILK_RWLOCK_QUIET_ | ILK_RWLOCK_IN_),
			1)) {
		ilk_hold_last_(l);
		ilk_store_relaxed_(&l->acquired, l->acquired + 1);
		return 0;
	}
	return write_slow(l, deadline);
}

int ilk_rwlock_write(struct ilk_rwlock *l)
{
	return write_until(l, ILK_FOREVER);
}

int ilk_rwlock_try_write(struct ilk_rwlock *l)
{
	return write_until(l, ILK_NOW);
}

int ilk_rwlock_write_until(struct ilk_rwlock *l, ilk_time deadline)
{
	int rc = write_until(l, deadline);

	return rc == -EBUSY ? -ETIMEDOUT : rc;
}

int ilk_rwlock_repaired(struct ilk_rwlock *l)
{
	int rc = ilk_rwlock_check_writes_(l);

	if (rc < 0)
		return rc;
	ilk_store_release_(
		&l->state, ilk_load_relaxed_(&l->state) & ~(uint32_t)ILK_RWLOCK_DAMAGED_);
	return 0;
}
