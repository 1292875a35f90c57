/*
 * lost_wakeup.c - sets a flag and signals, without the mutex under which the other looks at it.
 *
 * The waiter looks, sees no flag, and is about to sleep. Now comes the flag, and the signal, which
 * wakes nobody since nobody sleeps. Then he sleeps.
 */
#include "race/frame.h"
#include <ilk/atomics.h>
#include <ilk/condition.h>
#include <ilk/event.h>
#include <ilk/mutex.h>
#include <pthread.h>
#include <sched.h>

struct mail {
	pthread_mutex_t lock;
	pthread_cond_t there;
	uint64_t sent ILK_ALIGNED_(64);
	uint64_t read ILK_ALIGNED_(64);
};

static _Thread_local struct {
	struct mail *mail;
	struct ilk_mutex *mutex;
	struct ilk_condition *condition;
	struct ilk_event *event;
	uint64_t number;
} my;

static int open_mail(struct ilk_segment *seg)
{
	return race_block(seg, "mail", sizeof *my.mail, &my.mail);
}

static int prepare(struct ilk_segment *seg)
{
	pthread_mutexattr_t of_lock;
	pthread_condattr_t of_condition;
	int rc = open_mail(seg);

	if (rc < 0)
		return rc;
	pthread_mutexattr_init(&of_lock);
	pthread_mutexattr_setpshared(&of_lock, PTHREAD_PROCESS_SHARED);
	rc = -pthread_mutex_init(&my.mail->lock, &of_lock);
	pthread_condattr_init(&of_condition);
	pthread_condattr_setpshared(&of_condition, PTHREAD_PROCESS_SHARED);
	return rc < 0 ? rc : -pthread_cond_init(&my.mail->there, &of_condition);
}

/* The sender waits until the last one was read: then the reader is about to look for the next. */
static void wait_until_read(void)
{
	while (ilk_load_acquire_(&my.mail->read) != my.number)
		sched_yield();
}

static void mark_read(struct race_worker *me)
{
	race_note(me, "reads number", (int64_t)my.number);
	ilk_store_release_(&my.mail->read, my.number);
}

/* --- pthread_cond: the reader is the same, broken or right --- */

static void read_one(struct race_worker *me)
{
	struct mail *m = my.mail;

	pthread_mutex_lock(&m->lock);
	while (ilk_load_acquire_(&m->sent) != my.number) {
		race_note(me, "sees no mail, and goes to sleep; last was", (int64_t)my.number - 1);
		sched_yield(); /* here it happens; without, it takes longer */
		pthread_cond_wait(&m->there, &m->lock);
	}
	pthread_mutex_unlock(&m->lock);
	mark_read(me);
}

static void send_one(struct race_worker *me, int is_locked)
{
	struct mail *m = my.mail;

	if (is_locked)
		pthread_mutex_lock(&m->lock);
	ilk_store_release_(&m->sent, my.number);
	race_note(me, "has sent, and signals number", (int64_t)my.number);
	pthread_cond_signal(&m->there);
	if (is_locked)
		pthread_mutex_unlock(&m->lock);
}

static inline int work(struct race_worker *me, int64_t times, int is_locked)
{
	for (; times > 0; times--) {
		if (me->index == 0)
			wait_until_read();
		my.number++;
		if (me->index == 0)
			send_one(me, is_locked);
		else
			read_one(me);
	}
	return 0;
}

static int work_broken(struct race_worker *me, int64_t times)
{
	return work(me, times, 0);
}

static int work_locked(struct race_worker *me, int64_t times)
{
	return work(me, times, 1);
}

/* --- the Ilk condition, with its predicate --- */

static int open_condition(struct ilk_segment *seg)
{
	int rc = open_mail(seg);

	if (rc == 0)
		rc = ilk_mutex_open(seg, "lock", NULL, &my.mutex);
	return rc < 0 ? rc : ilk_condition_open(seg, "there", &my.condition);
}

static int work_condition(struct race_worker *me, int64_t times)
{
	int rc = 0;

	for (; times > 0 && rc >= 0; times--) {
		if (me->index == 0)
			wait_until_read();
		my.number++;
		rc = ilk_mutex_lock(my.mutex);
		if (rc < 0)
			break;
		if (me->index == 0) {
			my.mail->sent = my.number;
			rc = ilk_condition_signal(my.condition);
		} else {
			rc = ILK_WAIT_UNTIL(
				my.condition, my.mutex, ILK_FOREVER, my.mail->sent == my.number);
		}
		ilk_mutex_unlock(my.mutex);
		if (me->index != 0)
			mark_read(me);
	}
	return rc < 0 ? rc : 0;
}

/* --- an event: it stays set until somebody has seen it --- */

static int open_event(struct ilk_segment *seg)
{
	const struct ilk_event_options options = {.size = sizeof options, .flags = ILK_EVENT_AUTO};
	int rc = open_mail(seg);

	return rc < 0 ? rc : ilk_event_open(seg, "there", &options, &my.event);
}

static int work_event(struct race_worker *me, int64_t times)
{
	int rc = 0;

	for (; times > 0 && rc == 0; times--) {
		if (me->index == 0)
			wait_until_read();
		my.number++;
		rc = me->index == 0 ? ilk_event_set(my.event) : ilk_event_wait(my.event);
		if (me->index != 0)
			mark_read(me);
	}
	return rc;
}

static void judge(struct race_count *count)
{
	count->expected /= 2; /* a message is of two */
	count->got = count->expected;
}

static const struct race_variant variants[] = {
	{"broken", "pthread_cond, signalled without the mutex", RACE_FAILS, prepare, open_mail,
		work_broken, judge, NULL},
	{"predicate", "pthread_cond, changed and signalled under it", RACE_HOLDS, prepare,
		open_mail, work_locked, judge, NULL},
	{"condition", "ilk_condition, ILK_WAIT_UNTIL", RACE_HOLDS, NULL, open_condition,
		work_condition, judge, NULL},
	{"event", "ilk_event, which stays set", RACE_HOLDS, NULL, open_event, work_event, judge,
		NULL},
};

const struct race_scenario race_lost_wakeup = {
	.name = "lost-wakeup",
	.bug = "sets a flag and signals, without the waiter's mutex",
	.breaks = "the signal comes before the sleep, and nobody wakes up",
	.fix = "change and signal under the mutex, or an event",
	.failures = "missed",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	.least_workers = 2,
	.most_workers = 2,
	.iterations = 5000,
	.meets = 1,
	.chunk = 256,
	.patience_ms = 2000,
	.is_noted = 1,
};
