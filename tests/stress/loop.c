/*
 * loop.c - rounds of a loop under random deaths: whoever begins or works at one is killed at any moment, and each
 * part counts once, of each index.
 *
 * All do all: begin a round of a size that follows from its number, run what there is, or serve for a while. The
 * results say of which round they are, so that who adds them up knows what they must be. Each index says who is
 * at it: nobody else is, as long as he lives.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>

enum { MOST = 3000, PATIENCE_MS = 20 };

/* A part's, or those of many. */
struct result {
	uint64_t job, indices, sum, parts, mixed;
};

static char name[64];
static uint64_t *cells; /* of MOST indices, in the segment: worker + 1; behind them the last job */

/* --- one part --- */

static uint64_t count_of(uint64_t job)
{
	return job * 2654435761u % MOST;
}

/* The part is ours: what is in a cell before is a dead one's, or 0. */
static int work(const struct ilk_part *part, void *arg)
{
	uint64_t me = 1 + *(const unsigned *)arg;
	struct result *r = part->result;

	CHECK(!r->job && !r->indices && !r->sum);
	for (uint64_t i = part->begin; i < part->end; i++)
		ilk_exchange_(&cells[i], me);
	dawdle((unsigned)me - 1, 2000);
	r->job = part->job;
	for (uint64_t i = part->begin; i < part->end; i++) {
		uint64_t was = ilk_exchange_(&cells[i], 0);

		if (was != me)
			ilk_test_fail("index %llu of job %llu: %llu was at it as well",
				(unsigned long long)i, (unsigned long long)part->job,
				(unsigned long long)was);
		r->indices++;
		r->sum += i ^ part->job;
	}
	r->parts = 1;
	tally_of((unsigned)me - 1)->done++;
	tally_of((unsigned)me - 1)->halfway += part->again;
	return 0;
}

/* --- rounds --- */

static void add_up(void *into, const void *result, void *arg)
{
	const struct result *r = result;
	struct result *all = into;

	(void)arg;
	all->mixed |= all->job != 0 && all->job != r->job;
	all->job = r->job;
	all->indices += r->indices;
	all->sum += r->sum;
	all->parts += r->parts;
}

/* What a round that nobody has followed yet has come to. */
static void check_results(struct ilk_loop *l)
{
	struct result all = {.job = 0};
	uint64_t sum = 0;
	int rc;

	/* Others may have begun the next meanwhile: what is read then is thrown away, and is a race. */
	if (SUPPORT_TSAN)
		return;
	rc = ilk_loop_reduce(l, &all, add_up, NULL);
	CHECK(rc == 0 || rc == -EBUSY);
	if (rc < 0 || all.parts == 0)
		return;
	for (uint64_t i = 0; i < count_of(all.job); i++)
		sum += i ^ all.job;
	if (all.mixed || all.indices != count_of(all.job) || all.sum != sum)
		ilk_test_fail("job %llu: %llu of %llu indices, sum %llu, not %llu%s",
			(unsigned long long)all.job, (unsigned long long)all.indices,
			(unsigned long long)count_of(all.job), (unsigned long long)all.sum,
			(unsigned long long)sum, all.mixed ? ", and others'" : "");
}

/* Jobs have numbers of their own, also those that are not begun. */
static void begin(struct ilk_loop *l, unsigned worker)
{
	uint64_t job = 1 + ilk_add_full_(&cells[MOST], UINT64_C(1));
	const struct ilk_range r = {.size = sizeof r,
		.count = count_of(job),
		.workers = 1 + (unsigned)random_below(worker, 8),
		.least = random_below(worker, 50),
		.job = job};
	int rc = ilk_loop_begin(l, &r);

	CHECK(rc == 0 || rc == -EBUSY);
	tally_of(worker)->intended += rc == 0;
}

static void run(struct ilk_loop *l, unsigned worker)
{
	ilk_time since = ilk_now();
	int rc = ilk_loop_run(l, work, &worker, ilk_after_ms(ilk_test_limit_ms()));

	CHECK_RC(rc, 0);
	check_results(l);
	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
}

static void serve(struct ilk_loop *l, unsigned worker)
{
	CHECK_RC(ilk_loop_serve(l, work, &worker, ilk_after_ms(PATIENCE_MS)), -ETIMEDOUT);
}

/* --- crews --- */

static struct ilk_loop *loop_in(struct ilk_segment *seg)
{
	const struct ilk_loop_options o = {.size = sizeof o, .result_bytes = sizeof(struct result)};
	struct ilk_loop *l;
	void *block;

	CHECK_RC(ilk_loop_open(seg, "loop", &o, &l), 0);
	CHECK_RC(ilk_block_open(seg, "cells", (MOST + 1) * sizeof *cells, &block), 0);
	cells = block;
	return l;
}

/* Also when the time is over: others may wait for a round that the one before died beginning. */
static void take_part(struct ilk_loop *l, unsigned worker)
{
	do {
		begin(l, worker);
		if (random_below(worker, 20))
			run(l, worker);
		else
			serve(l, worker);
	} while (!time_is_over());
}

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);

	take_part(loop_in(seg), worker);
	ilk_segment_close(seg);
}

static struct ilk_loop *common;

static void work_together(unsigned worker)
{
	for (int i = 0; i < 20 && !time_is_over(); i++) {
		begin(common, worker);
		run(common, worker);
	}
}

static struct ilk_segment *make_loop(void)
{
	struct ilk_segment *seg;

	strcpy(name, ilk_test_name(""));
	seg = support_create(name, NULL);
	common = loop_in(seg);
	return seg;
}

static void check_loop(struct ilk_segment *seg)
{
	int64_t begun = 0, done = 0, again = 0;

	for (unsigned i = 0; i < WORKERS; i++) {
		begun += tally_of(i)->intended;
		done += tally_of(i)->done;
		again += tally_of(i)->halfway;
	}
	print_message("%lld rounds, %lld parts, %lld again\n", (long long)begun, (long long)done,
		(long long)again);
	CHECK(begun > 10);
	/* The last one may have been left, by the dead. */
	begin(common, 0);
	run(common, 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
	check_longest_stall();
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_rounds_of_killed_processes(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	SKIP_UNDER_TSAN();
	seg = make_loop();
	run_processes(work_apart, NULL);
	check_loop(seg);
}

static void test_rounds_of_threads(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	seg = make_loop();
	run_threads(work_together);
	check_loop(seg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_rounds_of_killed_processes),
		STRESS_TEST(test_rounds_of_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
