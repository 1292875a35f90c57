/* rows_print.c - what stands in a row: as text for people, plain for programs, as JSON. */
#include "ilk/findings.h"
#include "ilk/rows.h"
#include <math.h>
#include <string.h>
#include <time.h>

/* In the order of enum rows_column. */
const char *const rows_heads[] = {"TIME", "SEGMENT", "OBJECT", "TYPE", ">WAITING", ">WAITERS",
	">OPS/S", ">CONTENDED%", ">DEPTH", ">PUT/S", ">GOT/S", "OWNER", ">HELD FOR", "STATE", NULL};

static int is_clock_known(const struct row *row)
{
	return row->segment->now->liveness != ILK_LIFE_UNKNOWN;
}

static int64_t held_for(const struct row *row)
{
	ilk_time since = row->object->held_since;

	return since > 0 && is_clock_known(row) ? row->segment->now->taken - since : -1;
}

/* --- for people --- */

static const char *clock_time(char out[TERM_TEXT], int64_t unix_ns)
{
	time_t seconds = (time_t)(unix_ns / 1000000000);
	struct tm local;

	localtime_r(&seconds, &local);
	strftime(out, TERM_TEXT, "%H:%M:%S", &local);
	snprintf(out + strlen(out), TERM_TEXT - strlen(out), ".%03d",
		(int)(unix_ns / 1000000 % 1000));
	return out;
}

/* "1,234", "12.3", "0.04": three digits at least, and no more than are of use. */
static const char *rate_text(char out[TERM_TEXT], double value)
{
	double size = fabs(value);

	if (isnan(value))
		return strcpy(out, "-");
	if (size >= 1e15)
		snprintf(out, TERM_TEXT, "%.3g", value);
	else if (size >= 99.95)
		term_number(out, (int64_t)(value < 0 ? value - 0.5 : value + 0.5));
	else if (size == 0)
		strcpy(out, "0");
	else
		snprintf(out, TERM_TEXT, "%.*f", size >= 9.995 ? 1 : 2, value);
	return out;
}

static void rate_cell(struct table *t, enum term_style style, double value)
{
	char text[TERM_TEXT];

	table_cell(t, style, "%s", rate_text(text, value));
}

static void owner_cell(struct table *t, const struct row *row)
{
	char text[120];
	int dead = row->object->holder == ILK_HOLDER_DEAD;

	rows_owner(row, text, sizeof text);
	table_cell(t, dead ? TERM_BAD : TERM_PLAIN, "%s", text[0] ? text : "-");
}

static void state_cell(struct table *t, const struct row *row)
{
	const struct ilk_object_info *o = row->object;

	table_cell(t, o->damage[0] ? TERM_BAD : TERM_PLAIN, "%s%s",
		o->damage[0] ? "damaged" : o->state, o->removed ? ", removed" : "");
}

static void print_row(struct table *t, const struct row *row, int64_t unix_ns)
{
	const struct ilk_object_info *o = row->object;
	const struct rate *rate = row->rate;
	char text[TERM_TEXT];

	table_cell(t, TERM_PLAIN, "%s", clock_time(text, unix_ns));
	table_cell(t, TERM_PLAIN, "%s", row->segment->name);
	table_cell(t, TERM_PLAIN, "%s", o->name);
	table_cell(t, TERM_PLAIN, "%s", o->type);
	rate_cell(t, rate->waiting > 0 ? TERM_WARN : TERM_PLAIN, rate->waiting);
	table_cell(t, o->waiters ? TERM_WARN : TERM_PLAIN, "%d", o->waiters);
	rate_cell(t, TERM_PLAIN, rate->ops);
	rate_cell(t, TERM_PLAIN, rate->contended);
	if (o->capacity)
		table_cell(t, TERM_PLAIN, "%llu", (unsigned long long)o->depth);
	else
		table_cell(t, TERM_PLAIN, "-");
	rate_cell(t, TERM_PLAIN, rate->put);
	rate_cell(t, TERM_PLAIN, rate->got);
	owner_cell(t, row);
	if (held_for(row) >= 0)
		table_cell(t, TERM_PLAIN, ">= %s", term_duration(text, held_for(row)));
	else
		table_cell(t, TERM_PLAIN, "-");
	state_cell(t, row);
}

