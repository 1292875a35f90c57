/*
 * memory.c - a stack of blocks of random sizes, under random deaths.
 *
 * Workers push and pop under a robust mutex. Each push and each pop is one step, so that who is
 * told ILK_RECOVERED has nothing to put right. In the end every block on the stack is whole, and
 * when all are freed, as much memory is used as in the beginning: what the dead had not published
 * has come back.
 */
#include "stress.h"
#include <errno.h>
#include <string.h>

enum { BYTES = 1 << 20, LARGEST = 6000 };

struct item {
	ILK_REF(struct item) next;
	uint64_t bytes;
	uint64_t pattern[];
};

struct stack {
	struct ilk_mutex mutex;
	ILK_REF(struct item) first;
	uint64_t recoveries;
};

static char name[64];
static struct ilk_usage start; /* what was used in the beginning */

static struct stack *stack_in(struct ilk_segment *seg)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "stack", sizeof(struct stack), &block), 0);
	return block;
}

static void make_stack(unsigned flags)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .bytes = BYTES, .flags = flags};
	struct ilk_segment *seg;

	strcpy(name, ilk_test_name(""));
	seg = support_create(name, &options);
	CHECK_RC(ilk_mutex_init(seg, &stack_in(seg)->mutex, "stack", NULL), 0);
	CHECK_RC(ilk_usage(seg, &start), 0);
	ilk_segment_close(seg);
}

/* --- items --- */

static uint64_t pattern_of(uint64_t bytes, uint64_t i)
{
	return (bytes << 32 | i) * 0x9e3779b97f4a7c15u;
}

static uint64_t words_of(uint64_t bytes)
{
	return (bytes - sizeof(struct item)) / sizeof(uint64_t);
}

static void fill(struct item *item, uint64_t bytes)
{
	item->bytes = bytes;
	for (uint64_t i = 0; i < words_of(bytes); i++)
		item->pattern[i] = pattern_of(bytes, i);
}

static void check_whole(const struct item *item)
{
	CHECK(item->bytes >= sizeof *item && item->bytes < sizeof *item + LARGEST);
	for (uint64_t i = 0; i < words_of(item->bytes); i++)
		CHECK(item->pattern[i] == pattern_of(item->bytes, i));
}

/* --- the stack --- */

/* The moments at which a worker that is a thread may end: never where it is a process. */
static unsigned end_one_in;

static int ends_here(unsigned worker)
{
	int ends = end_one_in && random_below(worker, end_one_in) == 0;

	tally_of(worker)->deaths += ends;
	return ends;
}

static void note_wait(unsigned worker, ilk_time since)
{
	if (ilk_now() - since > tally_of(worker)->longest)
		tally_of(worker)->longest = ilk_now() - since;
}

static void lock(struct stack *stack, unsigned worker)
{
	ilk_time since = ilk_now();
	int rc = ilk_mutex_lock(&stack->mutex);

	note_wait(worker, since);
	CHECK(rc == 0 || rc == ILK_RECOVERED);
	if (rc == 0)
		return;
	stack->recoveries++;
	CHECK_RC(ilk_mutex_repaired(&stack->mutex), 0);
}

/* 1: the worker ends in the middle of it; 0; -ENOSPC. */
static int push(struct ilk_segment *seg, struct stack *stack, unsigned worker)
{
	uint64_t bytes = sizeof(struct item) + random_below(worker, LARGEST);
	ilk_time since = ilk_now();
	struct item *item;
	void *memory;
	int rc = ilk_alloc(seg, bytes, &memory);

	note_wait(worker, since);
	if (rc == -ENOSPC)
		return rc;
	CHECK_RC(rc, 0);
	item = memory;
	fill(item, bytes);
	if (ends_here(worker))
		return 1;
	lock(stack, worker);
	item->next.any = stack->first.any;
	if (ends_here(worker))
		return 1;
	CHECK_RC(ilk_publish(seg, item, &stack->first), 0);
	if (ends_here(worker))
		return 1;
	CHECK_RC(ilk_mutex_unlock(&stack->mutex), 0);
	return 0;
}

