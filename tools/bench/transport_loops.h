/*
 * transport_loops.h - the loops that carry messages, written once and compiled for each transport.
 *
 * A call through a pointer for each message would hide what is compared, so the loops are inlined
 * into each transport's file, with its functions and the size as constants. Can be included from
 * C++.
 *
 * A message's first word is its number * TRANSPORT_SENDERS_MAX + its sender. The last word is the
 * complement of it, and a word in between, another with each message, the same. So a receiver sees
 * what was lost, came twice, out of order, or in pieces; the sum of all tells whether those of one
 * sender were shared out among the receivers rightly.
 */
#ifndef BENCH_TRANSPORT_LOOPS_H
#define BENCH_TRANSPORT_LOOPS_H

#include "bench/transport.h"

#include <sched.h>

#define TRANSPORT_INLINE static inline __attribute__((always_inline))

enum { TRANSPORT_SENDERS_MAX = 16, TRANSPORT_CHUNK = 32, TRANSPORT_LOOKS = 200 };

/* Where a transport blocks, one of these for each receiver tells that nothing more will come. */
#define TRANSPORT_END UINT64_MAX

typedef int transport_send(struct transport_way *w, const void *message, size_t n);
typedef int transport_receive(struct transport_way *w, void *message, size_t n);
/* How many went; 0: full, empty; -1. */
typedef int transport_send_many(
	struct transport_way *w, const void *messages, unsigned count, size_t n);
typedef int transport_receive_many(
	struct transport_way *w, void *messages, unsigned count, size_t n);

struct transport_message {
	uint64_t words[TRANSPORT_BIGGEST / 8];
};

/* Which word between the first and the last has the number as well. */
TRANSPORT_INLINE size_t transport_between(uint64_t value, size_t n)
{
	return 1 + (size_t)(value / TRANSPORT_SENDERS_MAX) % (n / 16);
}

TRANSPORT_INLINE void transport_fill(uint64_t *words, size_t n, uint64_t value)
{
	words[0] = value;
	if (n < 32)
		return;
	words[transport_between(value, n)] = value;
	words[n / 8 - 1] = ~value;
}

TRANSPORT_INLINE int transport_is_whole(const uint64_t *words, size_t n)
{
	return n < 32 ||
	       (words[transport_between(words[0], n)] == words[0] && words[n / 8 - 1] == ~words[0]);
}

/* What a receiver knows of what it got. */
struct transport_seen {
	uint64_t last[TRANSPORT_SENDERS_MAX]; /* of each sender */
	uint64_t count, sum, wrong;
};

/* ALONE: the only receiver, who gets each message. */
TRANSPORT_INLINE void transport_note(
	struct transport_seen *seen, const uint64_t *words, size_t n, int alone)
{
	uint64_t value = words[0], *last = &seen->last[value % TRANSPORT_SENDERS_MAX];
	uint64_t number = value / TRANSPORT_SENDERS_MAX;

	if ((alone ? number != *last + 1 : number <= *last) || !transport_is_whole(words, n))
		seen->wrong++;
	*last = number;
	seen->sum += value;
	seen->count++;
}

/*
 * Full or empty: waits, but leaves the core to others where that lasts. A round trip must not last so
 * long: a yield costs more than that.
 */
TRANSPORT_INLINE void transport_wait(unsigned looks)
{
	if (looks < TRANSPORT_LOOKS)
		ilk_pause_();
	else
		sched_yield();
}

TRANSPORT_INLINE int transport_send_one(
	struct transport_way *w, transport_send *send, const void *message, size_t n)
{
	int rc;

	for (unsigned looks = 1; (rc = send(w, message, n)) == 0; looks++)
		transport_wait(looks);
	return rc < 0 ? -1 : 0;
}

TRANSPORT_INLINE int transport_receive_one(
	struct transport_way *w, transport_receive *receive, void *message, size_t n)
{
	int rc;

	for (unsigned looks = 1; (rc = receive(w, message, n)) == 0; looks++)
		transport_wait(looks);
	return rc < 0 ? -1 : 0;
}

/* The last sender to finish also tells those who would sleep for ever. */
TRANSPORT_INLINE int transport_finish(
	struct transport_way *w, transport_send *send, size_t n, int blocks)
{
	struct transport_message end = {{TRANSPORT_END}};

	if (ilk_add_full_(&w->place->arena->stage, 1) + 1 != w->senders || !blocks)
		return 0;
	for (unsigned i = 0; i < w->receivers; i++)
		if (transport_send_one(w, send, &end, n) != 0)
			return -1;
	return 0;
}

