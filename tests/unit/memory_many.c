/* memory_many.c - many at once, and many names. */
#include "memory_fixture.h"
#include <stdio.h>
#include <unistd.h>

enum { AT_ONCE = 4, MINE = 20 };

static const struct ilk_test_options threads = {.size = sizeof threads, .flags = ILK_TEST_THREADS};

static int rounds(void)
{
	return support_slow() ? 500 : 5000;
}

/* Allocates, fills, publishes some, looks, frees: by and by, and at the end all. */
static void come_and_go(struct ilk_segment *in, unsigned index, void *arg)
{
	unsigned char *blocks[MINE] = {0};
	size_t sizes[MINE];
	uint32_t random = (uint32_t)gettid();
	unsigned char mark = (unsigned char)(random | 1);

	(void)index, (void)arg;
	for (int round = 0; round < rounds() + MINE; round++) {
		uint32_t i = round < rounds() ? next_random(&random) % MINE
					      : (uint32_t)(round - rounds());

		if (blocks[i]) {
			CHECK(blocks[i][0] == mark && blocks[i][sizes[i] - 1] == mark);
			CHECK_RC(ilk_free_alone(in, blocks[i]), 0);
			blocks[i] = NULL;
		} else if (round < rounds()) {
			void *memory = NULL;

			sizes[i] = 1 + next_random(&random) % 2000;
			CHECK_RC(ilk_alloc_aligned(in, sizes[i],
					 (size_t)64 << next_random(&random) % 4, &memory),
				0);
			blocks[i] = memory;
			CHECK(is_filled(memory, sizes[i], 0));
			memset(memory, mark, sizes[i]);
			if (next_random(&random) % 2)
				CHECK_RC(ilk_publish_alone(in, memory), 0);
		}
	}
}

static void test_threads_at_once_leave_everything_in_order(void **state)
{
	struct ilk_usage before = usage();

	(void)state;
	ilk_test_run(AT_ONCE, seg, come_and_go, NULL, &threads);
	check_given_back(&before);
}

static void test_processes_at_once_leave_everything_in_order(void **state)
{
	const struct ilk_test_options apart = {.size = sizeof apart, .flags = ILK_TEST_REOPEN};
	struct ilk_usage before = usage();

	(void)state;
	ilk_test_run(AT_ONCE, seg, come_and_go, NULL, &apart);
	check_given_back(&before);
}

/* --- running short, all at once --- */

/* Asks for more than there is, together with the others: who gets it, gives it back. */
static void run_short(struct ilk_segment *in, unsigned index, void *arg)
{
	size_t share = ilk_segment_bytes(in) / 3;

	(void)index, (void)arg;
	for (int round = 0; round < rounds() / 20; round++) {
		void *memory = NULL;
		int rc = ilk_alloc(in, share, &memory);

		CHECK(rc == 0 || rc == -ENOSPC);
		CHECK((rc == 0) == (memory != NULL));
		if (rc == 0)
			CHECK_RC(ilk_free_alone(in, memory), 0);
	}
}

static void test_running_short_at_once_takes_nothing_from_the_living(void **state)
{
	struct ilk_usage before = usage();

	(void)state;
	ilk_test_run(AT_ONCE, seg, run_short, NULL, &threads);
	check_given_back(&before);
	ilk_test_run(AT_ONCE, seg, run_short, NULL, NULL);
	check_given_back(&before);
}

/* --- names --- */

static int64_t *open_word(struct ilk_segment *in, int i)
{
	void *memory = NULL;
	char name[16];

	snprintf(name, sizeof name, "word%d", i);
	CHECK_RC(ilk_block_open(in, name, sizeof(int64_t), &memory), 0);
	return memory;
}

/* The time that it takes to make the words from BEGIN to END; and to find them, the shortest of some. */
static int64_t time_of_making(struct ilk_segment *in, int begin, int end)
{
	ilk_time began = ilk_now();

	for (int i = begin; i < end; i++)
		*open_word(in, i) = i;
	return ilk_now() - began;
}

static int64_t time_of_finding(struct ilk_segment *in, int begin, int end)
{
	int64_t best = INT64_MAX;

	for (int round = 0; round < 5; round++) {
		ilk_time began = ilk_now();

		for (int i = begin; i < end; i++)
			CHECK(*open_word(in, i) == i);
		if (ilk_now() - began < best)
			best = ilk_now() - began;
	}
	return best;
}

static void test_tens_of_thousands_of_names_are_found_soon(void **state)
{
	const struct ilk_segment_options large = {.size = sizeof large, .bytes = 64 << 20};
	const int names = support_slow() ? 10000 : 60000, end = names - 1000;
	struct ilk_segment *in = support_create(ilk_test_name("large"), &large);
	int64_t made[2], found[2];
	struct ilk_usage u;

	(void)state;
	made[0] = time_of_making(in, 0, 1000);
	time_of_making(in, 1000, end);
	made[1] = time_of_making(in, end, names);
	for (int i = 0; i < names; i++)
		CHECK(*open_word(in, i) == i);
	CHECK_RC(ilk_usage(in, &u), 0);
	CHECK(u.blocks == (uint64_t)names);
	CHECK_RC(ilk_segment_valid(in), 0);
	found[0] = time_of_finding(in, 0, 1000);
	found[1] = time_of_finding(in, end, names);
	print_message("the first 1000: made in %d us, found in %d; of %d the last: %d, %d\n",
		(int)(made[0] / 1000), (int)(found[0] / 1000), names, (int)(made[1] / 1000),
		(int)(found[1] / 1000));
	CHECK(found[1] < 20 * found[0]);
	/* Here another process may have been given the core. */
	CHECK(made[1] < 20 * made[0] + 20 * INT64_C(1000000));
	ilk_segment_close(in);
	support_unlink(ilk_test_name("large"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_threads_at_once_leave_everything_in_order),
		SEGMENT_TEST(test_processes_at_once_leave_everything_in_order),
		SEGMENT_TEST(test_running_short_at_once_takes_nothing_from_the_living),
		SEGMENT_TEST(test_tens_of_thousands_of_names_are_found_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
