/*
 * event.c - storms of sets, under random deaths: no set is consumed twice, and nobody is stranded.
 *
 * Undisturbed, workers pass a token around in a ring of events of auto reset, one for each of them;
 * who gets it is alone with what it guards. Under deaths, some set an event without end that others
 * consume. In between everyone sets an event of manual reset, and clears it, and waits for it.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>

struct ring {
	struct ilk_event turn[WORKERS], start;
	uint64_t inside;
	int64_t rounds;
};

enum { PATIENCE_MS = 200 };

static char name[64];

static struct ring *ring_in(struct ilk_segment *seg)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "ring", sizeof(struct ring), &block), 0);
	return block;
}

static struct ilk_segment *make_ring(void)
{
	const struct ilk_event_options automatic = {
		.size = sizeof automatic, .flags = ILK_EVENT_AUTO};
	struct ilk_segment *seg;
	struct ring *r;

	strcpy(name, ilk_test_name(""));
	seg = support_create(name, NULL);
	r = ring_in(seg);
	for (int i = 0; i < WORKERS; i++)
		CHECK_RC(ilk_event_init(seg, &r->turn[i], "turn", &automatic), 0);
	CHECK_RC(ilk_event_init(seg, &r->start, "start", NULL), 0);
	CHECK_RC(ilk_event_set(&r->turn[0]), 0);
	return seg;
}

static void note(unsigned worker, ilk_time since)
{
	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
}

static void flap(struct ring *r, unsigned worker)
{
	ilk_time since = ilk_now();
	int rc;

	CHECK_RC(ilk_event_set(&r->start), 0);
	note(worker, since);
	dawdle(worker, 20);
	CHECK_RC(ilk_event_clear(&r->start), 0);
	rc = ilk_event_wait_until(&r->start, ilk_after_ms(1));
	CHECK(rc == 0 || rc == -ETIMEDOUT);
}

static void work_once(struct ring *r, unsigned worker)
{
	ilk_time since = ilk_now();
	int rc = ilk_event_wait_until(&r->turn[worker], ilk_after_ms(PATIENCE_MS));

	if (rc == 0) {
		note(worker, since);
		CHECK(ilk_exchange_(&r->inside, (uint64_t)worker + 1) == 0);
		r->rounds++;
		tally_of(worker)->done++;
		dawdle(worker, 20);
		CHECK(ilk_exchange_(&r->inside, UINT64_C(0)) == worker + 1);
		CHECK_RC(ilk_event_set(&r->turn[(worker + 1) % WORKERS]), 0);
	} else {
		CHECK_RC(rc, -ETIMEDOUT);
	}
	if (random_below(worker, 8) == 0)
		flap(r, worker);
}

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct ring *r = ring_in(seg);

	while (!time_is_over())
		work_once(r, worker);
	ilk_segment_close(seg);
}

static struct ring *common;

static void work_together(unsigned worker)
{
	for (int i = 0; i < 1000 && !time_is_over(); i++)
		work_once(common, worker);
}

/* --- undisturbed --- */

static void check_rounds(const struct ring *r, int64_t took)
{
	int64_t done = 0;

	for (unsigned i = 0; i < WORKERS; i++)
		done += tally_of(i)->done;
	print_message("%lld times passed on\n", (long long)done);
	assert_int_equal(r->rounds, done);
	/* Who had to find out by himself would take 50 ms for each. */
	assert_true(done > took / 10000000);
	check_longest_stall();
}

