/*
 * array.c - arrays under random deaths: no add that its maker was told of is lost, none is done twice,
 * and what the lock guards is put right by who is told.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>

/* Elements: one that all add to, and then one for each worker. */
enum { COMMON = 0, OWN = 1, COUNT = OWN + WORKERS };

static char name[64];

struct arrays {
	struct ilk_array_handle sums, floats, pair;
};

static struct arrays arrays_in(struct ilk_segment *seg)
{
	struct arrays a;

	CHECK_RC(ilk_array_open(seg, "sums", ILK_ARRAY_U16, COUNT, &a.sums), 0);
	CHECK_RC(ilk_array_open(seg, "floats", ILK_ARRAY_F64, COUNT, &a.floats), 0);
	CHECK_RC(ilk_array_open(seg, "pair", ILK_ARRAY_BYTES(16), 1, &a.pair), 0);
	return a;
}

/* Both halves are the same, but for who holds the lock. */
static void count_pair(const struct arrays *a, unsigned worker)
{
	uint64_t *n = ilk_array_at(&a->pair, 0);
	ilk_time since = ilk_now();
	int rc = ilk_mutex_lock(ilk_array_mutex(&a->pair));

	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
	CHECK(rc == 0 || rc == ILK_RECOVERED);
	if (rc == ILK_RECOVERED) {
		n[1] = n[0];
		CHECK_RC(ilk_mutex_repaired(ilk_array_mutex(&a->pair)), 0);
	}
	CHECK(n[0] == n[1]);
	n[0]++;
	dawdle(worker, 50);
	n[1]++;
	CHECK_RC(ilk_mutex_unlock(ilk_array_mutex(&a->pair)), 0);
}

/* Of a worker's own element: what its maker was told of, or one more. */
static void check_own(const struct arrays *a, unsigned worker)
{
	uint16_t counted = 0, noted = (uint16_t)tally_of(worker)->done;

	CHECK_RC(ilk_array_get_u16(&a->sums, OWN + worker, &counted), 0);
	if (counted != noted && counted != (uint16_t)(noted + 1))
		ilk_test_fail(
			"worker %u counted to %u, and was told of %u", worker, counted, noted);
	tally_of(worker)->done += counted != noted;
}

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);
	struct arrays a = arrays_in(seg);

	check_own(&a, worker);
	while (!time_is_over()) {
		CHECK_RC(ilk_array_add_u16(&a.sums, OWN + worker, 1, NULL), 0);
		tally_of(worker)->done++;
		tally_of(worker)->intended++;
		CHECK_RC(ilk_array_add_f64(&a.floats, COMMON, 0.5, NULL), 0);
		tally_of(worker)->halfway++;
		count_pair(&a, worker);
	}
	ilk_segment_close(seg);
}

static void check_arrays(struct ilk_segment *seg)
{
	struct arrays a = arrays_in(seg);
	int64_t intended = 0, told = 0;
	double counted = 0;

	for (unsigned i = 0; i < WORKERS; i++) {
		check_own(&a, i);
		intended += tally_of(i)->intended;
		told += tally_of(i)->halfway;
	}
	CHECK_RC(ilk_array_get_f64(&a.floats, COMMON, &counted), 0);
	print_message("%.0f counted, %lld told of\n", 2 * counted, (long long)told);
	CHECK(told > 100);
	assert_in_range((int64_t)(2 * counted), told, intended);
	count_pair(&a, 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
	check_longest_stall();
}

static void test_sums_of_killed_processes(void **state)
{
	struct ilk_segment *seg;

	(void)state;
	SKIP_UNDER_TSAN();
	strcpy(name, ilk_test_name(""));
	seg = support_create(name, NULL);
	arrays_in(seg);
	run_processes(work_apart, NULL);
	check_arrays(seg);
	ilk_segment_close(seg);
	support_unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_sums_of_killed_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
