/*
 * transport_queue.c - Ilk's queue: as it is, with lanes, with leases, and with calls that wait.
 */
#include "bench/transport_loops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 4 };

/* One process's end of a way. */
struct end {
	struct ilk_queue *queue;
	struct ilk_queue_handle handle;
};

/* Who sends has one lane: that is as long as the peers' queues. */
static int make_as(struct transport_way *w, unsigned lanes)
{
	const struct ilk_queue_options options = {.size = sizeof(options),
		.capacity = w->capacity * lanes,
		.message_bytes = w->bytes,
		.lanes = lanes};
	struct end *e = (struct end *)calloc(1, sizeof(*e));
	char name[16];

	w->own = e;
	snprintf(name, sizeof(name), "queue-%u", w->number);
	return e ? ilk_queue_open(w->place->seg, name, &options, &e->queue) : -1;
}

static int make(struct transport_way *w)
{
	return make_as(w, 1);
}

static int make_lanes(struct transport_way *w)
{
	return make_as(w, LANES);
}

static void unmake(struct transport_way *w)
{
	free(w->own);
}

static int join(struct transport_way *w, int roles)
{
	struct end *e = (struct end *)w->own;

	(void)roles;
	return ilk_queue_attach(e->queue, &e->handle);
}

static inline struct ilk_queue_handle *handle_of(struct transport_way *w)
{
	return &((struct end *)w->own)->handle;
}

static inline int result(int rc)
{
	return rc == 0 ? 1 : rc == -EAGAIN ? 0 : -1;
}

static inline int queue_send(struct transport_way *w, const void *message, size_t n)
{
	return result(ilk_queue_put(handle_of(w), message, n, ILK_NOW));
}

static inline int queue_receive(struct transport_way *w, void *message, size_t n)
{
	return result(ilk_queue_get(handle_of(w), message, n, NULL, ILK_NOW));
}

static inline int queue_send_many(
	struct transport_way *w, const void *messages, unsigned count, size_t n)
{
	size_t done = 0;
	int rc = ilk_queue_put_many(handle_of(w), messages, n, count, &done, ILK_NOW);

	return rc == 0 ? (int)done : result(rc);
}

static inline int queue_receive_many(
	struct transport_way *w, void *messages, unsigned count, size_t n)
{
	size_t done = 0;
	int rc = ilk_queue_get_many(handle_of(w), messages, n, count, NULL, &done, ILK_NOW);

	return rc == 0 ? (int)done : result(rc);
}

static inline int lease_send(struct transport_way *w, const void *message, size_t n)
{
	return queue_send(w, message, n);
}

static inline int lease_receive(struct transport_way *w, void *message, size_t n)
{
	struct ilk_queue_lease lease;
	int rc = result(ilk_queue_lease(handle_of(w), &lease, ILK_NOW));

	if (rc <= 0)
		return rc;
	memcpy(message, lease.data, n);
	return ilk_queue_ack(handle_of(w), &lease) == 0 ? 1 : -1;
}

static inline int queue_waits_send(struct transport_way *w, const void *message, size_t n)
{
	return result(ilk_queue_put(handle_of(w), message, n, ILK_FOREVER));
}

static inline int queue_waits_receive(struct transport_way *w, void *message, size_t n)
{
	return result(ilk_queue_get(handle_of(w), message, n, NULL, ILK_FOREVER));
}

TRANSPORT_LOOPS(queue, 0);
TRANSPORT_BULK_LOOPS(queue);
TRANSPORT_LOOPS(lease, 0);
TRANSPORT_LOOPS(queue_waits, 1);

const struct transport transport_queue = {
	NULL, make, unmake, join, NULL, queue_send, queue_receive, queue_loops, queue_bulk_loops};
const struct transport transport_queue_lanes = {NULL, make_lanes, unmake, join, NULL, queue_send,
	queue_receive, queue_loops, queue_bulk_loops};
const struct transport transport_queue_lease = {
	NULL, make, unmake, join, NULL, lease_send, lease_receive, lease_loops, NULL};
const struct transport transport_queue_waits = {NULL, make, unmake, join, NULL, queue_waits_send,
	queue_waits_receive, queue_waits_loops, NULL};
