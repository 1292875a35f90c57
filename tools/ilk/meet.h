/*
 * meet.h - `sem`, `event`, `latch` and `barrier`: commands that do one act on one object.
 *
 *	ilk COMMAND NAME OBJECT ACT [N]
 *
 * Each has a table of acts. What they have in common is here: reading the operands, making or finding
 * segment and object, the words for what went wrong, and what is printed. An act that reads makes
 * nothing, and joins nothing.
 */
#ifndef ILK_TOOLS_MEET_H
#define ILK_TOOLS_MEET_H

#include "ilk/options.h"
#include <ilk/segment.h>

enum {
	MEET_COUNTS = 1, /* takes a number N, 1 by default */
	MEET_WAITS = 2,  /* takes --wait */
	MEET_READS = 4,  /* prints a value; takes --json */
};

struct meet_act {
	const char *name; /* NULL ends the table */
	unsigned how;     /* MEET_... */
	/* Results as those of the library. What MEET_READS prints goes to *VALUE. */
	int (*run)(void *object, unsigned n, int64_t *value);
};

/* Where something is done, as complaints name it. */
struct meet_place {
	const char *command, *segment, *object;
};

struct meet {
	const struct option_page *page;
	const char *type; /* of its objects: "semaphore" */
	const struct meet_act *acts;
	int64_t most;           /* the largest N */
	const char *late;       /* what is so when the time is up: "there is no permit" */
	const char *made;       /* the option that says what a new one is like: "--value N" */
	const int64_t *needed;  /* what MADE says, if it has to: 0: it was not given; or NULL */
	const int64_t *wait_ns; /* negative: not given */
	const int *json;        /* NULL: nothing is read */
	int (*open)(struct ilk_segment *seg, const char *name, void **object);
	/* Tells of RC, below 0, in words of its own. An exit code; OPTIONS_GO: it has none. NULL: never. */
	int (*tell)(const struct meet_place *at, int rc);
};

/* The whole of such a command. An exit code. */
int meet_main(const struct meet *m, int argc, char **argv);

/*
 * Tells that AT could not be opened as a TYPE, for RC: where it was made with other numbers, that
 * MADE, an option, is to be as it was. EXIT_ERROR.
 */
int meet_complain_of_open(const struct meet_place *at, const char *type, const char *made, int rc);

#endif