/* 1: the worker ends in the middle of it; 0; -ENOENT: the stack is empty. */
static int pop(struct ilk_segment *seg, struct stack *stack, unsigned worker)
{
	struct item *item;

	lock(stack, worker);
	item = ilk_at(seg, stack->first);
	if (item) {
		check_whole(item);
		CHECK_RC(ilk_free(seg, item, &stack->first, item->next.any), 0);
	}
	if (ends_here(worker))
		return 1;
	CHECK_RC(ilk_mutex_unlock(&stack->mutex), 0);
	return item ? 0 : -ENOENT;
}

/* Rather up for a while, then rather down, so that it is full at times, and at times empty. */
static void work(struct ilk_segment *seg, struct stack *stack, unsigned worker)
{
	int up = 1;

	while (!time_is_over()) {
		int rc = random_below(worker, 10) < (up ? 6 : 4) ? push(seg, stack, worker)
								 : pop(seg, stack, worker);

		if (rc > 0)
			return;
		if (rc == -ENOSPC)
			tally_of(worker)->halfway++;
		if (rc < 0)
			up = rc == -ENOENT;
		tally_of(worker)->done++;
		dawdle(worker, 40);
	}
}

/* --- crews --- */

static void work_apart(unsigned worker)
{
	struct ilk_segment *seg = open_elsewhere(worker, name);

	work(seg, stack_in(seg), worker);
	ilk_segment_close(seg);
}

static struct ilk_segment *common;

static void work_together(unsigned worker)
{
	work(common, stack_in(common), worker);
}

/* Pops all. How many there were. */
static int64_t empty(struct ilk_segment *seg, struct stack *stack)
{
	int64_t count = 0;

	while (pop(seg, stack, 0) == 0)
		count++;
	return count;
}

static void check_usage(struct ilk_segment *seg)
{
	struct ilk_usage usage;
	void *memory;

	/* What cannot be allocated has the blocks of the dead collected first. */
	CHECK_RC(ilk_alloc(seg, BYTES, &memory), -ENOSPC);
	CHECK_RC(ilk_usage(seg, &usage), 0);
	assert_int_equal(usage.used, start.used);
	assert_int_equal(usage.blocks, start.blocks);
	assert_int_equal(usage.largest, start.largest);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

static void check_and_remove(void)
{
	struct ilk_segment *seg = support_open(name);
	struct stack *stack = stack_in(seg);
	int64_t done = 0, full = 0, left;

	for (unsigned i = 0; i < WORKERS; i++) {
		done += tally_of(i)->done;
		full += tally_of(i)->halfway;
	}
	end_one_in = 0;
	CHECK_RC(ilk_segment_valid(seg), 0);
	left = empty(seg, stack);
	print_message("%lld acts, %lld times full, %lld deaths with the mutex, %lld blocks left\n",
		(long long)done, (long long)full, (long long)stack->recoveries, (long long)left);
	check_usage(seg);
	check_longest_stall();
	ilk_segment_close(seg);
	support_unlink(name);
}

static void test_blocks_of_killed_processes_are_linked_or_free(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	make_stack(0);
	end_one_in = 0;
	run_processes(work_apart, NULL);
	check_and_remove();
}

static void test_blocks_of_killed_processes_are_linked_or_free_when_fenced(void **state)
{
	(void)state;
	SKIP_UNDER_TSAN();
	make_stack(ILK_SEGMENT_FENCED);
	end_one_in = 0;
	run_processes(work_apart, NULL);
	check_and_remove();
}

static void test_blocks_of_ending_threads_are_linked_or_free(void **state)
{
	(void)state;
	make_stack(0);
	common = support_open(name);
	end_one_in = 2000;
	run_threads(work_together);
	check_and_remove();
	ilk_segment_close(common);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STRESS_TEST(test_blocks_of_killed_processes_are_linked_or_free),
		STRESS_TEST(test_blocks_of_killed_processes_are_linked_or_free_when_fenced),
		STRESS_TEST(test_blocks_of_ending_threads_are_linked_or_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
