/* diagnosis.c - of a segment. What is wrong with a lock or its segment, findings.c finds. */
#include "ilk/diagnosis.h"
#include "ilk/diagnosis_tell.h"
#include "ilk/findings.h"
#include "ilk/term.h"
#include <string.h>

/* --- one segment --- */

struct patient {
	struct diagnoses *all;
	const char *name;
	const struct ilk_inspection *in, *later;
	size_t row; /* the first holder of the object that is looked at, or of a later one */
};

/* A name leads to it, and to no other. */
static enum remedy repair_of(const struct ilk_object_info *o)
{
	return o->embedded || o->removed || o->damage[0] ? REMEDY_NONE : REMEDY_REPAIR;
}

static void cure_by_repair(struct diagnosis *d, const struct ilk_object_info *o)
{
	d->remedy = repair_of(o);
	if (d->remedy == REMEDY_REPAIR)
		CURE(d, "the next to use it puts that right; `ilk doctor --fix %s` does it now",
			d->segment);
	else
		CURE(d, "the next to use it puts that right");
}

static const struct ilk_object_info *object_of(
	const struct ilk_inspection *in, const struct finding *f)
{
	for (size_t i = 0; f->object && i < in->object_count; i++)
		if (f->object == in->objects[i].name)
			return &in->objects[i];
	return NULL;
}

static void cure_finding(struct diagnosis *d, const struct patient *p, const struct finding *f)
{
	const struct ilk_object_info *o = object_of(p->in, f);

	if (o && (strcmp(f->kind, "dead owner") == 0 || strstr(f->kind, "of the dead")))
		cure_by_repair(d, o);
	else if (o && strcmp(f->kind, "undeliverable") == 0)
		CURE(d,
			"make room in its queue of dead letters, or make it; then the next get moves "
			"them there: ilk get %s %s",
			p->name, o->name);
	else if (o && strcmp(f->kind, "not repaired") == 0)
		CURE(d, "who locks it next puts right what it guards, and says so");
	else if (o && strcmp(f->kind, "damage") == 0)
		CURE(d,
			"keep a copy of %s%s for who looks into it; `ilk rm --object`, and its "
			"users make it anew",
			diagnosis_folder(p->name), p->name);
	else if (strcmp(f->kind, "damage") == 0)
		CURE(d,
			"end who uses it, keep a copy of %s%s for who looks into it, `ilk rm %s`, "
			"make it anew",
			diagnosis_folder(p->name), p->name, p->name);
	else if (o && strcmp(f->kind, "broken") == 0)
		CURE(d, "its surviving members call ilk_barrier_reset(), and go on");
	else if (strcmp(f->kind, "liveness") == 0)
		CURE(d, "look at it (`ilk show %s`), and remove it: ilk gc --copies %s", p->name,
			p->name);
	else if (f->next[0])
		CURE(d, "%s", f->next);
	else
		CURE(d, "nothing need be done");
}

static void pass_on(const struct finding *f, void *arg)
{
	struct patient *p = arg;
	struct diagnosis d = {
		.kind = f->kind, .segment = p->name, .object = f->object, .is_note = f->is_note};

	/* Told in sum by look_at_holders(). */
	if (strcmp(f->kind, "dead holder") == 0)
		return;
	EVIDENCE(&d, "%s", f->evidence);
	cure_finding(&d, p, f);
	diagnosis_tell(p->all, &d);
}

/* --- what the dead hold, told in sum --- */

struct dead_holders {
	int holders, lives;
	uint64_t count;
	const struct ilk_holder_info *first;
};

static struct dead_holders dead_holders(const struct patient *p, int object, const char *how)
{
	const struct ilk_inspection *in = p->in;
	struct dead_holders dead = {.holders = 0};

	for (size_t i = p->row; i < in->holder_count && in->holders[i].object == object; i++) {
		const struct ilk_holder_info *h = &in->holders[i];

		if (h->life != ILK_HOLDER_DEAD || strcmp(h->how, how) != 0)
			continue;
		dead.holders++;
		dead.count += h->count;
		if (!dead.first)
			dead.first = h;
	}
	return dead;
}

static void look_at_holders(struct patient *p, int i)
{
	static const struct {
		const char *how, *kind, *what;
		int each_is_one; /* `count` says something else */
	} kinds[] = {
		{"permits", "permits of the dead", "permits", 0},
		{"awaited", "waits for the dead", "members that have not arrived, and never will",
			1},
	};
	const struct ilk_object_info *o = &p->in->objects[i];
	char who[100];

	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		struct dead_holders dead = dead_holders(p, i, kinds[k].how);
		/* It comes right as soon as anybody asks. */
		struct diagnosis d = {
			.kind = kinds[k].kind, .segment = p->name, .object = o->name, .is_note = 1};

		if (dead.holders == 0)
			continue;
		EVIDENCE(&d, "%llu %s: of the dead, first of %s; %d wait",
			kinds[k].each_is_one ? (unsigned long long)dead.holders
					     : (unsigned long long)dead.count,
			kinds[k].what, findings_holder(p->in, dead.first, who, sizeof who),
			o->waiters);
		cure_by_repair(&d, o);
		diagnosis_tell(p->all, &d);
	}
	while (p->row < p->in->holder_count && p->in->holders[p->row].object <= i)
		p->row++;
}

static void look_at_once(struct patient *p, const struct ilk_object_info *o)
{
	struct diagnosis d = {
		.kind = "left undone", .segment = p->name, .object = o->name, .is_note = 1};

	if (!strstr(o->state, "not done, after a death"))
		return;
	EVIDENCE(&d, "who was at it died; %d wait", o->waiters);
	CURE(&d, "the next to begin it does it, and is told ILK_RECOVERED");
	diagnosis_tell(p->all, &d);
}

