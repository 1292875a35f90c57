/* pool_future.c - what comes of a task, for who submitted it. The protocol, and the labels: pool.c. */
#include "work/future.h"
#include "work/waiting.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ilk_pool_free_(const struct ilk_pool_view_ *v, struct ilk_pool_cell_ *cell, uint64_t word)
{
	if (!ilk_cas_full_(&cell->word, &word, ilk_task_freed_(word))) /* [P10] */
		return 0;
	ilk_fence_after_rmw_();
	ilk_pool_told_(v->pool, ILK_POOL_ROOM_, 1);
	return 1;
}

/* --- finding it --- */

int ilk_future_look_(const struct ilk_future *f, struct ilk_found_task_ *found)
{
	uint32_t state;

	found->word = ilk_load_acquire_(&found->cell->word); /* [P4] */
	state = ilk_task_state_(found->word);
	return ilk_task_serial_(found->word) == f->serial && state > ILK_TASK_FILLING_ ? 0
										       : -ESTALE;
}

int ilk_future_find_(const struct ilk_future *f, struct ilk_found_task_ *found)
{
	int rc;

	if (!f->pool)
		return -ESTALE;
	if (f->here)
		return ILK_FUTURE_IS_HERE_;
	rc = ilk_pool_enter_(f->pool, 0, &found->v);
	if (rc < 0)
		return rc;
	if (f->cell > found->v->mask)
		return -EINVAL;
	found->cell = ilk_pool_cell_(found->v, f->cell);
	rc = ilk_future_look_(f, found);
	if (rc == 0 &&
		ilk_load_relaxed_(&found->cell->by) != ilk_pool_my_process_(ilk_thread_.segment))
		rc = -ESTALE;
	return rc;
}

int ilk_future_poll(const struct ilk_future *future)
{
	struct ilk_found_task_ found;
	int rc = ilk_future_find_(future, &found);

	return rc ? rc : ilk_task_is_over_(found.word);
}

/* --- getting it --- */

static void tell(const struct ilk_found_task_ *found, struct ilk_outcome *out)
{
	uint32_t state = ilk_task_state_(found->word);

	out->runs = ilk_task_runs_(found->word);
	switch (state) {
	case ILK_TASK_FAILED_:
		out->rc = ilk_load_relaxed_(&found->cell->rc);
		out->item = ilk_load_relaxed_(&found->cell->result_bytes);
		memcpy(out->text, ilk_pool_result_(found->v, found->cell), sizeof out->text);
		out->text[sizeof out->text - 1] = '\0';
		break;
	case ILK_TASK_CANCELLED_:
		out->rc = -ECANCELED;
		strcpy(out->text, "cancelled");
		break;
	case ILK_TASK_DIED_:
		out->rc = -EOWNERDEAD;
		out->signal = (int)ilk_task_signal_(found->word);
		if (out->signal)
			snprintf(out->text, sizeof out->text, "its worker was killed by signal %d",
				out->signal);
		else
			strcpy(out->text, "its worker died");
		break;
	default:
		break;
	}
}

/* It is over: its result, or what was instead; and then it is free. As ilk_future_get(). */
static int collect(struct ilk_future *f, const struct ilk_found_task_ *found, void *result,
	size_t room, struct ilk_outcome *out)
{
	int is_done = ilk_task_state_(found->word) == ILK_TASK_DONE_;

	memset(out, 0, sizeof *out);
	if (is_done) {
		out->bytes = ilk_load_relaxed_(&found->cell->result_bytes);
		if (out->bytes > found->v->shape.result_bytes)
			return -EBADMSG;
		if (out->bytes > room)
			return -EMSGSIZE;
		if (out->bytes)
			memcpy(result, ilk_pool_result_(found->v, found->cell), out->bytes);
	}
	tell(found, out);
	if (!ilk_pool_free_(found->v, found->cell, found->word))
		return -ESTALE;
	f->pool = NULL;
	return is_done ? 0 : ILK_TASK_FAILED;
}

static void forget_here(struct ilk_future *f)
{
	free(f->here);
	*f = (struct ilk_future){.pool = NULL};
}

static int collect_here(struct ilk_future *f, void *result, size_t room, struct ilk_outcome *out)
{
	const struct ilk_pool_result_ *here = f->here;
	int rc = here->rc;

	*out = (struct ilk_outcome){.rc = rc, .runs = 1, .bytes = rc ? 0 : here->bytes};
	if (rc)
		memcpy(out->text, here->text, sizeof out->text), out->item = here->item;
	if (out->bytes > room)
		return -EMSGSIZE;
	if (out->bytes)
		memcpy(result, here->data, out->bytes);
	forget_here(f);
	return rc ? ILK_TASK_FAILED : 0;
}

struct getting {
	struct ilk_pool_wait_ wait;
	const struct ilk_future *future;
	struct ilk_found_task_ found;
	struct ilk_pool_serving_ *serving;
	struct ilk_pool_taken_ taken; /* it is queued, and the calling thread is to run it */
};

