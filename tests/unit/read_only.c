/* read_only.c - through a read-only attachment: reading works, changing is -EROFS. */
#include "support.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct ilk_segment_options read_only = {
	.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};

static char name[64];
static struct ilk_segment *seg, *reader;

/* A writer that has made one object of each kind, and a reader in the same process. */
static int reader_setup(void **state)
{
	struct ilk_sharded *sharded;
	struct ilk_sharded_handle mine;
	void *block;

	if (ilk_test_setup(state) < 0)
		return -1;
	strcpy(name, ilk_test_name(""));
	if (ilk_segment_create(name, NULL, &seg) < 0)
		return -1;
	CHECK_RC(ilk_counter_add(support_counter(seg, "counter"), 7), 0);
	support_mutex(seg, "mutex");
	CHECK_RC(ilk_sharded_open(seg, "sharded", &sharded), 0);
	CHECK_RC(ilk_sharded_mine(sharded, &mine), 0);
	CHECK_RC(ilk_sharded_add(&mine, 9), 0);
	CHECK_RC(ilk_block_open(seg, "block", 64, &block), 0);
	strcpy(block, "apples");
	return ilk_segment_open(name, &read_only, &reader);
}

static int reader_teardown(void **state)
{
	ilk_segment_close(reader);
	ilk_segment_close(seg);
	ilk_segment_unlink(name);
	return ilk_test_teardown(state);
}

#define READER_TEST(f) cmocka_unit_test_setup_teardown(f, reader_setup, reader_teardown)

static void test_what_is_there_can_be_read(void **state)
{
	struct ilk_sharded *sharded;
	void *block;

	(void)state;
	assert_string_equal(ilk_segment_name(reader), name);
	assert_int_equal(ilk_segment_bytes(reader), ilk_segment_bytes(seg));
	assert_int_equal(ilk_counter_read(support_counter(reader, "counter")), 7);
	CHECK_RC(ilk_sharded_open(reader, "sharded", &sharded), 0);
	assert_int_equal(ilk_sharded_read(sharded), 9);
	CHECK_RC(ilk_block_open(reader, "block", 64, &block), 0);
	assert_string_equal(block, "apples");
}

static void test_what_is_not_there_is_EROFS(void **state)
{
	struct ilk_counter *counter = NULL;
	struct ilk_sharded *sharded = NULL;
	struct ilk_mutex *mutex = NULL;
	void *block = NULL;

	(void)state;
	CHECK_RC(ilk_counter_open(reader, "new", &counter), -EROFS);
	CHECK_RC(ilk_sharded_open(reader, "new", &sharded), -EROFS);
	CHECK_RC(ilk_mutex_open(reader, "new", NULL, &mutex), -EROFS);
	CHECK_RC(ilk_block_open(reader, "new", 8, &block), -EROFS);
	assert_null(counter);
	assert_null(sharded);
	assert_null(mutex);
	assert_null(block);
	CHECK_RC(ilk_block_open(reader, "block", 65, &block), -EEXIST);
}

static void test_changing_a_counter_is_EROFS(void **state)
{
	struct ilk_counter *c = support_counter(reader, "counter");
	struct ilk_sharded_handle mine;
	struct ilk_sharded *sharded;
	int64_t value = 7;

	(void)state;
	CHECK_RC(ilk_counter_add(c, 1), -EROFS);
	CHECK_RC(ilk_counter_sub(c, 1), -EROFS);
	CHECK_RC(ilk_counter_fetch_add(c, 1, &value), -EROFS);
	CHECK_RC(ilk_counter_exchange(c, 1, &value), -EROFS);
	CHECK_RC(ilk_counter_compare_exchange(c, &value, 1), -EROFS);
	assert_int_equal(value, 7);
	assert_int_equal(ilk_counter_read(c), 7);
	CHECK_RC(ilk_sharded_open(reader, "sharded", &sharded), 0);
	CHECK_RC(ilk_sharded_mine(sharded, &mine), -EROFS);
	/* Through the other attachment of the same process it goes on. */
	CHECK_RC(ilk_counter_add(support_counter(seg, "counter"), 1), 0);
	assert_int_equal(ilk_counter_read(c), 8);
}

static void test_changing_a_mutex_is_EROFS(void **state)
{
	struct ilk_mutex *m = support_mutex(reader, "mutex");
	void *block;

	(void)state;
	CHECK_RC(ilk_mutex_lock(m), -EROFS);
	CHECK_RC(ilk_mutex_try_lock(m), -EROFS);
	CHECK_RC(ilk_mutex_lock_until(m, ilk_after_ms(10)), -EROFS);
	CHECK_RC(ilk_mutex_unlock(m), -EROFS);
	CHECK_RC(ilk_mutex_repaired(m), -EROFS);
	CHECK_RC(ilk_block_open(reader, "block", 64, &block), 0);
	CHECK_RC(ilk_mutex_init(reader, block, "m", NULL), -EROFS);
	assert_string_equal(block, "apples");
}

