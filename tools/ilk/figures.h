/* figures.h - what only objects of one type tell of themselves, as text and as JSON. */
#ifndef ILK_TOOLS_FIGURES_H
#define ILK_TOOLS_FIGURES_H

#include "ilk/json.h"
#include "ilk/term.h"
#include <ilk/inspect.h>

/* The first figure of object I; there are *COUNT. */
const struct ilk_figure_info *figures_of(const struct ilk_inspection *in, int i, size_t *count);

enum { FIGURES_NAME = 40 };
/* Its name for people: "busy" for "busy_ns". Returns OUT. */
const char *figures_name(const struct ilk_figure_info *f, char out[FIGURES_NAME]);

/* "1,000", "64 B", "3 ms", "yes", "i64". Returns OUT. */
const char *figures_text(const struct ilk_figure_info *f, char out[TERM_TEXT]);

/* Those of object I, as the members of an object "figures". */
void figures_json(struct json *j, const struct ilk_inspection *in, int i);

#endif
