/* race_report.c - what came of a run, for people and for programs. */
#include "ilk/json.h"
#include "ilk/races.h"
#include "ilk/table.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* COSTS: so much slower than the fix is slower. */
static const double slower = 1.1;

static int is_broken(const struct race_variant *v)
{
	return v->aim == RACE_FAILS || v->aim == RACE_MAY_FAIL;
}

/* The time of the first variant that was timed, of those that are right or not; NAN: none was. */
static double first_ns(const struct races *races, int of_broken)
{
	for (int i = 0; i < races->count; i++) {
		const struct races_row *row = &races->rows[i];
		int bad = of_broken ? row->variant->aim != RACE_HOLDS
				    : row->variant->aim == RACE_HOLDS;

		if (bad && !row->absent && isfinite(row->outcome.ns_per_op))
			return row->outcome.ns_per_op;
	}
	return NAN;
}

/* Is row I, which is right, as slow as it is said to be? Where nothing was timed: yes. */
static int is_slower(const struct races *races, int i)
{
	double fast = first_ns(races, 0), mine = races->rows[i].outcome.ns_per_op;

	return !isfinite(fast) || !isfinite(mine) || mine >= fast * slower;
}

int races_is_as_it_should(const struct races *races, int i)
{
	const struct races_row *row = &races->rows[i];
	enum race_verdict verdict = row->outcome.verdict;

	if (row->absent)
		return 1;
	switch (row->variant->aim) {
	case RACE_FAILS:
		return verdict != RACE_OK;
	case RACE_MAY_FAIL:
		return 1;
	case RACE_HOLDS:
		return verdict == RACE_OK;
	case RACE_COSTS:
		return verdict == RACE_OK; /* how much slower is this machine's affair */
	}
	return 0;
}

static double failed_percent(const struct race_count *c)
{
	return c->of ? 100.0 * (double)c->failures / (double)c->of : NAN;
}

/* --- JSON --- */

static void json_witness(struct json *j, const struct race_outcome *o)
{
	json_open(j, "witness", '[');
	for (int i = 0; i < o->event_count; i++) {
		const struct race_event *e = &o->events[i];

		json_open(j, NULL, '{');
		json_integer(j, "ns", (int64_t)e->at);
		json_integer(j, "worker", e->worker);
		json_string(j, "what", e->what);
		json_integer(j, "value", e->value);
		json_close(j);
	}
	json_close(j);
}

static void json_row(struct json *j, const struct races *races, int i)
{
	static const char *const verdicts[] = {"ok", "race", "hang", "crash"};
	static const char *const aims[] = {"fails", "may-fail", "holds", "costs"};
	const struct races_row *row = &races->rows[i];
	const struct race_outcome *o = &row->outcome;

	json_open(j, NULL, '{');
	json_string(j, "scenario", races->scenario->name);
	json_string(j, "variant", row->variant->name);
	json_string(j, "aim", aims[row->variant->aim]);
	json_integer(j, "processes", races->size.processes);
	json_integer(j, "threads", races->size.threads);
	json_integer(j, "iterations", races->size.iterations);
	json_integer(j, "seed", (int64_t)races->size.seed);
	json_integer(j, "expected", o->count.expected);
	json_integer(j, "got", o->count.got);
	json_integer(j, "failures", o->count.failures);
	json_real(j, "failed_percent", row->absent ? NAN : failed_percent(&o->count), 3);
	json_real(j, "ns_per_op", row->absent ? NAN : o->ns_per_op, 3);
	json_string(j, "verdict", row->absent ? "absent" : verdicts[o->verdict]);
	json_bool(j, "as_it_should", races_is_as_it_should(races, i));
	json_string(j, "details", row->absent ? row->absent : o->details);
	json_witness(j, o);
	json_close(j);
}

void races_print_json(const struct races *races, int count)
{
	struct json j;

	json_document(&j, stdout, "race-run", 1);
	json_open(&j, "variants", '[');
	for (int k = 0; k < count; k++)
		for (int i = 0; i < races[k].count; i++)
			json_row(&j, &races[k], i);
	json_close(&j);
	json_close(&j);
}

