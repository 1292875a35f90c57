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

/* Runs up to the last system call before the target: nothing on the way is of interest. */
static void skip(struct walk *w)
{
	const struct target *t = w->target;

	if (!t || !t->calls || t->by_count || w->flags & FROM_SLEEP)
		return;
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

static bool arrived(const struct walk *w)
{
	const struct target *t = w->target;

	if (w->last == STEP_LOST || w->last == STEP_END || w->at.point >= LONGEST)
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
	return w->last != STEP_LOST;
}

bool walk_strayed(const struct walk *w)
{
	const struct target *t = w->target;

	if (!t)
		return false;
	if (t->by_count)
		return w->at.point != t->point;
	return w->at.state != t->state || w->at.entered != t->entered;
}
