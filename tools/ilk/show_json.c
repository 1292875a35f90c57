/* show_json.c - ilk show for programs. Times are nanoseconds before the look; unknown is null. */
#include "ilk/findings.h"
#include "ilk/json.h"
#include "ilk/show.h"

static void put_since(
	struct json *j, const struct ilk_inspection *in, const char *key, ilk_time when)
{
	if (when <= 0 || in->liveness == ILK_LIFE_UNKNOWN)
		json_null(j, key);
	else
		json_integer(j, key, in->taken - when);
}

static void put_index(struct json *j, const char *key, int index)
{
	if (index == ILK_NO_INDEX)
		json_null(j, key);
	else
		json_integer(j, key, index);
}

static void put_process(
	struct json *j, const struct ilk_inspection *in, const struct ilk_process_info *p)
{
	json_open(j, NULL, '{');
	json_integer(j, "slot", p->slot);
	json_integer(j, "pid", p->pid);
	json_string(j, "name", p->name);
	json_string(j, "state", findings_state(p));
	json_integer(j, "uid", p->uid);
	put_since(j, in, "joined_ns", p->joined);
	json_close(j);
}

static void put_thread(
	struct json *j, const struct ilk_inspection *in, const struct ilk_thread_info *t)
{
	int waits = t->waits_for != ILK_NO_INDEX;

	json_open(j, NULL, '{');
	json_integer(j, "slot", t->slot);
	json_integer(j, "tid", t->tid);
	json_string(j, "name", t->name);
	put_index(j, "process", t->process);
	json_string(j, "state",
		t->process == ILK_NO_INDEX ? "unknown"
					   : findings_state(&in->processes[t->process]));
	put_since(j, in, "joined_ns", t->joined);
	json_integer(j, "sleeps", (int64_t)t->sleeps);
	put_index(j, "waits_for", t->waits_for);
	put_since(j, in, "waits_ns", waits ? t->wait_since : 0);
	json_close(j);
}

static void put_object(
	struct json *j, const struct ilk_inspection *in, const struct ilk_object_info *o)
{
	static const char *const holders[] = {NULL, "alive", "dead", "unknown"};

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
	json_string(j, "holder", holders[o->holder]);
	put_since(j, in, "held_at_least_ns", o->held_since);
	json_integer(j, "waiters", o->waiters);
	json_integer(j, "acquired", (int64_t)o->acquired);
	json_integer(j, "contended", (int64_t)o->contended);
	json_integer(j, "waited_ns", (int64_t)o->waited_ns);
	json_string(j, "damage", o->damage[0] ? o->damage : NULL);
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

int show_json(const char *name, const struct ilk_inspection *in)
{
	struct json j;
	int wrong;

	json_begin(&j, stdout);
	json_open(&j, NULL, '{');
	put_header(&j, name, in);
	json_open(&j, "processes", '[');
	for (size_t i = 0; i < in->process_count; i++)
		put_process(&j, in, &in->processes[i]);
	json_close(&j);
	json_open(&j, "threads", '[');
	for (size_t i = 0; i < in->thread_count; i++)
		put_thread(&j, in, &in->threads[i]);
	json_close(&j);
	json_open(&j, "objects", '[');
	for (size_t i = 0; i < in->object_count; i++)
		put_object(&j, in, &in->objects[i]);
	json_close(&j);
	json_open(&j, "findings", '[');
	wrong = findings_each(in, put_finding, &j);
	json_close(&j);
	json_close(&j);
	return wrong;
}
