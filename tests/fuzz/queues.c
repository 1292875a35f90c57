/* queues.c - a queue, its dead letters, and lanes: made, occupied, used. */
#include "queues.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 4, BYTES = 24 };

static const char *const names[] = {"letters", "queue", "lanes", NULL};

static void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static ilk_time soon(void)
{
	return ilk_after_ns(200000);
}

/* --- making --- */

static struct ilk_queue_handle handle_of(struct ilk_segment *seg, const char *name)
{
	struct ilk_queue_handle h;
	struct ilk_queue *q;

	must(ilk_queue_open(seg, name, NULL, &q) == 0, name);
	must(ilk_queue_attach(q, &h) == 0, name);
	return h;
}

static void fill(struct ilk_segment *seg, const char *name, size_t count)
{
	struct ilk_queue_handle h = handle_of(seg, name);
	char message[BYTES] = "message";

	for (size_t i = 0; i < count; i++)
		must(ilk_queue_put(&h, message, 5 * (i + 1) % BYTES, ILK_NOW) == 0, "a put");
}

void queues_furnish(struct ilk_segment *seg)
{
	struct ilk_queue_options o = {
		.size = sizeof o, .capacity = ROOM, .message_bytes = BYTES, .max_deliveries = 1};
	struct ilk_queue *q;

	must(ilk_queue_open(seg, names[0], &o, &q) == 0, names[0]);
	o.dead_letter = names[0];
	must(ilk_queue_open(seg, names[1], &o, &q) == 0, names[1]);
	o.dead_letter = NULL;
	o.lanes = 2;
	must(ilk_queue_open(seg, names[2], &o, &q) == 0, names[2]);
	fill(seg, names[0], 1);
	fill(seg, names[1], 3);
	fill(seg, names[2], 1);
}

void queues_occupy(struct ilk_segment *seg)
{
	struct ilk_queue_handle h = handle_of(seg, names[1]), lanes = handle_of(seg, names[2]);
	struct ilk_queue_lease l;
	void *where;

	must(ilk_queue_lease(&h, &l, ILK_NOW) == 0, "a lease");
	must(ilk_queue_produce_begin(h.queue) == 0, "a registration");
	must(ilk_queue_reserve(&lanes, BYTES, &where, ILK_NOW) == 0, "a reservation");
}

/* --- using --- */

static void put_all_ways(struct ilk_queue_handle *h)
{
	const char messages[2 * BYTES] = "damaged";
	size_t done = 0;
	void *where;

	ilk_queue_put(h, messages, BYTES, ILK_NOW);
	ilk_queue_put(h, messages, 0, soon());
	ilk_queue_put_many(h, messages, BYTES, 2, &done, soon());
	must(done <= 2, "no more are put than were given");
	if (ilk_queue_reserve(h, BYTES, &where, soon()) == 0) {
		memset(where, 0x5a, BYTES);
		ilk_queue_abort(h);
	}
	if (ilk_queue_reserve(h, 1, &where, soon()) == 0)
		ilk_queue_commit(h, 1);
}

static void get_all_ways(struct ilk_queue_handle *h)
{
	char *room = malloc(2 * BYTES);
	size_t bytes[2] = {0}, got = 0;

	must(room != NULL, "there is memory");
	if (ilk_queue_get(h, room, BYTES, bytes, ILK_NOW) == 0)
		must(bytes[0] <= BYTES, "what was got fits");
	if (ilk_queue_get(h, room, 2, bytes, soon()) == 0)
		must(bytes[0] <= 2, "what was got fits");
	if (ilk_queue_get_many(h, room, BYTES, 2, bytes, &got, soon()) == 0)
		must(got <= 2 && bytes[0] <= BYTES && bytes[got - 1] <= BYTES, "all of it fits");
	free(room);
}

static void lease_and(struct ilk_queue_handle *h,
	int (*finish)(struct ilk_queue_handle *h, const struct ilk_queue_lease *l))
{
	struct ilk_queue_lease l;

	if (ilk_queue_lease(h, &l, soon()) < 0)
		return;
	memset(l.data, 0xa5, l.bytes);
	finish(h, &l);
	must(finish(h, &l) < 0, "a lease ends once");
}

static void use(struct ilk_segment *seg, const char *name)
{
	struct ilk_queue_info info = {.size = sizeof info};
	struct ilk_queue_handle h;
	struct ilk_queue *q;

	if (ilk_queue_open(seg, name, NULL, &q) < 0)
		return;
	if (ilk_queue_info(q, &info) == 0)
		must(memchr(info.dead_letter, 0, sizeof info.dead_letter) != NULL, "a name ends");
	if (ilk_queue_attach(q, &h) < 0)
		return;
	lease_and(&h, ilk_queue_nack);
	put_all_ways(&h);
	lease_and(&h, ilk_queue_ack);
	lease_and(&h, ilk_queue_nack);
	get_all_ways(&h);
	ilk_queue_join(q, soon());
	if (ilk_queue_produce_begin(q) == 0)
		ilk_queue_produce_end(q);
	put_all_ways(&h);
	ilk_queue_close(q);
	get_all_ways(&h);
	ilk_queue_join(q, ILK_NOW);
}

void queues_use(struct ilk_segment *seg)
{
	for (int i = 0; names[i]; i++)
		use(seg, names[i]);
}
