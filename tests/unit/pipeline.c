/* pipeline.c - stages in a row: what comes out, in which order, errors, deaths, stopping; and misuse. */
#include "segment_fixture.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 600 };

/* In the segment. */
struct seen {
	uint64_t count[MANY]; /* how often the last stage had message n, with what it should be */
	uint64_t wrong, out_of_order, last;
	uint64_t begun[3][MANY]; /* how often each stage was called with it */
	int64_t tries[MANY];
	int32_t pid;
};

static struct seen *seen;
static struct ilk_pipeline *p;
static int at_once = MANY;

static void open_seen(void)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "seen", sizeof *seen, &block), 0);
	seen = block;
	memset(seen, 0, sizeof *seen);
}

static int generate(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	int i = (int)w->number;

	CHECK(!in && bytes == 0);
	if (w->number >= (uint64_t)at_once)
		return ILK_STAGE_END;
	ilk_add_full_(&seen->begun[0][i], 1u);
	(void)arg;
	return ilk_work_send(w, &i, sizeof i);
}

static int read_int(const void *in, size_t bytes)
{
	int i;

	CHECK(bytes == sizeof i);
	memcpy(&i, in, sizeof i);
	return i;
}

static int twice(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	int i = 2 * read_int(in, bytes);

	(void)arg;
	ilk_add_full_(&seen->begun[1][w->number], 1u);
	return ilk_work_send(w, &i, sizeof i);
}

static int plus_three(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	int i = read_int(in, bytes) + 3;

	(void)arg;
	ilk_add_full_(&seen->begun[2][w->number], 1u);
	return ilk_work_send(w, &i, sizeof i);
}

static int collect(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	int i = read_int(in, bytes);

	(void)arg;
	CHECK_RC(ilk_work_send(w, &i, sizeof i), -EMSGSIZE);
	if (i == 2 * (int)w->number + 3)
		ilk_add_full_(&seen->count[w->number], 1u);
	else
		ilk_add_full_(&seen->wrong, 1u);
	if (w->number != seen->last++)
		ilk_add_full_(&seen->out_of_order, 1u);
	return 0;
}

static struct ilk_stage stages[4];

static void set_up(void)
{
	static const struct ilk_stage four[4] = {
		{.name = "generate", .body = generate, .out_bytes = sizeof(int)},
		{.name = "twice", .body = twice, .out_bytes = sizeof(int), .workers = 2},
		{.name = "plus", .body = plus_three, .out_bytes = sizeof(int), .workers = 2},
		{.name = "collect", .body = collect},
	};

	open_seen();
	memcpy(stages, four, sizeof stages);
	at_once = MANY;
}

static int run_with(const struct ilk_pipeline_options *o)
{
	int rc;

	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, o, &p), 0);
	rc = ilk_pipeline_join(p, ilk_after_ms(ilk_test_limit_ms()));
	return rc;
}

static void check_each_once(void)
{
	assert_int_equal(seen->wrong, 0);
	for (int i = 0; i < at_once; i++)
		assert_int_equal(seen->count[i], 1);
}

/* --- all goes well --- */

static void test_each_message_comes_out_once(void **state)
{
	struct ilk_stage_info info = {.size = sizeof info};
	struct ilk_usage before, after;

	(void)state;
	set_up();
	CHECK_RC(ilk_usage(seg, &before), 0);
	CHECK_RC(run_with(NULL), 0);
	check_each_once();
	for (unsigned i = 0; i < 4; i++) {
		CHECK_RC(ilk_stage_info(p, i, &info), 0);
		assert_int_equal(info.taken, MANY);
		assert_int_equal(info.sent, MANY);
		assert_int_equal(info.again + info.skipped + info.doubled + info.died, 0);
	}
	CHECK_RC(ilk_stage_info(p, 4, &info), -EINVAL);
	CHECK_RC(ilk_pipeline_join(p, ILK_NOW), 0);
	ilk_pipeline_end(p);
	CHECK_RC(ilk_usage(seg, &after), 0);
	assert_int_equal(after.used, before.used);
}

