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

const char *findings_holder(
	const struct ilk_inspection *in, const struct ilk_holder_info *h, char *out, size_t size)
{
	if (h->thread != ILK_NO_INDEX || h->process == ILK_NO_INDEX)
		return findings_thread(in, h->thread, out, size);
	snprintf(out, size, "%s (pid %d)", in->processes[h->process].name,
		in->processes[h->process].pid);
	return out;
}

const char *findings_how(const struct ilk_holder_info *h, char out[FINDINGS_HOW])
{
	snprintf(out, FINDINGS_HOW, "%s%s%s", h->how, h->what[0] ? " " : "", h->what);
	return out;
}

/* --- the findings --- */

enum { LONG = 1000000000 }; /* that something is held while others wait for it, in nanoseconds */
#define LONG_LEASE (INT64_C(10) * LONG) /* that a message is leased */

struct gathering {
	const char *name;
	const struct ilk_inspection *in;
	void (*each)(const struct finding *f, void *arg);
	void *arg;
	int wrong;
	int leased; /* the object whose leases of the dead were told last */
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

static struct finding about(const struct gathering *g, const char *kind,
	const struct ilk_object_info *o, int is_note, const char *subcommand)
{
	struct finding f = {.kind = kind, .object = o ? o->name : NULL, .is_note = is_note};

	if (subcommand)
		snprintf(f.next, sizeof f.next, "ilk %s %s", subcommand, g->name);
	return f;
}

static struct finding about_stopped(
	const struct ilk_object_info *o, const struct ilk_process_info *p)
{
	struct finding f = {.kind = "stopped owner", .object = o->name, .is_note = 1};

	snprintf(f.next, sizeof f.next, "kill -CONT %d", p->pid);
	return f;
}

/* --- what is wrong --- */

static void tell_dead_owner(struct gathering *g, const struct ilk_object_info *o)
{
	struct finding f = about(g, "dead owner", o, 0, "doctor");
	char owner[80];

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

static void tell_not_repaired(struct gathering *g, const struct ilk_object_info *o)
{
	int is_mutex = strcmp(o->type, "mutex") == 0;
	struct finding f = about(g, "not repaired", o, 0, "show");

	if (is_mutex && !o->embedded)
		snprintf(f.next, sizeof f.next, "ilk lock %s %s -- true", g->name, o->name);
	tell(g, f,
		"an owner died in it (its state is '%s'), and nobody has called ilk_%s_repaired() "
		"since%s",
		o->state, is_mutex ? "mutex" : o->type,
		is_mutex && !o->embedded ? "; once what it guards is in order, this declares it"
					 : "");
}

/*
 * A writer who waits for readers has changed nothing, and is taken out without a word; what one left
 * in the guard is put right by whoever enters next.
 */
static int is_harmless(const struct ilk_object_info *o)
{
	return strcmp(o->type, "guard") == 0 ||
	       (strcmp(o->type, "rwlock") == 0 && strncmp(o->state, "written", 7) != 0);
}

static void look_at_object(struct gathering *g, const struct ilk_object_info *o)
{
	if (o->damage[0])
		tell(g, about(g, "damage", o, 0, "doctor"),
			"%s; what is said of this %s is not to be relied on", o->damage, o->type);
	if (o->holder == ILK_HOLDER_DEAD && !is_harmless(o))
		tell_dead_owner(g, o);
	else if (strstr(o->state, "damaged"))
		tell_not_repaired(g, o);
	if (strcmp(o->type, "barrier") == 0 && strncmp(o->state, "broken", 6) == 0)
		tell(g, about(g, "broken", o, 0, "show"),
			"it is %s; who comes is told -EPIPE, until somebody calls "
			"ilk_barrier_reset()",
			o->state);
	if (strcmp(o->type, "queue") == 0 && strstr(o->state, "undeliverable"))
		tell(g, about(g, "undeliverable", o, 0, "doctor"),
			"messages were delivered as often as they may be (its state is '%s'), and the "
			"queue of dead letters cannot take them: it is not there, closed, full, or for "
			"shorter ones",
			o->state);
}

/* --- what is worth knowing --- */

static int holds_something(const struct ilk_inspection *in, int process)
{
	for (size_t i = 0; i < in->holder_count; i++)
		if (in->holders[i].process == process)
			return 1;
	return 0;
}

static void note_process(struct gathering *g, int i)
{
	const struct ilk_process_info *p = &g->in->processes[i];

	if (p->life == ILK_LIFE_DEAD && !holds_something(g->in, i))
		tell(g, about(g, "dead member", NULL, 1, NULL),
			"%s (pid %d) ended without closing the segment; it holds nothing, and its "
			"slot goes to the next who joins",
			p->name, p->pid);
	if (p->dumping && !holds_something(g->in, i))
		tell(g, about(g, "dumping core", NULL, 1, NULL),
			"%s (pid %d) dumps core: it is alive until that is done", p->name, p->pid);
}

static int is_of(const struct ilk_object_info *o, const char *type)
{
	return strcmp(o->type, type) == 0;
}

/* H is the first lease of the dead in O: all of them in one line. */
static void tell_dead_leases(
	struct gathering *g, const struct ilk_object_info *o, const struct ilk_holder_info *h)
{
	const struct ilk_holder_info *end = g->in->holders + g->in->holder_count;
	char who[80], held[TERM_TEXT];
	int count = 0;

	if (g->leased == h->object)
		return;
	g->leased = h->object;
	for (const struct ilk_holder_info *i = h; i < end && i->object == h->object; i++)
		count += i->life == ILK_HOLDER_DEAD && strcmp(i->how, "lease") == 0;
	tell(g, about(g, "leases of the dead", o, 0, "doctor"),
		"%d messages, taken and not finished, are the dead's, first of %s%s%s; who gets "
		"next gets them again",
		count, findings_holder(g->in, h, who, sizeof who),
		h->since > 0 ? ", for at least " : "",
		h->since > 0 ? term_duration(held, g->in->taken - h->since) : "");
}

/* Of a ring, a channel or a queue. */
static void note_dead_side(
	struct gathering *g, const struct ilk_object_info *o, const struct ilk_holder_info *h)
{
	char who[80];

	findings_holder(g->in, h, who, sizeof who);
	if (o->removed)
		return;
	if (is_of(o, "queue"))
		tell(g, about(g, "reservation of the dead", o, 1, NULL),
			"%s died before it had put what it reserved: that is passed over", who);
	else if (is_of(o, "ring") || is_of(o, "channel"))
		tell(g, about(g, "side of the dead", o, 1, NULL),
			"%s, which had a side of it (%s), died: the other side is told -EPIPE; who "
			"opens it next goes on",
			who, h->how);
}

static void note_dead_holder(
	struct gathering *g, const struct ilk_object_info *o, const struct ilk_holder_info *h)
{
	char who[80];

	findings_holder(g->in, h, who, sizeof who);
	if (strcmp(h->how, "lease") == 0)
		tell_dead_leases(g, o, h);
	else if (strcmp(h->how, "permits") == 0)
		tell(g, about(g, "dead holder", o, 1, NULL),
			"%s died with %u of it: they are free for whoever asks next", who,
			h->count);
	else if (strcmp(h->how, "will write") == 0)
		tell(g, about(g, "dead holder", o, 1, NULL),
			"%s died before it wrote: the next to come takes it out", who);
	else if (strcmp(h->how, "awaited") == 0)
		tell(g, about(g, "dead holder", o, 1, NULL),
			"%s died before it arrived: the barrier breaks, or goes on without it, at "
			"the next look of a waiter",
			who);
	else
		note_dead_side(g, o, h);
}

/* H is held while others wait: how long that is, and what its holder does. */
static void note_long(
	struct gathering *g, const struct ilk_object_info *o, const struct ilk_holder_info *h)
{
	const struct ilk_inspection *in = g->in;
	int waits = h->thread == ILK_NO_INDEX ? ILK_NO_INDEX : in->threads[h->thread].waits_for;
	char who[80], held[TERM_TEXT], waited[TERM_TEXT];

	/* A writer that waits for readers is not who is to be asked. */
	if (h->since <= 0 || in->taken - h->since < LONG || waits == h->object)
		return;
	findings_holder(in, h, who, sizeof who);
	term_duration(held, in->taken - h->since);
	if (waits == ILK_NO_INDEX)
		tell(g, about(g, "held long", o, 1, "deadlock"), "%s at least %s by %s; %d wait",
			strcmp(h->how, "awaited") == 0 ? "kept waiting" : "held", held, who,
			o->waiters);
	else
		tell(g, about(g, "held long", o, 1, "deadlock"),
			"%s at least %s by %s, itself waiting for %s for %s; %d wait",
			strcmp(h->how, "awaited") == 0 ? "kept waiting" : "held", held, who,
			in->objects[waits].name,
			term_duration(waited, in->taken - in->threads[h->thread].wait_since),
			o->waiters);
}

/* Known of the oldest lease at most; whether anybody waits for that nobody knows. */
static void note_lease(
	struct gathering *g, const struct ilk_object_info *o, const struct ilk_holder_info *h)
{
	char who[80], held[TERM_TEXT];

	if (h->since <= 0 || g->in->taken - h->since < LONG_LEASE)
		return;
	tell(g, about(g, "leased long", o, 1, NULL),
		"a message is leased at least %s by %s; %d are leased",
		term_duration(held, g->in->taken - h->since),
		findings_holder(g->in, h, who, sizeof who), o->leases);
}

static void note_holder(struct gathering *g, const struct ilk_holder_info *h)
{
	const struct ilk_object_info *o = &g->in->objects[h->object];
	const struct ilk_process_info *p =
		h->process == ILK_NO_INDEX ? NULL : &g->in->processes[h->process];
	char who[80], how[FINDINGS_HOW];

	findings_holder(g->in, h, who, sizeof who);
	findings_how(h, how);
	if (h->life == ILK_HOLDER_DEAD)
		note_dead_holder(g, o, h);
	else if (strcmp(h->how, "lease") == 0 && !(p && (findings_is_stopped(p) || p->dumping)))
		note_lease(g, o, h);
	else if (o->waiters == 0)
		return;
	else if (p && p->dumping)
		tell(g, about(g, "dumping core", o, 1, NULL),
			"%s holds it (%s) and dumps core; it dies when that is done, and %d wait",
			who, how, o->waiters);
	else if (p && findings_is_stopped(p))
		tell(g, about_stopped(o, p),
			"%s holds it (%s) and is stopped, not dead; %d wait until it goes on", who,
			how, o->waiters);
	else if (g->in->liveness != ILK_LIFE_UNKNOWN)
		note_long(g, o, h);
}

static void note_mixed(struct gathering *g)
{
	size_t objects = 0, threads = 0;

	for (size_t i = 0; i < g->in->object_count; i++)
		objects += (size_t)g->in->objects[i].mixed;
	for (size_t i = 0; i < g->in->thread_count; i++)
		threads += (size_t)g->in->threads[i].mixed;
	if (objects + threads)
		tell(g, about(g, "mixed", NULL, 1, NULL),
			"%zu objects and %zu threads changed at each look; what is said of them, "
			"marked by '~', may be of several moments",
			objects, threads);
}

static void note(struct gathering *g)
{
	if (g->in->liveness == ILK_LIFE_UNKNOWN)
		tell(g, about(g, "liveness", NULL, 1, NULL),
			"this is a copy, or of an earlier boot: who is alive cannot be told");
	note_mixed(g);
	for (size_t i = 0; i < g->in->holder_count; i++)
		note_holder(g, &g->in->holders[i]);
	for (size_t i = 0; i < g->in->process_count; i++)
		note_process(g, (int)i);
}

int findings_each_of(const char *name, const struct ilk_inspection *in,
	void (*each)(const struct finding *f, void *arg), void *arg)
{
	struct gathering g = {
		.name = name, .in = in, .each = each, .arg = arg, .leased = ILK_NO_INDEX};

	if (in->damage[0])
		tell(&g, about(&g, "damage", NULL, 0, "doctor"), "%s", in->damage);
	for (size_t i = 0; i < in->object_count; i++)
		look_at_object(&g, &in->objects[i]);
	note(&g);
	return g.wrong;
}

int findings_each(const struct ilk_inspection *in, void (*each)(const struct finding *f, void *arg),
	void *arg)
{
	return findings_each_of(in->name, in, each, arg);
}
