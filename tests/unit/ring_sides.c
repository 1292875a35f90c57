/* ring_sides.c - who has a side of a ring: opening, closing, dying, forking, taking over. */
#include "ring_fixture.h"
#include <signal.h>
#include <stdio.h>

static void test_open_names_the_field_that_differs(void **state)
{
	struct ilk_ring_options other = of_any_size;
	struct ilk_ring *ring;
	struct ilk_mutex *m;

	(void)state;
	CHECK_RC(ilk_ring_open(seg, "any", &of_any_size, &ring), 0);
	CHECK(ring == any);
	other.bytes = 2 * ROOM;
	other.message = 100;
	CHECK_RC(ilk_ring_open(seg, "any", &other, &ring), -EEXIST);
	CHECK(strstr(ilk_last_error(), "bytes"));
	other.bytes = ROOM;
	CHECK_RC(ilk_ring_open(seg, "any", &other, &ring), -EEXIST);
	CHECK(strstr(ilk_last_error(), "message"));
	CHECK_RC(ilk_ring_open(seg, "fixed", NULL, &ring), -EEXIST);
	CHECK_RC(ilk_mutex_open(seg, "any", NULL, &m), -EEXIST);
}

static void test_open_with_odd_options_is_refused(void **state)
{
	static const struct ilk_ring_options odd[] = {
		{.size = 1},
		{.size = sizeof odd[0], .flags = 2},
		{.size = sizeof odd[0], .bytes = 64, .message = 25},
		{.size = sizeof odd[0], .bytes = 64, .flags = ILK_RING_FIXED},
		{.size = sizeof odd[0], .bytes = 64, .message = 65, .flags = ILK_RING_FIXED},
		{.size = sizeof odd[0], .bytes = (UINT64_C(1) << 32) + 1},
	};
	const struct ilk_ring_options huge = {.size = sizeof huge, .bytes = 1 << 30};
	struct ilk_ring_writer w;
	struct ilk_ring *ring;

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		CHECK_RC(ilk_ring_open(seg, "odd", &odd[i], &ring), -EINVAL);
	CHECK_RC(ilk_ring_open(seg, "odd", &huge, &ring), -ENOSPC);
	CHECK_RC(ilk_ring_writer_open(any, 2, &w), -EINVAL);
	CHECK_RC(ilk_ring_writer_open((struct ilk_ring *)(void *)&w, 0, &w), -EINVAL);
	CHECK_RC(ilk_ring_put(&w, "x", 1), -EPERM);
}

static void take_writer(void *arg)
{
	struct ilk_ring_writer w;
	int rc = ilk_ring_writer_open(any, 0, &w);

	CHECK(rc == 0 || rc == ILK_RECOVERED);
	CHECK_RC(ilk_ring_put(&w, "first", 5), 0);
	ilk_test_say(*(unsigned *)arg);
	ilk_test_sleep_for_ever();
}

static void test_second_is_refused_by_name_until_the_first_is_dead(void **state)
{
	unsigned step = 0;
	struct ilk_test_child *child = ilk_test_start(take_writer, &step);
	struct ilk_ring_writer w;
	struct ilk_ring_status status;
	char pid[32];

	(void)state;
	ilk_test_await(step);
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), -EBUSY);
	snprintf(pid, sizeof pid, "process %d ", (int)child->pid);
	CHECK(strstr(ilk_last_error(), pid) && strstr(ilk_last_error(), "writer"));
	CHECK_RC(ilk_ring_put(&w, "x", 1), -EPERM);
	CHECK_RC(ilk_ring_status(any, &status), 0);
	CHECK(status.writer.holder == ILK_HELD_BY_LIVING && status.writer.pid == child->pid);
	ilk_test_kill(child);
	CHECK_RC(ilk_ring_status(any, &status), 0);
	CHECK(status.writer.holder == ILK_HELD_BY_DEAD);
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), ILK_RECOVERED);
	CHECK_RC(ilk_ring_status(any, &status), 0);
	CHECK(status.writer.holder == ILK_HELD_BY_ME && status.put == 1 && status.got == 0);
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), -EBUSY);
}

static void test_zombie_and_stopped(void **state)
{
	unsigned step = 0;
	struct ilk_test_child *child = ilk_test_start(take_writer, &step);
	struct ilk_ring_writer w;

	(void)state;
	ilk_test_await(step);
	ilk_test_stop(child);
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), -EBUSY);
	ilk_test_continue(child);
	ilk_test_kill_only(child);
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), ILK_RECOVERED);
	ilk_test_reap(child);
}