/* --- queues --- */

/*
 * Who puts finds no room. Who waits for a ring that has messages waits for that: its next one may be
 * large.
 */
static int is_full(const struct ilk_object_info *o)
{
	if (o->capacity == 0 || o->closed)
		return 0;
	return o->depth >= o->capacity ||
	       (strcmp(o->type, "ring") == 0 && o->depth > 0 && o->waiters > 0);
}

static const struct ilk_object_info *same_in(
	const struct ilk_inspection *later, const struct ilk_object_info *o)
{
	for (size_t i = 0; later && i < later->object_count; i++)
		if (later->objects[i].offset == o->offset &&
			strcmp(later->objects[i].name, o->name) == 0)
			return &later->objects[i];
	return NULL;
}

/* Who is there to take messages out of object I, which is O by now, as text. */
static const char *takers(
	const struct patient *p, int i, const struct ilk_object_info *o, char *out, size_t size)
{
	char who[100];

	snprintf(out, size, "%d processes have it open", o->openers);
	if (strcmp(o->type, "ring") != 0)
		return out;
	snprintf(out, size, "nobody reads it");
	for (size_t r = p->row; r < p->in->holder_count && p->in->holders[r].object == i; r++)
		if (strcmp(p->in->holders[r].how, "reads") == 0)
			snprintf(out, size, "it is read by %s",
				findings_holder(p->in, &p->in->holders[r], who, sizeof who));
	return out;
}

static void look_at_queue(struct patient *p, int i)
{
	const struct ilk_object_info *o = &p->in->objects[i], *then;
	struct diagnosis d = {.kind = "full", .segment = p->name, .object = o->name};
	char pause[TERM_TEXT], who[160];

	if (!p->later || !is_full(o))
		return;
	then = same_in(p->later, o);
	if (!then || !is_full(then) || then->got != o->got)
		return;
	EVIDENCE(&d,
		"%llu messages wait in it, and there is no room for another; in %s none was taken; "
		"%s",
		(unsigned long long)then->depth,
		term_duration(pause, p->later->taken - p->in->taken),
		takers(p, i, then, who, sizeof who));
	CURE(&d, "start who reads it, or find out why that one does not: ilk show %s %s", p->name,
		o->name);
	diagnosis_tell(p->all, &d);
}

int diagnosis_needs_later(const struct ilk_inspection *in)
{
	for (size_t i = 0; i < in->object_count; i++)
		if (is_full(&in->objects[i]))
			return 1;
	return 0;
}

/* --- room --- */

static void look_at_slots(struct patient *p, const char *what, int living, int slots)
{
	struct diagnosis d = {.kind = "slots nearly used up", .segment = p->name};

	if (!diagnosis_is_nearly((uint64_t)living, (uint64_t)slots))
		return;
	EVIDENCE(&d, "the living have %d of %d %s slots; who finds none is told -EUSERS", living,
		slots, what);
	CURE(&d,
		"make the segment anew with more (ilk create --%s N): one that is there cannot grow",
		what[0] == 'p' ? "processes" : "threads");
	diagnosis_tell(p->all, &d);
}

static void look_at_room(struct patient *p, int processes)
{
	struct diagnosis d = {.kind = "room nearly used up", .segment = p->name};
	char used[TERM_TEXT], bytes[TERM_TEXT];
	int threads = 0;

	for (size_t i = 0; i < p->in->thread_count; i++)
		threads += p->in->threads[i].life != ILK_LIFE_DEAD;
	if (p->in->liveness != ILK_LIFE_UNKNOWN) {
		look_at_slots(p, "process", processes, p->in->process_slots);
		look_at_slots(p, "thread", threads, p->in->thread_slots);
	}
	if (!diagnosis_is_nearly(p->in->used, p->in->bytes))
		return;
	EVIDENCE(&d, "%s of %s are given out; who finds no room is told -ENOSPC",
		term_bytes(used, p->in->used), term_bytes(bytes, p->in->bytes));
	CURE(&d, "free what is not needed, or make the segment anew with more (ilk create --size)");
	diagnosis_tell(p->all, &d);
}

static void look_for_use(struct patient *p, int processes)
{
	struct diagnosis d = {
		.kind = "unused", .segment = p->name, .is_note = 1, .remedy = REMEDY_COLLECT};

	if (processes > 0 || p->in->liveness == ILK_LIFE_UNKNOWN)
		return;
	if (p->in->process_count)
		EVIDENCE(&d, "no process lives in it: %zu died in it", p->in->process_count);
	else
		EVIDENCE(&d, "no process is in it: all have left");
	CURE(&d, "if nobody needs what it keeps, remove it: ilk gc %s", p->name);
	diagnosis_tell(p->all, &d);
}

void diagnose_segment(struct diagnoses *all, const char *name, const struct ilk_inspection *in,
	const struct ilk_inspection *later)
{
	struct patient p = {.all = all, .name = name, .in = in, .later = later};
	int processes = 0;

	findings_each_of(name, in, pass_on, &p);
	for (size_t i = 0; i < in->object_count; i++) {
		look_at_queue(&p, (int)i);
		look_at_holders(&p, (int)i);
		look_at_once(&p, &in->objects[i]);
	}
	for (size_t i = 0; i < in->process_count; i++)
		processes += in->processes[i].life != ILK_LIFE_DEAD;
	look_at_room(&p, processes);
	look_for_use(&p, processes);
}
