/*
 * lost_update.c - two processes add to one number, and additions vanish.
 *
 * `value = value + 1` is a load, an addition and a store. Whoever loads between another's load and
 * store finds the old value, and the later store wipes out the earlier one.
 */
#include "race/frame.h"
#include <ilk/counter.h>
#include <ilk/mutex.h>

/* What a worker has opened. */
static _Thread_local struct {
	volatile int64_t *value;
	struct ilk_mutex *mutex;
	struct ilk_counter *counter;
	struct ilk_sharded *sharded;
	struct ilk_sharded_handle mine;
} my;

static int open_value(struct ilk_segment *seg)
{
	void *memory;
	int rc = ilk_block_open(seg, "value", sizeof *my.value, &memory);

	my.value = rc == 0 ? memory : NULL;
	return rc;
}

/* ThreadSanitizer would be right about this one: that is the point of it. */
__attribute__((no_sanitize("thread"))) static inline void add_one(void)
{
	int64_t seen = *my.value;

	/* Some compilers make one instruction of the three, which one processor never interrupts.
	 */
	__asm__ volatile("" : "+r"(seen));
	*my.value = seen + 1;
}

static int64_t read_value(void)
{
	return *my.value;
}

/* --- broken: nothing between the load and the store --- */

__attribute__((no_sanitize("thread"))) static int add_broken(int64_t times)
{
	for (; times > 0; times--)
		add_one();
	return 0;
}

/* --- mutex: one at a time --- */

static int open_mutex(struct ilk_segment *seg)
{
	int rc = open_value(seg);

	return rc < 0 ? rc : ilk_mutex_open(seg, "mutex", NULL, &my.mutex);
}

static int add_locked(int64_t times)
{
	for (; times > 0; times--) {
		int rc = ilk_mutex_lock(my.mutex);

		if (rc < 0)
			return rc;
		add_one();
		ilk_mutex_unlock(my.mutex);
	}
	return 0;
}

/* --- atomic: load, add and store are one instruction --- */

static int open_counter(struct ilk_segment *seg)
{
	return ilk_counter_open(seg, "counter", &my.counter);
}

static int add_atomic(int64_t times)
{
	for (; times > 0; times--)
		ilk_counter_add(my.counter, 1);
	return 0;
}

static int64_t read_counter(void)
{
	return ilk_counter_read(my.counter);
}

/* --- sharded: everyone has a number of their own, and readers add them up --- */

static int open_sharded(struct ilk_segment *seg)
{
	int rc = ilk_sharded_open(seg, "sharded", &my.sharded);

	return rc < 0 ? rc : ilk_sharded_mine(my.sharded, &my.mine);
}

static int add_sharded(int64_t times)
{
	for (; times > 0; times--)
		ilk_sharded_add(&my.mine, 1);
	return 0;
}

static int64_t read_sharded(void)
{
	return ilk_sharded_read(my.sharded);
}

static const struct race_variant variants[] = {
	{"broken", "value = value + 1", 1, open_value, add_broken, read_value},
	{"mutex", "the same while holding an ilk_mutex", 0, open_mutex, add_locked, read_value},
	{"atomic", "ilk_counter_add", 0, open_counter, add_atomic, read_counter},
	{"sharded", "ilk_sharded_add", 0, open_sharded, add_sharded, read_sharded},
};

const struct race_scenario race_lost_update = {
	.name = "lost-update",
	.bug = "value = value + 1 by several at once",
	.breaks = "additions vanish without a trace",
	.fix = "a mutex around it, an atomic add, or a share for each",
	.variants = variants,
	.variant_count = sizeof variants / sizeof *variants,
};
