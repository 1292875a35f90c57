/* show_objects.c - the objects of `ilk show`: all; or one, with its holders and waiters. */
#include "ilk/figures.h"
#include "ilk/findings.h"
#include "ilk/show.h"
#include "ilk/table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const heads[] = {"OBJECT", "TYPE", "STATE", "HELD BY", ">HELD FOR", ">WAITING",
	">ACQUIRED", ">CONTENDED", ">TIME WAITED", ">OPEN IN", ">OPS/S", ">CONT%", NULL};

/* --- one row --- */

static const char *since(const struct view *v, const char *least, ilk_time when, char out[40])
{
	int64_t ns = view_since(v, when);
	char text[TERM_TEXT];

	snprintf(out, 40, "%s%s", ns < 0 ? "" : least, ns < 0 ? "-" : term_duration(text, ns));
	return out;
}

/* How many hold object I; the last of them is *LAST. */
static size_t count_holders(const struct view *v, int i, const struct ilk_holder_info **last)
{
	size_t n = 0;

	for (size_t h = v->holders_at[i]; h < v->holders_at[i + 1]; h++)
		if (view_is_held(&v->in->holders[h])) {
			*last = &v->in->holders[h];
			n++;
		}
	return n;
}

static void add_holder(struct table *t, const struct view *v, int i)
{
	static const char *const life[] = {"", "", " dead", " unknown"};
	const struct ilk_inspection *in = v->in;
	const struct ilk_object_info *o = &in->objects[i];
	const struct ilk_holder_info *last = NULL;
	size_t n = count_holders(v, i, &last);
	char text[100];

	if (o->holder != ILK_HOLDER_NONE)
		table_cell(t, o->holder == ILK_HOLDER_DEAD ? TERM_BAD : TERM_PLAIN, "%s%s",
			findings_thread(in, o->owner, text, sizeof text), life[o->holder]);
	else if (n == 1)
		table_cell(t, TERM_PLAIN, "%s%s", findings_holder(in, last, text, sizeof text),
			life[last->life]);
	else if (n > 1)
		table_cell(t, TERM_PLAIN, "%zu: `ilk show %s %s`", n, v->name, o->name);
	else
		table_cell(t, TERM_PLAIN, "-");
}

/* TEXT, but only if OF, what it is part of, ever happened. */
static void add_statistic(struct table *t, uint64_t of, const char *text)
{
	table_cell(t, TERM_PLAIN, "%s", of ? text : "-");
}

static void add_rate(struct table *t, double rate, const char *format)
{
	if (isnan(rate))
		table_cell(t, TERM_PLAIN, "-");
	else
		table_cell(t, TERM_PLAIN, format, rate);
}

static void add_rates(struct table *t, const struct view *v, int i)
{
	char text[TERM_TEXT];

	if (!v->rates && !v->columns)
		return;
	if (!v->rates || isnan(v->rates[i].ops))
		table_cell(t, TERM_PLAIN, "-");
	else
		table_cell(t, TERM_PLAIN, "%s", term_number(text, (int64_t)v->rates[i].ops));
	add_rate(t, v->rates ? v->rates[i].contended : NAN, "%.1f");
}

static void add_object(struct table *t, const struct view *v, int i)
{
	const struct ilk_object_info *o = &v->in->objects[i];
	char text[TERM_TEXT + 8];

	table_cell(t, TERM_PLAIN, "%s", o->name);
	table_cell(t, TERM_PLAIN, "%s", o->type);
	table_cell(t, o->damage[0] ? TERM_BAD : TERM_PLAIN, "%s%s%s%s",
		o->damage[0] ? "damaged" : o->state, o->removed ? ", removed" : "",
		o->closed ? ", closed" : "", o->mixed ? "~" : "");
	add_holder(t, v, i);
	table_cell(t, TERM_PLAIN, "%s", since(v, ">= ", o->held_since, text));
	table_cell(t, o->waiters ? TERM_WARN : TERM_PLAIN, "%d", o->waiters);
	add_statistic(t, o->acquired, term_number(text, (int64_t)o->acquired));
	add_statistic(t, o->acquired, term_number(text, (int64_t)o->contended));
	add_statistic(t, o->contended, term_duration(text, (int64_t)o->waited_ns));
	if (o->embedded)
		table_cell(t, TERM_PLAIN, "-");
	else
		table_cell(t, TERM_PLAIN, "%d", o->openers);
	add_rates(t, v, i);
}

/* --- all of them --- */

static const struct ilk_inspection *sorting;

static int by_kind_and_name(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	const struct ilk_object_info *o = &sorting->objects[x], *p = &sorting->objects[y];
	int order = strcmp(o->type, p->type);

	if (order == 0)
		order = strcmp(o->name, p->name);
	return order ? order : (x > y) - (x < y);
}

