/*
 * top_screen.c - ilk top, full screen, by ncursesw.
 *
 * Signals are handled in one place, ppoll(), and blocked elsewhere: so a drawing is never torn, and the
 * terminal is put back before a signal that ends us takes its course. exit() puts it back, too.
 */
#include "ilk/report.h"
#include "ilk/top.h"
#include "ilk/top_draw.h"
#include <curses.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

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

/* As if we had never handled them; what curses did to them, too. */
static void unwatch_signals(const sigset_t *inside)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};

	sigaction(SIGWINCH, &standard, NULL);
	for (int i = 0; i < ENDINGS; i++) {
		struct sigaction now;

		sigaction(endings[i], NULL, &now);
		if (now.sa_handler != SIG_IGN)
			sigaction(endings[i], &standard, NULL);
	}
	sigprocmask(SIG_SETMASK, inside, NULL);
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

static void put_back(void)
{
	if (screen && !isendwin())
		endwin();
}

/* 0; -1: this terminal cannot be used so. */
static int take_terminal(void)
{
	setlocale(LC_CTYPE, "");
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return -1;
	atexit(put_back);
	top_draw_begin();
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
	size_t page = top_draw(t);

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
		page = top_draw(t);
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
		unwatch_signals(&inside);
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
