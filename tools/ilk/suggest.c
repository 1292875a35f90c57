/* suggest.c - the edit distance: insertions, deletions, replacements, swaps of neighbours. */
#include "ilk/suggest.h"
#include <string.h>

enum { LONGEST = 32 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Row I of the distance table, from the two rows before it. */
static void next_row(const char *a, size_t i, const char *b, size_t m, size_t rows[3][LONGEST + 1])
{
	size_t *now = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];

	now[0] = i;
	for (size_t j = 1; j <= m; j++) {
		now[j] = least(
			above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], now[j - 1]) + 1);
		if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
			now[j] = least(now[j], two_above[j - 2] + 1);
	}
}

static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[3][LONGEST + 1];

	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++)
		next_row(a, i, b, m, rows);
	return rows[n % 3][m];
}

void suggest_begin(struct suggestion *s, const char *word, size_t length)
{
	*s = (struct suggestion){.word = word, .length = length};
	/* A third of the letters may be wrong, and one always. */
	s->distance = length / 3 + 2;
}

void suggest_offer(struct suggestion *s, const char *candidate)
{
	size_t m = strlen(candidate), d;

	if (s->length > LONGEST || m > LONGEST)
		return;
	d = distance(s->word, s->length, candidate, m);
	if (d < s->distance && d < m) {
		s->distance = d;
		s->best = candidate;
	}
}