/* The indexes of the objects, or of the one asked for, as they are printed. NULL: no memory. */
static int *in_order(const struct view *v, size_t *count)
{
	int *all = calloc(v->in->object_count + 1, sizeof *all);

	*count = v->object == ILK_NO_INDEX ? v->in->object_count : 1;
	for (size_t i = 0; all && i < *count; i++)
		all[i] = v->object == ILK_NO_INDEX ? (int)i : v->object;
	sorting = v->in;
	if (all)
		qsort(all, *count, sizeof *all, by_kind_and_name);
	return all;
}

/* The heads without those of rates, where there are none, and nobody asks for columns. */
static void begin(struct table *t, const struct view *v)
{
	static const char *some[sizeof heads / sizeof *heads];
	size_t n = 0;

	for (size_t i = 0; heads[i]; i++)
		if (v->rates || v->columns ||
			(strcmp(heads[i], ">OPS/S") && strcmp(heads[i], ">CONT%")))
			some[n++] = heads[i];
	some[n] = NULL;
	table_begin(t, some);
}

static int print_objects(const struct view *v)
{
	size_t count;
	int *all = in_order(v, &count);
	struct table t;

	begin(&t, v);
	if (!all || table_choose(&t, "show", v->columns) != 0) {
		free(all);
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		add_object(&t, v, all[i]);
	free(all);
	table_print(&t, stdout);
	return 0;
}

/* --- one of them --- */

static void print_figures(const struct view *v)
{
	static const char *const figure_heads[] = {"FIGURE", ">VALUE", NULL};
	size_t count;
	const struct ilk_figure_info *f = figures_of(v->in, v->object, &count);
	struct table t;
	char name[FIGURES_NAME], text[TERM_TEXT];

	if (count == 0)
		return;
	table_begin(&t, figure_heads);
	for (size_t i = 0; i < count; i++) {
		table_cell(&t, TERM_PLAIN, "%s", figures_name(&f[i], name));
		table_cell(&t, TERM_PLAIN, "%s", figures_text(&f[i], text));
	}
	putchar('\n');
	table_print(&t, stdout);
}

static void print_holders(const struct view *v)
{
	static const char *const holder_heads[] = {
		"HELD BY", "STATE", "HOW", ">COUNT", ">FOR AT LEAST", NULL};
	static const char *const life[] = {"", "alive", "dead", "unknown"};
	const struct ilk_inspection *in = v->in;
	struct table t;
	char text[100], how[FINDINGS_HOW];

	table_begin(&t, holder_heads);
	for (size_t i = v->holders_at[v->object]; i < v->holders_at[v->object + 1]; i++) {
		const struct ilk_holder_info *h = &in->holders[i];
		int is_dead = h->life == ILK_HOLDER_DEAD;

		table_cell(&t, TERM_PLAIN, "%s", findings_holder(in, h, text, sizeof text));
		table_cell(&t, is_dead ? TERM_BAD : TERM_PLAIN, "%s",
			is_dead || h->process == ILK_NO_INDEX
				? life[h->life]
				: findings_state(&in->processes[h->process]));
		table_cell(&t, TERM_PLAIN, "%s", findings_how(h, how));
		table_cell(&t, TERM_PLAIN, "%u", h->count);
		table_cell(&t, TERM_PLAIN, "%s", since(v, "", h->since, text));
	}
	if (t.count == 0)
		return;
	putchar('\n');
	table_print(&t, stdout);
}

static void print_waiters(const struct view *v)
{
	static const char *const waiter_heads[] = {"WAITING", "STATE", ">FOR", NULL};
	const struct ilk_inspection *in = v->in;
	struct table t;
	char text[100];

	table_begin(&t, waiter_heads);
	for (size_t i = 0; i < in->thread_count; i++) {
		const struct ilk_thread_info *thread = &in->threads[i];

		if (thread->waits_for != v->object || thread->life == ILK_LIFE_DEAD)
			continue;
		table_cell(&t, TERM_PLAIN, "%s", findings_thread(in, (int)i, text, sizeof text));
		table_cell(&t, TERM_PLAIN, "%s",
			thread->process == ILK_NO_INDEX
				? "unknown"
				: findings_state(&in->processes[thread->process]));
		table_cell(&t, TERM_PLAIN, "%s", since(v, "", thread->wait_since, text));
	}
	if (t.count == 0)
		return;
	putchar('\n');
	table_print(&t, stdout);
}

int show_objects(const struct view *v)
{
	if (v->columns)
		return print_objects(v);
	if (v->object == ILK_NO_INDEX)
		printf("\n%zu object%s", v->in->object_count, v->in->object_count == 1 ? "" : "s");
	if (v->object == ILK_NO_INDEX && v->rates)
		printf(", rates over %lld ms", (long long)v->sample_ms);
	putchar('\n');
	if (v->in->object_count && print_objects(v) < 0)
		return -1;
	if (v->object != ILK_NO_INDEX) {
		print_figures(v);
		print_holders(v);
		print_waiters(v);
	}
	return 0;
}
