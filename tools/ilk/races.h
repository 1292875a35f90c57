/* races.h - what the parts of `ilk race` share. */
#ifndef ILK_TOOLS_RACES_H
#define ILK_TOOLS_RACES_H

#include "ilk/options.h"
#include "race/frame.h"

enum { RACES_MOST = 16 };

/* A variant that was run. */
struct races_row {
	const struct race_variant *variant;
	struct race_outcome outcome;
	const char *absent; /* why it was not run, or NULL */
};

/* A run of one scenario. */
struct races {
	const struct race_scenario *scenario;
	struct race_size size;
	struct races_row rows[RACES_MOST];
	int count;
};

/* Did row I do what a variant of its kind is to do? */
int races_is_as_it_should(const struct races *races, int i);

/* Print RACES on stdout. */
void races_print_text(const struct races *races);
/* All of COUNT runs, as one document. */
void races_print_json(const struct races *races, int count);
/* A table with a line for each of COUNT runs. */
void races_print_summary(const struct races *races, int count);

/* Where the scenario NAME stands in race_scenarios; -1: COMMAND complained. */
int races_find(const char *command, const char *name);

extern const struct option_page race_run_page;

/* `ilk race run`; argv[0] is "run". An exit code. */
int race_run_main(int argc, char **argv);

#endif
