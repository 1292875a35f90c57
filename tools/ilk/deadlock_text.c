/* deadlock_text.c - ilk deadlock for people. */
#include "ilk/deadlock.h"
#include "ilk/term.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints what could steer a terminal made harmless; lines end outside of FORMAT. */
static void say(const char *format, ...)
{
	char text[4 * DEADLOCK_TEXT], clean[sizeof text];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	fputs(term_clean(clean, sizeof clean, text), stdout);
}

static void say_since(const struct deadlock *d, size_t look, const char *least, ilk_time when)
{
	int64_t ns = deadlock_since(d, look, when);
	char text[TERM_TEXT];

	if (ns >= 0)
		say(" for %s%s", least, term_duration(text, ns));
}

/* --- one who waits --- */

static void say_wants(const struct deadlock *d, size_t node)
{
	const struct graph_node *n = &d->g.nodes[node];
	char what[DEADLOCK_TEXT];

	if (n->object == GRAPH_NONE)
		return;
	say("wants %s (%s)", deadlock_what(d, n->object, what), d->g.objects[n->object].info->type);
	say_since(d, n->look, "", n->since);
}

/* What NODE has that others wait for. How many things. */
static int say_holds(const struct deadlock *d, size_t node)
{
	const struct graph *g = &d->g;
	int said = 0;

	for (size_t h = g->held_at[node]; h < g->held_at[node + 1]; h++) {
		const struct graph_row *row = &g->rows[g->held[h]];
		const struct graph_object *o = &g->objects[row->object];
		int is_awaited = strcmp(row->info->how, "awaited") == 0;
		char what[DEADLOCK_TEXT];

		if (o->waiters == 0 || (o->waiters == 1 && g->waiters[o->first_waiter] == node) ||
			strcmp(row->info->how, "will write") == 0)
			continue;
		say("%s%s %s", said++ ? ", " : "", is_awaited ? "is awaited at" : "holds",
			deadlock_what(d, row->object, what));
		if (strcmp(row->info->how, "held") != 0 && !is_awaited)
			say(" (%s)", row->info->how);
		if (row->info->count > 1)
			say(" (%u)", row->info->count);
		say_since(d, o->look, "at least ", row->info->since);
	}
	return said;
}

static void print_waiting(const struct deadlock *d, size_t node)
{
	char who[DEADLOCK_TEXT];

	say("    %s ", deadlock_who(d, node, who));
	say_wants(d, node);
	putchar('\n');
}

static void print_behind(const struct graph *g, size_t node, void *arg)
{
	(void)g;
	print_waiting(arg, node);
}

/* --- cycles --- */

static void print_member(const struct deadlock *d, size_t node)
{
	char who[DEADLOCK_TEXT];

	say("  %s ", deadlock_who(d, node, who));
	if (say_holds(d, node) && d->g.nodes[node].object != GRAPH_NONE)
		say(", and ");
	say_wants(d, node);
	putchar('\n');
}

/* Of NODES the one that waited last: it has closed the circle. */
static void print_advice(const struct deadlock *d, const size_t *nodes, size_t count)
{
	size_t last = GRAPH_NONE;

	for (size_t i = 0; i < count; i++) {
		const struct graph_node *n = &d->g.nodes[nodes[i]];

		if (n->kind == GRAPH_THREAD && n->process != ILK_NO_INDEX &&
			(last == GRAPH_NONE || n->since > d->g.nodes[last].since))
			last = nodes[i];
	}
	if (last == GRAPH_NONE)
		return;
	printf("  to end it, kill one of them: `kill -9 %d` takes the one that waited last; who\n"
	       "  gets what it held is told ILK_RECOVERED\n",
		d->looks[d->g.nodes[last].look].in->processes[d->g.nodes[last].process].pid);
}

static void print_cycle(const struct deadlock *d, size_t cycle, size_t *nodes)
{
	size_t count = deadlock_members(d, cycle, nodes), behind = 0;

	term_print(stdout, TERM_BAD, "deadlock: ");
	printf(count == 1 ? "a thread waits for itself\n" : "%zu wait for each other\n", count);
	for (size_t i = 0; i < count; i++)
		print_member(d, nodes[i]);
	for (size_t i = 0; i < d->g.node_count; i++) {
		const struct graph_node *n = &d->g.nodes[i];

		if (!n->is_stuck || n->cycle != GRAPH_NONE || n->behind != cycle ||
			n->object == GRAPH_NONE)
			continue;
		if (behind++ == 0)
			printf("  stuck behind:\n");
		print_waiting(d, i);
	}
	print_advice(d, nodes, count);
}

/* --- chains --- */

