/* show.c - ilk show: what is going on in a segment. Reads only. */
#include "ilk/show.h"
#include "ilk/command.h"
#include "ilk/report.h"
#include <errno.h>
#include <string.h>

static int json;

static const struct option_row rows[] = {OPTION_JSON(&json), OPTION_END};

static const struct option_page page = {
	.command = "show",
	.operands = "NAME",
	.min = 1,
	.max = 1,
	.summary = "show who is in a segment, who holds what, who waits",
	.details =
		"NAME is a segment, or with a '/' in it a file, such as a copy of one. The "
		"processes,\n"
		"threads and objects in it; last, what is wrong, with the evidence. Maps the "
		"segment\n"
		"read-only, takes no lock, joins nothing, writes nothing, and works when all in "
		"it\n"
		"are dead or stopped.\n\n"
		"Exit code 1 if something is wrong: an owner that died holding, a mutex that was\n"
		"recovered and not declared repaired, damage. A member that is dead and holds "
		"nothing\n"
		"is shown as dead, and is nothing wrong. Times in JSON are nanoseconds.\n",
	.rows = rows,
};

static int show_main(int argc, char **argv)
{
	struct ilk_inspection *in;
	int code = options_parse(&page, &argc, argv);
	int rc, wrong;

	if (code != OPTIONS_GO)
		return code;
	rc = ilk_inspect(argv[0], &in);
	if (rc == -ENOENT && strchr(argv[0], '/'))
		return complain(page.command, "there is no file %s; check the path", argv[0]);
	if (rc < 0)
		return complain_of(page.command, argv[0], rc);
	wrong = (json ? show_json : show_tables)(argv[0], in);
	ilk_inspection_free(in);
	return wrong ? EXIT_FINDING : EXIT_FINE;
}

const struct command show_command = {.page = &page, .run = show_main};
