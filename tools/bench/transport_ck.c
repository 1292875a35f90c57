/*
 * transport_ck.c - the rings of ConcurrencyKit: one to one, and many to many. They never sleep.
 *
 * The elements are structs of the size of a message, copied in and out.
 */
#include "bench/transport_loops.h"

#include <ck_ring.h>

struct ck_message_8 {
	unsigned char bytes[8];
};
struct ck_message_64 {
	unsigned char bytes[64];
};
struct ck_message_1024 {
	unsigned char bytes[1024];
};

CK_RING_PROTOTYPE(m8, ck_message_8)
CK_RING_PROTOTYPE(m64, ck_message_64)
CK_RING_PROTOTYPE(m1024, ck_message_1024)

/* The ring lies in front of its elements. */
#define RING(w) ((struct ck_ring *)(void *)(w)->memory)
#define ELEMENTS(w, n) ((struct ck_message_##n *)(void *)((w)->memory + sizeof(struct ck_ring)))

static size_t memory(const struct transport_way *w)
{
	/* One element of the ring stays empty. */
	return sizeof(struct ck_ring) + w->capacity * w->bytes;
}

static int make(struct transport_way *w)
{
	ck_ring_init(RING(w), w->capacity);
	return 0;
}

#define CK_TRANSPORT(kind)                                                                         \
	static inline int ck_##kind##_send(struct transport_way *w, const void *message, size_t n) \
	{                                                                                          \
		if (n == 8)                                                                        \
			return ck_ring_enqueue_##kind##_m8(RING(w), ELEMENTS(w, 8),                \
				(struct ck_message_8 *)(uintptr_t)message);                        \
		if (n == 64)                                                                       \
			return ck_ring_enqueue_##kind##_m64(RING(w), ELEMENTS(w, 64),              \
				(struct ck_message_64 *)(uintptr_t)message);                       \
		return ck_ring_enqueue_##kind##_m1024(                                             \
			RING(w), ELEMENTS(w, 1024), (struct ck_message_1024 *)(uintptr_t)message); \
	}                                                                                          \
	static inline int ck_##kind##_receive(struct transport_way *w, void *message, size_t n)    \
	{                                                                                          \
		if (n == 8)                                                                        \
			return ck_ring_dequeue_##kind##_m8(                                        \
				RING(w), ELEMENTS(w, 8), (struct ck_message_8 *)message);          \
		if (n == 64)                                                                       \
			return ck_ring_dequeue_##kind##_m64(                                       \
				RING(w), ELEMENTS(w, 64), (struct ck_message_64 *)message);        \
		return ck_ring_dequeue_##kind##_m1024(                                             \
			RING(w), ELEMENTS(w, 1024), (struct ck_message_1024 *)message);            \
	}                                                                                          \
	TRANSPORT_LOOPS(ck_##kind, 0);                                                             \
	const struct transport transport_ck_##kind = {memory, make, NULL, NULL, NULL,              \
		ck_##kind##_send, ck_##kind##_receive, ck_##kind##_loops, NULL}

CK_TRANSPORT(spsc);
CK_TRANSPORT(mpmc);
