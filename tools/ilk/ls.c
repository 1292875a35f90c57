/* ls.c - ilk ls: the segments of this host. Reads only. */
#include "ilk/command.h"
#include "ilk/findings.h"
#include "ilk/json.h"
#include "ilk/report.h"
#include "ilk/table.h"
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int json;

static const char *columns;

static const struct option_row rows[] = {OPTION_JSON(&json), OPTION_COLUMNS(&columns), OPTION_END};

static const struct option_page page = {
	.command = "ls",
	.operands = "",
	.summary = "list the segments of this host",
	.details =
		"Per segment: its size, what is given out of it, member processes alive and dead,\n"
		"objects, age, owner; and, where something is wrong, what. Reads the segments'\n"
		"files, takes no lock and joins nothing. Exit code 1 if something is wrong.\n",
	.rows = rows,
};

/* What there is to say of one segment. */
struct line {
	const char *name;
	struct ilk_inspection *in; /* NULL: it could not be inspected */
	int alive, dead;
	char trouble[160];
	int is_wrong;
};

/* The listing as it grows. */
struct listing {
	struct table table;
	struct json j;
	int segments, wrong;
};

static void ignore(const struct finding *f, void *arg)
{
	(void)f, (void)arg;
}

static void look(struct line *line)
{
	const struct ilk_inspection *in = line->in;
	int wrong = findings_each(in, ignore, NULL);

	for (size_t i = 0; i < in->process_count; i++) {
		line->alive += in->processes[i].life == ILK_LIFE_ALIVE;
		line->dead += in->processes[i].life == ILK_LIFE_DEAD;
	}
	line->is_wrong = wrong > 0;
	if (in->damage[0])
		snprintf(line->trouble, sizeof line->trouble, "%s", in->damage);
	else if (wrong > 0)
		snprintf(line->trouble, sizeof line->trouble, "%d wrong: ilk show %s", wrong,
			line->name);
	else if (in->liveness == ILK_LIFE_UNKNOWN)
		snprintf(
			line->trouble, sizeof line->trouble, "a copy: who is alive cannot be told");
}

static void note_failure(struct line *line, int rc)
{
	const char *particulars = ilk_last_error();

	/* Other people's segments are nothing wrong. */
	line->is_wrong = rc != -EACCES;
	if (rc == -EACCES)
		snprintf(line->trouble, sizeof line->trouble, "no permission to read it");
	else
		snprintf(line->trouble, sizeof line->trouble, "%s",
			particulars[0] ? particulars : ilk_strerror(rc));
}

static const char *user_name(uint32_t uid, char out[TERM_TEXT])
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(out, TERM_TEXT, "%s", user->pw_name);
	else
		snprintf(out, TERM_TEXT, "%u", uid);
	return out;
}

static int64_t age(const struct ilk_inspection *in)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - in->created;
}

static void add_blanks(struct table *t, const char *name)
{
	table_cell(t, TERM_PLAIN, "%s", name);
	for (int i = 0; i < 7; i++)
		table_cell(t, TERM_PLAIN, "-");
}

static void add_to_table(struct table *t, const struct line *line)
{
	const struct ilk_inspection *in = line->in;
	char text[TERM_TEXT];

	if (!in) {
		add_blanks(t, line->name);
	} else {
		table_cell(t, TERM_PLAIN, "%s", line->name);
		table_cell(t, TERM_PLAIN, "%s", term_bytes(text, in->bytes));
		table_cell(t, TERM_PLAIN, "%s", term_bytes(text, in->used));
		table_cell(t, TERM_PLAIN, "%d", line->alive);
		table_cell(t, line->dead ? TERM_BAD : TERM_PLAIN, "%d", line->dead);
		table_cell(t, TERM_PLAIN, "%zu", in->object_count);
		table_cell(t, TERM_PLAIN, "%s", term_duration(text, age(in)));
		table_cell(t, TERM_PLAIN, "%s", user_name(in->uid, text));
	}
	table_cell(t, line->is_wrong ? TERM_BAD : TERM_PLAIN, "%s", line->trouble);
}

static void add_to_json(struct json *j, const struct line *line)
{
	const struct ilk_inspection *in = line->in;
	char user[TERM_TEXT];

	json_open(j, NULL, '{');
	json_string(j, "name", line->name);
	if (in) {
		json_integer(j, "bytes", (int64_t)in->bytes);
		json_integer(j, "used", (int64_t)in->used);
		json_integer(j, "processes_alive", line->alive);
		json_integer(j, "processes_dead", line->dead);
		json_integer(j, "objects", (int64_t)in->object_count);
		json_integer(j, "age_ns", age(in));
		json_integer(j, "uid", in->uid);
		json_string(j, "user", user_name(in->uid, user));
	}
	json_string(j, "trouble", line->trouble[0] ? line->trouble : NULL);
	json_close(j);
}

static int add(const char *name, void *arg)
{
	struct listing *listing = arg;
	struct line line = {.name = name};
	int rc = ilk_inspect(name, &line.in);

	if (rc == -ENOENT)
		return 0; /* it went meanwhile */
	if (rc == 0)
		look(&line);
	else
		note_failure(&line, rc);
	listing->segments++;
	listing->wrong += line.is_wrong;
	if (json)
		add_to_json(&listing->j, &line);
	else
		add_to_table(&listing->table, &line);
	ilk_inspection_free(line.in);
	return 0;
}

static void finish(struct listing *listing)
{
	if (json) {
		json_close(&listing->j);
		json_close(&listing->j);
		return;
	}
	if (listing->segments == 0) {
		printf("no segments; `ilk create NAME` makes one\n");
		return;
	}
	table_print(&listing->table, stdout);
}

static int ls_main(int argc, char **argv)
{
	static const char *const heads[] = {"NAME", ">SIZE", ">USED", ">ALIVE", ">DEAD", ">OBJECTS",
		">AGE", "OWNER", "TROUBLE", NULL};
	struct listing listing = {.segments = 0};
	int code = options_parse(&page, &argc, argv);
	int rc;

	if (code != OPTIONS_GO)
		return code;
	table_begin(&listing.table, heads);
	if (table_choose(&listing.table, page.command, columns) != 0)
		return EXIT_ERROR;
	if (json) {
		json_document(&listing.j, stdout, "ls", 1);
		json_open(&listing.j, "segments", '[');
	}
	rc = ilk_inspect_each(add, &listing);
	finish(&listing);
	if (rc < 0)
		return complain(page.command, "/dev/shm cannot be read: %s", strerror(-rc));
	return listing.wrong ? EXIT_FINDING : EXIT_FINE;
}

const struct command ls_command = {.page = &page, .run = ls_main};
