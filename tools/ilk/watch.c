/* watch.c - ilk watch: a line per interval and object. Reads only. */
#include "ilk/command.h"
#include "ilk/report.h"
#include "ilk/rows.h"
#include "ilk/ticks.h"
#include <errno.h>
#include <string.h>

static int json, csv;
static const char *columns;
static int64_t every = TICKS_SECOND, last = -1; /* last: for ever */

static const struct option_row rows[] = {
	{.name = "every",
		.kind = OPTION_SECONDS,
		.value = "TIME",
		.low = TICKS_LEAST,
		.high = TICKS_MOST,
		.help = "between two lines of an object: 1s, 100ms (default: 1s)",
		.target = &every},
	{.name = "for",
		.kind = OPTION_SECONDS,
		.value = "TIME",
		.low = 0,
		.high = TICKS_MOST,
		.help = "end after so long: 30s, 5m (default: when it is interrupted)",
		.target = &last},
	{.name = "csv",
		.kind = OPTION_FLAG,
		.help = "print comma-separated values, a line of heads first",
		.target = &csv},
	OPTION_JSON(&json),
	OPTION_COLUMNS(&columns),
	OPTION_END,
};

static const struct option_page page = {
	.command = "watch",
	.operands = "NAME [OBJECT...]",
	.min = 1,
	.max = -1,
	.summary = "print what goes on in a segment, line by line",
	.details =
		"A line per interval and object, of the OBJECTs named or of all: how many threads\n"
		"waited for it on average, how many wait at the end, operations a second, how many "
		"of\n"
		"100 had to wait, who holds it. Rates come from the counts that the objects keep "
		"in\n"
		"the segment; of counters they are the change of the value. Reads only: takes no\n"
		"lock, joins nothing, writes nothing.\n\n"
		"A segment that goes is told of on stderr, and watched again when it comes back.\n"
		"In CSV a time is seconds since 1970, HELD FOR is seconds, and what is not known "
		"is\n"
		"empty. JSON is one object a line.\n",
	.rows = rows,
};

/* --- CSV --- */

/* As RFC 4180 has it. Cells have no control characters, and so no line ends. */
static void put_csv(const char *text)
{
	if (!strpbrk(text, ",\"")) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	for (; *text; text++)
		printf("%s%c", *text == '"' ? "\"" : "", *text);
	putchar('"');
}

static void print_csv_heads(const struct table *t)
{
	char name[TABLE_COLUMN_NAME];

	for (size_t i = 0; i < t->chosen; i++)
		printf("%s%s", i ? "," : "", table_column_name(t, t->order[i], name));
	putchar('\n');
}

static void print_csv_rows(const struct table *t)
{
	for (size_t row = 0; row + t->columns <= t->count; row += t->columns)
		for (size_t i = 0; i < t->chosen; i++) {
			if (i > 0)
				putchar(',');
			put_csv(t->cells[row + t->order[i]].text);
			if (i + 1 == t->chosen)
				putchar('\n');
		}
}

/* --- one interval --- */

static void print_json(const struct rows *r)
{
	struct json j;

	for (size_t i = 0; i < r->count; i++) {
		json_line(&j, stdout, "watch", 1);
		json_integer(&j, "time_unix_ns", r->taken_unix);
		json_string(&j, "segment", r->all[i].segment->name);
		rows_json(&j, &r->all[i]);
		json_close(&j);
	}
}

static void print(struct table *t, const struct rows *r, int *printed)
{
	int heads = r->count > 0 && (*printed)++ == 0;

	if (json) {
		print_json(r);
		return;
	}
	rows_print(t, r, 0, r->count, csv);
	if (csv) {
		print_csv_rows(t);
	} else {
		if (heads)
			table_print_heads(t, stdout);
		table_print_rows(t, stdout);
	}
	table_clear(t);
}

/* What has changed with the segment, once. */
static void tell_trouble(const struct sampled *segment, char *told, size_t size)
{
	if (strcmp(told, segment->trouble) == 0)
		return;
	snprintf(told, size, "%s", segment->trouble);
	complain(page.command, "%s: %s", segment->name,
		told[0] ? told : "it is there (again), and whole");
}

static int watch(struct sample *s, struct rows *r, struct table *t)
{
	char told[sizeof s->segments->trouble] = "";
	struct ticks ticks;
	int printed = 0;

	ticks_begin(&ticks, every);
	while (last < 0 || ticks_next_at(&ticks) - ticks.begun <= last) {
		ticks_wait(&ticks);
		sample_take(s);
		tell_trouble(&s->segments[0], told, sizeof told);
		rows_gather(r, s);
		rows_sort(r, ROWS_OBJECT, 0);
		print(t, r, &printed);
		if (fflush(stdout) != 0)
			return EXIT_ERROR; /* main() tells */
	}
	return EXIT_FINE;
}

static int begin(struct table *t)
{
	static const char standard[] =
		"time,object,type,waiting,waiters,ops/s,contended%,depth,owner,held-for,state";

	if (json && csv)
		return complain(page.command, "--csv and --json exclude each other: choose one");
	if (last >= 0 && last < every)
		return complain(page.command,
			"--for is shorter than --every: not one line would be printed");
	table_begin(t, rows_heads);
	return table_choose(t, page.command, columns || csv ? columns : standard);
}

static int watch_main(int argc, char **argv)
{
	struct sample s;
	struct rows r = {.count = 0};
	struct table t;
	int code = options_parse(&page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	if (begin(&t) != 0)
		return EXIT_ERROR;
	r.only = argv + 1;
	r.only_count = argc - 1;
	sample_begin(&s, argv, 1);
	sample_take(&s);
	if (s.segments[0].result < 0)
		code = complain_of(page.command, argv[0], s.segments[0].result);
	else {
		if (csv)
			print_csv_heads(&t);
		fflush(stdout); /* whoever reads them knows that the first look is taken */
		code = watch(&s, &r, &t);
	}
	rows_free(&r);
	sample_end(&s);
	return code;
}

const struct command watch_command = {.page = &page, .run = watch_main};
