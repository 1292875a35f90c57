/* show.h - the two faces of `ilk show`: tables and JSON. */
#ifndef ILK_TOOLS_SHOW_H
#define ILK_TOOLS_SHOW_H

#include <ilk/inspect.h>

/* Each prints all of IN on stdout, what is wrong last, and returns how many things are wrong. */
int show_tables(const char *name, const struct ilk_inspection *in);
int show_json(const char *name, const struct ilk_inspection *in);

#endif
