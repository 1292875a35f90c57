/*
 * transient.c - one name created, opened and left by several at once, under SIGKILL: of transient
 * segments, and of ordinary ones that are collected meanwhile.
 *
 * Each segment gets a number when it is used first, which no other has. While somebody is a member
 * of it, the name leads to the segment of that number, whoever else leaves, dies or comes: so never
 * two of them live under one name. When all have left in order, there is no name. And who creates
 * after all are gone finds nothing of theirs.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct ilk_segment_options small = {
	.size = sizeof small, .bytes = 64 << 10, .processes = 8, .threads = 16};
static const struct ilk_segment_options read_only = {
	.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};

static char name[64];
static int64_t *last_number; /* of all segments; shared */

/* The segment's number; given by who is the first to hold its mutex. */
static int64_t number_of(struct ilk_segment *seg)
{
	struct ilk_mutex *m = support_mutex(seg, "m");
	struct ilk_counter *number = support_counter(seg, "number");
	int rc = ilk_mutex_lock(m);
	int64_t n;

	CHECK(rc == 0 || rc == ILK_RECOVERED);
	if (ilk_counter_read(number) == 0)
		ilk_counter_add(number, ilk_add_relaxed_(last_number, 1) + 1);
	n = ilk_counter_read(number);
	if (rc == ILK_RECOVERED)
		CHECK_RC(ilk_mutex_repaired(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	return n;
}

/* We are a member: the name is ours. */
static void check_name(int64_t number)
{
	struct ilk_segment *seg;

	CHECK_RC(ilk_segment_open(name, &read_only, &seg), 0);
	CHECK(ilk_counter_read(support_counter(seg, "number")) == number);
	ilk_segment_close(seg);
}

static void be_in(unsigned worker, struct ilk_segment *seg)
{
	int64_t number = number_of(seg);

	tally_of(worker)->done++;
	check_name(number);
	dawdle(worker, 2000);
	check_name(number);
	ilk_segment_close(seg);
}

static void create(unsigned worker)
{
	struct ilk_segment *seg;

	CHECK_RC(ilk_segment_create(name, &small, &seg), 0);
	be_in(worker, seg);
}

static void open_if_there(unsigned worker)
{
	struct ilk_segment *seg;
	int rc = ilk_segment_open(name, NULL, &seg);

	CHECK(rc == 0 || rc == -ENOENT);
	if (rc == 0)
		be_in(worker, seg);
}

/* Nobody collects what somebody is in: be_in() would miss its name. */
static void collect(void)
{
	int rc = ilk_segment_collect(name, 0);

	CHECK(rc == 0 || rc == -EBUSY || rc == -ENOENT);
}

static void churn(unsigned worker)
{
	while (!time_is_over()) {
		if (!small.flags && random_below(worker, 2))
			collect();
		else if (random_below(worker, 4) == 0)
			open_if_there(worker);
		else
			create(worker);
		/* Now and then all are out. */
		dawdle(worker, random_below(worker, 2) ? 20000 : 200);
	}
}

static void begin(unsigned flags)
{
	small.flags = flags;
	strcpy(name, ilk_test_name(""));
	last_number = mmap(NULL, sizeof *last_number, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(last_number != MAP_FAILED);
}

static void finish(int has_died)
{
	int64_t done = 0, before = *last_number;
	struct ilk_segment *seg;

	for (unsigned i = 0; i < WORKERS; i++)
		done += tally_of(i)->done;
	print_message("%lld times in, %lld segments\n", (long long)done, (long long)before);
	/* Else they were never all out, or never two in. */
	CHECK(before > 1 && before < done);
	if (!small.flags)
		collect();
	CHECK((small.flags && has_died) || access(support_path(name), F_OK) < 0);
	CHECK_RC(ilk_segment_create(name, &small, &seg), 0);
	CHECK(number_of(seg) == before + 1);
	ilk_segment_close(seg);
	if (!small.flags)
		CHECK_RC(ilk_segment_collect(name, 0), 0);
	CHECK(access(support_path(name), F_OK) < 0);
	munmap(last_number, sizeof *last_number);
}

static void test_transient_under_kills_has_one_living_segment_a_name(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	begin(ILK_SEGMENT_TRANSIENT);
	run_processes(churn, NULL);
	finish(1);
}

static void test_transient_undisturbed_goes_with_the_last(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	begin(ILK_SEGMENT_TRANSIENT);
	run_undisturbed(churn);
	finish(0);
}

static void test_transient_by_threads_has_one_living_segment_a_name(void **state)
{
	(void)state;
	begin(ILK_SEGMENT_TRANSIENT);
	run_threads(churn);
	finish(0);
}

static void test_collected_under_kills_has_one_living_segment_a_name(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	begin(0);
	run_processes(churn, NULL);
	finish(1);
}

static void test_collected_by_threads_has_one_living_segment_a_name(void **state)
{
	(void)state;
	begin(0);
	run_threads(churn);
	finish(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_transient_under_kills_has_one_living_segment_a_name),
		STRESS_TEST(test_transient_undisturbed_goes_with_the_last),
		STRESS_TEST(test_transient_by_threads_has_one_living_segment_a_name),
		STRESS_TEST(test_collected_under_kills_has_one_living_segment_a_name),
		STRESS_TEST(test_collected_by_threads_has_one_living_segment_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
