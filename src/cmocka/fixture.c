/* fixture.c - around each test: names, a fresh board, and what must not be left. */
#include "leaks.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES = 8 };

static unsigned serial;

/* --- names --- */

const char *ilk_test_own_prefix_(void)
{
	static char text[40];

	snprintf(text, sizeof text, "test-%d-", (int)ilk_test_runner_);
	return text;
}

const char *ilk_test_name(const char *suffix)
{
	static char names[NAMES][64];
	static unsigned next;
	char *name = names[next++ % NAMES];

	snprintf(name, 64, "%s%u%s", ilk_test_own_prefix_(), serial, suffix);
	return name;
}

struct ilk_segment *ilk_test_create(const char *suffix)
{
	struct ilk_segment *seg = NULL;
	int rc = ilk_segment_create(ilk_test_name(suffix), NULL, &seg);

	if (rc != 0)
		ilk_test_fail_here_(
			"ilk_segment_create: %s (%s)", ilk_strerror(rc), ilk_last_error());
	return seg;
}

/* --- failures that found no other way --- */

/* A process that the test forked on its own, and that jumped here, goes no further. */
static void refuse_strangers(void)
{
	if (ilk_test_is_runner_())
		return;
	ilk_test_write_page_(&ilk_test_shared_->stray, "(a forked process)", 0,
		"came back into the runner: an assert without ilk/cmocka.h failed in it, "
		"or it returned from the test");
	_exit(1);
}

static void add_stray(struct report *r)
{
	ilk_test_add_page_(r, &ilk_test_shared_->stray, "a process that the test forked");
	memset(&ilk_test_shared_->stray, 0, sizeof ilk_test_shared_->stray);
}

static void end(struct ilk_test_child *child, void *unused)
{
	(void)unused;
	ilk_test_end_child_(child);
}

/* --- the fixture --- */

/* Those that killed children had given to children of theirs. */
static void free_pages(void)
{
	for (size_t i = 0; i < sizeof ilk_test_shared_->pages / sizeof *ilk_test_shared_->pages;
		i++)
		ilk_test_give_page_(&ilk_test_shared_->pages[i]);
}

static int64_t usual_limit(void)
{
	const char *set = getenv("ILK_TEST_LIMIT_MS");
	long long ms = set ? strtoll(set, NULL, 10) : 0;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
	return ms > 0 ? ms : 60000;
#else
	return ms > 0 ? ms : 15000;
#endif
}

int ilk_test_setup(void **state)
{
	struct report r = {.used = 0};

	(void)state;
	if (!serial)
		ilk_test_be_runner_();
	refuse_strangers();
	add_stray(&r);
	free_pages();
	memset(&ilk_test_shared_->board, 0, sizeof ilk_test_shared_->board);
	ilk_test_set_limit(usual_limit());
	serial++;
	ilk_test_remember_();
	ilk_test_print_lines_(r.text);
	return r.used ? -1 : 0;
}

int ilk_test_teardown(void **state)
{
	struct report r = {.used = 0};

	(void)state;
	refuse_strangers();
	ilk_test_add_failures_(&r);
	ilk_test_each_child_(end, NULL);
	add_stray(&r);
	ilk_test_add_children_(&r, 1);
	ilk_test_add_segments_(&r, 1);
	ilk_test_add_left_open_(&r);
	ilk_test_print_lines_(r.text);
	return r.used ? -1 : 0;
}
