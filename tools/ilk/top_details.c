/* top_details.c - what `ilk top` shows of one object, of one process, and its help: as text. */
#include "ilk/figures.h"
#include "ilk/findings.h"
#include "ilk/top.h"
#include <string.h>

/* --- what was opened, as it is now --- */

static const struct sampled *find_segment(const struct top *t)
{
	for (size_t i = 0; i < t->sample.count; i++)
		if (strcmp(t->sample.segments[i].name, t->target.segment) == 0 &&
			t->sample.segments[i].now)
			return &t->sample.segments[i];
	return NULL;
}

static int find_object(const struct top *t, struct row *row)
{
	row->segment = find_segment(t);
	for (size_t i = 0; row->segment && i < row->segment->now->object_count; i++) {
		row->object = &row->segment->now->objects[i];
		row->rate = &row->segment->rates[i];
		if (row->object->offset == t->target.offset &&
			strcmp(row->object->name, t->target.name) == 0)
			return (int)i;
	}
	return ILK_NO_INDEX;
}

static const char *since(const struct ilk_inspection *in, ilk_time when, char out[TERM_TEXT])
{
	if (when <= 0 || in->liveness == ILK_LIFE_UNKNOWN)
		return strcpy(out, "-");
	return term_duration(out, in->taken - when);
}

/* --- an object --- */

/* The columns of rows.h, each on a line of its own. */
static void print_row(const struct row *row, int64_t taken_unix, FILE *out)
{
	struct rows one = {.all = (struct row *)row, .count = 1, .taken_unix = taken_unix};
	struct table t;

	table_begin(&t, rows_heads);
	rows_print(&t, &one, 0, 1, 0);
	for (size_t c = ROWS_SEGMENT; c < t.columns; c++)
		fprintf(out, "%-12s %s\n", table_head(&t, c), t.cells[c].text);
	table_clear(&t);
}

static void print_totals(const struct ilk_object_info *o, FILE *out)
{
	char acquired[TERM_TEXT], contended[TERM_TEXT], waited[TERM_TEXT], damage[sizeof o->damage];

	fprintf(out, "%-12s %s acquired, %s contended, %s waited\n", "EVER",
		term_number(acquired, (int64_t)o->acquired),
		term_number(contended, (int64_t)o->contended),
		term_duration(waited, (int64_t)o->waited_ns));
	if (o->capacity)
		fprintf(out, "%-12s %llu waiting to be taken, room for %llu, %d leased%s\n",
			"MESSAGES", (unsigned long long)o->depth, (unsigned long long)o->capacity,
			o->leases, o->closed ? ", closed" : "");
	fprintf(out, "%-12s %llu bytes at %#llx, open in %d processes%s\n", "PLACE",
		(unsigned long long)o->bytes, (unsigned long long)o->offset, o->openers,
		o->embedded ? ", embedded" : "");
	if (o->damage[0])
		fprintf(out, "%-12s %s\n", "DAMAGE", term_clean(damage, sizeof damage, o->damage));
}

static void print_figures(const struct ilk_inspection *in, int object, FILE *out)
{
	size_t count;
	const struct ilk_figure_info *f = figures_of(in, object, &count);
	char name[FIGURES_NAME], text[TERM_TEXT];

	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s %s",
			i == 0  ? "FIGURES      "
			: i % 6 ? ", "
				: ",\n             ",
			figures_name(&f[i], name), figures_text(&f[i], text));
	if (count)
		fputc('\n', out);
}

static void add_thread(
	struct table *table, const struct ilk_inspection *in, int thread, int process)
{
	const struct ilk_process_info *p = process == ILK_NO_INDEX ? NULL : &in->processes[process];

	if (p)
		table_cell(table, TERM_PLAIN, "%d", p->pid);
	else
		table_cell(table, TERM_PLAIN, "-");
	table_cell(table, TERM_PLAIN, "%s", p ? p->name : "-");
	table_cell(table, TERM_PLAIN, "%s", p ? findings_state(p) : "unknown");
	if (thread == ILK_NO_INDEX) {
		table_cell(table, TERM_PLAIN, "-");
		table_cell(table, TERM_PLAIN, "-");
	} else {
		table_cell(table, TERM_PLAIN, "%d", in->threads[thread].tid);
		table_cell(table, TERM_PLAIN, "%s", in->threads[thread].name);
	}
}

/* Prints the table under its title, or what there is instead. */
static void print_under(struct table *table, const char *title, const char *nobody, FILE *out)
{
	fprintf(out, "\n%s\n", table->count ? title : nobody);
	if (table->count)
		table_print(table, out);
}

static void print_holders(const struct ilk_inspection *in, int object, FILE *out)
{
	static const char *const heads[] = {
		">PID", "PROCESS", "STATE", ">TID", "THREAD", "HOW", ">COUNT", ">SINCE", NULL};
	const struct ilk_object_info *o = &in->objects[object];
	struct table table;
	char text[TERM_TEXT], how[FINDINGS_HOW];

	table_begin(&table, heads);
	for (size_t i = 0; i < in->holder_count; i++) {
		const struct ilk_holder_info *h = &in->holders[i];

		if (h->object != object)
			continue;
		add_thread(&table, in, h->thread, h->process);
		table_cell(&table, TERM_PLAIN, "%s", findings_how(h, how));
		table_cell(&table, TERM_PLAIN, "%u", h->count);
		table_cell(&table, TERM_PLAIN, "%s", since(in, h->since, text));
	}
	/* A kind that does not list its holders has one at most. */
	if (table.count == 0 && o->holder != ILK_HOLDER_NONE) {
		int thread = o->owner;

		add_thread(&table, in, thread,
			thread == ILK_NO_INDEX ? ILK_NO_INDEX : in->threads[thread].process);
		table_cell(&table, TERM_PLAIN, "held");
		table_cell(&table, TERM_PLAIN, "1");
		table_cell(&table, TERM_PLAIN, "%s", since(in, o->held_since, text));
	}
	print_under(&table, "Held by", "Nobody holds it.", out);
}

