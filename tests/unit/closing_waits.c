/*
 * closing_waits.c - what is got while the segment is being closed is given back.
 *
 * As in closing.c: the one who waits is stopped by a signal in his sleep, his process begins to
 * close, which another who waits in vain notices, and what the first waits for happens then.
 */
#include "stranger_fixture.h"
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

enum step { READY, STOPPED, CLOSING, LET_GO };

static const struct ilk_event_options automatic = {
	.size = sizeof automatic, .flags = ILK_EVENT_AUTO};
static struct ilk_event *event;
static struct ilk_once *once;
static struct ilk_latch *gate;

static void open_all(void)
{
	seg = support_open(name);
	CHECK_RC(ilk_event_open(seg, "event", &automatic, &event), 0);
	CHECK_RC(ilk_once_open(seg, "once", &once), 0);
	CHECK_RC(ilk_latch_open(seg, "gate", NULL, &gate), 0);
}

static void stop_in_handler(int signal)
{
	(void)signal;
	ilk_test_say(STOPPED);
	ilk_test_await(LET_GO);
}

static void *be_canary(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_latch_wait(gate), -ECANCELED);
	ilk_test_say(CLOSING);
	return NULL;
}

static void close_on(void *(*body)(void *arg))
{
	pthread_t canary, victim;

	open_all();
	canary = start(be_canary, NULL);
	victim = start(body, NULL);
	ilk_test_await_sleepers(name, 2);
	signal(SIGUSR1, stop_in_handler);
	CHECK(pthread_kill(victim, SIGUSR1) == 0);
	ilk_test_await(STOPPED);
	ilk_segment_close(seg);
	join(victim);
	join(canary);
}

/* --- an event of auto reset --- */

static void *wait_in_vain(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_event_wait(event), -ECANCELED);
	return NULL;
}

static void close_on_a_waiter(void *arg)
{
	(void)arg;
	close_on(wait_in_vain);
}

static void test_set_consumed_while_closing_is_given_back(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	open_all();
	child = ilk_test_start(close_on_a_waiter, NULL);
	ilk_test_await(CLOSING);
	CHECK_RC(ilk_event_set(event), 0);
	ilk_test_say(LET_GO);
	ilk_test_join(child);
	CHECK_RC(ilk_event_wait_until(event, ILK_NOW), 0);
}

/* --- a once --- */

static void *begin_in_vain(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_once_begin(once, NULL), -ECANCELED);
	return NULL;
}

static void close_on_a_beginner(void *arg)
{
	(void)arg;
	close_on(begin_in_vain);
}

static void test_once_elected_while_closing_is_given_up(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	open_all();
	CHECK_RC(ilk_once_begin(once, NULL), ILK_ELECTED);
	child = ilk_test_start(close_on_a_beginner, NULL);
	ilk_test_await(CLOSING);
	CHECK_RC(ilk_once_give_up(once), 0);
	ilk_test_say(LET_GO);
	ilk_test_join(child);
	/* Nobody died in it. */
	CHECK_RC(ilk_once_begin(once, NULL), ILK_ELECTED);
	CHECK_RC(ilk_once_done(once, 1), 0);
}

/* --- a thread that is gone --- */

static void vanish(int signal)
{
	(void)signal;
	syscall(SYS_exit, 0);
}

static void close_after_one_vanished_asleep(void *arg)
{
	pthread_t victim;

	(void)arg;
	open_all();
	victim = start(wait_in_vain, NULL);
	ilk_test_await_sleepers(name, 1);
	signal(SIGUSR1, vanish);
	CHECK(pthread_kill(victim, SIGUSR1) == 0);
	join(victim);
	ilk_segment_close(seg);
}

static void test_close_does_not_wait_for_who_vanished_asleep(void **state)
{
	(void)state;
	if (SUPPORT_TSAN)
		SKIP("ThreadSanitizer does not see such a thread end");
	ilk_test_in_child(close_after_one_vanished_asleep, NULL);
	ilk_test_assert_no_slots(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRANGER_TEST(test_close_does_not_wait_for_who_vanished_asleep),
		STRANGER_TEST(test_set_consumed_while_closing_is_given_back),
		STRANGER_TEST(test_once_elected_while_closing_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
