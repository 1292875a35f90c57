/* python_workers.c - threads, processes and a Pool of Python: to start, to keep, and two of them at work. */
#include "bench/python.h"

#include <stdio.h>

/* Prints the figure. Before it stand `kind` and `what`. */
static const char script[] =
	"import multiprocessing, sys, threading, time\n"
	"fork, clock = multiprocessing.get_context('fork'), time.perf_counter\n"
	"new = {'thread': threading.Thread, 'process': fork.Process}.get(kind)\n"
	"def compute():\n"
	"    x = 1\n"
	"    for _ in range(200000): x = x * 6364136223846793005 + 1 & 0xffffffffffffffff\n"
	"def wait(): time.sleep(0.002)\n"
	"def one(todo): todo(); todo()\n"
	"def run(todo, n):\n"
	"    all = [new(target=todo) for _ in range(n)]\n"
	"    for w in all: w.start()\n"
	"    for w in all: w.join()\n"
	"def best(f, turns=5):\n"
	"    took = []\n"
	"    for _ in range(turns): begin = clock(); f(); took.append(clock() - begin)\n"
	"    return min(took)\n"
	"def two(todo):\n"
	"    if kind != 'pool': return best(lambda: run(todo, 2))\n"
	"    def ask():\n"
	"        for r in [pool.apply_async(todo) for _ in range(2)]: r.get()\n"
	"    with fork.Pool(2) as pool: ask(); return best(ask)\n"
	"def own():\n"
	"    with open('/proc/self/smaps_rollup') as lines:\n"
	"        return sum(int(l.split()[1]) for l in lines\n"
	"            if l.startswith(('Private_Clean:', 'Private_Dirty:')))\n"
	"def keep(n=16):\n"
	"    barrier = threading.Barrier if kind == 'thread' else fork.Barrier\n"
	"    ready, done, out, before = barrier(n + 1), barrier(n + 1), fork.SimpleQueue(), own()\n"
	"    def idle():\n"
	"        ready.wait()\n"
	"        if kind != 'thread': out.put(own())\n"
	"        done.wait()\n"
	"    all = [new(target=idle) for _ in range(n)]\n"
	"    for w in all: w.start()\n"
	"    ready.wait()\n"
	"    sum_up = lambda: own() - before if kind == 'thread' else sum(out.get() for _ in all)\n"
	"    kib = sum_up(); done.wait()\n"
	"    for w in all: w.join()\n"
	"    return kib / n\n"
	"if what == 'start':\n"
	"    print(1e6 * best(lambda: run(lambda: None, 1), 50 if kind == 'thread' else 10))\n"
	"elif what == 'memory': print(keep())\n"
	"else:\n"
	"    todo = {'compute': compute, 'wait': wait}[what]\n"
	"    print(two(todo) / best(lambda: one(todo)))\n";

int python_workers(const struct bench_run *run, struct bench_sample *sample)
{
	char text[sizeof(script) + 64];

	snprintf(text, sizeof(text), "kind, what = '%s'.split()\n%s", (const char *)run->peer->what,
		script);
	return python_run(run, text, &sample->value, 1, sample);
}
