/*
 * pool_supervise.c - the supervisor of a crew: a thread that starts workers, sees them end, and starts
 * others in their place. Its process's other threads only say what they want, and ring.
 *
 * It is inside the segment (wait.h) for all its life: who closes that waits until it has killed its
 * workers. It waits for their ends, and looks every 20 ms whether anything else is wanted; for the
 * children of a dead supervisor the kernel cares.
 */
#include "os/futex.h"
#include "os/process.h"
#include "work/crew.h"
#include "work/waiting.h"
#include <limits.h>

enum { TICK = 20 * 1000 * 1000 };

static int is_threads(const struct ilk_pool_crew *c)
{
	return (c->options.flags & ILK_POOL_THREADS) != 0;
}

static int is_for_nothing(const struct ilk_pool_crew *c)
{
	return ilk_is_closing_(c->segment) ||
	       ilk_load_acquire_(&c->view.pool->state) & ILK_POOL_REMOVED_;
}

/* Starts those that are missing, and asks those that are too many. 0; -E... of a start. */
static int fill(struct ilk_pool_crew *c)
{
	uint32_t wanted = is_for_nothing(c) ? 0 : ilk_load_acquire_(&c->wanted);
	ilk_time now = ilk_now();
	int rc = 0, asked = 0;

	for (uint32_t i = 0; i < c->most; i++) {
		struct ilk_crew_place_ *place = &c->place[i];

		if (place->is_used && i >= wanted) {
			ilk_crew_ask_(c, i);
			asked++;
		} else if (!place->is_used && i < wanted && now >= place->not_before) {
			int started = ilk_crew_start_(c, i);

			rc = rc ? rc : started;
			place->not_before = started < 0 ? now + TICK : 0;
		} else if (i >= wanted) {
			place->not_before = 0;
		}
	}
	if (asked) {
		ilk_fence_();
		ilk_pool_told_(c->view.pool, ILK_POOL_WORKERS_, INT_MAX);
	}
	return rc;
}

static uint32_t count_used(const struct ilk_pool_crew *c)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < c->most; i++)
		used += c->place[i].is_used;
	return used;
}

/* --- waiting --- */

static void sleep_on_bell(struct ilk_pool_crew *c, uint32_t bell, ilk_time until)
{
	struct ilk_wait_ w = {.segment = NULL};

	ilk_wait_on_(&w, &c->bell, bell, until, 0);
}

static int see_threads_off(struct ilk_pool_crew *c)
{
	int any = 0;

	for (uint32_t i = 0; i < c->most; i++) {
		struct ilk_crew_place_ *place = &c->place[i];

		if (!place->is_used || !ilk_load_acquire_(&place->ended))
			continue;
		pthread_join(place->thread, NULL);
		ilk_crew_ended_(c, i, place->code, 0);
		any = 1;
	}
	return any;
}

static void wait_for_threads(struct ilk_pool_crew *c, ilk_time until)
{
	uint32_t bell = ilk_load_acquire_(&c->bell);

	if (!see_threads_off(c))
		sleep_on_bell(c, bell, until);
}

static void wait_for_children(struct ilk_pool_crew *c, ilk_time until)
{
	uint32_t bell = ilk_load_acquire_(&c->bell);
	struct ilk_end end;
	unsigned which = c->most;
	int rc = count_used(c) ? ilk_spawn_join_any(c->child, c->most, &which, &end, until)
			       : -ECHILD;

	/* How it ended is not known where the program reaps, or closes, what is not its own. */
	if (rc == 0)
		ilk_crew_ended_(c, which, end.code, end.signal);
	else if (rc != -ETIMEDOUT && which < c->most && c->place[which].is_used)
		ilk_crew_ended_(c, which, -1, 0);
	else if (rc != -ETIMEDOUT)
		sleep_on_bell(c, bell, until);
}

/* --- its life --- */

static void look_at_all(struct ilk_pool_crew *c)
{
	for (uint32_t i = 0; i < c->most; i++)
		if (c->place[i].is_used)
			ilk_crew_look_(c, i);
}

static void kill_all(struct ilk_pool_crew *c)
{
	struct ilk_end end = {.code = -1};

	for (uint32_t i = 0; i < c->most && !is_threads(c); i++)
		if (c->place[i].is_used) {
			ilk_spawn_terminate(&c->child[i], &end, ILK_NOW);
			ilk_crew_ended_(c, i, end.code, end.signal);
		}
}

static int is_out_of_patience(const struct ilk_pool_crew *c)
{
	ilk_time stop = ilk_load_acquire_(&c->stop);

	return ilk_is_closing_(c->segment) || (stop && ilk_now() >= stop);
}

/* Threads are not killed: their end is waited for beyond the stop, too. */
static ilk_time next_look(const struct ilk_pool_crew *c)
{
	ilk_time now = ilk_now(), tick = now + TICK, stop = ilk_load_acquire_(&c->stop);

	return stop > now && stop < tick ? stop : tick;
}

static int is_over(const struct ilk_pool_crew *c)
{
	return (ilk_load_acquire_(&c->stop) || ilk_is_closing_(c->segment)) && !count_used(c);
}

static void say_up(struct ilk_pool_crew *c, int rc)
{
	c->rc = rc;
	if (rc < 0) {
		/* First: those that are killed are not to be replaced. */
		ilk_store_release_(&c->wanted, 0u);
		ilk_store_release_(&c->stop, (ilk_time)1);
	}
	ilk_store_release_(&c->is_up, 1u);
	ilk_futex_wake_(&c->is_up, 1);
}

static void supervise(struct ilk_pool_crew *c)
{
	c->me = ilk_thread_.owner;
	ilk_helper_mask_(&c->mask);
	say_up(c, fill(c));
	while (!is_over(c)) {
		if (is_out_of_patience(c))
			kill_all(c);
		fill(c);
		if (is_threads(c)) {
			wait_for_threads(c, next_look(c));
		} else {
			look_at_all(c);
			wait_for_children(c, next_look(c));
		}
	}
}

void *ilk_crew_supervise_(void *crew)
{
	struct ilk_pool_crew *c = crew;
	struct ilk_segment *seg;
	int rc = ilk_here_(c->view.pool);

	if (rc == 0)
		rc = ilk_inside_begin_(ilk_thread_.segment);
	if (rc < 0) {
		say_up(c, rc);
		return NULL;
	}
	seg = c->segment = ilk_thread_.segment;
	ilk_hold_(); /* the rows it reserves */
	supervise(c);
	ilk_let_go_();
	ilk_inside_end_(seg);
	return NULL;
}
