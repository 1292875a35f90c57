/* gc.c - ilk gc: removes the segments that no living process is in. */
#include "ilk/command.h"
#include "ilk/json.h"
#include "ilk/report.h"
#include "ilk/table.h"
#include <errno.h>
#include <ilk/inspect.h>
#include <ilk/segment.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int json, dry_run, copies;
static const char *columns;

static const struct option_row rows[] = {
	{.name = "dry-run",
		.letter = 'n',
		.kind = OPTION_FLAG,
		.help = "remove nothing, take no lock: say what would be removed",
		.target = &dry_run},
	{.name = "copies",
		.kind = OPTION_FLAG,
		.help = "also copied segments, and segments of an earlier boot",
		.target = &copies},
	OPTION_COLUMNS(&columns),
	OPTION_JSON(&json),
	OPTION_END,
};

static const struct option_page page = {
	.command = "gc",
	.operands = "[NAME...]",
	.max = -1,
	.summary = "remove the segments that no living process is in",
	.details =
		"All of this host, or those that are named. That nobody lives in one is proved by a\n"
		"lock of all by which members are known to live; it is tried, never waited for. A\n"
		"process that attaches at that moment keeps the segment, or makes a new one. Who only\n"
		"reads is no member. What is no segment, of another layout or damaged is named, and\n"
		"stays.\n\n"
		"A segment that programs use one after the other has nobody in it between two of\n"
		"them: see with --dry-run, or name what is to go.\n\n"
		"Columns: name, size (of memory that is freed), result, why. Exit code 1 if something\n"
		"that was named stays, or a segment is damaged or of another layout.\n",
	.rows = rows,
};

/* What came of one name. */
enum result { REMOVED, IN_USE, COPY, LEFT, RESULTS };
static const char *const results[RESULTS] = {"removed", "in use", "copy", "left"};

struct outcome {
	const char *name;
	enum result result;
	uint64_t bytes;
	char why[300];
};

/* All of it. */
struct collection {
	struct table table;
	struct json j;
	int names_given, lines, count[RESULTS], wrong;
	uint64_t bytes;
	int error;
};

static const char *result_name(enum result result)
{
	return result == REMOVED && dry_run ? "would be removed" : results[result];
}

static uint64_t bytes_in_memory(const char *name)
{
	char path[PATH_MAX];
	struct stat s;

	snprintf(path, sizeof path, "%s%s", strchr(name, '/') ? "" : "/dev/shm/ilk.", name);
	return stat(path, &s) == 0 ? (uint64_t)s.st_blocks * 512 : 0;
}

/* Would it go with --copies? */
static int is_copy(const char *name)
{
	return ilk_segment_collect(name, ILK_COLLECT_ASK | ILK_COLLECT_COPIES) == 0;
}

static void note(struct outcome *o, int rc)
{
	const char *particulars = ilk_last_error();

	snprintf(o->why, sizeof o->why, "%s", particulars[0] ? particulars : ilk_strerror(rc));
	if (rc == -EBUSY) {
		o->result = IN_USE;
		snprintf(o->why, sizeof o->why, "a living process is in it");
	} else if (rc == -EBADMSG && is_copy(o->name)) {
		o->result = COPY;
		strncat(o->why, "; --copies removes it", sizeof o->why - strlen(o->why) - 1);
	} else {
		o->result = LEFT;
	}
}

static void put(struct collection *c, const struct outcome *o)
{
	struct json *j = &c->j;

	json_open(j, NULL, '{');
	json_string(j, "name", o->name);
	json_string(j, "result", result_name(o->result));
	json_integer(j, "bytes", (int64_t)o->bytes);
	json_string(j, "why", o->why[0] ? o->why : NULL);
	json_close(j);
}

static void add(struct collection *c, const struct outcome *o)
{
	char text[TERM_TEXT];

	/* Who names nothing wants to know what is not as always. */
	if (o->result == IN_USE && !c->names_given)
		return;
	c->lines++;
	table_cell(&c->table, TERM_PLAIN, "%s", o->name);
	table_cell(&c->table, TERM_PLAIN, "%s", term_bytes(text, o->bytes));
	table_cell(&c->table, o->result == LEFT ? TERM_WARN : TERM_PLAIN, "%s",
		result_name(o->result));
	table_cell(&c->table, TERM_PLAIN, "%s", o->why);
}

static int collect(const char *name, void *arg)
{
	struct collection *c = arg;
	struct outcome o = {.name = name, .bytes = bytes_in_memory(name)};
	int rc = ilk_segment_collect(
		name, (dry_run ? ILK_COLLECT_ASK : 0u) | (copies ? ILK_COLLECT_COPIES : 0u));

	if (rc == -ENOENT && !c->names_given)
		return 0; /* it went meanwhile */
	if (c->names_given && rc < 0 && rc != -EBUSY && rc != -EPROTO && rc != -EBADMSG &&
		rc != -EMEDIUMTYPE) {
		c->error = complain_of(page.command, name, rc);
		return 0;
	}
	if (rc < 0)
		note(&o, rc);
	c->count[o.result]++;
	c->bytes += o.result == REMOVED ? o.bytes : 0;
	c->wrong +=
		rc == -EPROTO || (o.result == LEFT && rc == -EBADMSG) || (c->names_given && rc < 0);
	if (json)
		put(c, &o);
	else
		add(c, &o);
	return 0;
}

static void finish(struct collection *c)
{
	char text[TERM_TEXT];

	if (json) {
		json_close(&c->j);
		json_bool(&c->j, "dry_run", dry_run);
		json_integer(&c->j, "bytes", (int64_t)c->bytes);
		json_close(&c->j);
		return;
	}
	if (c->lines)
		table_print(&c->table, stdout);
	/* Of names that all were errors there is nothing to sum up. */
	if (columns || (c->error && c->lines == 0))
		return;
	printf("%d %s, %d in use, %d left: %s %s\n", c->count[REMOVED], result_name(REMOVED),
		c->count[IN_USE], c->count[LEFT] + c->count[COPY], term_bytes(text, c->bytes),
		dry_run ? "would be freed" : "freed");
}

static int gc_main(int argc, char **argv)
{
	static const char *const heads[] = {"NAME", ">SIZE", "RESULT", "WHY", NULL};
	struct collection c = {.error = EXIT_FINE};
	int code = options_parse(&page, &argc, argv);
	int rc = 0;

	if (code != OPTIONS_GO)
		return code;
	c.names_given = argc > 0;
	table_begin(&c.table, heads);
	if (table_choose(&c.table, page.command, columns) != 0)
		return EXIT_ERROR;
	if (json) {
		json_document(&c.j, stdout, "gc", 1);
		json_open(&c.j, "segments", '[');
	}
	for (int i = 0; i < argc; i++)
		collect(argv[i], &c);
	if (argc == 0)
		rc = ilk_inspect_each(collect, &c);
	finish(&c);
	if (rc < 0)
		return complain(page.command, "/dev/shm cannot be read: %s", strerror(-rc));
	return c.error ? c.error : c.wrong ? EXIT_FINDING : EXIT_FINE;
}

const struct command gc_command = {.page = &page, .run = gc_main};
