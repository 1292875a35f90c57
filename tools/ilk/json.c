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

/* How many of TEXT's bytes are themselves in JSON. */
static size_t plain_length(const char *text)
{
	size_t n = 0;

	while (text[n] >= 0x20 && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

/* Behind the N bytes of TEXT is a NUL. */
static void print_text(struct json *j, const char *text, size_t n)
{
	const char *end = text + n;

	putc('"', j->out);
	for (;;) {
		unsigned char c;
		size_t length = plain_length(text);

		fwrite(text, 1, length, j->out);
		text += length;
		if (text >= end)
			break;
		c = (unsigned char)*text;
		length = c ? term_utf8_length(text) : 1;
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
	if (!j->is_line)
		fprintf(j->out, "\n%*s", 2 * j->depth, "");
}

/* Everything that precedes a value: comma, new line, key. */
static void begin_value(struct json *j, const char *key)
{
	if (j->depth > 0) {
		if (j->count[j->depth - 1]++ > 0)
			fputs(j->is_line ? ", " : ",", j->out);
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

static void open_document(struct json *j, const char *view, int version)
{
	char schema[32];

	snprintf(schema, sizeof schema, "ilk-%s", view);
	json_open(j, NULL, '{');
	json_string(j, "schema", schema);
	json_integer(j, "version", version);
}

void json_document(struct json *j, FILE *out, const char *view, int version)
{
	json_begin(j, out);
	open_document(j, view, version);
}

void json_line(struct json *j, FILE *out, const char *view, int version)
{
	json_begin(j, out);
	j->is_line = 1;
	open_document(j, view, version);
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
