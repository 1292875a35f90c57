/* pipeline_death.c - workers of a pipeline that are killed, or end as they should not. */
#include "pipeline_fixture.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_death_in_a_body_ends_the_pipeline),
		SEGMENT_TEST(test_message_of_the_dead_is_done_by_another),
		SEGMENT_TEST(test_first_stage_goes_on_where_the_dead_stopped),
		SEGMENT_TEST(test_all_are_left_out_whose_workers_die),
		SEGMENT_TEST(test_worker_that_exits_with_0_in_a_body_is_replaced),
		SEGMENT_TEST(test_how_workers_end_need_not_be_known),
		SEGMENT_TEST(test_first_stage_killed_after_its_end_has_ended),
		SEGMENT_TEST(test_idle_workers_can_be_killed_as_often_as_one_likes),
		SEGMENT_TEST(test_workers_that_never_come_to_work_end_the_pipeline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
