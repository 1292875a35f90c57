/* show_tables.c - ilk show for people: the header, and what is wrong. */
#include "ilk/findings.h"
#include "ilk/show.h"
#include "ilk/term.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

static void print_header(const struct view *v)
{
	const struct ilk_inspection *in = v->in;
	char clean[300], bytes[TERM_TEXT], used[TERM_TEXT], age[TERM_TEXT];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (in->created)
		term_duration(age, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - in->created);
	else
		strcpy(age, "who knows how long");
	term_print(stdout, TERM_BOLD, term_clean(clean, sizeof clean, v->name));
	printf(": %s, %s used, made %s ago, uid %u, mode %04o, layout %u, %s%s%s\n",
		term_bytes(bytes, in->bytes), term_bytes(used, in->used), age, in->uid,
		in->mode & 07777, in->version, in->asymmetric ? "asymmetric" : "fenced",
		in->transient ? ", transient" : "", in->order ? ", order" : "");
}

struct telling {
	const struct view *v;
	int printed;
};

static void print_finding(const struct finding *f, void *arg)
{
	char line[sizeof f->evidence + sizeof f->next + 100], clean[sizeof line];
	struct telling *t = arg;

	if (t->v->object != ILK_NO_INDEX &&
		(!f->object || strcmp(f->object, t->v->in->objects[t->v->object].name) != 0))
		return;
	if (t->printed++ == 0)
		putchar('\n');
	term_print(stdout, f->is_note ? TERM_BOLD : TERM_BAD, f->is_note ? "note: " : "wrong: ");
	term_print(stdout, TERM_PLAIN, f->kind);
	snprintf(line, sizeof line, "%s%s: %s%s%s%s", f->object ? ": " : "",
		f->object ? f->object : "", f->evidence, f->next[0] ? ": `" : "", f->next,
		f->next[0] ? "`" : "");
	printf("%s\n", term_clean(clean, sizeof clean, line));
}

static void ignore(const struct finding *f, void *arg)
{
	(void)f, (void)arg;
}

int show_tables(const struct view *v)
{
	struct telling t = {.v = v};

	if (v->columns)
		return show_objects(v) < 0 ? -1 : findings_each_of(v->name, v->in, ignore, NULL);
	print_header(v);
	if (v->object == ILK_NO_INDEX)
		show_people(v);
	if (show_objects(v) < 0)
		return -1;
	show_queues(v);
	return findings_each_of(v->name, v->in, print_finding, &t);
}
