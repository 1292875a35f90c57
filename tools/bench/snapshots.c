/*
 * snapshots.c - the benches `snapshot-64` and `snapshot-64k`: reading the latest value, nobody writes.
 */
#include "bench/rows.h"
#include "bench/work.h"

#include <pthread.h>
#include <string.h>

enum { SMALL = 64, LARGE = 64 * 1024 };

/* What is measured of a size: a reader, in a place that was made ready for it. */
struct snapshot_peer {
	size_t bytes;
	int (*make)(const struct bench_place *place, size_t bytes);
	bench_batch *read;
};

/* --- Ilk's --- */

static int open_ilk(const struct bench_place *place, size_t bytes, struct ilk_snapshot_handle *h)
{
	return ilk_snapshot_open(place->seg, "snapshot", bytes, NULL, h);
}

static int make_ilk(const struct bench_place *place, size_t bytes)
{
	static const char value[LARGE] = {1};
	struct ilk_snapshot_handle h;

	if (open_ilk(place, bytes, &h) < 0)
		return -1;
	return ilk_snapshot_publish(&h, value, NULL);
}

static int read_ilk(const struct bench_place *place, const void *what, unsigned n)
{
	const struct snapshot_peer *peer = (const struct snapshot_peer *)what;
	static struct ilk_snapshot_handle h;
	static char value[LARGE];

	if (!h.snapshot && open_ilk(place, peer->bytes, &h) < 0)
		return -1;
	for (unsigned i = 0; i < n; i++)
		if (ilk_snapshot_read(&h, value, NULL) < 0)
			return -1;
	return value[0] == 1 ? 0 : -1;
}

/* --- a copy under the C library's lock for readers and writers --- */

struct guarded {
	pthread_rwlock_t lock;
	char value[LARGE];
};

static struct guarded *open_guarded(const struct bench_place *place)
{
	void *block = NULL;

	ilk_block_open(place->seg, "guarded", sizeof(struct guarded), &block);
	return (struct guarded *)block;
}

static int make_rwlock(const struct bench_place *place, size_t bytes)
{
	struct guarded *g = open_guarded(place);
	pthread_rwlockattr_t attr;
	int rc = pthread_rwlockattr_init(&attr);

	(void)bytes;
	if (rc == 0)
		rc = pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (rc == 0)
		rc = g ? pthread_rwlock_init(&g->lock, &attr) : -1;
	pthread_rwlockattr_destroy(&attr);
	if (rc == 0)
		g->value[0] = 1;
	return rc;
}

static int read_rwlock(const struct bench_place *place, const void *what, unsigned n)
{
	const struct snapshot_peer *peer = (const struct snapshot_peer *)what;
	static struct guarded *g;
	static char value[LARGE];

	if (!g)
		g = open_guarded(place);
	for (unsigned i = 0; i < n; i++) {
		if (!g || pthread_rwlock_rdlock(&g->lock) != 0)
			return -1;
		memcpy(value, g->value, peer->bytes);
		if (pthread_rwlock_unlock(&g->lock) != 0)
			return -1;
	}
	return value[0] == 1 ? 0 : -1;
}

/* --- a copy without any lock: what can be had at most --- */

static int read_bare(const struct bench_place *place, const void *what, unsigned n)
{
	const struct snapshot_peer *peer = (const struct snapshot_peer *)what;
	static struct guarded *g;
	static char value[LARGE];

	if (!g)
		g = open_guarded(place);
	for (unsigned i = 0; i < n; i++) {
		if (!g)
			return -1;
		memcpy(value, g->value, peer->bytes);
		ilk_compiler_barrier_();
	}
	return value[0] == 1 ? 0 : -1;
}

static int alone(const struct bench_run *run, struct bench_sample *sample)
{
	const struct snapshot_peer *peer = (const struct snapshot_peer *)run->peer->what;
	struct bench_place place;
	int rc = bench_place_open(&place, sample);

	if (rc != BENCH_OK)
		return rc;
	if (peer->make(&place, peer->bytes) != 0)
		rc = bench_fail(sample, "what is to be read cannot be made");
	else
		rc = bench_time(
			run, &place, peer->read, peer, peer->bytes == SMALL ? 1000 : 10, sample);
	bench_place_close(&place);
	return rc;
}

static const struct snapshot_peer small_ilk = {SMALL, make_ilk, read_ilk};
static const struct snapshot_peer small_rwlock = {SMALL, make_rwlock, read_rwlock};
static const struct snapshot_peer small_bare = {SMALL, make_rwlock, read_bare};
static const struct snapshot_peer large_ilk = {LARGE, make_ilk, read_ilk};
static const struct snapshot_peer large_rwlock = {LARGE, make_rwlock, read_rwlock};
static const struct snapshot_peer large_bare = {LARGE, make_rwlock, read_bare};

static const struct bench_peer small_peers[] = {
	{"ilk", alone, &small_ilk, NULL},
	{"pthread-rwlock", alone, &small_rwlock, NULL},
	{"memcpy", alone, &small_bare, NULL},
};

static const struct bench_peer large_peers[] = {
	{"ilk", alone, &large_ilk, NULL},
	{"pthread-rwlock", alone, &large_rwlock, NULL},
	{"memcpy", alone, &large_bare, NULL},
};

const struct bench bench_snapshot_64 = {
	.name = "snapshot-64",
	.unit = "ns",
	.what = "read a latest value of 64 bytes, nobody writes",
	.reference = "pthread-rwlock",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(small_peers),
};

const struct bench bench_snapshot_64k = {
	.name = "snapshot-64k",
	.unit = "ns",
	.what = "the same, 64 KiB",
	.reference = "pthread-rwlock",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(large_peers),
};
