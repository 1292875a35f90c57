/* fixture.c - around each test: names, a fresh board, and what must not be left. */
#include "leaks.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES = 8 };

static unsigned serial;

/* --- names --- */

const char *own_prefix_(void)
{
	static char text[40];

	snprintf(text, sizeof text, "test-%d-", (int)runner_);
	return text;
}

const char *ilk_test_name(const char *suffix)
{
	static char names[NAMES][64];
	static unsigned next;
	char *name = names[next++ % NAMES];

	snprintf(name, 64, "%s%u%s", own_prefix_(), serial, suffix);
	return name;
}

struct ilk_segment *ilk_test_create(const char *suffix)
{
	struct ilk_segment *seg = NULL;
	int rc = ilk_segment_create(ilk_test_name(suffix), NULL, &seg);

	if (rc != 0)
		fail_here_("ilk_segment_create: %s (%s)", ilk_strerror(rc), ilk_last_error());
	return seg;
}

/* --- failures that found no other way --- */

/* A process that the test forked on its own, and that jumped here, goes no further. */
static void refuse_strangers(void)
{
	if (is_runner_())
		return;
	write_page_(&shared_->stray, "(a forked process)", 0,
		"came back into the runner: an assert without ilk/cmocka.h failed in it, "
		"or it returned from the test");
	_exit(1);
}

static void add_stray(struct report *r)
{
	add_page_(r, &shared_->stray, "a process that the test forked");
	memset(&shared_->stray, 0, sizeof shared_->stray);
}

static void end(struct ilk_test_child *child, void *unused)
{
	(void)unused;
	end_child_(child);
}

/* --- the fixture --- */

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
	refuse_strangers();
	add_stray(&r);
	memset(&shared_->board, 0, sizeof shared_->board);
	ilk_test_set_limit(usual_limit());
	serial++;
	remember_();
	print_lines_(r.text);
	return r.used ? -1 : 0;
}

int ilk_test_teardown(void **state)
{
	struct report r = {.used = 0};

	(void)state;
	refuse_strangers();
	add_failures_(&r);
	each_child_(end, NULL);
	add_stray(&r);
	add_children_(&r, 1);
	add_segments_(&r, 1);
	add_left_open_(&r);
	print_lines_(r.text);
	return r.used ? -1 : 0;
}
