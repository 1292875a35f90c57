/* pool_any.c - several futures at once: the first that is over, and how many are. */
#include "work/future.h"
#include "work/waiting.h"

struct choosing {
	struct ilk_pool_wait_ wait;
	const struct ilk_future *futures;
	size_t count, which;
	struct ilk_pool_serving_ *serving;
	struct ilk_pool_taken_ taken; /* one is queued, and the calling thread is to run it */
};

/* Is F over? 1; 0; 0 also: it was got; -ESTALE. *FOUND is F, where it has a cell. */
static int is_over(const struct ilk_future *f, struct ilk_found_task_ *found)
{
	int rc;

	found->cell = NULL;
	if (!f->pool)
		return 0;
	rc = ilk_future_find_(f, found);
	if (rc < 0)
		return rc;
	return rc == ILK_FUTURE_IS_HERE_ || ilk_task_is_over_(found->word);
}

static int one_or_none(struct ilk_pool_wait_ *wait)
{
	struct choosing *c = (struct choosing *)(void *)wait;
	struct ilk_found_task_ found;

	if (wait->deep)
		ilk_pool_sweep_if_due_(wait->view, ilk_now());
	for (c->which = 0; c->which < c->count; c->which++) {
		int rc = is_over(&c->futures[c->which], &found);

		if (rc != 0)
			return rc;
	}
	for (size_t i = 0; c->serving && i < c->count; i++)
		if (is_over(&c->futures[i], &found) == 0 && found.cell &&
			ilk_task_state_(found.word) == ILK_TASK_QUEUED_ &&
			ilk_pool_take_cell_(wait->view, &c->serving->able, found.cell, found.word,
				&c->taken) == ILK_POOL_GOT_)
			return ILK_POOL_GOT_;
	return ILK_POOL_NONE_;
}

/* Inside. 0: WHICH is over; -E... */
static int choose(struct choosing *c, ilk_time deadline)
{
	int rc;

	do {
		c->taken.cell = NULL;
		rc = ilk_pool_wait_for_(&c->wait, deadline);
		if (rc < 0 || !c->taken.cell)
			return rc < 0 ? rc : 0;
		rc = ilk_pool_run_(c->serving, &c->taken);
	} while (rc == 0);
	return rc;
}

/* The pool of all futures that were not got. 0; -ENOENT, -EINVAL. */
static int pool_of(const struct ilk_future *futures, size_t count, struct ilk_pool **pool)
{
	*pool = NULL;
	for (size_t i = 0; i < count; i++) {
		if (*pool && futures[i].pool && futures[i].pool != *pool)
			return -EINVAL;
		if (futures[i].pool)
			*pool = futures[i].pool;
	}
	return *pool ? 0 : -ENOENT;
}

int ilk_future_any(struct ilk_future *futures, size_t count, size_t *which, ilk_time deadline)
{
	struct choosing c = {.futures = futures, .count = count};
	const struct ilk_pool_view_ *v;
	struct ilk_pool_view_ view;
	struct ilk_segment *seg;
	struct ilk_pool *pool;
	int rc = pool_of(futures, count, &pool);

	if (rc == 0)
		rc = ilk_pool_enter_(pool, 0, &v);
	if (rc < 0)
		return rc;
	view = *v;
	seg = ilk_thread_.segment;
	rc = ilk_inside_begin_(seg);
	if (rc < 0)
		return rc;
	c.serving = ilk_pool_serving_here_(pool);
	ilk_pool_wait_init_(&c.wait, &view, ILK_POOL_OVER_, one_or_none);
	c.wait.many = 1;
	rc = choose(&c, deadline);
	if (rc == 0 || rc == -ESTALE)
		*which = c.which;
	/* A child that was forked in what was run here is not inside. */
	if (rc != -ECHILD)
		ilk_inside_end_(seg);
	return rc;
}

int ilk_future_count_over(const struct ilk_future *futures, size_t count, size_t *over)
{
	struct ilk_found_task_ found;

	*over = 0;
	for (size_t i = 0; i < count; i++) {
		int rc = futures[i].pool ? is_over(&futures[i], &found) : 1;

		if (rc < 0)
			return rc;
		*over += (size_t)rc;
	}
	return 0;
}
