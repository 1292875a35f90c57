/* slots.c - running out of process and thread slots, and reusing those of the gone and the dead. */
#include "support.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { PROCESSES = 3, THREADS = 4 };

static const struct ilk_segment_options small = {
	.size = sizeof small, .bytes = 64 << 10, .processes = PROCESSES, .threads = THREADS};

static char name[64];

static int small_setup(void **state)
{
	struct ilk_segment *seg;

	if (ilk_test_setup(state) < 0)
		return -1;
	strcpy(name, ilk_test_name(""));
	if (ilk_segment_create(name, &small, &seg) < 0)
		return -1;
	/* The runner is no member, so that its children begin as strangers. */
	return ilk_segment_close(seg);
}

static int small_teardown(void **state)
{
	ilk_segment_unlink(name);
	return ilk_test_teardown(state);
}

#define SMALL_TEST(f) cmocka_unit_test_setup_teardown(f, small_setup, small_teardown)

/* --- process slots --- */

/* Attaches, says ARG's step, stays. */
static void be_a_member(void *step)
{
	struct ilk_segment *seg = support_open(name);

	CHECK_RC(ilk_counter_add(support_counter(seg, "members"), 1), 0);
	ilk_test_say(*(unsigned *)step);
	ilk_test_sleep_for_ever();
}

static struct ilk_test_child *start_member(unsigned step)
{
	static unsigned steps[64];
	struct ilk_test_child *child;

	steps[step] = step;
	ilk_test_board()->step[step] = 0;
	child = ilk_test_start(be_a_member, &steps[step]);
	ilk_test_await(step);
	return child;
}

static int open_and_close(void)
{
	struct ilk_segment *seg = NULL;
	int rc = ilk_segment_open(name, NULL, &seg);

	if (rc == 0)
		ilk_segment_close(seg);
	else
		assert_null(seg);
	return rc;
}

static void test_open_with_every_process_slot_taken_is_EUSERS(void **state)
{
	struct ilk_test_child *members[PROCESSES];
	struct ilk_segment *seg = NULL;

	(void)state;
	for (unsigned i = 0; i < PROCESSES; i++)
		members[i] = start_member(i);
	CHECK_RC(open_and_close(), -EUSERS);
	assert_non_null(strstr(ilk_last_error(), "process"));
	CHECK_RC(ilk_segment_create(name, NULL, &seg), -EUSERS);
	/* A stopped one is no less alive. */
	ilk_test_stop(members[0]);
	CHECK_RC(open_and_close(), -EUSERS);
	/* A dead one's is there again, zombie or not. */
	ilk_test_kill_only(members[0]);
	CHECK_RC(open_and_close(), 0);
	ilk_test_reap(members[0]);
	CHECK_RC(open_and_close(), 0);
	members[0] = start_member(0);
	CHECK_RC(open_and_close(), -EUSERS);
	for (unsigned i = 0; i < PROCESSES; i++)
		ilk_test_kill(members[i]);
}

static void test_process_slots_of_the_dead_are_reused_without_end(void **state)
{
	const int rounds = support_slow() ? 50 : 500;
	struct ilk_test_child *lasting = start_member(0);
	struct ilk_segment *seg;

	(void)state;
	for (int i = 0; i < rounds; i++)
		ilk_test_kill(start_member(1));
	seg = support_open(name);
	assert_int_equal(ilk_counter_read(support_counter(seg, "members")), rounds + 1);
	ilk_segment_close(seg);
	ilk_test_kill(lasting);
}

static void open_where_all_is_taken(void *arg)
{
	struct ilk_segment *seg = NULL;

	(void)arg;
	/* It has inherited an attachment, which makes it no member. */
	CHECK_RC(ilk_segment_open(name, NULL, &seg), -EUSERS);
}

static void test_open_in_a_forked_child_needs_a_slot_of_its_own(void **state)
{
	struct ilk_test_child *others[PROCESSES - 1];
	struct ilk_segment *seg;

	(void)state;
	for (unsigned i = 0; i < PROCESSES - 1; i++)
		others[i] = start_member(i);
	seg = support_open(name);
	ilk_test_in_child(open_where_all_is_taken, NULL);
	for (unsigned i = 0; i < PROCESSES - 1; i++)
		ilk_test_kill(others[i]);
	ilk_segment_close(seg);
}

static void lock_where_all_is_taken(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), -EUSERS);
	ilk_test_say(10);
	ilk_test_await(11);
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
}

static void test_lock_in_a_forked_child_needs_a_slot_of_its_own(void **state)
{
	struct ilk_test_child *others[PROCESSES - 1], *child;
	struct ilk_segment *seg;

	(void)state;
	for (unsigned i = 0; i < PROCESSES - 1; i++)
		others[i] = start_member(i);
	seg = support_open(name);
	child = ilk_test_start(lock_where_all_is_taken, support_mutex(seg, "m"));
	ilk_test_await(10);
	ilk_test_kill(others[0]);
	ilk_test_say(11);
	ilk_test_join(child);
	ilk_test_kill(others[1]);
	ilk_segment_close(seg);
}

/* --- thread slots --- */

static struct ilk_mutex *m;

static void *lock_and_wait(void *step)
{
	struct ilk_mutex *other = step;

	CHECK_RC(ilk_mutex_lock(other), 0);
	ilk_add_full_(&ilk_test_board()->value[0], 1);
	ilk_test_await(0);
	CHECK_RC(ilk_mutex_unlock(other), 0);
	return NULL;
}

