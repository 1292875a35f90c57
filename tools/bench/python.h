/* python.h - the lock of Python's multiprocessing, measured by the interpreter's own scripts. */
#ifndef BENCH_PYTHON_H
#define BENCH_PYTHON_H

#include "bench/rows.h"

int python_alone(const struct bench_run *run, struct bench_sample *sample);
int python_contended(const struct bench_run *run, struct bench_sample *sample);
int python_cross(const struct bench_run *run, struct bench_sample *sample);

#endif
