/*
 * graph.c - who is stuck: the largest set of waiting threads none of which can be let go on by
 * anybody outside of it; and the cycles in it. See graph.h.
 *
 * Cycles: strongly connected components (R. Tarjan, Depth-first search and linear graph algorithms,
 * 1972).
 */
#include "ilk/graph.h"
#include <stdlib.h>
#include <string.h>

enum graph_rule graph_rule_of(const struct graph *g, const struct graph_object *o)
{
	static const char *const each[] = {"mutex", "once", "snapshot", "barrier", "guard"};

	if (strcmp(o->info->type, "permits") == 0)
		return GRAPH_SOME;
	/* Readers alone keep nobody out: who sleeps there is about to wake, or was stopped. */
	if (strcmp(o->info->type, "rwlock") == 0)
		return o->rows && strcmp(g->rows[o->first_row].info->how, "reads") != 0
			       ? GRAPH_EACH
			       : GRAPH_ANYBODY;
	for (size_t i = 0; i < sizeof each / sizeof *each; i++)
		if (strcmp(o->info->type, each[i]) == 0)
			return GRAPH_EACH;
	return GRAPH_ANYBODY;
}

/* --- who is stuck --- */

static void count_stuck_holders(struct graph *g)
{
	for (size_t i = 0; i < g->object_count; i++)
		g->objects[i].stuck = 0;
	for (size_t r = 0; r < g->row_count; r++)
		g->objects[g->rows[r].object].stuck += (size_t)g->nodes[g->rows[r].node].is_stuck;
}

static int is_same_process(
	const struct graph *g, const struct graph_node *a, const struct graph_node *b)
{
	const struct ilk_process_info *p, *q;

	if (a->process == ILK_NO_INDEX || b->process == ILK_NO_INDEX)
		return 0;
	p = &g->looks[a->look].in->processes[a->process];
	q = &g->looks[b->look].in->processes[b->process];
	return p->pid == q->pid && p->pid_space == q->pid_space && p->start_time == q->start_time &&
	       (p == q || (p->life != ILK_LIFE_DEAD && q->life != ILK_LIFE_DEAD));
}

/* A process can give back its permits by any thread of it, also one that is in no segment. */
static int is_process_stuck(const struct graph *g, const struct graph_node *n)
{
	const struct ilk_process_info *p = &g->looks[n->look].in->processes[n->process];
	int stuck = 0;

	for (size_t i = 0; i < g->node_count; i++)
		stuck += g->nodes[i].kind == GRAPH_THREAD && g->nodes[i].is_stuck &&
			 is_same_process(g, &g->nodes[i], n);
	return p->tasks > 0 && stuck >= p->tasks;
}

static int can_be_stuck(const struct graph *g, const struct graph_node *n)
{
	const struct graph_object *o;

	if (n->kind == GRAPH_PROCESS)
		return is_process_stuck(g, n);
	if (n->object == GRAPH_NONE)
		return 0;
	o = &g->objects[n->object];
	switch (graph_rule_of(g, o)) {
	case GRAPH_EACH:
		return o->stuck > (size_t)n->holds_own;
	case GRAPH_SOME:
		return o->rows > 0 && o->stuck == o->rows && o->info->value == 0;
	default:
		return 0;
	}
}

static void find_stuck(struct graph *g)
{
	int changed = 1;

	for (size_t i = 0; i < g->node_count; i++)
		g->nodes[i].is_stuck =
			g->nodes[i].object != GRAPH_NONE || g->nodes[i].kind == GRAPH_PROCESS;
	while (changed) {
		changed = 0;
		count_stuck_holders(g);
		for (size_t i = 0; i < g->node_count; i++) {
			struct graph_node *n = &g->nodes[i];

			if (!n->is_stuck || can_be_stuck(g, n))
				continue;
			n->is_stuck = 0;
			changed = 1;
		}
	}
}

/* --- cycles --- */

struct search {
	struct graph *g;
	size_t count, top; /* top: of the stack of nodes, index + 1 */
	size_t found;      /* a cycle that is waited behind */
};

/* Calls STEP for each that node I needs: of its process any thread, of an object any holder. */
static void each_needed(
	struct search *s, size_t i, void (*step)(struct search *s, size_t i, size_t to))
{
	struct graph *g = s->g;
	const struct graph_node *n = &g->nodes[i];
	const struct graph_object *o;

	for (size_t k = 0; n->kind == GRAPH_PROCESS && k < g->node_count; k++)
		if (g->nodes[k].kind == GRAPH_THREAD && g->nodes[k].is_stuck &&
			is_same_process(g, &g->nodes[k], n))
			step(s, i, k);
	if (n->object == GRAPH_NONE)
		return;
	o = &g->objects[n->object];
	for (size_t r = o->first_row; r < o->first_row + o->rows; r++)
		if (g->rows[r].node != i && g->nodes[g->rows[r].node].is_stuck)
			step(s, i, g->rows[r].node);
}

