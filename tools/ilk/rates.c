/* rates.c - see rates.h. */
#include "ilk/rates.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct rate unknown = {
	.ops = NAN, .put = NAN, .got = NAN, .contended = NAN, .waiting = NAN};

/* --- which object is which --- */

static int by_offset(const void *a, const void *b)
{
	const struct ilk_object_info *x = *(const struct ilk_object_info *const *)a,
				     *y = *(const struct ilk_object_info *const *)b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Pointers to the objects of IN, in order of their offsets; NULL: no memory. */
static const struct ilk_object_info **sorted(const struct ilk_inspection *in)
{
	const struct ilk_object_info **all = malloc((in->object_count + 1) * sizeof *all);

	for (size_t i = 0; all && i < in->object_count; i++)
		all[i] = &in->objects[i];
	if (all)
		qsort(all, in->object_count, sizeof *all, by_offset);
	return all;
}

static int is_same(const struct ilk_object_info *a, const struct ilk_object_info *b)
{
	return a->offset == b->offset && (a->type == b->type || strcmp(a->type, b->type) == 0) &&
	       strcmp(a->name, b->name) == 0;
}

/* An embedded object may lie where a block begins, so several can have one offset. */
static const struct ilk_object_info *find(
	const struct ilk_object_info **all, size_t count, const struct ilk_object_info *o)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all[middle]->offset < o->offset)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < count && all[low]->offset == o->offset; low++)
		if (is_same(all[low], o))
			return all[low];
	return NULL;
}

/* --- waits under way --- */

static const struct ilk_thread_info *thread_of_slot(const struct ilk_inspection *in, int slot)
{
	for (size_t i = 0; i < in->thread_count; i++)
		if (in->threads[i].slot == slot)
			return &in->threads[i];
	return NULL;
}

/* Has T died since? What it waited then never gets counted as finished. */
static int died(const struct ilk_thread_info *t, const struct ilk_inspection *after)
{
	const struct ilk_thread_info *now = thread_of_slot(after, t->slot);

	return now && now->joined == t->joined && now->life == ILK_LIFE_DEAD;
}

/* For each object of IN, for how long those who wait have waited; NULL: no memory. */
static double *pending(const struct ilk_inspection *in, const struct ilk_inspection *after)
{
	double *ns = calloc(in->object_count + 1, sizeof *ns);

	for (size_t i = 0; ns && i < in->thread_count; i++) {
		const struct ilk_thread_info *t = &in->threads[i];

		if (t->waits_for != ILK_NO_INDEX && t->wait_since > 0 &&
			t->wait_since < in->taken && !died(t, after))
			ns[t->waits_for] += (double)(in->taken - t->wait_since);
	}
	return ns;
}

/* --- one object --- */

/* The counts of contention are of 32 bits in some kinds, and go on from 0. */
static uint64_t advance_contended(uint64_t before, uint64_t after)
{
	if (after < before && before <= UINT32_MAX)
		return (uint32_t)(after - before);
	return after - before;
}

/* A count that ran backwards belongs to another object, or to one begun anew. */
static int began_anew(const struct ilk_object_info *a, const struct ilk_object_info *b)
{
	return b->acquired < a->acquired || b->put < a->put || b->got < a->got ||
	       b->waited_ns < a->waited_ns ||
	       advance_contended(a->contended, b->contended) > UINT32_MAX / 4;
}

static int is_counter(const struct ilk_object_info *o)
{
	return strcmp(o->type, "counter") == 0 || strcmp(o->type, "sharded") == 0;
}

/* Of what messages pass through, `acquired` is what was got. */
static uint64_t count_of(const struct ilk_object_info *o)
{
	return o->capacity ? o->put + o->got : o->acquired;
}

static double operations(const struct ilk_object_info *a, const struct ilk_object_info *b)
{
	if (is_counter(b))
		return (double)(int64_t)((uint64_t)b->value - (uint64_t)a->value);
	if (count_of(b) == 0)
		return NAN;
	return (double)(count_of(b) - count_of(a));
}

static double share_contended(const struct ilk_object_info *a, const struct ilk_object_info *b)
{
	double waits = (double)advance_contended(a->contended, b->contended);
	double all = (double)(count_of(b) - count_of(a));

	if (waits == 0 && all == 0)
		return NAN;
	return waits < all ? 100 * waits / all : 100;
}

static struct rate rate_of(
	const struct ilk_object_info *a, const struct ilk_object_info *b, double seconds)
{
	struct rate r = unknown;

	if (a->damage[0] || b->damage[0] || began_anew(a, b))
		return r;
	r.is_known = 1;
	r.ops = operations(a, b) / seconds;
	r.contended = count_of(b) ? share_contended(a, b) : NAN;
	if (b->capacity) {
		r.put = (double)(b->put - a->put) / seconds;
		r.got = (double)(b->got - a->got) / seconds;
	}
	return r;
}

/* How many waited on average. A wait that ended while the picture was taken counts twice there. */
static double waiting(double waited_ns, double seconds, const struct ilk_inspection *after)
{
	double mean = waited_ns / (seconds * 1e9);

	if (mean < 0)
		return 0;
	return mean < (double)after->thread_count ? mean : (double)after->thread_count;
}

/* --- all of them --- */

struct comparison {
	const struct ilk_inspection *before, *after;
	double seconds;
	const struct ilk_object_info **earlier; /* of `before`, by offset; NULL: not needed yet */
	double *pending_before, *pending_after; /* in the order of the objects */
};

static int begin(struct comparison *c)
{
	c->pending_before = pending(c->before, c->after);
	c->pending_after = pending(c->after, c->after);
	return c->pending_before && c->pending_after;
}

static void end(struct comparison *c)
{
	free(c->earlier);
	free(c->pending_before);
	free(c->pending_after);
}

/* What object I was; most stand where they stood. NULL: it was not there. -1: no memory. */
static int find_earlier(struct comparison *c, size_t i, const struct ilk_object_info **a)
{
	const struct ilk_object_info *b = &c->after->objects[i];

	if (i < c->before->object_count && is_same(&c->before->objects[i], b)) {
		*a = &c->before->objects[i];
		return 0;
	}
	if (!c->earlier)
		c->earlier = sorted(c->before);
	if (!c->earlier)
		return -1;
	*a = find(c->earlier, c->before->object_count, b);
	return 0;
}

static int compare(struct comparison *c, size_t i, struct rate *r)
{
	const struct ilk_object_info *a, *b = &c->after->objects[i];

	if (find_earlier(c, i, &a) < 0)
		return -1;
	*r = a ? rate_of(a, b, c->seconds) : unknown;
	if (r->is_known)
		r->waiting = waiting((double)(b->waited_ns - a->waited_ns) + c->pending_after[i] -
					     c->pending_before[a - c->before->objects],
			c->seconds, c->after);
	return 0;
}

static int compare_all(struct comparison *c, struct rate *rates)
{
	int rc = begin(c) ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < c->after->object_count; i++)
		rc = compare(c, i, &rates[i]);
	end(c);
	return rc;
}

struct rate *rates_between(const struct ilk_inspection *before, const struct ilk_inspection *after)
{
	struct rate *rates = malloc((after->object_count + 1) * sizeof *rates);
	struct comparison c = {.before = before, .after = after};

	for (size_t i = 0; rates && i < after->object_count; i++)
		rates[i] = unknown;
	if (!rates || !before || before->created != after->created || after->taken <= before->taken)
		return rates;
	c.seconds = (double)(after->taken - before->taken) / 1e9;
	if (compare_all(&c, rates) == 0)
		return rates;
	free(rates);
	return NULL;
}
