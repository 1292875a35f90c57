/*
 * campaign.c - which points of an operation are tried, and what their outcomes must add up to.
 *
 * First a run without a death, then surveys: the operation stepped to its end, until two agree on
 * the number of states. Then the trials: every state, with both kinds of survivor first; a seeded
 * sample of the other points (--soak: all); and for some states a second death, at a sample of the
 * states of the recovery.
 */
#include "campaign.h"
#include "plan.h"
#include "symbol.h"
#include <stdio.h>
#include <string.h>

enum { SURVEYS = 6, ATTEMPTS = 5, SURVEY_TRIES = 3 };

static const char *const order_names[ORDER_COUNT] = {"early", "late", "together"};

void campaign_title(void)
{
	printf("%-22s %8s %7s %6s %9s %7s %7s %11s\n", "operation", "points", "states", "tried",
		"survived", "zombie", "second", "slowest ms");
}

/* ---- reports ---- */

void campaign_row(const struct operation *op, const struct tally *t)
{
	printf("%-22s %8ld %7ld %6ld %9ld %7ld %7ld %11.2f\n", op->name, t->points, t->states,
		t->tried, t->survived, t->zombie, t->second, (double)t->slowest / 1e6);
	if (t->strayed)
		printf("  (%ld of them were killed elsewhere than planned)\n", t->strayed);
	if (t->left_out)
		printf("  (%ld more were left out: %s)\n", t->left_out,
			t->given_up ? "too many failures" : "no time");
	fflush(stdout);
}

/* The command line that kills at the same point again. */
static void print_again(const struct campaign *c, const struct job *j)
{
	printf("    again: %s --operation %s --point %ld --order %s --seed %lu%s",
		c->options->program, c->op->name, j->point, order_names[j->order],
		(unsigned long)c->options->seed, j->zombie ? " --zombie" : "");
	if (j->second && j->point2 < 0)
		printf(" --second");
	else if (j->second)
		printf(" --second=%ld", j->point2);
	printf("\n");
}

static void report(struct campaign *c, const struct job *j, const struct verdict *v)
{
	char where[192];

	c->failures++;
	if (c->options->quiet)
		return;
	symbol_describe(v->address, where, sizeof where);
	printf("  NOT SURVIVED %s: point %ld of %ld, %s\n    %s\n", c->op->name, j->point,
		c->survey.points - 1, where, v->said);
	print_again(c, j);
}

/* A run that kills nobody, or kills at the end, has gone wrong: nothing else can be tried. */
static bool give_up(struct campaign *c, const char *run, const struct verdict *v)
{
	c->failures++;
	if (!c->options->quiet)
		printf("  NOT SURVIVED %s: %s\n    %s\n", c->op->name, run, v->said);
	return false;
}

/* ---- the outcome: has the operation happened? ---- */

static long place(const struct target *t)
{
	return t->by_count ? t->point : t->state;
}

/* Once it has happened at one place, it has at every later one. */
static bool keeps_order(struct campaign *c, long at, long outcome)
{
	if (outcome == c->op->before && at > c->last_before)
		c->last_before = at;
	if (outcome == c->op->after && at < c->first_after)
		c->first_after = at;
	return c->op->before == c->op->after || c->last_before < c->first_after;
}

static bool fits_ends(const struct campaign *c, long at, long outcome)
{
	if (at == place(&c->survey.targets[0]) && outcome != c->op->before)
		return false;
	if (at == place(&c->survey.targets[c->survey.points - 1]) && outcome != c->op->after)
		return false;
	return outcome == c->op->before || outcome == c->op->after;
}

static void judge_outcome(struct campaign *c, const struct job *j, struct verdict *v)
{
	long at = place(&c->survey.targets[j->point]);

	if (c->op->before == NO_OUTCOME || j->second || v->strayed || !v->survived)
		return;
	if (v->outcome == NO_OUTCOME && j->order == TOGETHER)
		return;
	if (fits_ends(c, at, v->outcome) && keeps_order(c, at, v->outcome))
		return;
	v->survived = false;
	snprintf(v->said, sizeof v->said, "outcome %ld does not fit its neighbours (%ld to %ld)",
		v->outcome, c->op->before, c->op->after);
}

/* ---- trials ---- */

static struct trial trial_of(const struct campaign *c, const struct job *j)
{
	return (struct trial){
		.operation = c->op,
		.order = j->order,
		.zombie = j->zombie,
		.victim = true,
		.second = j->second,
		.target = &c->survey.targets[j->point],
		.reference = c->reference,
		.limit_ms = c->options->limit_ms,
	};
}

