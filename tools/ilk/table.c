/* table.c - see table.h. */
#include "ilk/table.h"
#include "ilk/report.h"
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
}

void table_cell(struct table *t, enum term_style style, const char *format, ...)
{
	char text[256], clean[sizeof text];
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

static int is_right(const char *head)
{
	return head[0] == '>';
}

static void pad(FILE *out, size_t n)
{
	fprintf(out, "%*s", (int)n, "");
}

static void print_one(FILE *out, const struct table *t, size_t column, size_t width,
	enum term_style style, const char *text)
{
	size_t fill = width - term_width(text);
	int last = column + 1 == t->columns;

	if (column > 0)
		pad(out, 2);
	if (is_right(t->heads[column]))
		pad(out, fill);
	term_print(out, style, text);
	/* Nothing follows the last column, not even blanks. */
	if (!is_right(t->heads[column]) && !last)
		pad(out, fill);
	if (last)
		putc('\n', out);
}

static void find_widths(const struct table *t, size_t widths[TABLE_COLUMNS])
{
	for (size_t c = 0; c < t->columns; c++)
		widths[c] = strlen(t->heads[c]) - (size_t)is_right(t->heads[c]);
	for (size_t i = 0; i < t->count; i++) {
		size_t width = term_width(t->cells[i].text);

		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
	}
}

void table_print(struct table *t, FILE *out)
{
	size_t widths[TABLE_COLUMNS];

	find_widths(t, widths);
	for (size_t c = 0; c < t->columns; c++)
		print_one(out, t, c, widths[c], TERM_BOLD, t->heads[c] + is_right(t->heads[c]));
	for (size_t i = 0; i < t->count; i++) {
		size_t c = i % t->columns;

		print_one(out, t, c, widths[c], t->cells[i].style, t->cells[i].text);
		free(t->cells[i].text);
	}
	free(t->cells);
}
