/*
 * pool_map.c - one function for many arguments: chunks of them are tasks, as many at a time as the pool
 * has room for, and their results are got in their order.
 */
#include "segment/error.h"
#include "work/tasks.h"
#include <stdlib.h>
#include <string.h>

enum { TASKS_A_WORKER = 4, MOST_AT_A_TIME = 1 << 10, MOST_IN_A_BATCH = 32 };

struct map {
	struct ilk_pool *pool;
	struct ilk_pool_order_ order;
	struct ilk_pool_batch_ batch;
	const char *arguments;
	char *results;
	size_t argument_bytes, result_bytes, count;
	size_t chunk, chunks;
	size_t submitted, got; /* chunks */
	size_t window;
	int is_full;               /* the pool had no room for the next one */
	struct ilk_future *future; /* chunk i's is future[i % window] */
	const struct ilk_pool_map_options *options;
	struct ilk_outcome out;
};

static size_t fit(size_t room, size_t each)
{
	return each ? room / each : SIZE_MAX;
}

/* How many arguments there are in a task. 0: not even one fits. */
static size_t choose_chunk(const struct map *m, const struct ilk_pool_view_ *v)
{
	size_t most = fit(v->shape.argument_bytes, m->argument_bytes), workers = 0, even;
	size_t results = fit(v->shape.result_bytes, m->result_bytes);
	const struct ilk_pool_row_ *row = ilk_pool_rows_(v->pool);

	most = results < most ? results : most;
	most = most < ILK_POOL_MOST_ITEMS_ ? most : ILK_POOL_MOST_ITEMS_;
	if (m->options->chunk)
		return m->options->chunk <= most ? m->options->chunk : 0;
	for (uint32_t i = 0; i < v->shape.rows; i++)
		workers += ilk_load_relaxed_(&row[i].owner) != 0;
	even = m->count / (TASKS_A_WORKER * (workers ? workers : 1));
	even = even ? even : 1;
	return even < most ? even : most;
}

static size_t items_of(const struct map *m, size_t chunk)
{
	size_t first = chunk * m->chunk, left = m->count - first;

	return left < m->chunk ? left : m->chunk;
}

static int submit_next(struct map *m, ilk_time deadline)
{
	size_t items = items_of(m, m->submitted);

	m->order.argument = m->arguments + m->submitted * m->chunk * m->argument_bytes;
	m->order.bytes = items * m->argument_bytes;
	m->order.items = (uint32_t)items;
	return ilk_pool_submit_order_(
		m->pool, &m->order, &m->future[m->submitted % m->window], deadline);
}

/*
 * Submits what there is room for, a few at a time: waits for that only where nothing is to be got. 0;
 * -E... It may be that the pool was closed, and nobody looks for them: then they go with the rest.
 */
static int submit_some(struct map *m, const struct ilk_pool_view_ *v, ilk_time deadline)
{
	int rc = 0, any;

	while (m->submitted < m->chunks && m->submitted - m->got < m->window &&
		m->batch.count < MOST_IN_A_BATCH) {
		rc = submit_next(m, m->submitted == m->got ? deadline : ILK_NOW);
		if (rc < 0)
			break;
		m->submitted++;
	}
	any = m->batch.count != 0;
	ilk_pool_publish_batch_(v, &m->batch);
	if (any && ilk_load_relaxed_(&m->pool->state) & ILK_POOL_CLOSED_)
		return ilk_pool_is_closed_();
	m->is_full = rc == -EAGAIN && m->submitted != m->got;
	return m->is_full ? 0 : rc;
}

static int get_next(struct map *m, ilk_time deadline)
{
	size_t first = m->got * m->chunk, items = items_of(m, m->got);
	int rc = ilk_future_get(&m->future[m->got % m->window],
		m->results + first * m->result_bytes, items * m->result_bytes, &m->out, deadline);

	if (rc < 0)
		return rc;
	m->got++;
	m->out.item += first;
	if (rc == 0 && m->options->progress)
		m->options->progress(first + items, m->count, m->options->arg);
	return rc;
}

