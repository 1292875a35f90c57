/* memory_refs.c - references, and whose a block is: publishing, freeing, and what the dead leave. */
#include "memory_fixture.h"
#include <signal.h>

struct node {
	ILK_REF(struct node) next;
	int64_t value;
};

/* At the same place in every process that opens it by name. */
struct list {
	ILK_REF(struct node) first;
	char odd[24];
};

static struct list *list_in(struct ilk_segment *in)
{
	void *memory = NULL;

	CHECK_RC(ilk_block_open(in, "list", sizeof(struct list), &memory), 0);
	return memory;
}

static struct node *push(struct ilk_segment *in, int64_t value)
{
	struct list *list = list_in(in);
	void *memory = NULL;
	struct node *n;

	CHECK_RC(ilk_alloc(in, sizeof *n, &memory), 0);
	n = memory;
	n->value = value;
	n->next.any = list->first.any;
	CHECK_RC(ilk_publish(in, n, &list->first), 0);
	return n;
}

/* --- references --- */

static void look_and_push_at_another_address(void *here)
{
	struct ilk_segment *own = support_open(ilk_test_name(""));
	struct list *list = list_in(own);
	struct node *n = ilk_at(own, list->first);

	CHECK((void *)list != here);
	CHECK(n != NULL && n->value == 7 && ilk_at(own, n->next) == NULL);
	CHECK(ilk_ref_to(own, n).offset == list->first.any.offset);
	push(own, 8);
	ilk_segment_close(own);
}

static void test_a_reference_leads_to_the_same_block_in_every_process(void **state)
{
	struct list *list = list_in(seg);
	struct node *n = push(seg, 7), *second;

	(void)state;
	CHECK(ilk_at(seg, list->first) == n);
	CHECK(ilk_ref_to(seg, n).offset == list->first.any.offset);
	ilk_test_in_child(look_and_push_at_another_address, list);
	second = ilk_at(seg, list->first);
	CHECK(second != NULL && second != n && second->value == 8);
	CHECK(ilk_at(seg, second->next) == n);
}

static struct node *at(uint64_t offset)
{
	ILK_REF(struct node) ref = {{offset}};

	return ilk_at(seg, ref);
}

static void test_references_that_lead_out_of_the_arena_are_NULL(void **state)
{
	const uint64_t bytes = ilk_segment_bytes(seg), arena = bytes - usage().bytes;
	const uint64_t last = bytes - sizeof(struct node);

	(void)state;
	CHECK(at(0) == NULL);
	for (uint64_t offset = 8; offset < arena; offset += 8)
		CHECK(at(offset) == NULL);
	CHECK(at(arena) != NULL && at(last) != NULL);
	for (uint64_t offset = last + 1; offset < bytes + 100; offset++)
		CHECK(at(offset) == NULL);
	for (int bit = 20; bit < 64; bit++)
		CHECK(at(UINT64_C(1) << bit) == NULL);
	for (uint64_t below = 1; below < 100; below++)
		CHECK(at(UINT64_MAX - below + 1) == NULL);
	CHECK(ilk_at_(seg, (struct ilk_ref){arena}, SIZE_MAX) == NULL);
	CHECK(ilk_at_(seg, (struct ilk_ref){arena}, (size_t)(bytes - arena)) != NULL);
	CHECK(ilk_at_(seg, (struct ilk_ref){arena}, (size_t)(bytes - arena) + 1) == NULL);
}

static void test_ref_to_what_lies_elsewhere_leads_nowhere(void **state)
{
	char *base = base_of_segment();
	const uint64_t bytes = ilk_segment_bytes(seg);

	(void)state;
	CHECK(ilk_nowhere().offset == 0);
	CHECK(ilk_ref_to(seg, NULL).offset == 0);
	CHECK(ilk_ref_to(seg, &bytes).offset == 0);
	CHECK(ilk_ref_to(seg, base).offset == 0);
	CHECK(ilk_ref_to(seg, base - 1).offset == 0);
	CHECK(ilk_ref_to(seg, base + bytes - 1).offset == bytes - 1);
	CHECK(ilk_ref_to(seg, base + bytes).offset == 0);
	CHECK(ilk_ref_to(seg, (void *)UINTPTR_MAX).offset == 0);
}

/* --- publishing --- */

static int publish_in_a_thread(void *block)
{
	return ilk_publish_alone(seg, block);
}

static int free_in_a_thread(void *block)
{
	return ilk_free_alone(seg, block);
}

static void test_publish_is_for_who_allocated_it_and_once(void **state)
{
	struct list *list = list_in(seg);
	struct node *n = (void *)take(sizeof *n);

	(void)state;
	CHECK_RC(support_in_thread(publish_in_a_thread, n), -EPERM);
	CHECK_RC(ilk_publish(seg, n, &list->first), 0);
	CHECK_RC(ilk_publish(seg, n, &list->first), -EPERM);
	CHECK_RC(ilk_publish_alone(seg, n), -EPERM);
	CHECK(ilk_at(seg, list->first) == n);
	CHECK_RC(ilk_free(seg, n, &list->first, ilk_nowhere()), 0);
	CHECK_RC(ilk_publish(seg, n, &list->first), -EINVAL);
	CHECK(ilk_at(seg, list->first) == NULL);
}

