/* loop.c - rounds of a loop: the cut, working, results, failures, cancelling; and misuse. */
#include "segment_fixture.h"
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum { MANY = 100000 };

static struct ilk_loop *l;
static unsigned char *marks; /* of MANY indices, in the segment */

static void open_all(size_t result_bytes)
{
	const struct ilk_loop_options o = {.size = sizeof o, .result_bytes = result_bytes};
	void *block;

	CHECK_RC(ilk_loop_open(seg, "l", &o, &l), 0);
	CHECK_RC(ilk_block_open(seg, "marks", MANY, &block), 0);
	marks = block;
}

static int begin(uint64_t count, unsigned workers, uint64_t least)
{
	const struct ilk_range r = {
		.size = sizeof r, .count = count, .workers = workers, .least = least, .job = 42};

	return ilk_loop_begin(l, &r);
}

static int mark(const struct ilk_part *part, void *arg)
{
	(void)arg;
	CHECK(part->job == 42 && part->begin < part->end && part->end <= MANY);
	for (uint64_t i = part->begin; i < part->end; i++)
		marks[i]++;
	return 0;
}

static void check_marks(uint64_t count, unsigned char each)
{
	for (uint64_t i = 0; i < MANY; i++)
		assert_int_equal(marks[i], i < count ? each : 0);
	memset(marks, 0, MANY);
}

static int run(void *arg)
{
	return ilk_loop_run(l, mark, arg, ilk_after_ms(ilk_test_limit_ms()));
}

/* --- the cut --- */

struct cut {
	uint64_t end, longest, shortest;
	unsigned parts;
};

static int note_cut(const struct ilk_part *part, void *arg)
{
	struct cut *c = arg;
	uint64_t length = part->end - part->begin;

	CHECK(part->begin == c->end && part->number == c->parts);
	c->end = part->end;
	c->parts++;
	c->longest = length > c->longest ? length : c->longest;
	c->shortest = length < c->shortest ? length : c->shortest;
	return 0;
}

static struct cut cut_of(uint64_t count, unsigned workers, uint64_t least)
{
	struct cut c = {.shortest = UINT64_MAX};

	CHECK_RC(begin(count, workers, least), 0);
	CHECK_RC(ilk_loop_run(l, note_cut, &c, ILK_NOW), 0);
	assert_true(c.end == count);
	assert_in_range(c.parts, count > 0, ILK_LOOP_PARTS);
	return c;
}

static void test_parts_lie_end_to_end_and_get_smaller(void **state)
{
	static const uint64_t counts[] = {0, 1, 2, 3, 63, 64, 65, 1000, 1000000, UINT64_C(1) << 40,
		UINT64_MAX / 2, UINT64_MAX};
	static const unsigned workers[] = {0, 1, 2, 3, 7, 63, 64};
	struct cut c;

	(void)state;
	open_all(0);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		for (size_t j = 0; j < sizeof workers / sizeof *workers; j++) {
			cut_of(counts[i], workers[j], 0);
			cut_of(counts[i], workers[j], 1);
			cut_of(counts[i], workers[j], 1000);
		}
	c = cut_of(1000000, 2, 0);
	assert_int_equal(c.longest, 250000);
	assert_int_equal(c.shortest, 15625);
	assert_int_equal(c.parts, 12);
	c = cut_of(1000000, 2, 300000);
	assert_int_equal(c.parts, 4);
	assert_int_equal(cut_of(1000000, 64, 1).parts <= ILK_LOOP_PARTS, 1);
}

