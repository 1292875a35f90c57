/* wait_condition.c - see wait_condition.h. */
#include "ilk/wait_condition.h"
#include "ilk/options.h"
#include "ilk/suggest.h"
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* An object, and what is around it. */
struct found {
	const struct ilk_inspection *in;
	const struct ilk_object_info *o; /* NULL: there is none */
	int index;
};

/* Of which kinds something can be said. */
enum scope { OF_ALL, OF_HELD, OF_VALUED, OF_QUEUES, OF_NONE_TOO };

struct wait_field {
	const char *name;
	enum scope scope;
	int64_t (*number)(const struct found *f); /* of words: is it so? NULL: state */
	int is_word;
};

/* --- what can be asked --- */

/* Who holds it; not who is only waited for ("awaited", "will write"). */
static int is_holding(const struct ilk_holder_info *h)
{
	return strcmp(h->how, "awaited") != 0 && strcmp(h->how, "will write") != 0;
}

static int64_t holders(const struct found *f)
{
	int64_t n = 0;

	for (size_t i = 0; i < f->in->holder_count; i++)
		n += f->in->holders[i].object == f->index && is_holding(&f->in->holders[i]);
	/* What an object says of itself, where it does not list who holds it. */
	if (n == 0 && strcmp(f->o->type, "rwlock") == 0)
		n = f->o->value;
	return n == 0 && f->o->holder != ILK_HOLDER_NONE ? 1 : n;
}

static int64_t is_held(const struct found *f)
{
	return holders(f) > 0;
}

static int64_t is_free(const struct found *f)
{
	return holders(f) == 0;
}

static int64_t is_owner_dead(const struct found *f)
{
	for (size_t i = 0; i < f->in->holder_count; i++)
		if (f->in->holders[i].object == f->index && is_holding(&f->in->holders[i]) &&
			f->in->holders[i].life == ILK_HOLDER_DEAD)
			return 1;
	return f->o->holder == ILK_HOLDER_DEAD;
}

static int64_t exists(const struct found *f)
{
	return f->o != NULL;
}

static int64_t is_gone(const struct found *f)
{
	return f->o == NULL;
}

static int64_t is_damaged(const struct found *f)
{
	return f->o && f->o->damage[0];
}

#define FIELD(name_)                                      \
	static int64_t get_##name_(const struct found *f) \
	{                                                 \
		return (int64_t)f->o->name_;              \
	}
FIELD(closed)
FIELD(value)
FIELD(waiters)
FIELD(depth)
FIELD(capacity)
FIELD(leases)
FIELD(put)
FIELD(got)
FIELD(acquired)
FIELD(contended)
FIELD(openers)

static const struct wait_field fields[] = {
	{"exists", OF_NONE_TOO, exists, 1},
	{"gone", OF_NONE_TOO, is_gone, 1},
	{"damaged", OF_NONE_TOO, is_damaged, 1},
	{"free", OF_HELD, is_free, 1},
	{"held", OF_HELD, is_held, 1},
	{"owner-dead", OF_HELD, is_owner_dead, 1},
	{"closed", OF_QUEUES, get_closed, 1},
	{"holders", OF_HELD, holders, 0},
	{"value", OF_VALUED, get_value, 0},
	{"waiters", OF_ALL, get_waiters, 0},
	{"depth", OF_QUEUES, get_depth, 0},
	{"capacity", OF_QUEUES, get_capacity, 0},
	{"leases", OF_QUEUES, get_leases, 0},
	{"put", OF_QUEUES, get_put, 0},
	{"got", OF_QUEUES, get_got, 0},
	{"acquired", OF_ALL, get_acquired, 0},
	{"contended", OF_ALL, get_contended, 0},
	{"openers", OF_ALL, get_openers, 0},
	{"state", OF_ALL, NULL, 0},
};

enum { FIELDS = sizeof fields / sizeof fields[0] };

static int is_among(const char *type, const char *const *types)
{
	for (; *types; types++)
		if (strcmp(type, *types) == 0)
			return 1;
	return 0;
}

/* Kinds that are not known here may be anything. */
static int applies(enum scope scope, const struct ilk_object_info *o)
{
	static const char *const valueless[] = {"mutex", "condition", "barrier", "block", NULL};
	static const char *const unheld[] = {"counter", "sharded", "block", "event", "latch",
		"barrier", "condition", "semaphore", NULL};

	if (scope == OF_VALUED)
		return !is_among(o->type, valueless);
	if (scope == OF_HELD)
		return !is_among(o->type, unheld);
	return scope != OF_QUEUES || o->capacity > 0;
}

/* --- reading --- */

static int refuse_field(const char *name, size_t length, char why[WAIT_WHY])
{
	struct suggestion s;
	size_t at;

	suggest_begin(&s, name, length);
	for (size_t i = 0; i < FIELDS; i++)
		suggest_offer(&s, fields[i].name);
	at = (size_t)snprintf(why, WAIT_WHY, "'%.*s' is no condition; ", (int)length, name);
	if (at < WAIT_WHY)
		snprintf(why + at, WAIT_WHY - at,
			s.best ? "did you mean %s?" : "`ilk wait-for --help` lists them", s.best);
	return -1;
}

static const struct wait_field *find_field(const char *name, size_t length)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (strlen(fields[i].name) == length && strncmp(fields[i].name, name, length) == 0)
			return &fields[i];
	return NULL;
}

