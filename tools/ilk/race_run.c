/* race_run.c - ilk race run: runs the variants of scenarios, one after the other. */
#include "ilk/options.h"
#include "ilk/races.h"
#include "ilk/report.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_WORKERS = 512, DEFAULT_ITERATIONS = 1000000, DEFAULT_PROCESSES = 2 };

static int json;
static int64_t procs, threads = 1, iterations, nanoseconds, seed = 1;
static const char *variant_name;

static const struct option_row run_rows[] = {
	{.name = "procs",
		.letter = 'p',
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 1,
		.high = MOST_WORKERS,
		.help = "processes that race (default: the scenario's, mostly 2)",
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
		.help = "what each thread does (default: the scenario's)",
		.target = &iterations},
	{.name = "for",
		.kind = OPTION_SECONDS,
		.value = "SECONDS",
		.low = 1000000,
		.high = INT64_C(86400000000000),
		.help = "go on for so long, and not for a number of iterations",
		.target = &nanoseconds},
	{.name = "seed",
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 0,
		.high = INT64_MAX,
		.help = "of what a scenario chooses by chance (default 1)",
		.target = &seed},
	{.name = "variant",
		.letter = 'v',
		.kind = OPTION_TEXT,
		.value = "NAME",
		.help = "run this variant only (default all)",
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
	.details = "SCENARIO is one of `ilk race list`, or all.\n\n"
		   "Real processes, each of which opens the same segment by its name, start at one "
		   "moment\n"
		   "and do their iterations; then it is counted what came of it. Nothing is "
		   "scripted: the\n"
		   "failures are those of this run on this machine.\n\n"
		   "NS/OP is wall time, from the first start to the last end, divided by the "
		   "iterations\n"
		   "of all of them together; VS BROKEN how many times the broken variant's that "
		   "is: the\n"
		   "price of the fix. Below stands a witness where there is one: what each did, "
		   "in order.\n\n"
		   "Exit code 0: every broken variant failed and every fix held; 1: not so, and a "
		   "line\n"
		   "says what to try; 2: error.\n",
	.rows = run_rows,
};

/* Is there a variant of that name, or was none asked for? */
static int check_variant(const struct race_scenario *scenario)
{
	char names[400] = "";
	size_t at = 0;

	if (!variant_name || strcmp(variant_name, "all") == 0)
		return OPTIONS_GO;
	for (int i = 0; i < scenario->variant_count && at < sizeof names; i++) {
		if (strcmp(scenario->variants[i].name, variant_name) == 0)
			return OPTIONS_GO;
		at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? ", " : "",
			scenario->variants[i].name);
	}
	return complain(race_run_page.command, "%s has no variant '%s'; choose one of: %s",
		scenario->name, variant_name, names);
}

static int check_workers(const struct race_scenario *s, const struct race_size *size)
{
	int workers = size->processes * size->threads;
	int most = s->most_workers ? s->most_workers : MOST_WORKERS;

	if (s->only_processes && size->threads > 1)
		return complain(race_run_page.command,
			"in %s a process dies or forks, and threads would do so with it; race it "
			"with --procs alone",
			s->name);
	if (workers >= s->least_workers && workers <= most)
		return OPTIONS_GO;
	return complain(race_run_page.command,
		"%d in all (%d processes of %d threads) cannot race in %s; from %d to %d can",
		workers, size->processes, size->threads, s->name,
		s->least_workers ? s->least_workers : 1, most);
}

static int choose_size(const struct race_scenario *s, struct race_size *size)
{
	int by_time = nanoseconds != 0;

	if (by_time && iterations)
		return complain(race_run_page.command,
			"--for and --iterations exclude each other; give one");
	*size = (struct race_size){
		.processes = (int)procs,
		.threads = (int)threads,
		.iterations = iterations,
		.nanoseconds = nanoseconds,
		.seed = (uint64_t)seed,
	};
	if (procs == 0)
		size->processes = s->processes ? s->processes : DEFAULT_PROCESSES;
	if (!by_time && iterations == 0)
		size->iterations = s->iterations ? s->iterations : DEFAULT_ITERATIONS;
	return check_workers(s, size);
}