static void test_begin_of_what_cannot_be_is_EINVAL(void **state)
{
	const struct ilk_range odd = {.size = 1, .count = 1};

	(void)state;
	open_all(0);
	CHECK_RC(ilk_loop_begin(l, &odd), -EINVAL);
	CHECK_RC(begin(1, ILK_LOOP_WORKERS + 1, 0), -EINVAL);
	CHECK_RC(ilk_loop_run(l, mark, NULL, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_loop_run(l, NULL, NULL, ILK_NOW), -EINVAL);
	CHECK_RC(ilk_loop_serve(l, NULL, NULL, ILK_NOW), -EINVAL);
}

/* --- working --- */

static void test_one_does_all_of_it_each_round(void **state)
{
	(void)state;
	open_all(0);
	for (int i = 0; i < 20; i++) {
		CHECK_RC(begin(MANY, 2, 0), 0);
		CHECK_RC(run(NULL), 0);
		CHECK_RC(run(NULL), 0);
		check_marks(MANY, 1);
	}
	CHECK_RC(begin(0, 2, 0), 0);
	CHECK_RC(run(NULL), 0);
	check_marks(0, 0);
}

static void run_in_child(struct ilk_segment *s, unsigned index, void *arg)
{
	(void)s, (void)index;
	CHECK_RC(run(arg), 0);
}

static void test_many_do_each_index_once(void **state)
{
	const struct ilk_test_options threads = {.size = sizeof threads, .flags = ILK_TEST_THREADS};

	(void)state;
	open_all(0);
	CHECK_RC(begin(MANY, 4, 10), 0);
	ilk_test_run(6, seg, run_in_child, NULL, NULL);
	check_marks(MANY, 1);
	CHECK_RC(begin(MANY - 1, 4, 10), 0);
	ilk_test_run(6, seg, run_in_child, NULL, &threads);
	check_marks(MANY - 1, 1);
}

static void serve_until_closed(void *arg)
{
	CHECK_RC(ilk_loop_serve(l, mark, arg, ILK_FOREVER), -EPIPE);
}

static void test_who_serves_works_at_round_after_round_until_closed(void **state)
{
	struct ilk_test_child *children[3];

	(void)state;
	open_all(0);
	for (int i = 0; i < 3; i++)
		children[i] = ilk_test_start(serve_until_closed, NULL);
	for (int i = 0; i < 50; i++) {
		CHECK_RC(begin(MANY, 3, 100), 0);
		CHECK_RC(ilk_loop_wait(l, ilk_after_ms(ilk_test_limit_ms())), 0);
		check_marks(MANY, 1);
		if (i % 10 == 0) /* so that they sleep */
			ilk_test_await_sleepers(ilk_test_name(""), 3);
	}
	CHECK_RC(ilk_loop_close(l), 0);
	CHECK_RC(ilk_loop_close(l), 0);
	for (int i = 0; i < 3; i++)
		ilk_test_join(children[i]);
	CHECK_RC(begin(1, 2, 0), -EPIPE);
	CHECK_RC(ilk_loop_serve(l, mark, NULL, ilk_after_ms(1)), -EPIPE);
}

#ifdef __x86_64__
enum { TRAP_FLAG = 1 << 8, MOST_STEPS = 20000 };

static int steps_left;

/* Closes the loop, and is one who serves, and leaves: at one instruction of the begin. */
static void close_and_leave(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	if (--steps_left > 0)
		return;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	CHECK_RC(ilk_loop_close(l), 0);
	CHECK_RC(ilk_loop_serve(l, mark, NULL, ILK_NOW), -EPIPE);
}

/* Beyond what the compiler may have below the stack's end. */
#define SET_FLAGS(how, flags)                                            \
	__asm__ __volatile__("leaq -128(%%rsp), %%rsp\n\tpushfq\n\t" how \
			     " %0, (%%rsp)\n\tpopfq\n\t"                 \
			     "leaq 128(%%rsp), %%rsp"                    \
			     :                                           \
			     : "i"(flags)                                \
			     : "memory", "cc")

static int begin_until_closed(int step)
{
	int rc;

	steps_left = step;
	SET_FLAGS("orq", TRAP_FLAG);
	rc = begin(2, 1, 1);
	SET_FLAGS("andq", ~TRAP_FLAG);
	return rc;
}

static void test_round_begun_while_it_closes_is_done_or_cancelled(void **state)
{
	struct sigaction action = {.sa_sigaction = close_and_leave, .sa_flags = SA_SIGINFO};
	size_t bytes = ilk_loop_bytes(NULL);
	int refused = 0, done = 0, cancelled = 0;
	void *block;

	(void)state;
	SKIP_UNDER_TSAN();
	open_all(0);
	CHECK_RC(ilk_block_open(seg, "embedded", bytes, &block), 0);
	l = block;
	CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
	steps_left = 0;
	for (int step = 1; steps_left <= 0 && step < MOST_STEPS; step++) {
		int rc, end;

		CHECK_RC(ilk_loop_init(seg, l, "l", NULL), 0);
		rc = begin_until_closed(step);
		end = steps_left > 0 ? 0 : ilk_loop_wait(l, ILK_NOW);
		done += rc == 0 && end == 0;
		refused += rc == -EPIPE && end == -EPIPE;
		cancelled += rc == -EPIPE && (end == -ECANCELED || end == 0);
		if (done + refused + cancelled != step)
			ilk_test_fail("closed at step %d: begun %d, ended %d", step, rc, end);
	}
	CHECK(signal(SIGTRAP, SIG_DFL) != SIG_ERR);
	assert_true(refused > 10 && done > 1 && cancelled > 10);
}
#endif

static void test_waits_until_a_deadline_that_passes_are_ETIMEDOUT(void **state)
{
	ilk_time began = ilk_now();

	(void)state;
	open_all(0);
	CHECK_RC(ilk_loop_run(l, mark, NULL, ilk_after_ms(60)), -ETIMEDOUT);
	CHECK_RC(ilk_loop_wait(l, ilk_after_ms(60)), -ETIMEDOUT);
	CHECK_RC(ilk_loop_serve(l, mark, NULL, ilk_after_ms(60)), -ETIMEDOUT);
	assert_true(ilk_now() - began >= 180 * 1000000);
	CHECK_RC(begin(MANY, 2, 0), 0);
	CHECK_RC(ilk_loop_wait(l, ILK_NOW), -ETIMEDOUT);
	CHECK_RC(ilk_loop_wait(l, ilk_after_ms(1)), -ETIMEDOUT);
	CHECK_RC(begin(1, 2, 0), -EBUSY);
	CHECK_RC(run(NULL), 0);
	CHECK_RC(ilk_loop_wait(l, ILK_NOW), 0);
}

/* --- results --- */

static int sum_up(const struct ilk_part *part, void *arg)
{
	double *sum = part->result;

	(void)arg;
	CHECK(*sum == 0);
	for (uint64_t i = part->begin; i < part->end; i++)
		*sum += 1 / (double)(i + 1);
	return 0;
}

static void add_up(void *into, const void *result, void *arg)
{
	double one;

	(void)arg;
	memcpy(&one, result, sizeof one);
	*(double *)into += one;
}

static double reduce_by(unsigned count)
{
	double sum = 0;

	CHECK_RC(begin(MANY, 4, 7), 0);
	CHECK_RC(ilk_loop_reduce(l, &sum, add_up, NULL), -EBUSY);
	for (unsigned i = 0; i < count; i++)
		CHECK_RC(ilk_loop_run(l, sum_up, NULL, ilk_after_ms(ilk_test_limit_ms())), 0);
	CHECK_RC(ilk_loop_reduce(l, &sum, add_up, NULL), 0);
	return sum;
}

static int reduce_in_child(const struct ilk_part *part, void *arg)
{
	return sum_up(part, arg);
}

static void test_sums_of_floating_point_are_the_same_whoever_works(void **state)
{
	double first = 0, again = 0, other;

	(void)state;
	open_all(sizeof(double));
	other = reduce_by(1);
	assert_true(other == reduce_by(2) && other > 12 && other < 13);
	for (unsigned workers = 1; workers <= 4; workers++)
		CHECK_RC(ilk_parallel_reduce(seg, MANY, workers, reduce_in_child, NULL, &again,
				 sizeof again, add_up),
			0);
	for (int i = 0; i < 4; i++) {
		CHECK_RC(ilk_parallel_reduce(
				 seg, MANY, 3, reduce_in_child, NULL, &again, sizeof again, add_up),
			0);
		assert_true(i == 0 || again == first);
		first = again;
	}
	CHECK_RC(ilk_loop_reduce(l, &again, NULL, NULL), -EINVAL);
}

static void begin_another(void *into, const void *result, void *arg)
{
	(void)arg;
	if (*(double *)into == 0)
		CHECK_RC(begin(MANY, 2, 0), 0);
	add_up(into, result, NULL);
}

static void test_reduce_beside_the_next_begin_is_EBUSY(void **state)
{
	double sum = 0;

	(void)state;
	open_all(8);
	reduce_by(1);
	CHECK_RC(ilk_loop_reduce(l, &sum, begin_another, NULL), -EBUSY);
}

/* --- failures --- */

static int fail_at_half(const struct ilk_part *part, void *arg)
{
	++*(int *)arg;
	return part->begin <= MANY / 2 && MANY / 2 < part->end ? -EDOM : 0;
}

static void test_failure_of_a_body_reaches_all_and_leaves_the_rest_out(void **state)
{
	int calls = 0;
	double sum;

	(void)state;
	open_all(8);
	CHECK_RC(begin(MANY, 2, 10), 0);
	CHECK_RC(ilk_loop_run(l, fail_at_half, &calls, ILK_NOW), -EDOM);
	assert_int_equal(calls, 3);
	CHECK_RC(ilk_loop_wait(l, ILK_NOW), -EDOM);
	CHECK_RC(ilk_loop_run(l, fail_at_half, &calls, ILK_NOW), -EDOM);
	assert_int_equal(calls, 3);
	CHECK_RC(ilk_loop_reduce(l, &sum, add_up, NULL), -EDOM);
	CHECK_RC(begin(10, 2, 10), 0);
	CHECK_RC(ilk_loop_run(l, fail_at_half, &calls, ILK_NOW), 0);
}

static int fail_in_child(const struct ilk_part *part, void *arg)
{
	pid_t caller;

	memcpy(&caller, arg, sizeof caller);
	(void)part;
	if (getpid() != caller)
		return -EXDEV;
	ilk_test_sleep_ms(1);
	return 0;
}

static int fail_lowest(const struct ilk_part *part, void *arg)
{
	(void)part, (void)arg;
	return INT_MIN;
}

static void test_lowest_number_is_a_failure_too(void **state)
{
	(void)state;
	open_all(0);
	CHECK_RC(begin(100, 1, 1), 0);
	CHECK_RC(ilk_loop_run(l, fail_lowest, NULL, ILK_NOW), -INT_MAX);
	CHECK_RC(ilk_loop_wait(l, ILK_NOW), -INT_MAX);
}

static void test_failure_in_a_child_reaches_the_caller(void **state)
{
	pid_t caller = getpid();
	int rc = 0;

	(void)state;
	/* The caller may have done all before the child is there. */
	for (int i = 0; i < 20 && rc == 0; i++)
		rc = ilk_parallel_for(seg, 1000, 2, fail_in_child, &caller);
	CHECK_RC(rc, -EXDEV);
}

static void test_cancel_leaves_out_what_nobody_has_begun(void **state)
{
	(void)state;
	open_all(0);
	CHECK_RC(ilk_loop_cancel(l), 0);
	CHECK_RC(begin(MANY, 2, 0), 0);
	CHECK_RC(ilk_loop_cancel(l), 0);
	CHECK_RC(ilk_loop_wait(l, ILK_NOW), -ECANCELED);
	CHECK_RC(run(NULL), -ECANCELED);
	check_marks(0, 0);
	CHECK_RC(begin(MANY, 2, 0), 0);
	CHECK_RC(run(NULL), 0);
	CHECK_RC(ilk_loop_cancel(l), 0);
	CHECK_RC(ilk_loop_wait(l, ILK_NOW), 0);
	check_marks(MANY, 1);
}

static int run_inside(const struct ilk_part *part, void *arg)
{
	(void)part, (void)arg;
	CHECK_RC(ilk_loop_wait(l, ilk_after_ms(ilk_test_limit_ms())), -EDEADLK);
	return 0;
}

static void test_waiting_for_it_in_a_body_is_EDEADLK(void **state)
{
	(void)state;
	open_all(0);
	CHECK_RC(begin(10, 2, 10), 0);
	CHECK_RC(ilk_loop_run(l, run_inside, NULL, ILK_NOW), 0);
}

/* --- teams --- */

static void use_team(unsigned workers, unsigned flags)
{
	const struct ilk_team_options o = {.size = sizeof o, .flags = flags};
	const struct ilk_range r = {.size = sizeof r, .count = MANY, .job = 42};
	struct ilk_team team;

	CHECK_RC(ilk_team_start(&team, seg, workers, mark, NULL, &o), 0);
	for (int i = 0; i < 20; i++) {
		CHECK_RC(ilk_team_run(&team, &r), 0);
		check_marks(MANY, 1);
	}
	ilk_team_stop(&team);
}

static void test_team_of_processes_or_threads_does_each_index_once(void **state)
{
	struct ilk_usage before, after;

	(void)state;
	open_all(0);
	CHECK_RC(ilk_usage(seg, &before), 0);
	for (unsigned workers = 1; workers <= 4; workers++) {
		use_team(workers, 0);
		use_team(workers, ILK_TEAM_THREADS);
	}
	CHECK_RC(ilk_usage(seg, &after), 0);
	assert_int_equal(after.used, before.used);
	CHECK_RC(ilk_parallel_for(seg, MANY, 3, NULL, NULL), -EINVAL);
	CHECK_RC(ilk_parallel_for(seg, MANY, 0, mark, NULL), -EINVAL);
	CHECK_RC(ilk_parallel_for(seg, MANY, ILK_LOOP_WORKERS + 1, mark, NULL), -EINVAL);
}

static int mark_any_job(const struct ilk_part *part, void *arg)
{
	struct ilk_part p = *part;

	p.job = 42;
	return mark(&p, arg);
}

static void test_parallel_for_does_each_index_once(void **state)
{
	(void)state;
	open_all(0);
	for (unsigned workers = 1; workers <= 3; workers++) {
		CHECK_RC(ilk_parallel_for(seg, MANY, workers, mark_any_job, NULL), 0);
		check_marks(MANY, 1);
	}
	CHECK_RC(ilk_parallel_for(seg, 0, 2, mark_any_job, NULL), 0);
}

/* --- as an object --- */

static void test_open_with_other_results_is_EEXIST(void **state)
{
	const struct ilk_loop_options other = {.size = sizeof other, .result_bytes = 16};
	const struct ilk_loop_options odd = {.size = 3};
	struct ilk_loop *again;

	(void)state;
	open_all(8);
	CHECK_RC(ilk_loop_open(seg, "l", NULL, &again), 0);
	assert_ptr_equal(again, l);
	CHECK_RC(ilk_loop_open(seg, "l", &other, &again), -EEXIST);
	assert_true(strstr(ilk_last_error(), "result_bytes") != NULL);
	CHECK_RC(ilk_loop_open(seg, "l", &odd, &again), -EINVAL);
	CHECK_RC(ilk_loop_open(seg, "marks", NULL, &again), -EEXIST);
	CHECK_RC(ilk_loop_open(seg, "", NULL, &again), -EINVAL);
}

static void test_embedded_loop_works_as_a_named_one(void **state)
{
	const struct ilk_loop_options o = {.size = sizeof o, .result_bytes = 8};
	void *block;
	double sum = 0;

	(void)state;
	CHECK_RC(ilk_block_open(seg, "room", ilk_loop_bytes(&o), &block), 0);
	l = block;
	CHECK_RC(ilk_loop_run(l, mark, NULL, ILK_NOW), -EINVAL);
	CHECK_RC(ilk_loop_init(seg, l, "mine", &o), 0);
	CHECK_RC(ilk_loop_init(seg, (struct ilk_loop *)(void *)((char *)block + 8), "", &o),
		-EINVAL);
	sum = reduce_by(1);
	assert_true(sum > 12);
}

static void *wait_for_round(void *expected)
{
	CHECK_RC(ilk_loop_run(l, mark, NULL, ILK_FOREVER), *(int *)expected);
	return NULL;
}

static void test_remove_tells_who_waits(void **state)
{
	int expected = -EIDRM;
	pthread_t thread;

	(void)state;
	open_all(0);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_round, &expected), 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_object_remove(seg, "l"), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	CHECK_RC(begin(1, 2, 0), -EIDRM);
	CHECK_RC(ilk_loop_close(l), -EIDRM);
	CHECK_RC(ilk_loop_cancel(l), -EIDRM);
}

