/*
 * barrier.c - histories of phases, under random deaths, time-outs, aborts and resets.
 *
 * A member knows the number of its phase: the barrier's, when it attached, and one more after each
 * wait that passed. It notes the number before it arrives. So while a member has not arrived in
 * phase k, nobody may have noted more than k, living or dead; and of those who pass phase k one at
 * most is elected: none only where the elected one died of it.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>

struct history {
	struct ilk_barrier barrier;
	uint64_t at[WORKERS];  /* the phase that each is in, + 1 */
	uint64_t last_elected; /* the phase in which somebody was elected last, + 1 */
	uint64_t elected;
	uint64_t broken, resets;
};

static char name[64];
static unsigned hurry;      /* one wait in so many has a deadline that it may miss; 0: none */
static unsigned end_one_in; /* threads end as members, one wait in so many; 0: never */

static struct history *history_in(struct ilk_segment *seg)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "history", sizeof(struct history), &block), 0);
	return block;
}

static void make_history(unsigned flags, unsigned parties, unsigned handshake)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = handshake};
	const struct ilk_barrier_options kind = {
		.size = sizeof kind, .flags = flags, .parties = parties};
	struct ilk_segment *seg;

	strcpy(name, ilk_test_name(""));
	seg = support_create(name, &options);
	CHECK_RC(ilk_barrier_init(seg, &history_in(seg)->barrier, "steps", &kind), 0);
	ilk_segment_close(seg);
	hurry = end_one_in = 0;
}

/* --- one member --- */

static void mend(struct history *h)
{
	ilk_add_relaxed_(&h->broken, UINT64_C(1));
	CHECK_RC(ilk_barrier_reset(&h->barrier), 0);
}

/* Becomes a member. The number of the phase it is in; it stands still until the member arrives. */
static uint64_t enter(struct history *h)
{
	struct ilk_barrier_status status;
	int rc;

	while ((rc = ilk_barrier_attach(&h->barrier)) != 0) {
		/* Taken by one who is dead, and is not known to be yet: its page tables go first. */
		CHECK(rc == -EPIPE || rc == -EUSERS);
		if (rc == -EPIPE)
			mend(h);
	}
	CHECK_RC(ilk_barrier_status(&h->barrier, &status), 0);
	return status.phases;
}

static int cross(struct history *h, unsigned worker)
{
	ilk_time since = ilk_now();
	int rc;

	if (hurry && random_below(worker, hurry) == 0)
		return ilk_barrier_wait_until(
			&h->barrier, since + (int64_t)random_below(worker, 300000));
	rc = ilk_barrier_wait(&h->barrier);
	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
	return rc;
}

static void check_nobody_is_ahead(struct history *h, uint64_t phase)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		uint64_t at = ilk_load_acquire_(&h->at[i]);

		if (at > phase + 1)
			ilk_test_fail("one is in phase %llu, another has not arrived in %llu",
				(unsigned long long)at - 1, (unsigned long long)phase);
	}
}

static void note_elected(struct history *h, uint64_t phase)
{
	uint64_t before = ilk_exchange_(&h->last_elected, phase + 1);

	if (before > phase)
		ilk_test_fail("elected in phase %llu after %llu", (unsigned long long)phase,
			(unsigned long long)before - 1);
	ilk_add_relaxed_(&h->elected, UINT64_C(1));
}

/* One phase. The number of the next, or the same where it broke. */
static uint64_t step(struct history *h, unsigned worker, uint64_t phase)
{
	int rc;

	ilk_store_release_(&h->at[worker], phase + 1);
	dawdle(worker, 30);
	check_nobody_is_ahead(h, phase);
	rc = cross(h, worker);
	if (rc == -EPIPE || rc == -ETIMEDOUT) {
		mend(h);
		return phase;
	}
	CHECK(rc == 0 || rc == ILK_ELECTED);
	if (rc == ILK_ELECTED)
		note_elected(h, phase);
	tally_of(worker)->done++;
	return phase + 1;
}

/* Members come and go, too. 1: a thread ends as a member. */
static int attend(struct history *h, unsigned worker)
{
	uint64_t phase = enter(h);

	for (uint64_t n = random_below(worker, 40); n && !time_is_over(); n--) {
		if (end_one_in && random_below(worker, end_one_in) == 0) {
			tally_of(worker)->deaths++;
			return 1;
		}
		if (hurry && random_below(worker, 50 * hurry) == 0)
			CHECK_RC(ilk_barrier_abort(&h->barrier), 0);
		phase = step(h, worker, phase);
	}
	CHECK_RC(ilk_barrier_detach(&h->barrier), 0);
	return 0;
}

/* --- crews --- */

/* With places that are to be filled, those who are left would wait for ever. */
static void give_up_places(struct history *h)
{
	if (h->barrier.parties)
		CHECK_RC(ilk_barrier_abort(&h->barrier), 0);
}

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);

	while (!time_is_over())
		attend(history_in(seg), worker);
	give_up_places(history_in(seg));
	ilk_segment_close(seg);
}

static struct history *common;

static void work_together(unsigned worker)
{
	while (!time_is_over())
		if (attend(common, worker))
			return;
	give_up_places(common);
}

static void check_history(void)
{
	struct ilk_segment *seg = support_open(name);
	struct history *h = history_in(seg);
	struct ilk_barrier_status status;
	int64_t deaths = 0;

	CHECK_RC(ilk_segment_valid(seg), 0);
	CHECK_RC(ilk_barrier_status(&h->barrier, &status), 0);
	for (unsigned i = 0; i < WORKERS; i++)
		deaths += tally_of(i)->deaths;
	print_message("%llu phases, %llu elected, %lld deaths, %u lost, broken %llu times\n",
		(unsigned long long)status.phases, (unsigned long long)h->elected,
		(long long)deaths, status.lost, (unsigned long long)h->broken);
	assert_true(status.phases > 100);
	assert_in_range(status.phases, h->elected, h->elected + (uint64_t)deaths);
	check_longest_stall();
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_phases_of_killed_processes_that_go_on_without_the_dead(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	make_history(ILK_BARRIER_SHRINK, 0, 0);
	run_processes(work_apart, NULL);
	check_history();
}

static void test_phases_of_killed_processes_that_mend_it(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	make_history(0, WORKERS, ILK_SEGMENT_FENCED);
	hurry = 1000;
	run_processes(work_apart, NULL);
	check_history();
}

static void test_phases_of_ending_threads(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	make_history(0, 0, 0);
	seg = support_open(name);
	common = history_in(seg);
	end_one_in = 2000;
	hurry = 2000;
	run_threads(work_together);
	check_history();
	ilk_segment_close(seg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_phases_of_killed_processes_that_go_on_without_the_dead),
		STRESS_TEST(test_phases_of_killed_processes_that_mend_it),
		STRESS_TEST(test_phases_of_ending_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
