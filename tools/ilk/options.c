/* options.c - parses a subcommand's arguments by its table, and prints help from the same table. */
#include "ilk/options.h"
#include "ilk/report.h"
#include "ilk/suggest.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 26 };

/* --- values --- */

static int read_integer(const char *text, int base, int64_t *value, const char **rest)
{
	char *end;

	if (!isdigit((unsigned char)text[text[0] == '-']))
		return -1;
	errno = 0;
	*value = strtoll(text, &end, base);
	*rest = end;
	return errno || end == text ? -1 : 0;
}

/* K, M, G, perhaps followed by B or iB, as powers of 1024; -1: no such unit. */
static int64_t unit_of(const char *suffix)
{
	static const char letters[] = "KMG";
	const char *letter = *suffix ? strchr(letters, toupper((unsigned char)*suffix)) : NULL;

	if (*suffix == '\0')
		return 1;
	if (!letter || (suffix[1] && strcmp(suffix + 1, "B") && strcmp(suffix + 1, "iB")))
		return -1;
	return (int64_t)1 << (10 * (letter - letters + 1));
}

static int read_size(const char *text, int64_t *value)
{
	const char *suffix;
	int64_t unit;

	if (read_integer(text, 10, value, &suffix) < 0)
		return -1;
	unit = unit_of(suffix);
	return unit < 0 || __builtin_mul_overflow(*value, unit, value) ? -1 : 0;
}

/* Seconds in the unit SUFFIX, itself a second by default; 0: no such unit. */
static double seconds_in(const char *suffix)
{
	static const struct {
		const char *suffix;
		double seconds;
	} units[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"m", 60}, {"min", 60},
		{"h", 3600}, {"d", 86400}};

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(suffix, units[i].suffix) == 0)
			return units[i].seconds;
	return 0;
}

static int read_seconds(const char *text, int64_t *value)
{
	char *end;
	double seconds = strtod(text, &end), unit = seconds_in(end);

	/* The second test keeps out "inf", "nan", exponents and hexadecimal; 9.2e9 s is what 63 bits
	 * hold. */
	if (end == text || end != text + strspn(text, "-.0123456789") || unit == 0 ||
		seconds * unit > 9.2e9)
		return -1;
	*value = (int64_t)(seconds * unit * 1e9);
	return 0;
}

int options_read(enum option_kind kind, const char *text, int64_t *value)
{
	const char *rest = "";
	int rc;

	if (kind == OPTION_SIZE)
		return read_size(text, value);
	if (kind == OPTION_SECONDS)
		return read_seconds(text, value);
	rc = read_integer(text, kind == OPTION_MODE ? 8 : 10, value, &rest);
	return rc < 0 || *rest ? -1 : 0;
}

static const char *kind_in_words(enum option_kind kind)
{
	switch (kind) {
	case OPTION_SIZE:
		return "a size such as 65536, 64K, 1M or 2G";
	case OPTION_MODE:
		return "octal permissions such as 0600";
	case OPTION_SECONDS:
		return "seconds such as 5 or 0.5, or a time such as 20ms or 2m";
	default:
		return "a whole number";
	}
}

/* What a bound looks like in the unit in which the value is written. */
static void print_bound(char out[32], enum option_kind kind, int64_t bound)
{
	if (kind == OPTION_SECONDS)
		snprintf(out, 32, "%g", (double)bound / 1e9);
	else
		snprintf(out, 32, kind == OPTION_MODE ? "%llo" : "%lld", (long long)bound);
}

static int complain_range(
	const struct option_page *page, const struct option_row *row, const char *text)
{
	char low[32], high[32];

	print_bound(low, row->kind, row->low);
	print_bound(high, row->kind, row->high);
	return complain(page->command, "--%s %s is out of range: give %s to %s", row->name, text,
		low, high);
}

static int store(const struct option_page *page, const struct option_row *row, const char *text)
{
	int64_t value;

	if (row->kind == OPTION_FLAG) {
		*(int *)row->target = 1;
		return OPTIONS_GO;
	}
	if (row->kind == OPTION_TEXT) {
		*(const char **)row->target = text;
		return OPTIONS_GO;
	}
	if (options_read(row->kind, text, &value) < 0)
		return complain(page->command, "--%s '%s' cannot be read: give %s", row->name, text,
			kind_in_words(row->kind));
	if (value < row->low || value > row->high)
		return complain_range(page, row, text);
	*(int64_t *)row->target = value;
	return OPTIONS_GO;
}

/* --- options --- */

/* Where the parsing stands. */
struct cursor {
	const struct option_page *page;
	int argc, next;
	char **argv;
	int wants_help;
};

static const struct option_row help_row = {
	.name = "help", .letter = 'h', .kind = OPTION_FLAG, .help = "print this and exit"};

static const struct option_row *find_long(
	const struct option_page *page, const char *name, size_t length)
{
	for (const struct option_row *row = page->rows; row && row->name; row++)
		if (strlen(row->name) == length && memcmp(row->name, name, length) == 0)
			return row;
	return length == 4 && memcmp(name, "help", 4) == 0 ? &help_row : NULL;
}

