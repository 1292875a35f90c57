/* top.c - ilk top: options, and the plain face. Reads only. */
#include "ilk/top.h"
#include "ilk/command.h"
#include "ilk/report.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int json, once, plain, reversed;
static const char *columns, *sort = "waiting", *filter = "";
static int64_t every = TICKS_SECOND;

static const struct option_row rows[] = {
	{.name = "every",
		.kind = OPTION_SECONDS,
		.value = "TIME",
		.low = TICKS_LEAST,
		.high = TICKS_MOST,
		.help = "between two looks: 1s, 100ms (default: 1s)",
		.target = &every},
	{.name = "sort",
		.letter = 's',
		.kind = OPTION_TEXT,
		.value = "COLUMN",
		.help = "sort by this column (default: waiting)",
		.target = &sort},
	{.name = "reverse",
		.letter = 'r',
		.kind = OPTION_FLAG,
		.help = "sort the other way round",
		.target = &reversed},
	{.name = "filter",
		.letter = 'f',
		.kind = OPTION_TEXT,
		.value = "TEXT",
		.help = "only what has TEXT in its segment, name, type or owner",
		.target = &filter},
	{.name = "once",
		.kind = OPTION_FLAG,
		.help = "take two looks, print what went on between them, end",
		.target = &once},
	{.name = "plain",
		.kind = OPTION_FLAG,
		.help = "print text again and again, also on a terminal",
		.target = &plain},
	OPTION_JSON(&json),
	OPTION_COLUMNS(&columns),
	OPTION_END,
};

static const struct option_page page = {
	.command = "top",
	.operands = "[NAME...]",
	.max = -1,
	.summary = "show what goes on in segments, full screen",
	.details =
		"The objects of the segments that are named, or of all: how many threads waited for\n"
		"each on average, how many wait now, operations a second, how many of 100 had to\n"
		"wait, who holds it. Rates come from the counts that the objects keep in the\n"
		"segment; of counters they are the change of the value. Reads only: takes no lock,\n"
		"joins nothing, writes nothing. A segment that goes is shown as gone until it comes\n"
		"back.\n\n"
		"Keys: arrows select a row and the column to sort by, s sorts by the next, r the\n"
		"other way round, / filters, p or space pauses, Enter opens, Esc goes back, Tab\n"
		"shows the processes, h all keys, q quits.\n\n"
		"What is no terminal, or has no ncursesw, gets text at each look; with --json, one\n"
		"object a line.\n",
	.rows = rows,
};

/* --- what is seen --- */

void top_arrange(struct top *t)
{
	t->rows.filter = t->filter;
	rows_gather(&t->rows, &t->sample);
	rows_sort(&t->rows, t->sort, t->reversed);
	top_gather_processes(t);
}

int top_take(struct top *t)
{
	int rc = sample_take(&t->sample);

	if (rc == 0)
		top_arrange(t);
	return rc;
}

/* --- the plain face --- */

static void print(struct top *t)
{
	if (json) {
		top_print_json(t, !once);
		return;
	}
	top_header(t, stdout);
	rows_print(&t->objects, &t->rows, 0, t->rows.count, 0);
	table_print_heads(&t->objects, stdout);
	table_print_rows(&t->objects, stdout);
	table_clear(&t->objects);
	if (!once)
		putchar('\n');
}

static int run_plain(struct top *t)
{
	struct ticks ticks;

	ticks_begin(&ticks, every);
	do {
		ticks_wait(&ticks);
		top_take(t);
		print(t);
		if (fflush(stdout) != 0)
			return EXIT_ERROR; /* main() tells */
	} while (!once);
	return EXIT_FINE;
}

static int run(struct top *t)
{
	int code = -1;

	if (once || json || plain || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return run_plain(t);
	if (!top_screen_absent())
		code = top_screen(t);
	if (code >= 0)
		return code;
	complain(page.command, "no full screen: %s",
		top_screen_absent() ? top_screen_absent() : "this terminal (TERM) is not known");
	return run_plain(t);
}

/* --- the beginning --- */

static int begin_columns(struct top *t, int segments)
{
	const char *standard =
		"segment,object,type,waiting,waiters,ops/s,contended%,depth,owner,held-for,state";
	struct table sorting;

	table_begin(&sorting, rows_heads);
	if (table_choose(&sorting, page.command, sort) != 0)
		return EXIT_ERROR;
	if (sorting.chosen != 1)
		return complain(page.command, "--sort takes one column");
	t->sort = (enum rows_column)sorting.order[0];
	table_begin(&t->process_table, top_process_heads);
	table_begin(&t->objects, rows_heads);
	/* One segment need not be named in each row. */
	return table_choose(&t->objects, page.command,
		columns         ? columns
		: segments == 1 ? strchr(standard, ',') + 1
				: standard);
}

static int begin(struct top *t, char **argv, int argc)
{
	int rc;

	if (begin_columns(t, argc) != 0)
		return EXIT_ERROR;
	if (strlen(filter) >= sizeof t->filter)
		return complain(
			page.command, "--filter is longer than %zu bytes", sizeof t->filter - 1);
	strcpy(t->filter, filter);
	t->every = every;
	t->reversed = reversed;
	sample_begin(&t->sample, argv, argc);
	rc = top_take(t);
	if (rc < 0)
		return complain(page.command, "/dev/shm cannot be read: %s", strerror(-rc));
	return 0;
}

/* Of those that were named each has to be there at first. */
static int check_names(const struct top *t)
{
	for (size_t i = 0; !t->sample.all && i < t->sample.count; i++)
		if (t->sample.segments[i].result == -ENOENT)
			return complain_of(page.command, t->sample.segments[i].name, -ENOENT);
		else if (t->sample.segments[i].result < 0)
			return complain(page.command, "%s: %s", t->sample.segments[i].name,
				t->sample.segments[i].trouble);
	return 0;
}

static int top_main(int argc, char **argv)
{
	struct top t = {.view = TOP_OBJECTS};
	int code = options_parse(&page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	code = begin(&t, argv, argc);
	if (code == 0)
		code = check_names(&t);
	if (code == 0)
		code = run(&t);
	rows_free(&t.rows);
	free(t.processes);
	sample_end(&t.sample);
	return code;
}

const struct command top_command = {.page = &page, .run = top_main};
