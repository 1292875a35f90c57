/*
 * map.c - maps under random deaths: nothing committed is lost or done twice, values are whole, and the
 * storage comes back.
 *
 * Each worker counts in an entry of its own, and notes what it was told of; who comes after its death
 * finds that number, or one more. All of them count in common entries, put and remove others so that
 * stripes grow, and walk.
 */
#include "stress.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 6, COMMON = 8, CROWD = 400, STRIPES = 4, KEY = 24 };

static char name[64];
static unsigned end_one_in; /* threads end within an update, one in so many; 0: never */

static struct ilk_map_handle map_in(struct ilk_segment *seg)
{
	const struct ilk_map_options options = {.size = sizeof options, .stripes = STRIPES};
	struct ilk_map_handle h;

	CHECK_RC(
		ilk_map_open(seg, "map", ILK_MAP_TEXT(KEY), WORDS * sizeof(uint64_t), &options, &h),
		0);
	return h;
}

static void check_whole(const uint64_t *value, size_t bytes)
{
	CHECK(bytes == WORDS * sizeof *value);
	for (int i = 1; i < WORDS; i++)
		if (value[i] != value[0])
			ilk_test_fail("word %d is %llx, the first is %llx", i,
				(unsigned long long)value[i], (unsigned long long)value[0]);
}

/* --- changes --- */

static int add_one(void *value, size_t *bytes, void *arg)
{
	uint64_t *word = value;
	const unsigned *ends = arg;

	if (*bytes != ILK_MAP_ABSENT)
		check_whole(word, *bytes);
	for (int i = 0; i < WORDS; i++) {
		word[i]++;
		if (*ends && i == WORDS / 2)
			pthread_exit(NULL);
	}
	*bytes = WORDS * sizeof *word;
	return 0;
}

static uint64_t read_count(const struct ilk_map_handle *h, const char *key)
{
	uint64_t value[WORDS];
	size_t bytes = 0;
	int rc = ilk_map_get(h, key, value, sizeof value, &bytes);

	if (rc == -ENOENT)
		return 0;
	CHECK_RC(rc, 0);
	check_whole(value, bytes);
	return value[0];
}

static void count_in(const struct ilk_map_handle *h, unsigned worker, const char *key)
{
	unsigned ends = end_one_in && random_below(worker, end_one_in) == 0;
	ilk_time since = ilk_now();

	if (ends)
		tally_of(worker)->deaths++;
	CHECK_RC(ilk_map_update(h, key, add_one, &ends), 0);
	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
}

static void count_own(const struct ilk_map_handle *h, unsigned worker)
{
	char key[KEY];

	snprintf(key, sizeof key, "own %u", worker);
	count_in(h, worker, key);
	tally_of(worker)->done++;
}

/* Whoever had this number before may have died between the change and the note. */
static void check_own(const struct ilk_map_handle *h, unsigned worker)
{
	int64_t noted = tally_of(worker)->done, counted;
	char key[KEY];

	snprintf(key, sizeof key, "own %u", worker);
	counted = (int64_t)read_count(h, key);
	if (counted != noted && counted != noted + 1)
		ilk_test_fail("worker %u counted to %lld, and was told of %lld", worker,
			(long long)counted, (long long)noted);
	tally_of(worker)->done = counted;
}

static void count_common(const struct ilk_map_handle *h, unsigned worker)
{
	char key[KEY];

	snprintf(key, sizeof key, "common %u", (unsigned)random_below(worker, COMMON));
	tally_of(worker)->intended++;
	count_in(h, worker, key);
	tally_of(worker)->halfway++;
}

/* Puts, or removes, one of a crowd; all put the same. */
static void join_crowd(const struct ilk_map_handle *h, unsigned worker)
{
	unsigned number = (unsigned)random_below(worker, CROWD);
	uint64_t value[WORDS];
	char key[KEY];
	int rc;

	snprintf(key, sizeof key, "crowd %u", number);
	for (int i = 0; i < WORDS; i++)
		value[i] = number;
	if (random_below(worker, 3)) {
		CHECK_RC(ilk_map_put(h, key, value, sizeof value), 0);
		return;
	}
	rc = ilk_map_take(h, key, value, sizeof value, NULL);
	CHECK(rc == 0 || rc == -ENOENT);
	if (rc == 0)
		check_whole(value, sizeof value);
	CHECK(value[0] == number);
}

