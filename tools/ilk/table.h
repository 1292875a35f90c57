/*
 * table.h - columns of text, as wide as what stands in them.
 *
 *	static const char *const heads[] = {"NAME", ">SIZE", NULL};     // '>': to the right
 *	struct table t;
 *	table_begin(&t, heads);
 *	table_cell(&t, TERM_BOLD, "%s", name);
 *	table_cell(&t, TERM_PLAIN, "%d", size);
 *	table_print(&t, stdout);                // also frees it
 *
 * Which of them are printed, and in what order, a user says by -o (OPTION_COLUMNS of options.h):
 *
 *	if (table_choose(&t, page.command, columns) != 0)       // after table_begin()
 *		return EXIT_ERROR;
 *
 * A column is called as its head, in small letters and with '-' for each blank: "held-by". Cells are
 * given for all columns all the same.
 */
#ifndef ILK_TOOLS_TABLE_H
#define ILK_TOOLS_TABLE_H

#include "ilk/term.h"

enum { TABLE_COLUMNS = 16, TABLE_COLUMN_NAME = 32 };

struct table_cell {
	enum term_style style;
	char *text;
};

struct table {
	const char *const *heads;
	size_t columns, count; /* count: of cells, filled row by row */
	struct table_cell *cells;
	size_t chosen, order[TABLE_COLUMNS]; /* the columns that are printed */
	size_t widths[TABLE_COLUMNS];        /* of all columns, as wide as they ever were */
};

void table_begin(struct table *t, const char *const *heads);

/* Prints just the columns of LIST, with commas; NULL: all. 0; or EXIT_ERROR, told: what is no column
 * of it. */
int table_choose(struct table *t, const char *command, const char *list);

/* Will COLUMN be printed? What it would cost to fill the others, one can save. */
int table_shows(const struct table *t, const char *column);

/* The next cell. What could steer a terminal is made harmless. */
void table_cell(struct table *t, enum term_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void table_print(struct table *t, FILE *out);

/*
 * For tables that go on: prints the heads, and the rows, which stay until table_clear(). Columns never
 * become narrower.
 */
void table_print_heads(struct table *t, FILE *out);
void table_print_rows(struct table *t, FILE *out);
/* For who prints the cells himself: t->widths is as wide as they need. */
void table_measure(struct table *t);
/* The rows are gone, and their memory. */
void table_clear(struct table *t);

int table_is_right(const struct table *t, size_t column);
/* Without what only the table wants to know. */
const char *table_head(const struct table *t, size_t column);
/* What a user calls it. Returns OUT. */
const char *table_column_name(const struct table *t, size_t column, char out[TABLE_COLUMN_NAME]);

#endif
