/* asserts.c - the comparisons behind cmocka's asserts; the values as cmocka prints them. */
#include "internal.h"
#include <string.h>

static const char *relation(int wanted)
{
	return wanted ? "!=" : "==";
}

void ilk_test_equal_(
	uintmax_t a, uintmax_t b, int wanted, const char *what, const char *file, int line)
{
	if ((a == b) != wanted)
		ilk_test_fail_(file, line, "%#jx %s %#jx (%s: %jd, %jd)", a, relation(wanted), b,
			what, (intmax_t)a, (intmax_t)b);
}

static int same_string(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

void ilk_test_string_(
	const char *a, const char *b, int wanted, const char *what, const char *file, int line)
{
	if (same_string(a, b) != wanted)
		ilk_test_fail_(file, line, "\"%.600s\" %s \"%.600s\" (%s)", a ? a : "(null)",
			relation(wanted), b ? b : "(null)", what);
}

void ilk_test_memory_(const void *a, const void *b, size_t size, int wanted, const char *what,
	const char *file, int line)
{
	const unsigned char *x = a, *y = b;
	size_t at = 0;

	while (at < size && x[at] == y[at])
		at++;
	if ((at == size) == wanted)
		return;
	if (at == size)
		ilk_test_fail_(file, line, "%zu bytes are the same (%s)", size, what);
	ilk_test_fail_(file, line, "difference at offset %zu of %zu: 0x%02x 0x%02x (%s)", at, size,
		x[at], y[at], what);
}

void ilk_test_range_(uintmax_t value, uintmax_t low, uintmax_t high, int wanted, const char *what,
	const char *file, int line)
{
	if ((low <= value && value <= high) != wanted)
		ilk_test_fail_(file, line, "%ju is %s the range %ju-%ju (%s)", value,
			wanted ? "not within" : "within", low, high, what);
}

void ilk_test_return_code_(intmax_t rc, int error, const char *what, const char *file, int line)
{
	if (rc < 0)
		ilk_test_fail_(file, line, "%s < 0 (%jd), errno(%d): %s", what, rc, error,
			strerror(error));
}
