/*
 * condition.c - things handed over under a mutex and two conditions, under random deaths.
 *
 * Workers put things into a small store and take them out, and sleep while it is full or empty. What
 * a worker changes it notes first, and whoever is told ILK_RECOVERED takes that back. In the end as
 * many were put as were taken and are left, nobody was ever late, and no notifier ever hung.
 */
#include "stress.h"
#include <string.h>

enum { ROOM = 2, PATIENCE_MS = 300 };

struct store {
	struct ilk_mutex mutex;
	struct ilk_condition filled, emptied;
	int64_t things, put, taken;
	struct {
		int64_t things, put, taken;
		uint32_t active;
	} undo;
};

static char name[64];

static struct store *store_in(struct ilk_segment *seg)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "store", sizeof(struct store), &block), 0);
	return block;
}

static void make_store(unsigned flags)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = flags};
	struct ilk_segment *seg;
	struct store *s;

	strcpy(name, ilk_test_name(""));
	seg = support_create(name, &options);
	s = store_in(seg);
	CHECK_RC(ilk_mutex_init(seg, &s->mutex, "store", NULL), 0);
	CHECK_RC(ilk_condition_init(seg, &s->filled, "filled"), 0);
	CHECK_RC(ilk_condition_init(seg, &s->emptied, "emptied"), 0);
	ilk_segment_close(seg);
}

static void take_back(struct store *s)
{
	if (s->undo.active) {
		s->things = s->undo.things;
		s->put = s->undo.put;
		s->taken = s->undo.taken;
		ilk_compiler_barrier_();
		s->undo.active = 0;
	}
	CHECK_RC(ilk_mutex_repaired(&s->mutex), 0);
}

/* The moments at which a worker that is a thread may end: never where it is a process. */
static unsigned end_one_in;

/* With the mutex held. 1: the worker ends in the middle of it. */
static int change(struct store *s, unsigned worker, int by)
{
	CHECK(s->things == s->put - s->taken && s->things >= 0 && s->things <= ROOM);
	s->undo.things = s->things;
	s->undo.put = s->put;
	s->undo.taken = s->taken;
	ilk_compiler_barrier_();
	s->undo.active = 1;
	ilk_compiler_barrier_();
	s->things += by;
	if (end_one_in && random_below(worker, end_one_in) == 0)
		return 1;
	*(by > 0 ? &s->put : &s->taken) += 1;
	ilk_compiler_barrier_();
	s->undo.active = 0;
	ilk_compiler_barrier_();
	return 0;
}

/* Is there a thing, or room for one? How long a look at it takes tells if it was late. */
static int wait_for(struct store *s, unsigned worker, int by)
{
	struct ilk_condition *c = by > 0 ? &s->emptied : &s->filled;
	ilk_time until = ilk_after_ms(PATIENCE_MS);
	int rc = ilk_mutex_lock(&s->mutex);

	while (rc >= 0) {
		if (rc & ILK_RECOVERED)
			take_back(s);
		if (by > 0 ? s->things < ROOM : s->things > 0)
			return 0;
		if (rc & ILK_TIMED_OUT || time_is_over())
			return ILK_TIMED_OUT;
		tally_of(worker)->intended++;
		rc = ilk_condition_wait_until(c, &s->mutex, until);
	}
	CHECK(rc >= 0);
	return rc;
}

static void tell(struct store *s, unsigned worker, int by)
{
	struct ilk_condition *c = by > 0 ? &s->filled : &s->emptied;
	ilk_time since = ilk_now();

	CHECK_RC(random_below(worker, 4) ? ilk_condition_signal(c) : ilk_condition_broadcast(c), 0);
	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
}

/* Even workers put, odd ones take. 1: the worker ends. */
static int work_once(struct store *s, unsigned worker)
{
	int by = worker % 2 ? -1 : 1;

	if (wait_for(s, worker, by) == 0) {
		if (change(s, worker, by)) {
			tally_of(worker)->deaths++;
			return 1;
		}
		tally_of(worker)->done++;
	}
	CHECK_RC(ilk_mutex_unlock(&s->mutex), 0);
	tell(s, worker, by);
	dawdle(worker, 40);
	return 0;
}

/* --- crews --- */

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct store *s = store_in(seg);

	while (!time_is_over())
		work_once(s, worker);
	ilk_segment_close(seg);
}

static struct store *common;

static void work_together(unsigned worker)
{
	while (!time_is_over() && !work_once(common, worker))
		;
}

static void check_store(struct store *s)
{
	int64_t put = 0, taken = 0, deaths = 0, waits = 0;
	int rc = ilk_mutex_lock(&s->mutex);

	CHECK(rc == 0 || rc == ILK_RECOVERED);
	if (rc == ILK_RECOVERED)
		take_back(s);
	for (unsigned i = 0; i < WORKERS; i++) {
		*(i % 2 ? &taken : &put) += tally_of(i)->done;
		deaths += tally_of(i)->deaths;
		waits += tally_of(i)->intended;
	}
	/* A death between the change and the worker's own note costs the note one. */
	assert_in_range(s->put, put, put + deaths);
	assert_in_range(s->taken, taken, taken + deaths);
	assert_int_equal(s->things, s->put - s->taken);
	print_message("%lld put, %lld taken, %lld waits, %lld deaths\n", (long long)put,
		(long long)taken, (long long)waits, (long long)deaths);
	assert_true(put > 0 && taken > 0);
	CHECK_RC(ilk_mutex_unlock(&s->mutex), 0);
}

static void check_and_remove(void)
{
	struct ilk_segment *seg = support_open(name);

	check_store(store_in(seg));
	check_longest_stall();
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_things_of_killed_processes_are_neither_lost_nor_doubled(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	make_store(0);
	end_one_in = 0;
	run_processes(work_apart, NULL);
	check_and_remove();
}

static void test_things_of_ending_threads_are_neither_lost_nor_doubled(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	make_store(ILK_SEGMENT_FENCED);
	seg = support_open(name);
	common = store_in(seg);
	end_one_in = 500;
	run_threads(work_together);
	check_and_remove();
	ilk_segment_close(seg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_things_of_killed_processes_are_neither_lost_nor_doubled),
		STRESS_TEST(test_things_of_ending_threads_are_neither_lost_nor_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
