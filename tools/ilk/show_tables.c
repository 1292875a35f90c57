/* show_tables.c - ilk show for people. */
#include "ilk/findings.h"
#include "ilk/show.h"
#include "ilk/table.h"
#include <string.h>
#include <time.h>

/* For how long, or "-" where the clock says nothing: unknown, or the clock of another boot. */
static const char *since(const struct ilk_inspection *in, ilk_time when, char out[TERM_TEXT])
{
	if (when <= 0 || in->liveness == ILK_LIFE_UNKNOWN)
		return strcpy(out, "-");
	return term_duration(out, in->taken - when);
}

static void print_header(const char *name, const struct ilk_inspection *in)
{
	char clean[300], bytes[TERM_TEXT], used[TERM_TEXT], age[TERM_TEXT];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	term_duration(age, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - in->created);
	term_print(stdout, TERM_BOLD, term_clean(clean, sizeof clean, name));
	printf(": %s, %s used, made %s ago, uid %u, mode %04o, layout %u, %s%s%s\n",
		term_bytes(bytes, in->bytes), term_bytes(used, in->used), age, in->uid,
		in->mode & 07777, in->version, in->asymmetric ? "asymmetric" : "fenced",
		in->transient ? ", transient" : "", in->order ? ", order" : "");
}

/* --- processes --- */

static enum term_style style_of(const struct ilk_process_info *p)
{
	if (p->life == ILK_LIFE_DEAD)
		return TERM_BAD;
	return findings_is_stopped(p) ? TERM_WARN : TERM_PLAIN;
}

static int count_threads(const struct ilk_inspection *in, int process)
{
	int n = 0;

	for (size_t i = 0; i < in->thread_count; i++)
		n += in->threads[i].process == process;
	return n;
}

static void print_processes(const struct ilk_inspection *in)
{
	static const char *const heads[] = {
		">PID", "PROCESS", "STATE", ">THREADS", ">UID", ">JOINED AGO", NULL};
	struct table t;
	char text[TERM_TEXT];

	printf("\n%zu of %d process slots taken\n", in->process_count, in->process_slots);
	if (in->process_count == 0)
		return;
	table_begin(&t, heads);
	for (size_t i = 0; i < in->process_count; i++) {
		const struct ilk_process_info *p = &in->processes[i];

		table_cell(&t, TERM_PLAIN, "%d", p->pid);
		table_cell(&t, TERM_PLAIN, "%s", p->name);
		table_cell(&t, style_of(p), "%s", findings_state(p));
		table_cell(&t, TERM_PLAIN, "%d", count_threads(in, (int)i));
		table_cell(&t, TERM_PLAIN, "%u", p->uid);
		table_cell(&t, TERM_PLAIN, "%s", since(in, p->joined, text));
	}
	table_print(&t, stdout);
}

/* --- threads --- */

/* The names of what THREAD holds, with commas. */
static const char *holdings(const struct ilk_inspection *in, int thread, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < in->object_count && at < size; i++)
		if (in->objects[i].owner == thread)
			at += (size_t)snprintf(
				out + at, size - at, "%s%s", at ? ", " : "", in->objects[i].name);
	return at ? out : strcpy(out, "-");
}

static void add_thread(struct table *t, const struct ilk_inspection *in, int i)
{
	const struct ilk_thread_info *thread = &in->threads[i];
	const struct ilk_process_info *p =
		thread->process == ILK_NO_INDEX ? NULL : &in->processes[thread->process];
	int waits = thread->waits_for != ILK_NO_INDEX;
	char text[200];

	table_cell(t, TERM_PLAIN, "%d", thread->tid);
	table_cell(t, TERM_PLAIN, "%s", thread->name);
	if (p)
		table_cell(t, TERM_PLAIN, "%d", p->pid);
	else
		table_cell(t, TERM_PLAIN, "-");
	table_cell(t, p ? style_of(p) : TERM_PLAIN, "%s", p ? findings_state(p) : "unknown");
	table_cell(t, TERM_PLAIN, "%s", holdings(in, i, text, sizeof text));
	table_cell(t, waits ? TERM_WARN : TERM_PLAIN, "%s",
		waits ? in->objects[thread->waits_for].name : "-");
	table_cell(t, TERM_PLAIN, "%s", waits ? since(in, thread->wait_since, text) : "-");
}

