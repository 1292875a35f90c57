/* pipeline_end.c - pipelines that are stopped, or whose process ends; what they leave. */
#include "pipeline_fixture.h"
#include <pthread.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_stop_ends_it_and_end_kills_who_does_not),
		SEGMENT_TEST(test_name_of_a_dead_ones_pipeline_is_free),
		SEGMENT_TEST(test_stages_of_a_dead_one_have_seen_no_message_of_the_next),
		SEGMENT_TEST(test_pipeline_is_its_process_s_when_the_thread_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
