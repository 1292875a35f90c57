/* rm.c - ilk rm: removes the names of segments, or of an object in them. */
#include "ilk/command.h"
#include "ilk/report.h"
#include <errno.h>
#include <ilk/object.h>
#include <stddef.h>

static const char *object;

static const struct option_row rows[] = {
	{.name = "object",
		.kind = OPTION_TEXT,
		.value = "OBJECT",
		.help = "remove OBJECT from each segment, which stays itself",
		.target = &object},
	OPTION_END,
};

static const struct option_page page = {
	.command = "rm",
	.operands = "NAME...",
	.min = 1,
	.max = -1,
	.summary = "remove segments, or an object in them",
	.details =
		"Removes the name. Processes that are attached go on as before; the memory goes\n"
		"with the last of them. A name that cannot be removed does not keep the others.\n"
		"Who waits in an object that is removed is told so; its memory is kept until the\n"
		"last living process that has it open closes it.\n",
	.rows = rows,
};

static int remove_object(const char *segment)
{
	struct ilk_segment *seg;
	int rc = ilk_segment_open(segment, NULL, &seg);
	int code = EXIT_FINE;

	if (rc < 0)
		return complain_of(page.command, segment, rc);
	rc = ilk_object_remove(seg, object);
	if (rc == -ENOENT)
		code = complain(page.command,
			"there is no object %s in %s; `ilk show %s` lists what there is", object,
			segment, segment);
	else if (rc < 0)
		code = complain_of_object(page.command, segment, object, "object", rc);
	ilk_segment_close(seg);
	return code;
}

static int remove_segment(const char *segment)
{
	int rc = ilk_segment_unlink(segment);

	return rc < 0 ? complain_of(page.command, segment, rc) : EXIT_FINE;
}

static int rm_main(int argc, char **argv)
{
	int code = options_parse(&page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	code = EXIT_FINE;
	for (int i = 0; i < argc; i++) {
		int one = object ? remove_object(argv[i]) : remove_segment(argv[i]);

		if (one != EXIT_FINE)
			code = one;
	}
	return code;
}

const struct command rm_command = {.page = &page, .run = rm_main};
