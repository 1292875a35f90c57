/* plan.c - every state, a sample of the rest, in a seeded order. */
#include "plan.h"
#include <stdlib.h>

enum {
	SHORT = 600,       /* where states are uncertain, all points of such operations */
	SECOND_FIRST = 3,  /* states of the first death that get a second one */
	SECOND_POINTS = 4, /* points of the second death for each */
	SECOND_SOAK = 16,
};

/* splitmix64 */
static uint64_t draw(struct campaign *c)
{
	uint64_t z = c->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static long draw_below(struct campaign *c, long limit)
{
	return (long)(draw(c) % (uint64_t)limit);
}

void plan_seed(struct campaign *c)
{
	uint64_t hash = c->options->seed;

	for (const char *p = c->op->name; *p; p++)
		hash = (hash ^ (uint64_t)*p) * 0x100000001b3;
	c->random = hash;
}

static void add(struct plan *plan, struct job job)
{
	if (plan->count == plan->room) {
		long room = plan->room ? 2 * plan->room : 256;
		void *jobs = realloc(plan->jobs, (size_t)room * sizeof *plan->jobs);

		if (!jobs)
			abort();
		plan->jobs = jobs;
		plan->room = room;
	}
	plan->jobs[plan->count++] = job;
}

void plan_free(struct plan *plan)
{
	free(plan->jobs);
	*plan = (struct plan){0};
}

static void shuffle(struct campaign *c, struct plan *plan)
{
	for (long i = plan->count - 1; i > 0; i--) {
		long j = draw_below(c, i + 1);
		struct job swap = plan->jobs[i];

		plan->jobs[i] = plan->jobs[j];
		plan->jobs[j] = swap;
	}
}

static bool is_state(const struct survey *s, long point)
{
	return s->targets[point].offset == 0;
}

static unsigned modes(const struct campaign *c)
{
	unsigned all = MODE_PLAIN | MODE_ZOMBIE | MODE_SECOND;

	return c->options->modes ? c->options->modes : all;
}

/* ---- the first death ---- */

static enum order choose_order(struct campaign *c, bool allow_together)
{
	int given = c->options->order;

	if (given >= 0)
		return (enum order)given;
	return (enum order)draw_below(c, allow_together ? ORDER_COUNT : TOGETHER);
}

/* A point with every order, and with and without a zombie if both are asked for. */
static void add_thoroughly(struct campaign *c, struct plan *plan, long point, int orders)
{
	for (int order = 0; order < orders; order++) {
		struct job j = {.point = point, .order = (enum order)order};

		if (c->options->order >= 0 && order != c->options->order)
			continue;
		if (modes(c) & MODE_PLAIN)
			add(plan, j);
		j.zombie = true;
		if ((modes(c) & MODE_ZOMBIE) && (orders == ORDER_COUNT || !(modes(c) & MODE_PLAIN)))
			add(plan, j);
	}
}

static void add_once(struct campaign *c, struct plan *plan, long point)
{
	struct job j = {.point = point, .order = choose_order(c, true)};
	unsigned kinds = modes(c) & (MODE_PLAIN | MODE_ZOMBIE);

	j.zombie = kinds == MODE_ZOMBIE || (kinds != MODE_PLAIN && draw(c) % 2);
	if (kinds)
		add(plan, j);
}

static void add_zombie(struct campaign *c, struct plan *plan, long point)
{
	struct job j = {.point = point, .order = choose_order(c, true), .zombie = true};

	if ((modes(c) & MODE_PLAIN) && (modes(c) & MODE_ZOMBIE))
		add(plan, j);
}

static void plan_states(struct campaign *c, struct plan *plan)
{
	for (long i = 0; i < c->survey.points; i++) {
		if (!is_state(&c->survey, i))
			continue;
		add_thoroughly(c, plan, i, c->options->soak ? ORDER_COUNT : TOGETHER);
		if (!c->options->soak)
			add_zombie(c, plan, i);
	}
}

/* So many of the points that are no state of their own, each with the same chance. */
static void plan_rest(struct campaign *c, struct plan *plan)
{
	long points = c->survey.points, rest = points - c->survey.states;
	long wanted = c->options->sample;
	bool uncertain = c->op->part == PART_SLEEPS && points <= SHORT;

	if (c->options->soak || uncertain || wanted > rest)
		wanted = rest;
	for (long i = 0; i < points; i++) {
		if (is_state(&c->survey, i))
			continue;
		if (draw_below(c, rest--) < wanted) {
			add_once(c, plan, i);
			wanted--;
		}
	}
}

/* ---- the second ---- */

static void add_second(struct campaign *c, struct plan *plan, long point)
{
	for (int order = EARLY_FIRST; order <= LATE_FIRST; order++) {
		struct job j = {.point = point, .order = (enum order)order, .second = true};

		if (order == EARLY_FIRST && (c->op->flags & LATE_ONLY))
			continue;
		if (c->options->order >= 0 && order != c->options->order)
			continue;
		j.point2 = -1;
		add(plan, j);
	}
}

static void plan_seconds(struct campaign *c, struct plan *plan)
{
	long states = c->survey.states, wanted = c->options->soak ? states : SECOND_FIRST;

	for (long i = 0; i + 1 < c->survey.points; i++)
		if (is_state(&c->survey, i) && draw_below(c, states--) < wanted) {
			add_second(c, plan, i);
			wanted--;
		}
	add_second(c, plan, c->survey.points - 1);
}

int plan_second_points(struct campaign *c, const struct survey *s, long *points)
{
	long states = s->states, wanted = c->options->soak ? SECOND_SOAK : SECOND_POINTS;
	int count = 0;

	if (c->options->point2 >= 0) {
		points[0] = c->options->point2;
		return c->options->point2 < s->points;
	}
	for (long i = 0; i < s->points; i++)
		if (is_state(s, i) && draw_below(c, states--) < wanted) {
			points[count++] = i;
			wanted--;
		}
	return count;
}

bool plan_zombie(struct campaign *c)
{
	if (!(modes(c) & MODE_ZOMBIE))
		return false;
	return c->options->modes || draw(c) % 2;
}

/* ---- all ---- */

static bool plan_point(struct campaign *c, struct plan *plan)
{
	long point = c->options->point;

	if (point >= c->survey.points)
		return false;
	if (!(modes(c) & MODE_SECOND) || !c->options->modes)
		add_thoroughly(c, plan, point, ORDER_COUNT);
	if (modes(c) & MODE_SECOND)
		add_second(c, plan, point);
	return true;
}

bool plan_make(struct campaign *c, struct plan *plan)
{
	if (c->options->point >= 0)
		return plan_point(c, plan);
	if (modes(c) & (MODE_PLAIN | MODE_ZOMBIE)) {
		plan_states(c, plan);
		plan_rest(c, plan);
	}
	if (modes(c) & MODE_SECOND)
		plan_seconds(c, plan);
	shuffle(c, plan);
	if (c->options->most && plan->count > c->options->most)
		plan->count = c->options->most;
	return true;
}
