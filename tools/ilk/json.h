/*
 * json.h - writes JSON, indented, one value a line.
 *
 *	struct json j;
 *	json_document(&j, stdout, "ls", 1);     // {"schema": "ilk-ls", "version": 1,
 *	json_open(&j, "segments", '[');
 *	json_open(&j, NULL, '{');
 *	json_string(&j, "name", name);
 *	json_integer(&j, "bytes", 4096);
 *	json_close(&j);
 *	json_close(&j);
 *	json_close(&j);                 // the last one also ends the line
 *
 * KEY is NULL for the outermost value and in arrays.
 */
#ifndef ILK_TOOLS_JSON_H
#define ILK_TOOLS_JSON_H

#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH = 16 };

struct json {
	FILE *out;
	int depth, is_line;
	char closing[JSON_DEPTH]; /* what ends each open array or object */
	int count[JSON_DEPTH];    /* values in it so far */
};

void json_begin(struct json *j, FILE *out);

/*
 * Begins, and opens the outermost object: of VIEW, the subcommand. VERSION is of its schema, which
 * its manual page documents: it is raised when a member goes or changes its meaning, and not when one
 * is added.
 */
void json_document(struct json *j, FILE *out, const char *view, int version);

/* The same, but all of it on one line: for views that print one after the other. */
void json_line(struct json *j, FILE *out, const char *view, int version);

/* Opens an array, BRACKET '[', or an object, '{'. */
void json_open(struct json *j, const char *key, char bracket);
void json_close(struct json *j);

/* Bytes that are not UTF-8 become U+FFFD. NULL becomes null. */
void json_string(struct json *j, const char *key, const char *value);
/* The same for N bytes, which may be NULs; behind them is one. */
void json_bytes(struct json *j, const char *key, const char *bytes, size_t n);
void json_integer(struct json *j, const char *key, int64_t value);
/* With so many DIGITS after the point; what is no number (nan, inf) becomes null. */
void json_real(struct json *j, const char *key, double value, int digits);
void json_bool(struct json *j, const char *key, int value);
void json_null(struct json *j, const char *key);

#endif
