/*
 * lanes.c - which lane is looked at: one stays where messages are, for a run, and goes on to another
 * where there are none, before it waits.
 */
#include "queue/taking.h"

/* A lane that never runs dry would keep a getter from the others. */
void ilk_queue_end_run_(struct ilk_queue_handle *h)
{
	h->gets++;
	h->turn = (h->turn + 1) & (h->lanes - 1);
}

int ilk_queue_is_still_fresh_(struct ilk_queue_handle *h)
{
	if (!ilk_queue_is_plain_(h->queue, ILK_QUEUE_REMOVED_))
		return 0;
	if (h->gets % ILK_QUEUE_RUN_ == 0) {
		ilk_queue_end_run_(h);
		ilk_queue_look_for_dead_(h);
	}
	return h->returned == ilk_load_relaxed_(&h->queue->returned);
}

int ilk_queue_take_turns_(struct ilk_queue_handle *h, struct ilk_queue_walk_ *w)
{
	for (uint32_t i = 1; i < h->lanes; i++) {
		uint32_t lane = (h->turn + i) & (h->lanes - 1);

		if (ilk_queue_oldest_(h, lane, w) == ILK_QUEUE_GOT_) {
			h->turn = lane;
			return 1;
		}
	}
	return 0;
}