static int try_once(void *mutex)
{
	int rc = ilk_mutex_try_lock(mutex);

	if (rc >= 0)
		CHECK_RC(ilk_mutex_unlock(mutex), 0);
	return rc;
}

static int all_have_locked(void *count)
{
	return ilk_load_acquire_(&ilk_test_board()->value[0]) == *(int *)count;
}

static void test_lock_with_every_thread_slot_taken_is_EUSERS(void **state)
{
	static const char *const names[] = {"a", "b", "c"};
	struct ilk_segment *seg = support_open(name);
	pthread_t threads[THREADS - 1];
	int count = THREADS - 1;

	(void)state;
	m = support_mutex(seg, "m");
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	for (int i = 0; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, lock_and_wait,
					 support_mutex(seg, names[i])),
			0);
	ilk_test_until(all_have_locked, &count);
	assert_int_equal(support_in_thread(try_once, m), -EUSERS);
	/* Who has a slot goes on; and one that ends gives its own back. */
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	ilk_test_say(0);
	for (int i = 0; i < count; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(support_in_thread(try_once, m), 0);
	ilk_segment_close(seg);
}

static void *lock_and_stay(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	ilk_add_full_(&ilk_test_board()->value[0], 1);
	ilk_test_sleep_for_ever();
}

static void take_every_thread_slot(void *arg)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	struct ilk_segment *seg = support_open(name);
	pthread_t thread;
	int count = THREADS;

	(void)arg;
	CHECK_RC(ilk_counter_add(support_counter(seg, "counter"), 1), 0);
	/* The main thread has one slot already. */
	for (int i = 0; i < count - 1; i++)
		CHECK(pthread_create(&thread, NULL, lock_and_stay, support_mutex(seg, names[i])) ==
			0);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, names[3])), 0);
	ilk_add_full_(&ilk_test_board()->value[0], 1);
	ilk_test_until(all_have_locked, &count);
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void test_thread_slots_of_a_dead_process_are_reused(void **state)
{
	struct ilk_test_child *taker;
	struct ilk_segment *seg;
	struct ilk_counter *c;
	void *block;

	(void)state;
	SKIP_UNDER_TSAN();
	taker = ilk_test_start(take_every_thread_slot, NULL);
	ilk_test_await(1);
	seg = support_open(name);
	c = support_counter(seg, "counter");
	assert_int_equal(ilk_counter_read(c), 1);
	CHECK_RC(ilk_block_open(seg, "new", 8, &block), -EUSERS);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "a")), -EUSERS);
	ilk_test_kill(taker);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "a")), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "d")), ILK_RECOVERED);
	CHECK_RC(ilk_block_open(seg, "new", 8, &block), 0);
	ilk_segment_close(seg);
}

/* --- many times --- */

enum { GROUP = THREADS - 1 };

static void *add_one(void *sharded)
{
	struct ilk_sharded_handle mine;

	CHECK_RC(ilk_sharded_mine(sharded, &mine), 0);
	CHECK_RC(ilk_sharded_add(&mine, 1), 0);
	return NULL;
}

static void test_100000_thread_slot_reuses_lose_nothing(void **state)
{
	const int reuses = support_slow() ? 3000 : 100000;
	struct ilk_segment *seg = support_open(name);
	struct ilk_sharded *sharded;
	pthread_t threads[GROUP];
	int made = 0;

	(void)state;
	CHECK_RC(ilk_sharded_open(seg, "sharded", &sharded), 0);
	while (made < reuses) {
		for (int i = 0; i < GROUP; i++, made++)
			assert_int_equal(pthread_create(&threads[i], NULL, add_one, sharded), 0);
		for (int i = 0; i < GROUP; i++)
			assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	assert_int_equal(ilk_sharded_read(sharded), made);
	ilk_segment_close(seg);
}

static int end_while_holding(void *mutex)
{
	return ilk_mutex_lock(mutex);
}

static void test_a_slot_whose_generations_are_used_up_is_retired(void **state)
{
	const struct ilk_segment_options two = {.size = sizeof two, .threads = 2};
	struct ilk_segment *seg;
	int rc = 0, rounds = 0;

	(void)state;
	if (support_slow())
		SKIP("65,536 threads take too long here");
	seg = support_create(ilk_test_name("b"), &two);
	m = support_mutex(seg, "m");
	/* Each ends holding it, so that its owner word may be nobody else's ever after. */
	while (rc != -EUSERS && rounds <= 1 << 16) {
		rc = support_in_thread(end_while_holding, m);
		rounds++;
		assert_true(rc == 0 || rc == ILK_RECOVERED || rc == -EUSERS);
	}
	CHECK_RC(rc, -EUSERS);
	assert_true(rounds > 60000);
	/* The thread that has the other slot is not affected. */
	CHECK_RC(ilk_mutex_lock(m), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	ilk_segment_close(seg);
	support_unlink(ilk_test_name("b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SMALL_TEST(test_open_with_every_process_slot_taken_is_EUSERS),
		SMALL_TEST(test_process_slots_of_the_dead_are_reused_without_end),
		SMALL_TEST(test_open_in_a_forked_child_needs_a_slot_of_its_own),
		SMALL_TEST(test_lock_in_a_forked_child_needs_a_slot_of_its_own),
		SMALL_TEST(test_lock_with_every_thread_slot_taken_is_EUSERS),
		SMALL_TEST(test_thread_slots_of_a_dead_process_are_reused),
		SMALL_TEST(test_100000_thread_slot_reuses_lose_nothing),
		SMALL_TEST(test_a_slot_whose_generations_are_used_up_is_retired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
