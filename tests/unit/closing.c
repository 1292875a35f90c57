/*
 * closing.c - close while other threads of the process wait in the segment, or misuse it.
 *
 * That close has begun is told by a canary: another thread asleep in the segment, which is told so
 * by -ECANCELED. Who is to find what he waits for free only then is stopped by a signal while he
 * sleeps: its handler returns when it is free.
 */
#include "stranger_fixture.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum step { READY, STOPPED, CLOSING, LET_GO, CAUGHT };
enum value { VICTIM, ASKED, ANSWERED };

static int64_t get(enum value which)
{
	return ilk_load_acquire_(&ilk_test_board()->value[which]);
}

static void set(enum value which, int64_t value)
{
	ilk_store_release_(&ilk_test_board()->value[which], value);
}

static void wait_in_handler(int signal)
{
	(void)signal;
	ilk_test_say(STOPPED);
	ilk_test_await(LET_GO);
}

static void *be_canary(void *gate)
{
	CHECK_RC(ilk_mutex_lock(gate), -ECANCELED);
	ilk_test_say(CLOSING);
	return NULL;
}

/* Closes, with VICTIM stopped asleep until what it sleeps for was let go in the midst of that. */
static void close_on(pthread_t victim)
{
	signal(SIGUSR1, wait_in_handler);
	CHECK(pthread_kill(victim, SIGUSR1) == 0);
	ilk_test_await(STOPPED);
	ilk_segment_close(seg);
}

/* --- asleep for a mutex --- */

static void hold_until_close_has_begun(void *arg)
{
	struct ilk_mutex *m;

	(void)arg;
	seg = support_open(name);
	m = support_mutex(seg, "m");
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "gate")), 0);
	CHECK_RC(ilk_mutex_lock(m), 0);
	ilk_test_say(READY);
	ilk_test_await(CLOSING);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	ilk_test_say(LET_GO);
	ilk_test_sleep_for_ever();
}

static void *lock_in_vain(void *m)
{
	CHECK_RC(ilk_mutex_lock(m), -ECANCELED);
	return NULL;
}

static void close_on_a_sleeper(void *arg)
{
	pthread_t canary, victim;

	(void)arg;
	seg = support_open(name);
	canary = start(be_canary, support_mutex(seg, "gate"));
	victim = start(lock_in_vain, support_mutex(seg, "m"));
	ilk_test_await_sleepers(name, 2);
	close_on(victim);
	join(victim);
	join(canary);
}

static void test_lock_asleep_when_close_begins_is_ECANCELED(void **state)
{
	struct ilk_test_child *holder = ilk_test_start(hold_until_close_has_begun, NULL);
	struct ilk_mutex *m;

	(void)state;
	ilk_test_await(READY);
	ilk_test_in_child(close_on_a_sleeper, NULL);
	seg = support_open(name);
	m = support_mutex(seg, "m");
	CHECK_RC(ilk_mutex_lock_until(m, ilk_after_ms(ilk_test_limit_ms() / 3)), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	ilk_test_kill(holder);
}

/* --- spinning for a mutex --- */

enum { SPINNERS = 60 };

static struct ilk_mutex *numbered(int i)
{
	char text[8];

	snprintf(text, sizeof text, "%d", i);
	return support_mutex(seg, text);
}

static void hold_all(void *arg)
{
	(void)arg;
	seg = support_open(name);
	for (int i = 0; i < SPINNERS; i++)
		CHECK_RC(ilk_mutex_lock(numbered(i)), 0);
	ilk_test_say(READY);
	ilk_test_sleep_for_ever();
}

static void close_on_spinners(void *arg)
{
	(void)arg;
	for (int i = 0; i < SPINNERS; i++) {
		struct ilk_mutex *m;
		pthread_t spinner;

		seg = support_open(name);
		m = numbered(i);
		spinner = start(lock_in_vain, m);
		/* Private, but nothing else tells that a thread spins, and no longer begins. */
		while (!ilk_load_relaxed_(&m->ask))
			ilk_pause_();
		for (int delay = 0; delay < 4 * i; delay++)
			ilk_pause_();
		ilk_segment_close(seg);
		join(spinner);
	}
}

static void test_lock_spinning_when_close_begins_is_ECANCELED(void **state)
{
	struct ilk_test_child *holder = ilk_test_start(hold_all, NULL);

	(void)state;
	ilk_test_await(READY);
	ilk_test_in_child(close_on_spinners, NULL);
	ilk_test_kill(holder);
}

/* --- asleep for the lock under which named objects are made --- */

static int make_next(void)
{
	static unsigned serial;
	char text[32];
	void *memory;

	snprintf(text, sizeof text, "%d-%u", (int)getpid(), serial++);
	return ilk_block_open(seg, text, 64, &memory);
}

/* In a full segment: each attempt looks for room for long, and under that lock. */
static void make_until_close_has_begun(void *arg)
{
	int rc;

	(void)arg;
	seg = support_open(name);
	CHECK_RC(ilk_mutex_lock(support_mutex(seg, "gate")), 0);
	while ((rc = make_next()) == 0)
		;
	CHECK_RC(rc, -ENOSPC);
	ilk_test_say(READY);
	while (!ilk_test_was_said(CLOSING))
		CHECK_RC(make_next(), -ENOSPC);
	ilk_test_say(LET_GO);
	ilk_test_sleep_for_ever();
}

static int was_asked(void *answered)
{
	return get(ASKED) > *(int64_t *)answered;
}

/* Makes something each time that the runner asks for it, until it is asleep in that: caught. */
static void *make_in_vain(void *arg)
{
	int64_t answered = 0;
	int rc;

	(void)arg;
	set(VICTIM, gettid());
	for (;;) {
		ilk_test_until(was_asked, &answered);
		rc = make_next();
		if (ilk_test_was_said(CAUGHT))
			break;
		set(ANSWERED, ++answered);
	}
	CHECK_RC(rc, -ECANCELED);
	return NULL;
}

static void close_on_a_maker(void *arg)
{
	pthread_t canary, victim;

	(void)arg;
	seg = support_open(name);
	canary = start(be_canary, support_mutex(seg, "gate"));
	victim = start(make_in_vain, NULL);
	ilk_test_await(CAUGHT);
	ilk_test_await_sleepers(name, 1);
	close_on(victim);
	join(victim);
	join(canary);
}

static int victim_slept(void)
{
	struct ilk_inspection *in;
	int slept = 0;

	CHECK_RC(ilk_inspect(name, &in), 0);
	for (size_t i = 0; i < in->thread_count; i++)
		slept |= in->threads[i].tid == get(VICTIM) && in->threads[i].sleeps > 0;
	ilk_inspection_free(in);
	return slept;
}

static int victim_slept_or_answered(void *arg)
{
	(void)arg;
	return victim_slept() || get(ANSWERED) == get(ASKED);
}

/* Stops MAKER under the lock: it is there if the victim falls asleep. */
static void stop_under_the_lock(struct ilk_test_child *maker)
{
	for (;;) {
		ilk_test_stop(maker);
		set(ASKED, get(ASKED) + 1);
		ilk_test_until(victim_slept_or_answered, NULL);
		if (get(ANSWERED) < get(ASKED))
			return;
		ilk_test_continue(maker);
	}
}

static void try_to_make(void *arg)
{
	int rc;

	(void)arg;
	rc = make_next();
	CHECK(rc == 0 || rc == -ENOSPC);
}

static void test_block_open_asleep_when_close_begins_is_ECANCELED(void **state)
{
	struct ilk_test_child *maker = ilk_test_start(make_until_close_has_begun, NULL), *closer;

	(void)state;
	ilk_test_await(READY);
	closer = ilk_test_start(close_on_a_maker, NULL);
	stop_under_the_lock(maker);
	ilk_test_say(CAUGHT);
	ilk_test_await(CLOSING);
	ilk_test_continue(maker);
	ilk_test_join(closer);
	seg = support_open(name);
	ilk_test_in_child(try_to_make, NULL);
	ilk_test_kill(maker);
}

/* --- misuse --- */

enum { ROUNDS = 20 };

static void end_quietly(int signal)
{
	(void)signal;
	_exit(0);
}

/* Closes while a thread goes on with BODY; that may kill this process, and nobody else. */
static void close_while(void *(*body)(void *arg))
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT};

	for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
		signal(crashes[i], end_quietly);
	ilk_segment_close(seg);
	seg = support_open(name);
	start(body, support_mutex(seg, "m"));
	ilk_test_await(READY);
	usleep(200);
	ilk_segment_close(seg);
	usleep(500);
}

