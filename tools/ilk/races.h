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
};

/* All of a run. */
struct races {
	const struct race_scenario *scenario;
	struct race_size size;
	struct races_row rows[RACES_MOST];
	int count;
};

/* Did it do what a variant of its kind is to do: the broken one fail, the fix hold? */
int races_is_as_it_should(const struct races_row *row);

/* Both print RACES on stdout. */
void races_print_text(const struct races *races);
void races_print_json(const struct races *races);

extern const struct option_page race_run_page;

/* `ilk race run`; argv[0] is "run". An exit code. */
int race_run_main(int argc, char **argv);

#endif
