/*
 * stress.h - crews of workers under random SIGKILL, and crews of threads that end in the middle.
 *
 * A worker is a number. What it publishes of itself stands in its tally, in memory that outlives
 * it. Each crew works for 1.5 seconds, or STRESS_MS; with ILK_SOAK=1 in the environment for 60,
 * with a larger number for so many seconds.
 */
#ifndef ILK_TESTS_STRESS_H
#define ILK_TESTS_STRESS_H

#include "support.h"

#ifndef STRESS_WORKERS
#define STRESS_WORKERS 4
#endif
enum { WORKERS = STRESS_WORKERS };

/* One worker's; written by it, and by the crew when it is dead. */
struct tally {
	int64_t intended, halfway, done;
	int64_t longest; /* ns, from wanting to getting */
	int64_t deaths;
	uint64_t seed;
	int64_t killed; /* when its last death began */
	int64_t lost;   /* of what is noted nowhere else */
};

struct tally *tally_of(unsigned worker);

/* Around each test: fresh tallies. */
int stress_setup(void **state);
int stress_teardown(void **state);
#define STRESS_TEST(f) cmocka_unit_test_setup_teardown(f, stress_setup, stress_teardown)

/* It begins: for tests that run no crew. */
void begin_time(void);

/* Is the time over? For workers to ask in their loops. */
int time_is_over(void);

/* The next of the worker's random numbers, below LIMIT. They go on after its death. */
uint64_t random_below(unsigned worker, uint64_t limit);

/* Whiles away up to so many pauses. */
void dawdle(unsigned worker, uint64_t limit);

/*
 * Runs BODY(worker) in WORKERS processes until the time is over, killing one of them at random
 * every few milliseconds and starting it again. BEREAVED, if not NULL, is called for each dead
 * worker before its successor starts. How many were killed.
 */
int run_processes(void (*body)(unsigned worker), void (*bereaved)(unsigned worker));

/* The same without killing. */
void run_undisturbed(void (*body)(unsigned worker));

/* Runs BODY(worker) in WORKERS threads, each time it returns in a new one, until the time is over.
 */
void run_threads(void (*body)(unsigned worker));

/* Attaches to NAME, at another address than others do. */
struct ilk_segment *open_elsewhere(unsigned worker, const char *name);

/* The longest stall of all workers: printed, and checked against a generous limit. */
void check_longest_stall(void);

#endif
