/*
 * rwlock.c - a rwlock whose readers mark their own thread slot, and touch nothing that is shared.
 *
 * This file: reading, and letting go. rwlock_write.c: writing. rwlock_wait.c: waiting until no
 * writer has it. rwlock_object.c: made, opened, shown, repaired.
 *
 * State      state    the writer's owner word, or 0 in its place; and flags:
 *                     IN       the writer is in; without it he still waits for who reads
 *                     DAMAGED  a writer died in it, and nobody has repaired it since
 *                     and where those who may be reading are to be looked for:
 *                     0                biased: in the slots, after a handshake
 *                     FENCED           in the slots: readers run a fence
 *                     QUIET            nowhere: whoever reads first makes it FENCED, or 0
 *                     QUIET, FENCED    with cells: in the cells alone. (FENCED then: in both.)
 *            marks    in the readers' thread slots: src/segment/marks.h; `more`: rwlock.h
 *            cells    with ILK_RWLOCK_WRITES: owner words of readers; 0 = free
 *            drain    1 = the writer may sleep on this word, until a reader lets go
 *            readers, writers   1 = some may sleep on this word, until the writer lets go
 *            ask      1 = a spinner would like a turn
 *            biased_from  not before then does a reader make FENCED 0; 0 = at once
 *            tag      RWLOCK, or REMOVED for good. flags, label: fixed.
 *            acquired: writes, by the writer alone. contended, waited_ns: of those who slept.
 * Invariant  [I1] Who reads has a mark of the lock in his slot, set before he saw a state without a
 *            writer in it; with cells, he stands in one of them as well, if there was one free.
 *            [I2] Only the thread that the state names changes it, unless that thread is dead: then
 *            whoever swaps the very word found. Without a writer, anybody may swap it.
 *            [I3] State 0 is left only by a writer, who keeps the 0 until the handshake has run: so
 *            whoever comes after one who died in between runs it.
 *            [I4] While the state names a writer nobody begins to read, but who reads already.
 *            [I5] Who sleeps, sleeps on drain, readers or writers, after it was set and a handshake
 *            ran; it is cleared only together with a wake-up, in one system call. A writer who has
 *            slept for the state leaves `writers` set: only one was woken.
 * Ordering   [R1] read:  store mark; compiler barrier; load state = 0  <-> [R3]
 *            [R2] read:  store mark (or swap cell); fence; load state  <-> [R3]
 *            [R3] write: swap state; if it was 0, handshake; fence; load marks and cells
 *                 One of both sees the other. The handshake puts a fence into each running thread.
 *                 Where the reader's came after his load of 0, his mark was before it: the writer
 *                 sees it. Where it came before that load, the load was after the swap, and did not
 *                 see 0. That the compiler's order alone keeps mark and load apart does not matter
 *                 then. A reader who sees anything but 0 cannot tell which: he runs a fence and
 *                 looks again, since the mode may have changed after his mark, not only before.
 *            [R4] done reading: store mark, cell, release <-> load of them, acquire, in rwlock_write
 *            [R5] done writing: store state, release <-> [R1], [R2], [R3], acquire
 *            [R6] done writing: store state; compiler barrier; load readers, writers, ask
 *                 <-> sleeper: set the word; handshake; load state
 *            [R7] done reading: store mark, cell; compiler barrier; load drain
 *                 <-> writer who sleeps: set drain; handshake; load mark, cell
 *                 In a fenced segment both sides of [R6] and [R7] use a full fence instead, and
 *                 state 0 does not occur.
 *            [R8] bury: swap state, full: what a dead writer wrote is there, as the kernel let his
 *                 life byte go after his last instruction
 *            [R9] remove: store tag; store word and wake <-> sleeper: set word; load tag: as the
 *                 mutex's [X6], [X7]
 * Death      A reader: its mark, or cell, is of the dead, and counts for nothing; writers find out
 *            at their next look, 20 ms at most, and note it. Between mark and cell: the same.
 *            A writer before IN: whoever comes takes its word out of the state; nothing was written.
 *            After IN: the same, and DAMAGED. After [R5], before the wake-up: who sleeps looks within
 *            20 ms. In the midst of downgrade: writing until the state says otherwise.
 *            Asleep, or woken: its word stays set, which costs somebody one wake-up.
 * Close      as mutex.c: who waits is cancelled, and gives back what he gets.
 * Lifetime   [R6], [R7] touch the lock after it was let go; the header says what that asks of users.
 */
