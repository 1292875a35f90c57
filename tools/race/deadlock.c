/*
 * deadlock.c - philosophers at a round table, a fork between each two; each takes the left one, then
 * the right one. With two philosophers it is the AB-BA of two locks.
 *
 * When each has his left fork, nobody gets a right one.
 */
#include "race/frame.h"
#include <errno.h>
#include <ilk/mutex.h>
#include <ilk/permits.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

enum { FORKS = 16 };

static _Thread_local struct {
	struct ilk_mutex *fork[FORKS];
	struct ilk_permits *seats;
	int64_t *meals;
} my;

static int open_forks(struct ilk_segment *seg)
{
	char name[16];
	int rc = race_block(seg, "meals", FORKS * sizeof *my.meals, &my.meals);

	for (int i = 0; rc == 0 && i < FORKS; i++) {
		snprintf(name, sizeof name, "fork%d", i);
		rc = ilk_mutex_open(seg, name, NULL, &my.fork[i]);
	}
	return rc;
}

static struct ilk_mutex *left(const struct race_worker *me)
{
	return my.fork[me->index];
}

static struct ilk_mutex *right(const struct race_worker *me)
{
	return my.fork[(me->index + 1) % me->count];
}

static void eat(struct race_worker *me)
{
	my.meals[me->index]++;
	ilk_mutex_unlock(left(me));
	ilk_mutex_unlock(right(me));
}

static int take(struct race_worker *me, struct ilk_mutex *first, struct ilk_mutex *second)
{
	int rc = ilk_mutex_lock(first);

	if (rc < 0)
		return rc;
	race_note(me, "has one fork, meal", my.meals[me->index]);
	if (race_random(me, 16) == 0)
		sched_yield(); /* thinks: here it happens; without, it takes longer */
	rc = ilk_mutex_lock(second);
	if (rc >= 0)
		race_note(me, "has both forks, meal", my.meals[me->index]);
	return rc < 0 ? rc : 0;
}

/* --- broken: left, then right --- */

static int work_broken(struct race_worker *me, int64_t times)
{
	int rc = 0;

	for (; times > 0 && rc == 0; times--) {
		rc = take(me, left(me), right(me));
		if (rc == 0)
			eat(me);
	}
	return rc;
}

/* --- order: the one with the lower number first; so the last philosopher begins with the right --- */

static int work_ordered(struct race_worker *me, int64_t times)
{
	int is_last = me->index == me->count - 1, rc = 0;

	for (; times > 0 && rc == 0; times--) {
		rc = is_last ? take(me, right(me), left(me)) : take(me, left(me), right(me));
		if (rc == 0)
			eat(me);
	}
	return rc;
}

/* --- back off: who does not get the second gives the first back, and waits a little --- */

static int take_or_back_off(struct race_worker *me, int is_patient)
{
	for (;;) {
		int rc = ilk_mutex_lock(left(me));

		if (rc < 0)
			return rc;
		rc = ilk_mutex_try_lock(right(me));
		if (rc != -EBUSY)
			return rc < 0 ? rc : 0;
		ilk_mutex_unlock(left(me));
		if (is_patient)
			usleep((useconds_t)race_random(me, 50));
	}
}

static inline int back_off(struct race_worker *me, int64_t times, int is_patient)
{
	int rc = 0;

	for (; times > 0 && rc == 0; times--) {
		rc = take_or_back_off(me, is_patient);
		if (rc == 0)
			eat(me);
	}
	return rc;
}

static int work_backing_off(struct race_worker *me, int64_t times)
{
	return back_off(me, times, 1);
}

/* All give back and try again in step: nobody waits, and nobody eats. */
static int work_impatient(struct race_worker *me, int64_t times)
{
	return back_off(me, times, 0);
}

/* --- permits: one seat less than philosophers --- */

static int open_seats(struct ilk_segment *seg)
{
	const struct ilk_permits_options options = {
		.size = sizeof options, .permits = (unsigned)race_workers() - 1};
	int rc = open_forks(seg);

	return rc < 0 ? rc : ilk_permits_open(seg, "seats", &options, &my.seats);
}

static int work_seated(struct race_worker *me, int64_t times)
{
	int rc = 0;

	for (; times > 0 && rc == 0; times--) {
		rc = ilk_permits_acquire(my.seats, 1);
		if (rc == 0)
			rc = take(me, left(me), right(me));
		if (rc == 0)
			eat(me);
		ilk_permits_release(my.seats, 1);
	}
	return rc;
}

static void judge(struct race_count *count)
{
	count->got = 0;
	for (int i = 0; i < FORKS; i++)
		count->got += my.meals[i];
	count->expected = count->got; /* who cannot eat hangs */
}

static const struct race_variant variants[] = {
	{"broken", "the left fork, then the right one", RACE_FAILS, NULL, open_forks, work_broken,
		judge, NULL},
	{"impatient", "gives the left one back, and tries again at once", RACE_MAY_FAIL, NULL,
		open_forks, work_impatient, judge, NULL},
	{"order", "the fork with the lower number first", RACE_HOLDS, NULL, open_forks,
		work_ordered, judge, NULL},
	{"back-off", "gives the left one back, and waits by chance", RACE_HOLDS, NULL, open_forks,
		work_backing_off, judge, NULL},
	{"permits", "one seat less than philosophers", RACE_HOLDS, NULL, open_seats, work_seated,
		judge, NULL},
};

const struct race_scenario race_deadlock = {
	.name = "deadlock",
	.bug = "takes two locks, in an order that goes round",
	.breaks = "each has one and waits for the next one's, for ever",
	.fix = "one order for all, try and back off, or one permit less",
	.failures = "missed",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.most_workers = FORKS,
	.processes = 3,
	.iterations = 200000,
	.chunk = 100,
	.patience_ms = 2000,
	.is_noted = 1,
};
