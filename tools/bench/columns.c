/*
 * columns.c - the bench `columns`: a*b+c over columns of 10^6 doubles, by one process, by a team of two,
 * and by Python's Pool over shared memory, without numpy and with it.
 *
 * The columns lie in the segment, and the workers are there before the clock starts.
 */
#include "bench/absent.h"
#include "bench/python.h"
#include "bench/rows.h"
#include "bench/work.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 1000000 };

struct columns {
	double a[ROWS], b[ROWS], c[ROWS], sum[ROWS];
};

static int add(const struct ilk_part *part, void *arg)
{
	struct columns *all = (struct columns *)arg;

	for (uint64_t i = part->begin; i < part->end; i++)
		all->sum[i] = all->a[i] * all->b[i] + all->c[i];
	return 0;
}

static struct columns *open_columns(const struct bench_place *place)
{
	void *block = NULL;
	struct columns *all;

	if (ilk_block_open(place->seg, "columns", sizeof *all, &block) < 0)
		return NULL;
	all = (struct columns *)block;
	for (int i = 0; i < ROWS; i++) {
		all->a[i] = i;
		all->b[i] = 2;
		all->c[i] = 1;
	}
	return all;
}

static int is_right(const struct columns *all)
{
	for (int i = 0; i < ROWS; i++)
		if (all->sum[i] != 2.0 * i + 1)
			return 0;
	return 1;
}

static int time_one(struct columns *all)
{
	const struct ilk_part whole = {.end = ROWS};

	return add(&whole, all);
}

/* --- a team --- */

static int start_team(
	struct ilk_team *team, const struct bench_place *place, struct columns *all, unsigned flags)
{
	const struct ilk_team_options o = {.size = sizeof o, .flags = flags};

	return ilk_team_start(team, place->seg, 2, add, all, &o);
}

struct job {
	const struct bench_run *run;
	const struct bench_place *place;
	unsigned flags;
	int is_team;
};

/* Median of rounds, in microseconds. */
static double time_rounds(const struct job *job, struct columns *all, struct ilk_team *team)
{
	const struct ilk_range whole = {.size = sizeof whole, .count = ROWS};
	static double took[4096];
	ilk_time end = ilk_after_ns((int64_t)(job->run->seconds * 1e9));
	size_t n = 0;

	while (n < 4096 && (n < 9 || ilk_now() < end)) {
		ilk_time begin = ilk_now();

		if (job->is_team ? ilk_team_run(team, &whole) < 0 : time_one(all) < 0)
			return -1;
		took[n++] = (double)(ilk_now() - begin) / 1e3;
	}
	return bench_median(took, n);
}

static int run_rounds(void *arg)
{
	const struct job *job = (const struct job *)arg;
	struct columns *all = open_columns(job->place);
	struct ilk_team team;

	if (!all || (job->is_team && start_team(&team, job->place, all, job->flags) < 0))
		return -1;
	time_rounds(job, all, &team);
	memset(all->sum, 0, sizeof all->sum);
	job->place->arena->result = time_rounds(job, all, &team);
	if (job->is_team)
		ilk_team_stop(&team);
	return is_right(all) && job->place->arena->result > 0 ? 0 : -1;
}

static int columns(const struct bench_run *run, struct bench_sample *sample)
{
	const char *how = (const char *)run->peer->what;
	struct bench_place place;
	struct job job = {run, &place, strcmp(how, "threads") == 0 ? ILK_TEAM_THREADS : 0,
		strcmp(how, "one") != 0};
	pid_t pid;
	int rc = bench_place_open_sized(&place, sizeof(struct columns) + (1 << 20), sample);

	if (rc != BENCH_OK)
		return rc;
	pid = bench_spawn(-1, run_rounds, &job);
	rc = bench_reap(&pid, 1, ilk_after_ms(30000), sample);
	sample->value = place.arena->result;
	bench_place_close(&place);
	return rc;
}

/* --- Python --- */

/* Before it stands what `numpy` is. */
static const char pool_script[] =
	"import array, sys, time\n"
	"from multiprocessing import get_context, shared_memory\n"
	"rows, seconds = 1000000, float(sys.argv[1])\n"
	"memory = shared_memory.SharedMemory(create=True, size=4 * 8 * rows)\n"
	"words = memory.buf.cast('d')\n"
	"a, b, c, s = [words[i * rows:(i + 1) * rows] for i in range(4)]\n"
	"a[:] = array.array('d', range(rows)); b[:] = array.array('d', [2]) * rows\n"
	"c[:] = array.array('d', [1]) * rows; none = array.array('d', [0]) * rows\n"
	"def add(part):\n"
	"    x, y, z, t = [m[part[0]:part[1]] for m in (a, b, c, s)]\n"
	"    if numpy:\n"
	"        x, y, z, t = [numpy.frombuffer(m) for m in (x, y, z, t)]\n"
	"        numpy.multiply(x, y, out=t); numpy.add(t, z, out=t)\n"
	"    else: t[:] = array.array('d', [p * q + r for p, q, r in zip(x, y, z)])\n"
	"def median(f):\n"
	"    took, end = [], time.perf_counter() + seconds\n"
	"    while len(took) < 3 or time.perf_counter() < end:\n"
	"        begin = time.perf_counter(); f(); took.append(time.perf_counter() - begin)\n"
	"    return sorted(took)[len(took) // 2]\n"
	"parts = [(i * rows // 2, (i + 1) * rows // 2) for i in range(2)]\n"
	"with get_context('fork').Pool(2) as pool:\n"
	"    pool.map(add, parts, 1); s[:] = none\n"
	"    took = median(lambda: pool.map(add, parts, 1))\n"
	"print(1e6 * took, int(all(s[i] == 2 * i + 1 for i in range(rows))))\n"
	"for m in (a, b, c, s, words): m.release()\n"
	"memory.close(); memory.unlink()\n";

static int by_python(const struct bench_run *run, struct bench_sample *sample)
{
	char text[sizeof(pool_script) + 64];
	double numbers[2] = {0};
	int rc;

	snprintf(text, sizeof(text), "%s\n%s", (const char *)run->peer->what, pool_script);
	rc = python_run(run, text, numbers, 2, sample);
	sample->value = numbers[0];
	if (rc == BENCH_OK && numbers[1] != 1) {
		bench_fail(sample, "the sums are wrong");
		return BENCH_WRONG;
	}
	return rc;
}

/* --- the row --- */

static const struct bench_peer peers[] = {
	{"ilk", columns, "team", NULL},
	{"ilk-threads", columns, "threads", NULL},
	{"one-process", columns, "one", NULL},
	{"python-pool", by_python, "numpy = None", absent_python},
	{"python-numpy", by_python, "import numpy", absent_numpy},
};

const struct bench bench_columns = {
	.name = "columns",
	.unit = "us",
	.what = "a*b+c over columns of 10^6 doubles in shared memory, by two workers who wait for work",
	.reference = "one-process",
	.seconds = 0.1,
	.workers = 2,
	BENCH_PEERS(peers),
};
