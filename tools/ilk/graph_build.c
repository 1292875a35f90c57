/* graph_build.c - the graph's nodes, and who holds and wants what, from two looks. See graph.h. */
#include "ilk/graph.h"
#include "ilk/report.h"
#include <stdlib.h>
#include <string.h>

static void *need(size_t count, size_t size)
{
	void *memory = calloc(count ? count : 1, size);

	if (!memory)
		exit(complain("deadlock", "out of memory"));
	return memory;
}

/* --- nodes --- */

/* What makes two slots the same thread, or process. Of the dead and the unknown: the slot. */
struct key {
	uint64_t space, start;
	int64_t look, slot;
	int32_t pid, tid, kind, pad;
};

static const struct ilk_process_info *process_at(const struct graph *g, const struct graph_node *n)
{
	return n->process == ILK_NO_INDEX ? NULL : &g->looks[n->look].in->processes[n->process];
}

static struct key key_of(const struct graph *g, const struct graph_node *n)
{
	const struct ilk_process_info *p = process_at(g, n);
	const struct ilk_thread_info *t =
		n->thread == ILK_NO_INDEX ? NULL : &g->looks[n->look].in->threads[n->thread];
	struct key key;

	memset(&key, 0, sizeof key);
	key.kind = (int32_t)n->kind;
	key.tid = t ? t->tid : 0;
	if (p && p->life != ILK_LIFE_DEAD && p->pid_space && p->start_time) {
		key.space = p->pid_space;
		key.start = p->start_time;
		key.pid = p->pid;
	} else {
		key.look = (int64_t)n->look + 1;
		key.slot = t ? t->slot : p ? p->slot : ILK_NO_INDEX;
	}
	return key;
}

static size_t *head_of(const struct graph *g, const struct key *key)
{
	const unsigned char *bytes = (const unsigned char *)key;
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < sizeof *key; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return &g->heads[hash % g->head_count];
}

/* The node like WANTED, which is added if there is none. */
static size_t node_like(struct graph *g, struct graph_node wanted)
{
	struct key key = key_of(g, &wanted);
	size_t *head = head_of(g, &key);

	for (size_t i = *head; i; i = g->next[i - 1]) {
		struct key other = key_of(g, &g->nodes[i - 1]);

		if (memcmp(&other, &key, sizeof key) == 0)
			return i - 1;
	}
	wanted.object = wanted.cycle = wanted.behind = GRAPH_NONE;
	g->nodes[g->node_count] = wanted;
	g->next[g->node_count] = *head;
	*head = g->node_count + 1;
	return g->node_count++;
}

static size_t thread_node(struct graph *g, size_t look, int thread)
{
	return node_like(g, (struct graph_node){.kind = GRAPH_THREAD,
				    .look = look,
				    .thread = thread,
				    .process = g->looks[look].in->threads[thread].process});
}

static size_t holder_node(struct graph *g, size_t look, const struct ilk_holder_info *h)
{
	enum graph_kind kind = h->process == ILK_NO_INDEX ? GRAPH_GONE : GRAPH_PROCESS;

	if (h->thread != ILK_NO_INDEX)
		return thread_node(g, look, h->thread);
	return node_like(g,
		(struct graph_node){
			.kind = kind, .look = look, .thread = ILK_NO_INDEX, .process = h->process});
}

/* --- waits --- */

/* Is the wait of thread T of IN the same in LATER? *FROM is where to look for its slot. */
static int still_waits(const struct ilk_inspection *in, const struct ilk_thread_info *t,
	const struct ilk_inspection *later, size_t *from)
{
	const struct ilk_object_info *a = &in->objects[t->waits_for], *b;
	const struct ilk_thread_info *u;

	/* Both are in order of their slots. */
	while (*from < later->thread_count && later->threads[*from].slot < t->slot)
		++*from;
	if (*from == later->thread_count)
		return 0;
	u = &later->threads[*from];
	if (u->slot != t->slot || u->tid != t->tid || u->joined != t->joined ||
		u->wait_since != t->wait_since || u->waits_for == ILK_NO_INDEX)
		return 0;
	b = &later->objects[u->waits_for];
	return a->offset == b->offset && strcmp(a->type, b->type) == 0;
}

