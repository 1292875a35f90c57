/*
 * peer_python.c - multiprocessing.Lock, as a Python program uses it.
 *
 * The interpreter is found in PATH and runs a script of ours, which measures by its own clock and
 * prints what it found. What the interpreter itself costs is part of the figure: that is why Python
 * has a row of its own.
 */
#include "bench/python.h"
#include "bench/work.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Prints nanoseconds per acquire and release: the median of slices. Arguments: seconds, core. */
static const char alone_script[] =
	"import multiprocessing, os, statistics, sys, time\n"
	"os.sched_setaffinity(0, {int(sys.argv[2])})\n"
	"lock = multiprocessing.get_context('fork').Lock()\n"
	"acquire, release, clock = lock.acquire, lock.release, time.perf_counter_ns\n"
	"def run(seconds):\n"
	"    now = clock(); end = now + seconds * 1e9; slices = []\n"
	"    while now < end:\n"
	"        begin = now\n"
	"        for _ in range(1000): acquire(); release()\n"
	"        now = clock(); slices.append((now - begin) / 1000)\n"
	"    return statistics.median(slices)\n"
	"run(0.005); print(run(float(sys.argv[1])))\n";

/*
 * Prints millions a second, least over most served, and 1 if no increment was lost. Arguments:
 * seconds, a core for each worker. Word 0 is what the lock guards; a worker's own is 8 words apart.
 */
static const char contended_script[] =
	"import ctypes, mmap, multiprocessing, os, sys, time\n"
	"fork = multiprocessing.get_context('fork'); lock = fork.Lock()\n"
	"words = memoryview(mmap.mmap(-1, 4096)).cast('Q')\n"
	"seconds, cores = float(sys.argv[1]), [int(c) for c in sys.argv[2:]]\n"
	"def work(me, start):\n"
	"    ctypes.CDLL(None).prctl(1, 9)\n" /* PR_SET_PDEATHSIG, SIGKILL */
	"    os.sched_setaffinity(0, {cores[me]})\n"
	"    acquire, release, clock = lock.acquire, lock.release, time.monotonic\n"
	"    def run(end):\n"
	"        done = 0\n"
	"        while clock() < end:\n"
	"            for _ in range(100): acquire(); words[0] += 1; release()\n"
	"            done += 100\n"
	"        return done\n"
	"    while clock() < start: time.sleep(0)\n"
	"    warm = run(start + 0.02); words[8 * me + 8] = run(start + 0.02 + seconds)\n"
	"    words[8 * me + 9] = warm + words[8 * me + 8]\n"
	"start = time.monotonic() + 0.03\n"
	"workers = [fork.Process(target=work, args=(i, start)) for i in range(len(cores))]\n"
	"for w in workers: w.start()\n"
	"for w in workers: w.join()\n"
	"got = [words[8 * i + 8] for i in range(len(cores))]\n"
	"total = sum(words[8 * i + 9] for i in range(len(cores)))\n"
	"print(sum(got) / seconds / 1e6, min(got) / max(max(got), 1), int(total == words[0]))\n";

/*
 * Prints nanoseconds per crossing of a multiprocessing.Barrier. Arguments: seconds, a core for each
 * worker. Word 0 is the crossing after which all stop: the first worker says so before it arrives.
 */
static const char barrier_script[] =
	"import ctypes, mmap, multiprocessing, os, sys, time\n"
	"seconds, cores = float(sys.argv[1]), [int(c) for c in sys.argv[2:]]\n"
	"fork = multiprocessing.get_context('fork'); barrier = fork.Barrier(len(cores))\n"
	"words = memoryview(mmap.mmap(-1, 4096)).cast('Q')\n"
	"def work(me):\n"
	"    ctypes.CDLL(None).prctl(1, 9)\n" /* PR_SET_PDEATHSIG, SIGKILL */
	"    os.sched_setaffinity(0, {cores[me]})\n"
	"    wait, clock = barrier.wait, time.perf_counter_ns\n"
	"    n, last = 0, 0\n"
	"    while last == 0 or n < last:\n"
	"        if n == 20: begin, end = clock(), clock() + seconds * 1e9\n"
	"        n += 1\n"
	"        if me == 0 and last == 0 and n > 40 and clock() > end: words[0] = n + 1\n"
	"        wait(); last = words[0]\n"
	"    if me == 0: words[1] = (clock() - begin) // (n - 20)\n"
	"workers = [fork.Process(target=work, args=(i,)) for i in range(len(cores))]\n"
	"for w in workers: w.start()\n"
	"for w in workers: w.join()\n"
	"print(words[1])\n";

struct script {
	const char *text;
	const struct bench_run *run;
	int output[2]; /* a pipe */
};

static int run_python(void *arg)
{
	const struct script *s = (const struct script *)arg;
	char seconds[32], cores[2][16];
	char *argv[4 + BENCH_WORKERS + 1] = {"python3", "-c", (char *)(uintptr_t)s->text, seconds};

	snprintf(seconds, sizeof(seconds), "%.6f", s->run->seconds);
	for (int i = 0; i < 2; i++)
		snprintf(cores[i], sizeof(cores[i]), "%d", s->run->cpus[i]);
	for (unsigned i = 0; i < s->run->bench->workers; i++)
		argv[4 + i] = cores[i % 2];
	if (dup2(s->output[1], STDOUT_FILENO) < 0)
		return -1;
	execvp(argv[0], argv);
	return -1;
}

/* Reads what the script prints, until it ends or DEADLINE. */
static void read_output(int fd, ilk_time deadline, char *text, size_t size)
{
	size_t length = 0;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = (deadline - ilk_now()) / 1000000;
		ssize_t n;

		if (left <= 0 || length + 1 >= size || poll(&p, 1, (int)left) <= 0)
			break;
		n = read(fd, text + length, size - 1 - length);
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	text[length] = '\0';
}

int python_run(const struct bench_run *run, const char *text, double *numbers, int wanted,
	struct bench_sample *sample)
{
	struct script s = {.text = text, .run = run};
	ilk_time deadline = ilk_after_ns((int64_t)((run->seconds + 20) * 1e9));
	char output[256], *rest = output, *end;
	pid_t pid;

	if (pipe2(s.output, O_CLOEXEC) != 0)
		return bench_fail(sample, "no pipe");
	pid = bench_spawn(-1, run_python, &s);
	close(s.output[1]);
	read_output(s.output[0], deadline, output, sizeof(output));
	close(s.output[0]);
	if (bench_reap(&pid, 1, deadline, sample) != BENCH_OK)
		return bench_fail(sample, "the script failed in python3");
	for (int i = 0; i < wanted; i++, rest = end) {
		numbers[i] = strtod(rest, &end);
		if (end == rest)
			return bench_fail(sample, "python3 printed no figure");
	}
	return BENCH_OK;
}

int python_alone(const struct bench_run *run, struct bench_sample *sample)
{
	return python_run(run, alone_script, &sample->value, 1, sample);
}

int python_contended(const struct bench_run *run, struct bench_sample *sample)
{
	double numbers[3] = {0};
	int rc = python_run(run, contended_script, numbers, 3, sample);

	sample->value = numbers[0];
	sample->share = numbers[1];
	if (rc == BENCH_OK && numbers[2] != 1) {
		bench_fail(sample, "increments were lost: the lock let two in at once");
		return BENCH_WRONG;
	}
	return rc;
}

int python_cross(const struct bench_run *run, struct bench_sample *sample)
{
	return python_run(run, barrier_script, &sample->value, 1, sample);
}
