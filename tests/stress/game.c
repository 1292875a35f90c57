/* game.c - a barrier of its own: what is judged may be Ilk's. */
#include "game.h"
#include <sched.h>

void game_meet(struct game *g, unsigned players, void (*judge)(void))
{
	uint64_t round = ilk_load_acquire_(&g->round);

	if (ilk_add_full_(&g->arrived, 1) + 1 < players) {
		while (ilk_load_acquire_(&g->round) == round)
			sched_yield();
		return;
	}
	if (judge)
		judge();
	ilk_store_relaxed_(&g->is_over, (uint32_t)time_is_over());
	ilk_store_relaxed_(&g->arrived, UINT64_C(0));
	ilk_store_release_(&g->round, round + 1);
}