static void hold_for_ever(void *arg)
{
	struct ilk_segment *own = support_open(arg);

	CHECK_RC(ilk_mutex_lock(support_mutex(own, "mutex")), 0);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

/* Only reads: its parent's attachment for writing is closed. */
static void read_who_holds(void *arg)
{
	struct ilk_mutex *m = support_mutex(reader, "mutex");
	struct ilk_mutex_owner owner;

	(void)arg;
	ilk_segment_close(seg);
	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	CHECK(owner.holder == ILK_HELD_BY_LIVING || owner.holder == ILK_HELD_BY_UNKNOWN);
	CHECK(owner.pid == (pid_t)ilk_test_board()->value[0]);
	ilk_test_say(1);
	ilk_test_await(2);
	CHECK_RC(ilk_mutex_owner(m, &owner), 0);
	CHECK(owner.holder == ILK_HELD_BY_DEAD || owner.holder == ILK_HELD_BY_UNKNOWN);
}

static void test_owner_of_a_mutex_can_be_read(void **state)
{
	struct ilk_test_child *holder = ilk_test_start(hold_for_ever, name), *asking;
	struct ilk_mutex_owner owner;

	(void)state;
	CHECK_RC(ilk_mutex_owner(support_mutex(reader, "mutex"), &owner), 0);
	ilk_test_await(0);
	ilk_test_board()->value[0] = holder->pid;
	asking = ilk_test_start(read_who_holds, NULL);
	ilk_test_await(1);
	ilk_test_kill(holder);
	ilk_test_say(2);
	ilk_test_join(asking);
	CHECK_RC(ilk_mutex_owner(support_mutex(reader, "mutex"), &owner), 0);
	assert_true(owner.holder == ILK_HELD_BY_DEAD || owner.holder == ILK_HELD_BY_UNKNOWN);
}

/* --- no byte is written --- */

static char *read_all(size_t *size)
{
	int fd = open(support_path(name), O_RDONLY | O_CLOEXEC);
	struct stat file;
	char *bytes;

	assert_int_equal(fstat(fd, &file), 0);
	*size = (size_t)file.st_size;
	bytes = malloc(*size);
	assert_int_equal(read(fd, bytes, *size), *size);
	close(fd);
	return bytes;
}

static void test_attaching_writes_no_byte_and_takes_no_slot(void **state)
{
	struct ilk_inspection *in;
	struct ilk_mutex_owner owner;
	char *before, *after;
	size_t size;

	(void)state;
	ilk_segment_close(reader);
	ilk_segment_close(seg);
	seg = NULL;
	before = read_all(&size);
	CHECK_RC(ilk_segment_open(name, &read_only, &reader), 0);
	test_changing_a_mutex_is_EROFS(NULL);
	CHECK_RC(ilk_mutex_owner(support_mutex(reader, "mutex"), &owner), 0);
	assert_int_equal(owner.holder, ILK_HELD_BY_NOBODY);
	CHECK_RC(ilk_inspect(name, &in), 0);
	assert_int_equal(in->process_count, 0);
	assert_int_equal(in->thread_count, 0);
	ilk_inspection_free(in);
	after = read_all(&size);
	assert_memory_equal(before, after, size);
	free(before);
	free(after);
}

static void be_the_only_member(void *arg)
{
	const struct ilk_segment_options only = {.size = sizeof only, .processes = 1};

	support_create(arg, &only);
	ilk_test_say(0);
	ilk_test_sleep_for_ever();
}

static void test_read_only_needs_no_slot(void **state)
{
	struct ilk_test_child *member;
	struct ilk_segment *full = NULL;
	char other[64];

	(void)state;
	strcpy(other, ilk_test_name("b"));
	member = ilk_test_start(be_the_only_member, other);
	ilk_test_await(0);
	CHECK_RC(ilk_segment_open(other, NULL, &full), -EUSERS);
	CHECK_RC(ilk_segment_open(other, &read_only, &full), 0);
	ilk_segment_close(full);
	ilk_test_kill(member);
	support_unlink(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		READER_TEST(test_what_is_there_can_be_read),
		READER_TEST(test_what_is_not_there_is_EROFS),
		READER_TEST(test_changing_a_counter_is_EROFS),
		READER_TEST(test_changing_a_mutex_is_EROFS),
		READER_TEST(test_owner_of_a_mutex_can_be_read),
		READER_TEST(test_attaching_writes_no_byte_and_takes_no_slot),
		READER_TEST(test_read_only_needs_no_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
