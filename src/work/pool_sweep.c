/*
 * pool_sweep.c - what the dead left in the cells: their tasks run again, or are given up, or dropped.
 * The protocol, and the labels: pool.c.
 *
 * State      pool.swept   when somebody last began to look through all cells; by CAS, so that it is
 *                         one in 20 ms. Who dies in it leaves the rest to the next.
 *            row.noticed  when somebody first found the row's worker dead; 0 = nobody has
 * Invariant  [D1] Each repair is one CAS of the word found: it does not matter who does it, how often
 *            it is tried, or where one who tries dies.
 *            [D2] A task of a dead worker that is not run again is left RUNNING until it is known by
 *            which signal that died: by its supervisor, who reaps it and sweeps with what it then
 *            knows; or for 200 ms, where there is a living one; where there is none, not at all.
 *            [D3] noticed is of the row's owner: who takes the row clears it, and who set it later,
 *            for the one before, does.
 */
#include "work/waiting.h"
#include <limits.h>

enum { KNOWN_AFTER = 200 * 1000 * 1000 };

struct sweep {
	const struct ilk_pool_view_ *v;
	struct ilk_segment *seg;
	struct ilk_living_ living;
	uint32_t owner; /* of whom it is known: */
	int signal;
	uint64_t mine;
	int found, lost, freed;
};

static int is_dead(struct sweep *s, uint32_t owner)
{
	return owner && owner != ilk_thread_.owner &&
	       (owner == s->owner ||
		       ilk_owner_life_once_(s->seg, owner, &s->living) == ILK_LIFE_DEAD);
}

static int is_dead_process(struct sweep *s, uint64_t by)
{
	uint32_t slot = (uint32_t)by - 1;

	return by != s->mine && slot < s->seg->map.header.process_slots &&
	       ilk_process_life_once_(s->seg, slot, (uint32_t)(by >> 32), &s->living) ==
		       ILK_LIFE_DEAD;
}

/* When somebody first found OWNER, of ROW, dead: now, maybe. 0: ROW is another's by now. */
static int64_t notice(struct ilk_pool_row_ *row, uint32_t owner, int64_t now)
{
	int64_t noticed = 0, mine = now;

	if (!ilk_cas_full_(&row->noticed, &noticed, now))
		return noticed;
	if (ilk_load_acquire_(&row->owner) == owner)
		return now;
	/* [D3] */
	ilk_cas_full_(&row->noticed, &mine, (int64_t)0);
	return 0;
}

/* [D2] Has its supervisor had time enough to say how the dead OWNER ended? */
static int is_known(struct sweep *s, uint32_t owner)
{
	struct ilk_pool_row_ *row = ilk_pool_rows_(s->v->pool);
	uint32_t supervisor;
	int64_t now = ilk_now(), noticed;

	if (owner == s->owner)
		return 1;
	for (uint32_t i = 0; i < s->v->shape.rows; i++, row++) {
		if (ilk_load_acquire_(&row->owner) != owner)
			continue;
		supervisor = ilk_load_relaxed_(&row->supervisor);
		if (!supervisor || is_dead(s, supervisor))
			return 1;
		noticed = notice(row, owner, now);
		if (!noticed)
			return 1;
		/* Clocks differ a little: ilk_now_about_(). */
		return (uint64_t)now - (uint64_t)noticed + KNOWN_AFTER >= 2 * (uint64_t)KNOWN_AFTER;
	}
	return 1;
}

/* CELL is RUNNING by a dead one. 1: no more; 0: it is not known yet how that died. */
static int resolve(struct sweep *s, struct ilk_pool_cell_ *cell, uint64_t word)
{
	struct ilk_pool *pool = s->v->pool;
	uint32_t owner = ilk_task_owner_(word), signal;
	int is_again = ilk_task_runs_(word) <= s->v->shape.retries &&
		       !(ilk_load_relaxed_(&pool->state) & ILK_POOL_CANCELS_);

	if (is_again) {
		if (ilk_cas_full_(&cell->word, &word, ilk_task_with_(word, ILK_TASK_QUEUED_, 0))) {
			ilk_add_relaxed_(&pool->again, UINT64_C(1));
			ilk_pool_queue_again_(s->v, cell);
			s->lost++;
		}
		return 1;
	}
	if (!is_known(s, owner))
		return 0;
	signal = owner == s->owner ? (uint32_t)s->signal & 0x7f : 0;
	if (ilk_cas_full_(&cell->word, &word, ilk_task_with_(word, ILK_TASK_DIED_, signal << 4))) {
		ilk_add_relaxed_(&pool->died, UINT64_C(1));
		ilk_pool_is_over_(pool, cell, 1);
	}
	return 1;
}