static void *go_on_locking(void *m)
{
	int rc = 0;

	while (rc >= 0) {
		rc = ilk_mutex_lock(m);
		CHECK(rc != -EDEADLK);
		if (rc >= 0)
			rc = ilk_mutex_unlock(m);
		ilk_test_say(READY);
	}
	return NULL;
}

static void misuse_a_mutex(void *arg)
{
	(void)arg;
	close_while(go_on_locking);
}

static int can_lock(void *m)
{
	int rc = ilk_mutex_lock_until(m, ilk_after_ms(ilk_test_limit_ms() / 3));

	if (rc < 0)
		return rc;
	CHECK_RC(ilk_mutex_repaired(m), 0);
	return ilk_mutex_unlock(m);
}

static void test_locking_on_while_another_thread_closes_harms_nobody_else(void **state)
{
	struct ilk_mutex *m;

	(void)state;
	if (SUPPORT_TSAN || SUPPORT_ASAN)
		SKIP("the sanitizer finds the misuse itself");
	seg = support_open(name);
	m = support_mutex(seg, "m");
	for (int i = 0; i < ROUNDS; i++) {
		ilk_test_board()->step[READY] = 0;
		ilk_test_in_child(misuse_a_mutex, NULL);
		CHECK_RC(can_lock(m), 0);
		CHECK_RC(support_in_thread(can_lock, m), 0);
	}
}

static void *go_on_making(void *arg)
{
	int rc = 0;

	(void)arg;
	while (rc == 0 || rc == -ENOSPC) {
		rc = make_next();
		ilk_test_say(READY);
	}
	return NULL;
}

static void misuse_the_directory(void *arg)
{
	(void)arg;
	close_while(go_on_making);
}

static void test_making_on_while_another_thread_closes_harms_nobody_else(void **state)
{
	(void)state;
	if (SUPPORT_TSAN || SUPPORT_ASAN)
		SKIP("the sanitizer finds the misuse itself");
	seg = support_open(name);
	for (int i = 0; i < ROUNDS; i++) {
		ilk_test_board()->step[READY] = 0;
		ilk_test_in_child(misuse_the_directory, NULL);
		ilk_test_in_child(try_to_make, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRANGER_TEST(test_lock_asleep_when_close_begins_is_ECANCELED),
		STRANGER_TEST(test_lock_spinning_when_close_begins_is_ECANCELED),
		STRANGER_TEST(test_block_open_asleep_when_close_begins_is_ECANCELED),
		STRANGER_TEST(test_locking_on_while_another_thread_closes_harms_nobody_else),
		STRANGER_TEST(test_making_on_while_another_thread_closes_harms_nobody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
