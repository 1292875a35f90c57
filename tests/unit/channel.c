/* channel.c - two who talk: ends taken, messages both ways, the partner's death noticed. */
#include "support.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 2000 };

static struct ilk_segment *seg;
static struct ilk_channel *channel;
static const struct ilk_ring_options small = {.size = sizeof small, .bytes = 1024};

static int setup(void **state)
{
	if (ilk_test_setup(state) < 0 || ilk_segment_create(ilk_test_name(""), NULL, &seg) < 0)
		return -1;
	return ilk_channel_open(seg, "talk", &small, &channel);
}

static int teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

#define CHANNEL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void expect_text(struct ilk_channel_end *end, const char *text)
{
	char got[64];
	size_t n = 0;

	CHECK_RC(ilk_channel_get_until(end, got, sizeof got, ilk_after_ms(5000), &n), 0);
	CHECK(n == strlen(text) && memcmp(got, text, n) == 0);
}

static void expect_none(struct ilk_channel_end *end, int why)
{
	char got[64];
	size_t n;

	CHECK_RC(ilk_channel_try_get(end, got, sizeof got, &n), why);
}

static void test_both_ways_in_order(void **state)
{
	struct ilk_channel_end a, b, c;

	(void)state;
	CHECK_RC(ilk_channel_end_open(channel, ILK_CHANNEL_EITHER, 0, &a), 0);
	CHECK_RC(ilk_channel_end_open(channel, ILK_CHANNEL_EITHER, 0, &b), 0);
	CHECK(a.number == 0 && b.number == 1);
	CHECK_RC(ilk_channel_end_open(channel, ILK_CHANNEL_EITHER, 0, &c), -EBUSY);
	CHECK_RC(ilk_channel_end_open(channel, 1, 0, &c), -EBUSY);
	CHECK(strstr(ilk_last_error(), "process"));
	CHECK_RC(ilk_channel_put(&c, "x", 1), -EPERM);
	CHECK_RC(ilk_channel_put(&a, "one", 3), 0);
	CHECK_RC(ilk_channel_try_put(&a, "two", 3), 0);
	CHECK_RC(ilk_channel_put_until(&b, "back", 4, ILK_NOW), 0);
	expect_text(&b, "one");
	expect_text(&b, "two");
	expect_text(&a, "back");
	expect_none(&a, -EAGAIN);
	expect_none(&b, -EAGAIN);
}

static void test_open_refuses_what_cannot_be(void **state)
{
	const struct ilk_ring_options other = {.size = sizeof other, .bytes = 2048};
	struct ilk_channel_end end;
	struct ilk_channel *again;
	struct ilk_ring *ring;

	(void)state;
	CHECK_RC(ilk_channel_open(seg, "talk", &small, &again), 0);
	CHECK(again == channel);
	CHECK_RC(ilk_channel_open(seg, "talk", &other, &again), -EEXIST);
	CHECK_RC(ilk_ring_open(seg, "talk", &small, &ring), -EEXIST);
	CHECK_RC(ilk_channel_end_open(channel, 2, 0, &end), -EINVAL);
	CHECK_RC(ilk_channel_end_open(channel, -2, 0, &end), -EINVAL);
	CHECK_RC(ilk_channel_end_open(channel, 0, 8, &end), -EINVAL);
	CHECK_RC(ilk_channel_end_close(&end), -EPERM);
}

static void answer(void *arg)
{
	struct ilk_channel_end end;
	char message[64];
	size_t n;
	int rc;

	(void)arg;
	CHECK_RC(ilk_channel_end_open(channel, 1, 0, &end), 0);
	while ((rc = ilk_channel_get(&end, message, sizeof message, &n)) == 0)
		CHECK_RC(ilk_channel_put(&end, message, n), 0);
	CHECK_RC(rc, -EPIPE);
}

