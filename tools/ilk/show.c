/* show.c - ilk show: what is going on in a segment. Reads only. */
#include "ilk/show.h"
#include "ilk/command.h"
#include "ilk/look.h"
#include "ilk/report.h"
#include "ilk/suggest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAMPLE_MS = 200 };

static int json, no_sample, file;
static int64_t sample_ms;
static const char *columns;

static const struct option_row rows[] = {
	{.name = "sample",
		.letter = 's',
		.kind = OPTION_NUMBER,
		.value = "MS",
		.low = 1,
		.high = 60000,
		.help = "look twice, so many milliseconds apart, and show rates; 200 by\n"
			"default where the output is a terminal, or a column of rates is\n"
			"asked for",
		.target = &sample_ms},
	{.name = "no-sample",
		.letter = 'n',
		.kind = OPTION_FLAG,
		.help = "look once, and show no rates",
		.target = &no_sample},
	OPTION_FILE(&file),
	OPTION_COLUMNS(&columns),
	OPTION_JSON(&json),
	OPTION_END,
};

static const struct option_page page = {
	.command = "show",
	.operands = "NAME [OBJECT]",
	.min = 1,
	.max = 2,
	.summary = "show who is in a segment, who holds what, who waits",
	.details =
		"NAME is a segment, or with a '/' in it a file, such as a copy of one. The "
		"processes,\n"
		"threads and objects in it, or one OBJECT with its holders and waiters; last, what "
		"is\n"
		"wrong, with the evidence and the command to type next. Reads the segment's file: "
		"takes\n"
		"no lock, joins nothing, writes nothing, and works when all in it are dead or\n"
		"stopped.\n\n"
		"With -o only the table of objects is printed: of all, or of OBJECT.\n\n"
		"Exit code 1 if something is wrong: an owner that died holding, a lock that was\n"
		"recovered and not declared repaired, messages that the dead took and did not "
		"finish,\n"
		"a broken barrier, damage. A member that is dead and holds nothing is shown as "
		"dead,\n"
		"and is nothing wrong.\n",
	.rows = rows,
};

/* --- one object --- */

static int complain_no_object(const struct ilk_inspection *in, const char *name, const char *object)
{
	struct suggestion s;

	suggest_begin(&s, object, strlen(object));
	for (size_t i = 0; i < in->object_count; i++)
		suggest_offer(&s, in->objects[i].name);
	if (s.best)
		return complain(page.command, "there is no object %s in %s; did you mean %s?",
			object, name, s.best);
	return complain(page.command,
		"there is no object %s in %s; `ilk show %s` lists those there are", object, name,
		name);
}

/* The one of that name, rather one that is not removed; ILK_NO_INDEX. */
static int find_object(const struct ilk_inspection *in, const char *name)
{
	int found = ILK_NO_INDEX;

	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, name) == 0 &&
			(found == ILK_NO_INDEX || in->objects[found].removed))
			found = (int)i;
	return found;
}

/* --- looking --- */

/* The later of two looks, *IN, and what happened in between. Of a segment that goes meanwhile, and
 * of a copy, there is one look. */
static struct rate *sample(const char *name, struct ilk_inspection **in)
{
	struct ilk_inspection *later;
	struct rate *rates;

	if (sample_ms == 0 || (*in)->liveness == ILK_LIFE_UNKNOWN)
		return NULL;
	look_pause(sample_ms);
	if (ilk_inspect(name, &later) < 0)
		return NULL;
	rates = rates_between(*in, later);
	ilk_inspection_free(*in);
	*in = later;
	return rates;
}

static int show(const char *name, const char *object, struct ilk_inspection *in, struct rate *rates)
{
	struct view v = {.name = name,
		.in = in,
		.rates = rates,
		.sample_ms = rates ? sample_ms : 0,
		.object = ILK_NO_INDEX,
		.columns = columns};
	int wrong;

	if (object)
		v.object = find_object(in, object);
	if (object && v.object == ILK_NO_INDEX)
		return complain_no_object(in, name, object);
	if (view_begin(&v) < 0)
		return complain(page.command, "out of memory");
	wrong = (json ? show_json : show_tables)(&v);
	view_end(&v);
	return wrong < 0 ? EXIT_ERROR : wrong ? EXIT_FINDING : EXIT_FINE;
}

/* A person would like to see them; a program says so, be it by the columns. */
static int wants_rates(void)
{
	if (columns)
		return strstr(columns, "ops/s") || strstr(columns, "cont%");
	return !json && isatty(STDOUT_FILENO);
}

static int show_main(int argc, char **argv)
{
	struct ilk_inspection *in;
	struct rate *rates;
	char *name;
	int code = options_parse(&page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	if (sample_ms && no_sample)
		return complain(page.command, "--sample and --no-sample contradict each other");
	if (sample_ms == 0 && !no_sample && wants_rates())
		sample_ms = SAMPLE_MS;
	name = look_name(page.command, argv[0], file);
	code = look_at(page.command, name, &in);
	if (code == EXIT_FINE) {
		rates = sample(name, &in);
		code = show(name, argc > 1 ? argv[1] : NULL, in, rates);
		free(rates);
		ilk_inspection_free(in);
	}
	free(name);
	return code;
}

const struct command show_command = {.page = &page, .run = show_main};
