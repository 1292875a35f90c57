/*
 * loops.c - lists of the directory that lead back into themselves: found out, at once.
 */
#include "segment/layout.h"
#include "segment/registry.h"
#include "support.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { MOST_MS = 1000, MOST_KIB = 32 << 10, MOST_ENTRIES = 1 << 16 };

static struct ilk_segment *seg;
static struct ilk_entry_ *entries[MOST_ENTRIES];

static int loops_setup(void **state)
{
	const struct ilk_segment_options large = {.size = sizeof large, .bytes = 64 << 20};

	if (ilk_test_setup(state) < 0)
		return -1;
	return ilk_segment_create(ilk_test_name(""), &large, &seg);
}

static int loops_teardown(void **state)
{
	ilk_segment_close(seg);
	ilk_segment_unlink(ilk_test_name(""));
	return ilk_test_teardown(state);
}

#define LOOPS_TEST(f) cmocka_unit_test_setup_teardown(f, loops_setup, loops_teardown)

/* COUNT entries, of the counters "b0", "b1", ... */
static void make_entries(uint32_t count)
{
	CHECK(count <= MOST_ENTRIES);
	for (uint32_t i = 0; i < count; i++) {
		char name[16];

		snprintf(name, sizeof name, "b%u", i);
		entries[i] = (struct ilk_entry_ *)(void *)support_counter(seg, name) - 1;
		CHECK(strcmp(entries[i]->name, name) == 0);
	}
}

static uint64_t place_of(uint32_t i)
{
	return (uint64_t)((const char *)entries[i] - seg->map.base);
}

static long resident_kib(void)
{
	struct rusage use;

	CHECK(getrusage(RUSAGE_SELF, &use) == 0);
	return use.ru_maxrss;
}

/* In a child of its own, whose memory is bounded. */
static void inspect_soon_and_small(void *name)
{
	const struct rlimit most = {1u << 30, 1u << 30};
	long before = resident_kib(), grown;
	struct ilk_inspection *in;
	ilk_time began = ilk_now();

	CHECK(setrlimit(RLIMIT_AS, &most) == 0);
	CHECK_RC(ilk_inspect(name, &in), 0);
	CHECK(ilk_now() - began < MOST_MS * INT64_C(1000000));
	grown = resident_kib() - before;
	if (grown > MOST_KIB)
		ilk_test_fail("grew by %ld KiB", grown);
	CHECK(strstr(in->damage, "directory") != NULL);
	ilk_inspection_free(in);
}

static void miss_soon(void *name)
{
	struct ilk_counter *counter = NULL;
	ilk_time began = ilk_now();

	CHECK_RC(ilk_counter_open(seg, name, &counter), -EBADMSG);
	CHECK(ilk_now() - began < MOST_MS * INT64_C(1000000));
	CHECK(counter == NULL);
}

static void check_loop(const char *missing)
{
	char segment[64], name[64];

	strcpy(segment, ilk_test_name(""));
	strcpy(name, missing);
	ilk_test_in_child(inspect_soon_and_small, segment);
	ilk_test_in_child(miss_soon, name);
}

/* A list of COUNT entries, the last of which leads to BACK_TO; "b0" is looked for in it in vain. */
static void check_list(uint32_t count, uint32_t back_to)
{
	make_entries(count);
	strcpy(entries[0]->name, "other");
	for (uint32_t i = 0; i < count; i++) {
		entries[i]->hash = entries[0]->hash;
		entries[i]->next = place_of(i + 1 < count ? i + 1 : back_to);
	}
	check_loop("b0");
}

static void test_an_entry_that_leads_to_itself_is_found_out(void **state)
{
	(void)state;
	check_list(1, 0);
}

static void test_two_entries_that_lead_to_each_other_are_found_out(void **state)
{
	(void)state;
	check_list(2, 0);
}

static void test_a_loop_far_down_a_list_is_found_out(void **state)
{
	(void)state;
	check_list(1000, 300);
}

static void test_loops_in_every_bucket_are_found_out(void **state)
{
	const uint32_t count = seg->map.header.buckets;
	uint64_t *buckets = (void *)(seg->map.base + seg->map.header.buckets_at);

	(void)state;
	make_entries(count);
	for (uint32_t i = 0; i < count; i++) {
		entries[i]->hash = i;
		entries[i]->next = buckets[i] = place_of(i);
	}
	check_loop("missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOPS_TEST(test_an_entry_that_leads_to_itself_is_found_out),
		LOOPS_TEST(test_two_entries_that_lead_to_each_other_are_found_out),
		LOOPS_TEST(test_a_loop_far_down_a_list_is_found_out),
		LOOPS_TEST(test_loops_in_every_bucket_are_found_out),
	};

	return cmocka_run_group_tests_name("loops", tests, NULL, NULL);
}
