/*
 * rows.h - what a benchmark is made of: one row in a table per bench, one per peer in it.
 *
 * A new bench is a `struct bench` and its line in the table of bench.c; a new peer is a
 * `struct bench_peer` in a bench's table. The rounds (rounds.c), the statistics (stats.c) and the
 * printing (report.c) are the same for all.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <stddef.h>

struct bench;
struct bench_peer;

/* One sample that is to be taken. */
struct bench_run {
	const struct bench *bench;
	const struct bench_peer *peer;
	const int *cpus; /* two, on different cores if the machine has them */
	double seconds;
	unsigned round; /* 0, 1, ... */
};

/* What a sample gave. */
struct bench_sample {
	double value;
	double share;  /* least-served / most-served worker, in benches with a fairness row */
	char why[160]; /* where it failed: what went wrong */
};

/* Results of a sample. */
enum {
	BENCH_OK = 0,
	BENCH_WRONG = 1,   /* measured, but the peer did not do what it promises */
	BENCH_FAILED = -1, /* could not be measured */
};

struct bench_peer {
	const char *name;
	int (*sample)(const struct bench_run *run, struct bench_sample *sample);
	const void *what;            /* the bench's own: which lock, ... */
	const char *(*absent)(void); /* NULL: always there; else returns why it is not, or NULL */
};

struct bench {
	const char *name, *unit, *what;
	const char *fairness; /* name of its second row, or NULL */
	const char *group;    /* selects it, too, beside the beginning of its name; or NULL */
	/* The peer that the ratio column divides by. NULL: the best of this run, but for Ilk. */
	const char *reference;
	double seconds;   /* a sample takes */
	unsigned workers; /* processes that compete */
	size_t bytes;     /* of a message, where messages are sent */
	int more_is_better;
	int crosses; /* 1: depends on how far apart two cores are */
	const struct bench_peer *peers;
	size_t peer_count;
};

#define BENCH_PEERS(table) .peers = (table), .peer_count = sizeof(table) / sizeof((table)[0])

extern const struct bench bench_mutex, bench_mutex_2p, bench_mutex_4p;
extern const struct bench bench_rwlock_read, bench_rwlock_readers_2p, bench_rwlock_write;
extern const struct bench bench_rwlock_turns, bench_rwlock_mix_2p, bench_rwlock_mix_4p;
extern const struct bench bench_rwlock_half_2p;
extern const struct bench bench_semaphore, bench_semaphore_trip, bench_semaphore_trip_1c;
extern const struct bench bench_permits;
extern const struct bench bench_counter_add, bench_sharded_2p;
extern const struct bench bench_barrier_2p, bench_barrier_4p;
extern const struct bench bench_snapshot_64, bench_snapshot_64k;
extern const struct bench bench_map;
extern const struct bench bench_alloc, bench_attach, bench_recovery, bench_sleepers;
extern const struct bench bench_condition, bench_event, bench_latch_wake;
extern const struct bench bench_latch, bench_once;
/* For messages of 8, 64 and 1024 bytes. */
extern const struct bench bench_ring_alone[3], bench_ring[3], bench_ring_bulk[3];
extern const struct bench bench_ring_trip[3], bench_blocking[3];
extern const struct bench bench_queue[3], bench_queue_2p2c[3], bench_queue_4p4c[3];
extern const struct bench bench_queue_lease[3], bench_queue_bulk[3], bench_queue_trip[3];
extern const struct bench bench_queue_alone, bench_queue_wake;
extern const struct bench bench_pool_one, bench_pool_chunked, bench_pool_trip, bench_pool_start;
extern const struct bench bench_workers_start, bench_workers_memory;
extern const struct bench bench_columns;
extern const struct bench bench_workers_compute, bench_workers_wait;

/* Notes why a sample went wrong; returns BENCH_FAILED. */
int bench_fail(struct bench_sample *sample, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The samples of one peer in one bench. */
enum { BENCH_RUNS_MAX = 99, BENCH_SAMPLES_MAX = 2 * BENCH_RUNS_MAX };

struct bench_tally {
	const struct bench_peer *peer;
	const char *absent; /* why it was not measured, or NULL */
	int result;         /* BENCH_..., the worst */
	char why[160];
	size_t count;
	double value[BENCH_SAMPLES_MAX], share[BENCH_SAMPLES_MAX], ping[BENCH_SAMPLES_MAX];
};

struct bench_results {
	const struct bench *bench;
	struct bench_tally *tallies; /* one per peer */
	const int *cpus;
};

/* What a row says. */
struct bench_figures {
	double median, min, max;
	double ping; /* median ping-pong figure of the runs that count; 0 where none was taken */
	size_t runs;
	size_t left_out;   /* runs with the cores at another distance, */
	double other_ping; /* and the figure there */
};

/* Two cores for what competes, no two threads of one core if that can be had. 0, or -1: only one.
 */
int bench_two_cores(int cpus[2]);

/* Processor time, in seconds since boot, that others than us and our children have used. */
double bench_used_by_others(void);

/* Prints one bench as a table. */
void bench_print(const struct bench_results *results);

/* Prints COUNT benches and the machine as one JSON object. */
void bench_print_json(const struct bench_results *results, size_t count);

/* Takes all samples of a bench, peers interleaved. */
void bench_take(struct bench_results *results, unsigned runs, double seconds);

/* The figures of one tally: of its values, or with SHARE of its fairness. */
struct bench_figures bench_figure(
	const struct bench_results *results, const struct bench_tally *tally, int share);

/* Of N samples, the middle one; it sorts them. */
double bench_median(double *samples, size_t n);

/* How many samples of TALLY were taken with the cores as near, or as far, as in most of all. */
size_t bench_usable(const struct bench_results *results, const struct bench_tally *tally);

/* Nanoseconds a flag takes from one core to the other and back; 0 if it could not be measured. */
double bench_ping_pong(const int cpus[2]);

/* Do two figures of it tell of different distances? */
int bench_distance_changed(double ping, double other);

#endif
