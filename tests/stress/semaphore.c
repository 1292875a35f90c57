/*
 * semaphore.c - permits go to and fro between two semaphores, under random deaths.
 *
 * Workers of even number carry them there, the others back: some by Ilk's calls, some by the C
 * library's on the same sem_t. One that is killed may have had one in its hands, which is spent;
 * where it seems so, one is put in. In the end as many are there as were put in, or less by one for
 * each death at most: none came from nowhere, and none was lost on the way.
 */
#include "stress.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PERMITS = 3 };

struct road {
	struct ilk_semaphore end[2];
};

static char name[64];
static struct road *road;
static unsigned put;

static struct road *road_in(struct ilk_segment *seg)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "road", sizeof *road, &block), 0);
	return block;
}

static struct ilk_segment *make_road(void)
{
	const struct ilk_semaphore_options some = {.size = sizeof some, .value = PERMITS};
	struct ilk_segment *seg;

	strcpy(name, ilk_test_name(""));
	seg = support_create(name, NULL);
	road = road_in(seg);
	put = PERMITS;
	CHECK_RC(ilk_semaphore_init(seg, &road->end[0], "here", &some), 0);
	CHECK_RC(ilk_semaphore_init(seg, &road->end[1], "there", NULL), 0);
	return seg;
}

static void take(struct ilk_semaphore *from, unsigned worker)
{
	ilk_time since = ilk_now();
	int rc;

	do {
		uint64_t how = random_below(worker, 4);

		rc = how == 0 ? ilk_semaphore_try_wait(from)
			      : ilk_semaphore_wait_until(from, ilk_after_ms(how == 1 ? 1 : 100));
		if (rc == 0 && ilk_now() - since > tally_of(worker)->longest)
			tally_of(worker)->longest = ilk_now() - since;
	} while ((rc == -EAGAIN || rc == -ETIMEDOUT) && !time_is_over());
	CHECK(rc == 0 || time_is_over());
	tally_of(worker)->halfway = rc == 0;
}

static void give(struct ilk_semaphore *to, unsigned worker)
{
	if (random_below(worker, 2))
		CHECK_RC(ilk_semaphore_post(to), 0);
	else
		CHECK_RC(sem_post(ilk_semaphore_posix(to)), 0);
}

static void carry(struct road *r, unsigned worker)
{
	struct tally *t = tally_of(worker);

	take(&r->end[worker % 2], worker);
	if (!t->halfway)
		return;
	dawdle(worker, 30);
	give(&r->end[1 - worker % 2], worker);
	t->halfway = 0;
	t->done++;
}

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct road *r = road_in(seg);

	while (!time_is_over())
		carry(r, worker);
	ilk_segment_close(seg);
}

static void work_together(unsigned worker)
{
	for (int i = 0; i < 500 && !time_is_over(); i++)
		carry(road, worker);
}

/* For what the dead had in its hands, it seems. */
static void put_one_in(unsigned worker)
{
	if (!tally_of(worker)->halfway)
		return;
	put++;
	CHECK_RC(ilk_semaphore_post(&road->end[worker % 2]), 0);
}

static void check_and_remove(struct ilk_segment *seg, int deaths)
{
	unsigned here, there;
	long long carried = 0;

	CHECK_RC(ilk_semaphore_value(&road->end[0], &here), 0);
	CHECK_RC(ilk_semaphore_value(&road->end[1], &there), 0);
	for (unsigned i = 0; i < WORKERS; i++)
		carried += tally_of(i)->done;
	print_message(
		"%lld carried, %u permits at the end of %u put in\n", carried, here + there, put);
	assert_true(here + there <= put && here + there + (unsigned)deaths >= put);
	CHECK_RC(ilk_segment_valid(seg), 0);
	check_longest_stall();
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_permits_of_killed_processes_are_not_lost(void **state)
{
	struct ilk_segment *seg = make_road();

	(void)state;
	check_and_remove(seg, run_processes(work_apart, put_one_in));
}

static void test_permits_of_ending_threads_are_all_there(void **state)
{
	struct ilk_segment *seg = make_road();

	(void)state;
	run_threads(work_together);
	check_and_remove(seg, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_permits_of_killed_processes_are_not_lost),
		STRESS_TEST(test_permits_of_ending_threads_are_all_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
