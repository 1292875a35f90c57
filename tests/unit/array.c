/* array.c - arrays: types, bounds, atomic elements, the lock, removal. */
#include "segment_fixture.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

enum { COUNT = 10 };

static struct ilk_array_handle open_array(const char *name, uint32_t type, size_t count)
{
	struct ilk_array_handle h;

	CHECK_RC(ilk_array_open(seg, name, type, count, &h), 0);
	return h;
}

/* --- opening --- */

static void test_open_makes_zeroed_elements(void **state)
{
	struct ilk_array_handle h = open_array("a", ILK_ARRAY_I32, COUNT);

	(void)state;
	assert_int_equal(ilk_array_count(&h), COUNT);
	assert_int_equal(ilk_array_bytes(&h), 4);
	assert_int_equal((uintptr_t)ilk_array_at(&h, 0) % 64, 0);
	for (size_t i = 0; i < COUNT; i++) {
		int32_t value = 1;

		CHECK_RC(ilk_array_get_i32(&h, i, &value), 0);
		assert_int_equal(value, 0);
	}
}

static void check_refused(uint32_t type, size_t count, const char *word)
{
	struct ilk_array_handle h;

	CHECK_RC(ilk_array_open(seg, "a", type, count, &h), -EEXIST);
	if (!strstr(ilk_last_error(), word))
		fail_msg("\"%s\" does not say \"%s\"", ilk_last_error(), word);
}

static void test_open_as_another_is_EEXIST_and_says_what(void **state)
{
	struct ilk_mutex *m;

	(void)state;
	open_array("a", ILK_ARRAY_I32, COUNT);
	check_refused(ILK_ARRAY_U32, COUNT, "type differs");
	check_refused(ILK_ARRAY_I64, COUNT, "type differs");
	check_refused(ILK_ARRAY_BYTES(4), COUNT, "4 bytes");
	check_refused(ILK_ARRAY_I32, COUNT + 1, "count differs");
	check_refused(ILK_ARRAY_I32, 1, "count differs");
	CHECK_RC(ilk_mutex_open(seg, "a", NULL, &m), -EEXIST);
	support_mutex(seg, "m");
	CHECK_RC(ilk_array_open(seg, "m", ILK_ARRAY_I8, 1, &(struct ilk_array_handle){0}), -EEXIST);
	open_array("a", ILK_ARRAY_I32, COUNT);
}

static void test_open_what_cannot_be_is_refused(void **state)
{
	struct ilk_array_handle h;

	(void)state;
	CHECK_RC(ilk_array_open(seg, "a", ILK_ARRAY_I32, 0, &h), -EINVAL);
	CHECK_RC(ilk_array_open(seg, "a", 0, 1, &h), -EINVAL);
	CHECK_RC(ilk_array_open(seg, "a", 3 << 8 | 'i', 1, &h), -EINVAL);
	CHECK_RC(ilk_array_open(seg, "a", ILK_ARRAY_BYTES(0), 1, &h), -EINVAL);
	CHECK_RC(ilk_array_open(seg, "a", ILK_ARRAY_BYTES(ILK_ARRAY_MOST_BYTES + 1), 1, &h),
		-EINVAL);
	CHECK_RC(ilk_array_open(seg, "a", ILK_ARRAY_BYTES((1 << 24) + 8), 1, &h), -EINVAL);
	CHECK_RC(ilk_array_open(seg, "a", ILK_ARRAY_BYTES(SIZE_MAX), 1, &h), -EINVAL);
	CHECK_RC(ilk_array_open(seg, "a", UINT32_MAX, 1, &h), -EINVAL);
	CHECK_RC(ilk_array_open(seg, "", ILK_ARRAY_I8, 1, &h), -EINVAL);
	CHECK_RC(ilk_array_open(seg, NULL, ILK_ARRAY_I8, 1, &h), -EINVAL);
	CHECK_RC(ilk_array_open(seg, "a", ILK_ARRAY_I64, SIZE_MAX, &h), -ENOSPC);
	CHECK_RC(ilk_array_open(seg, "a", ILK_ARRAY_I64, SIZE_MAX / 8 + 2, &h), -ENOSPC);
	CHECK_RC(ilk_array_open(seg, "a", ILK_ARRAY_I8, ilk_segment_bytes(seg), &h), -ENOSPC);
}

/* --- elements --- */

