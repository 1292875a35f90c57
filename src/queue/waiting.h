/* waiting.h - waiting for room, for a message, for the end of all; queue_wait.c. */
#ifndef ILK_QUEUE_WAITING_H
#define ILK_QUEUE_WAITING_H

#include "queue/queue.h"

/* One call's waiting. */
struct ilk_queue_wait_ {
	struct ilk_queue *queue;
	/* Tries once: GOT; NONE; BUSY: OWNER, alive as far as was known, is waited for; -E... */
	int (*attempt)(struct ilk_queue_wait_ *w);
	uint32_t kind;  /* ILK_QUEUE_GETTERS_, ... */
	uint32_t owner; /* of BUSY */
	uint32_t deep;  /* the attempt is to look at who is dead, too: it costs */
	uint32_t slept;
};

/*
 * Begins a call that may wait: the calling thread's place is found. 0; -EIDRM; -EPIPE where
 * FORBIDDEN has CLOSED; -EINVAL, -EROFS, -E... of joining.
 */
int ilk_queue_enter_(const struct ilk_queue *q, uint32_t forbidden);

/* Tries until it is had. 0; -EAGAIN, -ETIMEDOUT, -ECANCELED; what the attempt said. */
int ilk_queue_wait_for_(struct ilk_queue_wait_ *w, ilk_time deadline);

/* Wakes up to N of a kind. [Q6], and the announcements: queue_wait.c. */
void ilk_queue_wake_(struct ilk_queue *q, unsigned kind, int n);

/* A cell came free: wakes one who waits for room, and those who wait for the end of all. */
void ilk_queue_wake_for_room_(struct ilk_queue *q);

#endif
