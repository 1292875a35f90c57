/* object.c - removing, closing and listing named objects, within one process. */
#include "object_fixture.h"

/* --- names --- */

static void test_remove_frees_the_name_and_the_memory_at_once(void **state)
{
	uint64_t before = blocks();
	char *block = open_block("b"), *again;

	(void)state;
	block[0] = 'x';
	close_object(block);
	remove_object("b");
	CHECK(blocks() == before);
	CHECK_RC(ilk_object_remove(seg, "b"), -ENOENT);
	again = open_block("b");
	CHECK(again[0] == 0);
}

static void test_remove_what_is_not_there_is_ENOENT(void **state)
{
	(void)state;
	CHECK_RC(ilk_object_remove(seg, "nobody's"), -ENOENT);
	CHECK(strstr(ilk_last_error(), "nobody's") != NULL);
}

static void test_remove_odd_names_are_refused(void **state)
{
	char longest[65];

	(void)state;
	memset(longest, 'n', sizeof longest);
	longest[64] = 0;
	CHECK_RC(ilk_object_remove(seg, ""), -EINVAL);
	CHECK_RC(ilk_object_remove(seg, NULL), -EINVAL);
	CHECK_RC(ilk_object_remove(seg, "bell\a"), -EINVAL);
	CHECK_RC(ilk_object_remove(seg, longest), -ENAMETOOLONG);
	longest[63] = 0;
	close_object(open_block(longest));
	remove_object(longest);
}

static void test_remove_and_make_again_with_another_size_and_type(void **state)
{
	char *old = open_block("n"), *larger;
	struct ilk_counter *counter;

	(void)state;
	memset(old, 7, SIZE);
	remove_object("n");
	larger = open_sized("n", 2 * SIZE);
	CHECK(larger != old && is_filled(larger, 2 * SIZE, 0));
	remove_object("n");
	counter = support_counter(seg, "n");
	CHECK_RC(ilk_counter_add(counter, 3), 0);
	CHECK_RC(ilk_counter_add(support_counter(seg, "n"), 3), 0);
	CHECK(ilk_counter_read(counter) == 6);
	CHECK(is_filled(old, SIZE, 7) && is_filled(larger, 2 * SIZE, 0));
}

static void test_remove_through_a_read_only_attachment_is_EROFS(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *reader;
	void *block;

	(void)state;
	open_block("b");
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &options, &reader), 0);
	CHECK_RC(ilk_object_remove(reader, "b"), -EROFS);
	CHECK_RC(ilk_block_open(reader, "b", SIZE, &block), 0);
	CHECK_RC(ilk_object_close(block), -EROFS);
	ilk_segment_close(reader);
}

/* --- closing --- */

static void test_close_as_often_as_opened_frees_a_removed_one(void **state)
{
	uint64_t before = blocks();
	char *block = open_block("b");

	(void)state;
	CHECK(open_block("b") == block && open_block("b") == block);
	remove_object("b");
	for (int i = 0; i < 3; i++) {
		CHECK(blocks() == before + 1);
		memset(block, i, SIZE);
		close_object(block);
	}
	CHECK(blocks() == before);
	CHECK_RC(ilk_object_close(block), -EINVAL);
}

static void test_close_keeps_what_was_not_removed(void **state)
{
	char *block = open_block("b");

	(void)state;
	block[9] = 'x';
	close_object(block);
	CHECK_RC(ilk_object_close(block), -EINVAL);
	overwrite_free_memory();
	CHECK(open_block("b") == block && block[9] == 'x');
}

static void test_close_what_was_not_opened_is_EINVAL(void **state)
{
	char *block = open_block("b"), *plain = take(SIZE);
	int local;

	(void)state;
	CHECK_RC(ilk_object_close(block + 64), -EINVAL);
	CHECK_RC(ilk_object_close(plain), -EINVAL);
	CHECK(strstr(ilk_last_error(), "opened") != NULL);
	CHECK_RC(ilk_object_close(base_of_segment()), -EINVAL);
	CHECK_RC(ilk_object_close(&local), -EINVAL);
	CHECK_RC(ilk_object_close(NULL), -EINVAL);
	CHECK_RC(ilk_free_alone(seg, plain), 0);
}

static void test_open_that_is_refused_leaves_nothing_open(void **state)
{
	const struct ilk_mutex_options again = {.size = sizeof again, .flags = ILK_MUTEX_RECURSIVE};
	struct ilk_mutex *m = support_mutex(seg, "m"), *other;
	uint64_t before = blocks();
	void *block;

	(void)state;
	CHECK_RC(ilk_mutex_open(seg, "m", &again, &other), -EEXIST);
	CHECK(strstr(ilk_last_error(), "recursive") != NULL);
	CHECK_RC(ilk_block_open(seg, "m", 64, &block), -EEXIST);
	remove_object("m");
	CHECK(blocks() == before);
	close_object(m);
	CHECK(blocks() == before - 1);
}

static void test_close_through_another_attachment_of_the_process_counts(void **state)
{
	uint64_t before = blocks();
	struct ilk_segment *twin = support_open(ilk_test_name(""));
	char *block = open_block("b");
	void *seen;

	(void)state;
	CHECK_RC(ilk_block_open(twin, "b", SIZE, &seen), 0);
	CHECK(seen != (void *)block);
	remove_object("b");
	close_object(block);
	CHECK(blocks() == before + 1);
	close_object(seen);
	CHECK(blocks() == before);
	/* It is the last attachment that closes what is open. */
	open_block("c");
	remove_object("c");
	ilk_segment_close(twin);
	CHECK(blocks() == before + 1);
}

