/*
 * worker.c - a process of a race, and its threads.
 *
 * Ordering   [W1] state:    store, release <-> [W2] in frame.c  what stands in the cell is complete
 *            [W3] go, stop: store in frame.c, release <-> [W4]
 *            [W5] arrived:  add, full                 <-> [W6]
 *            [W7] met:      add, full                 <-> [W8]   who comes last sees all arrivals
 *            [W9] meeting:  store, release            <-> [W10]  the moment is written
 *            [W11] allowed: store, release            <-> [W12]
 */
#include "race/worker.h"
#include <errno.h>
#include <ilk/atomics.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
	CHUNK = 16384, /* iterations between two signs of life, */
	CHUNK_MEETING = 1024,
	LOOK_EVERY_US = 200,    /* for the frame's word to go */
	PAUSES_PER_YIELD = 256, /* where workers are more than processors */
	START_TICKS = 1000,     /* from the last one's arrival to the moment when all go on */
};

/* One worker: a process, or a thread of one. */
struct worker {
	const struct race_job *job;
	struct ilk_segment *seg;
	struct race_cell *cell;
	pthread_t thread;
	struct race_worker me;
};

static void set_state(struct race_cell *cell, enum race_state state)
{
	ilk_store_release_(&cell->state, (uint32_t)state); /* [W1] */
}

static void fail(struct race_cell *cell, const char *what, int rc)
{
	snprintf(cell->error, sizeof cell->error, "%s: %s %s", what, ilk_strerror(rc),
		ilk_last_error());
	set_state(cell, RACE_FAILED);
}

/* --- what scenarios call --- */

