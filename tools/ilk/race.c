/* race.c - ilk race: the scenarios of the race lab (tools/race); race_run.c runs them. */
#include "ilk/command.h"
#include "ilk/json.h"
#include "ilk/races.h"
#include "ilk/report.h"
#include "ilk/suggest.h"
#include "ilk/table.h"
#include <string.h>

static const struct option_page page = {
	.command = "race",
	.operands = "list | explain SCENARIO | run SCENARIO | source SCENARIO",
	.min = 1,
	.max = -1,
	.summary = "show races between real processes, and their fixes",
	.details = "  list              the scenarios: the bug, what it breaks, the fix\n"
		   "  explain SCENARIO  a page: the code, what happens, why, which fix when\n"
		   "  run SCENARIO      run one, broken and fixed, side by side; or all\n"
		   "  source SCENARIO   the code that runs\n\n"
		   "`ilk race run --help` tells of its options.\n",
};

int races_find(const char *command, const char *name)
{
	struct suggestion s;

	suggest_begin(&s, name, strlen(name));
	for (int i = 0; race_scenarios[i]; i++) {
		if (strcmp(race_scenarios[i]->name, name) == 0)
			return i;
		suggest_offer(&s, race_scenarios[i]->name);
	}
	if (s.best)
		complain(command, "there is no scenario '%s'; did you mean %s?", name, s.best);
	else
		complain(command, "there is no scenario '%s'; `ilk race list` lists them", name);
	return -1;
}

/* --- list --- */

static int json;

static const struct option_row list_rows[] = {OPTION_JSON(&json), OPTION_END};

static const struct option_page list_page = {
	.command = "race list",
	.operands = "",
	.summary = "list the scenarios of the race lab",
	.rows = list_rows,
};

static void list_variants(struct json *j, const struct race_scenario *s)
{
	json_open(j, "variants", '[');
	for (int i = 0; i < s->variant_count; i++)
		json_string(j, NULL, s->variants[i].name);
	json_close(j);
}

static void list_json(void)
{
	struct json j;

	json_document(&j, stdout, "race-list", 1);
	json_open(&j, "scenarios", '[');
	for (const struct race_scenario *const *s = race_scenarios; *s; s++) {
		json_open(&j, NULL, '{');
		json_string(&j, "name", (*s)->name);
		json_string(&j, "bug", (*s)->bug);
		json_string(&j, "breaks", (*s)->breaks);
		json_string(&j, "fix", (*s)->fix);
		list_variants(&j, *s);
		json_close(&j);
	}
	json_close(&j);
	json_close(&j);
}

static void list_text(void)
{
	static const char *const heads[] = {
		"SCENARIO", "THE BUG", "WHAT IT BREAKS", "THE FIX", NULL};
	struct table t;

	table_begin(&t, heads);
	for (const struct race_scenario *const *s = race_scenarios; *s; s++) {
		table_cell(&t, TERM_BOLD, "%s", (*s)->name);
		table_cell(&t, TERM_PLAIN, "%s", (*s)->bug);
		table_cell(&t, TERM_PLAIN, "%s", (*s)->breaks);
		table_cell(&t, TERM_PLAIN, "%s", (*s)->fix);
	}
	table_print(&t, stdout);
}

static int list_main(int argc, char **argv)
{
	int code = options_parse(&list_page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	(json ? list_json : list_text)();
	return EXIT_FINE;
}

/* --- explain, source --- */

static const struct option_page explain_page = {
	.command = "race explain",
	.operands = "SCENARIO",
	.min = 1,
	.max = 1,
	.summary = "explain a scenario: the code, what happens and why, which fix when",
};

static const struct option_page source_page = {
	.command = "race source",
	.operands = "SCENARIO",
	.min = 1,
	.max = 1,
	.summary = "print the code of a scenario, which is the code that runs",
};

static int print_text(const struct option_page *of, const char *const *texts, int argc, char **argv)
{
	int code = options_parse(of, &argc, argv), i;

	if (code != OPTIONS_GO)
		return code;
	i = races_find(of->command, argv[0]);
	if (i < 0)
		return EXIT_ERROR;
	fputs(texts[i], stdout);
	return EXIT_FINE;
}

static int explain_main(int argc, char **argv)
{
	return print_text(&explain_page, race_pages, argc, argv);
}

static int source_main(int argc, char **argv)
{
	return print_text(&source_page, race_sources, argc, argv);
}

/* --- all --- */

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} parts[] = {
	{"list", list_main},
	{"explain", explain_main},
	{"run", race_run_main},
	{"source", source_main},
};
enum { PARTS = sizeof parts / sizeof *parts };

static int race_main(int argc, char **argv)
{
	struct suggestion s;
	int code;

	for (int i = 0; argc > 1 && i < PARTS; i++)
		if (strcmp(argv[1], parts[i].name) == 0)
			return parts[i].run(argc - 1, argv + 1);
	code = options_parse(&page, &argc, argv);
	if (code != OPTIONS_GO)
		return code;
	suggest_begin(&s, argv[0], strlen(argv[0]));
	for (int i = 0; i < PARTS; i++)
		suggest_offer(&s, parts[i].name);
	return complain(page.command, "there is no command 'race %s'; %s`ilk race %s`%s", argv[0],
		s.best ? "did you mean " : "try ", s.best ? s.best : "list", s.best ? "?" : "");
}

static const struct option_page *const within[] = {
	&list_page, &explain_page, &race_run_page, &source_page, NULL};

const struct command race_command = {.page = &page, .run = race_main, .within = within};
