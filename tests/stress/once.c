/*
 * once.c - rows of onces and of latches, under random deaths.
 *
 * Workers go along a row of onces: each is done by one, whoever dies in it, and everyone gets the
 * value that this one published. They go along a row of latches in step, each counting once. And
 * they count a long latch down: as much is gone as they speak of, but for the dead's last words.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>

enum { ROW = 60000, BYTES = 10 << 20, FACTOR = 7, PATIENCE_MS = 1000 };

struct rows {
	struct ilk_once once[ROW];
	struct ilk_latch step[ROW], long_one;
	uint32_t made[ROW]; /* how often somebody began to do it */
};

static char name[64];
static struct rows *common;

static struct rows *rows_in(struct ilk_segment *seg)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "rows", sizeof(struct rows), &block), 0);
	return block;
}

static struct ilk_segment *make_rows(void)
{
	const struct ilk_segment_options options = {.size = sizeof options, .bytes = BYTES};
	const struct ilk_latch_options all = {.size = sizeof all, .count = WORKERS};
	const struct ilk_latch_options most = {.size = sizeof most, .count = ILK_LATCH_MOST};
	struct ilk_segment *seg;

	strcpy(name, ilk_test_name(""));
	seg = support_create(name, &options);
	common = rows_in(seg);
	for (int i = 0; i < ROW; i++) {
		CHECK_RC(ilk_once_init(seg, &common->once[i], "once"), 0);
		CHECK_RC(ilk_latch_init(seg, &common->step[i], "step", &all), 0);
	}
	CHECK_RC(ilk_latch_init(seg, &common->long_one, "long", &most), 0);
	return seg;
}

static void remove_rows(struct ilk_segment *seg)
{
	CHECK_RC(ilk_segment_valid(seg), 0);
	ilk_segment_close(seg);
	support_unlink(name);
}

static void note(unsigned worker, ilk_time since)
{
	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
}

static void apart(unsigned worker, int (*work)(struct rows *r, unsigned worker))
{
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct rows *r = rows_in(seg);

	while (!time_is_over() && work(r, worker) == 0)
		;
	ilk_segment_close(seg);
}

/* --- onces --- */

/* The moments at which a worker that is a thread may end: never where it is a process. */
static unsigned end_one_in;

/* 0; 1: the worker ends in the middle of it, or at the end of the row. */
static int do_next(struct rows *r, unsigned worker)
{
	int64_t i = tally_of(worker)->done, value = 0;
	ilk_time since = ilk_now();
	int rc;

	if (i == ROW)
		return 1;
	rc = ilk_once_begin(&r->once[i], &value);
	note(worker, since);
	if (rc > 0) {
		CHECK(rc & ILK_ELECTED);
		/* Who comes after another must be told; one can have died before he said so here. */
		CHECK(ilk_add_full_(&r->made[i], 1u) == 0 || rc & ILK_RECOVERED);
		dawdle(worker, 3000);
		if (end_one_in && random_below(worker, end_one_in) == 0) {
			tally_of(worker)->deaths++;
			return 1;
		}
		CHECK_RC(ilk_once_done(&r->once[i], i * FACTOR), 0);
	} else {
		CHECK_RC(rc, 0);
		CHECK(value == i * FACTOR);
	}
	tally_of(worker)->done++;
	return 0;
}

static void go_along_apart(unsigned worker)
{
	apart(worker, do_next);
}

static void go_along_together(unsigned worker)
{
	while (!time_is_over() && do_next(common, worker) == 0)
		;
}