/* --- doing it --- */

/* The line that says how far it is, on terminals, when it takes longer. */
struct progress_line {
	const char *scenario, *variant;
	ilk_time began;
	int shown; /* percent, or seconds, shown last; -1: the line is not there */
};

static void show_progress(int64_t done, int64_t expected, void *arg)
{
	struct progress_line *line = arg;
	ilk_time passed = ilk_now() - line->began;
	int now = expected ? (int)(100.0 * (double)done / (double)expected)
			   : (int)(passed / 1000000000);

	if (passed < 500000000 || now == line->shown)
		return;
	fprintf(stderr, "\r%s, %s: %3d %s", line->scenario, line->variant, now,
		expected ? "%" : "s");
	line->shown = now;
}

static int run_variant(struct races *races, const struct race_variant *variant)
{
	struct progress_line line = {
		.scenario = races->scenario->name,
		.variant = variant->name,
		.began = ilk_now(),
		.shown = -1,
	};
	struct races_row *row = &races->rows[races->count++];
	int rc;

	row->variant = variant;
	row->absent = variant->absent ? variant->absent() : NULL;
	if (row->absent)
		return EXIT_FINE;
	rc = race_run(races->scenario, variant, &races->size,
		isatty(STDERR_FILENO) ? show_progress : NULL, &line, &row->outcome);
	if (line.shown >= 0)
		fputs("\r\033[K", stderr);
	return rc < 0 ? complain(race_run_page.command, "%s, %s: %s", races->scenario->name,
				variant->name, row->outcome.details)
		      : EXIT_FINE;
}

static int run_scenario(struct races *races)
{
	const struct race_scenario *s = races->scenario;
	int all = !variant_name || strcmp(variant_name, "all") == 0;
	int code = check_variant(s);

	if (code == OPTIONS_GO)
		code = choose_size(s, &races->size);
	if (code != OPTIONS_GO)
		return code;
	for (int i = 0; i < s->variant_count && races->count < RACES_MOST; i++)
		if (all || strcmp(s->variants[i].name, variant_name) == 0)
			if (run_variant(races, &s->variants[i]) != EXIT_FINE)
				return EXIT_ERROR;
	code = EXIT_FINE;
	for (int i = 0; i < races->count; i++)
		if (!races_is_as_it_should(races, i))
			code = EXIT_FINDING;
	return code;
}

static int run_one(const char *name)
{
	static struct races races;
	int i = races_find(race_run_page.command, name), code;

	if (i < 0)
		return EXIT_ERROR;
	races.scenario = race_scenarios[i];
	code = run_scenario(&races);
	if (code == EXIT_ERROR)
		return code;
	if (json)
		races_print_json(&races, 1);
	else
		races_print_text(&races);
	return code;
}

static int run_all(void)
{
	int count = 0, code = EXIT_FINE;
	struct races *all;

	if (variant_name)
		return complain(race_run_page.command,
			"--variant needs one scenario; `ilk race list` lists them");
	while (race_scenarios[count])
		count++;
	all = calloc((size_t)count, sizeof *all);
	if (!all)
		return complain(race_run_page.command, "there is no memory left");
	for (int i = 0; i < count && code != EXIT_ERROR; i++) {
		int rc;

		all[i].scenario = race_scenarios[i];
		rc = run_scenario(&all[i]);
		code = rc > code ? rc : code;
		if (!json && rc != EXIT_ERROR) {
			races_print_text(&all[i]);
			putchar('\n');
			fflush(stdout);
		}
	}
	if (code != EXIT_ERROR)
		(json ? races_print_json : races_print_summary)(all, count);
	free(all);
	return code;
}

int race_run_main(int argc, char **argv)
{
	int code = options_parse(&race_run_page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	if (procs * threads > MOST_WORKERS)
		return complain(race_run_page.command,
			"%lld processes of %lld threads are too many; %d threads in all can race",
			(long long)procs, (long long)threads, MOST_WORKERS);
	return strcmp(argv[0], "all") == 0 ? run_all() : run_one(argv[0]);
}
