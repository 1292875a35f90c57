/*
 * pipeline.c - four stages in order, while workers of the middle ones and the first are killed at any moment:
 * each message comes out, once and in order; nothing is lost and nothing is doubled.
 *
 * Killed are those who are in the segment under a stage's name. The last stage is left alone: what it does when
 * it is called twice is its own affair.
 */
#include "stress.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct seen {
	uint64_t last, wrong, out_of_order;
};

static struct seen *seen;
static char name[64];

static int generate(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	(void)in, (void)bytes, (void)arg;
	return time_is_over() ? ILK_STAGE_END : ilk_work_send(w, &w->number, sizeof w->number);
}

static int twice(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	uint64_t n;

	(void)arg;
	CHECK(bytes == sizeof n);
	memcpy(&n, in, sizeof n);
	n *= 2;
	return ilk_work_send(w, &n, sizeof n);
}

static int plus_three(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	uint64_t n;

	(void)arg;
	CHECK(bytes == sizeof n);
	memcpy(&n, in, sizeof n);
	n += 3;
	return ilk_work_send(w, &n, sizeof n);
}

static int collect(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	uint64_t n;

	(void)arg;
	CHECK(bytes == sizeof n);
	memcpy(&n, in, sizeof n);
	seen->wrong += n != 2 * w->number + 3;
	seen->out_of_order += w->number != seen->last;
	seen->last = w->number + 1;
	return 0;
}

/* Kills a process of the segment whose name is one of the first three stages'. 1; 0: there is none. */
static int kill_one(unsigned *seed)
{
	struct ilk_inspection *in;
	int killed = 0;

	if (ilk_inspect(name, &in) < 0)
		return 0;
	for (size_t i = 0; i < in->process_count && !killed; i++) {
		const struct ilk_process_info *one =
			&in->processes[(i + (size_t)rand_r(seed)) % in->process_count];

		if (one->life == ILK_LIFE_ALIVE &&
			(strcmp(one->name, "generate") == 0 || strcmp(one->name, "twice") == 0 ||
				strcmp(one->name, "plus") == 0))
			killed = kill(one->pid, SIGKILL) == 0;
	}
	ilk_inspection_free(in);
	return killed;
}

static void test_messages_come_once_and_in_order_whoever_is_killed(void **state)
{
	static const struct ilk_stage stages[] = {
		{.name = "generate", .body = generate, .out_bytes = 8, .tries = 50},
		{.name = "twice", .body = twice, .out_bytes = 8, .workers = 2, .tries = 50},
		{.name = "plus", .body = plus_three, .out_bytes = 8, .workers = 2, .tries = 50},
		{.name = "collect", .body = collect},
	};
	const struct ilk_pipeline_options o = {
		.size = sizeof o, .flags = ILK_PIPELINE_ORDERED, .window = 64};
	struct ilk_stage_info info = {.size = sizeof info};
	struct ilk_segment *seg;
	struct ilk_pipeline *p;
	unsigned seed = 1;
	uint64_t doubled = 0, again = 0, died = 0;
	void *block;
	int killed = 0, rc;

	(void)state;
	strcpy(name, ilk_test_name(""));
	seg = support_create(name, NULL);
	CHECK_RC(ilk_block_open(seg, "seen", sizeof *seen, &block), 0);
	seen = block;
	begin_time();
	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, &o, &p), 0);
	while ((rc = ilk_pipeline_join(p, ilk_after_ms(2))) == -ETIMEDOUT && !time_is_over())
		killed += kill_one(&seed);
	if (rc == -ETIMEDOUT)
		rc = ilk_pipeline_join(p, ilk_after_ms(ilk_test_limit_ms()));
	for (unsigned i = 0; i < 4; i++) {
		CHECK_RC(ilk_stage_info(p, i, &info), 0);
		doubled += info.doubled;
		again += info.again;
		died += info.died;
	}
	print_message("%llu messages, %d killed, %llu replaced, %llu again, %llu came twice\n",
		(unsigned long long)seen->last, killed, (unsigned long long)died,
		(unsigned long long)again, (unsigned long long)doubled);
	assert_int_equal(rc, 0);
	assert_int_equal(info.sent, seen->last);
	assert_int_equal(seen->wrong, 0);
	assert_int_equal(seen->out_of_order, 0);
	assert_true(killed > 0 && seen->last > 0);
	ilk_pipeline_end(p);
	CHECK_RC(ilk_segment_valid(seg), 0);
	ilk_segment_close(seg);
	support_unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_messages_come_once_and_in_order_whoever_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
