/* condition_death.c - conditions and those who die, close, or are looked at while they wait. */
#include "condition_fixture.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

enum step { HELD, WAITED };

static void lock_and_die(void *arg)
{
	(void)arg;
	CHECK_RC(ilk_mutex_lock(m), 0);
	guarded->ready = 1;
	raise(SIGKILL);
}

static void test_wait_whose_mutex_is_left_by_the_dead_is_RECOVERED(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	child = ilk_test_start(lock_and_die, NULL);
	/* The predicate would be true; but nobody may look at it yet. */
	CHECK_RC(ILK_WAIT_UNTIL(c, m, patience(), guarded->ready), ILK_RECOVERED);
	ilk_test_join_killed(child);
	CHECK_RC(ILK_WAIT_UNTIL(c, m, patience(), guarded->ready), 0);
	/* Damaged until somebody says that it is not, through any wait. */
	CHECK_RC(ilk_condition_wait(c, m), ILK_RECOVERED);
	CHECK_RC(ilk_condition_wait_until(c, m, ilk_after_ms(1)), ILK_RECOVERED | ILK_TIMED_OUT);
	CHECK_RC(ilk_mutex_repaired(m), 0);
	CHECK_RC(ilk_condition_wait(c, m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void change_and_die(void *arg)
{
	(void)arg;
	make_ready(1);
	raise(SIGKILL);
}

static void test_wait_ends_though_the_notifier_died_before_it_could(void **state)
{
	struct ilk_test_child *child;

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	child = ilk_test_start(change_and_die, NULL);
	CHECK_RC(ILK_WAIT_UNTIL(c, m, patience(), guarded->ready), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	ilk_test_join_killed(child);
}

/* Asleep in it, all of them; and then notified, which must neither hang nor wake nobody. */
static void test_notify_after_waiters_were_killed_asleep_reaches_who_is_left(void **state)
{
	enum { DEAD = 3, ROUNDS = 5 };

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct ilk_test_child *dead[DEAD], *left;

		guarded->waiting = guarded->taken = 0;
		for (int i = 0; i < DEAD; i++)
			dead[i] = ilk_test_start(take_one, NULL);
		await_waiters(DEAD);
		left = ilk_test_start(take_one, NULL);
		await_waiters(DEAD + 1);
		for (int i = 0; i < DEAD; i++)
			ilk_test_kill(dead[i]);
		/* One may have been killed while it looked by itself. */
		if (ilk_mutex_lock(m) == ILK_RECOVERED)
			CHECK_RC(ilk_mutex_repaired(m), 0);
		guarded->ready = 1;
		CHECK_RC(ilk_mutex_unlock(m), 0);
		CHECK_RC(ilk_condition_signal(c), 0);
		ilk_test_join(left);
		assert_int_equal(guarded->taken, 1);
	}
}

/* --- close --- */

static void *wait_until_closed(void *arg)
{
	int rc;

	(void)arg;
	CHECK_RC(ilk_mutex_lock(m), 0);
	guarded->waiting++;
	do
		rc = ilk_condition_wait(c, m);
	while (rc == 0);
	CHECK_RC(rc, -ECANCELED);
	return NULL;
}

static void close_on_a_waiter(void *arg)
{
	const char *name = arg;
	pthread_t thread;
	void *block;

	ilk_segment_close(seg);
	seg = support_open(name);
	m = support_mutex(seg, "m");
	CHECK_RC(ilk_condition_open(seg, "c", &c), 0);
	CHECK_RC(ilk_block_open(seg, "guarded", sizeof *guarded, &block), 0);
	guarded = block;
	CHECK(pthread_create(&thread, NULL, wait_until_closed, NULL) == 0);
	await_waiters(1);
	ilk_segment_close(seg);
	CHECK(pthread_join(thread, NULL) == 0);
}

static void test_close_cancels_waits_and_leaves_the_mutex_free(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		guarded->waiting = 0;
		ilk_test_in_child(close_on_a_waiter, (void *)ilk_test_name(""));
		CHECK_RC(ilk_mutex_try_lock(m), 0);
		CHECK_RC(ilk_mutex_unlock(m), 0);
	}
}

/* --- the inspector --- */

static const struct ilk_thread_info *waiter_in(const struct ilk_inspection *in)
{
	for (size_t i = 0; i < in->thread_count; i++) {
		int object = in->threads[i].waits_for;

		if (object != ILK_NO_INDEX && strcmp(in->objects[object].type, "condition") == 0)
			return &in->threads[i];
	}
	return NULL;
}

/* Since when somebody waits for the condition; 0: nobody does at this moment. */
static ilk_time waited_since(void)
{
	const struct ilk_thread_info *waiter;
	struct ilk_inspection *in;
	ilk_time since = 0;

	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	waiter = waiter_in(in);
	if (waiter) {
		since = waiter->wait_since;
		assert_string_equal(in->objects[waiter->waits_for].name, "c");
		assert_string_equal(in->objects[waiter->waits_for].state, "waited for");
	}
	ilk_inspection_free(in);
	return since;
}

/* How many of the living wait for it. */
static int waiters_seen(void)
{
	struct ilk_inspection *in;
	int waiters = 0;

	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, "c") == 0)
			waiters = in->objects[i].waiters;
	ilk_inspection_free(in);
	return waiters;
}

