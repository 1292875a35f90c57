/* report.c - see report.h. */
#include "ilk/report.h"
#include "ilk/term.h"
#include <errno.h>
#include <ilk/base.h>
#include <stdarg.h>
#include <stdio.h>

int complain(const char *command, const char *format, ...)
{
	char line[600], clean[sizeof line];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	fflush(stdout);
	fprintf(stderr, "ilk%s%s: %s\n", command[0] ? " " : "", command,
		term_clean(clean, sizeof clean, line));
	return EXIT_ERROR;
}

/* What ilk_strerror() advises is for a programmer; at a prompt some of it reads otherwise. */
static const char *advice(int result)
{
	switch (result) {
	case -ENOENT:
		return "there is no such segment; `ilk ls` lists those there are, `ilk create` "
		       "makes one";
	case -EEXIST:
		return "it is there already, and is another than was asked for; `ilk show` tells "
		       "what it is, `ilk rm` removes it";
	case -ENOSPC:
		return "there is no room; make the segment larger (`ilk create --size`), or free "
		       "some of its file system";
	case -EUSERS:
		return "every slot is taken by the living; make the segment with more (`ilk create "
		       "--processes --threads`)";
	case -ENOTSUP:
		return "this process cannot use membarrier(2); make the segment with `ilk create "
		       "--fenced`";
	case -EINVAL:
		return "a name or a number is not permitted; a segment's name is 1 to 63 letters, "
		       "digits, '.', '_', '-', and begins with a letter, a digit or '_'";
	default:
		return ilk_strerror(result);
	}
}

int complain_of(const char *command, const char *name, int result)
{
	const char *particulars = ilk_last_error();

	/* Those of -ENOENT say no more than the advice does. */
	if (particulars[0] && result != -ENOENT)
		return complain(command, "%s: %s (%s)", name, advice(result), particulars);
	return complain(command, "%s: %s", name, advice(result));
}

int complain_of_use(const char *command, const char *segment, const char *object, int result)
{
	if (result == -EIDRM)
		return complain(command, "%s was removed from %s meanwhile", object, segment);
	return complain_of(command, segment, result);
}

int complain_of_object(
	const char *command, const char *segment, const char *object, const char *kind, int result)
{
	switch (result) {
	case -EROFS:
		return complain(command,
			"there is no %s %s in %s; `ilk show %s` lists what there is", kind, object,
			segment, segment);
	case -EEXIST:
		return complain(command,
			"%s in %s is no plain %s (%s); use another name, or see `ilk show %s`",
			object, segment, kind, ilk_last_error(), segment);
	case -EINVAL:
	case -ENAMETOOLONG:
		return complain(command,
			"'%s' cannot be the name of an object; give 1 to 63 bytes of printable "
			"text",
			object);
	default:
		return complain_of(command, segment, result);
	}
}
