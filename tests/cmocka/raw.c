/* raw.c - cmocka's own asserts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "raw.h"

void raw_equal(int a, int b)
{
	assert_int_equal(a, b);
}