static void test_publish_with_a_reference_that_lies_elsewhere_is_EINVAL(void **state)
{
	struct list *list = list_in(seg), *within = (void *)(list->odd + 1), here = {0};
	struct node *n = (void *)take(sizeof *n);
	char *base = base_of_segment();

	(void)state;
	CHECK_RC(ilk_publish_(seg, n, &here.first.any), -EINVAL);
	CHECK_RC(ilk_publish_(seg, n, (void *)within), -EINVAL);
	CHECK_RC(ilk_publish_(seg, n, (void *)base), -EINVAL);
	CHECK_RC(ilk_publish_(seg, n, (void *)(base + ilk_segment_bytes(seg))), -EINVAL);
	CHECK_RC(ilk_free_(seg, n, &here.first.any, ilk_nowhere()), -EINVAL);
	CHECK(here.first.any.offset == 0 && is_filled(list->odd, sizeof list->odd, 0));
	/* It is ours still. */
	CHECK_RC(ilk_publish(seg, n, &list->first), 0);
}

/* --- freeing --- */

static void test_an_unpublished_block_of_another_thread_is_EPERM(void **state)
{
	struct ilk_usage before = usage();
	char *block = take(100);

	(void)state;
	CHECK_RC(support_in_thread(free_in_a_thread, block), -EPERM);
	CHECK_RC(ilk_publish_alone(seg, block), 0);
	CHECK_RC(support_in_thread(free_in_a_thread, block), 0);
	CHECK_RC(ilk_free_alone(seg, block), -EINVAL);
	check_given_back(&before);
}

static void pop_all_at_another_address(void *arg)
{
	struct ilk_segment *own = support_open(ilk_test_name(""));
	struct list *list = list_in(own);
	struct node *n;
	int64_t value = 5;

	(void)arg;
	while ((n = ilk_at(own, list->first))) {
		CHECK(n->value == --value);
		CHECK_RC(ilk_free(own, n, &list->first, n->next.any), 0);
	}
	CHECK(value == 0);
	ilk_segment_close(own);
}

static void test_published_blocks_are_anybodys_to_free(void **state)
{
	struct list *list = list_in(seg);
	struct ilk_usage before = usage();

	(void)state;
	for (int i = 0; i < 5; i++)
		push(seg, i);
	ilk_test_in_child(pop_all_at_another_address, NULL);
	CHECK(list->first.any.offset == 0);
	check_given_back(&before);
}

