/* python.h - what Python's multiprocessing has, measured by the interpreter's own scripts. */
#ifndef BENCH_PYTHON_H
#define BENCH_PYTHON_H

#include "bench/rows.h"

int python_alone(const struct bench_run *run, struct bench_sample *sample);
int python_contended(const struct bench_run *run, struct bench_sample *sample);
int python_cross(const struct bench_run *run, struct bench_sample *sample);

/* peer->what is "Queue", "SimpleQueue" or "Pipe". */
int python_queue_flow(const struct bench_run *run, struct bench_sample *sample);

/* peer->what is "pool" or "executor", and the bench: "one", "chunked", "trip", "start". */
int python_pool(const struct bench_run *run, struct bench_sample *sample);

/* peer->what is "thread", "process" or "pool", and the bench: "start", "memory", "compute", "wait". */
int python_workers(const struct bench_run *run, struct bench_sample *sample);

/*
 * Runs the script TEXT, with the seconds and a core for each worker as its arguments, and reads the
 * WANTED numbers that it prints.
 */
int python_run(const struct bench_run *run, const char *text, double *numbers, int wanted,
	struct bench_sample *sample);

#endif
