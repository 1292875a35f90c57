/*
 * points.c - named points: where a child last was, and where it stands still to be killed.
 *
 * The one who stands looks every 100 us whether it may go on: being killed there is the usual end,
 * and nobody waits for the look.
 */
#include "internal.h"
#include <string.h>
#include <time.h>

/* By single bytes: another thread of the child may pass at the same moment. */
static void note(struct page *page, const char *point)
{
	size_t i = 0;

	do
		ilk_store_relaxed_(&page->last[i], point[i]);
	while (point[i] && ++i < POINT_BYTES - 1);
}

static void stand(struct page *page)
{
	const struct timespec moment = {.tv_nsec = 100000};
	uint32_t armed = ARMED;

	if (!ilk_cas_full_(&page->halt, &armed, (uint32_t)STANDING))
		return;
	while (ilk_load_acquire_(&page->halt) == STANDING)
		nanosleep(&moment, NULL);
}

void ilk_test_point(const char *point)
{
	struct page *page = ilk_test_thread_page_ ? ilk_test_thread_page_ : ilk_test_child_page_;

	if (!page)
		return;
	note(page, point);
	if (ilk_load_acquire_(&page->halt) == ARMED &&
		strncmp(page->halt_at, point, POINT_BYTES - 1) == 0 &&
		ilk_sub_full_(&page->passes, 1u) == 1)
		stand(page);
}

static void arm(struct page *page, const char *point, unsigned nth)
{
	strncpy(page->halt_at, point, POINT_BYTES - 1);
	ilk_store_relaxed_(&page->passes, nth ? nth : 1);
	ilk_store_release_(&page->halt, (uint32_t)ARMED);
}

struct ilk_test_child *ilk_test_start_to(
	const char *point, unsigned nth, void (*body)(void *arg), void *arg)
{
	return ilk_test_start_child_(body, arg, arm, point, nth);
}

static int is_armed_for(const struct page *page, const char *point)
{
	return ilk_load_acquire_(&page->halt) != 0 &&
	       strncmp(page->halt_at, point, POINT_BYTES - 1) == 0;
}

void ilk_test_await_point(struct ilk_test_child *child, const char *point, unsigned nth)
{
	ilk_time deadline = ilk_after_ms(ilk_test_limit_ms());
	struct page *page = child->shared;
	struct report r = {.used = 0};

	if (!is_armed_for(page, point)) {
		if (ilk_load_acquire_(&page->halt))
			ilk_test_fail_here_("it waits for child %d at %s already", child->number,
				page->halt_at);
		arm(page, point, nth);
	}
	while (ilk_load_acquire_(&page->halt) != STANDING) {
		if (ilk_test_await_end_(child, ILK_NOW) == 0) {
			ilk_test_add_line_(&r,
				"child %d ended before it stood at \"%s\"; its last point: %s",
				child->number, point, page->last[0] ? page->last : "none");
			ilk_test_add_end_(&r, child, 0);
		} else if (ilk_now() > deadline) {
			ilk_test_add_stuck_(&r, child, point);
			ilk_test_end_child_(child);
		}
		ilk_test_raise_(&r);
		ilk_test_sleep_ms(1);
	}
}

void ilk_test_pass(struct ilk_test_child *child)
{
	struct page *page = child->shared;

	if (ilk_load_acquire_(&page->halt) != STANDING)
		ilk_test_fail_here_("child %d stands nowhere", child->number);
	ilk_store_release_(&page->halt, 0u);
}

void ilk_test_kill_at(struct ilk_test_child *child, const char *point)
{
	ilk_test_await_point(child, point, 1);
	ilk_test_kill(child);
}
