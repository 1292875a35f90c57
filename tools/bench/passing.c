/*
 * passing.c - the benches `latch` and `once`: what they cost where nobody needs to wait.
 *
 * A latch falls once only: so one with a large count is counted down, and another, which is open, is
 * passed. The once is done already.
 */
#include "bench/rows.h"
#include "bench/work.h"

#include <pthread.h>

struct passing_peer {
	int (*init)(const struct bench_place *place);
	bench_batch *pass;
};

/* --- Ilk's latch --- */

static struct ilk_latch *latch_of(const struct bench_place *place, unsigned i)
{
	return (struct ilk_latch *)(void *)&place->arena->nodes[i];
}

static int latch_init(const struct bench_place *place)
{
	const struct ilk_latch_options most = {.size = sizeof(most), .count = ILK_LATCH_MOST};

	return ilk_latch_init(place->seg, latch_of(place, 0), "counted", &most) ||
	       ilk_latch_init(place->seg, latch_of(place, 1), "open", NULL) ||
	       ilk_latch_count_down(latch_of(place, 1), 1);
}

static int latch_pass(const struct bench_place *place, const void *what, unsigned n)
{
	(void)what;
	for (unsigned i = 0; i < n; i++)
		if (ilk_latch_count_down(latch_of(place, 0), 1) != 0 ||
			ilk_latch_wait(latch_of(place, 1)) != 0)
			return -1;
	return 0;
}

static const struct passing_peer ilk_latch = {latch_init, latch_pass};

/* --- the same of bare words, as for futex(2) --- */

static uint32_t *word_of(const struct bench_place *place, unsigned i)
{
	return (uint32_t *)(void *)&place->arena->nodes[i];
}

static int words_init(const struct bench_place *place)
{
	*word_of(place, 0) = UINT32_MAX;
	return 0;
}

static int words_pass(const struct bench_place *place, const void *what, unsigned n)
{
	(void)what;
	for (unsigned i = 0; i < n; i++)
		if (ilk_sub_full_(word_of(place, 0), 1u) == 1 ||
			ilk_load_acquire_(word_of(place, 1)) != 0)
			return -1;
	return 0;
}

static const struct passing_peer words = {words_init, words_pass};

/* --- Ilk's once, and the C library's, which is this process's alone --- */

static struct ilk_once *once_of(const struct bench_place *place)
{
	return (struct ilk_once *)(void *)&place->arena->object;
}

static int once_init(const struct bench_place *place)
{
	return ilk_once_init(place->seg, once_of(place), "bench") ||
	       ilk_once_begin(once_of(place), NULL) != ILK_ELECTED ||
	       ilk_once_done(once_of(place), 5);
}

static int once_pass(const struct bench_place *place, const void *what, unsigned n)
{
	int64_t value = 5;

	(void)what;
	for (unsigned i = 0; i < n; i++)
		if (ilk_once_begin(once_of(place), &value) != 0 || value != 5)
			return -1;
	return 0;
}

static pthread_once_t pthread_control = PTHREAD_ONCE_INIT;

static void do_nothing(void)
{
}

static int pthread_once_init(const struct bench_place *place)
{
	(void)place;
	return pthread_once(&pthread_control, do_nothing);
}

static int pthread_once_pass(const struct bench_place *place, const void *what, unsigned n)
{
	(void)place, (void)what;
	for (unsigned i = 0; i < n; i++)
		if (pthread_once(&pthread_control, do_nothing) != 0)
			return -1;
	return 0;
}

static const struct passing_peer ilk_once = {once_init, once_pass};
static const struct passing_peer once_of_pthread = {pthread_once_init, pthread_once_pass};

/* --- the rows --- */

static int pass(const struct bench_run *run, struct bench_sample *sample)
{
	const struct passing_peer *peer = (const struct passing_peer *)run->peer->what;
	struct bench_place place;
	int rc = bench_place_open(&place, sample);

	if (rc != BENCH_OK)
		return rc;
	rc = peer->init(&place) == 0 ? bench_time(run, &place, peer->pass, NULL, 1000, sample)
				     : bench_fail(sample, "it cannot be initialized");
	bench_place_close(&place);
	return rc;
}

static const struct bench_peer latch_peers[] = {
	{"ilk", pass, &ilk_latch, NULL},
	{"bare-words", pass, &words, NULL},
};

const struct bench bench_latch = {
	.name = "latch",
	.unit = "ns",
	.what = "count one down, and pass an open one; one process, nobody else there",
	.reference = "bare-words",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(latch_peers),
};

static const struct bench_peer once_peers[] = {
	{"ilk", pass, &ilk_once, NULL},
	{"pthread", pass, &once_of_pthread, NULL},
};

const struct bench bench_once = {
	.name = "once",
	.unit = "ns",
	.what = "pass one that is done; Ilk's gives its value, pthread's is of one process",
	.reference = "pthread",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(once_peers),
};