static void test_order_is_kept_where_asked(void **state)
{
	const struct ilk_pipeline_options o = {
		.size = sizeof o, .flags = ILK_PIPELINE_ORDERED, .window = 16};

	(void)state;
	set_up();
	stages[1].workers = stages[2].workers = 3;
	CHECK_RC(run_with(&o), 0);
	ilk_pipeline_end(p);
	check_each_once();
	assert_int_equal(seen->out_of_order, 0);
}

static void test_smallest_window_and_queues_do(void **state)
{
	const struct ilk_pipeline_options o = {.size = sizeof o, .window = 2};

	(void)state;
	set_up();
	at_once = 100;
	for (int i = 0; i < 4; i++)
		stages[i].capacity = 1;
	CHECK_RC(run_with(&o), 0);
	ilk_pipeline_end(p);
	check_each_once();
}

static int odd_only(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	return w->number % 2 ? twice(w, in, bytes, arg) : 0;
}

static void test_what_a_stage_does_not_send_on_goes_no_further(void **state)
{
	const struct ilk_pipeline_options o = {.size = sizeof o, .flags = ILK_PIPELINE_ORDERED};
	struct ilk_stage_info info = {.size = sizeof info};

	(void)state;
	set_up();
	stages[1].body = odd_only;
	CHECK_RC(run_with(&o), 0);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_RC(ilk_stage_info(p, i, &info), 0);
		assert_int_equal(info.taken, i < 2 ? MANY : MANY / 2);
		assert_int_equal(info.sent, info.taken);
	}
	ilk_pipeline_end(p);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(seen->count[i], i % 2);
	assert_int_equal(seen->begun[2][0], 0);
}

static void test_nothing_to_do_is_over_at_once(void **state)
{
	(void)state;
	set_up();
	at_once = 0;
	CHECK_RC(run_with(NULL), 0);
	ilk_pipeline_end(p);
}

static void test_first_stage_has_several_workers(void **state)
{
	const struct ilk_pipeline_options o = {
		.size = sizeof o, .flags = ILK_PIPELINE_ORDERED, .window = 4};

	(void)state;
	set_up();
	at_once = 203;
	stages[0].workers = 3;
	CHECK_RC(run_with(&o), 0);
	ilk_pipeline_end(p);
	check_each_once();
	assert_int_equal(seen->out_of_order, 0);
	for (int i = 0; i < at_once; i++)
		assert_int_equal(seen->begun[0][i], 1);
	stages[0].workers = 5;
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, &o, &p), -EINVAL);
	assert_non_null(strstr(ilk_last_error(), "window of 4"));
}

static int hold_back(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	if (w->number == 0) {
		ilk_test_say(0);
		ilk_test_await(1);
	}
	return collect(w, in, bytes, arg);
}

static uint64_t taken_by(unsigned stage)
{
	struct ilk_stage_info info = {.size = sizeof info};

	CHECK_RC(ilk_stage_info(p, stage, &info), 0);
	return info.taken;
}

static void test_slow_stage_holds_up_those_before_it(void **state)
{
	const struct ilk_pipeline_options o = {.size = sizeof o, .window = 16};

	(void)state;
	set_up();
	stages[3].body = hold_back;
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, &o, &p), 0);
	ilk_test_await(0);
	while (taken_by(0) < 16)
		usleep(1000);
	CHECK_RC(ilk_pipeline_join(p, ilk_after_ms(50)), -ETIMEDOUT);
	assert_int_equal(taken_by(0), 16);
	assert_int_equal(taken_by(3), 1);
	ilk_test_say(1);
	CHECK_RC(ilk_pipeline_join(p, ilk_after_ms(ilk_test_limit_ms())), 0);
	ilk_pipeline_end(p);
	check_each_once();
}

/* --- errors --- */

/* Of the pipeline that failed with RC. */
static void check_why(int rc, const char *where, const char *why)
{
	CHECK_RC(ilk_pipeline_join(p, ILK_NOW), rc);
	assert_non_null(strstr(ilk_last_error(), where));
	assert_non_null(strstr(ilk_last_error(), why));
}

