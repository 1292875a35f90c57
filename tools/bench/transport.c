/*
 * transport.c - samples of what carries messages: a flow, in bulk, a round trip, alone, a wake-up.
 *
 * Whatever the peer: the same loops (transport_loops.h), the same checks of what arrived.
 */
#include "bench/transport.h"
#include "bench/rows.h"

#include <string.h>

enum {
	CAPACITY = 1024, /* messages; */
	CAPACITY_1K = 256,
	SEGMENT_BYTES = 4 << 20,
	WAKES_MOST = 4096,
};

/* What a sample has: one way, or there and back. Each process has a copy of its own. */
struct line {
	const struct bench_run *run;
	const struct transport *transport;
	struct bench_place place;
	struct transport_way ways[2];
	int is_joined;
};

static const struct transport_loops *loops_of(const struct line *l)
{
	return &l->transport->loops[transport_size(l->run->bench->bytes)];
}

static int make_way(struct line *l, unsigned number)
{
	static const char *const names[] = {"there", "back"};
	struct transport_way *w = &l->ways[number];
	size_t bytes = l->run->bench->bytes, wanted;
	void *block = NULL;
	sigset_t before;
	int rc;

	*w = (struct transport_way){.place = &l->place,
		.number = number,
		.capacity = bytes > 64 ? CAPACITY_1K : CAPACITY,
		.bytes = bytes,
		.senders = (l->run->bench->workers + 1) / 2,
		.receivers = (l->run->bench->workers + 1) / 2};
	wanted = l->transport->memory ? l->transport->memory(w) : 0;
	if (wanted && ilk_block_open(l->place.seg, names[number], wanted, &block) < 0)
		return -1;
	w->memory = (unsigned char *)block;
	/* Some peers need a name, for a moment. */
	bench_hold_back_signals(&before);
	rc = l->transport->make(w);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static void close_line(struct line *l, unsigned ways)
{
	for (unsigned i = 0; i < ways && l->transport->unmake; i++)
		l->transport->unmake(&l->ways[i]);
	bench_place_close(&l->place);
}

static int open_line(
	struct line *l, const struct bench_run *run, unsigned ways, struct bench_sample *sample)
{
	*l = (struct line){.run = run, .transport = (const struct transport *)run->peer->what};
	if (bench_place_open_sized(&l->place, SEGMENT_BYTES, sample) != BENCH_OK)
		return BENCH_FAILED;
	for (unsigned i = 0; i < ways; i++)
		if (make_way(l, i) != 0) {
			close_line(l, i);
			return bench_fail(sample, "it cannot be made");
		}
	return BENCH_OK;
}

static int join(struct line *l, unsigned way, int roles)
{
	return l->transport->join ? l->transport->join(&l->ways[way], roles) : 0;
}

static void leave(struct line *l, unsigned way)
{
	if (l->transport->leave)
		l->transport->leave(&l->ways[way]);
}

/* What the workers noted of what they received. */
static int verify(const struct line *l, struct bench_sample *sample)
{
	const struct bench_worker *workers = l->place.arena->workers;
	uint64_t wrong = 0, sent = 0, received = 0;

	for (unsigned i = 0; i < BENCH_WORKERS; i++) {
		wrong += workers[i].wrong;
		*(i < l->ways[0].senders ? &sent : &received) += workers[i].sum;
	}
	if (wrong == 0 && sent == received)
		return BENCH_OK;
	bench_fail(sample, "%llu messages were damaged or out of order%s",
		(unsigned long long)wrong, sent == received ? "" : "; some were lost or doubled");
	return BENCH_WRONG;
}

/* --- a flow --- */

struct flow {
	int (*produce)(struct transport_way *w, unsigned me);
	int (*consume)(struct transport_way *w, unsigned me);
	const struct line *line;
};

static int flow_work(const struct bench_place *place, const void *what, unsigned me)
{
	const struct flow *f = (const struct flow *)what;
	struct line l = *f->line;
	int sends = me < l.ways[0].senders, rc;

	(void)place;
	if (join(&l, 0, sends ? TRANSPORT_SENDS : TRANSPORT_RECEIVES) != 0)
		return -1;
	rc = (sends ? f->produce : f->consume)(&l.ways[0], me);
	leave(&l, 0);
	return rc;
}

static int flow(struct line *l, const struct flow *f, struct bench_sample *sample)
{
	uint64_t total;
	int rc = bench_contest(l->run, &l->place, flow_work, f, sample, &total);

	if (rc == BENCH_OK)
		rc = verify(l, sample);
	close_line(l, 1);
	return rc;
}

int transport_flow(const struct bench_run *run, struct bench_sample *sample)
{
	struct line l;

	if (open_line(&l, run, 1, sample) != BENCH_OK)
		return BENCH_FAILED;
	return flow(&l, &(struct flow){loops_of(&l)->produce, loops_of(&l)->consume, &l}, sample);
}

int transport_bulk(const struct bench_run *run, struct bench_sample *sample)
{
	const struct transport_bulk_loops *bulk;
	struct line l;

	if (open_line(&l, run, 1, sample) != BENCH_OK)
		return BENCH_FAILED;
	bulk = &l.transport->bulk[transport_size(run->bench->bytes)];
	return flow(&l, &(struct flow){bulk->produce, bulk->consume, &l}, sample);
}

/* --- a round trip --- */

/* Of an operation that is timed: the process that does it is forked with a copy of the line. */
static int ask(const struct bench_place *place, const void *what, unsigned n)
{
	struct line *l = (struct line *)(uintptr_t)what;

	(void)place;
	if (!l->is_joined && (join(l, 0, TRANSPORT_SENDS) || join(l, 1, TRANSPORT_RECEIVES)))
		return -1;
	l->is_joined = 1;
	return loops_of(l)->ask(l->ways, n);
}

static int answer(void *arg)
{
	struct line *l = (struct line *)arg;

	if (join(l, 0, TRANSPORT_RECEIVES) || join(l, 1, TRANSPORT_SENDS))
		return -1;
	return loops_of(l)->answer(l->ways);
}

int transport_trip(const struct bench_run *run, struct bench_sample *sample)
{
	struct line l;
	pid_t pid;
	int rc;

	if (open_line(&l, run, 2, sample) != BENCH_OK)
		return BENCH_FAILED;
	pid = bench_spawn(run->cpus[1], answer, &l);
	rc = bench_time(run, &l.place, ask, &l, 50, sample);
	bench_kill(pid);
	if (rc == BENCH_OK)
		rc = verify(&l, sample);
	close_line(&l, 2);
	return rc;
}

/* --- alone --- */

static int pairs(const struct bench_place *place, const void *what, unsigned n)
{
	struct line *l = (struct line *)(uintptr_t)what;

	(void)place;
	if (!l->is_joined && join(l, 0, TRANSPORT_SENDS | TRANSPORT_RECEIVES) != 0)
		return -1;
	l->is_joined = 1;
	return loops_of(l)->pairs(&l->ways[0], n);
}

int transport_alone(const struct bench_run *run, struct bench_sample *sample)
{
	struct line l;
	int rc;

	if (open_line(&l, run, 1, sample) != BENCH_OK)
		return BENCH_FAILED;
	rc = bench_time(run, &l.place, pairs, &l, 1000, sample);
	if (rc == BENCH_OK)
		rc = verify(&l, sample);
	close_line(&l, 1);
	return rc;
}

/* --- a wake-up --- */

/* Sends the time, now and then, so that the receiver sleeps each time. */
static int send_times(struct line *l)
{
	struct bench_arena *a = l->place.arena;
	uint64_t message, end = UINT64_MAX, sent = 0;
	int rc;

	while (!ilk_load_relaxed_(&a->stop)) {
		ilk_time pause = ilk_now() + 100000;

		while (ilk_now() < pause)
			ilk_pause_();
		message = (uint64_t)ilk_now();
		if ((rc = l->transport->send(&l->ways[0], &message, sizeof(message))) < 0)
			return -1;
		sent += (uint64_t)rc;
		while (ilk_load_relaxed_(&a->workers[1].count) < sent)
			ilk_pause_();
	}
	while ((rc = l->transport->send(&l->ways[0], &end, sizeof(end))) == 0)
		ilk_pause_();
	return rc < 0 ? -1 : 0;
}

/* How long they took: the median goes into arena->result. */
static int receive_times(struct line *l)
{
	struct bench_worker *mine = &l->place.arena->workers[1];
	double took[WAKES_MOST];
	uint64_t message;
	size_t n = 0;
	int rc;

	for (;;) {
		rc = l->transport->receive(&l->ways[0], &message, sizeof(message));
		if (rc < 0 || (rc > 0 && message == UINT64_MAX))
			break;
		if (rc > 0 && n < WAKES_MOST)
			took[n++] = (double)(ilk_now() - (ilk_time)message);
		ilk_store_relaxed_(&mine->count, mine->count + (uint64_t)rc);
	}
	l->place.arena->result = n ? bench_median(took, n) : 0;
	return rc < 0 ? -1 : 0;
}

static int wake_work(const struct bench_place *place, const void *what, unsigned me)
{
	struct line l = *(const struct line *)what;
	int rc;

	(void)place;
	if (join(&l, 0, me == 0 ? TRANSPORT_SENDS : TRANSPORT_RECEIVES) != 0)
		return -1;
	rc = me == 0 ? send_times(&l) : receive_times(&l);
	leave(&l, 0);
	return rc;
}

int transport_wake(const struct bench_run *run, struct bench_sample *sample)
{
	struct line l;
	uint64_t total;
	int rc;

	if (open_line(&l, run, 1, sample) != BENCH_OK)
		return BENCH_FAILED;
	rc = bench_contest(run, &l.place, wake_work, &l, sample, &total);
	sample->value = l.place.arena->result / 1000;
	if (rc == BENCH_OK && sample->value <= 0)
		rc = bench_fail(sample, "nobody was woken");
	close_line(&l, 1);
	return rc;
}
