/* shape.h - what is fixed of a queue, and how many bytes that makes. */
#ifndef ILK_QUEUE_SHAPE_H
#define ILK_QUEUE_SHAPE_H

#include "queue/queue.h"

/* Copied, and checked. */
struct ilk_queue_shape_ {
	uint32_t lanes, shift, message_bytes, max_deliveries, slots;
	char dead_letter[ILK_NAME_BYTES_];
};

uint64_t ilk_queue_bytes_(const struct ilk_queue_shape_ *s);

/* That of Q, in MAP, of which ROOM bytes are there. NULL, or what is wrong with it. */
const char *ilk_queue_shape_of_(const struct ilk_map_ *map, const struct ilk_queue *q,
	uint64_t room, struct ilk_queue_shape_ *s);

/* How many bytes there are in MAP from OBJECT on. */
static inline uint64_t ilk_queue_room_(const struct ilk_map_ *map, const void *object)
{
	return map->bytes - (uint64_t)((const char *)object - map->base);
}

#endif
