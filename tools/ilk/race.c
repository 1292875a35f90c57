/* race.c - ilk race: the scenarios of the race lab (tools/race); race_run.c runs them. */
#include "ilk/command.h"
#include "ilk/races.h"
#include "ilk/json.h"
#include "ilk/report.h"
#include "ilk/suggest.h"
#include "ilk/table.h"
#include <string.h>

static const struct option_page page = {
	.command = "race",
	.operands = "list | run SCENARIO",
	.min = 1,
	.max = -1,
	.summary = "show races between real processes, and their fixes",
	.details = "  list            the scenarios: the bug, what it breaks, the fix\n"
		   "  run SCENARIO    run one, broken and fixed, side by side\n\n"
		   "`ilk race run --help` tells of its options.\n",
};

/* --- list --- */

static int json;

static const struct option_row list_rows[] = {OPTION_JSON(&json), OPTION_END};

static const struct option_page list_page = {
	.command = "race list",
	.operands = "",
	.summary = "list the scenarios of the race lab",
	.rows = list_rows,
};

static void list_json(void)
{
	struct json j;

	json_begin(&j, stdout);
	json_open(&j, NULL, '[');
	for (const struct race_scenario *const *s = race_scenarios; *s; s++) {
		json_open(&j, NULL, '{');
		json_string(&j, "name", (*s)->name);
		json_string(&j, "bug", (*s)->bug);
		json_string(&j, "breaks", (*s)->breaks);
		json_string(&j, "fix", (*s)->fix);
		json_close(&j);
	}
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

/* --- both --- */

static int race_main(int argc, char **argv)
{
	struct suggestion s;
	int code;

	if (argc > 1 && strcmp(argv[1], "list") == 0)
		return list_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return race_run_main(argc - 1, argv + 1);
	code = options_parse(&page, &argc, argv);
	if (code != OPTIONS_GO)
		return code;
	suggest_begin(&s, argv[0], strlen(argv[0]));
	suggest_offer(&s, "list");
	suggest_offer(&s, "run");
	return complain(page.command, "there is no command 'race %s'; %s`ilk race %s`%s", argv[0],
		s.best ? "did you mean " : "try ", s.best ? s.best : "list", s.best ? "?" : "");
}

static const struct option_page *const within[] = {&list_page, &race_run_page, NULL};

const struct command race_command = {.page = &page, .run = race_main, .within = within};
