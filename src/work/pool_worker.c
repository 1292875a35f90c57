/*
 * pool_worker.c - one worker of a crew: started, asked to leave, seen off.
 *
 * State      row.owner  the supervisor's, from the start of a worker until that takes the row, by CAS,
 *                       and asked to leave before, finds it free. So a worker can be asked at any
 *                       time, and one that is killed before it served leaves nothing.
 * Invariant  [C1] A row is one worker's of the crew, from its start until its end was seen, although
 *                 it may have left it before: c.kept. So what the supervisor finds reserved there
 *                 is reserved for that one.
 * Death      Of the worker: its supervisor reaps it, and sweeps with what it knows; of the worker alone,
 *            by exec() in a task: its supervisor kills the process that is left, first. Of the supervisor's
 *            process: the kernel kills its workers; rows and tasks are those of the dead. A row that
 *            is reserved goes with its supervisor.
 */
#include "os/futex.h"
#include "os/process.h"
#include "work/crew.h"
#include <limits.h>
#include <string.h>

enum {
	AT_ONCE = 100 * 1000 * 1000, /* so soon, and of no use: as one that does not begin */
	FIRST_DELAY = 10 * 1000 * 1000,
	MOST_DOUBLINGS = 7, /* 1.3 s */
};

static struct ilk_pool_row_ *row_of(const struct ilk_pool_crew *c, uint32_t i)
{
	return &ilk_pool_rows_(c->view.pool)[ilk_load_relaxed_(&c->place[i].row)];
}

/* --- its life --- */

static int serve(const struct ilk_crew_place_ *place)
{
	const struct ilk_pool_crew *c = place->crew;
	const struct ilk_pool_serve_options o = {.size = sizeof o,
		.tasks = c->options.tasks,
		.begin = c->options.begin,
		.arg = c->options.arg};
	const struct ilk_pool_place_for_ at = {c->me, place->row};

	return ilk_pool_serve_for_(c->view.pool, c->functions, c->count, &o, &at) == 0 ? 0 : 1;
}

static int live(void *place)
{
	return serve(place);
}

/* However it ends, be it by pthread_exit() in a task. */
static void say_ended(void *arg)
{
	struct ilk_crew_place_ *place = arg;

	ilk_store_release_(&place->ended, 1u);
	ilk_futex_step_and_wake_(&place->crew->bell, 1);
}

static void *live_as_thread(void *arg)
{
	struct ilk_crew_place_ *place = arg;

	ilk_signals_restore_(&place->crew->mask);
	place->code = 1;
	pthread_cleanup_push(say_ended, place);
	place->code = serve(place);
	pthread_cleanup_pop(1);
	return NULL;
}

/* --- its start --- */

static int reserve(struct ilk_pool_crew *c, uint32_t i)
{
	int row = ilk_pool_reserve_row_(&c->view, c->me, c->kept); /* [C1] */

	if (row < 0)
		return -EUSERS;
	c->kept[row] = 1;
	ilk_store_release_(&c->place[i].row, (uint32_t)row);
	return 0;
}

/* Its worker has ended, or was not started. */
static void give_back(struct ilk_pool_crew *c, uint32_t i)
{
	ilk_store_release_(&c->place[i].is_used, 0u);
	c->kept[c->place[i].row] = 0;
}

static int start(struct ilk_pool_crew *c, uint32_t i)
{
	const struct ilk_spawn_options o = {.size = sizeof o, .name = "ilk-worker"};

	if (c->options.flags & ILK_POOL_THREADS)
		return -pthread_create(&c->place[i].thread, NULL, live_as_thread, &c->place[i]);
	return ilk_spawn(&c->child[i], live, &c->place[i], &o);
}

int ilk_crew_start_(struct ilk_pool_crew *c, uint32_t i)
{
	struct ilk_crew_place_ *place = &c->place[i];
	uint32_t mine = c->me;
	int rc = reserve(c, i);

	if (rc < 0)
		return rc;
	place->begun = ilk_now();
	place->ended = 0;
	place->done_before =
		ilk_load_relaxed_(&row_of(c, i)->done) + ilk_load_relaxed_(&row_of(c, i)->failed);
	rc = start(c, i);
	if (rc < 0) {
		ilk_cas_full_(&row_of(c, i)->owner, &mine, 0);
		give_back(c, i);
		return rc;
	}
	ilk_store_release_(&place->is_used, 1u);
	return 0;
}

/* --- its end --- */

void ilk_crew_ask_(struct ilk_pool_crew *c, uint32_t i)
{
	struct ilk_pool_row_ *row = row_of(c, i);
	uint32_t owner = c->me;

	if (ilk_cas_full_(&row->owner, &owner, 0))
		return;
	if (owner && ilk_load_relaxed_(&row->supervisor) == c->me)
		ilk_store_release_(&row->leave, owner);
}

void ilk_crew_look_(struct ilk_pool_crew *c, uint32_t i)
{
	struct ilk_pool_row_ *row = row_of(c, i);
	uint32_t owner = ilk_load_acquire_(&row->owner);

	if (!ilk_load_relaxed_(&row->noticed) || !owner || owner == c->me)
		return;
	if (ilk_load_relaxed_(&row->supervisor) == c->me &&
		ilk_owner_life_(ilk_thread_.segment, owner) == ILK_LIFE_DEAD)
		ilk_spawn_signal(&c->child[i], SIGKILL);
}

/* What the dead worker of ROW left. How much there was; -1: it had not begun to serve. */
static int see_off(struct ilk_pool_crew *c, struct ilk_pool_row_ *row, int signal)
{
	uint32_t owner = ilk_load_acquire_(&row->owner), mine = c->me;
	int found;

	if (ilk_cas_full_(&row->owner, &mine, 0))
		return -1;
	if (!owner)
		return 0;
	/* It may be another's, that took it since. */
	if (ilk_load_relaxed_(&row->supervisor) != c->me ||
		ilk_owner_life_(ilk_thread_.segment, owner) != ILK_LIFE_DEAD)
		return 0;
	found = ilk_pool_sweep_(&c->view, owner, signal);
	ilk_cas_full_(&row->owner, &owner, 0);
	return found;
}

/*
 * Is the pool closed, and nothing left that a worker could do? That is looked for here: one that ends
 * with 0 may as well have been asked to, or have called exit() in a task.
 */
static int is_for_nothing(const struct ilk_pool_crew *c)
{
	return ilk_load_acquire_(&c->view.pool->state) & ILK_POOL_CLOSED_ &&
	       !ilk_pool_is_anything_left_(&c->view, &c->able);
}

void ilk_crew_ended_(struct ilk_pool_crew *c, uint32_t i, int code, int signal)
{
	struct ilk_crew_place_ *place = &c->place[i];
	struct ilk_pool_row_ *row = row_of(c, i);
	ilk_time now = ilk_now();
	int found = see_off(c, row, signal);
	uint64_t done = ilk_load_relaxed_(&row->done) + ilk_load_relaxed_(&row->failed);

	memset(&c->child[i], 0, sizeof c->child[i]);
	give_back(c, i);
	place->not_before = 0;
	if (is_for_nothing(c)) {
		place->not_before = ILK_FOREVER;
	} else if (found < 0 || (code != 0 && found == 0 && done == place->done_before &&
					now - place->begun < AT_ONCE)) {
		place->not_before = now + ((ilk_time)FIRST_DELAY << place->failures);
		place->failures += place->failures < MOST_DOUBLINGS;
	} else {
		place->failures = 0;
	}
}
