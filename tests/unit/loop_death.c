/* loop_death.c - workers killed in a part, and beside it; a starter killed; storms. */
#include "segment_fixture.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 4000, ROUNDS = 40 };
enum value { VICTIM, DEATHS, AGAIN };

static struct ilk_loop *l;
static uint64_t *squares; /* in the segment */

static void open_all(void)
{
	const struct ilk_loop_options o = {.size = sizeof o, .result_bytes = sizeof(uint64_t)};
	void *block;

	CHECK_RC(ilk_loop_open(seg, "l", &o, &l), 0);
	CHECK_RC(ilk_block_open(seg, "squares", MANY * sizeof *squares, &block), 0);
	squares = block;
}

static int begin(void)
{
	const struct ilk_range r = {.size = sizeof r, .count = MANY, .workers = 3};

	return ilk_loop_begin(l, &r);
}

static int square(const struct ilk_part *part, void *arg)
{
	uint64_t *sum = part->result;

	(void)arg;
	CHECK(*sum == 0);
	ilk_add_full_(&ilk_test_board()->value[AGAIN], part->again);
	for (uint64_t i = part->begin; i < part->end; i++) {
		squares[i] = i * i;
		*sum += i;
	}
	return 0;
}

static void add_up(void *into, const void *result, void *arg)
{
	uint64_t one;

	(void)arg;
	memcpy(&one, result, sizeof one);
	*(uint64_t *)into += one;
}

static void check_round(void)
{
	uint64_t sum = 0;

	CHECK_RC(ilk_loop_reduce(l, &sum, add_up, NULL), 0);
	assert_int_equal(sum, (uint64_t)MANY * (MANY - 1) / 2);
	for (uint64_t i = 0; i < MANY; i++)
		assert_int_equal(squares[i], i * i);
	memset(squares, 0, MANY * sizeof *squares);
}

static int run(void)
{
	return ilk_loop_run(l, square, NULL, ilk_after_ms(ilk_test_limit_ms()));
}

/* --- killed in a part --- */

/* All of it, but its mark. */
static int die_in_it(const struct ilk_part *part, void *arg)
{
	square(part, arg);
	raise(SIGKILL);
	return 0;
}

static void run_and_die(void *arg)
{
	(void)arg;
	ilk_loop_run(l, die_in_it, NULL, ILK_FOREVER);
}

static void test_part_of_the_dead_is_done_again_and_counts_once(void **state)
{
	(void)state;
	open_all();
	CHECK_RC(begin(), 0);
	ilk_test_join_killed(ilk_test_start(run_and_die, NULL));
	ilk_test_join_killed(ilk_test_start(run_and_die, NULL));
	CHECK_RC(run(), 0);
	assert_int_equal(ilk_test_board()->value[AGAIN], 2);
	check_round();
}

static int stay_in_it(const struct ilk_part *part, void *arg)
{
	(void)part, (void)arg;
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void run_and_stay(void *arg)
{
	(void)arg;
	ilk_loop_run(l, stay_in_it, NULL, ILK_FOREVER);
}

static void run_in_child(void *arg)
{
	(void)arg;
	CHECK_RC(run(), 0);
}

/* The other waits for the part already when its owner dies; a third only waits. */
static void test_who_waits_for_the_dead_takes_over(void **state)
{
	struct ilk_test_child *stays, *waits;

	(void)state;
	open_all();
	CHECK_RC(begin(), 0);
	stays = ilk_test_start(run_and_stay, NULL);
	ilk_test_await(0);
	waits = ilk_test_start(run_in_child, NULL);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_loop_wait(l, ilk_after_ms(80)), -ETIMEDOUT);
	CHECK_RC(begin(), -EBUSY);
	ilk_test_kill(stays);
	CHECK_RC(ilk_loop_wait(l, ilk_after_ms(ilk_test_limit_ms())), 0);
	ilk_test_join(waits);
	check_round();
}

/* A stopped one is not dead: it is waited for. */
static void test_part_of_the_stopped_is_waited_for(void **state)
{
	struct ilk_test_child *stays;

	(void)state;
	open_all();
	CHECK_RC(begin(), 0);
	stays = ilk_test_start(run_and_stay, NULL);
	ilk_test_await(0);
	ilk_test_stop(stays);
	CHECK_RC(ilk_loop_run(l, square, NULL, ilk_after_ms(150)), -ETIMEDOUT);
	CHECK_RC(ilk_loop_cancel(l), 0);
	CHECK_RC(ilk_loop_wait(l, ilk_after_ms(50)), -ETIMEDOUT);
	ilk_test_kill(stays);
	CHECK_RC(run(), -ECANCELED);
}

