/* rwlock_open.c - finding, making and embedding rwlocks; the scoped forms; what the inspector says. */
#include "rwlock_fixture.h"
#include <string.h>

static struct ilk_rwlock_options other_kind(void)
{
	return (struct ilk_rwlock_options){
		.size = sizeof kind, .flags = kind.flags ^ ILK_RWLOCK_WRITES};
}

static void test_open_twice_finds_the_same(void **state)
{
	struct ilk_rwlock *found;

	(void)state;
	CHECK_RC(ilk_rwlock_open(seg, "l", &kind, &found), 0);
	assert_ptr_equal(found, l);
}

static void test_open_with_other_flags_or_as_another_type_is_EEXIST(void **state)
{
	const struct ilk_rwlock_options other = other_kind();
	struct ilk_rwlock *found = NULL;
	struct ilk_mutex *mutex = NULL;

	(void)state;
	CHECK_RC(ilk_rwlock_open(seg, "l", &other, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "flags"));
	CHECK_RC(ilk_mutex_open(seg, "l", NULL, &mutex), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "rwlock"));
	support_counter(seg, "hits");
	CHECK_RC(ilk_rwlock_open(seg, "hits", &kind, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "counter"));
	assert_null(found);
	assert_null(mutex);
}

static void test_open_with_bad_arguments_is_EINVAL(void **state)
{
	const struct ilk_rwlock_options unknown = {.size = sizeof unknown, .flags = 0x80};
	const struct ilk_rwlock_options no_size = {.flags = 0};
	struct ilk_rwlock *found = NULL;

	(void)state;
	CHECK_RC(ilk_rwlock_open(seg, "new", &unknown, &found), -EINVAL);
	CHECK_RC(ilk_rwlock_open(seg, "new", &no_size, &found), -EINVAL);
	CHECK_RC(ilk_rwlock_open(seg, "", NULL, &found), -EINVAL);
	assert_null(found);
}

/* --- embedded --- */

struct table {
	int64_t first[8];
	struct ilk_rwlock lock;
	int64_t price;
};

static struct table *open_table(void)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "table", sizeof(struct table), &block), 0);
	return block;
}

static void test_init_in_a_block_makes_one(void **state)
{
	struct table *table = open_table();

	(void)state;
	CHECK_RC(ilk_rwlock_init(seg, &table->lock, "prices", &kind), 0);
	CHECK_RC(ilk_rwlock_read(&table->lock), 0);
	assert_int_equal(others_can(&table->lock), READ);
	assert_int_equal(others_can(l), WRITE);
	CHECK_RC(ilk_rwlock_unlock(&table->lock), 0);
	CHECK_RC(ilk_rwlock_write(&table->lock), 0);
	assert_int_equal(others_can(&table->lock), NOTHING);
	CHECK_RC(ilk_rwlock_unlock(&table->lock), 0);
}

static void test_init_with_bad_arguments_is_EINVAL(void **state)
{
	const struct ilk_rwlock_options unknown = {.size = sizeof unknown, .flags = 0x80};
	struct table *table = open_table();
	struct ilk_rwlock outside;

	(void)state;
	CHECK_RC(ilk_rwlock_init(seg, &outside, "out", NULL), -EINVAL);
	CHECK_RC(ilk_rwlock_init(seg, (struct ilk_rwlock *)((char *)table + 8), "odd", NULL),
		-EINVAL);
	CHECK_RC(ilk_rwlock_init(seg, &table->lock, "flags", &unknown), -EINVAL);
	CHECK_RC(ilk_rwlock_read(&table->lock), -EINVAL);
}

static void test_calls_through_a_read_only_attachment_are_EROFS(void **state)
{
	const struct ilk_segment_options read_only = {
		.size = sizeof read_only, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_segment *view;
	struct ilk_rwlock *seen;

	(void)state;
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &read_only, &view), 0);
	CHECK_RC(ilk_rwlock_open(view, "l", &kind, &seen), 0);
	CHECK_RC(ilk_rwlock_read(seen), -EROFS);
	CHECK_RC(ilk_rwlock_try_write(seen), -EROFS);
	CHECK_RC(ilk_rwlock_unlock(seen), -EROFS);
	CHECK_RC(ilk_rwlock_downgrade(seen), -EROFS);
	CHECK_RC(ilk_rwlock_repaired(seen), -EROFS);
	CHECK_RC(ilk_rwlock_init(view, seen, NULL, NULL), -EROFS);
	ilk_segment_close(view);
}

/* --- scoped --- */

static int read_in_scope(int64_t *price)
{
	int rc;

	ILK_WITH_READ(l, rc)
	{
		if (others_can(l) != READ)
			return -1;
		*price += 1;
		return 1;
	}
	return rc;
}

static int write_in_scope(int64_t *price)
{
	int rc, times = 0;

	ILK_WITH_WRITE(l, rc)
	{
		if (others_can(l) != NOTHING)
			return -1;
		*price += 10;
		times++;
		if (*price > 100)
			break;
		*price += 10;
	}
	return rc < 0 ? rc : times;
}

static void test_scoped_forms_unlock_however_they_are_left(void **state)
{
	int64_t price = 0;
	int rc = 1;

	(void)state;
	CHECK_RC(read_in_scope(&price), 1);
	CHECK_RC(write_in_scope(&price), 1);
	price = 100;
	CHECK_RC(write_in_scope(&price), 1);
	assert_int_equal(price, 110);
	assert_int_equal(others_can(l), WRITE);
	CHECK_RC(ilk_rwlock_read(l), 0);
	ILK_WITH_WRITE(l, rc)
	ilk_test_fail("the body ran");
	CHECK_RC(rc, -EDEADLK);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
}