#include "fault.h"
#include "os/clock.h"
#include "os/futex.h"
#include "segment/member.h"
#include "segment/order.h"
#include "segment/wait.h"
#include "sync/rwlock.h"
#include <errno.h>

_Static_assert(sizeof(struct ilk_rwlock) == ILK_MARK_BYTES_, "it can be marked");

enum { READS_PER_LOOK_AT_CLOCK = 64 };

static __thread uint32_t fenced_reads;

/*
 * After a change of the caller's marks: the fast paths use the first one, and may where no other is
 * in use, and there is nothing more to say of it.
 */
static void settle_marks(struct ilk_thread_slot_ *slot)
{
	int is_simple = !ilk_thread_.fenced && !ilk_thread_.me->more[0] && !ilk_marks_any_(slot, 1);

	ilk_thread_.mark = is_simple ? &slot->marks[0] : NULL;
}

/* --- letting go of what is read --- */

/* [R7] */
static inline void wake_writer(struct ilk_rwlock *l)
{
	if (__builtin_expect(ilk_load_relaxed_(&l->drain), 0) &&
		!ILK_FAULTY_(ILK_FAULT_SILENT_UNLOCK))
		ilk_futex_store_and_wake_(&l->drain, 0, 1);
}

/* The caller's mark I, set once, is all that he has of L. */
static void withdraw(struct ilk_rwlock *l, struct ilk_thread_slot_ *slot, uint32_t i)
{
	uint32_t *more = &ilk_thread_.me->more[i];

	if (*more & ILK_RWLOCK_IN_CELL_)
		ilk_rwlock_free_cell_(l);
	*more = 0;
	ilk_store_release_(&slot->marks[i], 0u); /* [R4] */
	if (ilk_thread_.fenced)
		ilk_fence_();
	else
		ilk_compiler_barrier_();
	wake_writer(l);
}

/* Not inline: the fast paths would have to save registers for it. */
static __attribute__((noinline)) int unlock_slow(struct ilk_rwlock *l)
{
	int rc = ilk_rwlock_check_there_(l);
	struct ilk_thread_slot_ *slot;
	uint32_t i;

	if (rc < 0)
		return rc;
	if (ilk_rwlock_is_mine_(ilk_load_relaxed_(&l->state)))
		return ilk_rwlock_let_go_(l);
	slot = ilk_rwlock_slot_();
	i = ilk_marks_find_(slot, ilk_rwlock_mark_(l));
	if (i == ILK_MARKS_)
		return -EPERM;
	if (ilk_thread_.me->more[i] & ILK_RWLOCK_MORE_) {
		ilk_thread_.me->more[i]--;
	} else {
		ilk_left_(l);
		withdraw(l, slot, i);
	}
	settle_marks(slot);
	return 0;
}

int ilk_rwlock_unlock(struct ilk_rwlock *l)
{
	uint32_t *mark = ilk_thread_.mark;

	if (ilk_is_last_(l) && ilk_is_here_(l) && !ilk_thread_.fenced) {
		ilk_forget_last_();
		/* [R5], [R6] Weaker: the next one could miss our writes. */
		ilk_store_release_(&l->state, ilk_rwlock_quiet_(l));
		ilk_compiler_barrier_();
		return ilk_rwlock_look_round_(l);
	}
	if (mark && ilk_is_here_(l) && ilk_load_relaxed_(mark) == ilk_rwlock_mark_(l)) {
		/* [R4], [R7] Weaker: a writer could come before we have read. */
		ilk_store_release_(mark, 0u);
		ilk_compiler_barrier_();
		wake_writer(l);
		return 0;
	}
	return unlock_slow(l);
}

/* --- reading --- */

/* Is it time to look at the clock? That costs as much as a read. */
static inline int is_time_to_look(void)
{
	return (fenced_reads + 1) % READS_PER_LOOK_AT_CLOCK == 0;
}

/* May a reader make the state 0? */
static int may_bias(const struct ilk_rwlock *l)
{
	int64_t from = ilk_load_relaxed_(&l->biased_from);
	int looks = is_time_to_look();

	if (ilk_thread_.fenced || ilk_rwlock_has_cells_(l))
		return 0;
	fenced_reads++;
	return from == 0 || (looks && ilk_now() >= from);
}

