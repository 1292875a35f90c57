/*
 * lost_update.c - two processes add to one number, and additions vanish.
 *
 * `value = value + 1` is a load, an addition and a store. Whoever loads between another's load and
 * store finds the old value, and the later store wipes out the earlier one.
 */
#include "race/frame.h"
#include <ilk/counter.h>
#include <ilk/mutex.h>
#include <ilk/queue.h>
#include <ilk/semaphore.h>
#include <string.h>

/* What a worker has opened. */
static _Thread_local struct {
	volatile int64_t *value;
	struct ilk_mutex *mutex;
	struct ilk_semaphore *semaphore;
	struct ilk_counter *counter;
	struct ilk_sharded *sharded;
	struct ilk_sharded_handle mine;
	struct ilk_queue *queue;
	struct ilk_queue_handle handle;
} my;

static int open_value(struct ilk_segment *seg)
{
	return race_block(seg, "value", sizeof *my.value, &my.value);
}

/* ThreadSanitizer would be right about this one: that is the point of it. */
__attribute__((no_sanitize("thread"))) static inline void add_one(struct race_worker *me)
{
	int64_t seen = *my.value;

	race_note(me, "loads", seen);
	/* Some compilers make one instruction of the three, which one processor never interrupts.
	 */
	__asm__ volatile("" : "+r"(seen));
	*my.value = seen + 1;
	race_note(me, "stores", seen + 1);
}

static void judge_value(struct race_count *count)
{
	count->got = *my.value;
}

/* Two who store the same number: one of the additions is gone. */
static int witness(const struct race_event *e, int count, int *from, int *to)
{
	for (int i = 0; i < count; i++)
		for (int k = i + 1; k < count && k < i + 8; k++)
			if (strcmp(e[i].what, "stores") == 0 && strcmp(e[k].what, "stores") == 0 &&
				e[i].worker != e[k].worker && e[i].value == e[k].value) {
				*from = i > 3 ? i - 3 : 0;
				*to = k;
				return 1;
			}
	return 0;
}

/* --- broken: nothing between the load and the store --- */

__attribute__((no_sanitize("thread"))) static int add_broken(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--)
		add_one(me);
	return 0;
}

/* --- mutex: one at a time --- */

static int open_mutex(struct ilk_segment *seg)
{
	int rc = open_value(seg);

	return rc < 0 ? rc : ilk_mutex_open(seg, "mutex", NULL, &my.mutex);
}

static int add_locked(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = ilk_mutex_lock(my.mutex);

		if (rc < 0)
			return rc;
		add_one(me);
		ilk_mutex_unlock(my.mutex);
	}
	return 0;
}

/* --- semaphore: one permit, the same --- */

static int open_semaphore(struct ilk_segment *seg)
{
	const struct ilk_semaphore_options options = {.size = sizeof options, .value = 1};
	int rc = open_value(seg);

	return rc < 0 ? rc : ilk_semaphore_open(seg, "semaphore", &options, &my.semaphore);
}

static int add_permitted(struct race_worker *me, int64_t times)
{
	for (; times > 0; times--) {
		int rc = ilk_semaphore_wait(my.semaphore);

		if (rc < 0)
			return rc;
		add_one(me);
		ilk_semaphore_post(my.semaphore);
	}
	return 0;
}

/* --- atomic: load, add and store are one instruction --- */

static int open_counter(struct ilk_segment *seg)
{
	return ilk_counter_open(seg, "counter", &my.counter);
}

static int add_atomic(struct race_worker *me, int64_t times)
{
	(void)me;
	for (; times > 0; times--)
		ilk_counter_add(my.counter, 1);
	return 0;
}

static void judge_counter(struct race_count *count)
{
	count->got = ilk_counter_read(my.counter);
}

/* --- sharded: everyone has a number of their own, and readers add them up --- */

static int open_sharded(struct ilk_segment *seg)
{
	int rc = ilk_sharded_open(seg, "sharded", &my.sharded);

	return rc < 0 ? rc : ilk_sharded_mine(my.sharded, &my.mine);
}

static int add_sharded(struct race_worker *me, int64_t times)
{
	(void)me;
	for (; times > 0; times--)
		ilk_sharded_add(&my.mine, 1);
	return 0;
}

static void judge_sharded(struct race_count *count)
{
	count->got = ilk_sharded_read(my.sharded);
}

/* --- messages: one owns the number, the others tell it what to add --- */

static int open_queue(struct ilk_segment *seg)
{
	const struct ilk_queue_options options = {
		.size = sizeof options, .capacity = 1024, .message_bytes = sizeof(int64_t)};
	int rc = open_value(seg);

	if (rc == 0)
		rc = ilk_queue_open(seg, "queue", &options, &my.queue);
	return rc < 0 ? rc : ilk_queue_attach(my.queue, &my.handle);
}

/* The first worker is the owner: it adds its own, and what comes from each of the others. */
static int add_as_owner(struct race_worker *me, int64_t times)
{
	int64_t message, left = times * (me->count - 1);

	for (; times > 0; times--)
		add_one(me);
	for (; left > 0; left--) {
		int rc = ilk_queue_get(&my.handle, &message, sizeof message, NULL, ILK_FOREVER);

		if (rc < 0)
			return rc;
		*my.value += message;
	}
	return 0;
}

static int add_by_message(struct race_worker *me, int64_t times)
{
	const int64_t one = 1;
	int rc = 0;

	if (me->index == 0)
		return add_as_owner(me, times);
	for (; times > 0 && rc == 0; times--)
		rc = ilk_queue_put(&my.handle, &one, sizeof one, ILK_FOREVER);
	return rc;
}

static const struct race_variant variants[] = {
	{.name = "broken",
		.what = "value = value + 1",
		.aim = RACE_FAILS,
		.open = open_value,
		.work = add_broken,
		.judge = judge_value},
	{.name = "mutex",
		.what = "the same while holding an ilk_mutex",
		.aim = RACE_HOLDS,
		.open = open_mutex,
		.work = add_locked,
		.judge = judge_value},
	{.name = "semaphore",
		.what = "the same with the only permit of an ilk_semaphore",
		.aim = RACE_HOLDS,
		.open = open_semaphore,
		.work = add_permitted,
		.judge = judge_value},
	{.name = "atomic",
		.what = "ilk_counter_add",
		.aim = RACE_HOLDS,
		.open = open_counter,
		.work = add_atomic,
		.judge = judge_counter},
	{.name = "sharded",
		.what = "ilk_sharded_add",
		.aim = RACE_HOLDS,
		.open = open_sharded,
		.work = add_sharded,
		.judge = judge_sharded},
	{.name = "messages",
		.what = "one owner, told by an ilk_queue",
		.aim = RACE_HOLDS,
		.open = open_queue,
		.work = add_by_message,
		.judge = judge_value},
};

const struct race_scenario race_lost_update = {
	.name = "lost-update",
	.bug = "value = value + 1 by several at once",
	.breaks = "additions vanish without a trace",
	.fix = "a mutex around it, an atomic add, a share for each, or one owner",
	.failures = "lost",
	.iterations = 4000000,
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
	/* The owner must know how many messages will come: as many as it does itself. */
	.meets = 1,
	.chunk = 16384,
	.witness = witness,
};
