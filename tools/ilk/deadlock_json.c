/* deadlock_json.c - ilk deadlock for programs; docs/man/ilk-deadlock.1 has the schema. */
#include "ilk/deadlock.h"
#include "ilk/json.h"
#include <stdlib.h>

struct printing {
	struct json j;
	const struct deadlock *d;
};

static void put_ns(struct printing *p, const char *key, size_t look, ilk_time when)
{
	int64_t ns = deadlock_since(p->d, look, when);

	if (ns < 0)
		json_null(&p->j, key);
	else
		json_integer(&p->j, key, ns);
}

static void put_place(struct printing *p, size_t object)
{
	const struct graph_object *o = &p->d->g.objects[object];

	json_string(&p->j, "segment", p->d->looks[o->look].name);
	json_string(&p->j, "object", o->info->name);
	json_string(&p->j, "type", o->info->type);
}

static void put_holding(struct printing *p, const struct graph_row *row)
{
	json_open(&p->j, NULL, '{');
	put_place(p, row->object);
	json_string(&p->j, "how", row->info->how);
	json_integer(&p->j, "count", row->info->count);
	put_ns(p, "held_at_least_ns", p->d->g.objects[row->object].look, row->info->since);
	json_close(&p->j);
}

static void put_number(struct json *j, const char *key, int32_t number)
{
	if (number)
		json_integer(j, key, number);
	else
		json_null(j, key);
}

static void put_identity(struct printing *p, const struct graph_node *n)
{
	const struct ilk_inspection *in = p->d->looks[n->look].in;
	const struct ilk_process_info *process =
		n->process == ILK_NO_INDEX ? NULL : &in->processes[n->process];
	const struct ilk_thread_info *thread =
		n->thread == ILK_NO_INDEX ? NULL : &in->threads[n->thread];

	json_string(&p->j, "name", thread ? thread->name : process ? process->name : NULL);
	put_number(&p->j, "pid", process ? process->pid : 0);
	put_number(&p->j, "tid", thread ? thread->tid : 0);
}

static void put_node(struct printing *p, size_t node)
{
	const struct graph *g = &p->d->g;
	const struct graph_node *n = &g->nodes[node];

	json_open(&p->j, NULL, '{');
	put_identity(p, n);
	json_string(&p->j, "state", deadlock_state(p->d, node));
	if (n->object == GRAPH_NONE) {
		json_null(&p->j, "wants");
	} else {
		json_open(&p->j, "wants", '{');
		put_place(p, n->object);
		put_ns(p, "waits_ns", n->look, n->since);
		json_close(&p->j);
	}
	json_open(&p->j, "holds", '[');
	for (size_t h = g->held_at[node]; h < g->held_at[node + 1]; h++)
		put_holding(p, &g->rows[g->held[h]]);
	json_close(&p->j);
	json_close(&p->j);
}

static void put_behind(const struct graph *g, size_t node, void *arg)
{
	(void)g;
	put_node(arg, node);
}

static void put_cycle(struct printing *p, size_t cycle, size_t *nodes)
{
	const struct graph *g = &p->d->g;
	size_t count = deadlock_members(p->d, cycle, nodes);

	json_open(&p->j, NULL, '{');
	json_open(&p->j, "members", '[');
	for (size_t i = 0; i < count; i++)
		put_node(p, nodes[i]);
	json_close(&p->j);
	json_open(&p->j, "behind", '[');
	for (size_t i = 0; i < g->node_count; i++)
		if (g->nodes[i].is_stuck && g->nodes[i].cycle == GRAPH_NONE &&
			g->nodes[i].behind == cycle && g->nodes[i].object != GRAPH_NONE)
			put_node(p, i);
	json_close(&p->j);
	json_close(&p->j);
}

static void put_root(struct printing *p, size_t node)
{
	json_open(&p->j, NULL, '{');
	json_bool(&p->j, "wrong", deadlock_is_blocker(p->d, node));
	json_open(&p->j, "holder", '[');
	put_node(p, node);
	json_close(&p->j);
	json_open(&p->j, "behind", '[');
	graph_each_behind(&p->d->g, node, put_behind, p);
	json_close(&p->j);
	json_close(&p->j);
}

static void put_order(struct printing *p, const struct ilk_order_info *o, size_t look)
{
	json_open(&p->j, NULL, '{');
	json_string(&p->j, "first", o->first_name);
	json_string(&p->j, "then", o->then_name);
	json_string(&p->j, "name", o->tid ? o->thread_name : NULL);
	put_number(&p->j, "pid", o->pid);
	put_number(&p->j, "tid", o->tid);
	json_bool(&p->j, "others", o->others);
	json_integer(&p->j, "count", (int64_t)o->count);
	put_ns(p, "first_seen_ns", look, o->first_seen);
	json_close(&p->j);
}

static void put_inversions(struct printing *p)
{
	json_open(&p->j, "inversions", '[');
	for (size_t i = 0; i < p->d->inversions.count; i++) {
		const struct inversion *v = &p->d->inversions.all[i];

		json_open(&p->j, NULL, '{');
		json_string(&p->j, "segment", p->d->looks[v->look].name);
		json_bool(&p->j, "needs_writer", v->needs_writer);
		json_open(&p->j, "orders", '[');
		for (size_t k = 0; k < v->count; k++)
			put_order(p, v->orders[k], v->look);
		json_close(&p->j);
		json_close(&p->j);
	}
	json_close(&p->j);
}

static void put_segments(struct printing *p)
{
	json_open(&p->j, "segments", '[');
	for (size_t i = 0; i < p->d->count; i++) {
		const struct ilk_inspection *in = p->d->looks[i].in;

		json_open(&p->j, NULL, '{');
		json_string(&p->j, "name", p->d->looks[i].name);
		json_bool(&p->j, "liveness_known", in->liveness != ILK_LIFE_UNKNOWN);
		json_bool(&p->j, "order", in->order);
		json_close(&p->j);
	}
	json_close(&p->j);
	json_integer(&p->j, "segments_unreadable", (int64_t)p->d->skipped);
}

void deadlock_print_json(const struct deadlock *d)
{
	size_t *nodes = calloc(d->g.node_count + 1, sizeof *nodes);
	struct printing p = {.d = d};

	json_document(&p.j, stdout, "deadlock", 1);
	put_segments(&p);
	if (d->sample_ms)
		json_integer(&p.j, "sample_ms", d->sample_ms);
	else
		json_null(&p.j, "sample_ms");
	json_open(&p.j, "deadlocks", '[');
	for (size_t i = 0; nodes && i < d->g.cycles; i++)
		put_cycle(&p, i, nodes);
	json_close(&p.j);
	json_open(&p.j, "chains", '[');
	for (size_t i = 0; i < d->g.node_count; i++)
		if (graph_is_root(&d->g, i))
			put_root(&p, i);
	json_close(&p.j);
	if (d->wants_potential)
		put_inversions(&p);
	else
		json_null(&p.j, "inversions");
	json_close(&p.j);
	free(nodes);
}