static void wait_and_close(void *arg)
{
	int expected = -ECANCELED;
	pthread_t thread;

	ilk_segment_close(seg);
	seg = support_open(arg);
	open_all(0);
	CHECK(pthread_create(&thread, NULL, wait_for_round, &expected) == 0);
	ilk_test_await_sleepers(arg, 1);
	ilk_segment_close(seg);
	CHECK(pthread_join(thread, NULL) == 0);
}

static void test_close_of_the_segment_cancels_who_waits(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	ilk_test_in_child(wait_and_close, (void *)(uintptr_t)ilk_test_name(""));
}

static void test_inspector_shows_the_round(void **state)
{
	struct ilk_inspection *in;

	(void)state;
	open_all(0);
	CHECK_RC(begin(MANY, 2, 0), 0);
	CHECK_RC(run(NULL), 0);
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, "l") == 0)
			assert_string_equal(
				in->objects[i].state, "round 1: 12 of 12 parts, 0 at work");
	ilk_inspection_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_parts_lie_end_to_end_and_get_smaller),
		SEGMENT_TEST(test_begin_of_what_cannot_be_is_EINVAL),
		SEGMENT_TEST(test_one_does_all_of_it_each_round),
		SEGMENT_TEST(test_many_do_each_index_once),
		SEGMENT_TEST(test_who_serves_works_at_round_after_round_until_closed),
