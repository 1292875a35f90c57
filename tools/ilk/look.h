/* look.h - looking at a segment, or a file, that the user names. */
#ifndef ILK_TOOLS_LOOK_H
#define ILK_TOOLS_LOOK_H

#include "ilk/options.h"
#include <ilk/inspect.h>

#define OPTION_FILE(target_)                                                                  \
	{                                                                                     \
		.name = "file", .letter = 'f', .kind = OPTION_FLAG,                           \
		.help = "what is named is the path of a file, such as a copy of a segment,\n" \
			"also without a '/'",                                                 \
		.target = (target_)                                                           \
	}

/* OPERAND as ilk_inspect() is to see it: a file has a '/' in it. To be freed. */
char *look_name(const char *command, const char *operand, int is_file);

/* EXIT_FINE; or EXIT_ERROR, told: it cannot be read. */
int look_at(const char *command, const char *name, struct ilk_inspection **in);

/* The time between two looks. */
void look_pause(int64_t milliseconds);

#endif