static void add_waits(struct graph *g, size_t look, size_t first_object)
{
	const struct ilk_inspection *in = g->looks[look].in, *later = g->looks[look].later;
	size_t from = 0;

	for (size_t i = 0; i < in->thread_count; i++) {
		const struct ilk_thread_info *t = &in->threads[i];
		struct graph_node *n = &g->nodes[thread_node(g, look, (int)i)];

		if (t->waits_for == ILK_NO_INDEX || t->life == ILK_LIFE_DEAD ||
			(later && !still_waits(in, t, later, &from)))
			continue;
		n->look = look;
		n->thread = (int)i;
		n->process = t->process;
		n->object = first_object + (size_t)t->waits_for;
		n->since = t->wait_since;
	}
}

/* --- objects and holders --- */

static void add_look(struct graph *g, size_t look)
{
	const struct ilk_inspection *in = g->looks[look].in;
	size_t first = g->object_count, row = 0;

	for (size_t i = 0; i < in->object_count; i++) {
		struct graph_object *o = &g->objects[g->object_count++];

		*o = (struct graph_object){
			.look = look, .info = &in->objects[i], .first_row = g->row_count};
		for (; row < in->holder_count && in->holders[row].object == (int)i; row++)
			g->rows[g->row_count++] = (struct graph_row){.info = &in->holders[row],
				.object = first + i,
				.node = holder_node(g, look, &in->holders[row])};
		o->rows = g->row_count - o->first_row;
	}
	add_waits(g, look, first);
}

static void sort_waiters(struct graph *g)
{
	size_t at = 0;

	g->waiters = need(g->node_count, sizeof *g->waiters);
	for (size_t i = 0; i < g->node_count; i++)
		if (g->nodes[i].object != GRAPH_NONE)
			g->objects[g->nodes[i].object].waiters++;
	for (size_t i = 0; i < g->object_count; i++) {
		g->objects[i].first_waiter = at;
		at += g->objects[i].waiters;
		g->objects[i].waiters = 0;
	}
	for (size_t i = 0; i < g->node_count; i++) {
		struct graph_object *o;

		if (g->nodes[i].object == GRAPH_NONE)
			continue;
		o = &g->objects[g->nodes[i].object];
		g->waiters[o->first_waiter + o->waiters++] = i;
	}
}

static void sort_held(struct graph *g)
{
	g->held = need(g->row_count, sizeof *g->held);
	g->held_at = need(g->node_count + 2, sizeof *g->held_at);
	for (size_t r = 0; r < g->row_count; r++) {
		struct graph_node *n = &g->nodes[g->rows[r].node];

		g->held_at[g->rows[r].node + 2]++;
		n->holds_own |= n->object == g->rows[r].object;
	}
	for (size_t i = 2; i < g->node_count + 2; i++)
		g->held_at[i] += g->held_at[i - 1];
	/* held_at[n + 1] moves from the begin of node n's to their end, which is the next one's begin. */
	for (size_t r = 0; r < g->row_count; r++)
		g->held[g->held_at[g->rows[r].node + 1]++] = r;
}

void graph_build(struct graph *g, const struct graph_look *looks, size_t count)
{
	size_t objects = 0, rows = 0, nodes = 0;

	*g = (struct graph){.looks = looks, .look_count = count};
	for (size_t i = 0; i < count; i++) {
		objects += looks[i].in->object_count;
		rows += looks[i].in->holder_count;
		nodes += looks[i].in->thread_count + looks[i].in->holder_count;
	}
	g->nodes = need(nodes, sizeof *g->nodes);
	g->next = need(nodes, sizeof *g->next);
	g->head_count = nodes + 1;
	g->heads = need(g->head_count, sizeof *g->heads);
	g->objects = need(objects, sizeof *g->objects);
	g->rows = need(rows, sizeof *g->rows);
	for (size_t i = 0; i < count; i++)
		add_look(g, i);
	sort_waiters(g);
	sort_held(g);
}

void graph_free(struct graph *g)
{
	free(g->nodes);
	free(g->next);
	free(g->heads);
	free(g->objects);
	free(g->rows);
	free(g->waiters);
	free(g->held);
	free(g->held_at);
}
