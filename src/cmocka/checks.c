/* checks.c - a failing check finds its way into the runner's report, from wherever it is. */
#include "leaks.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct shared *shared_;
struct page *child_page_;
pid_t child_pid_;
__thread struct page *thread_page_;
pid_t runner_;

/* Where the library was called last, for failures of its own. */
static __thread struct {
	const char *file;
	int line;
} here = {"?", 0};

__attribute__((constructor)) static void begin(void)
{
	runner_ = getpid();
	shared_ = mmap(
		NULL, sizeof *shared_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared_ == MAP_FAILED)
		abort();
}

int is_runner_(void)
{
	return !child_page_ && getpid() == runner_;
}

/* --- pages --- */

struct page *take_page_(void)
{
	for (size_t i = 0; i < sizeof shared_->pages / sizeof *shared_->pages; i++) {
		struct page *page = &shared_->pages[i];

		if (ilk_exchange_(&page->used, 1u))
			continue;
		page->line = 0;
		page->last[0] = page->file[0] = page->text[0] = 0;
		ilk_store_relaxed_(&page->claimed, 0u);
		ilk_store_relaxed_(&page->ready, 0u);
		ilk_store_release_(&page->halt, 0u);
		return page;
	}
	fail_here_("more children and threads at once than %d", MOST);
}

void give_page_(struct page *page)
{
	ilk_store_release_(&page->used, 0u);
}

void write_page_(struct page *page, const char *file, int line, const char *text)
{
	if (ilk_exchange_(&page->claimed, 1u))
		return;
	snprintf(page->file, sizeof page->file, "%s", file);
	snprintf(page->text, sizeof page->text, "%s", text);
	page->line = line;
	ilk_store_release_(&page->ready, 1u);
}

/* --- reports of several --- */

void add_line_(struct report *r, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(r->text + r->used, sizeof r->text - r->used, format, arguments);
	va_end(arguments);
	if (length > 0)
		r->used += (size_t)length;
	if (r->used > sizeof r->text - 2)
		r->used = sizeof r->text - 2;
	memcpy(r->text + r->used++, "\n", 2);
}

int add_page_(struct report *r, const struct page *page, const char *who)
{
	if (!ilk_load_relaxed_(&page->claimed))
		return 0;
	if (!ilk_load_acquire_(&page->ready)) {
		add_line_(r, "%s failed, and was killed before it could say why", who);
		return 1;
	}
	if (!r->file[0]) {
		memcpy(r->file, page->file, sizeof r->file);
		r->line = page->line;
	}
	add_line_(r, "%s failed at %s:%d: %s", who, page->file, page->line, page->text);
	if (page->last[0])
		add_line_(r, "\tits last point: %s", page->last);
	return 1;
}

void raise_(const struct report *r)
{
	if (r->used)
		fail_at_(r->file[0] ? r->file : here.file, r->file[0] ? r->line : here.line,
			r->text);
}

void ilk_test_here_(const char *file, int line)
{
	here.file = file;
	here.line = line;
}

/* --- failing --- */

void print_lines_(const char *text)
{
	while (*text) {
		int length = (int)strcspn(text, "\n");

		print_error("%.*s\n", length, text);
		text += length;
		text += *text == '\n';
	}
}

void end_program_(const char *text)
{
	struct report left = {.used = 0};

	fprintf(stderr, "%s\n", text);
	add_segments_(&left, 1);
	fputs(left.text, stderr);
	abort();
}

/* In a process that the runner did not start, or a thread that it cannot end. */
__attribute__((noreturn)) static void fail_astray(const char *file, int line, const char *text)
{
	char whole[FILE_BYTES + TEXT_BYTES];

	if (getpid() != runner_) {
		write_page_(&shared_->stray, file, line, text);
		_exit(1);
	}
	snprintf(whole, sizeof whole, "in a thread: %s:%d: %s", file, line, text);
	end_program_(whole);
}

/* By the one of cmocka's asserts that takes a text, so that it stands in every form of report. What
 * is too long for that is printed before. */
__attribute__((noreturn)) static void fail_in_runner(const char *file, int line, const char *text)
{
	char start[900];
	size_t length = strlen(text);

	if (length >= sizeof start) {
		length = sizeof start - 1;
		while (length > 1 && text[length] != '\n')
			length--;
		print_lines_(text + length + (text[length] == '\n'));
	}
	while (length && text[length - 1] == '\n')
		length--;
	memcpy(start, text, length);
	start[length] = 0;
	_assert_true(0, start, file, line);
	abort();
}

void fail_at_(const char *file, int line, const char *text)
{
	static __thread int failing;

	if (thread_page_ && !failing && getpid() == (child_page_ ? child_pid_ : runner_)) {
		failing = 1;
		write_page_(thread_page_, file, line, text);
		pthread_exit(NULL);
	}
	if (child_page_) {
		/* What a child forked on its own may outlive it, and its page. */
		write_page_(
			getpid() == child_pid_ ? child_page_ : &shared_->stray, file, line, text);
		_exit(1);
	}
	if (gettid() != runner_)
		fail_astray(file, line, text);
	fail_in_runner(file, line, text);
}

__attribute__((noreturn)) static void fail_with(
	const char *file, int line, const char *format, va_list arguments)
{
	char text[TEXT_BYTES];

	vsnprintf(text, sizeof text, format, arguments);
	fail_at_(file, line, text);
}

void ilk_test_fail_(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fail_with(file, line, format, arguments);
}

void fail_here_(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fail_with(here.file, here.line, format, arguments);
}

void ilk_test_check_rc_(const char *file, int line, const char *call, int got, int expected)
{
	if (got != expected)
		ilk_test_fail_(file, line, "%s returned %d (%s %s), expected %d", call, got,
			ilk_strerror(got), got < 0 ? ilk_last_error() : "", expected);
}
