/* rm.c - ilk rm: removes the names of segments. */
#include "ilk/command.h"
#include "ilk/report.h"
#include <ilk/segment.h>

static const struct option_page page = {
	.command = "rm",
	.operands = "NAME...",
	.min = 1,
	.max = -1,
	.summary = "remove segments",
	.details =
		"Removes the name. Processes that are attached go on as before; the memory goes\n"
		"with the last of them. A name that cannot be removed does not keep the others.\n",
};

static int rm_main(int argc, char **argv)
{
	int code = options_parse(&page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	code = EXIT_FINE;
	for (int i = 0; i < argc; i++) {
		int rc = ilk_segment_unlink(argv[i]);

		if (rc < 0)
			code = complain_of(page.command, argv[i], rc);
	}
	return code;
}

const struct command rm_command = {.page = &page, .run = rm_main};