/* Each worker's own entry, once it has one, is given just once. */
static void walk(const struct ilk_map_handle *h, unsigned worker)
{
	struct ilk_map_cursor cursor = {0, 0};
	uint64_t value[WORDS];
	int own = 0, rc;
	char key[KEY + 1], mine[KEY];
	size_t bytes;

	snprintf(mine, sizeof mine, "own %u", worker);
	while ((rc = ilk_map_next(h, &cursor, key, value, sizeof value, &bytes)) == 0) {
		check_whole(value, bytes);
		own += strcmp(key, mine) == 0;
	}
	CHECK_RC(rc, -ENOENT);
	CHECK(own == (tally_of(worker)->done > 0));
}

/* --- crews --- */

static void take_part(struct ilk_segment *seg, unsigned worker)
{
	struct ilk_map_handle h = map_in(seg);

	check_own(&h, worker);
	while (!time_is_over()) {
		uint64_t what = random_below(worker, 100);

		if (what < 40)
			count_own(&h, worker);
		else if (what < 60)
			count_common(&h, worker);
		else if (what < 99)
			join_crowd(&h, worker);
		else
			walk(&h, worker);
	}
}

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);

	take_part(seg, worker);
	ilk_segment_close(seg);
}

static struct ilk_segment *common;

static void work_together(unsigned worker)
{
	take_part(common, worker);
}

static uint64_t blocks(struct ilk_segment *seg)
{
	struct ilk_usage usage;

	CHECK_RC(ilk_usage(seg, &usage), 0);
	return usage.blocks;
}

static uint64_t before;

static void make_map(unsigned handshake)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = handshake};
	struct ilk_segment *seg;

	strcpy(name, ilk_test_name(""));
	seg = support_create(name, &options);
	before = blocks(seg);
	map_in(seg);
	ilk_segment_close(seg);
	end_one_in = 0;
}

static void check_common(const struct ilk_map_handle *h)
{
	int64_t intended = 0, told = 0, counted = 0;
	char key[KEY];

	for (unsigned i = 0; i < WORKERS; i++) {
		check_own(h, i);
		intended += tally_of(i)->intended;
		told += tally_of(i)->halfway;
	}
	for (unsigned i = 0; i < COMMON; i++) {
		snprintf(key, sizeof key, "common %u", i);
		counted += (int64_t)read_count(h, key);
	}
	print_message("%lld counted, %lld told of\n", (long long)counted, (long long)told);
	CHECK(told > 100);
	assert_in_range(counted, told, intended);
}

static void check_map(void)
{
	struct ilk_segment *seg = support_open(name);
	struct ilk_map_handle h = map_in(seg);
	void *memory;

	CHECK_RC(ilk_map_check(&h), 0);
	CHECK_RC(ilk_segment_valid(seg), 0);
	check_common(&h);
	check_longest_stall();
	/* What the dead had not published comes back when there is no room. */
	CHECK_RC(ilk_alloc(seg, ilk_segment_bytes(seg) - 4096, &memory), -ENOSPC);
	CHECK_RC(ilk_object_remove(seg, "map"), 0);
	while (ilk_object_close(h.map) == 0)
		continue; /* as often as threads have opened it */
	assert_int_equal(blocks(seg), before);
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_counts_of_killed_processes(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	make_map(0);
	run_processes(work_apart, NULL);
	check_map();
}

static void test_counts_of_ending_threads(void **state)
{
	(void)state;
	make_map(ILK_SEGMENT_FENCED);
	common = support_open(name);
	end_one_in = 300;
	run_threads(work_together);
	check_map();
	ilk_segment_close(common);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_counts_of_killed_processes),
		STRESS_TEST(test_counts_of_ending_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
