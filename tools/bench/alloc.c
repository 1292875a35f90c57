/*
 * alloc.c - the bench `alloc`: 64 bytes are given out and freed at once, by one process alone.
 *
 * malloc's are private memory, of one process, and gone with it: what an allocator costs where
 * there is nothing to share and nobody to survive.
 */
#include "bench/absent.h"
#include "bench/alloc_peer.h"
#include "bench/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int alloc_ilk(const struct bench_place *place, const void *what, unsigned n)
{
	void *block;

	(void)what;
	for (unsigned i = 0; i < n; i++)
		if (ilk_alloc(place->seg, ALLOC_BLOCK, &block) < 0 ||
			ilk_free_alone(place->seg, block) < 0)
			return -1;
	return 0;
}

static int alloc_malloc(const struct bench_place *place, const void *what, unsigned n)
{
	(void)place;
	(void)what;
	for (unsigned i = 0; i < n; i++) {
		void *block = malloc(ALLOC_BLOCK);

		if (!block)
			return -1;
		alloc_is_used(block);
		free(block);
	}
	return 0;
}

/* What the peer allocates from, without a name. NULL: it cannot be made. */
static void *make(const struct bench_run *run, const struct alloc_peer *peer)
{
	sigset_t before;
	char name[64];
	void *made;

	snprintf(name, sizeof(name), "bench-%s-%ld", run->peer->name, (long)getpid());
	bench_hold_back_signals(&before);
	made = peer->make(name);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return made;
}

static int alloc(const struct bench_run *run, struct bench_sample *sample)
{
	const struct alloc_peer *peer = (const struct alloc_peer *)run->peer->what;
	struct bench_place place;
	void *made = NULL;
	int rc = bench_place_open(&place, sample);

	if (rc != BENCH_OK)
		return rc;
	if (peer->make)
		made = make(run, peer);
	if (peer->make && !made)
		rc = bench_fail(sample, "what is to be allocated from cannot be made");
	else
		rc = bench_time(run, &place, peer->alloc, &made, 100, sample);
	if (made)
		peer->unmake(made);
	bench_place_close(&place);
	return rc;
}

#ifdef BENCH_HAS_BOOST
#define BOOST &alloc_peer_boost
#else
#define BOOST NULL
#endif

static const struct alloc_peer ilk = {NULL, alloc_ilk, NULL}, private = {NULL, alloc_malloc, NULL};
static const struct bench_peer peers[] = {
	{"ilk", alloc, &ilk, NULL},
	{"boost", alloc, BOOST, absent_boost},
	{"malloc", alloc, &private, NULL},
};

const struct bench bench_alloc = {
	.name = "alloc",
	.unit = "ns",
	.what = "allocate and free 64 bytes, one process; malloc: not shared",
	.reference = "boost",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(peers),
};
