/* workers_memory.c - the bench workers-memory: what an idle worker takes that nobody shares. */
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

static double memory_of_threads(void)
{
	long before = own_memory(), after;
	pthread_t all[IDLE];

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
static double memory_of_processes(void)
{
	int out[2], hold[2];
	long sum = 0, own;

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

struct memory {
	double (*measure)(void);
	struct bench_arena *arena;
};

static int memory_child(void *arg)
{
	const struct memory *m = (const struct memory *)arg;

	m->arena->result = m->measure();
	return m->arena->result < 0;
}

static int memory(const struct bench_run *run, double (*measure)(void), struct bench_sample *sample)
{
	struct memory m = {measure, NULL};
	struct bench_place place;
	int rc = bench_place_open(&place, sample);
	pid_t pid;

	(void)run;
	if (rc != BENCH_OK)
		return rc;
	m.arena = place.arena;
	pid = bench_spawn(-1, memory_child, &m);
	rc = bench_reap(&pid, 1, ilk_after_ms(30000), sample);
	sample->value = place.arena->result;
	bench_place_close(&place);
	return rc;
}

static int thread_memory(const struct bench_run *run, struct bench_sample *sample)
{
	return memory(run, memory_of_threads, sample);
}

static int process_memory(const struct bench_run *run, struct bench_sample *sample)
{
	return memory(run, memory_of_processes, sample);
}

static const struct bench_peer memory_peers[] = {
	{"thread", thread_memory, NULL, NULL},
	{"process", process_memory, NULL, NULL},
};

const struct bench bench_workers_memory = {
	.name = "workers-memory",
	.unit = "KiB",
	.what = "memory of an idle worker that it shares with nobody",
	.reference = "process",
	.workers = 1,
	BENCH_PEERS(memory_peers),
};
