/*
 * rounds.c - takes the samples of a bench: run 1 of every peer, then run 2 of every peer, ...
 *
 * So whatever else the machine does meets all peers alike. Around each sample that crosses cores
 * the distance between these is measured; a sample during which it changed is taken again.
 */
#include "bench/rows.h"

#include <stdio.h>
#include <string.h>

enum { TRIES = 4 };

/* One sample, with the ping-pong figure around it, which is 0 where it never held still. */
static int take_one(const struct bench_run *run, struct bench_sample *sample, double *ping)
{
	double before = 0, after;

	for (int i = 0; i < TRIES; i++) {
		int rc;

		*ping = 0;
		if (run->bench->crosses)
			before = bench_ping_pong(run->cpus);
		*sample = (struct bench_sample){0};
		rc = run->peer->sample(run, sample);
		if (rc != BENCH_OK || !run->bench->crosses)
			return rc;
		after = bench_ping_pong(run->cpus);
		if (before > 0 && after > 0 && !bench_distance_changed(before, after)) {
			*ping = (before + after) / 2;
			return BENCH_OK;
		}
	}
	return BENCH_OK;
}

static void take(struct bench_tally *tally, const struct bench_run *run)
{
	struct bench_sample sample;
	double ping;
	int rc = take_one(run, &sample, &ping);

	if (rc != BENCH_OK) {
		tally->result = rc;
		memcpy(tally->why, sample.why, sizeof(tally->why));
		return;
	}
	if (run->bench->crosses && ping == 0)
		return; /* which distance it belongs to cannot be told: it counts for none */
	tally->value[tally->count] = sample.value;
	tally->share[tally->count] = sample.share;
	tally->ping[tally->count++] = ping;
}

static int measured(const struct bench_tally *tally)
{
	return !tally->absent && tally->result == BENCH_OK;
}

/* Does it need more samples, these all with the cores at one distance? */
static int lacks(const struct bench_results *results, const struct bench_tally *t, unsigned runs)
{
	return measured(t) && bench_usable(results, t) < runs;
}

/* Has every peer its samples? */
static int complete(const struct bench_results *results, unsigned runs)
{
	for (size_t p = 0; p < results->bench->peer_count; p++)
		if (lacks(results, &results->tallies[p], runs))
			return 0;
	return 1;
}

static void expect_samples(struct bench_tally *tally)
{
	if (!measured(tally) || tally->count)
		return;
	tally->result = BENCH_FAILED;
	snprintf(tally->why, sizeof(tally->why), "the distance of the cores never held still");
}

void bench_take(struct bench_results *results, unsigned runs, double seconds)
{
	const struct bench *b = results->bench;

	for (size_t p = 0; p < b->peer_count; p++) {
		results->tallies[p].peer = &b->peers[p];
		if (b->peers[p].absent)
			results->tallies[p].absent = b->peers[p].absent();
	}
	/* Twice as many rounds where the distance changes, and then what there is has to do. */
	for (unsigned round = 0; round < 2 * runs && !complete(results, runs); round++)
		for (size_t p = 0; p < b->peer_count; p++) {
			struct bench_run run = {b, &b->peers[p], results->cpus, seconds, round};

			if (lacks(results, &results->tallies[p], runs))
				take(&results->tallies[p], &run);
		}
	for (size_t p = 0; p < b->peer_count; p++)
		expect_samples(&results->tallies[p]);
}