static int drop(struct sweep *s, struct ilk_pool_cell_ *cell, uint64_t word)
{
	if (!ilk_cas_full_(&cell->word, &word, ilk_task_freed_(word)))
		return 0;
	s->freed++;
	return 1;
}

/* [I3] What BY and the flags say is of WORD's task, or the CAS fails. */
static void look_at(struct sweep *s, uint64_t i)
{
	struct ilk_pool_cell_ *cell = ilk_pool_cell_(s->v, i);
	uint64_t word = ilk_load_acquire_(&cell->word), by = ilk_load_relaxed_(&cell->by);
	uint32_t unwanted = ilk_load_relaxed_(&cell->flags) & ILK_POOL_CELL_UNWANTED_;

	switch (ilk_task_state_(word)) {
	case ILK_TASK_FREE_:
		break;
	case ILK_TASK_FILLING_:
		if (is_dead(s, ilk_task_owner_(word)))
			s->found += drop(s, cell, word);
		break;
	case ILK_TASK_QUEUED_:
		if (!(s->v->shape.flags & ILK_POOL_KEEP) && is_dead_process(s, by)) {
			if (drop(s, cell, word))
				ilk_add_relaxed_(&s->v->pool->dropped, UINT64_C(1));
			s->found++;
		} else if (ilk_pool_is_lost_(s->v, i)) {
			ilk_pool_queue_again_(s->v, cell);
			s->lost++;
		}
		break;
	case ILK_TASK_RUNNING_:
		if (is_dead(s, ilk_task_owner_(word)))
			s->found += resolve(s, cell, word);
		break;
	default:
		if (unwanted || is_dead_process(s, by))
			s->found += drop(s, cell, word);
	}
}

/* Rows of the dead whose supervisors will not see to them. After the cells. */
static void free_rows(struct sweep *s)
{
	struct ilk_pool_row_ *row = ilk_pool_rows_(s->v->pool);

	for (uint32_t i = 0; i < s->v->shape.rows; i++, row++) {
		uint32_t owner = ilk_load_acquire_(&row->owner);

		if (is_dead(s, owner) && is_known(s, owner))
			s->found += ilk_cas_full_(&row->owner, &owner, 0);
	}
}

int ilk_pool_sweep_(const struct ilk_pool_view_ *v, uint32_t owner, int signal)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	struct sweep s = {.v = v,
		.seg = seg,
		.owner = owner,
		.signal = signal,
		.mine = ilk_pool_my_process_(seg)};

	for (uint64_t i = 0; i <= v->mask; i++)
		look_at(&s, i);
	free_rows(&s);
	if (s.lost)
		ilk_pool_told_(v->pool, ILK_POOL_WORKERS_, INT_MAX);
	if (s.freed) {
		ilk_fence_after_rmw_();
		ilk_pool_told_(v->pool, ILK_POOL_ROOM_, s.freed);
		ilk_pool_told_(v->pool, ILK_POOL_OVER_, INT_MAX);
	}
	return s.found + s.lost;
}

int ilk_pool_sweep_if_due_(const struct ilk_pool_view_ *v, ilk_time now)
{
	int64_t swept = ilk_load_relaxed_(&v->pool->swept);

	/* Clocks differ a little: ilk_now_about_(). */
	if ((uint64_t)now - (uint64_t)swept + ILK_POOL_SWEEP_EACH_ < 2 * ILK_POOL_SWEEP_EACH_)
		return 0;
	if (!ilk_cas_full_(&v->pool->swept, &swept, now))
		return 0;
	ilk_pool_sweep_(v, 0, 0);
	return 1;
}

int ilk_pool_resolve_(const struct ilk_pool_view_ *v, struct ilk_pool_cell_ *cell, uint64_t word)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	struct sweep s = {.v = v, .seg = seg, .mine = ilk_pool_my_process_(seg)};
	int rc = resolve(&s, cell, word);

	if (s.lost)
		ilk_pool_told_(v->pool, ILK_POOL_WORKERS_, INT_MAX);
	return rc;
}