static void count(struct campaign *c, const struct job *j, const struct verdict *v)
{
	struct tally *t = c->tally;

	t->tried++;
	t->survived += v->survived;
	t->zombie += j->zombie;
	t->second += j->second;
	t->strayed += v->strayed;
	if (v->slowest > t->slowest)
		t->slowest = v->slowest;
}

/* True: go on with others. */
static bool attempt(struct campaign *c, const struct job *j, struct survey *survey2,
	const struct target *target2)
{
	struct trial t = trial_of(c, j);
	struct target stepped;
	struct verdict v;

	if (now_ns() >= c->options->until || c->failures >= c->options->failures) {
		c->tally->left_out++;
		return false;
	}
	t.survey2 = survey2;
	t.target2 = target2;
	for (int i = 0; i < ATTEMPTS; i++) {
		if (survey2)
			survey_free(survey2);
		/* At full speed it goes another way, perhaps. */
		stepped = *t.target;
		stepped.hits = 0;
		if (i > 0)
			t.target = &stepped;
		trial_run(&t, &v);
		if (!v.missed && (!v.survived || !v.strayed))
			break;
	}
	judge_outcome(c, j, &v);
	count(c, j, &v);
	if (!v.survived)
		report(c, j, &v);
	return v.survived;
}

/* ---- a second death ---- */

static void try_second_points(struct campaign *c, struct job j, const struct survey *s)
{
	long points[PLAN_SECOND_MOST];
	int count = plan_second_points(c, s, points);

	for (int i = 0; i < count; i++) {
		j.point2 = points[i];
		j.zombie = plan_zombie(c);
		attempt(c, &j, NULL, &s->targets[points[i]]);
	}
}

/* One that recovers after the death at J's point: first to its end, then killed on the way. */
static void try_second(struct campaign *c, struct job j)
{
	struct survey survey2 = {0};

	j.zombie = false;
	j.point2 = -1;
	if (attempt(c, &j, &survey2, NULL) && survey2.points)
		try_second_points(c, j, &survey2);
	survey_free(&survey2);
}

/* ---- the whole ---- */

static bool run_reference(struct campaign *c)
{
	struct trial t = {
		.operation = c->op,
		.order = EARLY_FIRST,
		.limit_ms = c->options->limit_ms,
	};
	struct verdict v;

	trial_run(&t, &v);
	memcpy(c->reference, v.reference, sizeof c->reference);
	return v.survived || give_up(c, "without any victim", &v);
}

static bool survey_once(struct campaign *c, struct survey *s)
{
	struct trial t = {
		.operation = c->op,
		.order = EARLY_FIRST,
		.victim = true,
		.survey = s,
		.reference = c->reference,
		.limit_ms = c->options->limit_ms,
	};
	struct verdict v;

	/* Nobody is killed here: on a busy machine a stepped process can be too slow to fall asleep. */
	for (int tries = 0; tries < SURVEY_TRIES; tries++) {
		survey_free(s);
		trial_run(&t, &v);
		if (v.survived)
			return true;
	}
	return give_up(c, "without a kill", &v);
}

/* Other processes' changes to the segment look like states: the survey with the fewest is right. */
static bool run_surveys(struct campaign *c)
{
	bool agreed = false;

	for (int i = 0; i < SURVEYS && !agreed; i++) {
		struct survey s = {0};

		if (!survey_once(c, &s)) {
			survey_free(&s);
			return false;
		}
		agreed = i > 0 && s.states == c->survey.states;
		if (i == 0 || s.states <= c->survey.states) {
			survey_free(&c->survey);
			c->survey = s;
		} else {
			survey_free(&s);
		}
	}
	for (long i = 0; c->op->part == PART_SLEEPS && i < c->survey.points; i++)
		c->survey.targets[i].by_count = true;
	return true;
}

static void run_jobs(struct campaign *c)
{
	struct plan plan = {0};

	if (!plan_make(c, &plan)) {
		give_up(c, "no such point", &(struct verdict){.said = "see --list"});
		return;
	}
	for (long i = 0; i < plan.count; i++) {
		if (plan.jobs[i].second && plan.jobs[i].point2 < 0)
			try_second(c, plan.jobs[i]);
		else
			attempt(c, &plan.jobs[i], NULL, NULL);
	}
	plan_free(&plan);
}

bool campaign_run(const struct operation *op, const struct options *options, struct tally *tally)
{
	struct campaign c = {
		.op = op,
		.options = options,
		.tally = tally,
		.last_before = -1,
		.first_after = INT64_MAX,
	};

	*tally = (struct tally){0};
	plan_seed(&c);
	if (run_reference(&c) && run_surveys(&c)) {
		tally->points = c.survey.points;
		tally->states = c.survey.states;
		run_jobs(&c);
	}
	tally->given_up = c.failures >= options->failures;
	survey_free(&c.survey);
	return c.failures == 0;
}
