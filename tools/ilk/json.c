/* json.c - see json.h. */
#include "ilk/json.h"
#include "ilk/term.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void json_begin(struct json *j, FILE *out)
{
	*j = (struct json){.out = out};
}

/* Behind the N bytes of TEXT is a NUL. */
static void print_text(struct json *j, const char *text, size_t n)
{
	const char *end = text + n;

	putc('"', j->out);
	while (text < end) {
		unsigned char c = (unsigned char)*text;
		size_t length = c ? term_utf8_length(text) : 1;

		if (c == '"' || c == '\\')
			fprintf(j->out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(j->out, "\\u%04x", c);
		else if (length == 0)
			fputs("\\ufffd", j->out);
		else
			fwrite(text, 1, length, j->out);
		text += length ? length : 1;
	}
	putc('"', j->out);
}

static void indent(const struct json *j)
{
	fprintf(j->out, "\n%*s", 2 * j->depth, "");
}

/* Everything that precedes a value: comma, new line, key. */
static void begin_value(struct json *j, const char *key)
{
	if (j->depth > 0) {
		if (j->count[j->depth - 1]++ > 0)
			putc(',', j->out);
		indent(j);
	}
	if (key) {
		print_text(j, key, strlen(key));
		fputs(": ", j->out);
	}
}

static void end_value(struct json *j)
{
	if (j->depth == 0)
		putc('\n', j->out);
}

void json_open(struct json *j, const char *key, char bracket)
{
	begin_value(j, key);
	if (j->depth == JSON_DEPTH)
		abort(); /* our own nesting, which no input can deepen */
	j->closing[j->depth] = bracket == '[' ? ']' : '}';
	j->count[j->depth] = 0;
	j->depth++;
	putc(bracket, j->out);
}

void json_close(struct json *j)
{
	j->depth--;
	if (j->count[j->depth] > 0)
		indent(j);
	putc(j->closing[j->depth], j->out);
	end_value(j);
}

void json_string(struct json *j, const char *key, const char *value)
{
	if (!value) {
		json_null(j, key);
		return;
	}
	begin_value(j, key);
	print_text(j, value, strlen(value));
	end_value(j);
}

void json_bytes(struct json *j, const char *key, const char *bytes, size_t n)
{
	begin_value(j, key);
	print_text(j, bytes, n);
	end_value(j);
}

void json_integer(struct json *j, const char *key, int64_t value)
{
	begin_value(j, key);
	fprintf(j->out, "%lld", (long long)value);
	end_value(j);
}

void json_real(struct json *j, const char *key, double value, int digits)
{
	if (!isfinite(value)) {
		json_null(j, key);
		return;
	}
	begin_value(j, key);
	fprintf(j->out, "%.*f", digits, value);
	end_value(j);
}

void json_bool(struct json *j, const char *key, int value)
{
	begin_value(j, key);
	fputs(value ? "true" : "false", j->out);
	end_value(j);
}

void json_null(struct json *j, const char *key)
{
	begin_value(j, key);
	fputs("null", j->out);
	end_value(j);
}