static void test_free_through_a_reference_that_leads_elsewhere_is_EINVAL(void **state)
{
	struct list *list = list_in(seg);
	struct node *first = push(seg, 1), *second = push(seg, 2);

	(void)state;
	CHECK_RC(ilk_free(seg, first, &list->first, ilk_nowhere()), -EINVAL);
	CHECK_RC(ilk_free(seg, second, &second->next, ilk_nowhere()), -EINVAL);
	CHECK(ilk_at(seg, list->first) == second && ilk_at(seg, second->next) == first);
	/* From the middle: what led to it leads to what it led to. */
	CHECK_RC(ilk_free(seg, first, &second->next, first->next.any), 0);
	CHECK(ilk_at(seg, second->next) == NULL && ilk_at(seg, list->first) == second);
	CHECK_RC(ilk_free(seg, second, &list->first, second->next.any), 0);
	CHECK(ilk_at(seg, list->first) == NULL);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

/* --- what the dead leave --- */

/* Has most of the memory, and something published. */
static void take_most(void *arg)
{
	(void)arg;
	push(seg, 42);
	take(most());
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static int take_most_and_end(void *arg)
{
	(void)arg;
	push(seg, 42);
	take(most());
	return 0;
}

/* Of all that it takes it leaves just one thing. */
static int come_and_go_and_leave_one(void *arg)
{
	char *freed = take(100), *published = take(100);

	(void)arg;
	CHECK_RC(ilk_free_alone(seg, freed), 0);
	take(most());
	CHECK_RC(ilk_publish_alone(seg, published), 0);
	return ilk_free_alone(seg, published);
}

static int take_most_only(void *arg)
{
	(void)arg;
	take(most());
	return 0;
}

static void take_most_and_exit(void *arg)
{
	take_most_and_end(arg);
}

/* What somebody had not published, who is gone, is there for us; what he had is there for all. */
static void check_comes_back(void)
{
	struct node *n;

	CHECK_RC(ilk_free_alone(seg, take(most())), 0);
	n = ilk_at(seg, list_in(seg)->first);
	CHECK(n != NULL && n->value == 42);
	CHECK_RC(ilk_free(seg, n, &list_in(seg)->first, n->next.any), 0);
	CHECK(usage().blocks == 1);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

static void test_unpublished_blocks_of_a_killed_process_come_back(void **state)
{
	struct ilk_test_child *child = ilk_test_start(take_most, NULL);

	(void)state;
	ilk_test_await(0);
	CHECK(usage().used > most());
	ilk_test_kill(child);
	CHECK(usage().used > most());
	check_comes_back();
}

static void test_unpublished_blocks_of_an_ended_thread_come_back(void **state)
{
	(void)state;
	CHECK_RC(support_in_thread(take_most_and_end, NULL), 0);
	CHECK(usage().used > most());
	check_comes_back();
	CHECK_RC(support_in_thread(come_and_go_and_leave_one, NULL), 0);
	CHECK_RC(support_in_thread(take_most_only, NULL), 0);
	CHECK_RC(ilk_free_alone(seg, take(most())), 0);
	CHECK(usage().blocks == 1);
}

static void test_unpublished_blocks_of_a_process_that_exits_come_back(void **state)
{
	(void)state;
	ilk_test_in_child(take_most_and_exit, NULL);
	check_comes_back();
}

static void test_unpublished_blocks_of_a_process_that_closes_come_back(void **state)
{
	struct ilk_segment *other = seg;

	(void)state;
	take_most_and_end(NULL);
	CHECK_RC(ilk_segment_close(other), 0);
	seg = support_open(ilk_test_name(""));
	check_comes_back();
}

static void test_unpublished_blocks_of_the_living_and_the_stopped_stay(void **state)
{
	struct ilk_test_child *child = ilk_test_start(take_most, NULL);
	void *memory = NULL;
	size_t wanted;

	(void)state;
	ilk_test_await(0);
	wanted = most();
	CHECK_RC(ilk_alloc(seg, wanted, &memory), -ENOSPC);
	ilk_test_stop(child);
	CHECK_RC(ilk_alloc(seg, wanted, &memory), -ENOSPC);
	CHECK(memory == NULL && usage().blocks == 3);
	CHECK_RC(ilk_segment_valid(seg), 0);
	ilk_test_continue(child);
	ilk_test_kill(child);
	check_comes_back();
}

/* --- forked --- */

static void be_a_child_with_blocks_of_its_own(void *parents)
{
	char *block = take(100);

	CHECK_RC(ilk_free_alone(seg, parents), -EPERM);
	CHECK_RC(ilk_publish_alone(seg, parents), -EPERM);
	memset(block, 1, 100);
	CHECK_RC(ilk_free_alone(seg, block), 0);
	push(seg, 42);
	take(200);
	ilk_test_say(0);
	ilk_test_await(1);
	CHECK_RC(ilk_segment_valid(seg), 0);
}

static void test_a_forked_child_has_blocks_of_its_own(void **state)
{
	char *mine = take(100);
	struct ilk_test_child *child;
	struct node *n;

	(void)state;
	memset(mine, 7, 100);
	child = ilk_test_start(be_a_child_with_blocks_of_its_own, mine);
	ilk_test_await(0);
	/* The parent's, the child's, the published one, and the list. */
	CHECK(usage().blocks == 4);
	n = ilk_at(seg, list_in(seg)->first);
	CHECK(n != NULL && n->value == 42);
	ilk_test_say(1);
	ilk_test_join(child);
	CHECK(is_filled(mine, 100, 7));
	CHECK_RC(ilk_publish_alone(seg, mine), 0);
	CHECK_RC(ilk_free_alone(seg, mine), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_a_reference_leads_to_the_same_block_in_every_process),
		SEGMENT_TEST(test_references_that_lead_out_of_the_arena_are_NULL),
		SEGMENT_TEST(test_ref_to_what_lies_elsewhere_leads_nowhere),
		SEGMENT_TEST(test_publish_is_for_who_allocated_it_and_once),
		SEGMENT_TEST(test_publish_with_a_reference_that_lies_elsewhere_is_EINVAL),
		SEGMENT_TEST(test_an_unpublished_block_of_another_thread_is_EPERM),
		SEGMENT_TEST(test_published_blocks_are_anybodys_to_free),
		SEGMENT_TEST(test_free_through_a_reference_that_leads_elsewhere_is_EINVAL),
		SEGMENT_TEST(test_unpublished_blocks_of_a_killed_process_come_back),
		SEGMENT_TEST(test_unpublished_blocks_of_an_ended_thread_come_back),
		SEGMENT_TEST(test_unpublished_blocks_of_a_process_that_exits_come_back),
		SEGMENT_TEST(test_unpublished_blocks_of_a_process_that_closes_come_back),
		SEGMENT_TEST(test_unpublished_blocks_of_the_living_and_the_stopped_stay),
		SEGMENT_TEST(test_a_forked_child_has_blocks_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
