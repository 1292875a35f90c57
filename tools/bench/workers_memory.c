/* workers_memory.c - the bench workers-memory: what an idle worker takes that nobody shares. */
#include "bench/absent.h"
#include "bench/python.h"
#include "bench/rows.h"
#include "bench/work.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IDLE = 16 };

/* KiB of the calling process that are its own alone; -1: they cannot be told. */
static long own_memory(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "re");
	long sum = 0, kb;
	char line[256];

	if (!file)
		return -1;
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "Private_Clean: %ld", &kb) == 1 ||
			sscanf(line, "Private_Dirty: %ld", &kb) == 1)
			sum += kb;
	fclose(file);
	return sum;
}

static pthread_barrier_t idle;

static void *idle_thread(void *arg)
{
	pthread_barrier_wait(&idle);
	pthread_barrier_wait(&idle);
	return arg;
}

static double memory_of_threads(const struct bench_place *place)
{
	long before = own_memory(), after;
	pthread_t all[IDLE];

	(void)place;
	pthread_barrier_init(&idle, NULL, IDLE + 1);
	for (int i = 0; i < IDLE; i++)
		if (pthread_create(&all[i], NULL, idle_thread, NULL) != 0)
			return -1;
	pthread_barrier_wait(&idle);
	after = own_memory();
	pthread_barrier_wait(&idle);
	for (int i = 0; i < IDLE; i++)
		pthread_join(all[i], NULL);
	return (double)(after - before) / IDLE;
}

/* Of one of several: what they share with each other is nobody's own. */
static double memory_of_processes(const struct bench_place *place)
{
	int out[2], hold[2];
	long sum = 0, own;

	(void)place;
	if (pipe(out) != 0 || pipe(hold) != 0)
		return -1;
	for (int i = 0; i < IDLE; i++)
		if (fork() == 0) {
			char all_here;

			close(hold[1]);
			own = own_memory();
			if (write(out[1], &own, sizeof own) != (ssize_t)sizeof own)
				_exit(1);
			_exit(read(hold[0], &all_here, 1) != 0);
		}
	for (int i = 0; i < IDLE; i++)
		sum += read(out[0], &own, sizeof own) == (ssize_t)sizeof own ? own : 0;
	close(hold[1]);
	while (wait(NULL) > 0)
		continue;
	return (double)sum / IDLE;
}

/* --- workers of a pool, each of whom has done something --- */

static const struct bench_place *workplace;

/* Ends when each worker has one. */
static int tell_own(struct ilk_task *task, const void *argument, size_t bytes)
{
	long own = own_memory();

	(void)argument, (void)bytes;
	ilk_add_full_(&workplace->arena->ready, 1);
	if (bench_await(&workplace->arena->ready, IDLE, 10) != 0)
		return -1;
	return ilk_task_result(task, &own, sizeof own);
}

static long sum_of_results(struct ilk_pool *pool)
{
	struct ilk_future f[IDLE];
	long sum = 0, own;

	for (int i = 0; i < IDLE; i++)
		if (ilk_pool_submit(pool, "tell", NULL, 0, &f[i], ILK_FOREVER) < 0)
			return -1;
	for (int i = 0; i < IDLE; i++) {
		if (ilk_future_get(&f[i], &own, sizeof own, NULL, ilk_after_ms(10000)) != 0)
			return -1;
		sum += own;
	}
	return sum;
}

static double memory_of_workers(const struct bench_place *place)
{
	static const struct ilk_task_function functions[] = {{"tell", tell_own}};
	const struct ilk_pool_options o = {.size = sizeof o};
	struct ilk_pool_crew *crew;
	struct ilk_pool *pool;
	long sum;

	workplace = place;
	if (ilk_pool_open(place->seg, "pool", &o, &pool) < 0 ||
		ilk_pool_start(pool, IDLE, functions, 1, NULL, &crew) < 0)
		return -1;
	sum = sum_of_results(pool);
	ilk_pool_stop(crew, ilk_after_ms(1000));
	return (double)sum / IDLE;
}

/* --- the rows --- */

typedef double measure(const struct bench_place *place);

struct memory {
	measure *of;
	const struct bench_place *place;
};

static int memory_child(void *arg)
{
	const struct memory *m = (const struct memory *)arg;

	m->place->arena->result = m->of(m->place);
	return m->place->arena->result < 0;
}

static int memory(measure *of, struct bench_sample *sample)
{
	struct bench_place place;
	struct memory m = {of, &place};
	int rc = bench_place_open(&place, sample);
	pid_t pid;

	if (rc != BENCH_OK)
		return rc;
	pid = bench_spawn(-1, memory_child, &m);
	rc = bench_reap(&pid, 1, ilk_after_ms(30000), sample);
	sample->value = place.arena->result;
	bench_place_close(&place);
	return rc;
}

static int thread_memory(const struct bench_run *run, struct bench_sample *sample)
{
	(void)run;
	return memory(memory_of_threads, sample);
}

static int process_memory(const struct bench_run *run, struct bench_sample *sample)
{
	(void)run;
	return memory(memory_of_processes, sample);
}

static int worker_memory(const struct bench_run *run, struct bench_sample *sample)
{
	(void)run;
	return memory(memory_of_workers, sample);
}

static const struct bench_peer memory_peers[] = {
	{"thread", thread_memory, NULL, NULL},
	{"process", process_memory, NULL, NULL},
	{"ilk-worker", worker_memory, NULL, NULL},
	{"python-thread", python_workers, "thread memory", absent_python},
	{"python-process", python_workers, "process memory", absent_python},
};

const struct bench bench_workers_memory = {
	.name = "workers-memory",
	.unit = "KiB",
	.what = "memory of an idle worker that it shares with nobody",
	.reference = "process",
	.workers = 1,
	BENCH_PEERS(memory_peers),
};