static void print_threads(const struct ilk_inspection *in)
{
	static const char *const heads[] = {
		">TID", "THREAD", ">PID", "STATE", "HOLDS", "WAITS FOR", ">WAITED", NULL};
	struct table t;

	printf("\n%zu of %d thread slots taken\n", in->thread_count, in->thread_slots);
	if (in->thread_count == 0)
		return;
	table_begin(&t, heads);
	for (size_t i = 0; i < in->thread_count; i++)
		add_thread(&t, in, (int)i);
	table_print(&t, stdout);
}

/* --- objects --- */

static void add_holder(
	struct table *t, const struct ilk_inspection *in, const struct ilk_object_info *o)
{
	static const char *const life[] = {"", "", " dead", " unknown"};
	char text[100];

	if (o->holder == ILK_HOLDER_NONE)
		table_cell(t, TERM_PLAIN, "-");
	else
		table_cell(t, o->holder == ILK_HOLDER_DEAD ? TERM_BAD : TERM_PLAIN, "%s%s",
			findings_thread(in, o->owner, text, sizeof text), life[o->holder]);
}

/* TEXT, but only if OF, what it is part of, ever happened. */
static void add_statistic(struct table *t, uint64_t of, const char *text)
{
	table_cell(t, TERM_PLAIN, "%s", of ? text : "-");
}

static void add_object(
	struct table *t, const struct ilk_inspection *in, const struct ilk_object_info *o)
{
	char text[TERM_TEXT];

	table_cell(t, TERM_PLAIN, "%s", o->name);
	table_cell(t, TERM_PLAIN, "%s", o->type);
	table_cell(t, o->damage[0] ? TERM_BAD : TERM_PLAIN, "%s%s",
		o->damage[0] ? "damaged" : o->state, o->removed ? ", removed" : "");
	add_holder(t, in, o);
	table_cell(t, TERM_PLAIN, "%s%s", o->held_since > 0 ? ">= " : "",
		since(in, o->held_since, text));
	table_cell(t, o->waiters ? TERM_WARN : TERM_PLAIN, "%d", o->waiters);
	add_statistic(t, o->acquired, term_number(text, (int64_t)o->acquired));
	add_statistic(t, o->acquired, term_number(text, (int64_t)o->contended));
	add_statistic(t, o->contended, term_duration(text, (int64_t)o->waited_ns));
	if (o->embedded)
		table_cell(t, TERM_PLAIN, "-");
	else
		table_cell(t, TERM_PLAIN, "%d", o->openers);
}

static void print_objects(const struct ilk_inspection *in)
{
	static const char *const heads[] = {"OBJECT", "TYPE", "STATE", "HELD BY", ">HELD FOR",
		">WAITING", ">ACQUIRED", ">CONTENDED", ">TIME WAITED", ">OPEN IN", NULL};
	struct table t;

	printf("\n%zu object%s\n", in->object_count, in->object_count == 1 ? "" : "s");
	if (in->object_count == 0)
		return;
	table_begin(&t, heads);
	for (size_t i = 0; i < in->object_count; i++)
		add_object(&t, in, &in->objects[i]);
	table_print(&t, stdout);
}

/* --- what is wrong --- */

static void print_finding(const struct finding *f, void *arg)
{
	char line[sizeof f->evidence + 100], clean[sizeof line];
	int *printed = arg;

	if ((*printed)++ == 0)
		putchar('\n');
	term_print(stdout, f->is_note ? TERM_BOLD : TERM_BAD, f->is_note ? "note: " : "wrong: ");
	term_print(stdout, TERM_PLAIN, f->kind);
	snprintf(line, sizeof line, "%s%s: %s", f->object ? ": " : "", f->object ? f->object : "",
		f->evidence);
	printf("%s\n", term_clean(clean, sizeof clean, line));
}

int show_tables(const char *name, const struct ilk_inspection *in)
{
	int printed = 0;

	print_header(name, in);
	print_processes(in);
	print_threads(in);
	print_objects(in);
	return findings_each(in, print_finding, &printed);
}