/* What a reader makes of FOUND, which is QUIET. */
static uint32_t opened(const struct ilk_rwlock *l, uint32_t found)
{
	if (found == ILK_RWLOCK_QUIET_ && may_bias(l))
		return 0;
	return (found & ~(uint32_t)ILK_RWLOCK_QUIET_) | ILK_RWLOCK_FENCED_;
}

/*
 * [R2] The caller has set mark I: is he in, and with what result? The state stays as it is where he
 * is in a cell; where it is QUIET, who comes after must be told to look into the slots, and the
 * swap that says so is the fence.
 */
static int is_in(struct ilk_rwlock *l, uint32_t i, int *result)
{
	int in_cell = ilk_rwlock_has_cells_(l) && ilk_rwlock_take_cell_(l, i), is_ordered = in_cell;
	uint32_t found = ilk_load_acquire_(&l->state); /* [R5] */

	while (!ilk_rwlock_is_held_(found)) {
		if (found & ILK_RWLOCK_QUIET_ && !in_cell) {
			if (!ilk_cas_full_(&l->state, &found, opened(l, found)))
				continue;
		} else if (!is_ordered) {
			ilk_fence_();
			is_ordered = 1;
			found = ilk_load_acquire_(&l->state);
			continue;
		} else if (found == ILK_RWLOCK_FENCED_ && may_bias(l)) {
			if (!ilk_cas_full_(&l->state, &found, 0u))
				continue;
		}
		*result = found & ILK_RWLOCK_DAMAGED_ ? ILK_RECOVERED : 0;
		return 1;
	}
	return 0;
}

static int take(struct ilk_rwlock *l, struct ilk_rwlock_side_ *side)
{
	struct ilk_thread_slot_ *slot = ilk_rwlock_slot_();

	ilk_store_relaxed_(&slot->marks[side->mark], ilk_rwlock_mark_(l));
	if (is_in(l, side->mark, &side->result))
		return 1;
	withdraw(l, slot, side->mark);
	return 0;
}

/* Inside, so that close can cancel it. */
static int contend(struct ilk_rwlock *l, struct ilk_rwlock_side_ *side, ilk_time deadline)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	int rc = ilk_inside_begin_(seg);

	if (rc < 0)
		return rc;
	rc = ilk_rwlock_await_(l, side, deadline);
	if (rc == 0) {
		rc = ilk_is_closing_(seg)        ? -ECANCELED
		     : ilk_rwlock_is_removed_(l) ? -EIDRM
						 : side->result;
		if (rc < 0)
			withdraw(l, ilk_rwlock_slot_(), side->mark);
	}
	ilk_inside_end_(seg);
	return rc;
}

/* A writer was seen, mark I is free again. */
static int read_contended(struct ilk_rwlock *l, uint32_t i, ilk_time deadline)
{
	struct ilk_rwlock_side_ side = {.word = &l->readers, .take = take, .mark = i};
	uint32_t found = ilk_load_acquire_(&l->state);

	if (ilk_rwlock_is_mine_(found))
		return -EDEADLK;
	if (deadline != ILK_NOW)
		return contend(l, &side, deadline);
	return ilk_rwlock_is_free_(l, found) && take(l, &side) ? side.result : -EBUSY;
}

/* The caller has set mark I, and the state was not 0. */
static int read_marked(
	struct ilk_rwlock *l, struct ilk_thread_slot_ *slot, uint32_t i, ilk_time deadline)
{
	int result;

	if (is_in(l, i, &result))
		return result;
	withdraw(l, slot, i);
	return read_contended(l, i, deadline);
}

/* [I4] Who reads already waits for nobody. */
static int read_again(struct ilk_rwlock *l, uint32_t i)
{
	uint32_t *more = &ilk_thread_.me->more[i];

	if ((*more & ILK_RWLOCK_MORE_) == ILK_RWLOCK_MORE_)
		return -EOVERFLOW;
	++*more;
	ilk_thread_.mark = NULL;
	return ilk_load_relaxed_(&l->state) & ILK_RWLOCK_DAMAGED_ ? ILK_RECOVERED : 0;
}

