/*
 * use_ring.c - rings and channels, damaged before, and by a peer while their sides are held: calls may
 * fail; they come to an end, and touch what is the ring's.
 */
#include "queue/ring.h"
#include "seeds.h"
#include "use.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 8, MOST = 600 };

uint64_t use_chance = 1;

static uint64_t state; /* of chance */

static ilk_time soon(void)
{
	return ilk_after_ns(100000);
}

static uint64_t chance(uint64_t below)
{
	state = state * UINT64_C(6364136223846793005) + 1;
	return (state >> 33) % below;
}

static void must(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

/* --- a peer that writes what it likes --- */

static uint64_t strange(void)
{
	static const uint64_t bases[] = {0, 8, 64, FUZZ_RING_BYTES, UINT32_MAX, UINT64_C(1) << 31,
		UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};

	return bases[chance(sizeof bases / sizeof *bases)] + 8 * chance(4) - chance(2);
}

/* What HOLD's side reads, or is told, or its successor: a position, a number, bits, a header. */
static void damage(const struct ilk_ring_hold_ *hold)
{
	struct ilk_ring *ring = hold->ring;
	uint64_t near = hold->at - 8 * chance(8) + 8 * chance(8), size = chance(300);
	uint64_t *word, *here;

	if (!ring)
		return;
	word = (uint64_t *[]){&ring->writer.at, &ring->writer.number, &ring->reader.at,
		&ring->reader.number, &ring->tail}[chance(5)];
	here = (uint64_t *)(void *)(hold->data + (hold->offset & ~UINT64_C(7)));
	switch (chance(8)) {
	case 0:
		*word = strange();
		break;
	case 1:
		*word = near;
		break;
	case 2:
		*hold->call = (uint32_t)chance(8);
		break;
	case 3: /* a message's, of another size perhaps */
	case 4:
		*here = hold->number << 32 | (chance(2) ? (uint32_t)strange() : size);
		break;
	case 5:
		*here = strange();
		break;
	default:
		break;
	}
}

static void close_and_open(
	struct ilk_ring *ring, struct ilk_ring_writer *w, struct ilk_ring_reader *r)
{
	damage(&w->hold);
	if (chance(2) && ilk_ring_writer_close(w) == 0)
		ilk_ring_writer_open(ring, ILK_RING_PATIENT, w);
	damage(&r->hold);
	if (chance(2) && ilk_ring_reader_close(r) == 0)
		ilk_ring_reader_open(ring, ILK_RING_PATIENT, r);
}

/* Wherever it believes to be, it is the place of a message. */
static void check(const struct ilk_ring_hold_ *hold)
{
	if (hold->ring)
		must(hold->offset < hold->bytes &&
				hold->offset % (hold->stride ? hold->stride : 8) == 0,
			"a handle's position lies in its ring");
}

/* --- the calls --- */

static void fill(struct ilk_ring_writer *w)
{
	char bytes[MOST] = {1};
	size_t n = chance(4) ? 24 : chance(260), done = 0;
	void *place;

	if (ilk_ring_try_reserve(w, n, &place) == 0) {
		memset(place, 0x5a, n);
		damage(&w->hold);
		if (chance(3) == 0)
			ilk_ring_abort(w);
		ilk_ring_commit(w, w->hold.stride ? n : n / 2);
	}
	ilk_ring_abort(w);
	ilk_ring_put_until(w, bytes, n, chance(4) ? ILK_NOW : soon());
	damage(&w->hold);
	if (ilk_ring_try_put_many(w, bytes, 24, 20, &done) == 0)
		must(done >= 1 && done <= 20, "as many as there were are put");
	check(&w->hold);
}

static void drain(struct ilk_ring_reader *r)
{
	static volatile unsigned char sum;
	const void *shown;
	char bytes[MOST];
	size_t n = 0, room = chance(2) ? sizeof bytes : chance(100);
	int rc = ilk_ring_get_until(r, bytes, room, chance(4) ? ILK_NOW : soon(), &n);

	must(rc != 0 || n <= room, "what was got has room");
	damage(&r->hold);
	if (ilk_ring_try_peek(r, &shown, &n) == 0) {
		for (size_t i = 0; i < n; i++)
			sum = (unsigned char)(sum + ((const unsigned char *)shown)[i]);
		damage(&r->hold);
		ilk_ring_release(r);
	}
	ilk_ring_release(r);
	if (ilk_ring_try_get_many(r, bytes, 24, sizeof bytes / 24, &n) == 0)
		must(n <= sizeof bytes / 24, "as many as there is room for are got");
	check(&r->hold);
}

static void use_ring(struct ilk_ring *ring)
{
	struct ilk_ring_status status;
	struct ilk_ring_writer w;
	struct ilk_ring_reader r;

	if (ilk_ring_status(ring, &status) == 0)
		must(memchr(status.writer.name, 0, sizeof status.writer.name) &&
				memchr(status.reader.name, 0, sizeof status.reader.name),
			"a side's name ends");
	ilk_ring_writer_open(ring, 0, &w);
	ilk_ring_reader_open(ring, 0, &r);
	for (int i = 0; i < ROUNDS; i++) {
		fill(&w);
		drain(&r);
		close_and_open(ring, &w, &r);
	}
	ilk_ring_writer_close(&w);
	ilk_ring_reader_close(&r);
	ilk_ring_status(ring, &status);
}

static void use_channel(struct ilk_channel *channel)
{
	struct ilk_channel_status status;
	struct ilk_channel_end end, other;
	char byte[8];

	ilk_channel_status(channel, &status);
	ilk_channel_end_open(channel, ILK_CHANNEL_EITHER, 0, &end);
	ilk_channel_end_open(channel, ILK_CHANNEL_EITHER, 0, &other);
	for (int i = 0; i < ROUNDS / 4; i++) {
		ilk_channel_put_until(&end, "hello", 5, soon());
		ilk_channel_get_until(&other, byte, sizeof byte, soon(), NULL);
		fill(&end.out);
		drain(&end.in);
		ilk_channel_get_until(&end, byte, sizeof byte, soon(), NULL);
	}
	ilk_channel_end_close(&end);
	ilk_channel_end_close(&other);
}

void use_rings(struct ilk_segment *seg)
{
	struct ilk_channel *channel;
	struct ilk_ring *ring;

	state = use_chance;
	for (int i = 0; seed_ring_names[i]; i++) {
		if (ilk_ring_open(seg, seed_ring_names[i], &seed_any, &ring) == 0)
			use_ring(ring);
		if (ilk_ring_open(seg, seed_ring_names[i], &seed_fixed, &ring) == 0)
			use_ring(ring);
	}
	if (ilk_channel_open(seg, "talk", &seed_any, &channel) == 0)
		use_channel(channel);
}