static void print_next(const struct deadlock *d, size_t node)
{
	const struct graph_node *n = &d->g.nodes[node];
	const char *state = deadlock_state(d, node);
	const struct ilk_process_info *p =
		n->process == ILK_NO_INDEX ? NULL : &d->looks[n->look].in->processes[n->process];

	if (!p || p->life == ILK_LIFE_UNKNOWN)
		return;
	if (p->life == ILK_LIFE_DEAD)
		printf("  who waits takes it over as soon as it looks: are those stopped? "
		       "`ilk show`\n");
	else if (p->dumping)
		printf("  it dies when that is done, and who waits then gets what it held\n");
	else if (deadlock_is_blocker(d, node))
		printf("  `kill -CONT %d` lets it go on, `kill -9 %d` lets the others\n", p->pid,
			p->pid);
	else if (strncmp(state, "waiting", 7) != 0)
		printf("  what it does: `gdb -p %d -batch -ex 'thread apply all backtrace'`\n",
			p->pid);
}

static void print_root(const struct deadlock *d, size_t node)
{
	int is_bad = deadlock_is_blocker(d, node);
	char who[DEADLOCK_TEXT];

	term_print(stdout, is_bad ? TERM_BAD : TERM_BOLD, is_bad ? "blocked: " : "busy: ");
	say("%s, %s, ", deadlock_who(d, node, who), deadlock_state(d, node));
	say_holds(d, node);
	if (d->g.nodes[node].object != GRAPH_NONE) {
		say(", and ");
		say_wants(d, node);
	}
	printf("; behind it:\n");
	graph_each_behind(&d->g, node, print_behind, (void *)(uintptr_t)d);
	print_next(d, node);
}

/* --- inversions --- */

static void print_order(const struct deadlock *d, const struct ilk_order_info *o, size_t look)
{
	const char *segment = d->count > 1 ? d->looks[look].name : "";
	const char *slash = d->count > 1 ? "/" : "";
	char ago[TERM_TEXT];
	int64_t ns = deadlock_since(d, look, o->first_seen);

	say("  %s%s%s, then %s%s%s: ", segment, slash, o->first_name, segment, slash, o->then_name);
	if (o->tid)
		say("%s (pid %d, thread %d)%s", o->thread_name, o->pid, o->tid,
			o->others ? " and others" : "");
	else
		say("by whom is not known");
	if (ns >= 0)
		say(", first %s ago", term_duration(ago, ns));
	say(", %llu time%s", (unsigned long long)o->count, o->count == 1 ? "" : "s");
	putchar('\n');
}

static void print_inversion(const struct deadlock *d, const struct inversion *v)
{
	term_print(stdout, TERM_WARN, "inversion: ");
	printf("%zu locks, each asked for under another%s\n", v->count,
		v->needs_writer ? "; it hangs only if a writer comes in between" : "");
	for (size_t i = 0; i < v->count; i++)
		print_order(d, v->orders[i], v->look);
}

static void print_potential(const struct deadlock *d)
{
	size_t keeping = 0;

	for (size_t i = 0; i < d->count; i++) {
		keeping += (size_t)d->looks[i].in->order;
		if (d->looks[i].in->orders_lost)
			printf("note: %s had no room for %llu orders\n", d->looks[i].name,
				(unsigned long long)d->looks[i].in->orders_lost);
	}
	for (size_t i = 0; i < d->inversions.count; i++)
		print_inversion(d, &d->inversions.all[i]);
	if (keeping == 0)
		printf("no lock-order history: no segment here was made with it (`ilk create "
		       "--order`)\n");
	else if (d->inversions.count == 0)
		printf("no inversion in the history of %zu segment%s\n", keeping,
			keeping == 1 ? "" : "s");
}

/* --- all of it --- */

static void print_summary(const struct deadlock *d)
{
	size_t waiting = 0, copies = 0;

	for (size_t i = 0; i < d->g.node_count; i++)
		waiting += d->g.nodes[i].object != GRAPH_NONE;
	for (size_t i = 0; i < d->count; i++)
		copies += d->looks[i].in->liveness == ILK_LIFE_UNKNOWN;
	if (d->g.cycles == 0)
		printf("no deadlock: ");
	printf("%zu wait%s in %zu segment%s", waiting, waiting == 1 ? "s" : "", d->count,
		d->count == 1 ? "" : "s");
	if (d->sample_ms)
		printf(", the same in two looks %lld ms apart", (long long)d->sample_ms);
	if (copies)
		printf("; of copies there is one look, and who lives is unknown");
	if (d->skipped)
		printf("; %zu could not be read", d->skipped);
	putchar('\n');
}

void deadlock_print_text(const struct deadlock *d)
{
	size_t *nodes = calloc(d->g.node_count + 1, sizeof *nodes);

	for (size_t i = 0; nodes && i < d->g.cycles; i++)
		print_cycle(d, i, nodes);
	for (size_t i = 0; i < d->g.node_count; i++)
		if (graph_is_root(&d->g, i))
			print_root(d, i);
	if (d->wants_potential)
		print_potential(d);
	print_summary(d);
	free(nodes);
}