static int read_slow(struct ilk_rwlock *l, ilk_time deadline)
{
	int rc = ilk_rwlock_check_(l);
	struct ilk_thread_slot_ *slot;
	uint32_t i;

	if (rc < 0)
		return rc;
	slot = ilk_rwlock_slot_();
	i = ilk_marks_find_(slot, ilk_rwlock_mark_(l));
	if (i < ILK_MARKS_)
		return read_again(l, i);
	if (ilk_rwlock_is_mine_(ilk_load_relaxed_(&l->state)))
		return -EDEADLK;
	i = ilk_marks_free_(slot);
	if (i == ILK_MARKS_)
		return -EMFILE;
	ilk_seek_(l, ILK_HELD_READ_, deadline);
	ilk_store_relaxed_(&slot->marks[i], ilk_rwlock_mark_(l));
	rc = read_marked(l, slot, i, deadline);
	/* Else the segment may be gone. */
	if (rc < 0)
		return rc;
	settle_marks(slot);
	ilk_taken_(l, ILK_HELD_READ_);
	return rc;
}

static int read_first(struct ilk_rwlock *l, ilk_time deadline)
{
	return read_marked(l, ilk_rwlock_slot_(), 0, deadline);
}

/* [R2] For some time after a write; mark 0 is set. Else, and now and then, all is looked at. */
static inline int read_fenced(struct ilk_rwlock *l, ilk_time deadline)
{
	ilk_fence_();
	if (ilk_load_acquire_(&l->state) != ILK_RWLOCK_FENCED_ || is_time_to_look())
		return read_first(l, deadline);
	fenced_reads++;
	return 0;
}

/* The common cases alone, so that they need no stack; all else is read_slow's. */
static inline int read_until(struct ilk_rwlock *l, ilk_time deadline)
{
	uint32_t *mark = ilk_thread_.mark, found;

	if (!mark || !ilk_is_here_(l) || ilk_load_relaxed_(mark) ||
		__builtin_expect(ilk_load_relaxed_(&l->tag) != ILK_RWLOCK_TAG_, 0))
		return read_slow(l, deadline);
	/* [R1] Without the barrier the compiler could load first: no fence of others repairs that. */
	ilk_store_relaxed_(mark, ilk_rwlock_mark_(l));
	ilk_compiler_barrier_();
	found = ilk_load_acquire_(&l->state); /* [R5] */
	if (__builtin_expect(found == 0, 1))
		return 0;
	return found == ILK_RWLOCK_FENCED_ ? read_fenced(l, deadline) : read_first(l, deadline);
}

int ilk_rwlock_read(struct ilk_rwlock *l)
{
	return read_until(l, ILK_FOREVER);
}

int ilk_rwlock_try_read(struct ilk_rwlock *l)
{
	return read_until(l, ILK_NOW);
}

int ilk_rwlock_read_until(struct ilk_rwlock *l, ilk_time deadline)
{
	int rc = read_until(l, deadline);

	return rc == -EBUSY ? -ETIMEDOUT : rc;
}

/* --- from writing to reading --- */

int ilk_rwlock_downgrade(struct ilk_rwlock *l)
{
	int rc = ilk_rwlock_check_writes_(l), in_cell;
	struct ilk_thread_slot_ *slot;
	uint32_t left, i;

	if (rc < 0)
		return rc;
	slot = ilk_rwlock_slot_();
	i = ilk_marks_free_(slot);
	if (i == ILK_MARKS_)
		return -EMFILE;
	ilk_store_relaxed_(&slot->marks[i], ilk_rwlock_mark_(l));
	in_cell = ilk_rwlock_has_cells_(l) && ilk_rwlock_take_cell_(l, i);
	settle_marks(slot);
	left = ilk_rwlock_left_(ilk_load_relaxed_(&l->state));
	ilk_count_last_(&ilk_thread_);
	ilk_let_go_();
	ilk_turned_(l, ILK_HELD_READ_);
	/* [R5] Release: who sees no writer sees the mark. */
	ilk_exchange_(&l->state,
		in_cell ? left : (left & ~(uint32_t)ILK_RWLOCK_QUIET_) | ILK_RWLOCK_FENCED_);
	ilk_fence_after_rmw_();
	return ilk_rwlock_look_round_(l);
}
