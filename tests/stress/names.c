/*
 * names.c - one name created, opened and removed by several at once, under SIGKILL.
 *
 * Whatever is found under the name is complete; what is refused is refused by a documented word;
 * and nothing is left behind in /dev/shm, which the test's teardown looks for.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>

static const struct ilk_segment_options small = {
	.size = sizeof small, .bytes = 64 << 10, .processes = 8, .threads = 16};

static char name[64];

/* A segment found under the name is whole: its objects work. */
static void check_whole(struct ilk_segment *seg)
{
	struct ilk_mutex *m;
	int rc;

	CHECK(strcmp(ilk_segment_name(seg), name) == 0);
	CHECK(ilk_segment_bytes(seg) == small.bytes);
	CHECK_RC(ilk_counter_add(support_counter(seg, "c"), 1), 0);
	m = support_mutex(seg, "m");
	rc = ilk_mutex_lock(m);
	CHECK(rc == 0 || rc == ILK_RECOVERED);
	CHECK_RC(ilk_mutex_repaired(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void create(void)
{
	struct ilk_segment *seg;

	CHECK_RC(ilk_segment_create(name, &small, &seg), 0);
	check_whole(seg);
	ilk_segment_close(seg);
}

static void open_if_there(void)
{
	struct ilk_segment *seg;
	int rc = ilk_segment_open(name, &small, &seg);

	CHECK(rc == 0 || rc == -ENOENT);
	if (rc < 0)
		return;
	check_whole(seg);
	ilk_segment_close(seg);
}

static void inspect_if_there(void)
{
	struct ilk_inspection *in;
	int rc = ilk_inspect(name, &in);

	CHECK(rc == 0 || rc == -ENOENT);
	if (rc < 0)
		return;
	CHECK(strcmp(in->name, name) == 0 && in->damage[0] == 0);
	ilk_inspection_free(in);
}

static void remove_it(void)
{
	int rc = ilk_segment_unlink(name);

	CHECK(rc == 0 || rc == -ENOENT);
}

static void churn(unsigned worker)
{
	static void (*const acts[])(void) = {
		create, create, create, open_if_there, inspect_if_there, remove_it};

	while (!time_is_over()) {
		acts[random_below(worker, sizeof acts / sizeof *acts)]();
		tally_of(worker)->done++;
	}
}

static void check_and_remove(void)
{
	int64_t done = 0;

	for (unsigned i = 0; i < WORKERS; i++)
		done += tally_of(i)->done;
	print_message("%lld acts\n", (long long)done);
	create();
	support_unlink(name);
}

static void test_create_and_unlink_under_kills_are_whole_or_nothing(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	strcpy(name, ilk_test_name(""));
	run_processes(churn, NULL);
	check_and_remove();
}

static void test_create_and_unlink_by_threads_are_whole_or_nothing(void **state)
{
	(void)state;
	strcpy(name, ilk_test_name(""));
	run_threads(churn);
	check_and_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_create_and_unlink_under_kills_are_whole_or_nothing),
		STRESS_TEST(test_create_and_unlink_by_threads_are_whole_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