static void test_repair_gives_parts_of_the_dead_back(void **state)
{
	(void)state;
	open_all();
	CHECK_RC(begin(), 0);
	ilk_test_join_killed(ilk_test_start(run_and_die, NULL));
	CHECK_RC(ilk_object_repair(seg, "l"), 1);
	CHECK_RC(ilk_object_repair(seg, "l"), 0);
	CHECK_RC(run(), 0);
	check_round();
	assert_int_equal(ilk_test_board()->value[AGAIN], 1);
}

/* Also behind a part of the living: who asks again and again would never do it. */
static void test_who_does_not_wait_takes_over(void **state)
{
	struct ilk_test_child *stays;

	(void)state;
	open_all();
	CHECK_RC(begin(), 0);
	stays = ilk_test_start(run_and_stay, NULL);
	ilk_test_await(0);
	ilk_test_join_killed(ilk_test_start(run_and_die, NULL));
	CHECK_RC(ilk_loop_run(l, square, NULL, ILK_NOW), -ETIMEDOUT);
	assert_int_equal(ilk_test_board()->value[AGAIN], 1);
	ilk_test_kill(stays);
	CHECK_RC(ilk_loop_run(l, square, NULL, ILK_NOW), 0);
	check_round();
}

static void begin_for_ever(void *arg)
{
	(void)arg;
	for (;;) {
		run();
		begin();
	}
}

static void test_round_of_a_dead_starter_can_be_ended_and_the_next_begun(void **state)
{
	(void)state;
	open_all();
	CHECK_RC(begin(), 0);
	for (int i = 0; i < (support_slow() ? 5 : 30); i++) {
		struct ilk_test_child *starter = ilk_test_start(begin_for_ever, NULL);
		int rc;

		ilk_test_sleep_ms(2 + i % 5);
		ilk_test_kill(starter);
		/* Killed in the midst of a begin, it left no round. */
		rc = begin();
		if (rc == -EBUSY) {
			CHECK_RC(run(), 0);
			rc = begin();
		}
		CHECK_RC(rc, 0);
		CHECK_RC(run(), 0);
		check_round();
	}
}

/* --- one who sleeps while others go on --- */

static int fail_at_once(const struct ilk_part *part, void *arg)
{
	(void)part, (void)arg;
	return -EDOM;
}

/* Does its part once the other can only sleep, and is stopped: who is woken late is told all the same. */
static int stop_the_other_and_fail(const struct ilk_part *part, void *arg)
{
	struct ilk_test_child **other = arg;

	(void)part;
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	ilk_test_stop(*other);
	return -EDOM;
}

static void wait_and_be_told(void *arg)
{
	int rc;

	(void)arg;
	ilk_test_say(0);
	rc = ilk_loop_wait(l, ilk_after_ms(ilk_test_limit_ms()));
	ilk_test_board()->value[AGAIN] = rc;
}

static void begin_one_part(void)
{
	const struct ilk_range r = {.size = sizeof r, .count = 1};

	CHECK_RC(ilk_loop_begin(l, &r), 0);
}

/* What who slept through the end of a failed round is told once LATER more were begun, failing or not. */
static int told_after(int later, ilk_loop_body *body)
{
	struct ilk_test_child *sleeps;

	begin_one_part();
	sleeps = ilk_test_start(wait_and_be_told, NULL);
	CHECK_RC(ilk_loop_run(l, stop_the_other_and_fail, &sleeps, ILK_FOREVER), -EDOM);
	while (later--) {
		begin_one_part();
		ilk_loop_run(l, body, NULL, ILK_NOW);
	}
	ilk_test_continue(sleeps);
	ilk_test_join(sleeps);
	return (int)ilk_test_board()->value[AGAIN];
}

static int nothing(const struct ilk_part *part, void *arg)
{
	(void)part, (void)arg;
	return 0;
}

static void test_failure_is_told_to_who_wakes_when_others_went_on(void **state)
{
	(void)state;
	open_all();
	CHECK_RC(told_after(1, nothing), -EDOM);
	CHECK_RC(told_after(1, fail_at_once), -EDOM);
	CHECK_RC(told_after(5, nothing), -EDOM);
	CHECK_RC(told_after(2, fail_at_once), -EBUSY);
}

