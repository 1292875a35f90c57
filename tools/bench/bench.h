/*
 * bench.h - the command `ilk bench`: Ilk and its peers measured side by side, in one run.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

/* Runs the command; argv[0] is "bench". 0 fine, 1 a lock let two in, 2 an error. */
int bench_main(int argc, char **argv);

#endif
