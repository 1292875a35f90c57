/*
 * report.c - prints what was measured: tables for people, or JSON.
 *
 * The names in the JSON do not change. A row that could not be measured has null figures and 0
 * runs; stderr says why.
 */
#include "bench/rows.h"
#include "ilk/json.h"
#include "ilk/term.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* --- tables --- */

static int is_usable(const struct bench_tally *t)
{
	return !t->absent && t->result == BENCH_OK;
}

/* Is this one of ours, and no peer? */
static int is_ilk(const struct bench_tally *t)
{
	return strncmp(t->peer->name, "ilk", 3) == 0;
}

/* What the ratios are to: the reference, or the best of the peers. NULL: there is none. */
static const struct bench_tally *base_of(const struct bench_results *results, int share)
{
	const struct bench *b = results->bench;
	const struct bench_tally *best = NULL;
	double most = 0;

	for (size_t p = 0; p < b->peer_count; p++) {
		const struct bench_tally *t = &results->tallies[p];
		double median = is_usable(t) ? bench_figure(results, t, share).median : 0;

		if (median <= 0 ||
			(b->reference ? strcmp(t->peer->name, b->reference) != 0 : is_ilk(t)))
			continue;
		if (!best || (median > most) == b->more_is_better) {
			best = t;
			most = median;
		}
	}
	return best;
}

/* Digits after the point, so that about four count. */
static int digits_of(double value)
{
	int digits = 3;

	for (double limit = 10; digits > 0 && value >= limit; limit *= 10)
		digits--;
	for (double limit = 1; digits < 6 && value > 0 && value < limit; limit /= 10)
		digits++;
	return digits;
}

static void print_figure(double value)
{
	printf(" %9.*f", digits_of(value), value);
}

static void print_row(const struct bench_results *results, const struct bench_tally *t, int share,
	const struct bench_tally *reference)
{
	struct bench_figures f = bench_figure(results, t, share);
	double base = reference ? bench_figure(results, reference, share).median : 0;

	if (f.runs == 0) {
		printf(" no run at the others' ping-pong; %zu at %.0f\n", f.left_out, f.other_ping);
		return;
	}
	print_figure(f.median);
	print_figure(f.min);
	print_figure(f.max);
	printf(" %5zu", f.runs);
	if (base > 0)
		printf(" %9.*f", digits_of(f.median / base) - (f.median / base < 1000),
			f.median / base);
	else
		printf(" %9s", "-");
	if (results->bench->crosses)
		printf(" %9.0f", f.ping);
	if (f.left_out)
		printf("  (%zu at %.0f left out)", f.left_out, f.other_ping);
	printf("\n");
}

static void print_table(const struct bench_results *results, int share)
{
	const struct bench *b = results->bench;
	const struct bench_tally *base = base_of(results, share);

	term_print(stdout, TERM_BOLD, share ? b->fairness : b->name);
	if (share)
		printf("  least-served / most-served process; more is better\n");
	else
		printf("  %s; %s, %s is better\n", b->what, b->unit,
			b->more_is_better ? "more" : "less");
	printf("  %-15s %9s %9s %9s %5s %9s%s   (ratio: to %s%s)\n", "peer", "median", "min", "max",
		"runs", "ratio", b->crosses ? " ping-pong" : "",
		b->reference ? "" : "the best peer, ",
		base           ? base->peer->name
		: b->reference ? b->reference
			       : "which there is not");
	for (size_t p = 0; p < b->peer_count; p++) {
		const struct bench_tally *t = &results->tallies[p];

		printf("  %-15s", t->peer->name);
		if (t->absent)
			printf(" %s\n", t->absent);
		else if (t->result != BENCH_OK)
			printf(" ERROR: %s\n", t->why);
		else
			print_row(results, t, share, base);
	}
	printf("\n");
}

void bench_print(const struct bench_results *results)
{
	print_table(results, 0);
	if (results->bench->fairness)
		print_table(results, 1);
	fflush(stdout);
}

/* --- JSON --- */

static void json_row(
	struct json *j, const struct bench_results *results, const struct bench_tally *t, int share)
{
	const struct bench *b = results->bench;
	const struct bench_tally *base = base_of(results, share);
	struct bench_figures f = bench_figure(results, t, share);

	if (t->result != BENCH_OK || f.runs == 0)
		f = (struct bench_figures){.median = NAN, .min = NAN, .max = NAN, .ping = NAN};
	json_open(j, NULL, '{');
	json_string(j, "bench", share ? b->fairness : b->name);
	json_string(j, "peer", t->peer->name);
	json_string(j, "unit", share ? "least/most" : b->unit);
	json_real(j, "median", f.median, digits_of(f.median));
	json_real(j, "min", f.min, digits_of(f.min));
	json_real(j, "max", f.max, digits_of(f.max));
	json_integer(j, "runs", (int64_t)f.runs);
	json_real(j, "ping_pong_ns", b->crosses ? f.ping : NAN, 1);
	json_string(j, "reference", base ? base->peer->name : NULL);
	json_real(j, "ratio", base ? f.median / bench_figure(results, base, share).median : NAN, 3);
	json_close(j);
}

static void json_machine(struct json *j)
{
	struct utsname name;

	uname(&name);
	json_open(j, "machine", '{');
	json_integer(j, "cores", sysconf(_SC_NPROCESSORS_ONLN));
	json_string(j, "kernel", name.release);
#ifdef __clang__
	json_string(j, "compiler", "clang " __clang_version__);
#else
	json_string(j, "compiler", "gcc " __VERSION__);
#endif
	json_close(j);
}

void bench_print_json(const struct bench_results *results, size_t count)
{
	struct json j;

	json_document(&j, stdout, "bench", 1);
	json_machine(&j);
	json_open(&j, "rows", '[');
	for (size_t i = 0; i < count; i++)
		for (int share = 0; share <= (results[i].bench->fairness != NULL); share++)
			for (size_t p = 0; p < results[i].bench->peer_count; p++)
				if (!results[i].tallies[p].absent)
					json_row(&j, &results[i], &results[i].tallies[p], share);
	json_close(&j);
	json_close(&j);
}
