/*
 * snapshot.c - histories of versions, under random deaths: values whole, versions in order.
 *
 * Every word of a value is its first, which its writer chose. A writer that has published notes the
 * version: whoever reads after that must get this or a later one, and never an earlier than it got
 * before. Two copies only, so that readers are lapped.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>

enum { WORDS = 1000, WRITERS = 2 };

struct history {
	uint64_t published; /* the latest version of which its writer was told */
	uint64_t reads;
};

static char name[64];
static unsigned end_one_in; /* threads end in the middle of a change, one in so many; 0: never */

static struct history *history_in(struct ilk_segment *seg)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "history", sizeof(struct history), &block), 0);
	return block;
}

static struct ilk_snapshot_handle snapshot_in(struct ilk_segment *seg)
{
	const struct ilk_snapshot_options two = {.size = sizeof two, .copies = 2};
	struct ilk_snapshot_handle h;

	CHECK_RC(ilk_snapshot_open(seg, "value", WORDS * sizeof(uint64_t), &two, &h), 0);
	return h;
}

/* --- writers --- */

static void note_published(struct history *h, uint64_t version)
{
	uint64_t noted = ilk_load_acquire_(&h->published);

	while (noted < version && !ilk_cas_full_(&h->published, &noted, version))
		;
}

static void fill(uint64_t *value, uint64_t word)
{
	for (int i = 0; i < WORDS; i++)
		value[i] = word;
}

static void check_whole(const uint64_t *value)
{
	for (int i = 1; i < WORDS; i++)
		if (value[i] != value[0])
			ilk_test_fail("word %d is %llx, the first is %llx", i,
				(unsigned long long)value[i], (unsigned long long)value[0]);
}

/* 1: a thread ends in the middle. */
static int change(const struct ilk_snapshot_handle *h, struct history *history, unsigned worker)
{
	uint64_t version;
	void *value;

	CHECK_RC(ilk_snapshot_begin(h, &value), 0);
	check_whole(value);
	if (end_one_in && random_below(worker, end_one_in) == 0) {
		fill(value, 1);
		((uint64_t *)value)[0] = 2;
		tally_of(worker)->deaths++;
		return 1;
	}
	fill(value, random_below(worker, UINT64_MAX));
	if (random_below(worker, 10) == 0) {
		CHECK_RC(ilk_snapshot_abort(h), 0);
		return 0;
	}
	CHECK_RC(ilk_snapshot_commit(h, &version), 0);
	note_published(history, version);
	return 0;
}

static int publish(const struct ilk_snapshot_handle *h, struct history *history, unsigned worker)
{
	uint64_t value[WORDS], version;
	ilk_time since = ilk_now();

	fill(value, random_below(worker, UINT64_MAX));
	CHECK_RC(ilk_snapshot_publish(h, value, &version), 0);
	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
	note_published(history, version);
	return 0;
}

/* --- readers --- */

static uint64_t read_one(const struct ilk_snapshot_handle *h, struct history *history,
	unsigned worker, uint64_t last)
{
	uint64_t value[WORDS], version, least = ilk_load_acquire_(&history->published);
	ilk_time since = ilk_now();

	if (random_below(worker, 20) == 0) {
		int rc = ilk_snapshot_wait_until(
			h, last, since + (int64_t)random_below(worker, 300000), &version);

		CHECK(rc == -ETIMEDOUT || (rc == 0 && version > last));
	}
	since = ilk_now();
	CHECK_RC(ilk_snapshot_read(h, value, &version), 0);
	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
	if (version < last || version < least)
		ilk_test_fail("version %llu after %llu, when %llu was published",
			(unsigned long long)version, (unsigned long long)last,
			(unsigned long long)least);
	check_whole(value);
	ilk_add_relaxed_(&history->reads, UINT64_C(1));
	return version;
}

/* --- crews --- */

/* 1: a thread ends in the middle. */
static int take_part(struct ilk_segment *seg, unsigned worker)
{
	struct ilk_snapshot_handle h = snapshot_in(seg);
	struct history *history = history_in(seg);
	uint64_t last = 0;

	while (!time_is_over()) {
		if (worker >= WRITERS)
			last = read_one(&h, history, worker, last);
		else if ((random_below(worker, 2) ? change : publish)(&h, history, worker))
			return 1;
	}
	return 0;
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

static void make_history(unsigned handshake)
{
	const struct ilk_segment_options options = {.size = sizeof options, .flags = handshake};
	struct ilk_segment *seg;

	strcpy(name, ilk_test_name(""));
	seg = support_create(name, &options);
	snapshot_in(seg);
	history_in(seg);
	ilk_segment_close(seg);
	end_one_in = 0;
}

static void check_history(void)
{
	struct ilk_segment *seg = support_open(name);
	struct ilk_snapshot_handle h = snapshot_in(seg);
	struct history *history = history_in(seg);
	uint64_t versions = ilk_snapshot_version(&h), deaths = 0;

	CHECK_RC(ilk_segment_valid(seg), 0);
	for (unsigned i = 0; i < WRITERS; i++)
		deaths += (uint64_t)tally_of(i)->deaths;
	print_message("%llu versions, %llu reads\n", (unsigned long long)versions,
		(unsigned long long)history->reads);
	assert_true(versions > 100 && history->reads > 100);
	/* A death between the commit and the note costs the note one. */
	assert_in_range(versions, history->published, history->published + deaths);
	read_one(&h, history, 0, versions);
	check_longest_stall();
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_versions_of_killed_processes(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	make_history(0);
	run_processes(work_apart, NULL);
	check_history();
}

static void test_versions_of_ending_threads(void **state)
{
	(void)state;
	make_history(ILK_SEGMENT_FENCED);
	common = support_open(name);
	end_one_in = 500;
	run_threads(work_together);
	check_history();
	ilk_segment_close(common);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_versions_of_killed_processes),
		STRESS_TEST(test_versions_of_ending_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
