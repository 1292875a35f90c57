/*
 * ilk/cmocka_asserts.h - cmocka's asserts, for children and threads as well. See ilk/cmocka.h.
 *
 * Same names, same arguments, each evaluated once. Where the check holds nothing is called but the
 * comparison. cmocka's print_message, skip, mocks and allocation checks stay as they are, for the
 * runner's thread; so do assert_float_equal and assert_in_set.
 */
#ifndef ILK_CMOCKA_ASSERTS_H
#define ILK_CMOCKA_ASSERTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#include <cmocka.h>

/* Of the library ilk-cmocka, not of libilk. */
#define ILK_TEST_API

/* Fails, with a text as of printf: in the runner the test, elsewhere as ilk/cmocka.h says. */
#define ilk_test_fail(...) ilk_test_fail_(__FILE__, __LINE__, __VA_ARGS__)

/* Fails unless CONDITION holds; with ilk_test_check_rc: unless CALL returns EXPECTED, saying in words
 * what else it returned. */
#define ilk_test_check(condition) \
	((condition) ? (void)0 : ilk_test_fail_(__FILE__, __LINE__, "not so: %s", #condition))
#define ilk_test_check_rc(call, expected) \
	ilk_test_check_rc_(__FILE__, __LINE__, #call, (call), (expected))

ILK_TEST_API __attribute__((noreturn, format(printf, 3, 4))) void ilk_test_fail_(
	const char *file, int line, const char *format, ...);
ILK_TEST_API void ilk_test_check_rc_(
	const char *file, int line, const char *call, int got, int expected);

/* One function a shape of check; it fails unless the comparison is as WANTED. */
ILK_TEST_API void ilk_test_equal_(
	uintmax_t a, uintmax_t b, int wanted, const char *what, const char *file, int line);
ILK_TEST_API void ilk_test_string_(
	const char *a, const char *b, int wanted, const char *what, const char *file, int line);
ILK_TEST_API void ilk_test_memory_(const void *a, const void *b, size_t size, int wanted,
	const char *what, const char *file, int line);
ILK_TEST_API void ilk_test_range_(uintmax_t value, uintmax_t low, uintmax_t high, int wanted,
	const char *what, const char *file, int line);
ILK_TEST_API void ilk_test_return_code_(
	intmax_t rc, int error, const char *what, const char *file, int line);

#ifdef __cplusplus
}
#endif

#undef fail
#undef fail_msg
#define fail() ilk_test_fail("fail()")
#define fail_msg(...) ilk_test_fail(__VA_ARGS__)

#undef assert_true
#undef assert_false
#undef assert_null
#undef assert_non_null
/* So written, the compiler knows that what comes after can rely on it. */
#define ILK_TEST_HOLDS_(holds, what) ((holds) ? (void)0 : ilk_test_fail("%s", what))
#define assert_true(c) ILK_TEST_HOLDS_(c, "assert_true(" #c ")")
#define assert_false(c) ILK_TEST_HOLDS_(!(c), "assert_false(" #c ")")
#define assert_null(p) ILK_TEST_HOLDS_((uintptr_t)(p) == 0, "assert_null(" #p ")")
#define assert_non_null(p) ILK_TEST_HOLDS_((uintptr_t)(p) != 0, "assert_non_null(" #p ")")

#undef assert_int_equal
#undef assert_int_not_equal
#undef assert_ptr_equal
#undef assert_ptr_not_equal
#define ILK_TEST_AT_(what) what, __FILE__, __LINE__
#define assert_int_equal(a, b) \
	ilk_test_equal_((uintmax_t)(a), (uintmax_t)(b), 1, ILK_TEST_AT_(#a ", " #b))
#define assert_int_not_equal(a, b) \
	ilk_test_equal_((uintmax_t)(a), (uintmax_t)(b), 0, ILK_TEST_AT_(#a ", " #b))
#define assert_ptr_equal(a, b) \
	ilk_test_equal_((uintptr_t)(a), (uintptr_t)(b), 1, ILK_TEST_AT_(#a ", " #b))
#define assert_ptr_not_equal(a, b) \
	ilk_test_equal_((uintptr_t)(a), (uintptr_t)(b), 0, ILK_TEST_AT_(#a ", " #b))

#undef assert_string_equal
#undef assert_string_not_equal
#undef assert_memory_equal
#undef assert_memory_not_equal
#define assert_string_equal(a, b) ilk_test_string_(a, b, 1, ILK_TEST_AT_(#a ", " #b))
#define assert_string_not_equal(a, b) ilk_test_string_(a, b, 0, ILK_TEST_AT_(#a ", " #b))
#define assert_memory_equal(a, b, size) ilk_test_memory_(a, b, size, 1, ILK_TEST_AT_(#a ", " #b))
#define assert_memory_not_equal(a, b, size) \
	ilk_test_memory_(a, b, size, 0, ILK_TEST_AT_(#a ", " #b))

#undef assert_in_range
#undef assert_not_in_range
#undef assert_return_code
#define assert_in_range(v, low, high) \
	ilk_test_range_((uintmax_t)(v), (uintmax_t)(low), (uintmax_t)(high), 1, ILK_TEST_AT_(#v))
#define assert_not_in_range(v, low, high) \
	ilk_test_range_((uintmax_t)(v), (uintmax_t)(low), (uintmax_t)(high), 0, ILK_TEST_AT_(#v))
#define assert_return_code(rc, error) \
	ilk_test_return_code_((intmax_t)(rc), (int)(error), ILK_TEST_AT_(#rc))

#endif