/* --- for programs --- */

static void plain_real(struct table *t, double value)
{
	if (isnan(value))
		table_cell(t, TERM_PLAIN, "%s", "");
	else
		table_cell(t, TERM_PLAIN, "%.3f", value);
}

static void print_plain(struct table *t, const struct row *row, int64_t unix_ns)
{
	const struct ilk_object_info *o = row->object;
	const struct rate *rate = row->rate;
	char owner[120];

	table_cell(t, TERM_PLAIN, "%lld.%03d", (long long)(unix_ns / 1000000000),
		(int)(unix_ns / 1000000 % 1000));
	table_cell(t, TERM_PLAIN, "%s", row->segment->name);
	table_cell(t, TERM_PLAIN, "%s", o->name);
	table_cell(t, TERM_PLAIN, "%s", o->type);
	plain_real(t, rate->waiting);
	table_cell(t, TERM_PLAIN, "%d", o->waiters);
	plain_real(t, rate->ops);
	plain_real(t, rate->contended);
	if (o->capacity)
		table_cell(t, TERM_PLAIN, "%llu", (unsigned long long)o->depth);
	else
		table_cell(t, TERM_PLAIN, "%s", "");
	plain_real(t, rate->put);
	plain_real(t, rate->got);
	table_cell(t, TERM_PLAIN, "%s", rows_owner(row, owner, sizeof owner));
	plain_real(t, held_for(row) >= 0 ? (double)held_for(row) / 1e9 : NAN);
	state_cell(t, row);
}

void rows_print(struct table *t, const struct rows *r, size_t first, size_t count, int plain)
{
	for (size_t i = first; i < r->count && i - first < count; i++)
		(plain ? print_plain : print_row)(t, &r->all[i], r->taken_unix);
}

/* --- JSON --- */

static void put_thread(struct json *j, const struct row *row)
{
	static const char *const holders[] = {NULL, "alive", "dead", "unknown"};
	const struct ilk_inspection *in = row->segment->now;
	const struct ilk_object_info *o = row->object;
	const struct ilk_thread_info *t = o->owner == ILK_NO_INDEX ? NULL : &in->threads[o->owner];

	json_string(j, "holder", holders[o->holder]);
	if (!t) {
		json_null(j, "owner");
		return;
	}
	json_open(j, "owner", '{');
	json_string(j, "name", t->name);
	json_integer(j, "tid", t->tid);
	if (t->process == ILK_NO_INDEX)
		json_null(j, "pid");
	else
		json_integer(j, "pid", in->processes[t->process].pid);
	json_close(j);
}

static void put_rate(struct json *j, const struct rate *rate)
{
	json_real(j, "waiting", rate->waiting, 3);
	json_real(j, "ops_per_s", rate->ops, 3);
	json_real(j, "contended_percent", rate->contended, 3);
	json_real(j, "put_per_s", rate->put, 3);
	json_real(j, "got_per_s", rate->got, 3);
}

void rows_json(struct json *j, const struct row *row)
{
	const struct ilk_object_info *o = row->object;

	json_string(j, "object", o->name);
	json_string(j, "type", o->type);
	json_integer(j, "offset", (int64_t)o->offset);
	json_string(j, "state", o->state);
	json_string(j, "damage", o->damage[0] ? o->damage : NULL);
	json_bool(j, "removed", o->removed);
	json_integer(j, "value", o->value);
	json_integer(j, "waiters", o->waiters);
	put_rate(j, row->rate);
	put_thread(j, row);
	if (held_for(row) >= 0)
		json_integer(j, "held_at_least_ns", held_for(row));
	else
		json_null(j, "held_at_least_ns");
	if (o->capacity) {
		json_integer(j, "depth", (int64_t)o->depth);
		json_integer(j, "capacity", (int64_t)o->capacity);
	} else {
		json_null(j, "depth");
		json_null(j, "capacity");
	}
	json_integer(j, "acquired", (int64_t)o->acquired);
	json_integer(j, "contended", (int64_t)o->contended);
	json_integer(j, "waited_ns", (int64_t)o->waited_ns);
}
