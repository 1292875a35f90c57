/*
 * semaphores.c - the benches `semaphore`, `semaphore-trip`, `semaphore-trip-1c` and `permits`: a permit
 * taken alone, and sent to and fro between two processes, on two cores and on one.
 */
#include "bench/rows.h"
#include "bench/work.h"

enum { PERMITS = 8 };

/* Two semaphores of a kind, each where its cache lines are its own. */
struct pair {
	struct ilk_semaphore there, back;
};

struct semaphore_peer {
	bench_batch *posts; /* posts and waits N times */
	bench_work *trips;  /* worker 0 sends, worker 1 sends back */
};

static struct pair *pair; /* inherited by the workers */

/*
 * Defines NAME_posts and NAME_trips. POST and WAIT are the calls, on POINTER(struct ilk_semaphore *);
 * other than 0 means failed. The one who stops sends once more, so that nobody is left waiting.
 */
#define SEMAPHORE_LOOPS(name, POST, WAIT, POINTER)                                              \
	static int name##_posts(const struct bench_place *place, const void *what, unsigned n)  \
	{                                                                                       \
		(void)place, (void)what;                                                        \
		for (unsigned i = 0; i < n; i++)                                                \
			if (POST(POINTER(&pair->there)) || WAIT(POINTER(&pair->there)))         \
				return -1;                                                      \
		return 0;                                                                       \
	}                                                                                       \
                                                                                                \
	static int name##_trips(const struct bench_place *place, const void *what, unsigned me) \
	{                                                                                       \
		struct bench_arena *a = place->arena;                                           \
		struct ilk_semaphore *out = me ? &pair->back : &pair->there;                    \
		struct ilk_semaphore *in = me ? &pair->there : &pair->back;                     \
                                                                                                \
		(void)what;                                                                     \
		for (uint64_t n = 1; !ilk_load_relaxed_(&a->stop); n++) {                       \
			if ((!me && POST(POINTER(out))) || WAIT(POINTER(in)) ||                 \
				(me && POST(POINTER(out))))                                     \
				return -1;                                                      \
			ilk_store_relaxed_(&a->workers[me].count, n);                           \
		}                                                                               \
		return POST(POINTER(out));                                                      \
	}

#define ITSELF(s) (s)
SEMAPHORE_LOOPS(ilk, ilk_semaphore_post, ilk_semaphore_wait, ITSELF)
SEMAPHORE_LOOPS(sem, sem_post, sem_wait, ilk_semaphore_posix)

/* The same with owners. */
static int permit_pairs(const struct bench_place *place, const void *what, unsigned n)
{
	const struct ilk_permits_options options = {.size = sizeof(options), .permits = PERMITS};
	struct ilk_permits *p;

	(void)what;
	if (ilk_permits_open(place->seg, "permits", &options, &p) < 0)
		return -1;
	for (unsigned i = 0; i < n; i++)
		if (ilk_permits_acquire(p, 1) < 0 || ilk_permits_release(p, 1) < 0)
			return -1;
	return 0;
}

static int open_pair(struct bench_place *place, struct bench_sample *sample)
{
	void *block;

	if (bench_place_open(place, sample) != BENCH_OK)
		return BENCH_FAILED;
	if (ilk_block_open(place->seg, "pair", sizeof(*pair), &block) == 0) {
		pair = (struct pair *)block;
		if (ilk_semaphore_init(place->seg, &pair->there, "there", NULL) == 0 &&
			ilk_semaphore_init(place->seg, &pair->back, "back", NULL) == 0)
			return BENCH_OK;
	}
	bench_place_close(place);
	return bench_fail(sample, "the semaphores cannot be made");
}

static int alone(const struct bench_run *run, struct bench_sample *sample)
{
	const struct semaphore_peer *peer = (const struct semaphore_peer *)run->peer->what;
	struct bench_place place;
	int rc = open_pair(&place, sample);

	if (rc != BENCH_OK)
		return rc;
	rc = bench_time(run, &place, peer->posts, NULL, 1000, sample);
	bench_place_close(&place);
	return rc;
}

/* What both did together, in millions a second, says how long a trip of both took. */
static int trip(const struct bench_run *run, struct bench_sample *sample)
{
	const struct semaphore_peer *peer = (const struct semaphore_peer *)run->peer->what;
	struct bench_place place;
	uint64_t total;
	int rc = open_pair(&place, sample);

	if (rc != BENCH_OK)
		return rc;
	rc = bench_contest(run, &place, peer->trips, NULL, sample, &total);
	if (rc == BENCH_OK && sample->value <= 0)
		rc = bench_fail(sample, "no permit came back");
	if (rc == BENCH_OK)
		sample->value = 2e3 / sample->value;
	bench_place_close(&place);
	return rc;
}

static int trip_on_one_core(const struct bench_run *run, struct bench_sample *sample)
{
	const int one[2] = {run->cpus[0], run->cpus[0]};
	struct bench_run here = *run;

	here.cpus = one;
	return trip(&here, sample);
}

static const struct semaphore_peer ilk = {ilk_posts, ilk_trips}, sem = {sem_posts, sem_trips};
static const struct bench_peer alone_peers[] = {
	{"ilk", alone, &ilk, NULL},
	{"sem_t", alone, &sem, NULL},
};
static const struct semaphore_peer permits = {permit_pairs, NULL};
static const struct bench_peer permits_peers[] = {
	{"ilk", alone, &permits, NULL},
	{"ilk-semaphore", alone, &ilk, NULL},
	{"sem_t", alone, &sem, NULL},
};
static const struct bench_peer trip_peers[] = {
	{"ilk", trip, &ilk, NULL},
	{"sem_t", trip, &sem, NULL},
};
static const struct bench_peer one_core_peers[] = {
	{"ilk", trip_on_one_core, &ilk, NULL},
	{"sem_t", trip_on_one_core, &sem, NULL},
};

const struct bench bench_semaphore = {
	.name = "semaphore",
	.unit = "ns",
	.what = "post and wait, one process, nobody else there",
	.reference = "sem_t",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(alone_peers),
};

const struct bench bench_semaphore_trip = {
	.name = "semaphore-trip",
	.unit = "ns",
	.what = "a permit there and one back: 2 processes on 2 cores",
	.reference = "sem_t",
	.seconds = 0.2,
	.workers = 2,
	.crosses = 1,
	BENCH_PEERS(trip_peers),
};

const struct bench bench_semaphore_trip_1c = {
	.name = "semaphore-trip-1c",
	.unit = "ns",
	.what = "the same, both on one core",
	.reference = "sem_t",
	.seconds = 0.2,
	.workers = 2,
	BENCH_PEERS(one_core_peers),
};

const struct bench bench_permits = {
	.name = "permits",
	.unit = "ns",
	.what = "acquire and release one of 8, one process; semaphores: nobody owns them",
	.reference = "sem_t",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(permits_peers),
};
