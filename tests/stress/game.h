/* game.h - players that play rounds together; the last to have played judges the round. */
#ifndef ILK_TESTS_GAME_H
#define ILK_TESTS_GAME_H

#include "stress.h"

/* In memory of all players, zero at first. */
struct game {
	uint64_t tickets, arrived, round;
	uint32_t is_over;
};

/* The next ticket; what came before its call is over then, what comes after it has not begun. */
static inline uint64_t game_draw(struct game *g)
{
	uint64_t ticket = ilk_add_full_(&g->tickets, 1);

	ilk_fence_();
	return ticket;
}

/* Waits for all PLAYERS. The last calls JUDGE, which may be NULL, and lets the others go on. */
void game_meet(struct game *g, unsigned players, void (*judge)(void));

#endif