/* Every operation of a type, at the last element; and none behind it, or as another type. */
#define TYPE_TEST(t, V, TYPE, OTHER)                                              \
	static void test_elements_of_##t##_are_whole_and_bounded(void **state)    \
	{                                                                         \
		struct ilk_array_handle h = open_array("a", TYPE, COUNT);         \
		struct ilk_array_handle other = open_array("o", OTHER, COUNT);    \
		V value = 1, was = 5;                                             \
                                                                                  \
		(void)state;                                                      \
		CHECK_RC(ilk_array_set_##t(&h, COUNT - 1, 5), 0);                 \
		CHECK_RC(ilk_array_add_##t(&h, COUNT - 1, 2, &value), 0);         \
		CHECK(value == 5);                                                \
		CHECK_RC(ilk_array_add_##t(&h, COUNT - 1, (V)-1, NULL), 0);       \
		CHECK_RC(ilk_array_get_##t(&h, COUNT - 1, &value), 0);            \
		CHECK(value == 6);                                                \
		CHECK_RC(ilk_array_replace_##t(&h, COUNT - 1, &was, 9), -EAGAIN); \
		CHECK(was == 6);                                                  \
		CHECK_RC(ilk_array_replace_##t(&h, COUNT - 1, &was, 9), 0);       \
		CHECK(*(V *)ilk_array_at(&h, COUNT - 1) == 9);                    \
		CHECK_RC(ilk_array_get_##t(&h, COUNT - 2, &value), 0);            \
		CHECK(value == 0);                                                \
		CHECK_RC(ilk_array_get_##t(&h, COUNT, &value), -ERANGE);          \
		CHECK_RC(ilk_array_set_##t(&h, SIZE_MAX, 1), -ERANGE);            \
		CHECK_RC(ilk_array_add_##t(&h, COUNT, 1, NULL), -ERANGE);         \
		CHECK_RC(ilk_array_replace_##t(&h, COUNT, &was, 1), -ERANGE);     \
		CHECK_RC(ilk_array_get_##t(&other, 0, &value), -EINVAL);          \
		CHECK_RC(ilk_array_set_##t(&other, 0, 1), -EINVAL);               \
		CHECK_RC(ilk_array_add_##t(&other, 0, 1, NULL), -EINVAL);         \
		CHECK_RC(ilk_array_replace_##t(&other, 0, &was, 1), -EINVAL);     \
	}

TYPE_TEST(i8, int8_t, ILK_ARRAY_I8, ILK_ARRAY_U8)
TYPE_TEST(u8, uint8_t, ILK_ARRAY_U8, ILK_ARRAY_I8)
TYPE_TEST(i16, int16_t, ILK_ARRAY_I16, ILK_ARRAY_U16)
TYPE_TEST(u16, uint16_t, ILK_ARRAY_U16, ILK_ARRAY_I16)
TYPE_TEST(i32, int32_t, ILK_ARRAY_I32, ILK_ARRAY_F32)
TYPE_TEST(u32, uint32_t, ILK_ARRAY_U32, ILK_ARRAY_I32)
TYPE_TEST(i64, int64_t, ILK_ARRAY_I64, ILK_ARRAY_F64)
TYPE_TEST(u64, uint64_t, ILK_ARRAY_U64, ILK_ARRAY_I64)
TYPE_TEST(f32, float, ILK_ARRAY_F32, ILK_ARRAY_U32)
TYPE_TEST(f64, double, ILK_ARRAY_F64, ILK_ARRAY_BYTES(8))

static void test_read_and_write_keep_within_bounds(void **state)
{
	struct ilk_array_handle h = open_array("a", ILK_ARRAY_BYTES(3), 4);
	char in[12] = "abcdefghijkl", out[12] = "";

	(void)state;
	CHECK_RC(ilk_array_write(&h, 0, 4, in), 0);
	CHECK_RC(ilk_array_read(&h, 1, 2, out), 0);
	assert_memory_equal(out, "defghi", 6);
	assert_memory_equal(ilk_array_at(&h, 3), "jkl", 3);
	assert_null(ilk_array_at(&h, 4));
	CHECK_RC(ilk_array_read(&h, 4, 0, out), 0);
	CHECK_RC(ilk_array_read(&h, 4, 1, out), -ERANGE);
	CHECK_RC(ilk_array_read(&h, 5, 0, out), -ERANGE);
	CHECK_RC(ilk_array_read(&h, 1, 4, out), -ERANGE);
	CHECK_RC(ilk_array_write(&h, 1, SIZE_MAX, in), -ERANGE);
	CHECK_RC(ilk_array_write(&h, SIZE_MAX, 2, in), -ERANGE);
	assert_memory_equal(ilk_array_at(&h, 0), "abc", 3);
}

static void test_read_only_handles_read_and_do_not_write(void **state)
{
	const struct ilk_segment_options options = {
		.size = sizeof options, .flags = ILK_SEGMENT_READ_ONLY};
	struct ilk_array_handle h = open_array("a", ILK_ARRAY_I64, COUNT), reader;
	struct ilk_segment *other;
	int64_t value = 0;

	(void)state;
	CHECK_RC(ilk_array_set_i64(&h, 3, 30), 0);
	CHECK_RC(ilk_segment_open(ilk_test_name(""), &options, &other), 0);
	CHECK_RC(ilk_array_open(other, "a", ILK_ARRAY_I64, COUNT, &reader), 0);
	CHECK_RC(ilk_array_get_i64(&reader, 3, &value), 0);
	assert_int_equal(value, 30);
	CHECK_RC(ilk_array_read(&reader, 3, 1, &value), 0);
	CHECK_RC(ilk_array_set_i64(&reader, 3, 1), -EROFS);
	CHECK_RC(ilk_array_add_i64(&reader, 3, 1, NULL), -EROFS);
	CHECK_RC(ilk_array_replace_i64(&reader, 3, &value, 1), -EROFS);
	CHECK_RC(ilk_array_write(&reader, 3, 1, &value), -EROFS);
	CHECK_RC(ilk_array_open(other, "new", ILK_ARRAY_I64, COUNT, &reader), -EROFS);
	ilk_segment_close(other);
}

/* --- together --- */

enum { ADDERS = 4, ADDS = 20000 };

static void add_up(struct ilk_segment *s, unsigned index, void *arg)
{
	struct ilk_array_handle sums, floats, pair;
	int rc;

	(void)index, (void)arg;
	CHECK_RC(ilk_array_open(s, "sums", ILK_ARRAY_I16, 2, &sums), 0);
	CHECK_RC(ilk_array_open(s, "floats", ILK_ARRAY_F64, 2, &floats), 0);
	CHECK_RC(ilk_array_open(s, "pair", ILK_ARRAY_BYTES(16), 1, &pair), 0);
	for (int i = 0; i < ADDS; i++) {
		CHECK_RC(ilk_array_add_i16(&sums, 1, 1, NULL), 0);
		CHECK_RC(ilk_array_add_f64(&floats, 1, 0.5, NULL), 0);
		ILK_WITH_MUTEX (ilk_array_mutex(&pair), rc) {
			int64_t *n = ilk_array_at(&pair, 0);

			CHECK(n[0] == n[1]);
			n[0]++, n[1]++;
		}
		CHECK_RC(rc, 0);
	}
}

static void check_sums(void)
{
	struct ilk_array_handle sums = open_array("sums", ILK_ARRAY_I16, 2);
	struct ilk_array_handle floats = open_array("floats", ILK_ARRAY_F64, 2);
	struct ilk_array_handle pair = open_array("pair", ILK_ARRAY_BYTES(16), 1);
	int16_t sum = 0, beside = 1;
	double real = 0;

	CHECK_RC(ilk_array_get_i16(&sums, 1, &sum), 0);
	CHECK_RC(ilk_array_get_i16(&sums, 0, &beside), 0);
	CHECK_RC(ilk_array_get_f64(&floats, 1, &real), 0);
	CHECK(sum == (int16_t)(ADDERS * ADDS) && beside == 0);
	CHECK(real == ADDERS * ADDS / 2.0);
	CHECK(*(int64_t *)ilk_array_at(&pair, 0) == ADDERS * ADDS);
}

static void test_adds_of_processes_are_not_lost(void **state)
{
	const struct ilk_test_options reopen = {.size = sizeof reopen, .flags = ILK_TEST_REOPEN};

	(void)state;
	ilk_test_run(ADDERS, seg, add_up, NULL, &reopen);
	check_sums();
}

static void test_adds_of_threads_are_not_lost(void **state)
{
	const struct ilk_test_options threads = {.size = sizeof threads, .flags = ILK_TEST_THREADS};

	(void)state;
	ilk_test_run(ADDERS, seg, add_up, NULL, &threads);
	check_sums();
}

/* --- the lock's owner, and removal --- */

static void lock_and_die(void *arg)
{
	struct ilk_array_handle *h = arg;

	CHECK_RC(ilk_mutex_lock(ilk_array_mutex(h)), 0);
	raise(SIGKILL);
}

static void test_the_lock_of_a_dead_one_is_RECOVERED(void **state)
{
	struct ilk_array_handle h = open_array("a", ILK_ARRAY_I64, COUNT);

	(void)state;
	ilk_test_join_killed(ilk_test_start(lock_and_die, &h));
	CHECK_RC(ilk_mutex_lock(ilk_array_mutex(&h)), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_repaired(ilk_array_mutex(&h)), 0);
	CHECK_RC(ilk_mutex_unlock(ilk_array_mutex(&h)), 0);
	ilk_test_join_killed(ilk_test_start(lock_and_die, &h));
	CHECK_RC(ilk_object_repair(seg, "a"), ILK_RECOVERED);
	CHECK_RC(ilk_object_repair(seg, "a"), 0);
	CHECK_RC(ilk_mutex_try_lock(ilk_array_mutex(&h)), ILK_RECOVERED);
	CHECK_RC(ilk_mutex_unlock(ilk_array_mutex(&h)), 0);
}

static void test_removal_ends_the_lock_and_not_the_elements(void **state)
{
	struct ilk_array_handle h = open_array("a", ILK_ARRAY_I64, COUNT), again;
	int64_t value = 0;

	(void)state;
	CHECK_RC(ilk_array_set_i64(&h, 0, 7), 0);
	CHECK_RC(ilk_object_remove(seg, "a"), 0);
	CHECK_RC(ilk_mutex_lock(ilk_array_mutex(&h)), -EIDRM);
	CHECK_RC(ilk_array_get_i64(&h, 0, &value), 0);
	assert_int_equal(value, 7);
	again = open_array("a", ILK_ARRAY_F32, 3);
	CHECK(again.array != h.array);
	CHECK_RC(ilk_object_close(h.array), 0);
}

/* --- the inspector --- */

static void check_state(const char *name, const char *text)
{
	struct ilk_inspection *in;
	int found = 0;

	CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
	for (size_t i = 0; i < in->object_count; i++) {
		if (strcmp(in->objects[i].name, name) != 0)
			continue;
		found = 1;
		assert_string_equal(in->objects[i].type, "array");
		assert_string_equal(in->objects[i].damage, "");
		assert_string_equal(in->objects[i].state, text);
	}
	CHECK(found);
	ilk_inspection_free(in);
}

static void test_inspector_shows_types_counts_values_and_owners(void **state)
{
	struct ilk_array_handle one = open_array("one", ILK_ARRAY_I16, 1);
	struct ilk_array_handle many = open_array("many", ILK_ARRAY_F64, 1000);

	(void)state;
	open_array("bytes", ILK_ARRAY_BYTES(24), 7);
	CHECK_RC(ilk_array_set_i16(&one, 0, -12), 0);
	check_state("one", "i16 -12");
	check_state("many", "1000 of f64");
	check_state("bytes", "7 of 24 bytes");
	CHECK_RC(ilk_mutex_lock(ilk_array_mutex(&many)), 0);
	check_state("many", "1000 of f64, held");
	CHECK_RC(ilk_mutex_unlock(ilk_array_mutex(&many)), 0);
}

static void test_inspector_reports_damage(void **state)
{
	struct ilk_array_handle h = open_array("a", ILK_ARRAY_I64, COUNT);
	uint32_t *word = (uint32_t *)(void *)h.array;

	(void)state;
	damaged_on_purpose = 1;
	for (int i = 0; i < 4; i++) {
		struct ilk_inspection *in;
		uint32_t before = word[i];

		word[i] ^= i == 1 ? 0x7f : 0x10;
		CHECK_RC(ilk_inspect(ilk_test_name(""), &in), 0);
		assert_string_not_equal(in->objects[0].damage, "");
		ilk_inspection_free(in);
		CHECK_RC(ilk_segment_valid(seg), -EBADMSG);
		word[i] = before;
	}
	CHECK_RC(ilk_segment_valid(seg), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEGMENT_TEST(test_open_makes_zeroed_elements),
		SEGMENT_TEST(test_open_as_another_is_EEXIST_and_says_what),
		SEGMENT_TEST(test_open_what_cannot_be_is_refused),
		SEGMENT_TEST(test_elements_of_i8_are_whole_and_bounded),
		SEGMENT_TEST(test_elements_of_u8_are_whole_and_bounded),
		SEGMENT_TEST(test_elements_of_i16_are_whole_and_bounded),
		SEGMENT_TEST(test_elements_of_u16_are_whole_and_bounded),
		SEGMENT_TEST(test_elements_of_i32_are_whole_and_bounded),
		SEGMENT_TEST(test_elements_of_u32_are_whole_and_bounded),
		SEGMENT_TEST(test_elements_of_i64_are_whole_and_bounded),
		SEGMENT_TEST(test_elements_of_u64_are_whole_and_bounded),
		SEGMENT_TEST(test_elements_of_f32_are_whole_and_bounded),
		SEGMENT_TEST(test_elements_of_f64_are_whole_and_bounded),
		SEGMENT_TEST(test_read_and_write_keep_within_bounds),
		SEGMENT_TEST(test_read_only_handles_read_and_do_not_write),
		SEGMENT_TEST(test_adds_of_processes_are_not_lost),
		SEGMENT_TEST(test_adds_of_threads_are_not_lost),
		SEGMENT_TEST(test_the_lock_of_a_dead_one_is_RECOVERED),
		SEGMENT_TEST(test_removal_ends_the_lock_and_not_the_elements),
		SEGMENT_TEST(test_inspector_shows_types_counts_values_and_owners),
		SEGMENT_TEST(test_inspector_reports_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