static void test_processes_ask_and_answer(void **state)
{
	struct ilk_test_child *child = ilk_test_start(answer, NULL);
	struct ilk_channel_status status;
	struct ilk_channel_end end;
	char text[32];

	(void)state;
	CHECK_RC(ilk_channel_end_open(channel, 0, 0, &end), 0);
	for (int i = 0; i < ROUNDS; i++) {
		snprintf(text, sizeof text, "question %d", i);
		CHECK_RC(ilk_channel_put(&end, text, strlen(text)), 0);
		expect_text(&end, text);
	}
	CHECK_RC(ilk_channel_status(channel, &status), 0);
	CHECK(status.put[0] == ROUNDS && status.got[0] == ROUNDS && status.put[1] == ROUNDS);
	CHECK(status.end[0].holder == ILK_HELD_BY_ME &&
		status.end[1].holder == ILK_HELD_BY_LIVING && status.end[1].pid == child->pid);
	CHECK_RC(ilk_channel_end_close(&end), 0);
	ilk_test_join(child);
}

static void ask_and_die(void *arg)
{
	struct ilk_channel_end end;
	char message[8];
	size_t n;

	(void)arg;
	CHECK(ilk_channel_end_open(channel, 1, 0, &end) >= 0);
	CHECK_RC(ilk_channel_put(&end, "last words", 10), 0);
	CHECK_RC(ilk_channel_get(&end, message, sizeof message, &n), 0);
	raise(SIGKILL);
}

static void test_death_is_told_and_the_place_taken(void **state)
{
	struct ilk_test_child *child = ilk_test_start(ask_and_die, NULL);
	struct ilk_channel_end end, successor;
	char message[64];
	size_t n;

	(void)state;
	CHECK_RC(ilk_channel_end_open(channel, 0, 0, &end), 0);
	expect_text(&end, "last words");
	CHECK_RC(ilk_channel_put(&end, "go", 2), 0);
	CHECK_RC(ilk_channel_put(&end, "unheard", 7), 0);
	CHECK_RC(ilk_channel_get(&end, message, sizeof message, &n), -EPIPE);
	ilk_test_join_killed(child);
	CHECK_RC(ilk_channel_end_open(channel, ILK_CHANNEL_EITHER, 0, &successor), ILK_RECOVERED);
	CHECK(successor.number == 1);
	expect_text(&successor, "unheard");
	CHECK_RC(ilk_channel_put(&successor, "heard", 5), 0);
	expect_text(&end, "heard");
}

static void wait_in_it(void *arg)
{
	struct ilk_channel_end end;
	char message[64];
	size_t n;

	(void)arg;
	CHECK_RC(ilk_channel_end_open(channel, 1, 0, &end), 0);
	CHECK_RC(ilk_channel_get(&end, message, sizeof message, &n), -EIDRM);
}

/* Who waits in one of its rings is seen to wait in the channel. */
static void test_removal_ends_waits_which_are_seen(void **state)
{
	struct ilk_test_child *child = ilk_test_start(wait_in_it, NULL);
	struct ilk_inspection *in;
	struct ilk_channel_end end;
	int waiters = 0;

	(void)state;
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	for (size_t i = 0; i < in->object_count; i++) {
		CHECK(!in->objects[i].damage[0]);
		if (strcmp(in->objects[i].type, "channel") == 0)
			waiters += in->objects[i].waiters;
	}
	ilk_inspection_free(in);
	assert_int_equal(waiters, 1);
	CHECK_RC(ilk_object_remove(seg, "talk"), 0);
	ilk_test_join(child);
	CHECK_RC(ilk_channel_end_open(channel, 0, 0, &end), -EIDRM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHANNEL_TEST(test_both_ways_in_order),
		CHANNEL_TEST(test_open_refuses_what_cannot_be),
		CHANNEL_TEST(test_processes_ask_and_answer),
		CHANNEL_TEST(test_death_is_told_and_the_place_taken),
		CHANNEL_TEST(test_removal_ends_waits_which_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