static void check_onces(void)
{
	int64_t farthest = 0, deaths = 0, again = 0;
	uint64_t waits = 1, waited = 0;

	for (unsigned i = 0; i < WORKERS; i++) {
		farthest = tally_of(i)->done > farthest ? tally_of(i)->done : farthest;
		deaths += tally_of(i)->deaths;
	}
	for (int i = 0; i < farthest; i++) {
		const struct ilk_once *o = &common->once[i];
		int64_t value = 0;

		CHECK_RC(ilk_once_value(o, &value), 0);
		assert_int_equal(value, i * FACTOR);
		waits += o->waits;
		waited += o->waited_ns;
		again += common->made[i] - 1;
	}
	print_message("%lld done, %lld of them again, %lld deaths\n", (long long)farthest,
		(long long)again, (long long)deaths);
	assert_true(farthest > 0);
	assert_in_range(again, 0, deaths);
	/* Who had to find out by himself would take 20 ms for each. */
	assert_in_range(waited / waits, 0, 10000000);
	check_longest_stall();
}

static void test_onces_of_killed_processes_are_done_once(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	SKIP_UNDER_TSAN();
	seg = make_rows();
	end_one_in = 0;
	run_processes(go_along_apart, NULL);
	check_onces();
	remove_rows(seg);
}

static void test_onces_of_ending_threads_are_done_once(void **state)
{
	struct ilk_segment *seg = make_rows();

	(void)state;
	end_one_in = 500;
	run_threads(go_along_together);
	check_onces();
	remove_rows(seg);
}

/* --- latches --- */

/* Who is alone at the end of time gives up; 1: the end. */
static int step(struct rows *r, unsigned worker)
{
	int64_t i = tally_of(worker)->done;
	ilk_time since = ilk_now();
	int rc;

	if (i == ROW)
		return 1;
	CHECK_RC(ilk_latch_count_down(&r->step[i], 1), 0);
	rc = ilk_latch_wait_until(&r->step[i], ilk_after_ms(PATIENCE_MS));
	if (rc == -ETIMEDOUT && time_is_over())
		return 1;
	CHECK_RC(rc, 0);
	note(worker, since);
	tally_of(worker)->done++;
	return 0;
}

static void step_apart(unsigned worker)
{
	apart(worker, step);
}

static void test_latches_keep_processes_in_step(void **state)
{
	struct ilk_segment *seg;
	ilk_time since;

	(void)state;
	SKIP_UNDER_TSAN();
	seg = make_rows();
	since = ilk_now();
	run_undisturbed(step_apart);
	for (unsigned i = 1; i < WORKERS; i++)
		assert_in_range(tally_of(i)->done + 1 - tally_of(0)->done, 0, 2);
	print_message("%lld steps\n", (long long)tally_of(0)->done);
	/* Who had to find out by himself would take 50 ms for each. */
	assert_true(tally_of(0)->done > (ilk_now() - since) / 10000000);
	check_longest_stall();
	remove_rows(seg);
}

static int count_one(struct rows *r, unsigned worker)
{
	CHECK_RC(ilk_latch_count_down(&r->long_one, 1), 0);
	tally_of(worker)->done++;
	/* The word says that somebody sleeps, now and then. */
	if (random_below(worker, 100) == 0)
		CHECK_RC(ilk_latch_wait_until(&r->long_one, ilk_after_ns(1000)), -ETIMEDOUT);
	return 0;
}

static void count_apart(unsigned worker)
{
	apart(worker, count_one);
}

static void test_counts_of_killed_processes_are_neither_lost_nor_doubled(void **state)
{
	int64_t counted = 0, deaths = 0;
	struct ilk_segment *seg;
	unsigned left;

	(void)state;
	SKIP_UNDER_TSAN();
	seg = make_rows();
	run_processes(count_apart, NULL);
	for (unsigned i = 0; i < WORKERS; i++) {
		counted += tally_of(i)->done;
		deaths += tally_of(i)->deaths;
	}
	CHECK_RC(ilk_latch_left(&common->long_one, &left), 0);
	print_message("%lld counted\n", (long long)counted);
	/* A death between the count and the worker's own note costs the note one. */
	assert_in_range(ILK_LATCH_MOST - left, counted, counted + deaths);
	remove_rows(seg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_onces_of_killed_processes_are_done_once),
		STRESS_TEST(test_onces_of_ending_threads_are_done_once),
		STRESS_TEST(test_latches_keep_processes_in_step),
		STRESS_TEST(test_counts_of_killed_processes_are_neither_lost_nor_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