/* --- text --- */

static const char *verdict_of(const struct races *races, int i)
{
	const struct races_row *row = &races->rows[i];
	const struct race_variant *v = row->variant;

	if (row->absent)
		return "not run";
	switch (row->outcome.verdict) {
	case RACE_OK:
		if (v->aim == RACE_FAILS)
			return "the race did not show";
		if (v->aim == RACE_MAY_FAIL)
			return "not this time: it is rare";
		if (v->aim == RACE_COSTS)
			return is_slower(races, i) ? "right, and slower" : "no slower, this time";
		return "holds";
	case RACE_SHOWN:
		return is_broken(v) ? "race shown" : "DOES NOT HOLD";
	case RACE_HANG:
		return "hangs";
	case RACE_CRASH:
		return "crashes";
	}
	return "";
}

static void add_row(struct table *t, const struct races *races, int i, double broken)
{
	const struct races_row *row = &races->rows[i];
	const struct race_outcome *o = &row->outcome;
	enum term_style good = races_is_as_it_should(races, i) ? TERM_PLAIN : TERM_BAD;
	char text[TERM_TEXT];

	table_cell(t, TERM_BOLD, "%s", row->variant->name);
	table_cell(t, TERM_PLAIN, "%s", row->variant->what);
	if (row->absent) {
		for (int k = 0; k < 6; k++)
			table_cell(t, TERM_PLAIN, "-");
		table_cell(t, TERM_PLAIN, "not run: %s", row->absent);
		return;
	}
	table_cell(t, TERM_PLAIN, "%s", term_number(text, o->count.expected));
	table_cell(t, TERM_PLAIN, "%s", term_number(text, o->count.got));
	table_cell(t, o->count.failures ? TERM_BAD : TERM_PLAIN, "%s",
		term_number(text, o->count.failures));
	if (isfinite(failed_percent(&o->count)))
		table_cell(t, TERM_PLAIN, "%.2f %%", failed_percent(&o->count));
	else
		table_cell(t, TERM_PLAIN, "-");
	if (isfinite(o->ns_per_op))
		table_cell(t, TERM_PLAIN, "%.2f", o->ns_per_op);
	else
		table_cell(t, TERM_PLAIN, "-");
	if (isfinite(o->ns_per_op) && isfinite(broken) && broken > 0)
		table_cell(t, TERM_PLAIN, "%.2f", o->ns_per_op / broken);
	else
		table_cell(t, TERM_PLAIN, "-");
	table_cell(t, good, "%s", verdict_of(races, i));
}

/* One line for each variant that did not do what it should, or of which there is more to say. */
static void print_notes(const struct races *races)
{
	int workers = races->size.processes * races->size.threads;

	for (int i = 0; i < races->count; i++) {
		const struct races_row *row = &races->rows[i];

		if (row->outcome.details[0])
			printf("\n%s: %s.\n", row->variant->name, row->outcome.details);
		if (races_is_as_it_should(races, i))
			continue;
		if (row->variant->aim == RACE_HOLDS)
			printf("\n%s did not hold: that is a fault of Ilk; please report it with "
			       "this output.\n",
				row->variant->name);
		else if (workers == 1)
			printf("\nThe race did not show: one alone has nobody to race with. Try "
			       "--procs 2.\n");
		else if (races->size.iterations)
			printf("\nThe race did not show this time. Try --iterations %lld, or "
			       "--procs %d.\n",
				(long long)races->size.iterations * 10, races->size.processes * 2);
		else
			printf("\nThe race did not show this time. Try a longer --for, or --procs "
			       "%d.\n",
				races->size.processes * 2);
	}
}

/* --- the witness, in columns --- */

enum { WITNESS_WORKERS = 4 };

/* The column of WORKER among those that noted something, in order of appearance; -1: no room. */
static int column_of(int worker, int columns[WITNESS_WORKERS], int *count)
{
	for (int i = 0; i < *count; i++)
		if (columns[i] == worker)
			return i;
	if (*count == WITNESS_WORKERS)
		return -1;
	columns[(*count)++] = worker;
	return *count - 1;
}