#ifdef __x86_64__
		SEGMENT_TEST(test_round_begun_while_it_closes_is_done_or_cancelled),
#endif
		SEGMENT_TEST(test_waits_until_a_deadline_that_passes_are_ETIMEDOUT),
		SEGMENT_TEST(test_sums_of_floating_point_are_the_same_whoever_works),
		SEGMENT_TEST(test_reduce_beside_the_next_begin_is_EBUSY),
		SEGMENT_TEST(test_failure_of_a_body_reaches_all_and_leaves_the_rest_out),
		SEGMENT_TEST(test_lowest_number_is_a_failure_too),
		SEGMENT_TEST(test_failure_in_a_child_reaches_the_caller),
		SEGMENT_TEST(test_cancel_leaves_out_what_nobody_has_begun),
		SEGMENT_TEST(test_waiting_for_it_in_a_body_is_EDEADLK),
		SEGMENT_TEST(test_team_of_processes_or_threads_does_each_index_once),
		SEGMENT_TEST(test_parallel_for_does_each_index_once),
		SEGMENT_TEST(test_open_with_other_results_is_EEXIST),
		SEGMENT_TEST(test_embedded_loop_works_as_a_named_one),
		SEGMENT_TEST(test_remove_tells_who_waits),
		SEGMENT_TEST(test_close_of_the_segment_cancels_who_waits),
		SEGMENT_TEST(test_inspector_shows_the_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
