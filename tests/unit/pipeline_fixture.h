/*
 * pipeline_fixture.h - a pipeline of four stages: numbers, twice, plus three, and what came out.
 */
#ifndef ILK_TESTS_PIPELINE_FIXTURE_H
#define ILK_TESTS_PIPELINE_FIXTURE_H

#include "segment_fixture.h"
#include <errno.h>
#include <signal.h>
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

static inline void open_seen(void)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "seen", sizeof *seen, &block), 0);
	seen = block;
	memset(seen, 0, sizeof *seen);
}

static inline int generate(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	int i = (int)w->number;

	CHECK(!in && bytes == 0);
	if (w->number >= (uint64_t)at_once)
		return ILK_STAGE_END;
	ilk_add_full_(&seen->begun[0][i], 1u);
	(void)arg;
	return ilk_work_send(w, &i, sizeof i);
}

static inline int read_int(const void *in, size_t bytes)
{
	int i;

	CHECK(bytes == sizeof i);
	memcpy(&i, in, sizeof i);
	return i;
}

static inline int twice(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	int i = 2 * read_int(in, bytes);

	(void)arg;
	ilk_add_full_(&seen->begun[1][w->number], 1u);
	return ilk_work_send(w, &i, sizeof i);
}

static inline int plus_three(struct ilk_work *w, const void *in, size_t bytes, void *arg)
{
	int i = read_int(in, bytes) + 3;

	(void)arg;
	ilk_add_full_(&seen->begun[2][w->number], 1u);
	return ilk_work_send(w, &i, sizeof i);
}

static inline int collect(struct ilk_work *w, const void *in, size_t bytes, void *arg)
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

static inline void set_up(void)
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

static inline int run_with(const struct ilk_pipeline_options *o)
{
	int rc;

	CHECK_RC(ilk_pipeline_start(seg, "p", stages, 4, o, &p), 0);
	rc = ilk_pipeline_join(p, ilk_after_ms(ilk_test_limit_ms()));
	return rc;
}

static inline void check_each_once(void)
{
	assert_int_equal(seen->wrong, 0);
	for (int i = 0; i < at_once; i++)
		assert_int_equal(seen->count[i], 1);
}

/* Of the pipeline that failed with RC. */
static inline void check_why(int rc, const char *where, const char *why)
{
	CHECK_RC(ilk_pipeline_join(p, ILK_NOW), rc);
	assert_non_null(strstr(ilk_last_error(), where));
	assert_non_null(strstr(ilk_last_error(), why));
}

#endif
