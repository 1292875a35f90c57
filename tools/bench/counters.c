/*
 * counters.c - the benches `counter-add` and `sharded-2p`: counting alone, and together.
 */
#include "bench/lock_peer.h"
#include "bench/rows.h"

enum { BATCH = 100 }; /* adds between two looks at whether to stop */

static struct ilk_counter *counter_of(const struct bench_place *place)
{
	return (struct ilk_counter *)(void *)&place->arena->object;
}

/* --- alone --- */

static int add_ilk(const struct bench_place *place, const void *what, unsigned n)
{
	struct ilk_counter *c = counter_of(place);

	(void)what;
	for (unsigned i = 0; i < n; i++)
		if (ilk_counter_add(c, 1) < 0)
			return -1;
	return 0;
}

static int add_bare(const struct bench_place *place, const void *what, unsigned n)
{
	uint64_t *word = (uint64_t *)(void *)&place->arena->object;

	(void)what;
	for (unsigned i = 0; i < n; i++)
		ilk_add_full_(word, 1);
	return 0;
}

struct adder {
	bench_batch *add;
};

static int alone(const struct bench_run *run, struct bench_sample *sample)
{
	const struct adder *adder = (const struct adder *)run->peer->what;
	struct bench_place place;
	int rc = bench_place_open(&place, sample);

	if (rc != BENCH_OK)
		return rc;
	rc = bench_time(run, &place, adder->add, NULL, 1000, sample);
	bench_place_close(&place);
	return rc;
}

/* --- together --- */

static int work_shared(const struct bench_place *place, const void *what, unsigned me)
{
	struct bench_arena *a = place->arena;

	for (uint64_t n = BATCH; !ilk_load_relaxed_(&a->stop); n += BATCH) {
		add_bare(place, what, BATCH);
		ilk_store_relaxed_(&a->workers[me].count, n);
	}
	return 0;
}

static int64_t read_shared(const struct bench_place *place)
{
	return ilk_counter_read(counter_of(place));
}

static int work_sharded(const struct bench_place *place, const void *what, unsigned me)
{
	struct bench_arena *a = place->arena;
	struct ilk_sharded *sharded;
	struct ilk_sharded_handle mine;

	(void)what;
	if (ilk_sharded_open(place->seg, "sharded", &sharded) < 0 ||
		ilk_sharded_mine(sharded, &mine) < 0)
		return -1;
	for (uint64_t n = BATCH; !ilk_load_relaxed_(&a->stop); n += BATCH) {
		for (unsigned i = 0; i < BATCH; i++)
			if (ilk_sharded_add(&mine, 1) < 0)
				return -1;
		ilk_store_relaxed_(&a->workers[me].count, n);
	}
	return 0;
}

static int64_t read_sharded(const struct bench_place *place)
{
	struct ilk_sharded *sharded;

	return ilk_sharded_open(place->seg, "sharded", &sharded) < 0 ? -1
								     : ilk_sharded_read(sharded);
}

static int64_t read_guarded(const struct bench_place *place)
{
	return (int64_t)place->arena->guarded;
}

struct counting {
	bench_work *work;
	int64_t (*read)(const struct bench_place *place);
	const struct lock_peer *lock; /* or NULL */
};

static int together(const struct bench_run *run, struct bench_sample *sample)
{
	const struct counting *c = (const struct counting *)run->peer->what;
	struct bench_place place;
	uint64_t total;
	int rc = bench_place_open(&place, sample);

	if (rc != BENCH_OK)
		return rc;
	if (c->lock && c->lock->init(place.seg, &place.arena->object) != 0)
		rc = bench_fail(sample, "the lock cannot be initialized");
	else
		rc = bench_contest(
			run, &place, c->lock ? c->lock->contend : c->work, NULL, sample, &total);
	if (rc == BENCH_OK && c->read(&place) != (int64_t)total) {
		bench_fail(sample, "added %llu, and the total is %lld", (unsigned long long)total,
			(long long)c->read(&place));
		rc = BENCH_WRONG;
	}
	bench_place_close(&place);
	return rc;
}

static const struct adder ilk_adder = {add_ilk}, bare_adder = {add_bare};
static const struct bench_peer alone_peers[] = {
	{"ilk", alone, &ilk_adder, NULL},
	{"fetch_add", alone, &bare_adder, NULL},
};

static const struct counting sharded = {work_sharded, read_sharded, NULL};
static const struct counting shared = {work_shared, read_shared, NULL};
static const struct counting locked_ilk = {NULL, read_guarded, &lock_peer_ilk};
static const struct counting locked_pthread = {NULL, read_guarded, &lock_peer_pthread};
static const struct bench_peer together_peers[] = {
	{"ilk", together, &sharded, NULL},
	{"fetch_add", together, &shared, NULL},
	{"ilk-mutex", together, &locked_ilk, NULL},
	{"pthread-mutex", together, &locked_pthread, NULL},
};

const struct bench bench_counter_add = {
	.name = "counter-add",
	.unit = "ns",
	.what = "add one to a counter, one process",
	.reference = "fetch_add",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(alone_peers),
};

const struct bench bench_sharded_2p = {
	.name = "sharded-2p",
	.unit = "M/s",
	.what = "add one: 2 processes on 2 cores, together; ilk's counter is sharded",
	.reference = "fetch_add",
	.seconds = 0.1,
	.workers = 2,
	.more_is_better = 1,
	.crosses = 1,
	BENCH_PEERS(together_peers),
};