static int is_waited_for(void *since)
{
	*(ilk_time *)since = waited_since();
	return *(ilk_time *)since != 0;
}

/* Has one wait, to the inspector, lasted for several looks of the waiter? */
static int goes_on_over_lapses(void *arg)
{
	uint64_t lapses = ilk_load_relaxed_(&c->lapses);
	ilk_time since = 0, later = 0;

	(void)arg;
	ilk_test_until(is_waited_for, &since);
	while (ilk_load_relaxed_(&c->lapses) < lapses + 2)
		ilk_test_sleep_ms(5);
	ilk_test_until(is_waited_for, &later);
	return since == later;
}

static void test_inspect_shows_a_waiter_since_it_began(void **state)
{
	struct ilk_test_child *child = ilk_test_start(take_one, NULL);

	(void)state;
	ilk_test_until(goes_on_over_lapses, NULL);
	ilk_test_kill(child);
	assert_int_equal(waiters_seen(), 0);
}

/* --- classics --- */

enum { SLOTS = 3, EACH = 500, PAIRS = 3 };

static void produce(void *arg)
{
	struct ilk_condition *room = arg;

	for (int i = 0; i < EACH; i++) {
		CHECK_RC(ilk_mutex_lock(m), 0);
		CHECK_RC(ILK_WAIT_UNTIL(room, m, patience(), guarded->ready < SLOTS), 0);
		guarded->ready++;
		CHECK_RC(ilk_mutex_unlock(m), 0);
		CHECK_RC(ilk_condition_signal(c), 0);
	}
}

static void consume(void *arg)
{
	struct ilk_condition *room = arg;

	for (int i = 0; i < EACH; i++) {
		CHECK_RC(ilk_mutex_lock(m), 0);
		CHECK_RC(ILK_WAIT_UNTIL(c, m, patience(), guarded->ready > 0), 0);
		guarded->ready--;
		guarded->taken++;
		CHECK_RC(ilk_mutex_unlock(m), 0);
		CHECK_RC(ilk_condition_signal(room), 0);
	}
}

static void test_producers_and_consumers_pass_everything_once(void **state)
{
	struct ilk_test_child *producers[PAIRS], *consumers[PAIRS];
	struct ilk_condition *room;

	(void)state;
	CHECK_RC(ilk_condition_open(seg, "room", &room), 0);
	for (int i = 0; i < PAIRS; i++) {
		consumers[i] = ilk_test_start(consume, room);
		producers[i] = ilk_test_start(produce, room);
	}
	for (int i = 0; i < PAIRS; i++) {
		ilk_test_join(producers[i]);
		ilk_test_join(consumers[i]);
	}
	assert_int_equal(guarded->taken, PAIRS * EACH);
	assert_int_equal(guarded->ready, 0);
}

/* What is changed under the mutex is never missed: of so many wake-ups none is found by lapse. */
static void hand_over(int me)
{
	for (int i = 0; i < EACH; i++) {
		CHECK_RC(ilk_mutex_lock(m), 0);
		CHECK_RC(ILK_WAIT_UNTIL(c, m, patience(), guarded->ready == me), 0);
		guarded->ready = !me;
		CHECK_RC(ilk_mutex_unlock(m), 0);
		CHECK_RC(ilk_condition_signal(c), 0);
	}
}

static void hand_over_in_child(void *arg)
{
	(void)arg;
	hand_over(1);
}

static void test_no_wake_up_is_lost_between_look_and_sleep(void **state)
{
	struct ilk_test_child *child = ilk_test_start(hand_over_in_child, NULL);

	(void)state;
	hand_over(0);
	ilk_test_join(child);
	print_message("%d waits, %d not ended by the other side\n", (int)c->waits, (int)c->lapses);
	/* A lost one costs a lapse. A busy machine may cause a few. */
	assert_in_range(c->lapses, 0, 2 * EACH / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONDITION_TEST(test_wait_whose_mutex_is_left_by_the_dead_is_RECOVERED),
		CONDITION_TEST(test_wait_ends_though_the_notifier_died_before_it_could),
		CONDITION_TEST(test_notify_after_waiters_were_killed_asleep_reaches_who_is_left),
		CONDITION_TEST(test_close_cancels_waits_and_leaves_the_mutex_free),
		CONDITION_TEST(test_inspect_shows_a_waiter_since_it_began),
		CONDITION_TEST(test_producers_and_consumers_pass_everything_once),
		CONDITION_TEST(test_no_wake_up_is_lost_between_look_and_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