static void test_close_is_epipe_after_draining_and_lets_another_in(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	struct ilk_ring_status status;

	(void)state;
	take_both(any, &w, &r);
	CHECK_RC(put_number(&w, 1), 0);
	CHECK_RC(ilk_ring_writer_close(&w), 0);
	CHECK_RC(ilk_ring_writer_close(&w), -EPERM);
	CHECK_RC(put_number(&w, 2), -EPERM);
	expect_number(&r, 1);
	expect_none(&r, -EPIPE);
	CHECK_RC(ilk_ring_status(any, &status), 0);
	CHECK(status.writer.is_closed && !status.reader.is_closed);
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), 0);
	expect_none(&r, -EAGAIN);
	CHECK_RC(put_number(&w, 2), 0);
	expect_number(&r, 2);
	CHECK_RC(ilk_ring_reader_close(&r), 0);
	CHECK_RC(put_number(&w, 3), -EPIPE);
	CHECK_RC(put_number(&w, 3), -EPIPE);
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	CHECK_RC(put_number(&w, 3), 0);
	expect_number(&r, 3);
}

static void test_nobody_yet_is_not_dead(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;
	char byte;
	size_t n;

	(void)state;
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	expect_none(&r, -EAGAIN);
	CHECK_RC(ilk_ring_get_until(&r, &byte, 1, ilk_after_ms(30), &n), -ETIMEDOUT);
	CHECK_RC(ilk_ring_writer_open(fixed, 0, &w), 0);
	for (uint64_t i = 0; i < SLOTS; i++)
		CHECK_RC(put_number(&w, i), 0);
	CHECK_RC(put_number(&w, 9), -EAGAIN);
	CHECK_RC(ilk_ring_put_until(&w, &(struct numbered){.number = 9}, EACH, ilk_after_ms(30)),
		-ETIMEDOUT);
}

/* What is released is gone; what was peeked and not released comes again. */
static void read_two_and_a_half(void *arg)
{
	struct ilk_ring_reader r;
	const void *message;
	size_t n;

	(void)arg;
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	expect_number(&r, 0);
	expect_number(&r, 1);
	CHECK_RC(ilk_ring_peek(&r, &message, &n), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_successor_reads_what_the_dead_had_not_released(void **state)
{
	struct ilk_test_child *child;
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;

	(void)state;
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), 0);
	for (uint64_t i = 0; i < 5; i++)
		CHECK_RC(put_number(&w, i), 0);
	child = ilk_test_start(read_two_and_a_half, NULL);
	ilk_test_await(0);
	ilk_test_kill(child);
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), ILK_RECOVERED);
	for (uint64_t i = 2; i < 5; i++)
		expect_number(&r, i);
	expect_none(&r, -EAGAIN);
}

static void reserve_and_scribble(void *arg)
{
	struct ilk_ring_writer w;
	void *message;
	int rc = ilk_ring_writer_open(any, 0, &w);

	CHECK(rc == 0 || rc == ILK_RECOVERED);
	CHECK_RC(put_number(&w, *(uint64_t *)arg), 0);
	CHECK_RC(ilk_ring_reserve(&w, 400, &message), 0);
	memset(message, 1, 400);
	raise(SIGKILL);
}

/* A writer after the other dies in the midst of a message. */
static void test_dead_writers_leave_whole_messages(void **state)
{
	struct ilk_ring_reader r;
	struct ilk_ring_writer w;

	(void)state;
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	for (uint64_t i = 0; i < 40; i++) {
		ilk_test_join_killed(ilk_test_start(reserve_and_scribble, &i));
		expect_number(&r, i);
		ilk_test_sleep_ms(2);
		expect_none(&r, -EPIPE);
	}
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), ILK_RECOVERED);
	CHECK_RC(put_number(&w, 40), 0);
	expect_number(&r, 40);
}

static void both_and_die(void *arg)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;

	(void)arg;
	CHECK(ilk_ring_writer_open(any, 0, &w) >= 0);
	CHECK(ilk_ring_reader_open(any, 0, &r) >= 0);
	CHECK_RC(put_number(&w, 1), 0);
	CHECK_RC(put_number(&w, 2), 0);
	expect_number(&r, 1);
	raise(SIGKILL);
}

static void test_both_dead_leave_what_was_between_them(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;

	(void)state;
	ilk_test_join_killed(ilk_test_start(both_and_die, NULL));
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), ILK_RECOVERED);
	expect_number(&r, 2);
	expect_none(&r, -EPIPE);
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), ILK_RECOVERED);
	expect_none(&r, -EAGAIN);
}

static struct ilk_ring_writer inherited_w;
static struct ilk_ring_reader inherited_r;

static void use_inherited(void *arg)
{
	void *message;

	(void)arg;
	CHECK_RC(put_number(&inherited_w, 7), -EPERM);
	CHECK_RC(ilk_ring_reserve(&inherited_w, 8, &message), -EPERM);
	CHECK_RC(ilk_ring_commit(&inherited_w, 8), -EPERM);
	CHECK_RC(ilk_ring_abort(&inherited_w), -EPERM);
	expect_none(&inherited_r, -EPERM);
	CHECK_RC(ilk_ring_release(&inherited_r), -EPERM);
	CHECK_RC(ilk_ring_writer_close(&inherited_w), -EPERM);
	CHECK_RC(ilk_ring_reader_close(&inherited_r), -EPERM);
	CHECK_RC(ilk_ring_writer_open(any, 0, &inherited_w), -EBUSY);
}

