/*
 * pool.c - every task accounted for, under random deaths of who submits and who runs.
 *
 * Half of the workers submit, half serve. A ledger, which outlives all, counts the runs of each task:
 * none has more than are allowed. Each future resolves: by the right result, or by its worker's
 * death, when all runs are used up. In the end the pool is empty, has all its room, and all its places.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { LEDGER = 1 << 16, CAPACITY = 16, RETRIES = 2, FLIGHT = 4 };

static char name[64];
static struct ilk_pool_options options;
static uint8_t *ledger; /* LEDGER bytes for each who submits */

static int is_submitter(unsigned worker)
{
	return worker % 2 == 0;
}

static uint8_t *entry_of(uint64_t task)
{
	return &ledger[(task >> 32) * LEDGER + (uint32_t)task % LEDGER];
}

static int mix(struct ilk_task *task, const void *argument, size_t bytes)
{
	uint64_t x, y;

	CHECK(bytes == sizeof x);
	memcpy(&x, argument, sizeof x);
	CHECK(ilk_add_full_(entry_of(x), (uint8_t)1) < 1 + RETRIES);
	y = x * 0x9e3779b97f4a7c15u;
	for (volatile int i = 0; i < (int)(y >> 50); i++)
		;
	return ilk_task_result(task, &y, sizeof y);
}

static const struct ilk_task_function functions[] = {{"mix", mix}};

static struct ilk_pool *pool_in(struct ilk_segment *seg)
{
	struct ilk_pool *pool;

	CHECK_RC(ilk_pool_open(seg, "pool", &options, &pool), 0);
	return pool;
}

static void submit_one(struct ilk_pool *pool, unsigned worker, struct ilk_future *f, uint64_t *x)
{
	struct tally *t = tally_of(worker);

	*x = (uint64_t)worker << 32 | (uint32_t)t->intended;
	ilk_exchange_(entry_of(*x), (uint8_t)0);
	/* A successor goes on behind what may be in. */
	ilk_store_release_(&t->intended, t->intended + 1);
	CHECK_RC(ilk_pool_submit(pool, "mix", x, sizeof *x, f, ilk_after_ms(ilk_test_limit_ms())),
		0);
}

static void get_one(unsigned worker, struct ilk_future *f, uint64_t x)
{
	struct tally *t = tally_of(worker);
	struct ilk_outcome out;
	uint64_t y;
	int rc = ilk_future_get(f, &y, sizeof y, &out, ilk_after_ms(ilk_test_limit_ms()));

	if (rc == ILK_TASK_FAILED) {
		assert_int_equal(out.rc, -EOWNERDEAD);
		assert_int_equal(out.runs, 1 + RETRIES);
		t->lost++;
	} else {
		CHECK_RC(rc, 0);
		assert_true(y == x * 0x9e3779b97f4a7c15u);
	}
	t->done++;
}

static void submit_some(struct ilk_pool *pool, unsigned worker)
{
	struct tally *t = tally_of(worker);
	unsigned n = 1 + (unsigned)random_below(worker, FLIGHT);
	struct ilk_future f[FLIGHT];
	uint64_t x[FLIGHT];
	ilk_time since = ilk_now();

	for (unsigned i = 0; i < n; i++)
		submit_one(pool, worker, &f[i], &x[i]);
	for (unsigned i = 0; i < n; i++) {
		if (random_below(worker, 16) == 0)
			CHECK_RC(ilk_future_release(&f[i]), 0);
		else
			get_one(worker, &f[i], x[i]);
	}
	if (ilk_now() - since > t->longest)
		t->longest = ilk_now() - since;
}

/* When the time is over, those who submit may wait for something still: until all is quiet. */
static void serve_some(struct ilk_pool *pool, unsigned worker)
{
	const struct ilk_pool_serve_options o = {.size = sizeof o,
		.tasks = time_is_over() ? 0 : 1 + random_below(worker, 500),
		.until = ilk_after_ms(time_is_over() ? 500 : 50)};
	int rc = ilk_pool_serve(pool, functions, 1, &o);

	if (rc != -ETIMEDOUT)
		CHECK_RC(rc, 0);
}

static void work_in(struct ilk_segment *seg, unsigned worker)
{
	struct ilk_pool *pool = pool_in(seg);
	int is_over;

	do {
		is_over = time_is_over();
		if (!is_submitter(worker))
			serve_some(pool, worker);
		else if (!is_over)
			submit_some(pool, worker);
	} while (!is_over);
}

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);

	work_in(seg, worker);
	ilk_segment_close(seg);
}

static struct ilk_segment *common;

static void work_together(unsigned worker)
{
	work_in(common, worker);
}

static struct ilk_segment *begin(void)
{
	const struct ilk_pool_serve_options look = {.size = sizeof look, .until = 1};
	struct ilk_segment *seg;

	if (!ledger)
		ledger = mmap(NULL, WORKERS * (size_t)LEDGER, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(ledger != MAP_FAILED);
	options = (struct ilk_pool_options){.size = sizeof options,
		.capacity = CAPACITY,
		.argument_bytes = 8,
		.result_bytes = 8,
		.workers = WORKERS,
		.retries = RETRIES};
	strcpy(name, ilk_test_name(""));
	seg = support_create(name, NULL);
	/* The name is known from here on. */
	CHECK_RC(ilk_pool_serve(pool_in(seg), functions, 1, &look), -ETIMEDOUT);
	return seg;
}

static void check_and_remove(struct ilk_segment *seg)
{
	const struct ilk_pool_serve_options rest = {
		.size = sizeof rest, .until = ilk_after_ms(100)};
	struct ilk_pool_info info = {.size = sizeof info};
	struct ilk_pool *pool = pool_in(seg);
	int64_t done = 0, given_up = 0;
	uint64_t x = 0;

	for (unsigned w = 0; w < WORKERS; w++) {
		done += tally_of(w)->done;
		given_up += tally_of(w)->lost;
	}
	CHECK_RC(ilk_pool_serve(pool, functions, 1, &rest), -ETIMEDOUT);
	CHECK(ilk_object_repair(seg, "pool") >= 0);
	CHECK_RC(ilk_pool_info(pool, &info), 0);
	print_message("%lld got, %lld given up; again %llu, dropped %llu\n", (long long)done,
		(long long)given_up, (unsigned long long)info.again,
		(unsigned long long)info.dropped);
	assert_true(done > 0);
	assert_int_equal(info.queued + info.running + info.over, 0);
	assert_int_equal(info.workers, 0);
	for (int i = 0; i < CAPACITY; i++)
		CHECK_RC(ilk_pool_submit(pool, "mix", &x, sizeof x, NULL, ILK_NOW), 0);
	CHECK_RC(ilk_pool_submit(pool, "mix", &x, sizeof x, NULL, ILK_NOW), -EAGAIN);
	CHECK_RC(ilk_segment_valid(seg), 0);
	check_longest_stall();
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_every_future_resolves_whoever_is_killed(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	SKIP_UNDER_TSAN();
	seg = begin();
	run_processes(work_apart, NULL);
	check_and_remove(seg);
}

static void test_threads_submit_and_serve(void **state)
{
	(void)state;
	common = begin();
	run_threads(work_together);
	check_and_remove(common);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_every_future_resolves_whoever_is_killed),
		STRESS_TEST(test_threads_submit_and_serve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
