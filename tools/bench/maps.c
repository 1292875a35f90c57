/*
 * maps.c - the bench `map`: 64 bytes are put for a key, and got again, by one process alone, with a
 * thousand keys in turn.
 *
 * Boost's is its unordered_map in a managed_shared_memory, under an interprocess_mutex: it is not
 * robust, and its hash not seeded. Python's is the dict of a Manager, a process that is asked.
 */
#include "bench/absent.h"
#include "bench/map_peer.h"
#include "bench/python.h"
#include "bench/rows.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct ilk_map_handle handle;

static void *make_ilk(const struct bench_place *place, const char *name)
{
	const struct ilk_map_options options = {.size = sizeof(options), .entries = MAP_KEYS};

	return ilk_map_open(place->seg, name, sizeof(uint64_t), MAP_VALUE, &options, &handle) == 0
		       ? &handle
		       : NULL;
}

static int turns_ilk(const struct bench_place *place, const void *what, unsigned n)
{
	const struct ilk_map_handle *h = *(const struct ilk_map_handle *const *)(const void *)what;
	static uint64_t key;
	char in[MAP_VALUE], out[MAP_VALUE];

	(void)place;
	memset(in, (int)key, sizeof(in));
	for (unsigned i = 0; i < n; i++) {
		key = key + 1 < MAP_KEYS ? key + 1 : 0;
		if (ilk_map_put(h, &key, in, sizeof(in)) < 0 ||
			ilk_map_get(h, &key, out, sizeof(out), NULL) < 0)
			return -1;
	}
	return memcmp(in, out, sizeof(in));
}

static void *make(
	const struct bench_run *run, const struct map_peer *peer, const struct bench_place *place)
{
	sigset_t before;
	char name[64];
	void *made;

	snprintf(name, sizeof(name), "bench-%s-%ld", run->peer->name, (long)getpid());
	bench_hold_back_signals(&before);
	made = peer->make(place, name);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return made;
}

static int alone(const struct bench_run *run, struct bench_sample *sample)
{
	const struct map_peer *peer = (const struct map_peer *)run->peer->what;
	struct bench_place place;
	void *made;
	int rc = bench_place_open_sized(&place, MAP_BYTES, sample);

	if (rc != BENCH_OK)
		return rc;
	made = make(run, peer, &place);
	if (made)
		rc = bench_time(run, &place, peer->turns, &made, 1000, sample);
	else
		rc = bench_fail(sample, "the map cannot be made");
	if (made && peer->unmake)
		peer->unmake(made);
	bench_place_close(&place);
	return rc;
}

/* Prints nanoseconds per put and get: the median of slices. Arguments: seconds, core. */
static const char script[] =
	"import multiprocessing, os, statistics, sys, time\n"
	"os.sched_setaffinity(0, {int(sys.argv[2])})\n"
	"clock, value = time.perf_counter_ns, bytes(64)\n"
	"with multiprocessing.get_context('fork').Manager() as manager:\n"
	"    results = manager.dict({key: value for key in range(1000)})\n"
	"    def run(seconds):\n"
	"        now = clock(); end = now + seconds * 1e9; slices = []\n"
	"        while now < end:\n"
	"            begin = now\n"
	"            for key in range(10): results[key] = value; results[key]\n"
	"            now = clock(); slices.append((now - begin) / 10)\n"
	"        return statistics.median(slices)\n"
	"    run(0.01); print(run(float(sys.argv[1])))\n";

static int python(const struct bench_run *run, struct bench_sample *sample)
{
	return python_run(run, script, &sample->value, 1, sample);
}

#ifdef BENCH_HAS_BOOST
#define BOOST &map_peer_boost
#else
#define BOOST NULL
#endif

static const struct map_peer ilk = {make_ilk, turns_ilk, NULL};
static const struct bench_peer peers[] = {
	{"ilk", alone, &ilk, NULL},
	{"boost", alone, BOOST, absent_boost},
	{"python", python, NULL, absent_python},
};

const struct bench bench_map = {
	.name = "map",
	.unit = "ns",
	.what = "put and get 64 bytes, 1000 keys, one process",
	.reference = "boost",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(peers),
};
