/* race_run.c - ilk race run: runs the variants of a scenario, one after the other. */
#include "ilk/options.h"
#include "ilk/races.h"
#include "ilk/report.h"
#include "ilk/suggest.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST_WORKERS = 512 };

static int json;
static int64_t procs = 2, threads = 1, iterations = 1000000;
static const char *variant_name;

static const struct option_row run_rows[] = {
	{.name = "procs",
		.letter = 'p',
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 1,
		.high = MOST_WORKERS,
		.help = "processes that race (default 2)",
		.target = &procs},
	{.name = "threads",
		.letter = 't',
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 1,
		.high = MOST_WORKERS,
		.help = "threads of each process that race (default 1)",
		.target = &threads},
	{.name = "iterations",
		.letter = 'i',
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 1,
		.high = INT64_C(1000000000000),
		.help = "what each thread does (default 1000000)",
		.target = &iterations},
	{.name = "variant",
		.letter = 'v',
		.kind = OPTION_TEXT,
		.value = "NAME",
		.help = "run this variant only",
		.target = &variant_name},
	OPTION_JSON(&json),
	OPTION_END,
};

const struct option_page race_run_page = {
	.command = "race run",
	.operands = "SCENARIO",
	.min = 1,
	.max = 1,
	.summary = "run a scenario, broken and fixed, side by side",
	.details = "Real processes, each of which opens the same segment by its name, start at one "
		   "moment\n"
		   "and do their iterations; then it is counted how many of those left their "
		   "trace.\n\n"
		   "NS/OP is wall time, from the first start to the last end, divided by the "
		   "iterations\n"
		   "of all of them together; VS BROKEN how many times the broken variant's that "
		   "is: the\n"
		   "price of the fix.\n\n"
		   "Exit code 0: every broken variant failed and every fix held; 1: not so, and a "
		   "line\n"
		   "says what to try; 2: error.\n",
	.rows = run_rows,
};

static const struct race_scenario *find_scenario(const char *name)
{
	struct suggestion s;

	suggest_begin(&s, name, strlen(name));
	for (const struct race_scenario *const *at = race_scenarios; *at; at++) {
		if (strcmp((*at)->name, name) == 0)
			return *at;
		suggest_offer(&s, (*at)->name);
	}
	if (s.best)
		complain(race_run_page.command, "there is no scenario '%s'; did you mean %s?", name,
			s.best);
	else
		complain(race_run_page.command,
			"there is no scenario '%s'; `ilk race list` lists them", name);
	return NULL;
}

/* Is there a variant of that name, or was none asked for? */
static int check_variant(const struct race_scenario *scenario)
{
	char names[200] = "";
	size_t at = 0;

	if (!variant_name)
		return OPTIONS_GO;
	for (int i = 0; i < scenario->variant_count && at < sizeof names; i++) {
		if (strcmp(scenario->variants[i].name, variant_name) == 0)
			return OPTIONS_GO;
		at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "",
			scenario->variants[i].name);
	}
	return complain(race_run_page.command, "there is no variant '%s'; choose one of: %s",
		variant_name, names);
}

/* --- doing it --- */

/* The line that says how far it is, on terminals, when it takes longer. */
struct progress_line {
	const char *variant;
	ilk_time began;
	int percent; /* shown last; -1: the line is not there */
};

static void show_progress(int64_t done, int64_t expected, void *arg)
{
	struct progress_line *line = arg;
	int percent = (int)(100.0 * (double)done / (double)expected);

	if (ilk_now() - line->began < 500000000 || percent == line->percent)
		return;
	fprintf(stderr, "\r%s: %3d %%", line->variant, percent);
	line->percent = percent;
}

static int run_variant(struct races *races, const struct race_variant *variant)
{
	struct progress_line line = {.variant = variant->name, .began = ilk_now(), .percent = -1};
	struct races_row *row = &races->rows[races->count++];
	int rc;

	row->variant = variant;
	rc = race_run(variant, &races->size, isatty(STDERR_FILENO) ? show_progress : NULL, &line,
		&row->outcome);
	if (line.percent >= 0)
		fputs("\r\033[K", stderr);
	return rc < 0 ? complain(race_run_page.command, "%s", row->outcome.details) : EXIT_FINE;
}

static int run_all(struct races *races)
{
	int code = EXIT_FINE;

	for (int i = 0; i < races->scenario->variant_count && races->count < RACES_MOST; i++) {
		const struct race_variant *variant = &races->scenario->variants[i];

		if (variant_name && strcmp(variant->name, variant_name) != 0)
			continue;
		if (run_variant(races, variant) != EXIT_FINE)
			return EXIT_ERROR;
		if (!races_is_as_it_should(&races->rows[races->count - 1]))
			code = EXIT_FINDING;
	}
	return code;
}

int race_run_main(int argc, char **argv)
{
	struct races races = {.count = 0};
	int code = options_parse(&race_run_page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	if (procs * threads > MOST_WORKERS)
		return complain(race_run_page.command,
			"%lld processes of %lld threads are too many; %d threads in all can race",
			(long long)procs, (long long)threads, MOST_WORKERS);
	races.scenario = find_scenario(argv[0]);
	if (!races.scenario)
		return EXIT_ERROR;
	code = check_variant(races.scenario);
	if (code != OPTIONS_GO)
		return code;
	races.size.processes = (int)procs;
	races.size.threads = (int)threads;
	races.size.iterations = iterations;
	code = run_all(&races);
	if (code != EXIT_ERROR)
		(json ? races_print_json : races_print_text)(&races);
	return code;
}