static int fail_at_40(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	if (w->number == 40 && w->tries <= (unsigned)(intptr_t)arg)
		return -EDOM;
	return twice(w, in, bytes, arg);
}

static void test_failure_ends_the_pipeline(void **state)
{
	(void)state;
	set_up();
	stages[1].body = fail_at_40;
	stages[1].arg = (void *)(intptr_t)1;
	CHECK_RC(run_with(NULL), -EDOM);
	check_why(-EDOM, "stage twice, message 40: ", ilk_strerror(-EDOM));
	ilk_pipeline_end(p);
	assert_int_equal(seen->count[40], 0);
}

static void test_failure_is_tried_again_as_often_as_said(void **state)
{
	struct ilk_stage_info info = {.size = sizeof info};

	(void)state;
	set_up();
	stages[1].body = fail_at_40;
	stages[1].arg = (void *)(intptr_t)2;
	stages[1].tries = 3;
	CHECK_RC(run_with(NULL), 0);
	CHECK_RC(ilk_stage_info(p, 1, &info), 0);
	assert_int_equal(info.again, 2);
	ilk_pipeline_end(p);
	check_each_once();
	memset(seen, 0, sizeof *seen);
	stages[1].tries = 2;
	CHECK_RC(run_with(NULL), -EDOM);
	ilk_pipeline_end(p);
}

static void test_what_fails_is_left_out_where_asked(void **state)
{
	const struct ilk_pipeline_options o = {.size = sizeof o, .flags = ILK_PIPELINE_ORDERED};
	struct ilk_stage_info info = {.size = sizeof info};

	(void)state;
	set_up();
	stages[1].body = fail_at_40;
	stages[1].arg = (void *)(intptr_t)9;
	stages[1].flags = ILK_STAGE_SKIP;
	CHECK_RC(run_with(&o), 0);
	CHECK_RC(ilk_stage_info(p, 1, &info), 0);
	assert_int_equal(info.skipped, 1);
	ilk_pipeline_end(p);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(seen->count[i], i != 40);
}

static int return_at_40(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	if (w->number == 40)
		return (int)(intptr_t)arg;
	return in ? twice(w, in, bytes, arg) : generate(w, in, bytes, arg);
}

/* What it returns at message 40 ends it with RC. */
static void check_returned(unsigned stage, int what, int rc)
{
	set_up();
	stages[stage].body = return_at_40;
	stages[stage].arg = (void *)(intptr_t)what;
	CHECK_RC(run_with(NULL), rc);
	check_why(rc, "message 40: ", rc == -EINVAL ? "positive" : "");
	ilk_pipeline_end(p);
	assert_int_equal(seen->count[40], 0);
}

static void test_whatever_else_a_body_returns_is_a_failure(void **state)
{
	(void)state;
	check_returned(0, ILK_STAGE_END + 1, -EINVAL);
	check_returned(1, ILK_STAGE_END, -EINVAL);
	check_returned(1, INT_MAX, -EINVAL);
	check_returned(0, INT_MIN, -INT_MAX);
	check_returned(1, INT_MIN, -INT_MAX);
}

/* --- deaths --- */

static int die_at_50(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	if (w->number == 50 && w->tries <= (unsigned)(intptr_t)arg)
		raise(SIGKILL);
	return twice(w, in, bytes, arg);
}

static void test_death_in_a_body_ends_the_pipeline(void **state)
{
	(void)state;
	set_up();
	stages[1].body = die_at_50;
	stages[1].arg = (void *)(intptr_t)1;
	CHECK_RC(run_with(NULL), -EOWNERDEAD);
	check_why(-EOWNERDEAD, "stage twice, message 50: ", "signal 9");
	ilk_pipeline_end(p);
}