/* --- thread slots --- */

static int lock_where_no_slot_is_left(void *lock)
{
	CHECK_RC(ilk_rwlock_try_read(lock), -EUSERS);
	CHECK_RC(ilk_rwlock_write(lock), -EUSERS);
	CHECK_RC(ilk_rwlock_unlock(lock), -EPERM);
	return ilk_rwlock_read(lock);
}

static void test_read_without_a_thread_slot_is_EUSERS(void **state)
{
	const struct ilk_segment_options one = {
		.size = sizeof one, .threads = 1, .flags = handshake};
	struct ilk_segment *small = support_create(ilk_test_name("b"), &one);
	struct ilk_rwlock *lock;

	(void)state;
	CHECK_RC(ilk_rwlock_open(small, "l", &kind, &lock), 0);
	CHECK_RC(ilk_rwlock_read(lock), 0);
	assert_int_equal(support_in_thread(lock_where_no_slot_is_left, lock), -EUSERS);
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
	ilk_segment_close(small);
	support_unlink(ilk_test_name("b"));
}

/* --- close, with somebody waiting --- */

static void close_under(void *(*body)(void *), int is_write)
{
	struct ilk_segment *own = support_open(ilk_test_name(""));
	struct ilk_rwlock *lock;
	pthread_t thread;

	CHECK_RC(is_write ? ilk_rwlock_write(l) : ilk_rwlock_read(l), 0);
	CHECK_RC(ilk_rwlock_open(own, "l", &kind, &lock), 0);
	assert_int_equal(pthread_create(&thread, NULL, body, lock), 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	ilk_segment_close(own);
	assert_int_equal(pthread_join(thread, NULL), 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(others_can(l), WRITE);
}

static void *read_in_vain(void *lock)
{
	CHECK_RC(ilk_rwlock_read(lock), -ECANCELED);
	return NULL;
}

static void *write_in_vain(void *lock)
{
	CHECK_RC(ilk_rwlock_write(lock), -ECANCELED);
	return NULL;
}

static void test_sleepers_are_ECANCELED_by_close(void **state)
{
	(void)state;
	close_under(read_in_vain, 1);
	close_under(write_in_vain, 1);
	close_under(write_in_vain, 0);
}

/* --- seen from outside --- */

static void check_seen(const char *text, int value, int waiters)
{
	const struct ilk_object_info *o = NULL;
	struct ilk_inspection *in;

	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	for (size_t i = 0; i < in->object_count; i++)
		if (strcmp(in->objects[i].name, "l") == 0)
			o = &in->objects[i];
	assert_non_null(o);
	assert_string_equal(o->damage, "");
	assert_string_equal(o->type, "rwlock");
	assert_string_equal(o->state, text);
	assert_int_equal(o->value, value);
	assert_int_equal(o->waiters, waiters);
	ilk_inspection_free(in);
}

static void *write_and_leave(void *lock)
{
	CHECK_RC(ilk_rwlock_write(lock), 0);
	CHECK_RC(ilk_rwlock_unlock(lock), 0);
	return NULL;
}

static void test_inspector_tells_who_is_in_it(void **state)
{
	struct ilk_test_child *reader, *writer;
	pthread_t thread;

	(void)state;
	check_seen("free", 0, 0);
	CHECK_RC(ilk_rwlock_read(l), 0);
	CHECK_RC(ilk_rwlock_read(l), 0);
	check_seen("read by 1", 1, 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	reader = start_with(read_for_ever, l);
	check_seen("read by 2", 2, 0);
	assert_int_equal(pthread_create(&thread, NULL, write_and_leave, l), 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	check_seen("read by 2, a writer comes", 2, 1);
	ilk_test_kill(reader);
	check_seen("read by 1, a writer comes", 1, 1);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	check_seen("free", 0, 0);
	CHECK_RC(ilk_rwlock_write(l), 0);
	check_seen("written", 0, 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	ilk_store_release_(&ilk_test_board()->step[0], 0u);
	writer = start_with(write_for_ever, l);
	ilk_test_kill(writer);
	check_seen("written", 0, 0);
	CHECK_RC(ilk_rwlock_read(l), ILK_RECOVERED);
	check_seen("read by 1, damaged", 1, 0);
	CHECK_RC(ilk_rwlock_unlock(l), 0);
	check_seen("free, damaged", 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RWLOCK_TEST(test_open_twice_finds_the_same),
		RWLOCK_TEST(test_open_with_other_flags_or_as_another_type_is_EEXIST),
		RWLOCK_TEST(test_open_with_bad_arguments_is_EINVAL),
		RWLOCK_TEST(test_init_in_a_block_makes_one),
		RWLOCK_TEST(test_init_with_bad_arguments_is_EINVAL),
		RWLOCK_TEST(test_calls_through_a_read_only_attachment_are_EROFS),
		RWLOCK_TEST(test_scoped_forms_unlock_however_they_are_left),
		RWLOCK_TEST(test_read_without_a_thread_slot_is_EUSERS),
		RWLOCK_TEST(test_sleepers_are_ECANCELED_by_close),
		RWLOCK_TEST(test_inspector_tells_who_is_in_it),
	};

	return RUN_RWLOCK_TESTS(tests);
}