/* --- after the removal --- */

static void test_mutex_removed_is_unlocked_once_more_and_then_EIDRM(void **state)
{
	struct ilk_mutex *m = support_mutex(seg, "m"), *fresh;
	struct ilk_mutex_owner owner;

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), 0);
	remove_object("m");
	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	CHECK(owner.holder == ILK_HELD_BY_ME);
	CHECK_RC(ilk_mutex_unlock(m), 0);
	CHECK_RC(ilk_mutex_lock(m), -EIDRM);
	CHECK_RC(ilk_mutex_try_lock(m), -EIDRM);
	CHECK_RC(ilk_mutex_lock_until(m, ilk_after_ms(5)), -EIDRM);
	CHECK_RC(ilk_mutex_unlock(m), -EPERM);
	fresh = support_mutex(seg, "m");
	CHECK(fresh != m);
	CHECK_RC(ilk_mutex_lock(fresh), 0);
	CHECK_RC(ilk_mutex_unlock(fresh), 0);
}

static void test_counters_and_blocks_removed_are_used_on(void **state)
{
	struct ilk_counter *counter = support_counter(seg, "c");
	struct ilk_sharded *sharded;
	struct ilk_sharded_handle handle;
	char *block = open_block("b");

	(void)state;
	CHECK_RC(ilk_sharded_open(seg, "s", &sharded), 0);
	CHECK_RC(ilk_sharded_mine(sharded, &handle), 0);
	remove_object("c");
	remove_object("s");
	remove_object("b");
	overwrite_free_memory();
	CHECK_RC(ilk_counter_add(counter, 5), 0);
	CHECK_RC(ilk_sharded_add(&handle, 6), 0);
	memset(block, 8, SIZE);
	overwrite_free_memory();
	CHECK(ilk_counter_read(counter) == 5 && ilk_sharded_read(sharded) == 6);
	CHECK(is_filled(block, SIZE, 8));
}

/* --- listing --- */

struct seen {
	int objects, openers, stop_after;
	uint64_t bytes;
};

static int see(const struct ilk_object *object, void *arg)
{
	struct seen *s = arg;

	CHECK(strcmp(object->type, "block") == 0 && object->name[0] == 'b');
	s->objects++;
	s->openers += object->openers;
	s->bytes += object->bytes;
	return s->objects == s->stop_after ? 77 : 0;
}

static void test_each_lists_all_with_their_openers(void **state)
{
	struct seen s = {0}, some = {.stop_after = 2};
	char name[32];

	(void)state;
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof name, "b%d", i);
		if (i % 2)
			open_block(name);
		else
			close_object(open_block(name));
	}
	open_block("b removed");
	remove_object("b removed");
	CHECK_RC(ilk_object_each(seg, see, &s), 0);
	CHECK(s.objects == 50 && s.openers == 25 && s.bytes == 50 * SIZE);
	CHECK_RC(ilk_object_each(seg, see, &some), 77);
	CHECK(some.objects == 2);
}

static int remove_it(const struct ilk_object *object, void *arg)
{
	int *count = arg;

	++*count;
	return ilk_object_remove(seg, object->name);
}

static void test_each_may_remove_what_it_is_told_of(void **state)
{
	uint64_t before = blocks();
	char name[32];
	int count = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof name, "b%d", i);
		close_object(open_block(name));
	}
	CHECK_RC(ilk_object_each(seg, remove_it, &count), 0);
	CHECK(count == 200 && blocks() == before);
}

static void test_remove_60000_names_leaves_nothing(void **state)
{
	const int names = support_slow() ? 2000 : 60000;
	uint64_t before = blocks();
	char name[32];

	(void)state;
	for (int i = 0; i < names; i++) {
		snprintf(name, sizeof name, "n%d", i);
		close_object(open_sized(name, 64));
		remove_object(name);
	}
	CHECK(blocks() == before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OBJECT_TEST(test_remove_frees_the_name_and_the_memory_at_once),
		OBJECT_TEST(test_remove_what_is_not_there_is_ENOENT),
		OBJECT_TEST(test_remove_odd_names_are_refused),
		OBJECT_TEST(test_remove_and_make_again_with_another_size_and_type),
		OBJECT_TEST(test_remove_through_a_read_only_attachment_is_EROFS),
		OBJECT_TEST(test_close_as_often_as_opened_frees_a_removed_one),
		OBJECT_TEST(test_close_keeps_what_was_not_removed),
		OBJECT_TEST(test_close_what_was_not_opened_is_EINVAL),
		OBJECT_TEST(test_open_that_is_refused_leaves_nothing_open),
		OBJECT_TEST(test_close_through_another_attachment_of_the_process_counts),
		OBJECT_TEST(test_mutex_removed_is_unlocked_once_more_and_then_EIDRM),
		OBJECT_TEST(test_counters_and_blocks_removed_are_used_on),
		OBJECT_TEST(test_each_lists_all_with_their_openers),
		OBJECT_TEST(test_each_may_remove_what_it_is_told_of),
		OBJECT_TEST(test_remove_60000_names_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
