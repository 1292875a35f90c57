/* checks.c - a failing check finds its way into the runner's report, from wherever it is. */
#include "leaks.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct shared *ilk_test_shared_;
struct page *ilk_test_child_page_;
pid_t ilk_test_child_pid_;
__thread struct page *ilk_test_thread_page_;
pid_t ilk_test_runner_;
static pid_t runner_thread;

/* Where the library was called last, for failures of its own. */
static __thread struct {
	const char *file;
	int line;
} here = {"?", 0};

void ilk_test_be_runner_(void)
{
	ilk_test_runner_ = getpid();
	runner_thread = gettid();
}

__attribute__((constructor)) static void begin(void)
{
	ilk_test_be_runner_();
	ilk_test_shared_ = mmap(NULL, sizeof *ilk_test_shared_, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ilk_test_shared_ == MAP_FAILED)
		abort();
}

int ilk_test_is_runner_(void)
{
	return !ilk_test_child_page_ && getpid() == ilk_test_runner_;
}

/* --- pages --- */

struct page *ilk_test_take_page_(void)
{
	for (size_t i = 0; i < sizeof ilk_test_shared_->pages / sizeof *ilk_test_shared_->pages;
		i++) {
		struct page *page = &ilk_test_shared_->pages[i];

		if (ilk_exchange_(&page->used, 1u))
			continue;
		page->line = 0;
		page->last[0] = page->file[0] = page->text[0] = 0;
		ilk_store_relaxed_(&page->claimed, 0u);
		ilk_store_relaxed_(&page->ready, 0u);
		ilk_store_release_(&page->halt, 0u);
		return page;
	}
	ilk_test_fail_here_("more children and threads at once than %d", MOST);
}

void ilk_test_give_page_(struct page *page)
{
	ilk_store_release_(&page->used, 0u);
}

void ilk_test_write_page_(struct page *page, const char *file, int line, const char *text)
{
	if (ilk_exchange_(&page->claimed, 1u))
		return;
	snprintf(page->file, sizeof page->file, "%s", file);
	snprintf(page->text, sizeof page->text, "%s", text);
	page->line = line;
	ilk_store_release_(&page->ready, 1u);
}

/* --- reports of several --- */

void ilk_test_add_line_(struct report *r, const char *format, ...)
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

int ilk_test_add_page_(struct report *r, const struct page *page, const char *who)
{
	if (!ilk_load_relaxed_(&page->claimed))
		return 0;
	if (!ilk_load_acquire_(&page->ready)) {
		ilk_test_add_line_(r, "%s failed, and was killed before it could say why", who);
		return 1;
	}
	if (!r->file[0]) {
		memcpy(r->file, page->file, sizeof r->file);
		r->line = page->line;
	}
	ilk_test_add_line_(r, "%s failed at %s:%d: %s", who, page->file, page->line, page->text);
	if (page->last[0])
		ilk_test_add_line_(r, "\tits last point: %s", page->last);
	return 1;
}

void ilk_test_raise_(const struct report *r)
{
	if (r->used)
		ilk_test_fail_at_(r->file[0] ? r->file : here.file,
			r->file[0] ? r->line : here.line, r->text);
}

void ilk_test_here_(const char *file, int line)
{
	here.file = file;
	here.line = line;
}

/* --- failing --- */

void ilk_test_print_lines_(const char *text)
{
	while (*text) {
		int length = (int)strcspn(text, "\n");

		print_error("%.*s\n", length, text);
		text += length;
		text += *text == '\n';
	}
}

void ilk_test_end_program_(const char *text)
{
	struct report left = {.used = 0};

	fprintf(stderr, "%s\n", text);
	if (here.line)
		fprintf(stderr, "called at %s:%d\n", here.file, here.line);
	ilk_test_add_segments_(&left, 1);
	fputs(left.text, stderr);
	abort();
}

/* In a process that the runner did not start, or a thread that it cannot end. */
__attribute__((noreturn)) static void fail_astray(const char *file, int line, const char *text)
{
	char whole[FILE_BYTES + TEXT_BYTES];

	if (getpid() != ilk_test_runner_) {
		ilk_test_write_page_(&ilk_test_shared_->stray, file, line, text);
		_exit(1);
	}
	snprintf(whole, sizeof whole, "in a thread: %s:%d: %s", file, line, text);
	ilk_test_end_program_(whole);
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
		ilk_test_print_lines_(text + length + (text[length] == '\n'));
	}
	while (length && text[length - 1] == '\n')
		length--;
	memcpy(start, text, length);
	start[length] = 0;
	_assert_true(0, start, file, line);
	abort();
}

void ilk_test_fail_at_(const char *file, int line, const char *text)
{
	static __thread int failing;

	if (ilk_test_thread_page_ && !failing &&
		getpid() == (ilk_test_child_page_ ? ilk_test_child_pid_ : ilk_test_runner_)) {
		failing = 1;
		ilk_test_write_page_(ilk_test_thread_page_, file, line, text);
		pthread_exit(NULL);
	}
	if (ilk_test_child_page_) {
		/* What a child forked on its own may outlive it, and its page. */
		ilk_test_write_page_(getpid() == ilk_test_child_pid_ ? ilk_test_child_page_
								     : &ilk_test_shared_->stray,
			file, line, text);
		_exit(1);
	}
	if (gettid() != runner_thread)
		fail_astray(file, line, text);
	fail_in_runner(file, line, text);
}

__attribute__((noreturn)) static void fail_with(
	const char *file, int line, const char *format, va_list arguments)
{
	char text[TEXT_BYTES];

	vsnprintf(text, sizeof text, format, arguments);
	ilk_test_fail_at_(file, line, text);
}

void ilk_test_fail_(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fail_with(file, line, format, arguments);
}

void ilk_test_fail_here_(const char *format, ...)
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
