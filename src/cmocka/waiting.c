/* waiting.c - the limit, the board, and waiting for each other. */
#include "internal.h"
#include <errno.h>
#include <ilk/inspect.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t limit_ms = 15000;

void ilk_test_set_limit(int64_t milliseconds)
{
	limit_ms = milliseconds;
}

int64_t ilk_test_limit_ms(void)
{
	return limit_ms;
}

void ilk_test_sleep_ms(int ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

void ilk_test_sleep_for_ever(void)
{
	for (;;)
		pause();
}

struct ilk_test_board *ilk_test_board(void)
{
	return &ilk_test_shared_->board;
}

void ilk_test_say(unsigned step)
{
	ilk_store_release_(&ilk_test_shared_->board.step[step], 1u);
}

int ilk_test_was_said(unsigned step)
{
	return ilk_load_acquire_(&ilk_test_shared_->board.step[step]) != 0;
}

static int has_come_true(int (*is_true)(void *arg), void *arg)
{
	ilk_time deadline = ilk_after_ms(limit_ms);

	while (!is_true(arg)) {
		if (ilk_now() > deadline)
			return 0;
		ilk_test_look_after_children_();
		ilk_test_sleep_ms(1);
	}
	return 1;
}

static void add_state(struct ilk_test_child *child, void *report)
{
	ilk_test_add_stuck_(report, child, NULL);
}

void ilk_test_until_(
	const char *file, int line, const char *what, int (*is_true)(void *arg), void *arg)
{
	struct report r = {.used = 0};

	ilk_test_here_(file, line);
	if (has_come_true(is_true, arg))
		return;
	ilk_test_add_line_(&r, "waited in vain for %s", what);
	ilk_test_each_child_(add_state, &r);
	ilk_test_raise_(&r);
}

static int is_said(void *step)
{
	return ilk_test_was_said(*(unsigned *)step);
}

void ilk_test_await(unsigned step)
{
	if (!has_come_true(is_said, &step))
		ilk_test_fail_here_("waited in vain for step %u of the other side", step);
}

struct sleepers {
	const char *name;
	int count;
};

static int are_asleep(void *arg)
{
	const struct sleepers *s = arg;
	struct ilk_inspection *in;
	int asleep = 0, rc = ilk_inspect(s->name, &in);

	if (rc < 0)
		ilk_test_fail_here_("segment %s: %s", s->name, ilk_strerror(rc));
	for (size_t i = 0; i < in->thread_count; i++) {
		const struct ilk_thread_info *t = &in->threads[i];

		/* Who opens or allocates something waits for a moment only. */
		asleep += t->waits_for != ILK_NO_INDEX && t->life == ILK_LIFE_ALIVE &&
			  t->sleeps > 0 && strcmp(in->objects[t->waits_for].type, "guard") != 0;
	}
	ilk_inspection_free(in);
	return asleep >= s->count;
}

void ilk_test_await_sleepers(const char *name, int count)
{
	struct sleepers s = {name, count};

	if (!has_come_true(are_asleep, &s))
		ilk_test_fail_here_("waited in vain for %d sleepers in %s", count, name);
}
