/*
 * stats.c - from samples to the figures of a row.
 *
 * Where the distance between the cores changed during a bench, only samples of one distance count,
 * the same for all its peers, so that their ratios mean something: the one that most samples have.
 */
#include "bench/rows.h"

#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(double *samples, size_t n)
{
	if (n == 0)
		return 0;
	qsort(samples, n, sizeof(*samples), by_size);
	return n % 2 ? samples[n / 2] : (samples[n / 2 - 1] + samples[n / 2]) / 2;
}

/* The ping-pong figures that belong to one distance of the cores. */
struct distance {
	double low, high;
};

static size_t all_pings(const struct bench_results *results, double *pings)
{
	size_t n = 0;

	for (size_t p = 0; p < results->bench->peer_count; p++)
		for (size_t i = 0; i < results->tallies[p].count; i++)
			pings[n++] = results->tallies[p].ping[i];
	qsort(pings, n, sizeof(*pings), by_size);
	return n;
}

/* Sorted figures fall into groups, with a gap between: the largest group. */
static struct distance usual_distance(const struct bench_results *results)
{
	double pings[results->bench->peer_count * BENCH_SAMPLES_MAX];
	size_t n = all_pings(results, pings), from = 0, best_from = 0, best = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && bench_distance_changed(pings[i - 1], pings[i]))
			from = i;
		if (i + 1 - from > best) {
			best = i + 1 - from;
			best_from = from;
		}
	}
	if (best == 0)
		return (struct distance){0, 0};
	return (struct distance){pings[best_from], pings[best_from + best - 1]};
}

static int is_usual(const struct distance *d, double ping)
{
	return ping >= d->low && ping <= d->high;
}

size_t bench_usable(const struct bench_results *results, const struct bench_tally *tally)
{
	struct distance usual = usual_distance(results);
	size_t n = 0;

	for (size_t i = 0; i < tally->count; i++)
		n += (size_t)is_usual(&usual, tally->ping[i]);
	return n;
}

struct bench_figures bench_figure(
	const struct bench_results *results, const struct bench_tally *tally, int share)
{
	struct distance usual = usual_distance(results);
	double values[BENCH_SAMPLES_MAX], pings[BENCH_SAMPLES_MAX], others[BENCH_SAMPLES_MAX];
	struct bench_figures f = {0};

	for (size_t i = 0; i < tally->count; i++) {
		if (!is_usual(&usual, tally->ping[i])) {
			others[f.left_out++] = tally->ping[i];
			continue;
		}
		values[f.runs] = share ? tally->share[i] : tally->value[i];
		pings[f.runs++] = tally->ping[i];
	}
	f.other_ping = bench_median(others, f.left_out);
	if (f.runs == 0)
		return f;
	f.median = bench_median(values, f.runs);
	f.min = values[0];
	f.max = values[f.runs - 1];
	f.ping = bench_median(pings, f.runs);
	return f;
}
