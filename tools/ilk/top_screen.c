/*
 * top_screen.c - ilk top, full screen, by ncursesw.
 *
 * Signals are handled in one place, ppoll(), and blocked elsewhere: so a drawing is never torn, and the
 * terminal is put back before a signal that ends us takes its course. exit() puts it back, too.
 */
#include "ilk/report.h"
#include "ilk/top.h"
#include <curses.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* --- signals --- */

static volatile sig_atomic_t ended_by, was_resized;

static void on_end(int signal)
{
	ended_by = signal;
}

static void on_resize(int signal)
{
	(void)signal;
	was_resized = 1;
}

static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

enum { ENDINGS = sizeof endings / sizeof endings[0] };

/* Blocks them but in ppoll(), whose mask is the former one, returned in INSIDE. */
static void watch_signals(sigset_t *inside)
{
	struct sigaction end = {.sa_handler = on_end}, resize = {.sa_handler = on_resize};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGWINCH);
	sigaction(SIGWINCH, &resize, NULL);
	for (int i = 0; i < ENDINGS; i++) {
		struct sigaction former;

		/* nohup(1) and the like ignore some: that is left to them. */
		sigaction(endings[i], NULL, &former);
		if (former.sa_handler == SIG_IGN)
			continue;
		sigaddset(&blocked, endings[i]);
		sigaction(endings[i], &end, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, inside);
}

/* Ends us by the signal that asked for it, as if we had never handled it. */
static void end_by(int signal, const sigset_t *inside)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};

	sigaction(signal, &standard, NULL);
	raise(signal);
	sigprocmask(SIG_SETMASK, inside, NULL);
}

/* --- the terminal --- */

static SCREEN *screen;

enum { PAIR_BAD = 1, PAIR_WARN };

static void put_back(void)
{
	if (screen && !isendwin())
		endwin();
}

static void begin_colours(void)
{
	if (!term_has_colour(stdout) || !has_colors())
		return;
	start_color();
	use_default_colors();
	init_pair(PAIR_BAD, COLOR_RED, -1);
	init_pair(PAIR_WARN, COLOR_YELLOW, -1);
}

/* 0; -1: this terminal cannot be used so. */
static int take_terminal(void)
{
	setlocale(LC_CTYPE, "");
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return -1;
	atexit(put_back);
	begin_colours();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	return 0;
}

static void resize(void)
{
	struct winsize size;

	was_resized = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
		resizeterm(size.ws_row, size.ws_col);
	clear();
}

/* --- drawing --- */

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

/* Draws all of it. How many rows are seen. */
static size_t draw_all(struct top *t)
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

/* --- keys --- */

static int translate(int key)
{
	static const struct {
		int curses, ours;
	} keys[] = {{KEY_UP, TOP_KEY_UP}, {KEY_DOWN, TOP_KEY_DOWN}, {KEY_LEFT, TOP_KEY_LEFT},
		{KEY_RIGHT, TOP_KEY_RIGHT}, {KEY_PPAGE, TOP_KEY_PAGE_UP},
		{KEY_NPAGE, TOP_KEY_PAGE_DOWN}, {KEY_HOME, TOP_KEY_HOME}, {KEY_END, TOP_KEY_END},
		{KEY_ENTER, TOP_KEY_ENTER}, {'\r', TOP_KEY_ENTER}, {'\n', TOP_KEY_ENTER},
		{27, TOP_KEY_ESCAPE}, {KEY_BACKSPACE, TOP_KEY_ERASE}, {8, TOP_KEY_ERASE},
		{127, TOP_KEY_ERASE}};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (keys[i].curses == key)
			return keys[i].ours;
	return key < 256 ? key : 0;
}

static void press_all(struct top *t, size_t page)
{
	for (int key = getch(); key != ERR && !t->quits; key = getch())
		top_press(t, translate(key), page);
}

/* --- the loop --- */

/* Waits for a key, a signal, or the next look. 0; -1: the terminal is gone. */
static int wait_for_something(struct ticks *ticks, const sigset_t *inside)
{
	struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
	ilk_time until = ticks_next_at(ticks), now = ilk_now();
	int64_t left = until > now ? until - now : 0;
	struct timespec timeout = {left / TICKS_SECOND, left % TICKS_SECOND};

	if (ppoll(&keys, 1, &timeout, inside) <= 0)
		return 0;
	return keys.revents & (POLLHUP | POLLERR | POLLNVAL) ? -1 : 0;
}

static void loop(struct top *t, const sigset_t *inside)
{
	struct ticks ticks;
	size_t page = draw_all(t);

	ticks_begin(&ticks, t->every);
	while (!t->quits && !ended_by) {
		if (wait_for_something(&ticks, inside) < 0)
			break;
		if (was_resized)
			resize();
		press_all(t, page);
		if (ilk_now() >= ticks_next_at(&ticks)) {
			ticks_done(&ticks);
			if (!t->paused)
				top_take(t);
		}
		page = draw_all(t);
	}
}

const char *top_screen_absent(void)
{
	return NULL;
}

int top_screen(struct top *t)
{
	sigset_t inside;

	watch_signals(&inside);
	if (take_terminal() < 0) {
		sigprocmask(SIG_SETMASK, &inside, NULL);
		return -1;
	}
	loop(t, &inside);
	put_back();
	delscreen(screen);
	screen = NULL;
	if (ended_by)
		end_by(ended_by, &inside);
	return EXIT_FINE;
}
