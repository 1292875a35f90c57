/* linear.c - the search of Wing and Gong: all orders, none of what was seen in vain again. */
#include "linear.h"
#include <string.h>

enum { SEEN = 1 << 14 };

/* How far each player is, and the state there. */
struct node {
	uint64_t at[LINEAR_PLAYERS];
	uint64_t state;
};

static struct search {
	const struct linear_history *history;
	linear_model *model;
	struct node seen[SEEN];
	uint8_t is_used[SEEN];
} search;

/* Was it looked at before? Where the place is taken by another, that one is forgotten. */
static int was_seen(const struct node *n)
{
	uint64_t hash = n->state * 0x9e3779b97f4a7c15u;

	for (unsigned i = 0; i < LINEAR_PLAYERS; i++)
		hash = (hash ^ n->at[i]) * 0xbf58476d1ce4e5b9u;
	hash = (hash ^ hash >> 32) % SEEN;
	if (search.is_used[hash] && memcmp(&search.seen[hash], n, sizeof *n) == 0)
		return 1;
	search.is_used[hash] = 1;
	search.seen[hash] = *n;
	return 0;
}

/* What PLAYER does next; NULL: nothing more. */
static const struct linear_step *next(const struct node *n, unsigned player)
{
	return n->at[player] < search.history->count[player]
		       ? &search.history->step[player][n->at[player]]
		       : NULL;
}

/* Had none of the others' next steps returned when S was called? */
static int is_free(const struct node *n, const struct linear_step *s)
{
	int free = 1;

	for (unsigned i = 0; i < LINEAR_PLAYERS; i++) {
		const struct linear_step *other = next(n, i);

		free &= !other || other == s || other->returned > s->called;
	}
	return free;
}

/* Is there a way from N to the end? */
static int has_end(const struct node *n)
{
	int left = 0;

	if (was_seen(n))
		return 0;
	for (unsigned i = 0; i < LINEAR_PLAYERS; i++) {
		const struct linear_step *s = next(n, i);
		struct node after = *n;

		if (!s)
			continue;
		left = 1;
		after.at[i]++;
		if (is_free(n, s) && search.model(&after.state, i, s) && has_end(&after))
			return 1;
	}
	return !left;
}

static void find_alone(struct linear_history *h, unsigned player, struct linear_step *s)
{
	s->is_alone = 1;
	for (unsigned i = 0; i < LINEAR_PLAYERS; i++)
		for (uint64_t k = 0; i != player && k < h->count[i]; k++)
			s->is_alone &= h->step[i][k].called > s->returned ||
				       h->step[i][k].returned < s->called;
}

int linear_is_possible(struct linear_history *history, uint64_t first, linear_model *model)
{
	const struct node begin = {.state = first};

	for (unsigned i = 0; i < LINEAR_PLAYERS; i++)
		for (uint64_t k = 0; k < history->count[i]; k++)
			find_alone(history, i, &history->step[i][k]);
	memset(search.is_used, 0, sizeof search.is_used);
	search.history = history;
	search.model = model;
	return has_end(&begin);
}
