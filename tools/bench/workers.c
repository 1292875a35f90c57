/*
 * workers.c - the benches workers-*: threads beside processes, in C and in Python.
 *
 * What a worker costs to start, and what two of them bring where the work is computing, and where it
 * is waiting: a thread or process of their own, or two who wait for work in a pool. What one costs to
 * keep: workers_memory.c.
 */
#include "bench/absent.h"
#include "bench/python.h"
#include "bench/rows.h"
#include "bench/work.h"

#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { TURNS = 20 }; /* of a job */

/* --- a worker of each kind --- */

typedef int job(void);

struct kind {
	/* Starts one that does JOB, and waits until it is done. 0, or -1. */
	int (*run)(job *todo);
	/* The same with two at once. */
	int (*run_two)(job *todo);
	/* Before and after the latter, where there is something to be done. begin: 0, or -1. */
	int (*begin)(struct ilk_segment *seg);
	void (*end)(void);
};

static void *thread_body(void *arg)
{
	job *todo;

	memcpy(&todo, arg, sizeof todo);
	todo();
	return NULL;
}

static int run_thread(job *todo)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_body, &todo) != 0)
		return -1;
	return pthread_join(thread, NULL);
}

static int two_threads(job *todo)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, thread_body, &todo) != 0)
			return -1;
	return pthread_join(threads[0], NULL) | pthread_join(threads[1], NULL);
}

static int wait_for(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static pid_t fork_worker(job *todo)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(todo());
	return pid;
}

static int run_process(job *todo)
{
	return wait_for(fork_worker(todo));
}

static int two_processes(job *todo)
{
	pid_t a = fork_worker(todo), b = fork_worker(todo);

	return wait_for(a) | wait_for(b);
}

static int spawned_body(void *arg)
{
	job *todo;

	memcpy(&todo, arg, sizeof todo);
	return todo();
}

static int run_spawned(job *todo)
{
	struct ilk_child child;
	struct ilk_end end;

	if (ilk_spawn(&child, spawned_body, &todo, NULL) < 0)
		return -1;
	return ilk_spawn_join(&child, &end, ILK_FOREVER) == 0 && end.code == 0 ? 0 : -1;
}

static int run_program(job *todo)
{
	char *argv[] = {(char *)(uintptr_t) "true", NULL};
	pid_t pid;

	(void)todo;
	return posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0 ? wait_for(pid) : -1;
}

/* --- those of a pool --- */

static struct ilk_pool *pool;
static struct ilk_pool_crew *crew;

/* The argument is a function: workers are forked, and have it at the same place. */
static int run_task(struct ilk_task *task, const void *argument, size_t bytes)
{
	job *todo;

	(void)task;
	if (bytes != sizeof todo)
		return -1;
	memcpy(&todo, argument, sizeof todo);
	return todo();
}

static int start_pool(struct ilk_segment *seg)
{
	static const struct ilk_task_function functions[] = {{"run", run_task}};
	const struct ilk_pool_options o = {.size = sizeof o};

	if (ilk_pool_open(seg, "pool", &o, &pool) < 0)
		return -1;
	return ilk_pool_start(pool, 2, functions, 1, NULL, &crew);
}

static void stop_pool(void)
{
	ilk_pool_stop(crew, ilk_after_ms(1000));
}

static int two_tasks(job *todo)
{
	struct ilk_future f[2];
	int rc = 0;

	for (int i = 0; i < 2 && rc == 0; i++)
		rc = ilk_pool_submit(pool, "run", &todo, sizeof todo, &f[i], ILK_FOREVER);
	for (int i = 0; i < 2 && rc == 0; i++)
		rc = ilk_future_get(&f[i], NULL, 0, NULL, ilk_after_ms(5000));
	return rc;
}

static const struct kind threads = {run_thread, two_threads, NULL, NULL};
static const struct kind processes = {run_process, two_processes, NULL, NULL};
static const struct kind programs = {run_program, NULL, NULL, NULL};
static const struct kind spawned = {run_spawned, NULL, NULL, NULL};
static const struct kind pooled = {NULL, two_tasks, start_pool, stop_pool};

/* --- start --- */

static int do_nothing(void)
{
	return 0;
}

static int start_some(const struct bench_place *place, const void *what, unsigned n)
{
	const struct kind *kind = (const struct kind *)what;

	(void)place;
	for (unsigned i = 0; i < n; i++)
		if (kind->run(do_nothing) != 0)
			return -1;
	return 0;
}