/* What was submitted and not got is nobody's. */
static void let_go(struct map *m)
{
	for (; m->got < m->submitted; m->got++) {
		struct ilk_future *f = &m->future[m->got % m->window];

		ilk_future_cancel(f);
		ilk_future_release(f);
	}
}

/* Gets what is there, and at least one: after it, and others, there is room for a batch. */
static int get_some(struct map *m, ilk_time deadline)
{
	int rc = get_next(m, deadline);

	for (int i = 1; rc == 0 && i < MOST_IN_A_BATCH && m->got < m->submitted &&
			ilk_future_poll(&m->future[m->got % m->window]) == 1;
		i++)
		rc = get_next(m, ILK_NOW);
	return rc;
}

static int run(struct map *m, const struct ilk_pool_view_ *v, ilk_time deadline)
{
	int rc = 0;

	while (rc == 0 && m->got < m->chunks) {
		rc = submit_some(m, v, deadline);
		if (rc == 0 && (m->submitted == m->chunks || m->submitted - m->got == m->window ||
				       m->is_full))
			rc = get_some(m, deadline);
	}
	if (rc > 0 && m->options->outcome)
		*m->options->outcome = m->out;
	let_go(m);
	return rc == -EAGAIN ? -ETIMEDOUT : rc;
}

/*
 * The same, inside all the while: who closes the segment waits for its end. Its functions may have used
 * other segments; and a child that they forked is not inside.
 */
static int run_inside(struct map *m, const struct ilk_pool_view_ *v, ilk_time deadline)
{
	struct ilk_segment *seg = ilk_thread_.segment;
	uint32_t owner = ilk_thread_.owner;
	int rc = ilk_inside_begin_(seg);

	if (rc < 0)
		return rc;
	rc = run(m, v, deadline);
	if (rc != -ECHILD && ilk_here_(m->pool) == 0 && ilk_thread_.owner == owner)
		ilk_inside_end_(seg);
	return rc;
}

/* 0; -EMSGSIZE, -ENOMEM. */
static int plan(struct map *m, const struct ilk_pool_view_ *v)
{
	m->chunk = choose_chunk(m, v);
	if (!m->chunk)
		return ilk_fail_(-EMSGSIZE,
			"a task's arguments or results are more than the "
			"pool's: %u and %u bytes",
			v->shape.argument_bytes, v->shape.result_bytes);
	m->chunks = m->count / m->chunk + (m->count % m->chunk != 0);
	m->window = v->mask + 1 < MOST_AT_A_TIME ? v->mask + 1 : MOST_AT_A_TIME;
	m->window = m->window < m->chunks ? m->window : m->chunks;
	m->future = calloc(m->window, sizeof *m->future);
	return m->future ? 0 : -ENOMEM;
}

int ilk_pool_map(struct ilk_pool *pool, const char *function, const void *arguments,
	size_t argument_bytes, size_t count, void *results, size_t result_bytes,
	const struct ilk_pool_map_options *options, ilk_time deadline)
{
	static const struct ilk_pool_map_options usual = {.size = sizeof usual};
	const struct ilk_pool_view_ *v;
	struct ilk_pool_view_ view;
	struct map m = {
		.pool = pool,
		.order = {.function = function, .each_result = (uint32_t)result_bytes},
		.arguments = arguments,
		.results = results,
		.argument_bytes = argument_bytes,
		.result_bytes = result_bytes,
		.count = count,
		.options = options ? options : &usual,
	};
	int rc;

	if (m.options->size != sizeof *options || count == 0)
		return ilk_fail_(-EINVAL, "map: options of the wrong size, or no arguments");
	rc = ilk_pool_enter_(pool, ILK_POOL_CLOSED_, &v);
	if (rc == 0)
		rc = plan(&m, v);
	if (rc == 0) {
		view = *v; /* tasks that run here may use other pools */
		m.order.batch = &m.batch;
		rc = run_inside(&m, &view, deadline);
	}
	free(m.future);
	return rc;
}