/* Of the widest event. */
static int width_of(const struct race_outcome *o)
{
	int width = 0;

	for (int i = 0; i < o->event_count; i++) {
		int n = snprintf(
			NULL, 0, "%s %lld  ", o->events[i].what, (long long)o->events[i].value);

		width = n > width ? n : width;
	}
	return width;
}

static void print_witness(const struct races_row *row)
{
	const struct race_outcome *o = &row->outcome;
	int columns[WITNESS_WORKERS], count = 0, width = width_of(o);

	if (o->event_count == 0)
		return;
	for (int i = 0; i < o->event_count; i++)
		column_of(o->events[i].worker, columns, &count);
	printf("\nA witness, from a run of '%s':\n\n%10s", row->variant->name, "ns");
	for (int i = 0; i < count; i++)
		printf("  worker %-*d", i + 1 < count ? width - 9 : 1, columns[i]);
	putchar('\n');
	for (int i = 0; i < o->event_count; i++) {
		const struct race_event *e = &o->events[i];
		int column = column_of(e->worker, columns, &count);

		if (column >= 0)
			printf("%10lld  %*s%s %lld\n", (long long)e->at, column * width, "",
				e->what, (long long)e->value);
	}
}

static void print_head(const struct races *races)
{
	const struct race_size *size = &races->size;
	char text[TERM_TEXT];

	printf("%s: %s; %s\n", races->scenario->name, races->scenario->bug,
		races->scenario->breaks);
	printf("%d %s", size->processes, size->processes > 1 ? "processes" : "process");
	if (size->threads > 1)
		printf(" of %d threads", size->threads);
	if (size->iterations)
		printf(", %s iterations each\n\n", term_number(text, size->iterations));
	else
		printf(", for %s\n\n", term_duration(text, size->nanoseconds));
}

void races_print_text(const struct races *races)
{
	char failures[48];
	const char *const heads[] = {"VARIANT", "WHAT IT DOES", ">EXPECTED", ">GOT", failures, ">",
		">NS/OP", ">VS BROKEN", "VERDICT", NULL};
	double broken = first_ns(races, 1);
	struct table t;

	snprintf(failures, sizeof failures, ">%s", races->scenario->failures);
	for (char *c = failures; *c; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
	print_head(races);
	table_begin(&t, heads);
	for (int i = 0; i < races->count; i++)
		add_row(&t, races, i, broken);
	table_print(&t, stdout);
	print_notes(races);
	for (int i = 0; i < races->count; i++)
		if (is_broken(races->rows[i].variant))
			print_witness(&races->rows[i]);
}

void races_print_summary(const struct races *races, int count)
{
	static const char *const heads[] = {"SCENARIO", ">BROKEN SHOWN", ">FIXES HOLD", "", NULL};
	struct table t;

	table_begin(&t, heads);
	for (int k = 0; k < count; k++) {
		int of[2] = {0, 0}, good[2] = {0, 0};

		for (int i = 0; i < races[k].count; i++) {
			const struct races_row *row = &races[k].rows[i];
			int holds = row->variant->aim == RACE_HOLDS;

			if (row->absent)
				continue;
			of[holds]++;
			good[holds] += holds ? row->outcome.verdict == RACE_OK
				       : row->variant->aim == RACE_COSTS
					       ? is_slower(&races[k], i)
					       : row->outcome.verdict != RACE_OK;
		}
		table_cell(&t, TERM_BOLD, "%s", races[k].scenario->name);
		table_cell(&t, TERM_PLAIN, "%d of %d", good[0], of[0]);
		table_cell(
			&t, good[1] == of[1] ? TERM_PLAIN : TERM_BAD, "%d of %d", good[1], of[1]);
		table_cell(&t, TERM_PLAIN, "%s", good[0] < of[0] ? "(see above)" : "");
	}
	table_print(&t, stdout);
}