/* The operator at TEXT and how long it is; 0: there is none. */
static size_t read_operator(const char *text, enum wait_operator *op)
{
	static const struct {
		const char *text;
		enum wait_operator op;
	} all[] = {{"==", WAIT_EQ}, {"!=", WAIT_NE}, {">=", WAIT_GE}, {"<=", WAIT_LE},
		{"=", WAIT_EQ}, {">", WAIT_GT}, {"<", WAIT_LT}, {"~", WAIT_HAS}};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (strncmp(text, all[i].text, strlen(all[i].text)) == 0) {
			*op = all[i].op;
			return strlen(all[i].text);
		}
	return 0;
}

static size_t blanks(const char *text)
{
	return strspn(text, " \t");
}

/* What follows the field. */
static int read_comparison(const char *text, struct wait_condition *c, char why[WAIT_WHY])
{
	int is_state = !c->field->number;
	size_t length = read_operator(text, &c->op);
	const char *value = text + length + blanks(text + length);

	if (length == 0 || (c->op == WAIT_HAS) > is_state ||
		(is_state && c->op > WAIT_NE && c->op != WAIT_HAS)) {
		snprintf(why, WAIT_WHY, "%s is to be followed by %s", c->field->name,
			is_state ? "==, != or ~ and a text"
				 : "==, !=, >=, <=, > or < and a number, as in value>=10");
		return -1;
	}
	if (is_state) {
		c->text = value;
		return 0;
	}
	if (options_read(OPTION_NUMBER, value, &c->number) == 0)
		return 0;
	snprintf(why, WAIT_WHY, "'%.60s' is no whole number, as %s is compared with", value,
		c->field->name);
	return -1;
}

int wait_condition_read(const char *text, struct wait_condition *c, char why[WAIT_WHY])
{
	const char *name = text + blanks(text);
	size_t length = strcspn(name, " \t=!<>~");
	const char *rest = name + length + blanks(name + length);

	*c = (struct wait_condition){.field = find_field(name, length)};
	if (!c->field)
		return refuse_field(name, length > 60 ? 60 : length, why);
	if (!c->field->is_word)
		return read_comparison(rest, c, why);
	if (*rest == '\0')
		return 0;
	snprintf(why, WAIT_WHY, "%s is a condition by itself: leave out '%.60s'", c->field->name,
		rest);
	return -1;
}

/* --- testing --- */

static int compare(const struct wait_condition *c, int64_t number)
{
	switch (c->op) {
	case WAIT_EQ:
		return number == c->number;
	case WAIT_NE:
		return number != c->number;
	case WAIT_GE:
		return number >= c->number;
	case WAIT_LE:
		return number <= c->number;
	case WAIT_GT:
		return number > c->number;
	default:
		return number < c->number;
	}
}

static int compare_state(const struct wait_condition *c, const char *state)
{
	if (c->op == WAIT_HAS)
		return strstr(state, c->text) != NULL;
	return (strcmp(state, c->text) == 0) == (c->op == WAIT_EQ);
}

/* The one that has the name now, or else has it no more. */
static struct found find_object(const struct ilk_inspection *in, const char *object)
{
	struct found f = {.in = in};

	for (size_t i = 0; in && i < in->object_count; i++)
		if (strcmp(in->objects[i].name, object) == 0 && !in->objects[i].removed) {
			f.o = &in->objects[i];
			f.index = (int)i;
		}
	return f;
}

static int holds(const struct wait_condition *c, const struct found *f, char why[WAIT_WHY])
{
	int64_t number;

	if (!c->field->number) {
		snprintf(why, WAIT_WHY, "its state is '%s'", f->o->state);
		return compare_state(c, f->o->state);
	}
	number = c->field->number(f);
	if (c->field->is_word) {
		snprintf(why, WAIT_WHY, f->o ? "its state is '%s'" : "it is not there",
			f->o ? f->o->state : "");
		return number != 0;
	}
	snprintf(why, WAIT_WHY, "%s is %lld", c->field->name, (long long)number);
	return compare(c, number);
}

/* Is what is asked put together of several words? What is of one word is true of one moment. */
static int is_of_many_words(const struct wait_field *field)
{
	return !field->number || (field->scope != OF_ALL && field->scope != OF_NONE_TOO);
}

enum wait_verdict wait_condition_test(const struct wait_condition *c,
	const struct ilk_inspection *in, const char *object, char why[WAIT_WHY])
{
	struct found f = find_object(in, object);

	if (!f.o && c->field->scope != OF_NONE_TOO) {
		snprintf(why, WAIT_WHY, "it is not there");
		return WAIT_NOT_YET;
	}
	if (f.o && c->field->scope != OF_NONE_TOO) {
		if (f.o->damage[0]) {
			snprintf(why, WAIT_WHY, "it is damaged: %s", f.o->damage);
			return WAIT_DAMAGED;
		}
		if (!applies(c->field->scope, f.o)) {
			snprintf(why, WAIT_WHY,
				"it is of the kind %s, of which '%s' cannot be said", f.o->type,
				c->field->name);
			return WAIT_NEVER;
		}
		if (f.o->mixed && is_of_many_words(c->field)) {
			snprintf(why, WAIT_WHY, "it changed at each look: nothing can be said");
			return WAIT_NOT_YET;
		}
	}
	return holds(c, &f, why) ? WAIT_MET : WAIT_NOT_YET;
}
