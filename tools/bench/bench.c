/*
 * bench.c - the command `ilk bench`: its options, and the table of benches.
 */
#include "bench/rows.h"
#include "ilk/command.h"
#include "ilk/report.h"
#include "ilk/suggest.h"

#include <ilk/base.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALL_SIZES(benches) &(benches)[0], &(benches)[1], &(benches)[2]

static const struct bench *const benches[] = {
	&bench_mutex,
	&bench_mutex_2p,
	&bench_mutex_4p,
	&bench_rwlock_read,
	&bench_rwlock_readers_2p,
	&bench_rwlock_write,
	&bench_rwlock_turns,
	&bench_rwlock_mix_2p,
	&bench_rwlock_mix_4p,
	&bench_rwlock_half_2p,
	&bench_semaphore,
	&bench_semaphore_trip,
	&bench_semaphore_trip_1c,
	&bench_permits,
	&bench_counter_add,
	&bench_sharded_2p,
	&bench_barrier_2p,
	&bench_barrier_4p,
	&bench_snapshot_64,
	&bench_snapshot_64k,
	&bench_map,
	&bench_alloc,
	&bench_attach,
	&bench_recovery,
	&bench_sleepers,
	&bench_condition,
	&bench_event,
	&bench_latch,
	&bench_latch_wake,
	&bench_once,
	ALL_SIZES(bench_ring_alone),
	ALL_SIZES(bench_ring),
	ALL_SIZES(bench_ring_bulk),
	ALL_SIZES(bench_ring_trip),
	ALL_SIZES(bench_blocking),
	&bench_queue_alone,
	ALL_SIZES(bench_queue_lease),
	ALL_SIZES(bench_queue),
	ALL_SIZES(bench_queue_bulk),
	ALL_SIZES(bench_queue_2p2c),
	ALL_SIZES(bench_queue_4p4c),
	ALL_SIZES(bench_queue_trip),
	&bench_queue_wake,
	&bench_workers_start,
	&bench_workers_memory,
	&bench_workers_compute,
	&bench_workers_wait,
	&bench_pool_one,
	&bench_pool_chunked,
	&bench_pool_trip,
	&bench_pool_start,
	&bench_columns,
};
enum { BENCHES = sizeof(benches) / sizeof(benches[0]) };

static int json, list, quick;
static int64_t runs = 7, seconds_ns;

static const struct option_row rows[] = {
	{.name = "runs",
		.letter = 'r',
		.kind = OPTION_NUMBER,
		.value = "N",
		.low = 1,
		.high = BENCH_RUNS_MAX,
		.help = "samples of each peer (7; odd, so that the median is one of them)",
		.target = &runs},
	{.name = "seconds",
		.letter = 's',
		.kind = OPTION_SECONDS,
		.value = "S",
		.low = 1000000,
		.high = 60000000000,
		.help = "that a sample takes (default: what --list says)",
		.target = &seconds_ns},
	{.name = "quick",
		.letter = 'q',
		.kind = OPTION_FLAG,
		.help = "3 samples, each a fifth as long: about half a minute in all",
		.target = &quick},
	{.name = "list",
		.letter = 'l',
		.kind = OPTION_FLAG,
		.help = "say what would be measured, and by what; measure nothing",
		.target = &list},
	OPTION_JSON(&json),
	OPTION_END,
};

static const struct option_page page = {
	.command = "bench",
	.operands = "[NAME...]",
	.min = 0,
	.max = -1,
	.summary = "measure Ilk and its peers side by side, on this machine",
	.details =
		"Without a NAME: everything, in about four minutes; \"queue\" is all that begins\n"
		"with it and a dash, too, and \"workers\" is pool-* as well. Samples of all peers\n"
		"take turns; each figure is the median of its samples, with the smallest and the\n"
		"largest.\n"
		"\n"
		"ping-pong is the time that a flag takes from one core to the other and back, in\n"
		"nanoseconds. What crosses cores depends on it, and on virtual machines it\n"
		"changes: compare figures of one run, at one ping-pong.\n"
		"\n"
		"Peers that are missing are named; tools/bench/peers in the source installs them.",
	.rows = rows,
};

/* By its name, or by the beginning of it, up to a dash; or with its group. */
static int is_called(const struct bench *b, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(b->name, name, n) == 0 && b->name[n] == '-')
		return 1;
	return strcmp(b->name, name) == 0 || (b->fairness && strcmp(b->fairness, name) == 0) ||
	       (b->group && strcmp(b->group, name) == 0);
}

