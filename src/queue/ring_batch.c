/*
 * ring_batch.c - several messages at once.
 *
 * State, ordering and what a death leaves: ring.c, whose labels are used here. A batch of messages with
 * headers is put by its first header, which is written last: so all are, or none.
 */
#include "queue/ring.h"
#include <errno.h>

/* --- putting --- */

/* How many of COUNT messages of N bytes fit in one piece. */
static uint64_t count_room(struct ilk_ring_writer *w, size_t n, size_t count)
{
	const struct ilk_ring_hold_ *h = &w->hold;
	uint64_t record = ilk_ring_record_(h, n);
	uint64_t fit = (w->until - h->at) / record;

	/* Where more is wanted than was known to be free, another look is worth it. */
	if (fit < count && w->until == w->limit &&
		ilk_ring_limit_(w, ilk_load_acquire_(&h->ring->tail)) == 0) /* [R4] */
		fit = (w->until - h->at) / record;
	return fit < count ? fit : count;
}

/* Writes COUNT messages of N bytes, each with its header but the first. */
static void write_behind(
	struct ilk_ring_hold_ *h, const char *from, size_t n, uint64_t count, uint64_t record)
{
	for (uint64_t i = 0; i < count; i++) {
		char *to = h->data + h->offset + i * record;

		if (i)
			ilk_store_relaxed_((uint64_t *)(void *)to, (h->number + i) << 32 | (n + 1));
		if (n)
			memcpy(to + ILK_RING_HEADER_, from + i * n, n);
	}
}

/* COUNT messages, for which there is room in one piece. */
static void put_piece(struct ilk_ring_writer *w, const char *from, size_t n, uint64_t count)
{
	struct ilk_ring_hold_ *h = &w->hold;
	uint64_t record = ilk_ring_record_(h, n), number = h->number;
	uint64_t *first = ilk_ring_header_(h, h->offset);

	if (h->stride)
		memcpy(h->data + h->offset, from, count * n);
	else
		write_behind(h, from, n, count, record);
	ilk_ring_move_(h, count * record, count);
	if (h->stride)
		return;
	ilk_store_relaxed_(ilk_ring_header_(h, h->offset), UINT64_C(0)); /* [I2] */
	ilk_store_release_(first, number << 32 | (n + 1));               /* [R1] */
}

int ilk_ring_put_many_until(struct ilk_ring_writer *w, const void *messages, size_t n, size_t count,
	ilk_time deadline, size_t *done)
{
	const char *from = messages;
	uint64_t fit;
	int rc;

	*done = 0;
	if (count == 0)
		return ilk_ring_mine_(&w->hold);
	if (!ilk_ring_has_room_(w, n)) {
		rc = ilk_ring_make_room_(w, n, deadline);
		if (rc < 0)
			return rc;
	}
	/* Twice where it goes on at the start of data. */
	for (int piece = 0; piece < 2 && *done < count; piece++) {
		fit = count_room(w, n, count - *done);
		put_piece(w, from + *done * n, n, fit);
		*done += fit;
		if (!w->hold.stride)
			break;
		ilk_ring_reach_(w);
	}
	ilk_ring_announce_(w);
	return 0;
}

int ilk_ring_put_many(
	struct ilk_ring_writer *w, const void *messages, size_t n, size_t count, size_t *done)
{
	return ilk_ring_put_many_until(w, messages, n, count, ILK_FOREVER, done);
}

int ilk_ring_try_put_many(
	struct ilk_ring_writer *w, const void *messages, size_t n, size_t count, size_t *done)
{
	return ilk_ring_put_many_until(w, messages, n, count, ILK_RING_TRY_, done);
}

/* --- getting --- */

static uint64_t get_fixed(struct ilk_ring_reader *r, char *to, uint64_t most)
{
	struct ilk_ring_hold_ *h = &r->hold;
	uint64_t n = h->stride, rest = (h->bytes - h->offset) / n, there;

	/* A second look, where not all that is wanted was seen; of damage the next call tells. */
	if ((r->seen - h->at) / n < most)
		ilk_ring_look_ahead_(r);
	there = (r->seen - h->at) / n;
	if (there > most)
		there = most;
	if (rest > there)
		rest = there;
	memcpy(to, h->data + h->offset, rest * n);
	memcpy(to + rest * n, h->data, (there - rest) * n);
	ilk_ring_move_(h, there * n, there);
	return there;
}

static uint64_t get_each(struct ilk_ring_reader *r, char *to, size_t n, uint64_t most)
{
	uint64_t got = 0;
	size_t bytes;

	while (got < most && ilk_ring_has_message_(r, &bytes) && bytes == n) {
		if (n)
			memcpy(to + got * n, ilk_ring_bytes_(&r->hold), n);
		ilk_ring_move_(&r->hold, ilk_ring_record_(&r->hold, n), 1);
		got++;
	}
	return got;
}

int ilk_ring_get_many_until(struct ilk_ring_reader *r, void *messages, size_t n, size_t most,
	ilk_time deadline, size_t *done)
{
	size_t bytes;
	int rc;

	*done = 0;
	if (most == 0)
		return ilk_ring_mine_(&r->hold);
	while (!ilk_ring_has_message_(r, &bytes)) {
		rc = ilk_ring_await_(r, deadline);
		if (rc < 0)
			return rc;
	}
	if (bytes != n)
		return -EMSGSIZE;
	*done = r->hold.stride ? get_fixed(r, messages, most) : get_each(r, messages, n, most);
	ilk_ring_let_go_(r);
	return 0;
}

int ilk_ring_get_many(
	struct ilk_ring_reader *r, void *messages, size_t n, size_t most, size_t *done)
{
	return ilk_ring_get_many_until(r, messages, n, most, ILK_FOREVER, done);
}

int ilk_ring_try_get_many(
	struct ilk_ring_reader *r, void *messages, size_t n, size_t most, size_t *done)
{
	return ilk_ring_get_many_until(r, messages, n, most, ILK_RING_TRY_, done);
}
