/* top_views.c - the lists of `ilk top`: what stands above them, the processes, and all of it as JSON. */
#include "ilk/findings.h"
#include "ilk/report.h"
#include "ilk/top.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- the header --- */

struct census {
	size_t segments, unreadable, processes, dead, stopped, threads, waiting, objects;
};

static void count_in(struct census *c, const struct ilk_inspection *in)
{
	c->processes += in->process_count;
	c->threads += in->thread_count;
	c->objects += in->object_count;
	for (size_t i = 0; i < in->process_count; i++) {
		c->dead += in->processes[i].life == ILK_LIFE_DEAD;
		c->stopped += findings_is_stopped(&in->processes[i]) != 0;
	}
	for (size_t i = 0; i < in->thread_count; i++)
		c->waiting += in->threads[i].waits_for != ILK_NO_INDEX;
}

static struct census take_census(const struct top *t)
{
	struct census c = {.segments = t->sample.count};

	for (size_t i = 0; i < t->sample.count; i++)
		if (t->sample.segments[i].now)
			count_in(&c, t->sample.segments[i].now);
		else
			c.unreadable++;
	return c;
}

static void print_count(FILE *out, const char *before, size_t n, const char *what)
{
	if (n > 0)
		fprintf(out, "%s%zu %s", before, n, what);
}

static const char *plural(size_t n, const char *many)
{
	return n == 1 ? "" : many;
}

static void print_census(const struct top *t, FILE *out)
{
	struct census c = take_census(t);

	fprintf(out, "%zu segment%s", c.segments, plural(c.segments, "s"));
	print_count(out, ", ", c.unreadable, "of them not readable");
	fprintf(out, "; %zu process%s", c.processes, plural(c.processes, "es"));
	print_count(out, ", ", c.dead, "dead");
	print_count(out, ", ", c.stopped, "stopped");
	fprintf(out, "; %zu thread%s", c.threads, plural(c.threads, "s"));
	print_count(out, ", ", c.waiting, "waiting");
	fprintf(out, "; %zu object%s\n", c.objects, plural(c.objects, "s"));
}

static void print_settings(const struct top *t, FILE *out)
{
	char clock[16], text[TERM_TEXT], name[TABLE_COLUMN_NAME], clean[sizeof t->filter];
	time_t seconds = (time_t)(t->sample.taken_unix / 1000000000);
	struct tm local;

	localtime_r(&seconds, &local);
	strftime(clock, sizeof clock, "%H:%M:%S", &local);
	fprintf(out, "%s, every %s, sorted by %s%s", clock, term_duration(text, t->every),
		table_column_name(&t->objects, t->sort, name), t->reversed ? ", reversed" : "");
	if (t->filter[0])
		fprintf(out, ", only '%s'", term_clean(clean, sizeof clean, t->filter));
	fputs(t->paused ? ", PAUSED\n" : "\n", out);
}

static void print_trouble(const struct sampled *segment, FILE *out)
{
	char line[500], clean[sizeof line];

	snprintf(line, sizeof line, "%s: %s", segment->name, segment->trouble);
	fprintf(out, "%s\n", term_clean(clean, sizeof clean, line));
}

void top_header(const struct top *t, FILE *out)
{
	enum { MOST = 4 }; /* lines of trouble */
	int told = 0;

	print_census(t, out);
	print_settings(t, out);
	for (size_t i = 0; i < t->sample.count; i++)
		if (t->sample.segments[i].trouble[0] && told++ < MOST)
			print_trouble(&t->sample.segments[i], out);
	if (told > MOST)
		fprintf(out, "and %d more like these: `ilk ls` tells\n", told - MOST);
}

/* --- processes --- */

const char *const top_process_heads[] = {"SEGMENT", ">PID", "PROCESS", "STATE", ">THREADS",
	">WAITING", ">HOLDS", ">UID", ">JOINED AGO", NULL};

static int is_of(const struct ilk_inspection *in, int thread, int process)
{
	return thread != ILK_NO_INDEX && in->threads[thread].process == process;
}

static struct top_process describe(const struct sampled *segment, int i)
{
	const struct ilk_inspection *in = segment->now;
	struct top_process p = {.segment = segment, .process = &in->processes[i]};

	for (size_t k = 0; k < in->thread_count; k++) {
		p.threads += is_of(in, (int)k, i);
		p.waiting += is_of(in, (int)k, i) && in->threads[k].waits_for != ILK_NO_INDEX;
	}
	for (size_t k = 0; k < in->object_count; k++)
		p.holds += is_of(in, in->objects[k].owner, i);
	return p;
}