static int wanted(const struct bench *b, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (is_called(b, argv[i]))
			return 1;
	return argc == 0;
}

static int check_name(const char *name)
{
	struct suggestion near;

	suggest_begin(&near, name, strlen(name));
	for (size_t i = 0; i < BENCHES; i++) {
		if (is_called(benches[i], name))
			return 0;
		suggest_offer(&near, benches[i]->name);
	}
	if (near.best)
		return complain("bench", "no bench '%s': did you mean %s?", name, near.best);
	return complain("bench", "no bench '%s': see ilk bench --list", name);
}

static int print_list(int argc, char **argv)
{
	for (size_t i = 0; i < BENCHES; i++) {
		const struct bench *b = benches[i];

		if (!wanted(b, argc, argv))
			continue;
		printf("%-17s %-4s %s", b->name, b->unit, b->what);
		if (b->seconds > 0)
			printf("; %g s", b->seconds);
		printf("\n%*s", 23, "");
		for (size_t p = 0; p < b->peer_count; p++)
			printf("%s%s", p ? ", " : "", b->peers[p].name);
		printf("\n");
	}
	return 0;
}

static double seconds_for(const struct bench *b)
{
	if (seconds_ns)
		return (double)seconds_ns / 1e9;
	return quick ? b->seconds / 5 : b->seconds;
}

/* Names on stderr what is absent or went wrong. The exit code that follows from it. */
static int complain_about(const struct bench_results *results)
{
	int code = EXIT_FINE;

	for (size_t p = 0; p < results->bench->peer_count; p++) {
		const struct bench_tally *t = &results->tallies[p];

		if (t->absent && json)
			fprintf(stderr, "%s, %s: %s\n", results->bench->name, t->peer->name,
				t->absent);
		if (t->absent || t->result == BENCH_OK)
			continue;
		complain("bench", "%s, %s: %s", results->bench->name, t->peer->name, t->why);
		if (t->result == BENCH_FAILED || code == EXIT_FINE)
			code = t->result == BENCH_FAILED ? EXIT_ERROR : EXIT_FINDING;
	}
	return code;
}

/* Whoever else runs takes cores away; nothing we do can make up for that. */
static void tell_of_others(double used, ilk_time since)
{
	double whole = (double)(ilk_now() - since) / 1e9 * (double)sysconf(_SC_NPROCESSORS_ONLN);

	if (used > 0.03 * whole)
		fprintf(stderr,
			"Others used %.0f %% of this machine meanwhile: the figures are "
			"unsteady.\n",
			100 * used / whole);
}

/* Measures the benches that are wanted into RESULTS, which has room for all. The exit code. */
static int measure(int argc, char **argv, struct bench_results *results, size_t *count)
{
	static int cpus[2];
	int one_core = bench_two_cores(cpus), code = EXIT_FINE;

	for (size_t i = 0; i < BENCHES; i++) {
		struct bench_results *r = &results[*count];
		int rc;

		if (!wanted(benches[i], argc, argv))
			continue;
		if (one_core && benches[i]->workers > 1) {
			fprintf(stderr, "%s: not measured, it needs two cores\n", benches[i]->name);
			continue;
		}
		*r = (struct bench_results){.bench = benches[i], .cpus = cpus};
		r->tallies =
			(struct bench_tally *)calloc(benches[i]->peer_count, sizeof(*r->tallies));
		if (!r->tallies)
			return complain("bench", "out of memory");
		++*count;
		bench_take(r, (unsigned)runs, seconds_for(benches[i]));
		if (!json)
			bench_print(r);
		rc = complain_about(r);
		code = rc > code ? rc : code;
	}
	return code;
}

static int bench_main(int argc, char **argv)
{
	struct bench_results results[BENCHES] = {0};
	double others = bench_used_by_others();
	ilk_time begin = ilk_now();
	size_t count = 0;
	int code = options_parse(&page, &argc, argv);

	if (code != OPTIONS_GO)
		return code;
	for (int i = 0; i < argc; i++)
		if (check_name(argv[i]) != 0)
			return EXIT_ERROR;
	if (list)
		return print_list(argc, argv);
	if (quick && runs == 7)
		runs = 3;
	code = measure(argc, argv, results, &count);
	tell_of_others(bench_used_by_others() - others, begin);
	if (json)
		bench_print_json(results, count);
	for (size_t i = 0; i < count; i++)
		free(results[i].tallies);
	return code;
}

const struct command bench_command = {.page = &page, .run = bench_main};