/* --- a team's loop is there as long as one who has it --- */

static struct ilk_team team;
enum { HAS_STARTED = 1, HAS_FORKED = 2 };

/* What the starter would have forked: one who has the loop, and outlives him. */
static void begin_and_end_rounds(void *unused)
{
	(void)unused;
	for (;;) {
		const struct ilk_range r = {.size = sizeof r, .count = MANY};

		CHECK_RC(ilk_loop_begin(team.loop, &r), 0);
		CHECK_RC(ilk_loop_run(team.loop, nothing, NULL, ILK_FOREVER), 0);
		ilk_test_say(HAS_FORKED);
	}
}

static void start_and_fork(void *unused)
{
	pid_t pid;

	(void)unused;
	CHECK_RC(ilk_team_start(&team, seg, 1, nothing, NULL, NULL), 0);
	pid = fork();
	if (pid == 0)
		begin_and_end_rounds(NULL);
	ilk_test_board()->value[VICTIM] = pid;
	ilk_test_say(HAS_STARTED);
	ilk_test_sleep_for_ever();
}

static uint64_t blocks_now(void)
{
	struct ilk_usage usage;

	CHECK_RC(ilk_usage(seg, &usage), 0);
	return usage.blocks;
}

static void test_loop_of_a_dead_starter_stays_for_who_has_it(void **state)
{
	struct ilk_test_child *starter;
	uint64_t before = blocks_now(), during;
	pid_t other;

	(void)state;
	starter = ilk_test_start(start_and_fork, NULL);
	ilk_test_await(HAS_STARTED);
	ilk_test_await(HAS_FORKED);
	other = (pid_t)ilk_test_board()->value[VICTIM];
	assert_int_equal(blocks_now(), before + 1);
	ilk_test_kill(starter);
	ilk_test_sleep_ms(10);
	/* What would have taken it back, and given it to somebody else. */
	during = blocks_now();
	ilk_test_board()->step[HAS_FORKED] = 0;
	ilk_test_await(HAS_FORKED);
	CHECK_RC(kill(other, SIGKILL), 0);
	assert_int_equal(during, before + 1);
	for (int i = 0; i < 1000 && blocks_now() != before; i++)
		ilk_test_sleep_ms(2);
	assert_int_equal(blocks_now(), before);
}

/* --- storms: each worker kills itself in the midst of something now and then --- */

static int square_or_die(const struct ilk_part *part, void *arg)
{
	unsigned seed = (unsigned)ilk_now();

	square(part, arg);
	/* So that the others get some. */
	usleep(100);
	if (getpid() != ilk_test_board()->value[VICTIM] && rand_r(&seed) % 4 == 0)
		raise(SIGKILL);
	return 0;
}

static void test_team_whose_workers_die_all_the_time_gets_everything_right(void **state)
{
	const struct ilk_team_options o = {.size = sizeof o, .result_bytes = sizeof(uint64_t)};
	const struct ilk_range r = {.size = sizeof r, .count = MANY};
	struct ilk_team team;

	(void)state;
	SKIP_UNDER_TSAN();
	open_all();
	ilk_test_board()->value[VICTIM] = getpid();
	CHECK_RC(ilk_team_start(&team, seg, 3, square_or_die, NULL, &o), 0);
	l = team.loop;
	for (int i = 0; i < (support_slow() ? ROUNDS / 4 : ROUNDS); i++) {
		CHECK_RC(ilk_team_run(&team, &r), 0);
		check_round();
	}
	ilk_team_stop(&team);
	assert_true(ilk_test_board()->value[AGAIN] > 0);
	print_message("%lld parts done again\n", (long long)ilk_test_board()->value[AGAIN]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_part_of_the_dead_is_done_again_and_counts_once),
		SEGMENT_TEST(test_who_waits_for_the_dead_takes_over),
		SEGMENT_TEST(test_part_of_the_stopped_is_waited_for),
		SEGMENT_TEST(test_repair_gives_parts_of_the_dead_back),
		SEGMENT_TEST(test_who_does_not_wait_takes_over),
		SEGMENT_TEST(test_round_of_a_dead_starter_can_be_ended_and_the_next_begun),
		SEGMENT_TEST(test_failure_is_told_to_who_wakes_when_others_went_on),
		SEGMENT_TEST(test_loop_of_a_dead_starter_stays_for_who_has_it),
		SEGMENT_TEST(test_team_whose_workers_die_all_the_time_gets_everything_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
