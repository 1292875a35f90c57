/* pool_crew.c - the workers of this program: started, resized, stopped. What they do: pool_worker.c,
 * pool_supervise.c. */
#include "os/futex.h"
#include "os/process.h"
#include "segment/error.h"
#include "work/crew.h"
#include "work/waiting.h"
#include <limits.h>
#include <stdlib.h>

static void forget(struct ilk_pool_crew *c)
{
	if (c) {
		free(c->place);
		free(c->child);
		free(c->kept);
	}
	free(c);
}

static struct ilk_pool_crew *make(const struct ilk_pool_view_ *v)
{
	uint32_t most = v->shape.rows < ILK_SPAWN_MOST_ANY ? v->shape.rows : ILK_SPAWN_MOST_ANY;
	struct ilk_pool_crew *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->view = *v;
	c->process = ilk_fork_serial_();
	c->most = most;
	c->place = calloc(most, sizeof *c->place);
	c->child = calloc(most, sizeof *c->child);
	c->kept = calloc(v->shape.rows, sizeof *c->kept);
	if (!c->place || !c->child || !c->kept) {
		forget(c);
		return NULL;
	}
	for (uint32_t i = 0; i < most; i++)
		c->place[i].crew = c;
	return c;
}

static int check(
	const struct ilk_pool_view_ *v, unsigned workers, const struct ilk_pool_start_options *o)
{
	if (o->size != sizeof *o || o->flags & ~(unsigned)ILK_POOL_THREADS)
		return ilk_fail_(-EINVAL, "start options: wrong size, or unknown flags");
	if (workers == 0)
		return ilk_fail_(-EINVAL, "a crew has at least one worker");
	if (workers > v->shape.rows || workers > ILK_SPAWN_MOST_ANY)
		return ilk_fail_(-EUSERS, "the pool has places for %u workers, not %u",
			v->shape.rows, workers);
	return 0;
}

/* Waits until the first workers are started. 0, or why they are not. */
static int await_start(struct ilk_pool_crew *c)
{
	struct ilk_wait_ w = {.segment = NULL};

	while (!ilk_load_acquire_(&c->is_up))
		ilk_wait_on_(&w, &c->is_up, 0, ILK_FOREVER, 0);
	if (c->rc < 0)
		pthread_join(c->supervisor, NULL);
	return c->rc;
}

int ilk_pool_start(struct ilk_pool *pool, unsigned workers,
	const struct ilk_task_function *functions, size_t count,
	const struct ilk_pool_start_options *options, struct ilk_pool_crew **crew)
{
	static const struct ilk_pool_start_options usual = {.size = sizeof usual};
	const struct ilk_pool_view_ *v;
	struct ilk_pool_able_ able = {.past = 0};
	struct ilk_pool_crew *c;
	int rc = ilk_pool_enter_(pool, 0, &v);

	if (rc == 0)
		rc = check(v, workers, options ? options : &usual);
	if (rc == 0)
		rc = ilk_pool_introduce_(pool, functions, count, &able);
	if (rc < 0)
		return rc;
	c = make(v);
	if (!c)
		return -ENOMEM;
	c->options = options ? *options : usual;
	c->functions = functions;
	c->count = count;
	c->able = able;
	c->wanted = workers;
	rc = ilk_helper_start_(&c->supervisor, ilk_crew_supervise_, c);
	if (rc == 0)
		rc = await_start(c);
	if (rc < 0)
		forget(c);
	else
		*crew = c;
	return rc;
}

/* In a child that was forked since? */
static int is_parents(const struct ilk_pool_crew *c)
{
	ilk_registry_lock_(); /* notices it */
	ilk_registry_unlock_();
	return c->process != ilk_fork_serial_();
}

static void ring(struct ilk_pool_crew *c)
{
	ilk_futex_step_and_wake_(&c->bell, 1);
}

int ilk_pool_resize(struct ilk_pool_crew *crew, unsigned workers)
{
	if (is_parents(crew))
		return -ECHILD;
	if (workers == 0 || workers > crew->most)
		return ilk_fail_(-EINVAL, "a crew has 1 to %u workers", crew->most);
	ilk_store_release_(&crew->wanted, workers);
	ring(crew);
	return 0;
}

/* The supervisor would do it, too, but later. */
static void ask_all(struct ilk_pool_crew *c)
{
	int asked = 0;

	if (ilk_here_(c->view.pool) < 0)
		return;
	for (uint32_t i = 0; i < c->most; i++)
		if (ilk_load_acquire_(&c->place[i].is_used)) {
			ilk_crew_ask_(c, i);
			asked++;
		}
	/* The segment may be closed, and another one where it was. */
	if (!asked)
		return;
	ilk_fence_();
	ilk_pool_told_(c->view.pool, ILK_POOL_WORKERS_, INT_MAX);
}

int ilk_pool_stop(struct ilk_pool_crew *crew, ilk_time deadline)
{
	if (is_parents(crew))
		return -ECHILD;
	ilk_store_release_(&crew->wanted, 0u);
	ilk_store_release_(&crew->stop, deadline > 0 ? deadline : 1);
	ask_all(crew);
	ring(crew);
	pthread_join(crew->supervisor, NULL);
	forget(crew);
	return 0;
}
