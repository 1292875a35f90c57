/* look.c - see look.h. */
#include "ilk/look.h"
#include "ilk/report.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

char *look_name(const char *command, const char *operand, int is_file)
{
	size_t size = strlen(operand) + sizeof "./";
	char *name = malloc(size);

	if (!name)
		exit(complain(command, "out of memory"));
	snprintf(name, size, "%s%s", is_file && !strchr(operand, '/') ? "./" : "", operand);
	return name;
}

int look_at(const char *command, const char *name, struct ilk_inspection **in)
{
	int rc = ilk_inspect(name, in);

	if (rc == -ENOENT && strchr(name, '/'))
		return complain(command, "there is no file %s; check the path", name);
	return rc < 0 ? complain_of(command, name, rc) : EXIT_FINE;
}

void look_pause(int64_t milliseconds)
{
	const struct timespec pause = {
		.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};

	nanosleep(&pause, NULL);
}
