/*
 * table.h - columns of text, as wide as what stands in them.
 *
 *	static const char *const heads[] = {"NAME", ">SIZE", NULL};     // '>': to the right
 *	struct table t;
 *	table_begin(&t, heads);
 *	table_cell(&t, TERM_BOLD, "%s", name);
 *	table_cell(&t, TERM_PLAIN, "%d", size);
 *	table_print(&t, stdout);                // also frees it
 */
#ifndef ILK_TOOLS_TABLE_H
#define ILK_TOOLS_TABLE_H

#include "ilk/term.h"

enum { TABLE_COLUMNS = 12 };

struct table_cell {
	enum term_style style;
	char *text;
};

struct table {
	const char *const *heads;
	size_t columns, count; /* count: of cells, filled row by row */
	struct table_cell *cells;
};

void table_begin(struct table *t, const char *const *heads);

/* The next cell. What could steer a terminal is made harmless. */
void table_cell(struct table *t, enum term_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void table_print(struct table *t, FILE *out);

#endif
