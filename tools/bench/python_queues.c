/*
 * python_queues.c - Queue, SimpleQueue and Pipe of Python's multiprocessing, one process to another.
 */
#include "bench/python.h"

#include <stdio.h>

/*
 * Prints millions a second, and 1 if each message came once and in order. The first 200 are the
 * warm-up; an empty one is the last. In front of it stand the values of `kind` and `size`.
 */
static const char flow_script[] =
	"import ctypes, mmap, multiprocessing, os, sys, time\n"
	"seconds, cores = float(sys.argv[1]), [int(c) for c in sys.argv[2:]]\n"
	"fork, clock = multiprocessing.get_context('fork'), time.perf_counter\n"
	"words = memoryview(mmap.mmap(-1, 4096)).cast('d')\n"
	"if kind == 'Pipe':\n"
	"    source, sink = fork.Pipe(False); put, get = sink.send_bytes, source.recv_bytes\n"
	"else:\n"
	"    queue = fork.Queue(1024) if kind == 'Queue' else fork.SimpleQueue()\n"
	"    put, get = queue.put, queue.get\n"
	"def prepare(me):\n"
	"    ctypes.CDLL(None).prctl(1, 9)\n" /* PR_SET_PDEATHSIG, SIGKILL */
	"    os.sched_setaffinity(0, {cores[me]})\n"
	"def produce():\n"
	"    prepare(0)\n"
	"    n, rest, end = 0, bytes(size - 8), clock() + 0.02 + seconds\n"
	"    while n < 400 or clock() < end:\n"
	"        for n in range(n + 1, n + 101): put(n.to_bytes(8, 'little') + rest)\n"
	"    put(b'')\n"
	"def consume():\n"
	"    prepare(1)\n"
	"    n, right = 0, 1\n"
	"    while message := get():\n"
	"        n += 1\n"
	"        if len(message) != size or int.from_bytes(message[:8], 'little') != n: right = 0\n"
	"        if n == 200: begin = clock()\n"
	"    words[0], words[1] = (n - 200) / (clock() - begin) / 1e6, right\n"
	"workers = [fork.Process(target=produce), fork.Process(target=consume)]\n"
	"for w in workers: w.start()\n"
	"for w in workers: w.join()\n"
	"print(words[0], words[1])\n";

int python_queue_flow(const struct bench_run *run, struct bench_sample *sample)
{
	char text[sizeof(flow_script) + 64];
	double numbers[2] = {0};
	int rc;

	snprintf(text, sizeof(text), "kind, size = '%s', %zu\n%s", (const char *)run->peer->what,
		run->bench->bytes, flow_script);
	rc = python_run(run, text, numbers, 2, sample);
	sample->value = numbers[0];
	if (rc == BENCH_OK && numbers[1] != 1) {
		bench_fail(sample, "messages were lost, doubled or out of order");
		return BENCH_WRONG;
	}
	return rc;
}