static void test_forked_child_has_no_claim(void **state)
{
	const void *message;
	void *place;
	size_t n;

	(void)state;
	take_both(any, &inherited_w, &inherited_r);
	CHECK_RC(put_number(&inherited_w, 1), 0);
	CHECK_RC(ilk_ring_peek(&inherited_r, &message, &n), 0);
	CHECK_RC(ilk_ring_reserve(&inherited_w, EACH, &place), 0);
	ilk_test_in_child(use_inherited, NULL);
	CHECK_RC(ilk_ring_release(&inherited_r), 0);
	CHECK_RC(ilk_ring_abort(&inherited_w), 0);
	CHECK_RC(put_number(&inherited_w, 2), 0);
	expect_number(&inherited_r, 2);
}

static void exit_with_a_side(void *arg)
{
	struct ilk_ring_writer w;

	(void)arg;
	CHECK_RC(ilk_ring_writer_open(any, 0, &w), 0);
	CHECK_RC(put_number(&w, 1), 0);
}

static void test_exit_without_close_is_a_death(void **state)
{
	struct ilk_ring_reader r;

	(void)state;
	CHECK_RC(ilk_ring_reader_open(any, 0, &r), 0);
	ilk_test_in_child(exit_with_a_side, NULL);
	expect_number(&r, 1);
	expect_none(&r, -EPIPE);
}

static void test_segment_closed_under_a_handle(void **state)
{
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;

	(void)state;
	take_both(any, &w, &r);
	ilk_segment_close(seg);
	CHECK_RC(put_number(&w, 1), -EINVAL);
	expect_none(&r, -EINVAL);
	CHECK_RC(ilk_ring_writer_close(&w), -EINVAL);
	seg = NULL;
}

static void test_read_only_can_ask_and_not_take(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *read_only;
	struct ilk_ring_status status;
	struct ilk_ring_writer w;
	struct ilk_ring *ring;

	(void)state;
	CHECK_RC(ilk_segment_open(name, &options, &read_only), 0);
	CHECK_RC(ilk_ring_open(read_only, "any", &of_any_size, &ring), 0);
	CHECK_RC(ilk_ring_writer_open(ring, 0, &w), -EROFS);
	CHECK_RC(ilk_ring_status(ring, &status), 0);
	CHECK(status.writer.holder == ILK_HELD_BY_NOBODY && !status.writer.is_closed);
	CHECK_RC(ilk_segment_close(read_only), 0);
}

/* Several want what a dead one left: one gets it. */
static void race(struct ilk_segment *mine, unsigned index, void *arg)
{
	struct ilk_ring_writer w;
	int rc;

	(void)mine, (void)index, (void)arg;
	ilk_test_say(1);
	rc = ilk_ring_writer_open(any, 0, &w);
	CHECK(rc == ILK_RECOVERED || rc == -EBUSY);
	if (rc > 0)
		ilk_counter_add(support_counter(seg, "won"), 1);
	ilk_counter_add(support_counter(seg, "tried"), 1);
	while (ilk_counter_read(support_counter(seg, "tried")) < 4)
		ilk_test_sleep_ms(1);
}

static void test_takeover_is_won_by_one(void **state)
{
	unsigned step = 0;
	struct ilk_test_child *child = ilk_test_start(take_writer, &step);

	(void)state;
	ilk_test_await(step);
	ilk_test_kill(child);
	ilk_test_run(4, seg, race, NULL, NULL);
	assert_int_equal(ilk_counter_read(support_counter(seg, "won")), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RING_TEST(test_open_names_the_field_that_differs),
		RING_TEST(test_open_with_odd_options_is_refused),
		RING_TEST(test_second_is_refused_by_name_until_the_first_is_dead),
		RING_TEST(test_zombie_and_stopped),
		RING_TEST(test_close_is_epipe_after_draining_and_lets_another_in),
		RING_TEST(test_nobody_yet_is_not_dead),
		RING_TEST(test_successor_reads_what_the_dead_had_not_released),
		RING_TEST(test_dead_writers_leave_whole_messages),
		RING_TEST(test_both_dead_leave_what_was_between_them),
		RING_TEST(test_forked_child_has_no_claim),
		RING_TEST(test_exit_without_close_is_a_death),
		RING_TEST(test_segment_closed_under_a_handle),
		RING_TEST(test_read_only_can_ask_and_not_take),
		RING_TEST(test_takeover_is_won_by_one),
	};

	return RUN_RING_TESTS(tests);
}
