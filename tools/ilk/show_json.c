/* show_json.c - ilk show for programs. Times are nanoseconds before the look; unknown is null. */
#include "ilk/figures.h"
#include "ilk/findings.h"
#include "ilk/json.h"
#include "ilk/show.h"

static void put_since(struct json *j, const struct view *v, const char *key, ilk_time when)
{
	int64_t ns = view_since(v, when);

	if (ns < 0)
		json_null(j, key);
	else
		json_integer(j, key, ns);
}

static void put_index(struct json *j, const char *key, int index)
{
	if (index == ILK_NO_INDEX)
		json_null(j, key);
	else
		json_integer(j, key, index);
}

static void put_process(struct json *j, const struct view *v, const struct ilk_process_info *p)
{
	json_open(j, NULL, '{');
	json_integer(j, "slot", p->slot);
	json_integer(j, "pid", p->pid);
	json_string(j, "name", p->name);
	json_string(j, "state", findings_state(p));
	json_integer(j, "uid", p->uid);
	put_since(j, v, "joined_ns", p->joined);
	put_since(j, v, "last_sign_ns", p->last_sign);
	json_close(j);
}

static void put_thread(struct json *j, const struct view *v, const struct ilk_thread_info *t)
{
	int waits = t->waits_for != ILK_NO_INDEX;

	json_open(j, NULL, '{');
	json_integer(j, "slot", t->slot);
	json_integer(j, "tid", t->tid);
	json_string(j, "name", t->name);
	put_index(j, "process", t->process);
	json_string(j, "state",
		t->process == ILK_NO_INDEX ? "unknown"
					   : findings_state(&v->in->processes[t->process]));
	put_since(j, v, "joined_ns", t->joined);
	json_integer(j, "sleeps", (int64_t)t->sleeps);
	put_index(j, "waits_for", t->waits_for);
	put_since(j, v, "waits_ns", waits ? t->wait_since : 0);
	json_bool(j, "mixed", t->mixed);
	json_close(j);
}

static void put_rate(struct json *j, const char *key, double rate)
{
	json_real(j, key, rate, 3);
}

static void put_rates(struct json *j, const struct rate *r)
{
	json_open(j, "rates", '{');
	put_rate(j, "ops_per_s", r->ops);
	put_rate(j, "put_per_s", r->put);
	put_rate(j, "got_per_s", r->got);
	put_rate(j, "contended_percent", r->contended);
	put_rate(j, "waiting", r->waiting);
	json_close(j);
}

static const char *const lives[] = {NULL, "alive", "dead", "unknown"};

static void put_messages(struct json *j, const struct view *v, const struct ilk_object_info *o)
{
	if (o->capacity == 0) {
		json_null(j, "messages");
		return;
	}
	json_open(j, "messages", '{');
	json_integer(j, "depth", (int64_t)o->depth);
	json_integer(j, "capacity", (int64_t)o->capacity);
	json_integer(j, "put", (int64_t)o->put);
	json_integer(j, "got", (int64_t)o->got);
	json_integer(j, "leases", o->leases);
	put_since(j, v, "oldest_lease_ns", o->lease_since);
	json_bool(j, "closed", o->closed);
	json_close(j);
}

static void put_object(struct json *j, const struct view *v, const struct ilk_object_info *o)
{

	json_open(j, NULL, '{');
	json_string(j, "name", o->name);
	json_string(j, "type", o->type);
	json_integer(j, "offset", (int64_t)o->offset);
	json_integer(j, "bytes", (int64_t)o->bytes);
	json_bool(j, "embedded", o->embedded);
	json_bool(j, "removed", o->removed);
	json_integer(j, "openers", o->openers);
	json_string(j, "state", o->state);
	json_integer(j, "value", o->value);
	put_index(j, "owner", o->owner);
	json_string(j, "holder", lives[o->holder]);
	put_since(j, v, "held_at_least_ns", o->held_since);
	json_integer(j, "waiters", o->waiters);
	json_integer(j, "acquired", (int64_t)o->acquired);
	json_integer(j, "contended", (int64_t)o->contended);
	json_integer(j, "waited_ns", (int64_t)o->waited_ns);
	put_messages(j, v, o);
	figures_json(j, v->in, (int)(o - v->in->objects));
	json_bool(j, "mixed", o->mixed);
	json_string(j, "damage", o->damage[0] ? o->damage : NULL);
	if (v->rates)
		put_rates(j, &v->rates[o - v->in->objects]);
	else
		json_null(j, "rates");
	json_close(j);
}

static void put_holder(struct json *j, const struct view *v, const struct ilk_holder_info *h)
{
	json_open(j, NULL, '{');
	json_integer(j, "object", h->object);
	put_index(j, "thread", h->thread);
	put_index(j, "process", h->process);
	json_string(j, "life", lives[h->life]);
	json_string(j, "how", h->how);
	json_string(j, "what", h->what[0] ? h->what : NULL);
	json_integer(j, "count", h->count);
	put_since(j, v, "at_least_ns", h->since);
	json_close(j);
}

static void put_finding(const struct finding *f, void *arg)
{
	struct json *j = arg;

	json_open(j, NULL, '{');
	json_string(j, "kind", f->kind);
	json_string(j, "object", f->object);
	json_bool(j, "wrong", !f->is_note);
	json_string(j, "evidence", f->evidence);
	json_string(j, "next", f->next[0] ? f->next : NULL);
	json_close(j);
}

static void put_header(struct json *j, const char *name, const struct ilk_inspection *in)
{
	char mode[8];

	snprintf(mode, sizeof mode, "%04o", in->mode & 07777);
	json_string(j, "name", name);
	json_integer(j, "bytes", (int64_t)in->bytes);
	json_integer(j, "used", (int64_t)in->used);
	json_integer(j, "layout", in->version);
	json_integer(j, "uid", in->uid);
	json_string(j, "mode", mode);
	json_bool(j, "asymmetric", in->asymmetric);
	json_bool(j, "transient", in->transient);
	json_bool(j, "order", in->order);
	json_integer(j, "created_unix_ns", in->created);
	json_bool(j, "liveness_known", in->liveness != ILK_LIFE_UNKNOWN);
	json_integer(j, "process_slots", in->process_slots);
	json_integer(j, "thread_slots", in->thread_slots);
}

/* Indexes refer to whole arrays: so of one object all are there that it leads to. */
static void put_all(struct json *j, const struct view *v)
{
	const struct ilk_inspection *in = v->in;

	json_open(j, "processes", '[');
	for (size_t i = 0; i < in->process_count; i++)
		put_process(j, v, &in->processes[i]);
	json_close(j);
	json_open(j, "threads", '[');
	for (size_t i = 0; i < in->thread_count; i++)
		put_thread(j, v, &in->threads[i]);
	json_close(j);
	json_open(j, "objects", '[');
	for (size_t i = 0; i < in->object_count; i++)
		put_object(j, v, &in->objects[i]);
	json_close(j);
	json_open(j, "holders", '[');
	for (size_t i = 0; i < in->holder_count; i++)
		put_holder(j, v, &in->holders[i]);
	json_close(j);
}

int show_json(const struct view *v)
{
	struct json j;
	int wrong;

	json_document(&j, stdout, "show", 1);
	put_header(&j, v->name, v->in);
	if (v->rates)
		json_integer(&j, "sample_ms", v->sample_ms);
	else
		json_null(&j, "sample_ms");
	put_index(&j, "object", v->object);
	put_all(&j, v);
	json_open(&j, "findings", '[');
	wrong = findings_each_of(v->name, v->in, put_finding, &j);
	json_close(&j);
	json_close(&j);
	return wrong;
}
