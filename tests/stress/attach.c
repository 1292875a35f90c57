/*
 * attach.c - coming and going under SIGKILL: slots, directory and arena stay whole.
 *
 * Workers attach, use objects old and new, close; and are killed anywhere in it. Nobody is ever
 * turned away while there are more slots than workers, and in the end nothing is damaged.
 */
#include "stress.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PROCESSES = 8, BLOCKS = 200, BLOCK = 700 };

static char name[64];

static void use_block(struct ilk_segment *seg, unsigned number)
{
	unsigned char *bytes;
	char block[16];
	void *memory;

	snprintf(block, sizeof block, "block%u", number);
	CHECK_RC(ilk_block_open(seg, block, BLOCK, &memory), 0);
	bytes = memory;
	/* Zero as yet, or what others wrote in it: never what belongs to another block. */
	for (int i = 0; i < BLOCK; i += 100) {
		unsigned char found = ilk_load_relaxed_(&bytes[i]);

		CHECK(found == 0 || found == (unsigned char)(number + 1));
		ilk_store_relaxed_(&bytes[i], (unsigned char)(number + 1));
	}
}

static void use_mutex(struct ilk_segment *seg)
{
	struct ilk_mutex *m = support_mutex(seg, "mutex");
	int rc = ilk_mutex_lock(m);

	CHECK(rc == 0 || rc == ILK_RECOVERED);
	if (rc == ILK_RECOVERED)
		CHECK_RC(ilk_mutex_repaired(m), 0);
	CHECK_RC(ilk_mutex_unlock(m), 0);
}

static void come_and_go(unsigned worker)
{
	while (!time_is_over()) {
		ilk_time since = ilk_now();
		struct ilk_segment *seg = support_open(name);

		CHECK_RC(ilk_counter_add(support_counter(seg, "visits"), 1), 0);
		if (random_below(worker, 2))
			use_mutex(seg);
		if (random_below(worker, 2))
			use_block(seg, (unsigned)random_below(worker, BLOCKS));
		ilk_segment_close(seg);
		if (ilk_now() - since > tally_of(worker)->longest)
			tally_of(worker)->longest = ilk_now() - since;
	}
}

static void be_a_member(void *arg)
{
	struct ilk_segment *seg = support_open(name);

	(void)arg;
	CHECK_RC(ilk_counter_add(support_counter(seg, "members"), 1), 0);
	use_mutex(seg);
	ilk_add_full_(&ilk_test_board()->value[0], 1);
	ilk_test_sleep_for_ever();
}

static int all_are_there(void *arg)
{
	(void)arg;
	return ilk_load_acquire_(&ilk_test_board()->value[0]) == PROCESSES;
}

/* Every slot can be had again, and not one more. */
static void check_slots(void)
{
	struct ilk_test_child *members[PROCESSES];
	struct ilk_segment *seg;

	for (int i = 0; i < PROCESSES; i++)
		members[i] = ilk_test_start(be_a_member, NULL);
	ilk_test_until(all_are_there, NULL);
	CHECK_RC(ilk_segment_open(name, NULL, &seg), -EUSERS);
	for (int i = 0; i < PROCESSES; i++)
		ilk_test_kill(members[i]);
}

static void check_whole(void)
{
	struct ilk_segment *seg = support_open(name);
	struct ilk_inspection *in;

	use_mutex(seg);
	for (unsigned i = 0; i < BLOCKS; i++)
		use_block(seg, i);
	CHECK_RC(ilk_inspect(name, &in), 0);
	assert_string_equal(in->damage, "");
	for (size_t i = 0; i < in->object_count; i++)
		assert_string_equal(in->objects[i].damage, "");
	assert_int_equal(in->object_count, BLOCKS + 3);
	print_message("%lld visits\n", (long long)ilk_counter_read(support_counter(seg, "visits")));
	ilk_inspection_free(in);
	ilk_segment_close(seg);
}

static void test_attach_and_close_under_kills_leave_all_whole(void **state)
{
	const struct ilk_segment_options few = {
		.size = sizeof few, .processes = PROCESSES, .threads = PROCESSES};

	(void)state;
	SKIP_UNDER_TSAN();
	strcpy(name, ilk_test_name(""));
	ilk_segment_close(support_create(name, &few));
	run_processes(come_and_go, NULL);
	check_longest_stall();
	check_slots();
	check_whole();
	support_unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_attach_and_close_under_kills_leave_all_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
