/* python_pools.c - multiprocessing.Pool and ProcessPoolExecutor: trivial tasks by two workers. */
#include "bench/python.h"

#include <stdio.h>

/* Prints the figure, and 1 if all results were right. Before it stand `kind` and `what`. */
static const char script[] =
	"import concurrent.futures, multiprocessing, sys, time\n"
	"seconds, clock = float(sys.argv[1]), time.perf_counter\n"
	"fork = multiprocessing.get_context('fork')\n"
	"def add_one(x): return x + 1\n"
	"def start():\n"
	"    if kind == 'pool': return fork.Pool(2)\n"
	"    return concurrent.futures.ProcessPoolExecutor(2, mp_context=fork)\n"
	"def stop(p):\n"
	"    if kind == 'pool': p.close(); p.join()\n"
	"    else: p.shutdown()\n"
	"right = True\n"
	"def map_all(p, n, chunk):\n"
	"    global right\n"
	"    right = right and list(p.map(add_one, range(n), chunksize=chunk)) == list(range(1, n + 1))\n"
	"def rate(p, n, chunk):\n"
	"    map_all(p, n, chunk)\n"
	"    begin, done = clock(), 0\n"
	"    while clock() - begin < seconds: map_all(p, n, chunk); done += n\n"
	"    return done / (clock() - begin) / 1e6\n"
	"def trip(p):\n"
	"    if kind == 'pool': return p.apply(add_one, (1,))\n"
	"    return p.submit(add_one, 1).result()\n"
	"if what == 'start':\n"
	"    n, begin = -2, 0\n"
	"    while n < 5 or clock() - begin < seconds:\n"
	"        if n == 0: begin = clock()\n"
	"        n += 1; p = start(); right = right and trip(p) == 2; stop(p)\n"
	"    result = (clock() - begin) / n * 1e3\n"
	"else:\n"
	"    p = start()\n"
	"    if what == 'one': result = rate(p, 5000 if kind == 'pool' else 1000, 1)\n"
	"    elif what == 'chunked': result = max(rate(p, 200000, c) for c in (100, 1000, 10000))\n"
	"    else:\n"
	"        for _ in range(100): right = right and trip(p) == 2\n"
	"        n, begin = 0, clock()\n"
	"        while clock() - begin < seconds: trip(p); n += 1\n"
	"        result = (clock() - begin) / n * 1e6\n"
	"    stop(p)\n"
	"print(result, int(right))\n";

int python_pool(const struct bench_run *run, struct bench_sample *sample)
{
	char text[sizeof(script) + 64];
	double numbers[2] = {0};
	int rc;

	snprintf(text, sizeof(text), "kind, what = '%s'.split()\n%s", (const char *)run->peer->what,
		script);
	rc = python_run(run, text, numbers, 2, sample);
	sample->value = numbers[0];
	if (rc == BENCH_OK && numbers[1] != 1) {
		bench_fail(sample, "results were wrong");
		return BENCH_WRONG;
	}
	return rc;
}
