/*
 * threads_end.c - threads and processes that end in ways that nobody tells Ilk of, or too early.
 *
 * By a raw system call, in destructors after Ilk's own, by pthread_cancel(), by exit().
 */
#include "stranger_fixture.h"
#include <limits.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_key_t key;

static void use(struct ilk_mutex *m)
{
	CHECK_RC(ilk_mutex_lock(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void check_nobody_is_there(void)
{
	struct ilk_inspection *in;

	CHECK_RC(ilk_inspect(name, &in), 0);
	CHECK(in->process_count == 0);
	CHECK(in->thread_count == 0);
	ilk_inspection_free(in);
}

static int count_dead(void)
{
	struct ilk_inspection *in;
	int dead = 0;

	CHECK_RC(ilk_inspect(name, &in), 0);
	for (size_t i = 0; i < in->process_count; i++)
		dead += in->processes[i].life == ILK_LIFE_DEAD;
	ilk_inspection_free(in);
	return dead;
}

/* --- ended by a raw system call --- */

static void *use_and_vanish(void *m)
{
	use(m);
	syscall(SYS_exit, 0);
	return NULL;
}

/* Its memory is given back when it is joined: so much is not kept for the next thread. */
static void run_with_a_large_stack(void *(*body)(void *arg), void *arg)
{
	pthread_attr_t large;
	pthread_t thread;

	CHECK(pthread_attr_init(&large) == 0);
	CHECK(pthread_attr_setstacksize(&large, 64 << 20) == 0);
	CHECK(pthread_create(&thread, &large, body, arg) == 0);
	pthread_attr_destroy(&large);
	join(thread);
}

static void close_after_one_vanished(void *arg)
{
	struct ilk_mutex *m;

	(void)arg;
	seg = support_open(name);
	m = support_mutex(seg, "m");
	run_with_a_large_stack(use_and_vanish, m);
	use(m);
	ilk_segment_close(seg);
}

static void test_close_after_a_thread_ended_by_a_raw_exit_leaves_nothing(void **state)
{
	(void)state;
	if (SUPPORT_TSAN)
		SKIP("ThreadSanitizer does not see such a thread end");
	ilk_test_in_child(close_after_one_vanished, NULL);
	check_nobody_is_there();
}

/* --- destructors after Ilk's own --- */

struct user {
	struct ilk_mutex *m;
	int rounds;
};

static void use_once_more(void *arg)
{
	struct user *user = arg;

	use(user->m);
	user->rounds++;
	CHECK(pthread_setspecific(key, user) == 0);
}

static void *use_to_the_last(void *user)
{
	use_once_more(user);
	return NULL;
}

static void close_after_last_use(void *arg)
{
	struct user user = {.rounds = 0};

	(void)arg;
	seg = support_open(name);
	user.m = support_mutex(seg, "m");
	CHECK(pthread_key_create(&key, use_once_more) == 0);
	run_with_a_large_stack(use_to_the_last, &user);
	CHECK(user.rounds == 1 + PTHREAD_DESTRUCTOR_ITERATIONS);
	use(user.m);
	ilk_segment_close(seg);
}

static void test_close_after_use_in_every_round_of_destructors_leaves_nothing(void **state)
{
	(void)state;
	if (SUPPORT_TSAN)
		SKIP("ThreadSanitizer bears nothing in the last round");
	ilk_test_in_child(close_after_last_use, NULL);
	check_nobody_is_there();
}

enum { ENDING, SHARED };

static struct ilk_sharded *sharded;

static int adds(void)
{
	return support_slow() ? 100000 : 2000000;
}

static void add_many(struct ilk_sharded_handle *mine)
{
	for (int n = adds(); n > 0; n--)
		ilk_sharded_add(mine, 1);
}

/* When Ilk's own destructor has run, and another thread has the place that this one had. */
static void add_late(void *mine)
{
	ilk_test_say(ENDING);
	ilk_test_await(SHARED);
	add_many(mine);
}

static void *add_early_and_late(void *mine)
{
	CHECK_RC(ilk_sharded_mine(sharded, mine), 0);
	CHECK_RC(ilk_sharded_add(mine, 1), 0);
	CHECK(pthread_setspecific(key, mine) == 0);
	return NULL;
}

static void *add_beside(void *arg)
{
	struct ilk_sharded_handle mine;

	(void)arg;
	ilk_test_await(ENDING);
	CHECK_RC(ilk_sharded_mine(sharded, &mine), 0);
	ilk_test_say(SHARED);
	add_many(&mine);
	return NULL;
}

static void test_sharded_add_in_a_destructor_after_ilks_own_is_counted(void **state)
{
	struct ilk_sharded_handle handle;
	pthread_t beside, ending;

	(void)state;
	seg = support_open(name);
	CHECK_RC(ilk_sharded_open(seg, "sharded", &sharded), 0);
	CHECK(pthread_key_create(&key, add_late) == 0);
	beside = start(add_beside, NULL);
	ending = start(add_early_and_late, &handle);
	join(ending);
	join(beside);
	pthread_key_delete(key);
	assert_int_equal(ilk_sharded_read(sharded), 1 + 2 * adds());
}

/* --- cancelled --- */

enum { CANCELS = 40, FORKS = 16 };

static void *open_and_close(void *arg)
{
	(void)arg;
	for (;;) {
		ilk_segment_close(support_open(name));
		pthread_testcancel();
	}
	return NULL;
}

static void cancel(pthread_t thread)
{
	CHECK(pthread_cancel(thread) == 0);
	join(thread);
}

static void cancel_openers(void *arg)
{
	int descriptors = ilk_test_count_descriptors(), mappings = ilk_test_count_mappings();

	(void)arg;
	for (int i = 0; i < CANCELS; i++) {
		pthread_t thread = start(open_and_close, NULL);

		usleep((unsigned)(500 + 7 * i));
		cancel(thread);
		ilk_segment_close(support_open(name));
		CHECK(ilk_test_count_descriptors() == descriptors);
		CHECK(ilk_test_count_mappings() == mappings);
	}
}

static void test_cancel_of_a_thread_that_opens_and_closes_leaves_nothing(void **state)
{
	(void)state;
	ilk_test_in_child(cancel_openers, NULL);
	check_nobody_is_there();
}

static void *use_and_wait(void *m)
{
	use(m);
	ilk_test_sleep_for_ever();
}

static int turn;

/* The first use in a forked child: that is where it joins. */
static void cancel_the_first_user(void *m)
{
	pthread_t thread = start(use_and_wait, m);

	for (int delay = 0; delay < turn * 300; delay++)
		ilk_pause_();
	cancel(thread);
	use(m);
}

static void test_cancel_in_a_forked_childs_first_lock_lets_others_go_on(void **state)
{
	struct ilk_mutex *m;

	(void)state;
	seg = support_open(name);
	m = support_mutex(seg, "m");
	use(m);
	for (turn = 0; turn < FORKS; turn++) {
		ilk_test_in_child(cancel_the_first_user, m);
		use(m);
	}
}

/* --- exit --- */

static int use_in_thread(void *m)
{
	use(m);
	return 0;
}

static void use_and_exit(void *arg)
{
	struct ilk_mutex *m;

	(void)arg;
	seg = support_open(name);
	m = support_mutex(seg, "m");
	use(m);
	CHECK_RC(support_in_thread(use_in_thread, m), 0);
	exit(0);
}

static void test_exit_without_close_leaves_nothing(void **state)
{
	(void)state;
	ilk_test_in_child(use_and_exit, NULL);
	check_nobody_is_there();
	seg = support_open(name);
	use(support_mutex(seg, "m"));
}

static void hold(void)
{
	seg = support_open(name);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), 0);
}

static void hold_and_exit(void *arg)
{
	(void)arg;
	hold();
	exit(0);
}

static void check_a_death_was_noticed(void)
{
	assert_int_equal(count_dead(), 1);
	seg = support_open(name);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "m")), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(support_mutex(seg, "m")), 0);
}

