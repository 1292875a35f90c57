/* findings.c - see findings.h. */
#include "ilk/findings.h"
#include "ilk/term.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- words --- */

int findings_is_stopped(const struct ilk_process_info *process)
{
	return process->life == ILK_LIFE_ALIVE &&
	       (process->run_state == 'T' || process->run_state == 't');
}

const char *findings_state(const struct ilk_process_info *process)
{
	if (process->life == ILK_LIFE_DEAD)
		return "dead";
	if (process->life == ILK_LIFE_UNKNOWN)
		return "unknown";
	if (process->dumping)
		return "dumping core";
	return findings_is_stopped(process) ? "stopped" : "alive";
}

const char *findings_thread(const struct ilk_inspection *in, int thread, char *out, size_t size)
{
	const struct ilk_thread_info *t;

	if (thread == ILK_NO_INDEX) {
		snprintf(out, size, "unknown");
		return out;
	}
	t = &in->threads[thread];
	if (t->process == ILK_NO_INDEX)
		snprintf(out, size, "%s (thread %d)", t->name, t->tid);
	else
		snprintf(out, size, "%s (pid %d, thread %d)", t->name,
			in->processes[t->process].pid, t->tid);
	return out;
}

/* --- the findings --- */

struct gathering {
	const struct ilk_inspection *in;
	void (*each)(const struct finding *f, void *arg);
	void *arg;
	int wrong;
};

static void tell(struct gathering *g, struct finding f, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(struct gathering *g, struct finding f, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(f.evidence, sizeof f.evidence, format, arguments);
	va_end(arguments);
	g->wrong += !f.is_note;
	g->each(&f, g->arg);
}

static void tell_dead_owner(struct gathering *g, const struct ilk_object_info *o)
{
	char owner[80];
	const struct finding f = {.kind = "dead owner", .object = o->name};

	if (o->owner == ILK_NO_INDEX)
		tell(g, f,
			"its owner died holding it, and that owner's slot has passed on; %d wait; "
			"the next to lock it is told ILK_RECOVERED",
			o->waiters);
	else
		tell(g, f,
			"%s died holding it: the kernel keeps that process's life lock no more; %d "
			"wait; the next to lock it is told ILK_RECOVERED",
			findings_thread(g->in, o->owner, owner, sizeof owner), o->waiters);
}

static void look_at_object(struct gathering *g, const struct ilk_object_info *o)
{
	if (o->damage[0])
		tell(g, (struct finding){.kind = "damage", .object = o->name},
			"%s; what is said of this %s is not to be relied on", o->damage, o->type);
	if (o->holder == ILK_HOLDER_DEAD)
		tell_dead_owner(g, o);
	else if (strstr(o->state, "damaged"))
		tell(g, (struct finding){.kind = "not repaired", .object = o->name},
			"an owner died in it (its state is '%s'), and nobody has called "
			"ilk_%s_repaired() since",
			o->state, o->type);
}

static int holds_something(const struct ilk_inspection *in, int process)
{
	for (size_t i = 0; i < in->object_count; i++) {
		int owner = in->objects[i].owner;

		if (owner != ILK_NO_INDEX && in->threads[owner].process == process)
			return 1;
	}
	for (size_t i = 0; i < in->holder_count; i++)
		if (in->holders[i].process == process)
			return 1;
	return 0;
}

static void note_process(struct gathering *g, int i)
{
	const struct ilk_process_info *p = &g->in->processes[i];

	if (p->life == ILK_LIFE_DEAD && !holds_something(g->in, i))
		tell(g, (struct finding){.kind = "dead member", .is_note = 1},
			"%s (pid %d) ended without closing the segment; it holds nothing, and its "
			"slot goes to the next who joins",
			p->name, p->pid);
}

static void note_stopped_holder(struct gathering *g, const struct ilk_object_info *o)
{
	int process = o->owner == ILK_NO_INDEX ? ILK_NO_INDEX : g->in->threads[o->owner].process;
	char owner[80];

	if (process == ILK_NO_INDEX || !findings_is_stopped(&g->in->processes[process]))
		return;
	tell(g, (struct finding){.kind = "stopped owner", .object = o->name, .is_note = 1},
		"%s holds it and is stopped, not dead; %d wait until it goes on",
		findings_thread(g->in, o->owner, owner, sizeof owner), o->waiters);
}

static void note(struct gathering *g)
{
	if (g->in->liveness == ILK_LIFE_UNKNOWN)
		tell(g, (struct finding){.kind = "liveness", .is_note = 1},
			"this is a copy, or of an earlier boot: who is alive cannot be told");
	for (size_t i = 0; i < g->in->object_count; i++)
		note_stopped_holder(g, &g->in->objects[i]);
	for (size_t i = 0; i < g->in->process_count; i++)
		note_process(g, (int)i);
}

int findings_each(const struct ilk_inspection *in, void (*each)(const struct finding *f, void *arg),
	void *arg)
{
	struct gathering g = {.in = in, .each = each, .arg = arg};

	if (in->damage[0])
		tell(&g, (struct finding){.kind = "damage"}, "%s", in->damage);
	for (size_t i = 0; i < in->object_count; i++)
		look_at_object(&g, &in->objects[i]);
	note(&g);
	return g.wrong;
}