static void test_message_of_the_dead_is_done_by_another(void **state)
{
	const struct ilk_pipeline_options o = {.size = sizeof o, .flags = ILK_PIPELINE_ORDERED};
	struct ilk_stage_info info = {.size = sizeof info};

	(void)state;
	set_up();
	stages[1].body = die_at_50;
	stages[1].arg = (void *)(intptr_t)2;
	stages[1].tries = 3;
	CHECK_RC(run_with(&o), 0);
	CHECK_RC(ilk_stage_info(p, 1, &info), 0);
	assert_int_equal(info.again, 2);
	assert_int_equal(info.died, 2);
	ilk_pipeline_end(p);
	check_each_once();
	assert_int_equal(seen->out_of_order, 0);
}

static int die_as_source(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	if (w->number % 100 == 77 && w->tries == 1)
		raise(SIGKILL);
	return generate(w, in, bytes, arg);
}

static void test_first_stage_goes_on_where_the_dead_stopped(void **state)
{
	(void)state;
	set_up();
	stages[0].body = die_as_source;
	stages[0].tries = 2;
	for (unsigned workers = 1; workers <= 3; workers += 2) {
		memset(seen, 0, sizeof *seen);
		stages[0].workers = workers;
		CHECK_RC(run_with(NULL), 0);
		ilk_pipeline_end(p);
		check_each_once();
	}
}

static int die_at_once(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	(void)w, (void)in, (void)bytes, (void)arg;
	raise(SIGKILL);
	return 0;
}

static void test_all_are_left_out_whose_workers_die(void **state)
{
	(void)state;
	set_up();
	at_once = 8;
	stages[2].body = die_at_once;
	stages[2].flags = ILK_STAGE_SKIP;
	stages[2].tries = 2;
	CHECK_RC(run_with(NULL), 0);
	ilk_pipeline_end(p);
	for (int i = 0; i < 8; i++)
		assert_int_equal(seen->count[i], 0);
}

/* Ends in the middle of a body that has its message leased, and says that all is well. */
static void end_well(intptr_t how)
{
	if (how == 0)
		exit(0);
	if (how == 1)
		_exit(0);
	execl("/bin/true", "true", (char *)NULL);
	_exit(0);
}

static int end_well_at_50(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	if (w->number == 50 && w->tries == 1)
		end_well((intptr_t)arg);
	return in ? twice(w, in, bytes, arg) : generate(w, in, bytes, arg);
}

static void test_worker_that_exits_with_0_in_a_body_is_replaced(void **state)
{
	struct ilk_stage_info info = {.size = sizeof info};

	(void)state;
	/* AddressSanitizer would look for leaks in exit(). */
	for (int how = SUPPORT_ASAN; how < 3; how++)
		for (int stage = 0; stage < 2; stage++) {
			set_up();
			stages[1].workers = 1;
			stages[stage].body = end_well_at_50;
			stages[stage].arg = (void *)(intptr_t)how;
			stages[stage].tries = 2;
			CHECK_RC(run_with(NULL), 0);
			CHECK_RC(ilk_stage_info(p, (unsigned)stage, &info), 0);
			assert_int_equal(info.again, 1);
			assert_int_equal(info.died, 1);
			ilk_pipeline_end(p);
			check_each_once();
		}
	stages[1].tries = 1;
	CHECK_RC(run_with(NULL), -EOWNERDEAD);
	check_why(-EOWNERDEAD, "stage twice, message 50: ", "ended");
	ilk_pipeline_end(p);
}

static void test_how_workers_end_need_not_be_known(void **state)
{
	(void)state;
	set_up();
	CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	CHECK_RC(run_with(NULL), 0);
	ilk_pipeline_end(p);
	CHECK(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
	check_each_once();
}

static ssize_t stay_in_write(void *cookie, const char *bytes, size_t count)
{
	(void)cookie, (void)bytes, (void)count;
	ilk_test_say(3);
	ilk_test_sleep_for_ever();
}

/* What it has printed, and not written, keeps its worker at the end, when all else is done. */
static int end_slowly(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	int rc = generate(w, in, bytes, arg);

	if (rc == ILK_STAGE_END) {
		FILE *file =
			fopencookie(NULL, "w", (cookie_io_functions_t){.write = stay_in_write});

		CHECK(file && fputs("x", file) >= 0);
		stdout = file;
		seen->pid = getpid();
	}
	return rc;
}

static void test_first_stage_killed_after_its_end_has_ended(void **state)
{
	(void)state;
	set_up();
	stages[0].body = end_slowly;
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), 0);
	ilk_test_await(3);
	CHECK(kill(seen->pid, SIGKILL) == 0);
	CHECK_RC(ilk_pipeline_join(p, ilk_after_ms(ilk_test_limit_ms())), 0);
	ilk_pipeline_end(p);
	check_each_once();
}

