/* walk.c - stepping, and the record of it. */
#include "walk.h"
#include <stdlib.h>

enum { LONGEST = 4000000 };

static bool grow(struct survey *s)
{
	long room = s->room ? 2 * s->room : 1024;
	void *targets = realloc(s->targets, (size_t)room * sizeof *s->targets);
	void *addresses;

	if (!targets)
		return false;
	s->targets = targets;
	addresses = realloc(s->addresses, (size_t)room * sizeof *s->addresses);
	if (!addresses)
		return false;
	s->addresses = addresses;
	s->room = room;
	return true;
}

static void note(struct walk *w)
{
	struct survey *s = w->survey;

	if (!s || (s->points == s->room && !grow(s)))
		return;
	w->at.address = w->traced->address;
	s->targets[s->points] = w->at;
	s->addresses[s->points++] = w->traced->address;
	s->states = w->at.state + 1;
}

void survey_free(struct survey *survey)
{
	free(survey->targets);
	free(survey->addresses);
	*survey = (struct survey){0};
}

static void moved(struct walk *w, bool new_state)
{
	w->at.point++;
	w->at.offset++;
	if (new_state) {
		w->at.state++;
		w->at.offset = 0;
		w->at.entered = w->traced->address;
	}
	if (w->last == STEP_CALL) {
		w->at.calls++;
		w->at.call_point = w->at.point;
		w->at.call_state = w->at.state;
	}
	note(w);
}

/* A repeated string instruction is come by once, before its first repetition. */
static bool is_entry(const struct survey *s, long point)
{
	return point == 0 || s->addresses[point] != s->addresses[point - 1];
}

static void set_anchor(struct survey *s, struct target *t)
{
	const struct target *a;
	long at = t->point;

	while (at > t->call_point && !is_entry(s, at))
		at--;
	a = &s->targets[at];
	t->hits = 0;
	t->anchor = at;
	t->anchor_address = s->addresses[at];
	t->anchor_state = a->state;
	t->anchor_offset = a->offset;
	t->anchor_entered = a->entered;
	for (long i = t->call_point + 1; i <= at; i++)
		t->hits += s->addresses[i] == t->anchor_address && is_entry(s, i);
}

/* Runs up to the target's anchor. Who goes another way is killed where that is seen: he has strayed. */
static void skip_to_anchor(struct walk *w)
{
	const struct target *t = w->target;

	w->last = traced_run_to(w->traced, t->anchor_address, t->hits);
	if (w->last == STEP_LOST)
		return;
	w->strayed = w->last != STEP_PLAIN;
	w->at.point = t->anchor;
	w->at.state = t->anchor_state;
	w->at.offset = t->anchor_offset;
	w->at.entered = t->anchor_entered;
}

/* Runs up to the last system call before the target: nothing on the way is of interest. */
static void skip_calls(struct walk *w)
{
	const struct target *t = w->target;

	w->last = traced_skip_calls(w->traced, t->calls);
	w->at = (struct target){
		.point = t->call_point,
		.state = t->call_state,
		.entered = w->traced->address,
		.calls = t->calls,
		.call_point = t->call_point,
		.call_state = t->call_state,
	};
}

static void skip(struct walk *w)
{
	const struct target *t = w->target;

	if (!t || t->by_count || w->flags & FROM_SLEEP)
		return;
	if (t->calls)
		skip_calls(w);
	if (t->hits && w->last != STEP_LOST && w->last != STEP_END)
		skip_to_anchor(w);
}

static bool arrived(const struct walk *w)
{
	const struct target *t = w->target;

	if (w->strayed || w->last == STEP_LOST || w->last == STEP_END || w->at.point >= LONGEST)
		return true;
	if (!t)
		return false;
	if (t->by_count)
		return w->at.point >= t->point;
	if (w->at.state == t->state)
		return w->at.offset >= t->offset;
	return w->at.state > t->state;
}

static bool go_on(struct walk *w)
{
	bool changed;

	w->last = traced_step(w->traced, w->flags & ENDS_ASLEEP);
	if (w->last == STEP_END || w->last == STEP_LOST)
		return false;
	changed = watch_changed(&w->watch);
	moved(w, changed || w->last != STEP_PLAIN);
	return w->last != STEP_GONE && w->last != STEP_ASLEEP;
}

/* Point 0 is the sleep. True: it goes on from there. */
static bool begin_asleep(struct walk *w)
{
	w->last = traced_run_to_sleep(w->traced);
	note(w);
	if (w->last != STEP_ASLEEP) {
		w->missed = true;
		w->last = STEP_LOST;
		return false;
	}
	if (arrived(w))
		return false;
	if (w->flags & WOKEN && !w->wake(w->arg))
		w->last = STEP_LOST;
	else
		w->last = traced_awake(w->traced);
	moved(w, true);
	return w->last == STEP_CALL;
}

static bool begin(struct walk *w)
{
	w->at = (struct target){.entered = w->traced->address};
	w->last = STEP_PLAIN;
	if (w->flags & FROM_SLEEP)
		return begin_asleep(w);
	note(w);
	skip(w);
	return true;
}

bool walk(struct walk *w, const char *segment)
{
	int64_t until = now_ns() + w->limit_ms * 1000000LL;

	bool going = begin(w);

	watch_begin(&w->watch, segment);
	while (going && !arrived(w) && go_on(w))
		if (now_ns() > until)
			w->last = STEP_LOST;
	watch_end(&w->watch);
	for (long i = 0; w->survey && i < w->survey->points; i++)
		set_anchor(w->survey, &w->survey->targets[i]);
	return w->last != STEP_LOST;
}

bool walk_strayed(const struct walk *w)
{
	const struct target *t = w->target;

	if (!t || w->strayed)
		return w->strayed;
	if (t->by_count)
		return w->at.point != t->point;
	if (t->hits && w->last == STEP_PLAIN && w->traced->address != t->address)
		return true;
	return w->at.state != t->state || w->at.entered != t->entered;
}