static int is_kept(const struct top *t, const struct sampled *segment, int i)
{
	const struct ilk_process_info *p = &segment->now->processes[i];
	char pid[16];

	snprintf(pid, sizeof pid, "%d", p->pid);
	return strcasestr(segment->name, t->filter) || strcasestr(p->name, t->filter) ||
	       strstr(pid, t->filter);
}

static int compare(const void *a, const void *b)
{
	const struct top_process *x = a, *y = b;
	int rc = strcmp(x->segment->name, y->segment->name);

	if (x->waiting != y->waiting)
		return x->waiting < y->waiting ? 1 : -1;
	return rc ? rc : (x->process->pid > y->process->pid) - (x->process->pid < y->process->pid);
}

static void gather(struct top *t, const struct sampled *segment)
{
	size_t more = segment->now->process_count;

	t->processes = realloc(t->processes, (t->process_count + more + 1) * sizeof *t->processes);
	if (!t->processes)
		exit(complain("", "out of memory"));
	for (size_t i = 0; i < more; i++)
		if (is_kept(t, segment, (int)i))
			t->processes[t->process_count++] = describe(segment, (int)i);
}

void top_gather_processes(struct top *t)
{
	t->process_count = 0;
	if (t->list != TOP_PROCESSES)
		return; /* nobody looks at them */
	for (size_t i = 0; i < t->sample.count; i++)
		if (t->sample.segments[i].now)
			gather(t, &t->sample.segments[i]);
	if (t->process_count > 1)
		qsort(t->processes, t->process_count, sizeof *t->processes, compare);
}

static void print_process(struct table *table, const struct top_process *p)
{
	const struct ilk_inspection *in = p->segment->now;
	enum term_style state = p->process->life == ILK_LIFE_DEAD ? TERM_BAD
				: findings_is_stopped(p->process) ? TERM_WARN
								  : TERM_PLAIN;
	char text[TERM_TEXT];

	table_cell(table, TERM_PLAIN, "%s", p->segment->name);
	table_cell(table, TERM_PLAIN, "%d", p->process->pid);
	table_cell(table, TERM_PLAIN, "%s", p->process->name);
	table_cell(table, state, "%s", findings_state(p->process));
	table_cell(table, TERM_PLAIN, "%d", p->threads);
	table_cell(table, p->waiting ? TERM_WARN : TERM_PLAIN, "%d", p->waiting);
	table_cell(table, TERM_PLAIN, "%d", p->holds);
	table_cell(table, TERM_PLAIN, "%u", p->process->uid);
	if (p->process->joined > 0 && in->liveness != ILK_LIFE_UNKNOWN)
		table_cell(table, TERM_PLAIN, "%s",
			term_duration(text, in->taken - p->process->joined));
	else
		table_cell(table, TERM_PLAIN, "-");
}

void top_print_processes(struct top *t, size_t first, size_t count)
{
	for (size_t i = first; i < t->process_count && i - first < count; i++)
		print_process(&t->process_table, &t->processes[i]);
}

/* --- JSON --- */

static void put_segment(struct json *j, const struct sampled *segment)
{
	struct census c = {.segments = 1};

	json_open(j, NULL, '{');
	json_string(j, "name", segment->name);
	json_string(j, "trouble", segment->trouble[0] ? segment->trouble : NULL);
	if (segment->now) {
		count_in(&c, segment->now);
		json_integer(j, "bytes", (int64_t)segment->now->bytes);
		json_integer(j, "used", (int64_t)segment->now->used);
		json_integer(j, "processes", (int64_t)c.processes);
		json_integer(j, "processes_dead", (int64_t)c.dead);
		json_integer(j, "processes_stopped", (int64_t)c.stopped);
		json_integer(j, "threads", (int64_t)c.threads);
		json_integer(j, "threads_waiting", (int64_t)c.waiting);
		json_integer(j, "objects", (int64_t)c.objects);
	}
	json_close(j);
}

void top_print_json(const struct top *t, int on_one_line)
{
	struct json j;

	(on_one_line ? json_line : json_document)(&j, stdout, "top", 1);
	json_integer(&j, "time_unix_ns", t->sample.taken_unix);
	json_open(&j, "segments", '[');
	for (size_t i = 0; i < t->sample.count; i++)
		put_segment(&j, &t->sample.segments[i]);
	json_close(&j);
	json_open(&j, "objects", '[');
	for (size_t i = 0; i < t->rows.count; i++) {
		json_open(&j, NULL, '{');
		json_string(&j, "segment", t->rows.all[i].segment->name);
		rows_json(&j, &t->rows.all[i]);
		json_close(&j);
	}
	json_close(&j);
	json_close(&j);
}
