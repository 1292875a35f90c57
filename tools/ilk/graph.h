/*
 * graph.h - who waits for whom, over one or several segments.
 *
 * Nodes are threads, known by process and thread id, so that one that is in two segments is one
 * node; and processes, where permits are theirs as such. A thread waits for an object, and an
 * object has holders: struct ilk_holder_info. What a wait needs to go on:
 *
 *	mutex, rwlock, once, snapshot	each holder lets go: one that is stuck is enough to be stuck.
 *					Readers count where a writer keeps others out
 *	barrier				each missing member arrives: the same
 *	permits				some holder gives back: stuck if all are, and none is free
 *	all others			anybody's call: nobody can be known to be stuck
 *
 * Two looks, so that what is found was so at one moment. Only waits count that are the same in both,
 * and holders are those of the first: whoever waited from before the first look until the second
 * ran none of its instructions in between, so all that it held then it held all the time.
 */
#ifndef ILK_TOOLS_GRAPH_H
#define ILK_TOOLS_GRAPH_H

#include <ilk/inspect.h>
#include <stddef.h>

/* A segment: looked at once, and, unless it is a copy, a second time. */
struct graph_look {
	char *name;
	struct ilk_inspection *in, *later; /* later NULL: all waits of `in` count */
};

enum graph_kind {
	GRAPH_THREAD,
	GRAPH_PROCESS, /* holds permits as a process */
	GRAPH_GONE,    /* a holder whose slot is another's by now, or nobody's */
};

#define GRAPH_NONE ((size_t)-1)

struct graph_node {
	enum graph_kind kind;
	size_t look;   /* where it waits, else where it was met first */
	int thread;    /* index in that look's threads[]; ILK_NO_INDEX: no thread */
	int process;   /* in its processes[]; ILK_NO_INDEX */
	size_t object; /* what it waits for, index in graph.objects; GRAPH_NONE: nothing */
	ilk_time since;
	int holds_own; /* it holds a part of what it waits for */
	int is_stuck;  /* it will never go on, unless somebody gives up or dies */
	size_t cycle;  /* of the stuck: the number of the cycle it is part of; GRAPH_NONE */
	size_t behind; /* of the others of the stuck: the cycle it waits behind */
	size_t visited, low, stack_next; /* for finding cycles */
};

struct graph_object {
	size_t look;
	const struct ilk_object_info *info;
	size_t first_row, rows;       /* its holders: graph.rows */
	size_t first_waiter, waiters; /* nodes: graph.waiters */
	size_t stuck;                 /* holders that are stuck */
};

struct graph_row {
	const struct ilk_holder_info *info;
	size_t object, node;
};

struct graph {
	const struct graph_look *looks;
	size_t look_count;
	struct graph_node *nodes;
	size_t node_count, node_room;
	struct graph_object *objects;
	size_t object_count;
	struct graph_row *rows; /* in order of their objects */
	size_t row_count;
	size_t *waiters;
	size_t *held; /* rows, in order of their nodes; those of node N from held_at[N] to [N + 1] */
	size_t *held_at;
	size_t cycles;
	/* Private to graph_build.c. */
	size_t *heads, head_count, *next;
};

/* Builds the graph of COUNT looks, which must outlive it. Ends the program without memory. */
void graph_build(struct graph *g, const struct graph_look *looks, size_t count);
void graph_free(struct graph *g);

/* Finds out who is stuck, and the cycles: is_stuck, cycle, behind, g->cycles. */
void graph_solve(struct graph *g);

enum graph_rule {
	GRAPH_ANYBODY, /* may end the wait */
	GRAPH_EACH,    /* holder must let go, */
	GRAPH_SOME,    /* or one of them */
};
enum graph_rule graph_rule_of(const struct graph *g, const struct graph_object *o);

/*
 * Is NODE at the root of what others wait for: it holds what somebody who is not stuck wants, and
 * does not itself wait for any holder?
 */
int graph_is_root(const struct graph *g, size_t node);

/* Calls EACH for all who wait, directly or not, for what NODE holds. How many. */
size_t graph_each_behind(const struct graph *g, size_t node,
	void (*each)(const struct graph *g, size_t node, void *arg), void *arg);

#endif
