/* race_report.c - what came of a run, for people and for programs. */
#include "ilk/json.h"
#include "ilk/races.h"
#include "ilk/table.h"
#include <math.h>
#include <stdio.h>

int races_is_as_it_should(const struct races_row *row)
{
	return row->variant->is_broken == (row->outcome.verdict != RACE_OK);
}

static double lost_percent(const struct race_outcome *o)
{
	return 100.0 * (double)(o->expected - o->got) / (double)o->expected;
}

void races_print_json(const struct races *races)
{
	static const char *const verdicts[] = {"ok", "race", "hang", "crash"};
	struct json j;

	json_begin(&j, stdout);
	json_open(&j, NULL, '[');
	for (int i = 0; i < races->count; i++) {
		const struct race_outcome *o = &races->rows[i].outcome;

		json_open(&j, NULL, '{');
		json_string(&j, "scenario", races->scenario->name);
		json_string(&j, "variant", races->rows[i].variant->name);
		json_integer(&j, "processes", races->size.processes);
		json_integer(&j, "iterations", races->size.iterations);
		json_integer(&j, "expected", o->expected);
		json_integer(&j, "got", o->got);
		json_real(&j, "lost_percent", lost_percent(o), 3);
		json_real(&j, "ns_per_op", o->ns_per_op, 3);
		json_string(&j, "verdict", verdicts[o->verdict]);
		json_close(&j);
	}
	json_close(&j);
}

static void add_verdict(struct table *t, const struct races_row *row)
{
	static const char *const words[] = {"exact", "race: updates lost", "hang", "crash"};
	enum race_verdict verdict = row->outcome.verdict;
	const char *word = words[verdict];

	if (verdict == RACE_OK && row->variant->is_broken)
		word = "the race did not show";
	if (verdict == RACE_SHOWN && row->variant->is_broken)
		word = "race shown";
	table_cell(t, races_is_as_it_should(row) ? TERM_PLAIN : TERM_BAD, "%s%s%s", word,
		row->outcome.details[0] ? ": " : "", row->outcome.details);
}

/* The time of the first broken variant that was timed; NAN: there is none. */
static double broken_ns(const struct races *races)
{
	for (int i = 0; i < races->count; i++)
		if (races->rows[i].variant->is_broken)
			return races->rows[i].outcome.ns_per_op;
	return NAN;
}

static void add_row(struct table *t, const struct races_row *row, double broken)
{
	const struct race_outcome *o = &row->outcome;
	char text[TERM_TEXT];

	table_cell(t, TERM_BOLD, "%s", row->variant->name);
	table_cell(t, TERM_PLAIN, "%s", row->variant->what);
	table_cell(t, TERM_PLAIN, "%s", term_number(text, o->expected));
	table_cell(t, TERM_PLAIN, "%s", term_number(text, o->got));
	table_cell(t, TERM_PLAIN, "%s", term_number(text, o->expected - o->got));
	table_cell(t, o->got == o->expected ? TERM_PLAIN : TERM_BAD, "%.2f %%", lost_percent(o));
	if (isfinite(o->ns_per_op))
		table_cell(t, TERM_PLAIN, "%.2f", o->ns_per_op);
	else
		table_cell(t, TERM_PLAIN, "-");
	if (isfinite(o->ns_per_op) && isfinite(broken) && broken > 0)
		table_cell(t, TERM_PLAIN, "%.2f", o->ns_per_op / broken);
	else
		table_cell(t, TERM_PLAIN, "-");
	add_verdict(t, row);
}

/* One line for each variant that did not do what it should. */
static void print_advice(const struct races *races)
{
	int workers = races->size.processes * races->size.threads;

	for (int i = 0; i < races->count; i++) {
		const struct races_row *row = &races->rows[i];

		if (races_is_as_it_should(row))
			continue;
		if (!row->variant->is_broken)
			printf("\n%s did not hold: that is a fault of Ilk; please report it with "
			       "this output.\n",
				row->variant->name);
		else if (workers == 1)
			printf("\nThe race did not show: one alone has nobody to race with. Try "
			       "--procs 2.\n");
		else
			printf("\nThe race did not show this time. Try --iterations %lld, or "
			       "--procs %d.\n",
				(long long)races->size.iterations * 10, races->size.processes * 2);
	}
}

void races_print_text(const struct races *races)
{
	static const char *const heads[] = {"VARIANT", "WHAT IT DOES", ">EXPECTED", ">GOT", ">LOST",
		">", ">NS/OP", ">VS BROKEN", "VERDICT", NULL};
	const struct race_size *size = &races->size;
	struct table t;
	char text[TERM_TEXT];

	printf("%s: %s; %s\n", races->scenario->name, races->scenario->bug,
		races->scenario->breaks);
	printf("%d %s", size->processes, size->processes > 1 ? "processes" : "process");
	if (size->threads > 1)
		printf(" of %d threads", size->threads);
	printf(", %s iterations each\n\n", term_number(text, size->iterations));
	table_begin(&t, heads);
	for (int i = 0; i < races->count; i++)
		add_row(&t, &races->rows[i], broken_ns(races));
	table_print(&t, stdout);
	print_advice(races);
}
