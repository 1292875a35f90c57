/* mutex_open.c - finding, making and embedding mutexes; running out of thread slots. */
#include "mutex_fixture.h"
#include <pthread.h>
#include <string.h>

static const struct ilk_mutex_options again = {.size = sizeof again, .flags = ILK_MUTEX_RECURSIVE};

static void test_open_twice_finds_the_same(void **state)
{
	struct ilk_mutex *found;

	(void)state;
	CHECK_RC(ilk_mutex_open(seg, "plain", NULL, &found), 0);
	assert_ptr_equal(found, m);
	CHECK_RC(ilk_mutex_open(seg, "recursive", &again, &found), 0);
	assert_ptr_equal(found, recursive);
}

static void test_open_with_other_flags_is_EEXIST(void **state)
{
	struct ilk_mutex *found = NULL;

	(void)state;
	CHECK_RC(ilk_mutex_open(seg, "plain", &again, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "flags"));
	CHECK_RC(ilk_mutex_open(seg, "recursive", NULL, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "flags"));
	assert_null(found);
}

static void test_open_of_another_type_is_EEXIST(void **state)
{
	struct ilk_mutex *found = NULL;
	struct ilk_counter *counter = NULL;

	(void)state;
	CHECK_RC(ilk_counter_open(seg, "plain", &counter), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "type"));
	assert_non_null(strstr(ilk_last_error(), "mutex"));
	support_counter(seg, "hits");
	CHECK_RC(ilk_mutex_open(seg, "hits", NULL, &found), -EEXIST);
	assert_non_null(strstr(ilk_last_error(), "counter"));
	assert_null(found);
}

static void test_open_with_bad_arguments_is_EINVAL(void **state)
{
	const struct ilk_mutex_options unknown = {.size = sizeof unknown, .flags = 0x80};
	const struct ilk_mutex_options no_size = {.flags = 0};
	struct ilk_mutex *found = NULL;

	(void)state;
	CHECK_RC(ilk_mutex_open(seg, "new", &unknown, &found), -EINVAL);
	CHECK_RC(ilk_mutex_open(seg, "new", &no_size, &found), -EINVAL);
	CHECK_RC(ilk_mutex_open(seg, "", NULL, &found), -EINVAL);
	CHECK_RC(ilk_mutex_open(seg, "two\nlines", NULL, &found), -EINVAL);
	CHECK_RC(ilk_mutex_open(seg,
			 "0123456789012345678901234567890123456789012345678901234567890123", NULL,
			 &found),
		-ENAMETOOLONG);
	assert_null(found);
}

/* --- embedded --- */

struct shelf {
	struct ilk_mutex mutex;
	int64_t left;
};

static struct shelf *open_shelf(void)
{
	void *block;

	CHECK_RC(ilk_block_open(seg, "shelf", sizeof(struct shelf), &block), 0);
	return block;
}

static void test_init_in_a_block_makes_a_mutex(void **state)
{
	struct shelf *shelf = open_shelf();

	(void)state;
	CHECK_RC(ilk_mutex_init(seg, &shelf->mutex, "stock", NULL), 0);
	CHECK_RC(ilk_mutex_lock(&shelf->mutex), 0);
	CHECK_RC(ilk_mutex_lock(&shelf->mutex), -EDEADLK);
	assert_int_equal(support_in_thread(try_from_a_thread, &shelf->mutex), -EBUSY);
	CHECK_RC(ilk_mutex_unlock(&shelf->mutex), 0);
	CHECK_RC(ilk_mutex_init(seg, &shelf->mutex, NULL, &again), 0);
	CHECK_RC(ilk_mutex_lock(&shelf->mutex), 0);
	CHECK_RC(ilk_mutex_lock(&shelf->mutex), 0);
	CHECK_RC(ilk_mutex_unlock(&shelf->mutex), 0);
	CHECK_RC(ilk_mutex_unlock(&shelf->mutex), 0);
}

