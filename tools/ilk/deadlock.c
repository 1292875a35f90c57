/* deadlock.c - ilk deadlock: who waits for whom in a circle, or for whom all wait. Reads only. */
#include "ilk/deadlock.h"
#include "ilk/command.h"
#include "ilk/findings.h"
#include "ilk/report.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Longer than sleepers go without a look (60 ms): who could go on by then has gone on. */
enum { SAMPLE_MS = 100 };

static int json, dot, potential, file;
static int64_t sample_ms = SAMPLE_MS;

static const struct option_row rows[] = {
	{.name = "potential",
		.letter = 'p',
		.kind = OPTION_FLAG,
		.help = "also look for locks that were taken in both orders, and have not\n"
			"hung yet (segments made with --order keep that history)",
		.target = &potential},
	{.name = "sample",
		.letter = 's',
		.kind = OPTION_NUMBER,
		.value = "MS",
		.low = 1,
		.high = 60000,
		.help = "milliseconds between the two looks; 100 by default",
		.target = &sample_ms},
	{.name = "file",
		.letter = 'f',
		.kind = OPTION_FLAG,
		.help = "each NAME is the path of a file, such as a copy of a segment",
		.target = &file},
	{.name = "dot",
		.kind = OPTION_FLAG,
		.help = "print the graph for graphviz",
		.target = &dot},
	OPTION_JSON(&json),
	OPTION_END,
};

static const struct option_page page = {
	.command = "deadlock",
	.operands = "[NAME...]",
	.max = -1,
	.summary = "find out who waits for whom in a circle, or for whom all wait",
	.details =
		"Looks twice at the segments that are named, or at all of this host: what is told "
		"was\n"
		"the same in both looks. A thread that is in several segments is one. Prints each\n"
		"circle: who holds, who wants, since when, and who else is stuck behind it; and "
		"where\n"
		"there is none, at whose end a chain of waiting is, and what that one does.\n\n"
		"Reads only: no lock is taken, no slot joined, no byte written.\n\n"
		"Exit code 1: there is a deadlock, or one who holds what others wait for is "
		"stopped,\n"
		"dead or dumping core; with --potential also an inversion. Waiting for one who is "
		"at\n"
		"work is 0.\n",
	.rows = rows,
};

/* --- small questions --- */

static const struct ilk_process_info *process_of(const struct deadlock *d, size_t node)
{
	const struct graph_node *n = &d->g.nodes[node];

	return n->process == ILK_NO_INDEX ? NULL : &d->looks[n->look].in->processes[n->process];
}

const char *deadlock_who(const struct deadlock *d, size_t node, char out[DEADLOCK_TEXT])
{
	const struct graph_node *n = &d->g.nodes[node];
	const struct ilk_process_info *p = process_of(d, node);

	if (n->kind == GRAPH_THREAD)
		return findings_thread(d->looks[n->look].in, n->thread, out, DEADLOCK_TEXT);
	if (p)
		snprintf(out, DEADLOCK_TEXT, "%s (pid %d, as a process)", p->name, p->pid);
	else
		snprintf(out, DEADLOCK_TEXT, "one whose slot has passed on");
	return out;
}

const char *deadlock_what(const struct deadlock *d, size_t object, char out[DEADLOCK_TEXT])
{
	const struct graph_object *o = &d->g.objects[object];

	snprintf(out, DEADLOCK_TEXT, "%s%s%s", d->count > 1 ? d->looks[o->look].name : "",
		d->count > 1 ? "/" : "", o->info->name);
	return out;
}

int deadlock_is_blocker(const struct deadlock *d, size_t node)
{
	const struct ilk_process_info *p = process_of(d, node);

	return p && (p->life == ILK_LIFE_DEAD || p->dumping || findings_is_stopped(p));
}

const char *deadlock_state(const struct deadlock *d, size_t node)
{
	const struct graph_node *n = &d->g.nodes[node];
	const struct ilk_process_info *p = process_of(d, node);
	char state = p ? p->run_state : '?';

	if (!p)
		return "unknown";
	if (deadlock_is_blocker(d, node) || p->life == ILK_LIFE_UNKNOWN)
		return findings_state(p);
	if (n->object != GRAPH_NONE)
		return graph_rule_of(&d->g, &d->g.objects[n->object]) == GRAPH_ANYBODY ||
				       d->g.objects[n->object].rows == 0
			       ? "waiting for nobody in particular"
			       : "waiting";
	if (n->kind == GRAPH_THREAD)
		state = d->looks[n->look].in->threads[n->thread].run_state;
	return state == 'R'   ? "running"
	       : state == 'D' ? "asleep in the kernel, uninterruptibly"
	       : state == 'S' ? "asleep, and not in Ilk"
			      : "alive";
}

int64_t deadlock_since(const struct deadlock *d, size_t look, ilk_time when)
{
	const struct ilk_inspection *in = d->looks[look].in;

	if (when <= 0 || in->liveness == ILK_LIFE_UNKNOWN)
		return -1;
	return when < in->taken ? in->taken - when : 0;
}

/* The one of CYCLE that NODE needs and that is not among NODES yet; GRAPH_NONE. */
static size_t next_member(
	const struct graph *g, size_t node, size_t cycle, const size_t *nodes, size_t count)
{
	const struct graph_object *o =
		g->nodes[node].object == GRAPH_NONE ? NULL : &g->objects[g->nodes[node].object];

	for (size_t r = o ? o->first_row : 0; o && r < o->first_row + o->rows; r++) {
		size_t i = 0, to = g->rows[r].node;

		while (i < count && nodes[i] != to)
			i++;
		if (g->nodes[to].cycle == cycle && i == count)
			return to;
	}
	return GRAPH_NONE;
}

