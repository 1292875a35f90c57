/* counter.c - ilk counter: prints a counter, or adds to it. */
#include "ilk/command.h"
#include "ilk/json.h"
#include "ilk/report.h"
#include <ilk/counter.h>
#include <stdio.h>
#include <string.h>

static int json;

static const struct option_row rows[] = {OPTION_JSON(&json), OPTION_END};

static const struct option_page page = {
	.command = "counter",
	.operands = "NAME OBJECT [add N]",
	.min = 2,
	.max = 4,
	.summary = "print a counter, or add to it",
	.details =
		"Prints the value of the counter OBJECT in the segment NAME, reading only.\n"
		"`add N` adds N, which may be negative, in one indivisible step, and prints the\n"
		"value after it; a counter that is not there yet begins at 0. The segment must be\n"
		"there. Sharded counters are written by their own threads: `ilk show` prints "
		"them.\n",
	.rows = rows,
};

static void print(const char *segment, const char *object, int64_t value)
{
	struct json j;

	if (!json) {
		printf("%lld\n", (long long)value);
		return;
	}
	json_document(&j, stdout, page.command, 1);
	json_string(&j, "segment", segment);
	json_string(&j, "object", object);
	json_integer(&j, "value", value);
	json_close(&j);
}

/* N is added unless ADDING is 0; *VALUE is what came of it. */
static int look(struct ilk_segment *seg, const char *object, int adding, int64_t n, int64_t *value)
{
	struct ilk_counter *counter;
	int rc = ilk_counter_open(seg, object, &counter);

	if (rc < 0)
		return rc;
	if (!adding) {
		*value = ilk_counter_read(counter);
		return 0;
	}
	rc = ilk_counter_fetch_add(counter, n, value);
	*value = (int64_t)((uint64_t)*value + (uint64_t)n);
	return rc;
}

static int counter_main(int argc, char **argv)
{
	struct ilk_segment_options options = {.size = sizeof options};
	struct ilk_segment *seg;
	int64_t n = 0, value = 0;
	int code = options_parse(&page, &argc, argv);
	int rc;

	if (code != OPTIONS_GO)
		return code;
	if (argc == 3 || (argc == 4 && strcmp(argv[2], "add") != 0))
		return complain(page.command, "'%s' is not understood; use it as: ilk counter %s",
			argv[2], page.operands);
	if (argc == 4 && options_read(OPTION_NUMBER, argv[3], &n) < 0)
		return complain(page.command,
			"'%s' cannot be added: give a whole number of 64 bits", argv[3]);
	options.flags = argc == 4 ? 0 : ILK_SEGMENT_READ_ONLY;
	rc = ilk_segment_open(argv[0], &options, &seg);
	if (rc < 0)
		return complain_of(page.command, argv[0], rc);
	rc = look(seg, argv[1], argc == 4, n, &value);
	code = rc < 0 ? complain_of_object(page.command, argv[0], argv[1], "counter", rc)
		      : EXIT_FINE;
	ilk_segment_close(seg);
	if (rc == 0)
		print(argv[0], argv[1], value);
	return code;
}

const struct command counter_command = {.page = &page, .run = counter_main};