uint64_t race_clock(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

int race_block(struct ilk_segment *seg, const char *name, size_t bytes, void *where)
{
	void *memory;
	int rc = ilk_block_open(seg, name, bytes, &memory);

	if (rc == 0)
		memcpy(where, &memory, sizeof memory);
	return rc;
}

/* splitmix64, by Sebastiano Vigna; in the public domain. */
uint64_t race_random(struct race_worker *me, uint64_t limit)
{
	uint64_t z = me->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % limit;
}

static void spin(unsigned *n)
{
	ilk_pause_();
	if (++*n % PAUSES_PER_YIELD == 0)
		sched_yield();
}

void race_meet(struct race_worker *me)
{
	struct race_control *c = me->control;
	uint32_t all = (uint32_t)me->count, last = ++me->meetings * all;
	unsigned n = 0;

	if (ilk_add_full_(&c->met, 1u) + 1 == last) { /* [W7], [W8] */
		c->moment = race_clock() + START_TICKS;
		ilk_store_release_(&c->meeting, (uint64_t)me->meetings); /* [W9] */
	}
	while (ilk_load_acquire_(&c->meeting) != me->meetings) /* [W10] */
		spin(&n);
	while ((int64_t)(race_clock() - c->moment) < 0)
		continue;
}

static struct race_cell *cell_of(struct race_worker *me)
{
	return &me->control->cells[me->index];
}

_Noreturn void race_die(struct race_worker *me)
{
	set_state(cell_of(me), RACE_DYING);
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

int race_fork(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
		_exit(1);
	return pid;
}

void race_note_(struct race_worker *me, const char *what, int64_t value)
{
	struct race_log *log = me->log;
	struct race_event *event = &log->events[log->count % RACE_EVENTS];

	*event = (struct race_event){.worker = me->index, .what = what, .value = value};
	event->at = race_clock();
	log->count++;
}

/* --- the work --- */

/*
 * Gives each worker a processor of its own, as far as they reach: left to itself the scheduler
 * often keeps two that were just born on one, and there they take turns instead of racing.
 */
static void pin(int worker)
{
	cpu_set_t allowed, mine;
	int skip;

	if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
		return;
	skip = worker % CPU_COUNT(&allowed);
	CPU_ZERO(&mine);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && skip-- == 0)
			CPU_SET(cpu, &mine);
	sched_setaffinity(0, sizeof mine, &mine);
}

/* All leave here at one moment: when the last of them runs. */
static void wait_for_start(struct race_control *control, int workers)
{
	unsigned n = 0;

	while (!ilk_load_acquire_(&control->go)) /* [W4] */
		usleep(LOOK_EVERY_US);
	ilk_add_full_(&control->arrived, 1u);                            /* [W5] */
	while (ilk_load_acquire_(&control->arrived) < (uint32_t)workers) /* [W6] */
		spin(&n);
}

static int64_t chunk_of(const struct race_scenario *s)
{
	if (s->chunk)
		return s->chunk;
	return s->meets ? CHUNK_MEETING : CHUNK;
}

/*
 * May chunk number N begin, when only time ends the work? Workers that meet must all do the same
 * number: there the first decides for all.
 */
static int may_go_on(const struct worker *w, int64_t n)
{
	struct race_control *c = w->job->control;
	int go_on = !ilk_load_acquire_(&c->stop); /* [W4] */
	unsigned spins = 0;
	int64_t allowed;

	if (!w->job->scenario->meets)
		return go_on;
	if (w->me.index == 0)
		ilk_store_release_(&c->allowed, go_on ? n + 1 : -1);            /* [W11] */
	while ((allowed = ilk_load_acquire_(&c->allowed)) <= n && allowed >= 0) /* [W12] */
		spin(&spins);
	return allowed >= 0;
}

static int iterate(struct worker *w)
{
	int64_t limit = w->job->size->iterations, chunk = chunk_of(w->job->scenario), done = 0;
	int rc = 0;

	for (int64_t n = 0; rc == 0 && (limit ? done < limit : may_go_on(w, n)); n++) {
		int64_t times = limit && limit - done < chunk ? limit - done : chunk;

		rc = w->job->variant->work(&w->me, times);
		done += times;
		ilk_store_relaxed_(&w->cell->done, done);
	}
	return rc;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	int rc;

	pin(w->me.index);
	rc = w->job->variant->open(w->seg);
	if (rc < 0) {
		fail(w->cell, "opening", rc);
		return NULL;
	}
	set_state(w->cell, RACE_READY);
	wait_for_start(w->job->control, w->job->workers);
	w->cell->began = ilk_now();
	rc = iterate(w);
	w->cell->ended = ilk_now();
	if (rc < 0)
		fail(w->cell, "working", rc);
	else
		set_state(w->cell, RACE_DONE);
	return NULL;
}

static void run_threads(struct worker *workers, int n)
{
	int started = 0;

	for (; started < n; started++)
		if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0) {
			fail(workers[started].cell, "starting a thread", -ENOMEM);
			break;
		}
	for (int i = 0; i < started; i++)
		pthread_join(workers[i].thread, NULL);
}

static void make_worker(struct worker *w, const struct race_job *job, int process, int thread)
{
	int index = process * job->size->threads + thread;

	w->job = job;
	w->cell = &job->control->cells[index];
	w->me = (struct race_worker){
		.index = index,
		.count = job->workers,
		.process = process,
		.thread = thread,
		.random = job->size->seed + (uint64_t)index * 1000003,
		.log = job->logs ? &job->logs[index] : NULL,
		.control = job->control,
	};
}

_Noreturn void race_process(const struct race_job *job, int process)
{
	int threads = job->size->threads;
	struct race_cell *cells = &job->control->cells[process * threads];
	struct worker *workers = calloc((size_t)threads, sizeof *workers);
	struct ilk_segment *seg = NULL;
	int rc = workers ? 0 : -ENOMEM;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != job->parent)
		_exit(1); /* nobody is there to count */
	if (rc == 0)
		rc = ilk_segment_open(job->segment, NULL, &seg);
	if (rc < 0) {
		fail(cells, "opening the segment", rc);
		_exit(0);
	}
	for (int i = 0; i < threads; i++) {
		make_worker(&workers[i], job, process, i);
		workers[i].seg = seg;
	}
	if (threads == 1)
		work(workers);
	else
		run_threads(workers, threads);
	ilk_segment_close(seg);
	_exit(0);
}