static void test_lock_after_exit_while_holding_is_RECOVERED(void **state)
{
	(void)state;
	ilk_test_in_child(hold_and_exit, NULL);
	check_a_death_was_noticed();
}

static void hold_and_exit_at_once(void *arg)
{
	(void)arg;
	hold();
	_exit(0);
}

static void test_lock_after_immediate_exit_while_holding_is_RECOVERED(void **state)
{
	(void)state;
	ilk_test_in_child(hold_and_exit_at_once, NULL);
	check_a_death_was_noticed();
}

static void use_and_exit_at_once(void *arg)
{
	(void)arg;
	seg = support_open(name);
	use(support_mutex(seg, "m"));
	_exit(0);
}

static void test_immediate_exit_without_close_is_a_death(void **state)
{
	(void)state;
	ilk_test_in_child(use_and_exit_at_once, NULL);
	assert_int_equal(count_dead(), 1);
	seg = support_open(name);
	use(support_mutex(seg, "m"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRANGER_TEST(test_close_after_a_thread_ended_by_a_raw_exit_leaves_nothing),
		STRANGER_TEST(test_close_after_use_in_every_round_of_destructors_leaves_nothing),
		STRANGER_TEST(test_sharded_add_in_a_destructor_after_ilks_own_is_counted),
		STRANGER_TEST(test_cancel_of_a_thread_that_opens_and_closes_leaves_nothing),
		STRANGER_TEST(test_cancel_in_a_forked_childs_first_lock_lets_others_go_on),
		STRANGER_TEST(test_exit_without_close_leaves_nothing),
		STRANGER_TEST(test_lock_after_exit_while_holding_is_RECOVERED),
		STRANGER_TEST(test_lock_after_immediate_exit_while_holding_is_RECOVERED),
		STRANGER_TEST(test_immediate_exit_without_close_is_a_death),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
