/*
 * mutex_try.c - where nobody dies, nobody is told ILK_RECOVERED, however the lock is taken.
 *
 * A try that meets a mutex at the moment of its release must take it as free, or find it busy.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>

static char name[64];
static struct ilk_segment *common;

static void use(struct ilk_mutex *m, struct ilk_counter *count, unsigned worker)
{
	int rc = worker % 2 ? ilk_mutex_lock_until(m, ILK_NOW) : ilk_mutex_try_lock(m);

	if (rc == -EBUSY || rc == -ETIMEDOUT)
		return;
	CHECK_RC(rc, 0);
	tally_of(worker)->done++;
	CHECK_RC(ilk_counter_add(count, 1), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	dawdle(worker, 8);
}

static void work_in(struct ilk_segment *seg, unsigned worker)
{
	struct ilk_mutex *m = support_mutex(seg, "m");
	struct ilk_counter *count = support_counter(seg, "c");

	while (!time_is_over())
		use(m, count, worker);
}

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);

	work_in(seg, worker);
	ilk_segment_close(seg);
}

static void work_together(unsigned worker)
{
	work_in(common, worker);
}

static void check_count(struct ilk_segment *seg)
{
	int64_t done = 0;

	for (unsigned i = 0; i < WORKERS; i++)
		done += tally_of(i)->done;
	assert_int_equal(ilk_counter_read(support_counter(seg, "c")), done);
	print_message("%lld times taken\n", (long long)done);
}

static void check_crew(unsigned flags, void (*run)(void (*)(unsigned)), void (*work)(unsigned))
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = flags};

	strcpy(name, ilk_test_name(""));
	common = support_create(name, &options);
	run(work);
	check_count(common);
	ilk_segment_close(common);
	support_unlink(name);
}

static void test_tries_of_processes_without_deaths_are_never_RECOVERED(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	check_crew(0, run_undisturbed, work_apart);
}

static void test_tries_of_threads_without_deaths_are_never_RECOVERED(void **state)
{
	(void)state;
	check_crew(ILK_SEGMENT_FENCED, run_threads, work_together);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_tries_of_processes_without_deaths_are_never_RECOVERED),
		STRESS_TEST(test_tries_of_threads_without_deaths_are_never_RECOVERED),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
