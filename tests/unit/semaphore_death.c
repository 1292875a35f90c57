/*
 * semaphore_death.c - the swallowed wake-up: the woken one is killed before it takes the permit, and
 * another sleeps on. Of those who wait by sem_wait() most are then stuck: shown for comparison.
 *
 * All run on one core, the sleepers with the least claim to it: so the one that a post wakes is
 * killed before it has run a single instruction.
 */
#include "semaphore_fixture.h"
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/resource.h>

enum { AT_ONCE = 10, TRIALS = 200, SPENT_MS = 400 };

struct trial {
	struct ilk_semaphore *semaphore;
	struct ilk_test_child *victim, *other;
	int number, posix;
};

static struct trial trials[AT_ONCE];
static cpu_set_t all_cores;

static void take_the_first_core(void)
{
	cpu_set_t one;

	CHECK(sched_getaffinity(0, sizeof all_cores, &all_cores) == 0);
	CPU_ZERO(&one);
	for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &all_cores))
			CPU_SET(i, &one);
	CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
}

/* --- the two who sleep --- */

static void wait_and_say(void *arg)
{
	const struct trial *t = arg;

	setpriority(PRIO_PROCESS, 0, 19);
	if (t->posix)
		CHECK_RC(sem_wait(ilk_semaphore_posix(t->semaphore)), 0);
	else
		CHECK_RC(ilk_semaphore_wait(t->semaphore), 0);
	ilk_test_say((unsigned)t->number);
	ilk_test_sleep_for_ever();
}

static uint64_t waiters_of(const struct trial *t)
{
	return ilk_load_relaxed_((const uint64_t *)(const void *)&t->semaphore->posix) >> 32;
}

struct wanted {
	const struct trial *trial;
	uint64_t before;
};

/* Counted, and given the time to fall asleep. */
static int is_counted(void *arg)
{
	const struct wanted *w = arg;

	return waiters_of(w->trial) > w->before;
}

static struct ilk_test_child *start_sleeper(struct trial *t)
{
	struct wanted w = {t, waiters_of(t)};
	struct ilk_test_child *child = ilk_test_start(wait_and_say, t);

	ilk_test_until(is_counted, &w);
	return child;
}

static void start_trial(struct trial *t, int number, int posix)
{
	char text[16];

	snprintf(text, sizeof text, "%d", number);
	CHECK_RC(ilk_semaphore_open(seg, text, NULL, &t->semaphore), 0);
	ilk_store_relaxed_(&ilk_test_board()->step[number], 0u);
	t->number = number;
	t->posix = posix;
	t->victim = start_sleeper(t);
	t->other = start_sleeper(t);
}

/* --- one round of trials --- */

static int has_it(void *arg)
{
	return ilk_test_was_said((unsigned)((struct trial *)arg)->number);
}

/* 1: the other was left asleep beside a permit, until END. */
static int is_stuck(struct trial *t, ilk_time end)
{
	while (!has_it(t) && ilk_now() < end)
		ilk_test_sleep_ms(1);
	return !has_it(t) && value_of(t->semaphore) == 1;
}

/* Whoever got it, nobody is left over; the next round begins with a semaphore at 0. */
static void end_trial(struct trial *t)
{
	ilk_test_kill(t->other);
	while (ilk_semaphore_try_wait(t->semaphore) == 0)
		continue;
}

/* How many were stuck. */
static int run_round(int posix)
{
	ilk_time end;
	int stuck = 0;

	for (int i = 0; i < AT_ONCE; i++)
		start_trial(&trials[i], i, posix);
	ilk_test_sleep_ms(5);
	for (int i = 0; i < AT_ONCE; i++) {
		CHECK_RC(ilk_semaphore_post(trials[i].semaphore), 0);
		ilk_test_kill(trials[i].victim);
	}
	end = ilk_after_ms(SPENT_MS);
	for (int i = 0; i < AT_ONCE; i++) {
		struct trial *t = &trials[i];

		/* Where the victim was the faster one, the permit is spent, and rightly so. */
		if (is_stuck(t, end))
			stuck++;
		else if (!has_it(t))
			CHECK_RC(ilk_semaphore_post(t->semaphore), 0);
		if (!posix)
			ilk_test_until(has_it, t);
	}
	for (int i = 0; i < AT_ONCE; i++)
		end_trial(&trials[i]);
	return stuck;
}

static void test_wakeup_swallowed_by_a_death_is_not_lost(void **state)
{
	int stuck = 0, rounds = support_slow() ? 2 : TRIALS / AT_ONCE;

	(void)state;
	take_the_first_core();
	for (int i = 0; i < rounds; i++)
		stuck += run_round(0);
	print_message("ilk_semaphore_wait: %d of %d stuck\n", stuck, rounds * AT_ONCE);
	print_message("sem_wait: %d of %d stuck\n", run_round(1), (int)AT_ONCE);
	CHECK(sched_setaffinity(0, sizeof all_cores, &all_cores) == 0);
	assert_int_equal(stuck, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEMAPHORE_TEST(test_wakeup_swallowed_by_a_death_is_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
