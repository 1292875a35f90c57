/*
 * transport_ring.c - Ilk's ring: messages of any size, of one size, and with calls that wait.
 */
#include "bench/transport_loops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One process's end of a way. */
struct end {
	struct ilk_ring *ring;
	struct ilk_ring_writer writer;
	struct ilk_ring_reader reader;
};

static int make_as(struct transport_way *w, unsigned flags)
{
	/* A header of 8 bytes stands before each message, where they are of any size. */
	const struct ilk_ring_options options = {.size = sizeof(options),
		.bytes = w->capacity * (w->bytes + (flags & ILK_RING_FIXED ? 0 : 8)),
		.message = flags & ILK_RING_FIXED ? w->bytes : 0,
		.flags = flags};
	struct end *e = (struct end *)calloc(1, sizeof(*e));
	char name[16];

	w->own = e;
	snprintf(name, sizeof(name), "ring-%u", w->number);
	return e ? ilk_ring_open(w->place->seg, name, &options, &e->ring) : -1;
}

static int make(struct transport_way *w)
{
	return make_as(w, 0);
}

static int make_fixed(struct transport_way *w)
{
	return make_as(w, ILK_RING_FIXED);
}

static void unmake(struct transport_way *w)
{
	free(w->own);
}

static int join(struct transport_way *w, int roles)
{
	struct end *e = (struct end *)w->own;

	if (roles & TRANSPORT_SENDS && ilk_ring_writer_open(e->ring, 0, &e->writer) < 0)
		return -1;
	if (roles & TRANSPORT_RECEIVES && ilk_ring_reader_open(e->ring, 0, &e->reader) < 0)
		return -1;
	return 0;
}

/* -EPIPE: the writer has gone, and all is read: it is empty, which is for the loop to judge. */
static inline int result(int rc)
{
	return rc == 0 ? 1 : rc == -EAGAIN || rc == -EPIPE ? 0 : -1;
}

static inline int ring_send(struct transport_way *w, const void *message, size_t n)
{
	return result(ilk_ring_try_put(&((struct end *)w->own)->writer, message, n));
}

static inline int ring_receive(struct transport_way *w, void *message, size_t n)
{
	size_t got;

	return result(ilk_ring_try_get(&((struct end *)w->own)->reader, message, n, &got));
}

static inline int place_send(struct transport_way *w, const void *message, size_t n)
{
	struct ilk_ring_writer *writer = &((struct end *)w->own)->writer;
	void *place;
	int rc = result(ilk_ring_try_reserve(writer, n, &place));

	if (rc <= 0)
		return rc;
	memcpy(place, message, n);
	return ilk_ring_commit(writer, n) == 0 ? 1 : -1;
}

static inline int place_receive(struct transport_way *w, void *message, size_t n)
{
	struct ilk_ring_reader *reader = &((struct end *)w->own)->reader;
	const void *place;
	int rc = result(ilk_ring_try_peek(reader, &place, NULL));

	if (rc <= 0)
		return rc;
	memcpy(message, place, n);
	return ilk_ring_release(reader) == 0 ? 1 : -1;
}

static inline int ring_send_many(
	struct transport_way *w, const void *messages, unsigned count, size_t n)
{
	size_t done = 0;
	int rc = ilk_ring_try_put_many(&((struct end *)w->own)->writer, messages, n, count, &done);

	return rc == 0 ? (int)done : result(rc);
}

static inline int ring_receive_many(
	struct transport_way *w, void *messages, unsigned count, size_t n)
{
	size_t done = 0;
	int rc = ilk_ring_try_get_many(&((struct end *)w->own)->reader, messages, n, count, &done);

	return rc == 0 ? (int)done : result(rc);
}

static inline int ring_waits_send(struct transport_way *w, const void *message, size_t n)
{
	return ilk_ring_put(&((struct end *)w->own)->writer, message, n) == 0 ? 1 : -1;
}

static inline int ring_waits_receive(struct transport_way *w, void *message, size_t n)
{
	size_t got;

	return ilk_ring_get(&((struct end *)w->own)->reader, message, n, &got) == 0 ? 1 : -1;
}

TRANSPORT_LOOPS(ring, 0);
TRANSPORT_LOOPS(place, 0);
TRANSPORT_BULK_LOOPS(ring);
TRANSPORT_LOOPS(ring_waits, 1);

const struct transport transport_ring = {
	NULL, make, unmake, join, NULL, ring_send, ring_receive, ring_loops, ring_bulk_loops};
const struct transport transport_ring_place = {
	NULL, make, unmake, join, NULL, place_send, place_receive, place_loops, NULL};
const struct transport transport_ring_fixed = {
	NULL, make_fixed, unmake, join, NULL, ring_send, ring_receive, ring_loops, ring_bulk_loops};
const struct transport transport_ring_waits = {NULL, make, unmake, join, NULL, ring_waits_send,
	ring_waits_receive, ring_waits_loops, NULL};