TRANSPORT_INLINE int transport_produce(
	struct transport_way *w, unsigned me, transport_send *send, size_t n, int blocks)
{
	struct bench_arena *a = w->place->arena;
	struct transport_message m = {{0}};
	uint64_t value = me, sum = 0;

	while (!ilk_load_relaxed_(&a->stop))
		for (unsigned i = 0; i < TRANSPORT_CHUNK; i++) {
			value += TRANSPORT_SENDERS_MAX;
			transport_fill(m.words, n, value);
			if (transport_send_one(w, send, &m, n) != 0)
				return -1;
			sum += value;
		}
	a->workers[me].sum = sum;
	return transport_finish(w, send, n, blocks);
}

TRANSPORT_INLINE int transport_all_sent(const struct transport_way *w)
{
	return ilk_load_acquire_(&w->place->arena->stage) == w->senders;
}

/* 1, or 0: nothing more will come, or -1. */
TRANSPORT_INLINE int transport_next(
	struct transport_way *w, transport_receive *receive, void *message, size_t n, int blocks)
{
	int last_look = 0, rc;

	for (unsigned looks = 1; (rc = receive(w, message, n)) == 0; looks++) {
		if (last_look)
			return 0;
		last_look = !blocks && transport_all_sent(w);
		transport_wait(looks);
	}
	return rc;
}

TRANSPORT_INLINE void transport_report(
	struct transport_way *w, unsigned me, const struct transport_seen *seen)
{
	w->place->arena->workers[me].sum = seen->sum;
	w->place->arena->workers[me].wrong = seen->wrong;
}

TRANSPORT_INLINE int transport_consume(
	struct transport_way *w, unsigned me, transport_receive *receive, size_t n, int blocks)
{
	struct bench_worker *mine = &w->place->arena->workers[me];
	struct transport_seen seen = {{0}, 0, 0, 0};
	struct transport_message m;
	int alone = w->receivers == 1, rc;

	while ((rc = transport_next(w, receive, &m, n, blocks)) > 0) {
		if (blocks && m.words[0] == TRANSPORT_END)
			break;
		transport_note(&seen, m.words, n, alone);
		ilk_store_relaxed_(&mine->count, seen.count);
	}
	transport_report(w, me, &seen);
	return rc < 0 ? -1 : 0;
}

TRANSPORT_INLINE int transport_ask(struct transport_way *ways, unsigned n_trips,
	transport_send *send, transport_receive *receive, size_t n)
{
	struct transport_message m = {{0}}, back;

	for (unsigned i = 1; i <= n_trips; i++) {
		transport_fill(m.words, n, (uint64_t)i * TRANSPORT_SENDERS_MAX);
		if (transport_send_one(&ways[0], send, &m, n) != 0 ||
			transport_receive_one(&ways[1], receive, &back, n) != 0)
			return -1;
		if (back.words[0] != m.words[0] || !transport_is_whole(back.words, n))
			ways->place->arena->workers[0].wrong++;
	}
	return 0;
}

TRANSPORT_INLINE int transport_answer(
	struct transport_way *ways, transport_send *send, transport_receive *receive, size_t n)
{
	struct transport_message m;

	while (transport_receive_one(&ways[0], receive, &m, n) == 0)
		if (transport_send_one(&ways[1], send, &m, n) != 0)
			break;
	return -1;
}

TRANSPORT_INLINE int transport_pairs(struct transport_way *w, unsigned n_pairs,
	transport_send *send, transport_receive *receive, size_t n)
{
	struct transport_way ways[2] = {*w, *w};

	return transport_ask(ways, n_pairs, send, receive, n);
}

/* --- in bulk, for transports that do not block --- */

TRANSPORT_INLINE int transport_send_bulk(
	struct transport_way *w, transport_send_many *send, const unsigned char *messages, size_t n)
{
	unsigned sent = 0;

	for (unsigned looks = 1; sent < TRANSPORT_BULK; looks++) {
		int rc = send(w, messages + sent * n, TRANSPORT_BULK - sent, n);

		if (rc < 0)
			return -1;
		sent += (unsigned)rc;
		if (rc == 0)
			transport_wait(looks);
	}
	return 0;
}

TRANSPORT_INLINE int transport_produce_bulk(
	struct transport_way *w, unsigned me, transport_send_many *send, size_t n)
{
	struct bench_arena *a = w->place->arena;
	uint64_t messages[TRANSPORT_BULK * TRANSPORT_BIGGEST / 8] = {0};
	uint64_t value = me, sum = 0;

