/* rows.c - see rows.h: which rows there are, and in which order. */
#include "ilk/rows.h"
#include "ilk/findings.h"
#include "ilk/report.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- who holds it --- */

const char *rows_owner(const struct row *row, char *out, size_t size)
{
	static const char *const life[] = {"", "", " dead", " unknown"};
	const struct ilk_inspection *in = row->segment->now;
	const struct ilk_object_info *o = row->object;
	const struct ilk_holder_info *h = row->holder;
	char who[80];

	out[0] = '\0';
	if (o->holder != ILK_HOLDER_NONE)
		snprintf(out, size, "%s%s", findings_thread(in, o->owner, who, sizeof who),
			life[o->holder]);
	else if (h && h->thread == ILK_NO_INDEX && h->process != ILK_NO_INDEX)
		snprintf(out, size, "%s (pid %d)%s", in->processes[h->process].name,
			in->processes[h->process].pid, h->life == ILK_HOLDER_DEAD ? " dead" : "");
	else if (h)
		snprintf(out, size, "%s%s", findings_thread(in, h->thread, who, sizeof who),
			h->life == ILK_HOLDER_DEAD ? " dead" : "");
	return out;
}

/* --- which --- */

static int is_kept(const struct rows *r, const struct row *row)
{
	const struct ilk_object_info *o = row->object;
	char owner[120];

	if (!r->filter || !r->filter[0])
		return 1;
	return strcasestr(o->name, r->filter) || strcasestr(o->type, r->filter) ||
	       strcasestr(row->segment->name, r->filter) ||
	       strcasestr(rows_owner(row, owner, sizeof owner), r->filter);
}

static int is_asked_for(const struct rows *r, const struct ilk_object_info *o)
{
	for (int i = 0; i < r->only_count; i++)
		if (strcmp(r->only[i], o->name) == 0)
			return 1;
	return r->only_count == 0;
}

static void add(struct rows *r, const struct row *row)
{
	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->all = realloc(r->all, r->room * sizeof *r->all);
		if (!r->all)
			exit(complain("", "out of memory"));
	}
	r->all[r->count++] = *row;
}

static void gather_segment(struct rows *r, const struct sampled *segment)
{
	const struct ilk_inspection *in = segment->now;
	size_t holder = 0;

	for (size_t i = 0; i < in->object_count; i++) {
		struct row row = {
			.segment = segment, .object = &in->objects[i], .rate = &segment->rates[i]};

		/* The holders are in the order of their objects. */
		while (holder < in->holder_count && in->holders[holder].object < (int)i)
			holder++;
		if (holder < in->holder_count && in->holders[holder].object == (int)i)
			row.holder = &in->holders[holder];
		if (is_asked_for(r, row.object) && is_kept(r, &row))
			add(r, &row);
	}
}

void rows_gather(struct rows *r, const struct sample *s)
{
	r->count = 0;
	r->taken_unix = s->taken_unix;
	for (size_t i = 0; i < s->count; i++)
		if (s->segments[i].now)
			gather_segment(r, &s->segments[i]);
}

void rows_free(struct rows *r)
{
	free(r->all);
	r->all = NULL;
	r->count = r->room = 0;
}

/* --- in which order --- */

static double number(const struct row *row, enum rows_column by)
{
	const struct ilk_object_info *o = row->object;

	switch (by) {
	case ROWS_WAITING:
		return row->rate->waiting;
	case ROWS_WAITERS:
		return o->waiters;
	case ROWS_OPS:
		return fabs(row->rate->ops);
	case ROWS_CONTENDED:
		return row->rate->contended;
	case ROWS_DEPTH:
		return o->capacity ? (double)o->depth : NAN;
	case ROWS_PUT:
		return row->rate->put;
	case ROWS_GOT:
		return row->rate->got;
	case ROWS_HELD:
		return o->held_since > 0 ? (double)(row->segment->now->taken - o->held_since) : NAN;
	default:
		return NAN;
	}
}

static int compare_text(const struct row *a, const struct row *b, enum rows_column by)
{
	char x[120], y[120];

	switch (by) {
	case ROWS_OBJECT:
		return strcmp(a->object->name, b->object->name);
	case ROWS_TYPE:
		return strcmp(a->object->type, b->object->type);
	case ROWS_STATE:
		return strcmp(a->object->state, b->object->state);
	case ROWS_OWNER:
		rows_owner(a, x, sizeof x);
		rows_owner(b, y, sizeof y);
		/* Nobody comes last. */
		return !x[0] != !y[0] ? !x[0] - !y[0] : strcmp(x, y);
	default:
		return 0;
	}
}

/* What is not known comes last, either way. */
static int compare_keys(double a, double b, int reversed)
{
	if (isnan(a) || isnan(b))
		return (isnan(a) != 0) - (isnan(b) != 0);
	if (a == b)
		return 0;
	return (a < b) != reversed ? 1 : -1;
}

struct order {
	enum rows_column by;
	int reversed;
};

static int compare(const void *x, const void *y, void *arg)
{
	const struct row *a = x, *b = y;
	const struct order *order = arg;
	int rc = compare_keys(a->key, b->key, order->reversed);

	if (rc == 0) {
		rc = compare_text(a, b, order->by);
		rc = order->reversed ? -rc : rc;
	}
	if (rc == 0)
		rc = strcmp(a->segment->name, b->segment->name);
	return rc ? rc : strcmp(a->object->name, b->object->name);
}

void rows_sort(struct rows *r, enum rows_column by, int reversed)
{
	struct order order = {by, reversed};

	for (size_t i = 0; i < r->count; i++)
		r->all[i].key = number(&r->all[i], by);
	if (r->count > 1)
		qsort_r(r->all, r->count, sizeof *r->all, compare, &order);
}
