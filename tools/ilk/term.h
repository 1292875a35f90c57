/* term.h - how things look to a person: colour, durations, sizes, text of unknown origin. */
#ifndef ILK_TOOLS_TERM_H
#define ILK_TOOLS_TERM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum term_style {
	TERM_PLAIN,
	TERM_BOLD,
	TERM_BAD,  /* bold red: dead, damaged */
	TERM_WARN, /* yellow: stopped, waiting */
};

/* Is OUT a terminal, and may it be coloured (NO_COLOR is not set, TERM is not "dumb")? */
int term_has_colour(FILE *out);

/* Prints TEXT in STYLE; plain where OUT has no colour. */
void term_print(FILE *out, enum term_style style, const char *text);

enum { TERM_TEXT = 32 }; /* bytes enough for each of these three */
/* "340 ns", "12 ms", "41 s", "2 h 3 min", "5 d 1 h"; negative is as 0. Returns OUT. */
const char *term_duration(char out[TERM_TEXT], int64_t ns);
/* "512 B", "4.0 KiB", "1.0 MiB". Returns OUT. */
const char *term_bytes(char out[TERM_TEXT], uint64_t bytes);
/* "1,000,000". Returns OUT. */
const char *term_number(char out[TERM_TEXT], int64_t number);

/*
 * Copies TEXT so that it cannot steer a terminal: control characters and what is not UTF-8 become
 * '?'. Shortened to fit. Returns OUT.
 */
const char *term_clean(char *out, size_t size, const char *text);

/* Bytes of the UTF-8 character at TEXT, which is not ""; 0: it is none. */
size_t term_utf8_length(const char *text);

/* Columns that TEXT takes: one a character. */
size_t term_width(const char *text);

#endif