static int begin_late(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	if (w->number == 0)
		ilk_test_await(4);
	return generate(w, in, bytes, arg);
}

/* Kills the COUNT workers of that name when they are all there. */
static void kill_all(const char *name, unsigned count)
{
	struct ilk_inspection *in;
	unsigned found = 0;

	while (found < count) {
		int32_t pids[ILK_PIPELINE_WORKERS];

		CHECK_RC(ilk_inspect(ilk_segment_name(seg), &in), 0);
		found = 0;
		for (size_t i = 0; i < in->process_count; i++)
			if (strcmp(in->processes[i].name, name) == 0)
				pids[found++] = in->processes[i].pid;
		ilk_inspection_free(in);
		usleep(1000);
		for (unsigned i = 0; found == count && i < count; i++)
			CHECK(kill(pids[i], SIGKILL) == 0);
	}
}

static void test_idle_workers_can_be_killed_as_often_as_one_likes(void **state)
{
	struct ilk_stage_info info = {.size = sizeof info};

	(void)state;
	set_up();
	at_once = 100;
	stages[0].body = begin_late;
	stages[2].workers = 12;
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), 0);
	kill_all("plus", 12);
	while (info.died < 12 && ilk_pipeline_join(p, ilk_after_ms(1)) == -ETIMEDOUT)
		CHECK_RC(ilk_stage_info(p, 2, &info), 0);
	ilk_test_say(4);
	CHECK_RC(ilk_pipeline_join(p, ilk_after_ms(ilk_test_limit_ms())), 0);
	ilk_pipeline_end(p);
	check_each_once();
}

static int dies_at_birth;

static void live_or_die(void)
{
	if (dies_at_birth)
		_exit(0);
}

static void test_workers_that_never_come_to_work_end_the_pipeline(void **state)
{
	(void)state;
	set_up();
	CHECK(pthread_atfork(NULL, NULL, live_or_die) == 0);
	dies_at_birth = 1;
	CHECK_RC(run_with(NULL), -EOWNERDEAD);
	dies_at_birth = 0;
	ilk_pipeline_end(p);
}

/* --- stopping: numbers without end, of which nothing is noted --- */

static int for_ever(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	int i = 0;

	(void)in, (void)bytes, (void)arg;
	ilk_test_say(0);
	return ilk_work_send(w, &i, sizeof i);
}

static int drop(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	(void)w, (void)in, (void)bytes, (void)arg;
	return 0;
}

static void set_up_without_end(ilk_stage_body *last)
{
	set_up();
	stages[0].body = stages[1].body = stages[2].body = for_ever;
	stages[3].body = last;
}

static int stay(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	(void)w, (void)in, (void)bytes, (void)arg;
	ilk_test_say(1);
	ilk_test_sleep_for_ever();
}

static void test_stop_ends_it_and_end_kills_who_does_not(void **state)
{
	(void)state;
	set_up_without_end(drop);
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), 0);
	ilk_test_await(0);
	CHECK_RC(ilk_pipeline_join(p, ilk_after_ms(30)), -ETIMEDOUT);
	CHECK_RC(ilk_pipeline_stop(p), 0);
	CHECK_RC(ilk_pipeline_join(p, ilk_after_ms(ilk_test_limit_ms())), -ECANCELED);
	ilk_pipeline_end(p);
	set_up_without_end(stay);
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), 0);
	ilk_test_await(1);
	ilk_pipeline_end(p);
}

