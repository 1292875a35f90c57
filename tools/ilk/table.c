/* table.c - see table.h. */
#include "ilk/table.h"
#include "ilk/report.h"
#include "ilk/suggest.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void *need(void *memory)
{
	if (!memory)
		exit(complain("", "out of memory"));
	return memory;
}

void table_begin(struct table *t, const char *const *heads)
{
	*t = (struct table){.heads = heads};
	while (t->columns < TABLE_COLUMNS && heads[t->columns])
		t->columns++;
	for (size_t c = 0; c < t->columns; c++) {
		t->order[c] = c;
		t->widths[c] = strlen(table_head(t, c));
	}
	t->chosen = t->columns;
}

int table_is_right(const struct table *t, size_t column)
{
	return t->heads[column][0] == '>';
}

const char *table_head(const struct table *t, size_t column)
{
	return t->heads[column] + table_is_right(t, column);
}

/* --- choosing --- */

const char *table_column_name(const struct table *t, size_t column, char out[TABLE_COLUMN_NAME])
{
	const char *head = table_head(t, column);
	size_t n = 0;

	for (; *head && n < TABLE_COLUMN_NAME - 1; head++)
		out[n++] = (char)(*head == ' ' ? '-' : tolower((unsigned char)*head));
	out[n] = 0;
	return out;
}

static int find_column(const struct table *t, const char *name, size_t length, size_t *column)
{
	char own[TABLE_COLUMN_NAME];

	for (*column = 0; *column < t->columns; ++*column)
		if (strlen(table_column_name(t, *column, own)) == length &&
			strncmp(own, name, length) == 0)
			return 1;
	return 0;
}

static int complain_column(
	const struct table *t, const char *command, const char *name, size_t length)
{
	char names[TABLE_COLUMNS][TABLE_COLUMN_NAME], all[TABLE_COLUMNS * TABLE_COLUMN_NAME] = "";
	struct suggestion s;

	suggest_begin(&s, name, length);
	for (size_t c = 0; c < t->columns; c++) {
		suggest_offer(&s, table_column_name(t, c, names[c]));
		strcat(strcat(all, c ? "," : ""), names[c]);
	}
	if (s.best)
		return complain(command, "there is no column '%.*s'; did you mean %s?", (int)length,
			name, s.best);
	return complain(
		command, "there is no column '%.*s'; there are: %s", (int)length, name, all);
}

int table_choose(struct table *t, const char *command, const char *list)
{
	if (!list)
		return 0;
	t->chosen = 0;
	for (const char *at = list;; at++) {
		size_t length = strcspn(at, ",");

		if (t->chosen == TABLE_COLUMNS)
			return complain(
				command, "more than %d columns are asked for", TABLE_COLUMNS);
		if (!find_column(t, at, length, &t->order[t->chosen]))
			return complain_column(t, command, at, length);
		t->chosen++;
		at += length;
		if (!*at)
			return 0;
	}
}

int table_shows(const struct table *t, const char *column)
{
	char own[TABLE_COLUMN_NAME];

	for (size_t i = 0; i < t->chosen; i++)
		if (strcmp(table_column_name(t, t->order[i], own), column) == 0)
			return 1;
	return 0;
}

/* --- filling and printing --- */

void table_cell(struct table *t, enum term_style style, const char *format, ...)
{
	char text[800], clean[sizeof text];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	/* Room doubles at powers of two. */
	if ((t->count & (t->count - 1)) == 0)
		t->cells = need(realloc(t->cells, (2 * t->count + 2) * sizeof *t->cells));
	term_clean(clean, sizeof clean, text);
	t->cells[t->count++] = (struct table_cell){style, need(strdup(clean))};
}

static void pad(FILE *out, size_t n)
{
	static const char blanks[] = "                                ";

	for (; n > sizeof blanks - 1; n -= sizeof blanks - 1)
		fwrite(blanks, 1, sizeof blanks - 1, out);
	fwrite(blanks, 1, n, out);
}

/* The I-th of those chosen. */
static void print_one(FILE *out, const struct table *t, size_t i, size_t width,
	enum term_style style, const char *text)
{
	int right = table_is_right(t, t->order[i]), last = i + 1 == t->chosen;
	size_t fill = width - term_width(text);

	if (i > 0)
		pad(out, 2);
	if (right)
		pad(out, fill);
	term_print(out, style, text);
	/* Nothing follows the last column, not even blanks. */
	if (!right && !last)
		pad(out, fill);
	if (last)
		putc('\n', out);
}

static void print_row(FILE *out, const struct table *t, size_t first)
{
	for (size_t i = 0; i < t->chosen; i++) {
		const struct table_cell *cell = &t->cells[first + t->order[i]];

		print_one(out, t, i, t->widths[t->order[i]], cell->style, cell->text);
	}
}

void table_measure(struct table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		size_t width = term_width(t->cells[i].text), *widest = &t->widths[i % t->columns];

		if (width > *widest)
			*widest = width;
	}
}

void table_print_heads(struct table *t, FILE *out)
{
	table_measure(t);
	for (size_t i = 0; i < t->chosen; i++)
		print_one(out, t, i, t->widths[t->order[i]], TERM_BOLD, table_head(t, t->order[i]));
}

void table_print_rows(struct table *t, FILE *out)
{
	table_measure(t);
	for (size_t i = 0; i + t->columns <= t->count; i += t->columns)
		print_row(out, t, i);
}

void table_clear(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i].text);
	free(t->cells);
	t->cells = NULL;
	t->count = 0;
}

void table_print(struct table *t, FILE *out)
{
	table_print_heads(t, out);
	table_print_rows(t, out);
	table_clear(t);
}
