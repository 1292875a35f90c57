/* top_draw.c - what stands on the full screen of `ilk top`, by ncursesw. */
#include "ilk/top_draw.h"
#include "ilk/report.h"
#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* --- colour --- */

enum { PAIR_BAD = 1, PAIR_WARN };

void top_draw_begin(void)
{
	if (!term_has_colour(stdout) || !has_colors())
		return;
	start_color();
	use_default_colors();
	init_pair(PAIR_BAD, COLOR_RED, -1);
	init_pair(PAIR_WARN, COLOR_YELLOW, -1);
}

static attr_t attribute(enum term_style style)
{
	static const attr_t bare[] = {A_NORMAL, A_BOLD, A_BOLD, A_NORMAL};
	attr_t a = bare[style];

	if (style == TERM_BAD)
		a |= (attr_t)COLOR_PAIR(PAIR_BAD);
	if (style == TERM_WARN)
		a |= (attr_t)COLOR_PAIR(PAIR_WARN);
	return a;
}

/* --- text --- */

/* As much of TEXT as fits into COLUMNS, for curses, which would go on in the next line. */
static int fit(const char *text, size_t columns, wchar_t *out, int room)
{
	mbstate_t state = {0};
	int n = 0;

	while (*text && n < room) {
		wchar_t c = L'?';
		size_t bytes = mbrtowc(&c, text, MB_CUR_MAX, &state);
		int width;

		if (bytes == (size_t)-1 || bytes == (size_t)-2) {
			bytes = 1;
			c = L'?';
			state = (mbstate_t){0};
		}
		width = wcwidth(c) > 0 ? wcwidth(c) : 0;
		if ((size_t)width > columns)
			break;
		columns -= (size_t)width;
		out[n++] = c;
		text += bytes;
	}
	return n;
}

/* What is beyond the edges is cut off. */
static void draw(int y, size_t x, attr_t a, const char *text)
{
	wchar_t wide[600];
	int n;

	if (y < 0 || y >= LINES || x >= (size_t)COLS)
		return;
	n = fit(text, (size_t)COLS - x, wide, sizeof wide / sizeof wide[0]);
	attrset((int)a);
	mvaddnwstr(y, (int)x, wide, n);
	attrset(A_NORMAL);
}

/* The lines of TEXT from the SKIP-th on, at Y and below, ROWS at most. How many lines TEXT has. */
static size_t draw_lines(int y, const char *text, size_t skip, size_t rows)
{
	size_t n = 0;

	for (; *text; n++) {
		size_t length = strcspn(text, "\n");
		char line[600];

		snprintf(line, sizeof line, "%.*s", (int)length, text);
		if (n >= skip && n - skip < rows) {
			move(y + (int)(n - skip), 0);
			clrtoeol();
			draw(y + (int)(n - skip), 0, A_NORMAL, line);
		}
		text += length + (text[length] == '\n');
	}
	return n;
}

/* --- lists --- */

/* One cell; where the next begins. */
static size_t draw_cell(
	const struct table *t, size_t column, int y, size_t x, attr_t a, const char *text)
{
	size_t width = t->widths[column], fill = width - term_width(text);

	draw(y, x + (table_is_right(t, column) ? fill : 0), a, text);
	return x + width + 2;
}

static void draw_heads(const struct table *t, int y, size_t sorted_by)
{
	size_t x = 0;

	move(y, 0);
	clrtoeol();
	for (size_t i = 0; i < t->chosen; i++)
		x = draw_cell(t, t->order[i], y, x,
			t->order[i] == sorted_by ? A_BOLD | A_UNDERLINE : A_BOLD,
			table_head(t, t->order[i]));
}

static void draw_row(const struct table *t, size_t row, int y, int is_selected)
{
	size_t x = 0;

	move(y, 0);
	clrtoeol();
	for (size_t i = 0; i < t->chosen; i++) {
		const struct table_cell *cell = &t->cells[row * t->columns + t->order[i]];

		x = draw_cell(t, t->order[i], y, x,
			is_selected ? A_REVERSE : attribute(cell->style), cell->text);
	}
	if (is_selected)
		mvchgat(y, 0, -1, A_REVERSE, 0, NULL);
}

/* T has the rows that are seen, the first of them at PLACE->scroll. */
static void draw_table(struct table *t, int y, size_t sorted_by, const struct top_place *place)
{
	table_measure(t);
	draw_heads(t, y, sorted_by);
	for (size_t row = 0; row * t->columns < t->count; row++)
		draw_row(t, row, y + 1 + (int)row, place->scroll + row == place->selected);
	table_clear(t);
}

static void draw_list(struct top *t, int y, size_t page)
{
	const struct top_place *place = top_list_place(t, page);

	if (t->list == TOP_PROCESSES) {
		top_print_processes(t, place->scroll, page);
		draw_table(&t->process_table, y, SIZE_MAX, place);
	} else {
		rows_print(&t->objects, &t->rows, place->scroll, page, 0);
		draw_table(&t->objects, y, t->sort, place);
	}
}

/* --- text that is made by printing --- */

struct printed {
	char *text;
	size_t size;
	FILE *out;
};

static void begin_printing(struct printed *p)
{
	p->out = open_memstream(&p->text, &p->size);
	if (!p->out)
		exit(complain("", "out of memory"));
}

static void draw_text(struct top *t, int y, size_t rows)
{
	struct printed p;
	size_t lines, *scroll = &t->text_place.scroll;

	begin_printing(&p);
	top_print_text(t, p.out);
	fclose(p.out);
	lines = draw_lines(y, p.text, 0, 0);
	if (*scroll + rows > lines)
		*scroll = lines > rows ? lines - rows : 0;
	draw_lines(y, p.text, *scroll, rows);
	free(p.text);
}

static size_t draw_header(struct top *t)
{
	struct printed p;
	size_t lines;

	begin_printing(&p);
	top_header(t, p.out);
	fclose(p.out);
	lines = draw_lines(0, p.text, 0, (size_t)LINES);
	free(p.text);
	return lines;
}

static void draw_footer(const struct top *t)
{
	char line[200];
	int y = LINES - 1;

	move(y, 0);
	clrtoeol();
	if (t->is_typing) {
		char clean[sizeof t->filter];

		snprintf(line, sizeof line, "only what has: %s_",
			term_clean(clean, sizeof clean, t->filter));
		draw(y, 0, A_BOLD, line);
	} else if (t->view == t->list) {
		draw(y, 0, A_DIM,
			"h help  q quit  s sort  r reverse  / filter  p pause  Enter open  Tab "
			"objects, processes");
	} else {
		draw(y, 0, A_DIM, "Esc back  q quit");
	}
}

size_t top_draw(struct top *t)
{
	size_t top, page;

	erase();
	top = draw_header(t) + 1;
	page = (size_t)LINES > top + 2 ? (size_t)LINES - top - 2 : 0;
	if (t->view == t->list)
		draw_list(t, (int)top, page);
	else
		draw_text(t, (int)top, page + 1);
	draw_footer(t);
	refresh();
	return page;
}
