/* suggest.h - the nearest of several words to one that was mistyped. */
#ifndef ILK_TOOLS_SUGGEST_H
#define ILK_TOOLS_SUGGEST_H

#include <stddef.h>

struct suggestion {
	const char *word;
	size_t length;
	const char *best; /* NULL: none was near enough */
	size_t distance;
};

void suggest_begin(struct suggestion *s, const char *word, size_t length);

/* CANDIDATE lives as long as S. */
void suggest_offer(struct suggestion *s, const char *candidate);

#endif