static int start(const struct bench_run *run, struct bench_sample *sample)
{
	struct bench_place place;
	int rc = bench_place_open(&place, sample);

	if (rc != BENCH_OK)
		return rc;
	rc = bench_time(run, &place, start_some, run->peer->what, 1, sample);
	sample->value /= 1e3;
	bench_place_close(&place);
	return rc;
}

/* --- computing, and waiting: what two take, of what one takes for all of it --- */

static int compute(void)
{
	volatile uint64_t sink;
	uint64_t x = 1;

	for (int i = 0; i < 8000000; i++)
		x = x * UINT64_C(6364136223846793005) + 1;
	sink = x;
	(void)sink;
	return 0;
}

static int wait_a_little(void)
{
	return usleep(2000);
}

struct comparison {
	const struct kind *kind;
	job *todo;
	const struct bench_place *place;
};

/* Microseconds that one takes for two jobs, or two at once; the best of some turns. */
static double best_of(const struct comparison *c, int at_once)
{
	ilk_time best = ILK_FOREVER;

	for (int i = 0; i < TURNS; i++) {
		ilk_time begin = ilk_now(), took;

		if (at_once ? c->kind->run_two(c->todo) != 0 : (c->todo(), c->todo(), 0))
			return -1;
		took = ilk_now() - begin;
		best = took < best ? took : best;
	}
	return (double)best;
}

static int compare_child(void *arg)
{
	const struct comparison *c = (const struct comparison *)arg;
	double one = best_of(c, 0), two;

	if (c->kind->begin && c->kind->begin(c->place->seg) < 0)
		return -1;
	two = best_of(c, 1);
	if (c->kind->end)
		c->kind->end();
	c->place->arena->result = two / one;
	return two < 0;
}

static int compare(const struct bench_run *run, job *todo, struct bench_sample *sample)
{
	struct bench_place place;
	struct comparison c = {(const struct kind *)run->peer->what, todo, &place};
	int rc = bench_place_open(&place, sample);
	pid_t pid;

	if (rc != BENCH_OK)
		return rc;
	pid = bench_spawn(-1, compare_child, &c);
	rc = bench_reap(&pid, 1, ilk_after_ms(30000), sample);
	sample->value = place.arena->result;
	bench_place_close(&place);
	return rc;
}

static int compare_computing(const struct bench_run *run, struct bench_sample *sample)
{
	return compare(run, compute, sample);
}

static int compare_waiting(const struct bench_run *run, struct bench_sample *sample)
{
	return compare(run, wait_a_little, sample);
}

/* --- the rows --- */

static const struct bench_peer start_peers[] = {
	{"thread", start, &threads, NULL},
	{"process", start, &processes, NULL},
	{"ilk-spawn", start, &spawned, NULL},
	{"program", start, &programs, NULL},
	{"python-thread", python_workers, "thread start", absent_python},
	{"python-process", python_workers, "process start", absent_python},
};

const struct bench bench_workers_start = {
	.name = "workers-start",
	.unit = "us",
	.what = "start a worker that does nothing, and wait for its end",
	.reference = "process",
	.seconds = 0.1,
	.workers = 1,
	BENCH_PEERS(start_peers),
};

static const struct bench_peer compute_peers[] = {
	{"thread", compare_computing, &threads, NULL},
	{"process", compare_computing, &processes, NULL},
	{"ilk-pool", compare_computing, &pooled, NULL},
	{"python-thread", python_workers, "thread compute", absent_python},
	{"python-process", python_workers, "process compute", absent_python},
	{"python-Pool", python_workers, "pool compute", absent_python},
};

const struct bench bench_workers_compute = {
	.name = "workers-compute",
	.unit = "x",
	.what = "time of two workers, of the time of one who computes it all: 0.5 is ideal",
	.reference = "process",
	.workers = 2,
	BENCH_PEERS(compute_peers),
};

static const struct bench_peer wait_peers[] = {
	{"thread", compare_waiting, &threads, NULL},
	{"process", compare_waiting, &processes, NULL},
	{"ilk-pool", compare_waiting, &pooled, NULL},
	{"python-thread", python_workers, "thread wait", absent_python},
	{"python-process", python_workers, "process wait", absent_python},
	{"python-Pool", python_workers, "pool wait", absent_python},
};

const struct bench bench_workers_wait = {
	.name = "workers-wait",
	.unit = "x",
	.what = "the same, of work that is waiting for something else",
	.reference = "process",
	.workers = 2,
	BENCH_PEERS(wait_peers),
};
