/*
 * permits_wait.c - permits that are not to be had at once: the dead's, sleeping for some, the gate.
 *
 * State, invariants, ordering and what a death leaves: permits.c, whose labels are used here.
 */
#include "segment/types.h"
#include "segment/wait.h"
#include "sync/permits.h"
#include <errno.h>

enum { FEW = 64, WATCHED_FOR = 50 * 1000 * 1000 };

uint32_t ilk_permits_sweep_(
	struct ilk_segment *seg, struct ilk_permits_view_ *v, uint32_t wanted, uint32_t *freed)
{
	struct ilk_living_ living = {.slots = {0}};
	uint32_t got = 0;

	*freed = 0;
	for (uint32_t i = 0; i < v->count; i++) {
		uint64_t found = ilk_load_acquire_(&v->cell[i]);
		int take = got < wanted;

		if (found == ILK_PERMIT_FREE_ || found == v->mine ||
			ilk_permits_life_(seg, found, &living) != ILK_LIFE_DEAD ||
			!ilk_cas_full_(
				&v->cell[i], &found, take ? v->mine : ILK_PERMIT_FREE_)) /* [P5] */
			continue;
		got += (uint32_t)take;
		*freed += (uint32_t)!take;
	}
	if (got + *freed)
		ilk_add_relaxed_(&v->p->recovered, got + *freed);
	return got;
}

/* What is free, and then what the dead have. How many. */
static uint32_t take_any(struct ilk_segment *seg, struct ilk_permits_view_ *v, uint32_t wanted)
{
	uint32_t got = ilk_permits_take_free_(v, wanted), swept, freed;

	if (got == wanted)
		return got;
	swept = ilk_permits_sweep_(seg, v, wanted - got, &freed);
	ilk_permits_hold_(v, swept);
	if (freed)
		ilk_permits_wake_(v->p, freed);
	return got + swept;
}

/* One call's waiting. */
struct effort {
	struct ilk_segment *seg;
	struct ilk_permits_view_ v;
	uint32_t wanted, got;
	int64_t watching; /* what it said last when it watched; 0: it does not */
};

static int look(struct effort *e)
{
	e->got += ilk_permits_take_free_(&e->v, e->wanted - e->got);
	return e->got == e->wanted;
}

static int look_everywhere(struct effort *e)
{
	e->got += take_any(e->seg, &e->v, e->wanted - e->got);
	return e->got == e->wanted;
}

static int spin(struct effort *e)
{
	unsigned round = 0;

	do
		if (look(e))
			return 1;
	while (e->v.count <= FEW ? ilk_spin_once_(&round) : ilk_spin_(&round));
	return 0;
}

/* [P4] Weaker: a release could miss all who sleep. */
static void announce(const struct effort *e, int how_it_woke)
{
	uint32_t before = ilk_add_full_(&e->v.p->sleepers, 1);

	if (before == 0 || how_it_woke != ILK_TICK_)
		ilk_handshake_(e->seg);
}

/*
 * Of those who sleep one looks after the owners every 20 ms, and says so each time. The others look
 * every 60 ms, and take its place where it has not said so for a while: it was served, or is dead.
 * Two who took it at once find out at the next tick.
 */
static void watch(struct effort *e)
{
	struct ilk_permits *p = e->v.p;
	int64_t said = ilk_load_relaxed_(&p->watched), now = ilk_now();

	if (said != e->watching && (uint64_t)now - (uint64_t)said < WATCHED_FOR) {
		e->watching = 0;
		return;
	}
	e->watching = now;
	ilk_store_relaxed_(&p->watched, now);
}

/* The next who comes need not wait until that is old. */
static void watch_no_more(struct effort *e)
{
	struct ilk_permits *p = e->v.p;

	if (e->watching && ilk_load_relaxed_(&p->watched) == e->watching)
		ilk_store_relaxed_(&p->watched, (int64_t)0);
}

static int sleep_for(struct effort *e, struct ilk_wait_ *w, ilk_time deadline)
{
	struct ilk_permits *p = e->v.p;
	int rc = ILK_WOKEN_;

	w->many = 1;
	while (rc >= 0) {
		uint32_t bell = ilk_load_acquire_(&p->bell); /* [I3] */

		announce(e, rc);
		watch(e);
		w->behind = e->watching == 0;
		if (ilk_permits_are_removed_(p)) /* [P6] */
			return -EIDRM;
		if (look_everywhere(e))
			return 0;
		rc = ilk_wait_on_(w, &p->bell, bell, deadline, 0);
		if (rc == ILK_WOKEN_ && look(e))
			return 0;
	}
	return rc;
}

static int wait_for(struct effort *e, ilk_time deadline)
{
	struct ilk_permits *p = e->v.p;
	struct ilk_wait_ w;
	int rc;

	ilk_wait_begin_(&w, p, ILK_TYPE_PERMITS_);
	rc = sleep_for(e, &w, deadline);
	watch_no_more(e);
	ilk_add_relaxed_(&p->slept, 1);
	ilk_add_relaxed_(&p->waited_ns, (uint64_t)(ilk_now() - w.since));
	ilk_wait_end_(&w);
	return rc;
}

/* Inside. 0: all is ours; else nothing is. */
static int collect(struct effort *e, ilk_time deadline)
{
	int rc = 0;

	if (deadline == ILK_NOW)
		rc = look_everywhere(e) ? 0 : -EAGAIN;
	else if (!spin(e))
		rc = wait_for(e, deadline);
	if (rc == 0 && ilk_is_closing_(e->seg))
		rc = -ECANCELED;
	if (rc == 0 && ilk_permits_are_removed_(e->v.p))
		rc = -EIDRM;
	if (rc < 0 && e->got)
		ilk_permits_free_mine_(&e->v, e->got, (int)ilk_thread_.fenced);
	return rc;
}

/* [I2] What the gate's last owner left when it died is in the cells. */
static int collect_at_gate(struct effort *e, ilk_time deadline)
{
	struct ilk_mutex *gate = &e->v.p->gate;
	int rc = ilk_mutex_lock_until(gate, deadline);

	if (rc < 0)
		return rc == -ETIMEDOUT && deadline == ILK_NOW ? -EAGAIN : rc;
	if (rc == ILK_RECOVERED)
		ilk_mutex_repaired(gate);
	rc = collect(e, deadline);
	ilk_mutex_unlock(gate);
	return rc;
}

/* Even if all others let theirs go, it would not be enough. */
static int is_hopeless(const struct ilk_permits_view_ *v, uint32_t wanted)
{
	return !v->by_process && ilk_permits_count_mine_(v, v->count) + wanted > v->count;
}

int ilk_permits_acquire_slow_(struct ilk_permits *p, uint32_t n, ilk_time deadline)
{
	struct effort e = {.wanted = n};
	int rc = ilk_here_(p);

	if (rc < 0)
		return rc;
	if (ilk_permits_are_removed_(p))
		return -EIDRM;
	e.seg = ilk_thread_.segment;
	if (!ilk_permits_are_some_(p) || !ilk_permits_see_as_mine_(e.seg, p, &e.v) ||
		n - 1 >= e.v.count)
		return -EINVAL;
	if (is_hopeless(&e.v, n))
		return -EDEADLK;
	rc = ilk_inside_begin_(e.seg);
	if (rc < 0)
		return rc;
	rc = n == 1 ? collect(&e, deadline) : collect_at_gate(&e, deadline);
	ilk_inside_end_(e.seg);
	return rc;
}
