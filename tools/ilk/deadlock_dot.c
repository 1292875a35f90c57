/* deadlock_dot.c - ilk deadlock for graphviz: threads are boxes, what they want are ellipses. */
#include "ilk/deadlock.h"
#include "ilk/term.h"
#include <stdio.h>
#include <string.h>

static void print_text(const char *text)
{
	char clean[DEADLOCK_TEXT];

	putchar('"');
	for (const char *at = term_clean(clean, sizeof clean, text); *at; at++)
		printf(strchr("\"\\", *at) ? "\\%c" : "%c", *at);
	putchar('"');
}

static void print_node(const struct deadlock *d, size_t node)
{
	const struct graph_node *n = &d->g.nodes[node];
	char who[DEADLOCK_TEXT];

	printf("  n%zu [shape=box, label=", node);
	print_text(deadlock_who(d, node, who));
	printf("%s];\n", n->cycle != GRAPH_NONE         ? ", color=red"
			 : n->is_stuck                  ? ", color=orange"
			 : deadlock_is_blocker(d, node) ? ", color=red, style=dashed"
							: "");
}

static void print_object(const struct deadlock *d, size_t object)
{
	char what[DEADLOCK_TEXT];

	printf("  o%zu [label=", object);
	print_text(deadlock_what(d, object, what));
	printf("];\n");
}

static void print_wait(const struct deadlock *d, size_t node)
{
	const struct graph_node *n = &d->g.nodes[node];
	int64_t ns = deadlock_since(d, n->look, n->since);
	char text[TERM_TEXT];

	printf("  n%zu -> o%zu [label=", node, n->object);
	print_text(ns < 0 ? "" : term_duration(text, ns));
	printf("%s];\n", n->cycle != GRAPH_NONE ? ", color=red" : "");
}

/* Who holds OBJECT, which somebody waits for. */
static void print_holders(const struct deadlock *d, size_t object)
{
	const struct graph_object *o = &d->g.objects[object];

	for (size_t r = o->first_row; r < o->first_row + o->rows; r++) {
		const struct graph_row *row = &d->g.rows[r];

		printf("  o%zu -> n%zu [label=", object, row->node);
		print_text(row->info->how);
		printf("];\n");
	}
}

static int is_shown(const struct deadlock *d, size_t node)
{
	const struct graph *g = &d->g;

	if (g->nodes[node].object != GRAPH_NONE)
		return 1;
	for (size_t h = g->held_at[node]; h < g->held_at[node + 1]; h++)
		if (g->objects[g->rows[g->held[h]].object].waiters)
			return 1;
	return 0;
}

void deadlock_print_dot(const struct deadlock *d)
{
	printf("digraph ilk {\n  rankdir=LR;\n");
	for (size_t i = 0; i < d->g.node_count; i++)
		if (is_shown(d, i))
			print_node(d, i);
	for (size_t i = 0; i < d->g.object_count; i++)
		if (d->g.objects[i].waiters) {
			print_object(d, i);
			print_holders(d, i);
		}
	for (size_t i = 0; i < d->g.node_count; i++)
		if (d->g.nodes[i].object != GRAPH_NONE)
			print_wait(d, i);
	printf("}\n");
}