	while (!ilk_load_relaxed_(&a->stop)) {
		for (unsigned i = 0; i < TRANSPORT_BULK; i++) {
			value += TRANSPORT_SENDERS_MAX;
			transport_fill(messages + i * n / 8, n, value);
			sum += value;
		}
		if (transport_send_bulk(w, send, (const unsigned char *)messages, n) != 0)
			return -1;
	}
	a->workers[me].sum = sum;
	return transport_finish(w, NULL, n, 0);
}

TRANSPORT_INLINE int transport_consume_bulk(
	struct transport_way *w, unsigned me, transport_receive_many *receive, size_t n)
{
	struct bench_worker *mine = &w->place->arena->workers[me];
	struct transport_seen seen = {{0}, 0, 0, 0};
	uint64_t messages[TRANSPORT_BULK * TRANSPORT_BIGGEST / 8];
	int last_look = 0, rc = 0;

	for (unsigned looks = 1; rc >= 0; looks++) {
		rc = receive(w, messages, TRANSPORT_BULK, n);
		for (int i = 0; i < rc; i++)
			transport_note(&seen, messages + (size_t)i * n / 8, n, w->receivers == 1);
		ilk_store_relaxed_(&mine->count, seen.count);
		if (rc == 0 && last_look)
			break;
		last_look = rc == 0 && transport_all_sent(w);
		if (rc == 0)
			transport_wait(looks);
	}
	transport_report(w, me, &seen);
	return rc < 0 ? -1 : 0;
}

/* --- compiled for each transport --- */

#define TRANSPORT_LOOPS_OF(name, n, blocks)                                        \
	static int name##_produce_##n(struct transport_way *w, unsigned me)        \
	{                                                                          \
		return transport_produce(w, me, name##_send, n, blocks);           \
	}                                                                          \
	static int name##_consume_##n(struct transport_way *w, unsigned me)        \
	{                                                                          \
		return transport_consume(w, me, name##_receive, n, blocks);        \
	}                                                                          \
	static int name##_ask_##n(struct transport_way *ways, unsigned trips)      \
	{                                                                          \
		return transport_ask(ways, trips, name##_send, name##_receive, n); \
	}                                                                          \
	static int name##_answer_##n(struct transport_way *ways)                   \
	{                                                                          \
		return transport_answer(ways, name##_send, name##_receive, n);     \
	}                                                                          \
	static int name##_pairs_##n(struct transport_way *w, unsigned pairs)       \
	{                                                                          \
		return transport_pairs(w, pairs, name##_send, name##_receive, n);  \
	}

#define TRANSPORT_LOOPS_ROW(name, n)                                                       \
	{                                                                                  \
		name##_produce_##n, name##_consume_##n, name##_ask_##n, name##_answer_##n, \
			name##_pairs_##n                                                   \
	}

/* Defines NAME_loops from NAME_send and NAME_receive, of which BLOCKS tells whether they wait. */
#define TRANSPORT_LOOPS(name, blocks)                                                       \
	TRANSPORT_LOOPS_OF(name, 8, blocks)                                                 \
	TRANSPORT_LOOPS_OF(name, 64, blocks)                                                \
	TRANSPORT_LOOPS_OF(name, 1024, blocks)                                              \
	static const struct transport_loops name##_loops[] = {TRANSPORT_LOOPS_ROW(name, 8), \
		TRANSPORT_LOOPS_ROW(name, 64), TRANSPORT_LOOPS_ROW(name, 1024)}

#define TRANSPORT_BULK_OF(name, n)                                               \
	static int name##_produce_bulk_##n(struct transport_way *w, unsigned me) \
	{                                                                        \
		return transport_produce_bulk(w, me, name##_send_many, n);       \
	}                                                                        \
	static int name##_consume_bulk_##n(struct transport_way *w, unsigned me) \
	{                                                                        \
		return transport_consume_bulk(w, me, name##_receive_many, n);    \
	}

#define TRANSPORT_BULK_ROW(name, n)                              \
	{                                                        \
		name##_produce_bulk_##n, name##_consume_bulk_##n \
	}

/* Defines NAME_bulk_loops from NAME_send_many and NAME_receive_many. */
#define TRANSPORT_BULK_LOOPS(name)                                         \
	TRANSPORT_BULK_OF(name, 8)                                         \
	TRANSPORT_BULK_OF(name, 64)                                        \
	TRANSPORT_BULK_OF(name, 1024)                                      \
	static const struct transport_bulk_loops name##_bulk_loops[] = {   \
		TRANSPORT_BULK_ROW(name, 8), TRANSPORT_BULK_ROW(name, 64), \
		TRANSPORT_BULK_ROW(name, 1024)}

#endif
