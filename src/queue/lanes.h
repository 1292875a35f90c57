/* lanes.h - which lane a thread puts into, and in which order it looks at them. */
#ifndef ILK_QUEUE_LANES_H
#define ILK_QUEUE_LANES_H

#include "queue/queue.h"

enum { ILK_QUEUE_NO_LANE_ = UINT32_MAX };

/* A thread keeps to one lane, all its handles do: so its messages stay in order. */
static inline void ilk_queue_choose_lane_(struct ilk_queue_handle *h)
{
	uint32_t lane = ilk_thread_.me->slot & (h->lanes - 1);

	if (h->lane == lane)
		return;
	h->lane = lane;
	h->tail = ilk_load_relaxed_(&ilk_queue_lane_(h, lane)->tail);
}

/* Is the lane that H remembers the calling thread's? */
static inline int ilk_queue_has_lane_(const struct ilk_queue_handle *h)
{
	return h->lanes == 1 || h->lane == (ilk_thread_.me->slot & (h->lanes - 1));
}

#endif