static void start_and_die(void *arg)
{
	(void)arg;
	set_up_without_end(drop);
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), 0);
	ilk_test_await(0);
	ilk_test_say(2);
	ilk_test_sleep_for_ever();
}

static void test_name_of_a_dead_ones_pipeline_is_free(void **state)
{
	struct ilk_test_child *starter;
	const char *first;

	(void)state;
	SKIP_UNDER_TSAN();
	set_up();
	starter = ilk_test_start(start_and_die, NULL);
	ilk_test_await(2);
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), -EBUSY);
	/* Nor with another first stage before the same ones. */
	first = stages[0].name;
	stages[0].name = "other";
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), -EBUSY);
	stages[0].name = first;
	ilk_test_kill(starter);
	CHECK_RC(run_with(NULL), 0);
	ilk_pipeline_end(p);
	check_each_once();
}

static int say_after_ten(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	(void)in, (void)bytes, (void)arg;
	if (w->number == 10)
		ilk_test_say(1);
	return 0;
}

static void start_and_die_after_ten(void *arg)
{
	(void)arg;
	set_up_without_end(say_after_ten);
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), 0);
	ilk_test_await(1);
	ilk_test_say(2);
	ilk_test_sleep_for_ever();
}

static void test_stages_of_a_dead_one_have_seen_no_message_of_the_next(void **state)
{
	struct ilk_test_child *starter;

	(void)state;
	SKIP_UNDER_TSAN();
	set_up();
	starter = ilk_test_start(start_and_die_after_ten, NULL);
	ilk_test_await(2);
	ilk_test_kill(starter);
	/* One that it had not before those that it had. */
	stages[0].name = "other";
	at_once = 40;
	CHECK_RC(run_with(NULL), 0);
	ilk_pipeline_end(p);
	check_each_once();
}

static void *start_in_thread(void *arg)
{
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, arg), 0);
	return NULL;
}

static void test_pipeline_is_its_process_s_when_the_thread_has_ended(void **state)
{
	struct ilk_pipeline *other;
	pthread_t thread;

	(void)state;
	set_up_without_end(drop);
	CHECK(pthread_create(&thread, NULL, start_in_thread, &other) == 0);
	pthread_join(thread, NULL);
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), -EBUSY);
	ilk_pipeline_end(other);
}

/* --- misuse --- */

static void test_start_that_fails_leaves_what_others_have(void **state)
{
	struct ilk_usage before, after;
	void *theirs, *again;

	(void)state;
	set_up();
	CHECK_RC(ilk_block_open(seg, "p/plus", 64, &theirs), 0);
	memset(theirs, 7, 64);
	CHECK_RC(ilk_usage(seg, &before), 0);
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), -EEXIST);
	CHECK_RC(ilk_usage(seg, &after), 0);
	assert_int_equal(after.used, before.used);
	CHECK_RC(ilk_block_open(seg, "p/plus", 64, &again), 0);
	assert_ptr_equal(again, theirs);
	assert_int_equal(*(char *)again, 7);
}

static void test_queue_that_is_no_stages_is_left_alone(void **state)
{
	/* As the pipeline would make it. */
	const struct ilk_queue_options o = {
		.size = sizeof o, .capacity = 64, .message_bytes = 16 + sizeof(int)};
	struct ilk_queue_info info = {.size = sizeof info};
	struct ilk_queue_handle h;
	struct ilk_queue *theirs;

	(void)state;
	set_up();
	CHECK_RC(ilk_queue_open(seg, "p/twice.in", &o, &theirs), 0);
	CHECK_RC(ilk_queue_attach(theirs, &h), 0);
	CHECK_RC(ilk_queue_put(&h, "x", 1, ILK_NOW), 0);
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, NULL, &p), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "p/twice.in"));
	CHECK_RC(ilk_queue_info(theirs, &info), 0);
	assert_int_equal(info.depth, 1);
}

static void check_refused(unsigned count, const struct ilk_pipeline_options *o)
{
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, count, o, &p), -EINVAL);
	set_up();
}