size_t deadlock_members(const struct deadlock *d, size_t cycle, size_t *nodes)
{
	const struct graph *g = &d->g;
	size_t count = 0;

	for (size_t i = 0; i < g->node_count; i++) {
		size_t seen = 0, at = i;

		while (seen < count && nodes[seen] != i)
			seen++;
		if (g->nodes[i].cycle != cycle || seen < count)
			continue;
		for (; at != GRAPH_NONE; at = next_member(g, at, cycle, nodes, count))
			nodes[count++] = at;
	}
	return count;
}

/* --- looking --- */

/* A copy of NAME, which is a path if --file says so; in it a '/' tells ilk_inspect. */
static char *copy_name(const char *name)
{
	size_t size = strlen(name) + 3;
	char *copy = malloc(size);

	if (!copy)
		exit(complain(page.command, "out of memory"));
	snprintf(copy, size, "%s%s", file && !strchr(name, '/') ? "./" : "", name);
	return copy;
}

static void add_look(struct deadlock *d, char *name, struct ilk_inspection *in)
{
	d->looks = realloc(d->looks, (d->count + 1) * sizeof *d->looks);
	if (!d->looks)
		exit(complain(page.command, "out of memory"));
	d->looks[d->count++] = (struct graph_look){.name = name, .in = in};
}

/* Of all of the host: what cannot be read is no segment, or another's. */
static int look_if_possible(const char *name, void *arg)
{
	struct deadlock *d = arg;
	struct ilk_inspection *in;
	int rc = ilk_inspect(name, &in);

	if (rc == 0)
		add_look(d, copy_name(name), in);
	else
		d->skipped += rc != -ENOENT;
	return 0;
}

static int look(struct deadlock *d, const char *operand)
{
	struct ilk_inspection *in;
	char *name = copy_name(operand);
	int rc = ilk_inspect(name, &in);

	if (rc == 0) {
		add_look(d, name, in);
		return 0;
	}
	if (rc == -ENOENT && strchr(name, '/'))
		complain(page.command, "there is no file %s; check the path", name);
	else
		complain_of(page.command, name, rc);
	free(name);
	return rc;
}

/* Does anybody live here who could have gone on meanwhile, and is anybody waiting? */
static int is_worth_a_second_look(const struct deadlock *d)
{
	for (size_t i = 0; i < d->count; i++)
		for (size_t t = 0; t < d->looks[i].in->thread_count; t++)
			if (d->looks[i].in->liveness == ILK_LIFE_ALIVE &&
				d->looks[i].in->threads[t].waits_for != ILK_NO_INDEX)
				return 1;
	return 0;
}

static struct ilk_inspection gone;

/* A segment that cannot be read any more has nobody in it who waits there still. */
static void look_again(struct deadlock *d)
{
	const struct timespec pause = {
		.tv_sec = sample_ms / 1000, .tv_nsec = sample_ms % 1000 * 1000000};

	if (!is_worth_a_second_look(d))
		return;
	d->sample_ms = sample_ms;
	nanosleep(&pause, NULL);
	for (size_t i = 0; i < d->count; i++) {
		struct graph_look *l = &d->looks[i];

		if (l->in->liveness != ILK_LIFE_ALIVE)
			continue;
		if (ilk_inspect(l->name, &l->later) < 0) {
			l->later = &gone;
		} else if (l->later->created != l->in->created) {
			ilk_inspection_free(l->later);
			l->later = &gone;
		}
	}
}

static void solve(struct deadlock *d)
{
	graph_build(&d->g, d->looks, d->count);
	graph_solve(&d->g);
	for (size_t i = 0; i < d->g.node_count; i++)
		d->blockers += graph_is_root(&d->g, i) && deadlock_is_blocker(d, i);
	for (size_t i = 0; potential && i < d->count; i++)
		inversions_add(&d->inversions, d->looks[i].in, i);
}

static void let_go(struct deadlock *d)
{
	graph_free(&d->g);
	inversions_free(&d->inversions);
	for (size_t i = 0; i < d->count; i++) {
		ilk_inspection_free(d->looks[i].in);
		if (d->looks[i].later != &gone)
			ilk_inspection_free(d->looks[i].later);
		free(d->looks[i].name);
	}
	free(d->looks);
}

static int look_at_all(struct deadlock *d, int count, char **names)
{
	int rc = count ? 0 : ilk_inspect_each(look_if_possible, d);

	if (rc < 0)
		return complain(page.command, "/dev/shm cannot be read: %s", strerror(-rc));
	for (int i = 0; i < count; i++)
		if (look(d, names[i]) < 0)
			return EXIT_ERROR;
	return EXIT_FINE;
}

static int find(struct deadlock *d)
{
	d->wants_potential = potential;
	look_again(d);
	solve(d);
	(json ? deadlock_print_json : dot ? deadlock_print_dot : deadlock_print_text)(d);
	return d->g.cycles || d->blockers || d->inversions.count ? EXIT_FINDING : EXIT_FINE;
}

static int deadlock_main(int argc, char **argv)
{
	struct deadlock d = {.count = 0};
	int code = options_parse(&page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	if (json && dot)
		return complain(page.command, "--json and --dot contradict each other");
	code = look_at_all(&d, argc, argv);
	if (code == EXIT_FINE)
		code = find(&d);
	let_go(&d);
	return code;
}

const struct command deadlock_command = {.page = &page, .run = deadlock_main};
