/* show_queues.c - the objects of `ilk show` through which messages pass: how full each is. */
#include "ilk/show.h"
#include "ilk/table.h"
#include <math.h>
#include <string.h>

enum { BAR = 20 };

/* "[######..............]". */
static const char *bar(char out[BAR + 3], uint64_t depth, uint64_t capacity)
{
	double share = depth < capacity ? (double)depth / (double)capacity : 1;
	int full = (int)(share * BAR);

	/* What is not empty shows, and what is not full does, too. */
	if (full == 0 && depth > 0)
		full = 1;
	out[0] = '[';
	for (int i = 0; i < BAR; i++)
		out[i + 1] = i < full ? '#' : '.';
	strcpy(&out[BAR + 1], "]");
	return out;
}

static void add_rate(struct table *t, const struct view *v, double rate)
{
	char text[TERM_TEXT];

	if (!v->rates)
		return;
	if (isnan(rate))
		table_cell(t, TERM_PLAIN, "-");
	else
		table_cell(t, TERM_PLAIN, "%s", term_number(text, (int64_t)rate));
}

static void add_queue(struct table *t, const struct view *v, size_t i)
{
	const struct ilk_object_info *o = &v->in->objects[i];
	int64_t ns = view_since(v, o->lease_since);
	char text[TERM_TEXT];

	table_cell(t, TERM_PLAIN, "%s", o->name);
	table_cell(t, o->depth >= o->capacity ? TERM_WARN : TERM_PLAIN, "%s",
		bar(text, o->depth, o->capacity));
	table_cell(t, TERM_PLAIN, "%llu/%llu", (unsigned long long)o->depth,
		(unsigned long long)o->capacity);
	table_cell(t, TERM_PLAIN, "%s", term_number(text, (int64_t)o->put));
	table_cell(t, TERM_PLAIN, "%s", term_number(text, (int64_t)o->got));
	table_cell(t, TERM_PLAIN, "%d", o->leases);
	table_cell(t, TERM_PLAIN, "%s", o->leases && ns >= 0 ? term_duration(text, ns) : "-");
	add_rate(t, v, v->rates ? v->rates[i].put : 0);
	add_rate(t, v, v->rates ? v->rates[i].got : 0);
}

void show_queues(const struct view *v)
{
	static const char *const with_rates[] = {"QUEUE", "FILLED", ">DEPTH", ">PUT", ">GOT",
		">LEASES", ">OLDEST LEASE", ">PUT/S", ">GOT/S", NULL};
	static const char *const plain[] = {
		"QUEUE", "FILLED", ">DEPTH", ">PUT", ">GOT", ">LEASES", ">OLDEST LEASE", NULL};
	struct table t;

	table_begin(&t, v->rates ? with_rates : plain);
	for (size_t i = 0; i < v->in->object_count; i++)
		if (v->in->objects[i].capacity &&
			(v->object == ILK_NO_INDEX || v->object == (int)i))
			add_queue(&t, v, i);
	if (t.count == 0)
		return;
	putchar('\n');
	table_print(&t, stdout);
}
