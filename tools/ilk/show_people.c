/* show_people.c - the processes and threads of `ilk show`. */
#include "ilk/findings.h"
#include "ilk/show.h"
#include "ilk/table.h"
#include <stdlib.h>
#include <string.h>

enum { HOLDINGS = 200 };

/* --- processes --- */

static enum term_style style_of(const struct ilk_process_info *p)
{
	if (p->life == ILK_LIFE_DEAD)
		return TERM_BAD;
	return findings_is_stopped(p) || p->dumping ? TERM_WARN : TERM_PLAIN;
}

static const char *since(const struct view *v, ilk_time when, char out[TERM_TEXT])
{
	int64_t ns = view_since(v, when);

	return ns < 0 ? strcpy(out, "-") : term_duration(out, ns);
}

/* Nobody writes down when one dies; but what it wrote down itself it did alive. */
static void add_state(struct table *t, const struct view *v, const struct ilk_process_info *p)
{
	int64_t ns = p->life == ILK_LIFE_DEAD ? view_since(v, p->last_sign) : -1;
	char text[TERM_TEXT];

	if (ns < 0)
		table_cell(t, style_of(p), "%s", findings_state(p));
	else
		table_cell(t, style_of(p), "dead (for %s at most)", term_duration(text, ns));
}

static void print_processes(const struct view *v)
{
	static const char *const heads[] = {
		">PID", "PROCESS", "STATE", ">THREADS", ">UID", ">JOINED AGO", "HOLDS", NULL};
	const struct ilk_inspection *in = v->in;
	int *threads = calloc(in->process_count + 1, sizeof *threads);
	struct table t;
	char text[HOLDINGS];

	printf("\n%zu of %d process slots taken\n", in->process_count, in->process_slots);
	if (in->process_count == 0 || !threads)
		goto done;
	for (size_t i = 0; i < in->thread_count; i++)
		if (in->threads[i].process != ILK_NO_INDEX)
			threads[in->threads[i].process]++;
	table_begin(&t, heads);
	for (size_t i = 0; i < in->process_count; i++) {
		const struct ilk_process_info *p = &in->processes[i];

		table_cell(&t, TERM_PLAIN, "%d", p->pid);
		table_cell(&t, TERM_PLAIN, "%s", p->name);
		add_state(&t, v, p);
		table_cell(&t, TERM_PLAIN, "%d", threads[i]);
		table_cell(&t, TERM_PLAIN, "%u", p->uid);
		table_cell(&t, TERM_PLAIN, "%s", since(v, p->joined, text));
		table_cell(&t, TERM_PLAIN, "%s", view_holdings(v, (int)i, 1, text, sizeof text));
	}
	table_print(&t, stdout);
done:
	free(threads);
}

/* --- threads --- */

static void add_thread(struct table *t, const struct view *v, int i)
{
	const struct ilk_inspection *in = v->in;
	const struct ilk_thread_info *thread = &in->threads[i];
	const struct ilk_process_info *p =
		thread->process == ILK_NO_INDEX ? NULL : &in->processes[thread->process];
	int waits = thread->waits_for != ILK_NO_INDEX;
	char text[HOLDINGS];

	table_cell(t, TERM_PLAIN, "%d", thread->tid);
	table_cell(t, TERM_PLAIN, "%s", thread->name);
	if (p)
		table_cell(t, TERM_PLAIN, "%d", p->pid);
	else
		table_cell(t, TERM_PLAIN, "-");
	table_cell(t, p ? style_of(p) : TERM_PLAIN, "%s", p ? findings_state(p) : "unknown");
	table_cell(t, TERM_PLAIN, "%s", view_holdings(v, i, 0, text, sizeof text));
	table_cell(t, waits ? TERM_WARN : TERM_PLAIN, "%s%s",
		waits ? in->objects[thread->waits_for].name : "-", thread->mixed ? "~" : "");
	table_cell(t, TERM_PLAIN, "%s", waits ? since(v, thread->wait_since, text) : "-");
}

static void print_threads(const struct view *v)
{
	static const char *const heads[] = {
		">TID", "THREAD", ">PID", "STATE", "HOLDS", "WAITS FOR", ">WAITED", NULL};
	struct table t;

	printf("\n%zu of %d thread slots taken\n", v->in->thread_count, v->in->thread_slots);
	if (v->in->thread_count == 0)
		return;
	table_begin(&t, heads);
	for (size_t i = 0; i < v->in->thread_count; i++)
		add_thread(&t, v, (int)i);
	table_print(&t, stdout);
}

void show_people(const struct view *v)
{
	print_processes(v);
	print_threads(v);
}