static void visit(struct search *s, size_t index);

/* A step from node I to one that it needs. */
static void step(struct search *s, size_t i, size_t to)
{
	struct graph_node *n = &s->g->nodes[i], *other = &s->g->nodes[to];

	if (other->visited == 0) {
		visit(s, to);
		if (other->low < n->low)
			n->low = other->low;
	} else if (other->stack_next && other->visited < n->low) {
		n->low = other->visited;
	}
}

/* Alone it is a cycle only if it waits for what it has itself, all of it. */
static int is_alone_in_cycle(const struct graph *g, const struct graph_node *n)
{
	return n->holds_own && g->objects[n->object].rows == 1;
}

static void visit(struct search *s, size_t index)
{
	struct graph_node *n = &s->g->nodes[index];
	size_t members = 0, last = GRAPH_NONE;

	n->visited = n->low = ++s->count;
	/* The end of the stack is one that is no node, since 0 says "not in it". */
	n->stack_next = s->top;
	s->top = index + 1;
	each_needed(s, index, step);
	if (n->low != n->visited)
		return;
	while (last != index) {
		last = s->top - 1;
		s->top = s->g->nodes[last].stack_next;
		s->g->nodes[last].stack_next = 0;
		s->g->nodes[last].cycle = s->g->cycles;
		members++;
	}
	if (members > 1 || is_alone_in_cycle(s->g, n))
		s->g->cycles++;
	else
		n->cycle = GRAPH_NONE;
}

static void find_cycle(struct search *s, size_t node);

static void step_behind(struct search *s, size_t i, size_t to)
{
	(void)i;
	if (s->found == GRAPH_NONE)
		find_cycle(s, to);
}

/* Which cycle NODE, which is stuck, is part of or waits behind: s->found. */
static void find_cycle(struct search *s, size_t node)
{
	struct graph_node *n = &s->g->nodes[node];

	s->found = n->cycle != GRAPH_NONE ? n->cycle : n->behind;
	if (s->found == GRAPH_NONE)
		each_needed(s, node, step_behind);
	if (n->cycle == GRAPH_NONE)
		n->behind = s->found;
}

void graph_solve(struct graph *g)
{
	struct search s = {.g = g, .top = g->node_count + 1};

	find_stuck(g);
	for (size_t i = 0; i < g->node_count; i++)
		if (g->nodes[i].is_stuck && g->nodes[i].visited == 0)
			visit(&s, i);
	for (size_t i = 0; i < g->node_count; i++)
		if (g->nodes[i].is_stuck)
			find_cycle(&s, i);
}

/* --- roots --- */

/* Does somebody hold what NODE waits for, whose letting go it needs? */
static int waits_for_holders(const struct graph *g, const struct graph_node *n)
{
	const struct graph_object *o = n->object == GRAPH_NONE ? NULL : &g->objects[n->object];

	return o && graph_rule_of(g, o) != GRAPH_ANYBODY && o->rows > (size_t)n->holds_own;
}

/* Is what row R says is held wanted by somebody else, who is not stuck? */
static int holds_up(const struct graph *g, size_t r)
{
	const struct graph_object *o = &g->objects[g->rows[r].object];

	if (graph_rule_of(g, o) == GRAPH_ANYBODY)
		return 0;
	for (size_t w = o->first_waiter; w < o->first_waiter + o->waiters; w++)
		if (g->waiters[w] != g->rows[r].node && !g->nodes[g->waiters[w]].is_stuck)
			return 1;
	return 0;
}

int graph_is_root(const struct graph *g, size_t node)
{
	const struct graph_node *n = &g->nodes[node];

	if (n->is_stuck || waits_for_holders(g, n))
		return 0;
	for (size_t h = g->held_at[node]; h < g->held_at[node + 1]; h++)
		if (holds_up(g, g->held[h]))
			return 1;
	return 0;
}

size_t graph_each_behind(const struct graph *g, size_t node,
	void (*each)(const struct graph *g, size_t node, void *arg), void *arg)
{
	unsigned char *seen = calloc(g->node_count, 1);
	size_t *todo = calloc(g->node_count, sizeof *todo), count = 0, at = 0;

	if (!seen || !todo)
		goto done;
	seen[node] = 1;
	todo[count++] = node;
	for (; at < count; at++)
		for (size_t h = g->held_at[todo[at]]; h < g->held_at[todo[at] + 1]; h++) {
			const struct graph_object *o = &g->objects[g->rows[g->held[h]].object];

			if (graph_rule_of(g, o) == GRAPH_ANYBODY)
				continue;
			for (size_t w = o->first_waiter; w < o->first_waiter + o->waiters; w++)
				if (!seen[g->waiters[w]]) {
					seen[g->waiters[w]] = 1;
					todo[count++] = g->waiters[w];
				}
		}
	for (at = 1; at < count; at++)
		each(g, todo[at], arg);
done:
	free(seen);
	free(todo);
	return count ? count - 1 : 0;
}