static void test_init_with_bad_arguments_is_EINVAL(void **state)
{
	const struct ilk_mutex_options unknown = {.size = sizeof unknown, .flags = 0x80};
	struct shelf *shelf = open_shelf();
	struct ilk_mutex outside;

	(void)state;
	CHECK_RC(ilk_mutex_init(seg, &outside, "out", NULL), -EINVAL);
	CHECK_RC(
		ilk_mutex_init(seg, (struct ilk_mutex *)((char *)shelf + 8), "odd", NULL), -EINVAL);
	CHECK_RC(ilk_mutex_init(seg, &shelf->mutex, "flags", &unknown), -EINVAL);
	CHECK_RC(ilk_mutex_lock(&shelf->mutex), -EINVAL);
}

static void *wait_and_unlock(void *mutex)
{
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	return NULL;
}

static const struct ilk_object_info *only_embedded(const struct ilk_inspection *in)
{
	const struct ilk_object_info *found = NULL;

	for (size_t i = 0; i < in->object_count; i++)
		if (in->objects[i].embedded) {
			assert_null(found);
			found = &in->objects[i];
		}
	assert_non_null(found);
	return found;
}

static void test_label_of_an_embedded_one_is_what_the_inspector_calls_it(void **state)
{
	struct shelf *shelf = open_shelf();
	const struct ilk_object_info *object;
	struct ilk_inspection *in;
	pthread_t thread;

	(void)state;
	CHECK_RC(ilk_mutex_init(seg, &shelf->mutex, "label-that-is-too-long-to-keep", NULL), 0);
	CHECK_RC(ilk_mutex_lock(&shelf->mutex), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_and_unlock, &shelf->mutex), 0);
	ilk_test_await_sleepers(ilk_test_name(""), 1);
	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	CHECK_RC(ilk_mutex_unlock(&shelf->mutex), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	object = only_embedded(in);
	assert_string_equal(object->type, "mutex");
	assert_int_equal(object->waiters, 1);
	/* The first 23 bytes count. */
	assert_non_null(strstr(object->name, "label-that-is-too-long-"));
	assert_null(strstr(object->name, "label-that-is-too-long-t"));
	ilk_inspection_free(in);
}

/* --- thread slots --- */

static int lock_where_no_slot_is_left(void *mutex)
{
	CHECK_RC(ilk_mutex_try_lock(mutex), -EUSERS);
	CHECK_RC(ilk_mutex_lock_until(mutex, ilk_after_ms(10)), -EUSERS);
	CHECK_RC(ilk_mutex_unlock(mutex), -EPERM);
	return ilk_mutex_lock(mutex);
}

static void test_lock_without_a_thread_slot_is_EUSERS(void **state)
{
	const struct ilk_segment_options one = {
		.size = sizeof one, .threads = 1, .flags = handshake};
	struct ilk_segment *small = support_create(ilk_test_name("b"), &one);
	struct ilk_mutex *mutex = support_mutex(small, "m");

	(void)state;
	assert_int_equal(support_in_thread(lock_where_no_slot_is_left, mutex), -EUSERS);
	CHECK_RC(ilk_mutex_lock(mutex), 0);
	CHECK_RC(ilk_mutex_unlock(mutex), 0);
	ilk_segment_close(small);
	support_unlink(ilk_test_name("b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MUTEX_TEST(test_open_twice_finds_the_same),
		MUTEX_TEST(test_open_with_other_flags_is_EEXIST),
		MUTEX_TEST(test_open_of_another_type_is_EEXIST),
		MUTEX_TEST(test_open_with_bad_arguments_is_EINVAL),
		MUTEX_TEST(test_init_in_a_block_makes_a_mutex),
		MUTEX_TEST(test_init_with_bad_arguments_is_EINVAL),
		MUTEX_TEST(test_label_of_an_embedded_one_is_what_the_inspector_calls_it),
		MUTEX_TEST(test_lock_without_a_thread_slot_is_EUSERS),
	};

	return RUN_MUTEX_TESTS(tests);
}
