/*
 * counters.c - no add is lost, and none counts twice, whoever dies.
 *
 * A worker says that it intends to add, adds to the exact counter, says that it is halfway, adds to
 * the sharded one, says that it is done. From where it died follows what it has added, but for the
 * one add it was at.
 */
#include "stress.h"
#include <string.h>

static char name[64];
static struct ilk_segment *common;
static struct {
	int64_t least, most;
} exact, sharded;

static void add_once(struct ilk_counter *counter, struct ilk_sharded_handle *mine, struct tally *t)
{
	ilk_store_release_(&t->intended, t->intended + 1);
	CHECK_RC(ilk_counter_add(counter, 1), 0);
	ilk_store_release_(&t->halfway, t->halfway + 1);
	CHECK_RC(ilk_sharded_add(mine, 1), 0);
	ilk_store_release_(&t->done, t->done + 1);
}

static struct ilk_sharded *sharded_in(struct ilk_segment *seg)
{
	struct ilk_sharded *s;

	CHECK_RC(ilk_sharded_open(seg, "sharded", &s), 0);
	return s;
}

static void add_many(struct ilk_segment *seg, unsigned worker, uint64_t rounds)
{
	struct ilk_counter *counter = support_counter(seg, "exact");
	struct ilk_sharded_handle mine;

	CHECK_RC(ilk_sharded_mine(sharded_in(seg), &mine), 0);
	for (; rounds && !time_is_over(); rounds--)
		for (int i = 0; i < 100; i++)
			add_once(counter, &mine, tally_of(worker));
}

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);

	add_many(seg, worker, UINT64_MAX);
	ilk_segment_close(seg);
}

static void work_together(unsigned worker)
{
	/* Ends soon, so that its slot and its share go to another thread. */
	add_many(common, worker, 1 + random_below(worker, 20));
}

/* Adds up what a worker, dead or done, has surely and at most added; its successor begins anew. */
static void add_up(unsigned worker)
{
	struct tally *t = tally_of(worker);

	exact.least += t->halfway;
	exact.most += t->intended;
	sharded.least += t->done;
	sharded.most += t->halfway;
	t->intended = t->halfway = t->done = 0;
}

static void open_common(void)
{
	/* Few slots: those of the dead must be taken over all the time. */
	const struct ilk_segment_options few = {
		.size = sizeof few, .processes = WORKERS + 1, .threads = WORKERS + 1};

	memset(&exact, 0, sizeof exact);
	memset(&sharded, 0, sizeof sharded);
	strcpy(name, ilk_test_name(""));
	common = support_create(name, &few);
	sharded_in(common);
}

static void check_totals(void)
{
	int64_t exact_total = ilk_counter_read(support_counter(common, "exact"));
	int64_t sharded_total = ilk_sharded_read(sharded_in(common));

	print_message("%lld exact adds (%lld to %lld), %lld sharded (%lld to %lld)\n",
		(long long)exact_total, (long long)exact.least, (long long)exact.most,
		(long long)sharded_total, (long long)sharded.least, (long long)sharded.most);
	assert_in_range(exact_total, exact.least, exact.most);
	assert_in_range(sharded_total, sharded.least, sharded.most);
	ilk_segment_close(common);
	support_unlink(name);
}

static void test_totals_of_killed_processes_are_right(void **state)
{
	int deaths;

	(void)state;
	SKIP_UNDER_TSAN();
	open_common();
	deaths = run_processes(work_apart, add_up);
	for (unsigned i = 0; i < WORKERS; i++)
		add_up(i);
	/* Each death leaves one add in doubt at most. */
	assert_in_range(exact.most - exact.least, 0, deaths);
	assert_in_range(sharded.most - sharded.least, 0, deaths);
	check_totals();
}

static void test_totals_of_ending_threads_are_right(void **state)
{
	(void)state;
	open_common();
	run_threads(work_together);
	for (unsigned i = 0; i < WORKERS; i++)
		add_up(i);
	assert_int_equal(exact.least, exact.most);
	assert_int_equal(sharded.least, sharded.most);
	check_totals();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_totals_of_killed_processes_are_right),
		STRESS_TEST(test_totals_of_ending_threads_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