static void test_a_token_passed_by_processes_stays_one(void **state)
{
	struct ilk_segment *seg;
	ilk_time since;

	(void)state;
	SKIP_UNDER_TSAN();
	seg = make_ring();
	since = ilk_now();
	run_undisturbed(work_apart);
	check_rounds(ring_in(seg), ilk_now() - since);
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_a_token_passed_by_threads_stays_one(void **state)
{
	struct ilk_segment *seg = make_ring();
	ilk_time since = ilk_now();

	(void)state;
	common = ring_in(seg);
	run_threads(work_together);
	check_rounds(common, ilk_now() - since);
	ilk_segment_close(seg);
	support_unlink(name);
}

/* --- one sets, and the others compete for it --- */

/* The next set comes when the last one was consumed: so there are as many of both. */
static void compete(struct ring *r, unsigned worker)
{
	if (worker == 0) {
		CHECK_RC(ilk_event_set(&r->turn[1]), 0);
		tally_of(worker)->intended++;
		while (ilk_event_is_set(&r->turn[1]) && !time_is_over())
			ilk_pause_();
	} else if (ilk_event_wait_until(&r->turn[1], ilk_after_ms(PATIENCE_MS)) == 0) {
		tally_of(worker)->done++;
	}
}

static void compete_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct ring *r = ring_in(seg);

	while (!time_is_over())
		compete(r, worker);
	ilk_segment_close(seg);
}

static void compete_together(unsigned worker)
{
	for (int i = 0; i < 1000 && !time_is_over(); i++)
		compete(common, worker);
}

static void check_each_consumed_once(const struct ring *r)
{
	int64_t consumed = 0;

	for (unsigned i = 1; i < WORKERS; i++)
		consumed += tally_of(i)->done;
	print_message("%lld sets, each consumed once\n", (long long)consumed);
	assert_true(consumed > 0);
	assert_int_equal(tally_of(0)->intended, consumed + (ilk_event_is_set(&r->turn[1]) ? 1 : 0));
}

static void test_a_set_is_consumed_by_one_of_competing_processes(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	SKIP_UNDER_TSAN();
	seg = make_ring();
	run_undisturbed(compete_apart);
	check_each_consumed_once(ring_in(seg));
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_a_set_is_consumed_by_one_of_competing_threads(void **state)
{
	struct ilk_segment *seg = make_ring();

	(void)state;
	common = ring_in(seg);
	run_threads(compete_together);
	check_each_consumed_once(common);
	ilk_segment_close(seg);
	support_unlink(name);
}

/* --- under deaths: a storm of sets, consumed by whoever lives --- */

static void storm(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct ring *r = ring_in(seg);

	while (!time_is_over()) {
		ilk_time since = ilk_now();

		if (worker % 2) {
			CHECK_RC(ilk_event_set(&r->turn[0]), 0);
			note(worker, since);
			tally_of(worker)->intended++;
			dawdle(worker, 200);
		} else if (ilk_event_wait_until(&r->turn[0], ilk_after_ms(1000)) == 0) {
			note(worker, since);
			tally_of(worker)->done++;
		}
		flap(r, worker);
	}
	ilk_segment_close(seg);
}

static void test_storm_of_sets_strands_nobody_when_waiters_are_killed(void **state)
{
	int64_t sets = 1, consumed = 0, deaths = 0;
	struct ilk_segment *seg;

	(void)state;
	SKIP_UNDER_TSAN();
	seg = make_ring();
	run_processes(storm, NULL);
	for (unsigned i = 0; i < WORKERS; i++) {
		sets += tally_of(i)->intended;
		consumed += tally_of(i)->done;
		deaths += tally_of(i)->deaths;
	}
	print_message("%lld sets, %lld consumed\n", (long long)sets, (long long)consumed);
	/* A worker killed after its set, and before its note, has set one more than it says. */
	assert_true(consumed > 0 && consumed <= sets + deaths);
	check_longest_stall();
	ilk_segment_close(seg);
	support_unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_a_token_passed_by_processes_stays_one),
		STRESS_TEST(test_a_token_passed_by_threads_stays_one),
		STRESS_TEST(test_a_set_is_consumed_by_one_of_competing_processes),
		STRESS_TEST(test_a_set_is_consumed_by_one_of_competing_threads),
		STRESS_TEST(test_storm_of_sets_strands_nobody_when_waiters_are_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