static void print_waiters(const struct ilk_inspection *in, int object, FILE *out)
{
	static const char *const heads[] = {
		">PID", "PROCESS", "STATE", ">TID", "THREAD", ">WAITED", NULL};
	struct table table;
	char text[TERM_TEXT];

	table_begin(&table, heads);
	for (size_t i = 0; i < in->thread_count; i++)
		if (in->threads[i].waits_for == object) {
			add_thread(&table, in, (int)i, in->threads[i].process);
			table_cell(&table, TERM_PLAIN, "%s",
				since(in, in->threads[i].wait_since, text));
		}
	print_under(&table, "Waiting", "Nobody waits for it.", out);
}

void top_print_object(const struct top *t, FILE *out)
{
	struct row row = {.object = NULL};
	int object = find_object(t, &row);
	char clean[300];

	if (object == ILK_NO_INDEX) {
		fprintf(out, "%s is not there any more.\n",
			term_clean(clean, sizeof clean, t->target.name));
		return;
	}
	/* Who holds it, in a list of its own below. */
	print_row(&row, t->sample.taken_unix, out);
	print_totals(row.object, out);
	print_figures(row.segment->now, object, out);
	print_holders(row.segment->now, object, out);
	print_waiters(row.segment->now, object, out);
}

/* --- a process --- */

static int find_process(const struct top *t, const struct ilk_inspection *in)
{
	for (size_t i = 0; i < in->process_count; i++)
		if (in->processes[i].slot == t->target.slot &&
			in->processes[i].pid == t->target.pid)
			return (int)i;
	return ILK_NO_INDEX;
}

/* The names of what THREAD holds, with commas. */
static const char *holdings(const struct ilk_inspection *in, int thread, char *out, size_t size)
{
	size_t at = 0;

	strcpy(out, "-");
	for (size_t i = 0; i < in->object_count && at < size; i++)
		if (in->objects[i].owner == thread)
			at += (size_t)snprintf(
				out + at, size - at, "%s%s", at ? ", " : "", in->objects[i].name);
	return out;
}

static void print_threads(const struct ilk_inspection *in, int process, FILE *out)
{
	static const char *const heads[] = {
		">TID", "THREAD", "WAITS FOR", ">WAITED", "HOLDS", ">SLEEPS", NULL};
	struct table table;
	char text[200];

	table_begin(&table, heads);
	for (size_t i = 0; i < in->thread_count; i++) {
		const struct ilk_thread_info *thread = &in->threads[i];
		int waits = thread->waits_for != ILK_NO_INDEX;

		if (thread->process != process)
			continue;
		table_cell(&table, TERM_PLAIN, "%d", thread->tid);
		table_cell(&table, TERM_PLAIN, "%s", thread->name);
		table_cell(&table, TERM_PLAIN, "%s",
			waits ? in->objects[thread->waits_for].name : "-");
		table_cell(
			&table, TERM_PLAIN, "%s", since(in, waits ? thread->wait_since : 0, text));
		table_cell(&table, TERM_PLAIN, "%s", holdings(in, (int)i, text, sizeof text));
		table_cell(&table, TERM_PLAIN, "%llu", (unsigned long long)thread->sleeps);
	}
	print_under(&table, "Threads", "It has no thread in the segment.", out);
}

void top_print_process(const struct top *t, FILE *out)
{
	const struct sampled *segment = find_segment(t);
	int i = segment ? find_process(t, segment->now) : ILK_NO_INDEX;
	const struct ilk_process_info *p;
	char text[TERM_TEXT], name[sizeof p->name], where[300];

	if (i == ILK_NO_INDEX) {
		fprintf(out, "Process %d is not in the segment any more.\n", t->target.pid);
		return;
	}
	p = &segment->now->processes[i];
	fprintf(out, "%s (pid %d) in %s: %s, uid %u, joined %s ago, process slot %d\n",
		term_clean(name, sizeof name, p->name), p->pid,
		term_clean(where, sizeof where, segment->name), findings_state(p), p->uid,
		since(segment->now, p->joined, text), p->slot);
	print_threads(segment->now, i, out);
}

/* --- help --- */

void top_print_help(FILE *out)
{
	fputs("up, down, PgUp, PgDn, Home, End   select a row\n"
	      "left, right, s                    sort by the column before, by the next\n"
	      "r                                 sort the other way round\n"
	      "/                                 filter: type, then Enter; Esc drops it\n"
	      "p, space                          pause, and go on\n"
	      "Enter                             open the object, or the process\n"
	      "Esc, Backspace                    go back\n"
	      "Tab                               objects, or processes\n"
	      "h, ?                              this\n"
	      "q                                 quit\n"
	      "\n"
	      "WAITING     threads that waited for it, on average since the last look\n"
	      "WAITERS     threads that wait now\n"
	      "OPS/S       operations a second; of counters, the change of the value\n"
	      "CONTENDED%  of 100 operations, those that had to wait\n"
	      "DEPTH       messages that wait to be taken\n"
	      "OWNER       who holds it, one of those who do; HELD FOR: at least so long\n",
		out);
}

void top_print_text(const struct top *t, FILE *out)
{
	if (t->view == TOP_OBJECT)
		top_print_object(t, out);
	else if (t->view == TOP_PROCESS)
		top_print_process(t, out);
	else if (t->view == TOP_HELP)
		top_print_help(out);
}