static const struct option_row *find_letter(const struct option_page *page, char letter)
{
	for (const struct option_row *row = page->rows; row && row->name; row++)
		if (row->letter == letter)
			return row;
	return letter == 'h' ? &help_row : NULL;
}

static int complain_unknown(const struct option_page *page, const char *name, size_t length)
{
	struct suggestion s;

	suggest_begin(&s, name, length);
	for (const struct option_row *row = page->rows; row && row->name; row++)
		suggest_offer(&s, row->name);
	if (s.best)
		return complain(page->command, "there is no option --%.*s; did you mean --%s?",
			(int)length, name, s.best);
	return complain(page->command, "there is no option --%.*s; `ilk %s --help` lists them",
		(int)length, name, page->command);
}

/* ROW was met, with TEXT as its value if that was joined to it. */
static int take(struct cursor *c, const struct option_row *row, const char *text)
{
	if (row == &help_row) {
		c->wants_help = 1;
		return OPTIONS_GO;
	}
	if (row->kind != OPTION_FLAG && !text) {
		if (c->next >= c->argc)
			return complain(c->page->command, "--%s needs a value: --%s %s", row->name,
				row->name, row->value);
		text = c->argv[c->next++];
	}
	return store(c->page, row, text);
}

static int take_long(struct cursor *c, const char *name)
{
	size_t length = strcspn(name, "=");
	const char *text = name[length] ? name + length + 1 : NULL;
	const struct option_row *row = find_long(c->page, name, length);

	if (!row)
		return complain_unknown(c->page, name, length);
	if (text && row->kind == OPTION_FLAG)
		return complain(
			c->page->command, "--%s takes no value: leave out =%s", row->name, text);
	return take(c, row, text);
}

static int take_letters(struct cursor *c, const char *letters)
{
	int code = OPTIONS_GO;

	for (; *letters && code == OPTIONS_GO; letters++) {
		const struct option_row *row = find_letter(c->page, *letters);

		if (!row)
			return complain(c->page->command,
				"there is no option -%c; `ilk %s --help` lists them", *letters,
				c->page->command);
		if (row->kind != OPTION_FLAG)
			return take(c, row, letters[1] ? letters + 1 : NULL);
		code = take(c, row, NULL);
	}
	return code;
}

static int is_operand(const struct option_page *page, const char *argument)
{
	if (argument[0] != '-' || argument[1] == '\0')
		return 1;
	return isdigit((unsigned char)argument[1]) && !find_letter(page, argument[1]);
}

static int check_operands(const struct option_page *page, int operands)
{
	if (operands < page->min)
		return complain(page->command, "too few arguments; use it as: ilk %s %s",
			page->command, page->operands);
	if (page->max >= 0 && operands > page->max)
		return complain(page->command, "too many arguments; use it as: ilk %s %s",
			page->command, page->operands);
	return OPTIONS_GO;
}

int options_parse(const struct option_page *page, int *argc, char **argv)
{
	struct cursor c = {.page = page, .argc = *argc, .next = 1, .argv = argv};
	int operands = 0, code = OPTIONS_GO, only_operands = 0;

	while (c.next < c.argc && code == OPTIONS_GO) {
		char *argument = argv[c.next++];

		if (only_operands || is_operand(page, argument))
			argv[operands++] = argument;
		else if (strcmp(argument, "--") == 0)
			only_operands = 1;
		else if (argument[1] == '-')
			code = take_long(&c, argument + 2);
		else
			code = take_letters(&c, argument + 1);
	}
	if (code == OPTIONS_GO && c.wants_help) {
		options_print_help(page);
		return EXIT_FINE;
	}
	*argc = operands;
	return code == OPTIONS_GO ? check_operands(page, operands) : code;
}

/* --- help --- */

static void print_row(const struct option_row *row)
{
	char left[64] = "";
	size_t at = 0;

	if (row->letter)
		at = (size_t)snprintf(left, sizeof left, "-%c, ", row->letter);
	at += (size_t)snprintf(left + at, sizeof left - at, "--%s", row->name);
	if (row->kind != OPTION_FLAG)
		snprintf(left + at, sizeof left - at, " %s", row->value);
	printf("  %-*s", HELP_COLUMN - 2, left);
	for (const char *line = row->help; *line;) {
		size_t length = strcspn(line, "\n");

		printf("%.*s\n", (int)length, line);
		line += length;
		if (*line == '\n')
			printf("%*s", (int)(*++line ? HELP_COLUMN : 0), "");
	}
}

void options_print_help(const struct option_page *page)
{
	printf("Usage: ilk %s%s%s%s\n", page->command, page->rows ? " [OPTION...]" : "",
		page->operands[0] ? " " : "", page->operands);
	printf("%c%s.\n", toupper((unsigned char)page->summary[0]), page->summary + 1);
	if (page->details)
		printf("\n%s", page->details);
	printf("\nOptions:\n");
	for (const struct option_row *row = page->rows; row && row->name; row++)
		print_row(row);
	print_row(&help_row);
}
