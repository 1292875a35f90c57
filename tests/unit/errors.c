/* errors.c - what results say, particulars, deadlines, version. */
#include "support.h"
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>

/* Every result that the public headers name. */
static const int documented[] = {0, ILK_RECOVERED, ILK_TIMED_OUT, ILK_ELECTED, -EPERM, -ENOENT,
	-EEXIST, -EACCES, -EAGAIN, -EBUSY, -EDEADLK, -ETIMEDOUT, -ECANCELED, -EINVAL, -ENAMETOOLONG,
	-EIDRM, -ENOSPC, -EUSERS, -EROFS, -EMEDIUMTYPE, -EPROTO, -EBADMSG, -ENOTSUP, -EOVERFLOW,
	-ENOMEM, -EMFILE, -ENFILE, -EBADF, -ENODATA, -ENOTRECOVERABLE, -ERANGE, -EPIPE, -ENOSYS,
	-EMSGSIZE, ILK_TASK_FAILED, -ESTALE, -EALREADY, -ECHILD, -ESRCH};
enum { DOCUMENTED = sizeof documented / sizeof *documented };

static void check_sentence(const char *text)
{
	assert_non_null(text);
	assert_true(isupper((unsigned char)text[0]));
	assert_int_equal(text[strlen(text) - 1], '.');
	assert_null(strchr(text, '\n'));
}

static void test_strerror_of_each_documented_result_is_its_own_sentence(void **state)
{
	const char *unknown = ilk_strerror(-EOWNERDEAD);

	(void)state;
	for (int i = 0; i < DOCUMENTED; i++) {
		const char *text = ilk_strerror(documented[i]);

		check_sentence(text);
		assert_string_not_equal(text, unknown);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(text, ilk_strerror(documented[j]));
		/* A failure also says what to do next. */
		if (documented[i] < 0)
			assert_non_null(strchr(text, ':'));
	}
}

static void test_strerror_of_what_ilk_never_returns_says_so(void **state)
{
	static const int unknown[] = {
		-EOWNERDEAD, -4095, INT_MIN, INT_MIN + 1, 16, 1 << 20, INT_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		check_sentence(ilk_strerror(unknown[i]));
		for (int j = 0; j < DOCUMENTED; j++)
			assert_string_not_equal(
				ilk_strerror(unknown[i]), ilk_strerror(documented[j]));
	}
}

static void test_strerror_of_combined_bits_is_a_sentence(void **state)
{
	(void)state;
	for (int bits = 1; bits < 16; bits++)
		check_sentence(ilk_strerror(bits));
	assert_non_null(strstr(ilk_strerror(ILK_RECOVERED | ILK_ELECTED), "repaired"));
}

/* --- particulars --- */

static void test_last_error_names_what_is_missing(void **state)
{
	struct ilk_segment *seg = NULL;

	(void)state;
	CHECK_RC(ilk_segment_open(ilk_test_name("x"), NULL, &seg), -ENOENT);
	assert_non_null(strstr(ilk_last_error(), ilk_test_name("x")));
	CHECK_RC(ilk_segment_unlink(ilk_test_name("y")), -ENOENT);
	assert_non_null(strstr(ilk_last_error(), ilk_test_name("y")));
}

static int fresh_thread_has_none(void *arg)
{
	(void)arg;
	return *ilk_last_error() == 0;
}

static void test_last_error_is_each_threads_own(void **state)
{
	(void)state;
	CHECK_RC(ilk_segment_unlink(ilk_test_name("x")), -ENOENT);
	assert_true(support_in_thread(fresh_thread_has_none, NULL));
	assert_non_null(strstr(ilk_last_error(), ilk_test_name("x")));
}

static void fail_without_descriptors(void *arg)
{
	const struct rlimit none = {0, 0};
	struct ilk_segment *seg;
	char before[256];

	(void)arg;
	CHECK_RC(ilk_segment_unlink(ilk_test_name("x")), -ENOENT);
	strcpy(before, ilk_last_error());
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	CHECK_RC(ilk_segment_open(ilk_test_name("x"), NULL, &seg), -EMFILE);
	CHECK(strcmp(ilk_last_error(), before) != 0);
	CHECK_RC(ilk_segment_create(ilk_test_name("x"), NULL, &seg), -EMFILE);
	CHECK(strcmp(ilk_last_error(), before) != 0);
	CHECK_RC(ilk_segment_anonymous("x", NULL, &seg), -EMFILE);
	CHECK(strcmp(ilk_last_error(), before) != 0);
}

static void test_last_error_is_of_the_last_failure(void **state)
{
	(void)state;
	SKIP_UNDER_EMULATION("it needs descriptors of its own");
	ilk_test_in_child(fail_without_descriptors, NULL);
}

/* --- deadlines and version --- */

static void test_now_never_goes_back(void **state)
{
	ilk_time last = ilk_now();

	(void)state;
	assert_true(last > 0);
	for (int i = 0; i < 10000; i++) {
		ilk_time now = ilk_now();

		assert_true(now >= last);
		last = now;
	}
}

static void test_after_is_that_far_ahead(void **state)
{
	ilk_time before = ilk_now();
	ilk_time ms = ilk_after_ms(50), ns = ilk_after_ns(50 * 1000000);

	(void)state;
	assert_true(ms >= before + 50 * 1000000);
	assert_true(ns >= ms);
	assert_true(ns <= ilk_now() + 50 * 1000000);
}

static void test_after_a_negative_time_is_now(void **state)
{
	static const int64_t negative[] = {-1, -1000000, INT64_MIN};

	(void)state;
	for (size_t i = 0; i < sizeof negative / sizeof *negative; i++) {
		ilk_time before = ilk_now();

		assert_true(ilk_after_ms(negative[i]) >= before);
		assert_true(ilk_after_ns(negative[i]) >= before);
		assert_true(ilk_after_ms(negative[i]) <= ilk_now());
		assert_true(ilk_after_ns(negative[i]) <= ilk_now());
	}
}

static void test_after_too_long_is_forever(void **state)
{
	(void)state;
	assert_true(ilk_after_ms(INT64_MAX) == ILK_FOREVER);
	assert_true(ilk_after_ms(INT64_MAX / 1000000 + 1) == ILK_FOREVER);
	assert_true(ilk_after_ns(INT64_MAX) == ILK_FOREVER);
	assert_true(ilk_after_ns(INT64_MAX - 1) == ILK_FOREVER);
	assert_true(ilk_after_ms(1000LL * 86400 * 365 * 100) < ILK_FOREVER);
}

static void test_version_is_that_of_the_headers(void **state)
{
	(void)state;
	assert_string_equal(ilk_version(), ILK_VERSION_STRING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ILK_TEST(test_strerror_of_each_documented_result_is_its_own_sentence),
		ILK_TEST(test_strerror_of_what_ilk_never_returns_says_so),
		ILK_TEST(test_strerror_of_combined_bits_is_a_sentence),
		ILK_TEST(test_last_error_names_what_is_missing),
		ILK_TEST(test_last_error_is_each_threads_own),
		ILK_TEST(test_last_error_is_of_the_last_failure),
		ILK_TEST(test_now_never_goes_back),
		ILK_TEST(test_after_is_that_far_ahead),
		ILK_TEST(test_after_a_negative_time_is_now),
		ILK_TEST(test_after_too_long_is_forever),
		ILK_TEST(test_version_is_that_of_the_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