static void test_start_of_what_cannot_be_is_EINVAL(void **state)
{
	const struct ilk_pipeline_options odd_size = {.size = 1};
	const struct ilk_pipeline_options odd_window = {.size = sizeof odd_window, .window = 3};
	const struct ilk_pipeline_options ordered = {
		.size = sizeof ordered, .flags = ILK_PIPELINE_ORDERED};

	(void)state;
	set_up();
	check_refused(1, NULL);
	check_refused(ILK_PIPELINE_STAGES + 1, NULL);
	check_refused(4, &odd_size);
	check_refused(4, &odd_window);
	stages[1].body = NULL;
	check_refused(4, NULL);
	stages[1].name = NULL;
	check_refused(4, NULL);
	stages[2].name = stages[0].name;
	check_refused(4, NULL);
	stages[1].tries = ILK_PIPELINE_MOST_TRIES + 1;
	check_refused(4, NULL);
	stages[3].workers = 2;
	check_refused(4, &ordered);
	stages[1].workers = ILK_PIPELINE_WORKERS;
	check_refused(4, NULL);
	stages[1].workers = UINT_MAX;
	check_refused(4, NULL);
	assert_non_null(strstr(ilk_last_error(), "stage twice: more than 256 workers"));
	stages[0].out_bytes = SIZE_MAX - 7;
	check_refused(4, NULL);
	assert_non_null(strstr(ilk_last_error(), "stage generate: out_bytes"));
	stages[0].out_bytes = ILK_QUEUE_MOST_BYTES - 15;
	check_refused(4, NULL);
	stages[0].capacity = SIZE_MAX;
	check_refused(4, NULL);
	stages[3].out_bytes = 1;
	check_refused(4, NULL);
	CHECK_RC(ilk_pipeline_start(seg, NULL, stages, 4, NULL, &p), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_each_message_comes_out_once),
		SEGMENT_TEST(test_order_is_kept_where_asked),
		SEGMENT_TEST(test_smallest_window_and_queues_do),
		SEGMENT_TEST(test_what_a_stage_does_not_send_on_goes_no_further),
		SEGMENT_TEST(test_nothing_to_do_is_over_at_once),
		SEGMENT_TEST(test_first_stage_has_several_workers),
		SEGMENT_TEST(test_slow_stage_holds_up_those_before_it),
		SEGMENT_TEST(test_failure_ends_the_pipeline),
		SEGMENT_TEST(test_failure_is_tried_again_as_often_as_said),
		SEGMENT_TEST(test_what_fails_is_left_out_where_asked),
		SEGMENT_TEST(test_whatever_else_a_body_returns_is_a_failure),
		SEGMENT_TEST(test_death_in_a_body_ends_the_pipeline),
		SEGMENT_TEST(test_message_of_the_dead_is_done_by_another),
		SEGMENT_TEST(test_first_stage_goes_on_where_the_dead_stopped),
		SEGMENT_TEST(test_all_are_left_out_whose_workers_die),
		SEGMENT_TEST(test_worker_that_exits_with_0_in_a_body_is_replaced),
		SEGMENT_TEST(test_how_workers_end_need_not_be_known),
		SEGMENT_TEST(test_first_stage_killed_after_its_end_has_ended),
		SEGMENT_TEST(test_idle_workers_can_be_killed_as_often_as_one_likes),
		SEGMENT_TEST(test_workers_that_never_come_to_work_end_the_pipeline),
		SEGMENT_TEST(test_stop_ends_it_and_end_kills_who_does_not),
		SEGMENT_TEST(test_name_of_a_dead_ones_pipeline_is_free),
		SEGMENT_TEST(test_stages_of_a_dead_one_have_seen_no_message_of_the_next),
		SEGMENT_TEST(test_pipeline_is_its_process_s_when_the_thread_has_ended),
		SEGMENT_TEST(test_start_that_fails_leaves_what_others_have),
		SEGMENT_TEST(test_queue_that_is_no_stages_is_left_alone),
		SEGMENT_TEST(test_start_of_what_cannot_be_is_EINVAL),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
