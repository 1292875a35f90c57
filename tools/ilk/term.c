/* term.c - see term.h. */
#include "ilk/term.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- colour --- */

int term_has_colour(FILE *out)
{
	const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(fileno(out)) && !(no_colour && no_colour[0]) &&
	       !(terminal && strcmp(terminal, "dumb") == 0);
}

void term_print(FILE *out, enum term_style style, const char *text)
{
	static const char *const begin[] = {"", "\033[1m", "\033[1;31m", "\033[33m"};

	if (style == TERM_PLAIN || !text[0] || !term_has_colour(out))
		fputs(text, out);
	else
		fprintf(out, "%s%s\033[0m", begin[style], text);
}

/* --- quantities --- */

const char *term_duration(char out[TERM_TEXT], int64_t ns)
{
	static const struct {
		int64_t ns;
		const char *name;
	} units[] = {
		{86400 * INT64_C(1000000000), "d"},
		{3600 * INT64_C(1000000000), "h"},
		{60 * INT64_C(1000000000), "min"},
		{INT64_C(1000000000), "s"},
		{1000000, "ms"},
		{1000, "us"},
		{1, "ns"},
	};
	size_t i = 0;
	int at;

	if (ns < 0)
		ns = 0;
	while (i < 6 && ns < units[i].ns)
		i++;
	at = snprintf(out, TERM_TEXT, "%lld %s", (long long)(ns / units[i].ns), units[i].name);
	/* Minutes and longer say how much of the next unit there is. */
	if (i < 3 && ns % units[i].ns >= units[i + 1].ns)
		snprintf(out + at, TERM_TEXT - (size_t)at, " %lld %s",
			(long long)(ns % units[i].ns / units[i + 1].ns), units[i + 1].name);
	return out;
}

const char *term_bytes(char out[TERM_TEXT], uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(out, TERM_TEXT, "%llu B", (unsigned long long)bytes);
		return out;
	}
	for (; value >= 1023.95 && i < 3; i++)
		value /= 1024;
	snprintf(out, TERM_TEXT, "%.1f %s", value, units[i]);
	return out;
}

const char *term_number(char out[TERM_TEXT], int64_t number)
{
	char digits[24], *to = out;
	int n = snprintf(digits, sizeof digits, "%lld", (long long)number);

	for (int i = 0; i < n; i++) {
		*to++ = digits[i];
		if (digits[i] != '-' && i + 1 < n && (n - i - 1) % 3 == 0)
			*to++ = ',';
	}
	*to = '\0';
	return out;
}

/* --- text --- */

/* Bytes that the first byte of a UTF-8 character announces; 0: none begins so. */
static size_t announced(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c < 0xe0)
		return 2;
	if (c >= 0xe0 && c < 0xf0)
		return 3;
	return c >= 0xf0 && c < 0xf5 ? 4 : 0;
}

size_t term_utf8_length(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t n = announced(c[0]);

	for (size_t i = 1; i < n; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than need be, a surrogate, beyond the last character. */
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
		(c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return n;
}

/* C0, DEL, and C1, which UTF-8 writes as C2 80 to C2 9F. */
static int is_control(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	return c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0);
}

const char *term_clean(char *out, size_t size, const char *text)
{
	size_t at = 0;

	while (*text) {
		size_t n = term_utf8_length(text);
		int bad = n == 0 || is_control(text);

		if (at + (bad ? 1 : n) >= size)
			break;
		if (bad)
			out[at++] = '?';
		for (size_t i = 0; !bad && i < n; i++)
			out[at++] = text[i];
		text += n ? n : 1;
	}
	out[at] = '\0';
	return out;
}

size_t term_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}