static int over_or_not(struct ilk_pool_wait_ *wait)
{
	struct getting *g = (struct getting *)(void *)wait;
	struct ilk_found_task_ *found = &g->found;
	int rc = ilk_future_look_(g->future, found);

	if (rc < 0)
		return rc;
	if (ilk_task_is_over_(found->word))
		return ILK_POOL_GOT_;
	if (ilk_task_state_(found->word) == ILK_TASK_QUEUED_)
		return g->serving && ilk_pool_take_cell_(found->v, &g->serving->able, found->cell,
					     found->word, &g->taken) == ILK_POOL_GOT_
			       ? ILK_POOL_GOT_
			       : ILK_POOL_NONE_;
	wait->owner = ilk_task_owner_(found->word);
	if (wait->owner == ilk_thread_.owner)
		return -EDEADLK;
	if (!wait->deep || ilk_owner_life_(ilk_thread_.segment, wait->owner) != ILK_LIFE_DEAD)
		return ILK_POOL_BUSY_;
	ilk_pool_resolve_(found->v, found->cell, found->word);
	rc = ilk_future_look_(g->future, found);
	return rc < 0 ? rc : ilk_task_is_over_(found->word) ? ILK_POOL_GOT_ : ILK_POOL_NONE_;
}

/* Waits, inside, until it is over, running it if need be. GOT; -E... */
static int wait_for(struct getting *g, ilk_time deadline)
{
	int rc;

	do {
		g->taken.cell = NULL;
		rc = ilk_pool_wait_for_(&g->wait, deadline);
		if (rc == ILK_POOL_GOT_ && g->taken.cell) {
			rc = ilk_pool_run_(g->serving, &g->taken);
			if (rc < 0)
				return rc;
			rc = ilk_future_look_(g->future, &g->found);
		}
	} while (rc == 0);
	return rc;
}

static int get_slow(struct ilk_future *f, const struct ilk_found_task_ *found, void *result,
	size_t room, struct ilk_outcome *out, ilk_time deadline)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	struct ilk_pool_view_ view = *found->v;
	struct getting g = {.future = f, .found = *found};
	int rc = ilk_inside_begin_(seg);

	if (rc < 0)
		return rc;
	g.found.v = &view;
	g.serving = ilk_pool_serving_here_(f->pool);
	g.wait = (struct ilk_pool_wait_){
		.view = &view,
		.bell = &found->cell->bell,
		.asleep = &found->cell->asleep,
		.attempt = over_or_not,
		.many = 1,
	};
	rc = wait_for(&g, deadline);
	if (rc == ILK_POOL_GOT_)
		rc = collect(f, &g.found, result, room, out);
	/* A child that was forked in what was run here is not inside. */
	if (rc != -ECHILD)
		ilk_inside_end_(seg);
	return rc;
}

int ilk_future_get(struct ilk_future *future, void *result, size_t room, struct ilk_outcome *out,
	ilk_time deadline)
{
	struct ilk_outcome nobody_asked;
	struct ilk_found_task_ found;
	int rc = ilk_future_find_(future, &found);

	if (rc < 0)
		return rc;
	if (!out)
		out = &nobody_asked;
	if (rc == ILK_FUTURE_IS_HERE_)
		return collect_here(future, result, room, out);
	if (ilk_task_is_over_(found.word))
		return collect(future, &found, result, room, out);
	return get_slow(future, &found, result, room, out, deadline);
}

/* --- not getting it --- */

int ilk_future_cancel(struct ilk_future *future)
{
	struct ilk_found_task_ found;
	int rc = ilk_future_find_(future, &found);

	if (rc != 0)
		return rc < 0 ? rc : -EALREADY;
	if (ilk_task_state_(found.word) == ILK_TASK_QUEUED_ &&
		ilk_cas_full_(&found.cell->word, &found.word,
			ilk_task_with_(found.word, ILK_TASK_CANCELLED_, 0))) {
		ilk_add_relaxed_(&found.v->pool->cancelled, UINT64_C(1));
		ilk_pool_is_over_(found.v->pool, found.cell, 1);
		return 0;
	}
	rc = ilk_future_look_(future, &found);
	return rc < 0 ? rc : ilk_task_is_over_(found.word) ? -EALREADY : -EBUSY;
}

int ilk_future_release(struct ilk_future *future)
{
	struct ilk_found_task_ found;
	int rc = ilk_future_find_(future, &found);

	if (rc == ILK_FUTURE_IS_HERE_)
		forget_here(future);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	/* Who finishes it frees it; who just has, and did not see this, or a death: the next sweep. */
	ilk_or_full_(&found.cell->flags, (uint32_t)ILK_POOL_CELL_UNWANTED_);
	future->pool = NULL;
	found.word = ilk_load_acquire_(&found.cell->word);
	if (ilk_task_is_over_(found.word) && ilk_task_serial_(found.word) == future->serial)
		ilk_pool_free_(found.v, found.cell, found.word);
	return 0;
}
